package plan_test

import (
	"errors"
	"strings"
	"testing"

	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
)

// ranged is an aggregate over the rows near the current one.
func ranged(name string, f plan.Frame, order []plan.SortSpec, args ...plan.Expr) plan.Expr {
	e := plantest.Over(name, plantest.Cols("person_id"), order, args...)
	f.Range = true
	e.Over.Frame = f
	return e
}

func rowWise(e plan.Expr) (*plan.Plan, error) {
	return plan.Build(plantest.Wide(), over(from("visit", person(), plantest.As("x", e)), plantest.Measure(plan.CountColumn, plantest.Col("x"))), plan.Options{})
}

// TestRowWiseSQL: what would depend on the order of rows, or leave a type, is written so that it does not.
func TestRowWiseSQL(t *testing.T) {
	t.Parallel()
	n, x, e := plantest.Col("n"), plantest.Col("x"), plantest.Col("e")
	days := plan.Frame{Days: true, Start: -90}
	known := plantest.Over("lag", plantest.Cols("person_id"), by(n), x)
	known.IgnoreNulls = true
	for name, c := range map[string]struct {
		expr plan.Expr
		has  string
	}{
		"days before":         {ranged("sum", days, by(e), n), `ORDER BY CAST(t1_0."e" AS BIGINT) NULLS LAST RANGE BETWEEN 90 PRECEDING AND CURRENT ROW)`},
		"distance in cents":   {ranged("count", plan.Frame{Start: plan.FrameUnboundedStart, End: 2}, by(x), n), "RANGE BETWEEN UNBOUNDED PRECEDING AND 200 FOLLOWING)"},
		"nearest known value": {known, `, 1 IGNORE NULLS) OVER (PARTITION BY t1_0."person_id" ORDER BY t1_0."n" NULLS LAST, t1_0."carrel_rank"`},
		"share of ranks":      {plantest.Over("percent_rank", plantest.Cols("person_id"), by(n)), "round(percent_rank() OVER"},
		"spread of integers":  {plantest.Over("stddev_samp", plantest.Cols("person_id"), nil, x), `sum(CAST(t1_0."x" AS BIGINT) * CAST(t1_0."x" AS BIGINT)) OVER`},
	} {
		p, err := rowWise(c.expr)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !strings.Contains(p.SQL(), c.has) {
			t.Errorf("%s: no %s in %s", name, c.has, p.SQL())
		}
	}
	folded := func(e plan.Expr) string {
		p, err := plan.Build(plantest.Wide(), over(grouped("visit", plantest.Cols("person_id"), person(), plantest.As("x", e)), plantest.Measure(plan.CountColumn, plantest.Col("x"))), plan.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return p.SQL()
	}
	if s := folded(plantest.Agg("mode", n)); !strings.Contains(s, `mode(t1_0."n" ORDER BY t1_0."n")`) {
		t.Errorf("ties of mode are the engine's choice: %s", s)
	}
	if s := folded(plantest.Agg("mode", plantest.Call("+", plantest.Num("7"), plantest.Num("7")))); strings.Contains(s, "ORDER BY") {
		t.Errorf("the engine reads a constant beside ORDER BY as a percentile: %s", s)
	}
}

func TestRowWiseRefusals(t *testing.T) {
	t.Parallel()
	n, e, unit := plantest.Col("n"), plantest.Col("e"), plantest.Col("person_id")
	known := func(name string, args ...plan.Expr) plan.Expr {
		w := plantest.Over(name, []plan.Expr{unit}, by(n), args...)
		w.IgnoreNulls = true
		return w
	}
	both := ranged("sum", plan.Frame{Start: -1}, by(n), n)
	both.Over.Frame.Rows = true
	asked := plan.Expr{Op: plan.ExprScalar, Sub: &plan.Relation{Grouped: true, Columns: []plan.ColumnSpec{plantest.As("y", plantest.Agg("max", plantest.Col("v")))}}}
	where := plantest.Eq(unit, plantest.Outer(0, "person_id"))
	asked.Sub.From = plan.From{Scans: []plan.Scan{{Table: "many"}}, Where: &where}
	textKey := ranged("sum", plan.Frame{Start: -1}, by(plantest.Col("c")), n)
	everybody := ranged("sum", plan.Frame{Start: -1}, by(n), n)
	everybody.Over.Partition = nil
	for name, c := range map[string]struct {
		expr plan.Expr
		code string
	}{
		"row by its place in a range": {ranged("first_value", plan.Frame{Start: -1}, by(n), n), "frame"},
		"two keys":                    {ranged("sum", plan.Frame{Start: -1}, append(by(n), by(e)...), n), "frame"},
		"no key":                      {ranged("sum", plan.Frame{Start: -1}, nil, n), "frame"},
		"days of a number":            {ranged("sum", plan.Frame{Days: true, Start: -1}, by(n), n), "frame"},
		"start behind the end":        {ranged("sum", plan.Frame{Start: 2, End: 1}, by(n), n), "frame"},
		"rows and range":              {both, "frame"},
		"a subquery as key":           {ranged("sum", plan.Frame{Start: -1}, by(asked), n), "frame"},
		"text as key":                 {textKey, "not-a-number"},
		"everybody":                   {everybody, "window-not-per-person"},
		"known rows of a sum":         {known("sum", n), "ignore-nulls"},
		"known rows of a number":      {known("row_number"), "ignore-nulls"},
		"mode over a window":          {plantest.Over("mode", []plan.Expr{unit}, by(n), n), "function-not-allowed"},
		"spread of the person":        {plantest.Over("stddev_pop", []plan.Expr{unit}, nil, unit), "unit-in-expression"},
		"hours of a date":             {plantest.Call("strftime", e, plantest.Text("%H")), "date-format"},
		"a format from the data":      {plantest.Call("strftime", e, plantest.Col("c")), "constant-expected"},
		"a moment":                    {plantest.Call("strptime", plantest.Col("c"), plantest.Text("%Y-%m-%d")), "function-not-allowed"},
		"codes as dates":              {plan.Expr{Op: plan.ExprCast, To: plan.Cast{Kind: plan.CastDate}, Args: []plan.Expr{plantest.Col("c")}}, "cast-can-fail"},
	} {
		_, err := rowWise(c.expr)
		var r *plan.Refusal
		if !errors.As(err, &r) || r.Code != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}

// TestNothingNegated: minus NULL is NULL, also where the planner knows that a value is always NULL.
func TestNothingNegated(t *testing.T) {
	t.Parallel()
	digits := plan.Expr{Op: plan.ExprCast, To: plan.Cast{Kind: plan.CastInteger, Try: true}, Args: []plan.Expr{plantest.Col("c")}} // a, b and c are no numbers
	p, err := rowWise(plantest.Call("-", digits))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(p.SQL(), "NULL") {
		t.Fatalf("NULL became a number: %s", p.SQL())
	}
}
