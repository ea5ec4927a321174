package handover_test

import (
	"context"
	"slices"
	"testing"

	"carrel/broker/application/apptest"
	"carrel/broker/grant"
	"carrel/broker/handover"
	"carrel/broker/problem"
)

// What Steps offers is what Pull and Acknowledge then let through, for everybody and in every state.
func TestStepsAgreeWithWhatIsAllowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 180)
	ctx := context.Background()
	a := w.Granted("zheng", apptest.Quality())
	h, err := w.service.Request(ctx, w.As("feng"), a.Grant, "")
	ok(t, err)
	steps := func(who string, h *handover.Handover) []string {
		t.Helper()
		s, err := w.service.Steps(ctx, w.As(who), h)
		ok(t, err)
		return s
	}
	expect := func(what, who string, want ...string) {
		t.Helper()
		now, err := w.service.Get(ctx, w.As("zheng"), h.ID)
		ok(t, err)
		if got := steps(who, now); !slices.Equal(got, want) {
			t.Errorf("%s, %s: offered %v, not %v", what, who, got, want)
		}
	}
	if got := steps("feng", &handover.Handover{}); got != nil {
		t.Errorf("offered on what was not prepared: %v", got)
	}
	expect("ready", "feng", "pull")
	expect("ready", "zheng", "pull")
	for _, who := range []string{"li", "wu", "yan", "zhou", "shi"} {
		expect("ready", who)
	}
	rc, _, err := w.service.Pull(ctx, w.As("feng"), h.ID)
	ok(t, err)
	ok(t, rc.Close())
	expect("pulled", "zheng", "pull", "acknowledge")
	expect("pulled", "li")
	ok(t, w.Grants.End(ctx, w.As("zhou"), a.Grant, "revoke", "违反协议约定的使用目的"))
	expect("revoked", "zheng")
}

// A suspended grant hands nothing over, neither what is asked for now nor what was made before; what came is still countersigned, and all
// goes on when the grant does.
func TestNothingLeavesWhileSuspended(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 180)
	ctx := context.Background()
	a := w.Granted("zheng", apptest.Quality())
	h, err := w.service.Request(ctx, w.As("feng"), a.Grant, "")
	ok(t, err)
	pull := func() error {
		rc, _, err := w.service.Pull(ctx, w.As("feng"), h.ID)
		if err == nil {
			err = rc.Close()
		}
		return err
	}
	move := func(command string) {
		t.Helper()
		ok(t, w.Grants.Move(ctx, w.As("zhou"), a.Grant, grant.Command{Name: command, Reason: "核查使用情况期间暂停或恢复"}))
	}
	ok(t, pull())
	move("suspend")
	if err := pull(); !problem.Is(err, problem.Forbidden) {
		t.Errorf("pulled under a suspended grant: %v", err)
	}
	if _, err := w.service.Request(ctx, w.As("feng"), a.Grant, ""); !problem.Is(err, problem.Forbidden) {
		t.Errorf("made under a suspended grant: %v", err)
	}
	now, err := w.service.Get(ctx, w.As("zheng"), h.ID)
	ok(t, err)
	if got, err := w.service.Steps(ctx, w.As("zheng"), now); err != nil || !slices.Equal(got, []string{"acknowledge"}) {
		t.Errorf("offered while suspended: %v %v", got, err)
	}
	move("resume")
	ok(t, pull())
}
