package dp

import (
	"math"
	"slices"
)

const (
	// ListSpread is how far a root's δ reaches under Basic: a joint price of ε spends δ·ε/ListSpread of it. A root of ε = 20, the default of
	// policy, keeps half for selections, and one above 40 runs out of δ first.
	ListSpread = 40
	// worth is the part of its ε that a list must at least be able to save before it spends any δ on that.
	worth = 0.01
)

// joint reports whether a list of n mechanisms has a joint price under Basic, and at which δ for each ε. Whatever the list, each of its
// Laplace noises has its largest loss with probability 1/2, so δ(ε) ≥ 2^-n·(1 − e^{ε-Σ}) below the sum Σ of its ε's: a conversion at rate·ε
// saves at most -ln(1 − 2^n·rate·ε) of it. Where that is less than about one hundredth the list adds up and stays pure. The number of
// mechanisms and the root's δ alone decide, so there is one accountant for each list and never the better of two. Which noise a list is designed with is
// another matter: that is known before there is a list to charge (jointShare).
func joint(a Accounting, rootDelta float64, n int) (rate float64, ok bool) {
	rate = rootDelta / ListSpread
	return rate, a == Basic && math.Ldexp(rate, n) >= worth
}

// together are the noises of a list whose losses add up: Laplace noises at their ε's, and Gaussians as one, with the square of its μ and the draws that
// the library makes for it.
type together struct {
	epsilons []float64
	square   float64
	draws    int64
}

// add takes a mechanism that Check has passed.
func (j *together) add(m Mechanism) {
	if m.Kind == Gaussian {
		mu := float64(m.Sensitivity) / m.Sigma
		j.square, j.draws = j.square+mu*mu, j.draws+m.Cells
		return
	}
	j.epsilons = append(j.epsilons, m.Epsilon)
}

// epsilon is the ε of all of them at δ = rate·ε, of which the draws take theirs first. Without Gaussians it is never above the sum of the ε's, where the
// losses end. A Gaussian's losses above the grid have a probability far below what its draws cost already.
func (j *together) epsilon(rate float64) float64 {
	drawn := float64(j.draws) * drawDelta / deltaUnit
	return j.at(compose(j.epsilons, math.Sqrt(j.square), drawn/256).epsilon(func(e float64) float64 { return rate*e - drawn }))
}

// at is an ε of their joint loss, bounded by the sum where there is one.
func (j *together) at(epsilon float64) float64 {
	if j.square == 0 {
		sum := 0.0
		for _, x := range j.epsilons {
			sum += x
		}
		epsilon = math.Min(sum, epsilon)
	}
	return epsilon * up
}

// jointPrice is the cost of a list that has a joint price: the ε of the whole list, the δ that it spends, that of its Gaussian draws included, and the
// selections' own δ's.
func jointPrice(list []Mechanism, rate float64) (Cost, error) {
	var all together
	var sum Cost
	for _, m := range list {
		c, err := priceOne(ZCDP, m) // for its checks and its δ; each kind has one
		if err != nil {
			return Cost{}, err
		}
		if m.Kind != Gaussian {
			if sum, err = sum.Add(Cost{Delta: c.Delta}); err != nil {
				return Cost{}, err
			}
		}
		all.add(m)
	}
	units := math.Ceil(all.epsilon(rate) * unit)
	if !between(units, 0, MaxBudget*unit) {
		return Cost{}, refuse("a list without a joint price")
	}
	return sum.Add(Cost{Units: int64(units), Delta: int64(math.Ceil(rate * units / unit * up * deltaUnit))})
}

// jointShare are the parts of a joint price of epsilon for wants: the ε's of Laplace noises, or the μ's of Gaussians. Selections have Laplace noise either
// way, at the ε that has the ρ of such a μ. Cells are Gaussian where that is less noise, a standard deviation of 1/μ for √2/ε, and its draws take a
// quarter at most of the δ that the list spends. All of that is known before the charge, from what is asked alone.
func jointShare(epsilon, rate float64, wants []Want) (parts []float64, gaussian bool) {
	parts = multiples(wants)
	part := jointPart(epsilon, rate, parts, make([]int64, len(wants)))
	var draws int64
	cells := make([]int64, len(wants))
	for i, w := range wants {
		if !w.Select {
			cells[i] = w.Cells
			draws += w.Cells
		}
	}
	if drawn := float64(draws) * drawDelta / deltaUnit; draws > 0 && 4*drawn <= rate*epsilon {
		if mu := jointPart(epsilon*aim, rate, parts, cells); mu*math.Sqrt2 > part {
			part, gaussian = mu, true
		}
	}
	for i := range parts {
		parts[i] *= part
	}
	return parts, gaussian
}

// aim leaves a little of a price to Gaussians: a μ is drawn up to a thousandth smaller, which shifts the grid of the others.
const aim = 1 - 1e-4

// jointPart is the largest ε or μ, but for a part in 10^5, of which mechanisms may have these multiples for a joint price of epsilon: those with cells are
// Gaussian. It lies between a part that is known to fit (where the ρ's of all make that ε at the same δ, to begin with) and one that does not, and is found by false
// position with Illinois's halving.
func jointPart(epsilon, rate float64, multiples []float64, cells []int64) float64 {
	target := epsilon - 2/unit // so that rounding up stays within the budget
	square, sum := 0.0, 0.0
	for _, m := range multiples {
		square, sum = square+m*m, sum+m
	}
	over := func(part float64) float64 {
		all := together{}
		for i, m := range multiples {
			if cells[i] > 0 {
				all.square, all.draws = all.square+part*part*m*m, all.draws+cells[i]
			} else {
				all.epsilons = append(all.epsilons, part*m)
			}
		}
		return all.epsilon(rate) - target
	}
	in := target / (up * up * sum)
	if slices.Max(cells) > 0 {
		in = 0.9 * math.Sqrt(2*rhoOf(target, rate*target/2)/square)
	}
	left := over(in)
	out, right := in, left
	for right <= 0 { // ends: at ε = 2·target a single part is above it
		in, left = out, right
		out *= 1.5
		right = over(out)
	}
	const fits, above = 1, 2
	for n, last, short := 0, 0, -left; n < 50 && short > 1e-5*target; n++ {
		mid := (in*right - out*left) / (right - left)
		if mid <= in || mid >= out {
			break
		}
		if at := over(mid); at > 0 {
			out, right = mid, at
			if last == above {
				left /= 2
			}
			last = above
		} else {
			in, left, short = mid, at, -at
			if last == fits {
				right /= 2
			}
			last = fits
		}
	}
	return in
}

// Tight is what a list costs together at this δ, by its privacy loss distribution, whatever the accounting it is charged under: for display, never
// charged. The δ's of selections and of Gaussian draws are taken out of δ as Price counts them; +Inf when nothing is left for the rest.
func Tight(list []Mechanism, delta float64) (float64, error) {
	if len(list) == 0 || len(list) > maxWants || !between(delta, MinDelta, MaxDelta) {
		return 0, refuse("number of mechanisms or delta")
	}
	var all together
	var spent Cost
	for _, m := range list {
		c, err := priceOne(ZCDP, m)
		if err != nil {
			return 0, err
		}
		if spent, err = spent.Add(c); err != nil {
			return 0, err
		}
		all.add(m)
	}
	left := delta - float64(spent.Delta)/deltaUnit
	if left < MinDelta {
		return math.Inf(1), nil
	}
	return all.at(compose(all.epsilons, math.Sqrt(all.square), left/1000).epsilon(func(float64) float64 { return left })), nil
}
