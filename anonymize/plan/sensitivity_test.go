package plan_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
	"carrel/anonymize/plan/plantest/slow"
)

type specGen struct {
	t    *rapid.T
	s    *plan.Schema
	spec plan.Spec
}

func (g *specGen) table(i int) plan.Table {
	for _, tb := range g.s.Tables {
		if tb.Name == g.spec.Scans[i].Table {
			return tb
		}
	}
	panic("no table")
}

func (g *specGen) column(kinds ...plan.Kind) (plan.ColRef, plan.Column, bool) {
	var refs []plan.ColRef
	var cols []plan.Column
	for i := range g.spec.Scans {
		for _, c := range g.table(i).Columns {
			for _, k := range kinds {
				if c.Kind == k {
					refs, cols = append(refs, plan.ColRef{Scan: i, Column: c.Name}), append(cols, c)
				}
			}
		}
	}
	if len(refs) == 0 {
		return plan.ColRef{}, plan.Column{}, false
	}
	i := rapid.IntRange(0, len(refs)-1).Draw(g.t, "column")
	return refs[i], cols[i], true
}

// genSpec makes a wish: mostly one that can be bounded, sometimes not.
func genSpec(t *rapid.T, s *plan.Schema) plan.Spec {
	g := &specGen{t: t, s: s, spec: plan.Spec{Limit: -1}}
	n := rapid.SampledFrom([]int{1, 2, 2, 3}).Draw(t, "scans")
	for i := range n {
		name := rapid.SampledFrom([]string{"one", "many", "other", "pub", "fan"}).Draw(t, "table")
		if i == 0 {
			name = rapid.SampledFrom([]string{"one", "many", "many", "other", "pub"}).Draw(t, "table")
		}
		g.spec.Scans = append(g.spec.Scans, plan.Scan{Table: name, Alias: string(rune('x' + i))})
		if i > 0 {
			g.join(i)
		}
	}
	if rapid.Bool().Draw(t, "where") {
		p := g.pred(2)
		g.spec.Where = &p
	}
	for range rapid.IntRange(0, 2).Draw(t, "keys") {
		if r, _, ok := g.column(plan.KindCode, plan.KindDate, plan.KindInt); ok {
			g.spec.Keys = append(g.spec.Keys, plan.KeySpec{Expr: r.Expr()})
		}
	}
	for range rapid.IntRange(1, 4).Draw(t, "measures") {
		g.measure()
	}
	slow.Outputs(&g.spec)
	return g.spec
}

func (g *specGen) join(i int) {
	kind := rapid.SampledFrom([]plan.JoinKind{plan.JoinInner, plan.JoinLeft}).Draw(g.t, "join")
	var on []plan.Expr
	t := g.table(i)
	left := rapid.IntRange(0, i-1).Draw(g.t, "left")
	add := func(l, r string) {
		on = append(on, plantest.Eq(plantest.At(left, l), plantest.At(i, r)))
	}
	lt := g.table(left)
	switch {
	case t.Public || lt.Public:
		add("c", "c")
	default:
		add("person_id", "person_id")
		how := rapid.IntRange(0, 4).Draw(g.t, "more")
		has := func(tb plan.Table, name string) bool {
			for _, c := range tb.Columns {
				if c.Name == name {
					return true
				}
			}
			return false
		}
		for _, pair := range [][2]string{{"k", "k"}, {"k", "f"}, {"f", "k"}, {"c", "c"}} {
			if how--; how == 0 && has(lt, pair[0]) && has(t, pair[1]) {
				add(pair[0], pair[1])
			}
		}
	}
	g.spec.Joins = append(g.spec.Joins, plantest.Join(kind, on...))
}

func (g *specGen) measure() {
	kind := rapid.SampledFrom([]plan.MeasureKind{plan.CountRows, plan.CountColumn, plan.CountPersons, plan.Sum, plan.Avg}).Draw(g.t, "measure")
	var ref plan.ColRef
	ok := true
	switch kind {
	case plan.CountRows:
		g.spec.Wanted = append(g.spec.Wanted, plantest.Measure(kind))
		return
	case plan.CountColumn:
		ref, _, ok = g.column(plan.KindInt, plan.KindCode, plan.KindKey, plan.KindUnit)
	case plan.CountPersons:
		ref, _, ok = g.column(plan.KindUnit)
	case plan.Sum, plan.Avg:
		ref, _, ok = g.column(plan.KindInt, plan.KindDecimal)
	}
	if ok {
		g.spec.Wanted = append(g.spec.Wanted, plantest.Measure(kind, ref.Expr()))
	}
}

func (g *specGen) pred(depth int) plan.Expr {
	op := rapid.SampledFrom([]plan.ExprOp{plan.ExprAnd, plan.ExprOr, plan.ExprNot, plan.ExprCompare, plan.ExprCompare, columns, plan.ExprIn, plan.ExprBetween,
		plan.ExprLike, plan.ExprIsNull}).Draw(g.t, "op")
	if depth == 0 && op <= plan.ExprNot {
		op = plan.ExprCompare
	}
	switch op {
	case plan.ExprAnd, plan.ExprOr:
		return plantest.Of(op, g.pred(depth-1), g.pred(depth-1))
	case plan.ExprNot:
		return plantest.Of(op, g.pred(depth-1))
	}
	kinds := []plan.Kind{plan.KindCode, plan.KindInt, plan.KindDecimal, plan.KindDate}
	if op == plan.ExprLike {
		kinds = kinds[:1]
	}
	ref, c, ok := g.column(kinds...)
	if !ok {
		return plantest.Truth(true)
	}
	p := plan.Expr{Op: op, Args: []plan.Expr{ref.Expr()}, Cmp: rapid.SampledFrom([]plan.Cmp{plan.CmpEq, plan.CmpNe, plan.CmpLt, plan.CmpLe, plan.CmpGt, plan.CmpGe}).Draw(g.t, "cmp")}
	if op == columns {
		other, _, _ := g.column(c.Kind)
		return plantest.Cmp(ref.Expr(), p.Cmp, other.Expr())
	}
	for range map[plan.ExprOp]int{plan.ExprCompare: 1, plan.ExprIn: 2, plan.ExprBetween: 2, plan.ExprLike: 1}[op] {
		l := g.literal(c, op)
		p.Args = append(p.Args, plan.Expr{Op: plan.ExprLiteral, Lit: l})
	}
	return p
}

// columns stands for a comparison of two columns.
const columns plan.ExprOp = 200

func (g *specGen) literal(c plan.Column, op plan.ExprOp) plan.Literal {
	if rapid.IntRange(0, 7).Draw(g.t, "null literal") == 0 {
		return plan.Literal{Kind: plan.LitNull}
	}
	pick := func(v ...string) string { return rapid.SampledFrom(v).Draw(g.t, "literal") }
	switch {
	case op == plan.ExprLike:
		return plan.Literal{Kind: plan.LitString, Text: pick("a", "%", "_", "b%", "%c", "")}
	case c.Kind == plan.KindCode:
		return plan.Literal{Kind: plan.LitString, Text: pick("a", "b", "c", "bb", "", "x", "y")}
	case c.Kind == plan.KindDate:
		return plan.Literal{Kind: plan.LitDate, Text: pick("1969-12-30", "1969-12-31", "1970-01-01", "1970-01-02", "2020-02-29")}
	}
	return plan.Literal{Kind: plan.LitNumber, Text: pick("-3", "0", "1", "2", "2.5", "-1e0", "1.04", "3.0", "99999999999999999999", "-1e300")}
}

func genOptions(t *rapid.T) plan.Options {
	o := plan.Options{RowsPerPerson: map[string]int64{}}
	for _, name := range []string{"*", "x", "y"} {
		if name != "y" && rapid.IntRange(0, 2).Draw(t, "cut") == 0 {
			o.RowsPerPerson[name] = rapid.Int64Range(1, 3).Draw(t, "m")
		}
	}
	return o
}

// TestSensitivityHolds is the heart: over random wishes and small databases, deleting one person changes every want's numbers, over all cells
// together, by at most the sensitivity that the plan states; no person has more joined rows than the plan's bound.
func TestSensitivityHolds(t *testing.T) {
	t.Parallel()
	s := plantest.Small()
	var power power
	for range 10 { // a thousand wishes by default, more with -rapid.checks
		rapid.Check(t, func(t *rapid.T) {
			power.check(t, s, genSpec(t, s), genOptions(t), slow.Draw(t, s))
		})
	}
	power.atLeast(t, 200)
}

// power counts what a test saw, so that one that sees nothing fails.
type power struct{ accepted, tight int }

func (n *power) atLeast(t *testing.T, accepted int) {
	t.Helper()
	if testing.Short() { // rapid runs a fifth of its checks
		accepted /= 5
	}
	if n.accepted < accepted || n.tight < accepted/4 {
		t.Fatalf("the test has no power: %d plans, %d at their bound", n.accepted, n.tight)
	}
}

// check builds a wish and holds the plan to what it states about one database.
func (n *power) check(t *rapid.T, s *plan.Schema, spec plan.Spec, o plan.Options, d slow.Database) (*plan.Plan, bool) {
	p, err := plan.Build(s, spec, o)
	if err != nil {
		return nil, false
	}
	if p.Decimals() < 6 { // the evaluator does not know which of its numbers have fewer: TestWideBoundsKeepDecimals
		return nil, false
	}
	n.accepted++
	e := slow.Evaluator{Schema: s, Spec: spec, Data: d, Rows: o.RowsPerPerson}
	if strings.Contains(p.SQL(), "q.r <= ") {
		e.Limit = p.Rows()
	}
	for _, rows := range e.Joined() {
		if rows > p.Rows() {
			t.Fatalf("a person has %d joined rows, stated %d\n%s", rows, p.Rows(), p.SQL())
		}
	}
	all, problem := e.Vectors(p)
	if problem != "" {
		t.Fatalf("%s\n%s", problem, p.SQL())
	}
	for person := range int64(3) {
		less := slow.Evaluator{Schema: s, Spec: spec, Data: d.Without(s, person), Rows: o.RowsPerPerson, Limit: e.Limit}
		rest, problem := less.Vectors(p)
		if problem != "" {
			t.Fatalf("%s\n%s", problem, p.SQL())
		}
		for i, w := range p.Wants() {
			change := slow.Distance(all[i], rest[i])
			if change > w.Sensitivity {
				t.Fatalf("want %s changes by %d, stated %d\n%s", w.Measure, change, w.Sensitivity, p.SQL())
			}
			if change == w.Sensitivity {
				n.tight++
			}
		}
	}
	return p, true
}
