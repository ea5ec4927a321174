package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"carrel/sandbox/spawn"
	"carrel/sandbox/wire"
)

// startTime is how long a child may take to be warm and confined, on a machine under load.
const startTime = 30 * time.Second

// errChild is wrapped by every fault of a child; which one is told by class only.
var errChild = errors.New("child")

// child is one jailed process and its socket. One goroutine uses it at a time; kill may come from anywhere.
type child struct {
	proc  *spawn.Process
	conn  *net.UnixConn
	pid   int
	ready wire.Ready
	jobs  int
	base  int64 // private memory when warm, bytes
	gone  chan struct{}
	stop  sync.Once
}

// spawner starts children from one operating-system thread that lives as long as the pool: the kernel kills a child when the
// thread that made it ends, and Go's threads may end.
type spawner struct {
	program binary
	work    chan func()
}

// newSpawner starts the thread; it ends with ctx.
func newSpawner(ctx context.Context, program binary) *spawner {
	s := &spawner{program: program, work: make(chan func())}
	go func() {
		runtime.LockOSThread()
		for {
			select {
			case f := <-s.work:
				f()
			case <-ctx.Done():
				return // the thread ends with the goroutine, and with it whatever child is left
			}
		}
	}()
	return s
}

// fork starts the program with the far end of a new socket pair, an empty environment and no other descriptor.
func (s *spawner) fork(ctx context.Context) (*child, *limited, error) {
	if err := s.program.unchanged(); err != nil {
		return nil, nil, err
	}
	words := &limited{}
	p, err := spawn.Prepare(s.program.path, words)
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // says what failed
	}
	c := &child{proc: p, conn: p.Conn, gone: make(chan struct{})}
	started := make(chan error, 1)
	start := func() { started <- p.Start() }
	select {
	case s.work <- start:
	case <-ctx.Done():
		return nil, nil, errors.Join(ctx.Err(), p.Abandon())
	}
	if err := <-started; err != nil {
		return nil, nil, errors.Join(err, p.Conn.Close())
	}
	c.pid = p.Cmd.Process.Pid
	go func() {
		_ = p.Cmd.Wait() // the way it ended does not matter: nothing else is asked of it
		close(c.gone)
	}()
	return c, words, nil
}

// start makes a warm, confined child of a role. The error may quote the one sentence that the child said before it had data.
func (s *spawner) start(ctx context.Context, m wire.Init) (*child, error) {
	c, words, err := s.fork(ctx)
	if err != nil {
		return nil, err
	}
	f, err := wire.New(wire.KindInit, m, nil, 0)
	if err != nil {
		c.kill()
		return nil, err
	}
	r, err := c.call(ctx, f, nil, startTime, wire.KindReady)
	if err == nil {
		err = wire.Decode(r, &c.ready)
	}
	if err != nil {
		c.kill()
		if said := words.String(); said != "" {
			return nil, fmt.Errorf("%w (%s)", err, said)
		}
		return nil, err
	}
	c.base = c.memory()
	return c, nil
}

// failed is a failure that the child itself reported.
type failed struct{ wire.Fail }

func (f failed) Error() string { return "child: " + string(f.Code) }
func (f failed) Unwrap() error { return errChild }

// call sends one frame and waits for its answer, for limit at most or until ctx ends. After any error but a reported
// failure the child is in an unknown state: kill it.
func (c *child) call(ctx context.Context, f wire.Frame, fds []int, limit time.Duration, want wire.Kind) (wire.Frame, error) {
	if err := c.conn.SetDeadline(time.Now().Add(limit)); err != nil {
		return wire.Frame{}, fmt.Errorf("%w: socket", errChild)
	}
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := c.send(f, fds); err != nil {
		return wire.Frame{}, c.classify(ctx, err)
	}
	// Plain reads drop descriptors that a hostile child might send along.
	r, err := wire.Read(c.conn, want, wire.KindFail)
	if err != nil {
		return wire.Frame{}, c.classify(ctx, err)
	}
	if r.Kind == wire.KindFail {
		var m wire.Fail
		if err := wire.Decode(r, &m); err != nil {
			return wire.Frame{}, fmt.Errorf("%w: protocol", errChild)
		}
		return wire.Frame{}, failed{m}
	}
	return r, nil
}

// send writes a frame; descriptors go with its first byte.
func (c *child) send(f wire.Frame, fds []int) error {
	b := f.Bytes()
	if len(fds) == 0 {
		_, err := c.conn.Write(b)
		return err //nolint:wrapcheck // classified by call
	}
	n, _, err := c.conn.WriteMsgUnix(b, unix.UnixRights(fds...), nil)
	if err == nil && n < len(b) {
		_, err = c.conn.Write(b[n:])
	}
	return err //nolint:wrapcheck // classified by call
}

// classify keeps the class of an error and drops the rest.
func (c *child) classify(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w: cancelled", errChild)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: deadline", errChild)
	case errors.Is(err, wire.ErrFrame):
		return fmt.Errorf("%w: protocol", errChild)
	default:
		return fmt.Errorf("%w: ended", errChild)
	}
}

// alive says whether the process is still there and silent: a child that speaks without being asked is not to be trusted.
func (c *child) alive() bool {
	select {
	case <-c.gone:
		return false
	default:
	}
	raw, err := c.conn.SyscallConn()
	if err != nil {
		return false
	}
	quiet := false
	err = raw.Control(func(fd uintptr) {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN | unix.POLLRDHUP}}, 0)
		quiet = err == nil && n == 0
	})
	return err == nil && quiet
}

// memory is the private memory of the process in bytes.
func (c *child) memory() int64 { return spawn.Used(c.pid).Memory }

// kill ends the process and waits for it. It may be called more than once.
func (c *child) kill() {
	c.stop.Do(func() {
		_ = c.proc.Cmd.Process.Kill() // an error means that it is gone already
		<-c.gone
		_ = c.conn.Close()
	})
}

// limited keeps the first bytes of what a child says on standard error before it is confined.
type limited struct {
	mu sync.Mutex
	b  []byte
}

// Write keeps what fits and drops the rest.
func (l *limited) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b = append(l.b, p[:min(len(p), 256-len(l.b))]...)
	return len(p), nil
}

// String is the first line of it.
func (l *limited) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	line, _, _ := strings.Cut(string(l.b), "\n")
	return strings.TrimSpace(line)
}
