package confine

import (
	"errors"
	"fmt"
	"runtime"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/landlock-lsm/go-landlock/landlock"
	"golang.org/x/sys/unix"
)

// MinABI is the lowest Landlock ABI that can deny the network as well as paths: Linux 6.7.
const MinABI = 4

// ErrKernel says that the kernel cannot hold the jail.
var ErrKernel = errors.New("this kernel cannot hold the jail: Landlock ABI 4 (Linux 6.7 or newer, landlock enabled) is required")

// Limits are the resource limits of the process.
type Limits struct {
	Data  uint64 // bytes of private writable memory
	Files uint64 // open descriptors
}

// ABI asks the kernel for its Landlock ABI; 0 when there is none.
func ABI() int {
	v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0
	}
	return int(v)
}

// Resources sets limits, makes the process invisible to ptrace and core dumps, ties its life to its parent's and gives up
// new privileges. It comes first: nothing in it needs the walls, and the walls forbid it.
func Resources(l Limits) error {
	for _, r := range []struct {
		name string
		what int
		max  uint64
	}{
		{"core", unix.RLIMIT_CORE, 0},
		{"fsize", unix.RLIMIT_FSIZE, 0},
		{"nofile", unix.RLIMIT_NOFILE, l.Files},
		{"data", unix.RLIMIT_DATA, l.Data},
	} {
		if err := unix.Setrlimit(r.what, &unix.Rlimit{Cur: r.max, Max: r.max}); err != nil {
			return fmt.Errorf("confine: limit %s: %w", r.name, err)
		}
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("confine: dumpable: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("confine: parent death signal: %w", err)
	}
	return nil
}

// Paths denies every path and the network by Landlock to all threads of the process, those of C libraries included, and
// returns the ABI that is enforced. The error wraps ErrKernel when the kernel is too old.
func Paths() (int, error) {
	abi, c, err := ruleset(ABI())
	if err != nil {
		return 0, err
	}
	if err := c.Restrict(); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrKernel, err)
	}
	return abi, nil
}

// ruleset picks the strictest rules that the kernel's ABI has; there is no lesser choice. From 6 on signals and abstract
// sockets are scoped too; later versions change nothing for a process without any right.
func ruleset(abi int) (int, landlock.Config, error) {
	switch {
	case abi < MinABI:
		return 0, landlock.Config{}, ErrKernel
	case abi == 4:
		return 4, landlock.V4, nil
	case abi == 5:
		return 5, landlock.V5, nil
	default:
		return 6, landlock.V6, nil
	}
}

// Calls denies by seccomp every system call that is not on the list, in all threads at once. It is the last step.
func Calls() error {
	// The filter itself needs no_new_privs on this thread, and TSYNC carries it to the others.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	f := seccomp.Filter{NoNewPrivs: true, Flag: seccomp.FilterFlagTSync, Policy: policy(uint64(unix.Getpid()))}
	if err := seccomp.LoadFilter(f); err != nil {
		return fmt.Errorf("confine: seccomp: %w", err)
	}
	return nil
}
