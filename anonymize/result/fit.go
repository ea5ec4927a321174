package result

import (
	"math"
	"math/bits"
	"slices"
	"sort"
)

// family is the count of one name in grouping sets that agree, and in the sets of keys that these have in common.
//
// What it does to the counts: from the coarsest set to the finest, each set becomes the nearest one (in squares) that is nowhere below 0 nor above the
// rows of its cell, and whose sums are the coarser sets' numbers. So a total stays what its own noised number and those of its parts say. Cutting the parts
// at 0 one by one would add what is cut to every total: in 1,000 empty cells some 400 times the noise of one. Without a total, cells are cut one by one.
//
// Counts become whole where every set has its sums from one coarser set at most (ROLLUP, one key with its total). Where it has several (CUBE) they keep their
// decimals: whole numbers that add up in three directions need not exist.
type family struct {
	sizes *sizes
	sets  []uint // of keys, closed under intersection, fewer keys first
	at    map[uint]*table
	most  *family // the rows; nil where they are not known
	whole bool
}

// newFamily takes tables that agree.
func newFamily(tables []*table, most *family) *family {
	f := &family{sizes: tables[0].sizes, at: map[uint]*table{}, most: most, whole: true}
	for _, t := range tables {
		f.at[t.keys] = t
		f.sets = append(f.sets, t.keys)
	}
	for i := 0; i < len(f.sets); i++ {
		for _, other := range f.sets[:i] {
			both := f.sets[i] & other
			if f.at[both] == nil {
				f.at[both] = &table{keys: both, sizes: f.sizes, x: f.at[f.sets[i]].sum(both)}
				f.sets = append(f.sets, both)
			}
		}
	}
	sort.Slice(f.sets, func(i, j int) bool {
		a, b := bits.OnesCount(f.sets[i]), bits.OnesCount(f.sets[j])
		return a < b || a == b && f.sets[i] < f.sets[j]
	})
	for _, s := range f.sets {
		f.whole = f.whole && len(f.coarser(s)) < 2
	}
	return f
}

// coarser are the sets that a set has its sums from: the largest ones that are part of it.
func (f *family) coarser(set uint) []uint {
	var out []uint
	for _, s := range f.sets {
		if s == set || s&set != s {
			continue
		}
		out = slices.DeleteFunc(out, func(o uint) bool { return o&s == o })
		out = append(out, s)
	}
	return out
}

// fit makes the counts possible ones. It is false when sets could not be made to agree, and then they are as near as was found: only sets of which none
// holds all others can end so.
func (f *family) fit() bool {
	agree := true
	for _, set := range f.sets {
		t, up := f.at[set], f.limits(set)
		switch over := f.coarser(set); len(over) {
		case 0:
			for i := range t.x {
				t.x[i] = math.Min(math.Max(t.x[i], 0), up[i])
				if f.whole {
					t.x[i] = math.Round(t.x[i])
				}
			}
		case 1:
			f.under(t, f.at[over[0]], up)
		default:
			agree = f.between(t, over, up) && agree
		}
	}
	return f.whole || f.fromFinest(agree) || agree
}

// limits are the rows of each cell, or no limit.
func (f *family) limits(set uint) []float64 {
	if f.most != nil && f.most.at[set] != nil {
		return f.most.at[set].x
	}
	return slices.Repeat([]float64{math.Inf(1)}, len(f.at[set].x))
}

// under fits a set under one coarser one, cell by cell of that.
func (f *family) under(t, over *table, up []float64) {
	groups := make([][]int, len(over.x))
	for i, at := range f.sizes.within(t.keys, over.keys) {
		groups[at] = append(groups[at], i)
	}
	for at, group := range groups {
		x, limit := make([]float64, len(group)), make([]float64, len(group))
		for j, i := range group {
			x[j], limit[j] = t.x[i], up[i]
		}
		boxed(x, limit, over.x[at])
		if f.whole {
			wholes(x, over.x[at])
		}
		for j, i := range group {
			t.x[i] = x[j]
		}
	}
}

// boxed is the nearest point with 0 ≤ x ≤ up and this sum, which is from 0 to that of up: x less one number for all, cut to the box (by Lagrange; T. Wang
// and others, "Locally Differentially Private Frequency Estimation with Consistency", NDSS 2020, call it Norm-Sub).
func boxed(x, up []float64, sum float64) {
	at := func(by float64) (s float64) {
		for i := range x {
			s += math.Min(math.Max(x[i]-by, 0), up[i])
		}
		return s
	}
	lo, hi := slices.Min(x)-sum, slices.Max(x) // everything in, and nothing
	for range 200 {
		mid := (lo + hi) / 2
		if mid <= lo || mid >= hi {
			break
		}
		if at(mid) >= sum {
			lo = mid
		} else {
			hi = mid
		}
	}
	for i := range x {
		x[i] = math.Min(math.Max(x[i]-lo, 0), up[i])
	}
}

// wholes rounds numbers to whole ones of a whole sum: down, and those with the largest remainders up. None passes a whole limit.
func wholes(x []float64, sum float64) {
	const rounding = 1e-9 // of the sums before: what is nearly a whole number is one
	order, rest := make([]int, len(x)), make([]float64, len(x))
	for i := range x {
		down := math.Floor(x[i] + rounding)
		order[i], rest[i] = i, x[i]-down
		x[i], sum = down, sum-down
	}
	sort.SliceStable(order, func(i, j int) bool { return rest[order[i]] > rest[order[j]] })
	for _, i := range order {
		if sum < 1 {
			return
		}
		if rest[i] > rounding {
			x[i]++
			sum--
		}
	}
}

// What ends the search for a set between several coarser ones.
const (
	near   = 1e-8    // of the largest number
	rounds = 400     // at most
	work   = 1 << 22 // cells that are touched, at most
)

// between fits a set under several coarser ones: Dykstra's alternating projections (1983) onto their sums, which is a plane, and onto the box. It is
// false where no such point was found; in three directions there may be none.
func (f *family) between(t *table, over []uint, up []float64) bool {
	most := 1.0
	for _, x := range t.x {
		most = math.Max(most, math.Abs(x))
	}
	cut := make([]float64, len(t.x)) // by the box, the last time
	for range min(rounds, work>>len(over)/len(t.x)+1) {
		f.onto(t, over)
		off := 0.0
		for i := range t.x {
			x := t.x[i] + cut[i]
			t.x[i] = math.Min(math.Max(x, 0), up[i])
			cut[i] = x - t.x[i]
		}
		for _, o := range over {
			for i, x := range t.sum(o) {
				off = math.Max(off, math.Abs(x-f.at[o].x[i]))
			}
		}
		if off <= near*most {
			return true
		}
	}
	return false
}

// onto makes the sums of a set those of coarser ones, by the least change.
func (f *family) onto(t *table, over []uint) {
	seen := map[uint]bool{}
	for _, o := range over {
		for some := o; ; some = (some - 1) & o {
			if !seen[some] {
				seen[some] = true
				t.move(some, f.at[o].sum(some))
			}
			if some == 0 {
				break
			}
		}
	}
}

// fromFinest makes the coarser sets the sums of the finest one, to the last digit. Where a set fits none of its coarser ones it keeps the sum of all before. It is
// false when there is no set that all others are part of.
func (f *family) fromFinest(agree bool) bool {
	first, finest := f.sets[0], f.sets[len(f.sets)-1]
	for _, s := range f.sets {
		if s&finest != s {
			return false
		}
	}
	if !agree {
		sum := 0.0
		for _, x := range f.at[first].x {
			sum += x
		}
		boxed(f.at[finest].x, f.limits(finest), sum)
	}
	for _, s := range f.sets {
		f.at[s].x = f.at[finest].sum(s)
	}
	return true
}
