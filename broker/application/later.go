package application

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"carrel/broker/abroad"
	"carrel/broker/auth"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant"
	"carrel/broker/grant/act"
	"carrel/broker/store"
	"carrel/policy"
)

// The files that change what was granted. Each goes the whole way of an application: the grant stays as it is until the last
// signature under the new decision.
const (
	FileAmendment = "amendment"
	FileRenewal   = "renewal"
)

// Later begins an amendment or a renewal: a draft with all that was decided, to be changed, submitted and decided anew. It is
// asked for as a command (amend, renew) on the application that it is about.
func (s *Service) Later(ctx context.Context, id auth.Identity, app, file string) (*Application, error) {
	command := map[string]string{FileAmendment: "amend", FileRenewal: "renew"}[file]
	made := &Application{ID: act.NewID("ap"), File: file, Of: app, Institution: id.Institution, Created: s.desk.Now().UTC(), Changed: s.desk.Now().UTC()}
	step := act.Step{Kind: "application." + command, Object: "application/" + app, Facts: map[string]string{"file": made.ID}}
	err := s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		a, _, err := s.visible(ctx, tx, id, app)
		if err != nil {
			return act.Conceal(err, what())
		}
		if _, err := s.access(ctx, id, "application."+command, a); err != nil {
			return err
		}
		dec, err := s.desk.Ask(ctx, policy.TransitionQuestion{At: s.desk.Moment(), Subject: id.Subject(), Machine: "application",
			Move: policy.Move{Command: command}, Case: a.Case()})
		if err != nil {
			return err
		}
		stood, err := s.stood(ctx, tx, a, made)
		if err != nil {
			return err
		}
		if err := s.copied(ctx, tx, stood, made); err != nil {
			return err
		}
		if err := s.refer(ctx, tx, stood.ID, made.ID, id.Account); err != nil {
			return err
		}
		if err := put(ctx, tx, made, 0); err != nil {
			return err
		}
		_, err = s.desk.Record(ctx, tx, id, dec, step)
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// stood is the file by which the grant of an application is what it is now: an amendment changes that, and not what was granted first.
func (s *Service) stood(ctx context.Context, tx *store.Tx, of, made *Application) (*Application, error) {
	began := Application{ID: made.ID, Of: of.ID, Facts: policy.Application{Lead: of.Facts.Lead, Former: policy.Former{Grant: of.Grant}}}
	last, err := lastGranted(ctx, tx, &began)
	if err != nil || last == of.ID {
		return of, err
	}
	a, _, err := load(ctx, tx, last)
	return a, err
}

// copied fills a draft with what was decided: facts as they are, texts as texts of its own, which can be changed and erased.
func (s *Service) copied(ctx context.Context, tx *store.Tx, from, to *Application) error {
	w, err := s.workflow(ctx)
	if err != nil {
		return err
	}
	to.State, to.Facts, to.Texts = w.Initial, from.Facts, map[string]store.TextRef{}
	to.DataOwners, to.Universe = from.DataOwners, from.Universe
	for name, ref := range maps.All(from.Texts) {
		words, err := opened(ctx, tx, ref)
		if err != nil {
			return err
		}
		if to.Texts[name], err = tx.PutText(ctx, words); err != nil {
			return err
		}
	}
	to.Facts.File = to.File
	to.Facts.Former = policy.Former{Grant: from.Grant, Purpose: from.Facts.Purpose, Epsilon: from.Facts.Epsilon}
	return s.former(ctx, tx, to)
}

// former looks up what the grant that is to be changed is now.
func (s *Service) former(ctx context.Context, tx *store.Tx, a *Application) error {
	a.Facts.File = a.File
	if a.File == "" {
		a.Facts.Former = policy.Former{}
		return nil
	}
	g, _, err := grant.Load(ctx, tx, a.Facts.Former.Grant)
	if err != nil {
		return fmt.Errorf("application: the grant to change: %w", err)
	}
	a.Facts.Former.State, a.Facts.Former.Purpose = g.State, g.Purpose
	return nil
}

// clearance looks up the cross-border file that the application names, as it stands now. One that is not there is none: policy
// says what that means.
func (s *Service) clearance(ctx context.Context, tx *store.Tx, a *Application) (policy.Clearance, error) {
	a.Export, a.Way = 0, abroad.Way{}
	if !a.Facts.CrossBorder || a.Facts.Clearance == "" {
		return policy.Clearance{}, nil
	}
	f, _, err := abroad.Load(ctx, tx, a.Facts.Clearance)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrInvalid) {
		return policy.Clearance{}, nil
	}
	if err != nil {
		return policy.Clearance{}, fmt.Errorf("application: cross-border file: %w", err)
	}
	a.Export, a.Way = f.Facts.Rows, f.Facts.Way
	return f.Question(), nil
}

// underFile reads the cross-border file that the application names, as it is at this moment.
func (a *Application) underFile(ctx context.Context, tx *store.Tx) error {
	if !a.Facts.CrossBorder {
		return nil
	}
	var err error
	if a.cleared, err = abroad.Cleared(ctx, tx, a.Facts.Clearance); err != nil {
		return fmt.Errorf("application: cross-border file: %w", err)
	}
	return nil
}

// assessment looks up the privacy-impact assessment that the application names, and how the one that followed it went. One that is not
// on record is none: policy says what that means.
func (s *Service) assessment(ctx context.Context, tx *store.Tx, a *Application) (policy.Assessment, error) {
	var none policy.Assessment
	if a.Facts.Assessment == "" {
		return none, nil
	}
	m, _, err := matter.Load(ctx, tx, matter.Assessment, a.Facts.Assessment)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrInvalid) {
		return none, nil
	}
	if err != nil {
		return none, fmt.Errorf("application: assessment: %w", err)
	}
	out := policy.Assessment{ID: m.ID, Sort: m.Sort, State: m.State, Unit: m.Unit}
	if n := len(m.Steps); n > 0 {
		out.On = policy.DateOf(m.Steps[n-1].At)
	}
	err = matter.All(ctx, tx, matter.Assessment, store.Filter{Parent: m.ID}, func(next *matter.Matter) error {
		out.Next = next.State
		return nil
	})
	return out, err
}
