package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// View asks for SQL over noised tables: the payload is a ViewBody.
type View struct {
	MaxRows  int   `json:"max_rows"` // above it the answer is a failure
	Deadline int64 `json:"deadline"` // milliseconds until the child interrupts itself
}

// Validate refuses limits that limit nothing.
func (m View) Validate() error {
	if m.MaxRows < 1 || m.MaxRows > MaxCells || m.Deadline < 1 || m.Deadline > math.MaxInt32 {
		return errors.New("view: limits that limit nothing")
	}
	return nil
}

// Viewed carries an answer: the payload is a ViewTable without types.
type Viewed struct{}

// Validate has nothing to refuse.
func (Viewed) Validate() error { return nil }

// ViewBody is what a viewer works on: a syntax tree as json_deserialize_sql reads it, and the tables that it names.
type ViewBody struct {
	Tree   json.RawMessage `json:"tree"`
	Tables []ViewTable     `json:"tables"`
}

// ViewTable is a small table by rows. A cell is null, a string, a number or a truth value.
type ViewTable struct {
	Name    string       `json:"name,omitempty"`
	Columns []ViewColumn `json:"columns"`
	Rows    [][]any      `json:"rows"`
}

// ViewColumn is a column. Type is one of the Type constants.
type ViewColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Types of a view's columns, in the engine's words. What comes back is a text where it is none of the others.
const (
	TypeText  = "VARCHAR"
	TypeReal  = "DOUBLE"
	TypeWhole = "BIGINT"
	TypeDay   = "DATE"
	TypeTruth = "BOOLEAN"
)

// Check refuses tables that are none: both sides ask it. Names of tables and, with strict, of columns are names of ours.
func (t ViewTable) Check(strict bool) error {
	if len(t.Columns) == 0 || len(t.Columns) > 1<<12 || len(t.Rows) > MaxCells/len(t.Columns) {
		return errors.New("view: too many cells")
	}
	for _, c := range t.Columns {
		switch c.Type {
		case TypeText, TypeReal, TypeWhole, TypeDay, TypeTruth:
		default:
			return errors.New("view: no such type")
		}
		if strict && !validName(c.Name) || len(c.Name) > MaxText || !utf8.ValidString(c.Name) {
			return errors.New("view: a column's name is not usable")
		}
	}
	if strict && !validName(t.Name) {
		return errors.New("view: a table's name is not usable")
	}
	for _, r := range t.Rows {
		if len(r) != len(t.Columns) {
			return errors.New("view: a row of another length")
		}
		for i, v := range r {
			if err := t.Columns[i].holds(v); err != nil {
				return err
			}
		}
	}
	return nil
}

// holds says whether a cell is of its column's type, as encoding/json reads it.
func (c ViewColumn) holds(v any) error {
	ok := v == nil
	switch x := v.(type) {
	case string:
		ok = (c.Type == TypeText || c.Type == TypeDay) && utf8.ValidString(x)
	case float64:
		ok = (c.Type == TypeReal || c.Type == TypeWhole) && !math.IsNaN(x) && !math.IsInf(x, 0)
	case bool:
		ok = c.Type == TypeTruth
	}
	if !ok {
		return fmt.Errorf("view: a cell that is no %s", c.Type)
	}
	return nil
}
