package plan

import (
	"strings"
	"unicode/utf8"
)

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
