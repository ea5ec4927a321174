//go:build linux && cgo

package worker

import (
	"encoding/json"

	duckdb "github.com/duckdb/duckdb-go-bindings"
	"golang.org/x/sys/unix"

	"carrel/sandbox/breakout"
	"carrel/sandbox/wire"
)

// attempt is the child of a report: confined as any other of its role, it makes attempts to break out instead of answering, says on the socket how
// each ended, and ends. It never holds data: no frame but the first is read.
func attempt(s *socket, task string, w walls) int {
	if err := attempted(s, task, w); err != nil {
		return exitFailed
	}
	return exitDone
}

func attempted(s *socket, task string, w walls) error {
	var t breakout.Task
	if err := json.Unmarshal([]byte(task), &t); err != nil {
		return err //nolint:wrapcheck // nobody is told
	}
	f, err := wire.Read(s, wire.KindInit)
	if err != nil {
		return err //nolint:wrapcheck // nobody is told
	}
	var m wire.Init
	if err := wire.Decode(f, &m); err != nil {
		return err //nolint:wrapcheck // nobody is told
	}
	if len(t.SQL) > 0 {
		return hostile(s, m, t.SQL, w)
	}
	return breakout.Inside(t, func(between func() error) error { //nolint:wrapcheck // nobody is told
		paths := w.paths
		w.paths = func() (int, error) {
			abi, err := paths()
			if err != nil {
				return 0, err
			}
			return abi, between()
		}
		_, _, err := confined(m, w)
		return err
	}, s.ready, s.say)
}

// hostile gives statements to the engine of a child of a role, made ready as for its work.
func hostile(s *socket, m wire.Init, statements []string, w walls) error {
	d, _, err := confined(m, w)
	if err != nil {
		return err
	}
	lock := d.lock
	if m.Role == wire.RoleViewer {
		lock = func() error { _, err := newViewer(d); return err }
	}
	if err := lock(); err != nil {
		return err
	}
	if err := s.ready(); err != nil {
		return err
	}
	for _, sql := range statements {
		if err := s.say(d.hostile(sql)); err != nil {
			return err
		}
	}
	return nil
}

// say writes how an attempt ended.
func (s *socket) say(end string) error {
	_, err := unix.Write(s.fd, []byte(end+"\n"))
	return err //nolint:wrapcheck // nobody is told
}

// ready tells the parent that the walls are closed and the attempt begins.
func (s *socket) ready() error {
	_, err := unix.Write(s.fd, []byte(breakout.Ready))
	return err //nolint:wrapcheck // nobody is told
}

// hostile gives a statement to the engine itself, without the child's rule that only a SELECT of integers runs, and names its class of error.
func (d *database) hostile(sql string) string {
	var res duckdb.Result
	defer duckdb.DestroyResult(&res)
	if duckdb.Query(d.conn, sql, &res) == duckdb.StateSuccess {
		return breakout.Escaped
	}
	switch duckdb.ResultErrorType(&res) {
	case duckdb.ErrorTypePermission:
		return "engine: permission"
	case duckdb.ErrorTypeErrorIO:
		return "engine: io"
	case duckdb.ErrorTypeOutOfMemory:
		return "engine: memory"
	case duckdb.ErrorTypeOutOfRange:
		return "engine: range"
	case duckdb.ErrorTypeInvalidInput, duckdb.ErrorTypeInvalidConfiguration, duckdb.ErrorTypeSettings:
		return "engine: input"
	case duckdb.ErrorTypeMissingExtension, duckdb.ErrorTypeAutoload:
		return "engine: extension"
	case duckdb.ErrorTypeCatalog, duckdb.ErrorTypeBinder:
		return "engine: unknown name"
	case duckdb.ErrorTypeParser, duckdb.ErrorTypeSyntax:
		return "engine: syntax"
	default:
		return "engine: other"
	}
}
