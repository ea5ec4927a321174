package slow

import (
	"pgregory.net/rapid"

	"carrel/anonymize/plan"
)

func ptr(v int64) *int64 { return &v }

// Draw fills a schema's tables: persons often have as many rows as they may, row keys are unique in the person, ranks count from 1.
func Draw(t *rapid.T, s *plan.Schema) Database {
	d := Database{}
	persons := rapid.Int64Range(1, 3).Draw(t, "persons")
	for _, tb := range s.Tables {
		if tb.Public {
			d[tb.Name] = drawPublic(t, tb)
			continue
		}
		var all []int64
		for r := range tb.MaxRows {
			all = append(all, r+1)
		}
		for p := range persons {
			n := rapid.SampledFrom([]int64{tb.MaxRows, tb.MaxRows, tb.MaxRows - 1, 0}).Draw(t, "rows")
			ranks := rapid.Permutation(all[:n]).Draw(t, "ranks")
			for i := range n {
				r := Stored{plan.RankColumn: ptr(ranks[i])}
				for _, c := range tb.Columns {
					r[c.Name] = drawValue(t, c, p, i, c.Name == tb.RowKey)
				}
				d[tb.Name] = append(d[tb.Name], r)
			}
		}
	}
	return d
}

func drawPublic(t *rapid.T, tb plan.Table) []Stored {
	var out []Stored
	n := tb.Columns[0].MaxPerKey
	for v := range int64(len(tb.Columns[0].Values)) {
		for range rapid.SampledFrom([]int64{n, n, 0}).Draw(t, "public rows") {
			r := Stored{}
			for _, c := range tb.Columns {
				r[c.Name] = drawValue(t, c, 0, 0, false)
			}
			r[tb.Columns[0].Name] = ptr(v)
			out = append(out, r)
		}
	}
	return out
}

func drawValue(t *rapid.T, c plan.Column, person, row int64, rowKey bool) *int64 {
	switch {
	case c.Kind == plan.KindUnit:
		return ptr(person)
	case rowKey:
		return ptr(row)
	case c.Nullable && rapid.IntRange(0, 3).Draw(t, "null") == 0:
		return nil
	case c.Kind == plan.KindKey:
		return ptr(rapid.Int64Range(0, 2).Draw(t, c.Name))
	case c.Kind == plan.KindCode:
		return ptr(rapid.Int64Range(0, int64(len(c.Values))-1).Draw(t, c.Name))
	case rapid.IntRange(0, 3).Draw(t, "inside") == 0:
		return ptr(rapid.Int64Range(c.Lo, c.Hi).Draw(t, c.Name))
	}
	return ptr(rapid.SampledFrom([]int64{c.Lo, c.Lo, c.Hi, c.Hi, (c.Lo + c.Hi) / 2}).Draw(t, c.Name))
}

// Outputs makes every key and every measure an output.
func Outputs(s *plan.Spec) {
	s.Output = nil
	for i := range s.Keys {
		s.Output = append(s.Output, plan.OutputSpec{Name: "k", Expr: plan.OutExpr{Op: plan.OutKey, Index: i}})
	}
	for i := range s.Wanted {
		s.Output = append(s.Output, plan.OutputSpec{Name: "m", Expr: plan.OutExpr{Op: plan.OutMeasure, Index: i}})
	}
}
