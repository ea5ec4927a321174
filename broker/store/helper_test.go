package store

import (
	"context"
	"crypto/ed25519"
	"path/filepath"
	"runtime"
	"testing"

	"carrel/broker/audit"
)

// testKey is fixed: the tests reopen databases.
func testKey() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte("0123456789abcdef0123456789abcdef"))
}

func newTestLog(tb testing.TB) *audit.Log {
	tb.Helper()
	signer, err := audit.NewSigner("carrel.test/log", testKey())
	if err != nil {
		tb.Fatal(err)
	}
	log, err := audit.NewLog("carrel.test/log", signer)
	if err != nil {
		tb.Fatal(err)
	}
	return log
}

func openTest(tb testing.TB, dir string) *Store {
	tb.Helper()
	s, err := Open(tb.Context(), Options{Dir: dir, Log: newTestLog(tb)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func newTestStore(tb testing.TB) *Store {
	tb.Helper()
	return openTest(tb, filepath.Join(tb.TempDir(), "data"))
}

// appendEntry writes one small entry.
func appendEntry(ctx context.Context, s *Store, tx *Tx, object string) (*audit.Pending, error) {
	return s.o.Log.Append(ctx, tx, audit.Entry{Kind: "test.done", Actor: "li", Unit: "jinhe", Object: object, Outcome: "allowed"})
}

func goexit() { runtime.Goexit() }
