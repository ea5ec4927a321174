package dummy

import (
	"math"
	"math/rand/v2"

	"carrel/anonymize/plan"
)

// cell is one value of one row, as a stored integer inside its column's domain.
type cell struct {
	col    *plan.Column // nil: the number of a row of a public table
	lo, hi int64
	n      int64
	null   bool
	fixed  bool
	mark   int // of the last reading
}

type row struct {
	table *plan.Table
	cells map[string]*cell // without the person
}

// publicTable is complete over the dictionary of its key.
type publicTable struct {
	table *plan.Table
	rows  []*row
	at    map[string]int64 // text of the key -> row
}

// world is one invented person while it is made.
type world struct {
	g    *generator
	rng  *rand.Rand
	rows map[string][]*row

	checks []*check
	cells  []*cell // what may still change
	stamp  int
	traced []*cell

	script []int // choices to repeat, then chance
	chosen []int
	size   int            // rows made, so that a wish cannot ask for a million
	met    map[*wish]bool // steps that find something, once the person is done
}

func (g *generator) world(script []int) *world {
	return &world{g: g, rng: g.rng, rows: map[string][]*row{}, script: script, met: map[*wish]bool{}}
}

// choose takes one of n ways: of the script, or by chance.
func (w *world) choose(n int) int {
	var i int
	if at := len(w.chosen); at < len(w.script) {
		i = w.script[at] % n
	} else {
		i = w.rng.IntN(n)
	}
	w.chosen = append(w.chosen, i)
	return i
}

func (w *world) touch(c *cell) {
	if c.mark != w.stamp && !c.fixed {
		c.mark = w.stamp
		w.traced = append(w.traced, c)
	}
}

func (w *world) read(c *cell) value {
	w.touch(c)
	return c.value()
}

func (c *cell) value() value {
	if c.null {
		return value{}
	}
	switch c.col.Kind {
	case plan.KindCode:
		return textOf(c.col.Values[c.n])
	case plan.KindDate:
		return dateOf(float64(c.n))
	case plan.KindDecimal:
		return numberOf(float64(c.n) / math.Pow10(c.col.Scale))
	case plan.KindInt:
		return numberOf(float64(c.n))
	default:
		return value{kind: isOpaque, f: float64(c.n)}
	}
}

// newRow gives a person one more row of a table, or one of those that are there when there may be no more. A row key is the row's number.
func (w *world) newRow(t *plan.Table) *row {
	have := w.rows[t.Name]
	if int64(len(have)) >= t.MaxRows || w.size >= most && len(have) > 0 {
		return have[w.choose(len(have))]
	}
	w.size++
	r := &row{table: t, cells: map[string]*cell{}}
	for i := range t.Columns {
		col := &t.Columns[i]
		if col.Kind == plan.KindUnit {
			continue
		}
		c := &cell{col: col}
		c.lo, c.hi = domain(col)
		if col.Name == t.RowKey {
			c.n, c.fixed = int64(len(have)+1), true
		} else {
			w.cells = append(w.cells, c)
		}
		r.cells[col.Name] = c
	}
	w.rows[t.Name] = append(have, r)
	return r
}

// domain is the stored integers that a column can hold.
func domain(col *plan.Column) (lo, hi int64) {
	switch {
	case col.Kind == plan.KindCode:
		return 0, int64(len(col.Values)) - 1
	case col.Kind == plan.KindKey:
		return 1, 9
	case col.Bounded:
		return col.Lo, col.Hi
	case col.Kind == plan.KindDate:
		return 10957, 20453 // 2000 to 2025
	}
	return 0, 1000
}

// settle gives every key that names a row of another table such a row, and every open cell a first value.
func (w *world) settle() {
	for done := false; !done; {
		done = true
		for _, t := range w.g.private {
			for _, r := range w.rows[t.Name] {
				done = w.link(t, r) && done
			}
		}
	}
	for _, c := range w.cells {
		w.draw(c)
	}
}

// link sets the range of a row's keys to the rows of the tables that they name; false when a row had to be made.
func (w *world) link(t *plan.Table, r *row) bool {
	done := true
	for i := range t.Columns {
		c, parent := r.cells[t.Columns[i].Name], w.g.parent(t, &t.Columns[i])
		if parent == nil || c.fixed {
			continue
		}
		if len(w.rows[parent.Name]) == 0 {
			w.newRow(parent)
			done = false
		}
		c.hi = int64(len(w.rows[parent.Name]))
	}
	return done
}

// draw gives a cell a value by chance.
func (w *world) draw(c *cell) {
	if c.fixed {
		return
	}
	c.null = c.col != nil && c.col.Nullable && w.rng.IntN(5) == 0
	c.n = w.between(c.lo, c.hi)
}

// between is a number of a range that may span all integers.
func (w *world) between(lo, hi int64) int64 {
	width := uint64(hi) - uint64(lo)
	if width == math.MaxUint64 {
		return int64(w.rng.Uint64())
	}
	return int64(uint64(lo) + w.rng.Uint64N(width+1))
}

// parent is the table whose rows a key column of another table names: the one whose row key has its name.
func (g *generator) parent(t *plan.Table, col *plan.Column) *plan.Table {
	if col.Kind != plan.KindKey || col.Name == t.RowKey {
		return nil
	}
	for _, p := range g.private {
		if p.RowKey == col.Name && p != t {
			return p
		}
	}
	return nil
}
