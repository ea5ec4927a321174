package result

import (
	"math"
	"math/big"
	"strings"

	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
)

// value is a number computed from noised numbers, in the strongest form known for its interval:
//
//   - linear: den is nil and op is 0. Its interval is that of one sum of noises.
//   - ratio of two linear forms: den is set. Its interval is Fieller's.
//   - anything else: op over parts. Each part gets an interval at 1 − 0.05/k for k parts, and interval arithmetic carries them up
//     (Bonferroni: all parts hold together with 95 %, and then the result holds).
type value struct {
	num  dp.Form
	den  *dp.Form
	low  float64 // what is known of the exact number without looking: an average lies within its column's bounds
	high float64

	op     plan.OutOp
	args   []value
	digits int
	tree   *tree // of opTree
}

var everywhere = [2]float64{math.Inf(-1), math.Inf(1)}

func linear(f dp.Form) value { return value{num: f, low: everywhere[0], high: everywhere[1]} }

// bounds are what is known of a number: all of a constant.
func (v value) bounds() (low, high float64) {
	if v.constant() {
		return v.num.Value, v.num.Value
	}
	return v.low, v.high
}

func (v value) linear() bool   { return v.op == 0 && v.den == nil }
func (v value) constant() bool { return v.linear() && len(v.num.Terms) == 0 }

// eval computes an expression for one row. Keys do not take part (the plan refuses them).
func (c *computer) eval(r *row, e *plan.OutExpr) value {
	switch e.Op {
	case plan.OutNumber:
		return linear(dp.Form{Value: parse(e.Number.Text)})
	case plan.OutMeasure:
		return c.measure(r, c.measures[e.Index])
	case plan.OutGrouping:
		if r.left[e.Index] {
			return linear(dp.Form{Value: 1})
		}
		return linear(dp.Form{})
	case plan.OutNeg:
		return times(c.eval(r, &e.Args[0]), -1)
	case plan.OutRound:
		return value{op: plan.OutRound, args: []value{c.eval(r, &e.Args[0])}, digits: e.Digits}
	case plan.OutAdd:
		return add(c.eval(r, &e.Args[0]), c.eval(r, &e.Args[1]), 1)
	case plan.OutSub:
		return add(c.eval(r, &e.Args[0]), c.eval(r, &e.Args[1]), -1)
	case plan.OutMul:
		return product(c.eval(r, &e.Args[0]), c.eval(r, &e.Args[1]))
	case plan.OutDiv:
		return quotient(c.eval(r, &e.Args[0]), c.eval(r, &e.Args[1]))
	default: // a key is no number
		return linear(dp.Form{Value: math.NaN()})
	}
}

// parse reads a number of the text; the plan has checked it.
func parse(s string) float64 {
	if strings.ContainsAny(s, "/") {
		return math.NaN()
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return math.NaN()
	}
	f, _ := r.Float64()
	return f
}

// measure is one aggregate: linear, or for AVG the ratio (mid·C + S)/C.
func (c *computer) measure(r *row, m plan.Measure) value {
	if m.Moments != nil {
		return c.moments(r, m)
	}
	if m.Kind == plan.Quantile {
		return c.quantile(r, m)
	}
	unit := math.Pow10(m.Scale)
	f := dp.Form{}
	for _, t := range m.Terms {
		f = plus(f, dp.Form{Value: r.values[t.Want], Terms: []dp.Term{{Coef: 1, Index: t.Want}}}, float64(t.Coef))
	}
	if m.Denominator < 0 {
		v := linear(f)
		if c.style == Agreeing && countKind(m.Kind) {
			v.low = 0
		}
		return times(v, 1/unit)
	}
	den := dp.Form{Value: r.values[m.Denominator], Terms: []dp.Term{{Coef: 1, Index: m.Denominator}}}
	f = plus(f, den, float64(m.Centre))
	v := times(value{num: f, den: &den}, 1/unit)
	v.low, v.high = float64(m.Lo)/unit, float64(m.Hi)/unit
	return v
}

func countKind(k plan.MeasureKind) bool {
	return k == plan.CountRows || k == plan.CountPersons || k == plan.CountColumn || k == plan.CountValues
}

// plus is f + k·g, with the terms of one number merged.
func plus(f, g dp.Form, k float64) dp.Form {
	out := dp.Form{Value: f.Value + k*g.Value, Terms: append([]dp.Term(nil), f.Terms...)}
next:
	for _, t := range g.Terms {
		for i := range out.Terms {
			if out.Terms[i].Index == t.Index {
				out.Terms[i].Coef += k * t.Coef
				continue next
			}
		}
		out.Terms = append(out.Terms, dp.Term{Coef: k * t.Coef, Index: t.Index})
	}
	kept := out.Terms[:0]
	for _, t := range out.Terms {
		if t.Coef != 0 {
			kept = append(kept, t)
		}
	}
	out.Terms = kept
	return out
}

func times(v value, k float64) value {
	switch {
	case k == 0 || math.IsNaN(k) || math.IsInf(k, 0) || v.op != 0:
		if v.constant() {
			return linear(dp.Form{Value: v.num.Value * k})
		}
		return value{op: plan.OutMul, args: []value{v, linear(dp.Form{Value: k})}}
	}
	out := value{num: plus(dp.Form{}, v.num, k), den: v.den, low: v.low * k, high: v.high * k}
	if k < 0 {
		out.low, out.high = out.high, out.low
	}
	return out
}

// same says that two denominators are one number.
func same(a, b *dp.Form) bool {
	if a == nil || b == nil || a.Value != b.Value || len(a.Terms) != len(b.Terms) {
		return false
	}
	for i := range a.Terms {
		if a.Terms[i] != b.Terms[i] {
			return false
		}
	}
	return true
}

func add(a, b value, sign float64) value {
	switch {
	case a.linear() && b.linear():
		out := linear(plus(a.num, b.num, sign))
		aLow, aHigh := a.bounds()
		bLow, bHigh := times(b, sign).bounds()
		out.low, out.high = aLow+bLow, aHigh+bHigh
		return out
	case a.op == 0 && b.op == 0 && same(a.den, b.den):
		return value{num: plus(a.num, b.num, sign), den: a.den, low: everywhere[0], high: everywhere[1]}
	case a.op == 0 && a.den != nil && b.constant():
		k := sign * b.num.Value
		return value{num: plus(a.num, *a.den, k), den: a.den, low: a.low + k, high: a.high + k}
	case b.op == 0 && b.den != nil && a.constant():
		return add(times(b, sign), a, 1)
	}
	return value{op: plan.OutAdd, args: []value{a, times(b, sign)}}
}

func product(a, b value) value {
	switch {
	case b.constant():
		return times(a, b.num.Value)
	case a.constant():
		return times(b, a.num.Value)
	}
	return value{op: plan.OutMul, args: []value{a, b}}
}

func quotient(a, b value) value {
	switch {
	case b.constant() && b.num.Value != 0:
		return times(a, 1/b.num.Value)
	case a.linear() && b.linear() && !b.constant():
		den := b.num
		out := value{num: a.num, den: &den, low: everywhere[0], high: everywhere[1]}
		if low, _ := a.bounds(); low >= 0 && b.low >= 0 {
			out.low = 0
		}
		return out
	case a.op == 0 && b.op == 0 && same(a.den, b.den):
		den := b.num
		return value{num: a.num, den: &den, low: everywhere[0], high: everywhere[1]}
	}
	return value{op: plan.OutDiv, args: []value{a, b}}
}

// value is the number itself; what is known to lie within bounds is moved to the nearest bound. A mean over a noised count that is not
// positive is the middle of its bounds.
func (v value) value() float64 {
	if x, ok := v.momentValue(); ok {
		return x
	}
	switch v.op {
	case 0:
		x := v.num.Value
		if v.den != nil {
			x /= v.den.Value
			if v.den.Value <= 0 && !math.IsInf(v.low, 0) && !math.IsInf(v.high, 0) {
				return (v.low + v.high) / 2
			}
		}
		return math.Min(math.Max(x, v.low), v.high)
	case plan.OutAdd:
		return v.args[0].value() + v.args[1].value()
	case plan.OutMul:
		return v.args[0].value() * v.args[1].value()
	case plan.OutDiv:
		return v.args[0].value() / v.args[1].value()
	default:
		return round(v.args[0].value(), v.digits)
	}
}

func round(x float64, digits int) float64 {
	p := math.Pow10(digits)
	if y := math.Round(x*p) / p; !math.IsInf(y, 0) {
		return y
	}
	return x
}

// parts counts the noisy forms under a value: the k of Bonferroni, at least 1.
func (v value) parts() int {
	if v.op == 0 {
		if v.constant() {
			return 0
		}
		return 1
	}
	n := 0
	if v.op == opTree {
		return 1
	}
	for i := range v.args {
		n += v.args[i].parts()
	}
	return max(n, 1)
}

// interval holds the exact number when every part's interval, at the level, holds its part.
func (v value) interval(noises []dp.Noise, level float64) (lo, hi float64) {
	if v.op == 0 {
		return v.simple(noises, level)
	}
	if v.op == opTree {
		return v.tree.interval(level)
	}
	lo, hi = v.args[0].interval(noises, level)
	if a, b, ok := v.momentInterval(lo, hi); ok {
		return a, b
	}
	if v.op == plan.OutRound {
		return round(lo, v.digits), round(hi, v.digits)
	}
	lo2, hi2 := v.args[1].interval(noises, level)
	switch v.op {
	case plan.OutAdd:
		return lo + lo2, hi + hi2
	case plan.OutMul:
		return hull(lo*lo2, lo*hi2, hi*lo2, hi*hi2)
	default:
		if lo2 <= 0 && hi2 >= 0 {
			return everywhere[0], everywhere[1]
		}
		return hull(lo/lo2, lo/hi2, hi/lo2, hi/hi2)
	}
}

func (v value) simple(noises []dp.Noise, level float64) (lo, hi float64) {
	if v.constant() {
		return v.num.Value, v.num.Value
	}
	if v.den == nil {
		lo, hi = dp.LinearInterval(noises, v.num.Value, v.num.Terms, level)
	} else {
		lo, hi = dp.RatioInterval(noises, v.num, *v.den, level)
	}
	width := hi - lo
	lo, hi = math.Max(lo, v.low), math.Min(hi, v.high)
	switch {
	case lo <= hi:
		return lo, hi
	case math.IsInf(v.high, 0): // the interval lies outside what is possible: as wide at the end of that
		return v.low, v.low + width
	case math.IsInf(v.low, 0):
		return v.high - width, v.high
	default: // keep what is known
		return v.low, v.high
	}
}

// hull of products or quotients; an undefined corner (0·∞) makes it everything.
func hull(x ...float64) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, y := range x {
		if math.IsNaN(y) {
			return everywhere[0], everywhere[1]
		}
		lo, hi = math.Min(lo, y), math.Max(hi, y)
	}
	return lo, hi
}
