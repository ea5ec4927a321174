package service_test

import (
	"context"
	"testing"
	"time"

	"carrel/anonymize/answer"
	"carrel/anonymize/ledger"
	"carrel/broker/attachment"
	"carrel/broker/conduct"
	"carrel/broker/grant"
	"carrel/broker/job"
	"carrel/broker/problem"
	"carrel/broker/service/servicetest"
	"carrel/policy"
)

// unfinished is a query of constant shape that no child finishes before its deadline.
const unfinished = "SELECT count(*)::BIGINT, 1::BIGINT FROM range(1000000000000)"

// ways in which the right to ask is taken away, by whoever may.
func ways() map[string]func(ctx context.Context, t *testing.T, c *servicetest.City) error {
	return map[string]func(ctx context.Context, t *testing.T, c *servicetest.City) error{
		"revoked": func(ctx context.Context, t *testing.T, c *servicetest.City) error {
			return c.Grants.Move(ctx, c.Who(t, "wu"), c.Grant, grant.Command{Name: "revoke", Reason: "核查使用情况期间暂停或终止"})
		},
		"suspended": func(ctx context.Context, t *testing.T, c *servicetest.City) error {
			return c.Grants.Move(ctx, c.Who(t, "zhou"), c.Grant, grant.Command{Name: "suspend", Reason: "核查使用情况期间暂停或终止"})
		},
		"without its institution": func(ctx context.Context, t *testing.T, c *servicetest.City) error {
			t.Helper()
			i, err := c.Institutions.Show(ctx, c.Who(t, "zhou"), "jinhe-university")
			if err != nil {
				return err
			}
			i.Ended = policy.DateOf(c.Desk.Now())
			_, err = c.Institutions.Set(ctx, c.Who(t, "zhou"), i)
			return err
		},
		"expelled": func(ctx context.Context, t *testing.T, c *servicetest.City) error {
			paper, err := c.Papers.Lodge(ctx, c.Who(t, "he"), "approval.pdf", attachment.PDF, servicetest.Document())
			if err != nil {
				return err
			}
			p, err := c.Conduct.Propose(ctx, c.Who(t, "he"), conduct.Entry{Party: "person/li", Sort: "expulsion", Reason: "多次超范围使用数据。", Article: "sichuan-16",
				Evidence: paper.Hash})
			if err != nil {
				return err
			}
			_, err = c.Conduct.Adopt(ctx, c.Who(t, "zhou"), p.ID)
			return err
		},
	}
}

// TestWithdrawnWhileItRuns: a query that computes when its right is taken away is killed within a second, no answer leaves, and its
// charge stays.
func TestWithdrawnWhileItRuns(t *testing.T) {
	t.Parallel()
	for name, withdraw := range ways() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			started, ended := make(chan struct{}), make(chan time.Time, 1)
			a := &around{}
			c := moulds.City(t, a.put)
			if _, err := c.Query(t, question, 0.2); err != nil { // its child is up: what follows is given to it at once
				t.Fatal(err)
			}
			before := c.Spent(t)
			a.running, a.ran = func(string) string { close(started); return unfinished }, func(error) { ended <- time.Now() }
			said := make(chan error, 1)
			go func() {
				_, err := c.Jobs.Query(context.WithoutCancel(t.Context()), c.Who(t, "li"), job.Ask{Grant: c.Grant, SQL: question, Epsilon: 0.1})
				said <- err
			}()
			<-started
			servicetest.Must(t, withdraw(t.Context(), t, c))
			begun := time.Now()
			if took := (<-ended).Sub(begun); took > time.Second {
				t.Errorf("the child went on for %s", took)
			}
			err := <-said
			if !problem.Is(err, problem.Forbidden) || problem.From(t.Context(), nil, err).Decision == nil {
				t.Errorf("the asker hears %v", err)
			}
			lost := c.Records(t, ledger.StateForfeited)
			if len(lost) != 1 || len(lost[0].Result) != 0 || c.Spent(t).Units <= before.Units || len(c.Records(t, ledger.StateDelivered))+len(c.Records(t, ledger.StateRecorded)) != 1 {
				t.Errorf("%d forfeited, spent %+v", len(lost), c.Spent(t))
			}
			if n := count(c.Entries(t), "query.answered"); n != 1 {
				t.Errorf("%d answers are in the log, one was before", n)
			}
			c.Check(t)
		})
	}
}

// TestWithdrawnBeforeItIsRecorded: an answer that is ready but not yet on record when the right is taken away stays inside.
func TestWithdrawnBeforeItIsRecorded(t *testing.T) {
	t.Parallel()
	for name, withdraw := range ways() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := &around{}
			c := moulds.City(t, a.put)
			a.result = func(*answer.Aggregates) { servicetest.Must(t, withdraw(t.Context(), t, c)) }
			if got, err := c.Query(t, question, 0.1); !problem.Is(err, problem.Forbidden) || got != nil {
				t.Errorf("%v %v", got, err)
			}
			if len(c.Records(t, ledger.StateForfeited)) != 1 || c.Spent(t).Units == 0 {
				t.Errorf("spent %+v", c.Spent(t))
			}
			c.Check(t)
		})
	}
}
