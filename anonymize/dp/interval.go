package dp

import "math"

// This file and its neighbours linear.go, tail.go, inversion.go and ratio.go say how far released numbers may be from the exact ones.
//
// Every interval covers at its level or above. The pieces of the argument:
//
//   - A released integer is exact + ⌊X + 1/2⌋ with X the library's noise, so a linear form misses by Σ c X plus at most Σ|c|/2. One
//     number, and small noises with equal |c|, are treated exactly on the integers instead.
//   - The tail of |Σ c X| is in closed form for Gaussians together with at most one Laplace, and for two Laplaces. Otherwise the
//     characteristic function is inverted with bounds on every error, which are added (inversion.go).
//   - A number that was published because it exceeded a cut (Threshold) is judged by its distribution given that it was published: see
//     selectedRange.
//   - A ratio's interval is the set of θ for which num − θ·den may be 0 at the level (Fieller), num and den sharing what noises they
//     share. It covers at the level whatever the denominator, and is unbounded when the denominator may be 0.
//   - What has no sound form of these kinds is bounded part by part (Bonferroni).

// Noise is the distribution of the noise in one released integer. The zero value is refused (its intervals are unbounded).
type Noise struct {
	Kind Kind
	// Scale is σ for Gaussian, b = Δ/ε for Laplace and Threshold.
	Scale float64
	// Count and Cut matter for Threshold only: the released noisy count and the cut that it exceeded. A number that was published
	// because it was large is more likely too large; the intervals allow for that.
	Count, Cut int64
}

// Term is Coef times released number Index (an index into a []Noise).
type Term struct {
	Coef  float64
	Index int
}

// Form is a linear form: Value is its value over the released numbers, a constant included, Terms say which noises are in it.
type Form struct {
	Value float64
	Terms []Term
}

// NoiseOf is the noise of a mechanism's released value. The value is used by Threshold only.
func NoiseOf(m Mechanism, value int64) Noise {
	switch m.Kind {
	case Gaussian:
		return Noise{Kind: Gaussian, Scale: m.Sigma}
	case Laplace:
		return Noise{Kind: Laplace, Scale: laplaceScale(m.Sensitivity, m.Epsilon)}
	case Threshold:
		return Noise{Kind: Threshold, Scale: laplaceScale(m.Sensitivity, m.Epsilon), Count: value, Cut: m.Cut}
	default:
		return Noise{}
	}
}

// maxTerms bounds the noises of one form.
const maxTerms = 64

// part is one noise of a form with its merged coefficient, never 0.
type part struct {
	Noise
	coef float64
}

// scale is that of coef·noise.
func (p part) scale() float64 { return math.Abs(p.coef) * p.Scale }

// coefficients merges the terms of a form into one coefficient a noise; ok is false for bad input.
func coefficients(noises []Noise, f Form) (coefs []float64, ok bool) {
	coefs = make([]float64, len(noises))
	if math.IsNaN(f.Value) || math.IsInf(f.Value, 0) {
		return nil, false
	}
	for _, t := range f.Terms {
		if t.Index < 0 || t.Index >= len(noises) || math.IsNaN(t.Coef) || math.IsInf(t.Coef, 0) {
			return nil, false
		}
		coefs[t.Index] += t.Coef
	}
	used := 0
	for i, c := range coefs {
		if c == 0 {
			continue
		}
		used++
		n := noises[i]
		if n.Kind < Laplace || n.Kind > Threshold || !between(n.Scale, math.SmallestNonzeroFloat64, 1e300) || math.IsInf(c, 0) {
			return nil, false
		}
	}
	return coefs, used <= maxTerms
}

// parts are the noises with a coefficient.
func parts(noises []Noise, coefs []float64) []part {
	var ps []part
	for i, c := range coefs {
		if c != 0 {
			ps = append(ps, part{Noise: noises[i], coef: c})
		}
	}
	return ps
}
