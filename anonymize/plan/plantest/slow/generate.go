package slow

import (
	"math/big"
	"strconv"

	"pgregory.net/rapid"

	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
)

// field is a column that a generated expression may name.
type field struct {
	ref   plan.ColRef
	kind  kind
	scale int
	unit  bool
	key   bool
	// Of a stored column: what it holds, for literals that are not beside the point.
	values []string
}

// shape is what a generated relation holds: its columns, the unit first.
type shape struct {
	fields []field
	public bool
	single bool     // one row a person
	unique []string // columns unique inside the person, nil when unknown
}

// generator makes wishes that are mostly accepted.
type generator struct {
	t      *rapid.T
	schema *plan.Schema
	nodes  int // expressions so far
}

// pick draws evenly, which ranges of rapid do not: they prefer small numbers.
func (g *generator) pick(label string, n int) int {
	v := 0
	for bits := 1; bits < 8*n; bits *= 2 {
		v *= 2
		if rapid.Bool().Draw(g.t, label) {
			v++
		}
	}
	return v % n
}

func (g *generator) chance(label string, of int) bool { return g.pick(label, of) == 0 }

func choose[T any](g *generator, label string, list ...T) T { return list[g.pick(label, len(list))] }

// Wide draws a wide wish over a schema made by plantest.Wide.
func Wide(t *rapid.T, s *plan.Schema) plan.Spec {
	g := &generator{t: t, schema: s}
	from, sc := g.from(nil, 2, true)
	spec := plan.Spec{From: from, Limit: -1}
	for range g.pick("keys", 3) {
		x := g.keyOf(sc)
		spec.Keys = append(spec.Keys, plan.KeySpec{Expr: x})
	}
	for range 1 + g.pick("measures", 4) {
		spec.Wanted = append(spec.Wanted, g.measure(sc))
	}
	if n := len(spec.Keys); n > 0 && g.chance("sets", 5) {
		spec.Sets = [][]int{{0}, {}}
		if n > 1 {
			spec.Sets = append(spec.Sets, []int{0, 1})
		}
	}
	Outputs(&spec)
	return spec
}

// WideRelation draws a relation and the names of its columns, for tests that look at the rows themselves.
func WideRelation(t *rapid.T, s *plan.Schema) *plan.Relation {
	g := &generator{t: t, schema: s}
	kinds := []kind{isNumber, choose(g, "kind", isNumber, isText, isDate), choose(g, "kind", isNumber, isText, isDate)}
	r, _ := g.relation(1, kinds)
	return r
}

func (g *generator) keyOf(sc *scope) plan.Expr {
	if !g.chance("computed key", 3) {
		if f, ok := g.field(sc, choose(g, "key kind", isText, isText, isDate, isNumber)); ok && f.scale == 0 {
			return f.ref.Expr()
		}
	}
	switch g.pick("key", 4) {
	case 0:
		return g.date(sc, 1)
	case 1:
		return g.condition(sc, 1)
	case 2:
		return plantest.Call("width_bucket", g.number(sc, 1), plantest.Num("-2"), plantest.Num("10"), plantest.Num("4"))
	}
	return g.text(sc, 1)
}

func (g *generator) measure(sc *scope) plan.MeasureSpec {
	kind := choose(g, "measure", plan.CountRows, plan.CountColumn, plan.CountPersons, plan.Sum, plan.Sum, plan.Avg, plan.Avg, plan.CountValues, plan.VarPop, plan.StddevSamp,
		plan.CovarPop, plan.Corr, plan.RegrSlope, plan.Quantile)
	m := plan.MeasureSpec{Kind: kind}
	switch kind {
	case plan.CountRows:
	case plan.CountPersons:
		f, _ := g.unit(sc)
		m.Args = []plan.Expr{f.ref.Expr()}
	case plan.CountColumn, plan.CountValues:
		m.Args = []plan.Expr{g.any(sc, 1)}
		if f, ok := g.opaque(sc); ok && g.chance("key counted", 5) {
			m.Args = []plan.Expr{f.ref.Expr()}
		}
	case plan.CovarPop, plan.Corr, plan.RegrSlope:
		m.Args = []plan.Expr{g.number(sc, 1), g.number(sc, 1)}
	default:
		m.Args = []plan.Expr{g.number(sc, 2)}
	}
	if g.chance("filtered", 4) {
		c := g.condition(sc, 1)
		m.Filter = &c
	}
	return m
}

// scope is what expressions of one SELECT may name.
type scope struct {
	shapes []shape
	up     *scope
}

// table describes a stored table.
func (g *generator) table(scan int, name string) shape {
	var out shape
	for _, t := range g.schema.Tables {
		if t.Name != name {
			continue
		}
		out.public, out.single = t.Public, t.MaxRows == 1
		if t.RowKey != "" && !t.Public {
			out.unique = []string{t.RowKey}
		}
		for _, c := range t.Columns {
			f := field{ref: plan.ColRef{Scan: scan, Column: c.Name}, scale: c.Scale, unit: c.Kind == plan.KindUnit, key: c.Kind == plan.KindKey}
			switch c.Kind {
			case plan.KindUnit, plan.KindKey:
				f.kind = isOpaque
			case plan.KindCode:
				f.kind, f.values = isText, c.Values
			case plan.KindDate:
				f.kind = isDate
				for _, n := range []int64{c.Lo, (c.Lo + c.Hi) / 2, c.Hi} {
					f.values = append(f.values, calendar(n).Format("2006-01-02"))
				}
			default:
				f.kind = isNumber
				for _, n := range []int64{c.Lo, (c.Lo + c.Hi) / 2, c.Hi} {
					f.values = append(f.values, new(big.Rat).Mul(big.NewRat(n, 1), pow10(-c.Scale)).FloatString(c.Scale))
				}
			}
			out.fields = append(out.fields, f)
		}
	}
	return out
}

// from draws FROM and WHERE.
func (g *generator) from(up *scope, depth int, wide bool) (plan.From, *scope) {
	sc := &scope{up: up}
	var f plan.From
	n := choose(g, "scans", 1, 1, 2, 2, 3)
	if depth == 0 {
		n = choose(g, "scans", 1, 1, 2)
	}
	for i := range n {
		s, sh := g.scan(i, depth, wide)
		if i > 0 && g.chance("asof", 6) {
			if j, s, sh, ok := g.asof(sc, i); ok {
				f.Scans, f.Joins, sc.shapes = append(f.Scans, s), append(f.Joins, j), append(sc.shapes, sh)
				continue
			}
		}
		if i == 0 && sh.public {
			s, sh = plan.Scan{Table: "visit"}, g.table(0, "visit")
		}
		if _, ok := g.named(sc, i, "c"); i > 0 && sh.public && !ok {
			s, sh = plan.Scan{Table: "one"}, g.table(i, "one")
		}
		s.Alias = string(rune('x' + i))
		f.Scans, sc.shapes = append(f.Scans, s), append(sc.shapes, sh)
		if i > 0 {
			f.Joins = append(f.Joins, g.join(sc, i))
		}
	}
	if g.chance("where", 2) {
		c := g.condition(sc, 2)
		f.Where = &c
	}
	return f, sc
}

func (g *generator) scan(i, depth int, wide bool) (plan.Scan, shape) {
	if depth > 0 && (wide && i == 0 || !g.chance("stored", 2)) && g.pick("sub", 5) > 0 {
		var kinds []kind
		for range 1 + g.pick("columns", 3) {
			kinds = append(kinds, choose(g, "kind", isNumber, isNumber, isText, isDate))
		}
		r, sh := g.relation(depth-1, kinds)
		for k := range sh.fields {
			sh.fields[k].ref.Scan = i
		}
		return plan.Scan{Sub: r}, sh
	}
	name := choose(g, "table", "visit", "visit", "many", "other", "one", "pub", "fan")
	return plan.Scan{Table: name}, g.table(i, name)
}

func (g *generator) join(sc *scope, i int) plan.Join {
	kind := choose(g, "join", plan.JoinInner, plan.JoinLeft)
	right := sc.shapes[i]
	var on []plan.Expr
	if right.public {
		l, _ := g.named(sc, i, "c")
		return plantest.Join(kind, plantest.Eq(l.ref.Expr(), plantest.At(i, "c")))
	}
	l := g.unitOf(sc, i)
	on = append(on, plantest.Eq(l.ref.Expr(), right.fields[0].ref.Expr()))
	for _, f := range right.fields {
		if f.unit {
			on[0] = plantest.Eq(l.ref.Expr(), f.ref.Expr())
			break
		}
	}
	before := &scope{shapes: sc.shapes[:i], up: sc.up}
	switch g.pick("more", 5) {
	case 0:
		if a, ok := g.field(before, isText); ok {
			if b, ok := g.field(&scope{shapes: sc.shapes[i : i+1]}, isText); ok {
				on = append(on, plantest.Eq(a.ref.Expr(), b.ref.Expr()))
			}
		}
	case 1:
		if a, ok := g.opaque(before); ok {
			if b, ok := g.opaque(&scope{shapes: sc.shapes[i : i+1]}); ok {
				on = append(on, plantest.Eq(a.ref.Expr(), b.ref.Expr()))
			}
		}
	case 2:
		on = append(on, g.condition(&scope{shapes: sc.shapes[:i+1], up: sc.up}, 1))
	}
	return plantest.Join(kind, on...)
}

// asof joins the nearest row of groups by person and value, which are unique there.
func (g *generator) asof(sc *scope, i int) (plan.Join, plan.Scan, shape, bool) {
	k := choose(g, "asof kind", isDate, isNumber)
	left, ok := g.field(sc, k)
	if !ok || left.scale > 0 {
		return plan.Join{}, plan.Scan{}, shape{}, false
	}
	table, column := "visit", "e"
	if k == isNumber {
		table, column = choose(g, "asof table", "many", "other"), "v"
	}
	r := &plan.Relation{From: plan.From{Scans: []plan.Scan{{Table: table}}}, Grouped: true, Group: plantest.Cols("person_id", column),
		Columns: []plan.ColumnSpec{plantest.As("p", plantest.Col("person_id")), plantest.As("near", plantest.Col(column)), plantest.As("n", plantest.Agg("count_star"))}}
	sh := shape{fields: []field{{ref: plan.ColRef{Scan: i, Column: "p"}, kind: isOpaque, unit: true}, {ref: plan.ColRef{Scan: i, Column: "near"}, kind: k},
		{ref: plan.ColRef{Scan: i, Column: "n"}, kind: isNumber}}}
	on := []plan.Expr{plantest.Eq(g.unitOf(sc, i).ref.Expr(), plantest.At(i, "p")),
		plantest.Cmp(left.ref.Expr(), choose(g, "side", plan.CmpLt, plan.CmpLe, plan.CmpGt, plan.CmpGe), plantest.At(i, "near"))}
	if g.chance("turned", 2) {
		on[1] = plantest.Cmp(plantest.At(i, "near"), on[1].Cmp, left.ref.Expr())
	}
	return plantest.Join(choose(g, "asof join", plan.JoinAsof, plan.JoinAsofLeft), on...), plan.Scan{Sub: r, Alias: string(rune('x' + i))}, sh, true
}

func (g *generator) unitOf(sc *scope, before int) field {
	f, _ := g.unit(&scope{shapes: sc.shapes[:before]})
	return f
}

func (g *generator) unit(sc *scope) (field, bool) {
	for _, s := range sc.shapes {
		for _, f := range s.fields {
			if f.unit {
				return f, true
			}
		}
	}
	return field{}, false
}

func (g *generator) named(sc *scope, before int, column string) (field, bool) {
	for _, s := range sc.shapes[:before] {
		for _, f := range s.fields {
			if f.ref.Column == column {
				return f, true
			}
		}
	}
	return field{}, false
}

func (g *generator) some(sc *scope, want func(field) bool) (field, bool) {
	var list []field
	for _, s := range sc.shapes {
		for _, f := range s.fields {
			if want(f) {
				list = append(list, f)
			}
		}
	}
	if len(list) == 0 {
		return field{}, false
	}
	return list[g.pick("field", len(list))], true
}

func (g *generator) field(sc *scope, k kind) (field, bool) {
	return g.some(sc, func(f field) bool { return f.kind == k })
}

func (g *generator) opaque(sc *scope) (field, bool) {
	return g.some(sc, func(f field) bool { return f.key })
}

func columnName(i int) string { return "c" + strconv.Itoa(i) }

// Column is the planner's name of a relation's column, the unit aside, from 0.
func Column(i int) string { return columnName(i) }
