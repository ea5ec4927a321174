// Package kanon measures k-anonymity: the smallest number of distinct persons who share one combination of
// quasi-identifiers among the rows and columns that are about to leave.
//
// It promises: persons are counted, not rows, so forty rows of one person never look like a crowd; a column without a
// declared role, or one that identifies by itself, is an error and never a default; results and errors hold sizes only,
// never a value. A missing value is a value of its own: it is one more thing that a neighbour may know.
//
// It does not promise: that k stops an attacker who knows a sensitive value (that is l-diversity and t-closeness), nor
// anything about two packages put together. k is a property of one release, not a composition theorem; answers to
// queries are protected by differential privacy instead and need no k.
package kanon

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"

	"carrel/anonymize/plan"
)

// Column is one column that leaves, with its role in the catalogue.
type Column struct {
	Name string
	Role plan.Role
}

// Cell is one stored value; Valid is false when the value is missing.
type Cell struct {
	Value int64
	Valid bool
}

// Result is what an owner or an auditor may see: sizes only.
type Result struct {
	// K is the number of distinct persons in the smallest class, 0 when no row leaves.
	K int `json:"k"`
	// Classes is the number of combinations of quasi-identifiers that occur.
	Classes int `json:"classes"`
	// Persons is the number of distinct persons with a row that leaves.
	Persons int `json:"persons"`
	// Rows is the number of rows that leave.
	Rows int64 `json:"rows"`
	// Sizes counts classes by their number of persons: Sizes[3] classes have exactly three.
	Sizes map[int]int `json:"sizes,omitempty"`
	// Quasi names the columns that made the classes.
	Quasi []string `json:"quasi"`
}

// ErrNoRows says that nothing leaves, so that there is no k to state.
var ErrNoRows = errors.New("no row leaves: there is no k to state")

// TooSmallError says that classes are smaller than demanded, in sizes only.
type TooSmallError struct {
	Want, Got int // persons in a class: demanded, and in the smallest
	Classes   int // classes below the demand
	Persons   int // sum of the sizes of these classes
}

// Error states the sizes; it holds no value.
func (e *TooSmallError) Error() string {
	return fmt.Sprintf("the smallest group has %d persons, at least %d are demanded; %d groups are below, with %d persons",
		e.Got, e.Want, e.Classes, e.Persons)
}

// Smallest reads all rows once and returns the sizes of their classes over the columns of role quasi-identifier. Each
// row is the person's number and one cell for each of columns, in order; the cells may be reused by the caller after
// the row. Columns of role identifier, without a role or of an unknown one are refused, as is a row of other width.
func Smallest(columns []Column, rows iter.Seq2[uint32, []Cell]) (Result, error) {
	quasi, err := quasiOf(columns)
	if err != nil {
		return Result{}, err
	}
	c := counter{classes: map[string]uint32{}, members: map[uint64]struct{}{}, persons: map[uint32]struct{}{}}
	key := make([]byte, 0, 9*len(quasi))
	for person, cells := range rows {
		if len(cells) != len(columns) {
			return Result{}, fmt.Errorf("a row has %d cells where %d columns leave", len(cells), len(columns))
		}
		key = key[:0]
		for _, i := range quasi {
			key = appendCell(key, cells[i])
		}
		c.add(person, key)
	}
	r := c.result()
	for _, i := range quasi {
		r.Quasi = append(r.Quasi, columns[i].Name)
	}
	return r, nil
}

// Check refuses when a class has fewer than k persons: ErrNoRows or *TooSmallError. A k below 2 protects nobody and
// is refused too, so that a forgotten parameter never passes.
func (r Result) Check(k int) error {
	if k < 2 {
		return fmt.Errorf("k = %d protects nobody: it must be 2 or more", k)
	}
	if r.Rows == 0 || r.K == 0 {
		return ErrNoRows
	}
	if r.K >= k {
		return nil
	}
	e := &TooSmallError{Want: k, Got: r.K}
	for size, n := range r.Sizes {
		if size < k {
			e.Classes += n
			e.Persons += size * n
		}
	}
	return e
}

func quasiOf(columns []Column) ([]int, error) {
	if len(columns) == 0 {
		return nil, errors.New("no column leaves")
	}
	var quasi []int
	for i, c := range columns {
		switch c.Role {
		case plan.RoleQuasi:
			quasi = append(quasi, i)
		case plan.RoleSensitive, plan.RoleOther, plan.RoleUnit:
		case plan.RoleIdentifier:
			return nil, fmt.Errorf("column %q is an identifier and may never leave", c.Name)
		case "":
			return nil, fmt.Errorf("column %q has no role: declare it in the catalogue first", c.Name)
		default:
			return nil, fmt.Errorf("column %q has an unknown role", c.Name)
		}
	}
	return quasi, nil
}

// appendCell encodes a cell so that no two different combinations share an encoding: width is fixed, missing is marked.
func appendCell(key []byte, c Cell) []byte {
	if !c.Valid {
		return append(key, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	}
	return binary.LittleEndian.AppendUint64(append(key, 1), uint64(c.Value)) //nolint:gosec // bits, not a number
}

type counter struct {
	classes map[string]uint32
	members map[uint64]struct{} // class<<32 | person
	persons map[uint32]struct{}
	sizes   []int
	rows    int64
}

func (c *counter) add(person uint32, key []byte) {
	c.rows++
	id, ok := c.classes[string(key)]
	if !ok {
		id = uint32(len(c.sizes)) //nolint:gosec // classes ≤ rows of one package
		c.classes[string(key)] = id
		c.sizes = append(c.sizes, 0)
	}
	member := uint64(id)<<32 | uint64(person)
	if _, seen := c.members[member]; seen {
		return
	}
	c.members[member] = struct{}{}
	c.persons[person] = struct{}{}
	c.sizes[id]++
}

func (c *counter) result() Result {
	r := Result{Classes: len(c.sizes), Persons: len(c.persons), Rows: c.rows, Sizes: map[int]int{}}
	for i, n := range c.sizes {
		r.Sizes[n]++
		if i == 0 || n < r.K {
			r.K = n
		}
	}
	return r
}
