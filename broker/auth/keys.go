package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/golang-jwt/jwt/v5"
)

// Signer makes compact JWS. Another algorithm (SM2) or a hardware module comes in behind it.
type Signer interface {
	KeyID() string
	// Sign signs the claims with the header fields typ, alg and kid.
	Sign(typ string, claims jwt.Claims) (string, error)
	// SignAt is Sign with the address of the key set (jku) in the header, for those who do not know it.
	SignAt(typ, keys string, claims jwt.Claims) (string, error)
	// SignDetached signs bytes: a JWS with detached payload (RFC 7515, appendix F).
	SignDetached(typ string, payload []byte) (string, error)
}

// KeySource gives the key that signs now and every key that may still verify, by number.
type KeySource interface {
	Signer() Signer
	// Public finds a verifying key; false for a number that is not ours.
	Public(kid string) (*ecdsa.PublicKey, bool)
}

// FileKeys keeps P-256 keys in a directory of mode 0700: one private key (0600), named in the file "current", and the
// public halves of retired ones. It is safe for concurrent use.
type FileKeys struct {
	dir string

	mu      sync.RWMutex
	current es256
	public  map[string]*ecdsa.PublicKey
}

var _ KeySource = (*FileKeys)(nil)

// OpenKeys opens the directory and makes it and a first key if there is none. It refuses a private key that others can read.
func OpenKeys(dir string) (*FileKeys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("auth: make key directory: %w", err)
	}
	k := &FileKeys{dir: dir, public: map[string]*ecdsa.PublicKey{}}
	if err := k.loadPublic(); err != nil {
		return nil, err
	}
	kid, err := os.ReadFile(filepath.Join(dir, "current")) //nolint:gosec // the operator names the directory
	if errors.Is(err, fs.ErrNotExist) {
		return k, k.Rotate()
	}
	if err != nil {
		return nil, fmt.Errorf("auth: read current key number: %w", err)
	}
	return k, k.loadPrivate(strings.TrimSpace(string(kid)))
}

// Signer is the key that signs now.
func (k *FileKeys) Signer() Signer {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.current
}

// Public finds a verifying key by number.
func (k *FileKeys) Public(kid string) (*ecdsa.PublicKey, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	p, ok := k.public[kid]
	return p, ok
}

// Rotate makes a new signing key. The old public half stays and verifies what it signed; the old private half is deleted.
func (k *FileKeys) Rotate() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("auth: make key: %w", err)
	}
	kid, err := Thumbprint(&priv.PublicKey)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(priv)
	if err != nil {
		return fmt.Errorf("auth: encode key: %w", err)
	}
	pub, err := x509.MarshalPKIXPublicKey(&priv.PublicKey)
	if err != nil {
		return fmt.Errorf("auth: encode public key: %w", err)
	}
	old := k.current.kid
	// Order matters for a crash: a key is named current only once both its halves are on disk.
	for _, f := range []struct {
		name string
		data []byte
	}{
		{kid + ".pub.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub})},
		{kid + ".key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})},
		{"current", []byte(kid + "\n")},
	} {
		if err := writeFile(filepath.Join(k.dir, f.name), f.data); err != nil {
			return err
		}
	}
	k.current = es256{kid: kid, key: priv}
	k.public[kid] = &priv.PublicKey
	if old == "" {
		return nil
	}
	if err := os.Remove(filepath.Join(k.dir, old+".key.pem")); err != nil {
		return fmt.Errorf("auth: delete retired key: %w", err)
	}
	return nil
}

func (k *FileKeys) loadPublic() error {
	names, err := filepath.Glob(filepath.Join(k.dir, "*.pub.pem"))
	if err != nil {
		return fmt.Errorf("auth: list keys: %w", err)
	}
	for _, name := range names {
		raw, err := os.ReadFile(name) //nolint:gosec // listed from our own directory
		if err != nil {
			return fmt.Errorf("auth: read public key: %w", err)
		}
		block, _ := pem.Decode(raw)
		if block == nil {
			return fmt.Errorf("auth: %s is not PEM", filepath.Base(name))
		}
		parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return fmt.Errorf("auth: parse %s: %w", filepath.Base(name), err)
		}
		pub, ok := parsed.(*ecdsa.PublicKey)
		if !ok || pub.Curve != elliptic.P256() {
			return fmt.Errorf("auth: %s is not a P-256 key", filepath.Base(name))
		}
		kid, err := Thumbprint(pub)
		if err != nil {
			return err
		}
		if kid+".pub.pem" != filepath.Base(name) {
			return fmt.Errorf("auth: %s does not hold the key of its name", filepath.Base(name))
		}
		k.public[kid] = pub
	}
	return nil
}

func (k *FileKeys) loadPrivate(kid string) error {
	if strings.ContainsAny(kid, `/\.`) || kid == "" {
		return errors.New("auth: the file current does not name a key")
	}
	name := filepath.Join(k.dir, kid+".key.pem")
	if err := private(name); err != nil {
		return err
	}
	raw, err := os.ReadFile(name) //nolint:gosec // checked above
	if err != nil {
		return fmt.Errorf("auth: read key: %w", err)
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return errors.New("auth: the signing key is not PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return errors.New("auth: the signing key cannot be parsed") // the parser's error may quote key bytes
	}
	priv, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || priv.Curve != elliptic.P256() {
		return errors.New("auth: the signing key is not P-256")
	}
	got, err := Thumbprint(&priv.PublicKey)
	if err != nil {
		return err
	}
	if got != kid {
		return errors.New("auth: the signing key does not have its number")
	}
	k.current = es256{kid: kid, key: priv}
	k.public[kid] = &priv.PublicKey
	return nil
}

// es256 signs with a key in memory.
type es256 struct {
	kid string
	key *ecdsa.PrivateKey
}

func (s es256) KeyID() string { return s.kid }

func (s es256) Sign(typ string, claims jwt.Claims) (string, error) {
	return s.sign(map[string]any{"typ": typ, "kid": s.kid}, claims)
}

func (s es256) SignAt(typ, keys string, claims jwt.Claims) (string, error) {
	return s.sign(map[string]any{"typ": typ, "kid": s.kid, "jku": keys}, claims)
}

func (s es256) sign(header map[string]any, claims jwt.Claims) (string, error) {
	t := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	for name, value := range header {
		t.Header[name] = value
	}
	out, err := t.SignedString(s.key)
	if err != nil {
		return "", fmt.Errorf("auth: sign: %w", err)
	}
	return out, nil
}

// Thumbprint is the RFC 7638 thumbprint of a P-256 key, base64url: its number, and the value of cnf.jkt.
func Thumbprint(pub *ecdsa.PublicKey) (string, error) {
	raw, err := pub.Bytes()
	if err != nil {
		return "", fmt.Errorf("auth: encode point: %w", err)
	}
	if pub.Curve != elliptic.P256() || len(raw) != 65 {
		return "", errors.New("auth: not a P-256 key")
	}
	b64 := base64.RawURLEncoding
	doc, err := json.Marshal(struct {
		Crv string `json:"crv"`
		Kty string `json:"kty"`
		X   string `json:"x"`
		Y   string `json:"y"`
	}{"P-256", "EC", b64.EncodeToString(raw[1:33]), b64.EncodeToString(raw[33:])})
	if err != nil {
		return "", fmt.Errorf("auth: encode key: %w", err)
	}
	sum := sha256.Sum256(doc)
	return b64.EncodeToString(sum[:]), nil
}

// private refuses a secret file that group or others can read; Windows keeps its own access lists.
func private(name string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	fi, err := os.Stat(name)
	if err != nil {
		return fmt.Errorf("auth: read key: %w", err)
	}
	if fi.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("auth: %s can be read by others; run chmod 600 on it", filepath.Base(name))
	}
	return nil
}

// writeFile writes a secret file whole or not at all.
func writeFile(name string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), ".new-*") // mode 0600
	if err != nil {
		return fmt.Errorf("auth: write %s: %w", filepath.Base(name), err)
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("auth: write %s: %w", filepath.Base(name), err), os.Remove(tmp.Name()))
	}
	return nil
}
