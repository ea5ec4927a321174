package store

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carrel/broker/audit"
)

// written makes a closed store with n entries.
func written(t *testing.T, dir string, ids ...string) {
	t.Helper()
	s, err := Open(t.Context(), Options{Dir: dir, Log: newTestLog(t), AllowMissingCheckpoints: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if err := s.Update(t.Context(), put(s, "k", id)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// copyDir copies a directory's files; what is there already goes.
func copyDir(t *testing.T, from, to string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// reopen tries to open and returns the error.
func reopen(t *testing.T, o Options) error {
	t.Helper()
	if o.Log == nil {
		o.Log = newTestLog(t)
	}
	s, err := Open(t.Context(), o)
	if err == nil {
		err = s.Close()
	}
	return err
}

func execIn(t *testing.T, dir string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range statements {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefusesAnOlderDatabase(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	old := filepath.Join(t.TempDir(), "old")
	written(t, dir, "a", "b")
	copyDir(t, dir, old)
	written(t, dir, "c")
	newest := filepath.Join(t.TempDir(), "newest")
	copyDir(t, dir, newest)
	copyDir(t, old, dir)
	err := reopen(t, Options{Dir: dir})
	if !errors.Is(err, ErrRolledBack) || !strings.Contains(err.Error(), "older database") || !strings.Contains(err.Error(), "put the newest database back") {
		t.Errorf("older database: %v", err)
	}
	if err := reopen(t, Options{Dir: dir, AllowMissingCheckpoints: true}); !errors.Is(err, ErrRolledBack) {
		t.Errorf("the permission for a missing directory is none for an older database: %v", err)
	}
	copyDir(t, newest, dir)
	if err := reopen(t, Options{Dir: dir}); err != nil {
		t.Errorf("newest database: %v", err)
	}
}

func TestOpenRefusesAnotherHistory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	old := filepath.Join(t.TempDir(), "old")
	written(t, dir, "a", "b")
	copyDir(t, dir, old)
	written(t, dir, "c")
	// The older database is put back and goes on elsewhere, where nobody knows the newest head: a second history, longer and rightly signed.
	written(t, old, "x", "y", "z")
	copyDir(t, old, dir)
	if err := reopen(t, Options{Dir: dir}); !errors.Is(err, ErrRolledBack) || !strings.Contains(err.Error(), "another history") {
		t.Errorf("second history: %v", err)
	}
}

func TestOpenAndMissingCheckpoints(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	written(t, dir, "a")
	if err := os.RemoveAll(dir + "-checkpoints"); err != nil {
		t.Fatal(err)
	}
	if err := reopen(t, Options{Dir: dir}); !errors.Is(err, ErrRolledBack) {
		t.Errorf("no heads: %v", err)
	}
	if err := reopen(t, Options{Dir: dir, AllowMissingCheckpoints: true}); err != nil {
		t.Errorf("allowed: %v", err)
	}
	if err := reopen(t, Options{Dir: dir}); err != nil {
		t.Errorf("the allowed start did not write a head: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir+"-checkpoints", newestName), []byte("half a head"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := reopen(t, Options{Dir: dir}); !errors.Is(err, ErrRolledBack) {
		t.Errorf("a damaged head: %v", err)
	}
}

func TestOpenRefusesATamperedLog(t *testing.T) {
	t.Parallel()
	base := filepath.Join(t.TempDir(), "data")
	written(t, base, "a", "b", "c")
	for name, statements := range map[string][]string{
		"end cut":        {"DROP TRIGGER log_no_delete", "DELETE FROM log WHERE n = 2"},
		"head removed":   {"DELETE FROM log_head"},
		"head damaged":   {"UPDATE log_head SET note = x'00'"},
		"hash changed":   {"DROP TRIGGER log_no_update", "UPDATE log SET hashes = zeroblob(64) WHERE n = 1"},
		"entry added":    {"INSERT INTO log SELECT 3, leaf, hashes FROM log WHERE n = 2"},
		"everything cut": {"DROP TRIGGER log_no_delete", "DELETE FROM log"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			copyDir(t, base, dir)
			execIn(t, dir, statements...)
			if err := reopen(t, Options{Dir: dir, AllowMissingCheckpoints: true}); !errors.Is(err, ErrCorrupt) {
				t.Errorf("opened: %v", err)
			}
		})
	}
	t.Run("untouched", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "data")
		copyDir(t, base, dir)
		if err := reopen(t, Options{Dir: dir, AllowMissingCheckpoints: true}); err != nil {
			t.Error(err)
		}
	})
}

func TestTheLogIsAppendOnlyForItsOwnProgram(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	if err := s.Update(t.Context(), put(s, "k", "a")); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{"UPDATE log SET leaf = x'00'", "DELETE FROM log"} {
		if err := s.Update(t.Context(), func(tx *Tx) error { _, err := tx.exec(t.Context(), q); return err }); err == nil {
			t.Errorf("%s passed", q)
		}
	}
	checkVerified(t, s, 1)
}

func TestOpenRefusesAnotherKeyAndAnotherLog(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	written(t, dir, "a")
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := audit.NewSigner("carrel.test/log", key)
	if err != nil {
		t.Fatal(err)
	}
	log, err := audit.NewLog("carrel.test/log", signer)
	if err != nil {
		t.Fatal(err)
	}
	if err := reopen(t, Options{Dir: dir, Log: log}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("another key: %v", err)
	}
	used := newTestLog(t)
	used.Committed(5)
	if err := reopen(t, Options{Dir: dir, Log: used}); !errors.Is(err, ErrRolledBack) {
		t.Errorf("a log that knows more: %v", err)
	}
}

func TestOpenRefusesWrongDirectories(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	if err := reopen(t, Options{Dir: dir, Checkpoints: filepath.Join(dir, "inside")}); !errors.Is(err, ErrInvalid) {
		t.Errorf("heads inside: %v", err)
	}
	if err := reopen(t, Options{Dir: dir, Checkpoints: dir}); !errors.Is(err, ErrInvalid) {
		t.Errorf("heads in the same place: %v", err)
	}
	if err := reopen(t, Options{}); !errors.Is(err, ErrInvalid) {
		t.Errorf("nothing: %v", err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := reopen(t, Options{Dir: dir}); err == nil {
		t.Error("a file for a directory")
	}
}

func TestOneProcessOwnsTheDirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	s, err := Open(t.Context(), Options{Dir: dir, Log: newTestLog(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := reopen(t, Options{Dir: dir}); !errors.Is(err, ErrInUse) {
		t.Errorf("second owner: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := reopen(t, Options{Dir: dir}); err != nil {
		t.Errorf("after the first: %v", err)
	}
}

func TestOpenRefusesANewerSchemaAndRubbish(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	written(t, dir, "a")
	execIn(t, dir, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)")
	if err := reopen(t, Options{Dir: dir}); !errors.Is(err, ErrNewer) {
		t.Errorf("newer schema: %v", err)
	}
	rubbish := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(rubbish, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(rubbish, FileName), []byte(strings.Repeat("rubbish ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := reopen(t, Options{Dir: rubbish}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("rubbish: %v", err)
	}
}

func TestFilesAreForTheOwnerAlone(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	if err := s.Update(t.Context(), put(s, "k", "a")); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{s.Dir(), s.Checkpoints()} {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if errors.Is(err, os.ErrNotExist) {
				return nil // a head on its way
			}
			if err == nil && info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s has mode %v", d.Name(), info.Mode())
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestCheckpointsAreKeptBySize(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	log := newTestLog(t)
	s, err := Open(t.Context(), Options{Dir: dir, Log: log, KeepEvery: 3})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		if err := errors.Join(s.Update(t.Context(), put(s, "k", id)), s.copies.flush()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]int64{"checkpoint": 7, "checkpoint-3": 3, "checkpoint-6": 6} {
		raw, err := os.ReadFile(filepath.Join(s.Checkpoints(), name))
		if err != nil {
			t.Error(err)
			continue
		}
		if h, err := log.ParseCheckpoint(raw); err != nil || h.Size != size {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
	if notes, err := ReadCheckpoints(s.Checkpoints()); err != nil || len(notes) != 3 {
		t.Errorf("%d heads, %v", len(notes), err)
	}
}

func TestBackup(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	if err := s.Update(t.Context(), put(s, "k", "a")); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "restored")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, FileName)
	if err := s.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), path); !errors.Is(err, ErrInvalid) {
		t.Errorf("over a file: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := s.Backup(context.Background(), filepath.Join(dir, "missing", "x")); err == nil {
		t.Error("into nowhere")
	}
	restored, err := Open(t.Context(), Options{Dir: dir, Log: newTestLog(t), AllowMissingCheckpoints: true})
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, restored, "k"); n != 1 {
		t.Errorf("%d documents in the backup", n)
	}
	if err := restored.Close(); err != nil {
		t.Error(err)
	}
}
