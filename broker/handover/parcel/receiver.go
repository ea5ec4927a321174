package parcel

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"

	"filippo.io/age"
)

// ReceiverKey is a receiver's secret key material: one key to open packages and one to sign for them. It never leaves the
// receiver; printing and logging show its fingerprint only.
type ReceiverKey struct {
	institution string
	open        *age.X25519Identity
	sign        ed25519.PrivateKey
}

// Receiver is the public half, registered with the service before the first handover.
type Receiver struct {
	Institution string `json:"institution"`
	Age         string `json:"age"`     // age1…
	Ed25519     string `json:"ed25519"` // base64
}

// NewReceiverKey makes key material for an institution.
func NewReceiverKey(institution string) (*ReceiverKey, error) {
	if institution == "" {
		return nil, errors.New("parcel: a receiver needs its institution")
	}
	open, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, fmt.Errorf("parcel: make key: %w", err)
	}
	_, sign, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("parcel: make key: %w", err)
	}
	return &ReceiverKey{institution: institution, open: open, sign: sign}, nil
}

// Public is the half to register.
func (k *ReceiverKey) Public() Receiver {
	pub, _ := k.sign.Public().(ed25519.PublicKey)
	return Receiver{Institution: k.institution, Age: k.open.Recipient().String(), Ed25519: base64.StdEncoding.EncodeToString(pub)}
}

// Institution is whose key it is.
func (k *ReceiverKey) Institution() string { return k.institution }

// String shows the fingerprint only.
func (k *ReceiverKey) String() string { return "receiver key " + k.Public().Fingerprint() }

// GoString shows the fingerprint only.
func (k *ReceiverKey) GoString() string { return k.String() }

// LogValue shows the fingerprint only.
func (k *ReceiverKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// receiverFile is a secret key file. The field names say what must stay with the receiver.
type receiverFile struct {
	Note        string `json:"note"`
	Institution string `json:"institution"`
	SecretAge   string `json:"secret_age"`
	SecretSeed  string `json:"secret_ed25519_seed"`
}

// WriteFile writes the secret key (mode 0600) to a new file; an existing one is never overwritten.
func (k *ReceiverKey) WriteFile(name string) error {
	raw, err := encode(receiverFile{
		Note:        "Carrel receiver key: keep it secret; register only the public half",
		Institution: k.institution, SecretAge: k.open.String(), SecretSeed: base64.StdEncoding.EncodeToString(k.sign.Seed()),
	})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the user names the file
	if err != nil {
		return fmt.Errorf("parcel: write key: %w", err)
	}
	_, err = f.Write(raw)
	return errors.Join(err, f.Sync(), f.Close())
}

// ReadReceiverKey reads a secret key file; one that others can read is refused.
func ReadReceiverKey(name string) (*ReceiverKey, error) {
	fi, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("parcel: read key: %w", err)
	}
	if runtime.GOOS != "windows" && fi.Mode().Perm()&0o077 != 0 {
		return nil, errors.New("parcel: the key file can be read by others; run chmod 600 on it")
	}
	raw, err := os.ReadFile(name) //nolint:gosec // the user names the file
	if err != nil {
		return nil, fmt.Errorf("parcel: read key: %w", err)
	}
	var f receiverFile
	if json.Unmarshal(raw, &f) != nil || f.Institution == "" {
		return nil, errors.New("parcel: not a receiver key file")
	}
	open, err := age.ParseX25519Identity(f.SecretAge)
	if err != nil {
		return nil, errors.New("parcel: not a receiver key file") // the parser's error may quote the key
	}
	seed, err := base64.StdEncoding.DecodeString(f.SecretSeed)
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, errors.New("parcel: not a receiver key file")
	}
	return &ReceiverKey{institution: f.Institution, open: open, sign: ed25519.NewKeyFromSeed(seed)}, nil
}

// Fingerprint is sha256:… over institution and both public keys: what a package is bound to.
func (r Receiver) Fingerprint() string {
	h := sha256.New()
	for _, s := range []string{"carrel-receiver-v1", r.Institution, r.Age, r.Ed25519} {
		_, _ = fmt.Fprintf(h, "%d:%s\n", len(s), s) // a hash never fails to write
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// Valid checks the form of both keys.
func (r Receiver) Valid() error {
	if r.Institution == "" {
		return errors.New("parcel: a receiver needs its institution")
	}
	if _, err := r.recipient(); err != nil {
		return err
	}
	_, err := r.verifier()
	return err
}

func (r Receiver) recipient() (age.Recipient, error) {
	to, err := age.ParseX25519Recipient(r.Age)
	if err != nil {
		return nil, errors.New("parcel: not an age X25519 recipient (age1…)")
	}
	return to, nil
}

func (r Receiver) verifier() (ed25519.PublicKey, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(r.Ed25519)
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return nil, errors.New("parcel: not an Ed25519 public key in base64")
	}
	return ed25519.PublicKey(raw), nil
}

// ErrAcknowledgement says that a countersignature is not the registered receiver's over this manifest.
var ErrAcknowledgement = errors.New("parcel: the countersignature does not hold")

// Acknowledge signs for a package: the receiver has it and takes the duties of its grant on itself.
func (k *ReceiverKey) Acknowledge(handover, manifest string) string {
	return base64.StdEncoding.EncodeToString(ed25519.Sign(k.sign, statement(handover, manifest, k.Public().Fingerprint())))
}

// CheckAcknowledgement verifies a countersignature against the registered key.
func (r Receiver) CheckAcknowledgement(handover, manifest, signature string) error {
	pub, err := r.verifier()
	if err != nil {
		return err
	}
	sig, err := base64.StdEncoding.Strict().DecodeString(signature)
	if err != nil || !ed25519.Verify(pub, statement(handover, manifest, r.Fingerprint()), sig) {
		return ErrAcknowledgement
	}
	return nil
}

// statement is what a receiver signs; the lengths keep two different triples from being the same bytes.
func statement(handover, manifest, key string) []byte {
	return fmt.Appendf(nil, "carrel-acknowledgement-v1\n%d:%s\n%d:%s\n%d:%s\n", len(handover), handover, len(manifest), manifest, len(key), key)
}
