package dp

import (
	"math"

	"github.com/google/differential-privacy/go/v3/noise"
)

const (
	maxWants = 1 << 10
	maxCells = 1 << 18
	maxRows  = 1 << 30
	maxSens  = 1 << 53
	// maxScale bounds Δ/ε of Laplace: at 2^40 the library's granularity is 1, above it the low bits of the exact value show.
	maxScale = 1 << 40
	// maxSigma bounds σ: noise stays below 9σ < 2^53, where a float64 still holds every integer.
	maxSigma = 1 << 48
)

// Sensitivity is m·B for a measure with at most rows rows a person and addends in lo..hi: B = max(|lo|, |hi|), at least 1.
// A product of 2^53 or more is refused.
func Sensitivity(rows, lo, hi int64) (int64, error) {
	if rows < 1 || rows > maxRows || lo > hi || lo <= -maxSens || hi >= maxSens {
		return 0, refuse("bounds of a measure")
	}
	b := max(lo, -lo, hi, -hi, 1)
	if b > (maxSens-1)/rows {
		return 0, refuse("sensitivity of 2^53 or more")
	}
	return rows * b, nil
}

// Design calibrates a list for what a plan wants, such that Price of it is at most Budget(a, epsilon, rootDelta).Units: epsilon is the ε
// of the list at the root's δ (see ConversionDelta). The budget is split, in ρ under ZCDP and in ε under Basic, by what the numbers are for
// (shares.go): those of one kind and grouping set have the same noise relative to their sensitivity, and an average's numerator and denominator
// contribute alike. Under Basic the parts of a long list are those whose joint price is the ε asked, together more than shares of a sum.
// Lists of an ε so small that a part is under 100 units (nano-ρ, nano-ε) may cost up to one unit a mechanism more, by rounding up.
//
// selectDelta is the δ of each private selection (Want.Select); it is ignored when there is none. Cells get the mechanism of less noise at the
// same charge: Gaussian under ZCDP, whose standard deviation is 1/√2 of that of a Laplace of the same ρ for any Δ, ε and cells (one L1 bound is
// known, so L2 is no smaller). Under Basic a single Gaussian has no price and short lists are Laplace; a long list has the kind whose joint price buys
// less noise (jointShare). Selections get Laplace row counts, released above Cut.
func Design(a Accounting, epsilon, rootDelta, selectDelta float64, wants []Want) ([]Mechanism, error) {
	if !between(epsilon, MinEpsilon, MaxEpsilon) {
		return nil, refuse("epsilon outside %g..%g", MinEpsilon, MaxEpsilon)
	}
	if !between(rootDelta, MinDelta, MaxDelta) {
		return nil, refuse("delta outside %g..%g", MinDelta, MaxDelta)
	}
	if len(wants) == 0 || len(wants) > maxWants {
		return nil, refuse("number of measures")
	}
	total := epsilon
	switch a {
	case ZCDP:
		total = rhoOf(epsilon, rootDelta/2)
	case Basic:
	default:
		return nil, refuse("unknown accounting")
	}
	for _, w := range wants {
		if w.Cells < 1 || w.Groups < 0 || w.Levels < 0 {
			return nil, refuse("cells, groups or levels of a measure")
		}
	}
	epsilons, gaussian := divide(a, total, rootDelta, wants)
	list := make([]Mechanism, 0, len(wants))
	for i, w := range wants {
		m, err := calibrate(epsilons[i], gaussian, selectDelta, w)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

// divide gives each want the ε of its noise, and says whether that of cells is Gaussian, with μ for ε.
func divide(a Accounting, total, rootDelta float64, wants []Want) (epsilons []float64, gaussian bool) {
	if rate, ok := joint(a, rootDelta, len(wants)); ok {
		return jointShare(total, rate, wants)
	}
	n, p := float64(len(wants)), 1.0
	if a == Basic {
		p = 2
	}
	epsilons = shares(p, wants)
	if total*unit >= 100*n {
		total -= 2 * n / unit // so that rounding up stays within the budget
	}
	for i := range epsilons {
		if epsilons[i] *= total; a == ZCDP {
			epsilons[i] = math.Sqrt(2 * epsilons[i])
		}
	}
	return epsilons, a == ZCDP
}

func calibrate(epsilon float64, gaussian bool, selectDelta float64, w Want) (Mechanism, error) {
	m := Mechanism{Measure: w.Measure, Sensitivity: w.Sensitivity, Rows: w.Rows, Cells: w.Cells, Kind: Laplace, Epsilon: epsilon}
	switch {
	case w.Select:
		m.Kind, m.Delta = Threshold, selectDelta
	case gaussian:
		m.Kind = Gaussian
	}
	if err := m.checkShape(); err != nil {
		return Mechanism{}, err
	}
	switch m.Kind {
	case Threshold:
		m.Cut = cutFor(m)
	case Gaussian:
		m.Delta, m.Sigma = libraryFor(m.Sensitivity, m.Epsilon)
	default: // Laplace needs nothing more; an unknown kind fails Check
	}
	if err := m.Check(); err != nil {
		return Mechanism{}, err
	}
	return m, nil
}

// libraryFor finds the library's δ for its ε = √(2ρ) such that its σ is just at or above Δ/√(2ρ) (at most 0.1 % above: the accuracy of
// its search). With s/(2σ) = ε/2 and εσ/s = 1, Balle and Wang's Theorem 8 reads δ = Φ(ε/2 − 1) − e^ε Φ(−ε/2 − 1).
func libraryFor(sensitivity int64, epsilon float64) (delta, sigma float64) {
	target := float64(sensitivity) / epsilon
	delta = phi(epsilon/2-1) - math.Exp(epsilon)*phi(-epsilon/2-1)
	for range 64 {
		sigma = noise.SigmaForGaussian(1, float64(sensitivity), epsilon, delta)
		if sigma >= target {
			break
		}
		delta *= 1 - 1e-6 // the search ended a rounding error below
	}
	return delta, sigma
}

// phi is the standard normal distribution function.
func phi(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// laplaceScale is the scale that the library really draws with: (Δ+g)/ε for its granularity g.
func laplaceScale(sensitivity int64, epsilon float64) float64 {
	s := float64(sensitivity)
	return (s + granularity(s/epsilon)) / epsilon
}

// granularity is the smallest power of two that is at least scale/2^40.
func granularity(scale float64) float64 {
	f, e := math.Frexp(scale / (1 << 40))
	if f == 0.5 {
		e--
	}
	return math.Ldexp(1, e)
}

// cutFor is ⌈τ⌉ with τ = b·ln(max over k ≤ m of [(k−1)e^{1/b} + e^{(m−k+1)/b}] / 2δ), b = m/ε. The bracket is convex in k, so its
// maximum is at k = 1 or k = m.
func cutFor(m Mechanism) int64 {
	b := laplaceScale(m.Sensitivity, m.Epsilon)
	rows := float64(m.Rows)
	worst := math.Max(math.Exp(rows/b), rows*math.Exp(1/b))
	return int64(math.Ceil(b * math.Log(worst/(2*m.Delta)) * up))
}

// checkShape refuses what must not even reach the library's formulas.
func (m Mechanism) checkShape() error {
	switch {
	case m.Measure == "":
		return refuse("a mechanism without a name")
	case m.Sensitivity < 1 || m.Sensitivity >= maxSens:
		return refuse("sensitivity outside 1..2^53")
	case m.Rows < 1 || m.Rows > maxRows:
		return refuse("row bound outside 1..2^30")
	case m.Cells < 1 || m.Cells > maxCells:
		return refuse("cells outside 1..2^18")
	case !between(m.Epsilon, 1e-9, MaxEpsilon):
		return refuse("epsilon of a mechanism")
	}
	switch m.Kind {
	case Laplace:
		if m.Delta != 0 {
			return refuse("delta of a Laplace mechanism")
		}
	case Threshold:
		if m.Sensitivity != m.Rows {
			return refuse("a selection counts rows")
		}
		if !between(m.Delta, MinDelta, MaxDelta) {
			return refuse("delta of a selection outside %g..%g", MinDelta, MaxDelta)
		}
	case Gaussian:
		if float64(m.Sensitivity)/m.Epsilon > maxSigma/2 {
			return tooLoud()
		}
		return nil
	default:
		return refuse("unknown mechanism")
	}
	if float64(m.Sensitivity)/m.Epsilon > maxScale {
		return tooLoud()
	}
	return nil
}

// Check refuses a mechanism whose fields are out of range or do not belong together: among others a Sigma that is not the library's, and a
// Cut below what its δ needs.
func (m Mechanism) Check() error {
	if err := m.checkShape(); err != nil {
		return err
	}
	switch m.Kind {
	case Gaussian:
		if !between(m.Delta, 1e-12, 0.5) {
			return refuse("delta of a Gaussian mechanism")
		}
		sigma := noise.SigmaForGaussian(1, float64(m.Sensitivity), m.Epsilon, m.Delta)
		if m.Sigma != sigma || !between(sigma, 1e-6, maxSigma) {
			return refuse("sigma is not the library's")
		}
	case Threshold:
		if m.Sigma != 0 || m.Cut < cutFor(m) {
			return refuse("cut below what delta needs")
		}
	default:
		if m.Sigma != 0 || m.Cut != 0 {
			return refuse("a Laplace mechanism has neither sigma nor cut")
		}
	}
	return nil
}

// Price is the cost of a list, from the list and the root's δ alone: Laplace ε²/2 and Gaussian Δ²/(2σ²) with the library's σ under ZCDP,
// Laplace ε under Basic, selections like Laplace plus their δ, and 2^-40 of δ a Gaussian draw. Each mechanism's charge is rounded up to a
// whole unit. Under Basic a list of so many mechanisms that it pays (see joint) has one charge: the ε of their joint privacy loss at
// δ = ε·rootDelta/ListSpread, and that δ besides those of selections; what Gaussian draws cost is taken out of it first. Shorter lists with a Gaussian
// are refused there.
func Price(a Accounting, rootDelta float64, list []Mechanism) (Cost, error) {
	if len(list) == 0 || len(list) > maxWants {
		return Cost{}, refuse("number of mechanisms")
	}
	if !between(rootDelta, MinDelta, MaxDelta) {
		return Cost{}, refuse("delta outside %g..%g", MinDelta, MaxDelta)
	}
	if rate, ok := joint(a, rootDelta, len(list)); ok {
		return jointPrice(list, rate)
	}
	var sum Cost
	for _, m := range list {
		c, err := priceOne(a, m)
		if err != nil {
			return Cost{}, err
		}
		if sum, err = sum.Add(c); err != nil {
			return Cost{}, err
		}
	}
	return sum, nil
}

func priceOne(a Accounting, m Mechanism) (Cost, error) {
	if err := m.Check(); err != nil {
		return Cost{}, err
	}
	var loss float64
	switch {
	case a == ZCDP && m.Kind == Gaussian:
		r := float64(m.Sensitivity) / m.Sigma
		loss = r * r / 2
	case a == ZCDP:
		loss = m.Epsilon * m.Epsilon / 2
	case a == Basic && m.Kind != Gaussian:
		loss = m.Epsilon
	case a == Basic:
		return Cost{}, refuse("Gaussian noise under basic accounting")
	default:
		return Cost{}, refuse("unknown accounting")
	}
	c := Cost{Units: int64(math.Ceil(loss * up * unit))}
	switch m.Kind {
	case Gaussian:
		c.Delta = m.Cells * drawDelta
	case Threshold:
		c.Delta = int64(math.Ceil(m.Delta * up * deltaUnit))
	default: // Laplace is pure; Check has refused unknown kinds
	}
	return c, nil
}
