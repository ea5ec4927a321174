//go:build linux && cgo

package worker

import (
	"sync"
	"sync/atomic"
	"unsafe"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"carrel/sandbox/wire"
)

// vectorSize is the engine's: a chunk holds at most so many rows. It is a multiple of 8, so validity is copied by bytes.
const vectorSize = 2048

// rowID marks a projected column that is none of ours: the engine asks for the row id when it only counts.
const rowID = -1

// scanner is one registered table; tally collects the scans of the running job.
type scanner struct {
	table *table
	tally *tally
}

// tally is the list of scans since reset.
type tally struct {
	mu    sync.Mutex
	scans []*scan
}

// reset forgets the scans of earlier jobs.
func (t *tally) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.scans = nil
}

// add remembers a scan that the engine starts.
func (t *tally) add(s *scan) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.scans = append(t.scans, s)
}

// report says what each scan did. It is called when the query is over.
func (t *tally) report() []wire.Scan {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]wire.Scan, 0, len(t.scans))
	for _, s := range t.scans {
		out = append(out, wire.Scan{
			Table:    s.table.name,
			Rows:     s.rows.Load(),
			Left:     s.table.left,
			Complete: s.finished.Load() == int64(len(s.table.batches)),
		})
	}
	return out
}

// scan is one pass of the engine over a table, shared by its threads.
type scan struct {
	table    *table
	columns  []int        // projected columns, rowID for none of ours
	taken    atomic.Int64 // batches handed to threads
	finished atomic.Int64 // batches whose every row was given to the engine
	rows     atomic.Int64 // rows given to the engine
}

// cursor is one thread's place: it owns a batch until its end.
type cursor struct {
	batch  int
	run    int // of the batch
	row    int // next of the run
	pieces []piece
}

// bind tells the engine the columns and how many rows there are. Nothing else: no minima, no maxima, no distinct counts.
func (s *scanner) bind(info duckdb.BindInfo) {
	for _, c := range s.table.columns {
		lt := duckdb.CreateLogicalType(typeOf(c.Type))
		duckdb.BindAddResultColumn(info, c.Name, lt)
		duckdb.DestroyLogicalType(&lt)
	}
	duckdb.BindSetCardinality(info, duckdb.IdxT(s.table.rows-s.table.left), true)
}

// typeOf maps an Arrow integer type to the engine's.
func typeOf(arrowType string) duckdb.Type {
	switch arrowType {
	case "int8":
		return duckdb.TypeTinyInt
	case "uint8":
		return duckdb.TypeUTinyInt
	case "int16":
		return duckdb.TypeSmallInt
	case "uint16":
		return duckdb.TypeUSmallInt
	case "int32":
		return duckdb.TypeInteger
	case "uint32":
		return duckdb.TypeUInteger
	default:
		return duckdb.TypeBigInt // wire.Width let nothing else through
	}
}

// start begins a pass: which columns, and how many threads can share it.
func (s *scanner) start(info duckdb.InitInfo) *scan {
	n := int(duckdb.InitGetColumnCount(info))
	g := &scan{table: s.table, columns: make([]int, n)}
	for i := range n {
		g.columns[i] = rowID
		if c := uint64(duckdb.InitGetColumnIndex(info, duckdb.IdxT(i))); c < uint64(len(s.table.columns)) {
			g.columns[i] = int(c)
		}
	}
	duckdb.InitSetMaxThreads(info, duckdb.IdxT(max(1, len(s.table.batches))))
	s.tally.add(g)
	return g
}

// next fills one chunk from the thread's batch, taking the next free batch at its end. An empty chunk ends the thread.
func (g *scan) next(c *cursor, chunk duckdb.DataChunk) {
	for c.batch < 0 || c.run >= len(g.table.batches[c.batch].runs) {
		n := int(g.taken.Add(1) - 1)
		if n >= len(g.table.batches) {
			duckdb.DataChunkSetSize(chunk, 0)
			return
		}
		c.batch, c.run, c.row = n, 0, g.table.batches[n].runs[0].from
	}
	b := &g.table.batches[c.batch]
	n := c.take(b)
	for i, column := range g.columns {
		if column != rowID {
			fill(duckdb.DataChunkGetVector(chunk, duckdb.IdxT(i)), b, column, g.table.widths[column], c.pieces)
		}
	}
	duckdb.DataChunkSetSize(chunk, duckdb.IdxT(n))
	g.rows.Add(int64(n))
	if c.run == len(b.runs) {
		g.finished.Add(1)
	}
}

// fill copies pieces of a column.
func fill(v duckdb.Vector, b *batch, column, width int, pieces []piece) {
	if valid := b.validity[column]; valid != nil {
		duckdb.VectorEnsureValidityWritable(v)
		dst := unsafe.Slice((*byte)(duckdb.VectorGetValidity(v)), vectorSize/8)
		for _, p := range pieces {
			copyBits(dst, p.at, valid, p.from, p.n)
		}
	}
	dst, src := unsafe.Slice((*byte)(duckdb.VectorGetData(v)), vectorSize*width), b.values[column]
	for _, p := range pieces {
		copy(dst[p.at*width:(p.at+p.n)*width], src[p.from*width:(p.from+p.n)*width])
	}
}
