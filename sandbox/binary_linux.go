package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// binary is the child's program as it was when the pool was made. Another file at the same path is not started.
type binary struct {
	path string
	info os.FileInfo
}

// checkBinary refuses a program that somebody else could have written: the file and every directory above it belong to root
// or to this account, and nobody else may write to them (a directory with the sticky bit protects what is in it).
func checkBinary(path string) (binary, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return binary{}, fmt.Errorf("sandbox: path of carrel-sandbox: %w", err)
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return binary{}, fmt.Errorf("sandbox: carrel-sandbox is not there (build it, or name its path in the configuration): %w", err)
	}
	info, err := os.Lstat(real)
	if err != nil {
		return binary{}, fmt.Errorf("sandbox: carrel-sandbox: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
		return binary{}, errors.New("sandbox: carrel-sandbox is not a program")
	}
	if err := ownAlone(info); err != nil {
		return binary{}, fmt.Errorf("sandbox: carrel-sandbox %w", err)
	}
	for dir := filepath.Dir(real); ; dir = filepath.Dir(dir) {
		d, err := os.Lstat(dir)
		if err != nil {
			return binary{}, fmt.Errorf("sandbox: a directory above carrel-sandbox: %w", err)
		}
		if d.Mode()&os.ModeSticky == 0 {
			if err := ownAlone(d); err != nil {
				return binary{}, fmt.Errorf("sandbox: a directory above carrel-sandbox %w", err)
			}
		}
		if dir == filepath.Dir(dir) {
			return binary{path: real, info: info}, nil
		}
	}
}

// ownAlone says whether only root and this account may change what info describes. A group may write when it is this
// account's own.
func ownAlone(info os.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return errors.New("has no owner")
	}
	mode := info.Mode().Perm()
	switch {
	case st.Uid != 0 && int(st.Uid) != os.Geteuid():
		return errors.New("belongs to another account; it must belong to root or to the account that runs carrel")
	case mode&0o002 != 0:
		return errors.New("can be written by everybody; take that right away (chmod o-w)")
	case mode&0o020 != 0 && st.Gid != 0 && int(st.Gid) != os.Getegid():
		return errors.New("can be written by another group; take that right away (chmod g-w)")
	}
	return nil
}

// unchanged refuses a file that was replaced or written since the pool was made.
func (b binary) unchanged() error {
	now, err := os.Lstat(b.path)
	if err != nil {
		return fmt.Errorf("carrel-sandbox: %w", err)
	}
	if !os.SameFile(now, b.info) || now.Size() != b.info.Size() || !now.ModTime().Equal(b.info.ModTime()) || now.Mode() != b.info.Mode() {
		return errors.New("carrel-sandbox was replaced while carrel ran; restart carrel")
	}
	return nil
}
