//go:build unix

package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"carrel/anonymize/dp"
	"carrel/anonymize/ledger"
	"carrel/broker/audit"
	"carrel/broker/audit/verify"
)

// A child process that is being started holds a copy of the lock's descriptor; Close does not wait for it.
func TestCloseFreesTheDirectoryAtOnce(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	s, err := Open(t.Context(), Options{Dir: dir, Log: newTestLog(t)})
	if err != nil {
		t.Fatal(err)
	}
	held, err := unix.Dup(int(s.lock.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := reopen(t, Options{Dir: dir}); err != nil {
		t.Error(err)
	}
	if err := unix.Close(held); err != nil {
		t.Error(err)
	}
}

// killDir names the data directory to the child; a process without it is no child.
const killDir = "CARREL_STORE_TEST_KILL_DIR"

const (
	killClients = 4
	killCost    = 7
)

// TestKillChild is the child of TestKill: it charges, logs and records in a loop and prints what was acknowledged.
func TestKillChild(t *testing.T) {
	dir := os.Getenv(killDir)
	if dir == "" {
		t.Skip("runs as a child of TestKill")
	}
	s, err := Open(t.Context(), Options{Dir: dir, Log: newTestLog(t), KeepEvery: 50})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var out sync.Mutex
	for c := range killClients {
		wg.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("q-%d-%d-%d", os.Getpid(), c, i)
				if err := s.Update(context.Background(), killStep(s, id)); err != nil {
					t.Error(err)
					return
				}
				out.Lock()
				fmt.Println("acknowledged " + id)
				out.Unlock()
			}
		})
	}
	wg.Wait()
}

// killStep is one charge with its entry and record.
func killStep(s *Store, id string) func(tx *Tx) error {
	return func(tx *Tx) error {
		ctx := context.Background()
		cost := ledger.Amount{Units: killCost, Delta: 1}
		if err := tx.LedgerDebit(ctx, "grant", cost); err != nil {
			return err
		}
		p, err := s.o.Log.Append(ctx, tx, audit.Entry{Kind: "query.charged", Actor: "li", Object: "query/" + id})
		if err != nil {
			return err
		}
		return tx.LedgerPutRecord(ctx, ledger.Record{ID: id, Grant: "grant", Key: id, State: ledger.StateCharged, Cost: cost, Receipt: p.Index()})
	}
}

// TestKill kills a writing process at random moments. After each time: every acknowledged update is there, the debits are the
// sum of the records, every record has its entry, and the independent checker verifies the log against all heads outside.
func TestKill(t *testing.T) {
	t.Parallel()
	rounds := 20
	if testing.Short() {
		rounds = 5
	}
	dir := filepath.Join(t.TempDir(), "data")
	openAccount(t, dir)
	acknowledged := map[string]bool{}
	for round := range rounds {
		for _, id := range runAndKill(t, dir, time.Duration(rand.IntN(60_000))*time.Microsecond) {
			acknowledged[id] = true
		}
		checkKilledCopy(t, dir)
		checkKilled(t, dir, acknowledged)
		if t.Failed() {
			t.Fatalf("in round %d, %d acknowledged", round, len(acknowledged))
		}
	}
	if len(acknowledged) < rounds {
		t.Errorf("only %d updates in %d rounds: the test saw little", len(acknowledged), rounds)
	}
}

func openAccount(t *testing.T, dir string) {
	t.Helper()
	s, err := Open(t.Context(), Options{Dir: dir, Log: newTestLog(t)})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(t.Context(), func(tx *Tx) error {
		return tx.LedgerPutAccount(t.Context(), ledger.Account{ID: "grant", Kind: ledger.KindGrant, Accounting: dp.ZCDP,
			Limit: ledger.Amount{Units: 1 << 60, Delta: 1 << 60}})
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
}

// runAndKill lets a child work for a time after its first acknowledgement, kills it and returns what it acknowledged.
func runAndKill(t *testing.T, dir string, after time.Duration) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKillChild$", "-test.v")
	cmd.Env = append(os.Environ(), killDir+"="+dir)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var ids, other []string
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		id, ok := strings.CutPrefix(lines.Text(), "acknowledged ")
		if !ok {
			other = append(other, lines.Text())
			continue
		}
		if len(ids) == 0 {
			time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		}
		ids = append(ids, id)
	}
	if err := cmd.Wait(); err == nil || len(ids) == 0 {
		t.Fatalf("the child ended by itself: %v\n%s", err, strings.Join(other, "\n"))
	}
	return ids
}

// checkKilledCopy verifies the files exactly as the dead process left them.
func checkKilledCopy(t *testing.T, dir string) {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "copy")
	copyDir(t, dir, copied)
	notes, err := verify.LoadCheckpoints(dir + "-checkpoints")
	if err != nil || len(notes) == 0 {
		t.Fatalf("%d heads, %v", len(notes), err)
	}
	r, err := verify.Verify(t.Context(), verify.Options{DB: copied, Key: newTestLog(t).VerifierKey(), Checkpoints: notes})
	if err != nil || !r.Verified {
		t.Errorf("the log after the kill: %+v, %v", r, err)
	}
}

func checkKilled(t *testing.T, dir string, acknowledged map[string]bool) {
	t.Helper()
	s, err := Open(t.Context(), Options{Dir: dir, Log: newTestLog(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	err = s.View(t.Context(), func(tx *Tx) error {
		ctx := t.Context()
		records, err := tx.LedgerRecords(ctx, ledger.StateCharged)
		if err != nil {
			return err
		}
		account, err := tx.LedgerAccount(ctx, "grant")
		if err != nil {
			return err
		}
		size, err := tx.LogSize(ctx)
		if err != nil {
			return err
		}
		n := int64(len(records))
		if account.Spent != (ledger.Amount{Units: killCost * n, Delta: n}) || size != n {
			t.Errorf("%d records, spent %+v, %d entries", n, account.Spent, size)
		}
		for _, r := range records {
			delete(acknowledged, r.ID)
			leaf, err := tx.LogLeaf(ctx, r.Receipt)
			if err != nil || !strings.Contains(string(leaf), `"query/`+r.ID+`"`) {
				t.Errorf("record %s and entry %d differ: %v", r.ID, r.Receipt, err)
			}
		}
		if len(acknowledged) > 0 {
			t.Errorf("%d acknowledged updates are lost", len(acknowledged))
		}
		for _, r := range records {
			acknowledged[r.ID] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
