package application_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/problem"
	"carrel/policy"
)

func TestDoubleSubmitIsAConflict(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a, err := w.Create(ctx, w.As("li"), apptest.Research())
	if err != nil {
		t.Fatal(err)
	}
	v, err := w.Applications.Show(ctx, w.As("li"), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	if v.Check == nil || !v.Check.Allow {
		t.Fatalf("policy on the draft: %+v", v.Check)
	}
	if _, err := w.Applications.Submit(ctx, w.As("li"), a.ID, v.Revision); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Applications.Submit(ctx, w.As("li"), a.ID, v.Revision); !problem.Is(err, problem.Conflict) {
		t.Fatalf("the second submission of what was seen: %v", err)
	}
	_, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0)
	refused(t, "the second submission", err)
	if _, err := w.Applications.Edit(ctx, w.As("li"), a.ID, 0, apptest.Research()); !problem.Is(err, problem.Conflict) {
		t.Fatalf("an edit after the submission: %v", err)
	}
}

// Policy's denial of an incomplete application is cited, on record, and leaves a draft.
func TestIncompleteIsRefusedWithReasons(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	for name, cut := range map[string]func(*application.Draft){
		"no purpose":         func(d *application.Draft) { delete(d.Texts, application.TextReason) },
		"no ethics":          func(d *application.Draft) { d.Facts.Ethics.Document = "" },
		"no dataset":         func(d *application.Draft) { d.Facts.Wishes = nil },
		"an unknown dataset": func(d *application.Draft) { d.Facts.Wishes[0].Dataset = "nowhere" },
		"cross-border":       func(d *application.Draft) { d.Facts.CrossBorder = true },
		"identifiable":       func(d *application.Draft) { d.Facts.Identifiable = true },
		"too much budget":    func(d *application.Draft) { d.Facts.Epsilon = 100 },
	} {
		d := apptest.Research()
		cut(&d)
		a, err := w.Create(ctx, w.As("li"), d)
		if err != nil {
			t.Fatal(name, err)
		}
		_, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0)
		var p *problem.Error
		if !errors.As(err, &p) || p.Decision == nil || len(p.Decision.Reasons) == 0 || p.Decision.Reasons[0].Article == "" {
			t.Errorf("%s: %v", name, err)
		}
		v, err := w.Applications.Show(ctx, w.As("li"), a.ID)
		if err != nil || v.State != "draft" || v.Version != 0 {
			t.Errorf("%s: %v %v", name, v.State, err)
		}
	}
}

func TestMalformedDrafts(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	for name, c := range map[string]struct {
		change func(*application.Draft)
		code   problem.Code
	}{
		"unknown member": {func(d *application.Draft) { d.Facts.Team = policy.List[string]{"nobody"} }, problem.Invalid},
		"unknown text":   {func(d *application.Draft) { d.Texts["x"] = "y" }, problem.Invalid},
		"huge text":      {func(d *application.Draft) { d.Texts["title"] = strings.Repeat("x", 1<<20) }, problem.TooLarge},
		"not UTF-8":      {func(d *application.Draft) { d.Texts["title"] = "\xff" }, problem.TooLarge},
		"many datasets":  {func(d *application.Draft) { d.Facts.Wishes = make([]policy.Wish, 1000) }, problem.TooLarge},
	} {
		d := apptest.Research()
		c.change(&d)
		if _, err := w.Create(context.Background(), w.As("li"), d); !problem.Is(err, c.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What only the service knows cannot be declared.
	d := apptest.Research()
	d.Facts.Lead, d.Facts.Reason, d.Facts.Receiver.Key, d.Facts.Receiver.Institution = "wang", 1000, true, "elsewhere"
	delete(d.Texts, application.TextReason)
	a, err := w.Create(context.Background(), w.As("li"), d)
	if err != nil {
		t.Fatal(err)
	}
	if a.Facts.Lead != "li" || a.Facts.Reason != 0 || a.Facts.Receiver.Institution != "jinhe-university" {
		t.Fatalf("%+v", a.Facts)
	}
}

// A returned application is edited, submitted and reviewed again; the reviews of the old version do not count.
func TestReturn(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a := w.Reviewed("li", apptest.Research())
	a, err := w.Applications.Decide(ctx, w.As("zhou"), a.ID, 0, application.DecisionInput{Choice: "return", Grounds: "请补充统计分析方法后再提交"})
	if err != nil || a.State != "draft" || len(a.Reviews) != 0 {
		t.Fatalf("%+v %v", a, err)
	}
	if _, err = w.Applications.Edit(ctx, w.As("wang"), a.ID, 0, apptest.Research()); err != nil {
		t.Fatal(err)
	}
	if a, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0); err != nil || a.Version != 2 || a.Verdict != nil {
		t.Fatalf("%+v %v", a, err)
	}
	_, err = w.Applications.Decide(ctx, w.As("zhou"), a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "符合规定"})
	refused(t, "approval on old reviews", err)
}

// The authority's own terms go through the same rules.
func TestTermsOfTheAuthorityAreChecked(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a := w.Reviewed("li", apptest.Research())
	_, err := w.Applications.Decide(ctx, w.As("zhou"), a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "符合规定", Epsilon: 100})
	refused(t, "a budget above the limit", err)
	a, err = w.Applications.Decide(ctx, w.As("zhou"), a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "符合规定", Epsilon: 2, To: "2027-06-30"})
	if err != nil || a.Facts.Epsilon != 2 || a.Facts.To != "2027-06-30" {
		t.Fatalf("%+v %v", a, err)
	}
}

func TestSignNamesTheText(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	a := w.Approved("li", apptest.Research())
	for _, digest := range []string{"", "sha256:00"} {
		if _, err := w.Applications.Sign(context.Background(), w.As("li"), a.ID, 0, "applicant", digest); !problem.Is(err, problem.Conflict) {
			t.Errorf("%q: %v", digest, err)
		}
	}
}

// Many at once: each step happens once, one grant comes into being, and its budget is debited once.
func TestRaces(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a := w.Reviewed("li", apptest.Research())
	once(t, "decide", 8, func() error {
		_, err := w.Applications.Decide(ctx, w.As("zhou"), a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "符合规定"})
		return err
	})
	v, err := w.Applications.Agreement(ctx, w.As("li"), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	before := w.Account("universe/jinhe").Spent.Units
	var wg sync.WaitGroup
	for _, s := range [][2]string{{"li", "applicant"}, {"wu", "owner"}} {
		wg.Go(func() {
			once(t, "sign "+s[1], 8, func() error {
				_, err := w.Applications.Sign(ctx, w.As(s[0]), a.ID, 0, s[1], v.Digest)
				return err
			})
		})
	}
	wg.Wait()
	grants, err := w.Grants.List(ctx, w.As("li"), 10)
	if err != nil || len(grants) != 1 {
		t.Fatalf("%d grants, %v", len(grants), err)
	}
	if got := w.Account("universe/jinhe").Spent.Units - before; got != w.Account(grants[0].Account).Limit.Units {
		t.Fatalf("debited %d", got)
	}
}

func once(t *testing.T, what string, n int, f func() error) {
	t.Helper()
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = f() })
	}
	wg.Wait()
	done := 0
	for _, err := range errs {
		switch {
		case err == nil:
			done++
		case !problem.Is(err, problem.Conflict) && !problem.Is(err, problem.Forbidden):
			t.Errorf("%s: %v", what, err)
		}
	}
	if done != 1 {
		t.Errorf("%s happened %d times", what, done)
	}
}

// Each person sees what waits for him, and nothing else.
func TestInbox(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	inbox := func(id string) int {
		items, err := w.Applications.List(ctx, w.As(id), application.Search{Inbox: true})
		if err != nil {
			t.Fatal(id, err)
		}
		return len(items)
	}
	a, err := w.Create(ctx, w.As("li"), apptest.Research())
	if err != nil {
		t.Fatal(err)
	}
	if inbox("li") != 1 || inbox("chen") != 0 || inbox("zhou") != 0 {
		t.Error("a draft waits for its author alone")
	}
	if a, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0); err != nil {
		t.Fatal(err)
	}
	if inbox("li") != 0 || inbox("chen") != 1 || inbox("sun") != 1 || inbox("zhou") != 0 || inbox("wu") != 0 {
		t.Error("a submission waits for its reviewers alone")
	}
	v, err := w.Applications.Show(ctx, w.As("chen"), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Waits) != 4 || len(v.Commands) != 5 || v.Findings == nil || len(v.Findings.Decision.Reasons) == 0 {
		t.Errorf("waits %+v commands %+v", v.Waits, v.Commands)
	}
	for _, kind := range a.Needed {
		w.Voted(a.ID, kind)
	}
	if inbox("zhou") != 1 || inbox("chen") != 0 {
		t.Error("a reviewed one waits for the authority alone")
	}
	if _, err = w.Applications.Decide(ctx, w.As("zhou"), a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "符合规定"}); err != nil {
		t.Fatal(err)
	}
	if inbox("li") != 1 || inbox("wu") != 1 || inbox("zhou") != 0 {
		t.Error("an approved one waits for both sides")
	}
	if _, err := w.Applications.List(ctx, w.As("shi"), application.Search{Inbox: true}); !problem.Is(err, problem.Forbidden) {
		t.Errorf("the system administrator reads applications: %v", err)
	}
}

// If policy cannot be asked, nothing happens.
func TestPolicyThatFailsStopsEverything(t *testing.T) {
	t.Parallel()
	good := apptest.New(t)
	a, err := good.Create(context.Background(), good.As("li"), apptest.Research())
	if err != nil {
		t.Fatal(err)
	}
	desk := good.Desk
	desk.Policy = broken{}
	s, err := application.New(desk, good.Catalogue, good.Directory, good.Grants, good.Receivers)
	if err != nil {
		t.Fatal(err)
	}
	n := len(good.Entries())
	if _, err := s.Submit(context.Background(), good.As("li"), a.ID, 0); err == nil {
		t.Fatal("submitted without policy")
	}
	if _, err := s.Show(context.Background(), good.As("li"), a.ID); err == nil {
		t.Fatal("shown without policy")
	}
	if len(good.Entries()) != n {
		t.Fatal("something happened")
	}
}

type broken struct{}

func (broken) Decide(context.Context, policy.Question) (policy.Decision, error) {
	return policy.Decision{Allow: true}, errors.New("the rules are gone")
}

func (broken) Scope(context.Context, policy.ScopeQuestion) (policy.Scope, error) {
	return policy.Scope{All: true}, errors.New("the rules are gone")
}

func (broken) Data(context.Context, string, any) error { return errors.New("the rules are gone") }
