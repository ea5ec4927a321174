package parcel

import (
	"archive/tar"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"
)

// Source is a file to seal. Write must write the same bytes each time: it is called once to measure and once to seal, so that
// no plaintext ever lies on a disk.
type Source struct {
	Name  string // "schema.json" or "data/<table>.csv"
	Rows  int64
	Write func(w io.Writer) error
}

// Sealed is a package on disk and what the service keeps of it.
type Sealed struct {
	Cover    Cover
	Manifest Manifest
	SHA256   string // sha256:… of the whole package file
	Size     int64
}

// Seal writes a package for the receiver to a new file. It fills in the manifest's files, version, key and receiver.
func Seal(name string, m Manifest, files []Source, to Receiver, signer Signer) (Sealed, error) {
	recipient, err := to.recipient()
	if err != nil {
		return Sealed{}, err
	}
	m.Version, m.Receiver, m.Key, m.Files = Version, to.Institution, to.Fingerprint(), nil
	for _, f := range files {
		c := newCounter(io.Discard)
		if err := f.Write(c); err != nil {
			return Sealed{}, fmt.Errorf("parcel: measure %s: %w", f.Name, err)
		}
		m.Files = append(m.Files, File{Name: f.Name, SHA256: c.sum(), Size: c.n, Rows: f.Rows})
	}
	if err := m.check(); err != nil {
		return Sealed{}, err
	}
	manifest, err := encode(m)
	if err != nil {
		return Sealed{}, err
	}
	if len(manifest) > maxManifest {
		return Sealed{}, errors.New("parcel: the manifest is too large")
	}
	inner, err := os.CreateTemp(filepath.Dir(name), ".sealing-*") // ciphertext only, mode 0600
	if err != nil {
		return Sealed{}, fmt.Errorf("parcel: make file: %w", err)
	}
	defer func() { _ = inner.Close(); _ = os.Remove(inner.Name()) }()
	sealed := newCounter(inner)
	if err := sealInner(sealed, m, manifest, files, recipient, signer); err != nil {
		return Sealed{}, err
	}
	sum := sha256.Sum256(manifest)
	cover := Cover{Version: Version, ID: m.ID, Grant: m.Grant, Receiver: m.Receiver, Key: m.Key, Prepared: m.Prepared, Expires: m.Expires,
		Manifest: "sha256:" + hex.EncodeToString(sum[:]), Sealed: sealed.sum(), Size: sealed.n}
	out := Sealed{Cover: cover, Manifest: m}
	out.SHA256, out.Size, err = writeOuter(name, cover, inner, signer)
	return out, err
}

// sealInner writes the encrypted tar: manifest, signature, files.
func sealInner(w io.Writer, m Manifest, manifest []byte, files []Source, to age.Recipient, signer Signer) error {
	sig, err := signer.SignDetached(typeManifest, manifest)
	if err != nil {
		return fmt.Errorf("parcel: sign manifest: %w", err)
	}
	enc, err := age.Encrypt(w, to)
	if err != nil {
		return fmt.Errorf("parcel: encrypt: %w", err)
	}
	buf := bufio.NewWriterSize(enc, 64<<10)
	t := tar.NewWriter(buf)
	if err := errors.Join(put(t, manifestName, manifest, m.Prepared), put(t, manifestSig, []byte(sig), m.Prepared)); err != nil {
		return err
	}
	for i, f := range files {
		if err := t.WriteHeader(header(f.Name, m.Files[i].Size, m.Prepared)); err != nil {
			return fmt.Errorf("parcel: write %s: %w", f.Name, err)
		}
		c := newCounter(t)
		if err := f.Write(c); err != nil {
			return fmt.Errorf("parcel: write %s: %w", f.Name, err)
		}
		if c.sum() != m.Files[i].SHA256 {
			return fmt.Errorf("parcel: %s changed while it was sealed", f.Name)
		}
	}
	if err := errors.Join(t.Close(), buf.Flush(), enc.Close()); err != nil {
		return fmt.Errorf("parcel: encrypt: %w", err)
	}
	return nil
}

// writeOuter puts cover, signature and ciphertext into the package file, whole or not at all.
func writeOuter(name string, cover Cover, inner *os.File, signer Signer) (sum string, size int64, err error) {
	raw, err := encode(cover)
	if err != nil {
		return "", 0, err
	}
	sig, err := signer.SignDetached(typeCover, raw)
	if err != nil {
		return "", 0, fmt.Errorf("parcel: sign cover: %w", err)
	}
	if _, err := inner.Seek(0, io.SeekStart); err != nil {
		return "", 0, fmt.Errorf("parcel: read back: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".package-*")
	if err != nil {
		return "", 0, fmt.Errorf("parcel: make file: %w", err)
	}
	defer func() { _ = f.Close(); _ = os.Remove(f.Name()) }() // after the rename there is nothing to remove
	c := newCounter(f)
	t := tar.NewWriter(c)
	err = errors.Join(put(t, coverName, raw, cover.Prepared), put(t, coverSig, []byte(sig), cover.Prepared),
		t.WriteHeader(header(sealedName, cover.Size, cover.Prepared)))
	if err == nil {
		_, err = io.Copy(t, inner)
	}
	if err = errors.Join(err, t.Close(), f.Sync(), f.Close()); err != nil {
		return "", 0, fmt.Errorf("parcel: write package: %w", err)
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return "", 0, fmt.Errorf("parcel: write package: %w", err)
	}
	return c.sum(), c.n, nil
}

func header(name string, size int64, at time.Time) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: at.UTC().Truncate(time.Second), Format: tar.FormatUSTAR}
}

func put(t *tar.Writer, name string, data []byte, at time.Time) error {
	if err := t.WriteHeader(header(name, int64(len(data)), at)); err != nil {
		return fmt.Errorf("parcel: write %s: %w", name, err)
	}
	if _, err := t.Write(data); err != nil {
		return fmt.Errorf("parcel: write %s: %w", name, err)
	}
	return nil
}

// counter passes bytes on and keeps their number and hash.
type counter struct {
	w io.Writer
	h hash.Hash
	n int64
}

func newCounter(w io.Writer) *counter { return &counter{w: w, h: sha256.New()} }

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.h.Write(p[:n])
	c.n += int64(n)
	return n, err //nolint:wrapcheck // a pass-through writer
}

func (c *counter) sum() string { return "sha256:" + hex.EncodeToString(c.h.Sum(nil)) }
