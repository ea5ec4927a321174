package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"carrel/broker/job"
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

	// Two steps with SQL above them, and the same numbers as one step that needs none.
	aboveAsks   = 50
	targetAbove = 100 // ms more
	aboveSQL    = `WITH stays AS (SELECT department, COUNT(*) AS n FROM encounter GROUP BY department),
		money AS (SELECT department, SUM(total_cost) AS cost FROM encounter GROUP BY department)
		SELECT department, n, cost / n AS each, rank() OVER (ORDER BY cost DESC) AS place FROM stays JOIN money USING (department) ORDER BY place`
	belowSQL = "SELECT department, COUNT(*) AS n, SUM(total_cost) AS cost FROM encounter GROUP BY department"
)

// fixed measures what an answer costs when the data cost nothing: one client after the other, then thirty-two at once. The lists of a large
// city, which cost as little, come last.
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
		err = b.above(ctx, c, d)
	}
	if err == nil {
		err = b.planning(ctx, d)
	}
	if err == nil {
		err = d.settle(ctx)
	}
	if err = errors.Join(err, d.Close()); err != nil {
		return err
	}
	return b.lists(ctx)
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

// above measures what SQL above the measure steps adds until the answer is there: a view that is looked at before the charge, and one over the
// noised tables after it, each in a child of its own.
func (b *bench) above(ctx context.Context, c city, d *desk) error {
	var with, without []float64
	for i := range aboveAsks + 3 {
		_, below, _, err := d.timed(ctx, job.Ask{SQL: belowSQL, Epsilon: smallE})
		if err != nil {
			return err
		}
		_, above, _, err := d.timed(ctx, job.Ask{SQL: aboveSQL, Epsilon: smallE})
		if err != nil {
			return fmt.Errorf("SQL above two steps: %w", err)
		}
		if i >= 3 {
			with, without = append(with, ms(above)), append(without, ms(below))
		}
	}
	return errors.Join(
		b.print(line{Bench: "fixed", Case: "sql-above/p50", Rows: c.rows, Ours: median(with), Base: median(without), Note: "two steps with SQL above; base: the same numbers as one step"}),
		b.print(line{Bench: "fixed", Case: "sql-above/added", Rows: c.rows, Value: median(with) - median(without), Unit: "ms", Target: targetAbove, Better: "lower"}),
	)
}
