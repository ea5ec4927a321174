package store

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// newestName is the file of the newest head; heads that are kept are newestName-<size>.
const newestName = "checkpoint"

// pause lies between two writes under load: copying every head would take a fifth of the machine, and the heads in between are covered
// by the next one.
const pause = 10 * time.Millisecond

// copies keeps signed heads in a second directory. Writing is coalesced: at most one is written at a time and only the newest
// waits. After a failed write nothing is committed until a write succeeds, so at most one batch is not covered.
type copies struct {
	dir    string
	disk   disk
	every  int64
	logger *slog.Logger
	wake   chan struct{} // a head waits
	stop   chan struct{}
	once   sync.Once
	ended  chan struct{}

	writing sync.Mutex // held while files are written; guards kept
	kept    int64      // size of the last head kept under its size

	mu     sync.Mutex // guards what follows
	size   int64
	next   []byte // newest head not yet written
	failed error
}

func newCopies(dir string, every int64, logger *slog.Logger) (*copies, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("store: directory of checkpoints: %w", err)
	}
	c := &copies{dir: dir, disk: machineDisk{}, every: every, logger: logger, wake: make(chan struct{}, 1),
		stop: make(chan struct{}), ended: make(chan struct{})}
	go c.loop()
	return c, nil
}

func (c *copies) loop() {
	defer close(c.ended)
	for {
		select {
		case <-c.stop:
			return
		case <-c.wake:
		}
		if err := c.flush(); err != nil {
			c.logger.Error("the signed head could not be copied; no more writes until it can", slog.Any("error", err))
		}
		select {
		case <-c.stop:
			return
		case <-time.After(pause):
		}
	}
}

// offer hands over the head of the newest commit and does not wait.
func (c *copies) offer(size int64, head []byte) {
	c.mu.Lock()
	c.size, c.next = size, head
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default: // a wake-up waits already and will find this head
	}
}

// ready is called before every commit.
func (c *copies) ready() error {
	c.mu.Lock()
	failed := c.failed
	c.mu.Unlock()
	if failed == nil {
		return nil
	}
	if err := c.flush(); err != nil {
		return fmt.Errorf("%w: signed heads cannot be copied to %s: %w", ErrUnavailable, c.dir, err)
	}
	return nil
}

// flush writes the newest head that waits.
func (c *copies) flush() error {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.mu.Lock()
	size, head := c.size, c.next
	c.mu.Unlock()
	if head == nil {
		return nil
	}
	err := c.save(size, head)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = err
	if err == nil && c.size == size {
		c.next = nil
	}
	return err
}

// write writes a head now.
func (c *copies) write(size int64, head []byte) error {
	c.mu.Lock()
	c.size, c.next = size, head
	c.mu.Unlock()
	return c.flush()
}

func (c *copies) save(size int64, head []byte) error {
	if err := writeFile(c.disk, c.dir, newestName, head); err != nil {
		return err
	}
	if size/c.every == c.kept/c.every {
		return nil
	}
	if err := writeFile(c.disk, c.dir, newestName+"-"+strconv.FormatInt(size, 10), head); err != nil {
		return err
	}
	c.kept = size
	return nil
}

// close ends the loop and writes what still waits.
func (c *copies) close() error {
	c.once.Do(func() { close(c.stop) })
	<-c.ended
	return c.flush()
}

// disk is what writeFile does with a file system. Tests have one that forgets what was not flushed.
type disk interface {
	create(dir string) (file, error)
	rename(from, to string) error
	remove(name string) error
	flushNames(dir string) error
}

// file is a new file.
type file interface {
	Name() string
	Write(data []byte) (int, error)
	Sync() error
	Close() error
}

// machineDisk is the machine's own.
type machineDisk struct{}

func (machineDisk) create(dir string) (file, error) { return os.CreateTemp(dir, ".new-*") }
func (machineDisk) rename(from, to string) error    { return os.Rename(from, to) }
func (machineDisk) remove(name string) error        { return os.Remove(name) }
func (machineDisk) flushNames(dir string) error     { return syncDir(dir) }

// writeFile replaces a file as a whole and durably: after a crash there is the old content or the new, and the new once it returned.
func writeFile(d disk, dir, name string, data []byte) (err error) {
	f, err := d.create(dir)
	if err != nil {
		return fmt.Errorf("store: checkpoint: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.remove(f.Name()))
		}
	}()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("store: checkpoint: %w", err)
	}
	if err := d.rename(f.Name(), filepath.Join(dir, name)); err != nil {
		return fmt.Errorf("store: checkpoint: %w", err)
	}
	return d.flushNames(dir)
}

// ReadCheckpoints returns the signed heads of a directory of checkpoints, unchecked. A directory that does not exist has none.
func ReadCheckpoints(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("store: checkpoints: %w", err)
	}
	var notes []string
	for _, e := range entries {
		if e.Name() != newestName && !strings.HasPrefix(e.Name(), newestName+"-") {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("store: checkpoints: %w", err)
		}
		notes = append(notes, string(raw))
	}
	return notes, nil
}
