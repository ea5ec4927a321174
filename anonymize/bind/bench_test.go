package bind_test

import "testing"

// BenchmarkBindBuild measures a tree to a plan, over all accepted statements of the corpus.
func BenchmarkBindBuild(b *testing.B) {
	var accepted []corpusLine
	for _, l := range corpus(b) {
		if l.Code == "accept" {
			accepted = append(accepted, l)
		}
	}
	for i := 0; b.Loop(); i++ {
		if _, r := build(accepted[i%len(accepted)]); r != nil {
			b.Fatal(r)
		}
	}
}
