package resident_test

import (
	"context"
	"testing"
	"time"

	"carrel/broker/conduct"
	"carrel/broker/problem"
)

// Guard: nobody makes a wish that stands anew, nor changes her mind all day: each change would end packages that wait and have answers paid for again. To
// forbid the use of her own data is taken at any pace.
func TestNobodyFloodsTheLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := context.Background()
	cases, err := conduct.New(conduct.Config{Desk: w.Desk, Book: w.Files, People: w.Directory, Grants: w.Grants, Signer: func() conduct.Signer { return w.Keys.Signer() },
		Units: w.Register, Residents: w.residents})
	must(t, err)
	_, err = w.prove("fang", his)
	must(t, err)
	fang := w.As("fang")
	m, err := cases.Wish(ctx, fang, "object", "jinhe")
	must(t, err)
	before := w.list(t)
	if _, err := cases.Wish(ctx, fang, "object", "jinhe"); !problem.Is(err, problem.Conflict) || w.list(t) != before {
		t.Errorf("the same wish again: %v, list %s after %s", err, w.list(t), before)
	}
	_, err = cases.WishFor(ctx, fang, "object", "jinhe", "2015-05-05") // for another it is another one
	must(t, err)
	taken := 0
	for err = nil; err == nil && taken < 1000; taken++ {
		if _, err = cases.Unwish(ctx, fang, m.ID); err == nil {
			m, err = cases.Wish(ctx, fang, "object", "jinhe")
		}
	}
	if !problem.Is(err, problem.Unavailable) || taken > 40 {
		t.Errorf("she changed her mind %d times: %v", taken, err)
	}
	if _, err := cases.WishFor(ctx, fang, "object", "jinhe", "2016-06-06"); !problem.Is(err, problem.Unavailable) {
		t.Errorf("another wish for a child: %v", err)
	}
	if _, err := cases.Wish(ctx, fang, "object", ""); err != nil {
		t.Errorf("an objection of her own: %v", err)
	}
	w.Clock.Add(time.Hour)
	if _, err := cases.Unwish(ctx, fang, m.ID); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}
