package dp

import "math"

// RatioInterval holds the exact num/den at the level or above (Fieller: all θ for which num − θ·den may be 0), wherever the exact den is
// not 0. When den may be 0 the interval is (-Inf, +Inf); callers cut it to what is known of the ratio (an average lies within
// its column's bounds). Bad input gives (-Inf, +Inf) too.
func RatioInterval(noises []Noise, num, den Form, level float64) (lo, hi float64) {
	a, okA := coefficients(noises, num)
	b, okB := coefficients(noises, den)
	if !okA || !okB || !between(level, 0.5, 1-1e-9) || den.Value == 0 {
		return math.Inf(-1), math.Inf(1)
	}
	used := make([]float64, len(a))
	for i := range a {
		used[i] = math.Abs(a[i]) + math.Abs(b[i])
	}
	all := parts(noises, used)
	s := selection(all, 1-level)
	boxLo, boxHi := ratioBox(parts(noises, a), parts(noises, b), len(all), num.Value, den.Value, s.alpha)
	if !merge(all).closed() {
		return widen(boxLo, boxHi)
	}
	f := fieller{noises: noises, a: a, b: b, num: num.Value, den: den.Value, alpha: s.alpha, scan: !gaussianOnly(all)}
	lo, hi = f.interval()
	if s.near {
		lo, hi = math.Min(lo, boxLo), math.Max(hi, boxHi)
	}
	return widen(lo, hi)
}

func gaussianOnly(ps []part) bool {
	for _, p := range ps {
		if p.Kind != Gaussian {
			return false
		}
	}
	return true
}

// ratioBox divides the box of num by the box of den. The noises of both together share alpha, so each is bounded once.
func ratioBox(a, b []part, total int, num, den, alpha float64) (lo, hi float64) {
	n := float64(max(1, total))
	numLo, numHi := box(a, num, alpha*float64(len(a))/n)
	denLo, denHi := box(b, den, alpha*float64(len(b))/n)
	if denLo <= 0 && denHi >= 0 {
		return math.Inf(-1), math.Inf(1)
	}
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, q := range []float64{numLo / denLo, numLo / denHi, numHi / denLo, numHi / denHi} {
		lo, hi = math.Min(lo, q), math.Max(hi, q)
	}
	return lo, hi
}

// fieller tests ratios: θ is kept when |num − θ·den| is within the half width of that form.
type fieller struct {
	noises   []Noise
	a, b     []float64
	num, den float64
	alpha    float64
	// scan: look for the outermost kept θ on a grid, for tails whose quantile is not known to be convex in θ. For Gaussians it is (a norm,
	// plus the rounding's sum of absolute values), so that what is kept on either side is one piece.
	scan bool
}

// form is the noise of num − θ·den and the most that rounding adds to it.
func (f fieller) form(theta float64) (m merged, rounding float64) {
	ps := make([]part, 0, len(f.a))
	for i := range f.a {
		if c := f.a[i] - theta*f.b[i]; c != 0 {
			ps = append(ps, part{Noise: f.noises[i], coef: c})
			rounding += math.Abs(c) / 2
		}
	}
	return merge(ps), rounding
}

// kept compares tails instead of quantiles: |x| ≤ q + rounding exactly when tail(|x| − rounding) ≥ alpha.
func (f fieller) kept(theta float64) bool {
	m, rounding := f.form(theta)
	x := math.Abs(f.num-theta*f.den) - rounding
	return x <= 0 || !(m.tail(x) < f.alpha/up)
}

func (f fieller) interval() (lo, hi float64) {
	den := fieller{noises: f.noises, a: f.b, b: make([]float64, len(f.b)), num: f.den * (1 - 1e-9), alpha: f.alpha}
	if den.kept(0) {
		return math.Inf(-1), math.Inf(1)
	}
	return f.end(-1), f.end(1)
}

// end is the outermost kept θ on one side of the estimate, found from outside.
func (f fieller) end(side float64) float64 {
	at := f.num / f.den
	m, rounding := f.form(at)
	if len(m.laplaces) == 0 && m.sigma == 0 {
		return at
	}
	step := m.sigma + rounding
	for _, b := range m.laplaces {
		step += b
	}
	step = math.Max(step/math.Abs(f.den), math.Abs(at)*1e-15)
	in, out := 0.0, step
	for misses := 0; misses < 3; out *= 2 {
		if math.IsInf(out, 0) || out > 1e300 {
			return math.Inf(int(side))
		}
		if f.kept(at + side*out) {
			in, misses = out, 0
		} else {
			misses++
		}
	}
	out /= 2
	if f.scan {
		const n = 12
		from, width := in, out-in
		for i := n - 1; i > 0; i-- {
			x := from + width*float64(i)/n
			if f.kept(at + side*x) {
				in = x
				break
			}
			out = x
		}
	}
	for out-in > 1e-7*out {
		mid := (in + out) / 2
		if mid <= in || mid >= out {
			break
		}
		if f.kept(at + side*mid) {
			in = mid
		} else {
			out = mid
		}
	}
	return at + side*out
}
