//go:build linux && cgo

package worker

import (
	"encoding/json"

	duckdb "github.com/duckdb/duckdb-go-bindings"
	"golang.org/x/sys/unix"

	"carrel/sandbox/breakout"
	"carrel/sandbox/wire"
)

// attempt is the child of a report: confined as any other, it makes one attempt to break out instead of answering, says on the socket how that
// ended, and ends. It never holds data: no frame but the first is read.
func attempt(s *socket, name, target string, w walls) int {
	end, err := attempted(s, name, target, w)
	if err != nil {
		return exitFailed
	}
	if _, err := unix.Write(s.fd, []byte(end)); err != nil {
		return exitFailed
	}
	return exitDone
}

func attempted(s *socket, name, target string, w walls) (string, error) {
	var t breakout.Target
	if err := json.Unmarshal([]byte(target), &t); err != nil {
		return "", err //nolint:wrapcheck // nobody is told
	}
	f, err := wire.Read(s, wire.KindInit)
	if err != nil {
		return "", err //nolint:wrapcheck // nobody is told
	}
	var m wire.Init
	if err := wire.Decode(f, &m); err != nil {
		return "", err //nolint:wrapcheck // nobody is told
	}
	if t.SQL != "" {
		d, _, err := confined(m, w)
		if err != nil {
			return "", err
		}
		if err := d.lock(); err != nil {
			return "", err
		}
		if err := s.ready(); err != nil {
			return "", err
		}
		return d.hostile(t.SQL), nil
	}
	name, alone := breakout.Alone(name)
	a, ok := breakout.Find(name)
	if !ok {
		return "", errEngine
	}
	return a.Inside(t, func(between func() error) error { //nolint:wrapcheck // nobody is told
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
	}, alone, s.ready)
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
