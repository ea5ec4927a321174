package profile

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// smallClass is the number of persons below which a class is small: what a handover demands at least.
const smallClass = 5

// classes holds a sample by person and by column, ready to be grouped.
type classes struct {
	rows    int
	person  []uint32   // dense, ascending
	persons int        //
	codes   [][]uint32 // by column, dense from 0
	sizes   []uint64   // different codes
}

// newClasses sorts a sample by person and numbers the values of the columns asked for.
func newClasses(s *sample, columns []int) *classes {
	c := &classes{rows: len(s.persons), codes: make([][]uint32, s.width), sizes: make([]uint64, s.width)}
	order := make([]uint32, c.rows)
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int {
		if x := cmp.Compare(s.persons[a], s.persons[b]); x != 0 {
			return x
		}
		return cmp.Compare(a, b)
	})
	c.person = make([]uint32, c.rows)
	var last uint64
	for i, r := range order {
		if i == 0 || s.persons[r] != last {
			c.persons++
			last = s.persons[r]
		}
		c.person[i] = uint32(c.persons - 1)
	}
	n := newNumbering(c.rows)
	for _, col := range columns {
		c.codes[col], c.sizes[col] = n.column(s, order, col)
	}
	return c
}

// numbering gives values small numbers; its memory serves one column after the other.
type numbering struct{ keys, codes []uint32 } // codes are one too high: 0 is a free place

func newNumbering(rows int) *numbering {
	size := 1024
	for size < 2*rows {
		size *= 2
	}
	return &numbering{make([]uint32, size), make([]uint32, size)}
}

// column numbers the values of one column, in the order of persons.
func (n *numbering) column(s *sample, order []uint32, col int) ([]uint32, uint64) {
	clear(n.codes)
	codes, next, mask := make([]uint32, len(order)), uint32(0), uint32(len(n.keys)-1)
	for i, r := range order {
		v := s.cells[int(r)*s.width+col]
		at := v * 0x9E3779B1 >> 7 & mask
		for n.codes[at] != 0 && n.keys[at] != v {
			at = (at + 1) & mask
		}
		if n.codes[at] == 0 {
			next++
			n.keys[at], n.codes[at] = v, next
		}
		codes[i] = n.codes[at] - 1
	}
	return codes, uint64(max(next, 1))
}

// tally counts persons by key. Keys up to a few millions index an array, others are looked up by hash.
type tally struct {
	direct bool
	keys   []uint64
	count  []uint32 // persons, up to smallClass
	last   []uint32 // the person counted last, plus one
	mask   uint64
}

const directKeys = 1 << 21

func (t *tally) reset(keys uint64, rows int) {
	t.direct = keys <= directKeys
	size := uint64(1)
	want := keys
	if !t.direct {
		want = uint64(rows) * 2
	}
	for size < want {
		size *= 2
	}
	if uint64(cap(t.count)) < size {
		t.count, t.last, t.keys = make([]uint32, size), make([]uint32, size), make([]uint64, size)
	}
	t.count, t.last, t.keys, t.mask = t.count[:size], t.last[:size], t.keys[:size], size-1
	clear(t.count)
	clear(t.last)
	if !t.direct {
		clear(t.keys)
	}
}

// at finds the place of a key.
func (t *tally) at(key uint64) uint64 {
	if t.direct {
		return key
	}
	key++ // 0 is a free place
	i := mix(key) & t.mask
	for t.keys[i] != key {
		if t.keys[i] == 0 {
			t.keys[i] = key
			return i
		}
		i = (i + 1) & t.mask
	}
	return i
}

// measured is what some columns single out.
type measured struct{ alone, small float64 }

// measure counts persons by the values of the columns: alone is who is the only person in a class, small are rows in classes of fewer than five.
func (c *classes) measure(t *tally, columns ...int) measured {
	if c.rows == 0 {
		return measured{}
	}
	product, fits := uint64(1), true
	for _, col := range columns {
		if fits = fits && product <= 1<<62/c.sizes[col]; fits {
			product *= c.sizes[col]
		}
	}
	key := func(i int) uint64 {
		k := uint64(0)
		for _, col := range columns {
			k = k*c.sizes[col] + uint64(c.codes[col][i])
		}
		return k
	}
	if !fits { // wider than a word: a hash of the codes stands for them
		product = 1 << 63
		key = func(i int) uint64 {
			k := uint64(0)
			for _, col := range columns {
				k = mix(k ^ uint64(c.codes[col][i]))
			}
			return k >> 1
		}
	}
	t.reset(product, c.rows)
	places := make([]uint32, c.rows)
	for i := range c.rows {
		at := t.at(key(i))
		places[i] = uint32(at)
		if p := c.person[i] + 1; t.last[at] != p {
			t.last[at] = p
			if t.count[at] < smallClass {
				t.count[at]++
			}
		}
	}
	alone, small, flagged := 0, 0, uint32(0)
	for i, at := range places {
		n := t.count[at]
		if n < smallClass {
			small++
		}
		if p := c.person[i] + 1; n == 1 && p != flagged {
			alone++
			flagged = p
		}
	}
	return measured{float64(alone) / float64(c.persons), float64(small) / float64(c.rows)}
}

// enough: where two columns single out so many persons, a third can add nothing worth a line.
const enough = 0.98

// combine measures all pairs and triples of the columns given, on so many goroutines.
func (c *classes) combine(ctx context.Context, columns []int, single func(int) measured, workers int, tell func(done, total int)) (map[[3]int]measured, error) {
	var sets [][3]int
	for i, a := range columns {
		for j, b := range columns[i+1:] {
			sets = append(sets, [3]int{a, b, -1})
			for _, d := range columns[i+j+2:] {
				sets = append(sets, [3]int{a, b, d})
			}
		}
	}
	slices.SortStableFunc(sets, func(x, y [3]int) int { return cmp.Compare(btoi(x[2] >= 0), btoi(y[2] >= 0)) })
	out := map[[3]int]measured{}
	var mu sync.Mutex
	full := func(a, b int) bool {
		mu.Lock()
		defer mu.Unlock()
		return out[[3]int{a, b, -1}].alone >= enough
	}
	one := func(t *tally, s [3]int) {
		if single(s[0]).alone >= enough || single(s[1]).alone >= enough || s[2] >= 0 && (single(s[2]).alone >= enough || full(s[0], s[1]) || full(s[0], s[2]) || full(s[1], s[2])) {
			return
		}
		cols := s[:]
		if s[2] < 0 {
			cols = s[:2]
		}
		m := c.measure(t, cols...)
		mu.Lock()
		out[s] = m
		mu.Unlock()
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range max(workers, 1) {
		wg.Go(func() {
			var t tally
			for ctx.Err() == nil {
				at := int(next.Add(1)) - 1
				if at >= len(sets) {
					return
				}
				one(&t, sets[at])
				tell(at+1, len(sets))
			}
		})
	}
	wg.Wait()
	return out, ctx.Err()
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
