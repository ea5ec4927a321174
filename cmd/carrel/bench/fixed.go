package main

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	smallRows   = 10_000
	fixedAsks   = 200
	clients     = 32
	clientAsks  = 40
	targetFixed = 15  // ms
	targetRules = 1   // ms
	targetRate  = 200 // answers a second
	smallSQL    = "SELECT department, COUNT(*) AS n FROM encounter GROUP BY department"
	smallE      = 0.005
)

// fixed measures what an answer costs when the data cost nothing: one client after the other, then thirty-two at once.
func (b *bench) fixed(ctx context.Context) error {
	c, err := b.city(ctx, smallRows)
	if err != nil {
		return err
	}
	d, err := b.sit(ctx, c, nil)
	if err != nil {
		return err
	}
	err = b.oneByOne(ctx, c, d)
	if err == nil {
		err = b.together(ctx, c, d)
	}
	if err == nil {
		err = b.planning(ctx, d)
	}
	if err == nil {
		err = d.settle(ctx)
	}
	return errors.Join(err, d.Close())
}

func (b *bench) oneByOne(ctx context.Context, c city, d *desk) error {
	var whole, rules []float64
	for i := range fixedAsks + 10 {
		d.policy.Store(0)
		took, _, err := d.ask(ctx, smallSQL, smallE)
		if err != nil {
			return err
		}
		if i >= 10 {
			whole, rules = append(whole, ms(took)), append(rules, ms(time.Duration(d.policy.Load())))
		}
	}
	return errors.Join(
		b.print(line{Bench: "fixed", Case: "answer/p50", Rows: c.rows, Ours: median(whole), Target: targetFixed, Better: "lower"}),
		b.print(line{Bench: "fixed", Case: "answer/p99", Rows: c.rows, Ours: quantile(whole, 0.99)}),
		b.print(line{Bench: "fixed", Case: "policy/p50", Rows: c.rows, Ours: median(rules), Target: targetRules, Better: "lower", Note: "all decisions of one answer together"}),
		b.print(line{Bench: "fixed", Case: "policy/p99", Rows: c.rows, Ours: quantile(rules, 0.99)}),
	)
}

// together lets thirty-two clients of one grant ask as fast as they are answered, the grid of times included.
func (b *bench) together(ctx context.Context, c city, d *desk) error {
	var mu sync.Mutex
	var wg sync.WaitGroup
	var times []float64
	var failed error
	start := time.Now()
	for range clients {
		wg.Go(func() {
			for range clientAsks {
				took, _, err := d.ask(ctx, smallSQL, smallE)
				mu.Lock()
				times, failed = append(times, ms(took)), errors.Join(failed, err)
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	if failed != nil {
		return failed
	}
	rate := float64(len(times)) / time.Since(start).Seconds()
	return errors.Join(
		b.print(line{Bench: "fixed", Case: "thirty-two-clients/rate", Rows: c.rows, Value: rate, Unit: "answers/s", Target: targetRate, Better: "higher"}),
		b.print(line{Bench: "fixed", Case: "thirty-two-clients/p50", Rows: c.rows, Ours: median(times)}),
		b.print(line{Bench: "fixed", Case: "thirty-two-clients/p99", Rows: c.rows, Ours: quantile(times, 0.99)}),
	)
}
