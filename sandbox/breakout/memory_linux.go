package breakout

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	private = unix.MAP_PRIVATE | unix.MAP_ANON | unix.MAP_NORESERVE
	rw      = unix.PROT_READ | unix.PROT_WRITE

	softOffline = 101 // MADV_SOFT_OFFLINE takes a page of the machine out of use
)

// mapped is an attempt to map so many bytes.
func mapped(bytes uintptr, prot, flags uintptr) func(Target) func() error {
	return plain(func() error { return raw(unix.SYS_MMAP, 0, bytes, prot, flags, ^uintptr(0), 0) })
}

// changed is an attempt on one page that the process had before the walls.
func changed(n uintptr, args ...uintptr) func(Target) func() error {
	return func(Target) func() error {
		page, _, errno := unix.Syscall6(unix.SYS_MMAP, 0, 4096, rw, private, ^uintptr(0), 0)
		return func() error {
			if errno != 0 {
				return errno
			}
			return raw(n, append([]uintptr{page, 4096}, args...)...)
		}
	}
}

// memoryAttempts want more of the machine's memory than the limit, or memory that runs.
func memoryAttempts() []Attempt {
	kill := killed()
	list := []Attempt{
		{Text{"超限内存", "memory bomb"}, Memory, "mmap beyond RLIMIT_DATA", []string{"ENOMEM"}, 0, true, func(t Target) func() error {
			return mapped(uintptr(t.Data)+1<<20, rw, private)(t)
		}},
		{Text{"先占地再改写", "memory bomb, later"}, Memory, "mmap PROT_NONE, mprotect PROT_WRITE", []string{"ENOMEM"}, 0, true, reserved},
		{Text{"扩大映射", "grow a mapping"}, Memory, "mremap beyond RLIMIT_DATA", []string{"ENOMEM"}, 0, true, func(t Target) func() error {
			return changed(unix.SYS_MREMAP, uintptr(t.Data)+1<<20, unix.MREMAP_MAYMOVE)(t)
		}},
		{Text{"不计入上限的共享内存", "shared memory, nameless"}, Memory, "mmap MAP_SHARED|MAP_ANONYMOUS", kill, 0, true, mapped(4096, rw, unix.MAP_SHARED|unix.MAP_ANON)},
		{Text{"不计入上限的栈", "memory as a stack"}, Memory, "mmap MAP_GROWSDOWN", kill, 0, true, mapped(1<<20, rw, private|unix.MAP_GROWSDOWN)},
		{Text{"可执行的新内存", "memory that runs"}, Memory, "mmap PROT_WRITE|PROT_EXEC", kill, 0, true, mapped(4096, rw|unix.PROT_EXEC, private)},
		{Text{"改成可执行", "memory made to run"}, Memory, "mprotect PROT_EXEC", kill, 0, true, changed(unix.SYS_MPROTECT, unix.PROT_READ|unix.PROT_EXEC)},
		{Text{"加锁改成可执行", "sealed memory, X"}, Memory, "pkey_mprotect", kill, 0, false, call(unix.SYS_PKEY_MPROTECT, 0, 0, 0, 0)},
		{Text{"锁住内存", "lock memory"}, Memory, "mlock", kill, 0, false, changed(unix.SYS_MLOCK)},
		{Text{"锁住全部内存", "lock all memory"}, Memory, "mlockall", kill, 0, false, call(unix.SYS_MLOCKALL, 0)},
		{Text{"秘密内存", "secret memory"}, Memory, "memfd_secret", kill, 0, false, call(unix.SYS_MEMFD_SECRET, ^uintptr(0))},
		{Text{"共享内存", "shared memory"}, Memory, "shmget", kill, 0, true, plain(func() error {
			_, err := unix.SysvShmGet(unix.IPC_PRIVATE, 4096, unix.IPC_CREAT|unix.IPC_EXCL)
			return err
		})},
		{Text{"损坏物理页", "spoil a page"}, Memory, "madvise MADV_SOFT_OFFLINE", kill, 0, false, call(unix.SYS_MADVISE, 0, 4096, softOffline)},
		{Text{"接管缺页", "page faults"}, Memory, "userfaultfd", kill, 0, true, call(unix.SYS_USERFAULTFD, 0)},
		{Text{"页表", "page tables"}, Memory, "mmap PROT_READ, touch every 2 MiB", []string{Limited}, 0, false, pageTables},
		{Text{"移动别人的页", "move pages"}, Memory, "move_pages <parent>", kill, 0, false, parent(unix.SYS_MOVE_PAGES, func(p uintptr) []uintptr { return []uintptr{p} })},
	}
	return append(list, threadAttempts()...)
}

// reserved maps what cannot be written, which no limit counts, and then wants to write it.
func reserved(t Target) func() error {
	return func() error {
		n := uintptr(t.Data) + 1<<20
		at, _, errno := unix.Syscall6(unix.SYS_MMAP, 0, n, unix.PROT_NONE, private, ^uintptr(0), 0)
		if errno != 0 {
			return errno
		}
		return raw(unix.SYS_MPROTECT, at, n, rw)
	}
}

// pageTables reads so widely that the kernel's own tables for it pass the limit, though not a byte is written.
func pageTables(t Target) func() error {
	return func() error {
		const step = 2 << 20
		n := uintptr(t.Data+256<<20) / 4096 * step // one table of 4 KiB for each step
		page, err := unix.MmapPtr(-1, 0, nil, n, unix.PROT_READ, private)
		if err != nil {
			return err
		}
		var sum byte
		for at := uintptr(0); at < n; at += step {
			sum += *(*byte)(unsafe.Add(page, at))
		}
		if sum != 0 {
			return unix.EIO
		}
		// All were made. Whoever watches needs a moment; another round gives it, and success says that nobody did.
		return unix.Nanosleep(&unix.Timespec{Sec: 2}, nil)
	}
}
