package grant_test

import (
	"context"
	"testing"

	"carrel/broker/application/apptest"
	"carrel/broker/grant"
	"carrel/broker/problem"
)

// Who has access to what: the auditor sees all, the owner what is its own, a person her own, a stranger nothing.
func TestWhoHasAccess(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	g := w.Granted("li", apptest.Research()).Grant
	h := w.Granted("zheng", apptest.Quality()).Grant
	n := func(who string, f grant.AccessFilter) int {
		t.Helper()
		list, err := w.Grants.Who(ctx, w.As(who), f)
		ok(t, err)
		return len(list)
	}
	for who, want := range map[string]int{"yan": 4, "wu": 4, "zhou": 4, "li": 2, "wang": 2, "feng": 2, "hu": 0, "fang": 0} {
		if got := n(who, grant.AccessFilter{}); got != want {
			t.Errorf("%s sees %d rights, want %d", who, got, want)
		}
	}
	for _, c := range []struct {
		f    grant.AccessFilter
		want int
	}{{grant.AccessFilter{Person: "wang"}, 1}, {grant.AccessFilter{Institution: "jinhe-qc-centre"}, 2}, {grant.AccessFilter{Dataset: "jinhe"}, 4}, {grant.AccessFilter{Dataset: "jinhe", Person: "hu"}, 0}} {
		if got := n("yan", c.f); got != c.want {
			t.Errorf("%+v: %d, want %d", c.f, got, c.want)
		}
	}
	ok(t, move(w, "wu", g, grant.Command{Name: "suspend", Reason: "核查使用情况期间暂停或终止"}))
	ok(t, move(w, "wu", h, grant.Command{Name: "revoke", Reason: "核查使用情况期间暂停或终止"}))
	list, err := w.Grants.Who(ctx, w.As("yan"), grant.AccessFilter{})
	ok(t, err)
	if len(list) != 2 || list[0].State != grant.StateSuspended || list[0].Post != "lead" {
		t.Errorf("%+v", list)
	}
	if _, err := w.Grants.Who(ctx, w.As("shi"), grant.AccessFilter{}); err != nil && !problem.Is(err, problem.Forbidden) {
		t.Error(err)
	}
}
