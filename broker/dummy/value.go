package dummy

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"time"

	"carrel/anonymize/plan"
)

type kind uint8

const (
	isNull kind = iota
	isNumber
	isText
	isDate   // days since 1970
	isOpaque // the person, and row keys
	isUntold // of a function that is not evaluated here
)

// value is what an expression is over invented rows: numbers are doubles, which is near enough to choose rows by.
type value struct {
	kind kind
	f    float64
	s    string
}

func numberOf(f float64) value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return value{}
	}
	return value{kind: isNumber, f: f}
}

func textOf(s string) value   { return value{kind: isText, s: s} }
func dateOf(d float64) value  { return value{kind: isDate, f: d} }
func untold() value           { return value{kind: isUntold} }
func (v value) isTrue() bool  { return v.kind == isNumber && v.f != 0 }
func (v value) isFalse() bool { return v.kind == isNumber && v.f == 0 }

func truthOf(b bool) value {
	if b {
		return value{kind: isNumber, f: 1}
	}
	return value{kind: isNumber}
}

// key tells values apart inside a group.
func (v value) key() string {
	return strconv.Itoa(int(v.kind)) + ":" + strconv.FormatFloat(v.f, 'g', -1, 64) + ":" + v.s
}

func parseDay(s string) value {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return untold()
	}
	return dateOf(float64(t.Unix() / 86400))
}

func calendar(day float64) time.Time { return time.Unix(int64(day)*86400, 0).UTC() }

func dayOf(t time.Time) value { return dateOf(math.Floor(float64(t.Unix()) / 86400)) }

// literal reads a constant of the text; an interval stays its text.
func literal(l plan.Literal) value {
	switch l.Kind {
	case plan.LitString, plan.LitInterval:
		return textOf(l.Text)
	case plan.LitDate:
		return parseDay(l.Text)
	case plan.LitBool:
		return truthOf(l.Text == "true")
	case plan.LitNumber:
		f, err := strconv.ParseFloat(l.Text, 64)
		if err != nil {
			return untold()
		}
		return numberOf(f)
	default:
		return value{}
	}
}

// order compares two values that are not NULL; ok is false when we cannot tell.
func order(a, b value) (c int, ok bool) {
	if a.kind == isDate && b.kind == isText {
		b = parseDay(b.s)
	}
	if b.kind == isDate && a.kind == isText {
		a = parseDay(a.s)
	}
	if a.kind != b.kind || a.kind == isUntold {
		return 0, false
	}
	if a.kind == isText {
		return strings.Compare(a.s, b.s), true
	}
	if math.Abs(a.f-b.f) < 1e-9 {
		return 0, true
	}
	return cmp.Compare(a.f, b.f), true
}

// compared is a cmp b in three values, or untold.
func compared(a value, c plan.Cmp, b value) value {
	if a.kind == isNull || b.kind == isNull {
		return value{}
	}
	n, ok := order(a, b)
	if !ok {
		return untold()
	}
	switch c {
	case plan.CmpEq:
		return truthOf(n == 0)
	case plan.CmpNe:
		return truthOf(n != 0)
	case plan.CmpLt:
		return truthOf(n < 0)
	case plan.CmpLe:
		return truthOf(n <= 0)
	case plan.CmpGt:
		return truthOf(n > 0)
	default:
		return truthOf(n >= 0)
	}
}

func not(v value) value {
	if v.kind == isNumber {
		return truthOf(v.f == 0)
	}
	return v
}

// both is AND of three truth values; what is untold stays so unless the other side decides.
func both(a, b value) value {
	switch {
	case a.isFalse() || b.isFalse():
		return truthOf(false)
	case a.kind == isUntold || b.kind == isUntold:
		return untold()
	case a.kind == isNull || b.kind == isNull:
		return value{}
	}
	return truthOf(true)
}

// like matches SQL's pattern by characters: % is any run, _ any one.
func like(s, pattern string) bool {
	x, p := []rune(s), []rune(pattern)
	at, star, mark := 0, -1, 0
	i := 0
	for at < len(x) {
		switch {
		case i < len(p) && p[i] == '%':
			star, mark = i, at
			i++
		case i < len(p) && (p[i] == '_' || p[i] == x[at]):
			i++
			at++
		case star >= 0:
			mark++
			i, at = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '%' {
		i++
	}
	return i == len(p)
}
