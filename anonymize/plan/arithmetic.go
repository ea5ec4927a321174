package plan

import "math"

// Interval arithmetic: the bounds of each result hold for every choice of operands inside their bounds.

// hull is the interval of f at the corners: right for functions that are monotone in each operand.
func corners(x, y *Column, f func(a, b int64) (int64, bool)) (lo, hi int64, ok bool) {
	lo, hi, ok = math.MaxInt64, math.MinInt64, true
	for _, a := range []int64{x.Lo, x.Hi} {
		for _, b := range []int64{y.Lo, y.Hi} {
			v, good := f(a, b)
			ok = ok && good
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	return lo, hi, ok
}

// number of an operator: + and - of equal decimals, * adds the decimals.
func (b *builder) addition(op string, x, y value, at int) value {
	if v, ok := b.dateArithmetic(op, x, y, at); ok {
		return v
	}
	x, y = b.settle(x, y, at)
	if !b.numeric(x, at) || !b.numeric(y, at) {
		return value{}
	}
	x, y = b.align(x, y, at)
	f := total
	if op == "-" {
		f = func(a, c int64) (int64, bool) { return total(a, -c) }
	}
	lo, hi, ok := corners(x.col, y.col, f)
	if !ok {
		b.fail("expression-too-large", at)
	}
	if b.err != nil {
		return value{}
	}
	c := Column{Kind: kindOf(x.col.Scale), Scale: x.col.Scale, Lo: lo, Hi: hi, step: gcd(stepOf(x.col), stepOf(y.col))}
	if x.col.Unit == y.col.Unit {
		c.Unit = x.col.Unit
	}
	return b.compute("($0; "+op+" $1;)", c, x, y)
}

func stepOf(c *Column) int64 {
	if c.Lo == c.Hi {
		return 0
	}
	return max(1, c.step)
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func (b *builder) times(x, y value, at int) value {
	x, y = b.settle(x, y, at)
	if !b.numeric(x, at) || !b.numeric(y, at) {
		return value{}
	}
	lo, hi, ok := corners(x.col, y.col, product)
	if !ok {
		b.fail("expression-too-large", at)
		return value{}
	}
	s := x.col.Scale + y.col.Scale
	c := Column{Kind: kindOf(s), Scale: s, Lo: lo, Hi: hi, step: 1}
	if x.col.Lo == x.col.Hi {
		c.step = abs(x.col.Lo) * max(1, y.col.step)
	} else if y.col.Lo == y.col.Hi {
		c.step = abs(y.col.Lo) * max(1, x.col.step)
	}
	v := b.compute("($0; * $1;)", c, x, y)
	if s > 9 {
		return b.toScale(v, realScale)
	}
	return v
}

// toScale rounds a number to fewer decimals, half away from zero.
func (b *builder) toScale(v value, scale int) value {
	if b.err != nil || v.col.Scale <= scale {
		return v
	}
	f := int64(math.Pow10(v.col.Scale - scale))
	c := Column{Kind: kindOf(scale), Scale: scale, Lo: halfAway(v.col.Lo, f), Hi: halfAway(v.col.Hi, f), Unit: v.col.Unit}
	return b.compute("(($0; + CASE WHEN $0; < 0 THEN "+number(-f/2)+" ELSE "+number(f/2)+" END) // "+number(f)+")", c, v)
}

// halfAway is n/f rounded half away from zero; // in DuckDB truncates towards zero, as / in Go.
func halfAway(n, f int64) int64 {
	if n < 0 {
		return (n - f/2) / f
	}
	return (n + f/2) / f
}

func (b *builder) negative(x value, at int) value {
	if !b.numeric(x, at) {
		return value{}
	}
	c := Column{Kind: x.col.Kind, Scale: x.col.Scale, Lo: -x.col.Hi, Hi: -x.col.Lo, Unit: x.col.Unit, step: x.col.step}
	if len(x.t.args) == 0 && x.t.format != "" && x.col.Lo == x.col.Hi && !x.col.Nullable { // NULL is no constant
		return constant(-x.col.Lo, x.col.Scale)
	}
	return b.compute("(- $0;)", c, x)
}

// divided is x / y as a real number: NULL where y is 0. Both are exact in a double below 2^53, so the quotient is the correctly rounded
// one on every machine and thread.
func (b *builder) divided(x, y value, at int) value {
	x, y = b.settle(x, y, at)
	if !b.numeric(x, at) || !b.numeric(y, at) {
		return value{}
	}
	worst := max(abs(x.col.Lo), abs(x.col.Hi))
	least := int64(1) // the smallest |y| that is not 0
	if y.col.Lo > 0 {
		least = y.col.Lo
	} else if y.col.Hi < 0 {
		least = -y.col.Hi
	}
	if worst >= maxSensitive {
		b.fail("expression-too-large", at)
	}
	scale := b.decimals(float64(worst)*math.Pow10(y.col.Scale-x.col.Scale)/float64(least), at)
	if b.err != nil {
		return value{}
	}
	shift := scale + y.col.Scale - x.col.Scale
	limit := math.Ceil(float64(worst)*math.Pow10(shift)/float64(least)) + 1
	lo, hi := int64(-limit), int64(limit)
	if x.col.Lo >= 0 && y.col.Lo >= 0 {
		lo = 0
	}
	c := Column{Kind: KindDecimal, Scale: scale, Lo: lo, Hi: hi, Nullable: y.col.Lo <= 0 && y.col.Hi >= 0}
	v := b.double("$0; / nullif($1;, 0)"+scaling(shift), c, x, y)
	v.over = []value{x, y}
	return v
}

func power(n int) string { return "1e" + number(int64(n)) }

// double computes a format over doubles and rounds it once to an integer.
func (b *builder) double(format string, c Column, args ...value) value {
	t := &term{format: "CAST(round(" + format + ") AS BIGINT)"}
	for _, a := range args {
		t.args = append(t.args, &term{format: "CAST($0; AS DOUBLE)", args: []*term{a.t}})
		c.origin = append(c.origin, a.col.origin...)
		c.Nullable = c.Nullable || b.canBeNull(a)
	}
	c.Bounded = true
	return value{t: t, col: &c}
}

// quotient is x // y (towards zero) or x % y (sign of x), of whole numbers: NULL where y is 0.
func (b *builder) quotient(op string, x, y value, at int) value {
	x, y = b.settle(x, y, at)
	if !b.numeric(x, at) || !b.numeric(y, at) {
		return value{}
	}
	if x.col.Scale != 0 || y.col.Scale != 0 {
		b.fail("not-a-whole-number", at)
		return value{}
	}
	worst := max(abs(x.col.Lo), abs(x.col.Hi))
	if op == "%" {
		worst = max(0, min(worst, max(abs(y.col.Lo), abs(y.col.Hi))-1)) // by 0 alone it is always NULL
	}
	c := Column{Kind: KindInt, Lo: -worst, Hi: worst, Nullable: y.col.Lo <= 0 && y.col.Hi >= 0}
	if x.col.Lo >= 0 && (y.col.Lo >= 0 || op == "%") {
		c.Lo = 0
	}
	if y.col.Lo == y.col.Hi && y.col.Lo > 0 && op == "//" {
		c.Lo, c.Hi = x.col.Lo/y.col.Lo, x.col.Hi/y.col.Lo
	}
	if c.Nullable {
		return b.compute("($0; "+op+" nullif($1;, 0))", c, x, y)
	}
	return b.compute("($0; "+op+" $1;)", c, x, y)
}

// settle gives literals whose kind was open the kind of the other operand: NULL, numbers and truth values become numbers.
func (b *builder) settle(x, y value, at int) (value, value) {
	return b.settled(x, at), b.settled(y, at)
}

func (b *builder) settled(v value, at int) value {
	if v.lit == nil || b.err != nil {
		return v
	}
	switch v.lit.Kind {
	case LitNull:
		return nothing(&Column{Kind: KindInt, Bounded: true, step: 1})
	case LitDate:
		n, ok := days(v.lit.Text)
		if !ok {
			b.fail("bad-date", v.lit.Offset)
			return v
		}
		c := constant(n, 0)
		c.col.Kind = KindDate
		return c
	case LitBool:
		n := int64(0)
		if v.lit.Text == "true" {
			n = 1
		}
		c := constant(n, 0)
		c.col.truth = true
		return c
	case LitNumber:
		return b.numeral(v.lit)
	default: // a text or an interval is no number
	}
	b.fail("text-in-arithmetic", max(at, v.lit.Offset))
	return v
}

// nothing is NULL of a column's kind.
func nothing(c *Column) value {
	d := *c
	d.Nullable = true
	return value{t: &term{format: "NULL"}, col: &d, narrow: fits32(&d)}
}

// numeral reads a number exactly, with at most 9 decimals.
func (b *builder) numeral(l *Literal) value {
	r, ok := rational(l.Text)
	if !ok {
		b.fail("bad-number", l.Offset)
		return value{}
	}
	for scale := 0; scale <= 9; scale++ {
		if n, exact := ceiling(scaled(r, scale)); exact && abs(n) < limitValue {
			return constant(n, scale)
		}
	}
	b.fail("bad-number", l.Offset)
	return value{}
}

// untrue makes a plain number of a truth value.
func untrue(v value) value {
	if v.col != nil && v.col.truth {
		c := *v.col
		c.truth = false
		v.col = &c
	}
	return v
}

// roundTo is round(x, digits), half away from zero as in DuckDB's decimals.
func (b *builder) roundTo(x value, digits int64, at int) value {
	if !b.numeric(x, at) {
		return value{}
	}
	if digits >= int64(x.col.Scale) {
		return untrue(x)
	}
	if digits < -15 {
		b.fail("expression-too-large", at)
		return value{}
	}
	if digits >= 0 {
		return b.toScale(x, int(digits))
	}
	whole := b.toScale(x, 0)
	f := int64(math.Pow10(int(-digits)))
	c := Column{Kind: KindInt, Lo: halfAway(whole.col.Lo, f) * f, Hi: halfAway(whole.col.Hi, f) * f, Unit: x.col.Unit, step: f}
	return b.compute("(($0; + CASE WHEN $0; < 0 THEN "+number(-f/2)+" ELSE "+number(f/2)+" END) // "+number(f)+" * "+number(f)+")", c, whole)
}

// wholePart is floor, ceil or trunc.
func (b *builder) wholePart(fn string, x value, at int) value {
	if !b.numeric(x, at) || x.col.Scale == 0 {
		return untrue(x)
	}
	if whole := x.over; whole != nil && fn != "ceil" && whole[0].col.Scale == 0 && whole[1].col.Scale == 0 && whole[0].col.Lo >= 0 && whole[1].col.Lo > 0 {
		return b.quotient("//", whole[0], whole[1], at)
	}
	f := int64(math.Pow10(x.col.Scale))
	c := Column{Kind: KindInt, Unit: x.col.Unit}
	switch fn {
	case "floor":
		c.Lo, c.Hi = floorDiv(x.col.Lo, f), floorDiv(x.col.Hi, f)
		return b.compute("(($0; - CASE WHEN $0; < 0 THEN "+number(f-1)+" ELSE 0 END) // "+number(f)+")", c, x)
	case "ceil":
		c.Lo, c.Hi = -floorDiv(-x.col.Lo, f), -floorDiv(-x.col.Hi, f)
		return b.compute("(($0; + CASE WHEN $0; > 0 THEN "+number(f-1)+" ELSE 0 END) // "+number(f)+")", c, x)
	default:
		c.Lo, c.Hi = x.col.Lo/f, x.col.Hi/f
		return b.compute("($0; // "+number(f)+")", c, x)
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && a < 0 {
		q--
	}
	return q
}
