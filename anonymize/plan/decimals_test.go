package plan_test

import (
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
	"carrel/anonymize/plan/plantest/slow"
)

// TestSumsKeepDecimals: a quotient of wide bounds is summed with as many decimals as a register leaves room for, not one more, and its count
// is that of the quotient itself.
func TestSumsKeepDecimals(t *testing.T) {
	t.Parallel()
	daily := plantest.Call("/", plantest.Col("total_cost"), plantest.Col("los"))
	for persons, scale := range map[int64]int{200_000: 3, 1 << 36: 0} {
		s := plantest.City()
		s.Persons = persons
		spec := plantest.Wish(plan.From{Scans: []plan.Scan{{Table: "encounter"}}}, nil, plantest.Measure(plan.Sum, daily), plantest.Measure(plan.CountColumn, daily))
		p, err := plan.Build(s, spec, plan.Options{})
		if err != nil {
			t.Fatal(persons, err)
		}
		m := p.Measures()[0]
		noise, sum := float64(40*m.Hi), float64(persons)*float64(40*m.Hi)
		if m.Scale != scale || p.Decimals() != 6 || noise > 1<<34 || sum >= 1<<62 || noise*10 <= 1<<34 && sum*10 < 1<<62 || len(p.Wants()) != 2 || p.Wants()[1].Sensitivity != 40*m.Hi {
			t.Errorf("%d persons: %d decimals, at most %d, %+v", persons, m.Scale, m.Hi, p.Wants())
		}
	}
}

// TestSquaresHaveRoom: a variance of what is wide is counted in coarser steps in a register so large that its squares would not fit.
func TestSquaresHaveRoom(t *testing.T) {
	t.Parallel()
	reach := map[int64]float64{200_000: 1 << 14, 1 << 33: 1 << 11}
	for persons, least := range reach {
		s := plantest.City()
		s.Persons = persons
		p, err := plan.Build(s, plantest.Wish(plan.From{Scans: []plan.Scan{{Table: "encounter"}}}, nil, plantest.Measure(plan.VarPop, plantest.Col("total_cost"))), plan.Options{})
		if err != nil {
			t.Fatal(persons, err)
		}
		if got := p.Measures()[0].Moments.ReachX; got > least+1 || got < least/2 || float64(persons)*40*got*got >= 1<<62 {
			t.Errorf("%d persons: at most %v steps", persons, got)
		}
	}
}

// TestWideBoundsKeepDecimals: inside a row a real number of wide bounds keeps fewer decimals, as the slow evaluator finds when it is told how
// many, and lies in what the plan states of it.
func TestWideBoundsKeepDecimals(t *testing.T) {
	t.Parallel()
	s, plans := plantest.Broad(), map[string]*plan.Plan{}
	for name, spec := range plantest.Coarse() {
		p, err := plan.Build(s, spec, plan.Options{})
		if err != nil {
			t.Fatal(name, err)
		}
		if m := p.Measures()[0]; p.Decimals() == 6 || m.Scale > p.Decimals() || m.Hi >= 1<<49 {
			t.Fatalf("%s keeps %d decimals and is at most %d", name, p.Decimals(), m.Hi)
		}
		plans[name] = p
	}
	rapid.Check(t, func(t *rapid.T) {
		d := slow.Draw(t, s)
		for name, spec := range plantest.Coarse() {
			e := slow.Evaluator{Schema: s, Spec: spec, Data: d, Coarse: 6 - plans[name].Decimals()}
			if _, problem := e.Vectors(plans[name]); problem != "" && !e.Delicate {
				t.Fatalf("%s: %s", name, problem)
			}
		}
	})
}
