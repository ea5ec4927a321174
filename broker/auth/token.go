package auth

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"carrel/broker/problem"
)

// Limits of what is parsed at all.
const (
	maxToken = 8 << 10 // bytes; a permit that names 100 columns is about 5 KB
	maxLife  = time.Hour
)

// The types of tokens; each is verified only as itself.
const (
	typeSession = "carrel-session+jwt"
	typePermit  = "carrel-permit+jwt"
)

// headers is all that a token's header may hold: nothing in it can bring a key along.
var headers = map[string]bool{"alg": true, "kid": true, "typ": true} //nolint:gochecknoglobals // a constant table

// expect is what a token must be.
type expect struct {
	typ, issuer, audience string
	now                   time.Time
	keys                  KeySource
}

// parse verifies raw as a token of e's kind into claims. Every failure is one answer: which check failed is nobody's business.
func parse(raw string, claims claimed, e expect) error {
	if len(raw) > maxToken {
		return denied(errors.New("too long"))
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodES256.Alg()}),
		jwt.WithIssuer(e.issuer), jwt.WithAudience(e.audience), jwt.WithExpirationRequired(), jwt.WithNotBeforeRequired(),
		jwt.WithIssuedAt(), jwt.WithStrictDecoding(), jwt.WithTimeFunc(func() time.Time { return e.now }),
	)
	_, err := parser.ParseWithClaims(raw, claims, func(t *jwt.Token) (any, error) { return e.key(t) })
	if err != nil {
		return denied(err)
	}
	return e.life(claims.registered())
}

// key looks the token's key up in our own set.
func (e expect) key(t *jwt.Token) (any, error) {
	for h := range t.Header {
		if !headers[h] {
			return nil, errors.New("a header that is not allowed")
		}
	}
	if typ, ok := t.Header["typ"].(string); !ok || typ != e.typ {
		return nil, errors.New("a token of another type")
	}
	kid, ok := t.Header["kid"].(string)
	if !ok {
		return nil, errors.New("no key number")
	}
	pub, ok := e.keys.Public(kid)
	if !ok {
		return nil, errors.New("a key that is not ours")
	}
	return pub, nil
}

// life checks what the library leaves optional: number, subject and times present, and no token lives longer than an hour.
func (e expect) life(c jwt.RegisteredClaims) error {
	switch {
	case c.ID == "" || c.Subject == "":
		return denied(errors.New("no token number or subject"))
	case c.IssuedAt == nil || c.NotBefore == nil || c.ExpiresAt == nil:
		return denied(errors.New("a time is missing"))
	case c.ExpiresAt.Sub(c.IssuedAt.Time) > maxLife || !c.ExpiresAt.After(c.IssuedAt.Time):
		return denied(errors.New("a life that is not allowed"))
	case len(c.Audience) != 1:
		return denied(errors.New("several audiences"))
	}
	return nil
}

// claimed is a claims type that embeds the registered ones.
type claimed interface {
	jwt.Claims
	registered() jwt.RegisteredClaims
}

func denied(cause error) error {
	return problem.Wrap(cause, problem.Unauthenticated, "令牌无效或已过期；请重新登录（carrel login）。",
		"The token is not valid or has expired; log in again (carrel login).")
}

// newID is a fresh number of 128 random bits with a prefix.
func newID(prefix string) string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return prefix + hex.EncodeToString(b[:])
}
