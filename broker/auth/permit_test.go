package auth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"carrel/broker/auth"
)

func permit() auth.Permit {
	return auth.Permit{Subject: "li", Grant: "g-1", Project: "ap-1", Kind: "query", Purpose: "research",
		Datasets: []string{"jinhe"}, Columns: []string{"person.sex"}, Epsilon: "4"}
}

func TestPermit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, raw, err := w.permits.Sign(permit(), 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if p.To.Sub(p.From) != time.Hour {
		t.Fatalf("lives %v", p.To.Sub(p.From))
	}
	got, err := w.permits.Verify(raw.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got) != fmt.Sprint(p) {
		t.Fatalf("got %+v, want %+v", got, p)
	}
	_, err = w.issuer.Verify(context.Background(), raw.Reveal())
	wantUnauthenticated(t, "a permit as a session", err)
	_, err = w.permits.Verify(w.sign(t, nil, w.claims()))
	wantUnauthenticated(t, "a session as a permit", err)
	c := w.claims()
	c["aud"] = permitAud
	_, err = w.permits.Verify(w.sign(t, map[string]any{"typ": permitTyp}, c))
	wantUnauthenticated(t, "a permit bound to nothing", err)
	w.clock.add(time.Hour + time.Second)
	_, err = w.permits.Verify(raw.Reveal())
	wantUnauthenticated(t, "an expired permit", err)
}

// The type is a guard of its own: here both kinds of token have one audience.
func TestTypesAreNotMixed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	permits, err := auth.NewPermits(iss, aud, w.keys, w.clock.now)
	if err != nil {
		t.Fatal(err)
	}
	_, raw, err := permits.Sign(permit(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.issuer.Verify(context.Background(), raw.Reveal())
	wantUnauthenticated(t, "a permit as a session", err)
}

func TestPermitMustBeBound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, cut := range map[string]func(*auth.Permit){
		"subject": func(p *auth.Permit) { p.Subject = "" }, "grant": func(p *auth.Permit) { p.Grant = "" },
		"project": func(p *auth.Permit) { p.Project = "" }, "kind": func(p *auth.Permit) { p.Kind = "" },
		"purpose": func(p *auth.Permit) { p.Purpose = "" }, "datasets": func(p *auth.Permit) { p.Datasets = nil },
		"columns": func(p *auth.Permit) { p.Columns = nil }, "budget": func(p *auth.Permit) { p.Epsilon = "" },
	} {
		p := permit()
		cut(&p)
		if _, _, err := w.permits.Sign(p, time.Hour); err == nil {
			t.Errorf("signed a permit without %s", name)
		}
	}
	if _, _, err := w.permits.Sign(permit(), 0); err == nil {
		t.Error("signed a permit without a life")
	}
}

// ATTACKS 31: a permit of another subject, for another grant or column, or held by another client.
func TestPermitCovers(t *testing.T) {
	t.Parallel()
	p := permit()
	p.ClientKey = "k1"
	ok := auth.Use{Subject: "li", Grant: "g-1", Kind: "query", Datasets: []string{"jinhe"}, Columns: []string{"person.sex"}, ClientKey: "k1"}
	if err := p.Covers(ok); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*auth.Use){
		"subject": func(u *auth.Use) { u.Subject = "wang" }, "grant": func(u *auth.Use) { u.Grant = "g-2" },
		"kind": func(u *auth.Use) { u.Kind = "handover" }, "dataset": func(u *auth.Use) { u.Datasets = []string{"other"} },
		"column": func(u *auth.Use) { u.Columns = []string{"person.birth_year"} }, "client": func(u *auth.Use) { u.ClientKey = "k2" },
		"no client": func(u *auth.Use) { u.ClientKey = "" },
	} {
		u := ok
		change(&u)
		wantUnauthenticated(t, name, p.Covers(u))
	}
}

func proof(t *testing.T, k *ecdsa.PrivateKey, c jwt.MapClaims) string {
	t.Helper()
	point, err := k.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding
	tok := jwt.NewWithClaims(jwt.SigningMethodES256, c)
	tok.Header["typ"] = "dpop+jwt"
	tok.Header["jwk"] = map[string]string{"kty": "EC", "crv": "P-256", "x": b64.EncodeToString(point[1:33]), "y": b64.EncodeToString(point[33:])}
	out, err := tok.SignedString(k)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// ATTACKS 31: a stolen permit, and a replayed proof.
func TestProofs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	proofs := auth.NewProofs(w.clock.now)
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	token := auth.Secret("the permit")
	sum := sha256.Sum256([]byte(token.Reveal()))
	base := func(id string) jwt.MapClaims {
		return jwt.MapClaims{"jti": id, "iat": w.clock.now().Unix(), "htm": "POST", "htu": iss + "/query", "ath": base64.RawURLEncoding.EncodeToString(sum[:])}
	}
	first := proof(t, k, base("1"))
	jkt, err := proofs.Check(first, "POST", iss+"/query", token)
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := auth.Thumbprint(&k.PublicKey); jkt != want {
		t.Fatal("another key")
	}
	_, err = proofs.Check(first, "POST", iss+"/query", token)
	wantUnauthenticated(t, "replayed", err)
	_, err = proofs.Check(proof(t, k, base("2")), "GET", iss+"/query", token)
	wantUnauthenticated(t, "another method", err)
	_, err = proofs.Check(proof(t, k, base("3")), "POST", iss+"/other", token)
	wantUnauthenticated(t, "another address", err)
	_, err = proofs.Check(proof(t, k, base("4")), "POST", iss+"/query", "another permit")
	wantUnauthenticated(t, "another permit", err)
	late := proof(t, k, base("5"))
	w.clock.add(3 * time.Minute)
	_, err = proofs.Check(late, "POST", iss+"/query", token)
	wantUnauthenticated(t, "old", err)
}
