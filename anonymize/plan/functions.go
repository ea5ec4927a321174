package plan

import (
	"math"
	"strconv"
	"strings"
)

// call types a function: the allow-list. A function that is not here has no total form, or none yet.
func (b *builder) call(e *Expr) value {
	switch e.Name {
	case "+", "-", "*", "/", "//", "%", "add", "subtract", "multiply", "divide", "mod", "abs", "sign", "round", "floor", "ceil", "ceiling", "trunc", "least", "greatest", "clamp",
		"sqrt", "ln", "log", "log10", "log2", "exp", "pow", "power":
		return b.mathCall(e)
	case "coalesce", "ifnull", "nullif":
		return b.choiceCall(e)
	case "year", "isoyear", "month", "quarter", "day", "dayofmonth", "week", "weekofyear", "dayofweek", "weekday", "isodow", "dayofyear", "date_part", "datepart", "extract",
		"date_trunc", "datetrunc", "date_diff", "datediff", "date_sub", "datesub", "date_add", "make_date", "last_day", "width_bucket":
		return b.dateCall(e)
	case "monthname", "dayname", "strftime":
		return b.dateText(e)
	}
	if f, ok := textFunctions()[e.Name]; ok {
		return b.textCall(e, f)
	}
	b.fail("function-not-allowed", e.Offset)
	return value{}
}

// arguments types the arguments; most says how many there may be.
func (b *builder) arguments(e *Expr, least, most int) []value {
	if len(e.Args) < least || len(e.Args) > most {
		b.fail("function-arguments", e.Offset)
		return nil
	}
	out := make([]value, len(e.Args))
	for i := range e.Args {
		out[i] = b.plainValue(&e.Args[i])
	}
	if b.err != nil {
		return nil
	}
	return out
}

func (b *builder) mathCall(e *Expr) value {
	least, most := 1, 2
	switch e.Name {
	case "clamp":
		least, most = 3, 3
	case "least", "greatest":
		most = 32
	}
	a := b.arguments(e, least, most)
	if a == nil {
		return value{}
	}
	if len(a) == 2 {
		switch e.Name {
		case "+", "add":
			return b.addition("+", a[0], a[1], e.Offset)
		case "-", "subtract":
			return b.addition("-", a[0], a[1], e.Offset)
		case "*", "multiply":
			return b.times(a[0], a[1], e.Offset)
		case "/":
			return b.divided(a[0], a[1], e.Offset)
		case "//", "divide":
			return b.quotient("//", a[0], a[1], e.Offset)
		case "%", "mod":
			return b.quotient("%", a[0], a[1], e.Offset)
		case "pow", "power":
			return b.raised(a[0], &e.Args[1], e.Offset)
		case "round":
			n, ok := b.wholeNumber(&e.Args[1])
			if !ok {
				return value{}
			}
			return b.roundTo(b.settled(a[0], e.Offset), n, e.Offset)
		}
	}
	switch e.Name {
	case "least", "greatest":
		return b.extreme(e.Name, a, e.Offset)
	case "clamp": // NULL stays NULL, unlike least and greatest
		return b.clamp(a, e.Offset)
	}
	if len(a) != 1 {
		b.fail("function-arguments", e.Offset)
		return value{}
	}
	return b.unary(e.Name, b.settled(a[0], e.Offset), e.Offset)
}

func (b *builder) unary(fn string, x value, at int) value {
	if fn == "-" {
		return b.negative(x, at)
	}
	if !b.numeric(x, at) {
		return value{}
	}
	lo, hi := x.col.Lo, x.col.Hi
	switch fn {
	case "+":
		return untrue(x)
	case "abs":
		c := Column{Kind: x.col.Kind, Scale: x.col.Scale, Lo: 0, Hi: max(abs(lo), abs(hi)), Unit: x.col.Unit}
		if lo > 0 {
			c.Lo = lo
		}
		return b.compute("abs($0;)", c, x)
	case "sign":
		return b.compute("CASE WHEN $0; > 0 THEN 1 WHEN $0; < 0 THEN -1 WHEN $0; = 0 THEN 0 END", Column{Kind: KindInt, Lo: -1, Hi: 1, step: 1}, x)
	case "round":
		return b.roundTo(x, 0, at)
	case "floor", "trunc":
		return b.wholePart(fn, x, at)
	case "ceil", "ceiling":
		return b.wholePart("ceil", x, at)
	}
	return b.real(fn, x, at)
}

// real is a function of doubles, monotone on its domain; outside it the result is NULL, where the engine would fail.
func (b *builder) real(fn string, x value, at int) value {
	unit := math.Pow10(x.col.Scale)
	first := 0.0 // the least number of the domain
	var f func(float64) float64
	switch fn {
	case "sqrt":
		f = math.Sqrt
	case "ln":
		f, first = math.Log, 1/unit
	case "log", "log10":
		f, first, fn = math.Log10, 1/unit, "log10"
	case "log2":
		f, first = math.Log2, 1/unit
	case "exp":
		f, first = math.Exp, math.Inf(-1)
	default:
		b.fail("function-arguments", at)
		return value{}
	}
	lo, hi := float64(x.col.Lo)/unit, float64(x.col.Hi)/unit
	if hi < first {
		return nothing(&Column{Kind: KindDecimal, Scale: realScale, Bounded: true})
	}
	partial := lo < first
	least, most := f(math.Max(lo, first)), f(hi)
	if max(abs(x.col.Lo), abs(x.col.Hi)) >= maxSensitive {
		b.fail("expression-too-large", at)
	}
	scale := b.decimals(math.Max(math.Abs(least), math.Abs(most)), at)
	if b.err != nil {
		return value{}
	}
	low, high := math.Floor(least*math.Pow10(scale))-1, math.Ceil(most*math.Pow10(scale))+1
	c := Column{Kind: KindDecimal, Scale: scale, Lo: int64(low), Hi: int64(high), Nullable: partial}
	arg := "$0;"
	if partial {
		arg = "CASE WHEN $0; >= " + strconv.FormatFloat(first*unit, 'f', 0, 64) + " THEN $0; END"
	}
	return b.double(fn+"("+arg+" / "+power(x.col.Scale)+")"+scaling(scale), c, x)
}

// raised is x to a small whole power, by multiplication.
func (b *builder) raised(x value, power *Expr, at int) value {
	n, ok := b.wholeNumber(power)
	x = b.settled(x, at)
	if !ok || !b.numeric(x, at) {
		return value{}
	}
	if n < 1 || n > 4 {
		b.fail("power", power.Offset)
		return value{}
	}
	out := x
	for range n - 1 {
		out = b.times(out, x, at)
		if b.err != nil {
			return value{}
		}
	}
	return out
}

// extreme is least or greatest, which ignore NULLs. An operand without bounds is bounded on one side by the others.
func (b *builder) extreme(fn string, a []value, at int) value {
	floor, ceiling := int64(math.MinInt64), int64(math.MaxInt64)
	vs, c := b.unify(a, at)
	if b.err != nil {
		return value{}
	}
	if c.Kind == KindCode {
		c.Values, c.Nullable = append([]string(nil), c.Values...), false
	}
	null := true
	for _, v := range vs {
		null = null && b.canBeNull(v)
		if v.t.format == "NULL" || b.canBeNull(v) || c.Kind == KindCode {
			continue // where it is NULL the others decide
		}
		if fn == "least" {
			ceiling = min(ceiling, v.col.Hi)
		} else {
			floor = max(floor, v.col.Lo)
		}
	}
	out := *c
	out.Lo, out.Hi = max(c.Lo, floor), min(c.Hi, ceiling)
	marks := make([]string, len(vs))
	for i := range vs {
		marks[i] = hole(i)
	}
	v := b.compute(fn+"("+strings.Join(marks, ", ")+")", out, vs...)
	v.col.Nullable = null
	return v
}

// clamp(x, lo, hi) keeps x between two constants and gives NULL for NULL; it bounds a column that has no declared bounds.
func (b *builder) clamp(a []value, at int) value {
	x, lo, hi := a[0], b.settled(a[1], at), b.settled(a[2], at)
	if b.err != nil {
		return value{}
	}
	if x.lit != nil || x.col.Kind != KindInt && x.col.Kind != KindDecimal || lo.col.Lo != lo.col.Hi || hi.col.Lo != hi.col.Hi {
		b.fail("constant-expected", at)
		return value{}
	}
	s := x.col.Scale
	if lo.col.Scale > s || hi.col.Scale > s {
		s = max(lo.col.Scale, hi.col.Scale)
		if !x.col.Bounded {
			b.fail("expression-too-large", at)
			return value{}
		}
		x = b.rescale(x, s, at)
	}
	lo, hi = b.rescale(lo, s, at), b.rescale(hi, s, at)
	if b.err == nil && lo.col.Lo > hi.col.Lo {
		b.fail("constant-expected", at)
	}
	if b.err != nil {
		return value{}
	}
	c := Column{Kind: x.col.Kind, Scale: s, Lo: lo.col.Lo, Hi: hi.col.Lo, Unit: x.col.Unit, step: 1}
	if x.col.Bounded {
		c.Lo, c.Hi = min(max(x.col.Lo, c.Lo), c.Hi), max(min(x.col.Hi, c.Hi), c.Lo)
	}
	// compared before it is cast: a stored integer of any width is safe here
	return b.compute("CASE WHEN $0; < $1; THEN $1; WHEN $0; > $2; THEN $2; ELSE $0; END", c, x, lo, hi)
}

func (b *builder) choiceCall(e *Expr) value {
	a := b.arguments(e, 2, 32)
	if a == nil {
		return value{}
	}
	if e.Name == "nullif" {
		if len(a) != 2 {
			b.fail("function-arguments", e.Offset)
			return value{}
		}
		same := b.simplify(b.compareValues(a[0], CmpEq, a[1], false, e.Offset))
		if b.err != nil {
			return value{}
		}
		return b.choose([]*cond{same}, []value{{lit: &Literal{Kind: LitNull, Offset: e.Offset}}, a[0]}, e.Offset)
	}
	vs, c := b.unify(a, e.Offset)
	if b.err != nil {
		return value{}
	}
	out := *c
	out.Nullable = true
	var marks []string
	var kept []value
	for _, v := range vs {
		if v.t.format == "NULL" {
			continue
		}
		marks = append(marks, hole(len(marks)))
		kept = append(kept, v)
		if !b.canBeNull(v) {
			out.Nullable = false
			break
		}
	}
	if len(kept) == 0 {
		return nothing(c)
	}
	null := out.Nullable
	v := b.compute("coalesce("+strings.Join(marks, ", ")+")", out, kept...)
	v.t.handsOn()
	v.col.Nullable = null
	if c.Kind == KindCode {
		v.col.Bounded = false
	}
	return v
}

func (b *builder) dateCall(e *Expr) value {
	a := b.arguments(e, 1, 4)
	if a == nil {
		return value{}
	}
	word := func() string {
		if a[0].lit == nil || a[0].lit.Kind != LitString {
			b.fail("constant-expected", e.Offset)
			return ""
		}
		return partName(a[0].lit.Text)
	}
	switch n := len(a); {
	case e.Name == "width_bucket" && n == 4:
		return b.bucket(a, &e.Args[3], e.Offset)
	case (e.Name == "date_part" || e.Name == "datepart" || e.Name == "extract") && n == 2:
		return b.part(word(), a[1], e.Offset)
	case (e.Name == "date_trunc" || e.Name == "datetrunc") && n == 2:
		return b.truncated(word(), a[1], e.Offset)
	case (e.Name == "date_diff" || e.Name == "datediff") && n == 3:
		return b.elapsed("date_diff", word(), a[1], a[2], e.Offset)
	case (e.Name == "date_sub" || e.Name == "datesub") && n == 3:
		return b.elapsed("date_sub", word(), a[1], a[2], e.Offset)
	case e.Name == "date_add" && n == 2:
		return b.addition("+", a[0], a[1], e.Offset)
	case e.Name == "last_day" && n == 1:
		first := b.truncated("month", a[0], e.Offset)
		if b.err != nil {
			return value{}
		}
		return b.dateResult("CAST(last_day("+calendar+") - DATE '1970-01-01' AS INTEGER)", first.col.Lo, min(dayMax, first.col.Hi+31), e.Offset, first)
	case n == 1 && e.Name != "make_date" && e.Name != "last_day":
		return b.part(partName(e.Name), a[0], e.Offset)
	}
	b.fail("function-arguments", e.Offset)
	return value{}
}

// bucket is width_bucket(x, lo, hi, n): 0 below, 1..n inside, n+1 from hi on.
func (b *builder) bucket(a []value, count *Expr, at int) value {
	n, ok := b.wholeNumber(count)
	x, lo, hi := b.settled(a[0], at), b.settled(a[1], at), b.settled(a[2], at)
	if !ok || !b.numeric(x, at) || !b.numeric(lo, at) || !b.numeric(hi, at) {
		return value{}
	}
	s := max(x.col.Scale, lo.col.Scale, hi.col.Scale)
	x, lo, hi = b.rescale(x, s, at), b.rescale(lo, s, at), b.rescale(hi, s, at)
	if b.err != nil {
		return value{}
	}
	width := hi.col.Lo - lo.col.Lo
	if lo.col.Lo != lo.col.Hi || hi.col.Lo != hi.col.Hi || width <= 0 || n < 1 || n > maxDerived || mul(width, n) >= maxSensitive || mul(max(abs(x.col.Lo), abs(x.col.Hi)), n) >= limitValue {
		b.fail("constant-expected", at)
		return value{}
	}
	l, w := parenthesised(lo.col.Lo), number(width)
	c := Column{Kind: KindInt, Lo: 0, Hi: n + 1, step: 1, PublicKey: true}
	t := "CASE WHEN $0; < " + l + " THEN 0 WHEN $0; >= " + parenthesised(hi.col.Lo) + " THEN " + number(n+1) + " WHEN $0; IS NOT NULL THEN CAST((CAST($0; AS BIGINT) - " + l + ") * " + number(n) + " // " + w + " + 1 AS INTEGER) END"
	return b.compute(t, c, x)
}
