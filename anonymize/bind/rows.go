package bind

import (
	"regexp"

	"carrel/anonymize/plan"
)

// rowIn is (a, b) IN ((1, 2), (3, 4)). DuckDB compares rows value by value as IS NOT DISTINCT FROM does: NULL is the same as NULL, and the
// whole is never NULL.
func (b *binder) rowIn(children []any, o *object, p place) plan.Expr {
	any := plan.Expr{Op: plan.ExprOr, Offset: o.at}
	if len(children) > maxItems {
		b.fail("query-too-large", o.at)
		return any
	}
	for _, item := range children[1:] {
		left, right := b.rowValue(asMap(children[0]), o, p), b.rowValue(asMap(item), o, p)
		if b.err == nil && len(left) != len(right) {
			b.fail("row-value", o.at)
		}
		if b.err != nil {
			return any
		}
		all := plan.Expr{Op: plan.ExprAnd, Offset: o.at}
		for i := range left {
			all.Args = append(all.Args, not(plan.Expr{Op: plan.ExprDistinct, Args: []plan.Expr{left[i], right[i]}, Offset: o.at}, o.at))
		}
		any.Args = append(any.Args, all)
	}
	if len(any.Args) == 1 {
		return any.Args[0]
	}
	return any
}

func isRow(n map[string]any) bool {
	name, _ := n["function_name"].(string)
	return class(n) == "FUNCTION" && fold(name) == "row"
}

func (b *binder) rowValue(n map[string]any, o *object, p place) []plan.Expr {
	if !isRow(n) {
		b.fail("row-value", o.at)
		return nil
	}
	r := b.object(n, o.at)
	r.noAlias()
	c := b.call(r)
	if !c.plain() || len(c.args) == 0 {
		b.fail("row-value", o.at)
	}
	return b.exprs(c.args, p)
}

// midnight is a moment that is a day's first.
var midnight = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})(?:[ T]00:00(?::00(?:\.0+)?)?)?$`)

// compared reads an operand of a comparison. There a date and a timestamp at midnight are the same: TIMESTAMP 'YYYY-MM-DD 00:00:00', a
// column cast to TIMESTAMP and strptime() are dates. Elsewhere they are not (their difference is an interval), and are refused.
func (b *binder) compared(n map[string]any, p place) plan.Expr {
	id, _ := asMap(n["cast_type"])["id"].(string)
	if class(n) != "CAST" || id != "TIMESTAMP" || !empty(asMap(n["cast_type"])["type_info"]) {
		e := b.expr(n, p)
		if e.Op == plan.ExprCall && (e.Name == "strptime" || e.Name == "try_strptime") {
			e = plan.Expr{Op: plan.ExprCast, To: plan.Cast{Kind: plan.CastDate}, Args: []plan.Expr{e}, Offset: e.Offset}
		}
		return e
	}
	o := b.object(n, p.at)
	o.raw("class")
	b.castType(o)
	o.noAlias()
	if o.text("type") != "OPERATOR_CAST" {
		b.fail("not-supported", o.at)
	}
	child := o.node("child")
	o.refuseUnlessEmpty("try_cast", "cast")
	o.end()
	e := b.expr(child, p.inner(o))
	if b.err != nil {
		return e
	}
	if e.Op == plan.ExprLiteral && e.Lit.Kind == plan.LitString {
		m := midnight.FindStringSubmatch(e.Lit.Text)
		if m == nil {
			b.fail("cast", o.at)
			return e
		}
		e.Lit.Kind, e.Lit.Text = plan.LitDate, m[1]
		return e
	}
	if e.Op != plan.ExprColumn { // of a text or a number it would mean something else
		b.fail("cast", o.at)
		return e
	}
	return plan.Expr{Op: plan.ExprCall, Name: "date_trunc", Offset: o.at,
		Args: []plan.Expr{{Op: plan.ExprLiteral, Lit: plan.Literal{Kind: plan.LitString, Text: "day", Offset: o.at}, Offset: o.at}, e}}
}
