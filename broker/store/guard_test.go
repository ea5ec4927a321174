package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"carrel/anonymize/dp"
	"carrel/anonymize/ledger"
)

// lateCancel is a context that is cancelled while a statement runs.
type lateCancel struct {
	context.Context
	done chan struct{}
}

func (c lateCancel) Done() <-chan struct{} { return c.done }
func (c lateCancel) Err() error            { return nil }

// A statement is not interrupted: SQLite would undo the whole transaction and with it the work of others.
func TestCancellationDoesNotHarmNeighbours(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	ctx := lateCancel{t.Context(), make(chan struct{})}
	errs := together(t, s, put(s, "k", "a"), func(tx *Tx) error {
		time.AfterFunc(time.Millisecond, func() { close(ctx.done) })
		_, err := tx.exec(ctx, `INSERT INTO text (id, commitment, salt, body, created)
			WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 200000) SELECT 'x', 'x', x'', max(n), 0 FROM c`)
		return err
	})
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	checkVerified(t, s, 1)
}

func TestLogTakesOnlyTheNextEntry(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	err := s.Update(t.Context(), func(tx *Tx) error {
		hashes := []tlog.Hash{{1}}
		for _, c := range []struct{ n, base int64 }{{1, 1}, {-1, 0}, {0, 1}} {
			if err := tx.LogAppend(t.Context(), c.n, []byte("{}"), c.base, hashes); !errors.Is(err, ErrInvalid) {
				t.Errorf("entry %d at %d: %v", c.n, c.base, err)
			}
		}
		if err := tx.LogAppend(t.Context(), 0, []byte("{}"), 0, nil); !errors.Is(err, ErrInvalid) {
			t.Errorf("without hashes: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAChangedTextIsNotedAgainstItsCommitment(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	err := s.Update(t.Context(), func(tx *Tx) error {
		ref, err := tx.PutText(t.Context(), "what was said")
		if err != nil {
			return err
		}
		if _, err := tx.exec(t.Context(), "UPDATE text SET body = 'what was not said'"); err != nil {
			return err
		}
		if _, err := tx.GetText(t.Context(), ref.ID); !errors.Is(err, ErrCorrupt) {
			t.Errorf("changed text: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A frozen or closed account is not debited, however much is left in it.
func TestNoDebitOfAFrozenOrClosedAccount(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	err := s.Update(t.Context(), func(tx *Tx) error {
		for id, c := range map[string]struct {
			frozen, closed bool
			want           error
		}{"frozen": {true, false, ledger.ErrFrozen}, "closed": {false, true, ledger.ErrClosed}, "both": {true, true, ledger.ErrClosed}} {
			a := ledger.Account{ID: id, Kind: ledger.KindGrant, Accounting: dp.ZCDP, Limit: ledger.Amount{Units: 9, Delta: 9}, Frozen: c.frozen, Closed: c.closed}
			if err := tx.LedgerPutAccount(t.Context(), a); err != nil {
				return err
			}
			if err := tx.LedgerDebit(t.Context(), id, ledger.Amount{Units: 1}); !errors.Is(err, c.want) {
				t.Errorf("%s: %v", id, err)
			}
			if a, err := tx.LedgerAccount(t.Context(), id); err != nil || a.Spent != (ledger.Amount{}) {
				t.Errorf("%s: spent %+v, %v", id, a.Spent, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
