package deid

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// batchRows is what a Parquet source gives at a time. With maxRecord it keeps a batch's text below what an offset can say.
const batchRows = 2048

// parquetReader reads a Parquet source as the text that a CSV source of the same table would hold, so that every rule of a recipe means
// the same for both. It reads row group by row group, in the goroutine that calls it: a damaged file may make the library panic, and
// that must stay an error. A damaged file may also ask the library for any amount of memory or time, and that nobody can catch: so the
// footer and every page of a column that is read are walked over first, and nothing is believed that the file has not the bytes for. In
// exchange, delta and split encodings are refused, and what nothing can be checked against is bounded: 64 MB a packed page, 256 MB a page,
// 16384 columns, 1024 rows for each byte of the file, 1 GB for a column of a batch.
type parquetReader struct {
	file    string
	size    int64
	total   int64 // rows
	done    int64
	names   []string
	types   []arrow.DataType // nil where a column cannot be read as text
	readers []*pqarrow.ColumnReader
	leaves  []int // the column of the file for each that can be read
	headed  bool

	meta    *metadata.FileMetaData
	pages   pageCheck
	groups  int   // row groups whose pages are checked
	checked int64 // rows in them
}

func newParquetReader(ctx context.Context, name string, f parquet.ReaderAtSeeker, size int64) (p *parquetReader, err error) {
	p = &parquetReader{file: name, size: size, pages: pageCheck{from: f}}
	defer p.rescue(&err)
	if err := p.checkFooter(f); err != nil {
		return nil, err
	}
	mem := boundedAllocator{memory.DefaultAllocator}
	props := parquet.NewReaderProperties(mem)
	props.MaxCompressedPageSize, props.MaxUncompressedPageSize = maxPacked, maxPage
	props.BufferedStreamEnabled = true // a page at a time, not a whole column of a row group
	raw, err := file.NewParquetReader(f, file.WithReadProps(props))
	if err != nil {
		return nil, p.damaged()
	}
	p.meta = raw.MetaData()
	if err := p.checkGroups(p.meta); err != nil {
		return nil, err
	}
	p.total = p.meta.NumRows
	// The writer's own Arrow schema says nothing that the columns' types do not, and a damaged one makes the library ask for any amount of memory.
	p.meta.FileMetaData.KeyValueMetadata = nil
	rows, err := pqarrow.NewFileReader(raw, pqarrow.ArrowReadProperties{BatchSize: batchRows}, mem)
	if err != nil {
		return nil, p.damaged()
	}
	return p, p.open(ctx, rows)
}

// open makes a reader for each column that has a text.
func (p *parquetReader) open(ctx context.Context, rows *pqarrow.FileReader) error {
	groups := make([]int, len(p.meta.RowGroups))
	for i := range groups {
		groups[i] = i
	}
	readable := false
	for i, field := range rows.Manifest.Fields {
		p.names = append(p.names, field.Field.Name)
		if !field.IsLeaf() || !asText(field.Field.Type) {
			p.types, p.readers, p.leaves = append(p.types, nil), append(p.readers, nil), append(p.leaves, 0)
			continue
		}
		if d := p.meta.Schema.Column(field.ColIndex); !sane(field.Field.Type, d) {
			return p.damaged()
		}
		r, err := rows.GetFieldReader(ctx, i, map[int]bool{field.ColIndex: true}, groups)
		if err != nil {
			return p.damaged()
		}
		p.types, p.readers, p.leaves = append(p.types, field.Field.Type), append(p.readers, r), append(p.leaves, field.ColIndex)
		readable = true
	}
	switch {
	case len(p.names) == 0:
		return &SourceError{File: p.file, Text: "the file has no columns"}
	case !readable: // nothing would bear out how many rows the file says it has
		return &SourceError{File: p.file, Text: "the file has no column of text, number, truth value, date or local time"}
	}
	return nil
}

// check walks over the pages of the row groups that hold the next rows, up to the given one.
func (p *parquetReader) check(upTo int64) error {
	for ; p.checked < upTo; p.groups++ {
		for i, r := range p.readers {
			if r == nil {
				continue
			}
			if err := p.checkColumn(p.meta, p.groups, i); err != nil {
				return err
			}
		}
		p.checked += p.meta.RowGroups[p.groups].NumRows
	}
	return nil
}

// damaged says no more: the library's words may hold content.
func (p *parquetReader) damaged() error {
	return &SourceError{File: p.file, Text: "the file is not Parquet, is encrypted, or is damaged"}
}

func (p *parquetReader) rescue(err *error) {
	if recover() != nil {
		*err = p.damaged()
	}
}

// asText says whether a column's values have one text. Instants do not: which day one falls on depends on where one stands.
func asText(t arrow.DataType) bool {
	switch t.ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.BINARY, arrow.LARGE_BINARY, arrow.BOOL, arrow.NULL, arrow.DATE32, arrow.DATE64,
		arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64,
		arrow.FLOAT32, arrow.FLOAT64, arrow.DECIMAL128, arrow.DECIMAL256:
		return true
	case arrow.TIMESTAMP:
		return t.(*arrow.TimestampType).TimeZone == ""
	case arrow.DICTIONARY:
		return asText(t.(*arrow.DictionaryType).ValueType)
	default:
		return false
	}
}

// need refuses columns that the recipe uses and that cannot be read.
func (p *parquetReader) need(columns []int) error {
	for _, c := range columns {
		if p.types[c] == nil {
			return &SourceError{File: p.file, Text: fmt.Sprintf(
				"column %d is neither text, number, truth value, date nor local time: store instants as local time or dates, and nothing nested", c+1)}
		}
	}
	return nil
}

// next fills b with the column names, then with batches of rows, then returns io.EOF.
func (p *parquetReader) next(b *records) (err error) {
	defer p.rescue(&err)
	b.data, b.at, b.lines, b.rows, b.width = b.data[:0], b.at[:0], b.lines[:0], 0, len(p.names)
	if !p.headed {
		p.headed = true
		for _, name := range p.names {
			b.put(append(b.data, name...))
		}
		b.rows, b.lines = 1, append(b.lines, 0)
		return nil
	}
	if p.done == p.total {
		return io.EOF
	}
	n := min(batchRows, p.total-p.done)
	if err := p.check(p.done + n); err != nil {
		return err
	}
	cells := make([]cellText, len(p.readers))
	for c, r := range p.readers {
		if cells[c], err = p.column(r, n); err != nil {
			return err
		}
	}
	for row := range int(n) {
		start := len(b.data)
		for _, text := range cells {
			from := len(b.data)
			if b.put(text(b.data, row)); !utf8.Valid(b.data[from:]) {
				return &SourceError{File: p.file, Line: p.done + int64(row) + 1, Text: "the text is not UTF-8"}
			}
		}
		if len(b.data)-start > maxRecord {
			return &SourceError{File: p.file, Line: p.done + int64(row) + 1, Text: "the row is longer than 1 MB"}
		}
		b.lines = append(b.lines, p.done+int64(row)+1)
	}
	b.rows = int(n)
	p.done += n
	b.read = int64(float64(p.size) * float64(p.done) / float64(p.total))
	return nil
}

// put takes data with one more field at its end.
func (b *records) put(data []byte) {
	b.at = append(b.at, uint32(len(b.data)), uint32(len(data)))
	b.data = data
}

// cellText appends the text of one row's value; nothing for NULL.
type cellText func(dst []byte, row int) []byte

func (p *parquetReader) column(r *pqarrow.ColumnReader, n int64) (cellText, error) {
	if r == nil {
		return func(dst []byte, _ int) []byte { return dst }, nil
	}
	chunks, err := r.NextBatch(n)
	if err != nil || int64(chunks.Len()) != n {
		return nil, p.damaged()
	}
	of, err := array.Concatenate(chunks.Chunks(), boundedAllocator{memory.DefaultAllocator})
	if err != nil {
		return nil, p.damaged()
	}
	text, err := textOf(of)
	if err != nil {
		return nil, p.damaged()
	}
	return func(dst []byte, row int) []byte {
		if of.IsNull(row) {
			return dst
		}
		return text(dst, row)
	}, nil
}

var errColumn = errors.New("not a column of text")

// textOf is how the values of a column are written: numbers without exponent, dates as YYYY-MM-DD, truth as true and false.
func textOf(of arrow.Array) (cellText, error) {
	switch a := of.(type) {
	case *array.String:
		return func(dst []byte, i int) []byte { return append(dst, a.Value(i)...) }, nil
	case *array.LargeString:
		return func(dst []byte, i int) []byte { return append(dst, a.Value(i)...) }, nil
	case *array.Binary:
		return func(dst []byte, i int) []byte { return append(dst, a.Value(i)...) }, nil
	case *array.LargeBinary:
		return func(dst []byte, i int) []byte { return append(dst, a.Value(i)...) }, nil
	case *array.Date32:
		return func(dst []byte, i int) []byte { return appendDate(dst, int64(a.Value(i))) }, nil
	case *array.Date64:
		return func(dst []byte, i int) []byte { return append(dst, a.Value(i).ToTime().Format("2006-01-02")...) }, nil
	case *array.Timestamp:
		unit := a.DataType().(*arrow.TimestampType).Unit
		return func(dst []byte, i int) []byte {
			return append(dst, a.Value(i).ToTime(unit).Format("2006-01-02 15:04:05")...)
		}, nil
	case *array.Float32:
		return func(dst []byte, i int) []byte { return strconv.AppendFloat(dst, float64(a.Value(i)), 'f', -1, 32) }, nil
	case *array.Float64:
		return func(dst []byte, i int) []byte { return strconv.AppendFloat(dst, a.Value(i), 'f', -1, 64) }, nil
	case *array.Int32:
		return func(dst []byte, i int) []byte { return strconv.AppendInt(dst, int64(a.Value(i)), 10) }, nil
	case *array.Int64:
		return func(dst []byte, i int) []byte { return strconv.AppendInt(dst, a.Value(i), 10) }, nil
	case *array.Dictionary:
		text, err := textOf(a.Dictionary())
		return func(dst []byte, i int) []byte {
			if at := a.GetValueIndex(i); !a.Dictionary().IsNull(at) {
				return text(dst, at)
			}
			return dst
		}, err
	case *array.Boolean, *array.Null, *array.Int8, *array.Int16, *array.Uint8, *array.Uint16, *array.Uint32, *array.Uint64,
		*array.Decimal128, *array.Decimal256:
		return func(dst []byte, i int) []byte { return append(dst, of.ValueStr(i)...) }, nil
	default:
		return nil, errColumn
	}
}

// appendDate writes a day as YYYY-MM-DD.
func appendDate(dst []byte, days int64) []byte {
	y, m, d := civil(days)
	if y < 1000 || y > 9999 { // no date to parseDate either
		return append(dst, "0000-00-00"...)
	}
	dst = strconv.AppendInt(dst, y, 10)
	return append(dst, '-', byte('0'+m/10), byte('0'+m%10), '-', byte('0'+d/10), byte('0'+d%10))
}
