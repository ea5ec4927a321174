package deid

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// # The person reached over foreign keys
//
// A row of a table with "through" has no number of a person but a key of another table's row, which has one, or has such a key in turn. Its
// person is the person of the rows that hold its key. That step is local in the sense of PRIVACY, and this is why.
//
// A link row belongs to the person that it names, a row that goes through it to the person of its key: so every source row is one person's or
// nobody's, and all rows of one person are those that go when the person goes, in every table. Take a source that is built. Every key of it
// belongs to one person or to nobody (seal refuses all others), so the table of keys is a union of what each person's link rows say, with
// no key in two of them. Without one person, the keys of the person's link rows are gone and all others are what they were; no row of anybody
// else held one of those keys; so nobody else's row changes its person, comes or goes. By induction this holds over any number of steps.
// Rows whose key is nowhere, or is a row's without a person, are dropped and counted; they are so in both sources, if they stay at all.
//
// A key of two persons would not be local, whatever is done with its rows. Given to one of them, or dropped, they would come back as the
// other's when the one goes: a person's absence would change another person's rows, as many of them and of as many persons as the keys that
// clash. No cap bounds that. So the source is refused as a whole: what is never built is never asked, and nothing that a researcher
// sees depends on it. That a source is refused, and by how many keys, is known to stewards alone, like all other reasons that stop a build. A
// key of a person and of a row without one is refused too: whose rows those are nobody can say.
//
// Keys are looked at in all source rows, also those that the cap, an objection or the register leaves out: whether a row is kept never
// changes whose another row is.

// columnRef names a column of another table of the recipe.
type columnRef struct {
	at            *yaml.Node
	table, column string // "" none
}

// through reads "table.column".
func (p *parser) through(t *tableSpec, n *yaml.Node, what string) {
	if n == nil {
		return
	}
	ref := columnRef{at: n}
	var dotted bool
	ref.table, ref.column, dotted = strings.Cut(p.text(n, what+".through"), ".")
	switch {
	case p.err != nil:
	case !dotted || ref.table == "" || ref.column == "":
		p.fail(n, "%s.through must be table.column: the column of another table that holds the same key", what)
	case t.public:
		p.fail(n, "%s: a public table has no persons to reach", what)
	}
	t.through = ref
	if t.link == "" {
		t.link = ref.column
	}
}

// goesThrough says that some table reaches its persons through this one.
func (r *Recipe) goesThrough(table string) bool {
	return slices.ContainsFunc(r.tables, func(t tableSpec) bool { return t.through.table == table })
}

// bindThrough finds the table that each table's key leads to, and refuses ways that do not end at a person.
func (b *builder) bindThrough() error {
	for _, t := range b.tables {
		ref := t.spec.through
		if ref.table == "" {
			continue
		}
		at := slices.IndexFunc(b.tables, func(o *table) bool { return o.layout.Name == ref.table })
		switch {
		case t.persons:
			return b.recipe.fail(ref.at, fmt.Sprintf("table %s: the table of unit.from names its persons itself", t.layout.Name))
		case at < 0 || b.tables[at].layout.Public:
			return b.recipe.fail(ref.at, fmt.Sprintf("table %s: through names table %q, which is not a private table of the recipe", t.layout.Name, ref.table))
		}
		var err error
		if t.through, err = b.exported(b.tables[at], ref.column); err != nil {
			return err
		}
		t.through.readers++
	}
	for _, t := range b.tables {
		steps := 0
		for at := t; at.through != nil; at = at.through.owner {
			if steps++; steps > len(b.tables) {
				return b.recipe.fail(t.spec.through.at, fmt.Sprintf("table %s: the way to the person goes in a circle", t.layout.Name))
			}
		}
	}
	return nil
}

// exported is the keys of a column that other tables go through, one list however many they are.
func (b *builder) exported(t *table, column string) (*linkKeys, error) {
	for _, k := range t.exports {
		if k.column == column {
			return k, nil
		}
	}
	hash, err := newPRF(b.secret.derive("through " + t.layout.Name + "." + column))
	if err != nil {
		return nil, err
	}
	k := &linkKeys{owner: t, column: column, at: noColumn, hash: hash}
	t.exports = append(t.exports, k)
	return k, nil
}

// shared marks a key that belongs to two persons, or to a person and to nobody. No person has this index.
const shared = nobody - 1

// linkKeys says whose row each key of a column is. It holds some 24 bytes a key, however long keys are and however many rows repeat them, and for a
// moment up to three times that while it grows. A key is a keyed 128-bit hash, which two of a billion keys share with probability below
// 2^-68. add and find are for one goroutine.
type linkKeys struct {
	owner   *table
	column  string
	at      int // in the source file of the owner
	hash    *prf
	list    []placed            // key and person; sorted, one entry a key, once sealed
	starts  []uint32            // first entry of each prefix, once sealed
	one     func(uint32) uint32 // persons who turned out to be one; nil when each is known from the start
	readers int                 // tables that are still to go through it
}

// add notes whose row holds a key; nobody for a row without a person. A row without the key says nothing.
func (k *linkKeys) add(key []byte, person uint32) {
	if len(key) == 0 {
		return
	}
	e := placed{at: digest(k.hash.tag(key)), row: person}
	if n := len(k.list); n > 0 && k.list[n-1] == e {
		return // most sources have the rows of one key together
	}
	if len(k.list) == cap(k.list) && len(k.list) > 0 {
		k.compact()
		k.list = slices.Grow(k.list, max(len(k.list), 1<<10)) // at least half is free now: sorting again costs no more than the rows did
	}
	k.list = append(k.list, e)
}

// compact leaves one entry a key.
func (k *linkKeys) compact() {
	sortPlaced(k.list)
	out := k.list[:0]
	for _, e := range k.list {
		if k.one != nil {
			e.row = k.one(e.row)
		}
		if n := len(out); n == 0 || out[n-1].at != e.at {
			out = append(out, e)
		} else if out[n-1].row != e.row {
			out[n-1].row = shared
		}
	}
	k.list = out
}

// seal ends the reading of the owner: from here on keys are looked up. It refuses keys that are none.
func (k *linkKeys) seal() error {
	k.compact()
	clashes := 0
	for _, e := range k.list {
		if e.row == shared {
			clashes++
		}
	}
	if clashes > 0 {
		return fmt.Errorf("table %q: %d of %d values of column %q stand in rows of more than one person, or of a person and of nobody; "+
			"a key that other tables reach the person through must belong to one person", k.owner.layout.Name, clashes, len(k.list), k.column)
	}
	k.list = slices.Clone(k.list) // without the room to grow
	width := prefixBits(len(k.list))
	k.starts = make([]uint32, 1<<width+1)
	for i := range k.list {
		k.starts[prefix(&k.list[i].at, width)+1]++
	}
	for i := 1; i < len(k.starts); i++ {
		k.starts[i] += k.starts[i-1]
	}
	return nil
}

// find returns the person of a key, nobody when the key is nowhere or its row is nobody's.
func (k *linkKeys) find(key []byte) uint32 {
	if len(key) == 0 || len(k.list) == 0 {
		return nobody
	}
	d := digest(k.hash.tag(key))
	p := prefix(&d, prefixBits(len(k.list)))
	for _, e := range k.list[k.starts[p]:k.starts[p+1]] {
		if e.at == d {
			return e.row
		}
	}
	return nobody
}

// left is told that one reader is done; the last lets go of the memory.
func (k *linkKeys) left() {
	if k.readers--; k.readers == 0 {
		k.list, k.starts = nil, nil
	}
}

// export notes the keys of a row for the tables that go through this one.
func (t *table) export(r *records, row int, person uint32) {
	for _, k := range t.exports {
		key := trim(r.field(row, k.at))
		if t.marks[string(key)] {
			key = nil
		}
		k.add(key, person)
	}
}

// whose finds the persons of rows by what their link column holds: the source's own number, or a key of the table that this one goes through.
func (b *builder) whose(t *table, links [][]byte, out []uint32) {
	if t.through == nil {
		b.people.byLinks(links, out)
		return
	}
	for i, key := range links {
		if i > 0 && bytes.Equal(key, links[i-1]) { // rows of one key mostly stand together
			out[i] = out[i-1]
			continue
		}
		out[i] = t.through.find(key)
	}
}
