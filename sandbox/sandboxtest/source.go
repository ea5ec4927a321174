// Package sandboxtest makes small extracts in memory for tests of the sandbox and of what stands on it. It promises files
// of the same form as those of package extract (Arrow IPC, fixed-width integers, validity bits), and nothing about
// encryption or manifests.
package sandboxtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"carrel/sandbox"
)

// Column is one column with its values. Null, when not nil, says which rows are NULL.
type Column struct {
	Name   string
	Type   string // "uint8" … "int64"
	Values []int64
	Null   []bool
}

// Table is one table, cut into batches of the given sizes; the sizes add up to the rows.
type Table struct {
	Name    string
	Columns []Column
	Batches []int
}

// Rows is the number of rows.
func (t Table) Rows() int { return len(t.Columns[0].Values) }

// Source is an extract in memory.
type Source struct {
	Name string
	// Who is whose rows scans give; set it before the source is used, with Unit.
	Who  sandbox.Choice
	tabs []sandbox.SourceTable
}

// Unit names the column of persons of a table.
func (s *Source) Unit(table, column string) {
	for i := range s.tabs {
		if s.tabs[i].Name == table {
			s.tabs[i].Unit = column
		}
	}
}

// Choice is Who.
func (s *Source) Choice() sandbox.Choice { return s.Who }

// ID names the source.
func (s *Source) ID() string { return s.Name }

// Tables lists the tables.
func (s *Source) Tables() []sandbox.SourceTable { return s.tabs }

// NewSource encodes tables.
func NewSource(id string, tables ...Table) (*Source, error) {
	s := &Source{Name: id}
	for _, t := range tables {
		b, err := Encode(t)
		if err != nil {
			return nil, err
		}
		st := sandbox.SourceTable{Name: t.Name, Rows: int64(t.Rows()), Plain: func() (io.ReadCloser, int64, error) {
			return io.NopCloser(bytes.NewReader(b)), int64(len(b)), nil
		}}
		for _, c := range t.Columns {
			st.Columns = append(st.Columns, sandbox.SourceColumn{Name: c.Name, Type: c.Type})
		}
		s.tabs = append(s.tabs, st)
	}
	return s, nil
}

// Encode writes a table as an Arrow IPC file.
func Encode(t Table) ([]byte, error) {
	var fields []arrow.Field
	for _, c := range t.Columns {
		dt, err := typeOf(c.Type)
		if err != nil {
			return nil, err
		}
		fields = append(fields, arrow.Field{Name: c.Name, Type: dt, Nullable: c.Null != nil})
	}
	schema := arrow.NewSchema(fields, nil)
	var out bytes.Buffer
	w, err := ipc.NewFileWriter(&out, ipc.WithSchema(schema))
	if err != nil {
		return nil, fmt.Errorf("sandboxtest: %w", err)
	}
	from := 0
	for _, n := range t.Batches {
		var columns []arrow.Array
		for i, c := range t.Columns {
			columns = append(columns, build(fields[i].Type, c, from, n))
		}
		if err := w.Write(array.NewRecordBatch(schema, columns, int64(n))); err != nil {
			return nil, fmt.Errorf("sandboxtest: %w", err)
		}
		from += n
	}
	if from != t.Rows() {
		return nil, errors.New("sandboxtest: batches do not add up to the rows")
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("sandboxtest: %w", err)
	}
	return out.Bytes(), nil
}

// typeOf finds an Arrow type by its name.
func typeOf(name string) (arrow.DataType, error) {
	for _, t := range []arrow.DataType{
		arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Uint16,
		arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Int64,
	} {
		if t.Name() == name {
			return t, nil
		}
	}
	return nil, fmt.Errorf("sandboxtest: no such type: %s", name)
}

// build makes rows from..from+n of a column.
func build(t arrow.DataType, c Column, from, n int) arrow.Array {
	b := array.NewBuilder(memory.DefaultAllocator, t)
	defer b.Release()
	b.Reserve(n)
	for i := from; i < from+n; i++ {
		if c.Null != nil && c.Null[i] {
			b.AppendNull()
			continue
		}
		appendInt(b, c.Values[i])
	}
	return b.NewArray()
}

// appendInt appends a value that fits the column's type.
func appendInt(b array.Builder, v int64) {
	switch b := b.(type) {
	case *array.Int8Builder:
		b.Append(int8(v))
	case *array.Uint8Builder:
		b.Append(uint8(v))
	case *array.Int16Builder:
		b.Append(int16(v))
	case *array.Uint16Builder:
		b.Append(uint16(v))
	case *array.Int32Builder:
		b.Append(int32(v))
	case *array.Uint32Builder:
		b.Append(uint32(v))
	case *array.Int64Builder:
		b.Append(v)
	}
}
