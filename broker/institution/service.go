package institution

import (
	"context"
	"errors"
	"fmt"

	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Service is the use cases. It is safe for concurrent use.
type Service struct {
	desk     act.Desk
	register *Register
}

// New makes the use cases.
func New(desk act.Desk, r *Register) (*Service, error) {
	if err := desk.Check(); err != nil {
		return nil, err
	}
	if r == nil {
		return nil, errors.New("institution: the use cases need a register")
	}
	return &Service{desk: desk, register: r}, nil
}

func absent() error { return problem.Absent(policy.Text{ZH: "机构", EN: "institution"}) }

// Name is what an institution is called, which is public; one that is not on the register has its number.
func (s *Service) Name(id string) policy.Text {
	if i, ok := s.register.Get(id); ok && i.names() == 2 {
		return policy.Text{ZH: i.NameZH, EN: i.NameEN}
	}
	return policy.Text{ZH: id, EN: id}
}

// List shows the register.
func (s *Service) List(ctx context.Context, id auth.Identity) ([]Institution, error) {
	var out []Institution
	err := s.read(ctx, id, "institution", func() error {
		out = s.register.All()
		return nil
	})
	return out, err
}

// Show shows one entry.
func (s *Service) Show(ctx context.Context, id auth.Identity, institution string) (Institution, error) {
	var out Institution
	err := s.read(ctx, id, "institution/"+institution, func() error {
		i, ok := s.register.Get(institution)
		if !ok {
			return absent()
		}
		out = i
		return nil
	})
	return out, err
}

func (s *Service) read(ctx context.Context, id auth.Identity, object string, fn func() error) error {
	return s.desk.Browse(ctx, id, act.Step{Kind: "institution.read", Object: object}, func(*store.Tx) (policy.Decision, error) {
		dec, err := s.desk.Ask(ctx, policy.InstitutionQuestion{At: s.desk.Moment(), Subject: id.Subject(), Act: "institution.read"})
		if err != nil {
			return dec, err
		}
		return dec, fn()
	})
}

// Set enters an institution, or replaces its entry of the same revision.
func (s *Service) Set(ctx context.Context, id auth.Identity, in Institution) (Institution, error) {
	if err := in.well(); err != nil {
		return Institution{}, err
	}
	step := act.Step{Kind: "institution.set", Object: "institution/" + in.ID}
	err := s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		q := policy.InstitutionQuestion{At: s.desk.Moment(), Subject: id.Subject(), Act: "institution.set", Unit: in.Unit(), Names: in.names()}
		var before Institution
		rev, err := tx.Get(ctx, DocKind, in.ID, &before)
		switch {
		case errors.Is(err, store.ErrNotFound):
			rev = 0
		case err != nil:
			return fmt.Errorf("institution: read: %w", err)
		default:
			q.Before = before.Unit()
			q.Renamed = before.NameZH != in.NameZH || before.NameEN != in.NameEN
		}
		if in.Successor != "" {
			q.Heir = s.register.Unit(in.Successor)
		}
		if in.Supervisor != "" {
			q.Above = s.register.Unit(in.Supervisor)
		}
		dec, err := s.desk.Ask(ctx, q)
		if err != nil {
			return err
		}
		if in.Revision != rev {
			return fmt.Errorf("institution: %w", store.ErrConflict)
		}
		if err := put(ctx, tx, in, rev); err != nil {
			return err
		}
		in.Revision = rev + 1
		step.Facts = facts(in)
		_, err = s.desk.Record(ctx, tx, id, dec, step)
		return err
	})
	if err != nil {
		return Institution{}, err
	}
	return in, s.register.Refresh(ctx)
}

// put stores an entry; its own revision is the store's.
func put(ctx context.Context, tx *store.Tx, in Institution, rev int64) error {
	in.Revision = rev + 1
	if err := tx.Put(ctx, DocKind, in.ID, rev, store.Index{Owner: in.Supervisor, State: in.Level}, in); err != nil {
		return fmt.Errorf("institution: store: %w", err)
	}
	return nil
}

// facts are what the log says of an entry: no name, but the office that answers is there or not.
func facts(i Institution) map[string]string {
	out := map[string]string{"level": i.Level, "region": i.Region, "supervisor": i.Supervisor, "kind": i.Kind,
		"named": fmt.Sprint(i.Department != "" && i.Post != "")}
	for name, v := range map[string]string{"ended": string(i.Ended), "successor": i.Successor, "moving": i.Moving} {
		if v != "" {
			out[name] = v
		}
	}
	if c := i.Connection; c != nil {
		out["connected"] = string(c.From)
		out["left"] = string(c.Until)
	}
	if c := i.Commission; c != nil {
		out["commission"] = c.By + " " + string(c.From) + " " + string(c.Until)
		out["document"] = c.Document
	}
	return out
}

// Seed enters institutions into an empty register, at the first start: before anybody may write it, somebody has to be in it.
// A register that holds anything is left as it is.
func Seed(ctx context.Context, desk act.Desk, r *Register, first []Institution) error {
	if len(r.All()) > 0 || len(first) == 0 {
		return nil
	}
	system := auth.Identity{Account: "system", Institution: desk.Operator}
	step := act.Step{Kind: "institution.seeded", Object: "institution", Facts: map[string]string{"entries": fmt.Sprint(len(first))}}
	err := desk.Do(ctx, system, step, func(tx *store.Tx) error {
		for _, i := range first {
			if err := i.well(); err != nil {
				return err
			}
			if err := put(ctx, tx, i, 0); err != nil {
				return err
			}
		}
		_, err := desk.Record(ctx, tx, system, policy.Decision{}, step)
		return err
	})
	if err != nil {
		return fmt.Errorf("institution: seed: %w", err)
	}
	return r.Refresh(ctx)
}
