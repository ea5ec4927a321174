package record_test

import (
	"context"
	"strings"
	"testing"

	"carrel/broker/application/apptest"
	"carrel/broker/problem"
	"carrel/broker/record"
)

// An entry is proved to the person who made it and to those who supervise; for everybody else it does not exist (ATTACKS 32): leaves name
// accounts, grants, costs and times, and numbers are easy to guess.
func TestOthersEntriesDoNotExist(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	w.Granted("li", apptest.Research())
	s, err := record.New(w.Desk, w.Catalogue)
	if err != nil {
		t.Fatal(err)
	}
	own := int64(-1)
	for i, e := range w.Entries() {
		if e.Actor == "li" {
			own = int64(i)
		}
	}
	for account, allowed := range map[string]bool{"li": true, "yan": true, "hu": false, "wang": false} {
		p, err := s.Prove(ctx, w.As(account), own)
		switch {
		case allowed && (err != nil || p == nil || !strings.Contains(p.Leaf, `"li"`)):
			t.Errorf("%s: %v", account, err)
		case !allowed && (p != nil || !problem.Is(err, problem.NotFound)):
			t.Errorf("%s reads an entry of li's: %+v %v", account, p, err)
		}
	}
	if p, err := s.Prove(ctx, w.As("hu"), 1<<40); p != nil || !problem.Is(err, problem.NotFound) {
		t.Errorf("an entry that is not there: %+v %v", p, err)
	}
}
