//go:build linux && cgo

package worker

import (
	"encoding/json"
	"errors"
	"fmt"
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
	ran, several := 0, 0
	for _, file := range []string{"above.sql", "cohorts.sql", "joins.sql"} {
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
			wishes, err := wishesOf(schema, tree, sql)
			if err != nil {
				t.Fatal(id, err)
			}
			if len(wishes) > 1 {
				several++
			}
			made, err := dummy.Generate(t.Context(), entry, dummy.Options{Persons: 30, Wishes: wishes})
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
	if ran < 40 || several < 6 || wideRounds > 1 && (ran < 110 || several < 20) {
		t.Errorf("only %d questions were asked, %d of several steps", ran, several)
	}
}

// wishesOf are the measure steps of a text: of one, or of its cut.
func wishesOf(schema *plan.Schema, tree json.RawMessage, sql string) ([]dummy.Wish, error) {
	spec, err := bind.Bind(schema, tree, sql)
	if err == nil {
		if built, err := plan.Build(schema, spec, plan.Options{}); err == nil {
			return []dummy.Wish{{Spec: spec, Plan: built}}, nil
		}
	}
	q, ok, err := bind.Cut(schema, tree, sql)
	if err != nil || !ok {
		return nil, fmt.Errorf("cut %v: %w", ok, err)
	}
	var out []dummy.Wish
	for _, step := range q.Steps {
		built, err := plan.Build(schema, step, plan.Options{})
		if err != nil {
			return nil, err
		}
		out = append(out, dummy.Wish{Spec: step, Plan: built})
	}
	return out, nil
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
	text, err := d.json(sql)
	if err != nil {
		return nil, err
	}
	return rows, json.Unmarshal([]byte(text), &rows)
}

// json is a query's rows as a JSON list of objects.
func (d *database) json(sql string) (string, error) {
	var res duckdb.Result
	defer duckdb.DestroyResult(&res)
	if duckdb.Query(d.conn, "SELECT coalesce(CAST(to_json(list(t)) AS VARCHAR), '[]') FROM ("+sql+") t", &res) != duckdb.StateSuccess {
		return "", errors.New(duckdb.ResultError(&res))
	}
	chunk := duckdb.FetchChunk(res)
	defer duckdb.DestroyDataChunk(&chunk)
	return duckdb.StringTData((*duckdb.StringT)(duckdb.VectorGetData(duckdb.DataChunkGetVector(chunk, 0)))), nil
}

// something is a number that is not 0 in any row, also in a list or a text.
func something(rows []map[string]any) bool {
	for _, r := range rows {
		for _, v := range r {
			if strings.ContainsAny(fmt.Sprint(v), "123456789") {
				return true
			}
		}
	}
	return false
}
