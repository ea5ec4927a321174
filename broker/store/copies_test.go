package store

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// inode is a file's content, and the part of it that was flushed.
type inode struct{ data, flushed []byte }

// forgetful is a disk that knows what a crash would leave: content since the last flush of a file is lost, and a name since the last flush
// of its directory may be the old one or the new one.
type forgetful struct {
	names, flushed map[string]*inode
	steps          int
	broken         int          // the step that fails, 0 for none
	step           func(string) // after each
}

var errBroken = errors.New("the disk is broken")

func (d *forgetful) did(what string) error {
	if d.steps++; d.steps == d.broken {
		return errBroken
	}
	if d.step != nil {
		d.step(what)
	}
	return nil
}

func (d *forgetful) create(dir string) (file, error) {
	name := filepath.Join(dir, fmt.Sprint(".new-", d.steps))
	if err := d.did("create"); err != nil {
		return nil, err
	}
	d.names[name] = &inode{}
	return &handle{d, name, d.names[name]}, nil
}

func (d *forgetful) rename(from, to string) error {
	if err := d.did("before rename"); err != nil {
		return err
	}
	d.names[to] = d.names[from]
	delete(d.names, from)
	return d.did("rename")
}

func (d *forgetful) remove(name string) error {
	if _, ok := d.names[name]; !ok {
		return fs.ErrNotExist
	}
	delete(d.names, name)
	return nil
}

func (d *forgetful) flushNames(string) error {
	if err := d.did("before the flush of names"); err != nil {
		return err
	}
	d.flushed = maps.Clone(d.names)
	return d.did("flush of names")
}

// crash gives what a name may hold after a crash now.
func (d *forgetful) crash(name string) (may []string) {
	for _, names := range []map[string]*inode{d.flushed, d.names} {
		if i, ok := names[name]; ok {
			may = append(may, string(i.flushed))
		} else {
			may = append(may, "none")
		}
	}
	return slices.Compact(may)
}

type handle struct {
	d    *forgetful
	name string
	i    *inode
}

func (h *handle) Name() string { return h.name }
func (h *handle) Write(b []byte) (int, error) {
	h.i.data = append(h.i.data, b...)
	return len(b), h.d.did("write")
}
func (h *handle) Sync() error {
	if err := h.d.did("before the flush"); err != nil {
		return err
	}
	h.i.flushed = slices.Clone(h.i.data)
	return h.d.did("flush")
}
func (h *handle) Close() error { return h.d.did("close") }

// heads is a writer of copies on such a disk.
func heads(t *testing.T) (*copies, *forgetful) {
	t.Helper()
	c, err := newCopies(t.TempDir(), 10, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	d := &forgetful{names: map[string]*inode{}, flushed: map[string]*inode{}}
	c.disk = d // nothing was offered yet: the loop sleeps
	t.Cleanup(func() {
		if err := c.close(); err != nil {
			t.Error(err)
		}
	})
	return c, d
}

// Once a head is said to be copied it outlives a crash, under both its names; at every moment before there is the old one, whole, or the
// new one, whole.
func TestACopiedHeadOutlivesACrash(t *testing.T) {
	t.Parallel()
	c, d := heads(t)
	newest := filepath.Join(c.dir, newestName)
	old := "none"
	for size := int64(7); size < 60; size += 7 {
		head := fmt.Sprint("head of ", size)
		seen := map[string]bool{}
		d.step = func(what string) {
			for _, content := range d.crash(newest) {
				seen[content] = true
				if content != old && content != head {
					t.Errorf("size %d, crash after %s: %q", size, what, content)
				}
			}
		}
		before := c.kept
		if err := c.write(size, []byte(head)); err != nil {
			t.Fatal(err)
		}
		if got := d.crash(newest); !slices.Equal(got, []string{head}) {
			t.Errorf("size %d was copied, and after a crash there may be %q", size, got)
		}
		if kept := newest + fmt.Sprint("-", size); c.kept != before && !slices.Equal(d.crash(kept), []string{head}) {
			t.Errorf("size %d was kept, and after a crash there may be %q", size, d.crash(kept))
		}
		if !seen[old] || !seen[head] {
			t.Errorf("size %d: a crash was not tried before and after", size)
		}
		old = head
	}
	if len(d.names) != len(d.flushed) || len(d.names) < 6 {
		t.Errorf("%d names, %d of them flushed", len(d.names), len(d.flushed))
	}
}

// Whatever step of a copy fails, the writer is told, the old head stays or the new one is there, nothing is left lying about, and nothing is
// committed until a copy succeeds.
func TestEveryStepOfACopyMayFail(t *testing.T) {
	t.Parallel()
	const steps = 9 // create, write, flush, close, rename, flush of names
	for broken := 1; broken <= steps; broken++ {
		c, d := heads(t)
		newest := filepath.Join(c.dir, newestName)
		if err := c.write(1, []byte("old")); err != nil {
			t.Fatal(err)
		}
		d.steps, d.broken = 0, broken
		if err := c.write(2, []byte("new")); !errors.Is(err, errBroken) {
			t.Fatalf("step %d fails: %v", broken, err)
		}
		for _, content := range d.crash(newest) {
			if content != "old" && content != "new" {
				t.Errorf("step %d failed, after a crash there may be %q", broken, content)
			}
		}
		for name := range d.names {
			if strings.Contains(name, ".new-") {
				t.Errorf("step %d failed and left a file behind", broken)
			}
		}
		d.steps = 0 // it goes on failing
		if err := c.ready(); !errors.Is(err, ErrUnavailable) {
			t.Errorf("step %d failed and the writer may commit: %v", broken, err)
		}
		d.broken = 0
		if err := c.ready(); err != nil || !slices.Equal(d.crash(newest), []string{"new"}) {
			t.Errorf("well again: %v, %q", err, d.crash(newest))
		}
	}
}
