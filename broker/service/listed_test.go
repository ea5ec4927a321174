package service_test

import (
	"strings"
	"testing"

	"carrel/broker/job"
	"carrel/broker/problem"
	"carrel/broker/service/servicetest"
)

// TestListedQuestions: a grant that lists its questions answers those, in whatever words, and refuses others before anything is charged.
func TestListedQuestions(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	x, err := c.Jobs.Explain(t.Context(), c.Who(t, "li"), job.Ask{Grant: c.Grant, SQL: question})
	servicetest.Must(t, err)
	if x.Digest == "" {
		t.Fatal("no digest")
	}
	d := servicetest.ResearchDraft("jinhe", "encounter.*")
	d.Facts.Agreement.Listed, d.Facts.Agreement.Queries = true, []string{x.Digest}
	a, err := servicetest.Granted(t.Context(), c.Service, "li", "wu", d)
	servicetest.Must(t, err)
	other := job.Ask{Grant: a.Grant, SQL: "SELECT outcome, COUNT(*) AS n FROM encounter GROUP BY outcome"}
	if _, err := c.Jobs.Query(t.Context(), c.Who(t, "li"), other); !problem.Is(err, problem.Forbidden) || !strings.Contains(problem.From(t.Context(), nil, err).Decision.Reasons[0].Rule, "listed") {
		t.Errorf("a question that is not listed: %v", err)
	}
	if spent := c.Account(t, "grant/"+a.Grant).Spent; spent.Units != 0 {
		t.Error("a refusal was charged")
	}
	same := job.Ask{Grant: a.Grant, SQL: "select department, count(*) as n\nfrom encounter group by department"}
	if got, err := c.Jobs.Query(t.Context(), c.Who(t, "li"), same); err != nil || got.FromRecord {
		t.Errorf("the listed question in other words: %v", err)
	}
	d.Facts.Agreement.Queries = nil
	if _, err := servicetest.Granted(t.Context(), c.Service, "li", "wu", d); err == nil || !strings.Contains(err.Error(), "decide") {
		t.Errorf("a list without questions: %v", err)
	}
}
