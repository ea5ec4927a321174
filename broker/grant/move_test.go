package grant_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"carrel/broker/application/apptest"
	"carrel/broker/grant"
	"carrel/broker/problem"
)

func move(w *apptest.World, who, g string, c grant.Command) error {
	return w.Grants.Move(context.Background(), w.As(who), g, c)
}

// rules of a denial.
func rules(err error) string {
	p := problem.From(context.Background(), nil, err)
	if p.Decision == nil {
		return string(p.Code)
	}
	var out []string
	for _, r := range p.Decision.Reasons {
		out = append(out, r.Rule)
	}
	return strings.Join(out, " ")
}

func state(t *testing.T, w *apptest.World, g string) string {
	t.Helper()
	v, err := w.Grants.Get(context.Background(), w.As("yan"), g)
	ok(t, err)
	return v.State
}

// told says that who may see the grant reads why it rests or has ended.
func told(t *testing.T, w *apptest.World, g, want string, who ...string) {
	t.Helper()
	for _, account := range who {
		if v, err := w.Grants.Get(context.Background(), w.As(account), g); err != nil || v.Reason != want {
			t.Errorf("%s is told %q: %v", account, v.Reason, err)
		}
	}
}

// A suspended grant gives no permit, makes those that are out worthless, and goes on where it was when it is resumed.
func TestSuspension(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	g := w.Granted("li", apptest.Research()).Grant
	_, token, err := w.Grants.IssuePermit(ctx, w.As("li"), g, grant.PermitRequest{})
	ok(t, err)
	left := w.Account(grant.Account(g)).Limit
	ok(t, move(w, "zhou", g, grant.Command{Name: "suspend", Reason: "核查使用情况期间暂停或终止"}))
	if _, _, err := w.Grants.IssuePermit(ctx, w.As("li"), g, grant.PermitRequest{}); rules(err) != "pipl-23/undecided" {
		t.Errorf("a permit of a suspended grant: %s", rules(err))
	}
	if s, err := w.Grants.PermitStatus(ctx, w.As("shi"), token.Reveal()); err != nil || s.Active {
		t.Errorf("%+v %v", s, err)
	}
	told(t, w, g, "核查使用情况期间暂停或终止", "li", "wu", "yan")
	for name, c := range map[string]struct {
		who  string
		c    grant.Command
		want string
	}{
		"revoked without a reason":        {"wu", grant.Command{Name: "revoke", Reason: "  违规  "}, "sichuan-18/words"},
		"twice":                           {"zhou", grant.Command{Name: "suspend", Reason: "核查使用情况期间暂停或终止"}, "sichuan-18/state"},
		"resumed by its lead":             {"li", grant.Command{Name: "resume"}, "sichuan-17/role chongqing-staff/relation"},
		"resumed by another's office":     {"wu", grant.Command{Name: "resume"}, "sichuan-18/own-pause"},
		"decided, though nothing changed": {"zhou", grant.Command{Name: "decide", Choice: "deny", Reason: "没有待决定的目的变更事项"}, "pipl-23/pending"},
		"no such command":                 {"zhou", grant.Command{Name: "explode"}, "state47-safe/named"},
		"seen by nobody":                  {"hu", grant.Command{Name: "resume"}, "not-found"},
	} {
		if err := move(w, c.who, g, c.c); err == nil || !within(rules(err), c.want) {
			t.Errorf("%s: %s, want %s", name, rules(err), c.want)
		}
	}
	ok(t, move(w, "zhou", g, grant.Command{Name: "resume", Reason: "核查完毕"}))
	told(t, w, g, "", "li")
	if s, err := w.Grants.PermitStatus(ctx, w.As("shi"), token.Reveal()); err != nil || !s.Active {
		t.Errorf("after the resumption: %+v %v", s, err)
	}
	if a := w.Account(grant.Account(g)); a.Closed || a.Limit != left {
		t.Errorf("the budget changed: %+v", a)
	}
	ok(t, move(w, "wu", g, grant.Command{Name: "suspend", Reason: "核查使用情况期间暂停或终止"}))
	ok(t, move(w, "wu", g, grant.Command{Name: "resume"}))
}

// within reports whether all of want's words are among got's.
func within(got, want string) bool {
	for _, w := range strings.Fields(want) {
		if !strings.Contains(" "+got+" ", " "+w+" ") {
			return false
		}
	}
	return true
}

// pipl-23: a change of purpose stops the grant, and nobody resumes it past the decision about the change.
func TestChangeOfPurposeSuspends(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	g := w.Granted("li", apptest.Research()).Grant
	text := "改为研究卒中后的再入院及其费用。"
	for who, c := range map[string]grant.Command{
		"wang": {Name: "change", Purpose: "research", Reason: text}, "wu": {Name: "change", Purpose: "research", Reason: text},
		"li": {Name: "change", Purpose: "research", Reason: "短"},
	} {
		if err := move(w, who, g, c); !problem.Is(err, problem.Forbidden) {
			t.Errorf("%s: %v", who, err)
		}
	}
	if err := move(w, "li", g, grant.Command{Name: "change", Purpose: "marketing", Reason: text}); rules(err) != "pipl-23/described" {
		t.Error(rules(err))
	}
	ok(t, move(w, "li", g, grant.Command{Name: "change", Purpose: "research", Reason: text}))
	if state(t, w, g) != grant.StateSuspended {
		t.Fatal("the grant goes on under another purpose")
	}
	for _, who := range []string{"zhou", "wu"} {
		if err := move(w, who, g, grant.Command{Name: "resume"}); !within(rules(err), "pipl-23/decided") {
			t.Errorf("%s resumes past the decision: %s", who, rules(err))
		}
	}
	for _, who := range []string{"zhou", "wu"} { // a new purpose goes the way of an amendment: nobody allows it alone
		if err := move(w, who, g, grant.Command{Name: "decide", Choice: "approve", Reason: "同意按新的目的继续使用"}); !problem.Is(err, problem.Forbidden) {
			t.Errorf("%s allows another purpose: %v", who, err)
		}
	}
	ok(t, move(w, "zhou", g, grant.Command{Name: "decide", Choice: "deny", Reason: "新的用途须另行重新申请"}))
	v, err := w.Grants.Get(context.Background(), w.As("li"), g)
	if err != nil || v.State != grant.StateActive || len(v.Purposes) != 0 || v.Pause != nil {
		t.Fatalf("%+v %v", v, err)
	}
	for _, e := range w.Entries() {
		if e.Kind == "grant.change" && e.Outcome == "allowed" && e.Commit["reason"] == "" {
			t.Error("the new purpose is not committed to")
		}
	}
}

// Of many that give the same command at once, one is obeyed.
func TestSuspensionRaced(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	g := w.Granted("li", apptest.Research()).Grant
	var done sync.WaitGroup
	results := make(chan error, 8)
	for range 8 {
		done.Go(func() {
			results <- move(w, "zhou", g, grant.Command{Name: "suspend", Reason: "核查使用情况期间暂停或终止"})
		})
	}
	done.Wait()
	close(results)
	n := 0
	for err := range results {
		if err == nil {
			n++
		} else if !problem.Is(err, problem.Forbidden) && !problem.Is(err, problem.Conflict) {
			t.Error(err)
		}
	}
	if n != 1 || state(t, w, g) != grant.StateSuspended {
		t.Errorf("%d were obeyed", n)
	}
}
