package result

import (
	"carrel/anonymize/plan"
)

// Typed is a column of a step's table for SQL above it, or of what the SQL made. Type is the engine's word: VARCHAR, DOUBLE, BIGINT, DATE or
// BOOLEAN.
type Typed struct{ Name, Type string }

// TypesOf are the types of a step's columns, known before there is an answer: keys are what they are, everything noised is DOUBLE.
func TypesOf(p *plan.Plan) []Typed {
	keys := p.Keys()
	var out []Typed
	for _, o := range p.Output() {
		t := Typed{Name: o.Name, Type: "DOUBLE"}
		switch o.Expr.Op {
		case plan.OutGrouping:
			t.Type = "BIGINT"
		case plan.OutKey:
			switch col := keys[o.Expr.Index].Column; {
			case col.Kind == plan.KindCode:
				t.Type = "VARCHAR"
			case col.Kind == plan.KindDate:
				t.Type = "DATE"
			case col.Truth():
				t.Type = "BOOLEAN"
			default:
				t.Type = "BIGINT"
			}
		}
		out = append(out, t)
	}
	return out
}

// CellsOf are the rows of a step's answer as its types say.
func CellsOf(types []Typed, r *Result) [][]any {
	rows := make([][]any, len(r.Rows))
	for i, cells := range r.Rows {
		row := make([]any, len(cells))
		for j, c := range cells {
			row[j] = c.Value
			if s, ok := c.Value.(string); ok && types[j].Type == "BOOLEAN" {
				row[j] = s == "true"
			}
		}
		rows[i] = row
	}
	return rows
}

// Viewed is the answer that SQL above the steps made. Nothing of it is exact: whatever it shows is computed of noised numbers.
func Viewed(columns []Typed, rows [][]any, selected bool) *Result {
	out := &Result{Rows: [][]Cell{}, Selected: selected}
	for _, c := range columns {
		col := Column{Name: c.Name, Kind: "number", Interval: IntervalNone,
			Note: plan.Text{ZH: "由统计之上的 SQL 算出，不附区间", EN: "computed by the SQL above the statistics: it has no interval"}}
		if c.Type != "DOUBLE" && c.Type != "BIGINT" {
			col.Kind = "key"
		}
		out.Columns = append(out.Columns, col)
	}
	for _, row := range rows {
		cells := make([]Cell, len(row))
		for j, v := range row {
			if f, ok := v.(float64); ok {
				v = number(f)
			}
			cells[j] = Cell{Value: v}
		}
		out.Rows = append(out.Rows, cells)
	}
	return out
}
