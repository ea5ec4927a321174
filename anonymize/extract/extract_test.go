package extract_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"filippo.io/age"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"pgregory.net/rapid"

	"carrel/anonymize/extract"
	"carrel/anonymize/plan"
)

func sealer(t testing.TB) *extract.Age {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	s, err := extract.NewAge(id.String())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func schema() *plan.Schema {
	return &plan.Schema{Dataset: "d", Persons: 5, Tables: []plan.Table{
		{Name: "visit", Unit: "person_id", RowKey: "visit_id", MaxRows: 3, Columns: []plan.Column{
			{Name: "person_id", Kind: plan.KindUnit}, {Name: "visit_id", Kind: plan.KindKey},
			{Name: "ward", Kind: plan.KindCode, Values: []string{"a", "b", "other"}, Codes: "ward@1", Nullable: true},
			{Name: "cost", Kind: plan.KindDecimal, Scale: 2, Bounded: true, Lo: 0, Hi: 100_000},
		}},
		{Name: "ref", Public: true, RowKey: "code", Columns: []plan.Column{
			{Name: "code", Kind: plan.KindInt, Bounded: true, Lo: -1, Hi: 9}, {Name: "day", Kind: plan.KindDate, Nullable: true, MaxPerKey: 2},
		}},
	}}
}

func head() extract.Manifest {
	return extract.Manifest{Dataset: "d", Universe: "u", Kind: extract.KindQuery, DPScope: extract.ScopeSource, Persons: 5, Recipe: "r"}
}

// visits are person, key, ward, cost, rank; a ward below 0 is missing.
func good() [][]int64 {
	return [][]int64{{0, 1, 0, 5, 1}, {0, 2, 1, 100_000, 2}, {2, 1, -1, 0, 1}, {4, 3, 2, 7, 1}, {4, 1, 2, 7, 2}, {4, 2, 2, 7, 3}}
}

func write(t testing.TB, dir string, s extract.Sealer, visits [][]int64, refs [][]int64) (*extract.Manifest, error) {
	t.Helper()
	w, err := extract.Create(dir, s, head())
	if err != nil {
		return nil, err
	}
	defer func() {
		if err := w.Abort(); err != nil {
			t.Error(err)
		}
	}()
	for i, rows := range [][][]int64{visits, refs} {
		l, err := extract.Layout(schema().Tables[i])
		if err != nil {
			t.Fatal(err)
		}
		tw, err := w.Table(l)
		if err != nil {
			return nil, err
		}
		vs := make([]extract.Vector, len(l.Columns))
		for c := range l.Columns {
			var v []int64
			var missing []bool
			for _, r := range rows {
				v, missing = append(v, max(r[c], -1)), append(missing, l.Columns[c].Nullable && r[c] < 0)
			}
			if vs[c], err = extract.Pack(l.Columns[c], v, missing); err != nil {
				t.Fatal(err)
			}
		}
		if err := tw.Write(vs); err != nil {
			return nil, err
		}
		if err := tw.Close(); err != nil {
			return nil, err
		}
	}
	return w.Commit()
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	s, dir := sealer(t), filepath.Join(t.TempDir(), "x")
	m, err := write(t, dir, s, good(), [][]int64{{-1, 0}, {9, -5}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := extract.Verify(context.Background(), dir, s); err != nil {
		t.Fatal(err)
	}
	e, err := extract.Open(context.Background(), dir, s)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.MatchSchema(schema()); err != nil {
		t.Fatal(err)
	}
	if err := e.Schema().Tables[0].Columns[2].Values; len(err) != 3 {
		t.Fatal("dictionary lost")
	}
	if m.ID != e.ID() || m.Tables[0].Rows != 6 || m.Tables[0].Columns[4].Name != plan.RankColumn || m.Tables[0].Columns[3].ArrowType != "uint32" {
		t.Fatalf("%+v", m)
	}
	r, err := e.Reader("visit")
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range good() {
		for c, v := range want {
			got, present := b.Value(c, i)
			if present != (v >= 0) || (present && got != v) {
				t.Errorf("row %d column %d: %d %t, want %d", i, c, got, present, v)
			}
		}
	}
	for c := range m.Tables[0].Columns {
		values, missing := b.Int64s(c, []int64{7, 7, 7}, []bool{true})
		for i := range b.Rows() {
			if v, present := b.Value(c, i); len(values) != b.Rows() || values[i] != v || missing[i] == present {
				t.Errorf("column %d at once: %v %v, want %d in row %d", c, values, missing, v, i)
			}
		}
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	// The plaintext is an Arrow file that any reader opens.
	p, err := e.Plain("visit")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(p)
	if err != nil {
		t.Fatal(err)
	}
	f, err := ipc.NewFileReader(strings.NewReader(string(raw)))
	if err != nil || f.NumRecords() != 1 {
		t.Fatal(err)
	}
	if _, err := write(t, dir, s, good(), nil); !errors.Is(err, extract.ErrExists) {
		t.Fatalf("written over: %v", err)
	}
}

// TestVerifyFinds writes extracts that break one rule each.
func TestVerifyFinds(t *testing.T) {
	t.Parallel()
	s := sealer(t)
	for name, change := range map[string]func([][]int64) [][]int64{
		"unsorted persons":    func(v [][]int64) [][]int64 { v[2], v[3] = v[3], v[2]; v[2][4] = 1; return v },
		"person out of range": func(v [][]int64) [][]int64 { v[5][0], v[5][4] = 5, 1; return v },
		"rank above the cap":  func(v [][]int64) [][]int64 { return append(v, []int64{4, 9, 0, 0, 4}) },
		"rank repeated":       func(v [][]int64) [][]int64 { v[1][4] = 1; return v },
		"rank skipped":        func(v [][]int64) [][]int64 { v[1][4] = 3; return v },
		"code outside":        func(v [][]int64) [][]int64 { v[0][2] = 3; return v },
		"value above":         func(v [][]int64) [][]int64 { v[0][3] = 100_001; return v },
		"row key twice":       func(v [][]int64) [][]int64 { v[1][1] = 1; return v },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "x")
			if _, err := write(t, dir, s, change(good()), [][]int64{{1, 1}}); err != nil {
				t.Fatal(err)
			}
			var v *extract.VerifyError
			if _, err := extract.Verify(context.Background(), dir, s); !errors.As(err, &v) {
				t.Fatalf("not found: %v", err)
			}
		})
	}
	dir := filepath.Join(t.TempDir(), "x")
	if _, err := write(t, dir, s, good(), [][]int64{{1, 1}, {1, 2}}); err != nil {
		t.Fatal(err)
	}
	if _, err := extract.Verify(context.Background(), dir, s); err == nil {
		t.Fatal("a public row key twice")
	}
	for name, c := range map[string]struct {
		rows [][]int64
		good bool
	}{"two share a value": {[][]int64{{1, 5}, {2, 5}, {3, -1}, {4, -1}, {5, -1}}, true}, "three share a value": {[][]int64{{1, 5}, {2, 5}, {3, 5}}, false}} {
		dir := filepath.Join(t.TempDir(), "x")
		if _, err := write(t, dir, s, good(), c.rows); err != nil {
			t.Fatal(err)
		}
		if _, err := extract.Verify(context.Background(), dir, s); (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAnyByte changes one byte anywhere, or adds or removes a file.
func TestAnyByte(t *testing.T) {
	t.Parallel()
	s, base := sealer(t), t.TempDir()
	dir := filepath.Join(base, "x")
	if _, err := write(t, dir, s, good(), [][]int64{{1, 1}}); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 4 {
		t.Fatal(err, len(files))
	}
	check := func(t *rapid.T, what string) {
		if _, err := extract.Verify(context.Background(), dir, s); err == nil {
			t.Fatalf("verify passes with %s", what)
		}
		if _, err := extract.Open(context.Background(), dir, s); err == nil {
			t.Fatalf("open passes with %s", what)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		path := filepath.Join(dir, rapid.SampledFrom(files).Draw(t, "file").Name())
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := os.WriteFile(path, raw, 0o600); err != nil {
				t.Fatal(err)
			}
		}()
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			check(t, "a file gone")
		case 1:
			extra := filepath.Join(dir, "extra")
			if err := os.WriteFile(extra, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = os.Remove(extra) }()
			check(t, "a file more")
		default:
			at := rapid.IntRange(0, len(raw)-1).Draw(t, "at")
			bad := append([]byte{}, raw...)
			bad[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "xor"))
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			check(t, "a byte changed")
		}
	})
	if _, err := extract.Verify(context.Background(), dir, s); err != nil {
		t.Fatal(err)
	}
	if _, err := extract.Verify(context.Background(), dir, sealer(t)); err == nil {
		t.Fatal("another identity opens the extract")
	}
}

// TestEveryByte changes each byte of each file, one at a time, and cuts each file short: nothing opens, so no row is read.
func TestEveryByte(t *testing.T) {
	t.Parallel()
	s, dir := sealer(t), filepath.Join(t.TempDir(), "x")
	if _, err := write(t, dir, s, good(), [][]int64{{1, 1}}); err != nil {
		t.Fatal(err)
	}
	opens := func() bool {
		_, err := extract.Open(t.Context(), dir, s)
		return err == nil
	}
	if !opens() {
		t.Fatal("it does not open as it was written")
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 4 {
		t.Fatal(err, len(files))
	}
	for _, f := range files {
		path := filepath.Join(dir, f.Name())
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		put := func(b []byte) {
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for at := range raw {
			bad := append([]byte{}, raw...)
			bad[at] ^= 1 << (at % 8)
			if put(bad); opens() {
				t.Fatalf("it opens with byte %d of %s changed", at, f.Name())
			}
			if at%16 != 0 {
				continue
			}
			if put(raw[:at]); opens() {
				t.Fatalf("it opens with %s cut to %d bytes", f.Name(), at)
			}
		}
		if put(append(append([]byte{}, raw...), '\n')); opens() {
			t.Fatalf("it opens with a byte behind %s", f.Name())
		}
		put(raw)
	}
	if !opens() {
		t.Fatal("it does not open as it was written")
	}
}

// TestSweepIn: what killed builds left goes, whatever they were to be called; what a living one writes stays, and so does all that has a name.
func TestSweepIn(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a[b]*c")
	left := []string{".ex-1.part-00ff", ".ex-2.part-11", ".persons.part-22"}
	kept := []string{"ex-0", ".hidden", "ex-3.part-33"}
	for _, name := range append(append([]string{}, left...), kept...) {
		if err := os.MkdirAll(filepath.Join(dir, name, "inside"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w, err := extract.Create(filepath.Join(dir, "ex-4"), sealer(t), head())
	if err != nil {
		t.Fatal(err)
	}
	extract.SweepIn(dir)
	got, err := os.ReadDir(dir)
	if err != nil || len(got) != len(kept)+1 {
		t.Fatal(got, err)
	}
	for _, name := range kept {
		if _, err := os.Stat(filepath.Join(dir, name, "inside")); err != nil {
			t.Error(err)
		}
	}
	if err := w.Abort(); err != nil {
		t.Fatal(err)
	}
}

// fullDisk fails like a disk that fills up after n bytes.
type fullDisk struct {
	extract.Sealer
	n int
}

type fullWriter struct{ d *fullDisk }

func (d *fullDisk) Seal(io.Writer) (io.WriteCloser, error) { return &fullWriter{d}, nil }
func (w *fullWriter) Close() error                         { return nil }
func (w *fullWriter) Write(p []byte) (int, error) {
	if w.d.n -= len(p); w.d.n < 0 {
		return 0, syscall.ENOSPC
	}
	return len(p), nil
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 700, 1200} {
		base := t.TempDir()
		_, err := write(t, filepath.Join(base, "x"), &fullDisk{n: n}, good(), [][]int64{{1, 1}})
		if !errors.Is(err, extract.ErrDiskFull) {
			t.Fatalf("after %d bytes: %v", n, err)
		}
		left, err := os.ReadDir(base)
		if err != nil || len(left) != 0 {
			t.Fatalf("after %d bytes %d things are left behind", n, len(left))
		}
	}
}

func TestMatchSchema(t *testing.T) {
	t.Parallel()
	s, dir := sealer(t), filepath.Join(t.TempDir(), "x")
	m, err := write(t, dir, s, good(), [][]int64{{1, 1}})
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*plan.Schema){
		"dataset":    func(s *plan.Schema) { s.Dataset = "e" },
		"persons":    func(s *plan.Schema) { s.Persons++ },
		"cap":        func(s *plan.Schema) { s.Tables[0].MaxRows++ },
		"bounds":     func(s *plan.Schema) { s.Tables[0].Columns[3].Hi++ },
		"scale":      func(s *plan.Schema) { s.Tables[0].Columns[3].Scale++ },
		"dictionary": func(s *plan.Schema) { s.Tables[0].Columns[2].Values = []string{"a", "c", "other"} },
		"nullable":   func(s *plan.Schema) { s.Tables[0].Columns[3].Nullable = true },
		"order":      func(s *plan.Schema) { c := s.Tables[0].Columns; c[2], c[3] = c[3], c[2] },
		"table":      func(s *plan.Schema) { s.Tables[1].Name = "other" },
		"row key":    func(s *plan.Schema) { s.Tables[0].RowKey = "" },
		"sharing":    func(s *plan.Schema) { s.Tables[1].Columns[1].MaxPerKey = 3 },
	} {
		x := schema()
		change(x)
		if m.MatchSchema(x) == nil {
			t.Errorf("another %s matches", name)
		}
	}
}

func TestLayoutRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*plan.Table){
		"no cap":        func(t *plan.Table) { t.MaxRows = 0 },
		"huge cap":      func(t *plan.Table) { t.MaxRows = 70_000 },
		"no unit":       func(t *plan.Table) { t.Unit = "" },
		"unit missing":  func(t *plan.Table) { t.Columns[0].Nullable = true },
		"no dictionary": func(t *plan.Table) { t.Columns[2].Values = nil },
		"unsorted":      func(t *plan.Table) { t.Columns[2].Values = []string{"b", "a"} },
		"no kind":       func(t *plan.Table) { t.Columns[2].Kind = 0 },
		"reversed":      func(t *plan.Table) { t.Columns[3].Lo = 200_000 },
		"bad name":      func(t *plan.Table) { t.Columns[3].Name = "a b" },
		"public unit":   func(t *plan.Table) { t.Public = true },
	} {
		x := schema().Tables[0]
		change(&x)
		if _, err := extract.Layout(x); err == nil {
			t.Errorf("%s: passed", name)
		}
	}
}

func TestColumnText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		col  extract.Column
		v    int64
		want string
	}{
		{extract.Column{Kind: extract.KindNameDecimal, Scale: 2}, -5, "-0.05"},
		{extract.Column{Kind: extract.KindNameDecimal, Scale: 2}, 12345, "123.45"},
		{extract.Column{Kind: extract.KindNameDate}, 0, "1970-01-01"},
		{extract.Column{Kind: extract.KindNameCode, Values: []string{"a"}}, 1, ""},
		{extract.Column{Kind: extract.KindNameInt}, -7, "-7"},
	} {
		if got := c.col.Text(c.v); got != c.want {
			t.Errorf("%s %d: %q, want %q", c.col.Kind, c.v, got, c.want)
		}
	}
}
