package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
	"carrel/broker/catalogue"
	"carrel/broker/handover"
	"carrel/broker/job"
	"carrel/broker/resident"
	"carrel/policy"
	"carrel/sandbox"
)

// residents makes the registry of residents' wishes, which queries, handovers and builds ask.
func (s *Service) residents(sets *datasets) error {
	ring, err := deid.InitKeyRing(s.c.path("keys"), resident.PersonKey) // what is there stays
	if err != nil {
		return fmt.Errorf("the key of residents: %w", err)
	}
	if s.members, err = handover.NewMembers(s.c.path("packages"), s.Sealer); err != nil {
		return err
	}
	s.Residents, err = resident.New(resident.Config{
		Desk: s.Desk, Keys: ring, Catalogue: s.Catalogue, Extracts: sets, Registers: s.c.path("registers"), Packages: s.members,
	})
	return err
}

// honour ends what guardians authorised for who is of age now, tells receivers of older packages of new objections, and puts extracts on record that were not built again in time.
func (s *Service) honour(ctx context.Context) {
	if err := errors.Join(s.Residents.Lapse(ctx), s.Residents.Sweep(ctx), s.Residents.Retire(ctx)); err != nil && ctx.Err() == nil {
		s.c.Logger.ErrorContext(ctx, "residents' wishes", slog.String("error", err.Error()))
	}
}

// Manifest implements resident.Extracts.
func (d *datasets) Manifest(ctx context.Context, e *catalogue.Entry) (extract.Manifest, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if m, ok := d.manifests[e.Current.ManifestID]; ok {
		return m, nil
	}
	x, err := extract.Open(ctx, d.dir(e.Current.Dir), d.sealer)
	if err != nil {
		return extract.Manifest{}, fmt.Errorf("open extract: %w", err)
	}
	m := x.Manifest()
	if m.ID != e.Current.ManifestID {
		return m, fmt.Errorf("the extract of %s is not the one that was published", e.Dataset.ID)
	}
	d.manifests[m.ID] = m
	return m, nil
}

// Open implements job.Datasets: the current extract, without the rows that residents' wishes leave out now.
func (d *datasets) Open(ctx context.Context, id, purpose string) (*job.Dataset, error) {
	have, err := d.current(ctx, id)
	if err != nil {
		return nil, err
	}
	e, err := d.entry(ctx, id)
	if err != nil {
		return nil, err
	}
	src, ok := have.Source.(source)
	if !ok {
		return nil, errors.New("a dataset that is no extract")
	}
	m := src.x.Manifest()
	if e.Current == nil || e.Current.ManifestID != m.ID {
		return nil, resident.ErrChanged // published anew in between: as with the list, it is prepared again
	}
	who, err := d.persons.Select(ctx, resident.Use{Entry: e, Manifest: m, Kind: policy.UseQuery, Purpose: purpose})
	if err != nil {
		return nil, err
	}
	out := *have
	src.who = sandbox.Choice{Version: who.Version, Persons: who.Persons, Only: who.Only}
	out.Source, out.Exclusions = src, who.Version
	return &out, nil
}
