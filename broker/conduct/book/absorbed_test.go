package book_test

import (
	"context"
	"testing"

	"carrel/broker/application/apptest"
	"carrel/broker/conduct/book"
	"carrel/broker/conduct/matter"
	"carrel/broker/store"
	"carrel/policy"
)

// What a merged institution did and owes is on the file of whoever succeeds it.
func TestSuccessorsCarryTheFiles(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	err := w.Store.Update(ctx, func(tx *store.Tx) error {
		m := &matter.Matter{ID: "cr-1", Noun: matter.Credit, Party: "institution/jinhe-university", Sort: "late-report", State: "standing", From: "2026-11-01", Until: "2027-11-01"}
		return matter.Put(ctx, tx, m, 0)
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := book.Open(ctx, w.Store)
	if err != nil {
		t.Fatal(err)
	}
	var last policy.Subject
	d := b.Watch(yes{&last})
	for want, absorbed := range []policy.List[string]{nil, {"jinhe-university"}} {
		s := policy.Subject{Account: "hu", Institution: "other-university", Unit: policy.Unit{Absorbed: absorbed}}
		if _, err := d.Decide(ctx, policy.AccessQuestion{Action: "x", Subject: s}); err != nil || len(last.Credit) != want {
			t.Errorf("after %v: %d entries, want %d, %v", absorbed, len(last.Credit), want, err)
		}
	}
}
