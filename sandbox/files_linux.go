package sandbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// seals make a memory file immutable for ever, for us too.
const seals = unix.F_SEAL_WRITE | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL

// file is the plaintext of one table as a sealed memory file, shared by all sessions over the same extract.
type file struct {
	f    *os.File
	size int64
	refs int
	once sync.Once
	err  error
}

// files counts who uses which memory file. The last to leave closes it.
type files struct {
	mu   sync.Mutex
	open map[string]*file
	free func() (int64, error)
}

// fileKey names a table of a source. Neither part holds NUL: IDs are hashes or paths, names are checked by package wire.
func fileKey(src Source, t SourceTable) string { return src.ID() + "\x00" + t.Name }

// acquire gives the memory files of all tables of a source, in their order, and counts the caller in.
func (fs *files) acquire(src Source) ([]*file, error) {
	var out []*file
	for _, t := range src.Tables() {
		fs.mu.Lock()
		f := fs.open[fileKey(src, t)]
		if f == nil {
			f = &file{}
			fs.open[fileKey(src, t)] = f
		}
		f.refs++
		fs.mu.Unlock()
		out = append(out, f)
		// The first caller copies, the others wait for it.
		f.once.Do(func() { f.f, f.size, f.err = fs.sealed(t) })
		if f.err != nil {
			err := f.err
			fs.release(src, len(out))
			return nil, fmt.Errorf("table %s: %w", t.Name, err)
		}
	}
	return out, nil
}

// release counts the caller out of the first n tables of a source.
func (fs *files) release(src Source, n int) {
	for _, t := range src.Tables()[:n] {
		fs.mu.Lock()
		f := fs.open[fileKey(src, t)]
		f.refs--
		last := f.refs == 0
		if last {
			delete(fs.open, fileKey(src, t))
		}
		fs.mu.Unlock()
		if last && f.f != nil {
			_ = f.f.Close() // a memory file: nothing to flush
		}
	}
}

// spare is memory that a copy leaves to the rest of the machine.
const spare = 64 << 20

// fits refuses what would push the machine out of memory. A child only maps the files, so its own limit does not matter here.
func (fs *files) fits(size int64) error {
	n, err := fs.free()
	if err != nil {
		return err
	}
	if size > n-spare {
		return fmt.Errorf("%w (%d MiB needed, %d MiB free)", ErrTooLarge, size>>20, max(0, n-spare)>>20)
	}
	return nil
}

// free reads what the kernel would give without swapping.
func free() (int64, error) {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, fmt.Errorf("free memory: %w", err)
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "MemAvailable:" {
			kib, err := strconv.ParseInt(f[1], 10, 53)
			if err != nil {
				return 0, fmt.Errorf("free memory: %w", err)
			}
			return kib << 10, nil
		}
	}
	return 0, errors.New("the kernel does not say how much memory is free")
}

// sealed copies a table's plaintext into a memory file and seals it.
func (fs *files) sealed(t SourceTable) (_ *os.File, _ int64, err error) {
	r, size, err := t.Plain()
	if err != nil {
		return nil, 0, fmt.Errorf("open plaintext: %w", err)
	}
	defer r.Close() //nolint:errcheck // read to its end and counted
	if err := fs.fits(size); err != nil {
		return nil, 0, err
	}
	fd, err := unix.MemfdCreate("carrel-extract", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|unix.MFD_NOEXEC_SEAL)
	if err != nil {
		return nil, 0, fmt.Errorf("memory file: %w", err)
	}
	f := os.NewFile(uintptr(fd), "carrel-extract")
	defer func() {
		if err != nil {
			_ = f.Close()
		}
	}()
	n, err := io.Copy(f, io.LimitReader(r, size+1))
	if err != nil {
		return nil, 0, fmt.Errorf("copy plaintext: %w", err)
	}
	if n != size || size == 0 {
		return nil, 0, errors.New("plaintext has another size than announced")
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, seals); err != nil {
		return nil, 0, fmt.Errorf("seal: %w", err)
	}
	return f, size, nil
}
