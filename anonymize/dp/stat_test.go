package dp

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Statistical tests state their false-alarm rate. Those on the library's draws are random with a fixed number of draws and an alarm
// below falseAlarm; those on simulated draws use a fixed seed and cannot flicker at all.
const falseAlarm = 1e-7

// ks is the largest distance between the empirical distribution of integers and the CDF of the rounded noise, and the distance that true
// noise exceeds with probability at most falseAlarm (Dvoretzky-Kiefer-Wolfowitz with Massart's constant; it holds for
// discrete distributions too).
func ks(draws []int64, cdf func(float64) float64) (distance, limit float64) {
	s := slices.Clone(draws)
	slices.Sort(s)
	n := float64(len(s))
	for i, x := range s {
		if i+1 < len(s) && s[i+1] == x {
			continue
		}
		distance = math.Max(distance, math.Abs(float64(i+1)/n-cdf(float64(x)+0.5)))
	}
	return distance, math.Sqrt(math.Log(2/falseAlarm) / (2 * n))
}

func sample(t testing.TB, m Mechanism, n int) []int64 {
	t.Helper()
	m.Cells = int64(n)
	out, err := NewSampler().Sample(m, make([]int64, n))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func design(t testing.TB, a Accounting, epsilon float64, w ...Want) []Mechanism {
	t.Helper()
	list, err := Design(a, epsilon, 1e-6, 1e-9, w)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func want(sensitivity int64) Want {
	return Want{Measure: "m", Sensitivity: sensitivity, Rows: 1, Cells: 1}
}

// TestNoiseHasItsScale: 5,000 draws a case against the claimed distribution, and, as proof of power, draws of twice the ε against it.
func TestNoiseHasItsScale(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		a           Accounting
		sensitivity int64
		epsilon     float64
	}{
		"laplace small":  {Basic, 1, 0.5},
		"laplace wide":   {Basic, 40, 0.1},
		"laplace huge":   {Basic, 1 << 36, 0.1}, // granularity 1/2
		"gaussian small": {ZCDP, 1, 1},
		"gaussian wide":  {ZCDP, 40, 0.1},
		"gaussian huge":  {ZCDP, 1 << 38, 0.1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := design(t, c.a, c.epsilon, want(c.sensitivity))[0]
			n := NoiseOf(m, 0)
			cdf := func(x float64) float64 { return laplaceCDF(x / n.Scale) }
			if m.Kind == Gaussian {
				cdf = func(x float64) float64 { return phi(x / n.Scale) }
			}
			if d, limit := ks(sample(t, m, 5000), cdf); d > limit {
				t.Errorf("distance %.4f from the claimed noise, limit %.4f", d, limit)
			}
			wrong := design(t, c.a, 2*c.epsilon, want(c.sensitivity))[0]
			if d, limit := ks(sample(t, wrong, 5000), cdf); d <= limit {
				t.Errorf("noise of half the scale passes (%.4f of %.4f): the test has no power", d, limit)
			}
		})
	}
}

// TestThresholdLetsOnePersonOut: a person alone in k cells appears with probability at most δ = 1e-3, for the worst k. 2,000 trials expect at
// most 2; more than 22 have probability below 1e-15 (Poisson). The formula that forgets m is caught.
func TestThresholdLetsOnePersonOut(t *testing.T) {
	t.Parallel()
	const m, trials = 5, 2000
	list, err := Design(Basic, 2, 1e-6, 1e-3, []Want{{Measure: "count(*)", Sensitivity: m, Rows: m, Cells: 1, Select: true}})
	if err != nil {
		t.Fatal(err)
	}
	released := func(cut int64, rows ...int64) int {
		n := 0
		draws := sample(t, list[0], trials*len(rows))
		for i := range trials {
			for j, r := range rows {
				if draws[i*len(rows)+j]+r > cut {
					n++
					break
				}
			}
		}
		return n
	}
	for _, rows := range [][]int64{{5}, {1, 1, 1, 1, 1}} {
		if n := released(list[0].Cut, rows...); n > 22 {
			t.Errorf("rows %v: %d of %d releases, at most 4 expected", rows, n, trials)
		}
	}
	// power: a cut for sensitivity 1 (b = 1/ε) lets the person out far too often
	naive := int64(math.Ceil(1 + math.Log(1/(2*1e-3))/2))
	if n := released(naive, 1, 1, 1, 1, 1); n <= 22 {
		t.Errorf("a cut of %d instead of %d releases only %d: the test has no power", naive, list[0].Cut, n)
	}
}

// simulated noise with a fixed seed
type simulator struct{ r *rand.Rand }

func newSimulator(seed uint64) simulator { return simulator{rand.New(rand.NewPCG(seed, 1))} }

func (s simulator) draw(n Noise) int64 {
	if n.Kind == Gaussian {
		return roundHalfUp(s.r.NormFloat64() * n.Scale)
	}
	x := s.r.ExpFloat64() * n.Scale
	if s.r.Uint64()&1 == 0 {
		x = -x
	}
	return roundHalfUp(x)
}

// belowLevel reports whether hits of n are too few for a coverage of level: 4.9 standard deviations, one-sided 5e-7 (and the seeds are
// fixed).
func belowLevel(hits, n int, level float64) bool {
	return float64(hits) < level*float64(n)-4.9*math.Sqrt(float64(n)*level*(1-level))
}
