package service

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"carrel/broker/rulebook"
	"carrel/policy/opa"
)

// decisionDays is how long decisions are kept for replay (carrel policy replay); the audit log is another matter.
const decisionDays = 180

// rules opens the rules that decide: the signed bundle that two people made decide (broker/rulebook), else those that are built in.
// A bundle that does not verify stops the service: which rules decide is never guessed. Decisions are kept under decisions for
// replay: ids and features, no texts.
func (s *Service) rules(ctx context.Context) (*opa.Live, error) {
	record, err := opa.OpenRecorder(s.c.path("decisions"), decisionDays, s.c.Now, s.c.Logger)
	if err != nil {
		return nil, err
	}
	s.decisions = record
	d, err := s.activeRules(ctx, opa.WithLog(record.Record))
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	s.live = opa.NewLive(d)
	return s.live, nil
}

func (s *Service) activeRules(ctx context.Context, options ...opa.Option) (*opa.Decider, error) {
	raw, err := rulebook.Active(ctx, s.store)
	if err != nil {
		return nil, err
	}
	if raw == nil {
		return opa.New(s.c.Rules, options...)
	}
	public, err := s.policyKey()
	if err != nil {
		return nil, err
	}
	b, err := opa.ReadBundle(ctx, bytes.NewReader(raw), public)
	if err != nil {
		return nil, err
	}
	return b.Decider(options...)
}

// policyKey is the public key of who signs bundles.
func (s *Service) policyKey() ([]byte, error) { return os.ReadFile(s.c.path("keys", "policy.pub.pem")) }

// openRulebook makes the use cases that change the rules.
func (s *Service) openRulebook() error {
	var err error
	s.Rules, err = rulebook.New(rulebook.Config{
		Desk: s.Desk, Live: s.live, BuiltIn: s.c.Rules, Key: s.policyKey, Decisions: s.decisions, Options: []opa.Option{opa.WithLog(s.decisions.Record)},
	})
	return err
}
