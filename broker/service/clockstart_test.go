package service_test

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"carrel/broker/audit"
	"carrel/broker/auth"
	boards "carrel/broker/board"
	"carrel/broker/grant"
	"carrel/broker/service"
	"carrel/broker/service/servicetest"
	"carrel/broker/store"
	"carrel/policy"
)

// newest is the log's newest entry.
func newest(t *testing.T, s *service.Service) audit.Entry {
	t.Helper()
	var e audit.Entry
	if err := s.Store().View(t.Context(), func(tx *store.Tx) error {
		n, err := tx.LogSize(t.Context())
		if err != nil {
			return err
		}
		leaf, err := tx.LogLeaf(t.Context(), n-1)
		if err == nil {
			e, err = audit.ParseLeaf(leaf)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return e
}

// Guard: a service whose machine's clock was set back does not start at a time before its log: not a little, where it begins with the
// log's time, and not a day, where a person has to say so and the log keeps it.
func TestClockBehindTheLog(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	last := newest(t, c.Service).At
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	start := func(behind time.Duration, allowed bool) (*service.Service, error) {
		conf := c.Config
		conf.Now, conf.AllowEarlierClock = func() time.Time { return time.Now().Add(-behind) }, allowed
		return service.Open(t.Context(), conf)
	}
	s, err := start(time.Since(last)+time.Hour, false)
	if err != nil {
		t.Fatal(err)
	}
	if now := s.Desk.Now(); now.Before(last) {
		t.Errorf("an hour behind its log it began at %v, and the log ends at %v", now, last)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = start(time.Since(last)+48*time.Hour, false); err == nil || !strings.Contains(err.Error(), "--allow-earlier-clock") {
		t.Fatalf("two days behind its log it started: %v", err)
	}
	_ = s
	if s, err = start(time.Since(last)+48*time.Hour, true); err != nil {
		t.Fatal(err)
	}
	if e := newest(t, s); e.Kind != "clock.set-back" || e.Facts["from"] == "" {
		t.Errorf("the log does not say that the clock was set back: %+v", e)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// Guard: setting the clock on and back again gains nobody anything: a permit that expired, a deputy's term that ended and a session stay
// over, and there is no second budget to train with.
func TestClockSetBackGainsNothing(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	c := moulds.City(t, func(c *service.Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	ctx := t.Context()
	li, zhou := c.Who(t, "li"), c.Who(t, "zhou")
	session, err := c.Issuer.Login(ctx, "li", auth.Secret(c.Passwords["li"]))
	servicetest.Must(t, err)
	_, permit, err := c.Grants.IssuePermit(ctx, li, c.Grant, grant.PermitRequest{})
	servicetest.Must(t, err)
	today := policy.DateOf(time.Now())
	_, err = c.Boards.NameDeputy(ctx, zhou, boards.DeputyInput{Deputy: "he", Role: "authority", From: today, Until: today})
	servicetest.Must(t, err)
	over := func(when string) {
		t.Helper()
		if _, err := c.Issuer.Verify(ctx, session.Token.Reveal()); err == nil {
			t.Errorf("%s: the session is good", when)
		}
		if s, err := c.Grants.PermitStatus(ctx, li, permit.Reveal()); err != nil || s.Active {
			t.Errorf("%s: the permit is good: %+v %v", when, s, err)
		}
		if slices.Contains(c.Who(t, "he").Roles, "authority") {
			t.Errorf("%s: the deputy has the post", when)
		}
	}
	if !slices.Contains(c.Who(t, "he").Roles, "authority") {
		t.Fatal("no deputy to begin with")
	}
	ahead.Store(int64(8 * 24 * time.Hour))
	over("a week later")
	next, err := c.Training(ctx, li)
	servicetest.Must(t, err)
	ahead.Store(0)
	over("set back")
	if again, err := c.Training(ctx, li); err != nil || again != next {
		t.Errorf("set back, she trains with %s and not with %s: %v", again, next, err)
	}
}
