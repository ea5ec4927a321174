package job

import (
	"context"
	"errors"
	"maps"
	"time"

	"carrel/broker/auth"
	"carrel/broker/grant"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/resident"
	"carrel/broker/store"
)

// listTries is how often a question is prepared again because a resident's wish came in between.
const listTries = 5

// answer is Query, where ran says that a child was to have the query: then the wait for the slot is over (fresh), else it is the
// caller's. recordID names the reservation should one be made. A question is answered under the list of residents' wishes that is in force when
// it is charged; one that changes before that has it prepared again, and nothing has happened.
func (s *Service) answer(ctx context.Context, id auth.Identity, ask Ask, recordID string, start time.Time) (a *Answer, ran bool, err error) {
	defer func() { err = act.Problem(err) }() // a full disk is told as one, not as a failure of ours
	for range listTries {
		a, ran, err = s.attempt(ctx, id, ask, recordID, start)
		if ran || !errors.Is(err, resident.ErrChanged) {
			return a, ran, err
		}
	}
	return nil, false, problem.Wrap(err, problem.Conflict, "居民意愿名单正在变更；请稍后再问。", "The list of residents' wishes is changing; ask again in a moment.")
}

// unchanged says, in the transaction that commits a use, that nobody took the grant away meanwhile, and no resident her rows.
func (p *prepared) unchanged(ctx context.Context, tx *store.Tx, at time.Time) error {
	if err := grant.Unchanged(ctx, tx, p.grant, p.rev); err != nil {
		return err
	}
	return resident.Unchanged(ctx, tx, p.dataset.ID, p.dataset.Exclusions, at)
}

// said are the facts of an entry about a question, with the list of wishes that it was planned with: the auditor's, see resident.Check.
func (p *prepared) said(facts map[string]string) map[string]string {
	out := p.step.facts(facts)
	if p.dataset == nil {
		return out
	}
	if out = maps.Clone(out); out == nil {
		out = map[string]string{}
	}
	out[resident.FactList] = p.dataset.Exclusions
	return out
}
