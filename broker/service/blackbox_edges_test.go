package service_test

import (
	"testing"

	"carrel/anonymize/answer"
	"carrel/anonymize/dp/dptest"
)

// TestOneRowReachesTheGate: before noise the two cities of the black box differ in any column of the exact numbers by no more than the one row that the person may bring,
// clamped as the question says; and what divides by nothing, in that row alone, or is no number, is answered like anything else.
func TestOneRowReachesTheGate(t *testing.T) {
	t.Parallel()
	worlds := newGround(t).worlds(t)
	exact := [2][]answer.Aggregates{}
	for i, w := range worlds {
		w.around.result = func(a *answer.Aggregates) { exact[i] = append(exact[i], *a) }
	}
	for _, c := range []struct {
		sql   string
		keys  int
		moves int64 // of the column that moves most, over all groups, in stored integers
	}{
		{"SELECT outcome, COUNT(*) AS n FROM encounter GROUP BY outcome", 1, 1},
		{"SELECT SUM(clamp(total_cost, 0, 100)) AS cost FROM encounter", 0, 100_00},
		{"SELECT SUM(clamp(total_cost / CASE WHEN outcome = '" + outcomeOfBait + "' AND department = '" + departmentOfBait + "' THEN 0 ELSE 2 END, 0, 100)) AS cost FROM encounter", 0, 1},
		{"SELECT SUM(clamp(sqrt(CASE WHEN outcome = '" + outcomeOfBait + "' AND department = '" + departmentOfBait + "' THEN -4 ELSE 4 END), 0, 1)) AS root FROM encounter", 0, 1},
		{"WITH a AS (SELECT COUNT(*) AS n FROM encounter) SELECT CASE WHEN n > 0 THEN 'some' ELSE 'none' END AS k, n * 1e308 * 1e308 AS x, n FROM a", 0, 1},
	} {
		exact = [2][]answer.Aggregates{}
		for _, w := range worlds {
			w.ask(t, w.question(c.sql, 0.5), "edge", dptest.View{})
		}
		if moved := farthest(t, exact, c.keys); moved != c.moves {
			t.Errorf("one person moves a number by %d, not %d: %s", moved, c.moves, c.sql)
		}
	}
}

// farthest is the largest change, over all groups, of a column of the two children's answers that is no key.
func farthest(t *testing.T, exact [2][]answer.Aggregates, keys int) (most int64) {
	t.Helper()
	if len(exact[0]) == 0 || len(exact[0]) != len(exact[1]) {
		t.Fatalf("%d and %d answers of the child", len(exact[0]), len(exact[1]))
	}
	for i, with := range exact[0] {
		for j := keys; j < len(with.Columns); j++ {
			change := int64(0)
			for _, x := range with.Columns[j] {
				change += x
			}
			for _, x := range exact[1][i].Columns[j] {
				change -= x
			}
			most = max(most, change, -change)
		}
	}
	return most
}
