package conduct

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

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
		if err := again(ctx, tx, m); err != nil {
			return err
		}
		var err error
		m.Evidence, err = s.c.Residents.Proved(ctx, tx, id.Account)
		return err
	}
	paced := born != "" || sort != "object" // what somebody forbids for herself is taken at any pace: it is made anew only after it was taken back
	m, err := s.pace.step(id.Account, paced, s.desk.Now, func() (*matter.Matter, error) { return s.take(ctx, id, st) })
	if err == nil {
		s.c.Residents.Honour()
	}
	return m, err
}

// again refuses a wish that stands as it is: it would put a list in force that says the same, and take back all that was made with the one before.
func again(ctx context.Context, tx *store.Tx, m *matter.Matter) error {
	return matter.All(ctx, tx, matter.Wish, store.Filter{Owner: m.Party, State: "standing"}, func(have *matter.Matter) error {
		if have.Sort == m.Sort && have.Link == m.Link && have.Born == m.Born {
			return problem.New(problem.Conflict, "同样的意愿已登记并继续有效，无须再次提出。", "The same wish is on record and stands; it need not be made again.")
		}
		return nil
	})
}

// The pace of one resident's wishes. Each puts another list in force, which ends packages that wait and makes answers on record be paid for anew, so that
// nobody changes her mind all day at everybody else's cost.
const (
	wishBurst = 30
	wishEvery = 20 * time.Minute
)

// pace bounds the steps of each account. It is of this process: after a start everybody begins anew.
type pace struct {
	mu sync.Mutex
	by map[string]*Brake
}

// step takes a step; one that was taken counts, where it is paced.
func (p *pace) step(account string, paced bool, now func() time.Time, take func() (*matter.Matter, error)) (*matter.Matter, error) {
	p.mu.Lock()
	if p.by == nil {
		p.by = map[string]*Brake{}
	}
	b := p.by[account]
	if b == nil {
		b = NewBrake(wishBurst, wishEvery)
	}
	p.mu.Unlock()
	if paced && !b.open(now()) {
		return nil, problem.New(problem.Unavailable, "您的意愿变更过于频繁；请稍后再办。反对本人信息的使用随时可以提出。", "Your wishes change too often; try again later. An objection to the use of your own data is taken at any time.")
	}
	m, err := take()
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.by[account] = b // of who took a step alone, so that the table is no longer than residents are many
	_ = b.Pass(now()) // a step that was taken at the same time may have been the last
	return m, nil
}

// Unwish takes a wish back.
func (s *Service) Unwish(ctx context.Context, id auth.Identity, wish string) (*matter.Matter, error) {
	return s.pace.step(id.Account, true, s.desk.Now, func() (*matter.Matter, error) { return s.take(ctx, id, s.listed(step{act: "wish.withdraw", id: wish})) })
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
