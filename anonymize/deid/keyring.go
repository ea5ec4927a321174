package deid

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"filippo.io/age"
)

var keyName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// Secret is a 32-byte key that never prints itself.
type Secret [32]byte

// String hides the key.
func (Secret) String() string { return "secret" }

// GoString hides the key.
func (Secret) GoString() string { return "secret" }

// LogValue hides the key.
func (Secret) LogValue() slog.Value { return slog.StringValue("secret") }

// newSecret draws a key.
func newSecret() Secret {
	var s Secret
	_, _ = rand.Read(s[:])
	return s
}

// derive makes an independent key for one use (HKDF-SHA256).
func (s Secret) derive(use string) Secret {
	raw, err := hkdf.Key(sha256.New, s[:], nil, "carrel/deid/1 "+use, len(Secret{}))
	if err != nil {
		//nolint:forbidigo // a zero key must never be used, and no caller could go on
		panic("deid: hkdf of 32 bytes failed: " + err.Error()) // impossible: only larger outputs fail
	}
	return Secret(raw)
}

// KeyRing gives keys by name.
type KeyRing interface {
	// Key returns the key of that name or an error; the zero key is never a key.
	Key(name string) (Secret, error)
}

// DirKeyRing keeps keys as files of one directory, readable by the owner only: name.key (64 hex digits) and
// extract.age (age X25519 identities, one a line, the newest first, for extract.NewAge).
type DirKeyRing struct{ dir string }

// OpenKeyRing opens a directory of keys. A directory or key that others can read is refused when the key is used.
func OpenKeyRing(dir string) (*DirKeyRing, error) {
	st, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("open the key ring: %w", err)
	}
	if !st.IsDir() {
		return nil, errors.New("open the key ring: it is not a directory")
	}
	return &DirKeyRing{dir: dir}, nil
}

// InitKeyRing makes the directory, the identity of extracts and the named keys where they are missing; what exists is
// kept.
func InitKeyRing(dir string, names ...string) (*DirKeyRing, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the key ring: %w", err)
	}
	k := &DirKeyRing{dir: dir}
	for _, name := range names {
		if !keyName.MatchString(name) {
			return nil, fmt.Errorf("%q is not a name for a key", name)
		}
		s := newSecret()
		if err := k.create(name+".key", hex.EncodeToString(s[:])); err != nil {
			return nil, err
		}
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, fmt.Errorf("make the identity of extracts: %w", err)
	}
	return k, k.create("extract.age", id.String())
}

// ErrOtherKey says that the ring has another key of that name.
var ErrOtherKey = errors.New("the key ring has another key of that name")

// Adopt takes a key that came from another ring, under the name that extracts know it by. A key that is there is never replaced.
func (k *DirKeyRing) Adopt(name string, key Secret) error {
	if !keyName.MatchString(name) || key == (Secret{}) {
		return fmt.Errorf("%q is not a name for a key, or the key is none", name)
	}
	if err := k.create(name+".key", hex.EncodeToString(key[:])); err != nil {
		return err
	}
	have, err := k.Key(name)
	if err == nil && have != key {
		err = ErrOtherKey
	}
	return err
}

// create writes a key unless it exists.
func (k *DirKeyRing) create(file, text string) error {
	f, err := os.OpenFile(filepath.Join(k.dir, file), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("write a key: %w", err)
	}
	_, err = f.WriteString(text + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write a key: %w", err)
	}
	return nil
}

// Key implements KeyRing.
func (k *DirKeyRing) Key(name string) (Secret, error) {
	var s Secret
	if !keyName.MatchString(name) {
		return s, fmt.Errorf("%q is not a name for a key", name)
	}
	text, err := k.read(name + ".key")
	if err != nil {
		return s, fmt.Errorf("the key ring has no key %q that can be used: %w", name, err)
	}
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(s) || Secret(raw) == s {
		return s, fmt.Errorf("the key %q of the key ring is damaged: 64 hex digits are wanted", name)
	}
	return Secret(raw), nil
}

// maxIdentities bounds the file of identities: who rotates every month for years has read all old extracts by then.
const maxIdentities = 48

// Rotate makes a new identity of extracts: what is built from now on is sealed to it, and what was built before still opens. The file is
// replaced in one step. One process rotates at a time.
func (k *DirKeyRing) Rotate() error {
	old, err := k.Identity()
	if err != nil {
		return err
	}
	if len(strings.Fields(old)) >= maxIdentities {
		return fmt.Errorf("the key ring holds %d identities of extracts: take out the oldest, whose extracts are gone", maxIdentities)
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return fmt.Errorf("make the identity of extracts: %w", err)
	}
	path := filepath.Join(k.dir, "extract.age")
	tmp, err := os.CreateTemp(k.dir, ".extract.age-*") // readable by the owner only
	if err != nil {
		return fmt.Errorf("write a key: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.WriteString(id.String() + "\n" + old + "\n")
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write a key: %w", err)
	}
	return nil
}

// Identity returns the age identities that open extracts, one a line, the newest first: for extract.NewAge.
func (k *DirKeyRing) Identity() (string, error) {
	text, err := k.read("extract.age")
	if err != nil {
		return "", fmt.Errorf("the key ring has no identity of extracts that can be used: %w", err)
	}
	return text, nil
}

func (k *DirKeyRing) read(file string) (string, error) {
	path := filepath.Join(k.dir, file)
	st, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if st.Size() > 4096 || !private(st.Mode()) {
		return "", errors.New("its file is too large or readable by others (chmod 600)")
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(raw)), nil
}
