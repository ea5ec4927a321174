package record

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"carrel/broker/auth"
	"carrel/broker/catalogue"
	"carrel/broker/grant/act"
	"carrel/broker/store"
	"carrel/policy"
)

// Assessed is the risk report of a dataset's current version; the version is 0 when there is none.
type Assessed struct {
	Dataset string         `json:"dataset"`
	Version int64          `json:"version"`
	Report  catalogue.Risk `json:"report"`
}

// Risks shows the risk reports of datasets to those who judge what may be done with them (nhc-assess), and puts the look on record.
func (s *Service) Risks(ctx context.Context, id auth.Identity, datasets []string) ([]Assessed, error) {
	datasets = slices.Compact(slices.Sorted(slices.Values(datasets)))
	out := make([]Assessed, 0, len(datasets))
	step := act.Step{Kind: "version.risks", Object: "dataset", Facts: map[string]string{"datasets": strings.Join(datasets, " ")}}
	err := s.desk.Browse(ctx, id, step, func(tx *store.Tx) (policy.Decision, error) {
		dec, err := s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "catalogue.risk"})
		if err != nil {
			return dec, err
		}
		for _, name := range datasets {
			a := Assessed{Dataset: name}
			e, _, err := s.catalogue.Get(ctx, act.CatalogueTx{Tx: tx}, name)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return dec, fmt.Errorf("record: risk: %w", err)
			}
			if err == nil && e.Current != nil {
				a.Version, a.Report = e.Current.Version, e.Current.Risk
			}
			out = append(out, a)
		}
		return dec, nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
