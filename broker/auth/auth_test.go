package auth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"pgregory.net/rapid"

	"carrel/broker/auth"
	"carrel/broker/problem"
)

const (
	iss        = "https://carrel.test"
	aud        = "carrel"
	permitAud  = "carrel-permit"
	sessionTyp = "carrel-session+jwt"
	permitTyp  = "carrel-permit+jwt"
)

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }
func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

type world struct {
	dir      string
	keys     *auth.FileKeys
	issuer   *auth.Issuer
	permits  *auth.Permits
	clock    *clock
	password auth.Secret
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{dir: filepath.Join(t.TempDir(), "keys"), clock: &clock{t: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)}}
	var err error
	if w.keys, err = auth.OpenKeys(w.dir); err != nil {
		t.Fatal(err)
	}
	a, password := auth.NewAccount(auth.Account{ID: "li", NameZH: "李明", NameEN: "Li Ming", Roles: []string{"researcher"}, Institution: "jinhe-university"})
	d, err := auth.NewDirectory([]auth.Account{a})
	if err != nil {
		t.Fatal(err)
	}
	w.password = password
	if w.issuer, err = auth.NewIssuer(iss, aud, w.keys, d, w.clock.now); err != nil {
		t.Fatal(err)
	}
	if w.permits, err = auth.NewPermits(iss, permitAud, w.keys, w.clock.now); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) claims() jwt.MapClaims {
	n := w.clock.now().Unix()
	return jwt.MapClaims{"iss": iss, "aud": aud, "sub": "li", "jti": "s-1", "iat": n, "nbf": n, "exp": n + 3600}
}

// sign makes a token with our own key, so that only what the test changes is wrong with it.
func (w *world) sign(t *testing.T, header map[string]any, c jwt.MapClaims) string {
	t.Helper()
	tok := jwt.NewWithClaims(jwt.SigningMethodES256, c)
	tok.Header["typ"] = sessionTyp
	tok.Header["kid"] = w.keys.Signer().KeyID()
	for k, v := range header {
		if v == nil {
			delete(tok.Header, k)
			continue
		}
		tok.Header[k] = v
	}
	out, err := tok.SignedString(w.private(t))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (w *world) private(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(w.dir, w.keys.Signer().KeyID()+".key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := pem.Decode(raw)
	k, err := x509.ParsePKCS8PrivateKey(b.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return k.(*ecdsa.PrivateKey)
}

func wantUnauthenticated(t *testing.T, what string, err error) {
	t.Helper()
	if !problem.Is(err, problem.Unauthenticated) {
		t.Errorf("%s: accepted or another error: %v", what, err)
	}
}

func TestLoginAndVerify(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, err := w.issuer.Login(context.Background(), "li", w.password)
	if err != nil {
		t.Fatal(err)
	}
	id, err := w.issuer.Verify(context.Background(), s.Token.Reveal())
	if err != nil || id.Account != "li" || id.Institution != "jinhe-university" || len(id.Roles) != 1 {
		t.Fatalf("%+v %v", id, err)
	}
	if s.Expires.Sub(w.clock.now()) > time.Hour {
		t.Fatal("a session lives longer than an hour")
	}
	w.clock.add(time.Hour + time.Second)
	_, err = w.issuer.Verify(context.Background(), s.Token.Reveal())
	wantUnauthenticated(t, "expired", err)
}

// ATTACKS 31, on sessions. The control at the top shows that the tokens are good but for what each case changes.
func TestForgedSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.issuer.Verify(context.Background(), w.sign(t, nil, w.claims())); err != nil {
		t.Fatalf("the control is refused: %v", err)
	}
	now := w.clock.now().Unix()
	with := func(k string, v any) jwt.MapClaims {
		c := w.claims()
		if v == nil {
			delete(c, k)
		} else {
			c[k] = v
		}
		return c
	}
	for name, c := range map[string]jwt.MapClaims{
		"expired": with("exp", now-1), "no exp": with("exp", nil), "not yet": with("nbf", now+60), "no nbf": with("nbf", nil),
		"issued ahead": with("iat", now+60), "no iat": with("iat", nil), "no jti": with("jti", nil), "empty jti": with("jti", ""),
		"wrong audience": with("aud", "other"), "no audience": with("aud", nil), "several audiences": with("aud", []string{aud, "other"}),
		"wrong issuer": with("iss", "https://evil.test"), "no issuer": with("iss", nil), "no subject": with("sub", nil),
		"unknown subject": with("sub", "nobody"), "lives too long": with("exp", now+86400), "old and long": with("iat", now-86400),
	} {
		_, err := w.issuer.Verify(context.Background(), w.sign(t, nil, c))
		wantUnauthenticated(t, name, err)
	}
	for name, h := range map[string]map[string]any{
		"foreign kid": {"kid": "x"}, "no kid": {"kid": nil}, "kid is a path": {"kid": "../../etc/passwd"}, "kid is no text": {"kid": 7},
		"jku": {"jku": "https://evil.test/keys"}, "jwk": {"jwk": map[string]any{"kty": "EC"}}, "x5u": {"x5u": "https://evil.test"},
		"x5c": {"x5c": []string{"MII"}}, "crit": {"crit": []string{"exp"}}, "b64": {"b64": false},
		"no typ": {"typ": nil}, "typ of a permit": {"typ": permitTyp}, "bare typ": {"typ": "JWT"},
	} {
		_, err := w.issuer.Verify(context.Background(), w.sign(t, h, w.claims()))
		wantUnauthenticated(t, name, err)
	}
}

func TestForgedAlgorithms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	kid := w.keys.Signer().KeyID()
	pub, _ := w.keys.Public(kid)
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	point, err := pub.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]struct {
		m   jwt.SigningMethod
		key any
	}{
		"none":                 {jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType},
		"HS256 of public PEM":  {jwt.SigningMethodHS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})},
		"HS256 of public DER":  {jwt.SigningMethodHS256, der},
		"HS256 of the point":   {jwt.SigningMethodHS256, point},
		"HS256 of the number":  {jwt.SigningMethodHS256, []byte(kid)},
		"RS256":                {jwt.SigningMethodRS256, rsaKey},
		"ES384":                {jwt.SigningMethodES384, p384},
		"ES256 of another key": {jwt.SigningMethodES256, other},
	} {
		tok := jwt.NewWithClaims(f.m, w.claims())
		tok.Header["typ"], tok.Header["kid"] = sessionTyp, kid
		raw, err := tok.SignedString(f.key)
		if err != nil {
			t.Fatal(name, err)
		}
		_, err = w.issuer.Verify(context.Background(), raw)
		wantUnauthenticated(t, name, err)
	}
	_, err = w.issuer.Verify(context.Background(), w.es384(t))
	wantUnauthenticated(t, "ES384 of our own P-256 key", err)
	good := w.sign(t, nil, w.claims())
	for name, raw := range map[string]string{
		"empty": "", "no signature": good[:strings.LastIndex(good, ".")+1], "two parts": good[:strings.LastIndex(good, ".")],
		"padded": good + "=", "space": good + " ", "huge": good + strings.Repeat("A", 9<<10), "not a token": "Bearer x",
	} {
		_, err := w.issuer.Verify(context.Background(), raw)
		wantUnauthenticated(t, name, err)
	}
}

// es384 signs with our own key under another algorithm's name, which the library's verifier alone would take: only the
// allow-list stands between.
func (w *world) es384(t *testing.T) string {
	t.Helper()
	tok := jwt.NewWithClaims(jwt.SigningMethodES384, w.claims())
	tok.Header["typ"], tok.Header["kid"] = sessionTyp, w.keys.Signer().KeyID()
	head, err := tok.SigningString()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha512.Sum384([]byte(head))
	r, s, err := ecdsa.Sign(rand.Reader, w.private(t), sum[:])
	if err != nil {
		t.Fatal(err)
	}
	sig := make([]byte, 96)
	r.FillBytes(sig[:48])
	s.FillBytes(sig[48:])
	return head + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// A token above the size limit is refused even when everything else about it is right.
func TestSizeLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.claims()
	c["filler"] = strings.Repeat("x", 9<<10)
	_, err := w.issuer.Verify(context.Background(), w.sign(t, nil, c))
	wantUnauthenticated(t, "large", err)
}

// Any changed byte of a token makes it worthless.
func TestChangedByte(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := w.sign(t, nil, w.claims())
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, len(good)-1).Draw(t, "at")
		b := rapid.Byte().Draw(t, "byte")
		if good[i] == b {
			return
		}
		bad := []byte(good)
		bad[i] = b
		if _, err := w.issuer.Verify(context.Background(), string(bad)); err == nil {
			t.Fatal("accepted")
		}
	})
}

func TestRotation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, old, err := w.permits.Sign(permit(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	before := w.keys.Signer().KeyID()
	if err := w.keys.Rotate(); err != nil {
		t.Fatal(err)
	}
	again, err := auth.OpenKeys(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	if again.Signer().KeyID() == before || again.Signer().KeyID() != w.keys.Signer().KeyID() {
		t.Fatal("the signing key did not change")
	}
	fresh, err := auth.NewPermits(iss, permitAud, again, w.clock.now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fresh.Verify(old.Reveal()); err != nil {
		t.Fatalf("what the old key signed no longer holds: %v", err)
	}
	if _, err := os.Stat(filepath.Join(w.dir, before+".key.pem")); !os.IsNotExist(err) {
		t.Fatal("the retired private key is still there")
	}
}

func TestKeyFilesArePrivate(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows keeps its own access lists")
	}
	w := newWorld(t)
	name := filepath.Join(w.dir, w.keys.Signer().KeyID()+".key.pem")
	fi, err := os.Stat(name)
	if err != nil || fi.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", fi.Mode(), err)
	}
	if err := os.Chmod(name, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := auth.OpenKeys(w.dir); err == nil {
		t.Fatal("opened a private key that others can read")
	}
}

func TestDetached(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	jws, err := w.keys.Signer().SignDetached("a+jws", []byte("payload"))
	if err != nil {
		t.Fatal(err)
	}
	if err := auth.VerifyDetached("a+jws", jws, []byte("payload"), w.keys.Public); err != nil {
		t.Fatal(err)
	}
	none := func(string) (*ecdsa.PublicKey, bool) { return nil, false }
	for name, err := range map[string]error{
		"payload":  auth.VerifyDetached("a+jws", jws, []byte("payloae"), w.keys.Public),
		"use":      auth.VerifyDetached("b+jws", jws, []byte("payload"), w.keys.Public),
		"key":      auth.VerifyDetached("a+jws", jws, []byte("payload"), none),
		"extended": auth.VerifyDetached("a+jws", jws+"A", []byte("payload"), w.keys.Public),
		"empty":    auth.VerifyDetached("a+jws", "", []byte("payload"), w.keys.Public),
	} {
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	s := auth.Secret("hunter2")
	j, err := json.Marshal(map[string]any{"s": s, "l": auth.Login{Password: s}})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "in", auth.Session{Token: s})
	all := fmt.Sprintf("%s %v %+v %#v %q", s, s, auth.Login{Password: s}, auth.Session{Token: s}, s) + string(j) + log.String()
	if strings.Contains(all, "hunter2") {
		t.Fatal(all)
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := context.Background()
	_, err := w.issuer.Login(ctx, "nobody", w.password)
	wantUnauthenticated(t, "unknown account", err)
	_, err = w.issuer.Login(ctx, "li", "")
	wantUnauthenticated(t, "empty", err)
	_, err = w.issuer.Login(ctx, "li", auth.Secret(strings.Repeat("x", 1000)))
	wantUnauthenticated(t, "long", err)
	for range 5 {
		_, err = w.issuer.Login(ctx, "li", "wrong")
		wantUnauthenticated(t, "wrong", err)
	}
	_, err = w.issuer.Login(ctx, "li", w.password)
	wantUnauthenticated(t, "the right one while waiting", err)
	w.clock.add(31 * time.Second)
	if _, err = w.issuer.Login(ctx, "li", w.password); err != nil {
		t.Fatalf("after the pause: %v", err)
	}
}

// Guard: nobody is called as the service is in the log and to rules, by which it takes steps that no person may take.
func TestNobodyIsTheService(t *testing.T) {
	t.Parallel()
	a, _ := auth.NewAccount(auth.Account{ID: "li", Roles: []string{"researcher"}, Institution: "u"})
	if _, err := auth.NewDirectory([]auth.Account{a}); err != nil {
		t.Fatal(err)
	}
	a.ID = auth.System
	if _, err := auth.NewDirectory([]auth.Account{a}); err == nil {
		t.Error("somebody is called system")
	}
}

func TestDemoAccounts(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "accounts.json")
	logins, err := auth.WriteDemo(name)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	d, err := auth.LoadDirectory(name)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[auth.Secret]bool{}
	for _, l := range logins {
		if seen[l.Password] || strings.Contains(string(raw), l.Password.Reveal()) {
			t.Fatal("a password is there twice or in the file")
		}
		seen[l.Password] = true
		if _, ok := d.Identity(l.Account); !ok {
			t.Fatalf("no %s", l.Account)
		}
	}
	if len(logins) != len(auth.DemoAccounts()) {
		t.Fatalf("%d accounts", len(logins))
	}
}

// Whatever bytes come, only a token that our keys signed as a session is one.
func FuzzVerify(f *testing.F) {
	dir, err := auth.NewDirectory(nil)
	if err != nil {
		f.Fatal(err)
	}
	keys, err := auth.OpenKeys(filepath.Join(f.TempDir(), "keys"))
	if err != nil {
		f.Fatal(err)
	}
	issuer, err := auth.NewIssuer(iss, aud, keys, dir, time.Now)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, raw string) {
		if _, err := issuer.Verify(context.Background(), raw); !problem.Is(err, problem.Unauthenticated) {
			t.Fatalf("%v", err)
		}
	})
}
