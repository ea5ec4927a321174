package service_test

import (
	"testing"

	"carrel/anonymize/ledger"
	"carrel/broker/job"
	"carrel/broker/service/servicetest"
)

// The whole journey on the synthetic city: an application was granted, a question is charged and answered, and the same question in
// other words is answered from record.
func TestJourney(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	ask := func(sql string) *job.Answer {
		a, err := c.Query(t, sql, 0.5)
		servicetest.Must(t, err)
		return a
	}
	a := ask("SELECT department, COUNT(*) AS n, AVG(total_cost) AS cost FROM encounter GROUP BY department ORDER BY n DESC")
	if a.FromRecord || len(a.Result.Rows) < 3 || a.Epsilon <= 0 || a.Epsilon > 0.51 {
		t.Fatalf("from record %v, %d rows, ε %g", a.FromRecord, len(a.Result.Rows), a.Epsilon)
	}
	spent := c.Spent(t)
	again := ask("select  Department, count(*) as stays, avg(total_cost) from encounter e group by 1")
	if !again.FromRecord || again.ID != a.ID || again.Epsilon != 0 || c.Spent(t) != spent {
		t.Error("the same question in other words was charged again")
	}
	if n := len(c.Records(t, ledger.StateDelivered)); n != 1 {
		t.Errorf("%d delivered answers", n)
	}
	c.Check(t)
}
