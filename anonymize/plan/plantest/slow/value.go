package slow

import (
	"math/big"
	"strconv"
	"strings"
	"time"
)

type kind byte

const (
	isNull kind = iota
	isNumber
	isText
	isDate
	isOpaque // unit or row key
)

// Value is one cell. Truth values are the numbers 1 and 0.
type Value struct {
	kind kind
	r    *big.Rat
	s    string
	n    int64 // days, or an opaque number
}

func number(n int64) Value      { return Value{kind: isNumber, r: new(big.Rat).SetInt64(n)} }
func fraction(r *big.Rat) Value { return Value{kind: isNumber, r: r} }
func text(s string) Value       { return Value{kind: isText, s: s} }
func date(d int64) Value        { return Value{kind: isDate, n: d} }

func boolean(b bool) Value {
	if b {
		return number(1)
	}
	return number(0)
}

// key is a text that two values share exactly when they are the same; NULL is the same as NULL.
func (v Value) key() string {
	switch v.kind {
	case isNumber:
		return "n" + v.r.RatString()
	case isText:
		return "t" + v.s
	case isDate:
		return "d" + strconv.FormatInt(v.n, 10)
	case isOpaque:
		return "k" + strconv.FormatInt(v.n, 10)
	}
	return "null"
}

// compare orders two values of one kind that are not NULL; a text beside a date is read as one.
func compare(a, b Value) int {
	if a.kind == isDate && b.kind == isText {
		b = parseDay(b.s)
	}
	if b.kind == isDate && a.kind == isText {
		a = parseDay(a.s)
	}
	if a.kind != b.kind {
		panic("slow: values of two kinds compared")
	}
	switch a.kind {
	case isNumber:
		return a.r.Cmp(b.r)
	case isText:
		return strings.Compare(a.s, b.s)
	}
	switch {
	case a.n < b.n:
		return -1
	case a.n > b.n:
		return 1
	}
	return 0
}

func parseDay(s string) Value {
	t, err := time.Parse("2006-01-02", s)
	if err != nil {
		panic("slow: not a date")
	}
	return date(dayOf(t))
}

func dayOf(t time.Time) int64 { return t.Unix() / 86400 }

func calendar(d int64) time.Time { return time.Date(1970, 1, 1+int(d), 0, 0, 0, 0, time.UTC) }

func pow10(n int) *big.Rat {
	p := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(n, -n))), nil))
	if n < 0 {
		p.Inv(p)
	}
	return p
}

func floorOf(r *big.Rat) *big.Int {
	q, _ := new(big.Int).DivMod(r.Num(), r.Denom(), new(big.Int))
	return q
}

// rounded is r to a number of decimals, half away from zero.
func rounded(r *big.Rat, digits int) *big.Rat {
	f := pow10(digits)
	x := new(big.Rat).Mul(r, f)
	sign := x.Sign()
	x.Abs(x).Add(x, big.NewRat(1, 2))
	n := new(big.Rat).SetInt(floorOf(x))
	if sign < 0 {
		n.Neg(n)
	}
	return n.Quo(n, f)
}

// whole is r cut to an integer towards zero.
func whole(r *big.Rat) *big.Int { return new(big.Int).Quo(r.Num(), r.Denom()) }

// truth values, ordered as SQL's AND and OR need them.
type truth int8

const (
	no truth = iota - 1
	unknown
	yes
)

func (v Value) truth() truth {
	switch {
	case v.kind == isNull:
		return unknown
	case v.kind != isNumber:
		panic("slow: no truth value")
	case v.r.Sign() != 0:
		return yes
	}
	return no
}

func (t truth) value() Value {
	if t == unknown {
		return Value{}
	}
	return boolean(t == yes)
}
