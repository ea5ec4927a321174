package service_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"carrel/broker/institution"
	"carrel/broker/job"
	"carrel/broker/service/servicetest"
	"carrel/policy"
)

// sichuan-14: a question waits in the queue when the asker's institution, or the owner of the data, changes. Who succeeds goes on and is
// charged once; of who ended nothing is asked and nothing charged, the job says by which rule, and it is asked anew once somebody succeeds.
func TestQueuedWhileInstitutionsChange(t *testing.T) {
	t.Parallel()
	const university, commission, heir = "jinhe-university", "jinhe-health-commission", "jinhe-first-hospital"
	for name, x := range map[string]struct {
		house, by string
		heir      string
		rule      string
	}{
		"asker ended":  {university, commission, "", "sichuan-14/ended"},
		"asker merged": {university, commission, heir, ""},
		"owner ended":  {commission, "sichuan-health-commission", "", "sichuan-14/parties"},
		"owner merged": {commission, "sichuan-health-commission", "sichuan-health-commission", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runs, goOn := make(chan struct{}), make(chan struct{})
			var once sync.Once
			a := &around{running: func(sql string) string {
				once.Do(func() { close(runs); <-goOn })
				return sql
			}}
			c := moulds.City(t, a.put)
			li := c.Who(t, "li")
			free := c.Spent(t)
			first, err := c.Jobs.Submit(t.Context(), li, job.Ask{Grant: c.Grant, SQL: question, Epsilon: 0.1})
			servicetest.Must(t, err)
			<-runs
			second, err := c.Jobs.Submit(t.Context(), li, job.Ask{Grant: c.Grant, SQL: "SELECT sex, count(*) AS n FROM person GROUP BY sex", Epsilon: 0.1})
			servicetest.Must(t, err)
			by := c.Who(t, "zhou")
			by.Institution = x.by
			set := func(change func(i *institution.Institution)) {
				t.Helper()
				i, err := c.Institutions.Show(t.Context(), by, x.house)
				servicetest.Must(t, err)
				change(&i)
				_, err = c.Institutions.Set(t.Context(), by, i)
				servicetest.Must(t, err)
			}
			set(func(i *institution.Institution) { i.Ended, i.Successor = policy.DateOf(c.Desk.Now()), x.heir })
			close(goOn)

			over(t, c, first.ID)
			charged := c.Spent(t)
			j := over(t, c, second.ID)
			switch {
			case x.rule == "" && (j.State != job.Done || c.Spent(t).Units == free.Units):
				t.Errorf("with a successor the job is %s: %v", j.State, j.Problem)
			case x.rule != "" && (j.State != job.Failed || j.Problem == nil || j.Problem.Decision == nil || !cites(j.Problem.Decision, x.rule)):
				t.Errorf("the job is %s: %v", j.State, j.Problem)
			case x.rule != "" && c.Spent(t).Units != charged.Units:
				t.Error("what was not asked was charged")
			}
			c.Check(t)
		})
	}
}

func cites(d *policy.Decision, rule string) bool {
	for _, r := range d.Reasons {
		if strings.HasPrefix(r.Rule, rule) {
			return true
		}
	}
	return false
}

// over waits for a job to end; each look is a read of the store.
func over(t *testing.T, c *servicetest.City, id string) job.Job {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); {
		j, err := c.Jobs.Show(t.Context(), c.Who(t, "li"), id)
		servicetest.Must(t, err)
		if j.State == job.Done || j.State == job.Failed {
			return j
		}
	}
	t.Fatal("the job does not end")
	return job.Job{}
}
