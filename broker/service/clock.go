package service

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"carrel/broker/audit"
	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// leap is how far the machine's clock may be off from where it should be before a person has to look.
const leap = 24 * time.Hour

// steady is the service's clock. It never goes back: while the machine's clock is behind, it goes on at the pace of the machine's
// counter, so that what expired stays expired and the log's times never fall. When the machine's clock is a day or more ahead of that
// counter it is not believed, and nothing is done until it is back or the service was started anew: what a wrong date ends (grants,
// sanctions, meetings), the right one would not bring back.
type steady struct {
	read func() time.Time
	run  func(from, to time.Time) time.Duration // by the machine's counter, which nobody sets

	mu    sync.Mutex
	last  time.Time // what was said
	seen  time.Time // what was read
	leapt bool
}

func newSteady(read func() time.Time) *steady {
	return &steady{read: read, run: func(from, to time.Time) time.Duration { return to.Sub(from) }}
}

// Now is the time.
func (c *steady) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.read()
	if c.seen.IsZero() {
		c.seen = t
		if c.last.Before(t) {
			c.last = t
		}
		return c.last
	}
	if run := c.run(c.seen, t); run > 0 {
		c.last, c.seen = c.last.Add(run), t
	}
	wall := t.Round(0)
	if c.leapt = wall.Sub(c.last.Round(0)) >= leap; !c.leapt && wall.After(c.last.Round(0)) {
		c.last = t
	}
	return c.last
}

// notBefore lets the clock begin at t if it is behind it.
func (c *steady) notBefore(t time.Time) {
	now := c.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Before(t) {
		c.last = t
	}
}

// sure says why the time is not known.
func (c *steady) sure() error {
	c.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leapt {
		return problem.New(problem.Unavailable, "服务器的时钟突然前跳一天以上，未作任何更改；请管理员核对时间，确认无误后重新启动服务。",
			"The server's clock jumped ahead by a day or more and nothing was changed; the administrator checks the time and starts the service anew when it is right.")
	}
	return nil
}

// inTime is the store of the use cases: nothing is written while the time is not known, and nothing is done that is not written.
type inTime struct {
	act.Store
	clock *steady
}

// Update implements act.Store.
func (s inTime) Update(ctx context.Context, fn func(tx *store.Tx) error) error {
	if err := s.clock.sure(); err != nil {
		return err
	}
	return s.Store.Update(ctx, fn)
}

// wound sets the clock by the log: it begins where the newest entry was written at the earliest. A machine whose clock is a day or more
// behind that does not start but when a person says so, and then the log says it too.
func (s *Service) wound(ctx context.Context) error {
	var last time.Time
	if err := s.store.View(ctx, func(tx *store.Tx) error {
		n, err := tx.LogSize(ctx)
		if err != nil || n == 0 {
			return err
		}
		leaf, err := tx.LogLeaf(ctx, n-1)
		if err != nil {
			return err
		}
		e, err := audit.ParseLeaf(leaf)
		last = e.At
		return err
	}); err != nil {
		return fmt.Errorf("read the time of the log's newest entry: %w", err)
	}
	if last.Sub(s.clock.Now()) < leap {
		s.clock.notBefore(last)
		return nil
	}
	if !s.c.AllowEarlierClock {
		return errors.New("the machine's clock is a day or more behind the newest entry of the log; set it, or start once with --allow-earlier-clock if the log's time was the wrong one")
	}
	return s.store.Update(ctx, func(tx *store.Tx) error {
		_, err := s.Desk.Record(ctx, tx, auth.Identity{}, policy.Decision{}, act.Step{Kind: "clock.set-back", Object: "clock",
			Facts: map[string]string{"from": last.UTC().Format(time.RFC3339)}})
		return err
	})
}
