package service_test

import (
	"testing"

	"carrel/broker/job"
	"carrel/broker/service/servicetest"
)

// TestRawIsFree: how an answer is shown is no part of the question. What was answered so that it agrees is answered raw from record, the same bytes, for nothing; totals are the
// sum of their parts in the one and, as drawn, hardly in the other.
func TestRawIsFree(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	ask := job.Ask{Grant: c.Grant, SQL: "SELECT department, COUNT(*) AS n FROM encounter GROUP BY ROLLUP (department)", Epsilon: 0.5}
	agreeing, err := c.Jobs.Query(t.Context(), c.Who(t, "li"), ask)
	servicetest.Must(t, err)
	spent := c.Spent(t)
	ask.Raw = true
	raw, err := c.Jobs.Query(t.Context(), c.Who(t, "li"), ask)
	servicetest.Must(t, err)
	if !raw.FromRecord || raw.ID != agreeing.ID || raw.Epsilon != 0 || c.Spent(t) != spent || !raw.Result.Raw || agreeing.Result.Raw {
		t.Errorf("raw was charged, or not said to be raw: %+v", raw)
	}
	if rest := apart(t, agreeing); rest != 0 {
		t.Errorf("agreeing, the total is %v less than its parts", rest)
	}
	if apart(t, raw) == 0 {
		t.Error("as drawn, the total is the sum of its parts")
	}
}

// apart is the sum of the parts less the total, which is the row without a department that stands last.
func apart(t *testing.T, a *job.Answer) float64 {
	t.Helper()
	sum := 0.0
	for i, row := range a.Result.Rows {
		n, ok := row[1].Value.(float64)
		if !ok {
			t.Fatalf("%+v", row)
		}
		if i == len(a.Result.Rows)-1 {
			return sum - n
		}
		sum += n
	}
	return sum
}
