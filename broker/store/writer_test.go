package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"carrel/broker/audit"
	"carrel/broker/audit/verify"
)

// checkVerified asks the independent checker about a copy of the store's database.
func checkVerified(t *testing.T, s *Store, entries int64) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := s.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	notes, err := verify.LoadCheckpoints(s.Checkpoints())
	if err != nil {
		t.Fatal(err)
	}
	r, err := verify.Verify(t.Context(), verify.Options{DB: path, Key: s.o.Log.VerifierKey(), Checkpoints: notes})
	if err != nil || !r.Verified || r.Entries != entries {
		t.Errorf("%d entries wanted: %+v, %v", entries, r, err)
	}
}

func count(t *testing.T, s *Store, kind string) int {
	t.Helper()
	n := 0
	err := s.View(t.Context(), func(tx *Tx) error {
		docs, err := tx.List(t.Context(), kind, Filter{Limit: ListMax})
		n = len(docs)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// together queues closures behind one that holds the writer, so that they share one commit, and returns their errors.
func together(t *testing.T, s *Store, fns ...func(tx *Tx) error) []error {
	t.Helper()
	held, release := make(chan struct{}), make(chan struct{})
	errs := make([]error, len(fns))
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Update(t.Context(), func(*Tx) error { close(held); <-release; return nil }); err != nil {
			t.Error(err)
		}
	})
	<-held
	var queued sync.WaitGroup
	for i, fn := range fns {
		queued.Add(1)
		wg.Go(func() {
			r := &request{turn: make(chan *Tx, 1), ran: make(chan error, 1), outcome: make(chan error, 1)}
			s.w.queue <- r
			queued.Done()
			errs[i] = s.follow(t.Context(), r, fn)
		})
		queued.Wait() // in this order
	}
	close(release)
	wg.Wait()
	return errs
}

func put(s *Store, kind, id string) func(tx *Tx) error {
	return func(tx *Tx) error {
		ctx := context.Background()
		if err := tx.Put(ctx, kind, id, 0, Index{}, 1); err != nil {
			return err
		}
		_, err := appendEntry(ctx, s, tx, kind+"/"+id)
		return err
	}
}

func TestBatchUndoesOnlyWhatFailed(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	boom := errors.New("boom")
	errs := together(t, s,
		put(s, "k", "a"),
		func(tx *Tx) error { return errors.Join(put(s, "k", "b")(tx), boom) },
		func(tx *Tx) error { _ = put(s, "k", "c")(tx); panic("x") },
		put(s, "k", "d"),
		put(s, "k", "d"), // conflict
		func(tx *Tx) error { _, err := s.o.Log.Append(t.Context(), tx, audit.Entry{}); _ = err; return nil }, // swallowed
		put(s, "k", "e"),
	)
	for i, want := range []error{nil, boom, ErrPanic, nil, ErrConflict, audit.ErrEntry, nil} {
		if !errors.Is(errs[i], want) || want == nil && errs[i] != nil {
			t.Errorf("closure %d: %v, want %v", i, errs[i], want)
		}
	}
	if n := count(t, s, "k"); n != 3 {
		t.Errorf("%d documents, want 3", n)
	}
	checkVerified(t, s, 3)
}

// A closure that ends its goroutine (a test's FailNow, say) is undone, and the writer goes on.
func TestGoexitInAClosure(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = s.Update(t.Context(), func(tx *Tx) error {
			if err := put(s, "k", "a")(tx); err != nil {
				t.Error(err)
			}
			goexit()
			return nil
		})
		t.Error("came back")
	})
	wg.Wait()
	if err := s.Update(t.Context(), put(s, "k", "b")); err != nil {
		t.Fatal(err)
	}
	if n := count(t, s, "k"); n != 1 {
		t.Errorf("%d documents, want 1", n)
	}
	checkVerified(t, s, 1)
}

func TestParallelUpdates(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	var wg sync.WaitGroup
	for c := range 20 {
		wg.Go(func() {
			for i := range 20 {
				var p *audit.Pending
				err := s.Update(t.Context(), func(tx *Tx) (err error) {
					if err := tx.Put(t.Context(), "k", fmt.Sprintf("%d-%d", c, i), 0, Index{}, i); err != nil {
						return err
					}
					p, err = appendEntry(t.Context(), s, tx, "k")
					return err
				})
				if err != nil {
					t.Error(err)
				}
				if r, err := p.Receipt(); err != nil || !r.Valid() {
					t.Errorf("no receipt after the commit: %v", err)
				}
			}
		})
	}
	wg.Wait()
	checkVerified(t, s, 400)
}

// limitPages limits the database to its present size, so that the next page it needs is a full disk to SQLite.
func limitPages(t *testing.T, s *Store, max string) {
	t.Helper()
	run := func(q string) {
		if _, err := s.w.s.conn.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	run("PRAGMA max_page_count(" + max + ")")
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	if err := s.Update(t.Context(), put(s, "k", "before")); err != nil {
		t.Fatal(err)
	}
	limitPages(t, s, "1") // SQLite takes the present size
	big := strings.Repeat("x", 1<<20)
	full := func(tx *Tx) error {
		if err := put(s, "k", "full")(tx); err != nil {
			return err
		}
		err := tx.Put(t.Context(), "k", "big", 0, Index{}, big)
		if !errors.Is(err, ErrUnavailable) {
			t.Errorf("on a full disk: %v", err)
		}
		// SQLite may be outside a transaction by now: nothing more may run.
		if err := tx.Put(t.Context(), "k", "after", 0, Index{}, 1); !errors.Is(err, ErrUnavailable) {
			t.Errorf("after the failure: %v", err)
		}
		return nil // a closure that does not care
	}
	errs := together(t, s, put(s, "k", "same commit"), full, put(s, "k", "behind"))
	if !errors.Is(errs[1], ErrUnavailable) || !strings.Contains(errs[1].Error(), "disk is full") {
		t.Errorf("the full one: %v", errs[1])
	}
	// The neighbours either are there or were told that they are not.
	told := 1
	for _, i := range []int{0, 2} {
		switch {
		case errs[i] == nil:
			told++
		case !errors.Is(errs[i], ErrUnavailable):
			t.Errorf("neighbour %d: %v", i, errs[i])
		}
	}
	if n := count(t, s, "k"); n != told {
		t.Errorf("%d documents are there, %d were promised", n, told)
	}
	limitPages(t, s, "1073741823")
	if err := s.Update(t.Context(), put(s, "k", "recovered")); err != nil {
		t.Errorf("after room was made: %v", err)
	}
	if n := count(t, s, "k"); n != told+1 {
		t.Errorf("%d documents, want %d", n, told+1)
	}
	checkVerified(t, s, int64(told+1))
}

func TestReadOnlyDatabase(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	pragma := func(q string) {
		if _, err := s.w.s.conn.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	pragma("PRAGMA query_only(1)")
	err := s.Update(t.Context(), put(s, "k", "a"))
	if !errors.Is(err, ErrUnavailable) {
		t.Errorf("read-only: %v", err)
	}
	pragma("PRAGMA query_only(0)")
	if err := s.Update(t.Context(), put(s, "k", "a")); err != nil {
		t.Errorf("writable again: %v", err)
	}
	checkVerified(t, s, 1)
}

// If the log cannot be written nothing happens, even when the closure swallows the error.
func TestLogNotWritable(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	exec := func(q string) {
		if _, err := s.w.s.conn.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE TRIGGER broken BEFORE INSERT ON log BEGIN SELECT RAISE(ABORT, 'no'); END")
	err := s.Update(t.Context(), func(tx *Tx) error {
		if err := tx.Put(t.Context(), "k", "a", 0, Index{}, 1); err != nil {
			return err
		}
		_, _ = appendEntry(t.Context(), s, tx, "k/a")
		return nil
	})
	if err == nil {
		t.Error("committed without the log")
	}
	if n := count(t, s, "k"); n != 0 {
		t.Errorf("%d documents without the log", n)
	}
	exec("DROP TRIGGER broken")
	exec("CREATE TRIGGER broken BEFORE INSERT ON log_head BEGIN SELECT RAISE(ABORT, 'no'); END")
	if err := s.Update(t.Context(), put(s, "k", "a")); !errors.Is(err, ErrUnavailable) {
		t.Errorf("committed without the signed head: %v", err)
	}
	exec("DROP TRIGGER broken")
	if n := count(t, s, "k"); n != 0 {
		t.Errorf("%d documents without the signed head", n)
	}
	if err := s.Update(t.Context(), put(s, "k", "a")); err != nil {
		t.Error(err)
	}
	checkVerified(t, s, 1)
}

// brokenSigner stands for a key that went away.
type brokenSigner struct {
	audit.Signer
	broken bool
}

func (b *brokenSigner) Sign(msg []byte) ([]byte, error) {
	if b.broken {
		return nil, errors.New("the key is gone")
	}
	return b.Signer.Sign(msg)
}

func TestNothingHappensWithoutASignature(t *testing.T) {
	t.Parallel()
	inner, err := audit.NewSigner("carrel.test/log", testKey())
	if err != nil {
		t.Fatal(err)
	}
	signer := &brokenSigner{Signer: inner}
	log, err := audit.NewLog("carrel.test/log", signer)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Options{Dir: filepath.Join(t.TempDir(), "data"), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	signer.broken = true
	if err := s.Update(t.Context(), put(s, "k", "a")); !errors.Is(err, ErrUnavailable) {
		t.Errorf("without a key: %v", err)
	}
	signer.broken = false
	if err := s.Update(t.Context(), put(s, "k", "b")); err != nil || count(t, s, "k") != 1 {
		t.Errorf("with the key: %v", err)
	}
	checkVerified(t, s, 1)
}

// When the outcome of a commit is unknown the store stops writing; reading goes on.
func TestUnknownOutcomeHalts(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	if err := s.Update(t.Context(), put(s, "k", "a")); err != nil {
		t.Fatal(err)
	}
	// A COMMIT that fails in a way which the writer does not know.
	held := s.w.s.stmts[sqlCommit]
	broken, err := s.w.s.conn.PrepareContext(t.Context(), "ROLLBACK TO nowhere")
	if err != nil {
		t.Fatal(err)
	}
	s.w.s.stmts[sqlCommit] = broken
	if err := s.Update(t.Context(), put(s, "k", "b")); !errors.Is(err, ErrHalted) {
		t.Errorf("unknown outcome: %v", err)
	}
	s.w.s.stmts[sqlCommit] = held
	if err := s.Update(t.Context(), put(s, "k", "c")); !errors.Is(err, ErrHalted) {
		t.Errorf("after it: %v", err)
	}
	if n := count(t, s, "k"); n != 1 {
		t.Errorf("%d documents", n)
	}
	if err := broken.Close(); err != nil {
		t.Error(err)
	}
}

// While heads cannot be copied outside, nothing is committed; when they can again, work goes on.
func TestCheckpointDirectoryLost(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	if err := s.Update(t.Context(), put(s, "k", "a")); err != nil {
		t.Fatal(err)
	}
	if err := s.copies.flush(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(s.Checkpoints()); err != nil {
		t.Fatal(err)
	}
	// At most the one commit whose head finds the directory gone succeeds.
	if err := s.Update(t.Context(), put(s, "k", "b")); err != nil && !errors.Is(err, ErrUnavailable) {
		t.Fatal(err)
	}
	_ = s.copies.flush()
	before := count(t, s, "k")
	if err := s.Update(t.Context(), put(s, "k", "c")); !errors.Is(err, ErrUnavailable) {
		t.Errorf("without the directory: %v", err)
	}
	if n := count(t, s, "k"); n != before {
		t.Errorf("%d documents, want %d", n, before)
	}
	if err := os.Mkdir(s.Checkpoints(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), put(s, "k", "c")); err != nil {
		t.Errorf("with the directory again: %v", err)
	}
	checkVerified(t, s, int64(before+1))
}

func TestCloseRefusesAndWaits(t *testing.T) {
	t.Parallel()
	s := openTest(t, filepath.Join(t.TempDir(), "data"))
	started, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	var err error
	wg.Go(func() {
		err = s.Update(t.Context(), func(tx *Tx) error { close(started); <-release; return put(s, "k", "a")(tx) })
	})
	<-started
	wg.Go(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	<-s.stop
	close(release)
	wg.Wait()
	if err != nil {
		t.Errorf("the closure at work: %v", err)
	}
	if err := s.Update(t.Context(), func(*Tx) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("update after the end: %v", err)
	}
	if err := s.View(t.Context(), func(*Tx) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("view after the end: %v", err)
	}
}

// An abandoned Update never runs.
func TestCancelledInTheQueue(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	started, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Update(t.Context(), func(*Tx) error { close(started); <-release; return nil }); err != nil {
			t.Error(err)
		}
	})
	<-started
	ctx, cancel := context.WithCancel(t.Context())
	r := &request{turn: make(chan *Tx, 1), ran: make(chan error, 1), outcome: make(chan error, 1)}
	s.w.queue <- r
	cancel()
	if err := s.follow(ctx, r, put(s, "k", "a")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	close(release)
	wg.Wait()
	if n := count(t, s, "k"); n != 0 {
		t.Errorf("%d documents", n)
	}
}

// An erased text is in no file of the data directory any more.
func TestErasureLeavesNoBytes(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	const secret = "the-words-of-a-person-0123456789"
	var ref TextRef
	err := s.Update(t.Context(), func(tx *Tx) (err error) {
		ref, err = tx.PutText(t.Context(), strings.Repeat(secret, 300))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if !onDisk(t, s.Dir(), secret) {
		t.Fatal("the test cannot see the text")
	}
	if err := s.Update(t.Context(), func(tx *Tx) error { return tx.EraseText(t.Context(), ref.ID) }); err != nil {
		t.Fatal(err)
	}
	if onDisk(t, s.Dir(), secret) {
		t.Error("the text is still in a file")
	}
}

func onDisk(t *testing.T, dir, text string) bool {
	t.Helper()
	found := false
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		found = found || strings.Contains(string(raw), text)
	}
	return found
}
