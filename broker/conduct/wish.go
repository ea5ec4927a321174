package conduct

import (
	"context"
	"errors"
	"maps"

	"carrel/broker/auth"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
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

// Release takes back what a guardian wished for somebody who is of age by now: she shows her own document and names the guardian's to who
// proves whose accounts are. The numbers are in no entry, no document and no error.
func (s *Service) Release(ctx context.Context, id auth.Identity, account, document, guardian string) ([]matter.Matter, error) {
	if len(document) > maxDocument || len(guardian) > maxDocument {
		return nil, problem.New(problem.TooLarge, "证件号码过长；请按证件原样录入。", "The document's number is too long; enter it as it stands on the document.")
	}
	if s.c.Residents == nil {
		return nil, problem.New(problem.Unavailable, "此服务不办理居民身份核验。", "This service does not keep residents' proofs.")
	}
	var wishes []string
	err := s.desk.Browse(ctx, id, act.Step{Kind: "conduct.wish.sought", Object: "conduct/wish"}, func(tx *store.Tx) (policy.Decision, error) {
		dec, err := s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "wish.release"})
		if err != nil {
			return dec, err
		}
		wishes, err = s.c.Residents.Grown(ctx, tx, account, document, guardian)
		return dec, err
	})
	if err != nil {
		return nil, err
	}
	if len(wishes) == 0 {
		return nil, problem.Absent(policy.Text{ZH: "监护人代为提出的有效意愿", EN: "standing wish of a guardian"})
	}
	out := []matter.Matter{}
	for _, wish := range wishes {
		m, err := s.take(ctx, id, s.listed(step{act: "wish.release", id: wish, known: true}))
		if err != nil {
			return nil, err
		}
		out = append(out, *m)
	}
	s.c.Residents.Honour()
	return out, nil
}

// listed is a step that changes a list.
func (s *Service) listed(st step) step {
	st.facts = map[string]string{}
	st.after = func(ctx context.Context, tx *store.Tx, dec policy.Decision, m *matter.Matter) error {
		if s.c.Residents == nil {
			return errors.New("conduct: a wish, and nobody to honour it")
		}
		if last, ends := dec.Limit(policy.LimitUntil); ends {
			m.Until = policy.Date(last)
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
