package service

import (
	"context"
	"time"

	"carrel/policy"
)

// timed passes every question on to policy and tells how long the decision took. It changes no answer.
type timed struct {
	policy.Decider
	observe func(time.Duration)
}

func (t timed) Decide(ctx context.Context, q policy.Question) (policy.Decision, error) {
	start := time.Now()
	d, err := t.Decider.Decide(ctx, q)
	t.observe(time.Since(start))
	return d, err
}
