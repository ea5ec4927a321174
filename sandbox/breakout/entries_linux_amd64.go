package breakout

import (
	"time"

	"golang.org/x/sys/unix"
)

//go:noescape
func int80(number, argument uintptr) uintptr

//go:noescape
func thread(stack, flags uintptr) uintptr

// entryAttempts are the other doors into the same kernel: the 32-bit entry, whose numbers mean other calls, and the x32 numbers.
func entryAttempts() []Attempt {
	kill := killed()
	const x32 = 0x40000000
	return []Attempt{
		// 20 is getpid there and writev here. Free only where the kernel has the gate, else the processor faults.
		{Text{"32 位入口", "32-bit entry"}, Kernel, "int 0x80 getpid", kill, 0, false, plain(func() error { int80(20, 0); return nil })},
		{Text{"32 位入口退出", "32-bit entry, exit"}, Kernel, "int 0x80 exit", kill, 0, false, plain(func() error { int80(252, 0); return nil })},
		{Text{"x32 号码", "x32 number"}, Kernel, "x32 getppid", []string{"ENOSYS"}, 0, false, call(x32 | unix.SYS_GETPPID)},
		{Text{"x32 套接字", "x32 socket"}, Kernel, "x32 socket", []string{"ENOSYS"}, 0, false, call(x32|unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM)},
		{Text{"端口输入输出", "input and output ports"}, Kernel, "iopl 3", kill, 0, false, call(unix.SYS_IOPL, 3)},
		{Text{"描述符表", "descriptor table"}, Kernel, "modify_ldt", kill, 0, false, call(unix.SYS_MODIFY_LDT, 0, 0, 0)},
	}
}

// forkAttempts are the old names of making a process.
func forkAttempts() []Attempt {
	kill := killed()
	return []Attempt{
		{Text{"旧式派生", "old fork"}, Processes, "fork", kill, 0, false, plain(func() error { return born(unix.SYS_FORK, 0) })},
		{Text{"旧式 vfork", "vfork"}, Processes, "vfork", kill, 0, false, plain(func() error { return born(unix.SYS_VFORK, 0) })},
	}
}

// threadAttempts want more threads than any query needs, each too small for the limit of memory to count.
func threadAttempts() []Attempt {
	return []Attempt{{Text{"线程炸弹", "thread bomb"}, Memory, "clone CLONE_THREAD × 20000", []string{Limited}, 0, false, func(Target) func() error {
		stack, err := unix.Mmap(-1, 0, 4096, rw, unix.MAP_PRIVATE|unix.MAP_ANON)
		return func() error {
			if err != nil {
				return err
			}
			const flags = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD | unix.CLONE_SYSVSEM
			for range 20_000 {
				// All share one page: they only wait on a zero word in it.
				if r := thread(address(&stack[2048]), flags); int(r) < 0 {
					return unix.Errno(-int(r))
				}
			}
			// The watch looks every 25 ms: a quick machine makes them all between two looks, and what matters is that they do not last.
			<-time.After(time.Second)
			return nil
		}
	}}}
}
