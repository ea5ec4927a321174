package handover_test

import (
	"context"
	"slices"
	"testing"

	"carrel/anonymize/extract"
	"carrel/broker/application/apptest"
	"carrel/broker/handover"
	"carrel/broker/problem"
	"carrel/broker/store"
)

// Who objected is in no package: she is left out before anybody is counted, and the sealed list of who is in says so. A change of the list
// withdraws what waits, for whomever it was.
func TestWhoObjectedIsInNoPackage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 180)
	ctx := context.Background()
	grant := w.Granted("zheng", apptest.Quality()).Grant
	c := config(w, build(t, w.World, 180, extract.KindHandover))
	s, err := handover.New(w.Desk, c)
	ok(t, err)
	all, err := s.Request(ctx, w.As("zheng"), grant, "")
	ok(t, err)
	_, persons, err := c.Members.Members(all.ID)
	ok(t, err)
	if len(persons) < 20 || !slices.IsSorted(persons) {
		t.Fatalf("%d persons", len(persons))
	}
	out := []uint32{persons[0], persons[7], persons[len(persons)-1]}
	w.who.Persons = out
	less, err := s.Request(ctx, w.As("zheng"), grant, "")
	ok(t, err)
	_, left, err := c.Members.Members(less.ID)
	ok(t, err)
	for _, p := range out {
		if slices.Contains(left, p) {
			t.Errorf("the package has somebody who objected")
		}
	}
	if len(left) != len(persons)-len(out) || less.Package.Rows >= all.Package.Rows {
		t.Errorf("%d persons and %d rows, before %d and %d", len(left), less.Package.Rows, len(persons), all.Package.Rows)
	}
	ok(t, w.Store.Update(ctx, func(tx *store.Tx) error {
		return tx.Put(ctx, "exclusions", "jinhe", 0, store.Index{}, map[string]int64{"number": 1})
	}))
	if _, _, err := s.Pull(ctx, w.As("zheng"), less.ID); !problem.Is(err, problem.Conflict) {
		t.Errorf("a package of before the wish is given out: %v", err)
	}
	if steps, err := s.Steps(ctx, w.As("zheng"), less); err != nil || slices.Contains(steps, "pull") {
		t.Errorf("steps %v, %v", steps, err)
	}
	if _, err := s.Request(ctx, w.As("zheng"), grant, ""); !problem.Is(err, problem.Conflict) {
		t.Errorf("a package cut with an older list becomes ready: %v", err)
	}
}
