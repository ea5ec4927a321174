package result

import (
	"math"
	"sort"
	"strings"

	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
)

// Style is how an answer is shown. Both are functions of the same recorded bytes: asking for the other one costs nothing.
type Style uint8

// The styles.
const (
	// Agreeing, the default: the numbers of an answer agree with each other. No count is below 0, and none of some rows is above that of all rows of its
	// cell; counts are whole where that is possible (fit.go); the counts and sums of grouping sets over public keys are the sums of their parts
	// (reconcile); of two quantiles of a column the one of the larger fraction is not the smaller one. Quotients, means, variances and
	// whatever else is made of such numbers are made of the adjusted ones, as HAVING and ORDER BY read them.
	//
	// Intervals stay those of the recorded numbers: they cover whatever number is shown beside them. What is known of the exact number is taken
	// off (nothing is below 0 of a count), and where the number that is shown lies outside of what is left, the interval is extended to
	// it. Neither can lose the exact number, so the level stays.
	//
	// Where groups are selected some are missing, and where distinct things are counted the same one may be in several groups: there totals are not the sum of parts
	// and are not made to be.
	Agreeing Style = iota
	// Raw shows the recorded numbers as they were drawn.
	Raw
)

// agree sets what is shown of all rows of all sets. It is false when a set could not be made to agree.
func (c *computer) agree(rows [][]row) bool {
	for i := range rows {
		for j := range rows[i] {
			r := &rows[i][j]
			r.shown = append([]float64(nil), r.values...)
		}
	}
	if c.style == Raw {
		return true
	}
	agree := c.reconcileSets(rows)
	for i := range rows {
		for j := range rows[i] {
			c.clip(i, &rows[i][j])
		}
	}
	return agree
}

// place is a number of a part.
type place struct{ part, measure int }

// reconcileSets makes what adds up agree, over the grouping sets that are complete.
func (c *computer) reconcileSets(rows [][]row) bool {
	s, members := c.members(rows)
	at := map[int][]int{} // of a complete part: the cell of each row
	numbers := map[string][]place{}
	for i := range c.parts {
		if c.parts[i].Layout.Tree != nil {
			continue
		}
		cells, ok := c.cellsOf(i, rows[i], s, members)
		if !ok {
			continue
		}
		at[i] = cells
		for j, m := range c.parts[i].Layout.Measures {
			if additive(&c.parts[i].Layout, j) {
				numbers[m.Name] = append(numbers[m.Name], place{i, j})
			}
		}
	}
	agree := true
	var all *family
	for _, name := range rowsFirst(numbers) {
		places := numbers[name]
		tables := make([]*table, len(places))
		for k, p := range places {
			t := &table{keys: c.mask(p.part), sizes: s, x: make([]float64, len(rows[p.part]))}
			for j, cell := range at[p.part] {
				t.x[cell] = rows[p.part][j].values[p.measure]
			}
			t.noise = variance(c.tables[p.part].Mechanisms[p.measure])
			tables[k] = t
		}
		reconcile(tables)
		if counts(&c.parts[places[0].part].Layout, places[0].measure) {
			f := newFamily(tables, all)
			agree = f.fit() && agree
			if name == rowCount {
				all = f
			}
		}
		for k, p := range places {
			for j, cell := range at[p.part] {
				rows[p.part][j].shown[p.measure] = tables[k].x[cell]
			}
		}
	}
	return agree
}

// rowCount is the canonical name of COUNT(*).
const rowCount = "count(*)"

// rowsFirst are the names in order, the count of rows before those that it bounds.
func rowsFirst(numbers map[string][]place) []string {
	var names []string
	for name := range numbers {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		if (names[i] == rowCount) != (names[j] == rowCount) {
			return names[i] == rowCount
		}
		return names[i] < names[j]
	})
	return names
}

// additive says that a number of a set is the sum of its parts in any finer one: what it is made of counts or adds up rows, each of which is in one
// cell.
func additive(l *plan.Layout, measure int) bool {
	for _, t := range l.Measures[measure].Terms {
		if strings.HasPrefix(l.Columns[t.Column].Name, "count(distinct ") {
			return false
		}
	}
	return true
}

// counts says that a number is a count, which is not below 0.
func counts(l *plan.Layout, measure int) bool {
	terms := l.Measures[measure].Terms
	return len(terms) == 1 && terms[0].Coef == 1 && l.Columns[terms[0].Column].Kind == plan.ColumnCount
}

// mask are the keys of a part.
func (c *computer) mask(part int) uint {
	var m uint
	for _, k := range c.parts[part].Keys {
		m |= 1 << k
	}
	return m
}

// member is a value of a key as it is shown.
type member struct {
	value int64
	null  bool
}

// members numbers the values of each key, in any order: the sums do not depend on it.
func (c *computer) members(rows [][]row) (*sizes, []map[member]int) {
	s, out := newSizes(), make([]map[member]int, len(c.keys))
	for k := range out {
		out[k] = map[member]int{}
	}
	for i := range rows {
		for _, k := range c.parts[i].Keys {
			for j := range rows[i] {
				m := member{rows[i][j].keys[k], rows[i][j].null[k]}
				if _, seen := out[k][m]; !seen {
					out[k][m] = len(out[k])
				}
			}
			s.of[k] = len(out[k])
		}
	}
	return s, out
}

// cellsOf gives the cell of each row of a part, when the part's keys are public, so that every cell is there.
func (c *computer) cellsOf(part int, rows []row, s *sizes, members []map[member]int) ([]int, bool) {
	if c.tables[part].Selected || len(c.keys) > maxSetKeys || len(rows) == 0 || len(rows) != s.cells(c.mask(part)) {
		return nil, false
	}
	for _, k := range c.parts[part].Layout.Keys {
		if !k.Public {
			return nil, false
		}
	}
	out, seen := make([]int, len(rows)), make([]bool, len(rows))
	for j := range rows {
		for k := range c.keys {
			if !rows[j].left[k] {
				out[j] = out[j]*s.of[k] + members[k][member{rows[j].keys[k], rows[j].null[k]}]
			}
		}
		if seen[out[j]] {
			return nil, false
		}
		seen[out[j]] = true
	}
	return out, true
}

// variance is that of a draw.
func variance(m dp.Mechanism) float64 {
	n := dp.NoiseOf(m, 0)
	v := n.Scale * n.Scale
	if n.Kind != dp.Gaussian {
		v *= 2
	}
	return v
}

// clip makes each count of a row a possible one by itself: what adds up is that already, in complete sets.
func (c *computer) clip(part int, r *row) {
	l, most := &c.parts[part].Layout, math.Inf(1)
	for j, m := range l.Measures {
		if m.Name == rowCount {
			r.shown[j] = math.Max(r.shown[j], 0)
			most = r.shown[j]
		}
	}
	for j := range l.Measures {
		if counts(l, j) {
			r.shown[j] = math.Min(math.Max(r.shown[j], 0), most)
		}
	}
}
