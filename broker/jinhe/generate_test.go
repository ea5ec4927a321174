package jinhe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// golden is the hash over the hashes of all files of 2,000 persons by seed 7. It changes only when the city is meant
// to change. Other processors may round exponentials differently, so it holds for amd64.
const golden = "72c81c78c8445237bd160febe540960280938ecc9907af14da71a0eec11a137c"

func TestSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	one := hashes(t, city(t, Options{Persons: 10_000, Seed: 7, Workers: 1}))
	many := hashes(t, city(t, Options{Persons: 10_000, Seed: 7, Workers: 5}))
	if !maps.Equal(one, many) {
		t.Error("five workers and one write different bytes")
	}
	other := hashes(t, city(t, Options{Persons: 10_000, Seed: 8}))
	for _, name := range []string{"person.csv", "encounter.csv", "cv_event.csv"} {
		if other[name] == one[name] {
			t.Errorf("%s is the same for another seed", name)
		}
	}
	for _, name := range []string{"hospital.csv", "icd10.csv", "district.csv"} {
		if other[name] != one[name] {
			t.Errorf("%s is public and depends on the seed", name)
		}
	}
}

func TestSomeTables(t *testing.T) {
	t.Parallel()
	all := hashes(t, city(t, Options{Persons: 500, Seed: 7}))
	for _, format := range []string{CSV, Parquet} {
		some := hashes(t, city(t, Options{Persons: 500, Seed: 7, Format: format, Tables: []string{"person", "encounter"}}))
		if _, there := some["prescription."+format]; there || len(some) != 6 {
			t.Errorf("%s: %d files, prescription there: %v", format, len(some), there)
		}
		if format == CSV && (some["person.csv"] != all["person.csv"] || some["encounter.csv"] != all["encounter.csv"]) {
			t.Error("leaving tables out changed the others")
		}
	}
	if err := Generate(t.Context(), Options{Persons: 10, Dir: t.TempDir(), Tables: []string{"people"}}); err == nil {
		t.Error("an unknown table was accepted")
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	if runtime.GOARCH != "amd64" {
		t.Skip("rounding of exponentials is the processor's: the golden hash is of amd64")
	}
	all := hashes(t, city(t, Options{Persons: 2000, Seed: 7}))
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintln(h, name, all[name])
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != golden {
		t.Errorf("the city of seed 7 has changed: %s", got)
	}
}

func TestRefusesToOverwrite(t *testing.T) {
	t.Parallel()
	dir := city(t, Options{Persons: 10})
	before := hashes(t, dir)
	for _, format := range []string{CSV, Parquet} {
		if err := Generate(t.Context(), Options{Persons: 20, Dir: dir, Format: format}); !errors.Is(err, ErrOccupied) {
			t.Errorf("%s: %v", format, err)
		}
	}
	if !maps.Equal(before, hashes(t, dir)) {
		t.Error("the tables were touched")
	}
}

func TestRefusesBadOptions(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{Persons: 0, Dir: "x"}, {Persons: MaxPersons + 1, Dir: "x"}, {Persons: 1}, {Persons: 1, Dir: "x", Format: "xlsx"}} {
		if err := Generate(t.Context(), o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
	if _, err := os.Stat("x"); !errors.Is(err, os.ErrNotExist) {
		t.Error("a refused run made its directory")
	}
}

func TestRefusesDirectoryWithPublicTable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "hospital.csv"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Generate(t.Context(), Options{Persons: 10, Dir: dir}); !errors.Is(err, ErrOccupied) {
		t.Errorf("error %v", err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "hospital.csv")); err != nil || string(b) != "mine" {
		t.Error("a file of somebody else was touched")
	}
}

// A run that fails at its last step, with all rows written, takes everything back.
func TestFailureAtTheEndLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	err := Generate(t.Context(), Options{Persons: 10, Dir: dir, Progress: func(int64, int64) {
		if err := os.Remove(filepath.Join(dir, "prescription.csv"+part)); err != nil {
			t.Error(err)
		}
	}})
	if err == nil {
		t.Fatal("a table is gone and the run succeeded")
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("%d files are left (%v)", len(left), err)
	}
}

// A run that is stopped leaves no table behind, whole or half.
func TestStopLeavesNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	dir := filepath.Join(t.TempDir(), "sources")
	err := Generate(ctx, Options{Persons: 100_000, Dir: dir, Progress: func(done, _ int64) {
		if done > 0 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("%d files are left (%v)", len(left), err)
	}
}

func TestProgressReachesTotal(t *testing.T) {
	t.Parallel()
	var last, calls int64
	err := Generate(t.Context(), Options{Persons: 9000, Dir: t.TempDir(), Progress: func(done, total int64) {
		if done <= last || total != 9000 {
			t.Errorf("%d of %d after %d", done, total, last)
		}
		last = done
		calls++
	}})
	if err != nil || last != 9000 || calls != 3 {
		t.Errorf("%d persons in %d calls, error %v", last, calls, err)
	}
}

func TestSummaryCountsAndMarks(t *testing.T) {
	t.Parallel()
	dir := city(t, Options{Persons: 500, Seed: 2})
	s, err := ReadSummary(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !s.Synthetic || s.Universe != Universe || s.Persons != 500 || s.Seed != 2 || len(s.Rows) != tableCount+len(publicTables) {
		t.Errorf("summary %+v", s)
	}
	for table, n := range s.Rows {
		if got := int64(len(read(t, dir, table))); got != n {
			t.Errorf("%s: %d rows, summary says %d", table, got, n)
		}
	}
}

// Parquet holds the same cells as CSV.
func TestParquetEqualsCSV(t *testing.T) {
	t.Parallel()
	text, pq := city(t, Options{Persons: 600, Seed: 5}), city(t, Options{Persons: 600, Seed: 5, Format: Parquet})
	for table := range mustSummary(t, text).Rows {
		want := read(t, text, table)
		f, err := file.OpenParquetFile(filepath.Join(pq, table+".parquet"), false)
		if err != nil {
			t.Fatal(err)
		}
		r, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{BatchSize: 1000}, memory.DefaultAllocator)
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.ReadTable(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got.NumRows() != int64(len(want)) {
			t.Fatalf("%s: %d rows in Parquet, %d in CSV", table, got.NumRows(), len(want))
		}
		for c := range int(got.NumCols()) {
			name, i := got.Schema().Field(c).Name, 0
			for _, part := range got.Column(c).Data().Chunks() {
				for k := range part.Len() {
					cell := part.ValueStr(k)
					if part.IsNull(k) {
						cell = ""
					} else if x, is := part.(*array.Float64); is {
						cell = fmt.Sprintf("%.2f", x.Value(k))
					}
					if cell != want[i][name] {
						t.Fatalf("%s.%s row %d differs", table, name, i)
					}
					i++
				}
			}
		}
		_ = f.Close()
	}
}

func mustSummary(t testing.TB, dir string) Summary {
	t.Helper()
	s, err := ReadSummary(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
