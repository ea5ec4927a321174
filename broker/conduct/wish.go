package conduct

import (
	"context"

	"carrel/broker/auth"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant/act"
	"carrel/broker/store"
	"carrel/policy"
)

// Wish puts on record what a verified resident wants of his own information: an objection, or an authorisation, about one dataset
// or all of them (municipal-14). Whose it is stays in the register; the log holds the matter's number.
func (s *Service) Wish(ctx context.Context, id auth.Identity, sort, dataset string) (*matter.Matter, error) {
	return s.take(ctx, id, step{act: "wish.make", fill: func(m *matter.Matter) error {
		m.Party, m.Unit, m.Sort, m.Link, m.From = "person/"+id.Account, id.Institution, sort, dataset, policy.DateOf(s.desk.Now())
		return nil
	}})
}

// Unwish takes a wish back.
func (s *Service) Unwish(ctx context.Context, id auth.Identity, wish string) (*matter.Matter, error) {
	return s.take(ctx, id, step{act: "wish.withdraw", id: wish})
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
