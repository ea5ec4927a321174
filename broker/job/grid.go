package job

import (
	"context"
	"time"
)

// The grid on which replies leave. A reply sent when it is ready tells how long the data took; a reply on the grid tells
// only its slot: log2(slots) bits (PRIVACY, "Times").
const slot = 20 * time.Millisecond

// nextSlot is the smallest time on the grid at or after elapsed: multiples of 20 ms up to a second, then 2 s, 4 s, 8 s, …
func nextSlot(elapsed time.Duration) time.Duration {
	if elapsed <= 0 {
		return slot
	}
	if elapsed <= time.Second {
		if rest := elapsed % slot; rest > 0 {
			return elapsed - rest + slot
		}
		return elapsed
	}
	at := 2 * time.Second
	for at < elapsed {
		at *= 2
	}
	return at
}

// Clock is the time as the service sees it; tests and benches bring their own.
type Clock interface {
	Now() time.Time
	// Wait returns when the clock shows at least t, or with ctx's error.
	Wait(ctx context.Context, t time.Time) error
}

// SystemClock is the machine's clock.
type SystemClock struct{}

// Now is the current time.
func (SystemClock) Now() time.Time { return time.Now() }

// Wait sleeps until t.
func (SystemClock) Wait(ctx context.Context, t time.Time) error {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
