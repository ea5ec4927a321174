package breakout

import "golang.org/x/sys/unix"

// kernelAttempts want the kernel itself: its keys, its programs, its clock, its filters.
func kernelAttempts() []Attempt {
	kill := killed()
	one := func(zh, en, tried string, make func(Target) func() error) Attempt {
		return Attempt{Text{zh, en}, Kernel, tried, kill, 0, false, make}
	}
	return []Attempt{
		one("再装一个过滤器", "second filter", "seccomp SECCOMP_SET_MODE_FILTER", call(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, 0)),
		{Text{"撤销不提权", "undo no new privileges"}, Kernel, "prctl PR_SET_NO_NEW_PRIVS 0", []string{"EINVAL"}, 0, false,
			plain(func() error { return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) })},
		one("另一套路径规则", "other path rules", "landlock_create_ruleset", call(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, 1)),
		one("内核字节码", "bpf", "bpf", call(unix.SYS_BPF, 0, 0, 0)),
		one("性能计数器", "performance counters", "perf_event_open", call(unix.SYS_PERF_EVENT_OPEN, 0, 0, 0, 0, 0)),
		one("钥匙串", "keys", "keyctl", call(unix.SYS_KEYCTL, 0, 0)),
		one("添加钥匙", "add a key", "add_key", call(unix.SYS_ADD_KEY, 0, 0, 0, 0, 0)),
		one("装载新内核", "another kernel", "kexec_load", call(unix.SYS_KEXEC_LOAD, 0, ^uintptr(0), 0, 0)),
		one("内核模块", "kernel module", "init_module", call(unix.SYS_INIT_MODULE, 0, 0, 0)),
		one("内核模块文件", "kernel module file", "finit_module", call(unix.SYS_FINIT_MODULE, ^uintptr(0), 0, 0)),
		one("内核日志", "kernel log", "syslog", call(unix.SYS_SYSLOG, 10, 0, 0)),
		one("重启", "reboot", "reboot", call(unix.SYS_REBOOT, 0, 0, 0, 0)),
		one("调整时钟", "set the clock", "clock_settime", call(unix.SYS_CLOCK_SETTIME, 0, 0)),
		one("改主机名", "name the machine", "sethostname", call(unix.SYS_SETHOSTNAME, 0, ^uintptr(0))),
		one("执行方式", "personality", "personality", call(unix.SYS_PERSONALITY, 0xffffffff)),
		{Text{"主机信息", "host name"}, Kernel, "uname", kill, 0, true, plain(func() error { var u unix.Utsname; return unix.Uname(&u) })},
		{Text{"提高资源上限", "own limits"}, Kernel, "setrlimit RLIMIT_CORE", kill, 0, true, plain(func() error { return unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) })},
		{Text{"父进程的资源上限", "parent's limits"}, Kernel, "prlimit64 <parent>", kill, 0, true, parent(unix.SYS_PRLIMIT64, func(p uintptr) []uintptr { return []uintptr{p, unix.RLIMIT_CORE, 0, 0} })},
		{Text{"读内存上限", "memory limit"}, Kernel, "prlimit64 0 RLIMIT_DATA", kill, 0, true, call(unix.SYS_PRLIMIT64, 0, unix.RLIMIT_DATA, 0, 0)},
	}
}
