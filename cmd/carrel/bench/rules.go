package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"carrel/policies"
	"carrel/policy"
	"carrel/policy/opa"
	"carrel/policy/opa/yardstick"
)

const (
	rulesAsks       = 1000
	targetDecision  = 0.4 // ms, median
	targetDecision9 = 1.5 // ms, of a hundred the slowest
	replayDecisions = 100_000
	targetReplay    = 120 // s
	serverGarbage   = 400 // as carrel serve sets it
)

// rules measures one decision of each kind with inputs of real size and all rules loaded, asked as if for the first time, beside
// the least that OPA can do; then a day as it was counted, which is what the targets are for, and a replay of what was decided.
func (b *bench) rules(ctx context.Context) error {
	defer debug.SetGCPercent(debug.SetGCPercent(serverGarbage))
	least, err := yardstick.NewBare(ctx)
	if err != nil {
		return err
	}
	fresh, err := opa.New(policies.FS(), opa.WithMemory(0))
	if err != nil {
		return err
	}
	kept, err := opa.New(policies.FS())
	if err != nil {
		return err
	}
	alike := func(q policy.Question) func(int) policy.Question { return func(int) policy.Question { return q } }
	for _, q := range yardstick.Questions() {
		if err := b.decision(ctx, q.Name, fresh, alike(q.Question), least); err != nil {
			return err
		}
	}
	for _, q := range yardstick.Questions()[:2] {
		if err := b.decision(ctx, q.Name+"-again", kept, alike(q.Question), least); err != nil {
			return err
		}
	}
	day := yardstick.Day()
	if err := b.decision(ctx, "day", kept, func(i int) policy.Question { return day[i%len(day)] }, least); err != nil {
		return err
	}
	return b.replay(ctx)
}

// decision asks in turns with the least decision, so that both meet the same machine.
func (b *bench) decision(ctx context.Context, name string, d *opa.Decider, ask func(int) policy.Question, least *yardstick.Bare) error {
	var ours, base []float64
	for i := range rulesAsks + 20 {
		q := ask(i)
		start := time.Now()
		if _, err := d.Decide(ctx, q); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		took := time.Since(start)
		start = time.Now()
		if err := least.Decide(ctx); err != nil {
			return err
		}
		if i >= 20 {
			ours, base = append(ours, ms(took)), append(base, ms(time.Since(start)))
		}
	}
	return errors.Join(
		b.print(line{Bench: "rules", Case: name + "/p50", Ours: median(ours), Base: median(base), Ratio: median(ours) / median(base), Target: targetDecision, Better: "lower"}),
		b.print(line{Bench: "rules", Case: name + "/p99", Ours: quantile(ours, 0.99), Base: quantile(base, 0.99), Ratio: quantile(ours, 0.99) / quantile(base, 0.99), Target: targetDecision9, Better: "lower"}),
	)
}

// replay records decisions that all differ and asks them again, as a proposal of new rules does.
func (b *bench) replay(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "carrel-replay")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	record, err := opa.OpenRecorder(dir, 1, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	d, err := opa.New(policies.FS(), opa.WithMemory(0), opa.WithLog(record.Record))
	if err != nil {
		return err
	}
	if err := errors.Join(decideAll(ctx, d), record.Close()); err != nil {
		return err
	}
	lines, err := record.Recent()
	if err != nil {
		return err
	}
	defer func() { _ = lines.Close() }()
	again, err := opa.New(policies.FS())
	if err != nil {
		return err
	}
	start, before := time.Now(), processorTime()
	report, err := again.Replay(ctx, lines, nil)
	if err != nil {
		return err
	}
	took, used := time.Since(start), processorTime()-before
	if report.Same != replayDecisions {
		return fmt.Errorf("of %d decisions %d are the same", replayDecisions, report.Same)
	}
	return b.print(line{Bench: "rules", Case: "replay-100000", Value: took.Seconds(), Unit: "s", Target: targetReplay, Better: "lower",
		Note: fmt.Sprintf("%d processors, %.0f s of their time", runtime.NumCPU(), used.Seconds())})
}

// processorTime is what this process used so far: of a busy machine it tells more than the clock.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// decideAll decides the mix of a day, on all processors.
func decideAll(ctx context.Context, d *opa.Decider) error {
	n := runtime.NumCPU()
	failed := make([]error, n)
	var wg sync.WaitGroup
	for w := range n {
		wg.Go(func() {
			for i := w; i < replayDecisions && failed[w] == nil; i += n {
				_, failed[w] = d.Decide(ctx, yardstick.Mix(i))
			}
		})
	}
	wg.Wait()
	return errors.Join(failed...)
}
