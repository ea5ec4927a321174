package plan_test

import (
	"testing"

	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
	"carrel/anonymize/plan/plantest/slow"
)

func num(n int64) *int64 { return &n }

// beside joins visit x (at most 4 rows), many y (3) and perhaps a public table p on y's c.
func beside(kind plan.JoinKind, on ...plan.Expr) plan.From {
	on = append([]plan.Expr{plantest.Eq(plantest.At(0, "person_id"), plantest.At(1, "person_id"))}, on...)
	return plan.From{Scans: []plan.Scan{{Table: "visit", Alias: "x"}, {Table: "many", Alias: "y"}}, Joins: []plan.Join{plantest.Join(kind, on...)}}
}

func withPublic(f plan.From, table string, kind plan.JoinKind, more ...plan.Expr) plan.From {
	f.Scans = append(f.Scans, plan.Scan{Table: table, Alias: "p"})
	f.Joins = append(f.Joins, plantest.Join(kind, append(more, plantest.Eq(plantest.At(1, "c"), plantest.At(2, "c")))...))
	return f
}

// full is a database of one person with as many rows as there may be, all different, and every row of the public tables.
func full() slow.Database {
	d := slow.Database{"one": {{"person_id": num(0), plan.RankColumn: num(1), "c": num(0), "v": num(0)}}}
	for i := range int64(4) {
		d["visit"] = append(d["visit"], slow.Stored{"person_id": num(0), plan.RankColumn: num(i + 1), "k": num(i), "ward": num(i), "c": num(i % 3), "d": num(18256 + i),
			"e": num(18300 + i), "n": num(i), "x": num(i), "big": num(i)})
	}
	for i := range int64(3) {
		d["many"] = append(d["many"], slow.Stored{"person_id": num(0), plan.RankColumn: num(i + 1), "k": num(i), "c": num(i), "v": num(i), "w": num(10 + i)})
		d["pub"] = append(d["pub"], slow.Stored{"c": num(i), "g": [...]*int64{num(0), num(1), nil}[i]})
		d["fan"] = append(d["fan"], slow.Stored{"c": num(i), "g": num(0)}, slow.Stored{"c": num(i), "g": num(1)})
	}
	return d
}

// TestGroupsOfAPerson fixes how many groups, and how many different rows, a person has; the slow evaluator reaches each bound over a
// database that is full, so that none of them could be less.
func TestGroupsOfAPerson(t *testing.T) {
	t.Parallel()
	s := plantest.Wide()
	unit, star := plantest.Col("person_id"), plantest.As("n", plantest.Agg("count_star"))
	stay, key := plantest.Col("k"), plantest.At(1, "k")
	groups := func(f plan.From, keys ...plan.Expr) plan.Relation {
		return plan.Relation{From: f, Grouped: true, Group: append([]plan.Expr{unit}, keys...), Columns: []plan.ColumnSpec{person(), star}}
	}
	distinct := func(f plan.From, x plan.Expr) plan.Relation {
		return plan.Relation{From: f, Distinct: true, Columns: []plan.ColumnSpec{person(), plantest.As("x", x)}}
	}
	first := plan.Relation{From: beside(plan.JoinInner), DistinctOn: []plan.Expr{unit, stay}, Columns: []plan.ColumnSpec{person()}}
	numbered := plantest.Over("row_number", []plan.Expr{unit}, nil)
	two := plantest.In(plantest.Col("c"), plantest.Text("a"), plantest.Text("c"))
	where := beside(plan.JoinInner)
	where.Where = &two
	known := plantest.Cmp(plantest.At(0, "n"), plan.CmpGe, plantest.Num("2"))
	people := plan.Relation{Union: []plan.Relation{from("visit", person()), from("many", person())}, Distinct: true}
	for name, c := range map[string]struct {
		r    plan.Relation
		want int64
	}{
		"a row key":                     {groups(beside(plan.JoinInner), stay), 4},
		"a column, and its row key":     {groups(beside(plan.JoinInner), stay, plantest.Col("e")), 4},
		"a row key of the other":        {groups(beside(plan.JoinInner), key), 3},
		"both row keys":                 {groups(beside(plan.JoinInner), stay, key), 12},
		"a row key and a domain":        {groups(beside(plan.JoinInner), key, plantest.Col("c")), 9},
		"a row key or nothing":          {groups(beside(plan.JoinLeft, known), plantest.At(1, "k")), 4},
		"a domain that WHERE narrows":   {groups(where, key, plantest.Col("c")), 6},
		"a public table beside its row": {groups(withPublic(beside(plan.JoinInner), "pub", plan.JoinLeft), key, plantest.At(2, "c")), 3},
		"a public table alone":          {groups(withPublic(beside(plan.JoinInner), "pub", plan.JoinLeft), plantest.At(2, "g")), 3},
		"a public table with two rows":  {groups(withPublic(beside(plan.JoinInner), "fan", plan.JoinLeft), key, plantest.At(2, "g")), 6},
		"a public table or nothing":     {groups(withPublic(beside(plan.JoinInner), "fan", plan.JoinLeft, known), key, plantest.At(2, "g")), 9},
		"different rows":                {distinct(beside(plan.JoinInner), key), 3},
		"different windows":             {distinct(beside(plan.JoinInner), numbered), 12},
		"different persons":             {distinct(beside(plan.JoinInner), unit), 1},
		"persons of either":             {people, 1},
		"first of each":                 {first, 4},
	} {
		counted := plan.Relation{From: plan.From{Scans: []plan.Scan{{Sub: &c.r}}}, Grouped: true, Group: plantest.Cols("p"), Columns: []plan.ColumnSpec{plantest.As("p", plantest.Col("p")), star}}
		p, err := plan.Build(s, over(counted, plantest.Measure(plan.Sum, plantest.Col("n"))), plan.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if most := p.Measures()[0].Hi; most != c.want {
			t.Errorf("%s: at most %d rows, want %d", name, most, c.want)
		}
		e := slow.Evaluator{Schema: s, Spec: over(c.r), Data: full()}
		if rows := e.Joined()[0]; rows != c.want {
			t.Errorf("%s: %d rows are there, the case wants %d", name, rows, c.want)
		}
	}
}
