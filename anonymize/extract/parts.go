package extract

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// errHeld says that another process is at work with a file.
var errHeld = errors.New("another process has it")

// partPattern matches the unfinished things of a target: beside it, hidden, and never read by anybody. Characters that mean something in a
// pattern are taken for any character.
func partPattern(target string) string {
	return filepath.Join(clean(filepath.Dir(target)), "."+clean(filepath.Base(target))+".part-*")
}

func clean(path string) string {
	return strings.NewReplacer("*", "?", "[", "?", "]", "?", `\`, "?").Replace(path)
}

// Sweep removes what killed processes left of a target that is not made anew.
func Sweep(target string) { sweep(partPattern(target)) }

// SweepIn removes what killed processes left of whatever targets in a directory: for targets whose names nobody uses twice.
func SweepIn(dir string) { sweep(filepath.Join(clean(dir), ".*.part-*")) }

// part is a name for an unfinished thing of a target that no other process has.
func part(target string) string {
	var b [6]byte
	_, _ = rand.Read(b[:])
	return filepath.Join(filepath.Dir(target), "."+filepath.Base(target)+".part-"+hex.EncodeToString(b[:]))
}

// makePart sweeps what killed processes left of a target, makes a new unfinished thing, and holds it, so that it is swept only when this process is
// gone.
func makePart(target string, create func(path string) error) (path string, held *os.File, err error) {
	sweep(partPattern(target))
	for range 8 { // another process may sweep it in the moment before it is held
		path = part(target)
		if err := create(path); err != nil {
			if !errors.Is(err, os.ErrExist) { // a disk that is full keeps the beginning
				err = errors.Join(err, os.RemoveAll(path))
			}
			return "", nil, err
		}
		if held, err = hold(path); !errors.Is(err, errHeld) {
			return path, held, nil // without locks nothing is swept either
		}
	}
	return "", nil, errors.New("too many processes build at this place at the same time")
}

// WriteOnce writes a file that is there as a whole or not at all, whenever the process ends. It never replaces one.
func WriteOnce(target string, raw []byte) (err error) {
	path, held, err := makePart(target, func(path string) error { return writeFile(path, raw) })
	if err != nil {
		return sayFull(err)
	}
	defer func() {
		_ = os.Remove(path)
		if held != nil {
			_ = held.Close()
		}
	}()
	if err := os.Link(path, target); err != nil { // unlike a rename it fails when the name is taken
		return fmt.Errorf("name the file: %w", err)
	}
	return syncDir(filepath.Dir(target))
}
