package slow

import (
	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
)

func (g *generator) expr(sc *scope, k kind, depth int) plan.Expr {
	switch k {
	case isText:
		return g.text(sc, depth)
	case isDate:
		return g.date(sc, depth)
	}
	return g.number(sc, depth)
}

func (g *generator) any(sc *scope, depth int) plan.Expr {
	return g.expr(sc, choose(g, "any kind", isNumber, isText, isDate), depth)
}

// leaf is a column of a kind, or one of another kind made into it.
func (g *generator) leaf(sc *scope, k kind) plan.Expr {
	if f, ok := g.field(sc, k); ok {
		return f.ref.Expr()
	}
	f, ok := g.some(sc, func(f field) bool { return f.kind != isOpaque })
	if !ok {
		return g.literal(sc, k)
	}
	x := f.ref.Expr()
	switch k {
	case isText:
		if f.kind == isDate {
			x = plantest.Call("month", x)
		}
		return plan.Expr{Op: plan.ExprCast, To: plan.Cast{Kind: plan.CastText}, Args: []plan.Expr{plantest.Call("round", x)}}
	case isDate:
		if f.kind == isText {
			x = plantest.Call("length", x)
		}
		return plantest.Call("+", plantest.Day("2020-01-31"), plantest.Call("round", x))
	}
	if f.kind == isDate {
		return plantest.Call("day", x)
	}
	return plantest.Call("length", x)
}

// literal is a constant, often one that a column of the kind holds.
func (g *generator) literal(sc *scope, k kind) plan.Expr {
	if f, ok := g.field(sc, k); ok && len(f.values) > 0 && !g.chance("any literal", 4) {
		v := choose(g, "held", f.values...)
		switch k {
		case isText:
			return plantest.Text(v)
		case isDate:
			return plantest.Day(v)
		}
		return plantest.Num(v)
	}
	switch k {
	case isText:
		return plantest.Text(choose(g, "text", "a", "b", "", "zz", "ward 12", "é"))
	case isDate:
		return plantest.Day(choose(g, "day", "1969-12-31", "2019-12-30", "2020-02-29", "2020-03-31"))
	}
	return plantest.Num(choose(g, "number", "0", "1", "2", "-3", "2.5", "0.125", "10"))
}

// second is an operand that may be a constant.
func (g *generator) second(sc *scope, k kind, depth int) plan.Expr {
	if g.chance("constant", 3) {
		return g.literal(sc, k)
	}
	return g.expr(sc, k, depth)
}

func (g *generator) number(sc *scope, depth int) plan.Expr {
	if g.nodes++; depth <= 0 || g.nodes > 60 {
		return g.leaf(sc, isNumber)
	}
	n := func() plan.Expr { return g.number(sc, depth-1) }
	m := func() plan.Expr { return g.second(sc, isNumber, depth-1) }
	c := plantest.Call
	switch g.pick("number", 24) {
	case 0, 1:
		return c(choose(g, "op", "+", "-", "*"), n(), m())
	case 2:
		return c("/", n(), m())
	case 3:
		return c(choose(g, "whole op", "//", "%"), c("round", n()), c("round", m()))
	case 4:
		return c(choose(g, "of one", "abs", "sign", "-", "floor", "ceil", "trunc", "round"), n())
	case 5:
		return c("round", n(), plantest.Num(choose(g, "digits", "1", "0", "-1", "2")))
	case 6:
		return c(choose(g, "extreme", "least", "greatest", "coalesce"), n(), m())
	case 7:
		return c("nullif", n(), m())
	case 8:
		return plantest.Of(plan.ExprCase, g.condition(sc, depth-1), n(), g.condition(sc, depth-1), m(), choose(g, "else", plantest.Null(), m()))
	case 9:
		return c("clamp", n(), plantest.Num("-2"), plantest.Num(choose(g, "top", "3", "4.5")))
	case 10:
		return c(choose(g, "part", "year", "month", "quarter", "day", "dayofweek", "isodow", "dayofyear", "week"), g.date(sc, depth-1))
	case 11:
		return c(choose(g, "elapsed", "date_diff", "date_sub"), plantest.Text(choose(g, "period", "day", "week", "month", "quarter", "year")), g.date(sc, depth-1), g.date(sc, depth-1))
	case 12:
		return c("-", g.date(sc, depth-1), g.date(sc, depth-1))
	case 13:
		return c(choose(g, "length", "length", "strlen"), g.text(sc, depth-1))
	case 14:
		return c("strpos", g.text(sc, depth-1), plantest.Text(choose(g, "needle", "a", "12", "", "-")))
	case 15:
		return c(choose(g, "real", "sqrt", "ln", "log2", "exp"), c("clamp", n(), plantest.Num("-2"), plantest.Num("5")))
	case 16:
		return c("pow", n(), plantest.Num("2"))
	case 17:
		return plan.Expr{Op: plan.ExprCast, To: choose(g, "cast", plan.Cast{Kind: plan.CastInteger}, plan.Cast{Kind: plan.CastDecimal, Scale: 1}, plan.Cast{Kind: plan.CastReal}), Args: []plan.Expr{n()}}
	case 18:
		return plan.Expr{Op: plan.ExprCast, To: plan.Cast{Kind: plan.CastInteger, Try: true}, Args: []plan.Expr{c("split_part", g.text(sc, depth-1), plantest.Text("-"), plantest.Num("2"))}}
	case 19, 20:
		if x, ok := g.scalar(sc); ok {
			return x
		}
	case 21:
		return g.condition(sc, depth-1)
	}
	return g.leaf(sc, isNumber)
}

func (g *generator) text(sc *scope, depth int) plan.Expr {
	if g.nodes++; depth <= 0 || g.nodes > 60 {
		return g.leaf(sc, isText)
	}
	x := func() plan.Expr { return g.text(sc, depth-1) }
	y := func() plan.Expr { return g.second(sc, isText, depth-1) }
	c := plantest.Call
	switch g.pick("text", 17) {
	case 14:
		return plan.Expr{Op: plan.ExprCast, To: plan.Cast{Kind: plan.CastText}, Args: []plan.Expr{plantest.Cmp(g.number(sc, depth-1), plan.CmpLt, g.second(sc, isNumber, depth-1))}}
	case 15:
		return c(choose(g, "name of", "monthname", "dayname"), g.date(sc, depth-1))
	case 16:
		return c("strftime", g.date(sc, depth-1), plantest.Text(choose(g, "format", "%Y", "%Y-%m", "%b %y", "%a", "%-m/%u", "%d%%", "%j.%Y", "x")))
	case 0:
		return c(choose(g, "of one", "lower", "upper", "reverse", "trim", "ltrim", "rtrim"), x())
	case 1:
		return c("substr", x(), plantest.Num(choose(g, "start", "1", "2", "0", "-1", "-9")), plantest.Num(choose(g, "count", "1", "2", "0", "-1", "9")))
	case 2:
		return c(choose(g, "end", "left", "right"), x(), plantest.Num(choose(g, "count", "1", "2", "0", "-1", "9")))
	case 3:
		return c("replace", x(), plantest.Text(choose(g, "old", "a", "-", "12", "")), plantest.Text(choose(g, "new", "", "ab")))
	case 4:
		return c("split_part", x(), plantest.Text(choose(g, "by", "-", " ")), plantest.Num(choose(g, "part", "1", "2", "-1", "0")))
	case 5:
		return c("||", x(), choose(g, "tail", plantest.Text("!"), g.leaf(sc, isText)))
	case 6:
		return plantest.Of(plan.ExprCase, g.condition(sc, depth-1), x(), y())
	case 7:
		return c(choose(g, "first known", "coalesce", "nullif"), x(), y())
	case 8:
		return c("regexp_extract", x(), plantest.Text(choose(g, "pattern", "[0-9]+", "^(.)(.)", "x$")), plantest.Num("0"))
	case 9:
		return plan.Expr{Op: plan.ExprCast, To: plan.Cast{Kind: plan.CastText}, Args: []plan.Expr{c("round", g.number(sc, depth-1))}}
	case 10:
		return c(choose(g, "extreme", "least", "greatest"), x(), y())
	}
	return g.leaf(sc, isText)
}

func (g *generator) date(sc *scope, depth int) plan.Expr {
	if g.nodes++; depth <= 0 || g.nodes > 60 {
		return g.leaf(sc, isDate)
	}
	x := func() plan.Expr { return g.date(sc, depth-1) }
	y := func() plan.Expr { return g.second(sc, isDate, depth-1) }
	c := plantest.Call
	switch g.pick("date", 10) {
	case 0:
		return c(choose(g, "op", "+", "-"), x(), plantest.Span(choose(g, "span", "1 day", "-3 day", "1 month", "-13 month", "1 year")))
	case 1:
		return c(choose(g, "op", "+", "-"), x(), c("round", g.number(sc, depth-1)))
	case 2, 3:
		return c("date_trunc", plantest.Text(choose(g, "period", "day", "week", "month", "quarter", "year")), x())
	case 4:
		return c("last_day", x())
	case 5:
		return plantest.Of(plan.ExprCase, g.condition(sc, depth-1), x(), y())
	case 6:
		return c(choose(g, "pair", "coalesce", "least", "greatest", "nullif"), x(), y())
	}
	return g.leaf(sc, isDate)
}

func (g *generator) condition(sc *scope, depth int) plan.Expr {
	g.nodes++
	if depth > 0 && g.nodes < 60 {
		switch g.pick("condition", 9) {
		case 0:
			return plantest.Of(choose(g, "joint", plan.ExprAnd, plan.ExprOr), g.condition(sc, depth-1), g.condition(sc, depth-1))
		case 1:
			return plantest.Of(plan.ExprNot, g.condition(sc, depth-1))
		case 2, 3:
			if x, ok := g.subquery(sc); ok {
				return x
			}
		case 4: // alone it may be false whatever the row, which is refused
			return plantest.Of(plan.ExprOr, g.condition(sc, depth-1), plantest.Of(plan.ExprIsNull, g.any(sc, depth)))
		case 5:
			return plantest.Of(plan.ExprOr, g.condition(sc, depth-1), plantest.Of(plan.ExprIsNull, g.condition(sc, depth-1)))
		}
	}
	k := choose(g, "compared", isNumber, isNumber, isText, isDate)
	a, b := g.expr(sc, k, depth-1), g.expr(sc, k, depth-1)
	cmp := choose(g, "cmp", plan.CmpEq, plan.CmpNe, plan.CmpLt, plan.CmpLe, plan.CmpGt, plan.CmpGe)
	switch g.pick("test", 9) {
	case 0:
		return plantest.Of(plan.ExprBetween, a, b, g.second(sc, k, 0))
	case 1:
		return plantest.In(a, b, g.literal(sc, k), choose(g, "in", plantest.Null(), g.second(sc, k, 0)))
	case 2:
		return plantest.Of(plan.ExprDistinct, a, b)
	case 3:
		if k == isText {
			return plantest.Of(choose(g, "like", plan.ExprLike, plan.ExprILike), a, plantest.Text(choose(g, "pattern", "%", "_", "b%", "%1_", "ward%")))
		}
	case 4:
		if k == isText {
			return plantest.Call(choose(g, "test of text", "starts_with", "ends_with", "contains", "regexp_matches", "regexp_full_match"), a, plantest.Text(choose(g, "piece", "a", "12", "", "W")))
		}
	case 5, 6:
		return plantest.Cmp(a, cmp, g.literal(sc, k))
	}
	return plantest.Cmp(a, cmp, b)
}

// linked draws the FROM of a subquery whose unit is the unit outside.
func (g *generator) linked(sc *scope) (*plan.Relation, *scope, bool) {
	u, ok := g.unit(sc)
	if !ok || sc.up != nil {
		return nil, nil, false
	}
	name := choose(g, "inner table", "visit", "many", "other", "one")
	in := &scope{shapes: []shape{g.table(0, name)}, up: sc}
	out := u.ref
	out.Up = 1
	where := []plan.Expr{plantest.Eq(plantest.Col("person_id"), out.Expr())}
	if g.chance("inner condition", 2) {
		where = append(where, g.condition(in, 1))
	}
	if f, ok := g.field(sc, isNumber); ok && g.chance("outer column", 3) {
		f.ref.Up = 1
		if h, ok := g.field(in, isNumber); ok {
			where = append(where, plantest.Cmp(h.ref.Expr(), choose(g, "cmp", plan.CmpEq, plan.CmpLt, plan.CmpGe), f.ref.Expr()))
		}
	}
	w := plantest.And(where...)
	return &plan.Relation{From: plan.From{Scans: []plan.Scan{{Table: name}}, Where: &w}}, in, true
}

func (g *generator) subquery(sc *scope) (plan.Expr, bool) {
	r, in, ok := g.linked(sc)
	if !ok {
		return plan.Expr{}, false
	}
	k := choose(g, "inner kind", isNumber, isText, isDate)
	switch g.pick("subquery", 4) {
	case 0:
		x := g.expr(in, k, 1)
		r.Columns = []plan.ColumnSpec{plantest.As("y", x)}
		return plan.Expr{Op: plan.ExprInSub, Args: []plan.Expr{g.expr(sc, k, 1)}, Sub: r}, true
	case 1:
		x := g.expr(in, k, 1)
		r.Columns = []plan.ColumnSpec{plantest.As("y", x)}
		return plantest.Of(plan.ExprNot, plan.Expr{Op: plan.ExprInSub, Args: []plan.Expr{g.expr(sc, k, 1)}, Sub: r}), true
	}
	r.Columns = []plan.ColumnSpec{plantest.As("y", plantest.Num("1"))}
	return plan.Expr{Op: plan.ExprExists, Sub: r}, true
}

func (g *generator) scalar(sc *scope) (plan.Expr, bool) {
	r, in, ok := g.linked(sc)
	if !ok {
		return plan.Expr{}, false
	}
	f := &folds{g: g, sc: in}
	r.Grouped = true
	r.Columns = []plan.ColumnSpec{plantest.As("y", f.aggregate(isNumber))}
	return plan.Expr{Op: plan.ExprScalar, Sub: r}, true
}
