package dp

import (
	"errors"
	"fmt"
	"math"
)

// Limits of parameters, as hard sanity besides policy.
const (
	MinEpsilon = 1e-4 // of one list
	MaxEpsilon = 10.0 // of one list
	MaxBudget  = 1000 // ε of an account
	MinDelta   = 1e-15
	MaxDelta   = 1e-3

	unit      = 1e9     // nano
	deltaUnit = 1 << 60 // δ is counted in 2^-60
	// drawDelta is what a Gaussian draw costs besides, in 2^-60: 2^-40.
	drawDelta = 1 << 20
	// up is a relative allowance for the rounding of float64 formulas; far above what a dozen operations can lose.
	up = 1 + 1e-12
)

// ErrParameter is the class of refused parameters (ε, δ, sensitivities, cells).
var ErrParameter = errors.New("dp: parameter refused")

// ErrScale says that a sensitivity is too large for this ε: so much noise could not be drawn exactly. It comes with ErrParameter.
var ErrScale = errors.New("noise too large for exact integers")

// ErrOverflow says that a sum of costs does not fit 63 bits.
var ErrOverflow = errors.New("dp: cost overflows")

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrParameter, fmt.Sprintf(format, args...))
}

func tooLoud() error { return fmt.Errorf("%w: %w", ErrParameter, ErrScale) }

// between is false for NaN.
func between(x, lo, hi float64) bool { return x >= lo && x <= hi }

// ConversionDelta is the part δ' of a root's δ that the conversion from ρ to ε uses: half under ZCDP, none under
// Basic, whose long lists are charged for theirs (ListSpread).
func ConversionDelta(a Accounting, rootDelta float64) float64 {
	if a == ZCDP {
		return rootDelta / 2
	}
	return 0
}

// epsilonOf converts ρ at δ'.
func epsilonOf(rho, delta float64) float64 {
	return rho + 2*math.Sqrt(rho*math.Log(1/delta))
}

// rhoOf is the inverse of epsilonOf: ρ + 2√(ρL) = ε has √ρ = √(L+ε) − √L = ε/(√(L+ε)+√L), which loses no digits for small ε.
func rhoOf(epsilon, delta float64) float64 {
	l := math.Log(1 / delta)
	s := epsilon / (math.Sqrt(l+epsilon) + math.Sqrt(l))
	return s * s
}

// Budget is the limit, in the accounting's integers, of an account that may spend ε at the root's δ, rounded down. Parameters out of
// range (ε outside [MinEpsilon, MaxBudget], δ outside [MinDelta, MaxDelta], unknown accounting) give the zero Cost, a budget that
// allows nothing.
func Budget(a Accounting, epsilon, rootDelta float64) Cost {
	if !between(epsilon, MinEpsilon, MaxBudget) || !between(rootDelta, MinDelta, MaxDelta) {
		return Cost{}
	}
	switch a {
	case ZCDP:
		return Cost{
			Units: int64(math.Floor(rhoOf(epsilon, rootDelta/2) / up * unit)),
			Delta: int64(math.Floor(rootDelta / 2 * deltaUnit)),
		}
	case Basic:
		// A decimal ε such as 0.3 is a little below itself in binary; the nearest nano-ε is what was asked.
		return Cost{Units: int64(math.Round(epsilon * unit)), Delta: int64(math.Floor(rootDelta * deltaUnit))}
	default:
		return Cost{}
	}
}

// Share is the limit of an account (a grant) inside a root: the units of ε as Budget gives them, and of the root's δ the part that
// the units are of the root's. Without it one grant could take the root's whole δ.
func Share(a Accounting, root Cost, epsilon, rootDelta float64) Cost {
	c := Budget(a, epsilon, rootDelta)
	if root.Units <= 0 || root.Delta < 0 || c.Units <= 0 || c.Units > root.Units {
		return Cost{}
	}
	part := float64(c.Units) / float64(root.Units)
	return Cost{Units: c.Units, Delta: min(root.Delta, int64(part*float64(root.Delta)))}
}

// Epsilon is the ε, at the root's δ, of having spent c: what accounts show. It is +Inf for parameters out of range. c.Delta does not
// enter: it is limited apart.
func Epsilon(a Accounting, c Cost, rootDelta float64) float64 {
	if c.Units < 0 || c.Delta < 0 || !between(rootDelta, MinDelta, MaxDelta) {
		return math.Inf(1)
	}
	x := float64(c.Units) / unit
	switch a {
	case ZCDP:
		return epsilonOf(x, rootDelta/2)
	case Basic:
		return x
	default:
		return math.Inf(1)
	}
}

// Left is the ε that can still be spent of a limit: the root's conversion of Limit less that of Spent is not additive under ZCDP, so
// it is the ε of one more list that takes all that is left. 0 when nothing is.
func Left(a Accounting, limit, spent Cost, rootDelta float64) float64 {
	d, err := limit.Sub(spent)
	if err != nil || d.Units <= 0 {
		return 0
	}
	return Epsilon(a, d, rootDelta)
}

// Add sums two costs; ErrOverflow, ErrParameter for negative ones.
func (c Cost) Add(d Cost) (Cost, error) {
	if c.Units < 0 || c.Delta < 0 || d.Units < 0 || d.Delta < 0 {
		return Cost{}, refuse("negative cost")
	}
	if c.Units > math.MaxInt64-d.Units || c.Delta > math.MaxInt64-d.Delta {
		return Cost{}, ErrOverflow
	}
	return Cost{Units: c.Units + d.Units, Delta: c.Delta + d.Delta}, nil
}

// Sub is c − d; ErrParameter when a component would be negative.
func (c Cost) Sub(d Cost) (Cost, error) {
	if c.Units < 0 || c.Delta < 0 || d.Units < 0 || d.Delta < 0 || d.Units > c.Units || d.Delta > c.Delta {
		return Cost{}, refuse("negative cost")
	}
	return Cost{Units: c.Units - d.Units, Delta: c.Delta - d.Delta}, nil
}

// Fits reports whether both components are within the limit.
func (c Cost) Fits(limit Cost) bool {
	return c.Units >= 0 && c.Delta >= 0 && c.Units <= limit.Units && c.Delta <= limit.Delta
}
