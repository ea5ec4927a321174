package deid

import (
	"fmt"
	"slices"
)

// keySpace numbers row keys. In a private table a key's number counts within its person, from 1, in keyed order: a
// number that counted over all rows would move when another person's rows go away, and the person's rows would no
// longer be a function of the person alone. Joins on a row key equate the person too, so nothing is lost. A reference
// to a row that was not kept is missing, or 0 where the column is never missing: it joins nothing.
type keySpace struct {
	name   string
	owner  string
	public map[uint64]int64 // keys of a public owner
	mix    *prf
	starts []uint32 // person number -> position in keys
	keys   []uint64 // sorted inside each person
}

// lookup gives the number of a key as person has it; mix is the space's own, or a clone of it for another goroutine.
func (s *keySpace) lookup(mix *prf, person uint32, h uint64) (int64, bool) {
	if s.public != nil {
		v, in := s.public[h]
		return v, in
	}
	own := s.keys[s.starts[person]:s.starts[person+1]]
	at, in := slices.BinarySearch(own, mix.pair(uint64(person), h))
	return int64(at) + 1, in
}

// fillPublic numbers the keys of a public table in keyed order.
func (s *keySpace) fillPublic(hashes *words[uint64]) {
	all := make([]uint64, hashes.n)
	for i := range all {
		all[i] = hashes.at(uint32(i))
	}
	slices.Sort(all)
	s.public = make(map[uint64]int64, len(all))
	for i, h := range slices.Compact(all) {
		s.public[h] = int64(i) + 1
	}
}

// order puts the tables so that what others refer to comes first: the table of persons, then owners of key spaces and of keys that others go through.
func (b *builder) order() ([]*table, error) {
	var out []*table
	rest := slices.Clone(b.tables)
	take := func(want func(*table) bool) bool {
		at := slices.IndexFunc(rest, want)
		if at < 0 {
			return false
		}
		out = append(out, rest[at])
		rest = slices.Delete(rest, at, at+1)
		return true
	}
	ready := func(t *table) bool {
		if t.through != nil && !slices.Contains(out, t.through.owner) {
			return false
		}
		for _, o := range t.ops {
			if o.space != nil && o.space.owner != t.layout.Name &&
				!slices.ContainsFunc(out, func(d *table) bool { return d.layout.Name == o.space.owner }) {
				return false
			}
		}
		return true
	}
	for take(func(t *table) bool { return t.layout.Public && ready(t) }) {
	}
	if !take(func(t *table) bool { return t.persons && ready(t) }) {
		return nil, b.recipe.fail(b.recipe.unit.at, "the table of persons refers to row keys of another private table: it must be readable first")
	}
	for take(ready) {
	}
	if len(rest) > 0 {
		return nil, b.recipe.fail(rest[0].spec.at, fmt.Sprintf("table %s: tables refer to each other in a circle, by row keys or through", rest[0].layout.Name))
	}
	return out, nil
}
