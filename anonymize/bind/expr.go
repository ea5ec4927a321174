package bind

import "carrel/anonymize/plan"

// place is where an expression stands: what its names mean and what may occur in it.
type place struct {
	fr         *frame
	lo         int    // names mean sources from here on: a join's condition sees only what the join holds
	aggregates string // the code that refuses an aggregate here, "" where it may stand
	windows    string // the same of windows
	alias      aliases
	limit      int  // aliases of the first so many columns may be named
	named      bool // the node is a column of a select list and may carry an alias
	at         int  // where to point when a node has no place of its own
	depth      int
}

// aliases says what an alias of the select list means at a place.
type aliases uint8

const (
	noAliases       aliases = iota
	thenAliases             // after columns: WHERE, GROUP BY, QUALIFY, later columns
	keysThenAliases         // after keys, before other columns: HAVING
	aliasesFirst            // a bare name in ORDER BY
)

func (p place) readAlias(o *object) {
	if p.named {
		o.text("alias")
		return
	}
	o.noAlias()
}

// first is the first source in sight, so many SELECTs outwards.
func (p place) first(up int) int {
	if up == 0 {
		return p.lo
	}
	return 0
}

// inner is the place of a part of the expression at o.
func (p place) inner(o *object) place {
	p.named, p.at = false, o.at
	p.depth++
	return p
}

// expr reads an expression.
func (b *binder) expr(n map[string]any, p place) plan.Expr {
	if p.depth > maxDepth {
		b.fail("query-too-large", located(n, p.at))
	}
	if b.err != nil {
		return plan.Expr{}
	}
	switch class(n) {
	case "COLUMN_REF":
		return b.columnRef(n, p)
	case "CONSTANT":
		l, ok := b.constantNode(n, p)
		if !ok {
			b.fail("not-supported", located(n, p.at))
		}
		return plan.Expr{Op: plan.ExprLiteral, Lit: l, Offset: l.Offset}
	}
	o := b.object(n, p.at)
	o.raw("class")
	p.readAlias(o)
	p = p.inner(o)
	switch class(n) {
	case "CONJUNCTION":
		return b.conjunction(o, p)
	case "COMPARISON":
		return b.comparison(o, p)
	case "BETWEEN":
		return b.between(o, p)
	case "OPERATOR":
		return b.operator(o, p)
	case "FUNCTION":
		return b.function(o, p)
	case "WINDOW":
		return b.window(o, p)
	case "CASE":
		return b.caseOf(o, p)
	case "CAST":
		return b.cast(o, p)
	case "SUBQUERY":
		return b.subquery(o, p)
	}
	b.fail(classCode(class(n)), o.at)
	return plan.Expr{}
}

// classCode says why a kind of node is refused.
func classCode(class string) string {
	switch class {
	case "PARAMETER":
		return "parameter"
	case "LAMBDA", "LAMBDA_REF":
		return "lambda"
	case "STAR":
		return "columns-expression"
	case "POSITIONAL_REFERENCE":
		return "position"
	}
	return "not-supported"
}

func (b *binder) exprs(nodes []any, p place) []plan.Expr {
	out := make([]plan.Expr, 0, len(nodes))
	for _, n := range nodes {
		out = append(out, b.expr(asMap(n), p))
	}
	return out
}

func not(e plan.Expr, at int) plan.Expr {
	return plan.Expr{Op: plan.ExprNot, Args: []plan.Expr{e}, Offset: at}
}

func (b *binder) conjunction(o *object, p place) plan.Expr {
	e := plan.Expr{Op: plan.ExprAnd, Offset: o.at}
	switch o.text("type") {
	case "CONJUNCTION_AND":
	case "CONJUNCTION_OR":
		e.Op = plan.ExprOr
	default:
		b.fail("not-supported", o.at)
	}
	children := o.list("children")
	o.end()
	if len(children) == 0 {
		b.fail("not-supported", o.at)
	}
	e.Args = b.exprs(children, p)
	return e
}

func comparisonOf(t string) plan.Cmp {
	switch t {
	case "COMPARE_EQUAL":
		return plan.CmpEq
	case "COMPARE_NOTEQUAL":
		return plan.CmpNe
	case "COMPARE_LESSTHAN":
		return plan.CmpLt
	case "COMPARE_LESSTHANOREQUALTO":
		return plan.CmpLe
	case "COMPARE_GREATERTHAN":
		return plan.CmpGt
	case "COMPARE_GREATERTHANOREQUALTO":
		return plan.CmpGe
	}
	return 0
}

func (b *binder) comparison(o *object, p place) plan.Expr {
	t := o.text("type")
	l, r := o.node("left"), o.node("right")
	o.end()
	if isTrue(t, r) {
		l = uncast(l)
	}
	e := plan.Expr{Op: plan.ExprCompare, Cmp: comparisonOf(t), Args: []plan.Expr{b.compared(l, p), b.compared(r, p)}, Offset: o.at}
	switch {
	case e.Cmp != 0:
	case t == "COMPARE_DISTINCT_FROM":
		e.Op = plan.ExprDistinct
	case t == "COMPARE_NOT_DISTINCT_FROM":
		e.Op = plan.ExprDistinct
		return not(e, o.at)
	default:
		b.fail("comparison-kind", o.at)
	}
	return e
}

// isTrue knows IS TRUE and IS FALSE: only there a truth value is a constant, and not a cast of 't'.
func isTrue(t string, right map[string]any) bool {
	kind, _ := asMap(asMap(right["value"])["type"])["id"].(string)
	return (t == "COMPARE_DISTINCT_FROM" || t == "COMPARE_NOT_DISTINCT_FROM") && class(right) == "CONSTANT" && kind == "BOOLEAN"
}

// uncast drops the cast to BOOLEAN that the parser puts around what IS TRUE asks about. A cast that was written has a place.
func uncast(n map[string]any) map[string]any {
	to, _ := asMap(n["cast_type"])["id"].(string)
	child := asMap(n["child"])
	if class(n) == "CAST" && to == "BOOLEAN" && location(n) < 0 && n["try_cast"] == false && n["alias"] == "" && fields(n) == 6 && class(child) != "CONSTANT" &&
		len(asMap(n["cast_type"])) == 2 && empty(asMap(n["cast_type"])["type_info"]) && n["type"] == "OPERATOR_CAST" {
		return child
	}
	return n
}

func (b *binder) between(o *object, p place) plan.Expr {
	if o.text("type") != "COMPARE_BETWEEN" {
		b.fail("not-supported", o.at)
	}
	e := plan.Expr{Op: plan.ExprBetween, Offset: o.at}
	for _, part := range []string{"input", "lower", "upper"} {
		e.Args = append(e.Args, b.compared(asMap(o.raw(part)), p))
	}
	o.end()
	return e
}

func (b *binder) operator(o *object, p place) plan.Expr {
	t, children := o.text("type"), o.list("children")
	o.end()
	if t == "GROUPING_FUNCTION" {
		return b.grouping(o, children, p)
	}
	if len(children) == 0 {
		b.fail("not-supported", o.at)
		return plan.Expr{}
	}
	if (t == "COMPARE_IN" || t == "COMPARE_NOT_IN") && isRow(asMap(children[0])) && len(children) > 1 {
		if e := b.rowIn(children, o, p); t == "COMPARE_IN" {
			return e
		} else {
			return not(e, o.at)
		}
	}
	e := plan.Expr{Args: b.exprs(children, p), Offset: o.at}
	one := len(children) == 1
	switch {
	case t == "OPERATOR_NOT" && one:
		e.Op = plan.ExprNot
	case t == "OPERATOR_IS_NULL" && one:
		e.Op = plan.ExprIsNull
	case t == "OPERATOR_IS_NOT_NULL" && one:
		e.Op = plan.ExprIsNull
		return not(e, o.at)
	case t == "COMPARE_IN" && !one:
		e.Op = plan.ExprIn
	case t == "COMPARE_NOT_IN" && !one:
		e.Op = plan.ExprIn
		return not(e, o.at)
	case t == "OPERATOR_COALESCE":
		e.Op, e.Name = plan.ExprCall, "coalesce"
	default:
		b.fail("function-not-allowed", o.at)
	}
	return e
}

// grouping is GROUPING(key, …), which means something in the measure step alone.
func (b *binder) grouping(o *object, children []any, p place) plan.Expr {
	if p.fr == nil || !p.fr.measure || p.aggregates != "" || len(children) == 0 {
		b.fail("grouping-argument", o.at)
	}
	return plan.Expr{Op: plan.ExprCall, Name: "grouping", Args: b.exprs(children, p), Offset: o.at}
}

// caseOf reads CASE; the parser has written the form with an operand out as comparisons.
func (b *binder) caseOf(o *object, p place) plan.Expr {
	if o.text("type") != "CASE_EXPR" {
		b.fail("not-supported", o.at)
	}
	checks, otherwise := o.list("case_checks"), o.node("else_expr")
	o.end()
	e := plan.Expr{Op: plan.ExprCase, Offset: o.at}
	for _, v := range checks {
		c := b.object(v, o.at)
		when, then := c.node("when_expr"), c.node("then_expr")
		c.end()
		e.Args = append(e.Args, b.expr(when, p), b.expr(then, p))
	}
	if len(checks) == 0 {
		b.fail("not-supported", o.at)
	}
	e.Args = append(e.Args, b.expr(otherwise, p))
	return e
}

// subquery reads EXISTS, IN, = ANY and a subquery in the place of a value.
func (b *binder) subquery(o *object, p place) plan.Expr {
	o.raw("type")
	kind, comparison := o.text("subquery_type"), o.text("comparison_type")
	s := b.object(o.node("subquery"), o.at)
	node := s.node("node")
	if !empty(s.raw("named_param_map")) {
		b.fail("parameter", o.at)
	}
	s.end()
	child := o.optional("child")
	o.end()
	if b.err != nil {
		return plan.Expr{}
	}
	if kind == "ANY" && comparison == "COMPARE_EQUAL" && child != nil {
		if list, ok := b.unnested(node); ok {
			return plan.Expr{Op: plan.ExprIn, Args: append([]plan.Expr{b.expr(child, p)}, b.exprs(list, p)...), Offset: o.at}
		}
	}
	e := plan.Expr{Offset: o.at}
	switch {
	case kind == "EXISTS" && child == nil:
		e.Op = plan.ExprExists
		node = b.anyRow(node)
	case kind == "SCALAR" && child == nil:
		e.Op = plan.ExprScalar
	case kind == "ANY" && child != nil && comparison == "COMPARE_EQUAL":
		e.Op = plan.ExprInSub
		if f, _ := child["function_name"].(string); class(child) == "FUNCTION" && f == "row" {
			b.fail("row-value", o.at)
		}
		e.Args = []plan.Expr{b.expr(child, p)}
	case kind == "ANY" && child != nil:
		b.fail("quantified-comparison", o.at)
	default:
		b.fail("not-supported", o.at)
	}
	r, columns := b.relation(node, &frame{parent: p.fr, env: p.fr.env}, o.at)
	if e.Op != plan.ExprExists && len(columns) != 1 {
		b.fail("subquery-columns", o.at)
	}
	if e.Op == plan.ExprExists && len(r.Union) == 0 && !r.Grouped && r.Qualify == nil {
		// What the rows hold and whether they repeat is not asked.
		r.Columns, r.Distinct, r.DistinctOn, r.Order = []plan.ColumnSpec{one(o.at)}, false, nil, nil
	}
	e.Sub = &r
	return e
}

// one is the column of a subquery that is only asked whether it has rows.
func one(at int) plan.ColumnSpec {
	l := plan.Literal{Kind: plan.LitNumber, Text: "1", Offset: at}
	return plan.ColumnSpec{Name: "1", Expr: plan.Expr{Op: plan.ExprLiteral, Lit: l, Offset: at}, Offset: at}
}

// anyRow drops LIMIT n, n at least 1, from the subquery of EXISTS, where it changes nothing.
func (b *binder) anyRow(node map[string]any) map[string]any {
	list, _ := node["modifiers"].([]any)
	var kept []any
	for _, v := range list {
		m := asMap(v)
		l, ok := b.literal(asMap(m["limit"]), 0)
		if m["type"] == "LIMIT_MODIFIER" && empty(m["offset"]) && ok && l.Kind == plan.LitNumber && fields(m) <= 3 && l.Text != "" && l.Text[0] >= '1' && l.Text[0] <= '9' {
			continue
		}
		kept = append(kept, v)
	}
	if len(kept) == len(list) {
		return node
	}
	out := make(map[string]any, len(node))
	for k, v := range node {
		out[k] = v
	}
	out["modifiers"] = kept
	return out
}

// unnested knows the tree that the parser makes of x = ANY(['a', 'b']), and gives its list.
func (b *binder) unnested(node map[string]any) ([]any, bool) {
	list, _ := node["select_list"].([]any)
	from := asMap(node["from_table"])
	if len(list) != 1 || from["type"] != "EMPTY" || asMap(list[0])["function_name"] != "unnest" {
		return nil, false
	}
	o := b.object(node, 0)
	for _, k := range []string{"type", "select_list", "aggregate_handling"} {
		o.raw(k)
	}
	m := b.object(o.node("cte_map"), o.at)
	m.end()
	f := b.object(o.node("from_table"), o.at)
	f.raw("type")
	f.end()
	o.end()
	u := b.object(list[0], o.at)
	u.noAlias()
	c := b.call(u)
	if b.err != nil || !c.plain() || len(c.args) != 1 || asMap(c.args[0])["function_name"] != "list_value" {
		b.fail("table-function", u.at)
		return nil, true
	}
	v := b.object(c.args[0], u.at)
	v.noAlias()
	l := b.call(v)
	if len(l.args) == 0 || !l.plain() {
		b.fail("not-supported", v.at)
	}
	return l.args, true
}
