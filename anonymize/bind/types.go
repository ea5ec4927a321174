package bind

import (
	"encoding/json"
	"strconv"
	"strings"

	"carrel/anonymize/plan"
)

// cast reads a cast. A date or a truth value written as text is a literal.
func (b *binder) cast(o *object, p place) plan.Expr {
	if o.text("type") != "OPERATOR_CAST" {
		b.fail("not-supported", o.at)
	}
	child, try := o.node("child"), o.boolean("try_cast")
	id, to := b.castType(o)
	o.end()
	if b.err != nil {
		return plan.Expr{}
	}
	if l, ok := b.literal(child, o.at); ok && l.Kind == plan.LitString && !try {
		if e, ok := b.typed(l, id, o.at); ok {
			return e
		}
	}
	if to.Kind == 0 {
		b.fail("cast", o.at)
		return plan.Expr{}
	}
	to.Try = try
	return plan.Expr{Op: plan.ExprCast, Args: []plan.Expr{b.expr(child, p)}, To: to, Offset: o.at}
}

// typed is a text that a cast makes a value of: a date, the parser's 't' and 'f', an interval.
func (b *binder) typed(l plan.Literal, id string, at int) (plan.Expr, bool) {
	if l.Offset < 0 {
		l.Offset = at
	}
	switch {
	case id == "DATE":
		l.Kind = plan.LitDate
	case id == "BOOLEAN" && (l.Text == "t" || l.Text == "f"):
		l.Kind, l.Text = plan.LitBool, strconv.FormatBool(l.Text == "t")
	case id == "INTERVAL":
		text, ok := intervalText(l.Text)
		if !ok {
			b.fail("interval", at)
		}
		l.Kind, l.Text = plan.LitInterval, text
	default:
		return plan.Expr{}, false
	}
	return plan.Expr{Op: plan.ExprLiteral, Lit: l, Offset: l.Offset}, true
}

// castType reads a type; Kind stays zero for one that has no meaning here. The width of a decimal says only when DuckDB would fail.
func (b *binder) castType(o *object) (string, plan.Cast) {
	t := b.object(o.raw("cast_type"), o.at)
	id, info := t.text("id"), t.optional("type_info")
	t.end()
	if id == "DECIMAL" && info != nil {
		scale, ok := b.decimalScale(info, o.at)
		if !ok {
			b.fail("cast", o.at)
		}
		return id, plan.Cast{Kind: plan.CastDecimal, Scale: scale}
	}
	if info != nil {
		b.fail("cast", o.at)
	}
	return id, plan.Cast{Kind: castKind(id), Width: width(id)}
}

// width is the bits of a narrow integer type, negative for an unsigned one. Nothing here is wider than 64 bits.
func width(id string) int {
	return map[string]int{"TINYINT": 8, "SMALLINT": 16, "INTEGER": 32, "UTINYINT": -8, "USMALLINT": -16, "UINTEGER": -32, "UBIGINT": -64, "UHUGEINT": -64}[id]
}

func castKind(id string) plan.CastKind {
	switch id {
	case "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT":
		return plan.CastInteger
	case "FLOAT", "DOUBLE":
		return plan.CastReal
	case "DATE":
		return plan.CastDate
	case "BOOLEAN":
		return plan.CastBoolean
	case "VARCHAR":
		return plan.CastText
	}
	return 0
}

func (b *binder) decimalScale(info map[string]any, at int) (int, bool) {
	o := b.object(info, at)
	kind := o.text("type")
	n, ok := o.raw("scale").(json.Number)
	o.raw("width")
	o.end()
	scale, err := n.Int64()
	return int(scale), ok && kind == "DECIMAL_TYPE_INFO" && err == nil && scale >= 0 && scale <= 38
}

// span is a unit of an interval: so many days, months or years; zero for one that has no meaning here.
type span struct {
	unit string
	each int64
}

// unitOf knows the functions that the parser makes of INTERVAL n UNIT.
func unitOf(name string) (span, bool) {
	switch name {
	case "to_days":
		return span{"day", 1}, true
	case "to_weeks":
		return span{"day", 7}, true
	case "to_months":
		return span{"month", 1}, true
	case "to_quarters":
		return span{"month", 3}, true
	case "to_years":
		return span{"year", 1}, true
	case "to_decades":
		return span{"year", 10}, true
	case "to_centuries":
		return span{"year", 100}, true
	case "to_millennia", "to_hours", "to_minutes", "to_seconds", "to_milliseconds", "to_microseconds":
		return span{}, true
	}
	return span{}, false
}

// interval reads INTERVAL n UNIT, of a literal n.
func (b *binder) interval(c call, o *object) plan.Expr {
	u, _ := unitOf(c.name)
	if len(c.args) != 1 || u.each == 0 {
		b.fail("interval", o.at)
		return plan.Expr{}
	}
	l := b.intervalCount(asMap(c.args[0]), o.at, 0)
	text, ok := count(l.Text, u)
	if b.err == nil && (!ok || l.Kind != plan.LitNumber && l.Kind != plan.LitString) {
		b.fail("interval", o.at)
	}
	return plan.Expr{Op: plan.ExprLiteral, Lit: plan.Literal{Kind: plan.LitInterval, Text: text, Offset: o.at}, Offset: o.at}
}

// intervalCount reads the literal inside the casts and the trunc() that the parser puts around it.
func (b *binder) intervalCount(n map[string]any, at, depth int) plan.Literal {
	if l, ok := b.literal(n, at); ok || depth > 3 {
		if depth > 3 {
			b.fail("interval", at)
		}
		return l
	}
	o := b.object(n, at)
	switch class(n) {
	case "CAST":
		o.raw("class")
		o.raw("type")
		o.noAlias()
		if id, _ := b.castType(o); o.boolean("try_cast") || id != "DOUBLE" && id != "INTEGER" && id != "BIGINT" {
			b.fail("interval", at)
		}
		child := o.node("child")
		o.end()
		return b.intervalCount(child, at, depth+1)
	case "FUNCTION":
		o.noAlias()
		if c := b.call(o); c.name == "trunc" && len(c.args) == 1 && c.plain() {
			return b.intervalCount(asMap(c.args[0]), at, depth+1)
		}
	}
	b.fail("interval", at)
	return plan.Literal{}
}

// maxInterval bounds the count of an interval: 100,000 years are enough for anybody, and no product overflows.
const maxInterval = 100_000 * 366

func count(text string, u span) (string, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
	if n *= u.each; err != nil || n > maxInterval || n < -maxInterval {
		return "", false
	}
	return strconv.FormatInt(n, 10) + " " + u.unit, true
}

// intervalText reads '3 days' and the like: one count, one unit.
func intervalText(s string) (string, bool) {
	f := strings.Fields(fold(s))
	if len(f) != 2 {
		return "", false
	}
	u, _ := unitOf("to_" + strings.TrimSuffix(f[1], "s") + "s")
	if u.each == 0 {
		return "", false
	}
	return count(f[0], u)
}
