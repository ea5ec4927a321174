package result

import (
	"math"

	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
)

// tree is the noised tree of counts of one group, and the fraction that is asked.
//
// The number of rows below the edge between two leaves is the sum of few nodes: at each level the older siblings of the path to it. Let D(j) be that
// number minus fraction × all rows, a linear form of the noised nodes. The exact quantile lies in a leaf whose exact D is at most 0 at its left
// edge and at least 0 at its right one. A leaf is kept when both may be so at the level; the leaf that holds the quantile is
// kept at the level or above, so the kept leaves' hull covers it (a test turned into an interval, no correction for the other leaves needed:
// only the one leaf's tests can miss).
type tree struct {
	shape    plan.Tree
	levels   [][]int64 // levels[0] are the leaves
	noise    []dp.Noise
	fraction float64
}

// checkTree checks the table of a tree against its part.
func (c *computer) checkTree(part int) error {
	t, l := c.tables[part], c.parts[part].Layout
	if t.Leaves != l.Tree.Leaves || !c.fits(part) || t.Rows%t.Leaves != 0 {
		return ErrMismatch
	}
	size := int64(1)
	for i := range t.Values {
		if int64(len(t.Values[i])) != t.Rows/size || l.Measures[i].Level != i {
			return ErrMismatch
		}
		size *= plan.Branch
	}
	return nil
}

// quantile reads one group's tree.
func (c *computer) quantile(r *row, m plan.Measure) value {
	t, l := c.tables[m.Tree], c.parts[m.Tree].Layout
	out := &tree{shape: *l.Tree, fraction: m.Fraction}
	size := t.Leaves
	for i, mech := range t.Mechanisms {
		if (r.at+1)*size > int64(len(t.Values[i])) {
			return linear(dp.Form{Value: math.NaN()})
		}
		out.levels = append(out.levels, t.Values[i][r.at*size:(r.at+1)*size])
		out.noise = append(out.noise, dp.NoiseOf(mech, 0))
		size /= plan.Branch
	}
	return value{op: opTree, tree: out}
}

// edge is D at the left edge of leaf j (the right one of leaf j−1): its value, noises and terms.
func (t *tree) edge(j int64) (float64, []dp.Noise, []dp.Term) {
	var noises []dp.Noise
	var terms []dp.Term
	value := 0.0
	add := func(level int, node int64, coef float64) {
		value += coef * float64(t.levels[level][node])
		terms = append(terms, dp.Term{Coef: coef, Index: len(noises)})
		noises = append(noises, t.noise[level])
	}
	top := len(t.levels) - 1
	for level := top; level >= 0; level-- {
		node := j >> (2 * level) // Branch is 4
		first := node / plan.Branch * plan.Branch
		if j>>(2*level) == int64(len(t.levels[level])) { // the right end of everything
			first = node
		}
		if level == top {
			for k := range int64(len(t.levels[top])) {
				coef := -t.fraction
				if k < node {
					coef++
				}
				add(top, k, coef)
			}
			if node >= int64(len(t.levels[top])) {
				return value, noises, terms
			}
			continue
		}
		for k := first; k < node; k++ {
			add(level, k, 1)
		}
	}
	return value, noises, terms
}

// at is the value at the left edge of a leaf.
func (t *tree) at(j float64) float64 {
	if t.shape.Exact() {
		return math.Min(float64(t.shape.Lo)+j, float64(t.shape.Hi)) / math.Pow10(t.shape.Scale)
	}
	width := float64(t.shape.Hi - t.shape.Lo + 1)
	x := float64(t.shape.Lo) + j*width/float64(t.shape.Leaves)
	return math.Min(x, float64(t.shape.Hi)) / math.Pow10(t.shape.Scale)
}

// point is where the noised counts, made monotone, cross the fraction.
func (t *tree) point() float64 {
	n := t.shape.Leaves
	d := make([]float64, n+1)
	for j := range d {
		d[j], _, _ = t.edge(int64(j))
	}
	monotone(d)
	for j := int64(0); j < n; j++ {
		if d[j+1] >= 0 {
			share := 0.5
			if d[j+1] > d[j] {
				share = math.Min(1, math.Max(0, -d[j]/(d[j+1]-d[j])))
			}
			if t.shape.Exact() {
				share = 0
			}
			return t.at(float64(j) + share)
		}
	}
	return t.at(float64(n))
}

// monotone is the nearest non-decreasing sequence in least squares (pool adjacent violators).
func monotone(d []float64) {
	type block struct {
		sum float64
		n   int
	}
	var blocks []block
	for _, x := range d {
		blocks = append(blocks, block{x, 1})
		for len(blocks) > 1 {
			a, b := blocks[len(blocks)-2], blocks[len(blocks)-1]
			if a.sum*float64(b.n) <= b.sum*float64(a.n) {
				break
			}
			blocks = append(blocks[:len(blocks)-2], block{a.sum + b.sum, a.n + b.n})
		}
	}
	i := 0
	for _, b := range blocks {
		for range b.n {
			d[i] = b.sum / float64(b.n)
			i++
		}
	}
}

// interval is the hull of the leaves that may hold the quantile.
func (t *tree) interval(level float64) (lo, hi float64) {
	n := t.shape.Leaves
	below, above := make([]bool, n+1), make([]bool, n+1) // D may be ≤ 0, ≥ 0 at an edge
	for j := range below {
		value, noises, terms := t.edge(int64(j))
		l, h := dp.LinearInterval(noises, value, terms, level)
		below[j], above[j] = l <= 0, h >= 0
	}
	below[0], above[n] = true, true // D(0) ≤ 0 and D(n) ≥ 0 whatever the data
	first, last := int64(-1), int64(-1)
	for j := range n {
		if below[j] && above[j+1] {
			if first < 0 {
				first = j
			}
			last = j
		}
	}
	if first < 0 { // no leaf is likely: nothing is excluded
		return t.at(0), t.at(float64(n))
	}
	if t.shape.Exact() {
		return t.at(float64(first)), t.at(float64(last))
	}
	return t.at(float64(first)), t.at(float64(last + 1))
}
