package wire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carrel/sandbox/wire"
)

func all() []wire.Kind {
	return []wire.Kind{
		wire.KindInit, wire.KindParse, wire.KindOpen, wire.KindRun, wire.KindReady, wire.KindTree, wire.KindOpened,
		wire.KindRows, wire.KindFail,
	}
}

func mustFrame(t *testing.T, k wire.Kind, header any, payload []byte, fds int) []byte {
	t.Helper()
	f, err := wire.New(k, header, payload, fds)
	if err != nil {
		t.Fatal(err)
	}
	return f.Bytes()
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		rows, columns := rapid.IntRange(0, 40).Draw(rt, "rows"), rapid.IntRange(1, 9).Draw(rt, "columns")
		cells := make([][]int64, columns)
		for i := range cells {
			cells[i] = rapid.SliceOfN(rapid.Int64(), rows, rows).Draw(rt, "cells")
		}
		m := wire.Rows{Rows: rows, Columns: columns, Scans: []wire.Scan{{Table: "visit", Rows: 7, Complete: true}}}
		f, err := wire.New(wire.KindRows, m, wire.Pack(cells), 0)
		if err != nil {
			rt.Fatal(err)
		}
		g, err := wire.Read(bytes.NewReader(f.Bytes()), wire.KindRows, wire.KindFail)
		if err != nil {
			rt.Fatal(err)
		}
		var n wire.Rows
		if err := wire.Decode(g, &n); err != nil {
			rt.Fatal(err)
		}
		back, err := wire.Cells(n, g.Payload)
		if err != nil {
			rt.Fatal(err)
		}
		for i := range cells {
			if !slices.Equal(cells[i], back[i]) {
				rt.Fatalf("column %d differs", i)
			}
		}
	})
}

// A head that lies about sizes costs its reader nothing and gives an error.
func TestHostileHeads(t *testing.T) {
	t.Parallel()
	good := mustFrame(t, wire.KindFail, wire.Fail{Code: wire.CodeEngine, Offset: -1}, nil, 0)
	change := func(f func(b []byte)) []byte { b := slices.Clone(good); f(b); return b }
	for name, b := range map[string][]byte{
		"magic":          change(func(b []byte) { b[0] ^= 1 }),
		"reserved":       change(func(b []byte) { b[6] = 1 }),
		"no kind":        change(func(b []byte) { b[4] = 0 }),
		"unknown kind":   change(func(b []byte) { b[4] = 99 }),
		"unwanted kind":  change(func(b []byte) { b[4] = byte(wire.KindInit) }),
		"descriptors":    change(func(b []byte) { b[5] = 1 }),
		"huge header":    change(func(b []byte) { binary.LittleEndian.PutUint32(b[8:], math.MaxUint32) }),
		"huge payload":   change(func(b []byte) { binary.LittleEndian.PutUint32(b[12:], math.MaxUint32) }),
		"payload":        change(func(b []byte) { binary.LittleEndian.PutUint32(b[12:], 1) }),
		"cut in head":    good[:7],
		"cut in header":  good[:len(good)-1],
		"longer claimed": change(func(b []byte) { binary.LittleEndian.PutUint32(b[8:], uint32(len(b))) }),
	} {
		if _, err := wire.Read(bytes.NewReader(b), wire.KindFail); !errors.Is(err, wire.ErrFrame) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := wire.Read(bytes.NewReader(nil), wire.KindFail); err != io.EOF { //nolint:errorlint // bare on purpose
		t.Errorf("empty: %v", err)
	}
}

// A claim without bytes behind it costs its reader little, however large it is. Not parallel: it measures.
func TestAClaimCostsNothing(t *testing.T) {
	claim := mustFrame(t, wire.KindRows, wire.Rows{Columns: 1}, nil, 0)[:16]
	binary.LittleEndian.PutUint32(claim[8:], 0)
	binary.LittleEndian.PutUint32(claim[12:], wire.MaxCells*8)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := wire.Read(bytes.NewReader(claim), wire.KindRows); !errors.Is(err, wire.ErrFrame) {
		t.Error(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes for a claim without bytes", n)
	}
}

func TestDecodeIsStrict(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]string{
		"unknown field": `{"code":"engine","offset":-1,"more":1}`,
		"trailing":      `{"code":"engine","offset":-1} {}`,
		"no such code":  `{"code":"hello","offset":-1}`,
		"offset":        `{"code":"syntax","offset":70000}`,
		"type":          `{"code":7}`,
		"array":         `[]`,
		"nothing":       ``,
	} {
		var m wire.Fail
		if err := wire.Decode(wire.Frame{Kind: wire.KindFail, Header: []byte(header)}, &m); !errors.Is(err, wire.ErrFrame) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "hello") {
			t.Errorf("%s: the error quotes the header", name)
		}
	}
}

func TestMessagesRefuse(t *testing.T) {
	t.Parallel()
	init := wire.Init{Role: wire.RoleEngine, Threads: 2, Memory: 1 << 30, Data: 1 << 30}
	table := wire.Table{Name: "t", Rows: 1, Size: 1, Columns: []wire.Column{{Name: "c", Type: "int8"}}}
	open := func(f func(*wire.Table)) wire.Open {
		x := table
		x.Columns = slices.Clone(table.Columns)
		f(&x)
		return wire.Open{Tables: []wire.Table{x}}
	}
	with := func(f func(*wire.Init)) wire.Init { x := init; f(&x); return x }
	for name, m := range map[string]interface{ Validate() error }{
		"role":            with(func(m *wire.Init) { m.Role = "root" }),
		"threads":         with(func(m *wire.Init) { m.Threads = 0 }),
		"memory":          with(func(m *wire.Init) { m.Memory = 0 }),
		"data":            with(func(m *wire.Init) { m.Data = 0 }),
		"version":         wire.Ready{Engine: "v1\nlevel=ERROR", Landlock: 6},
		"no version":      wire.Ready{Landlock: 6},
		"no landlock":     wire.Ready{Engine: "v1.5.5"},
		"no tables":       wire.Open{},
		"many tables":     wire.Open{Tables: make([]wire.Table, wire.MaxTables+1)},
		"quote in name":   open(func(x *wire.Table) { x.Name = `a"b` }),
		"empty name":      open(func(x *wire.Table) { x.Name = "" }),
		"twice":           wire.Open{Tables: []wire.Table{table, {Name: "T", Rows: 1, Size: 1, Columns: table.Columns}}},
		"rows":            open(func(x *wire.Table) { x.Rows = -1 }),
		"size":            open(func(x *wire.Table) { x.Size = 0 }),
		"no columns":      open(func(x *wire.Table) { x.Columns = nil }),
		"text column":     open(func(x *wire.Table) { x.Columns[0].Type = "utf8" }),
		"uint64":          open(func(x *wire.Table) { x.Columns[0].Type = "uint64" }),
		"column twice":    open(func(x *wire.Table) { x.Columns = append(x.Columns, wire.Column{Name: "C", Type: "int8"}) }),
		"run columns":     wire.Run{Columns: 0, MaxRows: 1, Deadline: 1},
		"run cells":       wire.Run{Columns: 2, MaxRows: wire.MaxCells, Deadline: 1},
		"run deadline":    wire.Run{Columns: 1, MaxRows: 1},
		"rows columns":    wire.Rows{},
		"rows cells":      wire.Rows{Rows: wire.MaxCells, Columns: 2},
		"rows negative":   wire.Rows{Rows: -1, Columns: 1},
		"scans":           wire.Rows{Columns: 1, Scans: make([]wire.Scan, 2000)},
		"scan negative":   wire.Rows{Columns: 1, Scans: []wire.Scan{{Table: "t", Rows: -1}}},
		"scan table name": wire.Rows{Columns: 1, Scans: []wire.Scan{{Table: "t\n"}}},
	} {
		if m.Validate() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, m := range []interface{ Validate() error }{init, open(func(*wire.Table) {}), wire.Ready{Engine: "v1.5.5", Landlock: 6}} {
		if err := m.Validate(); err != nil {
			t.Error(err)
		}
	}
	if _, err := wire.New(wire.KindParse, wire.Parse{}, make([]byte, wire.MaxText+1), 0); !errors.Is(err, wire.ErrFrame) {
		t.Errorf("long text: %v", err)
	}
	if _, err := wire.New(wire.KindRun, wire.Run{}, nil, 1); !errors.Is(err, wire.ErrFrame) {
		t.Errorf("descriptors with a query: %v", err)
	}
	if _, err := wire.Cells(wire.Rows{Rows: 2, Columns: 2}, make([]byte, 31)); !errors.Is(err, wire.ErrFrame) {
		t.Errorf("payload: %v", err)
	}
}

func TestCheckText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sql    string
		code   wire.Code
		offset int
	}{
		{"SELECT '张三'", "", -1},
		{"a\x00b", wire.CodeText, 1},
		{"张\xff", wire.CodeText, 3},
		{"\xed\xa0\x80", wire.CodeText, 0}, // a surrogate is no character
		{strings.Repeat("x", wire.MaxText), "", -1},
		{strings.Repeat("x", wire.MaxText+1), wire.CodeTooLong, -1},
	} {
		if code, offset := wire.CheckText([]byte(c.sql)); code != c.code || offset != c.offset {
			t.Errorf("%.10q: %q at %d", c.sql, code, offset)
		}
	}
}

// FuzzRead: whatever arrives, the reader stays inside its limits, and what it accepts it would send again byte for byte.
func FuzzRead(f *testing.F) {
	for _, m := range []struct {
		k       wire.Kind
		h       any
		payload []byte
	}{
		{wire.KindFail, wire.Fail{Code: wire.CodeEngine, Offset: -1}, nil},
		{wire.KindRows, wire.Rows{Rows: 1, Columns: 1, Scans: []wire.Scan{{Table: "t", Rows: 3}}}, make([]byte, 8)},
		{wire.KindOpen, wire.Open{Tables: []wire.Table{{Name: "t"}}}, nil},
		{wire.KindTree, wire.Tree{}, []byte(`{"error":false}`)},
	} {
		fr, err := wire.New(m.k, m.h, m.payload, 0)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(fr.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		fr, err := wire.Read(r, all()...)
		if err != nil {
			if !errors.Is(err, wire.ErrFrame) && err != io.EOF { //nolint:errorlint // bare on purpose
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		if used := len(b) - r.Len(); !bytes.Equal(fr.Bytes(), b[:used]) {
			t.Fatal("not the bytes that were read")
		}
		var m wire.Rows
		if fr.Kind == wire.KindRows && wire.Decode(fr, &m) == nil {
			if c, err := wire.Cells(m, fr.Payload); err == nil && (len(c) != m.Columns || len(c[0]) != m.Rows) {
				t.Fatal("cells of another shape")
			}
		}
	})
}
