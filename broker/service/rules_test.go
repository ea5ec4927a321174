package service

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"carrel/broker/application/apptest"
	"carrel/broker/store"
	"carrel/policies"
	"carrel/policy"
	"carrel/policy/opa"
)

// The bundle that the store says decides; one that does not verify stops the service, and the built-in rules do not step in for
// it.
func TestTheSignedBundleDecides(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := &Service{store: apptest.New(t).Store, c: Config{Data: dir, Rules: policies.FS(), Now: time.Now, Logger: slog.New(slog.DiscardHandler)}}
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
	// decide makes a bundle of the store decide, as broker/rulebook does.
	decide := func(raw []byte) {
		t.Helper()
		sum := sha256.Sum256(raw)
		file := hex.EncodeToString(sum[:])
		err := s.store.Update(t.Context(), func(tx *store.Tx) error {
			rev, err := tx.Get(t.Context(), "rules", "ru-1", nil)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			return errors.Join(tx.Put(t.Context(), "rules-bundle", file, 0, store.Index{}, map[string][]byte{"raw": raw}),
				tx.Put(t.Context(), "rules", "ru-1", rev, store.Index{State: "active"}, map[string]string{"id": "ru-1", "file": file}))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	decide(body.Bytes())
	if _, err := s.rules(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a key: %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "keys", "policy.pub.pem"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o600); err != nil {
		t.Fatal(err)
	}
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
	decide(damaged)
	var f *opa.Fault
	if _, err := s.rules(t.Context()); !errors.As(err, &f) {
		t.Errorf("damaged: %v", err)
	}
}
