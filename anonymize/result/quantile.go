package result

import (
	"math"

	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
)

// tree is the noised tree of counts of one group, and the fraction q that is asked.
//
// The number of rows below the edge between two leaves is the sum of few nodes: at each level the older siblings of the path to it. Let D(j) be that
// number for the left edge of leaf j, minus q × all rows with a value: a linear form of the noised nodes.
//
// QUANTILE_CONT lies between two neighbours of the sorted values, those of rank ⌊h⌋ and ⌈h⌉, h = q(N−1). If leaf a holds the lower one and leaf b the
// upper one, then exactly D(a+1) > −q, since more than h rows are below the right edge of a, and D(b) ≤ 1−q, since at most ⌈h⌉ < h+1 are below
// the left edge of b. The interval goes from the first leaf whose right edge may have D ≥ −q to the last leaf whose left edge may have D
// ≤ 1−q, each by one side of an interval of that one edge at the level. So it begins above the lower value only if the interval of edge a+1
// misses on its one side, and ends below the upper value only if that of edge b misses on its other side: together at most 1 − level, whatever the
// other leaves' noises are.
type tree struct {
	shape    plan.Tree
	part     int
	levels   [][]int64 // levels[0] are the leaves
	noise    []dp.Noise
	fraction float64
	margins  map[margin]float64 // of the answer: most edges of all groups have the same noises
	// agreeing: the point of a larger fraction is never below that of a smaller one. Made monotone, the noised D of two fractions differ by one
	// number for all edges, so the later crossing is that of the larger fraction as long as the noised number of all rows is above 0.
	agreeing bool
}

// margin names a sum of noises: a tree, a fraction, and how many nodes of each kind are in the sum.
type margin struct {
	part     int
	fraction float64
	level    float64
	nodes    [maxHeight]int8 // below the top; levels with the same noise are counted together
	top      int8            // nodes of the top with coefficient 1 − q, the others have −q
}

// maxHeight is that of 2^18 leaves.
const maxHeight = 9

// checkTrees checks the tables of all trees: before any is read, since trees come after the groups they stand under.
func (c *computer) checkTrees() error {
	groups := -1
	for i := range c.parts {
		if c.parts[i].Layout.Tree == nil {
			groups = i
			continue
		}
		if err := c.checkTree(i, groups); err != nil {
			return err
		}
	}
	return nil
}

// checkTree checks the table of a tree against its part, and against the groups it stands under.
func (c *computer) checkTree(part, groups int) error {
	t, l := c.tables[part], c.parts[part].Layout
	if t.Leaves != l.Tree.Leaves || !c.fits(part) || groups < 0 || t.Rows != c.tables[groups].Rows*t.Leaves || len(t.Values) > maxHeight {
		return ErrMismatch
	}
	size := int64(1)
	for i := range t.Values {
		if int64(len(t.Values[i])) != t.Rows/size || l.Measures[i].Level != i {
			return ErrMismatch
		}
		size *= plan.Branch
	}
	if size != t.Leaves {
		return ErrMismatch
	}
	return nil
}

// quantile reads one group's tree.
func (c *computer) quantile(r *row, m plan.Measure) value {
	t, l := c.tables[m.Tree], c.parts[m.Tree].Layout
	if c.margins == nil {
		c.margins = map[margin]float64{}
	}
	out := &tree{shape: *l.Tree, part: m.Tree, fraction: m.Fraction, margins: c.margins, agreeing: c.style == Agreeing}
	size := t.Leaves
	for i, mech := range t.Mechanisms {
		out.levels = append(out.levels, t.Values[i][r.at*size:(r.at+1)*size])
		out.noise = append(out.noise, dp.NoiseOf(mech, 0))
		size /= plan.Branch
	}
	return value{op: opTree, tree: out}
}

// edges are the noised D(0), …, D(leaves).
func (t *tree) edges() []float64 {
	below := []float64{0} // rows below the left edge of each node of the level above
	for level := len(t.levels) - 1; level >= 0; level-- {
		next := make([]float64, len(t.levels[level]), len(t.levels[level])+1)
		for node := range next {
			if node%plan.Branch == 0 {
				next[node] = below[node/plan.Branch]
			} else {
				next[node] = next[node-1] + float64(t.levels[level][node-1])
			}
		}
		below = next
	}
	all := 0.0
	for _, n := range t.levels[len(t.levels)-1] {
		all += float64(n)
	}
	below = append(below, all)
	for j := range below {
		below[j] -= t.fraction * all
	}
	return below
}

// noises are the kinds of nodes that make D(j).
func (t *tree) noises(j int64, level float64) margin {
	top := len(t.levels) - 1
	m := margin{part: t.part, fraction: t.fraction, level: level, top: int8(j >> (2 * top))} // Branch is 4
	if m.top == plan.Branch {
		return m
	}
	for at := range top {
		like := at
		for like > 0 && t.noise[like-1] == t.noise[at] {
			like--
		}
		m.nodes[like] += int8(j >> (2 * at) & (plan.Branch - 1))
	}
	return m
}

// margin is how far D(j) may be from the exact one, at the level on both sides together.
func (t *tree) margin(j int64, level float64) float64 {
	m := t.noises(j, level)
	if h, ok := t.margins[m]; ok {
		return h
	}
	var noises []dp.Noise
	var terms []dp.Term
	add := func(level int, coef float64) {
		terms = append(terms, dp.Term{Coef: coef, Index: len(noises)})
		noises = append(noises, t.noise[level])
	}
	for k := range int8(plan.Branch) {
		if k < m.top {
			add(len(t.levels)-1, 1-t.fraction)
		} else {
			add(len(t.levels)-1, -t.fraction)
		}
	}
	for at, n := range m.nodes {
		for range n {
			add(at, 1)
		}
	}
	_, h := dp.LinearInterval(noises, 0, terms, level)
	t.margins[m] = h
	return h
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

// point is where the noised counts, made monotone, cross the fraction. Of hardly any rows it is the middle, as a mean is.
func (t *tree) point() float64 {
	n := t.shape.Leaves
	d := t.edges()
	if t.agreeing && d[n] <= d[0] {
		return t.at(float64(n) / 2)
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

// interval goes from the first leaf to the last one that may hold the quantile. D(leaves) ≥ 0 and D(0) ≤ 0 whatever the data, and no edge is beyond
// both limits, so that the first is never after the last.
func (t *tree) interval(level float64) (lo, hi float64) {
	d := t.edges()
	first, last := int64(0), t.shape.Leaves-1
	for first < t.shape.Leaves-1 && t.beyond(d, first+1, -1, -t.fraction, level) {
		first++
	}
	for last > 0 && t.beyond(d, last, 1, 1-t.fraction, level) {
		last--
	}
	if t.shape.Exact() {
		return t.at(float64(first)), t.at(float64(last))
	}
	return t.at(float64(first)), t.at(float64(last + 1))
}

// beyond says that D(j), on a side, lies beyond a limit by more than its margin.
func (t *tree) beyond(d []float64, j int64, side, limit, level float64) bool {
	over := side*(d[j]-limit) - 1e-14*(math.Abs(d[0])+math.Abs(d[len(d)-1])) // of float64 sums
	return over > 0 && (over > t.chebyshev(level) || over > t.margin(j, level))
}

// chebyshev is above every margin: √(variance ÷ (1 − level)) and the rounding, for the most nodes that an edge has. It spares computing the
// margins of edges far away.
func (t *tree) chebyshev(level float64) float64 {
	variance, nodes := 0.0, 0.0
	for at, n := range t.noise {
		k := float64(plan.Branch - 1)
		if at == len(t.noise)-1 {
			k++
		}
		scale := n.Scale * n.Scale
		if n.Kind != dp.Gaussian {
			scale *= 2
		}
		variance, nodes = variance+k*scale, nodes+k
	}
	return math.Sqrt(variance/(1-level)) + nodes/2
}
