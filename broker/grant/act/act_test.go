package act_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/policy"
)

type decider struct {
	dec policy.Decision
	err error
}

func (d decider) Decide(context.Context, policy.Question) (policy.Decision, error) {
	return d.dec, d.err
}

func (d decider) Scope(context.Context, policy.ScopeQuestion) (policy.Scope, error) {
	return policy.Scope{}, d.err
}

func (d decider) Data(context.Context, string, any) error { return d.err }

// Only a plain yes is a yes: not an error that comes with one, not silence, not a denial.
func TestAsk(t *testing.T) {
	t.Parallel()
	yes := policy.Decision{Allow: true}
	for name, c := range map[string]struct {
		d    decider
		ok   bool
		code problem.Code
	}{
		"yes":                   {decider{dec: yes}, true, ""},
		"no":                    {decider{}, false, problem.Forbidden},
		"yes with an error":     {decider{dec: yes, err: errors.New("x")}, false, ""},
		"malformed question":    {decider{dec: yes, err: policy.ErrQuestion}, false, problem.Invalid},
		"no, and an error too":  {decider{err: errors.New("x")}, false, ""},
		"reasons without allow": {decider{dec: policy.Decision{Reasons: []policy.Reason{{Rule: "r"}}}}, false, problem.Forbidden},
	} {
		_, err := act.Desk{Policy: c.d, Now: time.Now}.Ask(context.Background(), policy.AccessQuestion{})
		if (err == nil) != c.ok || c.code != "" && !problem.Is(err, c.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDeskIsComplete(t *testing.T) {
	t.Parallel()
	if (act.Desk{}).Check() == nil {
		t.Error("an empty desk passes")
	}
}

// What policy was told stands in the log beside the other commitments, and an entry without a question that is kept has none.
func TestCommits(t *testing.T) {
	t.Parallel()
	others := map[string]string{"reason": "a"}
	got := act.Commits(policy.Decision{Commitment: "b"}, others)
	if len(got) != 2 || got["reason"] != "a" || got[act.CommitQuestion] != "b" || len(others) != 1 {
		t.Errorf("%v, %v", got, others)
	}
	if got := act.Commits(policy.Decision{Input: "sha256:x"}, nil); got != nil {
		t.Errorf("%v", got)
	}
}
