package job

import (
	"context"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestNextSlot(t *testing.T) {
	t.Parallel()
	ms := time.Millisecond
	for _, c := range []struct{ elapsed, want time.Duration }{
		{0, 20 * ms}, {1, 20 * ms}, {20 * ms, 20 * ms}, {20*ms + 1, 40 * ms}, {999 * ms, time.Second}, {time.Second, time.Second},
		{time.Second + 1, 2 * time.Second}, {2*time.Second + 1, 4 * time.Second}, {33 * time.Second, 64 * time.Second},
	} {
		if got := nextSlot(c.elapsed); got != c.want {
			t.Errorf("nextSlot(%v) = %v, want %v", c.elapsed, got, c.want)
		}
	}
}

// A reply never leaves early, and a whole minute has few slots: what a time can tell is bounded.
func TestSlotsAreFew(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "elapsed"))
		if got := nextSlot(d); got < d {
			t.Fatalf("nextSlot(%v) = %v leaves before the work is done", d, got)
		}
	})
	slots := map[time.Duration]bool{}
	for d := time.Duration(0); d <= time.Minute; d += 5 * time.Millisecond {
		slots[nextSlot(d)] = true
	}
	if len(slots) > 56 {
		t.Errorf("%d slots within a minute: more than 5.8 bits", len(slots))
	}
}

func TestFlightGivesTurns(t *testing.T) {
	t.Parallel()
	f := newFlight()
	ctx := t.Context()
	first, err := f.lock(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	other, err := f.lock(ctx, "b")
	if err != nil {
		t.Fatal("another question had to wait")
	}
	other()
	second := make(chan func())
	go func() {
		unlock, err := f.lock(ctx, "a")
		if err != nil {
			t.Error(err)
		}
		second <- unlock
	}()
	gone, cancel := context.WithCancel(ctx)
	cancel()
	for range 64 { // a free turn and an ended context are chosen between by chance
		if _, err := f.lock(gone, "a"); err == nil {
			t.Fatal("two identical questions ran at once")
		}
	}
	select {
	case <-second:
		t.Fatal("two identical questions ran at once")
	default:
	}
	first()
	(<-second)()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.keys) != 0 {
		t.Errorf("%d turns are kept for questions that nobody asks", len(f.keys))
	}
}
