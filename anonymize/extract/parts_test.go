package extract

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestPartOfAFullDisk: what was begun and did not fit on the disk is not left there, and what was there before stays.
func TestPartOfAFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, stop := range []error{syscall.ENOSPC, os.ErrExist} {
		_, _, err := makePart(filepath.Join(dir, "register"), func(path string) error {
			return errors.Join(stop, os.WriteFile(path, []byte("begun"), 0o600))
		})
		if !errors.Is(err, stop) {
			t.Fatal(err)
		}
		left, err := filepath.Glob(filepath.Join(dir, ".*"))
		if err != nil || (len(left) == 0) != errors.Is(stop, syscall.ENOSPC) {
			t.Errorf("after %v: %d things are left", stop, len(left))
		}
	}
}
