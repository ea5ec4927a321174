package result

import (
	"slices"
	"strconv"

	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
)

// Typed is a column of a step's table for SQL above it, or of what the SQL made. Type is the engine's word: VARCHAR, DOUBLE, BIGINT, DATE or
// BOOLEAN.
type Typed struct{ Name, Type string }

// Step is a step's answer for SQL above it: Rows are as its Types say, the ends of intervals behind the step's own columns.
type Step struct {
	Types    []Typed
	Rows     [][]any
	Selected bool
}

// StepOf computes a step's answer. The names of its columns are the step's own, those of the ends what the view calls them.
func StepOf(p *plan.Plan, t dp.Table, ends []plan.Ends, style Style) (Step, error) {
	own, err := Table(p, t, style)
	if err != nil {
		return Step{}, err
	}
	out := Step{Types: TypesOf(p, ends), Selected: own.Selected}
	for _, cells := range own.Rows {
		var row []any
		for j, c := range cells {
			if s, ok := c.Value.(string); ok && out.Types[j].Type == "BOOLEAN" {
				row = append(row, s == "true")
				continue
			}
			row = append(row, c.Value)
		}
		out.Rows = append(out.Rows, row)
	}
	for _, e := range ends {
		wide, err := Jointly(e.Parts, p, t, style)
		if err != nil {
			return Step{}, err
		}
		for i, cells := range wide.Rows {
			out.Rows[i] = append(out.Rows[i], either(cells[e.Column].Lo), either(cells[e.Column].Hi))
		}
	}
	return out, nil
}

func either(v *float64) any {
	if v == nil {
		return nil
	}
	return *v
}

// TypesOf are the types of a step's columns, known before there is an answer: keys are what they are, everything noised is DOUBLE.
func TypesOf(p *plan.Plan, ends []plan.Ends) []Typed {
	keys := p.Keys()
	var out []Typed
	for _, o := range p.Output() {
		t := Typed{Name: o.Name, Type: "DOUBLE"}
		if o.Expr.Op == plan.OutGrouping {
			t.Type = "BIGINT"
		}
		if o.Expr.Op == plan.OutKey {
			t.Type = typeOf(&keys[o.Expr.Index].Column)
		}
		out = append(out, t)
	}
	for _, e := range ends {
		out = append(out, Typed{e.Low, "DOUBLE"}, Typed{e.High, "DOUBLE"})
	}
	return out
}

func typeOf(c *plan.Column) string {
	switch {
	case c.Kind == plan.KindCode:
		return "VARCHAR"
	case c.Kind == plan.KindDate:
		return "DATE"
	case c.Truth():
		return "BOOLEAN"
	}
	return "BIGINT"
}

// Viewed is the answer that SQL above the steps made. Nothing of it is exact: whatever it shows is computed of noised numbers. intervals are
// the columns whose ends stand in pairs behind the text's own; where a cell is not inside its own ends, they are of something else and are
// dropped. It fails when the columns are not as the view says.
func Viewed(columns []Typed, rows [][]any, intervals []int) (*Result, error) {
	own := len(columns) - 2*len(intervals)
	if own < 1 || len(intervals) > 0 && slices.Max(intervals) >= own {
		return nil, ErrMismatch
	}
	out := &Result{Rows: [][]Cell{}}
	for i, c := range columns[:own] {
		col := Column{Name: c.Name, Kind: "number", Interval: IntervalNone,
			Note: plan.Text{ZH: "由统计之上的 SQL 算出，不附区间", EN: "computed by the SQL above the statistics: it has no interval"}}
		if c.Type != "DOUBLE" && c.Type != "BIGINT" {
			col.Kind = "key"
		}
		if slices.Contains(intervals, i) {
			col.Kind, col.Interval = "measure", IntervalNoise
			col.Note = plan.Text{ZH: "区间只反映噪声，至少 95%，由统计的区间推出", EN: "the interval covers the noise, at 95 % or more; it follows from those of the statistics"}
		}
		out.Columns = append(out.Columns, col)
	}
	for _, row := range rows {
		cells := make([]Cell, own)
		for j, v := range row[:own] {
			switch x := v.(type) {
			case float64:
				v = number(x)
			case bool: // as a key's
				v = strconv.FormatBool(x)
			}
			cells[j] = Cell{Value: v}
		}
		for k, j := range intervals {
			cells[j].ends(row[own+2*k], row[own+2*k+1])
		}
		out.Rows = append(out.Rows, cells)
	}
	return out, nil
}

func (c *Cell) ends(lo, hi any) {
	v, ok := c.Value.(float64)
	if l, known := lo.(float64); ok && known && l <= v {
		c.Lo = &l
	}
	if h, known := hi.(float64); ok && known && h >= v {
		c.Hi = &h
	}
}
