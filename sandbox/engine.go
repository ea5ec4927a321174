package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"carrel/anonymize/answer"
	"carrel/anonymize/ledger"
	"carrel/sandbox/wire"
)

// Errors of Run and Session. Compare with errors.Is.
var (
	// ErrBeforeData says that no query was given to a child: an honest fault of the machine, known from what the parent did
	// not send. The same reservation may run again. The text after it names the class of the fault.
	ErrBeforeData = errors.New("the sandbox could not start the query")
	// ErrUniform is every failure after a child was given the query. It carries nothing else, on purpose: which failure it was
	// may depend on one person's rows. The charge stays.
	ErrUniform = errors.New("the query failed after it was started; its charge stays")
	// ErrTooLarge says that an extract does not fit into the memory that the machine has free. It comes with ErrBeforeData.
	ErrTooLarge = errors.New("the extract does not fit into the machine's free memory; a larger machine or a smaller extract is needed")
	// ErrUnsupported says that this system cannot hold the jail.
	ErrUnsupported = errors.New("the sandbox needs Linux 6.7 or newer")
)

// Source is one extract, ready to be scanned. Implementations are immutable.
type Source interface {
	// ID names the content: two sources with one ID have the same bytes.
	ID() string
	// Tables lists the tables, at most 32.
	Tables() []SourceTable
	// Choice says whose rows scans give.
	Choice() Choice
}

// Choice leaves persons out of every scan of an extract, before there is a query. The zero value leaves nobody out.
type Choice struct {
	// Version names the choice: two choices of one extract with one version are the same, and children are not shared between versions.
	Version string
	// Persons are numbers of the extract, ascending, each once. Their rows are left out; with Only, everybody else's are.
	Persons []uint32
	Only    bool
}

// String keeps persons out of logs.
func (c Choice) String() string { return "sandbox.Choice(" + c.Version + ")" }

// GoString keeps persons out of logs.
func (c Choice) GoString() string { return c.String() }

// LogValue keeps persons out of logs.
func (c Choice) LogValue() slog.Value { return slog.StringValue(c.String()) }

// SourceTable is one table of a source.
type SourceTable struct {
	Name    string
	Rows    int64  // as the manifest says; a scan with another number is a failure
	Unit    string // the column of persons' numbers; a public table has none
	Columns []SourceColumn
	// Plain opens the plaintext Arrow IPC file and says its size in bytes. It is called once for as long as any session
	// holds the table.
	Plain func() (io.ReadCloser, int64, error)
}

// SourceColumn is a column: its name and its Arrow integer type, "uint8", "uint16", "uint32", "int8" … "int64".
type SourceColumn struct{ Name, Type string }

// Engine is what the broker needs of a place where queries run. Pool is the one that ships; a cluster may stand in.
type Engine interface {
	// Parse gives the syntax tree of one SELECT as DuckDB's json_serialize_sql writes it (the whole document, with "statements").
	// The error is a *ParseError when the text is at fault.
	Parse(ctx context.Context, sql string) (json.RawMessage, error)
	// View evaluates a user's SQL over noised tables where there are no data. The error is a *ViewError when the text is at fault.
	View(ctx context.Context, v View, maxRows int) (ViewTable, error)
	// Open prepares to run queries over a source for a key (the grant). Errors wrap ErrBeforeData.
	Open(ctx context.Context, key string, src Source) (Runner, error)
	// Close ends all children and waits for them.
	Close() error
}

// Holds says whether an answer of so many rows and columns can come back at all. Whoever charges asks it with the plan's own bound on
// rows first: a limit that is met only when the query has run would fail by how many cells the data fill.
func Holds(rows int64, columns int) bool {
	return rows >= 1 && columns >= 1 && columns <= maxColumns && rows <= int64(wire.MaxCells/columns)
}

// maxColumns bounds the columns of one answer.
const maxColumns = 1 << 12

// Runner runs generated queries over one source for one key.
type Runner interface {
	// Run evaluates the generated SQL of one plan, one answer a statement. Errors wrap ErrBeforeData or are ErrUniform. Before the first
	// byte goes to whoever holds data it calls st.Give.
	Run(ctx context.Context, st *ledger.Started, statements []Statement) ([]answer.Aggregates, error)
}

// Statement is one generated SELECT.
type Statement struct {
	SQL     string
	Columns int      // result columns, all BIGINT and never NULL
	Tables  []string // that it reads
	// Skips: the engine may leave a table unread, or stop reading it, although the answer is not empty, because what it is joined with
	// inside a subquery is.
	Skips bool
}

// ParseError says that a text is not one SELECT. It never holds any of the text.
type ParseError struct {
	Code    string // too-long, text, empty, syntax, select, many, too-deep, too-slow
	Message string // one English sentence
	Offset  int    // byte in the text, from 0; -1 when unknown
}

// Error is the message.
func (e *ParseError) Error() string { return e.Message }

// Config configures a Pool. Zero values take the defaults in brackets.
type Config struct {
	Binary        string        // path of carrel-sandbox; no default
	MemoryLimit   int64         // bytes a child may use, the engine's buffers included [2 GiB, at least 512 MiB]
	Threads       int           // threads of a query [2]
	Deadline      time.Duration // of one query [30 s]
	Grace         time.Duration // from the deadline to the kill [1 s]
	ParseDeadline time.Duration // of one parse, then the kill [1 s]
	Sessions      int           // engine children at most; the least recently used idle one goes first [8]
	JobsPerChild  int           // jobs until a child is replaced [1000]
	Parsers       int           // parser children [2]
	Spares        int           // warm engine children without data [1]
	Viewers       int           // warm children for SQL over noised tables, each used once; a question takes two, to look at its text and to answer [2]
	Views         int           // views at one time; further ones wait [4]
	ViewDeadline  time.Duration // of one view, then the kill [5 s]
	Logger        *slog.Logger  // [discards]
	// Free says how many bytes of memory the machine has free; an extract that needs more is refused before it is copied [/proc/meminfo].
	Free func() (int64, error)
}

// withDefaults fills what is zero and refuses what is senseless.
func (c Config) withDefaults() (Config, error) {
	set := func(p *int, d int) {
		if *p == 0 {
			*p = d
		}
	}
	setD := func(p *time.Duration, d time.Duration) {
		if *p == 0 {
			*p = d
		}
	}
	if c.MemoryLimit == 0 {
		c.MemoryLimit = 2 << 30
	}
	set(&c.Threads, 2)
	set(&c.Sessions, 8)
	set(&c.JobsPerChild, 1000)
	set(&c.Parsers, 2)
	set(&c.Spares, 1)
	set(&c.Viewers, 2)
	set(&c.Views, 4)
	setD(&c.ViewDeadline, 5*time.Second)
	setD(&c.Deadline, 30*time.Second)
	setD(&c.Grace, time.Second)
	setD(&c.ParseDeadline, time.Second)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	switch {
	case c.Binary == "":
		return c, errors.New("sandbox: no path of carrel-sandbox in the configuration")
	case c.MemoryLimit < 512<<20:
		return c, errors.New("sandbox: memory limit below 512 MiB")
	case c.Threads < 1 || c.Threads > 64, c.Sessions < 1, c.JobsPerChild < 1, c.Parsers < 1, c.Spares < 0, c.Viewers < 0, c.Views < 1:
		return c, errors.New("sandbox: a limit in the configuration limits nothing")
	case c.Deadline < time.Millisecond || c.Deadline > 24*time.Hour, c.Grace < 0, c.ParseDeadline < time.Millisecond, c.ViewDeadline < time.Millisecond:
		return c, errors.New("sandbox: a deadline in the configuration is not usable")
	}
	return c, nil
}

// beforeData wraps an honest fault. why is a class, never data.
func beforeData(why string, err error) error {
	if err == nil {
		return fmt.Errorf("%w: %s", ErrBeforeData, why)
	}
	return fmt.Errorf("%w: %s: %w", ErrBeforeData, why, err)
}
