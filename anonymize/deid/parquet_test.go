package deid_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"pgregory.net/rapid"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
)

// columns are the columns of a Parquet file by name, in order.
type columns struct {
	names []string
	of    []arrow.Array
}

func (c *columns) add(name string, of arrow.Array) {
	c.names, c.of = append(c.names, name), append(c.of, of)
}

// file writes the columns in row groups of 100 rows.
func (c *columns) file(t *testing.T) string {
	t.Helper()
	var fields []arrow.Field
	for i, name := range c.names {
		fields = append(fields, arrow.Field{Name: name, Type: c.of[i].DataType(), Nullable: true})
	}
	batch := array.NewRecordBatch(arrow.NewSchema(fields, nil), c.of, int64(c.of[0].Len()))
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(batch.Schema(), &out, parquet.NewWriterProperties(parquet.WithMaxRowGroupLength(100)), pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(batch), w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func strs(values ...string) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	for _, v := range values {
		if v == "" {
			b.AppendNull()
		} else {
			b.Append(v)
		}
	}
	return b.NewArray()
}

// asParquet turns a CSV text into a Parquet file of text columns, empty cells into NULL.
func asParquet(t *testing.T, text string) string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var c columns
	for i, name := range rows[0] {
		var values []string
		for _, r := range rows[1:] {
			values = append(values, r[i])
		}
		c.add(name, strs(values...))
	}
	return c.file(t)
}

func parquetCity(t *testing.T, f files) files {
	t.Helper()
	out := files{}
	for name, text := range f {
		out[strings.TrimSuffix(name, ".csv")+".parquet"] = asParquet(t, text)
	}
	return out
}

func tableHashes(m *extract.Manifest) map[string]string {
	out := map[string]string{}
	for _, t := range m.Tables {
		out[t.Name] = t.SHA256
	}
	return out
}

// A city in Parquet, with row groups smaller than a batch and texts that CSV has to quote, becomes the same tables as in CSV.
func TestParquetCity(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	f := cityFiles(upTo(900))
	want, _, _ := c.must(f, cityRecipe)
	got, _, _ := c.must(parquetCity(t, f), cityRecipe)
	if !maps.Equal(tableHashes(want), tableHashes(got)) {
		t.Errorf("CSV gives %v, Parquet %v", tableHashes(want), tableHashes(got))
	}
}

// How a row is written does not move its rank: quotes, blanks and zeros that say nothing.
func TestRankHangsOnWhatRowsSay(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	f := cityFiles(upTo(200))
	want, _, _ := c.must(f, cityRecipe)
	lines := strings.Split(strings.TrimSuffix(f["lab_result.csv"], "\n"), "\n")
	for i, line := range lines[1:] {
		v := strings.Split(line, ",")
		lines[i+1] = `"` + v[0] + `", ` + v[1] + `,"` + v[2] + `0"`
	}
	f["lab_result.csv"] = strings.Join(lines, "\n")
	got, _, _ := c.must(f, cityRecipe)
	if !maps.Equal(tableHashes(want), tableHashes(got)) {
		t.Error("quotes and zeros changed the extract")
	}
}

// typed is a table of stays with the types that a warehouse would give its columns.
func typed(t *testing.T) *columns {
	t.Helper()
	mem := memory.DefaultAllocator
	day, cost, doctor := array.NewTimestampBuilder(mem, &arrow.TimestampType{Unit: arrow.Microsecond}),
		array.NewDecimal128Builder(mem, &arrow.Decimal128Type{Precision: 12, Scale: 2}), array.NewInt64Builder(mem)
	codes := array.NewDictionaryBuilder(mem, &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String})
	for i := range 3 {
		day.Append(arrow.Timestamp(1_600_000_000_000_000 + int64(i)*86_400_000_000))
		cost.Append(decimal128.FromI64(int64(i)*100 + 50))
		doctor.Append(int64(i))
		if err := codes.(*array.BinaryDictionaryBuilder).AppendString([]string{"I21.9", "I63.9", "I21.9"}[i]); err != nil {
			t.Fatal(err)
		}
	}
	c := &columns{}
	c.add("stay_no", strs("S1", "S2", "S3"))
	c.add("person_no", strs("P1", "P1", "P2"))
	c.add("hospital", strs("h1", "h2", "h1"))
	c.add("admitted", day.NewArray())
	c.add("icd10", codes.NewArray())
	c.add("cost", cost.NewArray())
	c.add("doctor", doctor.NewArray())
	c.add("notes", strs("a", "", "SECRETNOTE"))
	return c
}

func TestParquetTypes(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	f := cityFiles(upTo(5))
	delete(f, "encounter.csv")
	f["encounter.parquet"] = typed(t).file(t)
	f["lab_result.csv"] = "person_no,stay_no,value\n"
	_, rep, e := c.must(f, cityRecipe)
	for _, tr := range rep.Tables {
		for _, col := range tr.Columns {
			if tr.Table == "encounter" && (col.Unreadable != 0 || col.Missing != 0) {
				t.Errorf("%s: %+v", col.Column, col)
			}
		}
	}
	all := ""
	for _, rows := range rowsOf(t, e, "encounter") {
		all += strings.Join(rows, "\n") + "\n"
	}
	for _, want := range []string{"2020-09-13", "2020-09-15", "0.5", "1.5", "2.5", "I63.9"} {
		if !strings.Contains(all, want) {
			t.Errorf("%s is not in\n%s", want, all)
		}
	}
}

// Whatever is wrong with a Parquet source is told by file, row or number of the column, without a value, and leaves nothing behind.
func TestParquetMistakes(t *testing.T) {
	t.Parallel()
	mem := memory.DefaultAllocator
	instants := array.NewTimestampBuilder(mem, &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"})
	nested := array.NewListBuilder(mem, arrow.BinaryTypes.String)
	for range 3 {
		instants.Append(0)
		nested.Append(true)
		nested.ValueBuilder().(*array.StringBuilder).Append("SECRETNOTE")
	}
	replace := func(name string, with arrow.Array) func(*columns) {
		return func(c *columns) {
			for i := range c.names {
				if c.names[i] == name {
					c.of[i] = with
				}
			}
		}
	}
	when, lists := instants.NewArray(), nested.NewArray()
	for _, x := range []struct {
		name   string
		change func(*columns)
		want   string
	}{
		{"as it is", func(*columns) {}, ""},
		{"a column too many", func(c *columns) { c.add("SECRETNAME", strs("a", "b", "c")) }, "encounter.parquet: 1 columns are not in the recipe, the first is number 9"},
		{"a column missing", func(c *columns) { c.names, c.of = c.names[1:], c.of[1:] }, `encounter.parquet: the header has no column "stay_no"`},
		{"twice", func(c *columns) { c.names[7] = "cost" }, "encounter.parquet"},
		{"an instant", replace("admitted", when), "encounter.parquet: column 4 is neither text"},
		{"nested", replace("icd10", lists), "encounter.parquet: column 5 is neither text"},
		{"nested, dropped", replace("notes", lists), ""},
		{"instant, dropped", replace("notes", when), ""},
		{"NULL ids", replace("person_no", strs("", "P1", "")), "missing_unit allows 20%"},
		{"NULL keys", replace("stay_no", strs("S1", "", "S3")), "lack the row key"},
		{"no UTF-8", replace("icd10", strs("I21.9", "SECRETNOTE\xff", "I21.9")), "encounter.parquet row 2: the text is not UTF-8"},
		{"long", replace("notes", strs("a", "b", strings.Repeat("SECRETNOTE", 200_000))), "encounter.parquet row 3: the row is longer than 1 MB"},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			c := newCity(t)
			f := cityFiles(upTo(5))
			delete(f, "encounter.csv")
			f["lab_result.csv"] = "person_no,stay_no,value\n"
			table := typed(t)
			x.change(table)
			f["encounter.parquet"] = table.file(t)
			_, _, dir, err := c.build(f, cityRecipe)
			checkMistake(t, dir, err, x.want)
		})
	}
}

func checkMistake(t *testing.T, dir string, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Error(err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "SECRET")):
		t.Errorf("%v, want %q", err, want)
	}
	if _, serr := os.Stat(dir); err != nil && !errors.Is(serr, os.ErrNotExist) {
		t.Error("something is left of the extract")
	}
}

// A recipe that names no form takes what is there, and never chooses between two.
func TestFormsOfSources(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	f := cityFiles(upTo(5))
	f["person.parquet"] = asParquet(t, f["person.csv"])
	for form, want := range map[string]string{"auto": "has both person.csv and person.parquet: say which with source.format", "csv": "", "parquet": "no file encounter.parquet"} {
		_, _, dir, err := c.build(f, strings.Replace(cityRecipe, "tables:", "source: {format: "+form+"}\ntables:", 1))
		checkMistake(t, dir, err, want)
	}
	delete(f, "person.csv")
	delete(f, "person.parquet")
	_, _, dir, err := c.build(f, cityRecipe)
	checkMistake(t, dir, err, "no file person.csv or person.csv.gz or person.parquet")
}

// within builds, and fails where that takes longer: a reader that loops does not look at its context.
func (c *city) within(t rapid.TB, most time.Duration, f files) (string, error) {
	t.Helper()
	in, err := c.input(f, cityRecipe)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, _, err := deid.Build(ctx, in)
		done <- err
	}()
	select {
	case err = <-done:
	case <-ctx.Done():
		t.Fatal("the file is read without end")
	}
	return in.OutDir, err
}

// A damaged file is an error of one sentence, or reads as rows; never a panic, never without end.
func TestDamagedParquet(t *testing.T) {
	t.Parallel()
	whole := asParquet(t, cityFiles(upTo(150))["person.csv"])
	c := newCity(t)
	rapid.Check(t, func(rt *rapid.T) {
		raw := []byte(whole)
		for range rapid.IntRange(1, 4).Draw(rt, "flips") {
			raw[rapid.IntRange(0, len(raw)-1).Draw(rt, "at")] ^= byte(rapid.IntRange(1, 255).Draw(rt, "bits"))
		}
		raw = raw[:len(raw)-rapid.SampledFrom([]int{0, 0, 1, 7, len(raw) / 2, len(raw)}).Draw(rt, "cut")]
		f := cityFiles(upTo(2))
		delete(f, "person.csv")
		f["person.parquet"] = string(raw)
		dir, err := c.within(rt, 20*time.Second, f)
		if err != nil && (strings.Contains(err.Error(), "SECRET") || strings.Contains(err.Error(), "runtime error")) {
			rt.Fatal(err)
		}
		var bad *deid.SourceError
		if errors.As(err, &bad) && bad.File != "person.parquet" {
			rt.Fatalf("the mistake is told of %s", bad.File)
		}
		if err := errors.Join(os.RemoveAll(dir), os.RemoveAll(filepath.Join(c.dir, "persons.register"))); err != nil {
			rt.Fatal(err)
		}
	})
}
