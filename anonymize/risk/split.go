package risk

import "slices"

// split gives each row the number of its class over some columns. Which number a class has means nothing.
type split struct {
	class   []uint32
	classes int
	order   []uint32 // rows by class, once somebody asked for them
	start   []uint32 // where each class begins in order
}

// work is what counting the classes of one table takes, lent from one combination of columns to the next: tables of ten million rows are measured
// over hundreds of combinations.
type work struct {
	rows int
	// direct is the largest table of (class, code) pairs in which a pair is numbered by its place. Pairs are numbered exactly on either way, so that
	// no two combinations ever fall together as they could under a hash.
	direct int
	place  []uint32
	stamps []stamp
	free   [][]uint32
}

// stamp says in which class a code was seen last, and what it was numbered there.
type stamp struct{ class, number uint32 }

func newWork(rows int) *work { return &work{rows: rows, direct: max(1<<20, 4*rows)} }

// take lends a number for each row, with what the last borrower left in it.
func (w *work) take() []uint32 {
	if n := len(w.free); n > 0 {
		out := w.free[n-1]
		w.free = w.free[:n-1]
		return out
	}
	return make([]uint32, w.rows)
}

// give takes back what a split holds.
func (w *work) give(s *split) {
	for _, b := range [][]uint32{s.class, s.order} {
		if b != nil {
			w.free = append(w.free, b)
		}
	}
	*s = split{}
}

// whole is the split in which all rows are one class.
func (w *work) whole() *split {
	s := &split{class: w.take(), classes: 1}
	clear(s.class)
	return s
}

// dense gives codes below a width that is not far above their number, in the order of those given: what is kept by code is kept in a slice.
func dense(codes []uint32) (same []uint32, width int) {
	if len(codes) == 0 {
		return codes, 1
	}
	if top := int(slices.Max(codes)); top <= 1<<16+4*len(codes) {
		return codes, top + 1
	}
	sorted := slices.Clone(codes)
	slices.Sort(sorted)
	sorted = slices.Compact(sorted)
	same = make([]uint32, len(codes))
	for i, c := range codes {
		at, _ := slices.BinarySearch(sorted, c)
		same[i] = uint32(at) //nolint:gosec // at most the rows
	}
	return same, len(sorted)
}

// refine splits classes by one more column, whose codes are below width.
func (w *work) refine(s *split, codes []uint32, width int) *split {
	out := &split{class: w.take()}
	if s.classes <= w.direct/width {
		w.place = zeroed(w.place, s.classes*width)
		out.classes = placed(s.class, codes, width, w.place, out.class)
		return out
	}
	w.sort(s)
	w.stamps = zeroed(w.stamps, width)
	out.classes = stamped(s, codes, w.stamps, out.class)
	return out
}

// zeroed is a slice of n zeros, in the memory of the one before where that is enough.
func zeroed[T any](before []T, n int) []T {
	if cap(before) < n {
		return make([]T, n)
	}
	before = before[:n]
	clear(before)
	return before
}

// placed numbers pairs by their place in a table.
func placed(class, codes []uint32, width int, place, out []uint32) int {
	next := uint32(0)
	for i, c := range class {
		at := &place[int(c)*width+int(codes[i])]
		if *at == 0 {
			next++
			*at = next
		}
		out[i] = *at - 1
	}
	return int(next)
}

// stamped numbers pairs class by class: the codes of one are seen together, and a stamp for each code is enough.
func stamped(s *split, codes []uint32, stamps []stamp, out []uint32) int {
	next := uint32(0)
	for c := range uint32(s.classes) { //nolint:gosec // classes ≤ rows
		for _, row := range s.rows(c) {
			at := &stamps[codes[row]]
			if at.class != c+1 {
				*at = stamp{c + 1, next}
				next++
			}
			out[row] = at.number
		}
	}
	return int(next)
}

// sort puts rows in the order of their classes, those of a class as they were.
func (w *work) sort(s *split) {
	if s.order != nil {
		return
	}
	s.order, s.start = w.take(), make([]uint32, s.classes+2)
	next := s.start[1:] // where the next row of a class goes, so that start has the beginnings in the end
	for _, c := range s.class {
		next[c+1]++
	}
	for c := range s.classes {
		next[c+1] += next[c]
	}
	for i, c := range s.class {
		s.order[next[c]] = uint32(i) //nolint:gosec // rows are numbered by 32 bits
		next[c]++
	}
}

// rows lists the rows of a class of a sorted split.
func (s *split) rows(class uint32) []uint32 { return s.order[s.start[class]:s.start[class+1]] }

// seat counts the persons of a class. A person's rows follow one another, so that the last person seen in a class is enough to know.
type seat struct{ size, last uint32 }

// seats counts the persons of each class, in the memory of the seats before.
func (s *split) seats(persons []uint32, before []seat) []seat {
	out := zeroed(before, s.classes)
	for i, c := range s.class {
		at := &out[c]
		if at.size == 0 || at.last != persons[i] {
			at.last = persons[i]
			at.size++
		}
	}
	return out
}

// small are the sizes that a tally counts in an array: most classes and most persons have one of them.
const small = 1024

// tally counts sizes.
type tally struct {
	few  [small]int
	many Classes
}

func newTally() *tally { return &tally{many: Classes{}} }

func (t *tally) add(size uint32) {
	if size < small {
		t.few[size]++
		return
	}
	t.many[int(size)]++
}

// classes are the sizes that occur.
func (t *tally) classes() Classes {
	for size, n := range t.few {
		if n > 0 {
			t.many[size] = n
		}
	}
	return t.many
}

// measurer counts one table.
type measurer struct {
	t       *Table
	w       *work
	persons int
	quasi   []int
	codes   [][]uint32 // of each column
	width   []int      // above them
	seats   []seat     // of the split looked at last
}

func newMeasurer(t *Table) *measurer {
	m := &measurer{t: t, w: newWork(len(t.Persons)), persons: t.persons(), quasi: t.quasi(), codes: make([][]uint32, len(t.Columns)), width: make([]int, len(t.Columns))}
	for i, c := range t.Columns {
		m.codes[i], m.width[i] = dense(c.Codes)
	}
	return m
}

// by refines a split by a column.
func (m *measurer) by(s *split, column int) *split {
	return m.w.refine(s, m.codes[column], m.width[column])
}

// all counts the classes over all quasi-identifiers.
func (m *measurer) all() (classes, rarest Classes, told []Diversity) {
	s := m.w.whole()
	for _, i := range m.quasi {
		next := m.by(s, i)
		m.w.give(s)
		s = next
	}
	m.seats = s.seats(m.t.Persons, m.seats)
	classes, rarest, told = sizes(m.seats), m.t.rarest(s.class, m.seats), m.diversity(s)
	m.w.give(s)
	return classes, rarest, told
}
