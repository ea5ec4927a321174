package risk

import (
	"math"
)

// Uniqueness estimates how many persons of the population are alone with their combination, from a sample of it: shares of the population,
// NaN-free; nil where a model has no solution for these sizes.
type Uniqueness struct {
	Zayatz *float64 `json:"zayatz,omitempty"`
	Pitman *float64 `json:"pitman,omitempty"`
	SNB    *float64 `json:"snb,omitempty"`
	// Chosen is the model that the decision rule of Dankar and others (2012) picks: Pitman up to a sampling fraction of a tenth, the smaller of
	// Zayatz and SNB above, Zayatz where the others have no solution.
	Chosen string  `json:"chosen"`
	Share  float64 `json:"share"`
}

// populationUniques estimates for a sample whose classes are these, of a population of so many persons.
//
// Dankar, El Emam, Neisa, Roffey, Estimating the re-identification risk of clinical data sets, BMC Med Inform Decis Mak 12:66 (2012).
func populationUniques(c Classes, population int) Uniqueness {
	n := c.Members()
	if n >= population {
		share := float64(c[1]) / float64(n)
		return Uniqueness{Chosen: "sample", Share: share}
	}
	if c[1] == 0 {
		zero := 0.0
		return Uniqueness{Zayatz: &zero, Pitman: &zero, SNB: &zero, Chosen: "none", Share: 0}
	}
	N, f := float64(population), float64(n)/float64(population)
	u := Uniqueness{Zayatz: share(zayatz(c, n, population), N), Pitman: share(pitman(c, population), N), SNB: share(snb(c, f), N)}
	switch {
	case f <= 0.1 && u.Pitman != nil:
		u.Chosen, u.Share = "pitman", *u.Pitman
	case f > 0.1 && u.SNB != nil && *u.SNB <= *u.Zayatz:
		u.Chosen, u.Share = "snb", *u.SNB
	default:
		u.Chosen, u.Share = "zayatz", *u.Zayatz
	}
	return u
}

// share keeps an estimate that can be true.
func share(uniques, population float64) *float64 {
	if math.IsNaN(uniques) || uniques < 0 || uniques > population {
		return nil
	}
	s := uniques / population
	return &s
}

// zayatz takes the sample's class sizes for the population's: the share of the sample's uniques that are unique there, times the uniques, scaled
// up. Zayatz, Estimation of the number of unique population elements using a sample (1991).
func zayatz(c Classes, n, population int) float64 {
	one := 0.0
	for _, size := range c.Sizes() {
		k := c[size]
		one += float64(k) * drawnOnce(population, size, n)
	}
	alone := float64(c[1]) * drawnOnce(population, 1, n)
	return float64(c[1]) * alone / one * float64(population) / float64(n)
}

// drawnOnce is the hypergeometric chance that just one of size persons is among n drawn of the population.
func drawnOnce(population, size, n int) float64 {
	rest := population - size
	if n-1 > rest || n < 1 {
		return 0
	}
	return float64(size) * math.Exp(choose(rest, n-1)-choose(population, n))
}

func choose(n, k int) float64 {
	return lgamma(float64(n)+1) - lgamma(float64(k)+1) - lgamma(float64(n-k)+1)
}

func lgamma(x float64) float64 {
	v, _ := math.Lgamma(x)
	return v
}

// pitman fits the Ewens-Pitman sampling formula with 0 < α < 1 and θ > 0 by its likelihood and returns the expected number of classes of one in
// the population, Γ(θ+1)/Γ(θ+α) · N^α. Hoshino, Applying Pitman's sampling formula to microdata disclosure risk assessment, J Off Stat 17 (2001).
// The likelihood is climbed by golden sections, θ inside α: slower than Newton's way, and it never leaves the domain.
func pitman(c Classes, population int) float64 {
	u, n := float64(c.Count()), float64(c.Members())
	if u >= n { // every person alone: the likelihood climbs to α = 1 without an end
		return math.NaN()
	}
	sizes := c.Sizes()
	likelihood := func(theta, alpha float64) float64 {
		l := (u-1)*math.Log(alpha) + lgamma(theta/alpha+u) - lgamma(theta/alpha+1) - lgamma(theta+n) + lgamma(theta+1)
		for _, size := range sizes {
			k := c[size]
			if size > 1 {
				l += float64(k) * (lgamma(float64(size)-alpha) - lgamma(1-alpha))
			}
		}
		return l
	}
	best := func(alpha float64) float64 {
		return math.Exp(climb(math.Log(1e-6), math.Log(1e9), func(t float64) float64 { return likelihood(math.Exp(t), alpha) }))
	}
	alpha := climb(1e-6, 1-1e-6, func(a float64) float64 { return likelihood(best(a), a) })
	if alpha < 1e-5 || alpha > 1-1e-5 {
		return math.NaN()
	}
	theta := best(alpha)
	return math.Exp(lgamma(theta+1) - lgamma(theta+alpha) + alpha*math.Log(float64(population)))
}

// climb finds the argument of the largest value of a function with one hill.
func climb(lo, hi float64, f func(float64) float64) float64 {
	const golden = 0.6180339887498949
	a, b := hi-golden*(hi-lo), lo+golden*(hi-lo)
	fa, fb := f(a), f(b)
	for range 80 {
		if fa < fb {
			lo, a, fa = a, b, fb
			b = lo + golden*(hi-lo)
			fb = f(b)
		} else {
			hi, b, fb = b, a, fa
			a = hi - golden*(hi-lo)
			fa = f(a)
		}
	}
	return (lo + hi) / 2
}

// snb takes the size of a class of the population for one more than a negative binomial number (α, β), each member in the sample with chance f,
// and fits the expected classes of one and of two. K, the number of classes of the population, is Shlosser's estimate as Haas and Stokes changed
// it (1998). Chen and Keller-McNulty, Estimation of identification disclosure risk in microdata, J Off Stat 14 (1998).
//
// With q = 1-f, D = 1-q(1-β), G = (β/D)^α the expectations follow from the generating function of the size:
//
//	E c1 = K f G (1 + α q (1-β) / D)
//	E c2 = K f² / 2 · α (1-β) G / D² · (2 - (1-α) q (1-β))
func snb(c Classes, f float64) float64 {
	return fitted(shlosser(c, f), float64(c[1]), float64(c[2]), f)
}

// fitted solves the two equations for K classes and returns the classes of one in the population, K β^α.
func fitted(k, c1, c2, f float64) float64 {
	if c2 == 0 || math.IsNaN(k) {
		return math.NaN()
	}
	e := &equations{k, c1, c2, f}
	la, lb, least := e.grid()
	la, lb, least = e.descend(la, lb, least)
	if least > 1e-9 {
		la, lb, least = e.feel(la, lb, least)
	}
	if least > 1e-6 {
		return math.NaN()
	}
	return k * math.Exp(math.Exp(la)*math.Log(1/(1+math.Exp(-lb))))
}

// equations are those of the expected classes of one and of two, over the logarithm of α and the logit of β.
type equations struct{ k, c1, c2, f float64 }

// off is by how much both miss, as logarithms.
func (e *equations) off(la, lb float64) (one, two float64) {
	q := 1 - e.f
	a, b := math.Exp(la), 1/(1+math.Exp(-lb))
	d := 1 - q*(1-b)
	g := math.Exp(a * math.Log(b/d))
	e1 := e.k * e.f * g * (1 + a*q*(1-b)/d)
	e2 := e.k * e.f * e.f / 2 * a * (1 - b) * g / (d * d) * (2 - (1-a)*q*(1-b))
	return math.Log(e1 / e.c1), math.Log(e2 / e.c2)
}

func (e *equations) miss(la, lb float64) float64 { return math.Hypot(e.off(la, lb)) }

// grid is the best of a grid over all that α and β can be.
func (e *equations) grid() (la, lb, least float64) {
	least = math.Inf(1)
	for x := -12.0; x <= 8; x += 0.25 {
		for y := -16.0; y <= 12; y += 0.25 {
			if m := e.miss(x, y); m < least {
				la, lb, least = x, y, m
			}
		}
	}
	return la, lb, least
}

// descend goes down by Levenberg's and Marquardt's way: the solution often lies in a long bent valley, through which steps along the axes crawl.
func (e *equations) descend(la, lb, least float64) (x, y, m float64) {
	const h = 1e-6
	damp := 1e-3
	for range 500 {
		if least <= 1e-12 || damp > 1e12 {
			break
		}
		r1, r2 := e.off(la, lb)
		ax, ay := e.off(la+h, lb)
		bx, by := e.off(la-h, lb)
		cx, cy := e.off(la, lb+h)
		dx, dy := e.off(la, lb-h)
		j11, j21, j12, j22 := (ax-bx)/(2*h), (ay-by)/(2*h), (cx-dx)/(2*h), (cy-dy)/(2*h)
		g1, g2 := j11*r1+j21*r2, j12*r1+j22*r2
		p, q, s := j11*j11+j21*j21, j11*j12+j21*j22, j12*j12+j22*j22
		for ; damp <= 1e12; damp *= 4 {
			u, v := p*(1+damp)+1e-300, s*(1+damp)+1e-300
			det := u*v - q*q
			nx, ny := la-(v*g1-q*g2)/det, lb-(u*g2-q*g1)/det
			if m := e.miss(nx, ny); m < least { // not for what is no number
				la, lb, least, damp = nx, ny, m, max(damp/16, 1e-12)
				break
			}
		}
	}
	return la, lb, least
}

// feel goes down along the axes and between them, where slopes mislead.
func (e *equations) feel(la, lb, least float64) (x, y, m float64) {
	tries := 0
	for step := 0.125; step > 1e-12 && least > 1e-9 && tries < 200_000; {
		x, y := la, lb
		for _, d := range [][2]float64{{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {-1, -1}, {1, -1}, {-1, 1}} {
			if m := e.miss(x+d[0]*step, y+d[1]*step); m < least {
				la, lb, least = x+d[0]*step, y+d[1]*step, m
			}
			tries++
		}
		if la == x && lb == y {
			step /= 2
		}
	}
	return la, lb, least
}

// shlosser estimates the classes of the population from those of the sample.
func shlosser(c Classes, f float64) float64 {
	var a, b, d, e float64
	for _, size := range c.Sizes() {
		count := c[size]
		i, k := float64(size), float64(count)
		a += i * f * f * math.Pow(1-f*f, i-1) * k
		b += math.Pow(1-f, i) * (math.Pow(1+f, i) - 1) * k
		d += math.Pow(1-f, i) * k
		e += i * f * math.Pow(1-f, i-1) * k
	}
	return float64(c.Count()) + float64(c[1])*(a/b)*(d/e)*(d/e)
}
