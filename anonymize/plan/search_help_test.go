package plan_test

import (
	"math"

	"carrel/anonymize/dp"
)

func exp(x float64) float64 { return math.Exp(x) }

// stepEpsilon is a share of an ε in the accounting's own units.
func stepEpsilon(a dp.Accounting, epsilon, share float64) float64 {
	units := float64(dp.Budget(a, epsilon, 1e-6).Units)
	return dp.Epsilon(a, dp.Cost{Units: int64(share * units)}, 1e-6)
}

// binOf is the bin of a cost in cents, found by counting digits: 0, then three a power of ten.
func binOf(x int64) int {
	if x <= 0 {
		return 0
	}
	bin := 1
	for size := int64(1); ; size *= 10 {
		for _, s := range []int64{1, 2, 5} {
			if x <= s*size {
				return bin
			}
			bin++
		}
	}
}
