package act_test

import (
	"context"
	"testing"

	"carrel/broker/application/apptest"
	"carrel/broker/auth"
	"carrel/broker/problem"
)

// A route that policy does not name or not allow is refused; the refusal of somebody known is on record, the public's is not.
func TestEnter(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	before := len(w.Entries())
	for _, c := range []struct {
		who   string
		route string
		ok    bool
		more  int // entries
	}{
		{"li", "GET /inbox", true, 0}, {"", "GET /", true, 0}, {"", "GET /inbox", false, 0}, {"li", "GET /audit", false, 1}, {"yan", "GET /audit", true, 0}, {"yan", "GET /none", false, 1},
	} {
		id := auth.Identity{}
		if c.who != "" {
			id = w.As(c.who)
		}
		err := w.Desk.Enter(ctx, id, c.route)
		if (err == nil) != c.ok || err != nil && !problem.Is(err, problem.Forbidden) {
			t.Errorf("%q to %s: %v", c.who, c.route, err)
		}
		entries := w.Entries()
		if len(entries)-before != c.more {
			t.Errorf("%q to %s: %d entries", c.who, c.route, len(entries)-before)
		}
		if last := entries[len(entries)-1]; c.more > 0 && (last.Kind != "route.refused" || last.Actor != c.who || last.Outcome != "refused") {
			t.Errorf("on record is %+v", last)
		}
		before = len(entries)
	}
}
