package handover_test

import (
	"context"
	"path/filepath"
	"testing"

	"carrel/broker/application/apptest"
	"carrel/broker/grant"
	"carrel/broker/handover/parcel"
	"carrel/broker/store"
	"carrel/policy"
)

// Guard: what identifies persons is cut with the rows of those whom the rules about identifiable records let in: the grant says so to them.
func TestIdentifiableRowsAreChosen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 180)
	ctx := context.Background()
	a := w.Granted("zheng", apptest.Quality())
	_, err := w.service.Request(ctx, w.As("feng"), a.Grant, "")
	ok(t, err)
	if w.who.asked.Identifiable {
		t.Error("records that identify nobody are asked for as such")
	}
	ok(t, w.Store.Update(ctx, func(tx *store.Tx) error {
		g, rev, err := grant.Load(ctx, tx, a.Grant)
		if err != nil {
			return err
		}
		g.Identifiable = true
		return tx.Put(ctx, grant.DocKind, g.ID, rev, store.Index{Owner: g.Lead, State: g.State, Parent: g.Application}, g)
	}))
	w.who.Only, w.who.Persons = true, nil
	for i := range uint32(60) {
		w.who.Persons = append(w.who.Persons, i)
	}
	h, err := w.service.Request(ctx, w.As("feng"), a.Grant, "")
	ok(t, err)
	if !w.who.asked.Identifiable || w.who.asked.Kind != policy.UseHandover || w.who.asked.Purpose != "quality-control" {
		t.Errorf("asked %+v", w.who.asked)
	}
	want := int64(0)
	for i := range 60 {
		if inRemit(i) {
			want++
		}
	}
	rc, _, err := w.service.Pull(ctx, w.As("zheng"), h.ID)
	ok(t, err)
	report, err := parcel.Open(rc, w.Keys.Public, w.Receiver, w.Clock.Now(), filepath.Join(t.TempDir(), "out"))
	ok(t, err)
	ok(t, rc.Close())
	if report.Manifest.Scope[0].Rows != want {
		t.Errorf("%d rows leave, of those who authorised there are %d", report.Manifest.Scope[0].Rows, want)
	}
}
