package application_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/problem"
	"carrel/policy"
)

func submitted(t *testing.T, w *apptest.World, lead string, d application.Draft) *application.Application {
	t.Helper()
	a, err := w.Create(context.Background(), w.As(lead), d)
	if err != nil {
		t.Fatal(err)
	}
	if a, err = w.Applications.Submit(context.Background(), w.As(lead), a.ID, 0); err != nil {
		t.Fatal(err)
	}
	return a
}

// The days of the reviewers stand still while the applicant owes an answer, and what is late is shown as late.
func TestClock(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a := submitted(t, w, "li", apptest.Research())
	if a.Clock.Due != "2026-12-18" { // 20 working days from Saturday 21 November
		t.Fatalf("due %s", a.Clock.Due)
	}
	w.Clock.Add(9 * 24 * time.Hour) // Monday 30 November: 14 days left
	a, err := w.Applications.Ask(ctx, w.As("chen"), a.ID, 0, "Which hospitals are compared?")
	if err != nil || a.State != "questioned" || a.Clock.Left != 14 || a.Clock.Due != "2026-12-28" {
		t.Fatalf("%+v %v", a.Clock, err)
	}
	_, err = w.Applications.Review(ctx, w.As("chen"), a.ID, 0, w.Opinion("ethics", "approve"))
	refused(t, "a review while the applicant owes an answer", err)
	_, err = w.Applications.Answer(ctx, w.As("hu"), a.ID, 0, "All hospitals of the city.")
	refused(t, "an answer by a stranger", err)
	w.Clock.Add(14 * 24 * time.Hour) // Monday 14 December
	a, err = w.Applications.Answer(ctx, w.As("wang"), a.ID, 0, "All hospitals of the city.")
	if err != nil || a.State != "submitted" || a.Clock.Left != 0 || a.Clock.Due != "2027-01-04" {
		t.Fatalf("%+v %v", a.Clock, err)
	}
	v, err := w.Applications.Show(ctx, w.As("chen"), a.ID)
	if err != nil || len(v.Questions) != 1 || v.Questions[0].Answer != "All hospitals of the city." || v.Waits[0].Due != "2027-01-04" || v.Waits[0].Overdue {
		t.Fatalf("%+v %v", v, err)
	}
	w.Clock.Add(22 * 24 * time.Hour)
	if v, err = w.Applications.Show(ctx, w.As("chen"), a.ID); err != nil || !v.Waits[0].Overdue {
		t.Fatalf("%+v %v", v.Waits, err)
	}
}

// A deadline that falls into a year without holidays is an error with a sentence, and nothing happens.
func TestDeadlineInAYearNobodyEntered(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Clock.Add(400 * 24 * time.Hour) // 26 December 2027
	d := apptest.Research()
	d.Facts.From, d.Facts.To = "2027-12-26", "2028-06-30"
	a, err := w.Create(context.Background(), w.As("li"), d)
	if err != nil {
		t.Fatal(err)
	}
	n := len(w.Entries())
	if _, err = w.Applications.Submit(context.Background(), w.As("li"), a.ID, 0); !problem.Is(err, problem.Unavailable) || !strings.Contains(err.Error(), "2028") {
		t.Fatal(err)
	}
	if len(w.Entries()) != n {
		t.Error("something happened")
	}
}

// The vote keeps its sheet; taken back, it stays on file and the seat is open again.
func TestVoteAndItsSheet(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a := submitted(t, w, "li", apptest.Research())
	bare := w.Opinion("ethics", "approve")
	bare.Answers = map[string]string{"benefit": "met"}
	_, err := w.Applications.Review(ctx, w.As("chen"), a.ID, 0, bare)
	refused(t, "a vote without its findings", err)
	against := w.Opinion("ethics", "approve")
	against.Answers["benefit"] = "unmet"
	_, err = w.Applications.Review(ctx, w.As("chen"), a.ID, 0, against)
	refused(t, "an approval of what was found not met", err)
	silent := w.Opinion("ethics", "reject")
	silent.Findings = "  不同意  "
	if _, err = w.Applications.Review(ctx, w.As("chen"), a.ID, 0, silent); ruled(err) != "sichuan-18/words" {
		t.Fatalf("a rejection without its reason: %v", err)
	}
	benefit := application.Found{Question: "benefit", Mandatory: true, Text: policy.Text{ZH: "研究或质控的公共价值大于对个人的风险", EN: "The public value outweighs the risk to persons"},
		Choice: "met", Answer: policy.Text{ZH: "符合", EN: "met"}}
	a, err = w.Applications.Review(ctx, w.As("chen"), a.ID, 0, w.Opinion("ethics", "reject"))
	if err != nil || a.Reviews[0].Sheet != "2026-1" || len(a.Reviews[0].Found) != 3 || a.Reviews[0].Found[0] != benefit || a.Reviews[0].Institution != "jinhe-health-commission" {
		t.Fatalf("%+v %v", a.Reviews, err)
	}
	_, err = w.Applications.Review(ctx, w.As("chen"), a.ID, 0, w.Opinion("ethics", "approve"))
	refused(t, "a second vote", err)
	_, err = w.Applications.Retract(ctx, w.As("bai"), a.ID, 0)
	refused(t, "somebody else's vote", err)
	if a, err = w.Applications.Retract(ctx, w.As("chen"), a.ID, 0); err != nil || len(a.Reviews) != 0 || len(a.Retracted) != 1 || a.Retracted[0].Retracted.IsZero() {
		t.Fatalf("%+v %v", a, err)
	}
	if _, err = w.Applications.Review(ctx, w.As("chen"), a.ID, 0, w.Opinion("ethics", "approve")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Applications.Sheet(ctx, "weather"); !problem.Is(err, problem.NotFound) {
		t.Error(err)
	}
}

// An appeal goes to people who had no hand in the denial.
func TestAppeal(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a := w.Reviewed("li", apptest.Research())
	for choice, grounds := range map[string]string{"deny": "不批准", "return": "", "approve": " "} {
		if _, err := w.Applications.Decide(ctx, w.As("zhou"), a.ID, 0, application.DecisionInput{Choice: choice, Grounds: grounds}); !strings.Contains(ruled(err), "sichuan-18/words") {
			t.Errorf("%s without grounds: %v", choice, err)
		}
	}
	a, err := w.Applications.Decide(ctx, w.As("zhou"), a.ID, 0, application.DecisionInput{Choice: "deny", Grounds: "申请用途的说明不充分"})
	if err != nil || a.State != "denied" || a.Clock.Due == "" {
		t.Fatalf("%+v %v", a, err)
	}
	_, err = w.Applications.Appeal(ctx, w.As("wang"), a.ID, 0, "The purpose was described in full.")
	refused(t, "an appeal by a member", err)
	if a, err = w.Applications.Appeal(ctx, w.As("li"), a.ID, 0, "The purpose was described in full."); err != nil || a.State != "submitted" || len(a.Reviews) != 0 {
		t.Fatalf("%+v %v", a, err)
	}
	for kind, who := range map[string]string{"ethics": "chen", "confidentiality": "zhao"} {
		_, err = w.Applications.Review(ctx, w.As(who), a.ID, 0, w.Opinion(kind, "approve"))
		refused(t, who+" of the first panel", err)
	}
	for who, kind := range map[string]string{"bai": "ethics", "gong": "ethics", "kong": "confidentiality", "cao": "security-risk", "tao": "privacy-impact"} {
		if _, err = w.Applications.Review(ctx, w.As(who), a.ID, 0, w.Opinion(kind, "approve")); err != nil {
			t.Fatal(kind, err)
		}
	}
	_, err = w.Applications.Decide(ctx, w.As("zhou"), a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "符合规定"})
	refused(t, "the decider of the denial", err)
	if a, err = w.Applications.Decide(ctx, w.As("xu"), a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "符合规定"}); err != nil || a.State != "approved" {
		t.Fatalf("%+v %v", a, err)
	}
	v, err := w.Applications.Show(ctx, w.As("li"), a.ID)
	if err != nil || len(v.Appeals) != 1 || v.Appeals[0].Grounds != "The purpose was described in full." || len(v.Appeals[0].Reviews) != 5 {
		t.Fatalf("%+v %v", v.Appeals, err)
	}
	if first := v.Appeals[0]; first.Verdict.Grounds != "申请用途的说明不充分" || first.Reviews[0].Findings == "" || len(first.Reviews[0].Found) == 0 {
		t.Errorf("the decision that the appeal is against has lost its words: %+v", first)
	}
	if len(v.Sources) == 0 || v.Sources[v.Findings.Decision.Reasons[0].Source].ZH == "" {
		t.Errorf("what is cited has no title: %v", v.Sources)
	}
}

// An amendment goes the whole way; until its last signature the grant is what it was.
func TestAmendment(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	first := w.Granted("li", apptest.Research())
	_, err := w.Applications.Later(ctx, w.As("wang"), first.ID, application.FileAmendment)
	refused(t, "an amendment by a member", err)
	a, err := w.Applications.Later(ctx, w.As("li"), first.ID, application.FileAmendment)
	if err != nil || a.State != "draft" || a.Of != first.ID || a.Facts.Former.Grant != first.Grant {
		t.Fatalf("%+v %v", a, err)
	}
	d := apptest.Research()
	d.Facts.Team, d.Facts.To = []string{"wang", "hu"}, "2028-05-31"
	d.Facts.Wishes[0].Columns = append(d.Facts.Wishes[0].Columns, "cv_event.event_month")
	d.Texts[application.TextReason] = "改为研究卒中后的再入院及其费用，为改进提供依据。"
	d.Facts.Former = policy.Former{Grant: "g-of-somebody-else"} // what only the service knows cannot be declared
	if _, err = w.Applications.Edit(ctx, w.As("li"), a.ID, 0, d); err != nil {
		t.Fatal(err)
	}
	if a, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0); err != nil || a.Facts.Former.Grant != first.Grant {
		t.Fatalf("%+v %v", a, err)
	}
	for _, kind := range a.Needed {
		w.Voted(a.ID, kind)
	}
	if a, err = w.Applications.Decide(ctx, w.As("zhou"), a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "符合规定"}); err != nil {
		t.Fatal(err)
	}
	if g, err := w.Grants.Get(ctx, w.As("li"), first.Grant); err != nil || g.To != "2027-11-20" || len(g.Team) != 1 {
		t.Fatalf("the grant changed before the signatures: %+v %v", g, err)
	}
	before := w.Account("universe/jinhe").Spent.Units
	for _, s := range [][2]string{{"li", "applicant"}, {"wu", "owner"}} {
		if a, err = w.Applications.Sign(ctx, w.As(s[0]), a.ID, 0, s[1], a.Agreement.Digest); err != nil {
			t.Fatal(err)
		}
	}
	g, err := w.Grants.Get(ctx, w.As("li"), first.Grant)
	if err != nil || a.Grant != first.Grant || g.To != "2028-05-31" || len(g.Team) != 2 || len(g.Columns) != 4 || !slices.Equal(g.Purposes, []string{d.Texts[application.TextReason]}) {
		t.Fatalf("%+v %v", g, err)
	}
	if w.Account("universe/jinhe").Spent.Units != before || w.Account("researcher/jinhe/hu").Limit.Units <= 0 {
		t.Error("an amendment opened another budget, or none for who is new")
	}
	other := apptest.Research()
	other.Facts.Epsilon = 6
	if a, err = w.Applications.Later(ctx, w.As("li"), first.ID, application.FileAmendment); err != nil {
		t.Fatal(err)
	}
	if _, err = w.Applications.Edit(ctx, w.As("li"), a.ID, 0, other); err != nil {
		t.Fatal(err)
	}
	_, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0)
	refused(t, "more budget by amendment", err)
}

// Without the centre's rules on file there is no renewal.
func TestRenewalNeedsTheCentresRules(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	first := w.Granted("zheng", apptest.Quality())
	a, err := w.Applications.Later(ctx, w.As("zheng"), first.ID, application.FileRenewal)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Applications.Submit(ctx, w.As("zheng"), a.ID, 0)
	refused(t, "a renewal without the rules", err)
	if !strings.Contains(err.Error(), "rules on file") {
		t.Error(err)
	}
	d := apptest.Quality()
	d.Facts.To, d.Facts.Rules = "2028-05-31", policy.Rules{Document: d.Facts.Ethics.Document, Version: "3", Date: "2026-06-01"}
	if _, err = w.Applications.Edit(ctx, w.As("zheng"), a.ID, 0, d); err != nil {
		t.Fatal(err)
	}
	if a, err = w.Applications.Submit(ctx, w.As("zheng"), a.ID, 0); err != nil || a.State != "submitted" {
		t.Fatalf("%+v %v", a, err)
	}
}
