package job

import (
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/dp"
)

// TestFoundBoundsNeverCostMore: in both accountings, for every ε and share, the lists of both steps cost at most what the ε is.
func TestFoundBoundsNeverCostMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		a := rapid.SampledFrom([]dp.Accounting{dp.ZCDP, dp.Basic}).Draw(r, "accounting")
		epsilon := rapid.Float64Range(0.1, 4).Draw(r, "epsilon")
		share := rapid.Float64Range(MinShare, MaxShare).Draw(r, "share")
		const delta = 1e-6
		d, err := divide(a, epsilon, delta, share)
		if err != nil {
			r.Fatal(err)
		}
		wants := func(n int) []dp.Want {
			var out []dp.Want
			for range n {
				out = append(out, dp.Want{Measure: "count(*)", Sensitivity: 3, Rows: 3, Cells: 30})
			}
			return out
		}
		var sum dp.Cost
		for i, e := range []float64{d.search, d.rest} {
			list, err := dp.Design(a, e, delta, 1e-9, wants(rapid.IntRange(1, 12).Draw(r, "mechanisms")))
			if err != nil {
				r.Fatal(err)
			}
			cost, err := dp.Price(a, delta, list)
			if err != nil {
				r.Fatal(err)
			}
			if sum, err = sum.Add(cost); err != nil {
				r.Fatal(err)
			}
			if whole := dp.Budget(a, epsilon, delta).Units; i == 0 && float64(cost.Units) > share*float64(whole) {
				r.Fatalf("the search costs %d of %d", cost.Units, whole)
			}
		}
		if whole := dp.Budget(a, epsilon, delta).Units; sum.Units > whole || sum.Units < whole*99/100 {
			r.Fatalf("both cost %d, ε %v is %d", sum.Units, epsilon, whole)
		}
	})
}
