package extract

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
)

// Sealer encrypts the files of an extract at rest. The default is age with X25519; another algorithm (SM4 where a
// commission demands it) is another Sealer.
type Sealer interface {
	// Seal returns a writer whose plaintext reaches w encrypted; Close finishes the encryption and leaves w open.
	Seal(w io.Writer) (io.WriteCloser, error)
	// Unseal returns the plaintext of r. Reading fails where the ciphertext was changed.
	Unseal(r io.Reader) (io.Reader, error)
}

// Age seals to a recipient and, where it has the identity, unseals. The zero value is refused by both.
type Age struct {
	recipient  age.Recipient
	identities []age.Identity // the newest first
}

// NewAge seals to and opens with X25519 identities, as "AGE-SECRET-KEY-1…", one a line: it seals to the first and opens with any, so that
// extracts of before a rotation stay readable.
func NewAge(secret string) (*Age, error) {
	a := &Age{}
	for _, line := range strings.Fields(secret) {
		id, err := age.ParseX25519Identity(line)
		if err != nil {
			return nil, errors.New("the identity of extracts is not an age X25519 secret key") // the cause may quote the key
		}
		if a.identities = append(a.identities, id); a.recipient == nil {
			a.recipient = id.Recipient()
		}
	}
	if len(a.identities) == 0 {
		return nil, errors.New("there is no identity of extracts")
	}
	return a, nil
}

// NewAgeRecipient seals only: whoever builds extracts need not be able to read old ones.
func NewAgeRecipient(public string) (*Age, error) {
	r, err := age.ParseX25519Recipient(public)
	if err != nil {
		return nil, fmt.Errorf("the recipient of extracts is not an age X25519 public key: %w", err)
	}
	return &Age{recipient: r}, nil
}

// Recipient is the public key that this sealer seals to.
func (a *Age) Recipient() (string, error) {
	if a == nil {
		return "", errors.New("no recipient")
	}
	r, ok := a.recipient.(*age.X25519Recipient)
	if !ok {
		return "", errors.New("the recipient is not an X25519 key")
	}
	return r.String(), nil
}

// Seal implements Sealer.
func (a *Age) Seal(w io.Writer) (io.WriteCloser, error) {
	if a == nil || a.recipient == nil {
		return nil, errors.New("no recipient to seal the extract to")
	}
	return age.Encrypt(w, a.recipient)
}

// Unseal implements Sealer.
func (a *Age) Unseal(r io.Reader) (io.Reader, error) {
	if a == nil || len(a.identities) == 0 {
		return nil, errors.New("no identity to open the extract with")
	}
	p, err := age.Decrypt(r, a.identities...)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return nil, errors.New("the extract was sealed with another key ring: name the one that it was built with")
	}
	if err != nil {
		return nil, fmt.Errorf("the extract does not open: %w", err)
	}
	return p, nil
}
