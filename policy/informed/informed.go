// Package informed tells rules, with every question, what a register knows of its subject.
//
// It promises: what the register says overwrites whatever a caller put there, and where the register cannot be read nothing is decided at
// all. A question without a subject goes on as it is.
package informed

import (
	"context"

	"carrel/policy"
)

// Decider asks rules with what fill knows of the subject.
func Decider(rules policy.Decider, fill func(policy.Subject) (policy.Subject, error)) policy.Decider {
	return decider{rules, fill}
}

type decider struct {
	policy.Decider
	fill func(policy.Subject) (policy.Subject, error)
}

// Decide implements policy.Decider.
func (d decider) Decide(ctx context.Context, q policy.Question) (policy.Decision, error) {
	var failed error
	q = policy.Informed(q, func(s policy.Subject) policy.Subject {
		s, failed = d.fill(s)
		return s
	})
	if failed != nil {
		return policy.Decision{}, failed
	}
	return d.Decider.Decide(ctx, q)
}

// Scope implements policy.Decider.
func (d decider) Scope(ctx context.Context, q policy.ScopeQuestion) (policy.Scope, error) {
	var err error
	if q.Subject, err = d.fill(q.Subject); err != nil {
		return policy.Scope{Deny: true}, err
	}
	return d.Decider.Scope(ctx, q)
}
