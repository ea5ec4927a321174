package act

import (
	"context"
	"fmt"

	"carrel/broker/catalogue"
	"carrel/broker/store"
)

// DatasetKind is the kind of a catalogue entry's document in the store.
const DatasetKind = "dataset"

// CatalogueTx lets the catalogue keep its entries as documents of a transaction of the store.
type CatalogueTx struct{ Tx *store.Tx }

var _ catalogue.Tx = CatalogueTx{}

// CatalogueGet reads an entry's document.
func (c CatalogueTx) CatalogueGet(ctx context.Context, id string, into any) (int64, error) {
	rev, err := c.Tx.Get(ctx, DatasetKind, id, into)
	if err != nil {
		return 0, fmt.Errorf("act: dataset: %w", err)
	}
	return rev, nil
}

// CataloguePut writes an entry's document.
func (c CatalogueTx) CataloguePut(ctx context.Context, id string, rev int64, owner string, doc any) error {
	if err := c.Tx.Put(ctx, DatasetKind, id, rev, store.Index{Owner: owner}, doc); err != nil {
		return fmt.Errorf("act: dataset: %w", err)
	}
	return nil
}

// CatalogueList lists the ids of all entries.
func (c CatalogueTx) CatalogueList(ctx context.Context) ([]string, error) {
	docs, err := c.Tx.List(ctx, DatasetKind, store.Filter{Limit: store.ListMax})
	if err != nil {
		return nil, fmt.Errorf("act: datasets: %w", err)
	}
	ids := make([]string, 0, len(docs))
	for _, d := range docs {
		ids = append(ids, d.ID)
	}
	return ids, nil
}
