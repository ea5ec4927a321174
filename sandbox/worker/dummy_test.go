//go:build linux && cgo

package worker

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"carrel/anonymize/bind"
	"carrel/anonymize/plan"
	"carrel/broker/dummy"
	"carrel/broker/jinhe"
	"carrel/sandbox/wire"
)

// statements of the public corpus that are answered.
var answered = regexp.MustCompile(`(?m)^-- id: (.*)\n-- verdict: accept\n-- why: .*\n((?:[^-\n].*\n?)+)`)

// TestDummyDataOnTheEngine: what a researcher does with dummy data. The files are loaded by their own load.sql, and the question, as it is
// written, returns rows with something in them.
func TestDummyDataOnTheEngine(t *testing.T) {
	t.Parallel()
	entry, err := jinhe.Entry(jinhe.Dataset)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := entry.Schema(dummy.MaxPersons)
	if err != nil {
		t.Fatal(err)
	}
	empty, err := openDatabase(wire.Init{Threads: 1, Memory: 256 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer empty.close()
	p, err := newParser(empty)
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, file := range []string{"cohorts.sql", "joins.sql"} {
		raw, err := os.ReadFile(filepath.Join("..", "..", "cmd", "carrel", "testdata", "corpus", file))
		if err != nil {
			t.Fatal(err)
		}
		for n, m := range answered.FindAllStringSubmatch(string(raw), -1) {
			id, sql := m[1], strings.TrimSuffix(strings.TrimSpace(m[2]), ";")
			if wideRounds == 1 && n%3 > 0 || strings.Contains(sql, "codes(") { // codes() is the service's own
				continue
			}
			tree, fail := p.parse([]byte(sql))
			if fail != nil {
				t.Fatal(id, fail)
			}
			spec, err := bind.Bind(schema, tree, sql)
			if err != nil {
				t.Fatal(id, err)
			}
			built, err := plan.Build(schema, spec, plan.Options{})
			if err != nil {
				t.Fatal(id, err)
			}
			made, err := dummy.Generate(t.Context(), entry, dummy.Options{Persons: 30, Wish: &spec, Plan: built})
			if err != nil {
				t.Fatal(id, err)
			}
			dir, format := filepath.Join(t.TempDir(), "out"), []string{dummy.CSV, dummy.Parquet}[n%2]
			if err := made.Write(dir, format, entry); err != nil {
				t.Fatal(id, err)
			}
			ran++
			if rows := asked(t, dir, sql); !something(rows) {
				t.Errorf("%s: %v from %s", id, rows, sql)
			}
		}
	}
	if ran < 30 || wideRounds > 1 && ran < 90 {
		t.Errorf("only %d questions were asked", ran)
	}
}

// asked loads the files into an open engine, as a researcher's own would be, and gives the rows of a question.
func asked(t *testing.T, dir, sql string) []map[string]any {
	t.Helper()
	rows, err := loaded(t, dir).rows(sql)
	if err != nil {
		t.Fatalf("%v: %s", err, sql)
	}
	return rows
}

// loaded is an open engine that has loaded the files.
func loaded(t *testing.T, dir string) *database {
	t.Helper()
	load, err := os.ReadFile(filepath.Join(dir, "load.sql"))
	if err != nil {
		t.Fatal(err)
	}
	var d database
	if duckdb.Open("", &d.db) != duckdb.StateSuccess || duckdb.Connect(d.db, &d.conn) != duckdb.StateSuccess {
		t.Fatal("no engine")
	}
	t.Cleanup(d.close)
	query := func(sql string) {
		t.Helper()
		var res duckdb.Result
		defer duckdb.DestroyResult(&res)
		if duckdb.Query(d.conn, sql, &res) != duckdb.StateSuccess {
			t.Fatalf("%s: %s", duckdb.ResultError(&res), sql)
		}
	}
	query("SET threads = 1")
	query("CREATE MACRO clamp(x, lo, hi) AS CASE WHEN x < lo THEN lo WHEN x > hi THEN hi ELSE x END")
	query(strings.ReplaceAll(string(load), " FROM '", " FROM '"+dir+"/"))
	return &d
}

// rows gives a query's rows as JSON has them.
func (d *database) rows(sql string) (rows []map[string]any, err error) {
	var res duckdb.Result
	defer duckdb.DestroyResult(&res)
	if duckdb.Query(d.conn, "SELECT coalesce(CAST(to_json(list(t)) AS VARCHAR), '[]') FROM ("+sql+") t", &res) != duckdb.StateSuccess {
		return nil, errors.New(duckdb.ResultError(&res))
	}
	chunk := duckdb.FetchChunk(res)
	defer duckdb.DestroyDataChunk(&chunk)
	text := duckdb.StringTData((*duckdb.StringT)(duckdb.VectorGetData(duckdb.DataChunkGetVector(chunk, 0))))
	return rows, json.Unmarshal([]byte(text), &rows)
}

// something is a number that is not 0 in any row.
func something(rows []map[string]any) bool {
	for _, r := range rows {
		for _, v := range r {
			if n, ok := v.(float64); ok && n != 0 {
				return true
			}
		}
	}
	return false
}
