package bind

import (
	"encoding/json"
	"math/big"
	"strconv"

	"carrel/anonymize/plan"
)

// literal reads a constant; another node is none, and is not read.
func (b *binder) literal(n map[string]any, at int) (plan.Literal, bool) {
	if class(n) != "CONSTANT" {
		return plan.Literal{}, false
	}
	return b.constantNode(n, place{at: at})
}

func (b *binder) constantNode(n map[string]any, p place) (plan.Literal, bool) {
	o := b.object(n, p.at)
	if o.text("type") != "VALUE_CONSTANT" {
		b.fail("not-supported", o.at)
	}
	o.raw("class")
	p.readAlias(o)
	l, ok := b.constant(o.raw("value"), o.at)
	l.Offset = o.at
	o.end()
	return l, ok && b.err == nil
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
