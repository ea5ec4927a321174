package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
	"carrel/anonymize/plan"
	"carrel/broker/auth"
	"carrel/broker/catalogue"
	"carrel/broker/grant/act"
	"carrel/broker/store"
	"carrel/policy"
)

// Init makes a data directory: keys, the demo accounts with fresh passwords. It refuses a directory that holds one already. The
// passwords are in what it returns and nowhere else.
func Init(dir string, keyNames ...string) ([]auth.Login, error) {
	accounts := filepath.Join(dir, "keys", "accounts.json")
	if _, err := os.Stat(accounts); err == nil {
		return nil, fmt.Errorf("%s is a data directory already; give an empty one", dir)
	}
	if _, err := deid.InitKeyRing(filepath.Join(dir, "keys"), append([]string{"rekey"}, keyNames...)...); err != nil {
		return nil, err
	}
	return auth.WriteDemo(accounts)
}

// Register puts a dataset into the catalogue, or replaces its entry, and opens its person universe's budget when it is the first.
func (s *Service) Register(ctx context.Context, by auth.Identity, file string, src []byte) (*catalogue.Dataset, error) {
	d, err := s.Catalogue.Parse(file, src)
	if err != nil {
		return nil, err
	}
	step := act.Step{Kind: "dataset.registered", Object: "dataset/" + d.ID, Unit: d.Owner}
	return d, s.Desk.Do(ctx, by, step, func(tx *store.Tx) error {
		ctxTx := act.CatalogueTx{Tx: tx}
		_, rev, err := s.Catalogue.Get(ctx, ctxTx, d.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if errors.Is(err, store.ErrNotFound) {
			rev = 0
		}
		e, err := s.Catalogue.Put(ctx, ctxTx, rev, by.Account, file, src)
		if err != nil {
			return err
		}
		if err := s.Grants.EnsureUniverse(ctx, tx, by, d.Universe, d.Synthetic); err != nil {
			return err
		}
		step.Facts = map[string]string{"entry": e.SHA256}
		_, err = s.Desk.Record(ctx, tx, by, policy.Decision{}, step)
		return err
	})
}

// Publish makes a built extract the current one of its dataset, after every value of it was read: sensitivities hold because values
// lie inside the catalogue's bounds, keys are unique in the person and ranks count. dir is inside the data directory.
func (s *Service) Publish(ctx context.Context, by auth.Identity, dataset, dir string) error {
	m, err := extract.Verify(ctx, dir, s.Sealer)
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(s.c.Data, dir)
	if err != nil || !filepath.IsLocal(rel) {
		return errors.New("publish: the extract does not lie in the data directory")
	}
	step := act.Step{Kind: "extract.published", Object: "dataset/" + dataset, Facts: map[string]string{"extract": m.ID, "dp_scope": m.DPScope, "kind": m.Kind}}
	return s.Desk.Do(ctx, by, step, func(tx *store.Tx) error {
		e, _, err := s.Catalogue.Get(ctx, act.CatalogueTx{Tx: tx}, dataset)
		if err != nil {
			return err
		}
		version := int64(1)
		if e.Current != nil {
			version = e.Current.Version + 1
		}
		if m.Dataset != dataset || m.Universe != e.Dataset.Universe {
			return errors.New("publish: the extract is of another dataset")
		}
		_, err = s.Catalogue.Publish(ctx, act.CatalogueTx{Tx: tx}, dataset, catalogue.Extract{Dir: rel, ManifestID: m.ID, Version: version, Persons: m.Persons, PublishedBy: by.Account})
		if err != nil {
			return err
		}
		_, err = s.Desk.Record(ctx, tx, by, policy.Decision{}, step)
		return err
	})
}

// Build makes an extract of a registered dataset from source tables with the keys of this data directory and publishes it.
func (s *Service) Build(ctx context.Context, by auth.Identity, recipeFile string, recipe []byte, source string, progress func(done, total int64)) (*extract.Manifest, *deid.Report, error) {
	r, err := deid.ParseRecipe(recipeFile, recipe)
	if err != nil {
		return nil, nil, err
	}
	var schema *plan.Schema
	var universe string
	err = s.store.View(ctx, func(tx *store.Tx) error {
		e, _, err := s.Catalogue.Get(ctx, act.CatalogueTx{Tx: tx}, r.Dataset)
		if err != nil {
			return err
		}
		universe = e.Dataset.Universe
		schema, err = e.Dataset.Schema(1) // the register decides how many persons there are
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	ring, err := deid.OpenKeyRing(s.c.path("keys"))
	if err != nil {
		return nil, nil, err
	}
	dir := s.c.path("extracts", r.Dataset, extract.NewID())
	for _, d := range []string{filepath.Dir(dir), s.c.path("registers")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, nil, fmt.Errorf("make the directories of extracts: %w", err)
		}
	}
	m, report, err := deid.Build(ctx, deid.BuildInput{
		Recipe: r, Schema: schema, Universe: universe, SourceDir: source, OutDir: dir, Keys: ring,
		Register: s.c.path("registers", r.Dataset), Sealer: s.Sealer, Progress: progress,
	})
	if err != nil {
		return nil, nil, err
	}
	return m, report, s.Publish(ctx, by, r.Dataset, dir)
}
