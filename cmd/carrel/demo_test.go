package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestDemoLeavesNoHalf: a demo that cannot be made leaves nothing in the way of the next try, and touches no directory that was there.
func TestDemoLeavesNoHalf(t *testing.T) {
	t.Parallel()
	a := &app{env: map[string]string{}, streams: streams{out: io.Discard, err: io.Discard}}
	sandbox := filepath.Join(t.TempDir(), "carrel-sandbox")
	if err := os.WriteFile(sandbox, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := demoFlags{dir: filepath.Join(t.TempDir(), "half"), sandbox: sandbox}
	if _, err := a.prepareDemo(t.Context(), f, io.Discard); err == nil {
		t.Fatal("a city of nobody was made")
	}
	if _, err := os.Stat(f.dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is left: %v", f.dir, err)
	}
	f.dir = t.TempDir()
	if _, err := a.prepareDemo(t.Context(), f, io.Discard); err == nil {
		t.Error("a directory that was there was taken")
	}
	if _, err := os.Stat(f.dir); err != nil {
		t.Errorf("a directory that was there is gone: %v", err)
	}
}
