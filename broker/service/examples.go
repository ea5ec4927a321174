package service

import (
	"context"
	"errors"
	"fmt"

	"carrel/broker/auth"
	"carrel/broker/catalogue"
	"carrel/broker/grant"
	"carrel/broker/grant/act"
	"carrel/broker/store"
)

// examples finds the dataset that everybody trains on.
type examples struct{ catalogue *catalogue.Catalogue }

// Example implements grant.Examples.
func (x examples) Example(ctx context.Context, tx *store.Tx, dataset string) (grant.Example, bool, error) {
	e, _, err := x.catalogue.Get(ctx, act.CatalogueTx{Tx: tx}, dataset)
	if errors.Is(err, store.ErrNotFound) {
		return grant.Example{}, false, nil
	}
	if err != nil {
		return grant.Example{}, false, fmt.Errorf("example: %w", err)
	}
	if !e.Dataset.Synthetic {
		return grant.Example{}, false, nil
	}
	out := grant.Example{Owner: e.Dataset.Owner}
	for _, t := range e.Dataset.Tables {
		out.Columns = append(out.Columns, t.Name+".*")
	}
	return out, true, nil
}

// Training is the grant that an account trains with.
func (s *Service) Training(ctx context.Context, id auth.Identity) (string, error) {
	return s.Grants.Training(ctx, id, examples{s.Catalogue})
}
