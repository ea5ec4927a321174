package recode

// part is a partition of the tuples that are left by the columns assigned so far. Tuples whose class is too small
// already are gone: they are suppressed in every finer partition. Tuples of one class that no level still possible can
// tell apart are one.
type part struct {
	depth  int        // columns assigned, in the order of the search
	codes  [][]uint16 // column -> tuple; of columns not assigned
	w      []int32
	tag    []uint32 // nil where the table has none
	person []uint32
	pop    []int32
	ends   []int32   // of classes
	cover  [][]int64 // column assigned -> class -> leaves covered
	sum    [][]int64 // column -> level -> leaves covered, suppressed rows with all; of columns assigned only their level
	supp   int64
	level  []uint8 // of columns assigned
	low    []uint8 // of the others: lowest level that may still be possible
	merged []uint8 // and the level at which their tuples were made one

	// Of a counter's partitions, which have w and ends, and instead of codes and cover packed tuples:
	keys     [][]uint64 // word -> tuple
	from     *part      // that it is cut from
	settled  bool       // its tuples are sorted into classes
	classes  int
	smallest int64 // class, rows
}

func newPart(s *space) *part {
	p := &part{}
	for i := range s.cols {
		p.sum = append(p.sum, make([]int64, len(s.cols[i].up)))
	}
	p.codes, p.cover = make([][]uint16, len(s.cols)), make([][]int64, len(s.cols))
	p.level, p.low, p.merged = make([]uint8, len(s.cols)), make([]uint8, len(s.cols)), make([]uint8, len(s.cols))
	return p
}

// root is the partition of one class.
func (s *space) root() *part {
	p, t := newPart(s), s.t
	width := len(s.cols)
	n := len(t.rows)
	p.w, p.tag, p.person, p.pop = t.rows, t.tag, t.person, t.pop
	p.ends = []int32{int32(n)}
	for x, i := range s.order {
		codes := make([]uint16, n)
		for j := range codes {
			codes[j] = t.codes[j*width+i]
		}
		p.codes[x] = codes
		count := make([]int64, len(t.leaf[i]))
		for j, c := range codes {
			count[c] += int64(t.rows[j])
		}
		for l := range p.sum[x] {
			for c, n := range count {
				p.sum[x][l] += n * s.cols[x].cover[l][c]
			}
		}
	}
	return p
}

// suppress takes the tuple at j out of the sums of the columns not assigned.
func (s *space) suppress(from, to *part, j int32) {
	w := int64(from.w[j])
	if w == 0 {
		return
	}
	to.supp += w
	for x := from.depth; x < len(s.cols); x++ {
		c := &s.cols[x]
		code := from.codes[x][j]
		for l := int(to.low[x]); l < len(c.up); l++ {
			to.sum[x][l] += w * (c.leaves - c.cover[l][code])
		}
	}
}

// suppressClass takes w rows of class g of from out of the sums of the columns assigned.
func (s *space) suppressClass(from, to *part, g int, w int64) {
	for x := range from.depth {
		to.sum[x][from.level[x]] += w * (s.cols[x].leaves - from.cover[x][g])
	}
}

// inherit makes to a copy of what from knows of columns.
func (to *part) inherit(from *part) {
	to.depth, to.supp = from.depth, from.supp
	copy(to.level, from.level)
	copy(to.low, from.low)
	copy(to.merged, from.merged)
	for x := range from.sum {
		copy(to.sum[x], from.sum[x])
	}
}
