package dp

import "math"

// LinearInterval holds the exact value of value = const + Σ Coef·number at the level (0.5 < level < 1) or above.
// Noises are independent; several terms may name one. Bad input gives (-Inf, +Inf).
func LinearInterval(noises []Noise, value float64, terms []Term, level float64) (lo, hi float64) {
	coefs, ok := coefficients(noises, Form{Value: value, Terms: terms})
	if !ok || !between(level, 0.5, 1-1e-9) {
		return math.Inf(-1), math.Inf(1)
	}
	ps := parts(noises, coefs)
	s := selection(ps, 1-level)
	if s.any && len(ps) == 1 {
		low, high := selectedRange(ps[0].Noise, 1-level)
		return widen(shift(value, ps[0], low, high))
	}
	h := halfWidth(ps, s.alpha)
	lo, hi = value-h, value+h
	if s.near {
		boxLo, boxHi := box(ps, value, s.alpha)
		lo, hi = math.Min(lo, boxLo), math.Max(hi, boxHi)
	}
	return widen(lo, hi)
}

// widen allows for the rounding of float64 sums; integers stay integers as long as float64 holds them.
func widen(lo, hi float64) (float64, float64) {
	if lo != math.Trunc(lo) || hi != math.Trunc(hi) || math.Max(math.Abs(lo), math.Abs(hi)) > maxSens {
		m := 1e-12 * math.Max(math.Abs(lo), math.Abs(hi))
		return lo - m, hi + m
	}
	return lo, hi
}

// halfWidth is an h with P(|Σ coef·(released − exact)| > h) ≤ alpha, selection aside.
func halfWidth(ps []part, alpha float64) float64 {
	if len(ps) == 0 {
		return 0
	}
	var reach, total float64
	equal := true
	for _, p := range ps {
		reach += math.Abs(p.coef)
		total += p.Scale
		equal = equal && math.Abs(p.coef) == math.Abs(ps[0].coef)
	}
	switch {
	case len(ps) == 1:
		// |⌊X+1/2⌋| ≤ k unless |X| ≥ k + 1/2
		k := math.Max(0, math.Ceil(quantile([]part{{Noise: ps[0].Noise, coef: 1}}, alpha)-0.5))
		return math.Abs(ps[0].coef) * k
	case equal && total <= 8:
		return math.Abs(ps[0].coef) * float64(integerRange(ps, alpha))
	default:
		return quantile(ps, alpha) + reach/2
	}
}

// integerRange is the smallest k with P(|Σ ±N| > k) ≤ alpha for the released integers' noises N, exactly.
func integerRange(ps []part, alpha float64) int {
	const cut = 1e-10
	sum := []float64{1}
	for _, p := range ps {
		reach, cdf := p.Scale*math.Log(1/cut), func(x float64) float64 { return laplaceCDF(x / p.Scale) }
		if p.Kind == Gaussian {
			reach, cdf = 6.6*p.Scale, func(x float64) float64 { return phi(x / p.Scale) }
		}
		sum = convolve(sum, gridMass(reach, 1, cdf))
	}
	return centralRange(sum, 1-alpha+float64(len(ps))*cut)
}

// selectedRange holds the exact count behind a published noisy count N > cut, given that it was published: P(miss | published) ≤ alpha.
//
// Above: N < c − k with k = ⌈b ln(1/alpha) − 1/2⌉ has, given publication, at most the probability it has without (for nested upper
// events (p−q)/(1−q) ≤ p), that is alpha/2. Below: c is kept while P(N' ≥ N | N' > cut, c) > alpha/2, which grows with c (a Laplace is
// log-concave). For c ≤ cut it does not depend on c: a number just above the cut says nothing below it, and the interval ends at
// 1, the least count of a group that exists.
func selectedRange(n Noise, alpha float64) (lo, hi float64) {
	k := math.Max(0, math.Ceil(n.Scale*math.Log(1/alpha)-0.5))
	kept := func(c float64) bool {
		tail := func(x float64) float64 { return 1 - laplaceCDF((x-0.5-c)/n.Scale) }
		if n.Scale <= 0 || float64(n.Count) <= c {
			return true
		}
		if c <= float64(n.Cut) { // the ratio of two far tails, without their underflow
			return math.Exp(-(float64(n.Count)-1-float64(n.Cut))/n.Scale) > alpha/2/up
		}
		return tail(float64(n.Count)) > alpha/2/up*tail(float64(n.Cut)+1)
	}
	a, b := 0.0, math.Max(1, float64(n.Count)) // b is kept, a is not or is below 1
	for b-a > 1 {
		mid := math.Floor((a + b) / 2)
		if kept(mid) {
			b = mid
		} else {
			a = mid
		}
	}
	return b, math.Max(b, float64(n.Count)+k)
}

// selectionPlan says how a form with published-because-large numbers is treated.
type selectionPlan struct {
	any, near bool
	alpha     float64 // the level left for the form's own interval
}

// selection: let η be a tenth of alpha (0.004 at most) shared by the selected numbers, and K = 2 ln(2/η). A number at least K·b above its
// cut is treated as if it had not been selected, at alpha − η; else the interval is the hull of that one and of the box, whose
// selected parts are given publication. For an exact count c ≤ cut + bK/2 the first case has probability at most e^{-K/2} = η/2, and
// the box covers in the second; for larger c publication itself has probability at least 1 − e^{-K/2}/2, which changes the miss
// of the plain interval by a factor below 1 + η. Either way the miss stays below alpha.
func selection(ps []part, alpha float64) selectionPlan {
	n := 0
	for _, p := range ps {
		if p.Kind == Threshold {
			n++
		}
	}
	if n == 0 {
		return selectionPlan{alpha: alpha}
	}
	eta := math.Min(0.004, alpha/10)
	s := selectionPlan{any: true, alpha: alpha - eta}
	k := 2 * math.Log(2*float64(n)/eta)
	for _, p := range ps {
		if p.Kind == Threshold && float64(p.Count-p.Cut) < k*p.Scale {
			s.near = true
		}
	}
	return s
}

// box bounds a form part by part, each at alpha over the number of parts.
func box(ps []part, value, alpha float64) (lo, hi float64) {
	lo, hi = value, value
	for _, p := range ps {
		a := alpha / float64(len(ps))
		var l, h float64
		if p.Kind == Threshold {
			low, high := selectedRange(p.Noise, a)
			l, h = shift(0, p, low, high)
		} else {
			w := halfWidth([]part{p}, a)
			l, h = -w, w
		}
		lo, hi = lo+l, hi+h
	}
	return lo, hi
}

// shift moves a value from the released count of a part to the ends of the exact count's range.
func shift(value float64, p part, low, high float64) (lo, hi float64) {
	x := value + p.coef*(low-float64(p.Count))
	y := value + p.coef*(high-float64(p.Count))
	return math.Min(x, y), math.Max(x, y)
}
