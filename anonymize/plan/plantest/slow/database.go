package slow

import (
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"carrel/anonymize/plan"
)

// Stored is one row as an extract holds it: stored integers by column, nil is NULL; plan.RankColumn too.
type Stored map[string]*int64

// Database is the rows of every table.
type Database map[string][]Stored

// Without deletes persons from every private table.
func (d Database) Without(s *plan.Schema, persons ...int64) Database {
	return d.where(s, func(p int64) bool {
		for _, x := range persons {
			if x == p {
				return false
			}
		}
		return true
	})
}

// Only keeps one person.
func (d Database) Only(s *plan.Schema, person int64) Database {
	return d.where(s, func(p int64) bool { return p == person })
}

func (d Database) where(s *plan.Schema, keep func(int64) bool) Database {
	out := Database{}
	for _, t := range s.Tables {
		for _, r := range d[t.Name] {
			if t.Public || keep(*r[t.Unit]) {
				out[t.Name] = append(out[t.Name], r)
			}
		}
	}
	return out
}

// row is one row of a table or relation. order is a total order of the person's rows, as far as rows differ at all.
type row struct {
	cols   map[string]Value
	order  []Value
	person int64 // -1 in public ones
}

// rows is an evaluated scan.
type rows struct {
	list   []row
	names  []string
	scales map[string]int
	public bool
	unit   map[string]bool // names that are the unit
}

func (e *Evaluator) table(name string) *plan.Table {
	for i := range e.Schema.Tables {
		if e.Schema.Tables[i].Name == name {
			return &e.Schema.Tables[i]
		}
	}
	panic("slow: no such table")
}

// stored reads a table of the extract, at most m rows of a person by rank (0: all).
func (e *Evaluator) stored(name string, m int64) *rows {
	t := e.table(name)
	out := &rows{scales: map[string]int{}, public: t.Public, unit: map[string]bool{t.Unit: true}}
	for _, c := range t.Columns {
		out.names = append(out.names, c.Name)
		out.scales[c.Name] = c.Scale
	}
	for _, s := range e.Data[name] {
		r := row{cols: map[string]Value{}, person: -1}
		if !t.Public {
			if m > 0 && *s[plan.RankColumn] > m {
				continue
			}
			r.person = *s[t.Unit]
			r.order = []Value{number(*s[plan.RankColumn])}
		}
		for i := range t.Columns {
			v := open(&t.Columns[i], s[t.Columns[i].Name])
			r.cols[t.Columns[i].Name] = v
			if t.Public {
				r.order = append(r.order, v)
			}
		}
		out.list = append(out.list, r)
	}
	return out
}

// open reads a stored integer.
func open(c *plan.Column, n *int64) Value {
	if n == nil {
		return Value{}
	}
	switch c.Kind {
	case plan.KindCode:
		return text(c.Values[*n])
	case plan.KindDate:
		return date(*n)
	case plan.KindUnit, plan.KindKey:
		return Value{kind: isOpaque, n: *n}
	default:
		return fraction(new(big.Rat).Quo(big.NewRat(*n, 1), pow10(c.Scale)))
	}
}

// String shows the rows of every table, for a test that fails.
func (d Database) String() string {
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(d)) {
		for _, r := range d[name] {
			out.WriteString(name + ":")
			for _, c := range slices.Sorted(maps.Keys(r)) {
				if v := r[c]; v == nil {
					out.WriteString(" " + c + "=NULL")
				} else {
					out.WriteString(" " + c + "=" + strconv.FormatInt(*v, 10))
				}
			}
			out.WriteString("\n")
		}
	}
	return out.String()
}
