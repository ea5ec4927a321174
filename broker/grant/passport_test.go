package grant_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
	"github.com/lestrrat-go/jwx/v3/jwt"

	"carrel/broker/application/apptest"
	"carrel/broker/grant"
	"carrel/broker/problem"
)

// keySet is the service's public keys as another library reads them.
func keySet(t *testing.T, w *apptest.World) jwk.Set {
	t.Helper()
	set, err := w.Keys.KeySet()
	ok(t, err)
	raw, err := json.Marshal(set)
	ok(t, err)
	out, err := jwk.Parse(raw)
	ok(t, err)
	return out
}

// TestVisas: another library verifies the visas and the Passport with the key set, and reads in them what GA4GH asks for.
func TestVisas(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	g := w.Granted("li", apptest.Research()).Grant
	p, token, err := w.Grants.IssuePermit(ctx, w.As("li"), g, grant.PermitRequest{TTL: 10 * time.Minute})
	ok(t, err)
	got, err := w.Grants.Visas(ctx, w.As("li"), token.Reveal())
	ok(t, err)
	if len(got.Visas) != 1 || got.Keys != "https://carrel.test/api/v1/keys" {
		t.Fatalf("%+v", got)
	}
	keys, clock := keySet(t, w), jwt.ClockFunc(w.Clock.Now)
	for raw, typ := range map[string]string{got.Visas[0]: "vnd.ga4gh.visa+jwt", got.Passport: "vnd.ga4gh.passport+jwt"} {
		parsed, err := jwt.Parse([]byte(raw), jwt.WithKeySet(keys), jwt.WithClock(clock), jwt.WithIssuer("https://carrel.test"), jwt.WithSubject("li"))
		ok(t, err)
		msg, err := jws.Parse([]byte(raw))
		ok(t, err)
		h := msg.Signatures()[0].ProtectedHeaders()
		kid, _ := h.KeyID()
		jku, _ := h.JWKSetURL()
		if is, _ := h.Type(); is != typ || kid == "" || jku != got.Keys {
			t.Errorf("header: %s %s %s", is, kid, jku)
		}
		exp, _ := parsed.Expiration()
		if iat, there := parsed.IssuedAt(); !there || exp.After(p.To) || !iat.Before(exp) {
			t.Errorf("from %s to %s, the permit to %s", iat, exp, p.To)
		}
	}
	parsed, err := jwt.Parse([]byte(got.Visas[0]), jwt.WithKeySet(keys), jwt.WithClock(clock))
	ok(t, err)
	var visa map[string]any
	ok(t, parsed.Get("ga4gh_visa_v1", &visa))
	if visa["type"] != "ControlledAccessGrants" || visa["value"] != "https://carrel.test/catalogue/jinhe" || visa["source"] != "https://carrel.test/institutions/jinhe-health-commission" ||
		visa["by"] != "dac" || visa["asserted"] != float64(w.Clock.Now().Unix()) || len(visa) != 5 {
		t.Errorf("%v", visa)
	}
	parsed, err = jwt.Parse([]byte(got.Passport), jwt.WithKeySet(keys), jwt.WithClock(clock))
	ok(t, err)
	var held []any
	ok(t, parsed.Get("ga4gh_passport_v1", &held))
	if len(held) != 1 || held[0] != got.Visas[0] {
		t.Error("the Passport holds another visa")
	}
	spoilt := got.Visas[0][:len(got.Visas[0])-10] + "AAAAAAAAAA"
	if _, err := jwt.Parse([]byte(spoilt), jwt.WithKeySet(keys), jwt.WithClock(clock)); err == nil {
		t.Error("a spoilt visa verifies")
	}
	// A visa is no permit here, and a permit is its subject's alone.
	if s, err := w.Grants.PermitStatus(ctx, w.As("yan"), got.Visas[0]); err != nil || s.Active || s.State != grant.PermitUnknown {
		t.Errorf("a visa as a permit: %+v %v", s, err)
	}
	for who, raw := range map[string]string{"wang": token.Reveal(), "hu": token.Reveal(), "zhou": token.Reveal(), "li": got.Visas[0]} {
		if _, err := w.Grants.Visas(ctx, w.As(who), raw); err == nil {
			t.Errorf("%s got visas", who)
		}
	}
	_, hers, err := w.Grants.IssuePermit(ctx, w.As("wang"), g, grant.PermitRequest{})
	ok(t, err)
	if _, err := w.Grants.Visas(ctx, w.As("li"), hers.Reveal()); !problem.Is(err, problem.Forbidden) {
		t.Errorf("the lead got visas of a member's permit: %v", err)
	}
	if _, err := w.Grants.Visas(ctx, w.As("wang"), hers.Reveal()); err != nil {
		t.Errorf("a member's own: %v", err)
	}
	ok(t, w.Grants.End(ctx, w.As("wu"), g, "revoke", "The study has ended."))
	if _, err := w.Grants.Visas(ctx, w.As("li"), token.Reveal()); !problem.Is(err, problem.Forbidden) {
		t.Errorf("visas of a revoked grant: %v", err)
	}
}

// TestStandingsOfAPermit: active, suspended, revoked, expired and unknown are told apart, and nothing else of a permit that is not good.
func TestStandingsOfAPermit(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	g := w.Granted("li", apptest.Research()).Grant
	_, token, err := w.Grants.IssuePermit(ctx, w.As("li"), g, grant.PermitRequest{TTL: 10 * time.Minute})
	ok(t, err)
	is := func(want string) {
		t.Helper()
		s, err := w.Grants.PermitStatus(ctx, w.As("shi"), token.Reveal())
		if err != nil || s.State != want || s.Active != (want == grant.PermitActive) || (s.Permit != nil) != s.Active {
			t.Errorf("%+v %v, want %s", s, err, want)
		}
	}
	is(grant.PermitActive)
	ok(t, move(w, "wu", g, grant.Command{Name: "suspend", Reason: "核查使用情况期间暂停或终止"}))
	is(grant.PermitSuspended)
	ok(t, move(w, "wu", g, grant.Command{Name: "resume"}))
	is(grant.PermitActive)
	ok(t, move(w, "wu", g, grant.Command{Name: "revoke", Reason: "核查使用情况期间暂停或终止"}))
	is(grant.PermitRevoked)
	w.Clock.Add(11 * time.Minute)
	is(grant.PermitExpired)
	parts := strings.Split(token.Reveal(), ".")
	for _, raw := range []string{"", "x", parts[0] + "." + parts[1] + ".AAAA", parts[0] + "." + parts[1] + "."} {
		if s, err := w.Grants.PermitStatus(ctx, w.As("shi"), raw); err != nil || s.State != grant.PermitUnknown {
			t.Errorf("%+v %v", s, err)
		}
	}
}
