package confine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The test binary starts itself again as the prisoner: these variables say which attempt it makes and behind which walls.
const (
	envAttempt = "CARREL_TEST_ATTEMPT"
	envWalls   = "CARREL_TEST_WALLS" // "all", "paths", "none"
)

// How a prisoner ends. Anything else (a signal) is the jail's doing.
const (
	exitEscaped = 40
	exitRefused = 41
	exitBroken  = 42
)

func TestMain(m *testing.M) {
	if name := os.Getenv(envAttempt); name != "" {
		prisoner(name, os.Getenv(envWalls))
	}
	os.Exit(m.Run())
}

// prisoner builds the walls and makes one attempt. A thread that existed before the walls makes it a second time.
func prisoner(name, walls string) {
	a, ok := attempts()[name]
	if !ok {
		os.Exit(exitBroken)
	}
	older, result := make(chan struct{}), make(chan error)
	go func() {
		runtime.LockOSThread()
		<-older
		result <- a.try()
	}()
	runtime.Gosched()
	if err := build(walls); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitBroken)
	}
	err := a.try()
	if err != nil {
		close(older)
		if err2 := <-result; err2 == nil {
			err = nil
		}
	}
	if err != nil {
		os.Exit(exitRefused)
	}
	os.Exit(exitEscaped)
}

func build(walls string) error {
	if walls == "none" {
		return nil
	}
	if err := Resources(Limits{Data: 1 << 30, Files: 64}); err != nil {
		return err
	}
	if _, err := Paths(); err != nil {
		return err
	}
	if walls == "paths" {
		return nil
	}
	return Calls()
}

// attempt is one way out. free says whether it works in a process without walls on any machine, so that the attempt itself
// is known to be right; paths says that Landlock alone must stop it.
type attempt struct {
	try   func() error
	free  bool
	paths bool
}

func raw(n uintptr, args ...uintptr) error {
	var a [6]uintptr
	copy(a[:], args)
	if _, _, errno := unix.Syscall6(n, a[0], a[1], a[2], a[3], a[4], a[5]); errno != 0 {
		return errno
	}
	return nil
}

func cstring(s string) uintptr {
	b, err := unix.BytePtrFromString(s)
	if err != nil {
		panic(err)
	}
	return uintptr(unsafe.Pointer(b))
}

func open(path string, flags int) func() error {
	return func() error { _, err := unix.Open(path, flags, 0o600); return err }
}

func socket(domain, kind int) func() error {
	return func() error { _, err := unix.Socket(domain, kind, 0); return err }
}

func call(n uintptr, args ...uintptr) func() error { return func() error { return raw(n, args...) } }

// attempts is made anew in each process: nothing in it is shared.
func attempts() map[string]attempt {
	parent := uintptr(os.Getppid())
	at := uintptr(^uint(99)) // AT_FDCWD
	m := map[string]attempt{
		"read a file":           {open("/etc/passwd", unix.O_RDONLY), true, true},
		"write a file":          {open("/tmp", unix.O_RDWR|unix.O_TMPFILE), true, true},
		"own memory":            {open("/proc/self/mem", unix.O_RDWR), true, true},
		"parent's memory":       {open(fmt.Sprintf("/proc/%d/mem", parent), unix.O_RDWR), false, true},
		"list a directory":      {open("/", unix.O_RDONLY|unix.O_DIRECTORY), true, true},
		"device":                {open("/dev/zero", unix.O_RDONLY), true, true},
		"openat2":               {func() error { _, err := unix.Openat2(unix.AT_FDCWD, "/etc/passwd", &unix.OpenHow{}); return err }, true, true},
		"handle":                {call(unix.SYS_OPEN_BY_HANDLE_AT, 0, 0, 0), false, false},
		"stat":                  {func() error { var st unix.Stat_t; return unix.Stat("/etc/passwd", &st) }, true, false},
		"unlink":                {func() error { return notMissing(unix.Unlink("/tmp/carrel-nothing")) }, true, false},
		"mkdir":                 {call(unix.SYS_MKDIRAT, at, cstring("/proc/carrel"), 0), false, false},
		"chdir":                 {func() error { return unix.Chdir("/") }, true, false},
		"chroot":                {func() error { return unix.Chroot("/") }, false, false},
		"mount":                 {func() error { return unix.Mount("none", "/mnt", "tmpfs", 0, "") }, false, false},
		"internet socket":       {socket(unix.AF_INET, unix.SOCK_STREAM), true, false},
		"datagram socket":       {socket(unix.AF_INET, unix.SOCK_DGRAM), true, false},
		"local socket":          {socket(unix.AF_UNIX, unix.SOCK_STREAM), true, false},
		"netlink":               {socket(unix.AF_NETLINK, unix.SOCK_RAW), true, false},
		"socket pair":           {func() error { _, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0); return err }, true, false},
		"connect":               {connect, true, true},
		"send descriptors":      {call(unix.SYS_SENDMSG, 0, 0, 0), false, false},
		"exec":                  {func() error { return unix.Exec("/bin/true", []string{"true"}, nil) }, false, true},
		"execveat":              {call(unix.SYS_EXECVEAT, at, cstring("/bin/true"), 0, 0, 0), false, true},
		"fork":                  {fork, true, false},
		"clone3":                {call(unix.SYS_CLONE3, 0, 0), false, false},
		"thread and namespace":  {call(unix.SYS_CLONE, unix.CLONE_THREAD|unix.CLONE_NEWUSER), false, false},
		"trace me":              {call(unix.SYS_PTRACE, unix.PTRACE_TRACEME), false, false},
		"trace parent":          {call(unix.SYS_PTRACE, unix.PTRACE_SEIZE, parent), false, false},
		"read parent's memory":  {call(unix.SYS_PROCESS_VM_READV, parent), false, false},
		"signal parent":         {func() error { return unix.Kill(int(parent), 0) }, true, true},
		"signal parent, thread": {func() error { return unix.Tgkill(int(parent), int(parent), 0) }, true, true},
		"signal all":            {func() error { return unix.Kill(-1, 0) }, true, false},
		"handle of parent":      {func() error { _, err := unix.PidfdOpen(int(parent), 0); return err }, true, false},
		"memory file":           {func() error { _, err := unix.MemfdCreate("x", 0); return err }, true, false},
		"namespaces":            {func() error { return unix.Unshare(unix.CLONE_NEWUSER) }, false, false},
		"io_uring":              {call(unix.SYS_IO_URING_SETUP, 1, 0), false, false},
		"bpf":                   {call(unix.SYS_BPF, 0, 0, 0), false, false},
		"performance counters":  {call(unix.SYS_PERF_EVENT_OPEN, 0, 0, 0, 0, 0), false, false},
		"page faults":           {call(unix.SYS_USERFAULTFD, 0), true, false},
		"keys":                  {call(unix.SYS_KEYCTL, 0, 0), false, false},
		"kernel module":         {call(unix.SYS_FINIT_MODULE, 0, 0, 0), false, false},
		"own limits":            {func() error { return unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) }, true, false},
		"parent's limits":       {call(unix.SYS_PRLIMIT64, parent, unix.RLIMIT_CORE, 0, 0), true, false},
		"dumpable again":        {func() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0) }, true, false},
		"second filter":         {call(unix.SYS_SECCOMP, 0, 0, 0), false, false},
		"terminal":              {call(unix.SYS_IOCTL, 0, unix.TIOCSTI, 0), false, false},
		"duplicate":             {func() error { _, err := unix.Dup(2); return err }, true, false},
		"change flags":          {func() error { _, err := unix.FcntlInt(0, unix.F_GETFD, 0); return err }, true, false},
		"user":                  {func() error { return unix.Setuid(os.Getuid()) }, true, false},
		"host name":             {func() error { var u unix.Utsname; return unix.Uname(&u) }, true, false},
		"shared memory":         {func() error { _, err := unix.SysvShmGet(unix.IPC_PRIVATE, 4096, unix.IPC_CREAT); return err }, true, false},
		"timer signal":          {call(unix.SYS_TIMER_CREATE, 0, 0, 0), false, false},
		"memory bomb":           {memoryBomb, true, false},
		"sealed memory, X":      {call(unix.SYS_PKEY_MPROTECT, 0, 0, 0, 0), false, false},
	}
	for name, a := range oldEntries() {
		m[name] = a
	}
	return m
}

// notMissing makes "no such file" a success: the call reached the file system.
func notMissing(err error) error {
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}

// connect wants a refusal by the network, which is a success: it was reached.
func connect() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	err = unix.Connect(fd, &unix.SockaddrInet4{Port: 1, Addr: [4]byte{127, 0, 0, 1}})
	if errors.Is(err, unix.ECONNREFUSED) {
		return nil
	}
	return err
}

// fork makes a process with the raw call; the child of it, if there is one, ends at once.
func fork() error {
	pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	if pid == 0 {
		unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
	return nil
}

// memoryBomb asks for twice what the limit allows.
func memoryBomb() error {
	_, err := unix.Mmap(-1, 0, 2<<30, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	return err
}

// run starts a prisoner and says how it ended.
func run(t *testing.T, name, walls string) *syscall.WaitStatus {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^$") //nolint:gosec // this test itself
	cmd.WaitDelay = time.Second
	cmd.Env = []string{envAttempt + "=" + name, envWalls + "=" + walls}
	var words strings.Builder
	cmd.Stderr = &words
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || ws.Exited() && (ws.ExitStatus() == exitBroken || ws.ExitStatus() == 2) {
		t.Fatalf("%s, %s: prisoner broken: %.300s", name, walls, words.String())
	}
	return &ws
}

// survivable are the attempts that get an error instead of death: libraries make them in good faith.
func survivable(name string) bool {
	return slices.Contains([]string{
		"read a file", "write a file", "own memory", "parent's memory", "list a directory", "device", "stat", "clone3", "dumpable again",
		"memory bomb", "x32 number",
	}, name)
}

func escaped(ws *syscall.WaitStatus) bool {
	return ws.Exited() && (ws.ExitStatus() == exitEscaped || ws.ExitStatus() == 0)
}

func TestNothingGetsOut(t *testing.T) {
	t.Parallel()
	if ABI() < MinABI {
		t.Fatal(ErrKernel)
	}
	for name, a := range attempts() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ws := run(t, name, "all")
			killed, refused := ws.Signaled() && ws.Signal() == unix.SIGSYS, ws.Exited() && ws.ExitStatus() == exitRefused
			if !killed && (!refused || !survivable(name)) {
				t.Errorf("behind all walls: exit %d, signal %v", ws.ExitStatus(), ws.Signal())
			}
			if a.paths {
				if ws := run(t, name, "paths"); escaped(ws) {
					t.Error("Landlock alone did not stop it")
				}
			}
			// Without walls the same attempt works: the test is about the walls, not about a call that never works.
			if a.free {
				if ws := run(t, name, "none"); !escaped(ws) {
					t.Errorf("does not work without walls: exit %d, signal %v", ws.ExitStatus(), ws.Signal())
				}
			}
		})
	}
}

func TestRulesetIsNeverLessThanStated(t *testing.T) {
	t.Parallel()
	for abi, want := range map[int]int{0: 0, 1: 0, 3: 0, 4: 4, 5: 5, 6: 6, 7: 6, 20: 6} {
		got, _, err := ruleset(abi)
		if got != want || (want == 0) != errors.Is(err, ErrKernel) {
			t.Errorf("ABI %d: %d, %v", abi, got, err)
		}
	}
}
