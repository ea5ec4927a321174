package dp

import "math"

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
// mechanisms and the root's δ alone decide, so there is one accountant for each list and never the better of two.
func joint(a Accounting, rootDelta float64, n int) (rate float64, ok bool) {
	rate = rootDelta / ListSpread
	return rate, a == Basic && math.Ldexp(rate, n) >= worth
}

// jointEpsilon is the ε of mechanisms with Laplace noise at these ε's, at δ = rate·ε. It is never above their sum, where the losses end.
func jointEpsilon(epsilons []float64, rate float64) float64 {
	sum := 0.0
	for _, e := range epsilons {
		sum += e
	}
	return math.Min(sum, compose(epsilons, 0, 0).epsilon(func(e float64) float64 { return rate * e })) * up
}

// jointPrice is the cost of a list that has a joint price: the ε of the whole list, the δ that it spends, and the selections' own δ's.
func jointPrice(list []Mechanism, rate float64) (Cost, error) {
	epsilons := make([]float64, 0, len(list))
	var sum Cost
	for _, m := range list {
		c, err := priceOne(Basic, m) // refuses what Basic does not price, too
		if err != nil {
			return Cost{}, err
		}
		if sum, err = sum.Add(Cost{Delta: c.Delta}); err != nil {
			return Cost{}, err
		}
		epsilons = append(epsilons, m.Epsilon)
	}
	units := math.Ceil(jointEpsilon(epsilons, rate) * unit)
	return sum.Add(Cost{Units: int64(units), Delta: int64(math.Ceil(rate * units / unit * up * deltaUnit))})
}

// jointPart is the largest ε, but for a part in 10^5, of which mechanisms may have these multiples for a joint price of epsilon: between a part
// that is known to fit (where they add up to it, to begin with) and one that does not, by false position with Illinois's halving.
func jointPart(epsilon, rate float64, multiples []float64) float64 {
	target := epsilon - 2/unit // so that rounding up stays within the budget
	parts, sum := make([]float64, len(multiples)), 0.0
	for _, m := range multiples {
		sum += m
	}
	over := func(part float64) float64 {
		for i, m := range multiples {
			parts[i] = part * m
		}
		return jointEpsilon(parts, rate) - target
	}
	in := target / (up * up * sum)
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
	var epsilons []float64
	var spent Cost
	sum, square := 0.0, 0.0
	for _, m := range list {
		c, err := priceOne(ZCDP, m)
		if err != nil {
			return 0, err
		}
		if spent, err = spent.Add(c); err != nil {
			return 0, err
		}
		if m.Kind == Gaussian {
			mu := float64(m.Sensitivity) / m.Sigma
			square += mu * mu
		} else {
			epsilons, sum = append(epsilons, m.Epsilon), sum+m.Epsilon
		}
	}
	left := delta - float64(spent.Delta)/deltaUnit
	if left < MinDelta {
		return math.Inf(1), nil
	}
	e := compose(epsilons, math.Sqrt(square), left/1000).epsilon(func(float64) float64 { return left })
	if square == 0 {
		e = math.Min(e, sum)
	}
	return e * up, nil
}
