package job

import (
	"errors"
	"math"
	"testing"

	"carrel/anonymize/dp"
	"carrel/anonymize/ledger"
	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
	"carrel/broker/problem"
)

// planOf is a plan of measures of encounter.
func planOf(t *testing.T, wanted ...plan.MeasureSpec) *plan.Plan {
	t.Helper()
	s := plan.Spec{From: plan.From{Scans: []plan.Scan{{Table: "encounter"}}}, Limit: -1, Wanted: wanted}
	for i := range wanted {
		s.Output = append(s.Output, plan.OutputSpec{Name: "m", Expr: plan.OutExpr{Op: plan.OutMeasure, Index: i}})
	}
	p, err := plan.Build(plantest.City(), s, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestTooLargeASumIsRefusedAsOne: noise that could not be drawn exactly is a refusal of the planner, as in `sql check`; an ε that no list can have is a wrong ε.
func TestTooLargeASumIsRefusedAsOne(t *testing.T) {
	t.Parallel()
	s := &Service{c: Config{Defaults: Defaults{Epsilon: 0.1, SelectDelta: 1e-9}}}
	p := planOf(t, plan.MeasureSpec{Kind: plan.Sum, Args: plantest.Cols("total_cost")})
	price := func(epsilon float64) error {
		return s.price(&prepared{ask: Ask{Epsilon: epsilon}, plan: p, account: ledger.Account{Accounting: dp.Basic, RootDelta: 1e-6}})
	}
	var r *plan.Refusal
	if err := price(dp.MinEpsilon); !errors.As(err, &r) || r.Code != "sum-too-large" || !problem.Is(err, problem.Refused) {
		t.Errorf("a sum that is too large: %v", err)
	}
	for _, epsilon := range []float64{11, math.NaN(), -1, 1e-5} {
		if err := price(epsilon); errors.As(err, &r) || !problem.Is(err, problem.Invalid) {
			t.Errorf("ε of %v: %v", epsilon, err)
		}
	}
}

// TestEveryMeasureHasACostliestBound: of quantiles it is rows of rank, of moments squares or products.
func TestEveryMeasureHasACostliestBound(t *testing.T) {
	t.Parallel()
	cost, los := plantest.Cols("drug_cost"), plantest.Cols("drug_cost", "los")
	for name, c := range map[string]struct {
		wanted []plan.MeasureSpec
		unit   string
		rank   bool
	}{
		"median": {[]plan.MeasureSpec{{Kind: plan.Quantile, Args: cost, Fraction: 0.5}}, "rows", true}, "variance": {[]plan.MeasureSpec{{Kind: plan.VarSamp, Args: cost}}, "CNY²", false},
		"deviation": {[]plan.MeasureSpec{{Kind: plan.StddevPop, Args: cost}}, "CNY²", false}, "slope": {[]plan.MeasureSpec{{Kind: plan.RegrSlope, Args: los}}, "", false},
		"mean": {[]plan.MeasureSpec{{Kind: plan.Avg, Args: cost}}, "CNY", false}, "mean and median": {[]plan.MeasureSpec{{Kind: plan.Quantile, Args: cost, Fraction: 0.5}, {Kind: plan.Avg, Args: cost}}, "CNY", false},
	} {
		p := planOf(t, c.wanted...)
		r := costliest(p)
		if r == nil || r.By <= 0 || r.Unit != c.unit || r.Rank != c.rank || r.Rows != p.Rows() {
			t.Errorf("%s: %+v", name, r)
		}
		if c.rank && r.By != float64(p.Rows()) {
			t.Errorf("%s: a person of %d rows moves a rank by %v", name, p.Rows(), r.By)
		}
	}
	if r := costliest(planOf(t, plan.MeasureSpec{Kind: plan.VarPop, Args: cost})); r == nil || r.By < 40*25e8*0.99/4 || r.By > 40*1e10 { // squares of up to 50,000 off the middle, less half of it for the centre
		t.Errorf("a variance over 100,000 CNY: %+v", r)
	}
}

// TestOffersTellTheExactLoss: for roots that add up ε an offer says what its list reveals at most at the root's δ, which is never more than is charged; for the others it
// is what is charged.
func TestOffersTellTheExactLoss(t *testing.T) {
	t.Parallel()
	p := planOf(t, plan.MeasureSpec{Kind: plan.CountRows}, plan.MeasureSpec{Kind: plan.Avg, Args: plantest.Cols("drug_cost")}, plan.MeasureSpec{Kind: plan.Quantile, Args: plantest.Cols("los"), Fraction: 0.5})
	for _, o := range ForecastOf(p, dp.Basic, 1, 1e-6, 1e-9).Offers {
		if o.Tight < 0 || o.Tight >= o.Epsilon {
			t.Errorf("ε %v, by exact loss %v", o.Epsilon, o.Tight)
		}
	}
	if o := ForecastOf(p, dp.Basic, 4, 1e-4, 1e-9).Offers[1]; o.Tight == 0 || o.Tight > 0.999*o.Epsilon {
		t.Errorf("ε %v, by exact loss %v", o.Epsilon, o.Tight)
	}
	for _, o := range ForecastOf(p, dp.ZCDP, 1, 1e-6, 1e-9).Offers {
		if o.Tight != 0 {
			t.Errorf("%+v", o)
		}
	}
}
