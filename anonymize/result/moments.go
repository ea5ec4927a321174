package result

import (
	"math"

	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
)

// Operations that only moments need, beside those of the text.
const (
	opSquare plan.OutOp = 200 + iota // args[0]²
	opRoot                           // √args[0], of what is not negative
	opWithin                         // args[0], known to lie in low..high
	opTree                           // a quantile
)

// moments computes a variance, covariance, correlation or regression from noised sums: each mean is a ratio of linear forms with its own
// interval, and interval arithmetic carries them to the result (Bonferroni). Var = E[u²] − E[u]², Cov = E[uv] − E[u]E[v]; the
// sample forms times n/(n−1), a ratio too, in 1..2 wherever there is a sample variance (n ≥ 2).
func (c *computer) moments(r *row, m plan.Measure) value {
	f := m.Moments
	count := dp.Form{Value: r.values[f.Count], Terms: []dp.Term{{Coef: 1, Index: f.Count}}}
	mean := func(want int, shift int64, low, high float64) value {
		sum := plus(dp.Form{Value: r.values[want], Terms: []dp.Term{{Coef: 1, Index: want}}}, count, float64(shift))
		den := count
		return value{num: sum, den: &den, low: low, high: high}
	}
	u := mean(f.X, f.ShiftX, -f.ReachX, f.ReachX)
	spread := func(square value, first value, reach float64) value {
		return within(sub(square, value{op: opSquare, args: []value{first}}), 0, reach*reach)
	}
	variance := func() value { return spread(mean(f.XX, f.ShiftXX, 0, f.ReachX*f.ReachX), u, f.ReachX) }
	sample := func(v value) value {
		others := plus(count, dp.Form{Value: 1}, -1)
		return mulValue(v, value{num: count, den: &others, low: 1, high: 2})
	}
	switch m.Kind {
	case plan.VarPop:
		return scale(variance(), f.UnitX*f.UnitX)
	case plan.VarSamp:
		return scale(sample(variance()), f.UnitX*f.UnitX)
	case plan.StddevPop:
		return scale(root(variance()), f.UnitX)
	case plan.StddevSamp:
		return scale(root(sample(variance())), f.UnitX)
	default:
	}
	v := mean(f.Y, f.ShiftY, -f.ReachY, f.ReachY)
	most := f.ReachX * f.ReachY
	covariance := within(sub(mean(f.XY, f.ShiftXY, -most, most), mulValue(u, v)), -most, most)
	switch m.Kind {
	case plan.CovarPop:
		return scale(covariance, f.UnitX*f.UnitY)
	case plan.CovarSamp:
		return scale(sample(covariance), f.UnitX*f.UnitY)
	case plan.Corr:
		other := spread(mean(f.YY, f.ShiftYY, 0, f.ReachY*f.ReachY), v, f.ReachY)
		return within(value{op: plan.OutDiv, args: []value{covariance, root(mulValue(variance(), other))}}, -1, 1)
	default:
	}
	slope := scale(value{op: plan.OutDiv, args: []value{covariance, variance()}}, f.UnitY/f.UnitX)
	if m.Kind == plan.RegrSlope {
		return slope
	}
	x := add(scale(u, f.UnitX), linear(dp.Form{Value: f.ZeroX}), 1)
	y := add(scale(v, f.UnitY), linear(dp.Form{Value: f.ZeroY}), 1)
	return sub(y, mulValue(slope, x))
}

func within(v value, low, high float64) value {
	return value{op: opWithin, args: []value{v}, low: low, high: high}
}

func root(v value) value { return value{op: opRoot, args: []value{v}} }

func sub(a, b value) value { return value{op: plan.OutAdd, args: []value{a, scale(b, -1)}} }

func mulValue(a, b value) value { return value{op: plan.OutMul, args: []value{a, b}} }

// scale multiplies by a constant; of a form that keeps it a form.
func scale(v value, k float64) value {
	if v.op == 0 {
		return times(v, k)
	}
	return value{op: plan.OutMul, args: []value{v, linear(dp.Form{Value: k})}}
}

// momentValue is the number of an operation that only moments need; ok is false for the others.
func (v value) momentValue() (float64, bool) {
	switch v.op {
	case opTree:
		return v.tree.point(), true
	case opSquare:
		x := v.args[0].value()
		return x * x, true
	case opRoot:
		return math.Sqrt(math.Max(0, v.args[0].value())), true
	case opWithin:
		return math.Min(math.Max(v.args[0].value(), v.low), v.high), true
	default:
		return 0, false
	}
}

// momentInterval carries the interval of the argument.
func (v value) momentInterval(lo, hi float64) (float64, float64, bool) {
	switch v.op {
	case opSquare:
		a, b := lo*lo, hi*hi
		if lo <= 0 && hi >= 0 {
			return 0, math.Max(a, b), true
		}
		return math.Min(a, b), math.Max(a, b), true
	case opRoot:
		return math.Sqrt(math.Max(0, lo)), math.Sqrt(math.Max(0, hi)), true
	case opWithin:
		lo, hi = math.Max(lo, v.low), math.Min(hi, v.high)
		if lo > hi { // outside what is possible: keep what is known
			return v.low, v.high, true
		}
		return lo, hi, true
	default:
		return 0, 0, false
	}
}
