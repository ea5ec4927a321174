package act_test

import (
	"context"
	"fmt"
	"testing"

	"carrel/broker/application/apptest"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

type thing struct{ ID, Owner string }

func (x *thing) object() policy.Object {
	return policy.Object{Kind: "grant", ID: x.ID, Owner: x.Owner, State: "active"}
}

// What is hers is found behind any number of what is not, in order and not above the limit; who may not list is told so.
func TestShelfShowsWhatPolicyLetsHerRead(t *testing.T) {
	t.Parallel()
	w, ctx := apptest.New(t), context.Background()
	if err := w.Store.Update(ctx, func(tx *store.Tx) error {
		for i := range store.ListMax + 5 {
			x := thing{fmt.Sprintf("g-%d", i), "somebody"}
			if i < 3 {
				x.Owner = "li"
			}
			if err := tx.Put(ctx, "thing", x.ID, 0, store.Index{}, x); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	shelf := act.Shelf[thing]{Kind: "thing", Name: "grant", Object: (*thing).object}
	for limit, want := range map[int]string{2: "[{g-2 li} {g-1 li}]", 9: "[{g-2 li} {g-1 li} {g-0 li}]"} {
		got, err := shelf.List(ctx, w.Desk, w.As("li"), limit)
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("at most %d: %v %v, want %s", limit, got, err, want)
		}
	}
	shelf.Name = "no-such-thing"
	if got, err := shelf.List(ctx, w.Desk, w.As("li"), 9); !problem.Is(err, problem.Forbidden) && !problem.Is(err, problem.Invalid) || got != nil {
		t.Errorf("a list that policy does not know: %v %v", got, err)
	}
}
