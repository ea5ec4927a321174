package store

import (
	"errors"
	"path/filepath"
	"testing"

	"carrel/broker/audit"
)

func TestUpdateThenView(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	// A name that needs escaping in the database's address.
	s := openTest(t, filepath.Join(t.TempDir(), "数据 a?b#c%20d"))
	var p *audit.Pending
	err := s.Update(ctx, func(tx *Tx) (err error) {
		if err := tx.Put(ctx, "note", "n-1", 0, Index{Owner: "li"}, map[string]int{"x": 1}); err != nil {
			return err
		}
		p, err = appendEntry(ctx, s, tx, "note/n-1")
		if _, err := p.Receipt(); err == nil {
			t.Error("a receipt before the commit")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Receipt()
	if err != nil || !r.Valid() || r.Index != 0 {
		t.Fatalf("receipt %+v, %v", r, err)
	}
	err = s.View(ctx, func(tx *Tx) error {
		var doc map[string]int
		rev, err := tx.Get(ctx, "note", "n-1", &doc)
		if err != nil || rev != 1 || doc["x"] != 1 {
			t.Errorf("document %v revision %d: %v", doc, rev, err)
		}
		if err := tx.Put(ctx, "note", "n-2", 0, Index{}, 1); !errors.Is(err, ErrReadOnly) {
			t.Errorf("put in a view: %v", err)
		}
		proof, err := s.o.Log.Prove(ctx, tx, 0)
		if err != nil || proof.Size != 1 {
			t.Errorf("proof %+v: %v", proof, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
