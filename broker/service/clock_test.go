package service

import (
	"context"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carrel/broker/problem"
	"carrel/broker/store"
)

// hands are a machine's clock that somebody sets, and its counter, which nobody does.
type hands struct{ wall, counter time.Time }

func (h *hands) passes(d time.Duration) { h.wall, h.counter = h.wall.Add(d), h.counter.Add(d) }

// clock is a steady clock that reads them.
func (h *hands) clock() *steady {
	before := h.counter
	c := newSteady(func() time.Time { return h.wall })
	c.run = func(time.Time, time.Time) time.Duration {
		d := h.counter.Sub(before)
		before = h.counter
		return d
	}
	return c
}

func handsAt() *hands {
	t := time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC)
	return &hands{t, t}
}

// A clock that is set back gains nobody anything: time goes on as if nobody had touched it.
func TestClockDoesNotGoBack(t *testing.T) {
	t.Parallel()
	for _, back := range []time.Duration{time.Second, time.Hour, 30 * 24 * time.Hour, 10 * 365 * 24 * time.Hour} {
		h := handsAt()
		c := h.clock()
		start := c.Now()
		h.passes(time.Minute)
		h.wall = h.wall.Add(-back)
		h.passes(time.Minute)
		if got := c.Now().Sub(start); got != 2*time.Minute {
			t.Errorf("set back by %v: %v passed", back, got)
		}
		if err := c.sure(); err != nil {
			t.Errorf("set back by %v: %v", back, err)
		}
	}
}

// A clock that is a day or more ahead of where it should be is not believed, and what is wrong for a while ends nothing.
func TestClockIsNotBelieved(t *testing.T) {
	t.Parallel()
	h := handsAt()
	c := h.clock()
	start := c.Now()
	h.passes(time.Second)
	h.wall = h.wall.AddDate(10, 0, 0)
	if err := c.sure(); !problem.Is(err, problem.Unavailable) || c.Now().Sub(start) != time.Second {
		t.Errorf("ten years ahead: %v, %v passed", err, c.Now().Sub(start))
	}
	wrote := false
	s := inTime{Store: writer{&wrote}, clock: c}
	if err := s.Update(t.Context(), func(*store.Tx) error { return nil }); !problem.Is(err, problem.Unavailable) || wrote {
		t.Errorf("written at a time that nobody knows: %v %v", err, wrote)
	}
	h.wall = h.wall.AddDate(-10, 0, 0)
	if err := s.Update(t.Context(), func(*store.Tx) error { return nil }); err != nil || !wrote {
		t.Errorf("after it was mended: %v %v", err, wrote)
	}
	h.wall = h.wall.Add(time.Hour)
	if err := c.sure(); err != nil || c.Now().Sub(start) != time.Hour+time.Second {
		t.Errorf("an hour ahead: %v, %v passed", err, c.Now().Sub(start))
	}
}

type writer struct{ wrote *bool }

func (w writer) Update(context.Context, func(*store.Tx) error) error { *w.wrote = true; return nil }
func (w writer) View(context.Context, func(*store.Tx) error) error   { return nil }

// However a clock is set, what it says never falls, and never lags behind what really passed.
func TestClockIsMonotone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := handsAt()
		c := h.clock()
		start, last := c.Now(), c.Now()
		var passed time.Duration
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			d := time.Duration(rapid.Int64Range(0, int64(48*time.Hour)).Draw(t, "passes"))
			h.passes(d)
			passed += d
			if rapid.Bool().Draw(t, "set") {
				h.wall = h.wall.Add(time.Duration(rapid.Int64Range(-int64(1000*time.Hour), int64(1000*time.Hour)).Draw(t, "by")))
			}
			now := c.Now()
			if now.Before(last) || now.Sub(start) < passed {
				t.Fatalf("said %v after %v, %v after the start", now, last, passed)
			}
			last = now
		}
	})
}
