package recode

import (
	"math"

	"carrel/anonymize/kanon/model"
)

// Utility is what a transformation keeps and loses, by the measures that the field uses.
type Utility struct {
	// Loss is ARX's loss of a full-domain transformation (Iyengar 2002): by column (sum of shares of leaves covered − min) ÷
	// (n − min), suppressed rows at 1, weighted mean over columns.
	Loss float64 `json:"loss"`
	// NCP is (leaves covered − 1) ÷ (leaves − 1), the mean over all cells, suppressed ones at 1. It is Loss without weights.
	NCP float64 `json:"ncp"`
	// Granularity is 1 − (s − m) ÷ (1 − m) for the mean share s of leaves covered and the mean m of 1 ÷ leaves over columns:
	// what ARX's statistics call granularity, aggregated before it is normalised. 1 − NCP is the same normalised first.
	Granularity float64 `json:"granularity"`
	// Entropy is the non-uniform entropy lost, as a share of what there is (De Waal and Willenborg 1999): for each cell
	// −log2 of the chance to guess the value from its generalisation.
	Entropy float64 `json:"entropy"`
	// Discernibility is the sum over rows of the rows that look alike, suppressed ones like all (Bayardo and Agrawal 2005).
	Discernibility float64 `json:"discernibility"`
	// AverageClass is the mean number of rows of a class.
	AverageClass float64 `json:"average_class"`
	Classes      int     `json:"classes"`
	Smallest     int64   `json:"smallest"` // rows
}

// measure collects a transformation class by class.
type measure struct {
	*space
	covered []int64 // by column
	// in, out count values of a column before and after, to compare their frequencies; suppressed cells are one value.
	in      [][]int64
	out     [][][]int64 // by level and group
	kept    int64
	squares float64
	u       Utility
}

func newMeasure(s *space) *measure {
	m := &measure{space: s, covered: make([]int64, len(s.cols))}
	width := len(s.cols)
	for _, i := range s.order {
		count := make([]int64, len(s.t.leaf[i]))
		for j, w := range s.t.rows {
			count[s.t.codes[j*width+i]] += int64(w)
		}
		m.in, m.out = append(m.in, count), append(m.out, nil)
	}
	for x := range m.cols {
		for _, n := range m.cols[x].groups {
			m.out[x] = append(m.out[x], make([]int64, n))
		}
	}
	return m
}

// add takes a class: a tuple of it, its levels in the order of the space, and its rows.
func (m *measure) add(row func(x int) uint16, levels func(x int) uint8, rows int64) {
	for x := range m.cols {
		l, c := int(levels(x)), row(x)
		m.covered[x] += rows * m.cols[x].cover[l][c]
		m.out[x][l][m.cols[x].up[l][c]] += rows
	}
	m.kept += rows
	m.squares += float64(rows) * float64(rows)
	if m.u.Classes++; m.u.Classes == 1 || rows < m.u.Smallest {
		m.u.Smallest = rows
	}
}

// done ends with the entropy, for which levels must say the level of each tuple's column, ok false where it is suppressed.
func (m *measure) done(levels func(tuple, x int) (level uint8, ok bool)) Utility {
	u := &m.u
	gone := m.n - m.kept
	shares, least := 0.0, 0.0
	for x := range m.cols {
		c := &m.cols[x]
		sum := m.covered[x] + gone*c.leaves
		u.Loss += c.loss(sum, m.n)
		u.NCP += c.share(sum, m.n) / float64(len(m.cols))
		shares += float64(sum) / float64(m.n*c.leaves)
		least += 1 / float64(c.leaves)
	}
	width := float64(len(m.cols))
	if least < width {
		u.Granularity = 1 - (shares-least)/(width-least)
	} else {
		u.Granularity = 1
	}
	u.Discernibility = m.squares + float64(gone)*float64(m.n)
	if u.Classes > 0 {
		u.AverageClass = float64(m.kept) / float64(u.Classes)
	}
	u.Entropy = m.entropy(levels)
	return *u
}

// entropy adds up what guessing each cell costs. Cells of one value that are treated alike are counted together.
func (m *measure) entropy(levels func(tuple, x int) (uint8, bool)) float64 {
	lost, there := 0.0, 0.0
	width := len(m.cols)
	for x, i := range m.order {
		heights := len(m.cols[x].up) + 1 // and suppressed
		count := make([]int64, len(m.in[x])*heights)
		for j, w := range m.t.rows {
			if l, ok := levels(j, x); ok {
				count[int(m.t.codes[j*width+i])*heights+int(l)] += int64(w)
			} else {
				count[int(m.t.codes[j*width+i])*heights+heights-1] += int64(w)
			}
		}
		for at, n := range count {
			if n == 0 {
				continue
			}
			code, l := uint16(at/heights), at%heights
			own := float64(m.in[x][code])
			there += float64(n) * math.Log2(float64(m.n)/own)
			after := float64(m.n)
			if l < heights-1 {
				after = math.Max(own, float64(m.out[x][l][m.cols[x].up[l][code]]))
			}
			lost += float64(n) * math.Log2(after/own)
		}
	}
	if there == 0 {
		return 0
	}
	return lost / there
}

// Before measures the table as it is.
func Before(t *Table) Utility {
	s := newSpace(t)
	m := newMeasure(s)
	width := len(s.cols)
	if t.tag == nil && t.person == nil { // every tuple is a class
		for j, w := range t.rows {
			if w > 0 {
				m.add(func(x int) uint16 { return t.codes[j*width+s.order[x]] }, func(int) uint8 { return 0 }, int64(w))
			}
		}
		return m.done(func(int, int) (uint8, bool) { return 0, true })
	}
	for _, c := range t.grouped(make([]int, width)) {
		if first := int(c.Members[0]); c.Rows > 0 {
			m.add(func(x int) uint16 { return t.codes[first*width+s.order[x]] }, func(int) uint8 { return 0 }, c.Rows)
		}
	}
	return m.done(func(int, int) (uint8, bool) { return 0, true })
}

// Utility measures a local recoding.
func (l *Local) Utility() Utility {
	s := l.space
	m := newMeasure(s)
	width := len(s.cols)
	of := make([]int32, len(s.t.rows))
	for j := range of {
		of[j] = -1
	}
	for at, c := range l.Classes {
		j := int(c.Members[0])
		m.add(func(x int) uint16 { return s.t.codes[j*width+s.order[x]] }, func(x int) uint8 { return c.Levels[s.order[x]] }, c.Rows)
		for _, j := range c.Members {
			of[j] = int32(at)
		}
	}
	return m.done(func(j, x int) (uint8, bool) {
		if of[j] < 0 {
			return 0, false
		}
		return l.Classes[of[j]].Levels[s.order[x]], true
	})
}

// judgeTable judges the classes made by the models that look at all of them.
func (p *peeler) judgeTable() error {
	if len(p.set.Tables) == 0 {
		return nil
	}
	sum := model.Summary{Sizes: map[int64]int64{}, PopulationTotal: p.t.populated}
	for i := range p.out.Classes {
		c := p.judge.class(p.m, p.out.Classes[i].Members)
		sum.Classes++
		sum.Sizes[c.Persons]++
		sum.Persons += c.Persons
		sum.Population += c.Population
	}
	if !p.set.HoldsTable(&sum) {
		return ErrNone
	}
	return nil
}
