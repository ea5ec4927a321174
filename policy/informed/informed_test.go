package informed_test

import (
	"context"
	"errors"
	"testing"

	"carrel/policy"
	"carrel/policy/informed"
)

// asked keeps whom it was asked about.
type asked struct {
	policy.Decider
	about *policy.Subject
}

func (a asked) Decide(_ context.Context, q policy.Question) (policy.Decision, error) {
	if x, ok := q.(policy.AccessQuestion); ok {
		*a.about = x.Subject
	}
	return policy.Decision{Allow: true}, nil
}

func (a asked) Scope(_ context.Context, q policy.ScopeQuestion) (policy.Scope, error) {
	*a.about = q.Subject
	return policy.Scope{}, nil
}

func TestRegisterSpeaksOrNobody(t *testing.T) {
	t.Parallel()
	var about policy.Subject
	unreadable := error(nil)
	d := informed.Decider(asked{about: &about}, func(s policy.Subject) (policy.Subject, error) {
		s.Unit = policy.Unit{ID: "registered"}
		return s, unreadable
	})
	claimed := policy.Subject{Account: "li", Unit: policy.Unit{ID: "claimed"}}
	if dec, err := d.Decide(t.Context(), policy.AccessQuestion{Subject: claimed}); err != nil || !dec.Allow || about.Unit.ID != "registered" || about.Account != "li" {
		t.Errorf("rules were asked about %+v: %v", about, err)
	}
	about = policy.Subject{}
	if _, err := d.Scope(t.Context(), policy.ScopeQuestion{Subject: claimed}); err != nil || about.Unit.ID != "registered" {
		t.Errorf("a scope was asked about %+v: %v", about, err)
	}
	unreadable, about = errors.New("the disk is gone"), policy.Subject{}
	if dec, err := d.Decide(t.Context(), policy.AccessQuestion{Subject: claimed}); !errors.Is(err, unreadable) || dec.Allow || about.Account != "" {
		t.Errorf("decided without the register: %+v %v", dec, err)
	}
	if scope, err := d.Scope(t.Context(), policy.ScopeQuestion{Subject: claimed}); !errors.Is(err, unreadable) || !scope.Deny || about.Account != "" {
		t.Errorf("scoped without the register: %+v %v", scope, err)
	}
}
