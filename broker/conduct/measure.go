package conduct

import (
	"context"

	"carrel/broker/auth"
	"carrel/broker/conduct/matter"
	"carrel/broker/store"
	"carrel/policy"
)

// Propose puts a measure before the office with the power (sichuan-36); the operator can do no more.
func (s *Service) Propose(ctx context.Context, id auth.Identity, in Entry) (*matter.Matter, error) {
	return s.take(ctx, id, step{act: "measure.propose", texts: map[string]string{"reason": in.Reason}, fill: s.begin(in)})
}

// Order takes a measure at once. It becomes an entry of the credit file, and a rectification a duty with its day.
func (s *Service) Order(ctx context.Context, id auth.Identity, in Entry) (*matter.Matter, error) {
	return s.take(ctx, id, step{act: "measure.order", texts: map[string]string{"reason": in.Reason}, fill: s.begin(in)})
}

// Adopt orders a measure that somebody else proposed; Decline does not.
func (s *Service) Adopt(ctx context.Context, id auth.Identity, proposal string) (*matter.Matter, error) {
	return s.take(ctx, id, step{act: "measure.order", id: proposal})
}

// Decline leaves a proposal, with its grounds.
func (s *Service) Decline(ctx context.Context, id auth.Identity, proposal, grounds string) (*matter.Matter, error) {
	return s.take(ctx, id, step{act: "measure.decline", id: proposal, texts: map[string]string{"grounds": grounds}})
}

// Impose lays a duty with a date on a party: a check, a rectification, an inspection, a training, a declaration.
func (s *Service) Impose(ctx context.Context, id auth.Identity, in Entry) (*matter.Matter, error) {
	return s.take(ctx, id, step{act: "duty.impose", texts: map[string]string{"reason": in.Reason}, fill: s.begin(in)})
}

// Done puts the result of a duty on record, with its evidence and how long it holds: of one that was imposed (duty names it), or
// of one that begins with it.
func (s *Service) Done(ctx context.Context, id auth.Identity, duty string, in Entry) (*matter.Matter, error) {
	return s.take(ctx, id, s.fulfil("duty.record", duty, map[string]string{"result": in.Reason}, in))
}

// Declare puts one's own declaration of conflicts and funding on record (chongqing-integrity). A false one is a credit entry.
func (s *Service) Declare(ctx context.Context, id auth.Identity, duty, text string, last policy.Date) (*matter.Matter, error) {
	in := Entry{Party: "person/" + id.Account, Sort: "declaration", Until: last}
	return s.take(ctx, id, s.fulfil("duty.declare", duty, map[string]string{"grounds": text}, in))
}

func (s *Service) fulfil(name, duty string, texts map[string]string, in Entry) step {
	return step{act: name, id: duty, texts: texts,
		fill: func(m *matter.Matter) error {
			if duty == "" {
				return s.begin(in)(m)
			}
			m.Evidence, m.Until = in.Evidence, in.Until // whose and what it is stays
			return nil
		},
		after: func(_ context.Context, _ *store.Tx, dec policy.Decision, m *matter.Matter) error {
			m.From = policy.DateOf(s.desk.Now())
			if last, ok := dec.Limit(policy.LimitUntil); ok && m.Until == "" {
				m.Until = policy.Date(last)
			}
			return nil
		}}
}
