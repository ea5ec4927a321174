package opa

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage"
)

const (
	// lostDocument says which sources of law nothing carries any more on a day. It depends on the day and the bundle only.
	lostDocument = "carrel.cite.lost"
	// daysName is where the answers of days lie beside the data. No bundle may bring it along.
	daysName = "days"
	// maxDays bounds what is kept: a replay goes through half a year.
	maxDays = 512
)

// days keeps, beside the data, what depends on the day of a decision and on nothing else of the question. The rules answer the
// same without it; they only take longer.
type days struct {
	store storage.Store
	last  atomic.Pointer[string]

	mu    sync.Mutex
	known []string
}

// begin sees that the day is known. Only the first question of a day finds work here.
func (d *Decider) begin(ctx context.Context, day string) error {
	if last := d.days.last.Load(); day == "" || last != nil && *last == day {
		return nil
	}
	d.days.mu.Lock()
	defer d.days.mu.Unlock()
	if !slices.Contains(d.days.known, day) {
		lost, err := d.eval(ctx, lostDocument, dayInput(day))
		if err != nil {
			return err
		}
		if err := d.days.keep(ctx, day, lost); err != nil {
			return fmt.Errorf("policy: keep what holds on the day: %w", err)
		}
	}
	d.days.last.Store(&day)
	return nil
}

// dayInput is a question about a day and nothing else.
func dayInput(day string) input {
	return input{value: ast.NewObject([2]*ast.Term{ast.StringTerm("at"), ast.StringTerm(day)})}
}

func (s *days) keep(ctx context.Context, day string, lost any) error {
	root := storage.Path{bundleRoot, daysName}
	known := s.known
	err := storage.Txn(ctx, s.store, storage.WriteParams, func(tx storage.Transaction) error {
		if len(known) == 0 || len(known) >= maxDays {
			known = nil
			if err := s.store.Write(ctx, tx, storage.AddOp, root, map[string]any{}); err != nil {
				return err
			}
		}
		return s.store.Write(ctx, tx, storage.AddOp, append(slices.Clone(root), day), map[string]any{"orphans": lost})
	})
	if err == nil {
		s.known = append(known, day)
	}
	return err
}
