package extract

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// Reader reads a table batch by batch in constant memory. Use nothing of it before Next returned io.EOF, unless Open
// has just compared the files: the plaintext hash is known at the end only.
type Reader struct {
	table *Table
	plain io.ReadCloser
	tail  *bufio.Reader
	ipc   *ipc.Reader
	rows  int64
}

// Batch is a run of rows. It is valid until the next call of Next.
type Batch struct {
	table  *Table
	record arrow.RecordBatch
}

// magic is how an Arrow IPC file starts; what follows is an Arrow stream, and then the footer.
const magic = "ARROW1\x00\x00"

// Reader opens a table for reading rows.
func (e *Extract) Reader(table string) (*Reader, error) {
	t, ok := e.manifest.Table(table)
	if !ok {
		return nil, fmt.Errorf("the extract has no table of that name (%d tables)", len(e.manifest.Tables))
	}
	p, err := e.Plain(table)
	if err != nil {
		return nil, err
	}
	r := &Reader{table: t, plain: p, tail: bufio.NewReaderSize(p, 1<<16)}
	if err := r.start(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return r, nil
}

func (r *Reader) start() (err error) {
	defer r.recovered(&err)
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(r.tail, head); err != nil || string(head) != magic {
		return fmt.Errorf("table %q is not an Arrow file", r.table.Name)
	}
	want, err := arrowSchema(r.table)
	if err != nil {
		return err
	}
	if r.ipc, err = ipc.NewReader(r.tail); err != nil {
		return fmt.Errorf("table %q is not an Arrow file: %w", r.table.Name, err)
	}
	if !r.ipc.Schema().Equal(want) {
		return fmt.Errorf("table %q has other columns than its manifest", r.table.Name)
	}
	return nil
}

// recovered turns a panic of the Arrow library over damaged bytes into an error.
func (r *Reader) recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("table %q is damaged", r.table.Name)
	}
}

// Columns are the columns of the table, in the order of Batch.Value.
func (r *Reader) Columns() []Column { return r.table.Columns }

// Next returns the next batch, or io.EOF after the last one when rows and hash were the manifest's.
func (r *Reader) Next() (b *Batch, err error) {
	defer r.recovered(&err)
	if r.ipc.Next() {
		rec := r.ipc.RecordBatch()
		r.rows += rec.NumRows()
		return &Batch{table: r.table, record: rec}, nil
	}
	if err := r.ipc.Err(); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read table %q: %w", r.table.Name, err)
	}
	if _, err := io.Copy(io.Discard, r.tail); err != nil { // the rest, for the hash
		return nil, err
	}
	if r.rows != r.table.Rows {
		return nil, fmt.Errorf("table %q has another number of rows than its manifest", r.table.Name)
	}
	return nil, io.EOF
}

// Close releases the reader.
func (r *Reader) Close() error {
	r.ipc.Release()
	return r.plain.Close()
}

// Rows is the number of rows of the batch.
func (b *Batch) Rows() int { return int(b.record.NumRows()) }

// Value returns a cell as a wide integer; ok is false when it is missing.
func (b *Batch) Value(column, row int) (v int64, ok bool) {
	col := b.record.Column(column)
	if col.IsNull(row) {
		return 0, false
	}
	switch a := col.(type) {
	case *array.Uint8:
		return int64(a.Value(row)), true
	case *array.Uint16:
		return int64(a.Value(row)), true
	case *array.Uint32:
		return int64(a.Value(row)), true
	case *array.Int8:
		return int64(a.Value(row)), true
	case *array.Int16:
		return int64(a.Value(row)), true
	case *array.Int32:
		return int64(a.Value(row)), true
	case *array.Int64:
		return a.Value(row), true
	default:
		return 0, false
	}
}

// Int64s copies a column into dst (grown as needed); missing, when not nil, is set to whether each value is missing.
func (b *Batch) Int64s(column int, dst []int64, missing []bool) ([]int64, []bool) {
	col := b.record.Column(column)
	switch a := col.(type) {
	case *array.Uint8:
		dst = widened(dst, a.Values())
	case *array.Uint16:
		dst = widened(dst, a.Values())
	case *array.Uint32:
		dst = widened(dst, a.Values())
	case *array.Int8:
		dst = widened(dst, a.Values())
	case *array.Int16:
		dst = widened(dst, a.Values())
	case *array.Int32:
		dst = widened(dst, a.Values())
	case *array.Int64:
		dst = append(dst[:0], a.Values()...)
	default: // none that a table of an extract has
		dst, missing = slices.Grow(dst[:0], b.Rows())[:b.Rows()], slices.Grow(missing[:0], b.Rows())[:b.Rows()]
		clear(dst)
		for row := range missing {
			missing[row] = true
		}
		return dst, missing
	}
	missing = slices.Grow(missing[:0], len(dst))[:len(dst)]
	clear(missing)
	if col.NullN() == 0 {
		return dst, missing
	}
	for row := range dst {
		if col.IsNull(row) { // what stands there in memory is nobody's value
			dst[row], missing[row] = 0, true
		}
	}
	return dst, missing
}

// widened copies values into dst.
func widened[T Integer](dst []int64, values []T) []int64 {
	dst = dst[:0]
	for _, v := range values {
		dst = append(dst, int64(v))
	}
	return dst
}
