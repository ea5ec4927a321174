package dp

import "math"

// Exceeded is a number that the noise of none of n draws of a mechanism exceeds, with probability at least 1 − alpha: what a released number
// that is larger says is that its exact one is not 0. By the union bound over n draws, each of which is symmetric, so that the quantile of
// its absolute value at 2·alpha/n is that of its upper tail at alpha/n; rounding a draw to an integer adds at most 1. +Inf for what cannot be judged.
func Exceeded(m Mechanism, n int64, alpha float64) float64 {
	noise := NoiseOf(m, 0)
	if n < 1 || !between(alpha, 1e-300, 0.5) || m.Kind != Laplace && m.Kind != Gaussian || !between(noise.Scale, math.SmallestNonzeroFloat64, 1e300) {
		return math.Inf(1)
	}
	return quantile([]part{{Noise: noise, coef: 1}}, 2*alpha/float64(n)) + 1
}
