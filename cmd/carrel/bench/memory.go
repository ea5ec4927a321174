package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The targets, in MB of a million bytes, and rows a second.
const (
	targetIdle  = 150
	targetBuild = 4000
	targetRows  = 500_000
	mb          = 1e6
)

// memory measures the idle server, the child at work and a build of the extract.
func (b *bench) memory(ctx context.Context) error {
	if err := b.idle(ctx); err != nil {
		return fmt.Errorf("idle server: %w", err)
	}
	c, err := b.city(ctx, b.rows)
	if err != nil {
		return err
	}
	if err := b.atWork(ctx, c); err != nil {
		return fmt.Errorf("child: %w", err)
	}
	return b.rebuild(ctx, c)
}

// idle starts the server on small data, lets it come to rest and reads what it holds.
func (b *bench) idle(ctx context.Context) error {
	c, err := b.city(ctx, smallRows)
	if err != nil {
		return err
	}
	s, err := b.desk(ctx, c, nil, nil)
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, b.program, "serve", "--data", c.run(), "--listen", "127.0.0.1:0", "--sandbox", b.sandbox)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	said := bufio.NewReader(out)
	_, err = said.ReadString('\n') // it listens
	rest := time.NewTimer(3 * time.Second)
	defer rest.Stop()
	select {
	case <-rest.C:
	case <-ctx.Done():
	}
	p, perr := status(cmd.Process.Pid)
	err = errors.Join(err, perr, cmd.Process.Signal(syscall.SIGTERM))
	_, _ = io.Copy(io.Discard, said)
	if err := errors.Join(err, cmd.Wait()); err != nil {
		return err
	}
	return errors.Join(
		b.print(line{Bench: "memory", Case: "server/idle", Value: float64(p.resident) / mb, Unit: "MB", Target: targetIdle, Better: "lower"}),
		b.print(line{Bench: "memory", Case: "server/peak-at-start", Value: float64(p.peak) / mb, Unit: "MB"}),
	)
}

// atWork asks the ten questions and watches the children of this process.
func (b *bench) atWork(ctx context.Context, c city) error {
	d, err := b.sit(ctx, c, nil)
	if err != nil {
		return err
	}
	w := watchChildren()
	for _, q := range questions {
		if _, _, err = d.ask(ctx, q.sql, q.epsilon); err != nil {
			break
		}
	}
	private, whole := w.stop()
	if err := errors.Join(err, d.settle(ctx), d.Close()); err != nil {
		return err
	}
	const limit = childMemory / mb
	return errors.Join(
		b.print(line{Bench: "memory", Case: "child/private", Rows: c.rows, Value: float64(private) / mb, Unit: "MB", Target: limit, Better: "lower", Note: "its own memory, what its limit counts"}),
		b.print(line{Bench: "memory", Case: "child/resident", Rows: c.rows, Value: float64(whole) / mb, Unit: "MB", Target: limit, Better: "lower", Note: "with the mapped extract"}),
	)
}

// rebuild builds the city's extract once more, beside the first, as a process of its own.
func (b *bench) rebuild(ctx context.Context, c city) error {
	dir, err := os.MkdirTemp(c.root, "rebuild-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	r, err := b.buildExtract(ctx, c, filepath.Join(dir, "extract"), filepath.Join(dir, "keys"), filepath.Join(dir, "register"))
	if err != nil {
		return err
	}
	return errors.Join(
		b.print(line{Bench: "memory", Case: "extract-build/peak", Rows: c.rows, Value: float64(r.peak) / mb, Unit: "MB", Target: targetBuild, Better: "lower"}),
		b.print(line{Bench: "memory", Case: "extract-build/rate", Rows: c.rows, Value: float64(c.rows) / r.seconds, Unit: "encounter rows/s", Target: targetRows, Better: "higher",
			Note: fmt.Sprintf("%d rows of all tables in %.1f s, %.1f s with the start of the process", r.rows, r.seconds, r.wall)}),
	)
}

// process is what the system says of a process's memory, in bytes.
type process struct{ resident, private, peak int64 }

func status(pid int) (process, error) {
	var p process
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return p, err
	}
	for line := range strings.Lines(string(raw)) {
		name, rest, _ := strings.Cut(line, ":")
		f := strings.Fields(rest)
		if len(f) == 0 {
			continue
		}
		v, _ := strconv.ParseInt(f[0], 10, 64)
		switch name {
		case "VmRSS":
			p.resident = v << 10
		case "RssAnon":
			p.private = v << 10
		case "VmHWM":
			p.peak = v << 10
		}
	}
	return p, nil
}

// childWatch keeps the largest numbers of any child of this process.
type childWatch struct {
	done           chan struct{}
	ended          sync.WaitGroup
	private, whole int64
}

func watchChildren() *childWatch {
	w := &childWatch{done: make(chan struct{})}
	w.ended.Go(func() {
		t := time.NewTicker(5 * time.Millisecond)
		defer t.Stop()
		for {
			select {
			case <-w.done:
				return
			case <-t.C:
				w.look()
			}
		}
	})
	return w
}

func (w *childWatch) look() {
	for _, pid := range children() {
		if p, err := status(pid); err == nil {
			w.private, w.whole = max(w.private, p.private), max(w.whole, p.resident, p.peak)
		}
	}
}

// children are the processes that this one started and that still run.
func children() []int {
	var out []int
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	for _, l := range lists {
		raw, err := os.ReadFile(l)
		if err != nil {
			continue
		}
		for _, f := range strings.Fields(string(raw)) {
			if pid, err := strconv.Atoi(f); err == nil {
				out = append(out, pid)
			}
		}
	}
	return out
}

func (w *childWatch) stop() (private, whole int64) {
	close(w.done)
	w.ended.Wait()
	return w.private, w.whole
}
