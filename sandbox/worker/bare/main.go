//go:build linux && cgo

// Command bare answers SQL with plain DuckDB: what a researcher would use who has the data on his own machine. `make bench`
// compares Carrel with it. It reads one JSON object a line, {"sql": …}, and writes one, {"ms": …, "rows": …} or {"error": …};
// the time is from the text to the last row fetched. It promises the same threads and memory as Carrel's child gets, and
// nothing else: no jail, no limit, no secrecy; it is never installed and never started by the service.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	duckdb "github.com/duckdb/duckdb-go-bindings"
)

type question struct {
	SQL string `json:"sql"`
}

type reply struct {
	MS    float64 `json:"ms"`
	Rows  int64   `json:"rows"`
	Error string  `json:"error,omitempty"`
}

func main() {
	db := flag.String("db", "", "database file; empty: in memory")
	threads := flag.String("threads", "2", "threads of a query")
	memory := flag.String("memory", "3072MiB", "memory limit of the engine")
	flag.Parse()
	if err := run(*db, *threads, *memory, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bare:", err)
		os.Exit(1)
	}
}

func run(file, threads, memory string, in io.Reader, out io.Writer) error {
	var cfg duckdb.Config
	if duckdb.CreateConfig(&cfg) != duckdb.StateSuccess {
		return errors.New("no configuration")
	}
	defer duckdb.DestroyConfig(&cfg)
	for name, value := range map[string]string{"threads": threads, "memory_limit": memory} {
		if duckdb.SetConfig(cfg, name, value) != duckdb.StateSuccess {
			return fmt.Errorf("setting %s", name)
		}
	}
	var db duckdb.Database
	var text string
	if duckdb.OpenExt(file, &db, cfg, &text) != duckdb.StateSuccess {
		return errors.New(text)
	}
	defer duckdb.Close(&db)
	var conn duckdb.Connection
	if duckdb.Connect(db, &conn) != duckdb.StateSuccess {
		return errors.New("connect")
	}
	defer duckdb.Disconnect(&conn)
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			return fmt.Errorf("read a question: %w", err)
		}
		if err := json.NewEncoder(out).Encode(answer(conn, q.SQL)); err != nil {
			return fmt.Errorf("write an answer: %w", err)
		}
	}
	return lines.Err()
}

// answer runs one statement and fetches all its rows.
func answer(conn duckdb.Connection, sql string) reply {
	start := time.Now()
	var res duckdb.Result
	defer duckdb.DestroyResult(&res)
	if duckdb.Query(conn, sql, &res) != duckdb.StateSuccess {
		return reply{Error: duckdb.ResultError(&res)}
	}
	rows := int64(0)
	for {
		chunk := duckdb.FetchChunk(res)
		if chunk.Ptr == nil {
			break
		}
		rows += int64(duckdb.DataChunkGetSize(chunk))
		duckdb.DestroyDataChunk(&chunk)
	}
	return reply{MS: float64(time.Since(start).Nanoseconds()) / 1e6, Rows: rows}
}
