package job

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
	"carrel/policy"
)

// Forecast is what is known of an answer's error before anything is touched: the noise for several ε, and where rows are cut. It comes
// from the plan alone, so showing it costs nothing.
type Forecast struct {
	// Cuts are the places where rows of one person are left out. How far that moves an answer is unknown: it would have to be looked up.
	Cuts  []plan.Cut    `json:"cuts,omitempty"`
	Known []policy.Text `json:"truncation"` // the same in words
	// Costliest names the measure that one person can move most, and by how much.
	Costliest *Reach  `json:"costliest,omitempty"`
	Offers    []Offer `json:"offers"`
}

// Reach is how far deleting one person can move the exact number behind a measure, over all groups together. Noise is in proportion to it. Behind a variance
// is a sum of squares, behind a correlation or regression one of products, behind a quantile the rank.
type Reach struct {
	Step    int     `json:"step,omitempty"` // as of Expected
	Measure string  `json:"measure"`
	By      float64 `json:"by"`
	Unit    string  `json:"unit,omitempty"`
	Rows    int64   `json:"rows"` // of a person
	// Rank: By counts rows, not units of the column.
	Rank bool `json:"rank,omitempty"`
}

// Offer is what another ε would give. Whether policy and budget allow it is asked when the question is.
type Offer struct {
	Epsilon   float64   `json:"epsilon"`
	PlusMinus []float64 `json:"plus_minus"` // of the measures, in their order
	// Tight is the ε of the list by its exact privacy loss at the root's δ, where charges are not counted so: what it really reveals at most.
	Tight float64 `json:"tight,omitempty"`
}

// pricing is what turns an ε into a list of mechanisms.
type pricing struct {
	accounting             dp.Accounting
	rootDelta, selectDelta float64
}

// ForecastOf is the forecast for half, once and twice an ε.
func ForecastOf(p *plan.Plan, a dp.Accounting, epsilon, rootDelta, selectDelta float64) Forecast {
	f := Forecast{Cuts: p.Features().Cuts, Costliest: costliest(p)}
	f.Known = truncation(f.Cuts, p.Rows())
	for _, times := range []float64{0.5, 1, 2} {
		if o, ok := (pricing{a, rootDelta, selectDelta}).offer(p, epsilon*times); ok {
			f.Offers = append(f.Offers, o)
		}
	}
	return f
}

// ExpectedOf is what noise alone does to each measure under a list of mechanisms.
func ExpectedOf(p *plan.Plan, list []dp.Mechanism) []Expected {
	var out []Expected
	for _, e := range p.ExpectedErrors(list) {
		out = append(out, Expected{Step: e.Step, Measure: named(e.Kind, e.Column), PlusMinus: e.HalfWidth, PerRows: e.PerRows, Rank: e.Rank, Unit: e.Unit})
	}
	return out
}

// offer is what an ε gives; false where it is outside of what can be drawn.
func (x pricing) offer(p *plan.Plan, epsilon float64) (Offer, bool) {
	list, err := dp.Design(x.accounting, epsilon, x.rootDelta, x.selectDelta, p.Wants())
	if err != nil {
		return Offer{}, false
	}
	o := Offer{Epsilon: epsilon}
	for _, e := range p.ExpectedErrors(list) {
		o.PlusMinus = append(o.PlusMinus, e.HalfWidth)
	}
	if x.accounting == dp.Basic {
		if e, err := dp.Tight(list, x.rootDelta); err == nil && e < epsilon {
			o.Tight = e
		}
	}
	return o, len(o.PlusMinus) > 0
}

// costliest is the measure that one person can move most, each in its own unit.
func costliest(p *plan.Plan) *Reach {
	var best *Reach
	steps := p.Steps()
	for k, i := range p.InText() {
		for _, m := range steps[i].Measures() {
			if r := reachOf(steps[i], &m); r.By > 0 && (best == nil || r.By > best.By) {
				if best = &r; len(steps) > 1 {
					best.Step = k + 1
				}
			}
		}
	}
	return best
}

// reachOf judges a mean by the sum that it is made of, and a moment by its sum of squares or products: what that of the means adds is smaller.
func reachOf(p *plan.Plan, m *plan.Measure) Reach {
	r := Reach{Measure: named(m.Kind.String(), m.Column), Unit: m.Unit, Rows: p.Rows()}
	wants := p.Wants()
	if m.Kind == plan.Quantile {
		r.By, r.Unit, r.Rank = float64(wants[p.Parts()[m.Tree].First].Sensitivity), "rows", true
		return r
	}
	if f := m.Moments; f != nil {
		of := func(want int, unit float64) {
			if want >= 0 {
				r.By = math.Max(r.By, float64(wants[want].Sensitivity)*unit)
			}
		}
		of(f.XX, f.UnitX*f.UnitX)
		if r.Unit != "" {
			r.Unit += "²"
		}
		if f.XY >= 0 {
			r.By, r.Unit = 0, "" // products of two columns have no unit that could be named
			of(f.XY, f.UnitX*f.UnitY)
		}
		return r
	}
	for i, t := range m.Terms {
		if m.Denominator >= 0 && i > 0 {
			break // the centre's share of the count
		}
		r.By += math.Abs(float64(t.Coef)) * float64(wants[t.Want].Sensitivity)
	}
	r.By /= math.Pow10(m.Scale)
	return r
}

func named(kind, column string) string { return strings.TrimSpace(kind + " " + column) }

func truncation(cuts []plan.Cut, rows int64) []policy.Text {
	if len(cuts) == 0 {
		return []policy.Text{{ZH: fmt.Sprintf("此处不截断：数据集里每人本来就至多 %d 行", rows), EN: fmt.Sprintf("nothing is cut here: the extract lets a person bring at most %s", counted(rows))}}
	}
	var out []policy.Text
	for _, c := range cuts {
		zh, en := "表 "+c.Table, c.Table
		if c.Table == "" {
			zh, en = "连接后的记录", "joined rows"
		}
		out = append(out, policy.Text{
			ZH: fmt.Sprintf("%s：一人多于 %d 行时（至多 %d 行），多出的不计入；偏差大小未知，不查数据", zh, c.Rows, c.Most),
			EN: fmt.Sprintf("%s: of a person with more than %s (at most %d) the rest is left out; by how much that shifts the answer is unknown, since no data are looked at", en, counted(c.Rows), c.Most),
		})
	}
	return out
}

func counted(rows int64) string {
	if rows == 1 {
		return "1 row"
	}
	return strconv.FormatInt(rows, 10) + " rows"
}
