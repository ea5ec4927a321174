package audit

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// Signer signs the heads of the log. Its name is the log's origin. It is called once a commit, inside the transaction, so a
// slow one slows every commit, and one that fails lets nothing happen.
type Signer interface {
	note.Signer
	// VerifierKey is the public key in note form, "name+hash+key": what `audit verify` is given.
	VerifierKey() string
}

// NewSigner makes a Signer of an Ed25519 key that may live elsewhere (any crypto.Signer with an Ed25519 public key).
// The name says whose log it is, e.g. "carrel.example/jinhe"; it has no white space and no plus sign.
func NewSigner(name string, key crypto.Signer) (Signer, error) {
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == '+' || r == 0x7f || r == 0xfffd }) {
		return nil, errors.New("audit: the name of a log is not empty and holds no white space and no plus sign")
	}
	if key == nil {
		return nil, errors.New("audit: no signing key")
	}
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok || len(public) != ed25519.PublicKeySize {
		return nil, errors.New("audit: the signing key is not an Ed25519 key")
	}
	verifier, err := note.NewEd25519VerifierKey(name, public)
	if err != nil {
		return nil, fmt.Errorf("audit: verifier key: %w", err)
	}
	sum := sha256.Sum256(append([]byte(name+"\n\x01"), public...))
	return &ed25519Signer{name: name, hash: binary.BigEndian.Uint32(sum[:4]), key: key, verifier: verifier}, nil
}

type ed25519Signer struct {
	name     string
	hash     uint32
	key      crypto.Signer
	verifier string
}

func (s *ed25519Signer) Name() string        { return s.name }
func (s *ed25519Signer) KeyHash() uint32     { return s.hash }
func (s *ed25519Signer) VerifierKey() string { return s.verifier }

func (s *ed25519Signer) Sign(msg []byte) ([]byte, error) {
	sig, err := s.key.Sign(rand.Reader, msg, crypto.Hash(0))
	if err != nil {
		return nil, fmt.Errorf("audit: sign: %w", err)
	}
	return sig, nil
}
