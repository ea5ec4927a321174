//go:build linux && cgo

package worker

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
	"unsafe"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"carrel/sandbox/wire"
)

// viewer runs a user's SQL over tables that were noised. It never holds data, so its errors may be said in the engine's words, and one
// that is taken over by its text has nothing to tell. The parent uses it once.
type viewer struct{ d *database }

// newViewer keeps rows in their order, so that the same tables and text give the same answer, and locks the configuration.
func newViewer(d *database) (*viewer, error) {
	if err := d.exec("SET preserve_insertion_order = true"); err != nil {
		return nil, fmt.Errorf("order of rows: %w", err)
	}
	return &viewer{d: d}, d.lock()
}

// serve answers one view.
func (v *viewer) serve(s *socket, ready wire.Ready) error {
	if err := s.send(wire.KindReady, ready, nil); err != nil {
		return err
	}
	f, err := wire.Read(s, wire.KindView)
	if err != nil {
		return ended(err)
	}
	var m wire.View
	if err := wire.Decode(f, &m); err != nil {
		return err
	}
	out, fail := v.view(m, f.Payload)
	if fail != nil {
		return s.send(wire.KindFail, *fail, nil)
	}
	payload, err := json.Marshal(out)
	if err != nil || len(payload) > wire.MaxView {
		return s.send(wire.KindFail, wire.Fail{Code: wire.CodeShape, Offset: -1}, nil)
	}
	return s.send(wire.KindViewed, wire.Viewed{}, payload)
}

// answerTable holds what the user's SELECT made.
const answerTable = "carrel_answer"

func (v *viewer) view(m wire.View, payload []byte) (*wire.ViewTable, *wire.Fail) {
	var body wire.ViewBody
	if err := json.Unmarshal(payload, &body); err != nil {
		return nil, &wire.Fail{Code: wire.CodeProtocol, Offset: -1}
	}
	for _, t := range body.Tables {
		if err := t.Check(true); err != nil {
			return nil, &wire.Fail{Code: wire.CodeProtocol, Offset: -1}
		}
		if fail := v.load(t); fail != nil {
			return nil, fail
		}
	}
	text, fail := v.texts("SELECT json_deserialize_sql(?::JSON)", string(body.Tree), 2)
	if fail != nil || len(text) != 1 || text[0] == nil {
		return nil, &wire.Fail{Code: wire.CodeShape, Offset: -1} // what was a tree of the parser can be written again
	}
	stop := (&engine{d: v.d}).interruptAfter(time.Duration(m.Deadline) * time.Millisecond)
	defer stop()
	if fail := v.run("CREATE TEMP TABLE " + answerTable + " AS " + *text[0]); fail != nil {
		return nil, fail
	}
	return v.answer(m.MaxRows)
}

// load makes a table of ours. Names and types were checked; the rows are one bound value.
func (v *viewer) load(t wire.ViewTable) *wire.Fail {
	var shape, columns []string
	rows := make([]map[string]any, len(t.Rows))
	for i := range rows {
		rows[i] = map[string]any{}
	}
	for i, c := range t.Columns {
		shape = append(shape, fmt.Sprintf("%q:%q", c.Name, c.Type))
		columns = append(columns, "r."+quote(c.Name))
		for r := range rows {
			rows[r][c.Name] = t.Rows[r][i]
		}
	}
	b, err := json.Marshal(rows)
	if err != nil {
		return &wire.Fail{Code: wire.CodeProtocol, Offset: -1}
	}
	_, fail := v.texts("CREATE TABLE "+quote(t.Name)+" AS SELECT "+strings.Join(columns, ", ")+
		" FROM (SELECT unnest(from_json_strict(?::JSON, '[{"+strings.Join(shape, ",")+"}]')) AS r)", string(b), 1)
	return fail
}

// answer reads what was made: names and types, then the rows in their order, each as one JSON array.
func (v *viewer) answer(maxRows int) (*wire.ViewTable, *wire.Fail) {
	out := &wire.ViewTable{Rows: [][]any{}}
	cells, fail := v.columns(out)
	if fail != nil {
		return nil, fail
	}
	maxRows = min(maxRows, wire.MaxCells/len(out.Columns))
	rows, fail := v.texts("SELECT json_array("+strings.Join(cells, ", ")+")::VARCHAR FROM "+answerTable+" ORDER BY rowid", "", maxRows)
	if fail != nil {
		return nil, fail
	}
	size := 0
	for _, r := range rows {
		var row []any
		if r == nil || json.Unmarshal([]byte(*r), &row) != nil {
			return nil, &wire.Fail{Code: wire.CodeShape, Offset: -1}
		}
		if size += len(*r); size > wire.MaxView {
			return nil, &wire.Fail{Code: wire.CodeShape, Offset: -1}
		}
		out.Rows = append(out.Rows, row)
	}
	return out, nil
}

// columns fills the names and types of the answer and gives an expression for each that JSON can hold: NaN and infinity are no number.
func (v *viewer) columns(out *wire.ViewTable) ([]string, *wire.Fail) {
	var stmt duckdb.PreparedStatement
	defer duckdb.DestroyPrepare(&stmt)
	if duckdb.Prepare(v.d.conn, "SELECT * FROM "+answerTable, &stmt) != duckdb.StateSuccess {
		return nil, &wire.Fail{Code: wire.CodeEngine, Offset: -1}
	}
	var cells []string
	for i := range duckdb.PreparedStatementColumnCount(stmt) {
		c := wire.ViewColumn{Name: duckdb.PreparedStatementColumnName(stmt, i), Type: wire.TypeText}
		cell := quote(c.Name)
		switch duckdb.PreparedStatementColumnType(stmt, i) {
		case duckdb.TypeBoolean:
			c.Type = wire.TypeTruth
		case duckdb.TypeTinyInt, duckdb.TypeSmallInt, duckdb.TypeInteger, duckdb.TypeBigInt, duckdb.TypeUTinyInt, duckdb.TypeUSmallInt, duckdb.TypeUInteger:
			c.Type = wire.TypeWhole
		case duckdb.TypeUBigInt, duckdb.TypeHugeInt, duckdb.TypeUHugeInt, duckdb.TypeDecimal, duckdb.TypeFloat, duckdb.TypeDouble:
			c.Type = wire.TypeReal
			cell = "CASE WHEN isfinite(" + cell + "::DOUBLE) THEN " + cell + "::DOUBLE END"
		case duckdb.TypeDate:
			c.Type = wire.TypeDay
			cell += "::VARCHAR"
		default:
			cell += "::VARCHAR"
		}
		out.Columns, cells = append(out.Columns, c), append(cells, cell)
	}
	if len(cells) == 0 || len(cells) > 1<<12 {
		return nil, &wire.Fail{Code: wire.CodeShape, Offset: -1}
	}
	return cells, nil
}

// run executes one statement made of the user's text.
func (v *viewer) run(sql string) *wire.Fail {
	var all duckdb.ExtractedStatements
	defer duckdb.DestroyExtracted(&all)
	var stmt duckdb.PreparedStatement
	defer duckdb.DestroyPrepare(&stmt)
	if duckdb.ExtractStatements(v.d.conn, sql, &all) != 1 {
		return &wire.Fail{Code: wire.CodeMany, Offset: -1}
	}
	if duckdb.PrepareExtractedStatement(v.d.conn, all, 0, &stmt) != duckdb.StateSuccess {
		return &wire.Fail{Code: wire.CodeBind, Offset: -1, Words: words(duckdb.PrepareError(stmt))}
	}
	var res duckdb.Result
	defer duckdb.DestroyResult(&res)
	if duckdb.ExecutePrepared(stmt, &res) == duckdb.StateSuccess {
		return nil
	}
	switch duckdb.ResultErrorType(&res) {
	case duckdb.ErrorTypeInterrupt:
		return &wire.Fail{Code: wire.CodeDeadline, Offset: -1}
	default:
		return &wire.Fail{Code: wire.CodeEngine, Offset: -1, Words: words(duckdb.ResultError(&res))}
	}
}

// texts runs a statement of ours with one bound text, if there is one, and gives its first column; more rows than limit is a failure.
func (v *viewer) texts(sql, bound string, limit int) ([]*string, *wire.Fail) {
	failed := &wire.Fail{Code: wire.CodeEngine, Offset: -1}
	var stmt duckdb.PreparedStatement
	defer duckdb.DestroyPrepare(&stmt)
	if duckdb.Prepare(v.d.conn, sql, &stmt) != duckdb.StateSuccess {
		return nil, failed
	}
	if duckdb.NParams(stmt) == 1 && duckdb.BindVarchar(stmt, 1, bound) != duckdb.StateSuccess {
		return nil, failed
	}
	var res duckdb.Result
	defer duckdb.DestroyResult(&res)
	if duckdb.ExecutePrepared(stmt, &res) != duckdb.StateSuccess {
		return nil, failed
	}
	var out []*string
	for {
		chunk := duckdb.FetchChunk(res)
		if chunk.Ptr == nil {
			return out, nil
		}
		n := int(duckdb.DataChunkGetSize(chunk))
		if n > limit-len(out) {
			duckdb.DestroyDataChunk(&chunk)
			return nil, &wire.Fail{Code: wire.CodeShape, Offset: -1}
		}
		out = append(out, column(chunk, n)...)
		duckdb.DestroyDataChunk(&chunk)
	}
}

// column copies the texts of a chunk's first column; what holds numbers (the count of a CREATE) is no text and not read.
func column(chunk duckdb.DataChunk, n int) []*string {
	v := duckdb.DataChunkGetVector(chunk, 0)
	kind := duckdb.VectorGetColumnType(v)
	defer duckdb.DestroyLogicalType(&kind)
	out := make([]*string, n)
	if duckdb.GetTypeId(kind) != duckdb.TypeVarchar {
		return out
	}
	mask, cells := duckdb.VectorGetValidity(v), unsafe.Slice((*duckdb.StringT)(duckdb.VectorGetData(v)), n)
	for i := range out {
		if mask == nil || duckdb.ValidityRowIsValid(mask, duckdb.IdxT(i)) {
			s := duckdb.StringTData(&cells[i])
			out[i] = &s
		}
	}
	return out
}

// words is the first line of an error of the engine, short.
func words(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	for len(s) > wire.MaxWords {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}
