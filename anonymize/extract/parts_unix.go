//go:build !windows

package extract

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// hold takes a lock on a file or directory that lasts until the file returned is closed or the process ends, however it ends. errHeld says that
// another process has it, or that the name is not that file any more; another error, that the file system has no such locks.
func hold(path string) (*os.File, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, errHeld
	}
	if err != nil {
		return nil, err
	}
	mine, err := f.Stat()
	if err == nil {
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
			err = errHeld
		}
	}
	if err == nil {
		if there, gone := os.Lstat(path); gone != nil || !os.SameFile(mine, there) {
			err = errHeld
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// sweep removes what processes that are gone left behind under names of a pattern. What a living one holds stays.
func sweep(pattern string) {
	left, err := filepath.Glob(pattern)
	if err != nil {
		return
	}
	for _, path := range left {
		if f, err := hold(path); err == nil {
			_ = os.RemoveAll(path) // what cannot be removed is tried again next time
			_ = f.Close()
		}
	}
}
