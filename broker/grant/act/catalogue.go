package act

import (
	"context"
	"errors"
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

// lineKind is the kind of the short documents that the list is read from: one beside each entry, with a stamp of its newest state.
const lineKind = "dataset-line"

// CataloguePut writes an entry's document, and its line with a new stamp.
func (c CatalogueTx) CataloguePut(ctx context.Context, id string, rev int64, owner string, doc any) error {
	if err := c.Tx.Put(ctx, DatasetKind, id, rev, store.Index{Owner: owner}, doc); err != nil {
		return fmt.Errorf("act: dataset: %w", err)
	}
	var old catalogue.Line
	at, err := c.Tx.Get(ctx, lineKind, id, &old)
	if errors.Is(err, store.ErrNotFound) {
		at, err = 0, nil
	}
	if err == nil {
		err = c.Tx.Put(ctx, lineKind, id, at, store.Index{}, catalogue.Line{ID: id, Stamp: NewID("st")})
	}
	if err != nil {
		return fmt.Errorf("act: dataset: %w", err)
	}
	return nil
}

// CatalogueList lists the lines of all entries.
func (c CatalogueTx) CatalogueList(ctx context.Context) ([]catalogue.Line, error) {
	var lines []catalogue.Line
	for f := (store.Filter{Limit: store.ListMax}); ; f.After = lines[len(lines)-1].ID {
		docs, err := c.Tx.List(ctx, lineKind, f)
		if err != nil {
			return nil, fmt.Errorf("act: datasets: %w", err)
		}
		for _, d := range docs {
			var l catalogue.Line
			if err := d.Decode(&l); err != nil {
				return nil, fmt.Errorf("act: datasets: %w", err)
			}
			lines = append(lines, l)
		}
		if len(docs) < f.Limit {
			return lines, nil
		}
	}
}

// CatalogueLine reads the line of one entry.
func (c CatalogueTx) CatalogueLine(ctx context.Context, id string) (catalogue.Line, error) {
	var l catalogue.Line
	if _, err := c.Tx.Get(ctx, lineKind, id, &l); err != nil {
		return l, fmt.Errorf("act: dataset: %w", err)
	}
	return l, nil
}
