package risk

import (
	"math"
	"math/rand/v2"
	"testing"
)

// drawn samples a population with classes of these sizes; alone is the share of its persons who are alone.
func drawn(rng *rand.Rand, sizes []int, f float64) (sample Classes, population int, alone float64) {
	sample = Classes{}
	for _, n := range sizes {
		population += n
		if n == 1 {
			alone++
		}
		got := 0
		for range n {
			if rng.Float64() < f {
				got++
			}
		}
		if got > 0 {
			sample[got]++
		}
	}
	return sample, population, alone / float64(population)
}

// TestUniquesOfKnownPopulations draws samples of populations whose uniques are known. Each model must come near where its own assumption holds,
// and taking the sample's own uniques for the population's must be far off, else the test proves nothing.
func TestUniquesOfKnownPopulations(t *testing.T) {
	t.Parallel()
	geometric := func(more float64) func(*rand.Rand) []int {
		return func(r *rand.Rand) []int {
			sizes := make([]int, 60_000)
			for i := range sizes {
				for sizes[i] = 1; r.Float64() < more; sizes[i]++ {
				}
			}
			return sizes
		}
	}
	for name, x := range map[string]struct {
		f      float64
		sizes  func(*rand.Rand) []int
		chosen string
		off    float64 // largest ratio to the truth
	}{
		"negative binomial, half":  {0.5, geometric(0.7), "snb", 1.25},
		"negative binomial, fifth": {0.2, geometric(0.8), "snb", 1.7}, // the number of classes is what is hard to guess
		"pitman, a twentieth":      {0.05, func(r *rand.Rand) []int { return restaurant(r, 200_000, 0.4, 50) }, "pitman", 1.25},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(7, 11))
			c, population, alone := drawn(rng, x.sizes(rng), x.f)
			u := populationUniques(c, population)
			if ratio := u.Share / alone; u.Chosen != x.chosen || ratio < 1/x.off || ratio > x.off {
				t.Errorf("%s says %.4f, %.4f are alone (zayatz %v pitman %v snb %v)", u.Chosen, u.Share, alone, deref(u.Zayatz), deref(u.Pitman), deref(u.SNB))
			}
			if naive := float64(c[1]) / float64(c.Members()); naive/alone < 1.8 {
				t.Errorf("the sample's own uniques, %.4f of %.4f, are as near: nothing is shown", naive, alone)
			}
		})
	}
}

// restaurant seats n persons by Pitman's process: the next sits down alone with chance (θ + α·tables)/(θ + seated).
func restaurant(r *rand.Rand, n int, alpha, theta float64) []int {
	var sizes []int
	tables := make([]int, 0, n) // the table of each seated person
	for i := range n {
		x := r.Float64() * (theta + float64(i))
		if fresh := theta + alpha*float64(len(sizes)); x < fresh {
			tables = append(tables, len(sizes))
			sizes = append(sizes, 1)
			continue
		}
		// A seat is picked among the persons; one place of each table counts 1-α.
		for {
			at := tables[r.IntN(i)]
			if r.Float64() < (float64(sizes[at])-alpha)/float64(sizes[at]) {
				tables, sizes[at] = append(tables, at), sizes[at]+1
				break
			}
		}
	}
	return sizes
}

// TestFittedFindsWhatMadeTheNumbers gives the exact expectations for known parameters.
func TestFittedFindsWhatMadeTheNumbers(t *testing.T) {
	t.Parallel()
	for _, x := range [][3]float64{{1, 0.3, 0.2}, {0.2, 0.05, 0.5}, {3, 0.6, 0.15}, {0.05, 0.01, 0.7}} {
		a, b, f := x[0], x[1], x[2]
		q := 1 - f
		d := 1 - q*(1-b)
		g := math.Pow(b/d, a)
		const k = 10_000
		got := fitted(k, k*f*g*(1+a*q*(1-b)/d), k*f*f/2*a*(1-b)*g/(d*d)*(2-(1-a)*q*(1-b)), f)
		if want := k * math.Pow(b, a); math.Abs(got/want-1) > 1e-3 {
			t.Errorf("α %v β %v f %v: %v classes of one, want %v", a, b, f, got, want)
		}
	}
}

func deref(p *float64) float64 {
	if p == nil {
		return math.NaN()
	}
	return *p
}

func TestUniquesAtTheEdges(t *testing.T) {
	t.Parallel()
	if u := populationUniques(Classes{1: 30, 4: 10}, 70); u.Chosen != "sample" || math.Abs(u.Share-30.0/70) > 1e-12 {
		t.Errorf("everybody is in the sample: %+v", u)
	}
	if u := populationUniques(Classes{5: 10}, 1000); u.Share != 0 {
		t.Errorf("nobody is alone in the sample: %+v", u)
	}
	if u := populationUniques(Classes{1: 50}, 1000); u.Pitman != nil || u.Chosen != "zayatz" || u.Share <= 0 {
		t.Errorf("everybody is alone: %+v", u)
	}
}

func TestDrawnOnceAgainstBinomials(t *testing.T) {
	t.Parallel()
	// 2 of 5 drawn: one of a pair with chance 2·3/10.
	if p := drawnOnce(5, 2, 2); math.Abs(p-0.6) > 1e-12 {
		t.Errorf("%v", p)
	}
	if p := drawnOnce(5, 1, 2); math.Abs(p-0.4) > 1e-12 {
		t.Errorf("%v", p)
	}
}

// Estimates are sums over classes: in the order of a map their last digits would differ from run to run.
func TestEstimatesAreReproducible(t *testing.T) {
	t.Parallel()
	c := Classes{}
	for size := range 60 {
		c[size+1] = 977/(size+1) + 1
	}
	first, curve := populationUniques(c, 100_003), c.risk(Config{Threshold: 0.05}, 0.317, "counted")
	for range 50 {
		u := populationUniques(c, 100_003)
		if u.Share != first.Share || *u.Zayatz != *first.Zayatz || u.Pitman != nil && *u.Pitman != *first.Pitman {
			t.Fatalf("%+v, then %+v", first, u)
		}
		if r := c.risk(Config{Threshold: 0.05}, 0.317, "counted"); r != curve {
			t.Fatalf("%+v, then %+v", curve, r)
		}
	}
}
