package application_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/problem"
)

// The whole way of a research application, on the real store and the real rules.
func TestJourney(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	before := w.Account("universe/jinhe")
	a := w.Granted("li", apptest.Research())
	if a.State != "granted" || len(a.Reviews) != 5 || len(a.Signatures) != 2 || a.Version != 1 {
		t.Fatalf("%s, %d reviews, %d signatures, version %d", a.State, len(a.Reviews), len(a.Signatures), a.Version)
	}
	g, err := w.Grants.Get(ctx, w.As("li"), a.Grant)
	if err != nil {
		t.Fatal(err)
	}
	if g.State != "active" || g.Budget == nil || g.Budget.Epsilon < 3.99 || g.Budget.Epsilon > 4 || len(g.Conditions) != 1 {
		t.Fatalf("%+v %+v", g.Grant, g.Budget)
	}
	after := w.Account("universe/jinhe")
	if spent := after.Spent.Units - before.Spent.Units; spent != w.Account(g.Account).Limit.Units || spent <= 0 {
		t.Fatalf("the universe was debited by %d units", spent)
	}
	for _, person := range []string{"li", "wang"} {
		if w.Account("researcher/jinhe/"+person).Limit.Units <= 0 {
			t.Fatalf("%s has no account", person)
		}
	}
	v, err := w.Applications.Show(ctx, w.As("yan"), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	if v.Texts[application.TextTitle] != "卒中救治时间研究" || v.Reviews[0].Findings != "同意" || v.Verdict.Grounds != "符合规定" || len(v.Waits) != 0 {
		t.Fatalf("%+v", v)
	}
	steps := map[string]int{}
	for _, e := range w.Entries() {
		steps[e.Kind]++
		if e.Outcome != "allowed" {
			t.Errorf("%s: %s", e.Kind, e.Outcome)
		}
	}
	for kind, n := range map[string]int{"application.created": 1, "application.submitted": 1, "application.reviewed": 5, "application.decided": 1,
		"agreement.signed": 2, "grant.opened": 1, "grant.viewed": 1, "application.viewed": 1} {
		if steps[kind] != n {
			t.Errorf("%s: %d entries, want %d", kind, steps[kind], n)
		}
	}
}

// The log holds ids and commitments: nothing that a person wrote, and no name.
func TestLogHoldsNoText(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Granted("li", apptest.Research())
	raw, err := json.Marshal(w.Entries())
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"卒中", "同意", "符合规定", "每季度", "李明", "Li Ming"} {
		if strings.Contains(string(raw), text) {
			t.Errorf("the log holds %q", text)
		}
	}
	if !strings.Contains(string(raw), `"commit"`) {
		t.Error("the log holds no commitment")
	}
}

func TestAgreementHasItsClauses(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	for _, c := range []struct {
		lead, second string
		draft        application.Draft
	}{{"li", "wu", apptest.Research()}, {"zheng", "wu", apptest.Quality()}} {
		a := w.Approved(c.lead, c.draft)
		v, err := w.Applications.Agreement(context.Background(), w.As(c.second), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, clause := range []string{"目的", "范围", "方式", "期限", "不得转交", "署名", "删除", "收益分享", "事件报告", "每季度报告一次"} {
			if !strings.Contains(v.Text.ZH, clause) {
				t.Errorf("%s: no %s", c.lead, clause)
			}
		}
		for _, clause := range []string{"Purpose", "Scope", "Method", "Term", "No onward transfer", "Attribution", "Deletion", "Benefit sharing", "Incidents"} {
			if !strings.Contains(v.Text.EN, clause) {
				t.Errorf("%s: no %s", c.lead, clause)
			}
		}
		if strings.Contains(v.Text.EN+v.Text.ZH, "<no value>") {
			t.Error("a hole in the agreement")
		}
	}
}

// ATTACKS 32: somebody else's application by its number. "Not there" and "not for you" are one answer; the refusal is on record.
func TestForeignApplication(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a := w.Approved("li", apptest.Research())
	_, there := w.Applications.Show(ctx, w.As("hu"), a.ID)
	_, absent := w.Applications.Show(ctx, w.As("hu"), "ap-00000000000000000000")
	if !problem.Is(there, problem.NotFound) || !problem.Is(absent, problem.NotFound) || there.Error() != absent.Error() {
		t.Fatalf("%v / %v", there, absent)
	}
	for name, step := range map[string]func() error{
		"edit":     func() error { _, err := w.Applications.Edit(ctx, w.As("hu"), a.ID, 0, apptest.Research()); return err },
		"submit":   func() error { _, err := w.Applications.Submit(ctx, w.As("hu"), a.ID, 0); return err },
		"withdraw": func() error { _, err := w.Applications.Withdraw(ctx, w.As("hu"), a.ID, 0); return err },
		"sign": func() error {
			_, err := w.Applications.Sign(ctx, w.As("hu"), a.ID, 0, "applicant", a.Agreement.Digest)
			return err
		},
		"agreement": func() error { _, err := w.Applications.Agreement(ctx, w.As("hu"), a.ID); return err },
		"decide": func() error {
			_, err := w.Applications.Decide(ctx, w.As("hu"), a.ID, 0, application.DecisionInput{Choice: "deny", Grounds: "申请用途的说明不充分"})
			return err
		},
	} {
		if err := step(); !problem.Is(err, problem.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	refused := 0
	for _, e := range w.Entries() {
		if e.Outcome == "refused" && e.Actor == "hu" && e.Object == "application/"+a.ID {
			refused++
		}
	}
	if refused != 7 {
		t.Errorf("%d refusals on record, want 7", refused)
	}
	list, err := w.Applications.List(ctx, w.As("hu"), application.Search{Limit: 100})
	if err != nil || len(list) != 0 {
		t.Errorf("%v %v", list, err)
	}
}

// ATTACKS 32: separation of duties. Each case is one person doing what another must do.
func TestSeparationOfDuties(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	both := w.As("li")
	both.Roles = append(both.Roles, "reviewer-ethics", "authority", "owner")
	a, err := w.Create(ctx, w.As("li"), apptest.Research())
	if err != nil {
		t.Fatal(err)
	}
	if a, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0); err != nil {
		t.Fatal(err)
	}
	review := func(id string, kind string) error {
		_, err := w.Applications.Review(ctx, w.As(id), a.ID, 0, w.Opinion(kind, "approve"))
		return err
	}
	_, err = w.Applications.Review(ctx, both, a.ID, 0, w.Opinion("ethics", "approve"))
	refused(t, "the applicant reviews his own", err)
	refused(t, "a review of another's kind", review("chen", "confidentiality"))
	_, err = w.Applications.Decide(ctx, w.As("zhou"), a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "符合规定"})
	refused(t, "a decision before the reviews", err)
	if err := review("chen", "ethics"); err != nil {
		t.Fatal(err)
	}
	refused(t, "a second review by one person", review("chen", "ethics"))
	if err := review("mei", "ethics"); err != nil {
		t.Fatal(err)
	}
	for _, r := range [][2]string{{"zhao", "confidentiality"}, {"qian", "security-risk"}, {"sun", "privacy-impact"}} {
		if err := review(r[0], r[1]); err != nil {
			t.Fatal(err)
		}
	}
	_, err = w.Applications.Decide(ctx, both, a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "符合规定"})
	refused(t, "the applicant decides", err)
	reviewer := w.As("chen")
	reviewer.Roles = append(reviewer.Roles, "authority", "owner")
	_, err = w.Applications.Decide(ctx, reviewer, a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "符合规定"})
	refused(t, "a reviewer decides", err)
	if a, err = w.Applications.Decide(ctx, w.As("zhou"), a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "符合规定"}); err != nil {
		t.Fatal(err)
	}
	sign := func(id string, roles ...string) error {
		who := w.As(id)
		who.Roles = append(who.Roles, roles...)
		_, err := w.Applications.Sign(ctx, who, a.ID, 0, "owner", a.Agreement.Digest)
		return err
	}
	refused(t, "the applicant signs for the owner", sign("li", "owner"))
	refused(t, "the authority signs for the owner", sign("zhou", "owner"))
	refused(t, "a reviewer signs for the owner", sign("chen", "owner"))
}

// The director of a quality-control centre signs first.
func TestDirectorSignsFirst(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a := w.Approved("feng", func() application.Draft { d := apptest.Quality(); d.Facts.Team = nil; return d }())
	_, err := w.Applications.Sign(ctx, w.As("wu"), a.ID, 0, "owner", a.Agreement.Digest)
	refused(t, "the owner before the director", err)
	_, err = w.Applications.Sign(ctx, w.As("feng"), a.ID, 0, "applicant", a.Agreement.Digest)
	refused(t, "the staff for the centre", err)
	if _, err := w.Applications.Sign(ctx, w.As("zheng"), a.ID, 0, "applicant", a.Agreement.Digest); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Applications.Sign(ctx, w.As("liang"), a.ID, 0, "host", a.Agreement.Digest); err != nil {
		t.Fatal(err)
	}
	if a, err = w.Applications.Sign(ctx, w.As("wu"), a.ID, 0, "owner", a.Agreement.Digest); err != nil || a.Grant == "" {
		t.Fatalf("%v %v", a, err)
	}
}

func refused(t *testing.T, what string, err error) {
	t.Helper()
	if !problem.Is(err, problem.Forbidden) && !problem.Is(err, problem.NotFound) {
		t.Errorf("%s: %v", what, err)
	}
}
