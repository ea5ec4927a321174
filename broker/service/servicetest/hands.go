package servicetest

import (
	"context"
	"sync"
	"time"

	"carrel/broker/service"
)

// Hands are a service's clock that a test moves, and with it the hours at which the service looks by itself what is due.
type Hands struct {
	mu    sync.Mutex
	now   time.Time
	rings []chan time.Time
}

// NewHands begin now.
func NewHands() *Hands { return &Hands{now: time.Now()} }

// Put gives a service this clock. Whoever opens it anew puts the clock anew: the loops of before hear nothing any more.
func (h *Hands) Put(c *service.Config) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rings = nil
	c.Now, c.Every = h.Now, h.every
}

// Now is the time.
func (h *Hands) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *Hands) every(time.Duration) <-chan time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	ring := make(chan time.Time)
	h.rings = append(h.rings, ring)
	return ring
}

// Pass lets time go by.
func (h *Hands) Pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// Ring tells every loop of the service that its time has come, and waits until each has done what was due: a loop takes the second ring when it is done
// with the first. Loops come in the order in which the service began them, and begin again, since one may leave work to another.
func (h *Hands) Ring(ctx context.Context) error {
	h.mu.Lock()
	rings, now := append([]chan time.Time{}, h.rings...), h.now
	h.mu.Unlock()
	for range 2 {
		for _, ring := range rings {
			for range 2 {
				select {
				case ring <- now:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
	}
	return nil
}
