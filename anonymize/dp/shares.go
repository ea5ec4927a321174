package dp

import "math"

// Shares of the budget. A list of n mechanisms could give each an n-th, and then a question with totals and a median, whose tree has five levels,
// gives its COUNT(*) a twelfth. Which number needs how much is known from the text and public metadata alone:
//
//   - A cell of a grouping set of g groups has, spread evenly, a g-th of the rows: the same noise is g times as much of it. So the relative
//     variance of a number is g² times its variance, up to one factor for the whole answer.
//   - The levels of a tree of counts are read together, for a rank: they count as one number.
//   - A number that nothing of the answer is made of is there for its shape only.
//
// Shares minimise the sum of relative variances for the total. With a variance of 1/x^p of a share x (p = 1 for shares of ρ, 2 for shares of ε)
// the least Σ w/x^p has x ∝ w^(1/(p+1)), by Lagrange. No number pays more than MostWorse for another's gain: a share is held at that floor
// and the rest is divided among the others, which is the least sum under that condition (the sum is convex, and every share
// above its floor has the same derivative).

const (
	// MostWorse is how many times the noise of equal shares a number of the answer may have at most.
	MostWorse = 1.25
	// spare is the part of an equal share that a number gets which nothing is made of.
	spare = 0.01
)

// need is w^(1/(p+1)) of a want, relative to the others: the shares of ample budgets are in proportion to it.
func (w Want) need(p float64) float64 {
	groups := w.Groups
	if groups == 0 {
		groups = w.Cells
	}
	return math.Pow(float64(groups), 2/(p+1)) / float64(max(1, w.Levels))
}

// shares divides 1 among wants, of which there is at least one.
func shares(p float64, wants []Want) []float64 {
	n := float64(len(wants))
	floor := math.Pow(MostWorse, -2/p) / n
	out := make([]float64, len(wants))
	rest, needs := 1.0, 0.0
	for i, w := range wants {
		if w.Spare {
			out[i] = spare / n
			rest -= out[i]
		} else {
			needs += w.need(p)
		}
	}
	if needs == 0 { // all are spare
		for i := range out {
			out[i] = 1 / n
		}
		return out
	}
	for fixed := true; fixed; { // each round holds one more at least
		fixed = false
		for i, w := range wants {
			if out[i] == 0 && rest*w.need(p)/needs < floor {
				out[i], fixed = floor, true
				rest, needs = rest-floor, needs-w.need(p)
			}
		}
	}
	for i, w := range wants {
		if out[i] == 0 {
			out[i] = rest * w.need(p) / needs
		}
	}
	return out
}

// multiples are the ε's of a list that has a joint price, relative to each other: roots of shares of ρ. Their squares add up to what those of equal
// ε's do, and their sum to no more, which is what a joint price grows with.
func multiples(wants []Want) []float64 {
	out := shares(1, wants)
	for i := range out {
		out[i] = math.Sqrt(out[i] * float64(len(wants)))
	}
	return out
}
