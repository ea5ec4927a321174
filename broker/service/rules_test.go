package service

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"carrel/policies"
	"carrel/policy"
	"carrel/policy/opa"
)

// A signed bundle in the data directory decides; one that does not verify stops the service, and the built-in rules do not
// step in for it.
func TestTheSignedBundleDecides(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := &Service{c: Config{Data: dir, Rules: policies.FS(), Now: time.Now, Logger: slog.New(slog.DiscardHandler)}}
	builtin, err := s.rules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	hash, err := opa.WriteBundle(&body, policies.FS(), "2026.2", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	if err != nil || hash != builtin.Bundle() {
		t.Fatal(hash, err)
	}
	for _, d := range []string{"keys", "policy"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	put := func(name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("policy/active.tar.gz", body.Bytes())
	if _, err := s.rules(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a key: %v", err)
	}
	put("keys/policy.pub.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
	live, err := s.rules(t.Context())
	if err != nil || live.Bundle() != hash {
		t.Fatalf("%v", err)
	}
	if _, err := live.Decide(t.Context(), policy.RouteQuestion{At: policy.At(time.Now()), Route: "GET /healthz"}); err != nil {
		t.Fatal(err)
	}
	if err := s.decisions.Close(); err != nil {
		t.Fatal(err)
	}
	if files, err := filepath.Glob(filepath.Join(dir, "decisions", "*.ndjson")); err != nil || len(files) != 1 {
		t.Errorf("decisions kept: %v, %v", files, err)
	}
	damaged := bytes.Clone(body.Bytes())
	damaged[len(damaged)/2] ^= 1
	put("policy/active.tar.gz", damaged)
	var f *opa.Fault
	if _, err := s.rules(t.Context()); !errors.As(err, &f) {
		t.Errorf("damaged: %v", err)
	}
}
