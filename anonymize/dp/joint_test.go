package dp

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// wants is n measures alike.
func wants(n int) []Want {
	out := make([]Want, n)
	for i := range out {
		out[i] = Want{Measure: fmt.Sprint("m", i), Sensitivity: 40, Rows: 4, Cells: 10}
	}
	return out
}

// TestLongListsGetLessNoise: for the same ε each of many measures has less noise than its share of the sum would give; a list that could
// hardly gain keeps that share, and is pure.
func TestLongListsGetLessNoise(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n         int
		rootDelta float64
		gain      float64 // of a share's noise over what is drawn, in standard deviations
	}{{1, 1e-6, 1}, {16, 1e-6, 1}, {16, 1e-4, 1.39}, {16, 1e-3, 1.6}, {24, 1e-6, 1.4}, {32, 1e-6, 1.61}, {64, 1e-6, 2.28}, {256, 1e-6, 4.56}} {
		list, err := Design(Basic, 1, c.rootDelta, 1e-9, wants(c.n))
		if err != nil {
			t.Fatal(err)
		}
		cost, err := Price(Basic, c.rootDelta, list)
		if err != nil {
			t.Fatal(err)
		}
		share := Mechanism{Measure: "m", Kind: Laplace, Sensitivity: 40, Rows: 4, Cells: 10, Epsilon: 1 / float64(c.n)}
		gain := noiseOf(share) / noiseOf(list[0])
		t.Logf("%d measures, δ %g: noise %.3f times less; %+v", c.n, c.rootDelta, gain, cost)
		if gain < c.gain*(1-1e-6) || cost.Units > 1e9 || cost.Units < 0.999e9 {
			t.Errorf("%d measures at δ = %g: gain %g, cost %+v", c.n, c.rootDelta, gain, cost)
		}
		spent := int64(math.Ceil(c.rootDelta / ListSpread * float64(cost.Units) / 1e9 * (1 << 60)))
		if c.gain == 1 {
			spent = 0
		}
		if cost.Delta < spent || cost.Delta > spent+spent/1e9+1 {
			t.Errorf("%d measures at δ = %g spend %d of δ, not %d", c.n, c.rootDelta, cost.Delta, spent)
		}
	}
}

// TestJointDesignFits: designs of long lists cost what was asked, from the smallest ε to the largest, and nearly all of it.
func TestJointDesignFits(t *testing.T) {
	t.Parallel()
	for _, n := range []int{12, 19, 40, 300, maxWants} {
		for _, epsilon := range []float64{MinEpsilon, 0.1, 1, MaxEpsilon} {
			for _, delta := range []float64{1e-9, 1e-6, MaxDelta} {
				_, ok := joint(Basic, delta, n)
				if n == maxWants && delta != 1e-6 {
					continue
				}
				list, err := Design(Basic, epsilon, delta, 1e-9, wants(n))
				if err != nil {
					t.Fatal(err)
				}
				cost, err := Price(Basic, delta, list)
				if err != nil {
					t.Fatal(err)
				}
				if b := Budget(Basic, epsilon, delta); cost.Units > b.Units || ok && float64(cost.Units) < 0.999*float64(b.Units) {
					t.Errorf("%d measures at ε = %g, δ = %g cost %d of %d", n, epsilon, delta, cost.Units, b.Units)
				}
			}
		}
	}
}

// TestOnlyBasicIsJoint: under ZCDP a long list costs the sum of its mechanisms.
func TestOnlyBasicIsJoint(t *testing.T) {
	t.Parallel()
	list := append(design(t, ZCDP, 1, wants(64)...), design(t, Basic, 0.1, wants(1)...)...)
	got, err := Price(ZCDP, 1e-6, list)
	if err != nil {
		t.Fatal(err)
	}
	var sum Cost
	for _, m := range list {
		one, err := Price(ZCDP, 1e-6, []Mechanism{m})
		if err != nil {
			t.Fatal(err)
		}
		if sum, err = sum.Add(one); err != nil {
			t.Fatal(err)
		}
	}
	if got != sum {
		t.Errorf("the list costs %+v, its mechanisms %+v", got, sum)
	}
}

// joined is what a list costs under Basic.
func joined(t *testing.T, list []Mechanism) (epsilon, delta float64) {
	t.Helper()
	cost, err := Price(Basic, 1e-6, list)
	if err != nil {
		t.Fatal(err)
	}
	return float64(cost.Units) / 1e9, float64(cost.Delta) / (1 << 60)
}

// TestJointPriceHolds: at the ε priced, the δ of brute force (which rounds down) is within what is charged; and 1 % less ε would not do.
func TestJointPriceHolds(t *testing.T) {
	t.Parallel()
	for n, epsilon := range map[int]float64{19: 0.054, 24: 0.046, 32: 0.039} {
		list := make([]Mechanism, n)
		for i := range list {
			list[i] = Mechanism{Measure: "m", Kind: Laplace, Sensitivity: 40, Rows: 4, Cells: 10, Epsilon: epsilon}
		}
		priced, charged := joined(t, list)
		exact := floorLoss(epsilon, n, 60)
		if d := exact.delta(priced); d > charged {
			t.Errorf("%d measures: δ(%g) = %g above %g", n, priced, d, charged)
		}
		if d := exact.delta(priced * 0.99); d < charged {
			t.Errorf("%d measures: ε = %g is 1%% too large", n, priced)
		}
	}
}

// TestJointGaussiansHold is the same for lists of Gaussians, by the closed form, and for such with selections, by brute force: δ(ε) and what the draws cost are
// together within what is charged, though the draws take a good part of it.
func TestJointGaussiansHold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n, selections int
		cells         int64
	}{{24, 0, 10}, {64, 0, 90}, {200, 0, 30}, {64, 8, 90}, {24, 8, 200}} {
		list, selected := wants(c.n), 0
		for i := range list {
			if list[i].Cells = c.cells; i < c.selections {
				list[i].Select, list[i].Sensitivity = true, list[i].Rows
			}
		}
		made := design(t, Basic, 1, list...)
		square, drawn, own := 0.0, 0.0, 0.0
		for _, m := range made {
			if m.Kind == Gaussian {
				square, drawn = square+math.Pow(float64(m.Sensitivity)/m.Sigma, 2), drawn+float64(m.Cells)*math.Exp2(-40)
			} else {
				selected, own = selected+1, own+m.Delta
			}
		}
		if square == 0 || selected != c.selections {
			t.Fatalf("%d of %d are no Gaussians", selected, c.n)
		}
		priced, charged := joined(t, made)
		charged -= own * (1 - 1e-9)
		few := loss{step: 1, mass: []float64{1}}
		if c.selections > 0 {
			few = floorLoss(made[0].Epsilon, c.selections, 60)
		}
		exact := func(x float64) float64 {
			d := drawn
			for i, p := range few.mass {
				d += p * gaussianDelta(x-float64(few.top-i)*few.step, math.Sqrt(square))
			}
			return d
		}
		t.Logf("%d measures, %d selections: ε %g, δ %g, of it %g by draws", c.n, c.selections, priced, charged, drawn)
		if d := exact(priced); d > charged {
			t.Errorf("%d measures, %d selections: δ(%g) = %g above %g", c.n, c.selections, priced, d, charged)
		}
		if d := exact(priced * 0.99); d < charged {
			t.Errorf("%d measures, %d selections: ε = %g is 1%% too large", c.n, c.selections, priced)
		}
	}
}

// TestJointGaussiansPay: a list whose draws cost more δ than it may spend is designed with Laplace noise, and has no price with Gaussians; nor has a short one.
func TestJointGaussiansPay(t *testing.T) {
	t.Parallel()
	large := wants(64)
	for i := range large {
		large[i].Cells = 4000
	}
	if list := design(t, Basic, 1, large...); list[0].Kind != Laplace {
		t.Error("draws take more than a quarter of the δ")
	}
	gaussians := design(t, ZCDP, 1, large...)
	if cost, err := Price(Basic, 1e-6, gaussians); err == nil {
		t.Errorf("draws above the list's δ cost %+v", cost)
	}
	if cost, err := Price(Basic, 1e-6, design(t, ZCDP, 1, wants(16)...)); err == nil {
		t.Errorf("a short list of Gaussians costs %+v", cost)
	}
}

// drawEpsilons is a list that has a joint price at δ = 1e-6.
func drawEpsilons(t *rapid.T) []float64 {
	total := math.Exp(rapid.Float64Range(math.Log(0.01), math.Log(10)).Draw(t, "ln total"))
	n := rapid.IntRange(19, 80).Draw(t, "n")
	out := make([]float64, n)
	same := rapid.Bool().Draw(t, "same")
	for i := range out {
		out[i] = total / float64(n)
		if !same {
			out[i] *= rapid.Float64Range(0.1, 2).Draw(t, "part")
		}
	}
	return out
}

// TestJointPriceIsMonotone: more ε in one mechanism, or one mechanism more, does not cost less (the grid of unequal lists moves with them, by less
// than 0.1 %), never costs more than the sum of both, and equal lists are strictly ordered.
func TestJointPriceIsMonotone(t *testing.T) {
	t.Parallel()
	const rate = 1e-6 / ListSpread
	rapid.Check(t, func(t *rapid.T) {
		list := drawEpsilons(t)
		sum := 0.0
		for _, e := range list {
			sum += e
		}
		was := jointEpsilon(list, rate)
		if was > sum*(1+1e-9) || was < list[0] {
			t.Fatalf("joint ε %g of a sum of %g", was, sum)
		}
		more := append([]float64{sum / float64(len(list))}, list...)
		if is := jointEpsilon(more, rate); is < was*0.999 || is > was*1.001+more[0] {
			t.Fatalf("one mechanism more: %g, then %g", was, is)
		}
		grown := append([]float64(nil), list...)
		grown[0] *= rapid.Float64Range(1, 3).Draw(t, "by")
		if is := jointEpsilon(grown, rate); is < was*0.999 {
			t.Fatalf("ε up in one: %g, then %g", was, is)
		}
		for i := range grown {
			grown[i] = list[0]
		}
		was = jointEpsilon(grown, rate)
		by := rapid.Float64Range(1.0001, 2).Draw(t, "all by")
		for i := range grown {
			grown[i] *= by
		}
		if is := jointEpsilon(grown, rate); is <= was {
			t.Fatalf("ε up in all by %g: %g, then %g", by, was, is)
		}
		if is := jointEpsilon(grown[1:], rate); is >= jointEpsilon(grown, rate) {
			t.Fatal("one equal mechanism more costs less")
		}
	})
}

// TestTight: several Gaussians are one, selections and draws take their δ, and nothing is shown below what it is.
func TestTight(t *testing.T) {
	t.Parallel()
	list := design(t, ZCDP, 1, wants(16)...)
	got, err := Tight(list, 1e-6)
	if err != nil {
		t.Fatal(err)
	}
	mu := 4 * 40 / list[0].Sigma
	left := 1e-6 - 160*math.Exp2(-40)
	if gaussianDelta(got, mu) > left || gaussianDelta(got*0.99, mu) < left {
		t.Errorf("16 Gaussians of μ %g together: %g", mu, got)
	}
	mixed, err := Tight(append(design(t, Basic, 0.1, wants(2)...), list...), 1e-6)
	if err != nil || mixed < got || mixed > got+0.1 {
		t.Errorf("with two Laplaces of 0.05: %g after %g, %v", mixed, got, err)
	}
	pure, err := Tight(design(t, Basic, 0.1, wants(2)...), 1e-9)
	if err != nil || pure > 0.1 || pure < 0.0999 {
		t.Errorf("two Laplaces: %g, %v", pure, err)
	}
	if e, err := Tight(list, 1e-10); err != nil || !math.IsInf(e, 1) {
		t.Errorf("without δ for the draws: %g, %v", e, err)
	}
	if _, err := Tight(nil, 1e-6); err == nil {
		t.Error("nothing is shown")
	}
}

func BenchmarkPriceJoint(b *testing.B) {
	for _, n := range []int{19, 64, 256} {
		list, err := Design(Basic, 1, 1e-6, 1e-9, wants(n))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint("price/", n), func(b *testing.B) {
			for b.Loop() {
				_, _ = Price(Basic, 1e-6, list)
			}
		})
		b.Run(fmt.Sprint("design/", n), func(b *testing.B) {
			for b.Loop() {
				_, _ = Design(Basic, 1, 1e-6, 1e-9, wants(n))
			}
		})
	}
}

// jointEpsilon is the joint ε of Laplace noises at δ = rate·ε.
func jointEpsilon(epsilons []float64, rate float64) float64 {
	return (&together{epsilons: epsilons}).epsilon(rate)
}
