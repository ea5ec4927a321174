//go:build long

package dp

import (
	"math"
	"testing"
)

// TestCoverageOfRealNoiseLong draws real noise for 100,000 answers a case and counts how often the intervals of count, sum and average hold the
// exact value: at least 95 %, one-sided test, false alarm 5e-7 a number (4.9 standard deviations).
func TestCoverageOfRealNoiseLong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		a        Accounting
		epsilon  float64
		persons  float64
		selected bool
	}{
		"zcdp, small epsilon":   {ZCDP, 0.1, 20_000, false},
		"zcdp, large epsilon":   {ZCDP, 5, 300, false},
		"basic, small epsilon":  {Basic, 0.1, 20_000, false},
		"basic, large epsilon":  {Basic, 5, 300, false},
		"zcdp, selected":        {ZCDP, 1, 400, true},
		"zcdp, small count":     {ZCDP, 0.1, 100, false},
		"basic, small count":    {Basic, 0.1, 60, false},
		"basic, one of epsilon": {Basic, 1, 5, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const n = 100_000
			list := design(t, c.a, c.epsilon,
				Want{Measure: "count(*)", Sensitivity: 3, Rows: 3, Cells: n, Select: c.selected}, Want{Measure: "sum(x - 50)", Sensitivity: 150, Rows: 3, Cells: n})
			counts, sums := sample(t, list[0], n), sample(t, list[1], n)
			exactSum := -7 * c.persons
			var seen, held [3]int
			var numbers int
			for i := range n {
				count, sum := float64(counts[i])+c.persons, float64(sums[i])+exactSum
				if c.selected && int64(count) <= list[0].Cut {
					continue
				}
				numbers++
				noises := []Noise{NoiseOf(list[0], int64(count)), NoiseOf(list[1], 0)}
				check := func(k int, lo, hi, exact float64) {
					seen[k]++
					if lo <= exact && exact <= hi {
						held[k]++
					}
				}
				lo, hi := LinearInterval(noises, count, []Term{{1, 0}}, 0.95)
				check(0, lo, hi, c.persons)
				lo, hi = LinearInterval(noises, sum+50*count, []Term{{1, 1}, {50, 0}}, 0.95)
				check(1, lo, hi, exactSum+50*c.persons)
				if i%10 == 0 {
					lo, hi = RatioInterval(noises, Form{sum, []Term{{1, 1}}}, Form{count, []Term{{1, 0}}}, 0.95)
					check(2, lo, hi, exactSum/c.persons)
				}
			}
			for k := range seen {
				if belowLevel(held[k], seen[k], 0.95) {
					t.Errorf("number %d is held %d of %d times (%.4f)", k, held[k], seen[k], float64(held[k])/math.Max(1, float64(seen[k])))
				}
			}
			if numbers < 100 {
				t.Errorf("only %d numbers published", numbers)
			}
		})
	}
}
