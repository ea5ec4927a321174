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
	// Leaves, in a tree of counts: Rows are groups × leaves, in order, without keys; Values holds one column a level, each with as many numbers as
	// that level has nodes.
	Leaves int64 `json:"leaves,omitempty"`
	// More are the tables of further parts (grouping sets, trees), in the order of the plan's.
	More []Table `json:"more,omitempty"`
}

// Sampled is the whole list that was sampled, part by part.
func (t Table) Sampled() []Mechanism {
	list := append([]Mechanism(nil), t.Mechanisms...)
	for _, m := range t.More {
		list = append(list, m.Mechanisms...)
	}
	return list
}

// maxParts bounds the tables of one answer.
const maxParts = 1 << 10

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
	if err := t.checkOne(); err != nil {
		return err
	}
	if t.Leaves != 0 || len(t.More) > maxParts {
		return refuse("malformed table")
	}
	for _, m := range t.More {
		if err := m.checkOne(); err != nil {
			return err
		}
		if len(m.More) > 0 {
			return refuse("malformed table")
		}
	}
	return nil
}

func (t Table) checkOne() error {
	if t.Version != TableVersion || t.Rows < 0 || t.Keys == nil || len(t.Values) == 0 || len(t.Values) != len(t.Mechanisms) || t.Leaves < 0 || t.Leaves > 0 && (len(t.Keys) > 0 || t.Rows%t.Leaves != 0) {
		return refuse("malformed table")
	}
	for _, c := range t.Keys {
		if c == nil || int64(len(c)) != t.Rows {
			return refuse("malformed table")
		}
	}
	for _, c := range t.Values {
		n := int64(len(c))
		if c == nil || t.Leaves == 0 && n != t.Rows || t.Leaves > 0 && (n > t.Rows || n == 0 && t.Rows > 0 || n > 0 && t.Rows%n != 0) {
			return refuse("malformed table")
		}
	}
	return nil
}
