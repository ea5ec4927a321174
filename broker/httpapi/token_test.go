package httpapi_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"carrel/broker/auth"
	"carrel/broker/service"
	"carrel/broker/service/servicetest"
)

// TestTokensThatAreNotGood: expired, not yet valid, forged, for another audience or issuer, of another type, with a header that brings
// a key along. They get one answer at every kind of route, public ones too, and nothing happens.
func TestTokensThatAreNotGood(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64 // how far the service's clock is ahead
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	c := moulds.City(t, func(c *service.Config) { c.Now = now })
	h, err := c.Handler()
	servicetest.Must(t, err)
	ask := func(token string) map[string]int {
		out := map[string]int{}
		for _, route := range []string{"GET /api/v1/whoami", "GET /api/v1/grants", "GET /api/v1/catalogue", "POST /api/v1/query", "GET /metrics", "GET /healthz"} {
			method, path, _ := strings.Cut(route, " ")
			req := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(`{"grant":"`+c.Grant+`","sql":"SELECT COUNT(*) FROM encounter"}`))
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", "Bearer "+token)
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, req)
			out[route] = rec.Code
		}
		return out
	}
	session := func(i *auth.Issuer) string {
		s, err := i.Login(t.Context(), "li", auth.Secret(c.Passwords["li"]))
		servicetest.Must(t, err)
		return s.Token.Reveal()
	}
	issuer := func(name, audience string, keys auth.KeySource, at func() time.Time) *auth.Issuer {
		i, err := auth.NewIssuer(name, audience, keys, c.Directory, at)
		servicetest.Must(t, err)
		return i
	}
	others, err := auth.OpenKeys(filepath.Join(t.TempDir(), "keys"))
	servicetest.Must(t, err)
	const name = "carrel.example/jinhe"
	good := session(c.Issuer)
	bad := map[string]string{
		"expired":          session(issuer(name, service.Audience, c.Keys, func() time.Time { return time.Now().Add(-61 * time.Minute) })),
		"not yet valid":    session(issuer(name, service.Audience, c.Keys, func() time.Time { return time.Now().Add(10 * time.Minute) })),
		"another key":      session(issuer(name, service.Audience, others, time.Now)),
		"another audience": session(issuer(name, "elsewhere", c.Keys, time.Now)),
		"another issuer":   session(issuer("elsewhere.example", service.Audience, c.Keys, time.Now)),
		"one letter":       flip(good),
		"no signature":     good[:strings.LastIndexByte(good, '.')+1],
		"another subject":  recoded(t, good, 1, "sub", "shi"),
		"alg none":         recoded(t, good, 0, "alg", "none"),
		"alg HS256":        recoded(t, good, 0, "alg", "HS256"),
		"a key along":      recoded(t, good, 0, "jku", "https://evil.example/keys"),
		"secret is public": hmacWithPublicKey(t, c, good),
		"empty":            "",
		"huge":             strings.Repeat("a.", 20_000),
	}
	for what, token := range bad {
		for route, status := range ask(token) {
			if status != http.StatusUnauthorized {
				t.Errorf("%s at %s: %d", what, route, status)
			}
		}
	}
	if got := ask(good); got["GET /api/v1/whoami"] != 200 || got["POST /api/v1/query"] != 200 || got["GET /metrics"] != 403 {
		t.Errorf("the good one: %v", got)
	}
	ahead.Store(int64(61 * time.Minute))
	if got := ask(good); got["GET /api/v1/whoami"] != 401 {
		t.Errorf("the good one an hour later: %v", got)
	}
	n := 0
	for _, e := range c.Entries(t) {
		if e.Kind == "query.charged" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d charges", n)
	}
}

// flip changes one letter in the middle of the signature: the last one may carry bits that mean nothing.
func flip(token string) string {
	at := strings.LastIndexByte(token, '.') + 10
	b := []byte(token)
	if b[at] == 'A' {
		b[at] = 'B'
	} else {
		b[at] = 'A'
	}
	return string(b)
}

// recoded changes a member of a token's header (0) or claims (1) and leaves the signature.
func recoded(t *testing.T, token string, part int, key, value string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(parts[part])
	servicetest.Must(t, err)
	var m map[string]any
	servicetest.Must(t, json.Unmarshal(raw, &m))
	m[key] = value
	raw, err = json.Marshal(m)
	servicetest.Must(t, err)
	parts[part] = base64.RawURLEncoding.EncodeToString(raw)
	return strings.Join(parts, ".")
}

// hmacWithPublicKey signs the claims with HS256, the public key standing in for the secret.
func hmacWithPublicKey(t *testing.T, c *servicetest.City, token string) string {
	t.Helper()
	set, err := c.Keys.KeySet()
	servicetest.Must(t, err)
	secret, err := json.Marshal(set)
	servicetest.Must(t, err)
	var claims jwt.MapClaims
	parsed, _, err := jwt.NewParser().ParseUnverified(token, &claims)
	servicetest.Must(t, err)
	forged := jwt.NewWithClaims(jwt.SigningMethodHS256, claims)
	forged.Header["kid"], forged.Header["typ"] = parsed.Header["kid"], parsed.Header["typ"]
	out, err := forged.SignedString(secret)
	servicetest.Must(t, err)
	return out
}
