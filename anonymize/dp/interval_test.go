package dp

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestLinearCoverage simulates every path of the linear intervals: coverage, and width against the narrowest symmetric interval that the
// noise allows.
func TestLinearCoverage(t *testing.T) {
	t.Parallel()
	g := func(s float64) Noise { return Noise{Kind: Gaussian, Scale: s} }
	l := func(s float64) Noise { return Noise{Kind: Laplace, Scale: s} }
	cases := map[string]struct {
		noises []Noise
		coefs  []float64
		ratio  float64 // width allowed, against the narrowest
	}{
		"gaussian":                {[]Noise{g(54)}, []float64{1}, 1.03},
		"gaussian scaled":         {[]Noise{g(54)}, []float64{0.01}, 1.03},
		"gaussian tiny":           {[]Noise{g(0.4)}, []float64{1}, 1.3},
		"laplace":                 {[]Noise{l(20)}, []float64{-1}, 1.05},
		"laplace tiny":            {[]Noise{l(0.2)}, []float64{1}, 1.3},
		"two gaussians":           {[]Noise{g(54), g(30)}, []float64{1, -1}, 1.05},
		"two laplaces":            {[]Noise{l(20), l(50)}, []float64{1, 1}, 1.05},
		"two equal laplaces":      {[]Noise{l(20), l(20)}, []float64{1, -1}, 1.05},
		"two nearly equal":        {[]Noise{l(20), l(20.01)}, []float64{1, -1}, 1.05},
		"gaussian and laplace":    {[]Noise{g(30), l(20)}, []float64{1, 2}, 1.05},
		"big gaussian, laplace":   {[]Noise{g(3000), l(20)}, []float64{1, 1}, 1.05},
		"gaussian, big laplace":   {[]Noise{g(20), l(3000)}, []float64{1, 1}, 1.05},
		"three laplaces":          {[]Noise{l(20), l(50), l(20)}, []float64{1, 1, -1}, 1.08},
		"gaussian, two laplaces":  {[]Noise{g(40), l(50), l(20)}, []float64{1, 1, -1}, 1.08},
		"four of all":             {[]Noise{g(40), l(50), l(20), g(7)}, []float64{1, .5, -3, 2}, 1.08},
		"tiny ones on integers":   {[]Noise{l(0.3), l(0.3), g(0.5)}, []float64{1, -1, 1}, 1.3},
		"same number twice":       {[]Noise{l(20)}, []float64{3}, 1.05},
		"five gaussians":          {[]Noise{g(9), g(9), g(9), g(9), g(9)}, []float64{1, 1, 1, 1, 1}, 1.1},
		"seven laplaces, rounded": {[]Noise{l(9), l(9), l(9), l(9), l(9), l(2), l(1)}, []float64{1, 1, 1, 1, 1, 2, 2}, 1.15},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var terms []Term
			for i, coef := range c.coefs {
				terms = append(terms, Term{coef / 2, i}, Term{coef / 2, i}) // merged
			}
			const n = 40000
			sim := newSimulator(7)
			lo, hi := LinearInterval(c.noises, 0, terms, 0.95)
			misses := make([]float64, n)
			hits := 0
			for i := range misses {
				var z float64
				for j, coef := range c.coefs {
					z += coef * float64(sim.draw(c.noises[j]))
				}
				misses[i] = math.Abs(z)
				if lo <= z && z <= hi { // by symmetry the same as the exact value being inside
					hits++
				}
			}
			if belowLevel(hits, n, 0.95) {
				t.Errorf("covers %d of %d", hits, n)
			}
			slices.Sort(misses)
			if narrow := misses[n*95/100]; hi-lo > 2*narrow*c.ratio+1e-9 {
				t.Errorf("half width %.2f, the noise needs %.2f", (hi-lo)/2, narrow)
			}
		})
	}
}

// TestRatioCoverage simulates Fieller intervals, with shared noises, small and zero denominators, and the Bonferroni box.
func TestRatioCoverage(t *testing.T) {
	t.Parallel()
	g := func(s float64) Noise { return Noise{Kind: Gaussian, Scale: s} }
	l := func(s float64) Noise { return Noise{Kind: Laplace, Scale: s} }
	cases := map[string]struct {
		noises    []Noise
		exact     []float64
		num, den  []float64
		runs      int
		bounded   bool
		widthOver float64 // against the delta method's half width, 0: not checked
	}{
		"average":            {[]Noise{g(2700), g(54)}, []float64{-90000, 10000}, []float64{1, 0}, []float64{0, 1}, 3000, true, 1.05},
		"average, basic":     {[]Noise{l(2000), l(40)}, []float64{90000, 10000}, []float64{1, 0}, []float64{0, 1}, 2000, true, 1.3},
		"mixed":              {[]Noise{g(2000), l(40)}, []float64{90000, 10000}, []float64{1, 0}, []float64{0, 1}, 2000, true, 1.1},
		"small denominator":  {[]Noise{g(2700), g(54)}, []float64{500, 160}, []float64{1, 0}, []float64{0, 1}, 3000, false, 0},
		"tiny denominator":   {[]Noise{g(2700), g(54)}, []float64{500, 20}, []float64{1, 0}, []float64{0, 1}, 3000, false, 0},
		"basic, tiny":        {[]Noise{l(2000), l(40)}, []float64{500, 60}, []float64{1, 0}, []float64{0, 1}, 2000, false, 0},
		"shared":             {[]Noise{g(50), g(60)}, []float64{3000, 5000}, []float64{1, 0}, []float64{1, 1}, 3000, true, 1.05},
		"shared, laplace":    {[]Noise{l(50), l(60)}, []float64{3000, 5000}, []float64{1, 0}, []float64{1, 1}, 2000, true, 1.3},
		"box":                {[]Noise{l(50), l(60), g(9)}, []float64{3000, 5000, 100}, []float64{1, 0, 1}, []float64{1, 1, 0}, 2000, true, 0},
		"tiny noise":         {[]Noise{g(0.5), g(0.5)}, []float64{300, 500}, []float64{1, 0}, []float64{0, 1}, 3000, true, 0},
		"ratio of nothing":   {[]Noise{g(54), g(54)}, []float64{0, 1000}, []float64{1, 0}, []float64{0, 1}, 3000, true, 0},
		"negative":           {[]Noise{g(2700), g(54)}, []float64{-90000, -10000}, []float64{1, 0}, []float64{0, 1}, 3000, true, 0},
		"numerator constant": {[]Noise{g(54)}, []float64{1000}, []float64{0}, []float64{1}, 3000, true, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := newSimulator(11)
			form := func(x, coefs []float64) Form {
				f := Form{Value: 5}
				for i, co := range coefs {
					f.Value += co * x[i]
					f.Terms = append(f.Terms, Term{co, i})
				}
				return f
			}
			truth := form(c.exact, c.num).Value / form(c.exact, c.den).Value
			hits, unbounded, wide := 0, 0, 0.0
			for range c.runs {
				x := slices.Clone(c.exact)
				for i := range x {
					x[i] += float64(sim.draw(c.noises[i]))
				}
				lo, hi := RatioInterval(c.noises, form(x, c.num), form(x, c.den), 0.95)
				if lo <= truth && truth <= hi {
					hits++
				}
				if math.IsInf(hi-lo, 0) {
					unbounded++
				}
				wide += (hi - lo) / 2 / float64(c.runs)
			}
			if belowLevel(hits, c.runs, 0.95) {
				t.Errorf("covers %d of %d", hits, c.runs)
			}
			if c.bounded != (unbounded == 0) {
				t.Errorf("%d of %d are unbounded", unbounded, c.runs)
			}
			if c.widthOver > 0 {
				coefs := make([]Term, len(c.noises))
				d := form(c.exact, c.den).Value
				for i := range coefs {
					coefs[i] = Term{(c.num[i] - truth*c.den[i]) / d, i}
				}
				lo, hi := LinearInterval(c.noises, 0, coefs, 0.95)
				if wide > c.widthOver*(hi-lo)/2 {
					t.Errorf("half width %g on average, needed %g", wide, (hi-lo)/2)
				}
			}
		})
	}
}

// TestSelectedCoverage: given that a count was published, its interval and an average over it still cover, below, at and above the cut. The
// plain interval does not: that is the test's power.
func TestSelectedCoverage(t *testing.T) {
	t.Parallel()
	m := Mechanism{Measure: "count(*)", Kind: Threshold, Sensitivity: 2, Rows: 2, Cells: 1, Epsilon: 0.2, Delta: 1e-6}
	m.Cut = cutFor(m)
	b := NoiseOf(m, 0).Scale
	worst := 1.0
	for _, above := range []float64{-3, -1, 0, 0.5, 1, 2, 3, 5, 8, 12, 20} {
		exact := float64(m.Cut) + math.Round(above*b)
		sim := newSimulator(uint64(100 + above*2))
		published, hits, plain, averages, runs := 0, 0, 0, 0, 0
		for published < 1500 {
			runs++
			n := Noise{Kind: Threshold, Scale: b}
			count := int64(exact) + sim.draw(n)
			if runs > 3_000_000 {
				t.Fatal("hardly ever published")
			}
			if count <= m.Cut {
				continue
			}
			published++
			noises := []Noise{NoiseOf(m, count), {Kind: Gaussian, Scale: 90}}
			if lo, hi := LinearInterval(noises, float64(count), []Term{{1, 0}}, 0.95); lo <= exact && exact <= hi {
				hits++
			}
			noises[0].Kind = Laplace
			if lo, hi := LinearInterval(noises, float64(count), []Term{{1, 0}}, 0.95); lo <= exact && exact <= hi {
				plain++
			}
			noises[0].Kind = Threshold
			sum := 3*exact + float64(sim.draw(noises[1]))
			lo, hi := RatioInterval(noises, Form{sum, []Term{{1, 1}}}, Form{float64(count), []Term{{1, 0}}}, 0.95)
			if lo <= 3 && 3 <= hi {
				averages++
			}
		}
		if belowLevel(hits, published, 0.95) {
			t.Errorf("count at cut%+.1fb covers %d of %d", above, hits, published)
		}
		if belowLevel(averages, published, 0.95) {
			t.Errorf("average at cut%+.1fb covers %d of %d", above, averages, published)
		}
		worst = math.Min(worst, float64(plain)/float64(published))
	}
	if worst > 0.8 {
		t.Errorf("intervals that ignore selection cover %.2f at worst: the test has no power", worst)
	}
}

// TestSelectedFarAbove: far above the cut selection costs nothing.
func TestSelectedFarAbove(t *testing.T) {
	t.Parallel()
	s := Noise{Kind: Threshold, Scale: 20, Count: 100_000, Cut: 300}
	l := Noise{Kind: Laplace, Scale: 20}
	lo, hi := LinearInterval([]Noise{s}, 100_000, []Term{{1, 0}}, 0.95)
	wantLo, wantHi := LinearInterval([]Noise{l}, 100_000, []Term{{1, 0}}, 0.95)
	if math.Abs(lo-wantLo) > 1 || hi != wantHi {
		t.Errorf("[%g, %g], without selection [%g, %g]", lo, hi, wantLo, wantHi)
	}
}

func TestIntervalsRefuseBadInput(t *testing.T) {
	t.Parallel()
	n := []Noise{{Kind: Gaussian, Scale: 3}}
	inf := func(lo, hi float64) bool { return math.IsInf(lo, -1) && math.IsInf(hi, 1) }
	for name, bad := range map[string]struct {
		noises []Noise
		value  float64
		terms  []Term
		level  float64
	}{
		"zero noise": {[]Noise{{}}, 1, []Term{{1, 0}}, 0.95},
		"nan":        {n, math.NaN(), []Term{{1, 0}}, 0.95},
		"nan coef":   {n, 1, []Term{{math.NaN(), 0}}, 0.95},
		"index":      {n, 1, []Term{{1, 1}}, 0.95},
		"negative":   {n, 1, []Term{{1, -1}}, 0.95},
		"level 1":    {n, 1, []Term{{1, 0}}, 1},
		"level nan":  {n, 1, []Term{{1, 0}}, math.NaN()},
		"inf scale":  {[]Noise{{Kind: Laplace, Scale: math.Inf(1)}}, 1, []Term{{1, 0}}, 0.95},
	} {
		if !inf(LinearInterval(bad.noises, bad.value, bad.terms, bad.level)) {
			t.Errorf("%s: a bounded interval", name)
		}
		if !inf(RatioInterval(bad.noises, Form{bad.value, bad.terms}, Form{2, nil}, bad.level)) {
			t.Errorf("%s: a bounded ratio", name)
		}
	}
	if lo, hi := LinearInterval(n, 4, nil, 0.95); lo != 4 || hi != 4 {
		t.Errorf("a constant has [%g, %g]", lo, hi)
	}
}

// TestTails: where the tail is known in closed form, the inverted characteristic function finds the same quantile, never below it, and never beyond
// Chernoff's; so does the quantile of the closed form.
func TestTails(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		scale := func(name string) float64 { return math.Exp(rapid.Float64Range(-4, 4).Draw(t, name)) }
		m := merged{laplaces: []float64{scale("a")}}
		if rapid.Bool().Draw(t, "gaussian") {
			m.sigma = scale("sigma")
		} else {
			m.laplaces = append(m.laplaces, scale("b"))
			slices.Sort(m.laplaces)
		}
		alpha := math.Pow(10, rapid.Float64Range(-4.5, -0.4).Draw(t, "alpha"))
		near := 1e-9
		if n := len(m.laplaces); n == 2 && m.laplaces[1]-m.laplaces[0] < 1e-3*m.laplaces[1] {
			near = 5e-3 // taken as equal, a little wider
		}
		ps := []part{{Noise{Kind: Gaussian, Scale: m.sigma}, 1}}[:min(1, int(math.Ceil(m.sigma)))]
		for _, b := range m.laplaces {
			ps = append(ps, part{Noise{Kind: Laplace, Scale: b}, 1})
		}
		closed, q := quantile(ps, alpha), m.inverted(alpha)
		for _, x := range []float64{q, closed} {
			if tail := m.tail(x); tail > alpha*(1+near) || tail < alpha*(1-2e-3-near) {
				t.Fatalf("%+v: the tail at %v is %v of %v", m, x, tail, alpha)
			}
		}
		if far := m.chernoff(alpha); q > far {
			t.Fatalf("%+v: %v beyond Chernoff's %v", m, q, far)
		}
	})
}

// TestInversionOfManyLaplaces against the closed form of the sum of n equal Laplaces, the difference of two Erlangs: P(|S| > t) =
// e^{-t} Σ_j c_j t^j with c from the partial fractions of (1−s²)^{-n}.
func TestInversionOfManyLaplaces(t *testing.T) {
	t.Parallel()
	for n := 2; n <= 19; n++ {
		m := merged{laplaces: slices.Repeat([]float64{1}, n)}
		for _, alpha := range []float64{0.2, 0.05, 0.025, 0.002, 1e-5, 1e-7} {
			q := m.inverted(alpha)
			tail := equalLaplaces(n, q)
			if tail > alpha*(1+1e-9) || alpha >= 1e-5 && tail < alpha*(1-2e-3) || tail < alpha/60 {
				t.Errorf("%d at %g: tail %g at %v", n, alpha, tail, q)
			}
		}
	}
}

// equalLaplaces: the density of the sum is e^{-x}/(2^{2n-1}(n−1)!)·Σ_k (n−1+k)!/(k!(n−1−k)!)·(2x)^{n−1−k}·… for x > 0; integrated from t.
func equalLaplaces(n int, t float64) float64 {
	total := 0.0
	for k := range n { // weight of the Erlang of shape n−k
		g1, _ := math.Lgamma(float64(n + k))
		g2, _ := math.Lgamma(float64(k + 1))
		g3, _ := math.Lgamma(float64(n))
		weight := math.Exp(g1-g2-g3) * math.Pow(0.5, float64(n+k))
		upper, term := 0.0, math.Exp(-t)
		for j := range n - k {
			upper += term
			term *= t / float64(j+1)
		}
		total += 2 * weight * upper
	}
	return total
}
