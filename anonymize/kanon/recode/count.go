package recode

import (
	"math/bits"
	"slices"
)

// counter splits partitions where small classes are all that fails and rows are persons, which is what most searches ask
// for: then a class is a number, and a tuple is its codes packed into words, moved as one. A partition it cuts is at
// first only counted: what it suppresses and loses is known, and its checks read the tuples of the one it is cut from.
// Most subtrees are closed by then; only for the others are the tuples sorted into their classes (settle), after the
// checks raised the lowest levels, so that more of them become one.
type counter struct {
	*space
	k, limit int32

	fields []field
	words  int
	alias  [][][]uint16 // column -> level -> code -> the code that stands for its group

	cells []int32 // rows by group, zero between calls
	first []int32 // code of the column that p is cut by -> its first cell
	cell  []int32 // tuple -> cell
	group []groupOf
	dest  []int32
	table []int32
	gain  []gain // of merging, by depth
}

// field is where a column's code lies in the words of a tuple.
type field struct {
	word  int
	shift uint
	mask  uint64
}

func (f field) of(key uint64) uint16 { return uint16(key >> (f.shift & (wordBits - 1)) & f.mask) }

const wordBits = 64

// groupOf counts a group of a class while it is sorted.
type groupOf struct{ rows, size, at int32 }

// gain is how many merges at a depth are left out, and how many were after the last that gave little.
type gain struct{ rest, pause int }

func newCounter(s *space, k, limit int64) *counter {
	c := &counter{space: s, k: int32(min(k, maxRows)), limit: int32(limit), gain: make([]gain, len(s.cols)+1)}
	used := uint(wordBits + 1) // none is open
	for i := range s.cols {
		col := &s.cols[i]
		n := uint(bits.Len(uint(len(col.up[0]) - 1)))
		if used+n > wordBits {
			c.words++
			used = 0
		}
		c.fields = append(c.fields, field{word: c.words - 1, shift: used, mask: 1<<n - 1})
		used += n
		var alias [][]uint16
		for l, up := range col.up {
			first, own := make([]int32, col.groups[l]), make([]uint16, len(up))
			for code, g := range up {
				if first[g] == 0 {
					first[g] = int32(code) + 1
				}
				own[code] = uint16(first[g] - 1)
			}
			alias = append(alias, own)
		}
		c.alias = append(c.alias, alias)
	}
	return c
}

// root is the partition of one class, tuples that differ in what does not matter here counted together.
func (c *counter) root() *part {
	p := newPart(c.space)
	t, width := c.t, len(c.cols)
	p.keys = make([][]uint64, c.words)
	for w := range p.keys {
		p.keys[w] = make([]uint64, 0, len(t.rows))
	}
	p.w = make([]int32, 0, len(t.rows))
	row := make([]uint64, c.words)
	for j, n := range t.rows {
		if n == 0 {
			continue // of the population only
		}
		clear(row)
		for x, i := range c.order {
			f, code := c.fields[x], t.codes[j*width+i]
			row[f.word] |= uint64(c.alias[x][0][code]) << f.shift
			for l := range p.sum[x] {
				p.sum[x][l] += int64(n) * c.cols[x].cover[l][code]
			}
		}
		for w, bits := range row {
			p.keys[w] = append(p.keys[w], bits)
		}
		p.w = append(p.w, n)
	}
	p.ends = []int32{int32(len(p.w))}
	p.settled = true
	c.merge(p)
	return p
}

// cut makes to the partition of from with its next column at level l, without its tuples.
func (c *counter) cut(from, to *part, l int) {
	x := from.depth
	to.inherit(from)
	to.depth, to.from, to.settled = x+1, from, false
	to.level[x] = uint8(l)
	to.classes, to.smallest = 0, 0
	c.cells = zeroed(c.cells, c.cols[x].groups[l])
	f, up, count, k := c.fields[x], c.cols[x].up[l], c.cells, c.k
	start := int32(0)
	for _, end := range from.ends {
		if end-start == 1 && from.w[start] >= k {
			to.class(from.w[start])
			start = end
			continue
		}
		keys, ws := from.keys[f.word][start:end], from.w[start:end]
		ws = ws[:len(keys)]
		for j, key := range keys {
			count[up[f.of(key)]] += ws[j]
		}
		lost := false
		for j, key := range keys {
			g := up[f.of(key)]
			if n := count[g]; n >= k {
				to.class(n)
				count[g] = 0
			} else if n > 0 {
				lost = true
				c.drop(from, to, start+int32(j), ws[j])
			}
		}
		if lost {
			for _, key := range keys {
				count[up[f.of(key)]] = 0
			}
		}
		start = end
	}
}

// class counts a class that stays.
func (p *part) class(rows int32) {
	if p.classes == 0 || int64(rows) < p.smallest {
		p.smallest = int64(rows)
	}
	p.classes++
}

// drop suppresses the tuple at j of from.
func (c *counter) drop(from, to *part, j, rows int32) {
	w := int64(rows)
	to.supp += w
	for y := range c.cols {
		col, code := &c.cols[y], c.fields[y].of(from.keys[c.fields[y].word][j])
		if y < to.depth {
			l := to.level[y]
			to.sum[y][l] += w * (col.leaves - col.cover[l][code])
			continue
		}
		for l := int(to.low[y]); l < len(col.up); l++ {
			to.sum[y][l] += w * (col.leaves - col.cover[l][code])
		}
	}
}

// fits counts the groups of column x in each class. Small classes come first: most of what is suppressed is in them, so
// that a no is found early.
func (c *counter) fits(p *part, x, l int) bool {
	if c.cols[x].groups[l] == 1 {
		return p.supp <= int64(c.limit)
	}
	from, by, n := p, c.fields[x], c.cols[x].groups[l]
	var with field // the column that p is cut by; none where p is settled
	c.first = append(c.first[:0], 0)
	if !p.settled {
		d := p.depth - 1
		from, with = p.from, c.fields[d]
		c.first = c.first[:0]
		for _, group := range c.cols[d].up[p.level[d]] {
			c.first = append(c.first, int32(group)*int32(n))
		}
		n *= c.cols[d].groups[p.level[d]]
	}
	c.cells, c.cell = zeroed(c.cells, n), grown(c.cell, len(from.w))
	left, up := c.limit-int32(from.supp), c.cols[x].up[l]
	for _, large := range [...]bool{false, true} {
		start := int32(0)
		for _, end := range from.ends {
			if end-start > 1 && (end-start > smallClass) == large { // a single tuple has no parts
				cell := c.cell[start:end]
				for j, key := range from.keys[by.word][start:end] {
					cell[j] = int32(up[by.of(key)])
				}
				for j, key := range from.keys[with.word][start:end] {
					cell[j] += c.first[with.of(key)]
				}
				if left -= c.lost(cell, from.w[start:end]); left < 0 {
					return false
				}
			}
			start = end
		}
	}
	return true
}

// smallClass is the number of tuples up to which a class is counted first.
const smallClass = 200

// lost adds up the rows of the cells that are too small.
func (c *counter) lost(cell, rows []int32) (n int32) {
	count, k := c.cells, c.k
	rows = rows[:len(cell)]
	for j, at := range cell {
		count[at] += rows[j]
	}
	for _, at := range cell {
		if m := count[at]; m < k {
			n += m
		}
		count[at] = 0
	}
	return n
}

// settle sorts the tuples of p into its classes.
func (c *counter) settle(p *part) {
	if p.settled {
		return
	}
	from, x := p.from, p.depth-1
	f, up := c.fields[x], c.cols[x].up[p.level[x]]
	if n := c.cols[x].groups[p.level[x]]; len(c.group) < n {
		c.group = make([]groupOf, n)
	}
	group := c.group
	c.dest = grown(c.dest, len(from.w))
	p.ends = p.ends[:0]
	at, start := int32(0), int32(0)
	for _, end := range from.ends {
		if end-start == 1 && from.w[start] >= c.k {
			c.dest[start] = at
			at++
			p.ends = append(p.ends, at)
			start = end
			continue
		}
		keys, ws, dest := from.keys[f.word][start:end], from.w[start:end], c.dest[start:end]
		ws, dest = ws[:len(keys)], dest[:len(keys)]
		for j, key := range keys {
			g := &group[up[f.of(key)]]
			g.rows += ws[j]
			g.size++
		}
		for j, key := range keys {
			g := &group[up[f.of(key)]]
			if g.rows < c.k {
				dest[j] = -1
				continue
			}
			if g.size > 0 {
				g.at = at
				at += g.size
				g.size = 0
				p.ends = append(p.ends, at)
			}
			dest[j] = g.at
			g.at++
		}
		for _, key := range keys {
			group[up[f.of(key)]] = groupOf{}
		}
		start = end
	}
	c.move(from, p, int(at))
	p.settled = true
	c.unite(p)
}

// move copies the tuples that stay to where they belong.
func (c *counter) move(from, p *part, n int) {
	if p.keys == nil {
		p.keys = make([][]uint64, c.words)
	}
	for w := range p.keys {
		to, keys := grown(p.keys[w], n), from.keys[w]
		for j, at := range c.dest[:len(keys)] {
			if at >= 0 {
				to[at] = keys[j]
			}
		}
		p.keys[w] = to
	}
	p.w = grown(p.w, n)
	for j, at := range c.dest[:len(from.w)] {
		if at >= 0 {
			p.w[at] = from.w[j]
		}
	}
}

// unite makes tuples one that no level still possible tells apart. Where that gave little of late it is left for later.
func (c *counter) unite(p *part) {
	lows := p.low
	x := p.depth - 1
	changed := p.level[x] > p.merged[x]
	for y := p.depth; y < len(lows); y++ {
		changed = changed || lows[y] > p.merged[y]
	}
	if !changed {
		return
	}
	g := &c.gain[p.depth]
	if g.rest > 0 {
		g.rest--
		return
	}
	for y := range c.cols {
		l := lows[y]
		if y < p.depth {
			l = p.level[y]
		}
		if l > p.merged[y] {
			c.coarsen(p, y, int(l))
			p.merged[y] = l
		}
	}
	before := len(p.w)
	c.merge(p)
	if 4*len(p.w) > 3*before {
		g.pause = min(16, 2*g.pause+1)
		g.rest = g.pause
	} else {
		g.pause = 0
	}
}

// coarsen writes for each code of column y the one that stands for its group at level l.
func (c *counter) coarsen(p *part, y, l int) {
	f, alias := c.fields[y], c.alias[y][l]
	keys, clear := p.keys[f.word], ^(f.mask << f.shift)
	for j, key := range keys {
		keys[j] = key&clear | uint64(alias[f.of(key)])<<(f.shift&(wordBits-1))
	}
}

// merge makes equal tuples one. Tuples of different classes differ.
func (c *counter) merge(p *part) {
	at, start := int32(0), int32(0)
	for class, end := range p.ends {
		if end-start <= few {
			at = c.mergeFew(p, start, end, at)
		} else {
			at = c.mergeMany(p, start, end, at)
		}
		p.ends[class] = at
		start = end
	}
	for w := range p.keys {
		p.keys[w] = p.keys[w][:at]
	}
	p.w = p.w[:at]
}

func (c *counter) mergeFew(p *part, start, end, at int32) int32 {
	begin := at
next:
	for j := start; j < end; j++ {
		for t := begin; t < at; t++ {
			if p.equal(t, j) {
				p.w[t] += p.w[j]
				continue next
			}
		}
		p.put(at, j)
		at++
	}
	return at
}

func (c *counter) mergeMany(p *part, start, end, at int32) int32 {
	size := 16
	for size < 2*int(end-start) {
		size *= 2
	}
	c.table = grown(c.table, size)
	clear(c.table)
	table, mask := c.table[:size], uint64(size-1)
next:
	for j := start; j < end; j++ {
		h := uint64(0)
		for _, keys := range p.keys {
			h = mix(h ^ keys[j])
		}
		x := h & mask
		for ; table[x] != 0; x = (x + 1) & mask {
			if t := table[x] - 1; p.equal(t, j) {
				p.w[t] += p.w[j]
				continue next
			}
		}
		p.put(at, j)
		at++
		table[x] = at
	}
	return at
}

func (p *part) equal(a, b int32) bool {
	for _, keys := range p.keys {
		if keys[a] != keys[b] {
			return false
		}
	}
	return true
}

func (p *part) put(at, j int32) {
	for _, keys := range p.keys {
		keys[at] = keys[j]
	}
	p.w[at] = p.w[j]
}

// judged is a partition by all columns as a transformation.
func (c *counter) judged(p *part) *whole {
	if p.supp > int64(c.limit) {
		return nil
	}
	w := &whole{levels: slices.Clone(p.level), supp: p.supp, classes: p.classes, smallest: p.smallest}
	for x := range c.cols {
		w.sums = append(w.sums, p.sum[x][p.level[x]])
		w.loss += c.cols[x].loss(w.sums[x], c.n)
	}
	return w
}

// zeroed is s with room for n; what was there is zero and stays.
func zeroed(s []int32, n int) []int32 {
	if cap(s) < n {
		return make([]int32, n, n+n/4)
	}
	return s[:n]
}
