package sandbox

import (
	"encoding/json"
	"errors"
	"slices"

	"carrel/sandbox/wire"
)

// View is a user's SQL over noised tables. Tree is a document as Parse gives it, whose only tables are those of Tables; names in Tables are
// the caller's own, never a user's.
type View struct {
	Tree   json.RawMessage
	Tables []ViewTable
}

// ViewTable is a small table: cells are nil, string, float64 or bool as its column's Type asks.
type ViewTable struct {
	Name    string
	Columns []ViewColumn
	Rows    [][]any
}

// ViewColumn is a column with a type of the View… constants.
type ViewColumn struct{ Name, Type string }

// Types of a view's columns. What an answer holds of any other type comes back as a text.
const (
	ViewText  = wire.TypeText
	ViewReal  = wire.TypeReal
	ViewWhole = wire.TypeWhole
	ViewDay   = wire.TypeDay
	ViewTruth = wire.TypeTruth
)

// ViewError says why SQL over noised tables gave no answer. Nothing of it depends on data beyond what was noised, so it may be said whole
// to whoever wrote the text; it is not for logs.
type ViewError struct {
	Code  string // bind, engine, deadline, shape
	Words string // the engine's, "" when it said nothing
}

// Error is the class alone.
func (e *ViewError) Error() string { return "view: " + e.Code }

// viewError is a failure of a view that is its text's.
func viewError(f wire.Fail) (*ViewError, bool) {
	if !slices.Contains([]wire.Code{wire.CodeBind, wire.CodeEngine, wire.CodeDeadline, wire.CodeShape}, f.Code) {
		return nil, false
	}
	return &ViewError{Code: string(f.Code), Words: f.Words}, true
}

// frameOf makes the frame of a view.
func frameOf(v View, maxRows int, deadline int64) (wire.Frame, error) {
	body := wire.ViewBody{Tree: v.Tree}
	for _, t := range v.Tables {
		w := wire.ViewTable{Name: t.Name, Rows: t.Rows}
		if w.Rows == nil {
			w.Rows = [][]any{}
		}
		for _, c := range t.Columns {
			w.Columns = append(w.Columns, wire.ViewColumn(c))
		}
		if err := w.Check(true); err != nil {
			return wire.Frame{}, err //nolint:wrapcheck // says what is wrong
		}
		body.Tables = append(body.Tables, w)
	}
	b, err := json.Marshal(body)
	if err != nil {
		return wire.Frame{}, errors.New("view: not a tree")
	}
	return wire.New(wire.KindView, wire.View{MaxRows: maxRows, Deadline: deadline}, b, 0) //nolint:wrapcheck // says what is wrong
}

// viewed reads what came back and checks it as the other side of a wall would be checked.
func viewed(f wire.Frame, maxRows int) (ViewTable, error) {
	var t wire.ViewTable
	if err := json.Unmarshal(f.Payload, &t); err != nil || t.Check(false) != nil || len(t.Rows) > maxRows {
		return ViewTable{}, errors.New("view: not a table")
	}
	out := ViewTable{Rows: t.Rows}
	for _, c := range t.Columns {
		out.Columns = append(out.Columns, ViewColumn(c))
	}
	return out, nil
}
