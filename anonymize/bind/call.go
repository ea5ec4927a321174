package bind

import "carrel/anonymize/plan"

// call is a function node with everything that may hang on it.
type call struct {
	name     string // folded
	operator bool
	distinct bool
	args     []any
	filter   map[string]any
	orders   []any
}

func (c call) plain() bool { return !c.distinct && c.filter == nil && len(c.orders) == 0 }

// call reads a function node; its alias is the caller's.
func (b *binder) call(o *object) call {
	c := call{name: fold(o.text("function_name")), operator: o.boolean("is_operator"), distinct: o.boolean("distinct"),
		args: o.list("children"), filter: o.optional("filter")}
	o.raw("class")
	if o.text("type") != "FUNCTION" {
		b.fail("not-supported", o.at)
	}
	if v := o.optional("order_bys"); v != nil {
		m := b.object(v, o.at)
		if m.text("type") != "ORDER_MODIFIER" {
			b.fail("not-supported", o.at)
		}
		c.orders = m.list("orders")
		m.end()
	}
	// The parser names "main" for what it writes itself: extract, substring … from, lists.
	if s := o.text("schema"); s != "" && s != "main" {
		b.fail("function-not-allowed", o.at)
	}
	o.refuseUnlessEmpty("catalog", "function-not-allowed")
	o.refuseUnlessEmpty("export_state", "not-supported")
	o.end()
	return c
}

// function reads a function, an operator or an aggregate.
func (b *binder) function(o *object, p place) plan.Expr {
	c := b.call(o)
	if b.err != nil {
		return plan.Expr{}
	}
	if aggregate(c.name) && !c.operator {
		return b.aggregate(c, o, p)
	}
	_, span := unitOf(c.name)
	switch {
	case !c.plain():
		b.fail("function-not-allowed", o.at)
	case now(c.name):
		b.fail("now-not-allowed", o.at)
	case span:
		return b.interval(c, o)
	case c.name == "contains" && len(c.args) == 2:
		return b.contains(c, o, p)
	case like(c.name) != 0 && len(c.args) == 2:
		e := plan.Expr{Op: like(c.name), Args: b.exprs(c.args, p), Offset: o.at}
		if c.name[0] == '!' {
			return not(e, o.at)
		}
		return e
	}
	if e, ok := b.pattern(c, o, p); ok {
		return e
	}
	args := b.exprs(c.args, p)
	if b.err != nil {
		return plan.Expr{}
	}
	if c.name == "+" && len(args) == 1 {
		return args[0]
	}
	return ordinary(plan.Expr{Op: plan.ExprCall, Name: c.name, Args: args, Offset: o.at})
}

func like(name string) plan.ExprOp {
	switch name {
	case "~~", "!~~":
		return plan.ExprLike
	case "~~*", "!~~*":
		return plan.ExprILike
	}
	return 0
}

// ordinary gives a function the one name that the planner knows it by.
func ordinary(e plan.Expr) plan.Expr {
	switch {
	case e.Name == "iff" && len(e.Args) == 3:
		return plan.Expr{Op: plan.ExprCase, Args: e.Args, Offset: e.Offset}
	case (e.Name == "date_part" || e.Name == "datepart") && len(e.Args) == 2:
		e.Name = "date_part"
		if part := datePart(e.Args[0]); part != "" {
			e.Name, e.Args = part, e.Args[1:]
		}
		return e
	}
	e.Name = scalarName(e.Name)
	return e
}

// scalarName is the name that stands for all names of one function.
func scalarName(name string) string {
	switch name {
	case "substr":
		return "substring"
	case "lcase":
		return "lower"
	case "ucase":
		return "upper"
	case "len", "char_length", "character_length":
		return "length"
	case "instr", "position":
		return "strpos"
	case "^@", "prefix":
		return "starts_with"
	case "suffix":
		return "ends_with"
	case "datediff":
		return "date_diff"
	case "datesub":
		return "date_sub"
	case "datetrunc":
		return "date_trunc"
	case "dayofmonth":
		return "day"
	case "weekday":
		return "dayofweek"
	case "weekofyear":
		return "week"
	case "ceiling":
		return "ceil"
	case "power", "^", "**":
		return "pow"
	case "@":
		return "abs"
	case "mod":
		return "%"
	case "divide":
		return "//"
	case "add":
		return "+"
	case "subtract":
		return "-"
	case "multiply":
		return "*"
	case "ifnull":
		return "coalesce"
	}
	return name
}

// datePart is the function of the same meaning for a part of a date, "" for parts that have none here.
func datePart(e plan.Expr) string {
	if e.Op != plan.ExprLiteral || e.Lit.Kind != plan.LitString {
		return ""
	}
	switch part := fold(e.Lit.Text); part {
	case "year", "month", "day", "quarter", "week", "dayofweek", "isodow", "dayofyear":
		return part
	case "dow", "weekday":
		return "dayofweek"
	case "doy":
		return "dayofyear"
	}
	return ""
}

// contains is what the parser makes of x IN ['a', 'b'] and of x IN codes('name@1').
func (b *binder) contains(c call, o *object, p place) plan.Expr {
	list, x := asMap(c.args[0]), asMap(c.args[1])
	name, _ := list["function_name"].(string)
	if class(list) != "FUNCTION" || fold(name) != "codes" && fold(name) != "list_value" {
		return plan.Expr{Op: plan.ExprCall, Name: "contains", Args: b.exprs(c.args, p), Offset: o.at}
	}
	e := plan.Expr{Op: plan.ExprIn, Args: []plan.Expr{b.expr(x, p)}, Offset: o.at}
	if fold(name) == "codes" {
		e.Args = append(e.Args, b.expr(list, p))
		return e
	}
	l := b.object(list, o.at)
	l.noAlias()
	values := b.call(l)
	if !values.plain() || len(values.args) == 0 {
		b.fail("not-supported", l.at)
	}
	for _, v := range b.exprs(values.args, p) {
		// NULL in a list is false where IN says NULL, so only plain values mean the same.
		if b.err == nil && (v.Op != plan.ExprLiteral || v.Lit.Kind == plan.LitNull) {
			b.fail("not-a-literal", v.Offset)
		}
		e.Args = append(e.Args, v)
	}
	return e
}

// aggregate says whether a name is one of DuckDB's aggregates. What is missing here is an ordinary function to the binder, and unknown
// to the planner.
func aggregate(name string) bool {
	switch name {
	case "count_star", "count", "count_if", "countif", "sum", "avg", "mean", "min", "max", "median", "mode", "product", "mad",
		"quantile", "quantile_cont", "quantile_disc", "percentile_cont", "percentile_disc", "approx_quantile", "reservoir_quantile",
		"var_pop", "var_samp", "variance", "stddev_pop", "stddev_samp", "stddev", "covar_pop", "covar_samp", "corr",
		"regr_slope", "regr_intercept", "regr_r2", "regr_count", "regr_avgx", "regr_avgy", "regr_sxx", "regr_sxy", "regr_syy",
		"skewness", "kurtosis", "kurtosis_pop", "entropy", "sem", "bool_and", "bool_or", "bit_and", "bit_or", "bit_xor", "bitstring_agg",
		"arg_min", "argmin", "min_by", "arg_max", "argmax", "max_by", "arg_min_null", "arg_max_null", "arg_min_nulls_last", "arg_max_nulls_last",
		"first", "last", "any_value", "arbitrary", "list", "array_agg", "string_agg", "group_concat", "listagg",
		"histogram", "histogram_exact", "approx_count_distinct", "approx_top_k", "fsum", "sumkahan", "kahan_sum", "favg",
		"sum_no_overflow", "geometric_mean", "geomean", "weighted_avg", "wavg":
		return true
	}
	return false
}

func aggregateNames() map[string]string {
	return map[string]string{
		"mean": "avg", "variance": "var_samp", "stddev": "stddev_samp", "argmin": "arg_min", "min_by": "arg_min", "argmax": "arg_max", "max_by": "arg_max",
		"array_agg": "list", "group_concat": "string_agg", "listagg": "string_agg", "quantile": "quantile_disc",
		"percentile_cont": "quantile_cont", "percentile_disc": "quantile_disc", "arbitrary": "first", "countif": "count_if",
	}
}

// aggregate reads an aggregate where one may stand.
func (b *binder) aggregate(c call, o *object, p place) plan.Expr {
	if p.aggregates != "" {
		b.fail(p.aggregates, o.at)
		return plan.Expr{}
	}
	p.fr.aggregated = true
	p.aggregates, p.windows = "nested-aggregate", "window-here"
	if p.alias != noAliases {
		p.alias = thenAliases
	}
	e := plan.Expr{Op: plan.ExprAggregate, Name: c.name, IsDistinct: c.distinct, Offset: o.at}
	if n := aggregateNames()[c.name]; n != "" {
		e.Name = n
	}
	e.Args = b.exprs(c.args, p)
	if c.filter != nil {
		f := b.expr(c.filter, p)
		e.Filter = &f
	}
	e.Sort = b.sorts(c.orders, p)
	if b.err != nil {
		return plan.Expr{}
	}
	return b.tidy(e)
}

// tidy writes what means the same in one way: count(1) and count_if(x) as counts of rows, WITHIN GROUP as an argument, DISTINCT where
// it changes nothing.
func (b *binder) tidy(e plan.Expr) plan.Expr {
	switch e.Name {
	case "count":
		if len(e.Args) == 0 || len(e.Args) == 1 && !e.IsDistinct && e.Args[0].Op == plan.ExprLiteral && e.Args[0].Lit.Kind != plan.LitNull {
			e.Name, e.Args = "count_star", nil
		}
	case "count_if":
		if len(e.Args) != 1 || e.IsDistinct {
			b.fail("aggregate-arguments", e.Offset)
			return e
		}
		f := e.Args[0]
		if e.Filter != nil {
			f = plan.Expr{Op: plan.ExprAnd, Args: []plan.Expr{*e.Filter, f}, Offset: f.Offset}
		}
		e.Name, e.Args, e.Filter = "count_star", nil, &f
	case "min", "max", "bool_and", "bool_or":
		e.IsDistinct = e.IsDistinct && len(e.Args) != 1
	case "mode":
		if len(e.Args) == 0 && len(e.Sort) == 1 {
			e.Args, e.Sort = []plan.Expr{e.Sort[0].Expr}, nil
		}
	case "quantile_cont", "quantile_disc":
		if len(e.Args) == 1 && len(e.Sort) == 1 {
			if e.Sort[0].Descending {
				b.fail("aggregate-order", e.Offset)
			}
			e.Args, e.Sort = []plan.Expr{e.Sort[0].Expr, e.Args[0]}, nil
		}
	}
	if e.Name == "count_star" && (e.IsDistinct || len(e.Args) > 0) {
		b.fail("aggregate-arguments", e.Offset)
	}
	return e
}

func (b *binder) sorts(list []any, p place) []plan.SortSpec {
	var out []plan.SortSpec
	for _, v := range list {
		s, n := b.sortOf(v)
		if b.err != nil {
			return nil
		}
		s.Expr = b.expr(n, p)
		out = append(out, s)
	}
	return out
}
