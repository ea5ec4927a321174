package dp

import (
	"fmt"
	"math"

	"github.com/google/differential-privacy/go/v3/noise"
)

// maxExact bounds |exact|, so that exact + noise cannot leave int64 (noise is below 2^53).
const maxExact = 1 << 62

// Sampler draws noise from Google's library, whose only source is the system's secure one. It is safe for concurrent use.
type Sampler struct {
	laplace, gaussian noise.Noise
}

// NewSampler makes a Sampler.
func NewSampler() *Sampler { return &Sampler{laplace: noise.Laplace(), gaussian: noise.Gaussian()} }

// Sample returns exact plus fresh noise, cell by cell, in a new slice. It does not select: a Threshold mechanism's numbers come back
// whole, and the answer gate drops those that do not exceed Cut. More cells than the mechanism has, and mechanisms that Check
// refuses, are errors; on an error nothing is returned.
func (s *Sampler) Sample(m Mechanism, exact []int64) ([]int64, error) {
	if s == nil || s.laplace == nil || s.gaussian == nil {
		return nil, refuse("a Sampler comes from NewSampler")
	}
	if err := m.Check(); err != nil {
		return nil, err
	}
	if int64(len(exact)) > m.Cells {
		return nil, refuse("more cells than were charged")
	}
	out := make([]int64, len(exact))
	for i, x := range exact {
		n, err := s.draw(m)
		if err != nil {
			return nil, err
		}
		if x > maxExact || x < -maxExact || !between(n, -maxSens, maxSens) {
			return nil, refuse("number out of range")
		}
		out[i] = x + roundHalfUp(n)
	}
	return out, nil
}

// draw is one noise on 0; l0 is always 1 (the library's l0·linf wraps).
func (s *Sampler) draw(m Mechanism) (float64, error) {
	var n float64
	var err error
	switch m.Kind {
	case Laplace, Threshold:
		n, err = s.laplace.AddNoiseFloat64(0, 1, float64(m.Sensitivity), m.Epsilon, 0)
	case Gaussian:
		n, err = s.gaussian.AddNoiseFloat64(0, 1, float64(m.Sensitivity), m.Epsilon, m.Delta)
	default:
		return 0, refuse("unknown mechanism")
	}
	if err != nil {
		return 0, fmt.Errorf("dp: noise: %w", err)
	}
	return n, nil
}

// roundHalfUp is ⌊x + 1/2⌋ without the rounding error of the addition: x − ⌊x⌋ is exact.
func roundHalfUp(x float64) int64 {
	f := math.Floor(x)
	if x-f >= 0.5 {
		f++
	}
	return int64(f)
}
