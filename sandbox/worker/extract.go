//go:build linux && cgo

package worker

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"golang.org/x/sys/unix"

	"carrel/sandbox/wire"
)

// errTable says that a table's file is not what the manifest says. Which part is not told.
var errTable = errors.New("a table is not what the manifest says")

// seals are what a file must carry so that nobody, the parent included, can change it under a query.
const seals = unix.F_SEAL_WRITE | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL

// batch is one record batch: for each column the values' bytes and the validity bits (nil: no NULL). They point into the
// mapping, which lives as long as the process. runs are the rows that scans give.
type batch struct {
	rows     int
	values   [][]byte
	validity [][]byte
	runs     []run
}

// table is one table of the extract.
type table struct {
	name    string
	rows    int64
	left    int64 // rows that no scan gives: their persons' are left out
	columns []wire.Column
	widths  []int
	batches []batch
}

// mapTable maps one sealed descriptor, which it closes, checks it against its description and leaves out whose rows are not to be given.
func mapTable(spec wire.Table, who choice, fd int) (t *table, err error) {
	defer func() {
		if recover() != nil {
			t, err = nil, errTable // the reader panics on files that it does not understand
		}
	}()
	defer unix.Close(fd) //nolint:errcheck // a mapping keeps its file
	if got, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0); err != nil || got&seals != seals {
		return nil, fmt.Errorf("not sealed: %w", errTable)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Size != spec.Size {
		return nil, fmt.Errorf("size: %w", errTable)
	}
	b, err := unix.Mmap(fd, 0, int(st.Size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map: %w", err)
	}
	r, err := ipc.NewMappedFileReader(b)
	if err != nil {
		return nil, errTable
	}
	t = &table{name: spec.Name, rows: spec.Rows, columns: spec.Columns}
	if err := t.checkSchema(r.Schema()); err != nil {
		return nil, err
	}
	var total int64
	for i := range r.NumRecords() {
		rec, err := r.RecordBatch(i)
		if err != nil {
			return nil, errTable
		}
		if rec.NumRows() == 0 {
			continue // nothing to give: a scan is complete when every batch that is left was given
		}
		rec.Retain()
		bt, err := t.batchOf(rec)
		if err != nil {
			return nil, err
		}
		total += int64(bt.rows)
		if t.left += int64(bt.choose(who, t.unit(spec))); len(bt.runs) > 0 {
			t.batches = append(t.batches, bt)
		}
	}
	if total != spec.Rows {
		return nil, errTable
	}
	return t, nil
}

// checkSchema wants exactly the described columns, in order.
func (t *table) checkSchema(s *arrow.Schema) error {
	if s.NumFields() != len(t.columns) {
		return errTable
	}
	for i, c := range t.columns {
		f, w := s.Field(i), wire.Width(c.Type)
		if f.Name != c.Name || f.Type.Name() != c.Type || w == 0 {
			return errTable
		}
		t.widths = append(t.widths, w)
	}
	return nil
}

// batchOf takes the buffers of one record batch. Lengths are checked here once, so that a scan only slices.
func (t *table) batchOf(rec arrow.RecordBatch) (batch, error) {
	n := int(rec.NumRows())
	b := batch{rows: n, values: make([][]byte, len(t.columns)), validity: make([][]byte, len(t.columns))}
	for i, w := range t.widths {
		d := rec.Column(i).Data()
		if d.Offset() != 0 || d.Len() != n || len(d.Buffers()) != 2 {
			return batch{}, errTable
		}
		if v := d.Buffers()[0]; v != nil && v.Len() > 0 {
			if v.Len() < (n+7)/8 {
				return batch{}, errTable
			}
			b.validity[i] = v.Bytes()
		} else if d.NullN() > 0 {
			return batch{}, errTable // NULLs announced without saying which
		}
		v := d.Buffers()[1]
		if v == nil || v.Len() < n*w {
			return batch{}, errTable
		}
		b.values[i] = v.Bytes()
	}
	return b, nil
}
