package job

import (
	"context"
	"sync"
)

// flight lets one of several identical questions go first; the others wait and then find its record.
type flight struct {
	mu   *sync.Mutex
	keys map[string]*turn
}

type turn struct {
	free    chan struct{} // holds one token while nobody has the turn
	waiting int
}

func newFlight() flight { return flight{mu: &sync.Mutex{}, keys: map[string]*turn{}} }

// lock waits for the turn of a key; the returned function gives it on.
func (f flight) lock(ctx context.Context, key string) (func(), error) {
	f.mu.Lock()
	t, ok := f.keys[key]
	if !ok {
		t = &turn{free: make(chan struct{}, 1)}
		t.free <- struct{}{}
		f.keys[key] = t
	}
	t.waiting++
	f.mu.Unlock()
	select {
	case <-t.free:
		return func() {
			t.free <- struct{}{}
			f.leave(key, t)
		}, nil
	case <-ctx.Done():
		f.leave(key, t)
		return nil, ctx.Err()
	}
}

func (f flight) leave(key string, t *turn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t.waiting--; t.waiting == 0 {
		delete(f.keys, key)
	}
}
