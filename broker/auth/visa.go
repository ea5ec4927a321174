package auth

import (
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// A permit is also readable by services that know GA4GH Passports (Passport 1.2, AAI OIDC profile 1.2): each of its datasets is a
// ControlledAccessGrants visa, a signed document that names its key set, and all of them together are a Passport. A visa is a
// statement to others: here it opens nothing, since neither sessions nor permits are verified under its type.
const (
	typeVisa     = "vnd.ga4gh.visa+jwt"
	typePassport = "vnd.ga4gh.passport+jwt" //nolint:gosec // a media type
	visaType     = "ControlledAccessGrants"
	visaBy       = "dac" // a data access committee decided
)

// Visa is one statement: this person may use this dataset, as this institution's committee decided at this time.
type Visa struct {
	Dataset  string    // id in the catalogue
	Owner    string    // the institution whose decision it is
	Asserted time.Time // when the grant was made
}

type visaObject struct {
	Type     string `json:"type"`
	Asserted int64  `json:"asserted"`
	Value    string `json:"value"`
	Source   string `json:"source"`
	By       string `json:"by"`
}

type visaClaims struct {
	jwt.RegisteredClaims
	Visa visaObject `json:"ga4gh_visa_v1"`
}

type passportClaims struct {
	jwt.RegisteredClaims
	Passport []string `json:"ga4gh_passport_v1"`
}

// Issuer is the service's name as the address that the claims of visas are made of.
func (s *Permits) Issuer() string {
	if strings.Contains(s.name, "://") {
		return strings.TrimSuffix(s.name, "/")
	}
	return "https://" + strings.TrimSuffix(s.name, "/")
}

// KeysAt is the address of the key set that verifies visas (jku).
func (s *Permits) KeysAt() string { return s.Issuer() + "/api/v1/keys" }

// Visas signs a visa for each statement and the Passport that holds them. None lives longer than the permit.
func (s *Permits) Visas(p Permit, statements []Visa) (visas []string, passport string, err error) {
	now := s.now().UTC().Truncate(time.Second)
	if p.Subject == "" || len(statements) == 0 || !p.To.After(now) || p.To.Sub(now) > maxLife {
		return nil, "", errors.New("auth: visas need a permit that is in date, and datasets")
	}
	claims := func() jwt.RegisteredClaims {
		return jwt.RegisteredClaims{ID: newID("v-"), Issuer: s.Issuer(), Subject: p.Subject, IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(p.To)}
	}
	signer := s.keys.Signer()
	for _, v := range statements {
		if v.Dataset == "" || v.Owner == "" || v.Asserted.IsZero() {
			return nil, "", errors.New("auth: a visa names a dataset, who decided and when")
		}
		raw, err := signer.SignAt(typeVisa, s.KeysAt(), &visaClaims{claims(), visaObject{
			Type: visaType, Asserted: v.Asserted.Unix(), Value: s.Issuer() + "/catalogue/" + v.Dataset, Source: s.Issuer() + "/institutions/" + v.Owner, By: visaBy,
		}})
		if err != nil {
			return nil, "", err
		}
		visas = append(visas, raw)
	}
	passport, err = signer.SignAt(typePassport, s.KeysAt(), &passportClaims{claims(), visas})
	return visas, passport, err
}

// Look is Verify for who asks how a permit stands: one of ours that is over is told apart from what is none.
func (s *Permits) Look(token string) (p Permit, over bool, err error) {
	if p, err = s.Verify(token); err == nil {
		return p, false, nil
	}
	var c permitClaims
	if len(token) > maxToken {
		return Permit{}, false, err
	}
	e := expect{typ: typePermit, issuer: s.name, audience: s.audience, now: s.now(), keys: s.keys}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodES256.Alg()}), jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation())
	if _, bad := parser.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) { return e.key(t) }); bad != nil {
		return Permit{}, false, err
	}
	if c.Issuer != s.name || len(c.Audience) != 1 || c.Audience[0] != s.audience || c.ExpiresAt == nil || c.ExpiresAt.After(s.now()) {
		return Permit{}, false, err
	}
	return Permit{ID: c.ID, Subject: c.Subject, Grant: c.Grant}, true, nil
}
