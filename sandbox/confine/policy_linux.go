package confine

import (
	"runtime"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"golang.org/x/sys/unix"
)

// allowed are the calls that a query needs: memory, locks, clocks, and the one socket it was born with. getcwd stays
// because the engine aborts without it; it tells a path and opens none.
func allowed() []string {
	names := []string{
		"getcwd", "munmap", "mremap", "brk",
		"nanosleep", "clock_nanosleep", "clock_gettime", "futex", "restart_syscall",
		"rt_sigprocmask", "rt_sigreturn", "rt_sigaction", "sigaltstack",
		"getrandom", "read", "write", "recvmsg", "pread64", "close", "fstat",
		"getpid", "gettid", "sched_yield", "sched_getaffinity", "set_robust_list", "rseq", "sysinfo", "getrusage",
		"exit", "exit_group", "epoll_pwait", "epoll_create1", "epoll_ctl", "eventfd2",
	}
	return names
}

// denied are the calls that libraries try and survive being refused. Everything that is on no list kills.
func denied() []string {
	names := []string{"openat", "readlinkat", "faccessat", "faccessat2", "newfstatat", "statx"}
	if runtime.GOARCH == "amd64" {
		names = append(names, "open", "readlink", "access", "stat", "lstat")
	}
	if runtime.GOARCH == "arm64" {
		for i, n := range names {
			if n == "newfstatat" {
				names[i] = "fstatat"
			}
		}
	}
	return names
}

// policy is the filter of a process with this id. Conditions compare arguments, which another thread cannot change after
// the check because they are registers.
func policy(pid uint64) seccomp.Policy {
	const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC |
		unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET
	thread := []seccomp.Condition{
		{Argument: 0, Operation: seccomp.BitsSet, Value: unix.CLONE_THREAD},
		{Argument: 0, Operation: seccomp.BitsNotSet, Value: namespaces},
	}
	// Memory that the limits count, and that does not run: nothing executable is new after the walls, anonymous memory is private (what is
	// shared, or grows like a stack, escapes RLIMIT_DATA), and shared memory is a file's, that is, an extract's.
	still := seccomp.Condition{Argument: 2, Operation: seccomp.BitsNotSet, Value: unix.PROT_EXEC}
	flags := func(never uint64) seccomp.Condition {
		return seccomp.Condition{Argument: 3, Operation: seccomp.BitsNotSet, Value: never | unix.MAP_GROWSDOWN}
	}
	return seccomp.Policy{
		DefaultAction: seccomp.ActionKillProcess,
		Syscalls: []seccomp.SyscallGroup{
			{Action: seccomp.ActionAllow, Names: allowed(), NamesWithCondtions: []seccomp.NameWithConditions{
				{Name: "mmap", Conditions: []seccomp.Condition{still, flags(unix.MAP_SHARED)}},
				{Name: "mmap", Conditions: []seccomp.Condition{still, flags(unix.MAP_ANONYMOUS)}},
				{Name: "mprotect", Conditions: []seccomp.Condition{still}},
				// Advice about its own pages; from 100 on it is about the machine's.
				{Name: "madvise", Conditions: []seccomp.Condition{{Argument: 2, Operation: seccomp.LessThan, Value: 100}}},
				// A new thread, never a new process.
				{Name: "clone", Conditions: thread},
				// Signals to itself: Go preempts its threads with them. Not to the parent, whatever Landlock's version.
				{Name: "tgkill", Conditions: []seccomp.Condition{{Argument: 0, Operation: seccomp.Equal, Value: pid}}},
				// Asking whether a memory file is sealed.
				{Name: "fcntl", Conditions: []seccomp.Condition{{Argument: 1, Operation: seccomp.Equal, Value: unix.F_GET_SEALS}}},
			}},
			{Action: seccomp.ActionErrno | seccomp.Action(unix.EACCES), Names: denied()},
			// clone3 hides its flags behind a pointer, so it cannot be judged: the C library falls back to clone.
			{Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS), Names: []string{"clone3"}},
			// The Go runtime names its memory with prctl and takes EINVAL for "not supported".
			{Action: seccomp.ActionErrno | seccomp.Action(unix.EINVAL), Names: []string{"prctl"}},
		},
	}
}
