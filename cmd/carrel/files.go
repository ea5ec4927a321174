package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"carrel/anonymize/result"
	"carrel/broker/job"
)

// writers are the files that an answer's table can be written to, by ending.
func (a *app) writers() map[string]func(io.Writer, job.Answer) error {
	return map[string]func(io.Writer, job.Answer) error{
		".csv":     func(w io.Writer, ans job.Answer) error { return ans.Result.WriteCSV(w) },
		".json":    func(w io.Writer, ans job.Answer) error { return json.NewEncoder(w).Encode(ans) },
		".arrow":   func(w io.Writer, ans job.Answer) error { return writeArrow(w, ans.Result) },
		".parquet": func(w io.Writer, ans job.Answer) error { return writeParquet(w, ans.Result) },
		".xlsx":    a.writeXLSX,
	}
}

// writeAnswer writes an answer to a new file, and leaves none behind when it fails.
func (a *app) writeAnswer(ans job.Answer, out string) error {
	write, ok := a.writers()[filepath.Ext(out)]
	if !ok {
		return a.usage("--out 只写 .csv、.json、.arrow、.parquet 或 .xlsx 文件", "--out writes .csv, .json, .arrow, .parquet or .xlsx files")
	}
	f, err := os.OpenFile(out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	if err := errors.Join(write(closeless{f}, ans), f.Close()); err != nil {
		_ = os.Remove(out)
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}

// closeless keeps a writer from closing the file under our hands.
type closeless struct{ io.Writer }

// batchOf turns a table into columns: texts as they are, numbers as doubles, and name_lo and name_hi beside what has an interval. A
// missing value and an open end are NULL.
func batchOf(r *result.Result) arrow.RecordBatch {
	var fields []arrow.Field
	var columns []arrow.Array
	add := func(name string, of arrow.Array) {
		fields = append(fields, arrow.Field{Name: name, Type: of.DataType(), Nullable: true})
		columns = append(columns, of)
	}
	for i, c := range r.Columns {
		if c.Kind == "key" && texts(r.Rows, i) {
			b := array.NewStringBuilder(memory.DefaultAllocator)
			for _, row := range r.Rows {
				if s, ok := row[i].Value.(string); ok {
					b.Append(s)
				} else {
					b.AppendNull()
				}
			}
			add(c.Name, b.NewArray())
			continue
		}
		add(c.Name, doubles(r.Rows, func(row []result.Cell) *float64 {
			if v, ok := row[i].Value.(float64); ok {
				return &v
			}
			return nil
		}))
		if c.Interval == result.IntervalNoise {
			add(c.Name+"_lo", doubles(r.Rows, func(row []result.Cell) *float64 { return row[i].Lo }))
			add(c.Name+"_hi", doubles(r.Rows, func(row []result.Cell) *float64 { return row[i].Hi }))
		}
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, int64(len(r.Rows)))
}

// texts says whether a key column holds texts (a code's values) rather than numbers.
func texts(rows [][]result.Cell, i int) bool {
	for _, row := range rows {
		if _, number := row[i].Value.(float64); number {
			return false
		}
	}
	return true
}

func doubles(rows [][]result.Cell, of func([]result.Cell) *float64) arrow.Array {
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	for _, row := range rows {
		if v := of(row); v != nil {
			b.Append(*v)
		} else {
			b.AppendNull()
		}
	}
	return b.NewArray()
}

func writeArrow(w io.Writer, r *result.Result) error {
	batch := batchOf(r)
	out, err := ipc.NewFileWriter(w, ipc.WithSchema(batch.Schema()))
	if err != nil {
		return err
	}
	return errors.Join(out.Write(batch), out.Close())
}

func writeParquet(w io.Writer, r *result.Result) error {
	batch := batchOf(r)
	out, err := pqarrow.NewFileWriter(batch.Schema(), w, parquet.NewWriterProperties(), pqarrow.DefaultWriterProps())
	if err != nil {
		return err
	}
	return errors.Join(out.Write(batch), out.Close())
}
