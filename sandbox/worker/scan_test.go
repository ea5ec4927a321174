//go:build linux && cgo

package worker

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	duckdb "github.com/duckdb/duckdb-go-bindings"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"carrel/sandbox/sandboxtest"
	"carrel/sandbox/wire"
)

// tester is what both *testing.T and *rapid.T can do.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// memfd makes a memory file of bytes, sealed or not.
func memfd(t tester, b []byte, seal int) int {
	t.Helper()
	fd, err := unix.MemfdCreate("test", unix.MFD_ALLOW_SEALING|unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Write(fd, b); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seal); err != nil {
		t.Fatal(err)
	}
	return fd
}

// specOf describes a table as the parent would.
func specOf(t sandboxtest.Table, size int) wire.Table {
	w := wire.Table{Name: t.Name, Rows: int64(t.Rows()), Size: int64(size)}
	for _, c := range t.Columns {
		w.Columns = append(w.Columns, wire.Column{Name: c.Name, Type: c.Type})
	}
	return w
}

// scanned opens tables in an engine of a number of threads, without the jail.
func scanned(t tester, threads int, tables ...sandboxtest.Table) *engine {
	t.Helper()
	return chosen(t, threads, choice{}, tables...)
}

// chosen is scanned with persons to leave out, by the column person.
func chosen(t tester, threads int, who choice, tables ...sandboxtest.Table) *engine {
	t.Helper()
	d, err := openDatabase(wire.Init{Threads: threads, Memory: 512 << 20})
	if err != nil {
		t.Fatal(err)
	}
	var m wire.Open
	var fds []int
	for _, x := range tables {
		b, err := sandboxtest.Encode(x)
		if err != nil {
			t.Fatal(err)
		}
		fds = append(fds, memfd(t, b, seals))
		spec := specOf(x, len(b))
		if x.Columns[0].Name == "person" {
			spec.Unit = "person"
		}
		m.Tables = append(m.Tables, spec)
	}
	e, err := openEngine(d, m, who, fds)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// sqlTypes are the engine's names of the types.
func sqlType(arrow string) string {
	return map[string]string{
		"int8": "TINYINT", "uint8": "UTINYINT", "int16": "SMALLINT", "uint16": "USMALLINT", "int32": "INTEGER", "uint32": "UINTEGER",
		"int64": "BIGINT",
	}[arrow]
}

// native puts the same values into a table of the engine's own, by way of its appender, not of the scan.
func native(t tester, d *database, x sandboxtest.Table) {
	t.Helper()
	var columns []string
	for _, c := range x.Columns {
		columns = append(columns, quote(c.Name)+" "+sqlType(c.Type))
	}
	name := quote("native_" + x.Name)
	if err := d.exec("CREATE TABLE " + name + " (" + strings.Join(columns, ", ") + ")"); err != nil {
		t.Fatal(err)
	}
	var app duckdb.Appender
	if duckdb.AppenderCreate(d.conn, "", "native_"+x.Name, &app) != duckdb.StateSuccess {
		t.Fatal("appender")
	}
	var types []duckdb.LogicalType
	for _, c := range x.Columns {
		types = append(types, duckdb.CreateLogicalType(typeOf(c.Type)))
	}
	chunk := duckdb.CreateDataChunk(types)
	ok := true
	for from := 0; from < x.Rows(); from += vectorSize {
		duckdb.DataChunkReset(chunk)
		n := min(vectorSize, x.Rows()-from)
		for i, c := range x.Columns {
			v := duckdb.DataChunkGetVector(chunk, duckdb.IdxT(i))
			for r := range n {
				if c.Null != nil && c.Null[from+r] {
					duckdb.VectorEnsureValidityWritable(v)
					duckdb.ValiditySetRowInvalid(duckdb.VectorGetValidity(v), duckdb.IdxT(r))
				} else {
					put1(duckdb.VectorGetData(v), c.Type, r, c.Values[from+r])
				}
			}
		}
		duckdb.DataChunkSetSize(chunk, duckdb.IdxT(n))
		ok = duckdb.AppendDataChunk(app, chunk) == duckdb.StateSuccess && ok
	}
	duckdb.DestroyDataChunk(&chunk)
	for i := range types {
		duckdb.DestroyLogicalType(&types[i])
	}
	if duckdb.AppenderDestroy(&app) != duckdb.StateSuccess || !ok {
		t.Fatal("append")
	}
}

// put1 writes one value at place r, by its type.
func put1(p unsafe.Pointer, arrow string, r int, v int64) {
	switch arrow {
	case "int8", "uint8":
		*(*int8)(unsafe.Add(p, r)) = int8(v)
	case "int16", "uint16":
		*(*int16)(unsafe.Add(p, 2*r)) = int16(v)
	case "int32", "uint32":
		*(*int32)(unsafe.Add(p, 4*r)) = int32(v)
	default:
		*(*int64)(unsafe.Add(p, 8*r)) = v
	}
}

// rows runs a query and gives its rows, sorted.
func rows(t tester, e *engine, sql string, columns int) ([][]int64, []wire.Scan) {
	t.Helper()
	m, payload, fail := e.run(wire.Run{Columns: columns, MaxRows: 100_000, Deadline: 60_000}, sql)
	if fail != nil {
		t.Fatalf("%s: %s", fail.code, sql)
	}
	cells, err := wire.Cells(m, payload)
	if err != nil {
		t.Fatal(err)
	}
	out := make([][]int64, m.Rows)
	for r := range out {
		for _, c := range cells {
			out[r] = append(out[r], c[r])
		}
	}
	slices.SortFunc(out, slices.Compare[[]int64])
	return out, m.Scans
}

// drawTable makes a table with NULLs, extremes and batches of odd sizes, empty ones included.
func drawTable(t *rapid.T, name string) sandboxtest.Table {
	x := sandboxtest.Table{Name: name}
	x.Batches = rapid.SliceOfN(rapid.SampledFrom([]int{0, 1, 7, 8, 9, 63, 500, 2047, 2048, 2049, 4096, 5001}), 0, 5).Draw(t, name+" batches")
	n := 0
	for _, b := range x.Batches {
		n += b
	}
	seed := rapid.Uint64().Draw(t, name+" seed")
	next := func() uint64 { seed = seed*6364136223846793005 + 1442695040888963407; return seed >> 20 }
	for i, c := range []struct {
		name, kind string
		lo, hi     int64
	}{
		{"person", "uint32", 0, 300}, {"k", "uint8", 0, 255}, {"s", "int8", -128, 127}, {"u", "uint16", 0, 65535}, {"w", "int16", -32768, 32767},
		{"x", "int32", -1 << 31, 1<<31 - 1}, {"big", "int64", -1 << 40, 1 << 40}, {"carrel_rank", "uint8", 1, 9},
	} {
		col := sandboxtest.Column{Name: c.name, Type: c.kind, Values: make([]int64, n)}
		nulls := i%2 == 1 && i < 7
		for r := range col.Values {
			col.Values[r] = c.lo + int64(next()%uint64(c.hi-c.lo+1))
			if nulls {
				col.Null = append(col.Null, next()%8 == 0)
			}
		}
		x.Columns = append(x.Columns, col)
	}
	return x
}

// drawQuery makes a query over a(…) and b(…); %[1]s is the prefix of the tables' names.
func drawQuery(t *rapid.T) (string, int) {
	column := rapid.SampledFrom([]string{"person", "k", "s", "u", "w", "x", "big", "carrel_rank"})
	number := rapid.SampledFrom([]int64{-1 << 31, -129, -1, 0, 1, 3, 5, 100, 200, 255, 256, 70_000, 1 << 33})
	alias := []string{"a"}
	from := `"%[1]sa" a`
	switch rapid.IntRange(0, 4).Draw(t, "join") {
	case 1:
		from, alias = from+` JOIN "%[1]sb" b ON a.person = b.person`, append(alias, "b")
	case 2:
		from, alias = from+` LEFT JOIN "%[1]sb" b ON a.person = b.person AND b.carrel_rank <= 2`, append(alias, "b")
	case 3:
		from, alias = from+` JOIN "%[1]sa" b ON a.person = b.person AND a.k = b.k`, append(alias, "b")
	case 4:
		from += ` WHERE EXISTS (SELECT 1 FROM "%[1]sb" b WHERE b.person = a.person)`
	}
	ref := func(label string) string {
		return rapid.SampledFrom(alias).Draw(t, label+" alias") + "." + column.Draw(t, label)
	}
	var where []string
	for i := range rapid.IntRange(0, 3).Draw(t, "conditions") {
		l := "condition " + strconv.Itoa(i)
		c := rapid.SampledFrom([]string{
			"%s <= %d", "%s > %d", "%s = %d", "%s IN (%d, 1, 2, 77)", "%s IS NULL OR %[1]s < %[2]d", "%s IS NOT NULL AND %[1]s <> %[2]d",
			"NOT (%s BETWEEN -5 AND %d)",
		}).Draw(t, l)
		where = append(where, "("+fmt.Sprintf(c, ref(l), number.Draw(t, l))+")")
	}
	if len(where) > 0 {
		word := " WHERE "
		if strings.Contains(from, " WHERE ") {
			word = " AND "
		}
		from += word + strings.Join(where, rapid.SampledFrom([]string{" AND ", " OR "}).Draw(t, "connective"))
	}
	measures := `count(*)::BIGINT, COALESCE(sum(` + ref("sum") + `), 0)::BIGINT, count(` + ref("count") + `)::BIGINT, count(DISTINCT a.person)::BIGINT,
		COALESCE(max(` + ref("max") + `), -7)::BIGINT`
	if rapid.Bool().Draw(t, "grouped") {
		key := `COALESCE(` + ref("key") + `::BIGINT, -99999999999)`
		return `SELECT ` + key + `, ` + measures + ` FROM ` + from + ` GROUP BY 1`, 6
	}
	return `SELECT ` + measures + ` FROM ` + from, 5
}

// The scan is right when no query can tell it from a native table that holds the same rows.
func TestScanEqualsNativeTable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		a, b := drawTable(rt, "a"), drawTable(rt, "b")
		for _, threads := range []int{1, 2} {
			e := scanned(rt, threads, a, b)
			native(rt, e.d, a)
			native(rt, e.d, b)
			for range 6 {
				sql, columns := drawQuery(rt)
				got, scans := rows(rt, e, fmt.Sprintf(sql, ""), columns)
				want, none := rows(rt, e, fmt.Sprintf(sql, "native_"), columns)
				if !slices.EqualFunc(got, want, slices.Equal[[]int64]) {
					rt.Fatalf("%d threads: %d rows %v, native %d rows %v: %s", threads, len(got), head(got), len(want), head(want), sql)
				}
				if len(none) != 0 {
					rt.Fatal("scans of a native table")
				}
				checkCounts(rt, scans, map[string]int64{"a": int64(a.Rows()), "b": int64(b.Rows())})
			}
			e.d.close()
		}
	})
}

func head(r [][]int64) [][]int64 { return r[:min(3, len(r))] }

// checkCounts: a complete scan gave all rows, another fewer or all.
func checkCounts(t tester, scans []wire.Scan, all map[string]int64) {
	t.Helper()
	for _, s := range scans {
		if s.Complete != (s.Rows == all[s.Table]) {
			t.Fatalf("scan of %s: %d of %d rows, complete %v", s.Table, s.Rows, all[s.Table], s.Complete)
		}
	}
}

func TestFilesThatAreNotWhatTheySay(t *testing.T) {
	t.Parallel()
	x := sandboxtest.Table{Name: "a", Batches: []int{3}, Columns: []sandboxtest.Column{{Name: "c", Type: "int32", Values: []int64{1, 2, 3}}}}
	b, err := sandboxtest.Encode(x)
	if err != nil {
		t.Fatal(err)
	}
	good := specOf(x, len(b))
	with := func(f func(*wire.Table)) wire.Table {
		w := good
		w.Columns = slices.Clone(good.Columns)
		f(&w)
		return w
	}
	cut := b[:len(b)-9]
	for _, c := range []struct {
		name  string
		spec  wire.Table
		bytes []byte
		seals int
		ok    bool
	}{
		{"good", good, b, seals, true},
		{"not sealed", good, b, 0, false},
		{"sealed in part", good, b, unix.F_SEAL_WRITE | unix.F_SEAL_GROW, false},
		{"rows", with(func(w *wire.Table) { w.Rows = 4 }), b, seals, false},
		{"size", with(func(w *wire.Table) { w.Size++ }), b, seals, false},
		{"name", with(func(w *wire.Table) { w.Columns[0].Name = "d" }), b, seals, false},
		{"type", with(func(w *wire.Table) { w.Columns[0].Type = "uint32" }), b, seals, false},
		{"column more", with(func(w *wire.Table) { w.Columns = append(w.Columns, wire.Column{Name: "d", Type: "int8"}) }), b, seals, false},
		{"cut", with(func(w *wire.Table) { w.Size = int64(len(cut)) }), cut, seals, false},
		{"noise", with(func(w *wire.Table) { w.Size = 64 }), make([]byte, 64), seals, false},
	} {
		if _, err := mapTable(c.spec, choice{}, memfd(t, c.bytes, c.seals)); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// FuzzMapTable: no file makes the reader read outside it or crash; what it accepts has the rows that were described.
func FuzzMapTable(f *testing.F) {
	x := sandboxtest.Table{Name: "a", Batches: []int{2, 3}, Columns: []sandboxtest.Column{
		{Name: "c", Type: "int32", Values: []int64{1, 2, 3, 4, 5}, Null: []bool{false, true, false, false, true}},
	}}
	b, err := sandboxtest.Encode(x)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		m, err := mapTable(specOf(x, len(b)), choice{}, memfd(t, b, seals))
		if err != nil {
			return
		}
		n := 0
		for _, batch := range m.batches {
			n += batch.rows
			if len(batch.values[0]) < batch.rows*4 || batch.validity[0] != nil && len(batch.validity[0]) < (batch.rows+7)/8 {
				t.Fatal("a batch shorter than its rows")
			}
		}
		if n != x.Rows() {
			t.Fatal("another number of rows")
		}
	})
}

// A panic in a callback is an error of the query, not the end of the process.
func TestCallbackPanicIsAnError(t *testing.T) {
	t.Parallel()
	e := scanned(t, 1, sandboxtest.Table{Name: "a", Batches: []int{5}, Columns: []sandboxtest.Column{{Name: "c", Type: "int64", Values: make([]int64, 5)}}})
	broken := &table{
		name: "broken", rows: 5, columns: []wire.Column{{Name: "c", Type: "int64"}}, widths: []int{8},
		batches: []batch{{rows: 5, values: [][]byte{make([]byte, 3)}, validity: [][]byte{nil}, runs: []run{{0, 5}}}},
	}
	if err := e.view(broken, "carrel_scan_broken"); err != nil {
		t.Fatal(err)
	}
	_, _, fail := e.run(wire.Run{Columns: 1, MaxRows: 9, Deadline: 10_000}, `SELECT sum(c)::BIGINT FROM "broken"`)
	if fail == nil || fail.code != wire.CodeEngine {
		t.Fatalf("got %v", fail)
	}
	if got, _ := rows(t, e, `SELECT count(*)::BIGINT FROM "a"`, 1); got[0][0] != 5 {
		t.Error("the engine did not go on")
	}
}

// After the lock no setting changes, whoever asks.
func TestConfigurationIsLocked(t *testing.T) {
	t.Parallel()
	e := scanned(t, 1, sandboxtest.Table{Name: "a", Batches: []int{1}, Columns: []sandboxtest.Column{{Name: "c", Type: "int8", Values: []int64{1}}}})
	for _, sql := range []string{"SET threads = 9", "SET enable_external_access = true", "SET lock_configuration = false", "SET memory_limit = '9GB'"} {
		if e.d.exec(sql) == nil {
			t.Errorf("%s: done", sql)
		}
	}
	if e.d.exec("SELECT * FROM read_text('/etc/hostname')") == nil {
		t.Error("a file was read")
	}
}
