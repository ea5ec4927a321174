// Package dptest is an attacker for tests: from what is seen of two neighbouring inputs it bounds from below how far they can be told apart.
// It promises nothing to production code, which never imports it.
//
// The event is chosen on the first third of the views alone: "this number is above (or not above) that threshold", where a number is anything
// that was seen, or what all of them together say for one side; on the rest its probabilities are bounded by Clopper and Pearson. So the bound is below the
// true one with the stated confidence, however the event was found (Jagielski, Ullman and Oprea 2020, "Auditing differentially private machine learning").
package dptest

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// View is what is seen of one answer, by name.
type View = map[string]float64

// Event tells two inputs apart: its probability is at least Lo on the one and at most Hi on the other.
type Event struct {
	Name   string
	Lo, Hi float64
}

// Epsilon is a lower bound of ε at this δ: P(E) ≤ e^ε·P′(E) + δ.
func (e Event) Epsilon(delta float64) float64 {
	if e.Lo <= delta {
		return 0
	}
	return math.Max(0, math.Log((e.Lo-delta)/e.Hi))
}

// Mu is a lower bound of μ = Δ/σ of Gaussian noise, each of whose events has Φ⁻¹(P(E)) − Φ⁻¹(P′(E)) ≤ μ (Dong, Roth and Su 2022): the bound of its ρ is
// half of the square.
func (e Event) Mu() float64 {
	return math.Max(0, math.Sqrt2*(math.Erfinv(2*e.Lo-1)-math.Erfinv(2*e.Hi-1)))
}

// Rho is a lower bound of ρ: what one bit says of two inputs has a Rényi divergence of order α of at most ρα, for every α above 1.
func (e Event) Rho() float64 {
	most := 0.0
	if e.Lo <= e.Hi {
		return 0
	}
	for _, a := range []float64{1.001, 1.25, 1.5, 2, 3, 4, 6, 8, 12, 16, 32, 64} {
		both := math.Pow(e.Lo, a)*math.Pow(e.Hi, 1-a) + math.Pow(1-e.Lo, a)*math.Pow(1-e.Hi, 1-a)
		most = math.Max(most, math.Log(both)/(a-1)/a)
	}
	return most
}

// TellApart finds the event of the largest score and bounds it, each of its two probabilities being missed with half of 1 − confidence.
func TellApart(d, d0 []View, confidence float64, score func(Event) float64) Event {
	n, n0 := len(d)/3, len(d0)/3
	d, d0 = together(d, d0, n, n0)
	best, most := rule{}, 0.0
	for _, f := range names(d[:n], d0[:n0]) {
		x, y := sorted(d[:n], f), sorted(d0[:n0], f)
		for _, r := range rules(f, x, y) {
			if s := score(r.event(r.hits(x, n), n, r.hits(y, n0), n0, confidence)); s > most {
				best, most = r, s
			}
		}
	}
	if best.feature == "" {
		return Event{Name: "nothing", Hi: 1}
	}
	x, y := sorted(d[n:], best.feature), sorted(d0[n0:], best.feature)
	return best.event(best.hits(x, len(d)-n), len(d)-n, best.hits(y, len(d0)-n0), len(d0)-n0, confidence)
}

func names(d, d0 []View) []string {
	all := map[string]bool{}
	for _, v := range slices.Concat(d, d0) {
		for f := range v {
			all[f] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// sorted are the values of a feature in the views that have it.
func sorted(views []View, feature string) (out []float64) {
	for _, v := range views {
		if x, ok := v[feature]; ok {
			out = append(out, x)
		}
	}
	slices.Sort(out)
	return out
}

// together adds to all views what their numbers say together for one side, learned on the first n and n0 of them: the sum of log likelihoods if the
// noise were Laplace, and if it were Gaussian, of those numbers whose means differ visibly.
func together(d, d0 []View, n, n0 int) (with, with0 []View) {
	type moments struct{ mean, mean0, spread, square float64 }
	known := map[string]moments{}
	for _, f := range slices.Sorted(maps.Keys(first(d))) {
		x, all := column(d[:n], f)
		y, all0 := column(d0[:n0], f)
		if !all || !all0 || n < 2 || n0 < 2 {
			continue
		}
		m := moments{mean: mean(x), mean0: mean(y)}
		for _, v := range x {
			m.spread, m.square = m.spread+math.Abs(v-m.mean)/float64(n), m.square+(v-m.mean)*(v-m.mean)/float64(n)
		}
		if m.spread > 0 && math.Abs(m.mean-m.mean0) > 3*math.Sqrt(m.square*(1/float64(n)+1/float64(n0))) {
			known[f] = m
		}
	}
	add := func(views []View) []View {
		out := make([]View, len(views))
		for i, v := range views {
			out[i] = maps.Clone(v)
			var laplace, gaussian float64
			for f, m := range known {
				x, ok := v[f]
				if !ok {
					continue
				}
				laplace += (math.Abs(x-m.mean0) - math.Abs(x-m.mean)) / m.spread
				gaussian += (x - (m.mean+m.mean0)/2) * (m.mean - m.mean0) / m.square
			}
			if len(known) > 1 {
				out[i]["all numbers"], out[i]["all numbers, squared"] = laplace, gaussian
			}
		}
		return out
	}
	return add(d), add(d0)
}

func first(views []View) View {
	if len(views) == 0 {
		return nil
	}
	return views[0]
}

// column is a number of all views, and whether all have it.
func column(views []View, feature string) (out []float64, all bool) {
	for _, v := range views {
		x, ok := v[feature]
		if !ok {
			return nil, false
		}
		out = append(out, x)
	}
	return out, true
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// rule is an event and the side on which it is the likelier.
type rule struct {
	feature   string
	threshold float64
	above     bool
	swapped   bool // the second side has it more often
}

// rules are the thresholds of a feature, both ways round.
func rules(feature string, x, y []float64) (out []rule) {
	values := slices.Concat(x, y)
	slices.Sort(values)
	values = slices.Compact(values)
	at := []float64{math.Inf(-1)} // above −∞: the feature is there at all
	step := len(values)/64 + 1    // about as fine as so many views can tell
	for i := step; i < len(values); i += step {
		at = append(at, (values[i-1]+values[i])/2)
	}
	for _, v := range at {
		for i := range 4 {
			out = append(out, rule{feature: feature, threshold: v, above: i&1 == 0, swapped: i&2 != 0})
		}
	}
	return out
}

// hits counts those of n views for which the event is true; values are the feature's, sorted, of the views that have it.
func (r rule) hits(values []float64, n int) int {
	i, _ := slices.BinarySearchFunc(values, r.threshold, func(v, at float64) int {
		if v > at {
			return 1
		}
		return -1
	})
	if r.above {
		return len(values) - i
	}
	return n - len(values) + i
}

func (r rule) event(k, n, k0, n0 int, confidence float64) Event {
	if r.swapped {
		k, n, k0, n0 = k0, n0, k, n
	}
	e := Event{Name: fmt.Sprintf("%s above %.6g: %v, on the second side: %v", r.feature, r.threshold, r.above, r.swapped)}
	e.Lo, _ = ClopperPearson(k, n, 1-confidence)
	_, e.Hi = ClopperPearson(k0, n0, 1-confidence)
	return e
}

// ClopperPearson are the two-sided exact ends of a probability after k hits of n; each end is missed with at most miss/2.
func ClopperPearson(k, n int, miss float64) (lo, hi float64) {
	lo, hi = 0, 1
	if k > 0 {
		lo = atLeast(k, n, miss/2)
	}
	if k < n {
		hi = 1 - atLeast(n-k, n, miss/2)
	}
	return lo, hi
}

// atLeast is the p at which P(X ≥ k) is miss, for X of n and p. The sum goes on from its first term until it is above, or no longer grows.
func atLeast(k, n int, miss float64) float64 {
	all, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	low, high := 1e-12, float64(k)/float64(n) // P(X ≥ k) is 1/2 or so at k/n
	for high-low > 1e-7*high {                // the answer is the low end, which is on the safe side of both
		p := (low + high) / 2
		term := math.Exp(all - b - c + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
		sum := term
		for i := k; i < n && sum <= miss && term > 1e-17*sum; i++ {
			term *= float64(n-i) / float64(i+1) * p / (1 - p)
			sum += term
		}
		if sum > miss {
			high = p
		} else {
			low = p
		}
	}
	return low
}
