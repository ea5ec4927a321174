package recode

import (
	"cmp"
	"slices"
)

// space is a table as a search sees it: columns in the order of the search, levels as small tables over the codes that
// occur.
type space struct {
	t     *Table
	order []int // position in the search -> column of the table
	place []int // and back
	cols  []column
	n     int64 // rows
}

// column is one quasi-identifier. All levels are those of its hierarchy up to its cap.
type column struct {
	up     [][]uint16 // level -> code -> group, groups numbered densely
	groups []int      // level -> number of groups that occur
	cover  [][]int64  // level -> code -> leaves covered
	leaves int64
	weight float64 // of a leaf too many: its share of the loss
}

func (c *column) top() int { return len(c.up) - 1 }

// newSpace compiles a table. Columns with few levels and values come first: what is left for the end then are the columns
// that cost most, whose optimum alone is a strong bound for everything before them (see search).
func newSpace(t *Table) *space {
	s := &space{t: t, n: t.total}
	sum := 0.0
	for i := range t.columns {
		s.order = append(s.order, i)
		sum += t.columns[i].Weight
	}
	slices.SortStableFunc(s.order, func(a, b int) int {
		return cmp.Or(cmp.Compare(t.columns[a].last(), t.columns[b].last()), cmp.Compare(len(t.leaf[a]), len(t.leaf[b])))
	})
	s.place = make([]int, len(s.order))
	for x, i := range s.order {
		s.place[i] = x
		s.cols = append(s.cols, compile(&t.columns[i], t.leaf[i], sum, float64(t.total)))
	}
	return s
}

// last is the highest level that the column may be generalised to.
func (c *Column) last() int {
	if c.Capped {
		return c.Cap
	}
	return c.Hierarchy.Levels() - 1
}

func compile(from *Column, leaf []uint32, weights, rows float64) column {
	h := from.Hierarchy
	c := column{leaves: int64(h.Leaves())}
	if c.leaves > 1 && weights > 0 {
		c.weight = from.Weight / weights / (rows * float64(c.leaves-1))
	}
	for l := 0; l <= from.last(); l++ {
		number := map[uint32]uint16{}
		up, cover := make([]uint16, len(leaf)), make([]int64, len(leaf))
		for code, f := range leaf {
			g := h.Group(l, f)
			dense, known := number[g]
			if !known {
				dense = uint16(len(number))
				number[g] = dense
			}
			up[code], cover[code] = dense, int64(h.Covers(l, g))
		}
		c.up, c.cover, c.groups = append(c.up, up), append(c.cover, cover), append(c.groups, len(number))
	}
	return c
}

// share is a column's own loss, without its weight.
func (c *column) share(sum, rows int64) float64 {
	if c.leaves == 1 {
		return 0
	}
	return float64(sum-rows) / (float64(rows) * float64(c.leaves-1))
}

// loss is a column's share of the loss for the sum of leaves covered, suppressed rows counting all leaves: (sum ÷ leaves
// − min) ÷ (n − min) with min = n ÷ leaves, times the column's weight. It grows with the sum, in floating point too: a
// sum of such terms in a fixed order never rounds below that of smaller sums.
func (c *column) loss(sum, rows int64) float64 { return c.weight * float64(sum-rows) }
