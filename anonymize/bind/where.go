package bind

import (
	"encoding/json"
	"math/big"
	"strconv"
	"strings"

	"carrel/anonymize/plan"
)

// classCode says why an expression that is no column and no literal is refused.
func classCode(n map[string]any, otherwise string) string {
	switch class(n) {
	case "FUNCTION":
		return functionCode(n, otherwise)
	case "OPERATOR":
		if t, _ := n["type"].(string); t == "OPERATOR_TRY" || t == "OPERATOR_COALESCE" {
			return "function-not-allowed"
		}
		return otherwise
	case "SUBQUERY":
		return "subquery"
	case "WINDOW":
		return "window"
	case "CASE":
		return "case"
	case "CAST":
		return "cast"
	case "PARAMETER":
		return "parameter"
	case "LAMBDA", "LAMBDA_REF":
		return "lambda"
	case "STAR":
		return "select-star"
	case "COLLATE":
		return "not-supported"
	default:
		return otherwise
	}
}

// functionCode tells a function or an aggregate from arithmetic, inside WHERE.
func functionCode(n map[string]any, otherwise string) string {
	name, _ := n["function_name"].(string)
	operator, _ := n["is_operator"].(bool)
	switch {
	case otherwise != "where-expression" && otherwise != "not-a-literal" || name == "row":
		return otherwise
	case (call{name: fold(name)}).aggregate():
		return "aggregate-in-where"
	case operator:
		return "where-expression"
	}
	return "function-not-allowed"
}

func (b *binder) predicate(n map[string]any, depth int) plan.Pred {
	o := b.object(n, -1)
	if depth > maxDepth {
		b.fail("query-too-large", o.at)
	}
	if b.err != nil {
		return plan.Pred{}
	}
	o.noAlias()
	o.raw("class")
	switch class(n) {
	case "CONJUNCTION":
		return b.conjunction(o, depth)
	case "COMPARISON":
		return b.comparison(o)
	case "BETWEEN":
		return b.between(o)
	case "OPERATOR":
		return b.operator(o, depth)
	case "FUNCTION":
		return b.like(o)
	case "CONSTANT", "CAST":
		if l, ok := b.literal(n); ok && (l.Kind == plan.LitBool || l.Kind == plan.LitNull) {
			return plan.Pred{Op: plan.PredConst, Values: []plan.Literal{l}, Offset: o.at}
		}
	}
	b.fail(classCode(n, "where-expression"), o.at)
	return plan.Pred{}
}

func (b *binder) conjunction(o *object, depth int) plan.Pred {
	p := plan.Pred{Op: plan.PredAnd, Offset: o.at}
	switch o.text("type") {
	case "CONJUNCTION_AND":
	case "CONJUNCTION_OR":
		p.Op = plan.PredOr
	default:
		b.fail("not-supported", o.at)
	}
	for _, c := range o.list("children") {
		p.Args = append(p.Args, b.predicate(asMap(c), depth+1))
	}
	o.end()
	return p
}

func comparisons(t string) (cmp, flipped plan.Cmp) {
	switch t {
	case "COMPARE_EQUAL":
		return plan.CmpEq, plan.CmpEq
	case "COMPARE_NOTEQUAL":
		return plan.CmpNe, plan.CmpNe
	case "COMPARE_LESSTHAN":
		return plan.CmpLt, plan.CmpGt
	case "COMPARE_LESSTHANOREQUALTO":
		return plan.CmpLe, plan.CmpGe
	case "COMPARE_GREATERTHAN":
		return plan.CmpGt, plan.CmpLt
	case "COMPARE_GREATERTHANOREQUALTO":
		return plan.CmpGe, plan.CmpLe
	}
	return 0, 0
}

func (b *binder) comparison(o *object) plan.Pred {
	cmp, flipped := comparisons(o.text("type"))
	l, r := o.node("left"), o.node("right")
	o.end()
	if cmp == 0 {
		b.fail("comparison-kind", o.at)
		return plan.Pred{}
	}
	lc, rc := class(l) == "COLUMN_REF", class(r) == "COLUMN_REF"
	switch {
	case lc && rc:
		return plan.Pred{Op: plan.PredColumns, Left: b.column(l), Cmp: cmp, Right: b.column(r), Offset: o.at}
	case lc:
		return plan.Pred{Op: plan.PredCompare, Left: b.column(l), Cmp: cmp, Values: b.literals([]any{r}, o.at), Offset: o.at}
	case rc:
		return plan.Pred{Op: plan.PredCompare, Left: b.column(r), Cmp: flipped, Values: b.literals([]any{l}, o.at), Offset: o.at}
	}
	bad := l
	if _, ok := b.literal(l); ok {
		bad = r
	}
	b.fail(classCode(bad, "where-expression"), firstOf(location(bad), o.at))
	return plan.Pred{}
}

func (b *binder) between(o *object) plan.Pred {
	if o.text("type") != "COMPARE_BETWEEN" {
		b.fail("not-supported", o.at)
	}
	in := o.node("input")
	values := []any{o.raw("lower"), o.raw("upper")}
	o.end()
	return plan.Pred{Op: plan.PredBetween, Left: b.tested(in, o.at), Values: b.literals(values, o.at), Offset: o.at}
}

// tested is the column that a predicate is about.
func (b *binder) tested(n map[string]any, at int) plan.ColRef {
	if class(n) != "COLUMN_REF" {
		b.fail(classCode(n, "where-expression"), firstOf(location(n), at))
		return plan.ColRef{}
	}
	return b.column(n)
}

func (b *binder) operator(o *object, depth int) plan.Pred {
	t, children := o.text("type"), o.list("children")
	o.end()
	if len(children) == 0 {
		b.fail("not-supported", o.at)
		return plan.Pred{}
	}
	first := asMap(children[0])
	p := plan.Pred{Offset: o.at}
	switch t {
	case "OPERATOR_NOT":
		p.Op, p.Args = plan.PredNot, []plan.Pred{b.predicate(first, depth+1)}
		return p
	case "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL":
		p.Op, p.Left = plan.PredIsNull, b.tested(first, o.at)
	case "COMPARE_IN", "COMPARE_NOT_IN":
		p.Op, p.Left, p.Values = plan.PredIn, b.tested(first, o.at), b.literals(children[1:], o.at)
	default:
		b.fail("function-not-allowed", o.at)
	}
	if t == "OPERATOR_IS_NOT_NULL" || t == "COMPARE_NOT_IN" {
		return plan.Pred{Op: plan.PredNot, Args: []plan.Pred{p}, Offset: o.at}
	}
	return p
}

func (b *binder) like(o *object) plan.Pred {
	f := b.function(o)
	p := plan.Pred{Op: plan.PredLike, Offset: o.at}
	negate := false
	switch {
	case f.operator && f.name == "~~":
	case f.operator && f.name == "!~~":
		negate = true
	case f.operator && f.name == "~~*":
		p.Op = plan.PredILike
	case f.operator && f.name == "!~~*":
		p.Op, negate = plan.PredILike, true
	case strings.HasSuffix(f.name, "like_escape"):
		b.fail("like-escape", o.at)
	case f.aggregate():
		b.fail("aggregate-in-where", o.at)
	case f.operator:
		b.fail("where-expression", o.at)
	default:
		b.fail("function-not-allowed", o.at)
	}
	if b.err != nil || len(f.args) != 2 || f.distinct {
		b.fail("not-supported", o.at)
		return plan.Pred{}
	}
	p.Left, p.Values = b.tested(asMap(f.args[0]), o.at), b.literals(f.args[1:], o.at)
	if negate {
		return plan.Pred{Op: plan.PredNot, Args: []plan.Pred{p}, Offset: o.at}
	}
	return p
}

func (b *binder) literals(nodes []any, at int) []plan.Literal {
	out := make([]plan.Literal, 0, len(nodes))
	for _, v := range nodes {
		n := asMap(v)
		l, ok := b.literal(n)
		if !ok {
			b.fail(classCode(n, "not-a-literal"), firstOf(location(n), at))
			return nil
		}
		if l.Offset < 0 {
			l.Offset = at
		}
		out = append(out, l)
	}
	return out
}

// literal reads a constant, or one of the two casts that the parser itself makes of a constant: a date and a truth value.
func (b *binder) literal(n map[string]any) (plan.Literal, bool) {
	o := b.object(n, -1)
	switch class(n) {
	case "CONSTANT":
		if o.text("type") != "VALUE_CONSTANT" {
			return plan.Literal{}, false
		}
		o.raw("class")
		o.noAlias()
		l, ok := b.constant(o.raw("value"), o.at)
		l.Offset = o.at
		o.end()
		return l, ok && b.err == nil
	case "CAST":
		return b.castLiteral(o)
	}
	return plan.Literal{}, false
}

func (b *binder) castLiteral(o *object) (plan.Literal, bool) {
	child := asMap(o.raw("child"))
	if class(child) != "CONSTANT" || o.text("type") != "OPERATOR_CAST" || o.boolean("try_cast") {
		return plan.Literal{}, false
	}
	o.raw("class")
	o.noAlias()
	to := b.object(o.raw("cast_type"), o.at)
	id := to.text("id")
	to.refuseUnlessEmpty("type_info", "cast")
	to.end()
	o.end()
	l, ok := b.literal(child)
	if !ok || l.Kind != plan.LitString {
		return plan.Literal{}, false
	}
	switch id {
	case "DATE":
		l.Kind = plan.LitDate
		return l, true
	case "BOOLEAN":
		l.Kind = plan.LitBool
		switch l.Text {
		case "t":
			l.Text = "true"
			return l, true
		case "f":
			l.Text = "false"
			return l, true
		}
	}
	return plan.Literal{}, false
}

// constant reads a typed value of the tree exactly: integers and decimals digit by digit, doubles as their shortest decimal.
func (b *binder) constant(node any, at int) (plan.Literal, bool) {
	o := b.object(node, at)
	t := b.object(o.raw("type"), at)
	id, info := t.text("id"), t.optional("type_info")
	t.end()
	null, v := o.boolean("is_null"), o.raw("value")
	o.end()
	if info != nil && id != "DECIMAL" {
		b.fail("not-supported", at)
	}
	if b.err != nil {
		return plan.Literal{}, false
	}
	if null {
		return plan.Literal{Kind: plan.LitNull}, v == nil
	}
	switch id {
	case "VARCHAR":
		s, ok := v.(string)
		return plan.Literal{Kind: plan.LitString, Text: s}, ok
	case "BOOLEAN":
		x, ok := v.(bool)
		return plan.Literal{Kind: plan.LitBool, Text: strconv.FormatBool(x)}, ok
	case "INTEGER", "BIGINT", "HUGEINT", "UHUGEINT":
		i, ok := integer(v)
		if !ok {
			return plan.Literal{}, false
		}
		return plan.Literal{Kind: plan.LitNumber, Text: i.String()}, true
	case "DECIMAL":
		return b.decimal(v, info, at)
	case "DOUBLE":
		n, ok := v.(json.Number)
		return plan.Literal{Kind: plan.LitNumber, Text: n.String()}, ok
	}
	return plan.Literal{}, false
}

func integer(v any) (*big.Int, bool) {
	switch x := v.(type) {
	case json.Number:
		if len(x) > 40 {
			return nil, false
		}
		return new(big.Int).SetString(x.String(), 10)
	case map[string]any: // upper and lower 64 bits
		up, ok1 := integer(number(x["upper"]))
		low, ok2 := integer(number(x["lower"]))
		if !ok1 || !ok2 || len(x) > 2 {
			return nil, false
		}
		return up.Add(up.Lsh(up, 64), low), true
	}
	return nil, false
}

// number lets only a plain number through, so that integer does not nest.
func number(v any) any {
	if n, ok := v.(json.Number); ok {
		return n
	}
	return nil
}

func (b *binder) decimal(v any, info map[string]any, at int) (plan.Literal, bool) {
	o := b.object(info, at)
	n, ok2 := o.raw("scale").(json.Number)
	o.raw("width")
	if o.text("type") != "DECIMAL_TYPE_INFO" {
		return plan.Literal{}, false
	}
	o.end()
	i, ok := integer(v)
	if !ok || !ok2 {
		return plan.Literal{}, false
	}
	scale, err := n.Int64()
	if err != nil || scale < 0 || scale > 38 {
		return plan.Literal{}, false
	}
	digits := new(big.Int).Abs(i).String()
	for int64(len(digits)) <= scale {
		digits = "0" + digits
	}
	text := digits
	if scale > 0 {
		cut := len(digits) - int(scale)
		text = digits[:cut] + "." + digits[cut:]
	}
	if i.Sign() < 0 {
		text = "-" + text
	}
	return plan.Literal{Kind: plan.LitNumber, Text: text}, true
}
