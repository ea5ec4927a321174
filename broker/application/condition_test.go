package application_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/attachment"
	"carrel/broker/grant"
	"carrel/broker/problem"
	"carrel/policy"
)

// owing is a grant with these conditions.
func owing(t *testing.T, w *apptest.World, owed ...application.ObligationInput) *grant.View {
	t.Helper()
	ctx := context.Background()
	a := w.Reviewed("li", apptest.Research())
	a, err := w.Applications.Decide(ctx, w.As("zhou"), a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "符合规定", Obligations: owed})
	must(t, err)
	for _, s := range [][2]string{{"li", "applicant"}, {"wu", "owner"}} {
		a, err = w.Applications.Sign(ctx, w.As(s[0]), a.ID, 0, s[1], a.Agreement.Digest)
		must(t, err)
	}
	text, err := w.Applications.Agreement(ctx, w.As("li"), a.ID)
	must(t, err)
	v, err := w.Applications.Show(ctx, w.As("li"), a.ID)
	must(t, err)
	for i, o := range owed { // both sides sign what is owed, and the decision shows it
		if !strings.Contains(text.Text.ZH, string(o.Due)+" 前") || !strings.Contains(text.Text.EN, o.Text) || v.Verdict.Obligations[i].Words != o.Text {
			t.Errorf("condition %d is not in the agreement or the decision", i+1)
		}
	}
	g, err := w.Grants.Get(ctx, w.As("li"), a.Grant)
	must(t, err)
	return g
}

// Guard: a condition is met by evidence that who set it accepted. While one is overdue the grant carries nothing: without evidence, with
// evidence that came late, with evidence that was sent back.
func TestConditionsBecomeObligations(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	b := w.Reviewed("li", apptest.Research())
	for name, c := range map[string]application.ObligationInput{"of an unknown kind": {Kind: "dance", Due: "2026-12-31"}, "of a review that was not held": {Kind: "report", Due: "2026-12-31", Body: "genetic"}} {
		_, err := w.Applications.Decide(ctx, w.As("zhou"), b.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "符合规定", Obligations: []application.ObligationInput{c}})
		refused(t, "a condition "+name, err)
	}
	g := owing(t, w, application.ObligationInput{Kind: "report", Due: "2026-12-31", Text: "半年报告"})
	if len(g.Obligations) != 1 || g.Obligations[0].Due != "2026-12-31" || g.Obligations[0].State() != grant.ConditionOpen {
		t.Fatalf("%+v", g.Obligations)
	}
	permit := func() error {
		_, _, err := w.Grants.IssuePermit(ctx, w.As("li"), g.ID, grant.PermitRequest{})
		return err
	}
	do := func(who, command string, c grant.Command) error {
		c.Name, c.Condition = command, g.Obligations[0].ID
		return w.Grants.Move(ctx, w.As(who), g.ID, c)
	}
	first, second := w.Evidence("wang", g.ID, "半年报告"), w.Evidence("li", g.ID, "半年报告（补充第三季度）")
	must(t, permit())
	refused(t, "accepted without evidence", do("zhou", "accept", grant.Command{}))
	w.Clock.Add(45 * 24 * time.Hour)
	refused(t, "a permit while a condition is overdue", permit())
	refused(t, "filed without evidence", do("li", "discharge", grant.Command{Evidence: "done"}))
	if err := do("hu", "discharge", grant.Command{Evidence: first}); !problem.Is(err, problem.NotFound) {
		t.Errorf("by a stranger: %v", err)
	}
	must(t, do("wang", "discharge", grant.Command{Evidence: first}))
	refused(t, "filed twice", do("wang", "discharge", grant.Command{Evidence: second}))
	refused(t, "a permit on late evidence that nobody judged", permit())
	for _, who := range []string{"li", "wang"} {
		refused(t, "accepted by "+who, do(who, "accept", grant.Command{}))
	}
	refused(t, "sent back without a reason", do("zhou", "return", grant.Command{Reason: "no"}))
	must(t, do("zhou", "return", grant.Command{Reason: "报告缺少第三季度的使用情况说明。"}))
	refused(t, "a permit on evidence that was sent back", permit())
	seen, err := w.Grants.Get(ctx, w.As("li"), g.ID)
	must(t, err)
	if o := seen.Obligations[0]; o.State() != grant.ConditionOpen || len(o.Returns) != 1 || o.Returns[0].Words != "报告缺少第三季度的使用情况说明。" || o.Returns[0].Evidence != first {
		t.Errorf("what the lead sees: %+v", o)
	}
	must(t, do("li", "discharge", grant.Command{Evidence: second}))
	must(t, do("zhou", "accept", grant.Command{}))
	refused(t, "accepted twice", do("zhou", "accept", grant.Command{}))
	must(t, permit())
	for _, e := range w.Entries() {
		if strings.HasPrefix(e.Kind, "grant.") && (e.Facts["reason"] != "" || strings.Contains(strings.Join(e.Rules, " "), "第三季度")) {
			t.Errorf("a reason in the log: %+v", e)
		}
	}
}

// Evidence that came in time carries the grant until it is judged, also past the day.
func TestEvidenceInTimeCarriesTheGrant(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	g := owing(t, w, application.ObligationInput{Kind: "report", Due: "2026-12-31"})
	must(t, w.Grants.Move(ctx, w.As("li"), g.ID, grant.Command{Name: "discharge", Condition: g.Obligations[0].ID, Evidence: w.Evidence("li", g.ID, "report")}))
	w.Clock.Add(45 * 24 * time.Hour)
	_, _, err := w.Grants.IssuePermit(ctx, w.As("li"), g.ID, grant.PermitRequest{})
	must(t, err)
}

// Guard: the review that set a condition judges its evidence: not the authority, not another review, and its reviewer reads the grant for it.
func TestConditionOfAReview(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	g := owing(t, w, application.ObligationInput{Kind: "ethics", Due: "2026-12-31", Body: "ethics"}, application.ObligationInput{Kind: "report", Due: "2026-12-31"})
	of := apptest.Reviewers()["ethics"]
	other := apptest.Reviewers()["privacy-impact"]
	if _, err := w.Grants.Get(ctx, w.As(other), g.ID); err == nil {
		t.Errorf("%s, who judges nothing, reads the grant", other)
	}
	if v, err := w.Grants.Get(ctx, w.As(of), g.ID); err != nil || len(v.Commands) != 0 {
		t.Errorf("before there is evidence: %v %v", v, err)
	}
	for _, o := range g.Obligations {
		must(t, w.Grants.Move(ctx, w.As("li"), g.ID, grant.Command{Name: "discharge", Condition: o.ID, Evidence: w.Evidence("li", g.ID, "report")}))
	}
	accept := func(who string, n int) error {
		return w.Grants.Move(ctx, w.As(who), g.ID, grant.Command{Name: "accept", Condition: g.Obligations[n].ID})
	}
	refused(t, "the authority for the review", accept("zhou", 0))
	refused(t, "the review for the authority", accept(of, 1))
	if err := accept(other, 0); !problem.Is(err, problem.NotFound) {
		t.Errorf("another review: %v", err)
	}
	must(t, accept(of, 0))
	must(t, accept("zhou", 1))
}

// Guard: records that identify persons need authorisation or a law as the ground on record, and the grant says that they do.
func TestIdentifiableNeedsAGround(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	d := apptest.Research() // the ground on record is the application itself
	d.Facts.Identifiable = true
	a, err := w.Create(ctx, w.As("li"), d)
	must(t, err)
	x, err := w.Papers.Attach(ctx, w.As("li"), a.ID, "basis.pdf", attachment.PDF, pdf)
	must(t, err)
	d.Facts.Authority.Document = x.Hash
	_, err = w.Applications.Edit(ctx, w.As("li"), a.ID, 0, d)
	must(t, err)
	_, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0)
	if err == nil || !slices.ContainsFunc(problemOf(err).Decision.Reasons, func(r policy.Reason) bool { return r.Rule == "sichuan-29/person-basis" }) {
		t.Errorf("submitted without a ground: %v", err)
	}
}

// Guard: the sensitive lists of a grant are what was declared and what follows from the purpose, and an undeclared one asks for its review too.
func TestSensitiveListsFollow(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	d := apptest.Research()
	d.Facts.Use.Diseases = []string{"Q90.0"}
	d.Facts.Assessment = w.Assessed()
	a, err := w.Create(ctx, w.As("li"), d)
	must(t, err)
	a, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0)
	must(t, err)
	if !slices.Contains(a.Needed, "genetic") {
		t.Errorf("reviews %v for a purpose about genetic diseases that declares no code", a.Needed)
	}
	d = apptest.Research()
	d.Facts.Codes = []string{"icd10:F32"}
	d.Facts.Assessment = w.Assessed()
	g := w.Granted("li", d)
	v, err := w.Grants.Get(ctx, w.As("li"), g.Grant)
	must(t, err)
	if q := v.Question(); !slices.Equal(q.Lists, []string{"psychiatric"}) {
		t.Errorf("the grant was reviewed for %v", q.Lists)
	}
}
