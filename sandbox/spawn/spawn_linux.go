// Package spawn starts the jailed child and watches it from outside. The service and the report on the jail start their children
// by it, so what the report finds open in a child would be open in the service's.
//
// It promises that a child starts with the far end of one socket as descriptor 3, its standard streams, an empty environment and
// nothing else of the parent's, whatever the parent itself inherited; that it dies with the thread that started it; and that Watch kills it
// when its private memory or its number of threads passes a limit. It does not promise that the child confines itself:
// that is the child's own work (package worker), and the parent only believes its word before it holds data.
package spawn

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// MaxThreads is more than any honest child has: 64 threads of the engine, as many of Go's, and a few.
const MaxThreads = 512

// Process is a child, started or about to be.
type Process struct {
	Cmd  *exec.Cmd
	Conn *net.UnixConn // our end of the socket
	far  *os.File
}

// Prepare makes the socket pair and the command; words takes what the child says on standard error.
func Prepare(path string, words io.Writer, args ...string) (*Process, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket pair: %w", err)
	}
	far := os.NewFile(uintptr(pair[1]), "sandbox-child")
	near := os.NewFile(uintptr(pair[0]), "sandbox-parent")
	conn, err := net.FileConn(near)
	if err := errors.Join(err, near.Close()); err != nil {
		return nil, errors.Join(fmt.Errorf("socket: %w", err), far.Close())
	}
	cmd := exec.Command(path, args...) //nolint:gosec,noctx // the caller checked the path, and a child outlives the call that made it
	cmd.Env = []string{}
	cmd.Dir = "/"
	cmd.ExtraFiles = []*os.File{far}
	cmd.Stderr = words
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setsid: true}
	return &Process{Cmd: cmd, Conn: conn.(*net.UnixConn), far: far}, nil
}

// Start starts the child. It must be called on an operating-system thread that lives as long as the child may: the kernel kills
// the child when that thread ends.
func (p *Process) Start() error {
	defer p.far.Close() //nolint:errcheck // our copy of the child's end
	// Go closes its own descriptors at exec; those that this process itself inherited would pass on.
	if err := unix.CloseRange(3, ^uint(0)>>33, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return fmt.Errorf("descriptors: %w", err)
	}
	if err := p.Cmd.Start(); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	return nil
}

// Abandon gives up a child that was never started.
func (p *Process) Abandon() error { return errors.Join(p.far.Close(), p.Conn.Close()) }

// Use is what a process uses of the machine.
type Use struct {
	Memory  int64 // bytes that are its own: anonymous memory and page tables, not what it shares (the extracts)
	Threads int
}

// Used asks the kernel; zero when the process is gone.
func Used(pid int) Use {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return Use{}
	}
	var u Use
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(line, ":")
		number, _, _ := strings.Cut(strings.TrimSpace(value), " ")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			continue
		}
		switch name {
		case "RssAnon", "VmPTE":
			u.Memory += n << 10
		case "Threads":
			u.Threads = int(n)
		}
	}
	return u
}

// Watch kills the started child when it uses more memory than the limit, or more threads than MaxThreads; the returned function ends the watch and
// says whether it did. The resource limit of the process is the wall; this is for what it does not count.
func (p *Process) Watch(memory int64) func() bool {
	done, ended := make(chan struct{}), make(chan bool, 1)
	go func() {
		t := time.NewTicker(25 * time.Millisecond)
		defer t.Stop()
		for {
			select {
			case <-done:
				ended <- false
				return
			case <-t.C:
				if u := Used(p.Cmd.Process.Pid); u.Memory > memory || u.Threads > MaxThreads {
					_ = p.Cmd.Process.Kill() // an error means that it is gone already
					<-done
					ended <- true
					return
				}
			}
		}
	}()
	return func() bool { close(done); return <-ended }
}
