package supervise_test

import (
	"context"
	"strings"
	"testing"

	"carrel/broker/application/apptest"
	"carrel/broker/problem"
	"carrel/policy"
)

// Guard: who supervises or audits reads everything and changes nothing: every route that is no reading is closed to both, but those
// that are open to everybody.
func TestReadersChangeNothing(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	var routes map[string]string
	ok(t, w.Desk.Policy.Data(ctx, "carrel/routes", &routes))
	var actions map[string]struct {
		Public bool `json:"public"`
	}
	ok(t, w.Desk.Policy.Data(ctx, "carrel/actions", &actions))
	tried := 0
	for route, action := range routes {
		if strings.HasPrefix(route, "GET ") || actions[action].Public {
			continue
		}
		tried++
		for _, who := range []string{"yan", "sheng"} {
			dec, err := w.Desk.Ask(ctx, policy.RouteQuestion{At: w.Desk.Moment(), Subject: w.As(who).Subject(), Route: route})
			if !problem.Is(err, problem.Forbidden) || dec.Allow {
				t.Errorf("%s may %s", who, route)
			}
		}
	}
	if tried < 40 {
		t.Errorf("only %d routes change anything", tried)
	}
}
