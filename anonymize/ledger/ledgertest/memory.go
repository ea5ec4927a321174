// Package ledgertest holds the conformance suite of ledger.Tx and an in-memory store that passes it.
//
// The suite is what "no account overspends" means for a store; broker/store runs the same one. Nothing here is for production.
package ledgertest

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"
	"sort"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"carrel/anonymize/ledger"
	"carrel/broker/audit"
)

// Tx is a transaction of a store that keeps ledger and log together.
type Tx interface {
	ledger.Tx
	audit.Tx
}

// Store is what the suite needs of a store: Update runs fn in one transaction, returns after the commit is durable and Log knows of it, and
// undoes everything when fn fails.
type Store struct {
	Update func(ctx context.Context, fn func(tx Tx) error) error
	Log    *audit.Log
}

// Memory makes an empty in-memory store.
func Memory(t testing.TB) Store {
	t.Helper()
	signer, err := audit.NewSigner("ledger.test", ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	log, err := audit.NewLog("ledger.test", signer)
	if err != nil {
		t.Fatal(err)
	}
	m := &memory{accounts: map[string]ledger.Account{}, records: map[string]ledger.Record{}, keys: map[string]string{}}
	return Store{Log: log, Update: func(ctx context.Context, fn func(tx Tx) error) error {
		m.mu.Lock()
		defer m.mu.Unlock()
		tx := &memoryTx{memory: m}
		if err := fn(tx); err != nil {
			for _, undo := range slices.Backward(tx.undo) {
				undo()
			}
			return err
		}
		log.Committed(int64(len(m.leaves)))
		return nil
	}}
}

type memory struct {
	mu       sync.Mutex
	accounts map[string]ledger.Account
	records  map[string]ledger.Record
	keys     map[string]string // live key -> record
	leaves   [][]byte
	hashes   []tlog.Hash
}

type memoryTx struct {
	*memory
	undo []func()
}

func set[V any](t *memoryTx, m map[string]V, k string, v V) {
	old, had := m[k]
	t.undo = append(t.undo, func() {
		if had {
			m[k] = old
		} else {
			delete(m, k)
		}
	})
	m[k] = v
}

func (t *memoryTx) LedgerAccount(_ context.Context, id string) (ledger.Account, error) {
	a, ok := t.accounts[id]
	if !ok {
		return ledger.Account{}, ledger.ErrNotFound
	}
	return a, nil
}

func (t *memoryTx) LedgerAccounts(_ context.Context, parent string) ([]ledger.Account, error) {
	var all []ledger.Account
	for _, a := range t.accounts {
		if a.Parent == parent {
			all = append(all, a)
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].ID < all[j].ID })
	return all, nil
}

func (t *memoryTx) LedgerPutAccount(_ context.Context, a ledger.Account) error {
	if _, ok := t.accounts[a.ID]; ok {
		return ledger.ErrDuplicate
	}
	set(t, t.accounts, a.ID, a)
	return nil
}

func (t *memoryTx) LedgerAlterAccount(ctx context.Context, id string, f func(*ledger.Account) error) error {
	old, err := t.LedgerAccount(ctx, id)
	if err != nil {
		return err
	}
	a := old
	if err := f(&a); err != nil {
		return err
	}
	a.ID, a.Kind, a.Parent, a.Accounting = old.ID, old.Kind, old.Parent, old.Accounting
	set(t, t.accounts, id, a)
	return nil
}

func (t *memoryTx) LedgerDebit(ctx context.Context, id string, by ledger.Amount) error {
	if by.Units < 0 || by.Delta < 0 {
		return ledger.ErrInvalid
	}
	a, err := t.LedgerAccount(ctx, id)
	if err != nil {
		return err
	}
	spent, err := a.Spent.Add(by)
	switch {
	case a.Closed:
		return ledger.ErrClosed
	case a.Frozen:
		return ledger.ErrFrozen
	case err != nil || !spent.Fits(a.Limit):
		return ledger.ErrExhausted
	}
	a.Spent = spent
	set(t, t.accounts, id, a)
	return nil
}

func (t *memoryTx) LedgerCredit(ctx context.Context, id string, by ledger.Amount) error {
	a, err := t.LedgerAccount(ctx, id)
	if err != nil {
		return err
	}
	if a.Spent, err = a.Spent.Sub(by); err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrInvalid, err)
	}
	set(t, t.accounts, id, a)
	return nil
}

func (t *memoryTx) LedgerRecord(_ context.Context, id string) (ledger.Record, error) {
	r, ok := t.records[id]
	if !ok {
		return ledger.Record{}, ledger.ErrNotFound
	}
	return r, nil
}

func (t *memoryTx) LedgerRecordByKey(ctx context.Context, key string) (ledger.Record, error) {
	return t.LedgerRecord(ctx, t.keys[key])
}

func (t *memoryTx) LedgerRecords(_ context.Context, state ledger.State) ([]ledger.Record, error) {
	var all []ledger.Record
	for _, r := range t.records {
		if r.State == state {
			all = append(all, r)
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].ID < all[j].ID })
	return all, nil
}

func (t *memoryTx) LedgerTotal(_ context.Context, grant string) (ledger.Amount, error) {
	var sum ledger.Amount
	var err error
	for _, r := range t.records {
		if r.Grant == grant && r.State != ledger.StatePlanned {
			if sum, err = sum.Add(r.Cost); err != nil {
				return ledger.Amount{}, err
			}
		}
	}
	return sum, nil
}

func (t *memoryTx) LedgerPutRecord(_ context.Context, r ledger.Record) error {
	if _, ok := t.records[r.ID]; ok {
		return ledger.ErrDuplicate
	}
	if r.State.Live() {
		if t.keys[r.Key] != "" {
			return ledger.ErrDuplicate
		}
		set(t, t.keys, r.Key, r.ID)
	}
	set(t, t.records, r.ID, r)
	return nil
}

func (t *memoryTx) LedgerMove(ctx context.Context, id string, from, to ledger.State, f func(*ledger.Record)) error {
	old, err := t.LedgerRecord(ctx, id)
	if err != nil {
		return err
	}
	if old.State != from {
		return ledger.ErrState
	}
	r := old
	if f != nil {
		f(&r)
	}
	r.ID, r.Grant, r.Researcher, r.Key, r.List, r.Cost = old.ID, old.Grant, old.Researcher, old.Key, old.List, old.Cost
	r.State = to
	if from.Live() && !to.Live() {
		set(t, t.keys, r.Key, "")
	}
	set(t, t.records, id, r)
	return nil
}

func (t *memoryTx) LogSize(context.Context) (int64, error) { return int64(len(t.leaves)), nil }

func (t *memoryTx) LogAppend(_ context.Context, n int64, leaf []byte, base int64, hashes []tlog.Hash) error {
	if n != int64(len(t.leaves)) || base != int64(len(t.hashes)) {
		return fmt.Errorf("ledgertest: entry %d out of order", n)
	}
	t.undo = append(t.undo, func() { t.leaves, t.hashes = t.leaves[:n], t.hashes[:base] })
	t.leaves, t.hashes = append(t.leaves, leaf), append(t.hashes, hashes...)
	return nil
}

func (t *memoryTx) LogHashes(_ context.Context, indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		if x < 0 || x >= int64(len(t.hashes)) {
			return nil, fmt.Errorf("ledgertest: no hash %d", x)
		}
		out[i] = t.hashes[x]
	}
	return out, nil
}
