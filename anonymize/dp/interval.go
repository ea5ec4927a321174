package dp

// Noise is the distribution of the noise in one released integer. The zero value is refused (its intervals are unbounded).
type Noise struct {
	Kind Kind
	// Scale is σ for Gaussian, b = Δ/ε for Laplace and Threshold.
	Scale float64
	// Count and Cut matter for Threshold only: the released noisy count and the cut that it exceeded. A number that was published
	// because it was large is more likely too large; the intervals allow for that.
	Count, Cut int64
}

// Term is Coef times released number Index (an index into a []Noise).
type Term struct {
	Coef  float64
	Index int
}

// Form is a linear form: Value is its value over the released numbers, a constant included, Terms say which noises are in it.
type Form struct {
	Value float64
	Terms []Term
}

// NoiseOf is the noise of a mechanism's released value. The value is used by Threshold only.
func NoiseOf(m Mechanism, value int64) Noise {
	switch m.Kind {
	case Gaussian:
		return Noise{Kind: Gaussian, Scale: m.Sigma}
	case Laplace:
		return Noise{Kind: Laplace, Scale: float64(m.Sensitivity) / m.Epsilon}
	case Threshold:
		return Noise{Kind: Threshold, Scale: float64(m.Sensitivity) / m.Epsilon, Count: value, Cut: m.Cut}
	default:
		return Noise{}
	}
}
