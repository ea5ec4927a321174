package job_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"carrel/broker/application/apptest"
	"carrel/broker/catalogue"
	"carrel/broker/job"
	"carrel/broker/problem"
	"carrel/policy"
)

// What the catalogue marks decides, whatever tables and columns are called: the same question is answered without the marks, and with
// those of goods and of whose they are it is a statistic that the grant must name (chongqing-stat).
func TestMarksOfTheCatalogueReachPolicy(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ask := job.Ask{Grant: w.Granted("li", apptest.Research()).Grant, SQL: "SELECT count(*) FROM person"}
	refused := func(marks ...string) bool {
		s := newJobs(t, w, &engine{clock: w.Clock}, &grid{Clock: w.Clock}, func(d *job.Dataset) {
			entry := *d.Entry
			entry.Tables = slices.Clone(entry.Tables)
			entry.Tables[slices.IndexFunc(entry.Tables, func(x catalogue.Table) bool { return x.Name == "person" })].Marks = marks
			d.Entry = &entry
		})
		x, err := s.Explain(context.WithoutCancel(t.Context()), w.As("li"), ask)
		var p *problem.Error
		if errors.As(err, &p) && p.Decision != nil {
			return slices.ContainsFunc(p.Decision.Reasons, ofStatistics)
		}
		must(t, err)
		return !x.Allowed && slices.ContainsFunc(x.Reasons, ofStatistics)
	}
	for _, c := range []struct {
		marks []string
		want  bool
	}{
		{nil, false},
		{[]string{"drug"}, false},
		{[]string{"department", "maker"}, false},
		{[]string{"drug", "department"}, true},
		{[]string{"equipment", "maker"}, true},
		{[]string{"consumable", "hospital"}, true},
		{[]string{"drug", "prescriber"}, true},
	} {
		if got := refused(c.marks...); got != c.want {
			t.Errorf("marked %v: refused %v", c.marks, got)
		}
	}
}

func ofStatistics(r policy.Reason) bool { return r.Rule == "chongqing-stat/lineage" }
