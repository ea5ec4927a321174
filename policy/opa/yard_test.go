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
