package plan_test

import (
	"testing"

	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
)

// A yes-or-no column has its middle at 0: its average needs no centre, and the gate takes no term of coefficient 0. SUM and AVG of it
// share one mechanism.
func TestAverageOfYesAndNo(t *testing.T) {
	t.Parallel()
	s := plantest.City()
	for i := range s.Tables {
		for j := range s.Tables[i].Columns {
			if c := &s.Tables[i].Columns[j]; c.Name == "severity" {
				c.Lo, c.Hi = 0, 1
			}
		}
	}
	spec := one("cv_event", plan.MeasureSpec{Kind: plan.Avg, Args: plantest.Cols("severity")})
	spec.Wanted = append(spec.Wanted, plan.MeasureSpec{Kind: plan.Sum, Args: plantest.Cols("severity")})
	p, err := plan.Build(s, spec, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []dp.Want{{Measure: "count(*)", Sensitivity: 10, Rows: 10, Cells: 1, Groups: 1}, {Measure: "sum(cv_event.severity)", Sensitivity: 10, Rows: 10, Cells: 1, Groups: 1}}
	if got := p.Wants(); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%+v", got)
	}
	for _, m := range p.Layout().Measures {
		for _, term := range m.Terms {
			if term.Coef == 0 {
				t.Errorf("%s has a term that counts nothing", m.Name)
			}
		}
	}
}
