package dummy

import (
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"carrel/anonymize/plan"
)

// parquet writes a table with typed columns.
func (t *Table) parquet(w io.Writer, names namer) error {
	fields := make([]arrow.Field, len(t.Table.Columns))
	for i := range t.Table.Columns {
		c := &t.Table.Columns[i]
		fields[i] = arrow.Field{Name: c.Name, Type: arrowType(c), Nullable: true}
	}
	meta := arrow.NewMetadata([]string{"dummy"}, []string{"true"})
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, &meta))
	defer b.Release()
	for _, r := range t.Rows {
		for i := range t.Table.Columns {
			appendCell(b.Field(i), &t.Table.Columns[i], r, r.Cells[i], names)
		}
	}
	rec := b.NewRecordBatch()
	defer rec.Release()
	props := parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy))
	out, err := pqarrow.NewFileWriter(b.Schema(), closeless{w}, props, pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	if err != nil {
		return err
	}
	if err := out.Write(rec); err != nil {
		return err
	}
	return out.Close()
}

// closeless keeps the Parquet writer from closing what it did not open.
type closeless struct{ io.Writer }

func arrowType(c *plan.Column) arrow.DataType {
	switch c.Kind {
	case plan.KindInt:
		return arrow.PrimitiveTypes.Int64
	case plan.KindDecimal:
		return &arrow.Decimal128Type{Precision: int32(digits(c)), Scale: int32(c.Scale)} //nolint:gosec // the catalogue allows few decimals
	case plan.KindDate:
		return arrow.FixedWidthTypes.Date32
	default:
		return arrow.BinaryTypes.String
	}
}

func appendCell(b array.Builder, col *plan.Column, r Row, c Cell, names namer) {
	if c.Null {
		b.AppendNull()
		return
	}
	switch b := b.(type) {
	case *array.Int64Builder:
		b.Append(c.N)
	case *array.Decimal128Builder:
		b.Append(decimal128.FromI64(c.N))
	case *array.Date32Builder:
		b.Append(arrow.Date32(c.N)) //nolint:gosec // the catalogue holds dates of the calendar
	case *array.StringBuilder:
		b.Append(names.text(col, r, c))
	}
}
