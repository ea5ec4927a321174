package rulebook

import (
	"context"
	"errors"
	"fmt"

	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
	"carrel/policy/opa"
)

// Activate makes proposed rules decide, or former ones again. It takes another person than who proposed or recalled them.
func (s *Service) Activate(ctx context.Context, id auth.Identity, number string) (Proposal, error) {
	if !s.mu.TryLock() {
		return Proposal{}, busy()
	}
	defer s.mu.Unlock()
	step := act.Step{Kind: "rules.activate", Object: object(number)}
	name, err := s.howTo(ctx, number)
	if err != nil {
		return Proposal{}, err
	}
	_, b, err := s.proposal(ctx, id, step, name, number)
	if err != nil {
		return Proposal{}, err
	}
	fresh, err := s.decider(b, s.c.Options...)
	if err != nil {
		return Proposal{}, err
	}
	var p Proposal
	err = s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		p, err = s.exchange(ctx, tx, id, name, number, fresh.Bundle())
		return err
	})
	if err != nil {
		return Proposal{}, err
	}
	// The store says which rules decide from now on; a service that stops here starts with them.
	s.c.Live.Activate(fresh)
	return p, nil
}

// howTo names the act: former rules are restored, all others activated, if policy lets them.
func (s *Service) howTo(ctx context.Context, number string) (string, error) {
	name := "rules.activate"
	err := s.desk.Store.View(ctx, func(tx *store.Tx) error {
		p, _, err := s.load(ctx, tx, number)
		if p.State == former {
			name = "rules.restore"
		}
		return err
	})
	return name, act.Problem(err)
}

// decider makes rules ready to be asked: those of the bundle, or without one those that are built in.
func (s *Service) decider(b *opa.Bundle, options ...opa.Option) (*opa.Decider, error) {
	var d *opa.Decider
	var err error
	if b == nil {
		d, err = opa.New(s.c.BuiltIn, options...)
	} else {
		d, err = b.Decider(options...)
	}
	if err != nil {
		return nil, fmt.Errorf("rulebook: %w", err)
	}
	return d, nil
}

// exchange writes down which rules decide and which did, with one entry that names both.
func (s *Service) exchange(ctx context.Context, tx *store.Tx, id auth.Identity, name, number, hash string) (Proposal, error) {
	p, rev, err := s.load(ctx, tx, number)
	if err != nil {
		return p, err
	}
	if p.Bundle != hash && number != BuiltIn {
		return p, problem.New(problem.Unverified, "规则包与提出时不同。", "The bundle is not the one that was proposed.")
	}
	p.Bundle = hash // a newer program has other built-in rules
	dec, err := s.ask(ctx, id, name, p)
	if err != nil {
		return p, err
	}
	old, oldRev, err := s.deciding(ctx, tx)
	if err != nil {
		return p, err
	}
	old.State, old.Compared, old.Recaller = former, "", nil // who wants them back compares them anew
	if err := put(ctx, tx, old, oldRev); err != nil {
		return p, err
	}
	if to, ok := dec.State(); ok {
		p.State = to
	}
	return p, s.record(ctx, tx, id, dec, &p, rev, "rules.activated")
}

// deciding is the proposal that decides now; before the first exchange the built-in rules do, and nobody proposed them.
func (s *Service) deciding(ctx context.Context, tx *store.Tx) (Proposal, int64, error) {
	list, err := tx.List(ctx, kind, store.Filter{State: active, Limit: 1})
	if err != nil {
		return Proposal{}, 0, err
	}
	if len(list) == 0 {
		return s.load(ctx, tx, BuiltIn)
	}
	var p Proposal
	return p, list[0].Rev, list[0].Decode(&p)
}

// load reads a proposal; the built-in rules are there before anybody wrote of them.
func (s *Service) load(ctx context.Context, tx *store.Tx, number string) (Proposal, int64, error) {
	var p Proposal
	rev, err := tx.Get(ctx, kind, number, &p)
	if errors.Is(err, store.ErrNotFound) && number == BuiltIn {
		return Proposal{ID: BuiltIn, Version: BuiltIn, Bundle: s.c.Live.Bundle(), State: active, Posts: policy.List[string]{}, Report: opa.ReplayReport{By: []opa.Difference{}}, Steps: []Step{}}, 0, nil
	}
	if errors.Is(err, store.ErrNotFound) {
		return p, 0, problem.Absent(policy.Text{ZH: "规则包", EN: "set of rules"})
	}
	return p, rev, err
}

// change is a step that exchanges nothing.
func (s *Service) change(ctx context.Context, id auth.Identity, step act.Step, number, name, kind string, fill func(*Proposal)) error {
	return s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		p, rev, err := s.load(ctx, tx, number)
		if err != nil {
			return err
		}
		dec, err := s.ask(ctx, id, name, p)
		if err != nil {
			return err
		}
		if to, ok := dec.State(); ok {
			p.State = to
		}
		fill(&p)
		return s.record(ctx, tx, id, dec, &p, rev, kind)
	})
}

// record stores a proposal and writes its entry.
func (s *Service) record(ctx context.Context, tx *store.Tx, id auth.Identity, dec policy.Decision, p *Proposal, rev int64, kind string) error {
	if to, ok := dec.State(); ok {
		p.State = to
	}
	p.Steps = append(p.Steps, Step{At: s.desk.Now().UTC(), By: id.Account, Act: kind})
	if err := put(ctx, tx, *p, rev); err != nil {
		return err
	}
	r := p.Report
	_, err := s.desk.Record(ctx, tx, id, dec, act.Step{Kind: kind, Object: object(p.ID), Facts: map[string]string{
		"version": p.Version, "from": s.c.Live.Bundle(), "to": p.Bundle, "state": p.State, "decisions": fmt.Sprint(r.Decisions),
		"denied": fmt.Sprint(r.Denied), "allowed": fmt.Sprint(r.Allowed), "unanswered": fmt.Sprint(r.Failed),
	}})
	return err
}
