package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestKilledBuildsDoNotPileUp: every build for a service has a name of its own, and sweeps for all that died before it.
func TestKilledBuildsDoNotPileUp(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	left := filepath.Join(data, "extracts", "jinhe", ".ex-00ff.part-1234")
	for _, d := range []string{filepath.Join(data, "keys"), left} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(data, "keys", "accounts.json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := inService(data, "jinhe"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Fatalf("what a killed build left is still there: %v", err)
	}
}
