package opa

import (
	"context"
	"sync/atomic"

	"carrel/policy"
)

// Live is a Decider whose rules can be exchanged while questions are asked: a question is answered whole by the rules that
// were live when it came, none waits and none is lost.
type Live struct{ now atomic.Pointer[Decider] }

var _ policy.Decider = (*Live)(nil)

// NewLive starts with these rules.
func NewLive(d *Decider) *Live {
	l := &Live{}
	l.now.Store(d)
	return l
}

// Activate makes these rules answer from now on.
func (l *Live) Activate(d *Decider) { l.now.Store(d) }

// Bundle is the hash of the rules that answer now.
func (l *Live) Bundle() string { return l.now.Load().Bundle() }

// Decide answers a typed question.
func (l *Live) Decide(ctx context.Context, q policy.Question) (policy.Decision, error) {
	return l.now.Load().Decide(ctx, q)
}

// Scope returns rows and columns that may leave.
func (l *Live) Scope(ctx context.Context, q policy.ScopeQuestion) (policy.Scope, error) {
	return l.now.Load().Scope(ctx, q)
}

// Data returns a document of policy data.
func (l *Live) Data(ctx context.Context, path string, v any) error {
	return l.now.Load().Data(ctx, path, v)
}
