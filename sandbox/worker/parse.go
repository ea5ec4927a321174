//go:build linux && cgo

package worker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"carrel/sandbox/wire"
)

// parser turns texts into syntax trees. It has a database because the engine wants one; the database is empty.
type parser struct {
	d    *database
	stmt duckdb.PreparedStatement
}

// newParser prepares the one statement that a parser ever runs: the text goes in as a bound value.
func newParser(d *database) (*parser, error) {
	p := &parser{d: d}
	if duckdb.Prepare(d.conn, "SELECT json_serialize_sql(?::VARCHAR)", &p.stmt) != duckdb.StateSuccess {
		duckdb.DestroyPrepare(&p.stmt)
		return nil, fmt.Errorf("prepare: %w", errEngine)
	}
	return p, d.lock()
}

// parse gives the syntax tree of exactly one SELECT.
func (p *parser) parse(sql []byte) ([]byte, *failure) {
	if code, offset := wire.CheckText(sql); code != "" {
		return nil, &failure{code, offset}
	}
	tree, f := p.serialize(string(sql))
	if f != nil {
		return nil, f
	}
	if len(tree) > wire.MaxTree {
		return nil, &failure{wire.CodeTooLong, -1}
	}
	if bytes.HasPrefix(tree, []byte(`{"error":true`)) {
		return nil, explain(tree)
	}
	return tree, p.count(string(sql))
}

// serialize runs the prepared statement. Every state is checked: a bind that failed would answer for the text before.
func (p *parser) serialize(sql string) ([]byte, *failure) {
	if duckdb.ClearBindings(p.stmt) != duckdb.StateSuccess || duckdb.BindVarchar(p.stmt, 1, sql) != duckdb.StateSuccess {
		return nil, &failure{wire.CodeEngine, -1}
	}
	var res duckdb.Result
	defer duckdb.DestroyResult(&res)
	if duckdb.ExecutePrepared(p.stmt, &res) != duckdb.StateSuccess {
		return nil, &failure{wire.CodeTooDeep, -1} // the text parsed or not is in the JSON; an error outside it is a limit
	}
	chunk := duckdb.FetchChunk(res)
	if chunk.Ptr == nil {
		return nil, &failure{wire.CodeEngine, -1}
	}
	defer duckdb.DestroyDataChunk(&chunk)
	if duckdb.DataChunkGetSize(chunk) != 1 {
		return nil, &failure{wire.CodeEngine, -1}
	}
	v := duckdb.DataChunkGetVector(chunk, 0)
	if mask := duckdb.VectorGetValidity(v); mask != nil && !duckdb.ValidityRowIsValid(mask, 0) {
		return nil, &failure{wire.CodeEngine, -1}
	}
	return []byte(duckdb.StringTData((*duckdb.StringT)(duckdb.VectorGetData(v)))), nil
}

// explain turns the parser's error into a code and a place. Its words quote the text and are dropped.
func explain(tree []byte) *failure {
	var e struct {
		Type     string `json:"error_type"`
		Message  string `json:"error_message"`
		Position string `json:"position"`
	}
	if json.Unmarshal(tree, &e) != nil {
		return &failure{wire.CodeEngine, -1}
	}
	offset := -1
	if n, err := strconv.Atoi(e.Position); err == nil && n >= 0 && n <= wire.MaxText {
		offset = n
	}
	switch {
	case strings.Contains(e.Message, "Only SELECT"):
		return &failure{wire.CodeSelect, -1}
	case strings.Contains(e.Message, "depth"), strings.Contains(e.Message, "exhausted"):
		return &failure{wire.CodeTooDeep, offset}
	}
	return &failure{wire.CodeSyntax, offset}
}

// count refuses a text with no statement or several: the tree's reader looks at the first.
func (p *parser) count(sql string) *failure {
	var all duckdb.ExtractedStatements
	defer duckdb.DestroyExtracted(&all)
	switch n := duckdb.ExtractStatements(p.d.conn, sql, &all); {
	case n == 0:
		return &failure{wire.CodeEmpty, -1}
	case n > 1:
		return &failure{wire.CodeMany, -1}
	}
	return nil
}
