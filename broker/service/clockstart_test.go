package service_test

import (
	"strings"
	"testing"
	"time"

	"carrel/broker/audit"
	"carrel/broker/service"
	"carrel/broker/store"
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
