package service_test

import (
	"regexp"
	"testing"

	"carrel/anonymize/ledger"
	"carrel/broker/grant"
	"carrel/broker/job"
	"carrel/broker/problem"
)

// TestTrainingGrant: every account asks questions of the demo city at once, from a budget and in a universe of its own; the answers say that
// they are synthetic, and what is spent there is spent nowhere else.
func TestTrainingGrant(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	before := c.Spent(t)
	root := c.Account(t, "universe/jinhe")
	ids := map[string]bool{}
	for _, who := range []string{"li", "wang", "chen"} {
		a, err := c.Jobs.Query(t.Context(), c.Who(t, who), job.Ask{Grant: grant.TrainingAlias, SQL: question, Epsilon: 0.5})
		if err != nil {
			t.Errorf("%s: %v", who, err)
			continue
		}
		if !a.Synthetic || a.FromRecord || ids[a.Grant] {
			t.Errorf("%s: synthetic %v, from record %v, grant %s", who, a.Synthetic, a.FromRecord, a.Grant)
		}
		ids[a.Grant] = true
		again, err := c.Jobs.Query(t.Context(), c.Who(t, who), job.Ask{Grant: a.Grant, SQL: question, Epsilon: 0.5})
		if err != nil || !again.FromRecord {
			t.Errorf("%s again: %v", who, err)
		}
		if _, err := c.Jobs.Query(t.Context(), c.Who(t, "feng"), job.Ask{Grant: a.Grant, SQL: question}); err == nil {
			t.Error("somebody else's training grant")
		}
		if got := c.Account(t, grant.Account(a.Grant)); got.Spent == (ledger.Amount{}) {
			t.Errorf("%s was not charged", who)
		}
	}
	if after := c.Spent(t); after != before || c.Account(t, "universe/jinhe").Spent != root.Spent {
		t.Error("training spent what is not its own")
	}
	id, err := c.Training(t.Context(), c.Who(t, "li"))
	if err != nil || !ids[id] {
		t.Errorf("%s %v", id, err)
	}
	// numbers leave in notices and webhooks: none says whose it is
	for id := range ids {
		if !regexp.MustCompile(`^t-[0-9a-f]{20}$`).MatchString(id) {
			t.Errorf("the number %s is no random one", id)
		}
	}
	if _, _, err := c.Grants.IssuePermit(t.Context(), c.Who(t, "li"), id, grant.PermitRequest{}); !problem.Is(err, problem.Forbidden) {
		t.Errorf("a permit of a training grant: %v", err)
	}
	c.Check(t)
}
