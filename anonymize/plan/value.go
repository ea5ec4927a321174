package plan

import "math"

// value is one expression of a row, typed: a term, what it can hold, and whether the engine computes it in 32 bits.
//
// Every expression is total: it gives an integer or NULL for every row that the schema lets in, and never an error. Additions and
// products are accepted only when interval arithmetic over the declared bounds shows that they fit (expression-too-large
// otherwise); division, roots and logarithms give NULL where they are undefined; texts are computed here, over the declared
// dictionaries. A real number (division, roots, logarithms, casts to DOUBLE) is fixed point with realScale decimals, rounded once for
// each operation: the row's own doubles are never added up.
type value struct {
	t      *term
	col    *Column  // what it can hold; Name is not set
	lit    *Literal // a literal whose kind the context decides; t and col are nil then
	narrow bool     // computed in 32 bits
	over   []value  // of a division x / y: both
}

// realScale is the number of decimals of a real number inside a row.
const realScale = 6

const int32Max = 1 << 30 // with room for the additions that rounding makes

func (b *builder) column(r ref) value {
	return value{t: &term{at: r}, col: r.col}
}

// nullable says whether a value can be NULL in a row.
func (b *builder) canBeNull(v value) bool {
	if v.t.format == "" {
		return b.nullable(v.t.at)
	}
	return v.col.Nullable
}

func constant(n int64, scale int) value {
	kind := KindInt
	if scale > 0 {
		kind = KindDecimal
	}
	return value{t: &term{format: parenthesised(n)}, col: &Column{Kind: kind, Scale: scale, Bounded: true, Lo: n, Hi: n}, narrow: n <= int32Max && n >= -int32Max}
}

func parenthesised(n int64) string {
	if n < 0 {
		return "(" + number(n) + ")"
	}
	return number(n)
}

// fits32 says that every number of a column is computed in 32 bits.
func fits32(c *Column) bool {
	d := domain(c)
	return d.lo >= -int32Max && d.hi <= int32Max
}

// wide makes a value ready for arithmetic: stored columns are narrow types whose sums would overflow.
func (b *builder) wide(v value, bits int) *term {
	if bits == 32 && v.narrow || bits == 64 && !v.narrow && v.t.format != "" {
		return v.t
	}
	if lo, hi := v.col.Lo, v.col.Hi; v.t.format != "" && len(v.t.args) == 0 && lo == hi && bits == 32 {
		return v.t // a constant
	}
	if bits == 32 {
		return (&term{format: "CAST($0; AS INTEGER)", args: []*term{v.t}}).handsOn()
	}
	return (&term{format: "CAST($0; AS BIGINT)", args: []*term{v.t}}).handsOn()
}

// compute makes a number of others: bounds lo..hi have been proved to fit.
func (b *builder) compute(format string, c Column, args ...value) value {
	c.Bounded = true
	bits, null := 32, c.Nullable
	if !fits32(&c) {
		bits = 64
	}
	for _, a := range args {
		null = null || b.canBeNull(a)
		if !fits32(a.col) {
			bits = 64
		}
	}
	t := &term{format: format}
	for _, a := range args {
		t.args = append(t.args, b.wide(a, bits))
		c.origin = append(c.origin, a.col.origin...)
	}
	c.Nullable = null
	return value{t: t, col: &c, narrow: bits == 32}
}

// numeric says that a value is a number with bounds; kinds that are none are refused at.
func (b *builder) numeric(v value, at int) bool {
	switch {
	case b.err != nil:
		return false
	case v.lit != nil || v.col.Kind != KindInt && v.col.Kind != KindDecimal:
		b.fail("not-a-number", at)
	case !v.col.Bounded:
		b.fail("unbounded-expression", at)
	default:
		return true
	}
	return false
}

func kindOf(scale int) Kind {
	if scale > 0 {
		return KindDecimal
	}
	return KindInt
}

// exactly multiplies or adds two integers, or says that the result is out of range.
func product(x, y int64) (int64, bool) {
	if x == 0 || y == 0 {
		return 0, true
	}
	p := x * y
	return p, p/y == x && p < limitValue && p > -limitValue && abs(x) < limitValue && abs(y) < limitValue
}

func total(x, y int64) (int64, bool) {
	s := x + y
	return s, abs(x) < limitValue && abs(y) < limitValue && s < limitValue && s > -limitValue
}

// limitValue bounds every number computed inside a row.
const limitValue = 1 << 61

// rescale writes a number with more decimals.
func (b *builder) rescale(v value, scale, at int) value {
	if v.col.Scale >= scale || b.err != nil {
		return v
	}
	f := int64(math.Pow10(scale - v.col.Scale))
	if v.t.format != "" && len(v.t.args) == 0 && len(v.t.conds) == 0 && v.col.Lo == v.col.Hi && !v.col.Nullable {
		n, ok := product(v.col.Lo, f)
		if !ok {
			b.fail("expression-too-large", at)
			return v
		}
		return constant(n, scale)
	}
	lo, ok1 := product(v.col.Lo, f)
	hi, ok2 := product(v.col.Hi, f)
	if !ok1 || !ok2 {
		b.fail("expression-too-large", at)
		return v
	}
	return b.compute("($0; * "+number(f)+")", Column{Kind: KindDecimal, Scale: scale, Lo: lo, Hi: hi}, v)
}

// align gives two numbers the same decimals.
func (b *builder) align(x, y value, at int) (value, value) {
	s := max(x.col.Scale, y.col.Scale)
	return b.rescale(x, s, at), b.rescale(y, s, at)
}
