package dp

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// delta is δ(ε) of a grid, from its definition.
func (l loss) delta(epsilon float64) float64 {
	d := l.over
	for i, p := range l.mass {
		if x := float64(l.top-i) * l.step; x > epsilon {
			d += p * -math.Expm1(epsilon-x)
		}
	}
	return d
}

// laplaceDelta is δ(x) of Laplace noise of scale 1/ε on a change of 1.
func laplaceDelta(x, epsilon float64) float64 {
	if x < -epsilon {
		return -math.Expm1(x)
	}
	return math.Max(0, -math.Expm1((x-epsilon)/2))
}

// gaussianDelta is Balle and Wang's Theorem 8 (2018) for μ = Δ/σ.
func gaussianDelta(x, mu float64) float64 {
	return phi(mu/2-x/mu) - math.Exp(x)*phi(-mu/2-x/mu)
}

// TestLaplaceLoss: the grid's δ is nowhere below the exact one, is it where a step ends, and is near it elsewhere.
func TestLaplaceLoss(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		epsilon := math.Exp(rapid.Float64Range(math.Log(1e-3), math.Log(10)).Draw(t, "ln epsilon"))
		steps := rapid.Float64Range(0.1, 60).Draw(t, "steps")
		if rapid.Bool().Draw(t, "whole") {
			steps = math.Ceil(steps)
		}
		h := epsilon / steps
		l := laplaceLoss(epsilon, h)
		all := 0.0
		for _, p := range l.mass {
			all += p
		}
		if math.Abs(all-1) > 1e-12 {
			t.Fatalf("probabilities add up to %g", all)
		}
		for i := -80; i <= 80; i++ {
			x := epsilon * float64(i) / 40
			got, want := l.delta(x), laplaceDelta(x, epsilon)
			if got < want-1e-13 {
				t.Fatalf("δ(%g) = %g of Laplace %g at step %g is below %g", x, got, epsilon, h, want)
			}
			if got > want+math.Min(h, epsilon) {
				t.Fatalf("δ(%g) = %g of Laplace %g at step %g is far above %g", x, got, epsilon, h, want)
			}
		}
		if steps == math.Floor(steps) {
			for j := 1 - steps; j <= steps; j++ {
				if got, want := l.delta(j*h), laplaceDelta(j*h, epsilon); math.Abs(got-want) > 1e-11 {
					t.Fatalf("δ at step %g of %g is %g, not %g", j, steps, got, want)
				}
			}
		}
	})
}

// TestLibraryLaplaceIsDominated: the noise that the library draws, on its grid and with the grid's step in its scale, is no less private
// than the continuous Laplace that is priced.
func TestLibraryLaplaceIsDominated(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 50).Draw(t, "Δ/g")
		epsilon := rapid.Float64Range(0.01, 5).Draw(t, "epsilon")
		lambda := epsilon / float64(n+1)
		x := rapid.Float64Range(-1.2, 1.2).Draw(t, "x") * epsilon
		// δ(x) = Σ over k of (P(k) − e^x·Q(k))+ with P at 0 and Q at n.
		delta, at0 := 0.0, math.Tanh(lambda/2)
		for k := -4000; k <= 4000+n; k++ {
			p, q := at0*math.Exp(-lambda*math.Abs(float64(k))), at0*math.Exp(-lambda*math.Abs(float64(k-n)))
			delta += math.Max(0, p-math.Exp(x)*q)
		}
		if want := laplaceDelta(x, epsilon); delta > want+1e-12 {
			t.Fatalf("drawn δ(%g) = %g above %g", x, delta, want)
		}
	})
}

// TestGaussianLoss compares one Gaussian, and several, with the closed form: never below it, also above the grid, and within 1 %.
func TestGaussianLoss(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		mu := math.Exp(rapid.Float64Range(math.Log(0.003), math.Log(3)).Draw(t, "ln mu"))
		delta := math.Exp(rapid.Float64Range(math.Log(1e-12), math.Log(1e-4)).Draw(t, "ln delta"))
		l := compose(nil, mu, delta/1000)
		for i := 0; i <= 44; i++ {
			x := float64(l.top) * l.step * float64(i) / 40
			if got, want := l.delta(x), gaussianDelta(x, mu); got < want*(1-1e-9)-1e-15 {
				t.Fatalf("δ(%g) = %g of μ = %g is below %g", x, got, mu, want)
			}
		}
		got := l.epsilon(func(float64) float64 { return delta })
		if d := gaussianDelta(got, mu); d > delta*(1+1e-9) {
			t.Fatalf("ε = %g of μ = %g has δ = %g, above %g", got, mu, d, delta)
		}
		if d := gaussianDelta(got*0.99, mu); d < delta {
			t.Fatalf("ε = %g of μ = %g at δ = %g is 1%% too large", got, mu, delta)
		}
		n := rapid.IntRange(1, 4).Draw(t, "n")
		one := gaussianLoss(mu/math.Sqrt(float64(n)), l.step, delta/1000/float64(n), n*l.top)
		again := one.times(n, n*one.top).epsilon(func(float64) float64 { return delta })
		if gaussianDelta(again, mu) > delta*(1+1e-9) || again > got*1.02 {
			t.Fatalf("%d Gaussians cost %g one after the other, %g at once", n, again, got)
		}
	})
}

// floorLoss is the loss of n equal Laplaces with every loss rounded down on a fine grid: below the exact one, by brute force.
func floorLoss(epsilon float64, n, steps int) loss {
	h := epsilon / float64(steps)
	one := loss{step: h, top: steps, mass: make([]float64, 2*steps+1)}
	one.mass[0] = 0.5
	for i := 1; i <= 2*steps; i++ { // P(L > x) = 1 − e^{(x-ε)/2}/2 for x below ε
		one.mass[i] = (math.Exp(-float64(i-1)*h/2) - math.Exp(-float64(i)*h/2)) / 2
	}
	one.mass[2*steps] += math.Exp(-epsilon) / 2
	all := one
	for range n - 1 {
		all = all.plus(one, math.MaxInt32)
	}
	return all
}

// TestJointLaplace compares the price of several Laplaces with a brute-force convolution that rounds the other way.
func TestJointLaplace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n              int
		epsilon, delta float64
	}{{1, 1, 0.01}, {2, 0.5, 0.01}, {4, 0.1, 1e-3}, {8, 0.25, 1e-4}, {16, 1. / 16, 1e-5}, {16, 0.7, 1e-6}, {24, 0.05, 1e-8}, {40, 0.01, 1e-10}} {
		spend := func(float64) float64 { return c.delta }
		below := floorLoss(c.epsilon, c.n, 6400/c.n/c.n+60).epsilon(spend)
		list := repeat(c.epsilon, c.n)
		got := compose(list, 0, 0).epsilon(spend)
		list[0] *= 1.0000001 // and on the grid of lists of any kind
		other := compose(list, 0, 0).epsilon(spend)
		t.Logf("%d × %g at δ %g: %g ≤ %g, %g; sum %g", c.n, c.epsilon, c.delta, below, got, other, float64(c.n)*c.epsilon)
		for _, e := range []float64{got, other} {
			if e < below || e > 1.01*below {
				t.Errorf("%d Laplaces at %g cost %g at δ = %g; brute force says %g", c.n, c.epsilon, e, c.delta, below)
			}
		}
	}
	if got := compose([]float64{0.5}, 0, 0).epsilon(func(float64) float64 { return 0.01 }); math.Abs(got-0.5-2*math.Log1p(-0.01)) > 1e-4 {
		t.Errorf("one Laplace at 0.5 and δ = 0.01 costs %g", got) // 1 − e^{(ε-1/2)/2} = δ
	}
}

// TestInfiniteLossesAddUp: probability that was cut off stays cut off, whatever is composed in whichever order.
func TestInfiniteLossesAddUp(t *testing.T) {
	t.Parallel()
	one := gaussianLoss(0.5, 0.01, 1e-3, 2000)
	other := laplaceLoss(0.5, 0.01)
	for name, c := range map[string]struct {
		l    loss
		want float64
	}{"first": {one.plus(other, 2000), one.over}, "last": {other.plus(one, 2000), one.over}, "five": {one.times(5, 4000), 5 * one.over}} {
		if c.l.over < c.want*(1-1e-12) || one.over < 1e-4 {
			t.Errorf("%s: %g of %g is infinite", name, c.l.over, c.want)
		}
		if e := c.l.epsilon(func(float64) float64 { return c.want / 2 }); !math.IsInf(e, 1) {
			t.Errorf("%s: ε = %g at half the δ that is infinite", name, e)
		}
	}
}

// TestUnequalLists does the same for lists of several kinds of mechanisms.
func TestUnequalLists(t *testing.T) {
	t.Parallel()
	check := func(name string, epsilons []float64, mu, delta float64, below func(x float64) float64) {
		got := compose(epsilons, mu, delta/1000).epsilon(func(float64) float64 { return delta })
		t.Logf("%s: %g", name, got)
		if below(got) > delta {
			t.Errorf("%s: δ(%g) is %g, above %g", name, got, below(got), delta)
		}
		if below(got*0.99) < delta {
			t.Errorf("%s: ε = %g at δ = %g is 1%% too large", name, got, delta)
		}
	}
	two := floorLoss(0.02, 12, 40).plus(floorLoss(0.07, 12, 140), math.MaxInt32)
	check("12 × 0.02, 12 × 0.07", append(repeat(0.02, 12), repeat(0.07, 12)...), 0, 1e-8, two.delta)
	one := floorLoss(1, 1, 1000).plus(floorLoss(0.01, 40, 10), math.MaxInt32)
	check("1, 40 × 0.01", append(repeat(0.01, 40), 1), 0, 1e-8, one.delta)
	for _, c := range []struct {
		n           int
		epsilon, mu float64
	}{{3, 0.25, 0.05}, {3, 0.25, 0.3}, {40, 0.05, 0.05}, {40, 0.05, 0.3}} {
		few := floorLoss(c.epsilon, c.n, 60)
		check(fmt.Sprintf("%d × %g and a Gaussian of %g", c.n, c.epsilon, c.mu), repeat(c.epsilon, c.n), c.mu, 1e-6, func(x float64) float64 {
			d := 0.0
			for i, p := range few.mass {
				d += p * gaussianDelta(x-float64(few.top-i)*few.step, c.mu)
			}
			return d
		})
	}
}

func repeat(x float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = x
	}
	return out
}
