package auth

import (
	"context"
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Issuer is the embedded issuer of the demonstration: it checks a password against the directory and signs an hour's session.
type Issuer struct {
	name, audience string
	keys           KeySource
	dir            *Directory
	now            func() time.Time
}

var _ Verifier = (*Issuer)(nil)

// NewIssuer makes an issuer whose tokens say iss = name and aud = audience. now is the clock.
func NewIssuer(name, audience string, keys KeySource, dir *Directory, now func() time.Time) (*Issuer, error) {
	if name == "" || audience == "" || keys == nil || dir == nil || now == nil {
		return nil, errors.New("auth: an issuer needs a name, an audience, keys, a directory and a clock")
	}
	return &Issuer{name: name, audience: audience, keys: keys, dir: dir, now: now}, nil
}

// Session is a signed session token with its end.
type Session struct {
	Token   Secret
	Expires time.Time
}

type sessionClaims struct {
	jwt.RegisteredClaims
}

func (c *sessionClaims) registered() jwt.RegisteredClaims { return c.RegisteredClaims }

// Login checks the password and signs a session of one hour. A wrong password, an unknown account and an account that is
// waiting after too many wrong passwords are one answer.
func (i *Issuer) Login(ctx context.Context, account string, password Secret) (Session, error) {
	now := i.now()
	id, err := i.dir.check(ctx, account, password, now)
	if err != nil {
		return Session{}, err
	}
	end := now.Add(maxLife)
	raw, err := i.keys.Signer().Sign(typeSession, &sessionClaims{jwt.RegisteredClaims{
		ID: newID("s-"), Issuer: i.name, Subject: id.Account, Audience: jwt.ClaimStrings{i.audience},
		IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(end),
	}})
	if err != nil {
		return Session{}, err
	}
	return Session{Token: Secret(raw), Expires: end.Truncate(time.Second)}, nil
}

// Verify turns a session token into the identity that the directory holds now.
func (i *Issuer) Verify(_ context.Context, token string) (Identity, error) {
	var c sessionClaims
	if err := parse(token, &c, expect{typ: typeSession, issuer: i.name, audience: i.audience, now: i.now(), keys: i.keys}); err != nil {
		return Identity{}, err
	}
	id, ok := i.dir.Identity(c.Subject)
	if !ok {
		return Identity{}, denied(errors.New("the account is gone"))
	}
	return id, nil
}
