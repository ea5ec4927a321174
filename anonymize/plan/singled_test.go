package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
)

func filtered(e plan.Expr) plan.Spec { return where(plantest.Wish(encounters(), nil, countRows()), e) }

func countRows() plan.MeasureSpec { return plantest.Measure(plan.CountRows) }

func encounters() plan.From { return plan.From{Scans: []plan.Scan{{Table: "encounter"}}} }

func where(s plan.Spec, e plan.Expr) plan.Spec {
	s.Where = &e
	return s
}

// coded joins the public table of codes.
func coded() plan.From {
	f := encounters()
	f.Scans = append(f.Scans, plan.Scan{Table: "icd10"})
	f.Joins = []plan.Join{plantest.Join(plan.JoinInner, plantest.Eq(plantest.At(1, "code"), plantest.Col("icd10")))}
	return f
}

// stay is SELECT person_id AS p, x AS x FROM encounter, with a WHERE above it.
func stay(x plan.Expr, above plan.Expr) plan.Spec {
	return where(over(from("encounter", person(), plantest.As("x", x))), above)
}

// singledOut are plans, and whether they tell something of I21, the one code of the list. The dictionary has 121.
func singledOut() map[string]struct {
	spec plan.Spec
	want bool
} {
	type c = struct {
		spec plan.Spec
		want bool
	}
	icd, x, unit := plantest.Col("icd10"), plantest.Col("x"), plantest.Col("person_id")
	measured := func(kind plan.MeasureKind, e plan.Expr) plan.Spec {
		return plantest.Wish(encounters(), nil, plantest.Measure(kind, e))
	}
	codes := from("icd10", plantest.As("c", plantest.Col("code")))
	nine := plantest.Eq(plantest.Col("chapter"), plantest.Text("IX"))
	codes.Where = &nine
	inTable := plan.Expr{Op: plan.ExprInSub, Args: []plan.Expr{icd}, Sub: &codes}
	twice := encounters()
	twice.Scans = append(twice.Scans, plan.Scan{Table: "encounter", Alias: "e"})
	twice.Joins = []plan.Join{plantest.Join(plan.JoinInner, plantest.Eq(plantest.At(1, "person_id"), unit), plantest.Eq(plantest.At(1, "icd10"), icd))}
	before := twice
	before.Joins = []plan.Join{plantest.Join(plan.JoinInner, plantest.Eq(plantest.At(1, "person_id"), unit), plantest.Cmp(plantest.At(1, "icd10"), plan.CmpLt, icd))}
	left := twice
	left.Joins = []plan.Join{plantest.Join(plan.JoinLeft, plantest.Eq(plantest.At(1, "person_id"), unit), plantest.Eq(plantest.At(1, "icd10"), plantest.Text("I21")))}
	group := func(name string, args ...plan.Expr) plan.Spec {
		a := plantest.Agg(name, args...)
		if name == "first" {
			a.Sort = by(plantest.Col("admitted"))
		}
		return where(over(grouped("encounter", []plan.Expr{unit}, person(), plantest.As("x", a))), plantest.Eq(x, plantest.Text("I40")))
	}
	one := plantest.Num("1")
	number := func(partition []plan.Expr, order plan.Expr) plan.Spec {
		return stay(plantest.Over("row_number", partition, by(order)), plantest.Eq(x, one))
	}
	union := plan.Relation{Union: []plan.Relation{from("encounter", person(), plantest.As("x", icd)), from("encounter", person(), plantest.As("x", icd))}}
	mixed := plan.Relation{Union: []plan.Relation{from("encounter", person(), plantest.As("x", icd)), from("encounter", person(), plantest.As("x", plantest.Text("I40")))}, Distinct: true}
	same := plantest.Over("lag", []plan.Expr{unit}, by(plantest.Col("admitted")), icd)
	starts := plantest.Call("starts_with", icd, plantest.Text("I21"))
	digits := plan.Expr{Op: plan.ExprCast, To: plan.Cast{Kind: plan.CastInteger, Try: true}, Args: []plan.Expr{plantest.Call("replace", icd, plantest.Text("I21"), plantest.Text("1"))}}
	return map[string]c{
		"a table of codes":                     {plantest.Wish(coded(), nil, countRows()), true},
		"a table of codes, by what it says":    {where(plantest.Wish(coded(), nil, countRows()), plantest.Eq(plantest.At(1, "chapter"), plantest.Text("IX"))), true},
		"a table of codes, by chapter":         {plantest.Wish(coded(), []plan.Expr{plantest.At(1, "chapter")}, countRows()), true},
		"the codes that a table names":         {filtered(inTable), true},
		"the code among few that nobody has":   {filtered(plantest.In(icd, plantest.Text("I21"), plantest.Text("I59"), plantest.Text("A59.9"))), true},
		"a range beside it":                    {filtered(plantest.Of(plan.ExprBetween, icd, plantest.Text("I30"), plantest.Text("I39"))), false},
		"a range around it":                    {filtered(plantest.Of(plan.ExprBetween, icd, plantest.Text("I20"), plantest.Text("I22"))), true},
		"how many different codes":             {measured(plan.CountValues, icd), false},
		"how many different beginnings":        {measured(plan.CountValues, plantest.Call("left", icd, plantest.Num("3"))), true},
		"a sum of what a function finds":       {measured(plan.Sum, starts), true},
		"a mean of what a function finds":      {measured(plan.Avg, plantest.Call("strpos", icd, plantest.Text("I21"))), true},
		"a count of what becomes a number":     {measured(plan.CountColumn, digits), true},
		"what becomes no number":               {filtered(plantest.Of(plan.ExprNot, plantest.Of(plan.ExprIsNull, digits))), true},
		"what becomes no number, asked for":    {filtered(plantest.Of(plan.ExprIsNull, digits)), true},
		"the same diagnosis twice":             {plantest.Wish(twice, nil, countRows()), false},
		"a diagnosis before another":           {plantest.Wish(before, nil, countRows()), true},
		"the same diagnosis as before":         {stay(plantest.Eq(same, icd), plantest.Eq(x, plantest.Truth(true))), false},
		"the diagnosis before":                 {stay(same, plantest.Eq(x, plantest.Text("I21"))), true},
		"another diagnosis before":             {stay(same, plantest.Eq(x, plantest.Text("I40"))), false},
		"a window of each code":                {number([]plan.Expr{unit, icd}, plantest.Col("admitted")), false},
		"a window in the order of codes":       {number([]plan.Expr{unit}, icd), true},
		"a window of part of each code":        {number([]plan.Expr{unit, plantest.Call("left", icd, plantest.Num("3"))}, plantest.Col("admitted")), true},
		"another code, through a subquery":     {stay(icd, plantest.Eq(x, plantest.Text("I40"))), false},
		"the code, through a subquery":         {stay(icd, plantest.Eq(x, plantest.Text("I21"))), true},
		"a function, through a subquery":       {stay(plantest.Call("left", icd, plantest.Num("3")), plantest.Eq(x, plantest.Text("I21"))), true},
		"another function, through a subquery": {stay(plantest.Call("left", icd, plantest.Num("3")), plantest.Eq(x, plantest.Text("I40"))), false},
		"a truth, through a subquery":          {stay(starts, plantest.Eq(x, plantest.Truth(true))), true},
		"the least code":                       {group("min", icd), true},
		"the most frequent code":               {group("mode", icd), true},
		"the first code":                       {group("first", icd), false},
		"the code of the dearest":              {group("arg_max", icd, plantest.Col("total_cost")), false},
		"whose code is the last":               {where(over(grouped("encounter", []plan.Expr{unit}, person(), plantest.As("x", plantest.Agg("arg_max", plantest.Col("los"), icd)))), plantest.Eq(x, one)), true},
		"another code, through a union":        {where(over(union), plantest.Eq(x, plantest.Text("I40"))), false},
		"the code, through a union":            {where(over(union), plantest.Eq(x, plantest.Text("I21"))), true},
		"a row of a union beside a constant":   {over(mixed), true},
		"the ON of a LEFT JOIN":                {plantest.Wish(left, nil, plantest.Measure(plan.CountColumn, plantest.At(1, "los"))), true},
		"a CASE of it":                         {plantest.Wish(encounters(), []plan.Expr{plantest.Of(plan.ExprCase, *compare(plan.CmpEq, icd, lit("I21")), lit("y"), lit("n"))}, countRows()), true},
		"a CASE beside it":                     {plantest.Wish(encounters(), []plan.Expr{plantest.Of(plan.ExprCase, *compare(plan.CmpEq, icd, lit("I40")), lit("y"), lit("n"))}, countRows()), false},
	}
}

// Guard: what a plan tells of a code is followed through joins, subqueries, unions, windows, groups and functions; what is not followed is told.
func TestSingledOut(t *testing.T) {
	t.Parallel()
	for name, c := range singledOut() {
		p, err := plan.Build(plantest.City(), c.spec, plan.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := slices.ContainsFunc(p.Features().Picks, func(k *plan.Pick) bool {
			return k.Codes == "icd10@1" && k.Singles(func(code string) bool { return code == "I21" })
		})
		if got != c.want {
			t.Errorf("%s: singles the code out: %v", name, got)
		}
	}
}

// Guard: a cut of a person's rows in the order of codes tells them apart, where no cut does not.
func TestCutByCodes(t *testing.T) {
	t.Parallel()
	r := from("encounter", person(), plantest.As("x", plantest.Col("icd10")))
	r.Distinct = true
	for rows, want := range map[int64]bool{0: false, 1: true} {
		o := plan.Options{}
		if rows > 0 {
			o.RowsPerPerson = map[string]int64{"r": rows}
		}
		p, err := plan.Build(plantest.City(), over(r), o)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(p.Features().Picks) > 0; got != want {
			t.Errorf("at most %d rows: codes are told apart: %v", rows, got)
		}
	}
}

// Guard: two steps whose difference is the code tell it apart, though neither does.
func TestStepsTogether(t *testing.T) {
	t.Parallel()
	icd := plantest.Col("icd10")
	var steps []*plan.Plan
	for _, s := range []plan.Spec{filtered(plantest.Cmp(icd, plan.CmpLt, lit("I21"))), filtered(plantest.Cmp(icd, plan.CmpLe, lit("I21")))} {
		p, err := plan.Build(plantest.City(), s, plan.Options{})
		if err != nil {
			t.Fatal(err)
		}
		steps = append(steps, p)
	}
	picks := several(t, steps...).Features().Picks
	if len(picks) != 1 || !slices.ContainsFunc(picks[0].Groups(), func(g []string) bool { return slices.Equal(g, []string{"I21"}) }) {
		t.Errorf("two steps tell apart %v", picks)
	}
}

// predicate draws a condition on a code, with what it means for each text.
func predicate(t *rapid.T, depth int) (plan.Expr, func(string) bool) {
	icd := plantest.Col("icd10")
	code := rapid.SampledFrom([]string{"A", "A20.0", "A5", "I", "I2", "I21", "I40", "I99", "other", "Z"}).Draw(t, "code")
	n := rapid.IntRange(1, 4).Draw(t, "characters")
	head := func(s string) string { return s[:min(n, len(s))] }
	kind := rapid.IntRange(0, 9).Draw(t, "kind")
	if depth == 0 {
		kind %= 7
	}
	switch kind {
	case 0:
		return *compare(plan.CmpEq, icd, lit(code)), func(s string) bool { return s == code }
	case 1:
		return *compare(plan.CmpLe, icd, lit(code)), func(s string) bool { return s <= code }
	case 2:
		to := code + "9"
		return plantest.Of(plan.ExprBetween, icd, lit(code), lit(to)), func(s string) bool { return s >= code && s <= to }
	case 3:
		return plantest.Of(plan.ExprLike, icd, lit(code+"%")), func(s string) bool { return strings.HasPrefix(s, code) }
	case 4:
		return *compare(plan.CmpEq, call("left", icd, plantest.Num(fmt.Sprint(n))), lit(code)), func(s string) bool { return head(s) == code }
	case 5:
		return call("starts_with", icd, lit(code)), func(s string) bool { return strings.HasPrefix(s, code) }
	case 6:
		return plantest.In(call("substr", icd, plantest.Num("1"), plantest.Num(fmt.Sprint(n))), lit(code), lit("I21")), func(s string) bool { return head(s) == code || head(s) == "I21" }
	}
	a, f := predicate(t, depth-1)
	b, g := predicate(t, depth-1)
	switch kind {
	case 7:
		return *both(plan.ExprAnd, a, b), func(s string) bool { return f(s) && g(s) }
	case 8:
		return *both(plan.ExprOr, a, b), func(s string) bool { return f(s) || g(s) }
	}
	chosen := plantest.Of(plan.ExprCase, a, plantest.Num("1"), b, plantest.Num("2"), plantest.Num("0"))
	return *compare(plan.CmpNe, chosen, plantest.Num("1")), func(s string) bool { return !f(s) }
}

// Guard: the codes that a condition lets through are whole groups of what the plan says that it tells apart.
func TestPredicatesAreWholeGroups(t *testing.T) {
	t.Parallel()
	real := 0
	rapid.Check(t, func(t *rapid.T) {
		e, holds := predicate(t, 2)
		p, err := plan.Build(plantest.City(), plantest.Wish(encounters(), nil, plan.MeasureSpec{Kind: plan.CountRows, Filter: &e}), plan.Options{})
		if err != nil {
			return
		}
		groups := [][]string{plantest.City().Tables[1].Columns[4].Values}
		if picks := p.Features().Picks; len(picks) > 0 {
			groups = picks[0].Groups()
			real++
		}
		for _, g := range groups {
			for _, s := range g {
				if holds(s) != holds(g[0]) {
					t.Fatalf("%s and %s are said to be alike\n%s", g[0], s, p.SQL())
				}
			}
		}
	})
	if real < 8 {
		t.Errorf("the test has no power: %d conditions", real)
	}
}
