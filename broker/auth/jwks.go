package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
)

// KeySet is the public half of the service's keys as an RFC 7517 set: what a receiver keeps to verify permits and packages offline.
type KeySet struct {
	Keys []PublicKey `json:"keys"`
}

// PublicKey is one P-256 key.
type PublicKey struct {
	Kty string `json:"kty"`
	Crv string `json:"crv"`
	X   string `json:"x"`
	Y   string `json:"y"`
	Kid string `json:"kid"`
	Use string `json:"use"`
	Alg string `json:"alg"`
}

// KeySet lists all keys that verify, retired ones too, by number.
func (k *FileKeys) KeySet() (KeySet, error) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	var set KeySet
	for _, kid := range slices.Sorted(maps.Keys(k.public)) {
		point, err := k.public[kid].Bytes() // 0x04, X, Y
		if err != nil || len(point) != 65 {
			return KeySet{}, fmt.Errorf("auth: key %s is not a P-256 key", kid)
		}
		set.Keys = append(set.Keys, PublicKey{
			Kty: "EC", Crv: "P-256", X: base64.RawURLEncoding.EncodeToString(point[1:33]), Y: base64.RawURLEncoding.EncodeToString(point[33:]),
			Kid: kid, Use: "sig", Alg: "ES256",
		})
	}
	return set, nil
}

// ParseKeySet reads a set that KeySet's JSON wrote. A key whose number is not its own RFC 7638 thumbprint is refused.
func ParseKeySet(raw []byte) (func(kid string) (*ecdsa.PublicKey, bool), error) {
	var set KeySet
	if err := json.Unmarshal(raw, &set); err != nil || len(set.Keys) == 0 {
		return nil, errors.New("not a set of public keys")
	}
	keys := map[string]*ecdsa.PublicKey{}
	for _, p := range set.Keys {
		x, errX := base64.RawURLEncoding.DecodeString(p.X)
		y, errY := base64.RawURLEncoding.DecodeString(p.Y)
		if p.Kty != "EC" || p.Crv != "P-256" || errX != nil || errY != nil || len(x) != 32 || len(y) != 32 {
			return nil, errors.New("a key of the set is not a P-256 key")
		}
		pub := &ecdsa.PublicKey{Curve: elliptic.P256(), X: new(big.Int).SetBytes(x), Y: new(big.Int).SetBytes(y)}
		if _, err := pub.ECDH(); err != nil {
			return nil, errors.New("a key of the set is not on its curve")
		}
		if kid, err := Thumbprint(pub); err != nil || kid != p.Kid {
			return nil, errors.New("a key of the set does not have the number that it claims")
		}
		keys[p.Kid] = pub
	}
	return func(kid string) (*ecdsa.PublicKey, bool) {
		k, ok := keys[kid]
		return k, ok
	}, nil
}
