package answer_test

import (
	"testing"

	"carrel/anonymize/answer"
	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
)

// TestPlansFit: what the planner makes passes Check, under both accountings, by public and by private keys, and gives an answer from nothing.
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
	for what, keys := range map[string][]plan.KeySpec{"none": nil, "public": {{Expr: plantest.Col("ward")}}, "private": {{Expr: plantest.Col("doctor")}}, "both": {{Expr: plantest.Col("ward")}, {Expr: plantest.Col("doctor")}}} {
		spec := plan.Spec{Limit: -1, From: plan.From{Scans: []plan.Scan{{Table: "visit"}}}, Keys: keys, Wanted: []plan.MeasureSpec{
			{Kind: plan.CountRows}, {Kind: plan.CountColumn, Args: plantest.Cols("cost")}, {Kind: plan.CountPersons, Args: plantest.Cols("person_id")},
			{Kind: plan.Sum, Args: plantest.Cols("cost")}, {Kind: plan.Avg, Args: plantest.Cols("cost")},
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
			l := p.Layout()
			if err := answer.Check([]plan.Layout{l}, list); err != nil {
				t.Errorf("%s, %s: %v", what, a, err)
				continue
			}
			if a == dp.Basic {
				continue // the bench's ledger is zCDP
			}
			if _, err := b.ask(t, l, list, scanned(make([][]int64, len(l.Keys)+len(l.Columns))...)); err != nil {
				t.Errorf("%s, %s: %v", what, a, err)
			}
		}
	}
}
