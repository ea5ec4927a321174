package service_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"carrel/anonymize/ledger"
	"carrel/broker/abroad"
	"carrel/broker/application"
	"carrel/broker/attachment"
	"carrel/broker/jinhe"
	"carrel/broker/job"
	"carrel/broker/problem"
	"carrel/broker/service/servicetest"
	"carrel/policy"
)

// sentAbroad gives li a grant whose answers may go abroad, and the number of the file that both offices cleared for it.
func sentAbroad(t *testing.T, c *servicetest.City) string {
	t.Helper()
	ctx := t.Context()
	for _, who := range []string{"wu", "zhou", "an"} {
		_, err := c.Papers.Lodge(ctx, c.Who(t, who), "report.pdf", attachment.PDF, servicetest.Document())
		servicetest.Must(t, err)
	}
	d := servicetest.ResearchDraft(jinhe.Dataset, "encounter.*")
	until, paper := policy.DateOf(c.Desk.Now().AddDate(2, 0, 0)), servicetest.DocumentHash()
	f, err := c.Abroad.File(ctx, c.Who(t, "wu"), abroad.Facts{Applicant: "jinhe-university", Recipient: "Overseas University", Country: "Singapore", Purpose: "research", Rows: 1000, Until: until,
		Assessment: paper, Way: abroad.Way{Kind: "certification", Document: paper, Number: "No. 3 of 2026", Until: until}, Wishes: d.Facts.Wishes}, "A joint study.")
	servicetest.Must(t, err)
	for who, office := range map[string]string{"zhou": "health-authority", "an": "security-department"} {
		_, err := c.Abroad.Clear(ctx, c.Who(t, who), f.ID, office, "No. 12", paper)
		servicetest.Must(t, err)
	}
	d.Facts.CrossBorder, d.Facts.Clearance, d.Facts.Abroad = true, f.ID, policy.Abroad{Institution: "Overseas University", Country: "Singapore"}
	d.Texts[application.TextAnswerable] = "Dr A. Tan, data protection officer"
	a, err := servicetest.Granted(ctx, c.Service, "li", "wu", d)
	servicetest.Must(t, err)
	c.Grant = a.Grant
	return f.ID
}

// inForce says whether a refusal is that of the file that stands no more.
func inForce(t *testing.T, err error) bool {
	t.Helper()
	p := problem.From(t.Context(), nil, err)
	return p.Decision != nil && slices.ContainsFunc(p.Decision.Reasons, func(r policy.Reason) bool {
		return r.Rule == "sichuan-32/in-force" && r.Article != "" && r.Text.ZH != ""
	})
}

// Guard: what both offices cleared is asked for as long as both clear it. A clearance that is taken back ends the query that runs, and the
// next one, and the same one that was answered before, are refused with the rule (sichuan-32).
func TestAClearanceThatIsTakenBackStopsTheGrant(t *testing.T) {
	t.Parallel()
	started, ended := make(chan struct{}), make(chan time.Time, 1)
	a := &around{}
	c := moulds.City(t, a.put)
	file := sentAbroad(t, c)
	if _, err := c.Query(t, question, 0.2); err != nil {
		t.Fatal(err)
	}
	a.running, a.ran = func(string) string { close(started); return unfinished }, func(error) { ended <- time.Now() }
	said := make(chan error, 1)
	go func() {
		_, err := c.Jobs.Query(context.WithoutCancel(t.Context()), c.Who(t, "li"), job.Ask{Grant: c.Grant, SQL: question, Epsilon: 0.1})
		said <- err
	}()
	<-started
	_, err := c.Abroad.Refuse(t.Context(), c.Who(t, "an"), file, "The recipient lost its certificate.")
	servicetest.Must(t, err)
	begun := time.Now()
	if took := (<-ended).Sub(begun); took > time.Second {
		t.Errorf("the child went on for %s", took)
	}
	if err := <-said; !inForce(t, err) {
		t.Errorf("who asked meanwhile hears %v", err)
	}
	a.running, a.ran = nil, nil
	for _, epsilon := range []float64{0.1, 0.2} {
		if got, err := c.Query(t, question, epsilon); got != nil || !inForce(t, err) {
			t.Errorf("asked with %g afterwards: %v %v", epsilon, got, err)
		}
	}
	if len(c.Records(t, ledger.StateForfeited)) != 1 {
		t.Errorf("%d forfeited", len(c.Records(t, ledger.StateForfeited)))
	}
	c.Check(t)
}

// A clearance that is withdrawn after policy allowed a question and before its charge: nothing is charged.
func TestAClearanceThatIsWithdrawnBeforeTheCharge(t *testing.T) {
	t.Parallel()
	a := &around{}
	c := moulds.City(t, a.put)
	file := sentAbroad(t, c)
	a.opened = func() {
		a.opened = nil
		_, err := c.Abroad.Withdraw(context.WithoutCancel(t.Context()), c.Who(t, "wu"), file)
		servicetest.Must(t, err)
	}
	if got, err := c.Query(t, question, 0.1); got != nil || !problem.Is(err, problem.Conflict) && !inForce(t, err) {
		t.Errorf("%v %v", got, err)
	}
	if c.Spent(t).Units != 0 {
		t.Errorf("spent %+v", c.Spent(t))
	}
	c.Check(t)
}
