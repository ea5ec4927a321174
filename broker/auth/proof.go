package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// A permit that names a client key is worth nothing to who steals it: each use carries a fresh proof (RFC 9449, DPoP) signed
// by that key over the method, the address and the permit's hash, and no proof counts twice.
const (
	typeProof  = "dpop+jwt"
	proofLife  = 2 * time.Minute
	proofAhead = 5 * time.Second
	maxProofs  = 1 << 16
)

// Proofs checks proofs of possession and remembers those seen while they could still count. It is safe for concurrent use.
type Proofs struct {
	now func() time.Time

	mu   sync.Mutex
	seen map[string]time.Time // jti -> when it stops counting
}

// NewProofs makes a checker with an empty memory; now is the clock.
func NewProofs(now func() time.Time) *Proofs {
	return &Proofs{now: now, seen: map[string]time.Time{}}
}

type proofClaims struct {
	jwt.RegisteredClaims
	Method string `json:"htm"`
	URL    string `json:"htu"`
	Access string `json:"ath"`
}

// Check verifies a proof for this method, address and permit, and returns the thumbprint of the key that made it. A proof
// that was seen before, is older than two minutes or comes from ahead is refused.
func (p *Proofs) Check(proof, method, url string, permit Secret) (string, error) {
	if len(proof) > maxToken {
		return "", denied(errors.New("too long"))
	}
	var c proofClaims
	var jkt string
	now := p.now()
	parser := jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodES256.Alg()}), jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation())
	_, err := parser.ParseWithClaims(proof, &c, func(t *jwt.Token) (any, error) {
		pub, err := proofKey(t.Header)
		if err != nil {
			return nil, err
		}
		jkt, err = Thumbprint(pub)
		return pub, err
	})
	if err != nil {
		return "", denied(err)
	}
	sum := sha256.Sum256([]byte(permit.Reveal()))
	switch {
	case c.ID == "" || len(c.ID) > 128 || c.IssuedAt == nil:
		return "", denied(errors.New("no number or time"))
	case c.Method != method || c.URL != url:
		return "", denied(errors.New("a proof for another request"))
	case c.Access != base64.RawURLEncoding.EncodeToString(sum[:]):
		return "", denied(errors.New("a proof for another permit"))
	case c.IssuedAt.Before(now.Add(-proofLife)) || c.IssuedAt.After(now.Add(proofAhead)):
		return "", denied(errors.New("a proof of another time"))
	}
	return jkt, p.once(jkt+" "+c.ID, c.IssuedAt.Add(proofLife), now)
}

// once remembers a proof's number until it stops counting; a full memory refuses rather than forgets.
func (p *Proofs) once(id string, until, now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, again := p.seen[id]; again {
		return denied(errors.New("a proof seen before"))
	}
	if len(p.seen) >= maxProofs {
		for k, end := range p.seen {
			if end.Before(now) {
				delete(p.seen, k)
			}
		}
		if len(p.seen) >= maxProofs {
			return denied(errors.New("too many proofs at once"))
		}
	}
	p.seen[id] = until
	return nil
}

// proofKey reads the client's public key from the proof's header. Here alone a header brings a key along: it identifies the
// client by thumbprint and gives no right of itself.
func proofKey(header map[string]any) (*ecdsa.PublicKey, error) {
	if len(header) != 3 || header["typ"] != typeProof {
		return nil, errors.New("not a proof")
	}
	j, ok := header["jwk"].(map[string]any)
	if !ok || len(j) != 4 || j["kty"] != "EC" || j["crv"] != "P-256" {
		return nil, errors.New("not a P-256 public key")
	}
	point := []byte{4}
	for _, name := range []string{"x", "y"} {
		s, ok := j[name].(string)
		if !ok {
			return nil, errors.New("no coordinate")
		}
		b, err := base64.RawURLEncoding.Strict().DecodeString(s)
		if err != nil || len(b) != 32 {
			return nil, errors.New("not a coordinate")
		}
		point = append(point, b...)
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return nil, fmt.Errorf("auth: client key: %w", err)
	}
	return pub, nil
}
