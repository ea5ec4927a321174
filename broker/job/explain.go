package job

import (
	"context"
	"errors"

	"carrel/anonymize/ledger"
	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Explain says what a question would cost and how exact its numbers would be, without touching data or budget. A refusal of
// the planner is returned as an error; a denial by policy is part of the explanation, with what would change it.
func (s *Service) Explain(ctx context.Context, id auth.Identity, ask Ask) (*Explanation, error) {
	p, err := s.prepare(ctx, id, ask)
	denied := problem.Is(err, problem.Forbidden)
	if err != nil && !denied {
		return nil, s.refusal(ctx, p, err)
	}
	if p.step != nil && !denied {
		return s.explainSteps(ctx, p)
	}
	return s.explained(ctx, p, denied)
}

// explained is Explain of a prepared question.
func (s *Service) explained(ctx context.Context, p *prepared, denied bool) (*Explanation, error) {
	x := &Explanation{
		Grant: p.grant.ID, Dataset: p.dataset.ID, Epsilon: p.epsilon, Cost: p.cost, Plan: policy.Text{ZH: p.plan.Describe("zh"), EN: p.plan.Describe("en")},
		SQL: p.plan.SQL(), Digest: p.plan.Hash(), Budget: budget(p.account, p.cost), Allowed: !denied, Reasons: p.decision.Reasons, WouldGive: p.decision.WouldChange, List: p.list,
	}
	for _, m := range p.list {
		x.Draws += m.Cells
	}
	x.Measures = ExpectedOf(p.plan, p.list)
	x.Forecast = ForecastOf(p.plan, p.account.Accounting, p.epsilon, p.account.RootDelta, s.c.Defaults.SelectDelta)
	err := s.c.Desk.Store.View(ctx, func(tx *store.Tx) error {
		_, err := s.c.Ledger.Answer(ctx, tx, p.grant.Account, p.key)
		x.OnRecord = err == nil
		if err == nil || errors.Is(err, ledger.ErrNotFound) || errors.Is(err, ledger.ErrState) {
			return nil
		}
		return err
	})
	if err != nil {
		return nil, act.Problem(err)
	}
	return x, act.Problem(s.note(ctx, p, "query.explained", map[string]string{"plan": p.plan.Hash()}))
}

// note writes an entry about something that changed nothing but must be seen.
func (s *Service) note(ctx context.Context, p *prepared, kind string, facts map[string]string) error {
	return s.c.Desk.Store.Update(ctx, func(tx *store.Tx) error {
		_, err := s.c.Desk.Log.Append(ctx, tx, s.entry(p, kind, "", "allowed", facts))
		return err
	})
}
