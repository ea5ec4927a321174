package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
	"carrel/broker/job"
)

// What explain prints of noise and cuts, word for word, for questions that differ in what costs: no service and no data are needed for it.
func TestForecastIsWhatWasRead(t *testing.T) {
	t.Parallel()
	c := aChecker(t)
	var out strings.Builder
	for _, lang := range []string{"en", "zh"} {
		a := &app{lang: lang}
		for _, q := range []struct {
			sql  string
			rows int64
		}{
			{"SELECT count(*) FROM person", 0},
			{"SELECT department, avg(total_cost), count(*) FROM encounter GROUP BY department", 0},
			{"SELECT department, avg(total_cost), count(*) FROM encounter GROUP BY department", 5},
			{"SELECT sum(e.total_cost) FROM encounter e JOIN lab_result l ON l.person_id = e.person_id", 0},
			{"SELECT median(door_to_needle_min) FROM cv_event", 0},
			{"SELECT corr(total_cost, drug_cost) FROM encounter", 1},
		} {
			fmt.Fprintf(&out, "%s  -- rows %d\n", q.sql, q.rows)
			a.printExpected(&out, explained(t, c, q.sql, q.rows))
			a.printForecast(&out, explained(t, c, q.sql, q.rows))
		}
	}
	golden(t, filepath.Join("testdata", "explain.golden"), out.String())
}

func explained(t *testing.T, c *checker, sql string, rows int64) job.Explanation {
	t.Helper()
	o := plan.Options{MaxDraws: c.draws}
	if rows > 0 {
		o.RowsPerPerson = map[string]int64{plan.AllTables: rows}
	}
	p, err := job.Understand(t.Context(), c.pool, c.schema, sql, o)
	if err != nil {
		t.Fatal(sql, err)
	}
	list, err := dp.Design(dp.ZCDP, c.epsilon, c.rootDelta, c.selectDelta, p.Wants())
	if err != nil {
		t.Fatal(err)
	}
	return job.Explanation{Measures: job.ExpectedOf(p, list), Forecast: job.ForecastOf(p, dp.ZCDP, c.epsilon, c.rootDelta, c.selectDelta)}
}

// Twice the ε is less noise, in every measure, and the middle offer is the question's own.
func TestOffersFollowEpsilon(t *testing.T) {
	t.Parallel()
	c := aChecker(t)
	for _, sql := range []string{"SELECT count(*) FROM person", "SELECT avg(total_cost), stddev(total_cost), median(drug_cost) FROM encounter", "SELECT icd10, sum(total_cost) FROM encounter GROUP BY icd10"} {
		x := explained(t, c, sql, 0)
		if len(x.Offers) != 3 || len(x.Measures) == 0 {
			t.Fatalf("%s: %d offers, %d measures", sql, len(x.Offers), len(x.Measures))
		}
		for m := range x.Measures {
			half, once, twice := x.Offers[0].PlusMinus[m], x.Offers[1].PlusMinus[m], x.Offers[2].PlusMinus[m]
			if !(half > once && once > twice && twice > 0) || once != x.Measures[m].PlusMinus {
				t.Errorf("%s, measure %d: %g, %g, %g; expected once %g", sql, m, half, once, twice, x.Measures[m].PlusMinus)
			}
		}
		if x.Costliest == nil || len(x.Known) == 0 {
			t.Errorf("%s: neither the costliest bound nor the cuts are told", sql)
		}
	}
}
