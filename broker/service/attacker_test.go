package service_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
)

// tellApart bounds ε of (D, D′) from below with confidence, from all that a client saw of both. The event, "feature above (or not above) this
// threshold", and the side that it speaks for are chosen on the first third of the views alone; the bound is from the rest: the
// two-sided Clopper-Pearson ends of both probabilities, each missed with half of what confidence leaves.
func tellApart(d, d0 []map[string]float64) (bound float64, event string) {
	n, n0 := len(d)/3, len(d0)/3
	learn, judge := [2][]map[string]float64{d[:n], d0[:n0]}, [2][]map[string]float64{d[n:], d0[n0:]}
	best := rule{}
	for _, r := range rules(learn[0], learn[1]) {
		if r.score = r.bound(learn[0], learn[1]); r.score > best.score {
			best = r
		}
	}
	if best.feature == "" {
		return 0, "nothing"
	}
	return max(0, best.bound(judge[0], judge[1])), best.String()
}

// rule is an event and the world in which it is the likelier.
type rule struct {
	feature   string
	threshold float64
	above     bool
	swapped   bool // D′ has it more often
	score     float64
}

func (r rule) String() string {
	return fmt.Sprintf("%s above %g: %v, in D′: %v", r.feature, r.threshold, r.above, r.swapped)
}

// rules are all thresholds of all features, both ways round.
func rules(d, d0 []map[string]float64) (out []rule) {
	values := map[string]map[float64]bool{}
	for _, v := range slices.Concat(d, d0) {
		for f, x := range v {
			if values[f] == nil {
				values[f] = map[float64]bool{}
			}
			values[f][x] = true
		}
	}
	for _, f := range slices.Sorted(maps.Keys(values)) {
		sorted := slices.Sorted(maps.Keys(values[f]))
		at := []float64{math.Inf(-1)} // above −∞: the feature is there at all
		step := len(sorted)/64 + 1    // about as fine as so many views can tell
		for i := step; i < len(sorted); i += step {
			at = append(at, (sorted[i-1]+sorted[i])/2)
		}
		for _, x := range at {
			for i := range 4 {
				out = append(out, rule{feature: f, threshold: x, above: i&1 == 0, swapped: i&2 != 0})
			}
		}
	}
	return out
}

func (r rule) hits(views []map[string]float64) (k int) {
	for _, v := range views {
		if x, ok := v[r.feature]; (ok && x > r.threshold) == r.above {
			k++
		}
	}
	return k
}

func (r rule) bound(d, d0 []map[string]float64) float64 {
	if r.swapped {
		d, d0 = d0, d
	}
	lo, _ := clopperPearson(r.hits(d), len(d), 1-confidence)
	_, hi := clopperPearson(r.hits(d0), len(d0), 1-confidence)
	return math.Log(lo / hi)
}

// clopperPearson are the two-sided exact ends of a probability after k hits of n; each end is missed with at most miss/2.
func clopperPearson(k, n int, miss float64) (lo, hi float64) {
	tail := func(p float64, atLeast bool) float64 { // P(X ≥ k) or P(X ≤ k)
		sum := 0.0
		from, to := 0, k
		if atLeast {
			from, to = k, n
		}
		for i := from; i <= to; i++ {
			a, _ := math.Lgamma(float64(n + 1))
			b, _ := math.Lgamma(float64(i + 1))
			c, _ := math.Lgamma(float64(n - i + 1))
			sum += math.Exp(a - b - c + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
		}
		return sum
	}
	search := func(atLeast bool) float64 {
		a, b := 1e-12, 1-1e-12
		for range 60 {
			if p := (a + b) / 2; (tail(p, atLeast) > miss/2) == atLeast {
				b = p
			} else {
				a = p
			}
		}
		return (a + b) / 2
	}
	lo, hi = 0, 1
	if k > 0 {
		lo = search(true)
	}
	if k < n {
		hi = search(false)
	}
	return lo, hi
}

// The ends against the closed forms at no hit and at all, and against the published table (k = 5 of 20 at 95 %: 0.0866 to 0.4910).
func TestClopperPearson(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		k, n           int
		miss, lo, high float64
	}{
		{0, 30, 0.01, 0, 1 - math.Pow(0.005, 1.0/30)},
		{30, 30, 0.01, math.Pow(0.005, 1.0/30), 1},
		{5, 20, 0.05, 0.0866, 0.4910},
	} {
		if lo, hi := clopperPearson(c.k, c.n, c.miss); math.Abs(lo-c.lo) > 1e-4 || math.Abs(hi-c.high) > 1e-4 {
			t.Errorf("%d of %d: %.4f to %.4f", c.k, c.n, lo, hi)
		}
	}
}
