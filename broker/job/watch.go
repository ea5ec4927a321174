package job

import (
	"context"
	"errors"
	"fmt"
	"time"

	"carrel/broker/grant"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// lookEvery is how often a run's right is looked at again while its child computes: what was withdrawn ends well within a second.
const lookEvery = 200 * time.Millisecond

// withdrawn is the end of a run whose right was taken away meanwhile. The run is forfeited like any other that fails: the charge stays, the
// grant has one fault more, and the reply leaves on the grid. So whether and when a grant is stopped tells the asker nothing of the data
// that the time of the stop did not: it is set by somebody who sees neither the question nor how far it is, and what was cut short and
// what was ready but not yet recorded end alike.
type withdrawn struct{ error }

func (w withdrawn) Unwrap() error { return w.error }

// watch runs fn with a context that ends as soon as policy would not let the question be asked any more: the grant was revoked, stopped or
// is over, the person lost his role, his place or his good standing. fn's error is then why.
func (s *Service) watch(ctx context.Context, p *prepared, fn func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			// A look that fails says nothing: the one before the answer is recorded decides.
			var w withdrawn
			if err := s.still(ctx, p); errors.As(err, &w) {
				cancel(w)
				return
			}
		}
	}()
	err := fn(ctx)
	cancel(nil)
	<-over
	var w withdrawn
	if err != nil && errors.As(context.Cause(ctx), &w) {
		return errors.Join(w, err)
	}
	return err
}

// still asks policy about a prepared question again, as grant and person are now.
func (s *Service) still(ctx context.Context, p *prepared) error {
	return s.c.Desk.Store.View(ctx, func(tx *store.Tx) error { return s.stillIn(ctx, tx, p) })
}

func (s *Service) stillIn(ctx context.Context, tx *store.Tx, p *prepared) error {
	g, _, err := grant.Load(ctx, tx, p.grant.ID)
	if err != nil {
		return err
	}
	id, ok := s.c.People.Identity(p.id.Account)
	if !ok {
		return withdrawn{absent()}
	}
	q, err := s.asks(ctx, p, id, g)
	if err != nil {
		return err
	}
	d, err := s.c.Desk.Policy.Decide(ctx, q)
	if err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	if !d.Allow {
		return withdrawn{stopped(d)}
	}
	return nil
}

// stopped is a denial that came while a question was being answered.
func stopped(d policy.Decision) error {
	e := *problem.Denied(d)
	e.Text = policy.Text{ZH: "答复记录之前授权已被收回或暂停，查询已中止，预算已扣。" + e.Text.ZH, EN: "The right was withdrawn before the answer was on record: the query was stopped and its charge stays. " + e.Text.EN}
	return &e
}
