package plan

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
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
		return x
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
	low, high := math.Floor(f(math.Max(lo, first))*math.Pow10(realScale))-1, math.Ceil(f(hi)*math.Pow10(realScale))+1
	if !(math.Abs(low) < maxSensitive && math.Abs(high) < maxSensitive) || max(abs(x.col.Lo), abs(x.col.Hi)) >= maxSensitive {
		b.fail("expression-too-large", at)
		return value{}
	}
	c := Column{Kind: KindDecimal, Scale: realScale, Lo: int64(low), Hi: int64(high), Nullable: partial}
	arg := "$0;"
	if partial {
		arg = "CASE WHEN $0; >= " + strconv.FormatFloat(first*unit, 'f', 0, 64) + " THEN $0; END"
	}
	return b.double(fn+"("+arg+" / "+power(x.col.Scale)+") * "+power(realScale), c, x)
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
	bounded := false
	for i := range a {
		if v := b.settled(a[i], at); b.err == nil && v.col.Bounded {
			bounded = true
		}
	}
	if b.err != nil || !bounded {
		b.fail("unbounded-expression", at)
		return value{}
	}
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

// textFunction is a function of one text and constants: it gives a text or a number.
type textFunction struct {
	args   string // kinds of the constants after the text: s text, n number; lower-case optional ones after '|'
	text   func(s string, a []Literal, n []int64) (string, bool)
	number func(s string, a []Literal, n []int64) (int64, bool)
}

func (b *builder) textCall(e *Expr, f textFunction) value {
	if e.Name == "||" || e.Name == "concat" {
		return b.concatCall(e)
	}
	need, optional, _ := strings.Cut(f.args, "|")
	kinds := need + optional
	if len(e.Args) < 1+len(need) || len(e.Args) > 1+len(kinds) {
		b.fail("function-arguments", e.Offset)
		return value{}
	}
	x := b.asText(b.plainValue(&e.Args[0]), e.Args[0].Offset)
	var texts []Literal
	var numbers []int64
	for i := range e.Args[1:] {
		arg := &e.Args[i+1]
		if kinds[i] == 'n' {
			n, ok := b.wholeNumber(arg)
			if !ok {
				return value{}
			}
			numbers = append(numbers, n)
			continue
		}
		v := b.expr(arg)
		if b.err == nil && (v.lit == nil || v.lit.Kind != LitString) {
			b.fail("constant-expected", arg.Offset)
		}
		if b.err != nil {
			return value{}
		}
		if len(v.lit.Text) > maxLiteral || !utf8.ValidString(v.lit.Text) {
			b.fail("literal-too-long", arg.Offset)
			return value{}
		}
		texts = append(texts, *v.lit)
	}
	if strings.HasPrefix(e.Name, "regexp") && b.err == nil {
		return b.regexpCall(e, x, texts, numbers)
	}
	if b.err != nil {
		return value{}
	}
	if f.text != nil {
		return b.mapText(x, e.Offset, func(s string) (string, bool) { return f.text(s, texts, numbers) })
	}
	v := b.mapNumber(x, e.Offset, func(s string) (int64, bool) { return f.number(s, texts, numbers) })
	if b.err == nil && v.col != nil && strings.HasSuffix(f.args, "s") && v.col.Lo >= 0 && v.col.Hi <= 1 && e.Name != "strpos" && e.Name != "instr" {
		c := *v.col
		c.truth = true
		v.col = &c
	}
	return v
}

func (b *builder) concatCall(e *Expr) value {
	a := b.arguments(e, 1, 16)
	if a == nil {
		return value{}
	}
	out := b.asText(a[0], e.Offset)
	for _, v := range a[1:] {
		if e.Name == "concat" && b.err == nil { // concat skips NULLs, || does not
			if v.lit != nil && v.lit.Kind == LitNull {
				continue
			}
			if v.lit == nil && b.canBeNull(v) || out.lit == nil && b.canBeNull(out) {
				b.fail("concat-null", e.Offset)
				return value{}
			}
		}
		if out = b.concatenated(out, v, e.Offset); b.err != nil {
			return value{}
		}
	}
	return out
}

func (b *builder) regexpCall(e *Expr, x value, texts []Literal, numbers []int64) value {
	re := b.pattern(&texts[0])
	if re == nil {
		return value{}
	}
	truth := func(ok bool) (int64, bool) {
		if ok {
			return 1, true
		}
		return 0, true
	}
	switch e.Name {
	case "regexp_matches":
		return b.asTruth(b.mapNumber(x, e.Offset, func(s string) (int64, bool) { return truth(re.MatchString(s)) }))
	case "regexp_full_match":
		whole := b.pattern(&Literal{Text: "^(?:" + texts[0].Text + ")$", Offset: texts[0].Offset})
		if whole == nil {
			return value{}
		}
		return b.asTruth(b.mapNumber(x, e.Offset, func(s string) (int64, bool) { return truth(whole.MatchString(s)) }))
	case "regexp_extract":
		group := int64(0)
		if len(numbers) > 0 {
			group = numbers[0]
		}
		if group < 0 || group > int64(re.NumSubexp()) {
			b.fail("bad-pattern", e.Offset)
			return value{}
		}
		return b.mapText(x, e.Offset, func(s string) (string, bool) {
			if m := re.FindStringSubmatch(s); m != nil {
				return m[group], true
			}
			return "", true
		})
	}
	b.fail("function-not-allowed", e.Offset)
	return value{}
}

func (b *builder) asTruth(v value) value {
	if b.err == nil && v.col != nil {
		c := *v.col
		c.truth = true
		v.col = &c
	}
	return v
}

// textFunctions are DuckDB's functions of texts by character, as its documentation gives them.
func textFunctions() map[string]textFunction {
	of := func(f func(string) string) textFunction {
		return textFunction{text: func(s string, _ []Literal, _ []int64) (string, bool) { return f(s), true }}
	}
	test := func(f func(s, t string) bool) textFunction {
		return textFunction{args: "s", number: func(s string, a []Literal, _ []int64) (int64, bool) {
			if f(s, a[0].Text) {
				return 1, true
			}
			return 0, true
		}}
	}
	position := textFunction{args: "s", number: func(s string, a []Literal, _ []int64) (int64, bool) {
		i := strings.Index(s, a[0].Text)
		if i < 0 {
			return 0, true
		}
		return int64(utf8.RuneCountInString(s[:i])) + 1, true
	}}
	slice := textFunction{args: "n|n", text: func(s string, _ []Literal, n []int64) (string, bool) { return substring(s, n), true }}
	length := textFunction{number: func(s string, _ []Literal, _ []int64) (int64, bool) { return int64(utf8.RuneCountInString(s)), true }}
	ends := func(right bool) textFunction {
		return textFunction{args: "n", text: func(s string, _ []Literal, n []int64) (string, bool) { return end(s, n[0], right), true }}
	}
	trim := func(f func(string, string) string) textFunction {
		return textFunction{args: "|s", text: func(s string, a []Literal, _ []int64) (string, bool) {
			if len(a) > 0 {
				return f(s, a[0].Text), true
			}
			return f(s, " "), true
		}}
	}
	regex := textFunction{args: "s|n"}
	return map[string]textFunction{
		"||": {}, "concat": {}, "regexp_matches": {args: "s"}, "regexp_full_match": {args: "s"}, "regexp_extract": regex,
		"lower": of(strings.ToLower), "lcase": of(strings.ToLower), "upper": of(strings.ToUpper), "ucase": of(strings.ToUpper),
		"length": length, "len": length, "char_length": length, "character_length": length,
		"strlen":      {number: func(s string, _ []Literal, _ []int64) (int64, bool) { return int64(len(s)), true }},
		"substr":      slice,
		"substring":   slice,
		"left":        ends(false),
		"right":       ends(true),
		"trim":        trim(strings.Trim),
		"ltrim":       trim(strings.TrimLeft),
		"rtrim":       trim(strings.TrimRight),
		"replace":     {args: "ss", text: func(s string, a []Literal, _ []int64) (string, bool) { return replaced(s, a[0].Text, a[1].Text), true }},
		"split_part":  {args: "sn", text: func(s string, a []Literal, n []int64) (string, bool) { return splitPart(s, a[0].Text, n[0]), true }},
		"strpos":      position,
		"instr":       position,
		"starts_with": test(strings.HasPrefix), "^@": test(strings.HasPrefix), "prefix": test(strings.HasPrefix),
		"ends_with": test(strings.HasSuffix), "suffix": test(strings.HasSuffix), "contains": test(strings.Contains),
		"reverse": of(reversed),
	}
}

func replaced(s, from, to string) string {
	if from == "" {
		return s
	}
	return strings.ReplaceAll(s, from, to)
}

func splitPart(s, sep string, n int64) string {
	parts := []string{s}
	if sep != "" {
		parts = strings.Split(s, sep)
	}
	if n < 0 {
		n += int64(len(parts)) + 1
	}
	if n < 1 || n > int64(len(parts)) {
		return ""
	}
	return parts[n-1]
}

func reversed(s string) string {
	r := []rune(s)
	for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
		r[i], r[j] = r[j], r[i]
	}
	return string(r)
}

// substring counts characters from 1; a start of 0 or below takes part in the count, and a negative one counts from the end.
func substring(s string, n []int64) string {
	r := []rune(s)
	start, length := n[0], int64(len(r))
	count := length + 1
	if len(n) > 1 {
		count = n[1]
	}
	if start < 0 {
		start = max(1, length+start+1)
	}
	from, to := start-1, start-1+count
	if count < 0 {
		from, to = to, from
	}
	from, to = max(0, from), min(length, to)
	if from >= to {
		return ""
	}
	return string(r[from:to])
}

// end is left or right: a negative count leaves that many characters out.
func end(s string, n int64, right bool) string {
	r := []rune(s)
	if n < 0 {
		n = max(0, int64(len(r))+n)
	}
	n = min(n, int64(len(r)))
	if right {
		return string(r[int64(len(r))-n:])
	}
	return string(r[:n])
}
