package grant_test

import (
	"context"
	"slices"
	"testing"

	"carrel/broker/application/apptest"
	"carrel/broker/grant"
	"carrel/broker/store"
)

// The rules of the region that the data are of speak at every use of a grant, so the grant knows it.
func TestGrantKnowsTheRegionsOfItsData(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	a := w.Granted("li", apptest.Research())
	g := new(grant.Grant)
	err := w.Store.View(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Get(context.Background(), grant.DocKind, a.Grant, g)
		return err
	})
	if err != nil || len(g.Regions) != 1 || !slices.Equal(g.Question().Regions, g.Regions) {
		t.Errorf("regions %v, as rules read them %v, %v", g.Regions, g.Question().Regions, err)
	}
}
