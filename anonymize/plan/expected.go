package plan

import (
	"math"

	"carrel/anonymize/dp"
)

// ExpectedError is how far noise alone moves one measure of one cell, with 95 % confidence, known before anything is spent.
type ExpectedError struct {
	Step    int    `json:"step,omitempty"` // of several, from 1, in the order in which the text has them
	Measure int    `json:"measure"`        // index in Measures() of the step
	Kind    string `json:"kind"`
	Column  string `json:"column,omitempty"`
	// HalfWidth is the ± of a count or sum in its unit; for AVG it is the ± of the mean of a cell with PerRows rows.
	HalfWidth float64 `json:"half_width"`
	PerRows   int64   `json:"per_rows,omitempty"`
	// Rank: HalfWidth counts rows by which the rank of a quantile may be off.
	Rank bool   `json:"rank,omitempty"`
	Unit string `json:"unit,omitempty"`
}

// ExpectedErrors gives the ± of every measure under a mechanism list designed for Wants(); nil when the list does not fit.
// A sum of two noises is bounded by the normal approximation of its variance.
func (p *Plan) ExpectedErrors(list []dp.Mechanism) []ExpectedError {
	const perRows = 1000
	if len(list) != len(p.wants) {
		return nil
	}
	var out []ExpectedError
	if len(p.steps) > 1 {
		for k, i := range p.InText() {
			s := p.steps[i]
			_, first := p.Within(i)
			for _, e := range s.ExpectedErrors(list[first : first+len(s.wants)]) {
				e.Step = k + 1
				out = append(out, e)
			}
		}
		return out
	}
	for i, m := range p.parts[0].Measures {
		v := 0.0
		for _, t := range m.Terms {
			d := deviation(list[t.Want])
			v += float64(t.Coef) * float64(t.Coef) * d * d
		}
		e := ExpectedError{Measure: i, Kind: m.Kind.String(), Column: m.Column, Unit: m.Unit}
		unit := math.Pow10(m.Scale)
		switch {
		case m.Kind == Quantile: // the rank is off by so many rows: the value by as many rows' worth of it
			part := p.parts[m.Tree]
			levels := len(part.Layout.Measures)
			e.HalfWidth, e.Rank = 1.96*deviation(list[part.First])*math.Sqrt(1.5*float64(levels)), true
			e.Unit = "rows"
		case m.Moments != nil:
			e.HalfWidth, e.PerRows = m.momentError(list)/perRows, perRows
			e.Unit = momentUnit(m.Kind, m.Unit)
		case m.Denominator >= 0:
			e.HalfWidth, e.PerRows = 1.96*math.Sqrt(v)/perRows/unit, perRows
		case len(m.Terms) == 1 && list[m.Terms[0].Want].Kind != dp.Gaussian:
			w := list[m.Terms[0].Want]
			e.HalfWidth = math.Log(20) * float64(w.Sensitivity) / w.Epsilon / unit
		default:
			e.HalfWidth = 1.96 * math.Sqrt(v) / unit
		}
		out = append(out, e)
	}
	return out
}

// momentUnit is the unit of a moment of a column; what mixes two columns has none that could be named.
func momentUnit(k MeasureKind, unit string) string {
	switch {
	case unit == "" || k == StddevPop || k == StddevSamp:
		return unit
	case k == VarPop || k == VarSamp:
		return unit + "²"
	default:
		return ""
	}
}

// momentError is the ± of a variance, covariance, correlation or regression times the rows of a cell, for values spread evenly over their
// bounds: what the noise of the sum of squares or products does; that of the means is smaller.
func (m *Measure) momentError(list []dp.Mechanism) float64 {
	f := m.Moments
	sdX, sdY := f.ReachX*f.UnitX/math.Sqrt(3), f.ReachY*f.UnitY/math.Sqrt(3)
	square := func(want int, unit float64) float64 { return 1.96 * deviation(list[want]) * unit }
	switch m.Kind {
	case VarPop, VarSamp:
		return square(f.XX, f.UnitX*f.UnitX)
	case StddevPop, StddevSamp:
		return square(f.XX, f.UnitX*f.UnitX) / (2 * sdX)
	case CovarPop, CovarSamp:
		return square(f.XY, f.UnitX*f.UnitY)
	case Corr:
		return square(f.XY, f.UnitX*f.UnitY) / (sdX * sdY)
	case RegrSlope:
		return square(f.XY, f.UnitX*f.UnitY) / (sdX * sdX)
	default:
		return square(f.XY, f.UnitX*f.UnitY) / (sdX * sdX) * f.ReachX * f.UnitX
	}
}

// deviation is the standard deviation of one draw.
func deviation(m dp.Mechanism) float64 {
	if m.Kind == dp.Gaussian {
		return m.Sigma
	}
	return math.Sqrt2 * float64(m.Sensitivity) / m.Epsilon
}
