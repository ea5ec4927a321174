package dp_test

import (
	"math"
	"testing"

	"carrel/anonymize/dp"
)

// Of many noised empty vectors hardly one holds a number above what noise is said not to exceed, and not much less would do.
func TestNoiseRarelyExceeds(t *testing.T) {
	t.Parallel()
	const cells, alpha, runs = 40, 0.05, 1200
	for _, a := range []dp.Accounting{dp.ZCDP, dp.Basic} {
		list, err := dp.Design(a, 0.5, 1e-6, 1e-9, []dp.Want{{Measure: "count(*)", Sensitivity: 3, Rows: 3, Cells: cells}})
		if err != nil {
			t.Fatal(err)
		}
		least, over := dp.Exceeded(list[0], cells, alpha), 0
		for range runs {
			noised, err := dp.NewSampler().Sample(list[0], make([]int64, cells))
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range noised {
				if float64(n) > least {
					over++
					break
				}
			}
		}
		// binomial with at most alpha: 60 expected at most, five standard deviations above is 98
		if over > 98 || over < 20 {
			t.Errorf("%s: noise exceeded %v in %d of %d runs", a, least, over, runs)
		}
	}
}

func TestExceededRefuses(t *testing.T) {
	t.Parallel()
	good := dp.Mechanism{Measure: "count(*)", Kind: dp.Laplace, Sensitivity: 1, Rows: 1, Cells: 4, Epsilon: 1}
	if x := dp.Exceeded(good, 4, 1e-4); !(x > 9 && x < 13) {
		t.Errorf("%v", x)
	}
	selected := good
	selected.Kind = dp.Threshold
	for name, x := range map[string]float64{
		"no draws": dp.Exceeded(good, 0, 1e-4), "alpha 0": dp.Exceeded(good, 4, 0), "alpha 1": dp.Exceeded(good, 4, 1), "NaN": dp.Exceeded(good, 4, math.NaN()),
		"a selection": dp.Exceeded(selected, 4, 1e-4), "nothing": dp.Exceeded(dp.Mechanism{}, 4, 1e-4),
	} {
		if !math.IsInf(x, 1) {
			t.Errorf("%s: %v", name, x)
		}
	}
}
