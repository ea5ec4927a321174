package plan_test

import (
	"strings"
	"testing"

	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
)

// three makes many x, second y, third z of the small schema.
func three(second, third string, a, b plan.Join) plan.Spec {
	s := one("many", plan.MeasureSpec{Kind: plan.CountRows})
	s.Scans = append(s.Scans, plan.Scan{Table: second, Alias: "y"}, plan.Scan{Table: third, Alias: "z"})
	s.Joins = []plan.Join{a, b}
	return s
}

// TestRowKeyIsSpentByAProduct: a row key bounds a join only while each of its rows stands in at most one joined row. After a product, or a
// public table with two rows a key, it does not: the bound is the product and the rows are ranked again.
func TestRowKeyIsSpentByAProduct(t *testing.T) {
	t.Parallel()
	keyed := func() plan.Join { return onto(2, plan.JoinInner, "person_id", "person_id", "k", "f") }
	for name, s := range map[string]plan.Spec{
		"private product": three("other", "other", on(plan.JoinInner, "person_id", "person_id"), keyed()),
		"public fan":      three("fan", "other", on(plan.JoinInner, "c", "c"), keyed()),
	} {
		p, err := plan.Build(plantest.Small(), s, plan.Options{})
		if err != nil {
			t.Fatal(name, err)
		}
		if p.Rows() != 3 || !strings.Contains(p.SQL(), "row_number") {
			t.Errorf("%s: %d rows, %s", name, p.Rows(), p.SQL())
		}
	}
}

// TestPersonsReachTheNullCell: rows of one person that a LEFT JOIN matched and rows that it did not fall into two cells.
func TestPersonsReachTheNullCell(t *testing.T) {
	t.Parallel()
	s := one("many", plan.MeasureSpec{Kind: plan.CountPersons, Args: plantest.Cols("person_id")})
	s.Scans = append(s.Scans, plan.Scan{Table: "one"})
	s.Joins = []plan.Join{on(plan.JoinLeft, "person_id", "person_id", "c", "c")}
	s.Keys = []plan.KeySpec{{Expr: plantest.At(1, "c")}}
	p, err := plan.Build(plantest.Small(), s, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if w := p.Wants()[0]; w.Sensitivity != 2 || !p.Keys()[0].Null {
		t.Fatalf("%+v", w)
	}
}

func TestSumIsBoundedByTheLargerEnd(t *testing.T) {
	t.Parallel()
	s := plantest.Small()
	for i := range s.Tables[1].Columns {
		if c := &s.Tables[1].Columns[i]; c.Name == "v" {
			c.Lo = -9
		}
	}
	p, err := plan.Build(s, one("many", plan.MeasureSpec{Kind: plan.Sum, Args: plantest.Cols("v")}), plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if p.Wants()[0].Sensitivity != 27 {
		t.Fatalf("%+v", p.Wants())
	}
}

// TestGeneratedSQL fixes whole statements: cuts sit where the argument needs them.
func TestGeneratedSQL(t *testing.T) {
	t.Parallel()
	count := plan.MeasureSpec{Kind: plan.CountRows}
	two := func(kind plan.JoinKind) plan.Spec {
		s := one("many", count)
		s.Scans = append(s.Scans, plan.Scan{Table: "other", Alias: "u"})
		s.Joins = []plan.Join{on(kind, "person_id", "person_id")}
		return s
	}
	cut := plan.Options{RowsPerPerson: map[string]int64{"t": 2, "u": 1}}
	for _, c := range []struct {
		spec plan.Spec
		o    plan.Options
		sql  string
	}{
		{one("many", count), plan.Options{RowsPerPerson: map[string]int64{"t": 2}}, `SELECT count(*) AS a0 FROM "many" AS t0 WHERE t0."carrel_rank" <= 2`},
		{two(plan.JoinInner), cut, `SELECT count(*) AS a0 FROM "many" AS t0 INNER JOIN "other" AS t1 ON t0."person_id" = t1."person_id" WHERE t0."carrel_rank" <= 2 AND t1."carrel_rank" <= 1`},
		{two(plan.JoinLeft), cut, `SELECT count(*) AS a0 FROM "many" AS t0 LEFT JOIN "other" AS t1 ON t0."person_id" = t1."person_id" AND t1."carrel_rank" <= 1 WHERE t0."carrel_rank" <= 2`},
		{two(plan.JoinLeft), plan.Options{}, `SELECT count(*) AS a0 FROM (SELECT row_number() OVER (PARTITION BY t0."person_id" ORDER BY t0."carrel_rank", t1."carrel_rank") AS r FROM "many" AS t0 LEFT JOIN "other" AS t1 ON t0."person_id" = t1."person_id") AS q WHERE q.r <= 3`},
		{one("other", plan.MeasureSpec{Kind: plan.Avg, Args: plantest.Cols("v")}, "d"), plan.Options{},
			`SELECT coalesce(CAST(t0."d" AS BIGINT) + 2, -1) AS k0, count(*) AS a0, coalesce(CAST(sum(t0."v") AS BIGINT), 0) AS a1 FROM "other" AS t0 GROUP BY t0."d"`},
	} {
		p, err := plan.Build(plantest.Small(), c.spec, c.o)
		if err != nil {
			t.Fatal(err)
		}
		if p.SQL() != c.sql {
			t.Errorf("got  %s\nwant %s", p.SQL(), c.sql)
		}
	}
}
