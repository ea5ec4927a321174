package deid

import (
	"fmt"
	"slices"

	"carrel/anonymize/extract"
)

// Columns grow in chunks: a slice that doubles would hold three times its size for a moment, which ten million rows
// cannot afford.
const (
	chunkBits = 16
	chunkRows = 1 << chunkBits
	chunkMask = chunkRows - 1
)

// column keeps the values of one column of a table in the type they are written in.
type column interface {
	// add appends values; missing[i] says that value i is missing, nil that none is. Values fit the type.
	add(values []int64, missing []bool)
	// get reads one value.
	get(row uint32) (v int64, ok bool)
	// set overwrites one value.
	set(row uint32, v int64)
	// gather makes the vector of the rows, reusing the buffers of an earlier call with the same out.
	gather(rows []entry, out *buffers) extract.Vector
}

// buffers are the memory of one column of one batch.
type buffers struct {
	values  any
	valid   []byte
	keys    []int64
	missing []bool
}

func newColumn(arrowType string) (column, error) {
	switch arrowType {
	case "uint8":
		return &chunks[uint8]{}, nil
	case "uint16":
		return &chunks[uint16]{}, nil
	case "uint32":
		return &chunks[uint32]{}, nil
	case "int8":
		return &chunks[int8]{}, nil
	case "int16":
		return &chunks[int16]{}, nil
	case "int32":
		return &chunks[int32]{}, nil
	case "int64":
		return &chunks[int64]{}, nil
	default:
		return nil, fmt.Errorf("no column of type %q", arrowType)
	}
}

type chunks[T extract.Integer] struct {
	data  [][]T
	valid [][]byte // bitmap a chunk, nil while nothing of the chunk is missing
	n     int
}

func (c *chunks[T]) add(values []int64, missing []bool) {
	for len(values) > 0 {
		k, at := c.n>>chunkBits, c.n&chunkMask
		if k == len(c.data) {
			c.data = append(c.data, make([]T, chunkRows))
			c.valid = append(c.valid, nil)
		}
		to := c.data[k][at:]
		n := min(len(to), len(values))
		for i, v := range values[:n] {
			to[i] = T(v)
		}
		values = values[n:]
		if missing != nil {
			c.lose(k, at, missing[:n])
			missing = missing[n:]
		}
		c.n += n
	}
}

// lose marks values of a chunk as missing.
func (c *chunks[T]) lose(k, at int, missing []bool) {
	for i, m := range missing {
		if !m {
			continue
		}
		if c.valid[k] == nil {
			c.valid[k] = make([]byte, chunkRows/8)
			for j := range c.valid[k] {
				c.valid[k][j] = 0xFF
			}
		}
		c.data[k][at+i] = 0
		c.valid[k][(at+i)>>3] &^= 1 << ((at + i) & 7)
	}
}

func (c *chunks[T]) get(row uint32) (int64, bool) {
	k, at := row>>chunkBits, row&chunkMask
	if m := c.valid[k]; m != nil && m[at>>3]&(1<<(at&7)) == 0 {
		return 0, false
	}
	return int64(c.data[k][at]), true
}

func (c *chunks[T]) set(row uint32, v int64) { c.data[row>>chunkBits][row&chunkMask] = T(v) }

func (c *chunks[T]) gather(rows []entry, out *buffers) extract.Vector {
	values, ok := out.values.([]T)
	if !ok {
		values = make([]T, extract.BatchRows)
		out.values = values
		out.valid = make([]byte, (extract.BatchRows+7)/8)
	}
	values = values[:len(rows)]
	for i := range rows {
		values[i] = c.data[rows[i].row>>chunkBits][rows[i].row&chunkMask]
	}
	return extract.Of(values, c.gatherValid(rows, out.valid))
}

// gatherValid makes the bitmap of the rows, nil when the whole column misses nothing.
func (c *chunks[T]) gatherValid(rows []entry, valid []byte) []byte {
	any := false
	for _, m := range c.valid {
		any = any || m != nil
	}
	if !any {
		return nil
	}
	clear(valid)
	for i := range rows {
		k, at := rows[i].row>>chunkBits, rows[i].row&chunkMask
		if m := c.valid[k]; m == nil || m[at>>3]&(1<<(at&7)) != 0 {
			valid[i>>3] |= 1 << (i & 7)
		}
	}
	return valid[:(len(rows)+7)/8]
}

// words is a chunked list of integers that are not a column: persons and hashes of rows.
type words[T uint32 | uint64] struct {
	data [][]T
	n    int
}

func (w *words[T]) add(v T) {
	k := w.n >> chunkBits
	if k == len(w.data) {
		w.data = append(w.data, make([]T, chunkRows))
	}
	w.data[k][w.n&chunkMask] = v
	w.n++
}

func (w *words[T]) addAll(values []T) {
	for len(values) > 0 {
		k, at := w.n>>chunkBits, w.n&chunkMask
		if k == len(w.data) {
			w.data = append(w.data, make([]T, chunkRows))
		}
		n := copy(w.data[k][at:], values)
		values = values[n:]
		w.n += n
	}
}

// zeros makes it n zeros.
func (w *words[T]) zeros(n int) {
	w.data, w.n = nil, n
	for len(w.data)<<chunkBits < n {
		w.data = append(w.data, make([]T, chunkRows))
	}
}

// chunks are all values, chunkRows at a time.
func (w *words[T]) chunks() [][]T {
	out := slices.Clone(w.data)
	if rest := w.n & chunkMask; rest > 0 {
		out[len(out)-1] = out[len(out)-1][:rest]
	}
	return out
}

// chunk is one of them, zeros where there are none.
func (w *words[T]) chunk(k int) []T {
	if k >= len(w.data) {
		return make([]T, chunkRows)
	}
	return w.data[k]
}

func (w *words[T]) at(i uint32) T { return w.data[i>>chunkBits][i&chunkMask] }

func (w *words[T]) set(i uint32, v T) { w.data[i>>chunkBits][i&chunkMask] = v }

// entry is a row on its way into the extract: its order inside the person and its place in the columns.
type entry struct {
	order uint64
	row   uint32
}
