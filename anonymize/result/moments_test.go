package result_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
	"carrel/anonymize/result"
)

// moments asks all of a column, or of two columns in the order of SQL: (y, x).
func moments(t *testing.T, kinds []plan.MeasureKind, columns ...string) *plan.Plan {
	t.Helper()
	return query(t, func(s *plan.Spec) {
		s.Keys, s.Output, s.Wanted = nil, nil, nil
		for i, k := range kinds {
			s.Wanted = append(s.Wanted, plan.MeasureSpec{Kind: k, Args: plantest.Cols(columns...)})
			s.Output = append(s.Output, out("m", measure(i)))
		}
	})
}

var (
	ofOne = []plan.MeasureKind{plan.VarPop, plan.VarSamp, plan.StddevPop, plan.StddevSamp}
	ofTwo = []plan.MeasureKind{plan.CovarPop, plan.CovarSamp, plan.Corr, plan.RegrSlope, plan.RegrIntercept}
)

// direct are the formulas of the textbook.
func direct(k plan.MeasureKind, y, x []float64) float64 {
	n := float64(len(x))
	var mx, my, xx, yy, xy float64
	for i := range x {
		mx, my = mx+x[i]/n, my+y[i]/n
	}
	for i := range x {
		xx, yy, xy = xx+(x[i]-mx)*(x[i]-mx), yy+(y[i]-my)*(y[i]-my), xy+(x[i]-mx)*(y[i]-my)
	}
	return map[plan.MeasureKind]float64{
		plan.VarPop: xx / n, plan.VarSamp: xx / (n - 1), plan.StddevPop: math.Sqrt(xx / n), plan.StddevSamp: math.Sqrt(xx / (n - 1)),
		plan.CovarPop: xy / n, plan.CovarSamp: xy / (n - 1), plan.Corr: xy / math.Sqrt(xx*yy), plan.RegrSlope: xy / xx, plan.RegrIntercept: my - mx*xy/xx,
	}[k]
}

// exactMoments are the sums behind a plan's moments over values as the engine makes them: steps of the grid, centred. It gives the values
// back as the grid has them.
func exactMoments(p *plan.Plan, y, x []float64) (values []int64, gy, gx []float64) {
	values = make([]int64, len(p.Wants()))
	for _, m := range p.Measures() {
		f := m.Moments
		set := func(want int, of func(u, v int64) int64) {
			if want < 0 {
				return
			}
			values[want] = 0
			for i := range x {
				u, v := step(x[i], f.ZeroX, f.UnitX), int64(0)
				if f.Y >= 0 {
					v = step(y[i], f.ZeroY, f.UnitY)
				}
				values[want] += of(u, v)
			}
		}
		set(f.Count, func(int64, int64) int64 { return 1 })
		set(f.X, func(u, _ int64) int64 { return u - f.ShiftX })
		set(f.Y, func(_, v int64) int64 { return v - f.ShiftY })
		set(f.XX, func(u, _ int64) int64 { return u*u - f.ShiftXX })
		set(f.YY, func(_, v int64) int64 { return v*v - f.ShiftYY })
		set(f.XY, func(u, v int64) int64 { return u*v - f.ShiftXY })
		gx, gy = nil, nil
		for i := range x {
			gx = append(gx, f.ZeroX+f.UnitX*float64(step(x[i], f.ZeroX, f.UnitX)))
			if f.Y >= 0 {
				gy = append(gy, f.ZeroY+f.UnitY*float64(step(y[i], f.ZeroY, f.UnitY)))
			}
		}
		if f.Y < 0 {
			gy = gx
		}
	}
	return values, gy, gx
}

func step(x, zero, unit float64) int64 { return int64(math.Round((x - zero) / unit)) }

// people are n values of los (0..365, a grid of one) and of total_cost (0..200,000.00, a grid of 8 to 16 cents), related.
func people(n int) (cost, los []float64) {
	random := rand.New(rand.NewPCG(3, 4))
	for range n {
		l := math.Round(math.Min(365, random.ExpFloat64()*90))
		los = append(los, l)
		cost = append(cost, math.Round(100*math.Min(200_000, 20_000+300*l+math.Abs(random.NormFloat64())*30_000))/100)
	}
	return cost, los
}

func answerOf(t *testing.T, p *plan.Plan, kind dp.Kind, claimed float64, values []int64) []result.Cell {
	t.Helper()
	table := dp.Table{Version: dp.TableVersion, Rows: 1, Keys: [][]int64{}}
	for i, w := range p.Wants() {
		m := dp.Mechanism{Measure: w.Measure, Kind: kind, Sensitivity: w.Sensitivity, Rows: w.Rows, Cells: w.Cells}
		if kind == dp.Gaussian {
			m.Sigma = claimed * float64(w.Sensitivity)
		} else {
			m.Epsilon = 1 / claimed
		}
		table.Values, table.Mechanisms = append(table.Values, []int64{values[i]}), append(table.Mechanisms, m)
	}
	r, err := result.Table(p, table)
	if err != nil {
		t.Fatal(err)
	}
	return r.Rows[0]
}

// TestMomentsAreTheFormulas: on exact sums every moment is the textbook's, of the values as the grid has them to rounding errors, of the values
// themselves to half a step of the grid.
func TestMomentsAreTheFormulas(t *testing.T) {
	t.Parallel()
	cost, los := people(500)
	for name, c := range map[string]struct {
		kinds   []plan.MeasureKind
		columns []string
		y, x    []float64
		steps   float64 // half a step of the widest grid, relative to the values' spread
	}{
		"los":           {ofOne, []string{"los"}, los, los, 0},
		"cost":          {ofOne, []string{"drug_cost"}, cost, cost, 0.16 / 20_000},
		"cost and los":  {ofTwo, []string{"drug_cost", "los"}, cost, los, 0.16 / 20_000},
		"los and cost":  {ofTwo, []string{"los", "drug_cost"}, los, cost, 0.16 / 20_000},
		"los with los":  {ofTwo[:4], []string{"los", "los"}, los, los, 0},
		"cost, of many": {append(ofOne, ofOne...), []string{"drug_cost"}, cost, cost, 0.16 / 20_000},
	} {
		for _, half := range []bool{false, true} {
			x, y := c.x, c.y
			if half { // all below the bound of drug_cost
				x, y = x[:250], y[:250]
			}
			x, y = capped(x, 100_000), capped(y, 100_000)
			p := moments(t, c.kinds, c.columns...)
			values, gy, gx := exactMoments(p, y, x)
			row := answerOf(t, p, dp.Gaussian, 1e-6, values)
			for i, k := range c.kinds {
				got, ok := row[i].Value.(float64)
				if grid := direct(k, gy, gx); !ok || math.Abs(got-grid) > 1e-7*math.Max(math.Abs(grid), 1e-3) {
					t.Errorf("%s, %v: %v, on the grid %v", name, k, row[i].Value, grid)
				}
				if want := direct(k, y, x); math.Abs(got-want) > 4*c.steps*math.Abs(want)+1e-7*math.Max(math.Abs(want), 1e-3) {
					t.Errorf("%s, %v: %v, directly %v", name, k, got, want)
				}
				if row[i].Lo == nil || *row[i].Lo > got || *row[i].Hi < got {
					t.Errorf("%s, %v: %v outside its interval", name, k, got)
				}
			}
		}
	}
}

func capped(x []float64, most float64) []float64 {
	var out []float64
	for _, v := range x {
		out = append(out, math.Min(v, most))
	}
	return out
}

func TestMomentCoverage(t *testing.T) {
	t.Parallel()
	momentCoverage(t, 300)
}

// momentCoverage draws noise around exact sums: every moment's interval holds the moment of the exact sums at 95 % or more (one-sided; each of the 54
// cases fails with probability below 2e-5 at exactly 95 %, 4.2 standard deviations; the seed is fixed besides). Four times the noise must be noticed in variances and covariances, eight times in what is made of them:
// these are bounded part by part, with intervals that are wider than they need to be.
func momentCoverage(t *testing.T, runs int) {
	t.Helper()
	cost, los := people(20_000)
	cost = capped(cost, 100_000)
	enough := leastHits(runs)
	for name, c := range map[string]struct {
		kinds   []plan.MeasureKind
		columns []string
		y, x    []float64
	}{
		"los": {ofOne, []string{"los"}, los, los}, "cost and los": {ofTwo, []string{"drug_cost", "los"}, cost, los}, "few": {ofTwo, []string{"drug_cost", "los"}, cost[:700], los[:700]},
		"few of one": {ofOne, []string{"drug_cost"}, cost[:700], cost[:700]}, "hardly any": {ofOne, []string{"los"}, los[:3], los[:3]},
		"hardly any pairs": {ofTwo, []string{"los", "drug_cost"}, los[:3], cost[:3]},
	} {
		for _, kind := range []dp.Kind{dp.Gaussian, dp.Laplace} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				p := moments(t, c.kinds, c.columns...)
				values, gy, gx := exactMoments(p, c.y, c.x)
				const claimed = 0.5
				var truths []float64
				for _, k := range c.kinds {
					truths = append(truths, direct(k, gy, gx))
				}
				held := func(loud float64) []int {
					random := rand.New(rand.NewPCG(5, 6)) // a test's noise, not an answer's
					hits := make([]int, len(c.kinds))
					for range runs {
						noisy := make([]int64, len(values))
						for i, w := range p.Wants() {
							z := random.NormFloat64()
							if kind == dp.Laplace {
								z = random.ExpFloat64() * float64(2*random.IntN(2)-1)
							}
							noisy[i] = values[i] + int64(math.Round(loud*claimed*float64(w.Sensitivity)*z))
						}
						for i, cell := range answerOf(t, p, kind, claimed, noisy) {
							if (cell.Lo == nil || *cell.Lo <= truths[i]+1e-9) && (cell.Hi == nil || *cell.Hi >= truths[i]-1e-9) {
								hits[i]++
							}
						}
					}
					return hits
				}
				for i, h := range held(1) {
					if h < enough {
						t.Errorf("%v: held %d of %d", c.kinds[i], h, runs)
					}
				}
				if len(c.x) < 10_000 {
					return // nearly nothing is known: intervals are those of the bounds
				}
				simple, made := held(4), held(8)
				for i, k := range c.kinds {
					if k <= plan.CovarSamp && simple[i] >= enough || made[i] >= enough {
						t.Errorf("%v: too much noise passes (%d and %d of %d): the test has no power", k, simple[i], made[i], runs)
					}
				}
			})
		}
	}
}

// leastHits is the least number of hits of so many that passes.
func leastHits(runs int) int {
	n := float64(runs)
	return int(result.Level*n - 4.2*math.Sqrt(n*result.Level*(1-result.Level)))
}
