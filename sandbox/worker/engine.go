//go:build linux && cgo

package worker

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unsafe"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"carrel/sandbox/wire"
)

// engine answers generated queries over one extract.
type engine struct {
	d     *database
	tally *tally
}

// openEngine maps the tables, registers a function and a view for each, and locks the configuration. Descriptors are
// consumed whatever happens.
func openEngine(d *database, m wire.Open, who choice, fds []int) (*engine, error) {
	e := &engine{d: d, tally: &tally{}}
	var first error
	for i, spec := range m.Tables {
		t, err := mapTable(spec, who, fds[i])
		if first != nil || err != nil {
			if first == nil {
				first = err
			}
			continue // the rest is mapped all the same, so that no descriptor stays open
		}
		if first = e.view(t, "carrel_scan_"+strconv.Itoa(i)); first != nil {
			continue
		}
	}
	if first != nil {
		return nil, first
	}
	return e, d.lock()
}

// view makes a table readable under its own name.
func (e *engine) view(t *table, function string) error {
	if err := register(e.d, function, &scanner{table: t, tally: e.tally}); err != nil {
		return fmt.Errorf("register: %w", err)
	}
	if err := e.d.exec("CREATE VIEW " + quote(t.name) + " AS SELECT * FROM " + function + "()"); err != nil {
		return fmt.Errorf("view: %w", err)
	}
	return nil
}

// quote makes an identifier of a name, whatever is in it.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// failure is a code on its way to the parent.
type failure struct {
	code   wire.Code
	offset int
}

// run answers one generated SELECT. Everything that can be refused before data is touched is refused first.
func (e *engine) run(m wire.Run, sql string) (wire.Rows, []byte, *failure) {
	e.tally.reset()
	stmt, fail := e.prepare(sql, m.Columns)
	if fail != nil {
		return wire.Rows{}, nil, fail
	}
	defer duckdb.DestroyPrepare(&stmt)
	stop := e.interruptAfter(time.Duration(m.Deadline) * time.Millisecond)
	var res duckdb.Result
	defer duckdb.DestroyResult(&res)
	state := duckdb.ExecutePrepared(stmt, &res)
	stop()
	if state != duckdb.StateSuccess {
		if duckdb.ResultErrorType(&res) == duckdb.ErrorTypeInterrupt {
			return wire.Rows{}, nil, &failure{wire.CodeDeadline, -1}
		}
		return wire.Rows{}, nil, &failure{wire.CodeEngine, -1}
	}
	columns, ok := collect(res, m.Columns, m.MaxRows)
	if !ok {
		return wire.Rows{}, nil, &failure{wire.CodeShape, -1}
	}
	rows := wire.Rows{Rows: len(columns[0]), Columns: m.Columns, Scans: e.tally.report()}
	return rows, wire.Pack(columns), nil
}

// prepare accepts exactly one SELECT with the asked number of BIGINT columns and no parameters.
func (e *engine) prepare(sql string, columns int) (duckdb.PreparedStatement, *failure) {
	var all duckdb.ExtractedStatements
	defer duckdb.DestroyExtracted(&all)
	var stmt duckdb.PreparedStatement
	if duckdb.ExtractStatements(e.d.conn, sql, &all) != 1 {
		return stmt, &failure{wire.CodeMany, -1}
	}
	if duckdb.PrepareExtractedStatement(e.d.conn, all, 0, &stmt) != duckdb.StateSuccess {
		duckdb.DestroyPrepare(&stmt)
		return stmt, &failure{wire.CodeEngine, -1}
	}
	ok := duckdb.PreparedStatementType(stmt) == duckdb.StatementTypeSelect && duckdb.NParams(stmt) == 0 &&
		duckdb.PreparedStatementColumnCount(stmt) == duckdb.IdxT(columns)
	for i := 0; ok && i < columns; i++ {
		ok = duckdb.PreparedStatementColumnType(stmt, duckdb.IdxT(i)) == duckdb.TypeBigInt
	}
	if !ok {
		duckdb.DestroyPrepare(&stmt)
		return stmt, &failure{wire.CodeShape, -1}
	}
	return stmt, nil
}

// interruptAfter asks the engine to stop at the deadline. The engine may not listen: the parent kills a little later. The
// returned function ends the watch and waits for an interrupt under way, so that it cannot hit the next query.
func (e *engine) interruptAfter(d time.Duration) func() {
	done := make(chan struct{})
	t := time.AfterFunc(d, func() {
		duckdb.Interrupt(e.d.conn)
		close(done)
	})
	return func() {
		if !t.Stop() {
			<-done
		}
	}
}

// collect copies the result out, column by column. A NULL, another type or too many rows is no answer.
func collect(res duckdb.Result, columns, maxRows int) ([][]int64, bool) {
	if duckdb.ColumnCount(&res) != duckdb.IdxT(columns) {
		return nil, false
	}
	out := make([][]int64, columns)
	for {
		chunk := duckdb.FetchChunk(res)
		if chunk.Ptr == nil {
			return out, true
		}
		ok := appendChunk(out, chunk, maxRows)
		duckdb.DestroyDataChunk(&chunk)
		if !ok {
			return nil, false
		}
	}
}

// appendChunk appends one chunk's rows.
func appendChunk(out [][]int64, chunk duckdb.DataChunk, maxRows int) bool {
	n := int(duckdb.DataChunkGetSize(chunk))
	if n > maxRows-len(out[0]) {
		return false
	}
	for i := range out {
		v := duckdb.DataChunkGetVector(chunk, duckdb.IdxT(i))
		if mask := duckdb.VectorGetValidity(v); mask != nil {
			for r := range n {
				if !duckdb.ValidityRowIsValid(mask, duckdb.IdxT(r)) {
					return false
				}
			}
		}
		out[i] = append(out[i], unsafe.Slice((*int64)(duckdb.VectorGetData(v)), n)...)
	}
	return true
}
