package auth

import (
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// detachedHeader is the protected header of a detached signature. The order of its fields is fixed, so equal headers are equal bytes.
type detachedHeader struct {
	Alg string `json:"alg"`
	Kid string `json:"kid"`
	Typ string `json:"typ"`
}

// SignDetached signs payload for one use (typ).
func (s es256) SignDetached(typ string, payload []byte) (string, error) {
	h, err := json.Marshal(detachedHeader{Alg: jwt.SigningMethodES256.Alg(), Kid: s.kid, Typ: typ})
	if err != nil {
		return "", fmt.Errorf("auth: encode header: %w", err)
	}
	b64 := base64.RawURLEncoding
	head := b64.EncodeToString(h)
	sig, err := jwt.SigningMethodES256.Sign(head+"."+b64.EncodeToString(payload), s.key)
	if err != nil {
		return "", fmt.Errorf("auth: sign: %w", err)
	}
	return head + ".." + b64.EncodeToString(sig), nil
}

// ErrSignature is the one answer to a detached signature that does not hold.
var ErrSignature = errors.New("auth: the signature does not hold")

// VerifyDetached checks that jws signs payload for this use with a key that find knows. It needs no service and no network.
func VerifyDetached(typ, jws string, payload []byte, find func(kid string) (*ecdsa.PublicKey, bool)) error {
	parts := strings.Split(jws, ".")
	if len(jws) > maxToken || len(parts) != 3 || parts[1] != "" {
		return ErrSignature
	}
	b64 := base64.RawURLEncoding.Strict()
	raw, err := b64.DecodeString(parts[0])
	if err != nil {
		return ErrSignature
	}
	var h detachedHeader
	if err := json.Unmarshal(raw, &h); err != nil {
		return ErrSignature
	}
	// Only the bytes we would write ourselves: no further header, no other algorithm, no other use.
	want, err := json.Marshal(detachedHeader{Alg: jwt.SigningMethodES256.Alg(), Kid: h.Kid, Typ: typ})
	if err != nil || string(want) != string(raw) {
		return ErrSignature
	}
	pub, ok := find(h.Kid)
	if !ok {
		return ErrSignature
	}
	sig, err := b64.DecodeString(parts[2])
	if err != nil || jwt.SigningMethodES256.Verify(parts[0]+"."+base64.RawURLEncoding.EncodeToString(payload), sig, pub) != nil {
		return ErrSignature
	}
	return nil
}
