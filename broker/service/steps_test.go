//go:build linux

package service_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"carrel/anonymize/ledger"
	"carrel/anonymize/plan"
	"carrel/broker/job"
	"carrel/broker/problem"
	"carrel/broker/service/servicetest"
)

const severalSteps = `WITH a AS (SELECT sex, count(*) AS n FROM person GROUP BY sex), b AS (SELECT sex, count(*) AS n FROM person JOIN encounter USING (person_id) GROUP BY sex)
SELECT a.sex, a.n AS persons, b.n AS stays, b.n / a.n AS each, rank() OVER (ORDER BY b.n DESC) AS place FROM a JOIN b USING (sex) ORDER BY place`

// TestSeveralSteps: a text of several measure steps is one charge of the ε asked and one record; what stands above them costs nothing, whoever
// changes it, and the order of the steps is no other question.
func TestSeveralSteps(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	free := c.Spent(t)
	a, err := c.Query(t, severalSteps, 0.2)
	if err != nil {
		t.Fatal(err)
	}
	paid := c.Spent(t)
	if a.Epsilon > 0.2 || a.Epsilon < 0.19 || paid.Units <= free.Units || len(a.List) != 2 || len(c.Records(t, ledger.StateDelivered)) != 1 {
		t.Errorf("ε %g, %d mechanisms", a.Epsilon, len(a.List))
	}
	if len(a.Result.Rows) != 3 || len(a.Result.Columns) != 5 {
		t.Fatalf("%+v", a.Result)
	}
	for j, with := range []bool{false, true, true, true, false} {
		if got := a.Result.Columns[j].Interval != "none"; got != with {
			t.Errorf("%s has an interval: %v", a.Result.Columns[j].Name, got)
		}
	}
	persons, stays, each := a.Result.Rows[0][1], a.Result.Rows[0][2], a.Result.Rows[0][3]
	if each.Value != stays.Value.(float64)/persons.Value.(float64) || each.Lo == nil || *each.Lo > each.Value.(float64) || *each.Hi < each.Value.(float64) {
		t.Errorf("%+v", each)
	}
	other := `WITH b AS (SELECT sex, count(*) AS m FROM person p JOIN encounter e ON e.person_id = p.person_id GROUP BY 1), a AS (SELECT sex AS s, count(*) AS k FROM person GROUP BY sex)
SELECT sum(m) / sum(k) AS all_, string_agg(s, ', ' ORDER BY s) AS who FROM a, b WHERE s = sex`
	again, err := c.Query(t, other, 0.2)
	if err != nil {
		t.Fatal(err)
	}
	if !again.FromRecord || c.Spent(t) != paid || again.ID != a.ID || again.Result.Rows[0][1].Value != "female, male, other" {
		t.Errorf("other SQL over the same steps: %+v", again)
	}
	if one, err := c.Query(t, "SELECT sex, count(*) FROM person GROUP BY sex", 0.2); err != nil || one.FromRecord {
		t.Errorf("one of the steps by itself has another share: %v", err)
	}
	c.Check(t)
}

// TestOneStepUnderOtherSQL: the same statistics with and without SQL above them are one record.
func TestOneStepUnderOtherSQL(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	plain, err := c.Query(t, "SELECT sex, count(*) AS n FROM person GROUP BY sex ORDER BY sex", 0.1)
	if err != nil {
		t.Fatal(err)
	}
	paid := c.Spent(t)
	above, err := c.Query(t, "SELECT CASE WHEN sex = 'female' THEN 'f' ELSE 'other' END AS s, sqrt(count(*)) AS q FROM person GROUP BY sex ORDER BY sex", 0.1)
	if err != nil {
		t.Fatal(err)
	}
	if !above.FromRecord || above.ID != plain.ID || c.Spent(t) != paid {
		t.Error("SQL above a recorded step was charged")
	}
	if above.Result.Rows[0][0].Value != "f" || above.Result.Rows[1][0].Value != "other" || plain.Result.Rows[0][1].Value == nil {
		t.Errorf("%+v", above.Result.Rows)
	}
}

// TestViewFailsAfterTheCharge: what only the numbers could show to be wrong costs the statistics, which are on record, and no fault.
func TestViewFailsAfterTheCharge(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	_, err := c.Query(t, "SELECT sex::INTEGER + 1 AS s, count(*) FROM person GROUP BY sex", 0.1)
	if !problem.Is(err, problem.Refused) || !strings.Contains(err.Error(), "on record") {
		t.Fatalf("%v", err)
	}
	paid := c.Spent(t)
	if len(c.Records(t, ledger.StateDelivered)) != 1 || len(c.Records(t, ledger.StateForfeited)) != 0 {
		t.Error("the statistics are not on record")
	}
	a, err := c.Query(t, "SELECT sex || '!' AS s, count(*) FROM person GROUP BY sex", 0.1)
	if err != nil || !a.FromRecord || c.Spent(t) != paid {
		t.Errorf("corrected: %v", err)
	}
	c.Check(t)
}

// TestNothingOfTheTextStaysInAJob: the text of a question can be erased, its job cannot.
func TestNothingOfTheTextStaysInAJob(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	li := c.Who(t, "li")
	ask := job.Ask{Grant: c.Grant, SQL: "SELECT (sex || 'secret')::INTEGER AS s, count(*) FROM person GROUP BY sex", Epsilon: 0.1}
	j, err := c.Jobs.Submit(t.Context(), li, ask)
	servicetest.Must(t, err)
	for range 3000 { // each look is a read of the store
		if j, err = c.Jobs.Show(t.Context(), li, j.ID); err != nil || j.State == job.Done || j.State == job.Failed {
			break
		}
	}
	stays, err := json.Marshal(j)
	servicetest.Must(t, err)
	if j.State != job.Failed || j.Problem == nil || j.Problem.Refusal == nil || strings.Contains(string(stays), "secret") {
		t.Errorf("%s", stays)
	}
	_, err = c.Jobs.Query(t.Context(), li, ask)
	var r *plan.Refusal
	if !errors.As(err, &r) || r.Code != "view-failed" || !strings.Contains(r.Words, "secret") || strings.Contains(err.Error(), "secret") {
		t.Errorf("whoever asks is told: %v", err)
	}
}

// TestViewIsRefusedBeforeTheCharge: a name or function that cannot be is refused for nothing, in the engine's words where they help.
func TestViewIsRefusedBeforeTheCharge(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	free := c.Spent(t)
	for sql, want := range map[string]string{
		"WITH a AS (SELECT count(*) AS n FROM person), b AS (SELECT count(*) AS n FROM encounter) SELECT a.nn FROM a, b": "cannot be evaluated",
		"SELECT random() * count(*) AS n, CASE WHEN count(*) > 1 THEN 1 END FROM person":                                 "not offered",
		"WITH a AS (SELECT count(*) AS n FROM person) SELECT count(*) FROM encounter, a WHERE total_cost > n":            "joined",
		"SELECT count(*) FROM encounter WHERE total_cost > (SELECT avg(total_cost) FROM encounter)":                      "",
		"SELECT n, person.sex FROM (SELECT count(*) AS n FROM encounter) x, person":                                      "joined",
	} {
		_, err := c.Query(t, sql, 0.1)
		if !problem.Is(err, problem.Refused) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", sql, err)
		}
	}
	if c.Spent(t) != free {
		t.Error("a refusal was charged")
	}
}
