package parcel

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"

	"carrel/broker/auth"
	"carrel/broker/problem"
)

// Report says what was verified.
type Report struct {
	Cover    Cover    `json:"cover"`
	Manifest Manifest `json:"manifest,omitzero"` // only with the receiver's key
	Opened   bool     `json:"opened"`            // the inside was decrypted and every file's hash holds
}

// Verify checks a package offline: the cover's signature, the ciphertext's hash, the expiry; and with the receiver's key
// (else nil) the inside too: manifest and signature, that both belong together, every file's hash, nothing missing, nothing
// added. Errors are *problem.Error with code unverified, one sentence each.
func Verify(pkg io.Reader, keys Keys, key *ReceiverKey, now time.Time) (Report, error) {
	return read(pkg, keys, key, now, func(string) (io.WriteCloser, error) { return discard{}, nil })
}

// Open verifies a package and puts its files into dir, which must not exist. Nothing is there unless everything held.
func Open(pkg io.Reader, keys Keys, key *ReceiverKey, now time.Time, dir string) (Report, error) {
	if key == nil {
		return Report{}, unverified(errors.New("no key"), "打开数据包需要接收方密钥；请用 --key 指定。", "Opening a package needs the receiver's key; name it with --key.")
	}
	if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) {
		return Report{}, problem.New(problem.Invalid, "输出目录已存在；请指定一个新目录。", "The output folder exists already; name a new one.")
	}
	tmp, err := os.MkdirTemp(filepath.Dir(filepath.Clean(dir)), ".opening-*") // mode 0700
	if err != nil {
		return Report{}, fmt.Errorf("parcel: make folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(tmp) }() // what was not verified does not stay
	root, err := os.OpenRoot(tmp)
	if err != nil {
		return Report{}, fmt.Errorf("parcel: open folder: %w", err)
	}
	defer func() { _ = root.Close() }()
	report, err := read(pkg, keys, key, now, func(name string) (io.WriteCloser, error) {
		if parent := filepath.Dir(filepath.FromSlash(name)); parent != "." {
			if err := root.Mkdir(parent, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
				return nil, fmt.Errorf("parcel: make folder: %w", err)
			}
		}
		f, err := root.OpenFile(filepath.FromSlash(name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, fmt.Errorf("parcel: make file: %w", err)
		}
		return f, nil
	})
	if err != nil {
		return report, err
	}
	if err := os.Rename(tmp, dir); err != nil {
		return report, fmt.Errorf("parcel: put the folder in place: %w", err)
	}
	return report, nil
}

type sink func(name string) (io.WriteCloser, error)

func read(pkg io.Reader, keys Keys, key *ReceiverKey, now time.Time, out sink) (Report, error) {
	outer := tar.NewReader(pkg)
	cover, err := readCover(outer, keys)
	if err != nil {
		return Report{}, err
	}
	r := Report{Cover: cover}
	if !now.Before(cover.Expires) {
		return r, unverified(errors.New("expired"), "数据包已过期；请申请新的移交。", "The package has expired; request a new handover.")
	}
	if key != nil && key.Public().Fingerprint() != cover.Key {
		return r, unverified(errors.New("another receiver"), "数据包不是加密给这把密钥的；请换用登记的密钥。",
			"The package is not for this key; use the key that was registered.")
	}
	h, err := outer.Next()
	if err != nil || h.Name != sealedName || h.Typeflag != tar.TypeReg || h.Size != cover.Size {
		return r, broken(err)
	}
	c := newCounter(io.Discard)
	sealed := io.TeeReader(outer, c)
	if key != nil {
		if r.Manifest, err = readInner(sealed, cover, keys, key, out); err != nil {
			return r, err
		}
	}
	if _, err := io.Copy(io.Discard, sealed); err != nil {
		return r, broken(err)
	}
	if c.sum() != cover.Sealed || c.n != cover.Size {
		return r, broken(errors.New("the ciphertext's hash"))
	}
	if _, err := outer.Next(); !errors.Is(err, io.EOF) {
		return r, broken(errors.New("something after the package"))
	}
	r.Opened = key != nil
	return r, nil
}

func readCover(outer *tar.Reader, keys Keys) (Cover, error) {
	raw, err := part(outer, coverName, maxCover)
	if err != nil {
		return Cover{}, err
	}
	sig, err := part(outer, coverSig, maxSig)
	if err != nil {
		return Cover{}, err
	}
	if err := auth.VerifyDetached(typeCover, string(sig), raw, keys); err != nil {
		return Cover{}, foreign(err)
	}
	var c Cover
	if err := strict(raw, &c); err != nil || c.Version != Version {
		return Cover{}, broken(err)
	}
	return c, nil
}

// readInner decrypts and checks the inside. The manifest comes first, so every later name and hash is known before a byte of it.
func readInner(sealed io.Reader, cover Cover, keys Keys, key *ReceiverKey, out sink) (Manifest, error) {
	plain, err := age.Decrypt(sealed, key.open)
	if err != nil {
		return Manifest{}, broken(err)
	}
	inner := tar.NewReader(plain)
	raw, err := part(inner, manifestName, maxManifest)
	if err != nil {
		return Manifest{}, err
	}
	sig, err := part(inner, manifestSig, maxSig)
	if err != nil {
		return Manifest{}, err
	}
	if err := auth.VerifyDetached(typeManifest, string(sig), raw, keys); err != nil {
		return Manifest{}, foreign(err)
	}
	sum := sha256.Sum256(raw)
	var m Manifest
	if err := strict(raw, &m); err != nil {
		return Manifest{}, broken(err)
	}
	if "sha256:"+hex.EncodeToString(sum[:]) != cover.Manifest || m.ID != cover.ID || m.Grant != cover.Grant || m.Key != cover.Key ||
		m.Receiver != cover.Receiver || !m.Expires.Equal(cover.Expires) {
		return Manifest{}, unverified(errors.New("another manifest"), "清单不属于这个数据包；请重新领取。", "The manifest belongs to another package; pull it again.")
	}
	if err := m.check(); err != nil {
		return Manifest{}, broken(err)
	}
	if err := readFiles(inner, m, out); err != nil {
		return Manifest{}, err
	}
	if _, err := io.Copy(io.Discard, plain); err != nil { // age says only at its end that nothing was cut off
		return Manifest{}, broken(err)
	}
	return m, nil
}

func readFiles(inner *tar.Reader, m Manifest, out sink) error {
	for _, want := range m.Files {
		h, err := inner.Next()
		if err != nil {
			return broken(err)
		}
		if h.Name != want.Name || h.Typeflag != tar.TypeReg || h.Size != want.Size || !fileName.MatchString(h.Name) {
			return broken(errors.New("a file that the manifest does not name here"))
		}
		w, err := out(h.Name)
		if err != nil {
			return err
		}
		c := newCounter(w)
		_, err = io.Copy(c, inner)
		if err = errors.Join(err, w.Close()); err != nil {
			return broken(err)
		}
		if c.sum() != want.SHA256 || c.n != want.Size {
			return broken(errors.New("a file's hash"))
		}
	}
	if _, err := inner.Next(); !errors.Is(err, io.EOF) {
		return broken(errors.New("a file that the manifest does not name"))
	}
	return nil
}

func part(t *tar.Reader, name string, limit int64) ([]byte, error) {
	h, err := t.Next()
	if err != nil {
		return nil, broken(err)
	}
	if h.Name != name || h.Typeflag != tar.TypeReg || h.Size > limit {
		return nil, broken(errors.New("a part that is not expected"))
	}
	raw, err := io.ReadAll(io.LimitReader(t, limit))
	if err != nil {
		return nil, broken(err)
	}
	return raw, nil
}

// strict decodes JSON that holds exactly the fields we know.
func strict(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("parcel: decode: %w", err)
	}
	if d.More() {
		return errors.New("parcel: more than one document")
	}
	return nil
}

func unverified(cause error, zh, en string) error {
	return problem.Wrap(cause, problem.Unverified, zh, en)
}

func broken(cause error) error {
	return unverified(cause, "数据包已损坏或被改动；请重新领取，并告知数据提供方。", "The package is damaged or was changed; pull it again and tell the provider.")
}

func foreign(cause error) error {
	return unverified(cause, "数据包没有本服务的有效签名；请核对服务公钥，并重新领取。",
		"The package has no valid signature of this service; check the service's public key and pull it again.")
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) Close() error                { return nil }
