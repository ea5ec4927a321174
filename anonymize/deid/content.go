package deid

import "context"

// Rows without a key of their own are told apart, and ranked, by what they say. Where the catalogue declares one row a person, hardly any person has
// two: rows are not hashed while they are read, and only if somebody has two is the source read once more, for the rows of those persons alone.

// rowSet is a set of rows of a source.
type rowSet struct {
	words []uint64
	n     int // rows seen, in the set or not
}

// add sees as many more rows, of which those at keep, counted from first, are in the set.
func (s *rowSet) add(rows, first int, keep []int32) {
	at := s.n - first
	s.n += rows - first
	for len(s.words) < (s.n+63)/64 {
		s.words = append(s.words, 0)
	}
	for _, row := range keep {
		i := at + int(row)
		s.words[i>>6] |= 1 << (i & 63)
	}
}

func (s *rowSet) has(i int) bool { return i < s.n && s.words[i>>6]&(1<<(i&63)) != 0 }

// hashesLate says that rows are told apart only when somebody has two.
func (t *table) hashesLate() bool {
	return !t.layout.Public && t.rowKey == nil && t.content != nil && t.layout.MaxRows == 1
}

// tellApart hashes the rows of persons who have several.
func (b *builder) tellApart(ctx context.Context, t *table) error {
	several := t.several(len(b.register.digests))
	if several == nil {
		return nil
	}
	t.hash.zeros(t.owner.n)
	at, stored := 0, uint32(0)
	err := b.eachOf(ctx, t, func([]string) ([]int, error) { return nil, nil }, stages{}, func(r *records) error {
		for row := r.first; row < r.rows; row++ {
			if at++; !t.kept.has(at - 1) {
				continue
			}
			if n := t.owner.at(stored); n != nobody && several.has(int(n)) {
				t.text = r.content(row, t.text)
				t.hash.set(stored, t.content.sum(t.text))
			}
			stored++
		}
		return nil
	})
	if err == nil && (at != t.kept.n || int(stored) != t.owner.n) {
		err = &SourceError{File: t.file, Text: "the file changed while it was read"}
	}
	return err
}

// several are the numbers of those with several rows, nil when there are none.
func (t *table) several(persons int) *rowSet {
	var once, more rowSet
	once.add(persons, 0, nil)
	found := false
	for _, chunk := range t.owner.chunks() {
		for _, n := range chunk {
			if n == nobody {
				continue
			}
			if once.has(int(n)) {
				if !found {
					found = true
					more.add(persons, 0, nil)
				}
				more.words[n>>6] |= 1 << (n & 63)
			}
			once.words[n>>6] |= 1 << (n & 63)
		}
	}
	if !found {
		return nil
	}
	return &more
}
