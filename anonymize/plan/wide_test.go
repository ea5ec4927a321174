package plan_test

import (
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
	s := plantest.Wide()
	var power power
	for range 8 { // eight hundred wishes by default, more with -rapid.checks
		rapid.Check(t, func(t *rapid.T) {
			spec := slow.Wide(t, s)
			var o plan.Options
			if rapid.IntRange(0, 3).Draw(t, "cut") == 0 {
				o.RowsPerPerson = map[string]int64{"*": rapid.Int64Range(1, 3).Draw(t, "m")}
			}
			power.check(t, s, spec, o, slow.Draw(t, s))
		})
	}
	power.atLeast(t, 200)
}
