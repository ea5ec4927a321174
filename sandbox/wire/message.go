package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Role is what a child is for, for its whole life. A parser never sees data; an engine never sees a user's text; a viewer sees a user's
// text and noised tables, never data.
type Role string

// The roles.
const (
	RoleParser Role = "parser"
	RoleEngine Role = "engine"
	RoleViewer Role = "viewer"
)

// Init is the first frame: the child's role and limits.
type Init struct {
	Role    Role   `json:"role"`
	Threads int    `json:"threads"` // of the engine, 1 to 64
	Memory  int64  `json:"memory"`  // the engine's own limit, bytes
	Data    uint64 `json:"data"`    // RLIMIT_DATA, bytes: above it an allocation fails
}

// Validate refuses limits that limit nothing.
func (m Init) Validate() error {
	switch {
	case m.Role != RoleParser && m.Role != RoleEngine && m.Role != RoleViewer:
		return errors.New("init: no such role")
	case m.Threads < 1 || m.Threads > 64:
		return errors.New("init: threads outside 1..64")
	case m.Memory < 32<<20 || m.Memory > 1<<44:
		return errors.New("init: memory outside 32 MiB..16 TiB")
	case m.Data < 128<<20 || m.Data > 1<<45:
		return errors.New("init: data limit outside 128 MiB..32 TiB")
	}
	return nil
}

// Ready says that the child is confined.
type Ready struct {
	Engine   string `json:"engine"`   // version of the engine library
	Landlock int    `json:"landlock"` // ABI of the kernel, as enforced
}

// Validate bounds what a hostile child may make the broker log.
func (m Ready) Validate() error {
	if len(m.Engine) == 0 || len(m.Engine) > 32 || !validName(m.Engine) {
		return errors.New("ready: not a version")
	}
	if m.Landlock < 1 || m.Landlock > 1000 {
		return errors.New("ready: no landlock")
	}
	return nil
}

// Parse asks for the syntax tree of the payload.
type Parse struct{}

// Validate has nothing to refuse.
func (Parse) Validate() error { return nil }

// Tree carries a syntax tree as its payload.
type Tree struct{}

// Validate has nothing to refuse.
func (Tree) Validate() error { return nil }

// Column is one column of a table: a name and an Arrow integer type ("uint8" … "int64"; no "uint64").
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Table is one table of an extract; its plaintext is the descriptor at the same place in the frame.
type Table struct {
	Name    string   `json:"name"`
	Rows    int64    `json:"rows"`           // as the manifest says; the child refuses a file with another number
	Size    int64    `json:"size"`           // bytes of the file
	Unit    string   `json:"unit,omitempty"` // the column of persons' numbers; a public table has none
	Columns []Column `json:"columns"`
}

// Open hands over the tables of one extract. The payload is the list of Persons (see Persons) whose rows no scan gives, or, with Only, whose
// rows alone a scan gives.
type Open struct {
	Tables  []Table `json:"tables"`
	Persons int     `json:"persons,omitempty"`
	Only    bool    `json:"only,omitempty"`
}

// Width is the width of an Arrow integer type in bytes, 0 for any other type.
func Width(arrowType string) int {
	switch arrowType {
	case "int8", "uint8":
		return 1
	case "int16", "uint16":
		return 2
	case "int32", "uint32":
		return 4
	case "int64":
		return 8
	}
	return 0
}

// validName keeps names printable and quotable: letters, digits, '_', '-', '.', at most 63 bytes.
func validName(s string) bool {
	if len(s) == 0 || len(s) > 63 {
		return false
	}
	for _, c := range []byte(s) {
		ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.'
		if !ok {
			return false
		}
	}
	return true
}

// Validate refuses names that could not be quoted, types that are no integers and names that differ only in case (the
// engine folds case, so they would shadow each other).
func (m Open) Validate() error {
	if len(m.Tables) == 0 || len(m.Tables) > MaxTables {
		return fmt.Errorf("open: tables outside 1..%d", MaxTables)
	}
	tables := map[string]bool{}
	for _, t := range m.Tables {
		if !validName(t.Name) || tables[strings.ToLower(t.Name)] {
			return errors.New("open: a table's name is not usable")
		}
		tables[strings.ToLower(t.Name)] = true
		if t.Rows < 0 || t.Rows > 1<<40 || t.Size <= 0 {
			return errors.New("open: a table's size is not usable")
		}
		if len(t.Columns) == 0 || len(t.Columns) > 512 {
			return errors.New("open: columns outside 1..512")
		}
		columns := map[string]bool{}
		for _, c := range t.Columns {
			if !validName(c.Name) || columns[strings.ToLower(c.Name)] || Width(c.Type) == 0 {
				return errors.New("open: a column is not usable")
			}
			columns[strings.ToLower(c.Name)] = true
		}
	}
	return m.checkChoice()
}

// Opened says that the tables are there, and how many persons the list named that their scans obey.
type Opened struct {
	Persons int  `json:"persons,omitempty"`
	Only    bool `json:"only,omitempty"`
}

// Validate has nothing to refuse: the parent compares.
func (Opened) Validate() error { return nil }

// Run asks for the answer of one generated query, the payload.
type Run struct {
	Columns  int   `json:"columns"`  // result columns, all BIGINT
	MaxRows  int   `json:"max_rows"` // above it the answer is a failure
	Deadline int64 `json:"deadline"` // milliseconds until the child interrupts itself
}

// Validate refuses an answer that would not fit a frame.
func (m Run) Validate() error {
	switch {
	case m.Columns < 1 || m.Columns > 1<<12:
		return errors.New("run: columns outside 1..4096")
	case m.MaxRows < 1 || m.MaxRows > MaxCells/m.Columns:
		return errors.New("run: too many cells")
	case m.Deadline < 1 || m.Deadline > math.MaxInt32:
		return errors.New("run: no deadline")
	}
	return nil
}

// Scan is what one scan of one table did: the rows it gave to the engine, and whether it came to its end. The engine stops
// a scan early only when the rest cannot matter (the other side of an inner join is empty). Left are the table's rows that the list of persons
// keeps from every scan.
type Scan struct {
	Table    string `json:"table"`
	Rows     int64  `json:"rows"`
	Left     int64  `json:"left,omitempty"`
	Complete bool   `json:"complete"`
}

// Rows carries an answer: Rows × Columns int64, column-major, little endian.
type Rows struct {
	Rows    int    `json:"rows"`
	Columns int    `json:"columns"`
	Scans   []Scan `json:"scans"`
}

// Validate bounds the numbers; Cells checks them against the payload.
func (m Rows) Validate() error {
	if m.Columns < 1 || m.Columns > 1<<12 || m.Rows < 0 || m.Rows > MaxCells/m.Columns {
		return errors.New("rows: too many cells")
	}
	if len(m.Scans) > 1024 {
		return errors.New("rows: too many scans")
	}
	for _, s := range m.Scans {
		if s.Rows < 0 || s.Left < 0 || s.Left > 1<<40 || !validName(s.Table) {
			return errors.New("rows: a scan is not usable")
		}
	}
	return nil
}

// Pack lays columns out as a payload. All columns have the same length.
func Pack(columns [][]int64) []byte {
	var n int
	for _, c := range columns {
		n += len(c)
	}
	b := make([]byte, 0, n*8)
	for _, c := range columns {
		for _, v := range c {
			b = binary.LittleEndian.AppendUint64(b, uint64(v))
		}
	}
	return b
}

// Cells reads a payload back; its size must be exactly what the header says.
func Cells(m Rows, payload []byte) ([][]int64, error) {
	if len(payload) != m.Rows*m.Columns*8 {
		return nil, fmt.Errorf("%w: payload is not rows × columns", ErrFrame)
	}
	all := make([]int64, m.Rows*m.Columns)
	for i := range all {
		all[i] = int64(binary.LittleEndian.Uint64(payload[i*8:]))
	}
	columns := make([][]int64, m.Columns)
	for i := range columns {
		columns[i] = all[i*m.Rows : (i+1)*m.Rows : (i+1)*m.Rows]
	}
	return columns, nil
}

// CheckText refuses a user's text that no parser need see: too long, or not text. Both sides ask it. The offset is the first
// bad byte, -1 when there is none to point at; the code is empty when the text is fine.
func CheckText(sql []byte) (Code, int) {
	if len(sql) > MaxText {
		return CodeTooLong, -1
	}
	if i := bytes.IndexByte(sql, 0); i >= 0 {
		return CodeText, i
	}
	for i := 0; i < len(sql); {
		r, n := utf8.DecodeRune(sql[i:])
		if r == utf8.RuneError && n == 1 {
			return CodeText, i
		}
		i += n
	}
	return "", -1
}

// Code is why a child could not answer. It is all that it may say: never a value, never the engine's text.
type Code string

// The codes of failures.
const (
	CodeConfine  Code = "confine"  // the kernel cannot hold the jail
	CodeProtocol Code = "protocol" // the frame was not expected
	CodeTable    Code = "table"    // a table's file is not what the manifest says
	CodeEngine   Code = "engine"   // the engine failed or ran out of memory
	CodeDeadline Code = "deadline" // interrupted at the deadline
	CodeShape    Code = "shape"    // the answer has other columns, a NULL or too many rows
	CodeSyntax   Code = "syntax"   // the text does not parse; Offset may be known
	CodeTooLong  Code = "too-long" // the text or its tree is too long
	CodeText     Code = "text"     // the text is not UTF-8 or holds NUL
	CodeEmpty    Code = "empty"    // no statement in the text
	CodeSelect   Code = "select"   // not a SELECT
	CodeMany     Code = "many"     // more than one statement
	CodeTooDeep  Code = "too-deep" // nested too deeply
	CodeBind     Code = "bind"     // of a view: a name or a type does not fit
)

// Fail is a failure. Offset is the byte in the text where it was seen, -1 when unknown; only a parser knows one. Words are the engine's own,
// of a viewer alone: whoever asks another role must not read them.
type Fail struct {
	Code   Code   `json:"code"`
	Offset int    `json:"offset"`
	Words  string `json:"words,omitempty"`
}

// MaxWords bounds the engine's words in a failure, in bytes.
const MaxWords = 400

// Validate refuses codes outside the list.
func (m Fail) Validate() error {
	switch m.Code {
	case CodeConfine, CodeProtocol, CodeTable, CodeEngine, CodeDeadline, CodeShape, CodeSyntax, CodeTooLong, CodeText, CodeEmpty,
		CodeSelect, CodeMany, CodeTooDeep, CodeBind:
	default:
		return errors.New("fail: no such code")
	}
	if m.Offset < -1 || m.Offset > MaxText {
		return errors.New("fail: offset outside the text")
	}
	if len(m.Words) > MaxWords || !utf8.ValidString(m.Words) || strings.ContainsFunc(m.Words, unicode.IsControl) {
		return errors.New("fail: words that are no line")
	}
	return nil
}
