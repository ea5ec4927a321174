package jinhe

import (
	"fmt"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

func (t *tableDef) schema() *arrow.Schema {
	var fields []arrow.Field
	for _, c := range t.columns {
		var dt arrow.DataType = arrow.BinaryTypes.String
		switch c.form {
		case text:
		case whole:
			dt = arrow.PrimitiveTypes.Int32
		case money:
			dt = arrow.PrimitiveTypes.Float64
		case date:
			dt = arrow.FixedWidthTypes.Date32
		}
		fields = append(fields, arrow.Field{Name: c.name, Type: dt, Nullable: true})
	}
	meta := arrow.NewMetadata([]string{"synthetic", "universe"}, []string{"true", Universe})
	return arrow.NewSchema(fields, &meta)
}

// arrowSink builds the record of one chunk of one table.
type arrowSink struct {
	b   *array.RecordBuilder
	col int
	buf []byte
}

func newArrowSink(t *tableDef) *arrowSink {
	return &arrowSink{b: array.NewRecordBuilder(memory.DefaultAllocator, t.schema())}
}

func (a *arrowSink) next() array.Builder {
	f := a.b.Field(a.col)
	a.col++
	return f
}

func (a *arrowSink) str(s string) { a.next().(*array.StringBuilder).Append(s) }

func (a *arrowSink) raw(b []byte) { a.next().(*array.StringBuilder).BinaryBuilder.Append(b) }

func (a *arrowSink) int(v int64) { a.next().(*array.Int32Builder).Append(int32(v)) }

func (a *arrowSink) cents(v int64) { a.next().(*array.Float64Builder).Append(float64(v) / 100) }

func (a *arrowSink) day(d int32) { a.next().(*array.Date32Builder).Append(arrow.Date32(d)) }

func (a *arrowSink) id(p byte, v uint64) {
	a.buf = appendID(a.buf[:0], p, v)
	a.raw(a.buf)
}

func (a *arrowSink) null() { a.next().AppendNull() }

func (a *arrowSink) end() { a.col = 0 }

// parquetFile writes one table.
type parquetFile struct {
	name string
	w    *pqarrow.FileWriter
}

func newParquetFile(f *os.File, t *tableDef) (*parquetFile, error) {
	props := parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy), parquet.WithMaxRowGroupLength(122_880))
	w, err := pqarrow.NewFileWriter(t.schema(), f, props, pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	if err != nil {
		return nil, fmt.Errorf("jinhe: write %s: %w", t.name, err)
	}
	return &parquetFile{name: t.name, w: w}, nil
}

func (p *parquetFile) write(a *arrowSink) (int64, error) {
	rec := a.b.NewRecordBatch()
	defer rec.Release()
	if err := p.w.WriteBuffered(rec); err != nil {
		return 0, fmt.Errorf("jinhe: write %s: %w", p.name, err)
	}
	return rec.NumRows(), nil
}

func (p *parquetFile) close() error {
	if err := p.w.Close(); err != nil {
		return fmt.Errorf("jinhe: write %s: %w", p.name, err)
	}
	return nil
}
