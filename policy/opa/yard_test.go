package opa

import (
	"context"
	"slices"
	"testing"
	"time"

	"carrel/policy/opa/yardstick"
)

// BenchmarkSizes asks questions of real size, each as if for the first time, beside the least that OPA can do.
func BenchmarkSizes(b *testing.B) {
	d := decider(b, WithMemory(0))
	bare, err := yardstick.NewBare(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	run := func(name string, f func() error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			took := make([]time.Duration, 0, b.N)
			for b.Loop() {
				start := time.Now()
				if err := f(); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
	run("bare", func() error { return bare.Decide(context.Background()) })
	for _, q := range yardstick.Questions() {
		run(q.Name, func() error { _, err := d.Decide(context.Background(), q.Question); return err })
	}
	kept := decider(b)
	run("asked-again", func() error {
		_, err := kept.Decide(context.Background(), yardstick.Questions()[0].Question)
		return err
	})
}

// TestDay: a day's questions are answered, the denied ones denied, and one of six is new, which is what makes the bench a day.
func TestDay(t *testing.T) {
	t.Parallel()
	d := decider(t)
	denied, questions := 0, map[string]bool{}
	day := yardstick.Day()
	for _, q := range day {
		decision, err := d.Decide(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if !decision.Allow {
			denied++
		}
		questions[decision.Input] = true
	}
	if len(day) != 1000 || denied < 280 || denied > 320 || len(questions) < 150 || len(questions) > 165 {
		t.Errorf("%d questions, %d of them different, %d denied", len(day), len(questions), denied)
	}
}
