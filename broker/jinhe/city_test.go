package jinhe

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// city generates source tables into a directory of the test.
func city(t testing.TB, o Options) string {
	t.Helper()
	o.Dir = filepath.Join(t.TempDir(), "sources")
	if err := Generate(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return o.Dir
}

// row is one line by column name.
type row map[string]string

func (r row) num(t testing.TB, column string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(r[column], 64)
	if err != nil {
		t.Fatalf("%s: %v", column, err)
	}
	return v
}

func (r row) date(t testing.TB, column string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, r[column])
	if err != nil {
		t.Fatalf("%s: %v", column, err)
	}
	return d
}

func read(t testing.TB, dir, table string) []row {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, table+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	cr := csv.NewReader(f)
	head, err := cr.Read()
	if err != nil {
		t.Fatal(err)
	}
	var out []row
	for {
		cells, err := cr.Read()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		r := row{}
		for i, h := range head {
			r[h] = cells[i]
		}
		out = append(out, r)
	}
}

func hashes(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(b)
		out[f.Name()] = hex.EncodeToString(sum[:])
	}
	return out
}

func mean(xs []float64) float64 {
	s := 0.0
	for _, x := range xs {
		s += x
	}
	return s / float64(len(xs))
}

func share[T any](xs []T, is func(T) bool) (float64, int) {
	n := 0
	for _, x := range xs {
		if is(x) {
			n++
		}
	}
	return float64(n) / float64(len(xs)), len(xs)
}

func where(rows []row, pairs ...string) []row {
	var out []row
next:
	for _, r := range rows {
		for i := 0; i < len(pairs); i += 2 {
			if r[pairs[i]] != pairs[i+1] {
				continue next
			}
		}
		out = append(out, r)
	}
	return out
}

func describe(name string, low, high float64) string {
	return fmt.Sprintf("%s: %.4f is not below %.4f", name, low, high)
}
