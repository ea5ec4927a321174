package handover

import (
	"context"
	"fmt"

	"carrel/broker/auth"
	"carrel/broker/grant"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Steps says which of the steps on a prepared handover ("pull", "acknowledge") this person may take now, as policy answers to
// the very questions that Pull and Acknowledge ask. Nothing is put on record: it shows nothing but what h already holds.
func (s *Service) Steps(ctx context.Context, id auth.Identity, h *Handover) ([]string, error) {
	if h.Package == nil {
		return nil, nil
	}
	var out []string
	err := s.desk.Store.View(ctx, func(tx *store.Tx) error {
		g, _, err := grant.Load(ctx, tx, h.Grant)
		if err != nil {
			return err
		}
		for _, name := range []string{"pull", "acknowledge"} {
			ok, err := s.allows(ctx, tx, id, name, h, g)
			if err != nil {
				return err
			}
			if ok {
				out = append(out, name)
			}
		}
		return nil
	})
	return out, err
}

func (s *Service) allows(ctx context.Context, tx *store.Tx, id auth.Identity, name string, h *Handover, g *grant.Grant) (bool, error) {
	dec, err := s.desk.Policy.Decide(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "handover." + name, Object: h.Object()})
	if err != nil {
		return false, fmt.Errorf("handover: ask policy: %w", err)
	}
	if !dec.Allow {
		return false, nil
	}
	if name == "pull" {
		if err := s.current(ctx, tx, h.Dataset, h.Package.Exclusions); problem.Is(err, problem.Conflict) {
			return false, nil
		} else if err != nil {
			return false, err
		}
	}
	q, err := s.question(ctx, tx, id, name, h, g)
	if err != nil {
		return false, err
	}
	_, _, err = s.ask(ctx, q)
	if problem.Is(err, problem.Forbidden) {
		return false, nil
	}
	return err == nil, err
}
