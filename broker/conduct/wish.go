package conduct

import (
	"context"
	"errors"
	"maps"

	"carrel/broker/auth"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant/act"
	"carrel/broker/store"
	"carrel/policy"
)

// Wish puts on record what a verified resident wants of his own information: an objection, or an authorisation, about one dataset
// or all of them (municipal-14), and puts the list with it in force in the same transaction. Whose it is stays in the register; the log holds
// the matter's number and the list's version.
func (s *Service) Wish(ctx context.Context, id auth.Identity, sort, dataset string) (*matter.Matter, error) {
	return s.WishFor(ctx, id, sort, dataset, "")
}

// WishFor is a guardian's wish for a child who stands under the guardian's own number in the sources, named by the day of birth; "" is Wish.
func (s *Service) WishFor(ctx context.Context, id auth.Identity, sort, dataset string, born policy.Date) (*matter.Matter, error) {
	st := s.listed(step{act: "wish.make", fill: func(m *matter.Matter) error {
		m.Party, m.Unit, m.Sort, m.Link, m.Born, m.From = "person/"+id.Account, id.Institution, sort, dataset, born, policy.DateOf(s.desk.Now())
		return nil
	}})
	st.before = func(ctx context.Context, tx *store.Tx, m *matter.Matter) error {
		if s.c.Residents == nil {
			return nil
		}
		var err error
		m.Evidence, err = s.c.Residents.Proved(ctx, tx, id.Account)
		return err
	}
	m, err := s.take(ctx, id, st)
	if err == nil {
		s.c.Residents.Honour()
	}
	return m, err
}

// Unwish takes a wish back.
func (s *Service) Unwish(ctx context.Context, id auth.Identity, wish string) (*matter.Matter, error) {
	return s.take(ctx, id, s.listed(step{act: "wish.withdraw", id: wish}))
}

// listed is a step that changes a list.
func (s *Service) listed(st step) step {
	st.facts = map[string]string{}
	st.after = func(ctx context.Context, tx *store.Tx, _ policy.Decision, m *matter.Matter) error {
		if s.c.Residents == nil {
			return errors.New("conduct: a wish, and nobody to honour it")
		}
		facts, err := s.c.Residents.Wished(ctx, tx, m)
		maps.Copy(st.facts, facts)
		return err
	}
	return st
}

// Wishes shows one's own.
func (s *Service) Wishes(ctx context.Context, id auth.Identity) ([]View, error) {
	out := []View{}
	own := &matter.Matter{Noun: matter.Wish, Party: "person/" + id.Account, Unit: id.Institution}
	err := s.desk.Browse(ctx, id, act.Step{Kind: "conduct.wish.read", Object: "conduct/wish"}, func(tx *store.Tx) (policy.Decision, error) {
		dec, err := s.ask(ctx, id, "wish.read", own, nil, "")
		if err != nil {
			return dec, err
		}
		return dec, matter.All(ctx, tx, matter.Wish, store.Filter{Owner: own.Party}, func(m *matter.Matter) error {
			v, err := s.shown(ctx, tx, m)
			out = append(out, v)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
