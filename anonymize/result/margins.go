package result

import (
	"math/bits"
)

// table is one number in every cell of a grouping set: x over the members of its keys, the last key fastest. The members are those that the
// question's own WHERE lets through; the others hold no row, whatever the data.
type table struct {
	keys  uint   // a bit for each key of the plan
	sizes *sizes // of all keys of the plan
	x     []float64
	// noise is the variance of each number.
	noise float64
}

// sizes are the members of each key of one answer.
type sizes struct {
	of     [maxSetKeys]int
	placed map[[2]uint][]int // what within has computed
}

// maxSetKeys is far above what a plan may have.
const maxSetKeys = 16

func newSizes(of ...int) *sizes {
	s := &sizes{placed: map[[2]uint][]int{}}
	copy(s.of[:], of)
	return s
}

func (s *sizes) cells(keys uint) int {
	n := 1
	for ; keys != 0; keys &= keys - 1 {
		n *= s.of[bits.TrailingZeros(keys)]
	}
	return n
}

// within gives, for each cell over keys, the cell over some of them that it is part of.
func (s *sizes) within(keys, some uint) []int {
	if out, ok := s.placed[[2]uint{keys, some}]; ok {
		return out
	}
	out := make([]int, s.cells(keys))
	s.placed[[2]uint{keys, some}] = out
	inner, stride := 1, 1 // cells of the keys after this one: of all, and of some
	for k := maxSetKeys - 1; k >= 0; k-- {
		if keys>>k&1 == 0 {
			continue
		}
		if some>>k&1 == 1 {
			for i := range out {
				out[i] += i / inner % s.of[k] * stride
			}
			stride *= s.of[k]
		}
		inner *= s.of[k]
	}
	return out
}

// sum is the table's margin over some of its keys.
func (t *table) sum(some uint) []float64 {
	out := make([]float64, t.sizes.cells(some))
	for i, at := range t.sizes.within(t.keys, some) {
		out[at] += t.x[i]
	}
	return out
}

// interaction takes from a table over keys what depends on fewer of them: along each key the mean.
func (s *sizes) interaction(keys uint, x []float64) {
	inner := 1
	for k := maxSetKeys - 1; k >= 0; k-- {
		if keys>>k&1 == 0 {
			continue
		}
		n := s.of[k]
		for from := 0; from < len(x); from += inner * n {
			for i := from; i < from+inner; i++ {
				mean := 0.0
				for j := range n {
					mean += x[i+j*inner] / float64(n)
				}
				for j := range n {
					x[i+j*inner] -= mean
				}
			}
		}
		inner *= n
	}
}

// move makes the table's interaction of some keys that of a margin over them, and leaves all others as they are.
func (t *table) move(some uint, to []float64) {
	by := t.sum(some)
	for i := range by {
		by[i] = to[i] - by[i]
	}
	t.sizes.interaction(some, by)
	share := float64(len(by)) / float64(len(t.x))
	for i, at := range t.sizes.within(t.keys, some) {
		t.x[i] += by[at] * share
	}
}

// reconcile makes tables of one number agree: what two of them say of the same margin becomes one thing. It is the weighted least squares of all cells
// given all tables (M. Hay, V. Rastogi, G. Miklau, D. Suciu, "Boosting the Accuracy of Differentially Private Histograms Through Consistency",
// VLDB 2010, for trees), in closed form for any sets of keys:
//
// Every table is a sum of interactions, one for each subset T of its keys, which are orthogonal. A table S of g cells of variance v gives the margin
// over T with g/|T| of its cells in each, so with variance v·g/|T|, and its interaction of T with that variance times the same projection for
// every S. The noises of tables are independent. So the best interaction of T is the mean of those of all S ⊇ T, each weighted by 1/(v·g), whatever
// the other subsets are. Weights are positive and known before the data, so the mean is unbiased as each of them is.
func reconcile(tables []*table) {
	if len(tables) < 2 {
		return
	}
	for _, some := range shared(tables) {
		mean, total := make([]float64, tables[0].sizes.cells(some)), 0.0
		for _, t := range tables {
			if t.keys&some != some {
				continue
			}
			weight := 1 / (t.noise * float64(len(t.x)))
			total += weight
			for i, x := range t.sum(some) {
				mean[i] += weight * x
			}
		}
		for i := range mean {
			mean[i] /= total
		}
		for _, t := range tables {
			if t.keys&some == some {
				t.move(some, mean)
			}
		}
	}
}

// shared are the sets of keys that at least two tables have.
func shared(tables []*table) []uint {
	var out []uint
	seen := map[uint]bool{}
	for i, a := range tables {
		for _, b := range tables[:i] {
			both := a.keys & b.keys
			for some := both; ; some = (some - 1) & both {
				if !seen[some] {
					seen[some] = true
					out = append(out, some)
				}
				if some == 0 {
					break
				}
			}
		}
	}
	return out
}
