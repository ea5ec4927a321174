package store_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"path/filepath"
	"testing"

	"carrel/anonymize/ledger/ledgertest"
	"carrel/broker/audit"
	"carrel/broker/store"
	"carrel/broker/store/storetest"
)

func openStore(t testing.TB, dir string) (*store.Store, *audit.Log) {
	t.Helper()
	signer, err := audit.NewSigner("carrel.test/log", ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	log, err := audit.NewLog("carrel.test/log", signer)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Options{Dir: dir, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, log
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Backend {
		s, _ := openStore(t, filepath.Join(t.TempDir(), "data"))
		return storetest.Backend{
			Update: func(ctx context.Context, fn func(storetest.Tx) error) error {
				return s.Update(ctx, func(tx *store.Tx) error { return fn(tx) })
			},
			View: func(ctx context.Context, fn func(storetest.Tx) error) error {
				return s.View(ctx, func(tx *store.Tx) error { return fn(tx) })
			},
		}
	})
}

func TestLedger(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, func(t *testing.T) ledgertest.Store {
		s, log := openStore(t, filepath.Join(t.TempDir(), "data"))
		return ledgertest.Store{Log: log, Update: func(ctx context.Context, fn func(ledgertest.Tx) error) error {
			return s.Update(ctx, func(tx *store.Tx) error { return fn(tx) })
		}}
	})
}
