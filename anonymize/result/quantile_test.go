package result

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
)

// grow makes the tree of some values' exact counts.
func grow(shape plan.Tree, noise dp.Noise, fraction float64, values []int64) *tree {
	t := &tree{shape: shape, fraction: fraction, margins: map[margin]float64{}}
	for n := shape.Leaves; n > 1; n /= plan.Branch {
		t.levels, t.noise = append(t.levels, make([]int64, n)), append(t.noise, noise)
	}
	for _, x := range values {
		j := leafOf(shape, x)
		for level := range t.levels {
			t.levels[level][j>>(2*level)]++
		}
	}
	return t
}

func leafOf(s plan.Tree, x int64) int64 {
	if s.Exact() {
		return x - s.Lo
	}
	return (x - s.Lo) * s.Leaves / (s.Hi - s.Lo + 1)
}

// continuous is QUANTILE_CONT.
func continuous(values []int64, q float64) float64 {
	s := slices.Sorted(slices.Values(values))
	h := q * float64(len(s)-1)
	lo, hi := int(math.Floor(h)), int(math.Ceil(h))
	return float64(s[lo]) + (h-math.Floor(h))*float64(s[hi]-s[lo])
}

// TestQuantileOfExactCounts: without noise an exact leaf is a value v with #{x < v} ≤ qN ≤ #{x ≤ v}, a wide leaf holds one, and the interval holds
// QUANTILE_CONT and the point, whatever the values.
func TestQuantileOfExactCounts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		shape := plan.Tree{Leaves: []int64{4, 16, 64}[rapid.IntRange(0, 2).Draw(t, "leaves")], Lo: rapid.Int64Range(-50, 50).Draw(t, "lo")}
		shape.Hi = shape.Lo + rapid.Int64Range(0, 300).Draw(t, "width")
		values := rapid.SliceOfN(rapid.Int64Range(shape.Lo, shape.Hi), 1, 200).Draw(t, "values")
		q := rapid.Float64Range(0.01, 0.99).Draw(t, "q")
		tr := grow(shape, dp.Noise{Kind: dp.Laplace, Scale: 0.01}, q, values)
		point, exact := tr.point(), continuous(values, q)
		lo, hi := tr.interval(Level)
		if point < lo || point > hi || exact < lo-1e-9 || exact > hi+1e-9 {
			t.Fatalf("point %v, exact %v, interval %v..%v", point, exact, lo, hi)
		}
		below, upTo := 0.0, 0.0 // rows below the point's leaf, and up to its end
		n := float64(len(values))
		for _, x := range values {
			if shape.Exact() {
				below, upTo = below+count(float64(x) < point), upTo+count(float64(x) <= point)
				continue
			}
			width := float64(shape.Hi-shape.Lo+1) / float64(shape.Leaves)
			below, upTo = below+count(float64(x) <= point-width-1), upTo+count(float64(x) <= point+width+1)
		}
		if below > q*n+1e-9 || upTo < q*n-1e-9 {
			t.Fatalf("%v of %v values below %v, %v up to it, q %v", below, n, point, upTo, q)
		}
	})
}

func count(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// TestEdges: the sums over few nodes are the sums over the leaves, and name the noises that are in them.
func TestEdges(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		shape := plan.Tree{Leaves: 64, Hi: 63}
		values := rapid.SliceOf(rapid.Int64Range(0, 63)).Draw(t, "values")
		q := rapid.Float64Range(0, 1).Draw(t, "q")
		tr := grow(shape, dp.Noise{Kind: dp.Gaussian, Scale: 1}, q, values)
		for i := range tr.noise { // every level has its own
			tr.noise[i].Scale = float64(i + 1)
		}
		d := tr.edges()
		for j := range int64(65) {
			want := -q * float64(len(values))
			for _, x := range values {
				want += count(x < j)
			}
			if math.Abs(d[j]-want) > 1e-9 {
				t.Fatalf("edge %d is %v, not %v", j, d[j], want)
			}
			m, rows := tr.noises(j, Level), int64(0)
			for at, n := range m.nodes {
				rows += int64(n) << (2 * at)
			}
			if rows += int64(m.top) << 4; rows != j {
				t.Fatalf("edge %d counts %d leaves", j, rows)
			}
		}
	})
}

// shapes of data over 0..hi.
func shapes(hi int64) map[string][]int64 {
	out := map[string][]int64{"uniform": nil, "a point": slices.Repeat([]int64{hi / 3}, 3000), "few": {1, hi / 2, hi}}
	for i := range int64(6000) {
		out["uniform"] = append(out["uniform"], i*(hi+1)/6000)
		out["two points"] = append(out["two points"], []int64{hi / 4, 3 * hi / 4}[i%2])
		out["at the end"] = append(out["at the end"], hi)
		out["at the start"] = append(out["at the start"], 0)
		out["skewed"] = append(out["skewed"], hi*i/6000*i/6000*i/6000)
	}
	return out
}

// coverage draws noisy trees and counts how often the interval holds QUANTILE_CONT; width is the mean width of the intervals, need what the noise
// of the edges at the exact quantile takes: the stretch where |D| is within twice its margin, and a leaf on each side.
func coverage(shape plan.Tree, claimed dp.Noise, loud float64, q float64, values []int64, runs int) (hits int, width, need float64) {
	exact := grow(shape, claimed, q, values)
	noisy := grow(shape, claimed, q, nil)
	noisy.margins = exact.margins
	truth := continuous(values, q)
	random := rand.New(rand.NewPCG(11, 13)) // a test's noise, not an answer's
	for range runs {
		for level := range noisy.levels {
			for i, n := range exact.levels[level] {
				noisy.levels[level][i] = n + int64(math.Round(loud*draw(random, claimed)))
			}
		}
		lo, hi := noisy.interval(Level)
		width += (hi - lo) / float64(runs)
		if lo-1e-9 <= truth && truth <= hi+1e-9 {
			hits++
		}
		if p := noisy.point(); p < lo || p > hi {
			return 0, 0, 0
		}
	}
	first, last := shape.Leaves, int64(0)
	for j, d := range exact.edges() {
		if math.Abs(d) <= 2*exact.margin(int64(j), Level) {
			first, last = min(first, int64(j)), max(last, int64(j))
		}
	}
	first, last = min(first, leafOf(shape, int64(truth))), max(last, leafOf(shape, int64(truth)))
	return hits, width, exact.at(float64(last+1)) - exact.at(float64(max(0, first-1)))
}

func draw(random *rand.Rand, n dp.Noise) float64 {
	if n.Kind == dp.Gaussian {
		return n.Scale * random.NormFloat64()
	}
	return n.Scale * random.ExpFloat64() * float64(2*random.IntN(2)-1)
}

// enough is the least number of hits that passes: with exactly the level each of the 140 cases fails with probability below 7e-6 (4.35 standard
// deviations), all together below 0.001; the seed is fixed besides.
func enough(runs int) int {
	n := float64(runs)
	return int(Level*n - 4.35*math.Sqrt(n*Level*(1-Level)))
}

func TestQuantileCoverage(t *testing.T) {
	t.Parallel()
	quantileCoverage(t, 400)
}

func quantileCoverage(t *testing.T, runs int) {
	t.Helper()
	for _, noise := range []dp.Noise{{Kind: dp.Gaussian, Scale: 60}, {Kind: dp.Laplace, Scale: 40}} {
		for _, shape := range []plan.Tree{{Leaves: 64, Hi: 63}, {Leaves: 64, Hi: 4999}} {
			t.Run(fmt.Sprintf("kind %d, up to %d", noise.Kind, shape.Hi), func(t *testing.T) {
				t.Parallel()
				loud := 0
				for name, values := range shapes(shape.Hi) {
					for _, q := range []float64{0.01, 0.25, 0.5, 0.9, 0.99} {
						hits, width, need := coverage(shape, noise, 1, q, values, runs)
						if hits < enough(runs) {
							t.Errorf("%s, q %v: held %d of %d", name, q, hits, runs)
						}
						if width > need {
							t.Errorf("%s, q %v: %.1f wide, the noise needs %.1f", name, q, width, need)
						}
						if hits, _, _ := coverage(shape, noise, 2, q, values, runs); hits < enough(runs) {
							loud++
						}
					}
				}
				if loud == 0 {
					t.Error("twice the noise passes everywhere: the test has no power")
				}
			})
		}
	}
}

// TestQuantileOfNothing: a group without rows has an interval of all values, whatever is asked, most of the time, and a point inside it always.
func TestQuantileOfNothing(t *testing.T) {
	t.Parallel()
	shape := plan.Tree{Leaves: 64, Hi: 63}
	noisy := grow(shape, dp.Noise{Kind: dp.Gaussian, Scale: 60}, 0.5, nil)
	random := rand.New(rand.NewPCG(1, 2))
	wide := 0
	for range 500 {
		for level := range noisy.levels {
			for i := range noisy.levels[level] {
				noisy.levels[level][i] = int64(math.Round(draw(random, noisy.noise[level])))
			}
		}
		lo, hi := noisy.interval(Level)
		if p := noisy.point(); p < lo || p > hi || lo < 0 || hi > 63 {
			t.Fatalf("%v in %v..%v", p, lo, hi)
		}
		if hi-lo > 50 {
			wide++
		}
	}
	if wide < 400 {
		t.Errorf("wide %d times of 500", wide)
	}
}

// TestMonotone: pooling gives the nearest non-decreasing sequence: blocks of equal numbers that keep their means.
func TestMonotone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.SliceOfN(rapid.Float64Range(-100, 100), 1, 40).Draw(t, "d")
		was := slices.Clone(d)
		monotone(d)
		if !slices.IsSorted(d) {
			t.Fatalf("%v", d)
		}
		for from := 0; from < len(d); {
			to, sum, head := from, 0.0, 0.0
			for ; to < len(d) && d[to] == d[from]; to++ {
				sum += was[to]
				head = sum / float64(to-from+1)
				if head < d[from]-1e-9 {
					t.Fatalf("a block's start is below its mean: %v of %v", d, was)
				}
			}
			if math.Abs(head-d[from]) > 1e-9 {
				t.Fatalf("a block is not its mean: %v of %v", d, was)
			}
			from = to
		}
	})
}

func BenchmarkQuantile(b *testing.B) {
	for _, c := range []struct {
		name   string
		noise  dp.Noise
		leaves int64
		groups int
	}{
		{"gaussian/4096 leaves", dp.Noise{Kind: dp.Gaussian, Scale: 60}, 4096, 1}, {"laplace/4096 leaves", dp.Noise{Kind: dp.Laplace, Scale: 40}, 4096, 1},
		{"gaussian/40 groups of 256", dp.Noise{Kind: dp.Gaussian, Scale: 60}, 256, 40}, {"laplace/40 groups of 256", dp.Noise{Kind: dp.Laplace, Scale: 40}, 256, 40},
	} {
		b.Run(c.name, func(b *testing.B) {
			shape := plan.Tree{Leaves: c.leaves, Hi: 100_000}
			values := shapes(100_000)["uniform"]
			for b.Loop() {
				margins := map[margin]float64{} // of one answer
				tr := grow(shape, c.noise, 0.5, values)
				for range c.groups {
					tr.margins = margins
					tr.point()
					tr.interval(Level)
				}
			}
		})
	}
}
