package dp

import (
	"math"
	"slices"
)

// Privacy loss distributions: what several mechanisms, fixed before they run, cost together.
//
// For a pair (P, Q) of output distributions, δ(ε) = sup over events S of P(S) − e^ε·Q(S) = E[(1 − e^{ε−L})+], L = ln P(o)/Q(o) for
// o from P (Sommer, Meiser and Mohammadi 2019). A pair dominates a mechanism when its δ(ε) is at least that of every two neighbours,
// for every ε; losses of dominating pairs add as independent numbers, adaptively chosen mechanisms included (Zhu, Dong and Wang 2022,
// Theorem 10). Everything here is a dominating pair, never an estimate:
//
//   - Laplace, as the library draws it: on a grid g, P(k) ∝ q^|k| with q = e^{-λ}, λ = gε/(Δ+g), moved by at most n = Δ/g steps. The best
//     event is k ≤ t, and δ(x) = max over t of 1 − (e^{-λ(t+1)} + e^{x-λ(n-t)})/(1+q), which by the two means' inequality is at most
//     1 − 2e^{(x-λ(n+1))/2}/(1+q) ≤ 1 − e^{(x-ε)/2}: the curve of the continuous Laplace at ε. The g in the library's scale pays exactly for the
//     grid.
//   - A change of L1 size Δ spread over several cells is dominated by the same change of one cell: moving cell after cell is group privacy
//     (Dong, Roth and Su 2022, Section 2), whose trade-off functions for noise with a log-concave density compose to that of the whole move.
//   - Gaussian: losses are Normal(μ²/2, μ²) with μ = Δ/σ, several are one with the root of Σμ². The distance of the library's binomial from it is a δ of its own.
//   - Threshold: the Laplace of its row counts. The cells of one person alone are an event of probability δ_i at most. Without it P (with that
//     person) is dominated; it adds δ_i to δ(ε) in one direction, and in the other P ≥ (1−δ_i)P′ on what Q can give out, so that
//     Q(S) − e^ε·P(S) ≤ (1−δ_i)(Q(S) − e^ε·P′(S)) + δ_i. Over a list that is Σδ_i.
//
// Losses lie on a grid of step h and are counted down from their top. What has sunk below 0 never comes back, since every further mechanism
// only sinks from its own top: it is dropped without an error. Convolutions are done directly, not by FFT (Koskela and others 2020, Gopi and
// others 2021): sums of positive products lose no relative accuracy (see slack), where the 1e-16 of an FFT would drown a
// δ of 1e-15; with dots connected 256 steps are enough.
type loss struct {
	step float64
	mass []float64 // mass[i] is the probability of the loss (top−i)·step
	top  int
	over float64 // probability of losses above the grid: they count as infinite
}

const (
	// equalSteps are the steps from 0 to the largest joint loss of a list of equal mechanisms, otherSteps of any list.
	equalSteps, otherSteps = 256, 1024
	// slack covers rounding: a sum of 2^11 positive products errs by 2^-42 of itself at most, and a power of 2^10 adds up that many errors.
	slack = 1 + 1e-9
)

// laplaceLoss is a grid's pair for Laplace noise at ε. At ε = nh it is that of the discrete Laplace with q = e^{-h/2} moved by n steps, whose δ at each
// multiple of h is exactly 1 − e^{(x-ε)/2}, joined by lines in e^x: since every true δ is convex in e^x it lies below (Doroshenko and others 2022,
// "Connect the dots"). Between nh and (n+1)h it is the mixture of the two with e^{-ε/2} in between: 1 − e^{x/2}·e^{-ε/2} is linear in
// e^{-ε/2}, so the mixture has the same δ where |x| ≤ nh, and a larger one outside.
func laplaceLoss(epsilon, h float64) loss {
	n := int(math.Floor(epsilon / h))
	above := math.Min(1, math.Expm1(-(epsilon-float64(n)*h)/2)/math.Expm1(-h/2)*up)
	l := loss{step: h, mass: make([]float64, 2*n+3), top: n + 1}
	addLattice(l.mass, n+1, h, above)
	addLattice(l.mass[1:], n, h, 1-above)
	return l
}

// addLattice adds weight times the losses of the discrete Laplace with q = e^{-h/2} moved by n steps, counted from nh down.
func addLattice(mass []float64, n int, h, weight float64) {
	if n == 0 {
		mass[0] += weight
		return
	}
	q := math.Exp(-h / 2)
	mass[0] += weight / (1 + q)
	inner := weight * math.Tanh(h/4)
	for i := 1; i < 2*n; i++ {
		inner *= q
		mass[i] += inner
	}
	mass[2*n] += weight * math.Exp(-float64(n)*h) / (1 + q)
}

// gaussianLoss rounds losses up to the grid. Those above it, of a probability of at most cut, are infinite; those of more than others steps
// below 0, which the tops of all others together do not lift to 0, are left out.
func gaussianLoss(mu, h, cut float64, others int) loss {
	z := math.Sqrt2 * math.Erfcinv(2*cut)
	top := int(math.Ceil((mu*mu/2 + z*mu) / h))
	tail := func(i int, side float64) float64 { return math.Erfc(side*(float64(i)*h-mu*mu/2)/mu/math.Sqrt2) / 2 }
	l := loss{step: h, mass: make([]float64, top+others+1), top: top, over: tail(top, 1)}
	for i := range l.mass { // each from the tail that is smaller, which loses no digits
		if hi := top - i; float64(hi)*h > mu*mu/2 {
			l.mass[i] = tail(hi-1, 1) - tail(hi, 1)
		} else {
			l.mass[i] = tail(hi, -1) - tail(hi-1, -1)
		}
	}
	return l
}

// plus is the loss of both, down to floor steps below their joint top.
func (l loss) plus(m loss, floor int) loss {
	out := loss{step: l.step, top: l.top + m.top, over: l.over + m.over}
	out.mass = make([]float64, min(len(l.mass)+len(m.mass)-1, floor+1))
	for i, x := range l.mass {
		if x == 0 || i >= len(out.mass) {
			continue
		}
		row := out.mass[i:min(i+len(m.mass), len(out.mass))]
		for j := range row {
			row[j] += x * m.mass[j]
		}
	}
	return out
}

// times is the loss of n of the same, by repeated squaring.
func (l loss) times(n, floor int) loss {
	sum, some := loss{}, false
	for {
		if n&1 == 1 {
			if !some {
				sum, some = l, true
			} else {
				sum = sum.plus(l, floor)
			}
		}
		if n >>= 1; n == 0 {
			return sum
		}
		l = l.plus(l, floor)
	}
}

// epsilon is the smallest ε ≥ 0 with δ(ε) ≤ spend(ε), for a spend that does not fall; +Inf when there is none.
//
// Between two losses x−h and x, δ(ε) = d + r·(1 − e^{ε-x}) with d = δ(x) and r the sum of mass·e^{x-loss} over losses of x and more:
// all terms are positive.
func (l loss) epsilon(spend func(float64) float64) float64 {
	d, r, fade := l.over+1e-250, 0.0, -math.Expm1(-l.step) // what may have vanished below the smallest numbers
	if d*slack > spend(float64(l.top)*l.step) {
		return math.Inf(1)
	}
	for i := range l.top {
		x := float64(l.top-i) * l.step
		r *= 1 - fade
		if i < len(l.mass) {
			r += l.mass[i]
		}
		below := d + r*fade
		if below*slack > spend(x-l.step) {
			lo, hi := x-l.step, x
			for range 50 {
				if mid := (lo + hi) / 2; (d-r*math.Expm1(mid-x))*slack > spend(mid) {
					lo = mid
				} else {
					hi = mid
				}
			}
			return hi
		}
		d = below
	}
	return 0
}

// compose is the joint loss of Laplace noises at these ε's and of a Gaussian of this μ (0: none) cut at this probability.
func compose(epsilons []float64, mu, cut float64) loss {
	epsilons = slices.Clone(epsilons)
	slices.Sort(epsilons)
	h := gridStep(epsilons, mu)
	var parts []loss
	floor := 0
	for i := 0; i < len(epsilons); {
		n := 1
		for i+n < len(epsilons) && epsilons[i+n] == epsilons[i] {
			n++
		}
		one := laplaceLoss(epsilons[i], h)
		parts = append(parts, one)
		floor += n * one.top
		i += n
	}
	if mu > 0 {
		g := gaussianLoss(mu, h, cut, floor)
		parts = append(parts, g)
		floor += g.top
	}
	joint := loss{step: h, mass: []float64{1}}
	for i := 0; len(parts) > 0; parts = parts[1:] {
		n := 1
		for i+n < len(epsilons) && epsilons[i+n] == epsilons[i] {
			n++
		}
		joint, i = joint.plus(parts[0].times(n, floor), floor), i+n
	}
	return joint
}

// gridStep divides the ε of equal mechanisms evenly, so that a larger ε always costs more: the discrete Laplace of a smaller q is less private than
// that of a larger one, which is it plus independent noise.
func gridStep(sorted []float64, mu float64) float64 {
	sum := 0.0
	for _, e := range sorted {
		sum += e
	}
	n := len(sorted)
	switch {
	case n == 0:
		return math.Min(mu/128, 1)
	case mu > 0:
		return math.Max(math.Min(mu/128, sum/otherSteps), (sum+mu*mu/2+9*mu)/(4*otherSteps))
	case sorted[0] == sorted[n-1]:
		return sorted[0] * up / float64(max(1, equalSteps/n))
	default:
		return sum / otherSteps
	}
}
