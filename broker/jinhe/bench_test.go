package jinhe

import "testing"

// BenchmarkGenerate writes the source tables of 20,000 persons.
func BenchmarkGenerate(b *testing.B) {
	for b.Loop() {
		if err := Generate(b.Context(), Options{Persons: 20_000, Seed: 1, Dir: b.TempDir()}); err != nil {
			b.Fatal(err)
		}
	}
}
