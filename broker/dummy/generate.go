package dummy

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"carrel/anonymize/plan"
	"carrel/broker/catalogue"
)

// Limits on what may be made, and what is made when nobody says.
const (
	DefaultPersons = 100
	MaxPersons     = 100_000
	maxPublicRows  = 20_000 // of a public table whose key is a range of numbers
	solved         = 200    // persons that are searched for; further ones repeat them
)

// ErrPersons says that the number of persons is none or too many.
var ErrPersons = errors.New("dummy: persons are from 1 to 100000")

// Options says what to make.
type Options struct {
	Persons  int // 0: DefaultPersons, or more when the question's HAVING asks for more
	Seed     uint64
	Wishes   []Wish                  // the measure steps of one question, or none
	Progress func(done, total int64) // may be nil
}

// Wish is one measure step. Plan, when it is there, says what groups its answer has.
type Wish struct {
	Spec plan.Spec
	Plan *plan.Plan
}

// Data is what was made.
type Data struct {
	Tables  []Table
	Persons int
	Found   int // persons for whom the question finds something; of several steps, the one that finds fewest
}

// Table is the rows of one table, columns as in the catalogue.
type Table struct {
	Table *plan.Table
	Rows  []Row
}

// Row is one row; Person counts from 1 and is 0 in public tables.
type Row struct {
	Person int
	Cells  []Cell
}

// Cell is a stored integer inside its column's domain, as an extract would hold it: keys are numbered inside the person.
type Cell struct {
	N    int64
	Null bool
}

type generator struct {
	rng     *rand.Rand
	schema  *plan.Schema
	tables  map[string]*plan.Table
	private []*plan.Table
	public  map[string]*publicTable
	names   []string // of public tables

	wishes []*wish
	goals  []*goal
	served int // persons that were meant for a goal
	turn   int // of the steps
	text       // of the wishes
}

// Generate makes data of the dataset's shape.
func Generate(ctx context.Context, d *catalogue.Dataset, o Options) (*Data, error) {
	if o.Persons < 0 || o.Persons > MaxPersons {
		return nil, ErrPersons
	}
	schema, err := d.Schema(MaxPersons)
	if err != nil {
		return nil, fmt.Errorf("dummy: %w", err)
	}
	g := &generator{schema: schema, tables: map[string]*plan.Table{}, public: map[string]*publicTable{},
		rng: rand.New(rand.NewPCG(o.Seed, 0x6361_7272_656c))} //nolint:gosec // invented persons need a stream that repeats by seed, not one that nobody can guess
	for i := range schema.Tables {
		t := &schema.Tables[i]
		g.tables[t.Name] = t
		if t.Public {
			g.public[t.Name] = g.publish(t, d)
			g.names = append(g.names, t.Name)
		} else {
			g.private = append(g.private, t)
		}
	}
	out := &Data{Persons: o.Persons}
	g.text = read(o.Wishes, schema)
	for i := range o.Wishes {
		g.wishes = append(g.wishes, newWish(&o.Wishes[i]))
	}
	g.goals = goalsOf(g.wishes)
	if out.Persons == 0 {
		out.Persons = min(MaxPersons, max(DefaultPersons, 3*g.threshold()))
	}
	rows, err := g.people(ctx, out, o.Progress)
	if err != nil {
		return nil, err
	}
	for i := range schema.Tables {
		t := &schema.Tables[i]
		if t.Public {
			rows[t.Name] = g.public[t.Name].plain()
		}
		out.Tables = append(out.Tables, Table{Table: t, Rows: rows[t.Name]})
	}
	return out, nil
}

// people makes the rows of all persons.
func (g *generator) people(ctx context.Context, out *Data, progress func(done, total int64)) (map[string][]Row, error) {
	rows, found := map[string][]Row{}, make([]int, len(g.wishes))
	for i := range out.Persons {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("dummy: %w", err)
		}
		var w *world
		if g.meant(i) {
			w = g.somebody()
		}
		if w == nil {
			w = g.anybody()
		}
		for k, wish := range g.wishes {
			if w.meets(wish) {
				found[k]++
			}
		}
		for _, t := range g.private {
			for _, r := range w.rows[t.Name] {
				rows[t.Name] = append(rows[t.Name], r.plain(i+1))
			}
		}
		if progress != nil {
			progress(int64(i+1), int64(out.Persons))
		}
	}
	if len(found) > 0 {
		out.Found = slices.Min(found)
	}
	return rows, nil
}

// anybody is a person by chance.
func (g *generator) anybody() *world {
	w := g.world(nil)
	w.fill(func(*plan.Table) bool { return true })
	w.settle()
	return w
}

// fill gives a person rows of the tables by chance: the only one where there is at most one, else a few or none.
func (w *world) fill(of func(*plan.Table) bool) {
	for _, t := range w.g.private {
		if !of(t) || len(w.rows[t.Name]) > 0 {
			continue
		}
		n := 1
		if t.MaxRows > 1 {
			n = w.rng.IntN(int(min(t.MaxRows, 4)) + 1)
		}
		for range n {
			w.newRow(t)
		}
	}
}

// plain is a row to hand out.
func (r *row) plain(person int) Row {
	out := Row{Person: person, Cells: make([]Cell, len(r.table.Columns))}
	for i := range r.table.Columns {
		c := r.cells[r.table.Columns[i].Name]
		if c == nil {
			out.Cells[i] = Cell{N: int64(person)}
			continue
		}
		out.Cells[i] = Cell{N: c.n, Null: c.null}
		if c.null {
			out.Cells[i].N = 0
		}
	}
	return out
}

// publish makes a public table: one row a member of its key's dictionary, other columns through their dictionaries in turn; where a
// dictionary holds the label of the key's member, that label.
func (g *generator) publish(t *plan.Table, d *catalogue.Dataset) *publicTable {
	p := &publicTable{table: t, at: map[string]int64{}}
	entry, _ := d.Table(t.Name)
	var key *plan.Column
	for i := range t.Columns {
		if t.Columns[i].Name == t.RowKey {
			key = &t.Columns[i]
		}
	}
	field, _ := entry.Field(t.RowKey)
	lo, hi := domain(key)
	if key.Kind != plan.KindCode && uint64(hi)-uint64(lo) >= maxPublicRows {
		hi = lo + maxPublicRows - 1
	}
	for i := int64(0); i <= hi-lo; i++ {
		r := &row{table: t, cells: map[string]*cell{}}
		for j := range t.Columns {
			col := &t.Columns[j]
			c := &cell{col: col, fixed: true}
			c.lo, c.hi = domain(col)
			c.n = c.lo + int64((uint64(i)+uint64(j))%max(1, uint64(c.hi)-uint64(c.lo)+1))
			if col == key {
				c.n = lo + i
			} else if n, ok := labelled(field, i, col); ok {
				c.n = n
			}
			r.cells[col.Name] = c
		}
		p.rows = append(p.rows, r)
		p.at[p.key(i)] = i
	}
	return p
}

// labelled finds a label of the key's member in another column's dictionary.
func labelled(key *catalogue.Field, member int64, col *plan.Column) (int64, bool) {
	if col.Kind != plan.KindCode || member >= int64(len(key.Values)) {
		return 0, false
	}
	label := key.Values[member].Label
	for _, text := range []string{label.ZH, label.EN} {
		if n, ok := slices.BinarySearch(col.Values, text); ok {
			return int64(n), true
		}
	}
	return 0, false
}

// key is the text of a row's key.
func (p *publicTable) key(i int64) string { return shown(p.rows[i].cells[p.table.RowKey].value()) }

func (p *publicTable) plain() []Row {
	out := make([]Row, len(p.rows))
	for i, r := range p.rows {
		out[i] = r.plain(0)
	}
	return out
}
