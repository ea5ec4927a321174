package extract

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Reseal writes a copy of an extract whose files are sealed by another sealer, for the unit that the data go over to. The copy differs from
// the extract in nothing but the seal: its Fingerprint is the same, or there is no copy.
func Reseal(ctx context.Context, from string, sealer Sealer, to string, other Sealer) (m *Manifest, err error) {
	e, err := Open(ctx, from, sealer)
	if err != nil {
		return nil, err
	}
	head := *e.manifest
	head.Tables = nil
	w, err := Create(to, other, head)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Abort())
		}
	}()
	for i := range e.manifest.Tables {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("seal the extract anew: %w", err)
		}
		t := e.manifest.Tables[i]
		if t.Sealed, err = reseal(filepath.Join(from, t.File), sealer, filepath.Join(w.temp, t.File), other, t.SHA256); err != nil {
			return nil, fmt.Errorf("seal table %q anew: %w", t.Name, err)
		}
		w.manifest.Tables = append(w.manifest.Tables, t)
	}
	if m, err = w.Commit(); err != nil {
		return nil, err
	}
	return m, nil
}

// reseal copies one file and gives the hash of the new ciphertext. The plaintext must have its hash.
func reseal(from string, sealer Sealer, to string, other Sealer, plain string) (sealed string, err error) {
	in, err := os.Open(from) //nolint:gosec // a file of the manifest
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	clear, err := sealer.Unseal(bufio.NewReaderSize(in, 1<<16))
	if err != nil {
		return "", err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // a file of the manifest
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	cipher, text := sha256.New(), sha256.New()
	seal, err := other.Seal(io.MultiWriter(out, cipher))
	if err != nil {
		return "", err
	}
	if _, err := io.Copy(io.MultiWriter(seal, text), clear); err != nil {
		return "", sayFull(err)
	}
	if err := errors.Join(seal.Close(), out.Sync()); err != nil {
		return "", sayFull(err)
	}
	if hex.EncodeToString(text.Sum(nil)) != plain {
		return "", errors.New("the plaintext does not have the hash of the manifest")
	}
	return hex.EncodeToString(cipher.Sum(nil)), nil
}

// Fingerprint is the hash of all that a manifest says but the seals: an extract keeps it when it is sealed anew.
func (m *Manifest) Fingerprint() (string, error) {
	c := *m
	c.Tables = append([]Table(nil), m.Tables...)
	for i := range c.Tables {
		c.Tables[i].Sealed = ""
	}
	raw, err := c.encode()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(raw)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// ReadManifest reads the manifest of an extract without its files.
func ReadManifest(dir string) (*Manifest, error) {
	e, err := openManifest(dir, nil)
	if err != nil {
		return nil, err
	}
	return e.manifest, nil
}
