package service

import (
	"context"
	"fmt"

	"carrel/broker/problem"
	"carrel/policy"
)

// retained refuses to start on a promise to keep the log for less than the law asks: policy says how long that is.
func (s *Service) retained(ctx context.Context) error {
	dec, err := s.Desk.Policy.Decide(ctx, policy.RetentionQuestion{At: s.Desk.Moment(), Months: s.c.KeepLog})
	if err != nil {
		return fmt.Errorf("ask policy how long the log is kept: %w", err)
	}
	if !dec.Allow {
		return problem.Denied(dec)
	}
	return nil
}
