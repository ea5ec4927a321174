//go:build linux && cgo

package worker

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	duckdb "github.com/duckdb/duckdb-go-bindings"
	"golang.org/x/sys/unix"

	"carrel/sandbox/breakout"
	"carrel/sandbox/confine"
	"carrel/sandbox/wire"
)

// Exit statuses of Main.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// socketFD is where the parent puts the socket: the first descriptor after the standard three.
const socketFD = 3

// Main is the whole child. args are the arguments after the program's name. It returns the exit status.
func Main(args []string, version string, stdout, stderr io.Writer) int {
	switch {
	case len(args) == 1 && args[0] == "--version":
		return say(stdout, exitDone, "carrel-sandbox "+version+" (DuckDB "+duckdb.LibraryVersion()+")")
	case len(args) == 2 && args[0] == breakout.AttemptArg && startedByParent(socketFD):
		return attempt(newSocket(socketFD), args[1], jail())
	case len(args) != 0:
		return say(stderr, exitUsage, "carrel-sandbox: unknown argument; only --version and report are for people, carrel starts the rest")
	case !startedByParent(socketFD):
		return say(stderr, exitUsage, "carrel-sandbox: this program is started by carrel and does nothing by itself")
	}
	if err := serve(newSocket(socketFD), jail()); err != nil {
		// Classes only: this line exists before there is data, and after it standard error leads nowhere.
		return say(stderr, exitFailed, "carrel-sandbox: "+err.Error())
	}
	return exitDone
}

// say writes one line; when even that fails there is nobody to tell, and the status says it all.
func say(w io.Writer, status int, line string) int {
	if _, err := io.WriteString(w, line+"\n"); err != nil {
		return exitFailed
	}
	return status
}

// startedByParent says whether the descriptor is a connected local stream socket.
func startedByParent(fd int) bool {
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil || domain != unix.AF_UNIX {
		return false
	}
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil || kind != unix.SOCK_STREAM {
		return false
	}
	_, err = unix.Getpeername(fd)
	return err == nil
}

// serve reads the role, confines the process and answers frames until the socket closes.
func serve(s *socket, w walls) error {
	f, err := wire.Read(s, wire.KindInit)
	if err != nil {
		return err
	}
	var m wire.Init
	if err := wire.Decode(f, &m); err != nil {
		return err
	}
	d, abi, err := confined(m, w)
	if err != nil {
		code := wire.CodeEngine
		if errors.Is(err, confine.ErrKernel) {
			code = wire.CodeConfine
		}
		_ = s.send(wire.KindFail, wire.Fail{Code: code, Offset: -1}, nil)
		return err
	}
	ready := wire.Ready{Engine: duckdb.LibraryVersion(), Landlock: abi}
	switch m.Role {
	case wire.RoleParser:
		p, err := newParser(d)
		if err != nil {
			return err
		}
		return p.serve(s, ready)
	case wire.RoleViewer:
		v, err := newViewer(d)
		if err != nil {
			return err
		}
		return v.serve(s, ready)
	default:
		return serveEngine(s, d, ready)
	}
}

// walls are the two walls of the jail, in their order. Tests alone leave one out.
type walls struct {
	paths func() (int, error)
	calls func() error
}

// jail is both walls.
func jail() walls { return walls{confine.Paths, confine.Calls} }

// confined sets the limits, warms the engine up and closes both walls: paths (the library reaches every thread there is, the
// engine's too), then system calls. The engine itself starts outside: it does not survive a start without any path.
func confined(m wire.Init, w walls) (*database, int, error) {
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, 0, fmt.Errorf("null device: %w", err)
	}
	fewArenas()
	runtime.GOMAXPROCS(m.Threads + 1)
	debug.SetMemoryLimit(256 << 20)
	if err := confine.Resources(confine.Limits{Data: m.Data, Files: wire.MaxTables + 32}); err != nil {
		return nil, 0, err
	}
	d, err := openDatabase(m)
	if err != nil {
		return nil, 0, err
	}
	if err := d.warm(); err != nil {
		return nil, 0, err
	}
	abi, err := w.paths()
	if err != nil {
		return nil, 0, err
	}
	// From here on nothing is worth saying on standard error: a crash could print what it held.
	for fd := range 3 {
		if err := unix.Dup3(null, fd, 0); err != nil {
			return nil, 0, fmt.Errorf("standard streams: %w", err)
		}
	}
	if err := unix.Close(null); err != nil {
		return nil, 0, fmt.Errorf("null device: %w", err)
	}
	if err := w.calls(); err != nil {
		return nil, 0, err
	}
	return d, abi, nil
}

// serve answers texts.
func (p *parser) serve(s *socket, ready wire.Ready) error {
	if err := s.send(wire.KindReady, ready, nil); err != nil {
		return err
	}
	for {
		f, err := wire.Read(s, wire.KindParse)
		if err != nil {
			return ended(err)
		}
		var m wire.Parse
		if err := wire.Decode(f, &m); err != nil {
			return err
		}
		tree, fail := p.parse(f.Payload)
		if fail != nil {
			err = s.send(wire.KindFail, wire.Fail{Code: fail.code, Offset: fail.offset}, nil)
		} else {
			err = s.send(wire.KindTree, wire.Tree{}, tree)
		}
		if err != nil {
			return err
		}
		trim()
	}
}

// serveEngine takes one extract and answers queries over it.
func serveEngine(s *socket, d *database, ready wire.Ready) error {
	if err := s.send(wire.KindReady, ready, nil); err != nil {
		return err
	}
	e, err := awaitExtract(s, d)
	if err != nil || e == nil {
		return err
	}
	for {
		f, err := wire.Read(s, wire.KindRun)
		if err != nil {
			return ended(err)
		}
		var m wire.Run
		if err := wire.Decode(f, &m); err != nil {
			return err
		}
		rows, payload, fail := e.run(m, string(f.Payload))
		if fail != nil {
			err = s.send(wire.KindFail, wire.Fail{Code: fail.code, Offset: -1}, nil)
		} else {
			err = s.send(wire.KindRows, rows, payload)
		}
		if err != nil {
			return err
		}
		trim()
	}
}

// awaitExtract waits for the one Open of a child's life. It returns nothing when the parent left.
func awaitExtract(s *socket, d *database) (*engine, error) {
	f, err := wire.Read(s, wire.KindOpen)
	if err != nil {
		return nil, ended(err)
	}
	var m wire.Open
	if err := wire.Decode(f, &m); err != nil {
		return nil, err
	}
	fds := s.take()
	if len(fds) != f.FDs || len(fds) != len(m.Tables) {
		return nil, fmt.Errorf("%w: descriptors", wire.ErrFrame)
	}
	persons, err := wire.Persons(m, f.Payload)
	if err != nil {
		return nil, err
	}
	e, err := openEngine(d, m, choice{persons: persons, only: m.Only}, fds)
	if err != nil {
		_ = s.send(wire.KindFail, wire.Fail{Code: wire.CodeTable, Offset: -1}, nil)
		return nil, err
	}
	return e, s.send(wire.KindOpened, wire.Opened{Persons: len(persons), Only: m.Only}, nil)
}

// ended makes the parent's leaving between two frames a normal end.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
