package main

import (
	"bytes"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"carrel/anonymize/result"
)

// A table that is read back from its file has the same columns, values, ends and gaps, in both formats.
func TestTablesReadBack(t *testing.T) {
	t.Parallel()
	lo, hi := 1.5, 3.5
	r := &result.Result{
		Columns: []result.Column{{Name: "科室", Kind: "key", Interval: result.IntervalNone}, {Name: "n", Kind: "measure", Interval: result.IntervalNoise}},
		Rows:    [][]result.Cell{{{Value: "心内科"}, {Value: 2.5, Lo: &lo, Hi: &hi}}, {{Value: nil}, {Value: nil, Lo: &lo}}},
	}
	var feather, parq bytes.Buffer
	if err := writeArrow(closeless{&feather}, r); err != nil {
		t.Fatal(err)
	}
	if err := writeParquet(closeless{&parq}, r); err != nil {
		t.Fatal(err)
	}
	f, err := ipc.NewFileReader(bytes.NewReader(feather.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	batch, err := f.RecordBatch(0)
	if err != nil {
		t.Fatal(err)
	}
	checkColumns(t, batch.Schema(), batch.Columns())
	table, err := pqarrow.ReadTable(t.Context(), bytes.NewReader(parq.Bytes()), parquet.NewReaderProperties(memory.DefaultAllocator), pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	var columns []arrow.Array
	for i := range table.NumCols() {
		columns = append(columns, table.Column(int(i)).Data().Chunk(0))
	}
	checkColumns(t, table.Schema(), columns)
}

func checkColumns(t *testing.T, s *arrow.Schema, columns []arrow.Array) {
	t.Helper()
	var names []string
	for _, f := range s.Fields() {
		names = append(names, f.Name)
	}
	if got := len(names); got != 4 || names[0] != "科室" || names[2] != "n_lo" || names[3] != "n_hi" {
		t.Fatalf("columns %v", names)
	}
	key, n, low, high := columns[0].(*array.String), columns[1].(*array.Float64), columns[2].(*array.Float64), columns[3].(*array.Float64)
	if key.Value(0) != "心内科" || !key.IsNull(1) || n.Value(0) != 2.5 || !n.IsNull(1) || low.Value(1) != 1.5 || high.Value(0) != 3.5 || !high.IsNull(1) {
		t.Errorf("values %v %v %v %v", key, n, low, high)
	}
}
