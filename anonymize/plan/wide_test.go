package plan_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
	"carrel/anonymize/plan/plantest/slow"
)

// TestWideSensitivityHolds is TestSensitivityHolds over relations: deleting one person changes every want by at most its sensitivity, and
// every value that reaches a measure or key lies in what the plan states of it.
func TestWideSensitivityHolds(t *testing.T) {
	t.Parallel()
	var power power
	coarse := 0
	for range 8 { // eight hundred wishes by default, more with -rapid.checks
		rapid.Check(t, func(t *rapid.T) {
			s := plantest.Wide()
			s.Persons = rapid.SampledFrom([]int64{4, 1 << 36}).Draw(t, "persons in the register")
			spec := slow.Wide(t, s)
			var o plan.Options
			if rapid.IntRange(0, 3).Draw(t, "cut") == 0 {
				o.RowsPerPerson = map[string]int64{"*": rapid.Int64Range(1, 3).Draw(t, "m")}
			}
			if p, ok := power.check(t, s, spec, o, slow.Draw(t, s)); ok && slices.ContainsFunc(p.Measures(), func(m plan.Measure) bool {
				return (m.Kind == plan.Sum || m.Kind == plan.Avg) && m.Scale > 2 && m.Scale < 6
			}) {
				coarse++
			}
		})
	}
	power.atLeast(t, 200)
	if coarse < 2 && !testing.Short() {
		t.Errorf("%d sums of fewer decimals", coarse)
	}
}
