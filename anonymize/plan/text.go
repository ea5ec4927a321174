package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Texts inside a row. A text column holds codes of a declared dictionary, so every function of texts is computed here, once for each
// member, and becomes a map of codes: no text and no pattern of the researcher reaches the engine, and no function can fail there.

const (
	maxDerived = 4096 // members of a dictionary that an expression makes
	maxText    = 256  // bytes of one of its members
)

// dictionary is a computed dictionary: sorted, each member once.
func dictionary(values []string) []string {
	out := append([]string(nil), values...)
	sort.Strings(out)
	n := 0
	for i, v := range out {
		if i == 0 || v != out[n-1] {
			out[n] = v
			n++
		}
	}
	return out[:n]
}

func dictionaryName(values []string) string {
	h := sha256.New()
	for _, v := range values {
		h.Write([]byte(strconv.Itoa(len(v)) + ":" + v))
	}
	return "text:" + hex.EncodeToString(h.Sum(nil)[:8])
}

func textColumn(values []string) *Column {
	return &Column{Kind: KindCode, Values: values, Codes: dictionaryName(values), PublicKey: true, step: 1}
}

// mapText applies f to every member of v's dictionary; ok false gives NULL.
func (b *builder) mapText(v value, at int, f func(string) (string, bool)) value {
	if !b.text(v, at) {
		return value{}
	}
	if v.lit != nil {
		out, ok := f(v.lit.Text)
		if !ok {
			return value{lit: &Literal{Kind: LitNull, Offset: at}}
		}
		return value{lit: &Literal{Kind: LitString, Text: out, Offset: at}}
	}
	made, null := make([]string, len(v.col.Values)), make([]bool, len(v.col.Values))
	var all []string
	for i, s := range v.col.Values {
		out, ok := f(s)
		if !ok || len(out) > maxText || !utf8.ValidString(out) {
			null[i] = true
			continue
		}
		made[i] = out
		all = append(all, out)
	}
	if len(all) == 0 {
		return nothing(textColumn([]string{""}))
	}
	c := textColumn(dictionary(all))
	codes := make([]int64, len(made))
	for i := range made {
		codes[i] = int64(sort.SearchStrings(c.Values, made[i]))
		if null[i] {
			codes[i] = noCode
		}
	}
	return b.recode(v, c, codes, at)
}

// mapNumber applies f to every member; ok false gives NULL.
func (b *builder) mapNumber(v value, at int, f func(string) (int64, bool)) value {
	if !b.text(v, at) {
		return value{}
	}
	if v.lit != nil {
		n, ok := f(v.lit.Text)
		if !ok {
			return value{lit: &Literal{Kind: LitNull, Offset: at}}
		}
		return constant(n, 0)
	}
	c := &Column{Kind: KindInt, Bounded: true, Lo: 1, Hi: 0, step: 1, PublicKey: true}
	codes := make([]int64, len(v.col.Values))
	for i, s := range v.col.Values {
		n, ok := f(s)
		if !ok || abs(n) >= limitValue {
			codes[i] = noCode
			continue
		}
		codes[i] = n
		if c.Lo > c.Hi {
			c.Lo, c.Hi = n, n
		}
		c.Lo, c.Hi = min(c.Lo, n), max(c.Hi, n)
	}
	if c.Lo > c.Hi {
		return nothing(&Column{Kind: KindInt, Bounded: true, step: 1})
	}
	return b.recode(v, c, codes, at)
}

// noCode stands for NULL in a map of codes.
const noCode int64 = -1 << 62

// recode writes a map of codes: runs of equal images as one CASE branch each, or a list by index when there are many. The engine tries the
// branches one after the other, so a list that is not much longer is faster from a few branches on.
func (b *builder) recode(v value, c *Column, codes []int64, at int) value {
	c.origin = append(c.origin, v.col.origin...)
	c.Nullable = b.canBeNull(v)
	same := c.Codes == v.col.Codes && c.Kind == KindCode
	runs := 0
	for i, n := range codes {
		c.Nullable = c.Nullable || n == noCode
		same = same && n == int64(i)
		if i == 0 || n != codes[i-1] {
			runs++
		}
	}
	if same {
		return v
	}
	if runs == 1 && codes[0] != noCode && !b.canBeNull(v) {
		k := constant(codes[0], 0)
		k.col = c
		return k
	}
	text := func(n int64) string {
		if n == noCode {
			return "NULL"
		}
		return parenthesised(n)
	}
	var s strings.Builder
	if runs <= fewRuns || runs <= 64 && len(codes) > 16*runs {
		s.WriteString("CASE")
		for i := range codes {
			if i+1 == len(codes) || codes[i+1] != codes[i] {
				s.WriteString(" WHEN $0; <= " + strconv.Itoa(i) + " THEN " + text(codes[i]))
			}
		}
		s.WriteString(" END")
	} else {
		if len(codes) > maxDerived {
			b.fail("dictionary-too-large", at)
			return value{}
		}
		s.WriteString("[")
		for i, n := range codes {
			if i > 0 {
				s.WriteString(",")
			}
			s.WriteString(text(n))
		}
		s.WriteString("][CAST($0; AS INTEGER) + 1]")
	}
	return value{t: &term{format: s.String(), args: []*term{v.t}, codes: codes}, col: c, narrow: fits32(c)}
}

// fewRuns are as fast as a list.
const fewRuns = 8

// text says that a value is a text: a code column or a string literal.
func (b *builder) text(v value, at int) bool {
	if b.err == nil && b.kindOf(v) != KindCode {
		b.fail("not-a-text", at)
	}
	return b.err == nil
}

// unifyTexts maps texts to the union of their dictionaries.
func (b *builder) unifyTexts(vs []value) ([]value, *Column) {
	var all []string
	codes, shared := "", true
	for _, v := range vs {
		switch {
		case v.lit == nil:
			all = append(all, v.col.Values...)
			shared = shared && (codes == "" || codes == v.col.Codes)
			codes = v.col.Codes
		case v.lit.Kind == LitString:
			if len(v.lit.Text) > maxText || !utf8.ValidString(v.lit.Text) {
				b.fail("literal-too-long", v.lit.Offset)
				return nil, nil
			}
			all = append(all, v.lit.Text)
		}
	}
	c := textColumn(dictionary(all))
	if len(c.Values) > maxDictionary {
		b.fail("dictionary-too-large", -1)
		return nil, nil
	}
	out := make([]value, len(vs))
	for i, v := range vs {
		switch {
		case v.lit == nil:
			if shared && codes != "" && len(c.Values) == len(v.col.Values) { // nothing was added: keep the name
				c.Codes, c.PublicKey = codes, c.PublicKey && v.col.PublicKey
			}
			out[i] = b.translate(v, c)
		case v.lit.Kind == LitString:
			k := constant(int64(sort.SearchStrings(c.Values, v.lit.Text)), 0)
			k.col = &Column{Kind: KindCode, Values: c.Values, Codes: c.Codes}
			out[i] = k
		default:
			out[i] = nothing(c)
		}
		if b.err != nil {
			return nil, nil
		}
	}
	return out, c
}

// translate maps a code to a dictionary that holds every member of its own.
func (b *builder) translate(v value, to *Column) value {
	codes := make([]int64, len(v.col.Values))
	for i, s := range v.col.Values {
		codes[i] = int64(sort.SearchStrings(to.Values, s))
	}
	c := *to
	c.origin = nil
	return b.recode(v, &c, codes, -1)
}

// concatenated is x || y: NULL when either is.
func (b *builder) concatenated(x, y value, at int) value {
	x, y = b.asText(x, at), b.asText(y, at)
	if b.err != nil {
		return value{}
	}
	switch {
	case y.lit != nil && x.lit != nil:
		return value{lit: &Literal{Kind: LitString, Text: x.lit.Text + y.lit.Text, Offset: at}}
	case y.lit != nil:
		return b.mapText(x, at, func(s string) (string, bool) { return s + y.lit.Text, true })
	case x.lit != nil:
		return b.mapText(y, at, func(s string) (string, bool) { return x.lit.Text + s, true })
	}
	n := int64(len(y.col.Values))
	if mul(int64(len(x.col.Values)), n) > maxDerived {
		b.fail("dictionary-too-large", at)
		return value{}
	}
	var pairs []string
	for _, s := range x.col.Values {
		for _, t := range y.col.Values {
			pairs = append(pairs, s+t)
		}
	}
	c := textColumn(dictionary(pairs))
	codes := make([]int64, len(pairs))
	for i, s := range pairs {
		codes[i] = int64(sort.SearchStrings(c.Values, s))
	}
	number := b.compute("($0; * "+number(n)+" + $1;)", Column{Kind: KindInt, Lo: 0, Hi: int64(len(pairs)) - 1}, asCode(x), asCode(y))
	return b.recode(number, c, codes, at)
}

// asCode sees the code of a text as a number.
func asCode(v value) value {
	c := *v.col
	c.Kind, c.Bounded, c.Lo, c.Hi = KindInt, true, 0, int64(len(v.col.Values))-1
	v.col = &c
	return v
}

// asText turns whole numbers with few values into texts.
func (b *builder) asText(v value, at int) value {
	if b.err != nil || v.lit != nil && (v.lit.Kind == LitString || v.lit.Kind == LitNull) {
		return v
	}
	if v.lit != nil && v.lit.Kind == LitNumber {
		return value{lit: &Literal{Kind: LitString, Text: v.lit.Text, Offset: at}}
	}
	if v.lit != nil && v.lit.Kind == LitBool {
		return value{lit: &Literal{Kind: LitString, Text: v.lit.Text, Offset: at}}
	}
	if v.lit == nil && v.col.Kind == KindCode {
		return v
	}
	if v.lit != nil || v.col.Kind != KindInt || !v.col.Bounded {
		b.fail("not-a-text", at)
		return v
	}
	if v.col.truth {
		return b.spelled(v, at, func(n int64) string { return strconv.FormatBool(n != 0) })
	}
	return b.spelled(v, at, func(n int64) string { return strconv.FormatInt(n, 10) })
}

// spelled turns whole numbers into texts: one for each number inside the bounds.
func (b *builder) spelled(v value, at int, spell func(int64) string) value {
	if b.err == nil && v.col.Hi-v.col.Lo >= maxDerived {
		b.fail("not-a-text", at)
	}
	if b.err != nil {
		return value{}
	}
	var texts []string
	for n := v.col.Lo; n <= v.col.Hi; n++ {
		texts = append(texts, spell(n))
	}
	c := textColumn(dictionary(texts))
	codes := make([]int64, len(texts))
	for i, s := range texts {
		codes[i] = int64(sort.SearchStrings(c.Values, s))
	}
	shifted := b.compute("($0; - "+parenthesised(v.col.Lo)+")", Column{Kind: KindInt, Lo: 0, Hi: v.col.Hi - v.col.Lo}, v)
	return b.recode(shifted, c, codes, at)
}

// pattern compiles a regular expression of RE2, the dialect that DuckDB speaks too.
func (b *builder) pattern(l *Literal) *regexp.Regexp {
	if len(l.Text) > maxLiteral {
		b.fail("literal-too-long", l.Offset)
		return nil
	}
	re, err := regexp.Compile(l.Text)
	if err != nil {
		b.fail("bad-pattern", l.Offset)
		return nil
	}
	return re
}
