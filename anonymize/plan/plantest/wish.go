package plantest

import "carrel/anonymize/plan"

// Short constructors of wishes.

// At is a column of a scan.
func At(scan int, column string) plan.Expr {
	return plan.ColRef{Scan: scan, Column: column}.Expr()
}

// Col is a column of the first scan.
func Col(column string) plan.Expr { return At(0, column) }

// Outer is a column of a scan of the SELECT around.
func Outer(scan int, column string) plan.Expr {
	return plan.ColRef{Scan: scan, Column: column, Up: 1}.Expr()
}

// Cols are columns of the first scan.
func Cols(names ...string) []plan.Expr {
	var out []plan.Expr
	for _, n := range names {
		out = append(out, Col(n))
	}
	return out
}

func literal(k plan.LitKind, text string) plan.Expr {
	return plan.Expr{Op: plan.ExprLiteral, Lit: plan.Literal{Kind: k, Text: text}}
}

// Num is a number as written.
func Num(text string) plan.Expr { return literal(plan.LitNumber, text) }

// Text is a text literal.
func Text(text string) plan.Expr { return literal(plan.LitString, text) }

// Day is a date literal, YYYY-MM-DD.
func Day(text string) plan.Expr { return literal(plan.LitDate, text) }

// Span is an interval, "N day", "N month" or "N year".
func Span(text string) plan.Expr { return literal(plan.LitInterval, text) }

// Truth is true or false.
func Truth(v bool) plan.Expr {
	if v {
		return literal(plan.LitBool, "true")
	}
	return literal(plan.LitBool, "false")
}

// Null is NULL.
func Null() plan.Expr { return literal(plan.LitNull, "") }

// Of makes a node of an operator and its arguments.
func Of(op plan.ExprOp, args ...plan.Expr) plan.Expr { return plan.Expr{Op: op, Args: args} }

// Cmp is a comparison.
func Cmp(l plan.Expr, c plan.Cmp, r plan.Expr) plan.Expr {
	return plan.Expr{Op: plan.ExprCompare, Cmp: c, Args: []plan.Expr{l, r}}
}

// Eq is l = r.
func Eq(l, r plan.Expr) plan.Expr { return Cmp(l, plan.CmpEq, r) }

// And joins conditions; one stays alone.
func And(args ...plan.Expr) plan.Expr {
	if len(args) == 1 {
		return args[0]
	}
	return Of(plan.ExprAnd, args...)
}

// In is x IN (list).
func In(x plan.Expr, list ...plan.Expr) plan.Expr {
	return Of(plan.ExprIn, append([]plan.Expr{x}, list...)...)
}

// Call is a function.
func Call(name string, args ...plan.Expr) plan.Expr {
	return plan.Expr{Op: plan.ExprCall, Name: name, Args: args}
}

// Agg is an aggregate of a grouped relation.
func Agg(name string, args ...plan.Expr) plan.Expr {
	return plan.Expr{Op: plan.ExprAggregate, Name: name, Args: args}
}

// Over is a window function; the partition is given whole.
func Over(name string, partition []plan.Expr, order []plan.SortSpec, args ...plan.Expr) plan.Expr {
	return plan.Expr{Op: plan.ExprWindow, Name: name, Args: args, Over: &plan.Window{Partition: partition, Order: order}}
}

// As names a column of a relation.
func As(name string, e plan.Expr) plan.ColumnSpec { return plan.ColumnSpec{Name: name, Expr: e} }

// Join is a join on a condition.
func Join(kind plan.JoinKind, on ...plan.Expr) plan.Join {
	c := And(on...)
	return plan.Join{Kind: kind, On: &c}
}

// Wish is one measure step over FROM, with every measure in the output and no limit.
func Wish(from plan.From, keys []plan.Expr, wanted ...plan.MeasureSpec) plan.Spec {
	s := plan.Spec{From: from, Wanted: wanted, Limit: -1}
	for _, k := range keys {
		s.Keys = append(s.Keys, plan.KeySpec{Expr: k})
	}
	for i := range wanted {
		s.Output = append(s.Output, plan.OutputSpec{Name: "m", Expr: plan.OutExpr{Op: plan.OutMeasure, Index: i}})
	}
	return s
}

// Measure is an aggregate of the measure step.
func Measure(kind plan.MeasureKind, args ...plan.Expr) plan.MeasureSpec {
	return plan.MeasureSpec{Kind: kind, Args: args}
}

// Coarse are wishes over Broad with one real number inside a row each, of bounds so wide that it keeps fewer than six decimals.
func Coarse() map[string]plan.Spec {
	total := Measure(plan.Sum, Col("y"))
	over := func(r plan.Relation) plan.Spec {
		return Wish(plan.From{Scans: []plan.Scan{{Sub: &r, Alias: "r"}}}, nil, total)
	}
	visits := plan.From{Scans: []plan.Scan{{Table: "visit"}}}
	unit := Col("person_id")
	fold := func(name string, args ...plan.Expr) plan.Spec {
		return over(plan.Relation{From: visits, Grouped: true, Group: []plan.Expr{unit}, Columns: []plan.ColumnSpec{As("p", unit), As("y", Agg(name, args...))}})
	}
	row := func(x plan.Expr) plan.Spec {
		return over(plan.Relation{From: visits, Columns: []plan.ColumnSpec{As("p", unit), As("y", x)}})
	}
	return map[string]plan.Spec{
		"quotient":            row(Call("/", Call("*", Col("x"), Num("1000")), Call("-", Col("n"), Num("3")))),
		"quotient of amounts": row(Call("/", Call("*", Col("x"), Num("7")), Col("x"))),
		"power of e":          row(Call("exp", Call("*", Num("3"), Col("n")))),
		"variance":            fold("var_pop", Col("x")),
		"variance of few":     fold("var_samp", Col("x")),
		"deviation":           fold("stddev_pop", Call("*", Call("round", Col("x")), Num("100"))),
		"mean":                fold("avg", Call("*", Col("x"), Num("900"))),
		"middle":              fold("median", Call("*", Col("x"), Num("900"))),
	}
}
