package dp

import "math"

// The tail of a sum S of one Gaussian and several Laplaces from its characteristic function φ(u) = e^{-σ²u²/2} Π 1/(1+b²u²).
//
// ½ + (1/π) Σ_{k≥0} φ(u_k) sin(u_k t)/(k+½) with u_k = (k+½)Δ is the mean of ½ + ½·sgn sin(Δ(t−S)/2), a square wave that equals 1{S<t} wherever
// |t−S| < 2π/Δ (R. B. Davies, "Numerical inversion of a characteristic function", Biometrika 60, 1973). So
//
//	P(|S| > t) ≤ 1 − (2/π) Σ φ(u_k) sin(u_k t)/(k+½) + 2·P(|S| ≥ 2π/Δ − t).
//
// The last term is bounded by Chernoff. The sum is cut at U = u_K, where φ(u) ≤ φ(U)·2(U/u)² for u ≥ U (from bU ≥ 1 for the largest b, or from
// σU ≥ √2), so that what is left out is at most (1/π)·φ(U)·Σ 2U²/(Δ²(k+½)³) ≤ φ(U).

// cf is φ.
func (m merged) cf(u float64) float64 {
	p := math.Exp(-m.sigma * m.sigma * u * u / 2)
	for _, b := range m.laplaces {
		p /= 1 + b*b*u*u
	}
	return p
}

// chernoff is an r with P(|S| ≥ r) ≤ alpha: r = (ln(2/alpha) + ln E e^{sS})/s, the least over some s below 1/b.
func (m merged) chernoff(alpha float64) float64 {
	most := m.laplaces[len(m.laplaces)-1]
	r := math.Inf(1)
	for s := 0.98 / most; s > 1e-3/(most+m.sigma); s *= 0.9 {
		k := m.sigma * m.sigma * s * s / 2
		for _, b := range m.laplaces {
			k -= math.Log1p(-s * s * b * b)
		}
		r = math.Min(r, (math.Log(2/alpha)+k)/s)
	}
	return r
}

// inverted is a q with P(|S| > q) ≤ alpha, for a sum with at least one Laplace.
func (m merged) inverted(alpha float64) float64 {
	far := m.chernoff(alpha)
	if alpha < 1e-5 { // too small for sums in float64 that are short
		return far
	}
	slack := alpha * 1e-4
	delta := 2 * math.Pi / (far + m.chernoff(slack/4))
	most := m.laplaces[len(m.laplaces)-1]
	var weights []float64
	for k := 0.5; ; k++ {
		u := k * delta
		p := m.cf(u)
		if p <= slack/8 && (most*u >= 1 || m.sigma*u >= math.Sqrt2) {
			break
		}
		weights = append(weights, 2/math.Pi*p/k)
	}
	return solve(alpha, far, func(t float64) float64 {
		if t >= far {
			return alpha * (1 - 1e-9) // Chernoff says so
		}
		sum := 1.0
		sin, cos := math.Sincos(delta * t / 2)
		stepSin, stepCos := math.Sincos(delta * t)
		for _, w := range weights { // sin((k+½)Δt), one rotation after the other
			sum -= w * sin
			sin, cos = sin*stepCos+cos*stepSin, cos*stepCos-sin*stepSin
		}
		return math.Max(sum, 0) + slack
	})
}
