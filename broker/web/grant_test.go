package web_test

import (
	"context"
	"testing"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/grant"
)

// A grant's page lists what is owed under it and says why it rests or was ended; it offers no question while it carries none.
func TestGrantPageTellsWhatIsOwedAndWhyItStopped(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	ctx := context.Background()
	a := p.Reviewed("li", apptest.Research())
	a, err := p.Applications.Decide(ctx, p.As("zhou"), a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "lawful",
		Obligations: []application.ObligationInput{{Kind: "report", Due: "2026-12-31", Text: "What was found so far."}}})
	ok(t, err)
	for _, s := range [][2]string{{"li", "applicant"}, {"wu", "owner"}} {
		a, err = p.Applications.Sign(ctx, p.As(s[0]), a.ID, 0, s[1], a.Agreement.Digest)
		ok(t, err)
	}
	at := "/grants/" + a.Grant
	owed := []string{"report on use", "evidence until 2026-12-31", "What was found so far."}
	p.shows("li", "/applications/"+a.ID, owed, nil)
	p.shows("li", at, append(owed, "no evidence yet", at+"/ask"), nil)
	ok(t, p.Grants.Move(ctx, p.As("zhou"), a.Grant, grant.Command{Name: "suspend", Reason: "To be looked at first."}))
	p.shows("li", at, []string{"To be looked at first."}, []string{at + "/ask"})
	ok(t, p.Grants.End(ctx, p.As("wu"), a.Grant, "revoke", "The study has ended."))
	p.shows("wu", at, []string{"The study has ended."}, []string{at + "/ask"})
}
