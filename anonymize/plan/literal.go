package plan

import (
	"math"
	"math/big"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// rational reads a decimal number exactly. Exponents are capped before any big number is made.
func rational(text string) (*big.Rat, bool) {
	if len(text) == 0 || len(text) > 64 || strings.ContainsAny(text, "/xXpP_bBoOiInN") {
		return nil, false
	}
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		e, err := strconv.Atoi(text[i+1:])
		if err != nil || e > 400 || e < -400 {
			return nil, false
		}
	}
	return new(big.Rat).SetString(text)
}

// days reads YYYY-MM-DD as days since 1970-01-01.
func days(text string) (int64, bool) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, false
	}
	return t.Unix() / 86400, t.Unix()%86400 == 0
}

// compareSet is the set of stored integers x of column c for which `x cmp literal` is true. The literal is not NULL.
// The second result is a refusal code, "" when all is well. A number that the column cannot hold is compared exactly:
// x < 2.5 is x ≤ 2, x = 2.5 is the empty set, and 10^300 lies above everything.
func compareSet(c *Column, cmp Cmp, l Literal) (set, string) {
	if len(l.Text) > maxLiteral || !utf8.ValidString(l.Text) {
		return nil, "literal-too-long"
	}
	d := domain(c)
	switch {
	case c.Kind == KindCode && l.Kind == LitString:
		at := int64(sort.SearchStrings(c.Values, l.Text))
		exact := at < int64(len(c.Values)) && c.Values[at] == l.Text
		return cut(cmp, at, exact, d), ""
	case c.Kind == KindDate && (l.Kind == LitDate || l.Kind == LitString):
		n, ok := days(l.Text)
		if !ok {
			return nil, "bad-date"
		}
		return cut(cmp, n, true, d), ""
	case c.truth && l.Kind == LitBool && (l.Text == "true" || l.Text == "false"):
		n := int64(0)
		if l.Text == "true" {
			n = 1
		}
		return cut(cmp, n, true, d), ""
	case (c.Kind == KindInt || c.Kind == KindDecimal) && l.Kind == LitNumber:
		r, ok := rational(l.Text)
		if !ok {
			return nil, "bad-number"
		}
		at, exact := ceiling(r.Mul(r, new(big.Rat).SetInt(pow10(c.Scale))))
		return cut(cmp, at, exact, d), ""
	}
	return nil, "literal-kind"
}

func pow10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// ceiling is the least int64 ≥ r, and whether it equals r. What lies outside int64 saturates and is never exact.
func ceiling(r *big.Rat) (int64, bool) {
	q, m := new(big.Int).DivMod(r.Num(), r.Denom(), new(big.Int))
	exact := m.Sign() == 0
	if !exact {
		q.Add(q, big.NewInt(1))
	}
	if q.IsInt64() {
		return q.Int64(), exact
	}
	if q.Sign() < 0 {
		return math.MinInt64, false
	}
	return math.MaxInt64, false
}

// cut is {x in d: x cmp v} where `at` is the least integer ≥ v and exact says at = v. Saturated values are outside every
// domain's interior: bounds lie within ±2^61 and an unbounded column's extremes are not stored by any integer width used.
func cut(cmp Cmp, at int64, exact bool, d rng) set {
	var below, equal set // x < v, x = v
	if at > math.MinInt64 {
		below = between(math.MinInt64, at-1)
	}
	if exact {
		equal = between(at, at)
	}
	all := set{d}
	notAbove := below.union(equal)
	switch cmp {
	case CmpEq:
		return equal.intersect(all)
	case CmpNe:
		return equal.without(d)
	case CmpLt:
		return below.intersect(all)
	case CmpLe:
		return notAbove.intersect(all)
	case CmpGt:
		return notAbove.without(d)
	default:
		return below.without(d)
	}
}

// likeSet is the set of codes whose value matches a pattern; the engine never sees the pattern.
func likeSet(c *Column, l Literal, foldCase bool) (set, string) {
	if c.Kind != KindCode || l.Kind != LitString {
		return nil, "literal-kind"
	}
	if len(l.Text) > maxLiteral || !utf8.ValidString(l.Text) {
		return nil, "literal-too-long"
	}
	p := []rune(lower(l.Text, foldCase))
	var hits []int64
	for i, v := range c.Values {
		if like([]rune(lower(v, foldCase)), p) {
			hits = append(hits, int64(i))
		}
	}
	return points(hits), ""
}

func lower(s string, foldCase bool) string {
	if !foldCase {
		return s
	}
	return strings.Map(unicode.ToLower, s)
}

// like matches % (any run) and _ (one character). It backs up to the last % only, so its work is at most len(s)·len(p).
func like(s, p []rune) bool {
	i, j, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case j < len(p) && p[j] == '%':
			star, mark = j, i
			j++
		case j < len(p) && (p[j] == '_' || p[j] == s[i]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = mark, star+1
		default:
			return false
		}
	}
	for j < len(p) && p[j] == '%' {
		j++
	}
	return j == len(p)
}
