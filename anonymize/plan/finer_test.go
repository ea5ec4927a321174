package plan_test

import (
	"strings"
	"testing"

	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
)

// TestFinerGroups: a key computed from few stored values is grouped by them first, and only where the measures add up. That both ways give
// the same cells is compared on the engine (sandbox/worker).
func TestFinerGroups(t *testing.T) {
	t.Parallel()
	visits := plan.From{Scans: []plan.Scan{{Table: "visit"}}}
	lower := plantest.Call("lower", plantest.Col("ward"))
	small := plantest.Call("+", plantest.Col("n"), plantest.Num("1"))
	count := plantest.Measure(plan.CountRows)
	for name, c := range map[string]struct {
		spec plan.Spec
		has  string
	}{
		"computed keys":         {plantest.Wish(visits, []plan.Expr{lower, small}, count), `GROUP BY t0."n", t0."ward") AS q GROUP BY `},
		"with a stored key":     {plantest.Wish(visits, []plan.Expr{lower, plantest.Col("c")}, count), `GROUP BY t0."ward", t0."c") AS q GROUP BY `},
		"stored keys":           {plantest.Wish(visits, []plan.Expr{plantest.Col("c")}, count), `FROM "visit" AS t0 GROUP BY t0."c"`},
		"persons do not add up": {plantest.Wish(visits, []plan.Expr{small}, plantest.Measure(plan.CountPersons, plantest.Col("person_id"))), `FROM "visit" AS t0 GROUP BY (CAST(t0."n"`},
	} {
		p, err := plan.Build(plantest.Wide(), c.spec, plan.Options{})
		if err != nil || !strings.Contains(p.SQL(), c.has) {
			t.Errorf("%s: %v: no %s in %s", name, err, c.has, p.SQL())
		}
	}
}

// TestPreimage: a condition on a text made of a code asks for codes, NULL where the text is NULL included, and computes no text.
func TestPreimage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		on   plan.Expr
		want string
	}{
		"equal":   {plantest.Eq(plantest.Call("upper", plantest.Col("ward")), plantest.Text("B-7")), `t0."ward" IN (2, 4)`},
		"nested":  {plantest.Eq(plantest.Call("length", plantest.Call("trim", plantest.Col("ward"))), plantest.Num("7")), `t0."ward" = 3`},
		"unknown": {plan.Expr{Op: plan.ExprIsNull, Args: []plan.Expr{plantest.Call("upper", plantest.Col("ward"))}}, `t0."ward" IS NULL`},
	} {
		from := plan.From{Scans: []plan.Scan{{Table: "visit"}}, Where: &c.on}
		p, err := plan.Build(plantest.Wide(), plantest.Wish(from, nil, plantest.Measure(plan.CountRows)), plan.Options{})
		if err != nil || !strings.HasSuffix(p.SQL(), "WHERE "+c.want) {
			t.Errorf("%s: %v: no %s in %s", name, err, c.want, p.SQL())
		}
	}
}
