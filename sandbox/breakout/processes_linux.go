package breakout

import (
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// parent is an attempt of one system call with the parent's id.
func parent(n uintptr, args func(pid uintptr) []uintptr) func(Target) func() error {
	return func(Target) func() error {
		pid := uintptr(os.Getppid())
		return func() error { return raw(n, args(pid)...) }
	}
}

// sibling is the same with that of another jailed child.
func sibling(n uintptr, args func(pid uintptr) []uintptr) func(Target) func() error {
	return func(t Target) func() error {
		return func() error { return raw(n, args(uintptr(t.Sibling))...) }
	}
}

// processAttempts want another process: a new one, or a hold on one that is there.
func processAttempts() []Attempt {
	kill, invalid := killed(), []string{"EINVAL"}
	only := func(pid uintptr) []uintptr { return []uintptr{pid} }
	list := []Attempt{
		{Text{"派生进程", "fork"}, Processes, "clone SIGCHLD", kill, 0, true, plain(fork)},
		{Text{"clone3 派生", "clone3"}, Processes, "clone3", []string{"ENOSYS"}, 0, false, plain(clone3)},
		{Text{"线程加命名空间", "thread and namespace"}, Processes, "clone CLONE_THREAD|CLONE_NEWUSER", kill, 0, false, call(unix.SYS_CLONE, unix.CLONE_THREAD|unix.CLONE_NEWUSER)},
		{Text{"执行程序", "exec"}, Processes, "execve /bin/true", kill, 4, false, plain(func() error { return unix.Exec("/bin/true", []string{"true"}, nil) })},
		{Text{"按描述符执行", "execveat"}, Processes, "execveat /bin/true", kill, 4, false, path("/bin/true", func(p uintptr) error { return raw(unix.SYS_EXECVEAT, atCwd, p, 0, 0, 0) })},
		{Text{"执行内存文件", "exec a memory file"}, Processes, "execveat memfd AT_EMPTY_PATH", kill, 0, false, execMemory},
		{Text{"请求被跟踪", "trace me"}, Processes, "ptrace PTRACE_TRACEME", kill, 0, false, call(unix.SYS_PTRACE, unix.PTRACE_TRACEME)},
		{Text{"跟踪父进程", "trace parent"}, Processes, "ptrace PTRACE_SEIZE <parent>", kill, 0, false, parent(unix.SYS_PTRACE, func(p uintptr) []uintptr { return []uintptr{unix.PTRACE_SEIZE, p} })},
		{Text{"跟踪兄弟进程", "trace sibling"}, Processes, "ptrace PTRACE_SEIZE <sibling>", kill, 0, false, sibling(unix.SYS_PTRACE, func(p uintptr) []uintptr { return []uintptr{unix.PTRACE_SEIZE, p} })},
		{Text{"读父进程内存", "read parent's memory"}, Processes, "process_vm_readv <parent>", kill, 0, false, parent(unix.SYS_PROCESS_VM_READV, only)},
		{Text{"写父进程内存", "write parent's memory"}, Processes, "process_vm_writev <parent>", kill, 0, false, parent(unix.SYS_PROCESS_VM_WRITEV, only)},
		{Text{"读兄弟进程内存", "read sibling's memory"}, Processes, "process_vm_readv <sibling>", kill, 0, false, sibling(unix.SYS_PROCESS_VM_READV, only)},
		{Text{"进程句柄", "handle of parent"}, Processes, "pidfd_open <parent>", kill, 0, true, parent(unix.SYS_PIDFD_OPEN, only)},
		{Text{"取走别人的描述符", "take a descriptor"}, Processes, "pidfd_getfd", kill, 0, false, call(unix.SYS_PIDFD_GETFD, 0, 0, 0)},
		{Text{"比较进程", "compare processes"}, Processes, "kcmp <parent>", kill, 0, false, parent(unix.SYS_KCMP, func(p uintptr) []uintptr { return []uintptr{p, p} })},
		{Text{"向父进程发信号", "signal parent"}, Processes, "kill <parent> 0", kill, 6, true, parent(unix.SYS_KILL, func(p uintptr) []uintptr { return []uintptr{p, 0} })},
		{Text{"向父进程的线程发信号", "signal parent, thread"}, Processes, "tgkill <parent> 0", kill, 6, true, parent(unix.SYS_TGKILL, func(p uintptr) []uintptr { return []uintptr{p, p, 0} })},
		{Text{"向兄弟进程发信号", "signal sibling"}, Processes, "tgkill <sibling> 0", kill, 0, false, sibling(unix.SYS_TGKILL, func(p uintptr) []uintptr { return []uintptr{p, p, 0} })},
		{Text{"向所有进程发信号", "signal all"}, Processes, "kill -1 0", kill, 0, true, plain(func() error { return unix.Kill(-1, 0) })},
		{Text{"排队信号", "queue a signal"}, Processes, "rt_sigqueueinfo <parent>", kill, 0, false, parent(unix.SYS_RT_SIGQUEUEINFO, func(p uintptr) []uintptr { return []uintptr{p, 0, 0} })},
		{Text{"凭句柄发信号", "signal by handle"}, Processes, "pidfd_send_signal", kill, 0, false, call(unix.SYS_PIDFD_SEND_SIGNAL, 0, 0, 0, 0)},
		{Text{"定时信号", "timer signal"}, Processes, "timer_create", kill, 0, false, call(unix.SYS_TIMER_CREATE, 0, 0, 0)},
		{Text{"改优先级", "priority"}, Processes, "setpriority", kill, 0, false, parent(unix.SYS_SETPRIORITY, func(p uintptr) []uintptr { return []uintptr{unix.PRIO_PROCESS, p, 0} })},
		{Text{"占用别的处理器", "other processors"}, Processes, "sched_setaffinity", kill, 0, false, call(unix.SYS_SCHED_SETAFFINITY, 0, 0, 0)},
		{Text{"实时调度", "real-time scheduling"}, Processes, "sched_setscheduler", kill, 0, false, call(unix.SYS_SCHED_SETSCHEDULER, 0, 0, 0)},
		{Text{"重新允许转储", "dumpable again"}, Processes, "prctl PR_SET_DUMPABLE 1", invalid, 0, true, plain(func() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0) })},
		{Text{"脱离父进程的生死", "outlive the parent"}, Processes, "prctl PR_SET_PDEATHSIG 0", invalid, 0, true, plain(func() error { return unix.Prctl(unix.PR_SET_PDEATHSIG, 0, 0, 0, 0) })},
		{Text{"改自己的名字", "another name"}, Processes, "prctl PR_SET_NAME", invalid, 0, true, path("carrel", func(p uintptr) error { return unix.Prctl(unix.PR_SET_NAME, p, 0, 0, 0) })},
		{Text{"更换用户", "user"}, Processes, "setuid", kill, 0, true, plain(func() error { return unix.Setuid(os.Getuid()) })},
		{Text{"取回特权", "capabilities"}, Processes, "capset", kill, 0, false, call(unix.SYS_CAPSET, 0, 0)},
		{Text{"新命名空间", "namespaces"}, Processes, "unshare CLONE_NEWUSER", kill, 0, false, call(unix.SYS_UNSHARE, unix.CLONE_NEWUSER)},
		{Text{"进入命名空间", "enter a namespace"}, Processes, "setns", kill, 0, false, call(unix.SYS_SETNS, ^uintptr(0), 0)},
	}
	return append(list, forkAttempts()...)
}

// fork makes a process with the raw call; the child of it, if there is one, ends at once.
func fork() error { return born(unix.SYS_CLONE, uintptr(unix.SIGCHLD)) }

// born calls one of the calls that return twice.
func born(n, flags uintptr) error {
	pid, _, errno := unix.RawSyscall6(n, flags, 0, 0, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	if pid == 0 {
		_, _, _ = unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
	return nil
}

// clone3 asks for a process by the structure that a filter cannot read.
func clone3() error {
	args := [8]uint64{4: uint64(unix.SIGCHLD)} // flags 0, exit signal at its place
	pid, _, errno := unix.RawSyscall(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&args)), unsafe.Sizeof(args), 0)
	if errno != 0 {
		return errno
	}
	if pid == 0 {
		_, _, _ = unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
	return nil
}

// execMemory has a program in a memory file from before the walls, as a helpful parent might have left one.
func execMemory(Target) func() error {
	empty := cstring("")
	fd, err := unix.MemfdCreate("program", 0)
	return func() error {
		if err != nil {
			return err
		}
		defer runtime.KeepAlive(empty)
		return raw(unix.SYS_EXECVEAT, uintptr(fd), address(empty), 0, 0, unix.AT_EMPTY_PATH)
	}
}
