package answer_test

import (
	"testing"

	"carrel/anonymize/answer"
	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
)

// TestPlansFit: what the planner makes passes Check, under both accountings, by public and by private keys, in grouping sets and with trees, and gives
// an answer from nothing.
func TestPlansFit(t *testing.T) {
	t.Parallel()
	schema := &plan.Schema{Dataset: "d", Persons: 1000, Tables: []plan.Table{{
		Name: "visit", Unit: "person_id", RowKey: "visit_id", MaxRows: 4, MaxRowsReason: "test",
		Columns: []plan.Column{
			{Name: "person_id", Kind: plan.KindUnit, Role: plan.RoleUnit},
			{Name: "visit_id", Kind: plan.KindKey, Role: plan.RoleOther},
			{Name: "ward", Kind: plan.KindCode, Values: []string{"a", "b", "c"}, Codes: "ward", PublicKey: true, Nullable: true, Role: plan.RoleOther},
			{Name: "doctor", Kind: plan.KindCode, Values: []string{"p", "q", "r"}, Codes: "doctor", Role: plan.RoleOther},
			{Name: "cost", Kind: plan.KindInt, Bounded: true, Lo: -3, Hi: 100, Reason: "test", Nullable: true, Role: plan.RoleOther},
		},
	}}}
	b := newBench(t)
	ward, doctor := plan.KeySpec{Expr: plantest.Col("ward")}, plan.KeySpec{Expr: plantest.Col("doctor")}
	for what, c := range map[string]struct {
		keys  []plan.KeySpec
		sets  [][]int
		parts int
	}{
		"none": {nil, nil, 2}, "public": {[]plan.KeySpec{ward}, nil, 2}, "private": {[]plan.KeySpec{doctor}, nil, 2}, "both": {[]plan.KeySpec{ward, doctor}, nil, 2},
		"cube": {[]plan.KeySpec{ward, doctor}, [][]int{{0, 1}, {0}, {1}, {}}, 8},
	} {
		spec := plan.Spec{Limit: -1, From: plan.From{Scans: []plan.Scan{{Table: "visit"}}}, Keys: c.keys, Sets: c.sets, Wanted: []plan.MeasureSpec{
			{Kind: plan.CountRows}, {Kind: plan.CountColumn, Args: plantest.Cols("cost")}, {Kind: plan.CountPersons, Args: plantest.Cols("person_id")},
			{Kind: plan.Sum, Args: plantest.Cols("cost")}, {Kind: plan.Avg, Args: plantest.Cols("cost")}, {Kind: plan.VarPop, Args: plantest.Cols("cost")},
			{Kind: plan.CountValues, Args: plantest.Cols("cost")}, {Kind: plan.Quantile, Args: plantest.Cols("cost"), Fraction: 0.5},
		}}
		for i := range spec.Wanted {
			spec.Output = append(spec.Output, plan.OutputSpec{Name: string(rune('a' + i)), Expr: plan.OutExpr{Op: plan.OutMeasure, Index: i}})
		}
		p, err := plan.Build(schema, spec, plan.Options{})
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		for _, a := range []dp.Accounting{dp.ZCDP, dp.Basic} {
			list, err := dp.Design(a, 1, 1e-6, 1e-9, p.Wants())
			if err != nil {
				t.Errorf("%s, %s: %v", what, a, err)
				continue
			}
			layouts := p.Layouts()
			if err := answer.Check(layouts, list); err != nil || len(layouts) != c.parts {
				t.Errorf("%s, %s: %d parts, %v", what, a, len(layouts), err)
				continue
			}
			var nothing []answer.Aggregates
			for _, l := range layouts {
				nothing = append(nothing, scanned(make([][]int64, len(l.Keys)+len(l.Columns))...))
			}
			_, drawn, err := b.quiet(t, layouts, list, nothing)
			if err != nil || len(drawn.drawn) != len(list) {
				t.Errorf("%s, %s: %d draws of %d, %v", what, a, len(drawn.drawn), len(list), err)
			}
			for i, m := range list { // as many as charged, unless groups are selected
				if !answerSelects(layouts) && int64(drawn.cells[i]) != m.Cells {
					t.Errorf("%s, %s: %s has %d of %d cells", what, a, m.Measure, drawn.cells[i], m.Cells)
				}
			}
		}
	}
}

func answerSelects(layouts []plan.Layout) bool {
	for _, l := range layouts {
		for _, k := range l.Keys {
			if !k.Public {
				return true
			}
		}
	}
	return false
}
