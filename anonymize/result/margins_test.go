package result

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// some sets of keys, as bits.
var familiesOfSets = map[string][]uint{
	"one": {0b11}, "total": {0b1, 0}, "rollup": {0b111, 0b11, 0b1, 0}, "cube": {0b11, 0b10, 0b01, 0}, "cube of three": {7, 6, 5, 4, 3, 2, 1, 0},
	"disjoint": {0b01, 0b10}, "chain of pairs": {0b011, 0b110}, "pairs": {0b011, 0b110, 0b101}, "no total": {0b111, 0b011, 0b110},
}

func drawTables(t *rapid.T, names ...string) []*table {
	s := newSizes(rapid.IntRange(1, 4).Draw(t, "a"), rapid.IntRange(1, 3).Draw(t, "b"), rapid.IntRange(1, 3).Draw(t, "c"))
	var out []*table
	for _, keys := range familiesOfSets[rapid.SampledFrom(names).Draw(t, "sets")] {
		one := &table{keys: keys, sizes: s, noise: rapid.Float64Range(0.1, 10).Draw(t, "variance")}
		one.x = rapid.SliceOfN(rapid.Float64Range(-100, 100), s.cells(keys), s.cells(keys)).Draw(t, "x")
		out = append(out, one)
	}
	return out
}

// solve is the least squares of all cells by normal equations, with the least norm where they leave something open: an independent way to what
// reconcile does.
func solve(tables []*table) [][]float64 {
	s := tables[0].sizes
	n := s.cells(7)
	a, y := make([][]float64, n), make([]float64, n)
	for i := range a {
		a[i] = make([]float64, n)
		a[i][i] = 1e-9 // of the norm
	}
	for _, t := range tables {
		in := s.within(7, t.keys)
		for i := range n {
			y[i] += t.x[in[i]] / t.noise
			for j := range n {
				if in[i] == in[j] {
					a[i][j] += 1 / t.noise
				}
			}
		}
	}
	for i := range n { // Gauss and Jordan
		p := i
		for j := i; j < n; j++ {
			if math.Abs(a[j][i]) > math.Abs(a[p][i]) {
				p = j
			}
		}
		a[i], a[p], y[i], y[p] = a[p], a[i], y[p], y[i]
		for j := range n {
			if k := a[j][i] / a[i][i]; j != i && k != 0 {
				for l := i; l < n; l++ {
					a[j][l] -= k * a[i][l]
				}
				y[j] -= k * y[i]
			}
		}
	}
	all := &table{keys: 7, sizes: s, x: make([]float64, n)}
	for i := range n {
		all.x[i] = y[i] / a[i][i]
	}
	var out [][]float64
	for _, t := range tables {
		out = append(out, all.sum(t.keys))
	}
	return out
}

// TestReconcileIsLeastSquares: the closed form is the solution of the normal equations, for any sets of keys and any variances.
func TestReconcileIsLeastSquares(t *testing.T) {
	t.Parallel()
	names := slices.Sorted(func(yield func(string) bool) {
		for n := range familiesOfSets {
			if !yield(n) {
				return
			}
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		tables := drawTables(t, names...)
		want := solve(tables)
		reconcile(tables)
		for i := range tables {
			for j := range want[i] {
				if math.Abs(tables[i].x[j]-want[i][j]) > 1e-4 {
					t.Fatalf("set %b: %v, not %v", tables[i].keys, tables[i].x, want[i])
				}
			}
		}
	})
}

// TestReconcileIsUnbiasedAndBetter: over many draws the mean of each number is the exact one, and no number has more variance than its own noise; the total of
// parts that are known well has far less.
func TestReconcileIsUnbiasedAndBetter(t *testing.T) {
	t.Parallel()
	const runs = 4000
	s := newSizes(4, 3, 2)
	exact := &table{keys: 7, sizes: s}
	for i := range s.cells(7) {
		exact.x = append(exact.x, float64(100*i))
	}
	for _, name := range []string{"rollup", "cube of three", "pairs"} {
		random := rand.New(rand.NewPCG(1, 3)) // a test's noise, not an answer's
		var sum, square [][]float64
		noise := []float64{1, 4, 100, 400, 9, 1, 25, 2}
		for run := range runs {
			var tables []*table
			for i, keys := range familiesOfSets[name] {
				one := &table{keys: keys, sizes: s, x: exact.sum(keys), noise: noise[i]}
				for j := range one.x {
					one.x[j] += math.Sqrt(noise[i]) * random.NormFloat64()
				}
				tables = append(tables, one)
				if run == 0 {
					sum, square = append(sum, make([]float64, len(one.x))), append(square, make([]float64, len(one.x)))
				}
			}
			reconcile(tables)
			for i, one := range tables {
				for j, x := range exact.sum(one.keys) {
					sum[i][j] += (one.x[j] - x) / runs
					square[i][j] += (one.x[j] - x) * (one.x[j] - x) / runs
				}
			}
		}
		for i := range sum {
			for j := range sum[i] {
				if math.Abs(sum[i][j]) > 4.5*math.Sqrt(square[i][j]/runs) {
					t.Errorf("%s, set %d, cell %d: off by %v on average", name, i, j, sum[i][j])
				}
				if square[i][j] > noise[i]*1.12 { // 5 standard deviations of a variance of 4,000 draws
					t.Errorf("%s, set %d, cell %d: variance %v, its own noise has %v", name, i, j, square[i][j], noise[i])
				}
			}
		}
		if last := len(sum) - 1; name == "rollup" && square[last][0] > 24*1.12 {
			t.Errorf("the total's variance is %v; the sum of 24 parts has 24", square[last][0])
		}
	}
}

// TestFitIsPossibleAndAgrees: counts are not below 0, not above the rows of their cell, and sums of their parts; whole, and a total changes by rounding alone, where no
// set has two coarser ones.
func TestFitIsPossibleAndAgrees(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"one", "total", "rollup", "cube", "cube of three", "disjoint", "chain of pairs", "pairs", "no total"}).Draw(t, "name")
		tables := drawTables(t, name)
		some := make([]*table, len(tables))
		for i, one := range tables {
			c := *one
			c.x = slices.Clone(one.x)
			for j := range c.x {
				c.x[j] = c.x[j]/2 + rapid.Float64Range(-50, 50).Draw(t, "some")
			}
			some[i] = &c
		}
		reconcile(tables)
		reconcile(some)
		before := slices.Clone(tables[len(tables)-1].x)
		all := newFamily(tables, nil)
		ok := all.fit()
		part := newFamily(some, all)
		ok = part.fit() && ok
		if !ok {
			if name != "pairs" {
				t.Fatalf("%s cannot be made to agree", name)
			}
			return
		}
		for _, f := range []*family{all, part} {
			for _, set := range f.sets {
				one, up := f.at[set], f.limits(set)
				for i, x := range one.x {
					if x < 0 || x > up[i]+1e-4 || f.whole && x != math.Trunc(x) {
						t.Fatalf("%s, set %b: %v of %v", name, set, one.x, up)
					}
				}
				for _, over := range f.coarser(set) {
					for i, x := range one.sum(over) {
						if math.Abs(x-f.at[over].x[i]) > 1e-4 || f.whole && x != f.at[over].x[i] {
							t.Fatalf("%s: %b is %v, its parts %v", name, over, f.at[over].x, one.sum(over))
						}
					}
				}
			}
		}
		if len(before) == 1 && (name == "total" || name == "rollup") && math.Abs(tables[len(tables)-1].x[0]-math.Max(0, before[0])) > 0.5 {
			t.Fatalf("the total was %v, is %v", before[0], tables[len(tables)-1].x[0])
		}
	})
}

// TestBoxedIsTheNearest: of all points in the box with the sum none that is tried is nearer.
func TestBoxedIsTheNearest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "n")
		up := rapid.SliceOfN(rapid.Float64Range(0, 50), n, n).Draw(t, "up")
		x := rapid.SliceOfN(rapid.Float64Range(-60, 60), n, n).Draw(t, "x")
		other, sum := make([]float64, n), 0.0
		for i := range other {
			other[i] = up[i] * rapid.Float64Range(0, 1).Draw(t, "part")
			sum += other[i]
		}
		got, total := slices.Clone(x), 0.0
		boxed(got, up, sum)
		near, far := 0.0, 0.0
		for i := range got {
			if got[i] < 0 || got[i] > up[i] {
				t.Fatalf("%v is outside of %v", got, up)
			}
			total += got[i]
			near, far = near+(got[i]-x[i])*(got[i]-x[i]), far+(other[i]-x[i])*(other[i]-x[i])
		}
		if math.Abs(total-sum) > 1e-6 || near > far+1e-6 {
			t.Fatalf("%v for %v: sum %v, not %v; %v away, %v is %v", got, x, total, sum, near, other, far)
		}
	})
}

// TestWithin: the cells of a margin are those with the same members.
func TestWithin(t *testing.T) {
	t.Parallel()
	s := newSizes(4, 3, 2)
	for keys := range uint(8) {
		for some := range uint(8) {
			if some&keys != some {
				continue
			}
			for i, at := range s.within(keys, some) {
				if want := cell(s, some, members(s, keys, i)); at != want {
					t.Fatalf("%b in %b: %d is in %d, not %d", keys, some, i, at, want)
				}
			}
		}
	}
}

// members and cell are the same numbering, written down the long way.
func members(s *sizes, keys uint, i int) (out [3]int) {
	for k := 2; k >= 0; k-- {
		if keys>>k&1 == 1 {
			out[k] = i % s.of[k]
			i /= s.of[k]
		}
	}
	return out
}

func cell(s *sizes, keys uint, m [3]int) (i int) {
	for k := range 3 {
		if keys>>k&1 == 1 {
			i = i*s.of[k] + m[k]
		}
	}
	return i
}

func BenchmarkReconcile(b *testing.B) {
	for _, name := range []string{"rollup", "cube of three"} {
		b.Run(name, func(b *testing.B) {
			s := newSizes(40, 20, 20)
			random := rand.New(rand.NewPCG(1, 3))
			var tables []*table
			for _, keys := range familiesOfSets[name] {
				one := &table{keys: keys, sizes: s, noise: 400, x: make([]float64, s.cells(keys))}
				for i := range one.x {
					one.x[i] = 20*random.NormFloat64() + 10*float64(i%7)*float64(int(1)<<(4*(3-bits.OnesCount(keys))))
				}
				tables = append(tables, one)
			}
			b.Log(fmt.Sprint(s.cells(7)), "cells")
			for b.Loop() {
				var now []*table
				for _, t := range tables {
					c := *t
					c.x = slices.Clone(t.x)
					now = append(now, &c)
				}
				reconcile(now)
				newFamily(now, nil).fit()
			}
		})
	}
}
