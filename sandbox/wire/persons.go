package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// MaxPersons is how many persons the list of an Open names at most.
const MaxPersons = 1 << 22

// PackPersons lays numbers of persons out as the payload of an Open.
func PackPersons(persons []uint32) []byte {
	b := make([]byte, 0, 4*len(persons))
	for _, p := range persons {
		b = binary.LittleEndian.AppendUint32(b, p)
	}
	return b
}

// Persons reads the list of an Open back: as many as the header says, in ascending order, each once.
func Persons(m Open, payload []byte) ([]uint32, error) {
	if len(payload) != 4*m.Persons {
		return nil, fmt.Errorf("%w: payload is not the list of persons", ErrFrame)
	}
	out := make([]uint32, m.Persons)
	for i := range out {
		out[i] = binary.LittleEndian.Uint32(payload[4*i:])
		if i > 0 && out[i] <= out[i-1] {
			return nil, fmt.Errorf("%w: persons are not in order", ErrFrame)
		}
	}
	return out, nil
}

// checkChoice wants a list that a scan can obey: a table without a column of persons is a public one, and if all are, there is nobody to
// leave out.
func (m Open) checkChoice() error {
	if m.Persons < 0 || m.Persons > MaxPersons {
		return errors.New("open: too many persons")
	}
	private := false
	for _, t := range m.Tables {
		private = private || t.Unit != ""
		if t.Unit != "" && !t.hasUnit() {
			return errors.New("open: a table has no column of persons by that name")
		}
	}
	if (m.Persons > 0 || m.Only) && !private {
		return errors.New("open: persons to choose, and no table of persons")
	}
	return nil
}

// hasUnit says whether the column of persons is there and of their type.
func (t Table) hasUnit() bool {
	for _, c := range t.Columns {
		if c.Name == t.Unit {
			return c.Type == "uint32"
		}
	}
	return false
}
