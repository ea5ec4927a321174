package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"carrel/policy/opa"
)

// decisionDays is how long decisions are kept for replay (carrel policy replay); the audit log is another matter.
const decisionDays = 180

// rules opens the rules that decide: the signed bundle in the data directory's policy/active.tar.gz where there is one, else
// those that are built in. A bundle that does not verify stops the service: which rules decide is never guessed. Decisions
// are kept under decisions for replay: ids and features, no texts.
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
	return opa.NewLive(d), nil
}

func (s *Service) activeRules(ctx context.Context, options ...opa.Option) (*opa.Decider, error) {
	f, err := os.Open(s.c.path("policy", "active.tar.gz"))
	if errors.Is(err, fs.ErrNotExist) {
		return opa.New(s.c.Rules, options...)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	public, err := os.ReadFile(s.c.path("keys", "policy.pub.pem"))
	if err != nil {
		return nil, err
	}
	b, err := opa.ReadBundle(ctx, f, public)
	if err != nil {
		return nil, err
	}
	return b.Decider(options...)
}
