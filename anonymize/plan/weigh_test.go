package plan_test

import (
	"math"
	"testing"

	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
)

// even is a list as shares of one size make it.
func even(t *testing.T, a dp.Accounting, wants []dp.Want) []dp.Mechanism {
	t.Helper()
	for i := range wants {
		wants[i].Groups, wants[i].Levels, wants[i].Spare = 1, 0, false
	}
	return designed(t, a, wants)
}

func designed(t *testing.T, a dp.Accounting, wants []dp.Want) []dp.Mechanism {
	t.Helper()
	list, err := dp.Design(a, 1, 1e-6, 1e-9, wants)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// rollup is COUNT, AVG and MEDIAN by department with the total.
func rollup() plan.Spec {
	s := one("encounter", plan.MeasureSpec{Kind: plan.CountRows}, "department")
	s.Wanted = append(s.Wanted, plan.MeasureSpec{Kind: plan.Avg, Args: plantest.Cols("drug_cost")}, plan.MeasureSpec{Kind: plan.Quantile, Args: plantest.Cols("drug_cost"), Fraction: 0.5})
	s.Sets = [][]int{{0}, {}}
	return s
}

// TestTypicalQuestionGetsBetter: the expected errors of COUNT, AVG and MEDIAN by key with ROLLUP over those of equal shares.
func TestTypicalQuestionGetsBetter(t *testing.T) {
	t.Parallel()
	p, err := plan.Build(plantest.City(), rollup(), plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []dp.Accounting{dp.ZCDP, dp.Basic} {
		now, was := p.ExpectedErrors(designed(t, a, p.Wants())), p.ExpectedErrors(even(t, a, p.Wants()))
		for i, most := range []float64{0.6, 0.6, dp.MostWorse} { // by department
			got := now[i].HalfWidth / was[i].HalfWidth
			t.Logf("%s, %s: ± %.4g, with equal shares ± %.4g: %.3f", a, now[i].Kind, now[i].HalfWidth, was[i].HalfWidth, got)
			if got > most+1e-3 {
				t.Errorf("%s, %s: %.3f times the error of equal shares, %v at most", a, now[i].Kind, got, most)
			}
		}
	}
}

// TestWhatIsNotUsedIsSpare: the count under quantiles alone is there for the shape of the answer; whatever a measure is made of is not, nor is what selects
// groups.
func TestWhatIsNotUsedIsSpare(t *testing.T) {
	t.Parallel()
	median := plan.MeasureSpec{Kind: plan.Quantile, Args: plantest.Cols("drug_cost"), Fraction: 0.5}
	for name, c := range map[string]struct {
		wanted plan.MeasureSpec
		key    string
		spare  int
	}{
		"median": {median, "department", 1}, "median of selected": {median, "icd10", 0}, "count": {plan.MeasureSpec{Kind: plan.CountRows}, "department", 0},
		"mean": {plan.MeasureSpec{Kind: plan.Avg, Args: plantest.Cols("drug_cost")}, "department", 0}, "variance": {plan.MeasureSpec{Kind: plan.VarSamp, Args: plantest.Cols("drug_cost")}, "department", 0},
		"slope": {plan.MeasureSpec{Kind: plan.RegrSlope, Args: plantest.Cols("drug_cost", "los")}, "department", 0},
	} {
		p, err := plan.Build(plantest.City(), one("encounter", c.wanted, c.key), plan.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		spare := 0
		for _, w := range p.Wants() {
			if w.Spare {
				spare++
			}
			if w.Groups < 1 {
				t.Errorf("%s: %+v", name, w)
			}
		}
		if spare != c.spare {
			t.Errorf("%s: %d spare numbers, not %d", name, spare, c.spare)
		}
		if c.spare == 0 {
			continue
		}
		now, was := p.ExpectedErrors(designed(t, dp.ZCDP, p.Wants())), p.ExpectedErrors(even(t, dp.ZCDP, p.Wants()))
		if n := float64(len(p.Wants())); now[0].HalfWidth > was[0].HalfWidth*math.Sqrt((n-0.95)/n) {
			t.Errorf("%s: ± %v, with equal shares ± %v", name, now[0].HalfWidth, was[0].HalfWidth)
		}
	}
}
