package dp

import (
	"math"
	"slices"
)

// merged is a sum of independent noises before rounding to integers: one Gaussian and some Laplaces, in ascending order of scale.
type merged struct {
	sigma    float64
	laplaces []float64
}

func merge(ps []part) merged {
	var m merged
	var variance float64
	for _, p := range ps {
		if p.Kind == Gaussian {
			variance += p.scale() * p.scale()
		} else {
			m.laplaces = append(m.laplaces, p.scale())
		}
	}
	slices.Sort(m.laplaces)
	m.sigma = math.Sqrt(variance)
	return m
}

// closed reports whether tail has a closed form.
func (m merged) closed() bool {
	return len(m.laplaces) <= 1 || (len(m.laplaces) == 2 && m.sigma == 0)
}

// tail is P(|sum| > t) for t ≥ 0, never below it, where closed.
func (m merged) tail(t float64) float64 {
	switch {
	case len(m.laplaces) == 0 && m.sigma == 0:
		return 0
	case len(m.laplaces) == 0:
		return math.Erfc(t / (m.sigma * math.Sqrt2))
	case len(m.laplaces) == 1 && m.sigma == 0:
		return math.Exp(-t / m.laplaces[0])
	case len(m.laplaces) == 1:
		return tailMixed(m.sigma, m.laplaces[0], t)
	default:
		return tailTwo(m.laplaces[0], m.laplaces[1], t)
	}
}

// quantile is a q with P(|Σ coef·X| > q) ≤ alpha for independent noises X before rounding to integers, at most a few percent above the
// smallest one.
func quantile(ps []part, alpha float64) float64 {
	m := merge(ps)
	switch {
	case len(m.laplaces) == 0:
		return m.sigma * math.Sqrt2 * math.Erfcinv(alpha) * up
	case len(m.laplaces) == 1 && m.sigma == 0:
		return m.laplaces[0] * math.Log(1/alpha) * up
	case m.closed():
		return solve(alpha, m.sigma+m.laplaces[len(m.laplaces)-1], m.tail)
	default:
		return m.inverted(alpha)
	}
}

// solve finds, from above, where a falling tail reaches alpha: regula falsi (Illinois) on ln tail, which is nearly a straight line. What
// it returns was seen to have a tail of at most alpha; +Inf when no such place is found.
func solve(alpha, scale float64, tail func(float64) float64) float64 {
	gap := func(t float64) float64 { return math.Log(tail(t) / alpha) } // > 0 too near, -Inf far out
	lo, hi := 0.0, scale
	gLo, gHi := math.Log(1/alpha), gap(hi)
	for i := 0; !(gHi <= 0); i++ {
		if i > 1000 {
			return math.Inf(1)
		}
		lo, gLo = hi, gHi
		hi *= 2
		gHi = gap(hi)
	}
	for range 100 {
		if hi-lo <= 1e-7*hi {
			break
		}
		mid := (lo + hi) / 2
		if x := (lo*gHi - hi*gLo) / (gHi - gLo); x > lo && x < hi && !math.IsInf(gHi, -1) {
			mid = min(x*(1+1e-8), hi-(hi-lo)*1e-3) // a little beyond, so that hi comes down too
		}
		switch g := gap(mid); {
		case g > 0:
			lo, gLo, gHi = mid, g, gHi/2
		case g <= 0:
			hi, gHi, gLo = mid, g, gLo/2
		default:
			return math.Inf(1) // NaN
		}
	}
	return hi
}

// tailTwo is P(|X1+X2| > t) for Laplaces of scales a ≤ b.
func tailTwo(a, b, t float64) float64 {
	if b-a < 1e-3*b { // the difference quotient loses digits: take both as b, a little wider
		return (1 + t/(2*b)) * math.Exp(-t/b)
	}
	return (b*b*math.Exp(-t/b) - a*a*math.Exp(-t/a)) / ((b - a) * (b + a))
}

// tailMixed is P(|G+L| > t) for a Gaussian σ and a Laplace b:
// erfc(t/σ√2) + e^{σ²/2b²}/2·[e^{-t/b} erfc(v) − e^{t/b} erfc(u)], u, v = (σ/b ± t/σ)/√2; written with erfcx(x) = e^{x²} erfc(x), since
// σ²/2b² ± t/b = u², v² − t²/2σ².
func tailMixed(sigma, b, t float64) float64 {
	u := (sigma/b + t/sigma) / math.Sqrt2
	v := (sigma/b - t/sigma) / math.Sqrt2
	g := math.Exp(-t * t / (2 * sigma * sigma))
	low := g * erfcx(v)
	if v < 0 {
		low = math.Exp(sigma*sigma/(2*b*b)-t/b) * math.Erfc(v)
	}
	return math.Erfc(t/(sigma*math.Sqrt2)) + (low-g*erfcx(u))/2
}

// erfcx is e^{x²}·erfc(x) for x ≥ 0.
func erfcx(x float64) float64 {
	if x < 20 {
		return math.Exp(x*x) * math.Erfc(x)
	}
	y := 1 / (x * x)
	return (1 - y/2 + 3*y*y/4 - 15*y*y*y/8) / (x * math.SqrtPi)
}

// laplaceCDF is that of scale 1.
func laplaceCDF(x float64) float64 {
	if x < 0 {
		return math.Exp(x) / 2
	}
	return 1 - math.Exp(-x)/2
}

// gridMass is the distribution of a symmetric X rounded to multiples of step, centred in the slice.
func gridMass(reach, step float64, cdf func(float64) float64) []float64 {
	n := int(math.Ceil(reach/step)) + 1
	mass := make([]float64, 2*n+1)
	for i := 0; i <= n; i++ {
		// by symmetry from the lower tail, where differences keep their digits
		p := cdf((float64(-i)+0.5)*step) - cdf((float64(-i)-0.5)*step)
		mass[n-i], mass[n+i] = p, p
	}
	return mass
}

func convolve(a, b []float64) []float64 {
	out := make([]float64, len(a)+len(b)-1)
	for i, x := range a {
		for j, y := range b {
			out[i+j] += x * y
		}
	}
	return out
}

// centralRange is the smallest k such that the middle 2k+1 entries of a centred distribution hold the level.
func centralRange(mass []float64, level float64) int {
	mid := len(mass) / 2
	sum := mass[mid]
	k := 0
	for sum < level && k < mid {
		k++
		sum += mass[mid-k] + mass[mid+k]
	}
	return k
}
