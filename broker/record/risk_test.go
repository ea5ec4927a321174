package record_test

import (
	"context"
	"testing"

	"carrel/broker/application/apptest"
	"carrel/broker/problem"
	"carrel/broker/record"
)

// Risk reports are for those who judge what may be done with a dataset (nhc-assess); each look is in the log, and one without a version says so.
func TestRisks(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	s, err := record.New(w.Desk, w.Catalogue)
	if err != nil {
		t.Fatal(err)
	}
	for _, account := range []string{"chen", "zhou", "wu", "yan"} {
		all, err := s.Risks(ctx, w.As(account), []string{"jinhe", "jinhe", "nowhere"})
		if err != nil || len(all) != 2 || all[0].Dataset != "jinhe" || all[0].Version != 0 {
			t.Errorf("%s: %+v %v", account, all, err)
		}
		entries := w.Entries()
		if e := entries[len(entries)-1]; e.Kind != "version.risks" || e.Actor != account || e.Facts["datasets"] != "jinhe nowhere" {
			t.Errorf("the look of %s is logged as %+v", account, e)
		}
	}
	for _, account := range []string{"li", "zheng", "fang"} {
		if all, err := s.Risks(ctx, w.As(account), []string{"jinhe"}); all != nil || !problem.Is(err, problem.Forbidden) {
			t.Errorf("%s: %+v %v", account, all, err)
		}
	}
}
