package dp

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// drawWants is a list as plans make it: some grouping sets, each with numbers and trees.
func drawWants(t *rapid.T) []Want {
	var out []Want
	for range rapid.IntRange(1, 4).Draw(t, "sets") {
		groups := rapid.SampledFrom([]int64{1, 2, 12, 500, 10_000}).Draw(t, "groups")
		plain := Want{Measure: "m", Sensitivity: 40, Rows: 4, Cells: groups, Groups: groups}
		plain.Spare = rapid.Bool().Draw(t, "spare")
		out = append(out, plain)
		plain.Spare = false
		for range rapid.IntRange(0, 3).Draw(t, "numbers") {
			out = append(out, plain)
		}
		levels := rapid.Int64Range(0, 5).Draw(t, "levels")
		for level := range levels {
			out = append(out, Want{Measure: "m", Sensitivity: 4, Rows: 4, Cells: min(groups<<(2*(level+1)), maxCells), Groups: groups, Levels: levels})
		}
	}
	return out
}

// equal is the same list with nothing that shares go by.
func equal(wants []Want) []Want {
	out := slices.Clone(wants)
	for i := range out {
		out[i].Groups, out[i].Levels, out[i].Spare = 1, 0, false
	}
	return out
}

// TestSharesAreTheLeastSum: shares add up to 1, none of a number that is used is below its floor, and moving some from one to another, both above
// the floor afterwards, never makes the sum of relative variances smaller.
func TestSharesAreTheLeastSum(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		wants := drawWants(t)
		p := rapid.SampledFrom([]float64{1, 2}).Draw(t, "p")
		got := shares(p, wants)
		n := float64(len(wants))
		floor := math.Pow(MostWorse, -2/p) / n
		sum, used := 0.0, []int{}
		for i, s := range got {
			sum += s
			if !wants[i].Spare {
				used = append(used, i)
			}
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Fatalf("shares add up to %v", sum)
		}
		if len(used) == 0 {
			return
		}
		for _, i := range used {
			if got[i] < floor*(1-1e-9) {
				t.Fatalf("share %d is %v, the floor %v", i, got[i], floor)
			}
		}
		from, to := rapid.SampledFrom(used).Draw(t, "from"), rapid.SampledFrom(used).Draw(t, "to")
		by := (got[from] - floor) * rapid.Float64Range(0, 1).Draw(t, "part")
		if from == to || by <= 0 {
			return
		}
		loss := func(i int, x float64) float64 { return math.Pow(wants[i].need(p), p+1) / math.Pow(x, p) }
		before := loss(from, got[from]) + loss(to, got[to])
		if after := loss(from, got[from]-by) + loss(to, got[to]+by); after < before*(1-1e-9) {
			t.Fatalf("moving %v from %d to %d: %v, then %v", by, from, to, before, after)
		}
	})
}

// noiseOf is the standard deviation of a draw.
func noiseOf(m Mechanism) float64 {
	if m.Kind == Gaussian {
		return m.Sigma
	}
	return math.Sqrt2 * float64(m.Sensitivity) / m.Epsilon
}

// TestNobodyPaysMoreThanStated: against equal shares no number has more than MostWorse times the noise, under each accounting, with joint prices too; and
// the price stays within the same budget.
func TestNobodyPaysMoreThanStated(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		wants := drawWants(t)
		a := rapid.SampledFrom([]Accounting{ZCDP, Basic}).Draw(t, "accounting")
		epsilon := rapid.SampledFrom([]float64{0.1, 1, 10}).Draw(t, "epsilon")
		rootDelta := rapid.SampledFrom([]float64{1e-6, 1e-4}).Draw(t, "delta")
		list, err := Design(a, epsilon, rootDelta, 1e-9, wants)
		if err != nil {
			t.Fatal(err)
		}
		was, err := Design(a, epsilon, rootDelta, 1e-9, equal(wants))
		if err != nil {
			t.Fatal(err)
		}
		for i := range list {
			if worse := noiseOf(list[i]) / noiseOf(was[i]); !wants[i].Spare && worse > MostWorse*1.005 {
				t.Fatalf("number %d of %d has %v times the noise", i, len(list), worse)
			}
		}
		cost, err := Price(a, rootDelta, list)
		if err != nil || cost.Units > Budget(a, epsilon, rootDelta).Units {
			t.Fatalf("%+v, %v: more than asked", cost, err)
		}
	})
}

// TestTypicalShares is the expected noise of what is asked most, over that of equal shares: a count, a sum and a median by key of 12 with their
// totals.
func TestTypicalShares(t *testing.T) {
	t.Parallel()
	var wants []Want
	for _, groups := range []int64{12, 1} {
		for range 2 {
			wants = append(wants, Want{Measure: "m", Sensitivity: 40, Rows: 4, Cells: groups, Groups: groups})
		}
		for level := range int64(5) {
			wants = append(wants, Want{Measure: "m", Sensitivity: 4, Rows: 4, Cells: groups << (2*level + 2), Groups: groups, Levels: 5})
		}
	}
	for _, c := range []struct {
		a             Accounting
		rootDelta     float64
		byKey, others float64
	}{{ZCDP, 1e-6, 0.563, 1.25}, {Basic, 1e-6, 0.455, 1.25}, {Basic, 1e-3, 0.563, 1.25}} { // the last one has Gaussians with a joint price
		list, err := Design(c.a, 1, c.rootDelta, 1e-9, wants)
		if err != nil {
			t.Fatal(err)
		}
		was, err := Design(c.a, 1, c.rootDelta, 1e-9, equal(wants))
		if err != nil {
			t.Fatal(err)
		}
		for at, want := range map[int]float64{0: c.byKey, 1: c.byKey, 2: c.others, 6: c.others, 7: c.others, 9: c.others} {
			if got := noiseOf(list[at]) / noiseOf(was[at]); math.Abs(got-want) > 0.001 {
				t.Errorf("%s, δ %g: number %d has %.3f times the noise, not %.3f", c.a, c.rootDelta, at, got, want)
			}
		}
	}
}

// TestSpareNumbersCostLittle: what nothing is made of leaves the budget to a median's tree.
func TestSpareNumbersCostLittle(t *testing.T) {
	t.Parallel()
	wants := []Want{{Measure: "m", Sensitivity: 4, Rows: 4, Cells: 1, Groups: 1, Spare: true}}
	for range 5 {
		wants = append(wants, Want{Measure: "m", Sensitivity: 4, Rows: 4, Cells: 4, Groups: 1, Levels: 5})
	}
	list := design(t, ZCDP, 1, wants...)
	alone := design(t, ZCDP, 1, wants[1:]...)
	if got := noiseOf(list[1]) / noiseOf(alone[0]); got > 1.002 {
		t.Errorf("%v times the noise of the tree alone", got)
	}
	if only := design(t, ZCDP, 1, wants[0]); noiseOf(only[0]) > 1.01*noiseOf(design(t, ZCDP, 1, want(4))[0]) {
		t.Error("a list of one spare number has not the whole budget")
	}
}

func BenchmarkDesignOfSets(b *testing.B) {
	var wants []Want
	for _, groups := range []int64{500, 40, 12, 1} {
		for range 3 {
			wants = append(wants, Want{Measure: "m", Sensitivity: 40, Rows: 4, Cells: groups, Groups: groups})
		}
		for range 4 {
			wants = append(wants, Want{Measure: "m", Sensitivity: 4, Rows: 4, Cells: groups, Groups: groups, Levels: 4})
		}
	}
	for b.Loop() {
		_, _ = Design(Basic, 1, 1e-6, 1e-9, wants)
	}
}

// TestTheKindIsTheCheaperOne: under ZCDP a Gaussian has less noise than a Laplace of the same charge, in standard deviation and in the half width of 95 %, for every
// ε that a list or a part of it may have and whatever the cells, since both are drawn cell by cell; so Design need not look. Under Basic, where a single Gaussian has no
// price, it is Laplace, but for long lists whose draws do not cost much.
func TestTheKindIsTheCheaperOne(t *testing.T) {
	t.Parallel()
	for epsilon := MinEpsilon; epsilon <= MaxEpsilon; epsilon *= 1.5 {
		for _, n := range []int{1, 7, 64} {
			g := design(t, ZCDP, epsilon, wants(n)...)[0]
			if g.Kind != Gaussian {
				t.Fatal(g.Kind)
			}
			l := Mechanism{Measure: "m", Kind: Laplace, Sensitivity: g.Sensitivity, Rows: g.Rows, Cells: g.Cells, Epsilon: g.Epsilon} // ε²/2 is the same ρ
			if noiseOf(g) > 0.72*noiseOf(l) {
				t.Errorf("ε %g of %d: Gaussian %v, Laplace %v", epsilon, n, noiseOf(g), noiseOf(l))
			}
			wide := func(m Mechanism) float64 {
				lo, hi := LinearInterval([]Noise{NoiseOf(m, 0)}, 0, []Term{{1, 0}}, 0.95)
				return hi - lo
			}
			if wide(g) > wide(l) {
				t.Errorf("ε %g of %d: Gaussian ± %v, Laplace ± %v", epsilon, n, wide(g)/2, wide(l)/2)
			}
			kind, b := Laplace, design(t, Basic, epsilon, wants(n)...)[0]
			if affordable := 4*640*math.Exp2(-40) <= epsilon*1e-6/ListSpread; n == 64 && affordable {
				kind = Gaussian
				parts := multiples(wants(n))
				l.Epsilon = parts[0] * jointPart(epsilon, 1e-6/ListSpread, parts, make([]int64, n))
				if noiseOf(b) > 0.8*noiseOf(l) {
					t.Errorf("ε %g of %d under basic: Gaussian %v, Laplace %v", epsilon, n, noiseOf(b), noiseOf(l))
				}
			}
			if b.Kind != kind {
				t.Errorf("ε %g of %d under basic: kind %d", epsilon, n, b.Kind)
			}
		}
	}
}
