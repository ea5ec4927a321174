package breakout

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"carrel/sandbox/confine"
	"carrel/sandbox/spawn"
	"carrel/sandbox/wire"
)

// canary is what no attempt may read or change.
const canary = "sings\n"

// site is what the attempts aim at, and the program that makes them.
type site struct {
	program string
	target  Target
	table   *os.File // a sealed table of an extract
	size    int64
	listen  net.Listener
	called  atomic.Int64
	sibling *child
	parser  *child     // makes trees of the texts of views
	parsing sync.Mutex // one text at a time
	ready   wire.Ready
	before  []string   // what is in the folder
	mu      sync.Mutex // one start at a time
}

// build prepares the site. Its sibling is a child of the service's kind, waiting.
func build(program string) (*site, error) {
	s := &site{program: program}
	dir, err := os.MkdirTemp("", "carrel-report")
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	s.target = Target{Dir: dir, Data: dataLimit}
	if err := s.prepare(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *site) prepare() error {
	for _, name := range []string{"canary", "canary.csv"} {
		if err := os.WriteFile(filepath.Join(s.target.Dir, name), []byte(canary), 0o600); err != nil {
			return fmt.Errorf("report: %w", err)
		}
	}
	var err error
	if s.before, err = s.folder(); err != nil {
		return err
	}
	if s.listen, err = net.Listen("tcp", "127.0.0.1:0"); err != nil { //nolint:noctx // closed with the site
		return fmt.Errorf("report: %w", err)
	}
	s.target.Port = s.listen.Addr().(*net.TCPAddr).Port
	go s.answer()
	if s.table, s.size, err = table(); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	c, end := s.start(wire.RoleEngine)
	if end != "" {
		return errors.New("report: the jail does not start: " + end)
	}
	s.sibling, s.ready = c, c.ready
	s.target.Sibling = c.proc.Cmd.Process.Pid
	if s.parser, end = s.start(wire.RoleParser); end != "" {
		return errors.New("report: no parser: " + end)
	}
	return nil
}

// answer counts who calls.
func (s *site) answer() {
	for {
		c, err := s.listen.Accept()
		if err != nil {
			return // closed
		}
		s.called.Add(1)
		_ = c.Close()
	}
}

func (s *site) close() {
	for _, c := range []*child{s.sibling, s.parser} {
		if c != nil {
			c.kill()
		}
	}
	if s.listen != nil {
		_ = s.listen.Close()
	}
	if s.table != nil {
		_ = s.table.Close()
	}
	_ = os.RemoveAll(s.target.Dir)
}

// folder describes everything in the folder: names, permissions, contents.
func (s *site) folder() ([]string, error) {
	list, err := os.ReadDir(s.target.Dir)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	var out []string
	for _, e := range list {
		name := filepath.Join(s.target.Dir, e.Name())
		info, err := os.Lstat(name)
		if err != nil {
			return nil, fmt.Errorf("report: %w", err)
		}
		var content []byte
		if info.Mode().IsRegular() {
			if content, err = os.ReadFile(name); err != nil {
				return nil, fmt.Errorf("report: %w", err)
			}
		}
		out = append(out, e.Name()+" "+info.Mode().String()+" "+string(content))
	}
	return out, nil
}

// outside looks at what no attempt may have changed.
func (s *site) outside() []Row {
	look := func(en, zh, tried string, ok bool, ended string) Row {
		if ok {
			ended = "as it must be"
		}
		return Row{Group: Outside, Name: en, NameZH: zh, Tried: tried, Ended: ended, Blocked: ok}
	}
	now, err := s.folder()
	calls := s.called.Load()
	state := s.state()
	return []Row{
		look("no file changed", "文件未变", s.target.Dir, err == nil && slices.Equal(now, s.before), "changed"),
		look("nobody called", "无人连入", s.listen.Addr().String(), calls == 0, strconv.FormatInt(calls, 10)+" calls"),
		look("the sibling lives", "兄弟进程仍在", strconv.Itoa(s.target.Sibling), s.sibling.alive(), "gone"),
		look("the kernel calls the child confined", "内核确认已受限", "NoNewPrivs 1, Seccomp 2", state == "", state),
	}
}

// state is what the kernel says about a child of the service's kind; empty when it is as it must be.
func (s *site) state() string {
	proc := "/proc/" + strconv.Itoa(s.target.Sibling)
	b, err := os.ReadFile(proc + "/status")
	if err != nil {
		return "unknown"
	}
	for _, want := range []string{"NoNewPrivs:\t1\n", "Seccomp:\t2\n", "TracerPid:\t0\n"} {
		if !strings.Contains(string(b), want) {
			return "not " + strings.ReplaceAll(strings.TrimSpace(want), "\t", " ")
		}
	}
	limits, err := os.ReadFile(proc + "/limits")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(limits)) {
		f := strings.Fields(line)
		if strings.HasPrefix(line, "Max file size") && (f[3] != "0" || f[4] != "0") || strings.HasPrefix(line, "Max core file size") && (f[4] != "0" || f[5] != "0") {
			return "not " + strings.Join(f, " ")
		}
	}
	return ""
}

// child is one jailed process.
type child struct {
	proc  *spawn.Process
	ready wire.Ready
	over  func() bool // ends the watch; true when it killed
	once  sync.Once
	ended string
}

// spawn starts the program for a role and gives it its limits.
func (s *site) spawn(role wire.Role, args ...string) (*child, string) {
	p, err := spawn.Prepare(s.program, io.Discard, args...)
	if err != nil {
		return nil, "not started"
	}
	if err := s.leaky(p.Start); err != nil {
		return nil, "not started"
	}
	c := &child{proc: p, over: p.Watch(watchLimit)}
	f, err := wire.New(wire.KindInit, wire.Init{Role: role, Threads: 1, Memory: engineMemory, Data: dataLimit}, nil, 0)
	if err == nil {
		_, err = p.Conn.Write(f.Bytes())
	}
	if err != nil {
		c.kill()
		return nil, "not started"
	}
	return c, ""
}

// leaky calls while this process has a descriptor that it would pass on, as a service may that inherited one itself. One caller at a time:
// two would hand each other's on.
func (s *site) leaky(call func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	fd, err := unix.Open("/dev/zero", unix.O_RDONLY, 0) // without O_CLOEXEC, on purpose
	if err != nil {
		return err //nolint:wrapcheck // the caller says what matters
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written
	return call()
}

// start makes a child of a role as the service does, warm and without data.
func (s *site) start(role wire.Role) (*child, string) {
	c, end := s.spawn(role)
	if end != "" {
		return nil, end
	}
	f, err := c.read(startTime, wire.KindReady, wire.KindFail)
	if err == nil && f.Kind == wire.KindReady && wire.Decode(f, &c.ready) == nil {
		return c, ""
	}
	c.kill()
	var m wire.Fail
	if err == nil && f.Kind == wire.KindFail && wire.Decode(f, &m) == nil && m.Code == wire.CodeConfine {
		return nil, confine.ErrKernel.Error()
	}
	return nil, "not ready"
}

// read waits for a frame.
func (c *child) read(limit time.Duration, want ...wire.Kind) (wire.Frame, error) {
	if err := c.proc.Conn.SetReadDeadline(time.Now().Add(limit)); err != nil {
		return wire.Frame{}, err //nolint:wrapcheck // the caller names the end
	}
	return wire.Read(c.proc.Conn, want...) //nolint:wrapcheck // the caller names the end
}

// ask sends a frame and names how it ended: the wanted answer is an escape.
func (c *child) ask(f wire.Frame, fds []int, limit time.Duration, want wire.Kind) string {
	if _, end := c.answer(f, fds, limit, want); end != "" {
		return end
	}
	return Escaped
}

// answer sends a frame and gives the wanted answer, or how it ended without one.
func (c *child) answer(f wire.Frame, fds []int, limit time.Duration, want wire.Kind) (wire.Frame, string) {
	var oob []byte
	if len(fds) > 0 {
		oob = unix.UnixRights(fds...)
	}
	if _, _, err := c.proc.Conn.WriteMsgUnix(f.Bytes(), oob, nil); err != nil {
		return wire.Frame{}, c.kill()
	}
	r, err := c.read(limit, want, wire.KindFail)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.kill()
		return wire.Frame{}, Limited
	case err != nil:
		return wire.Frame{}, c.kill()
	case r.Kind == want:
		return r, ""
	}
	var m wire.Fail
	if err := wire.Decode(r, &m); err != nil {
		return wire.Frame{}, "not a frame"
	}
	return wire.Frame{}, "refused: " + string(m.Code)
}

// tree has a text parsed as the service does.
func (s *site) tree(sql string) (json.RawMessage, error) {
	f, err := wire.New(wire.KindParse, wire.Parse{}, []byte(sql), 0)
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller names the end
	}
	s.parsing.Lock()
	defer s.parsing.Unlock()
	r, end := s.parser.answer(f, nil, startTime, wire.KindTree)
	if end != "" {
		return nil, errors.New(end)
	}
	return r.Payload, nil
}

// alive says whether the process is still there.
func (c *child) alive() bool { return c.proc.Cmd.Process.Signal(syscall.Signal(0)) == nil }

// kill ends the process and says how it ended; a process that had ended already keeps its own end.
func (c *child) kill() string {
	_ = c.proc.Cmd.Process.Kill() // an error means that it is gone already
	return c.wait()
}

// wait waits for the process and names its end.
func (c *child) wait() string {
	c.once.Do(func() {
		err := c.proc.Cmd.Wait()
		limited := c.over()
		_ = c.proc.Conn.Close()
		ws, ok := c.proc.Cmd.ProcessState.Sys().(syscall.WaitStatus)
		switch {
		case limited:
			c.ended = Limited
		case ok && ws.Signaled():
			c.ended = unix.SignalName(ws.Signal())
		case ok && ws.Exited():
			c.ended = "exit " + strconv.Itoa(ws.ExitStatus())
		default:
			c.ended = fmt.Sprint("unknown: ", err)
		}
	})
	return c.ended
}
