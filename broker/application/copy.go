package application

import (
	"context"
	"time"

	"carrel/broker/attachment/folder"
	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/store"
	"carrel/policy"
)

// Copy begins a new draft with what an application says: facts, words and attachments, the period moved to begin today. Reviews,
// decision, signatures and what was assessed or cleared for the former one stay with it. Who copies leads the new one.
func (s *Papers) Copy(ctx context.Context, id auth.Identity, app string) (*Application, error) {
	apps := s.apps
	now := apps.desk.Now().UTC()
	b := &Application{ID: act.NewID("ap"), Institution: id.Institution, Created: now, Changed: now, CopyOf: app}
	step := act.Step{Kind: "application.copied", Object: "application/" + app}
	err := apps.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		a, _, err := apps.visible(ctx, tx, id, app)
		if err != nil {
			return act.Conceal(err, what())
		}
		dec, err := apps.desk.Ask(ctx, policy.AccessQuestion{At: apps.desk.Moment(), Subject: id.Subject(), Action: "application.create"})
		if err != nil {
			return err
		}
		d, err := apps.again(ctx, tx, a)
		if err != nil {
			return err
		}
		w, err := apps.workflow(ctx)
		if err != nil {
			return err
		}
		b.State, b.Facts.Lead = w.Initial, id.Account
		made := act.Step{Kind: step.Kind, Object: "application/" + b.ID, Facts: map[string]string{"of": a.ID}}
		if made.Commit, err = apps.fill(ctx, tx, b, d); err != nil {
			return err
		}
		if err := apps.refer(ctx, tx, a.ID, b.ID, id.Account); err != nil {
			return err
		}
		if err := put(ctx, tx, b, 0); err != nil {
			return err
		}
		_, err = apps.desk.Record(ctx, tx, id, dec, made)
		return err
	})
	if err != nil {
		return nil, err
	}
	return b, nil
}

// ofOnce are the facts that hold for one application alone: what was assessed, cleared, or amended by it.
var ofOnce = [...]string{"assessment", "clearance", "file", "former"}

// again is what of an application can be asked for once more.
func (s *Service) again(ctx context.Context, tx *store.Tx, a *Application) (Draft, error) {
	d, err := s.draft(ctx, tx, a)
	if err != nil {
		return d, err
	}
	doc, err := d.document()
	if err != nil {
		return d, err
	}
	if facts, ok := doc["facts"].(map[string]any); ok {
		for _, name := range ofOnce {
			delete(facts, name)
		}
	}
	if err := d.read(doc); err != nil {
		return d, err
	}
	d.Form.ID, d.Form.Version = a.Facts.Kind, max(a.Facts.Form.Version, 1)
	d.Facts.From, d.Facts.To = moved(d.Facts.From, d.Facts.To, policy.DateOf(s.desk.Now()))
	return d, nil
}

// moved is a period of the same length that begins today; one that is to come stays as it is.
func moved(from, to, today policy.Date) (policy.Date, policy.Date) {
	first, err1 := time.Parse(time.DateOnly, string(from))
	last, err2 := time.Parse(time.DateOnly, string(to))
	now, err3 := time.Parse(time.DateOnly, string(today))
	if err1 != nil || err2 != nil || err3 != nil || from >= today {
		return from, to
	}
	return today, policy.Date(now.Add(last.Sub(first)).Format(time.DateOnly))
}

// refer attaches to the copy what is attached to the application, without a second file.
func (s *Service) refer(ctx context.Context, tx *store.Tx, from, to, account string) error {
	kept, err := folder.Kept(ctx, tx, from)
	if err != nil {
		return err
	}
	for _, p := range kept {
		name, err := opened(ctx, tx, p.Name)
		if err != nil {
			return err
		}
		p.Of, p.By, p.At, p.Version = to, account, s.desk.Now().UTC(), 0
		if p.Name, err = tx.PutText(ctx, name); err != nil {
			return err
		}
		if err := tx.Put(ctx, folder.DocKind, p.ID(), 0, p.Index(), &p); err != nil {
			return err
		}
	}
	return nil
}
