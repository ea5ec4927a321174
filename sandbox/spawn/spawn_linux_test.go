package spawn

import (
	"bufio"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// start starts a shell with our socket and reads its first line.
func start(t *testing.T, script string) (*Process, *bufio.Reader) {
	t.Helper()
	runtime.LockOSThread() // children die with the thread; the test's own ends with it
	p, err := Prepare("/bin/sh", io.Discard, "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Cmd.Process.Kill()
		_ = p.Cmd.Wait()
		_ = p.Conn.Close()
	})
	return p, bufio.NewReader(p.Conn)
}

func line(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	s, err := r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(s)
}

// Even a descriptor that this process would pass on does not reach a child, nor does its environment.
func TestChildStartsWithNothing(t *testing.T) {
	fd, err := unix.Open("/dev/zero", unix.O_RDONLY, 0) // without O_CLOEXEC
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	t.Setenv("CARREL_TEST_SECRET", "x")
	_, r := start(t, `i=4; found=; while [ $i -lt 64 ]; do [ -e /proc/$$/fd/$i ] && [ $i != 10 ] && found="$found $i"; i=$((i+1)); done
		echo "${found:-nothing} ${CARREL_TEST_SECRET:-none} $PWD" >&3; read x <&3`) // 10 is the shell's own
	if got := line(t, r); got != "nothing none /" {
		t.Errorf("the child has %s", got)
	}
}

func TestUsed(t *testing.T) {
	t.Parallel()
	if u := Used(os.Getpid()); u.Memory < 1<<20 || u.Threads < 2 {
		t.Errorf("this process: %+v", u)
	}
	if u := Used(1 << 30); u != (Use{}) {
		t.Errorf("no process: %+v", u)
	}
}

func TestWatchKills(t *testing.T) {
	t.Parallel()
	p, r := start(t, `echo started >&3; read x <&3; echo went on >&3`)
	line(t, r)
	over := p.Watch(1 << 40)
	if over() {
		t.Error("killed within its limit")
	}
	over = p.Watch(1)
	if err := p.Conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ReadString('\n'); !errors.Is(err, io.EOF) {
		t.Errorf("the child lived on: %v", err)
	}
	if !over() {
		t.Error("the watch does not say so")
	}
}
