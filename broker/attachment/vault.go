package attachment

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
)

// Sealer encrypts what is kept (anonymize/extract has one).
type Sealer interface {
	Seal(w io.Writer) (io.WriteCloser, error)
	Unseal(r io.Reader) (io.Reader, error)
}

// Vault keeps sealed files under random numbers in one directory. It is safe for concurrent use.
type Vault struct {
	root   *os.Root
	sealer Sealer
}

// ErrGone means that there is no such file, or no longer.
var ErrGone = errors.New("attachment: no such file")

const unfinished = ".part"

// OpenVault opens a directory, which it makes, for its owner alone.
func OpenVault(dir string, sealer Sealer) (*Vault, error) {
	if sealer == nil {
		return nil, errors.New("attachment: files are kept sealed; there is no sealer")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("attachment: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("attachment: %w", err)
	}
	return &Vault{root: root, sealer: sealer}, nil
}

// Close lets go of the directory.
func (v *Vault) Close() error { return v.root.Close() }

// Put keeps a file and returns its number once it is on the disk.
func (v *Vault) Put(data []byte) (id string, err error) {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails since Go 1.24
	id = hex.EncodeToString(raw[:])
	f, err := v.root.OpenFile(id+unfinished, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("attachment: %w", err)
	}
	err = errors.Join(v.seal(f, data), f.Sync(), f.Close())
	if err == nil {
		err = v.root.Rename(id+unfinished, id)
	}
	if err == nil {
		err = v.settle()
	}
	if err != nil {
		return "", fmt.Errorf("attachment: keep: %w", errors.Join(err, v.discard(id+unfinished)))
	}
	return id, nil
}

func (v *Vault) seal(f io.Writer, data []byte) error {
	w, err := v.sealer.Seal(f)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return errors.Join(err, w.Close())
}

// settle makes the directory's change last.
func (v *Vault) settle() error {
	d, err := v.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (v *Vault) discard(name string) error {
	if err := v.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

var number = regexp.MustCompile(`^[0-9a-f]{32}$`)

// Get reads a file back: ErrGone when it is not there.
func (v *Vault) Get(id string) ([]byte, error) {
	if !number.MatchString(id) {
		return nil, ErrGone
	}
	f, err := v.root.Open(id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrGone
	}
	if err != nil {
		return nil, fmt.Errorf("attachment: %w", err)
	}
	defer func() { _ = f.Close() }()
	r, err := v.sealer.Unseal(f)
	if err != nil {
		return nil, fmt.Errorf("attachment: unseal: %w", err)
	}
	var b bytes.Buffer
	if _, err := io.Copy(&b, io.LimitReader(r, MaxSize+1)); err != nil {
		return nil, fmt.Errorf("attachment: unseal: %w", err)
	}
	return b.Bytes(), nil
}

// Remove takes a file away for good. Removing twice is fine.
func (v *Vault) Remove(id string) error {
	if !number.MatchString(id) {
		return nil
	}
	if err := v.discard(id); err != nil {
		return fmt.Errorf("attachment: remove: %w", err)
	}
	return v.settle()
}

// Sweep removes what a crash left: unfinished files, and those that no document names. It is for a time when nothing is being put.
func (v *Vault) Sweep(named func(id string) (bool, error)) (int, error) {
	names, err := fs.ReadDir(v.root.FS(), ".")
	if err != nil {
		return 0, fmt.Errorf("attachment: sweep: %w", err)
	}
	removed := 0
	for _, e := range names {
		name := e.Name()
		if !strings.HasSuffix(name, unfinished) {
			if !number.MatchString(name) {
				continue // not ours
			}
			kept, err := named(name)
			if err != nil {
				return removed, err
			}
			if kept {
				continue
			}
		}
		if err := v.discard(name); err != nil {
			return removed, fmt.Errorf("attachment: sweep: %w", err)
		}
		removed++
	}
	return removed, v.settle()
}
