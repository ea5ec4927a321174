package plan

import (
	"math"

	"carrel/anonymize/dp"
)

// ExpectedError is how far noise alone moves one measure of one cell, with 95 % confidence, known before anything is spent.
type ExpectedError struct {
	Measure int    `json:"measure"` // index in Measures()
	Kind    string `json:"kind"`
	Column  string `json:"column,omitempty"`
	// HalfWidth is the ± of a count or sum in its unit; for AVG it is the ± of the mean of a cell with PerRows rows.
	HalfWidth float64 `json:"half_width"`
	PerRows   int64   `json:"per_rows,omitempty"`
	Unit      string  `json:"unit,omitempty"`
}

// ExpectedErrors gives the ± of every measure under a mechanism list designed for Wants(); nil when the list does not fit.
// A sum of two noises is bounded by the normal approximation of its variance.
func (p *Plan) ExpectedErrors(list []dp.Mechanism) []ExpectedError {
	const perRows = 1000
	if len(list) != len(p.wants) {
		return nil
	}
	var out []ExpectedError
	for i, m := range p.measures {
		v := 0.0
		for _, t := range m.Terms {
			d := deviation(list[t.Want])
			v += float64(t.Coef) * float64(t.Coef) * d * d
		}
		e := ExpectedError{Measure: i, Kind: m.Kind.String(), Column: m.Column, Unit: m.Unit}
		unit := math.Pow10(m.Scale)
		switch {
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

// deviation is the standard deviation of one draw.
func deviation(m dp.Mechanism) float64 {
	if m.Kind == dp.Gaussian {
		return m.Sigma
	}
	return math.Sqrt2 * float64(m.Sensitivity) / m.Epsilon
}
