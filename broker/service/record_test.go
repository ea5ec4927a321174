package service_test

import (
	"context"
	"testing"

	"carrel/anonymize/ledger"
	"carrel/broker/grant"
	"carrel/broker/job"
	"carrel/broker/problem"
	"carrel/broker/service/servicetest"
)

// TestAnswersStayInTheirGrant: the same question under another grant is another charge and another draw, and a grant that was revoked
// gets nothing from record either.
func TestAnswersStayInTheirGrant(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	li := c.Who(t, "li")
	first, err := c.Query(t, question, 0.1)
	servicetest.Must(t, err)
	a, err := servicetest.Granted(t.Context(), c.Service, "li", "wu", servicetest.ResearchDraft("jinhe", "encounter.*"))
	servicetest.Must(t, err)
	other, err := c.Jobs.Query(t.Context(), li, job.Ask{Grant: a.Grant, SQL: question, Epsilon: 0.1})
	servicetest.Must(t, err)
	if other.FromRecord || other.ID == first.ID || c.Account(t, grant.Account(a.Grant)).Spent.Units == 0 {
		t.Error("another grant was answered from this one's record")
	}
	servicetest.Must(t, c.Grants.End(t.Context(), c.Who(t, "wu"), c.Grant, "revoke", "No longer needed."))
	if again, err := c.Query(t, question, 0.1); !problem.Is(err, problem.Forbidden) {
		t.Errorf("a revoked grant: %v, %v", again, err)
	}
	if again, err := c.Jobs.Query(t.Context(), li, job.Ask{Grant: a.Grant, SQL: question, Epsilon: 0.1}); err != nil || !again.FromRecord {
		t.Errorf("the other one: %v", err)
	}
	c.Check(t)
}

// TestClientsThatGoAway change nothing: what was started is finished and recorded, else a cancellation timed by the data would choose
// among samples.
func TestClientsThatGoAway(t *testing.T) {
	t.Parallel()
	a := &around{}
	c := moulds.City(t, a.put)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a.running = func(sql string) string {
		cancel()
		return sql
	}
	_, _ = c.Jobs.Query(ctx, c.Who(t, "li"), job.Ask{Grant: c.Grant, SQL: question, Epsilon: 0.1}) // whatever the client would have heard
	a.running = nil
	if n, lost := len(c.Records(t, ledger.StateDelivered)), len(c.Records(t, ledger.StateForfeited)); n != 1 || lost != 0 {
		t.Fatalf("%d answers on record, %d forfeited", n, lost)
	}
	again, err := c.Query(t, question, 0.1)
	if err != nil || !again.FromRecord {
		t.Errorf("asked again: %v", err)
	}
}

// TestJobsAfterARestart: what ran is failed and told so, what waited is answered.
func TestJobsAfterARestart(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	li := c.Who(t, "li")
	j, err := c.Jobs.Submit(t.Context(), li, job.Ask{Grant: c.Grant, SQL: question, Epsilon: 0.1})
	servicetest.Must(t, err)
	c.Reopen(t)
	for range 3000 { // each look is a read of the store
		if j, err = c.Jobs.Show(t.Context(), li, j.ID); err != nil || j.State == job.Done || j.State == job.Failed {
			break
		}
	}
	// Stopped while it ran it is failed; before, it is answered now. Nothing in between, and never two charges.
	n, lost := len(c.Records(t, ledger.StateDelivered)), len(c.Records(t, ledger.StateForfeited))
	if err != nil || j.State != job.Done && j.State != job.Failed || n+lost > 1 || j.State == job.Done && n != 1 {
		t.Errorf("%+v, %v, %d answers, %d forfeited", j, err, n, lost)
	}
	c.Check(t)
}
