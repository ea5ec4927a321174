package slow

import (
	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
)

// relation draws a relation with the unit and columns of the given kinds.
func (g *generator) relation(depth int, kinds []kind) (*plan.Relation, shape) {
	switch g.pick("relation", 11) {
	case 0, 1:
		return g.grouped(depth, kinds)
	case 2, 3, 4:
		return g.windowed(depth, kinds)
	case 5, 10:
		if depth > 0 {
			return g.union(depth, kinds)
		}
	case 6:
		return g.distinct(depth, kinds)
	case 7:
		return g.distinctOn(depth, kinds)
	}
	return g.plain(depth, kinds)
}

// start makes a relation's FROM and its first column, the unit.
func (g *generator) start(depth int) (*plan.Relation, *scope, shape) {
	from, sc := g.from(nil, depth, false)
	u, _ := g.unit(sc)
	r := &plan.Relation{From: from, Columns: []plan.ColumnSpec{plantest.As("p", u.ref.Expr())}}
	return r, sc, shape{fields: []field{{ref: plan.ColRef{Column: "p"}, kind: isOpaque, unit: true}}}
}

func (s *shape) add(r *plan.Relation, k kind, x plan.Expr) {
	name := columnName(len(r.Columns))
	r.Columns = append(r.Columns, plantest.As(name, x))
	s.fields = append(s.fields, field{ref: plan.ColRef{Column: name}, kind: k})
}

func (g *generator) plain(depth int, kinds []kind) (*plan.Relation, shape) {
	r, sc, sh := g.start(depth)
	for _, k := range kinds {
		sh.add(r, k, g.expr(sc, k, 2))
	}
	return r, sh
}

func (g *generator) distinct(depth int, kinds []kind) (*plan.Relation, shape) {
	r, sh := g.plain(depth, kinds)
	r.Distinct = true
	return r, sh
}

func (g *generator) distinctOn(depth int, kinds []kind) (*plan.Relation, shape) {
	r, sc, sh := g.start(depth)
	for _, k := range kinds {
		sh.add(r, k, g.expr(sc, k, 1))
	}
	u, _ := g.unit(sc)
	r.DistinctOn = []plan.Expr{u.ref.Expr()}
	if g.chance("more on", 2) {
		r.DistinctOn = append(r.DistinctOn, g.any(sc, 0))
	}
	r.Order = g.sorts(sc, 2)
	return r, sh
}

func (g *generator) sorts(sc *scope, most int) []plan.SortSpec {
	var out []plan.SortSpec
	for range g.pick("sorts", most+1) {
		out = append(out, plan.SortSpec{Expr: g.any(sc, 1), Descending: g.chance("down", 2), NullsFirst: g.chance("nulls first", 3)})
	}
	return out
}

func (g *generator) union(depth int, kinds []kind) (*plan.Relation, shape) {
	out := &plan.Relation{Distinct: g.chance("distinct union", 3)}
	var sh shape
	for i := range 2 + g.pick("branches", 2) {
		r, s := g.relation(depth-1, kinds)
		for len(r.Union) > 0 { // a branch is a SELECT
			r = &r.Union[0]
		}
		if i == 0 {
			sh = s
		}
		out.Union = append(out.Union, *r)
	}
	sh.fields = sh.fields[:0:0]
	for i, c := range out.Union[0].Columns {
		f := field{ref: plan.ColRef{Column: c.Name}, kind: isOpaque, unit: i == 0}
		if i > 0 {
			f.kind = kinds[i-1]
		}
		sh.fields = append(sh.fields, f)
	}
	return out, sh
}

// grouped draws GROUP BY person and perhaps more.
func (g *generator) grouped(depth int, kinds []kind) (*plan.Relation, shape) {
	r, sc, sh := g.start(depth)
	r.Grouped = true
	u, _ := g.unit(sc)
	r.Group = []plan.Expr{u.ref.Expr()}
	for range g.pick("group keys", 3) {
		if f, ok := g.opaque(sc); ok && g.chance("grouped by a row key", 2) {
			r.Group = append(r.Group, f.ref.Expr())
			continue
		}
		r.Group = append(r.Group, g.any(sc, 1))
	}
	inside := &folds{g: g, sc: sc, keys: r.Group[1:]}
	for _, k := range kinds {
		sh.add(r, k, inside.of(k))
	}
	if g.chance("having", 4) {
		c := plantest.Cmp(inside.of(isNumber), choose(g, "cmp", plan.CmpLt, plan.CmpGe, plan.CmpNe), plantest.Num(choose(g, "having literal", "0", "1", "2.5")))
		r.Having = &c
	}
	return r, sh
}

// folds makes expressions of a group.
type folds struct {
	g    *generator
	sc   *scope
	keys []plan.Expr
}

func (f *folds) of(k kind) plan.Expr {
	g := f.g
	x := f.aggregate(k)
	if k == isNumber && g.chance("arithmetic of folds", 4) {
		x = plantest.Call(choose(g, "op", "+", "-", "/", "least", "coalesce"), x, f.aggregate(k))
	}
	return x
}

func (f *folds) aggregate(k kind) plan.Expr {
	g, sc := f.g, f.sc
	var x plan.Expr
	switch n := g.pick("aggregate", 11); {
	case n == 8:
		x = plantest.Agg("mode", g.expr(sc, k, 1))
	case k == isNumber && n >= 9:
		x = plantest.Agg(choose(g, "spread", "var_pop", "var_samp", "stddev_pop", "stddev_samp"), g.number(sc, 1))
	case k == isNumber && n == 0:
		x = plantest.Agg("count_star")
	case k == isNumber && n == 1:
		x = plantest.Agg("count", g.any(sc, 1))
		x.IsDistinct = g.chance("count distinct", 2)
	case k == isNumber && n == 2:
		x = plantest.Agg("sum", g.number(sc, 1))
		x.IsDistinct = g.chance("sum distinct", 4)
	case k == isNumber && n == 3:
		x = plantest.Agg(choose(g, "average", "avg", "median"), g.number(sc, 1))
	case k == isNumber && n == 4:
		x = plantest.Agg(choose(g, "quantile", "quantile_cont", "quantile_disc"), g.number(sc, 1), plantest.Num(choose(g, "fraction", "0.25", "0.5", "0.75", "0", "1")))
	case k == isNumber && n == 5:
		x = plantest.Agg(choose(g, "every", "bool_and", "bool_or"), g.condition(sc, 1))
	case n == 6:
		x = plantest.Agg(choose(g, "arg", "arg_min", "arg_max"), g.expr(sc, k, 1), g.any(sc, 1))
	case n == 7:
		x = plantest.Agg(choose(g, "end", "first", "last"), g.expr(sc, k, 1))
		if x.Sort = g.sorts(sc, 2); len(x.Sort) == 0 {
			x.Sort = []plan.SortSpec{{Expr: g.any(sc, 0)}}
		}
	default:
		x = plantest.Agg(choose(g, "extreme", "min", "max"), g.expr(sc, k, 1))
	}
	if g.chance("filter", 4) {
		c := g.condition(sc, 1)
		x.Filter = &c
	}
	return x
}

// windowed draws window functions over the person's rows.
func (g *generator) windowed(depth int, kinds []kind) (*plan.Relation, shape) {
	r, sc, sh := g.start(depth)
	for _, k := range kinds {
		if g.chance("plain column", 4) {
			sh.add(r, k, g.expr(sc, k, 1))
			continue
		}
		sh.add(r, k, g.window(sc, k))
	}
	if g.chance("qualify", 3) {
		c := plantest.Cmp(g.window(sc, isNumber), choose(g, "cmp", plan.CmpLe, plan.CmpEq, plan.CmpGt), plantest.Num("1"))
		r.Qualify = &c
	}
	return r, sh
}

func (g *generator) window(sc *scope, k kind) plan.Expr {
	u, _ := g.unit(sc)
	part := []plan.Expr{u.ref.Expr()}
	if g.chance("partition", 3) {
		part = append(part, g.any(sc, 0))
	}
	order := g.sorts(sc, 2)
	x := plantest.Over("", part, order)
	framed := true
	switch n := g.pick("window", 13); {
	case k == isNumber && n == 9 && len(order) > 0:
		x.Name, framed = choose(g, "share", "percent_rank", "cume_dist"), false
	case k == isNumber && n == 10:
		x.Name, x.Args = choose(g, "spread", "var_pop", "stddev_samp"), []plan.Expr{g.number(sc, 1)}
	case n >= 11:
		return g.ranged(sc, k, x)
	case k == isNumber && n == 0:
		x.Name, framed = "row_number", false
	case k == isNumber && n == 1 && len(order) > 0:
		x.Name, framed = choose(g, "rank", "rank", "dense_rank"), false
	case k == isNumber && n == 2:
		x.Name, x.Args, framed = "ntile", []plan.Expr{plantest.Num("2")}, false
	case k == isNumber && n == 3:
		x.Name = "count_star"
	case k == isNumber && n == 4:
		x.Name, x.Args = choose(g, "running", "sum", "avg"), []plan.Expr{g.number(sc, 1)}
	case n == 5:
		x.Name, x.Args = choose(g, "extreme", "min", "max"), []plan.Expr{g.expr(sc, k, 1)}
	case n == 6:
		x.Name, x.Args = choose(g, "place", "first_value", "last_value", "nth_value"), []plan.Expr{g.expr(sc, k, 1)}
		if x.Name == "nth_value" {
			x.Args = append(x.Args, plantest.Num("2"))
		}
		x.IgnoreNulls = g.chance("ignore nulls", 3)
		if len(order) > 0 && x.Name != "first_value" {
			x.Over.Frame = g.frame()
			return x
		}
	default:
		x.Name, x.Args, framed = choose(g, "neighbour", "lag", "lead"), []plan.Expr{g.expr(sc, k, 1)}, false
		if g.chance("far", 3) {
			x.Args = append(x.Args, plantest.Num("2"))
		}
		x.IgnoreNulls = g.chance("ignore nulls", 3)
	}
	if framed && g.chance("frame", 2) {
		x.Over.Frame = g.frame()
	}
	return x
}

// ranged is an aggregate over the rows near the current one.
func (g *generator) ranged(sc *scope, k kind, x plan.Expr) plan.Expr {
	x.Name, x.Args = choose(g, "extreme", "min", "max"), []plan.Expr{g.expr(sc, k, 1)}
	if k == isNumber && g.chance("fold of near", 2) {
		x.Name = choose(g, "near", "sum", "count", "avg", "stddev_pop")
	}
	by := choose(g, "near in", isDate, isNumber)
	x.Over.Order = []plan.SortSpec{{Expr: g.expr(sc, by, 1), Descending: g.chance("down", 2), NullsFirst: g.chance("nulls first", 3)}}
	x.Over.Frame = plan.Frame{Range: true, Days: by == isDate, Start: choose(g, "from", plan.FrameUnboundedStart, -2, -1, 0), End: choose(g, "to", 0, 1, plan.FrameUnboundedEnd)}
	if by == isDate && x.Over.Frame.Start > plan.FrameUnboundedStart {
		x.Over.Frame.Start *= 200
	}
	return x
}

func (g *generator) frame() plan.Frame {
	return plan.Frame{Rows: true, Start: choose(g, "from", plan.FrameUnboundedStart, -2, -1, 0), End: choose(g, "to", 0, 1, plan.FrameUnboundedEnd)}
}
