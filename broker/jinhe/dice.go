package jinhe

import (
	"math"
	"math/rand/v2"
)

// dice is a person's own stream of random numbers: what one person gets does not depend on who was made before, so
// the work can be shared out in any way. The numbers need to look random, not to be secret.
type dice struct {
	src *rand.PCG
	*rand.Rand
}

func newDice() *dice {
	src := rand.NewPCG(0, 0)
	return &dice{src: src, Rand: rand.New(src)} //nolint:gosec // invented persons need a stream that repeats by seed, not one that nobody can guess
}

// Streams of one person. Who someone is can be asked without living the life first (a child's guardian is).
const (
	streamProfile = iota + 1
	streamLife
	streamGuardian
)

// person rewinds the dice to the start of a person's stream.
func (d *dice) person(seed, index, stream uint64) {
	d.src.Seed(mix(seed^mix(stream)), mix(index+mix(seed+stream)))
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014): neighbouring numbers give unrelated states.
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (d *dice) chance(p float64) bool { return d.Float64() < p }

// lognormal draws with the given median and the standard deviation of the logarithm.
func (d *dice) lognormal(median, sigma float64) float64 {
	return median * math.Exp(sigma*d.NormFloat64())
}

// minutes draws a lognormal time, clamped to whole minutes of [lo, hi].
func (d *dice) minutes(median, sigma float64, lo, hi int64) int64 {
	return min(max(int64(d.lognormal(median, sigma)+0.5), lo), hi)
}

// poisson draws by Knuth's product: our means are small.
func (d *dice) poisson(mean float64) int {
	limit, p, n := math.Exp(-mean), d.Float64(), 0
	for p > limit {
		p *= d.Float64()
		n++
	}
	return n
}

// logit is true with the probability whose log odds are x.
func (d *dice) logit(x float64) bool { return d.chance(1 / (1 + math.Exp(-x))) }

// weights picks an index in proportion to weights.
type weights []float64 // cumulative, the last is the total

func newWeights(w ...float64) weights {
	out, sum := make(weights, len(w)), 0.0
	for i, x := range w {
		sum += x
		out[i] = sum
	}
	return out
}

func (d *dice) pick(w weights) int {
	x := d.Float64() * w[len(w)-1]
	for i, c := range w {
		if x < c {
			return i
		}
	}
	return len(w) - 1
}
