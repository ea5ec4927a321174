package grant

import (
	"context"
	"fmt"

	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Change gives a grant what an amendment or renewal decided, inside the transaction of its last signature: team, datasets, fields,
// statistics, period, remit, receiver, conditions and the words of the purpose. Its class, lead, institution and budget stay; who is new on the team gets an
// account in the universe.
func (s *Service) Change(ctx context.Context, tx *store.Tx, id auth.Identity, dec policy.Decision, n *Grant) error {
	g, rev, err := Load(ctx, tx, n.ID)
	if err != nil {
		return err
	}
	if g.State != StateActive || g.Universe != n.Universe || g.Lead != n.Lead || !s.desk.Same(g.Institution, n.Institution) {
		return problem.New(problem.Conflict, "要变更的授权在此期间已变更；请重新申请。", "The grant to change is not what it was; apply anew.")
	}
	g.Team, g.Datasets, g.Regions, g.Columns, g.DataOwners = n.Team, n.Datasets, n.Regions, n.Columns, n.DataOwners
	g.Statistics, g.Assessment, g.Remit, g.Receiver = n.Statistics, n.Assessment, n.Remit, n.Receiver
	g.Conditions, g.Obligations = append(g.Conditions, n.Conditions...), append(g.Obligations, n.Obligations...)
	g.Export, g.Clearance, g.Identifiable, g.Lists = n.Export, n.Clearance, n.Identifiable, n.Lists
	g.Purposes = append(g.Purposes, n.Purposes...)
	g.From, g.To = min(g.From, n.From), n.To
	if g.Kind == KindQuery {
		if err := s.accounts(ctx, tx, g); err != nil {
			return err
		}
	}
	if err := tx.Put(ctx, DocKind, g.ID, rev, g.index(), g); err != nil {
		return err
	}
	_, err = s.desk.Record(ctx, tx, id, dec, act.Step{Kind: "grant.changed", Object: "grant/" + g.ID, Grant: g.ID,
		Facts: map[string]string{"application": g.Application, "from": string(g.From), "to": string(g.To)}})
	return err
}

// accounts sees to it that every member of the team has an account in the universe.
func (s *Service) accounts(ctx context.Context, tx *store.Tx, g *Grant) error {
	d, err := s.defaults(ctx)
	if err != nil {
		return err
	}
	root, err := tx.LedgerAccount(ctx, Universe(g.Universe))
	if err != nil {
		return fmt.Errorf("grant: universe: %w", err)
	}
	for _, person := range append([]string{g.Lead}, g.Team...) {
		if err := s.researcher(ctx, tx, root, g.Universe, person, d.Researcher.Epsilon); err != nil {
			return err
		}
	}
	return nil
}
