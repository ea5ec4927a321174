package plan_test

import (
	"strings"
	"testing"

	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
)

// over makes a wish that counts the rows of a relation, or another measure of it.
func over(r plan.Relation, wanted ...plan.MeasureSpec) plan.Spec {
	if wanted == nil {
		wanted = []plan.MeasureSpec{plantest.Measure(plan.CountRows)}
	}
	return plantest.Wish(plan.From{Scans: []plan.Scan{{Sub: &r, Alias: "r"}}}, nil, wanted...)
}

// from is SELECT columns FROM one table.
func from(table string, columns ...plan.ColumnSpec) plan.Relation {
	return plan.Relation{From: plan.From{Scans: []plan.Scan{{Table: table}}}, Columns: columns}
}

func person() plan.ColumnSpec { return plantest.As("p", plantest.Col("person_id")) }

func by(e plan.Expr) []plan.SortSpec { return []plan.SortSpec{{Expr: e}} }

func grouped(table string, keys []plan.Expr, columns ...plan.ColumnSpec) plan.Relation {
	r := from(table, columns...)
	r.Grouped, r.Group = true, keys
	return r
}

// TestWideRefusals: what would leave one person's rows, or read the person's number, is refused.
func TestWideRefusals(t *testing.T) {
	t.Parallel()
	unit, n := plantest.Col("person_id"), plantest.Col("n")
	where := func(e plan.Expr) plan.Spec {
		r := from("visit", person())
		r.Where = &e
		return over(r)
	}
	exists := func(on plan.Expr) plan.Expr {
		return plan.Expr{Op: plan.ExprExists, Sub: &plan.Relation{From: plan.From{Scans: []plan.Scan{{Table: "many"}}, Where: &on}, Columns: []plan.ColumnSpec{plantest.As("y", plantest.Num("1"))}}}
	}
	scalar := plan.Expr{Op: plan.ExprScalar, Sub: &plan.Relation{From: plan.From{Scans: []plan.Scan{{Table: "many"}}}, Grouped: true, Columns: []plan.ColumnSpec{plantest.As("y", plantest.Agg("max", plantest.Col("v")))}}}
	first := from("visit", person(), plantest.As("n", n))
	first.DistinctOn = plantest.Cols("c")
	asof := plantest.Wish(plan.From{Scans: []plan.Scan{{Table: "visit"}, {Table: "visit"}}, Joins: []plan.Join{plantest.Join(plan.JoinAsof, plantest.Eq(unit, plantest.At(1, "person_id")),
		plantest.Cmp(plantest.Col("e"), plan.CmpGe, plantest.At(1, "e")))}}, nil, plantest.Measure(plan.CountRows))
	inJoin := asof
	linked := exists(plantest.Eq(plantest.Col("person_id"), plantest.Outer(0, "person_id")))
	inJoin.Joins = []plan.Join{plantest.Join(plan.JoinLeft, plantest.Eq(unit, plantest.At(1, "person_id")), linked)}
	outer := plan.Relation{From: plan.From{Scans: []plan.Scan{{Table: "visit"}, {Table: "many"}}, Joins: []plan.Join{plantest.Join(plan.JoinLeft, plantest.Eq(unit, plantest.At(1, "person_id")))}},
		Columns: []plan.ColumnSpec{person(), plantest.As("r", plantest.Over("row_number", []plan.Expr{unit}, by(plantest.At(1, "person_id"))))}}
	for name, c := range map[string]struct {
		spec plan.Spec
		code string
	}{
		"window over everybody":     {over(from("visit", person(), plantest.As("r", plantest.Over("row_number", plantest.Cols("c"), by(n))))), "window-not-per-person"},
		"group over everybody":      {over(grouped("visit", plantest.Cols("c"), plantest.As("c", plantest.Col("c")), plantest.As("n", plantest.Agg("sum", n)))), "group-without-person"},
		"one row of everybody":      {over(first), "distinct-without-person"},
		"subquery without link":     {where(exists(plantest.Eq(plantest.Col("v"), plantest.Outer(0, "n")))), "subquery-not-linked"},
		"scalar without link":       {over(from("visit", person(), plantest.As("y", scalar))), "subquery-not-linked"},
		"asof with ties":            {asof, "asof-ties"},
		"subquery in an outer join": {inJoin, "subquery-in-join"},
		"unit plus one":             {over(from("visit", person(), plantest.As("x", plantest.Call("+", unit, plantest.Num("1"))))), "unit-in-expression"},
		"unit of another row":       {over(from("visit", person(), plantest.As("r", plantest.Over("lag", []plan.Expr{unit}, by(n), unit)))), "unit-in-expression"},
		"sorted by the unit":        {over(outer), "unit-in-expression"},
		"unit compared":             {where(plantest.Cmp(unit, plan.CmpLt, plantest.Num("5"))), "unit-in-where"},
		"any row":                   {over(grouped("visit", []plan.Expr{unit}, person(), plantest.As("n", plantest.Agg("any_value", n)))), "order-needed"},
		"texts as a list":           {over(grouped("visit", []plan.Expr{unit}, person(), plantest.As("n", plantest.Agg("string_agg", plantest.Col("c"))))), "function-not-allowed"},
	} {
		if _, err := plan.Build(plantest.Wide(), c.spec, plan.Options{}); code(err) != c.code && (code(err) != "not-supported" || c.code != "subquery-in-join") {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}

// TestWideSQL: what makes an expression total and a window a function of the person's rows stands in the statement.
func TestWideSQL(t *testing.T) {
	t.Parallel()
	unit, n, big := plantest.Col("person_id"), plantest.Col("n"), plantest.Col("big")
	column := func(e plan.Expr) plan.Spec {
		return over(from("visit", person(), plantest.As("x", e)), plantest.Measure(plan.Sum, plantest.Col("x")))
	}
	rows := plantest.Over("sum", []plan.Expr{unit}, by(n), n)
	rows.Over.Frame = plan.Frame{Rows: true, Start: -1}
	for name, c := range map[string]struct {
		expr plan.Expr
		has  string
	}{
		"window with ties":       {plantest.Over("row_number", []plan.Expr{unit}, by(n)), `ORDER BY t1_0."n" NULLS LAST, t1_0."carrel_rank" NULLS LAST)`},
		"frame of rows":          {rows, `ORDER BY t1_0."n" NULLS LAST, t1_0."carrel_rank" NULLS LAST ROWS BETWEEN`},
		"sum of stored integers": {plantest.Call("+", big, big), `CAST(t1_0."big" AS INTEGER) + CAST(t1_0."big" AS INTEGER)`},
		"division":               {plantest.Call("/", n, big), "/ nullif(CAST(t1_0.\"big\" AS DOUBLE), 0)"},
		"whole division":         {plantest.Call("//", n, big), `// nullif(CAST(t1_0."big" AS INTEGER), 0)`},
		"root":                   {plantest.Call("sqrt", big), "sqrt(CASE WHEN"},
	} {
		p, err := plan.Build(plantest.Wide(), column(c.expr), plan.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !strings.Contains(p.SQL(), c.has) {
			t.Errorf("%s: no %s in %s", name, c.has, p.SQL())
		}
	}
}

// TestWideBounds fixes the rows of a person that relations let through.
func TestWideBounds(t *testing.T) {
	t.Parallel()
	branch := from("visit", person())
	days := grouped("visit", plantest.Cols("person_id", "c"), person(), plantest.As("c", plantest.Col("c")))
	with := func(on ...plan.Expr) plan.Spec {
		s := plantest.Wish(plan.From{Scans: []plan.Scan{{Table: "many", Alias: "t"}, {Sub: &days}}, Joins: []plan.Join{plantest.Join(plan.JoinLeft, on...)}}, nil, plantest.Measure(plan.CountRows))
		return s
	}
	different := func(on ...plan.Expr) plan.Spec {
		s := with(on...)
		s.Scans[1].Sub = &plan.Relation{From: branch.From, Distinct: true, Columns: []plan.ColumnSpec{person(), plantest.As("c", plantest.Col("c"))}}
		return s
	}
	unit, same := plantest.Eq(plantest.Col("person_id"), plantest.At(1, "p")), plantest.Eq(plantest.Col("c"), plantest.At(1, "c"))
	for name, c := range map[string]struct {
		spec   plan.Spec
		rows   map[string]int64
		m      int64
		ranked bool
	}{
		"relation":         {over(branch), nil, 4, false},
		"union adds":       {over(plan.Relation{Union: []plan.Relation{branch, branch}}), nil, 4, true},
		"one row a person": {over(grouped("visit", plantest.Cols("person_id"), person())), nil, 1, false},
		"unique in groups": {with(unit, same), map[string]int64{"t": 2}, 2, false},
		"unique in rows":   {different(unit, same), map[string]int64{"t": 2}, 2, false},
		"person alone":     {with(unit), map[string]int64{"t": 2}, 4, true},
	} {
		p, err := plan.Build(plantest.Wide(), c.spec, plan.Options{RowsPerPerson: c.rows})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if p.Rows() != c.m || p.Wants()[0].Sensitivity != c.m || strings.Contains(p.SQL(), "q.r <= ") != c.ranked {
			t.Errorf("%s: %d rows, %+v, %s", name, p.Rows(), p.Wants(), p.SQL())
		}
	}
}

// TestFilterIsOneMask: the average of filtered rows is divided by the number of filtered rows.
func TestFilterIsOneMask(t *testing.T) {
	t.Parallel()
	m := plantest.Measure(plan.Avg, plantest.Col("n"))
	f := plantest.Eq(plantest.Col("c"), plantest.Text("a"))
	m.Filter = &f
	p, err := plan.Build(plantest.Wide(), plantest.Wish(plan.From{Scans: []plan.Scan{{Table: "visit"}}}, nil, m), plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, avg := p.Layout(), p.Measures()[0]
	count := l.Measures[avg.Denominator].Terms[0].Column
	sum := l.Measures[avg.Terms[0].Want].Terms[0].Column
	if l.Columns[count].Name == "count(*)" || l.Columns[sum].Of != count || strings.Count(p.SQL(), `CASE WHEN t0."c" = 0 THEN`) != 2 {
		t.Fatalf("%+v %s", l, p.SQL())
	}
}

// TestOneTextOfTwoDictionaries: "CASE … THEN 0" is code 0 of {x} and of {!, ?}; a key keeps its own members.
func TestOneTextOfTwoDictionaries(t *testing.T) {
	t.Parallel()
	mark := func(s string) plan.Expr {
		return plantest.Call("||", plantest.Call("left", plantest.Col("ward"), plantest.Num("0")), plantest.Text(s))
	}
	differ := plantest.Cmp(mark("!"), plan.CmpNe, mark("?"))
	p, err := plan.Build(plantest.Wide(), plantest.Wish(plan.From{Scans: []plan.Scan{{Table: "visit"}}, Where: &differ}, []plan.Expr{plantest.Call("lower", mark("X"))}, plantest.Measure(plan.CountRows)), plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if v := p.Keys()[0].Column.Values; len(v) != 1 || v[0] != "x" {
		t.Fatalf("members %q", v)
	}
}

// TestMonthsBack: a span that only goes back is not bounded by days over the shortest month.
func TestMonthsBack(t *testing.T) {
	t.Parallel()
	x := plantest.Call("date_diff", plantest.Text("month"), plantest.Col("e"), plantest.Day("1970-01-01"))
	p, err := plan.Build(plantest.Wide(), over(from("visit", person(), plantest.As("x", x)), plantest.Measure(plan.Sum, plantest.Col("x"))), plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m := p.Measures()[0]; m.Hi < -601 || m.Lo > -614 { // 18300 and 18700 are in February 2020 and March 2021
		t.Fatalf("%d..%d", m.Lo, m.Hi)
	}
}
