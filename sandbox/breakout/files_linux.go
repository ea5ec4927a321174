package breakout

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// atCwd is AT_FDCWD as a register holds it.
const atCwd = ^uintptr(99)

// how the two kinds of refusal by seccomp look: death, and the error that libraries survive.
func killed() []string { return []string{Killed} }
func denied() []string { return []string{"EACCES"} }

// raw makes a system call.
func raw(n uintptr, args ...uintptr) error {
	var a [6]uintptr
	copy(a[:], args)
	if _, _, errno := unix.Syscall6(n, a[0], a[1], a[2], a[3], a[4], a[5]); errno != 0 {
		return errno
	}
	return nil
}

// cstring is a path for a system call. Its caller must keep it: a register keeps nothing.
func cstring(s string) *byte {
	b := append([]byte(s), 0)
	return &b[0]
}

// address is a pointer as a register.
func address(p *byte) uintptr { return uintptr(unsafe.Pointer(p)) }

// plain is an attempt that needs no target and no preparation.
func plain(try func() error) func(Target) func() error {
	return func(Target) func() error { return try }
}

// call is an attempt of one system call.
func call(n uintptr, args ...uintptr) func(Target) func() error {
	return plain(func() error { return raw(n, args...) })
}

// path is an attempt of a system call on a path.
func path(name string, try func(p uintptr) error) func(Target) func() error {
	return func(Target) func() error {
		b := cstring(name)
		return func() error {
			defer runtime.KeepAlive(b)
			return try(address(b))
		}
	}
}

// open opens a path.
func open(flags int, parts ...string) func(Target) func() error {
	return func(t Target) func() error {
		p := filepath.Join(parts...)
		if parts[0] == "" {
			p = filepath.Join(t.Dir, p)
		}
		return func() error { _, err := unix.Open(p, flags|unix.O_CLOEXEC, 0o600); return err }
	}
}

// notMissing makes "no such file" a success: the call reached the file system.
func notMissing(err error) error {
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}

// fileAttempts want a file: to read, to write, to find.
func fileAttempts() []Attempt {
	deny, kill := denied(), killed()
	list := []Attempt{
		{Text{"读取系统文件", "read a file"}, Files, "open /etc/passwd", deny, 4, true, open(unix.O_RDONLY, "/etc/passwd")},
		{Text{"相对路径", "relative path"}, Files, "open ./..", deny, 4, true, plain(func() error { _, err := unix.Open("./..", unix.O_RDONLY|unix.O_DIRECTORY, 0); return err })},
		{Text{"读取金丝雀文件", "read the canary"}, Files, "open canary", deny, 4, false, open(unix.O_RDONLY, "", "canary")},
		{Text{"覆盖金丝雀文件", "overwrite the canary"}, Files, "open canary O_WRONLY|O_TRUNC", deny, 4, false, open(unix.O_WRONLY|unix.O_TRUNC, "", "canary")},
		{Text{"新建文件", "create a file"}, Files, "open new O_CREAT", deny, 4, false, open(unix.O_WRONLY|unix.O_CREAT, "", "created")},
		{Text{"匿名临时文件", "nameless file"}, Files, "open /tmp O_TMPFILE", deny, 4, true, open(unix.O_RDWR|unix.O_TMPFILE, "/tmp")},
		{Text{"列目录", "list a directory"}, Files, "open / O_DIRECTORY", deny, 4, true, open(unix.O_RDONLY|unix.O_DIRECTORY, "/")},
		{Text{"自己的环境变量", "own environment"}, Files, "open /proc/self/environ", deny, 4, true, open(unix.O_RDONLY, "/proc/self/environ")},
		{Text{"自己的内存", "own memory"}, Files, "open /proc/self/mem O_RDWR", deny, 4, true, open(unix.O_RDWR, "/proc/self/mem")},
		{Text{"自己的描述符", "own descriptors"}, Files, "open /proc/self/fd", deny, 4, true, open(unix.O_RDONLY|unix.O_DIRECTORY, "/proc/self/fd")},
		{Text{"init 的环境变量", "environment of init"}, Files, "open /proc/1/environ", deny, 4, false, open(unix.O_RDONLY, "/proc/1/environ")},
		{Text{"父进程的内存", "parent's memory"}, Files, "open /proc/<parent>/mem", deny, 4, false, memoryOf(func(Target) int { return os.Getppid() })},
		{Text{"兄弟进程的内存", "sibling's memory"}, Files, "open /proc/<sibling>/mem", deny, 0, false, memoryOf(func(t Target) int { return t.Sibling })},
		{Text{"内核信息", "the kernel's files"}, Files, "open /sys/kernel", deny, 4, false, open(unix.O_RDONLY|unix.O_DIRECTORY, "/sys/kernel")},
		{Text{"设备", "a device"}, Files, "open /dev/zero", deny, 4, true, open(unix.O_RDONLY, "/dev/zero")},
		{Text{"物理内存", "physical memory"}, Files, "open /dev/mem", deny, 0, false, open(unix.O_RDWR, "/dev/mem")},
		{Text{"终端", "the terminal"}, Files, "open /dev/tty", deny, 0, false, open(unix.O_RDWR, "/dev/tty")},
		{Text{"文件信息", "stat"}, Files, "stat /etc/passwd", deny, 0, true, plain(func() error { var st unix.Stat_t; return unix.Stat("/etc/passwd", &st) })},
		{Text{"读符号链接", "read a link"}, Files, "readlink /proc/self/exe", deny, 0, true, plain(func() error { _, err := unix.Readlink("/proc/self/exe", make([]byte, 64)); return err })},
		{Text{"openat2 打开", "openat2"}, Files, "openat2 /etc/passwd", kill, 4, true, plain(func() error { _, err := unix.Openat2(unix.AT_FDCWD, "/etc/passwd", &unix.OpenHow{}); return err })},
		{Text{"取得文件句柄", "name a handle"}, Files, "name_to_handle_at /", kill, 0, false, plain(func() error { _, _, err := unix.NameToHandleAt(unix.AT_FDCWD, "/", 0); return err })},
		{Text{"凭句柄打开", "open by handle"}, Files, "open_by_handle_at", kill, 0, false, call(unix.SYS_OPEN_BY_HANDLE_AT, 0, 0, 0)},
		{Text{"内存文件", "memory file"}, Files, "memfd_create", kill, 0, true, plain(func() error { _, err := unix.MemfdCreate("x", 0); return err })},
		{Text{"删除文件", "unlink"}, Files, "unlink", kill, 0, true, plain(func() error { return notMissing(unix.Unlink("/tmp/carrel-nothing")) })},
		{Text{"切换目录", "chdir"}, Files, "chdir /", kill, 0, true, plain(func() error { return unix.Chdir("/") })},
		{Text{"更换根目录", "chroot"}, Files, "chroot /", kill, 0, false, plain(func() error { return unix.Chroot("/") })},
		{Text{"复制描述符", "duplicate"}, Files, "dup 2", kill, 0, true, plain(func() error { _, err := unix.Dup(2); return err })},
		{Text{"改描述符标志", "change flags"}, Files, "fcntl F_GETFD", kill, 0, true, plain(func() error { _, err := unix.FcntlInt(0, unix.F_GETFD, 0); return err })},
		{Text{"向终端塞入字符", "push into the terminal"}, Files, "ioctl TIOCSTI", kill, 0, false, call(unix.SYS_IOCTL, 0, unix.TIOCSTI, 0)},
		{Text{"新的挂载接口", "open a file system"}, Files, "fsopen tmpfs", kill, 0, false, plain(func() error { _, err := unix.Fsopen("tmpfs", 0); return err })},
		{Text{"移走文件树", "open a tree"}, Files, "open_tree /", kill, 0, false, plain(func() error { _, err := unix.OpenTree(unix.AT_FDCWD, "/", 0); return err })},
		{Text{"监视文件", "watch files"}, Files, "inotify_init1", kill, 0, true, plain(func() error { _, err := unix.InotifyInit1(0); return err })},
		{Text{"io_uring", "io_uring"}, Files, "io_uring_setup", kill, 0, false, call(unix.SYS_IO_URING_SETUP, 1, 0)},
		{Text{"继承的描述符", "inherited descriptors"}, Files, "fstat 0..1023", []string{"EBADF"}, 0, false, plain(inherited)},
	}
	return append(list, treeAttempts()...)
}

// treeAttempts change the tree of files.
func treeAttempts() []Attempt {
	kill := killed()
	return []Attempt{
		{Text{"符号链接", "symlink"}, Files, "symlinkat", kill, 0, false, func(t Target) func() error {
			return func() error { return unix.Symlink("/etc/passwd", filepath.Join(t.Dir, "link")) }
		}},
		{Text{"硬链接", "link"}, Files, "link canary", kill, 0, false, func(t Target) func() error {
			return func() error { return unix.Link(filepath.Join(t.Dir, "canary"), filepath.Join(t.Dir, "hard")) }
		}},
		{Text{"改名", "rename"}, Files, "rename canary", kill, 0, false, func(t Target) func() error {
			return func() error { return unix.Rename(filepath.Join(t.Dir, "canary"), filepath.Join(t.Dir, "moved")) }
		}},
		{Text{"改权限", "chmod"}, Files, "chmod canary", kill, 0, false, func(t Target) func() error {
			return func() error { return unix.Chmod(filepath.Join(t.Dir, "canary"), 0o777) }
		}},
		{Text{"截断文件", "truncate"}, Files, "truncate canary", kill, 4, false, func(t Target) func() error {
			return func() error { return unix.Truncate(filepath.Join(t.Dir, "canary"), 0) }
		}},
		{Text{"新建目录", "mkdir"}, Files, "mkdirat", kill, 0, false, path("/proc/carrel", func(p uintptr) error { return raw(unix.SYS_MKDIRAT, atCwd, p, 0) })},
		{Text{"新建设备", "mknod"}, Files, "mknodat", kill, 0, false, path("/proc/carrel", func(p uintptr) error { return raw(unix.SYS_MKNODAT, atCwd, p, unix.S_IFCHR|0o600, 1<<8|1) })},
		{Text{"扩展属性", "extended attribute"}, Files, "setxattr", kill, 0, false, path("/proc/carrel", func(p uintptr) error { return raw(unix.SYS_SETXATTR, p, p, p, 1, 0) })},
		{Text{"挂载", "mount"}, Files, "mount tmpfs", kill, 0, false, plain(func() error { return unix.Mount("none", "/proc/carrel", "tmpfs", 0, "") })},
		{Text{"卸载", "unmount"}, Files, "umount2", kill, 0, false, path("/proc/carrel", func(p uintptr) error { return raw(unix.SYS_UMOUNT2, p, 0) })},
		{Text{"换根", "pivot root"}, Files, "pivot_root", kill, 0, false, path("/", func(p uintptr) error { return raw(unix.SYS_PIVOT_ROOT, p, p) })},
	}
}

// memoryOf opens the memory of another process.
func memoryOf(pid func(Target) int) func(Target) func() error {
	return func(t Target) func() error {
		name := fmt.Sprintf("/proc/%d/mem", pid(t))
		return func() error { _, err := unix.Open(name, unix.O_RDWR, 0); return err }
	}
}

// inherited looks at every descriptor: three null devices, the socket, and nameless ones of the runtime (they have no type) are
// all that may be open. EBADF says that no other is.
func inherited() error {
	for fd := range 1024 {
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			if errors.Is(err, unix.EBADF) {
				continue
			}
			return err
		}
		kind := st.Mode & unix.S_IFMT
		switch {
		case fd < 3 && kind == unix.S_IFCHR && st.Rdev == unix.Mkdev(1, 3):
		case fd == 3 && kind == unix.S_IFSOCK:
		case fd > 3 && kind == 0:
		default:
			return nil
		}
	}
	return unix.EBADF
}
