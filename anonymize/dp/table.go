package dp

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// TableVersion is the version of Table's JSON.
const TableVersion = 1

// Table is a noised answer as it is recorded and given out: the answer gate's canonical JSON. It holds no exact value. Columns
// are column-major and have one length, the number of rows.
type Table struct {
	Version int `json:"version"`
	// Selected: the rows are the groups that passed private selection, else every member of the public domain, in domain order.
	Selected bool  `json:"selected"`
	Rows     int64 `json:"rows"`
	// Keys holds one column a key, in integers as in plan.Layout; plan.NullKey (-1) is NULL.
	Keys [][]int64 `json:"keys"`
	// Values holds one column a mechanism of the list, in its order.
	Values [][]int64 `json:"values"`
	// Mechanisms is the list that was sampled.
	Mechanisms []Mechanism `json:"mechanisms"`
}

// Encode is the canonical form: same table, same bytes.
func (t Table) Encode() ([]byte, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	b, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("dp: encode table: %w", err)
	}
	return b, nil
}

// DecodeTable reads what Encode wrote; anything else is an error.
func DecodeTable(b []byte) (Table, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var t Table
	if err := d.Decode(&t); err != nil {
		return Table{}, fmt.Errorf("dp: decode table: %w", err)
	}
	again, err := t.Encode()
	if err != nil {
		return Table{}, err
	}
	if !bytes.Equal(again, b) {
		return Table{}, refuse("the table is not in canonical form")
	}
	return t, nil
}

func (t Table) check() error {
	if t.Version != TableVersion || t.Rows < 0 || t.Keys == nil || len(t.Values) == 0 || len(t.Values) != len(t.Mechanisms) {
		return refuse("malformed table")
	}
	for _, columns := range [][][]int64{t.Keys, t.Values} {
		for _, c := range columns {
			if c == nil || int64(len(c)) != t.Rows {
				return refuse("malformed table")
			}
		}
	}
	return nil
}
