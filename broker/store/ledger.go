package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"carrel/anonymize/ledger"
)

var _ ledger.Tx = (*Tx)(nil)

// ledgerError puts the store's errors into the ledger's words; failures of the machine stay what they are.
func ledgerError(err error) error {
	var e *sqlite.Error
	switch {
	case errors.Is(err, ErrNotFound):
		return ledger.ErrNotFound
	case errors.As(err, &e) && (e.Code() == lib.SQLITE_CONSTRAINT_UNIQUE || e.Code() == lib.SQLITE_CONSTRAINT_PRIMARYKEY):
		return ledger.ErrDuplicate
	case isConstraint(err):
		return fmt.Errorf("%w: outside its limits", ledger.ErrInvalid)
	}
	return err
}

// LedgerAccount implements ledger.Tx.
func (t *Tx) LedgerAccount(ctx context.Context, id string) (ledger.Account, error) {
	var a accountRow
	if err := t.one(ctx, sqlAccountGet, []any{id}, a.into()...); err != nil {
		return ledger.Account{}, ledgerError(err)
	}
	return a.account(), nil
}

// LedgerAccounts implements ledger.Tx.
func (t *Tx) LedgerAccounts(ctx context.Context, parent string) ([]ledger.Account, error) {
	var all []ledger.Account
	err := t.each(ctx, sqlAccountList, []any{parent}, func(scan func(...any) error) error {
		var a accountRow
		if err := scan(a.into()...); err != nil {
			return t.broken(err)
		}
		all = append(all, a.account())
		return nil
	})
	return all, err
}

// LedgerPutAccount implements ledger.Tx.
func (t *Tx) LedgerPutAccount(ctx context.Context, a ledger.Account) error {
	_, err := t.exec(ctx, sqlAccountPut, a.ID, string(a.Kind), a.Parent, string(a.Accounting), a.RootDelta,
		a.Limit.Units, a.Limit.Delta, a.Spent.Units, a.Spent.Delta, a.Frozen, a.Closed, a.Faults,
		a.Synthetic, a.Refilled.Units, a.Refilled.Delta, nanos(a.Opened))
	return ledgerError(err)
}

// LedgerAlterAccount implements ledger.Tx.
func (t *Tx) LedgerAlterAccount(ctx context.Context, id string, f func(*ledger.Account) error) error {
	a, err := t.LedgerAccount(ctx, id)
	if err != nil {
		return err
	}
	if err := f(&a); err != nil {
		return err
	}
	n, err := t.exec(ctx, sqlAccountSet, a.RootDelta, a.Limit.Units, a.Limit.Delta, a.Spent.Units, a.Spent.Delta,
		a.Frozen, a.Closed, a.Faults, a.Synthetic, a.Refilled.Units, a.Refilled.Delta, nanos(a.Opened), id)
	if err == nil && n != 1 {
		return ledger.ErrNotFound
	}
	return ledgerError(err)
}

// LedgerDebit implements ledger.Tx: one conditional update decides; the account is read only to say why it did not.
func (t *Tx) LedgerDebit(ctx context.Context, id string, a ledger.Amount) error {
	if a.Units < 0 || a.Delta < 0 {
		return fmt.Errorf("%w: negative amount", ledger.ErrInvalid)
	}
	n, err := t.exec(ctx, sqlDebit, a.Units, a.Delta, id)
	if err != nil {
		return ledgerError(err)
	}
	if n == 1 {
		return nil
	}
	account, err := t.LedgerAccount(ctx, id)
	switch {
	case err != nil:
		return err
	case account.Closed:
		return ledger.ErrClosed
	case account.Frozen:
		return ledger.ErrFrozen
	}
	return ledger.ErrExhausted
}

// LedgerCredit implements ledger.Tx.
func (t *Tx) LedgerCredit(ctx context.Context, id string, a ledger.Amount) error {
	if a.Units < 0 || a.Delta < 0 {
		return fmt.Errorf("%w: negative amount", ledger.ErrInvalid)
	}
	n, err := t.exec(ctx, sqlCredit, a.Units, a.Delta, id)
	if err != nil || n == 1 {
		return ledgerError(err)
	}
	if _, err := t.LedgerAccount(ctx, id); err != nil {
		return err
	}
	return fmt.Errorf("%w: more than was spent", ledger.ErrInvalid)
}

// LedgerRecord implements ledger.Tx.
func (t *Tx) LedgerRecord(ctx context.Context, id string) (ledger.Record, error) {
	return t.record(ctx, sqlRecordGet, id)
}

// LedgerRecordByKey implements ledger.Tx.
func (t *Tx) LedgerRecordByKey(ctx context.Context, key string) (ledger.Record, error) {
	return t.record(ctx, sqlRecordByKey, key)
}

func (t *Tx) record(ctx context.Context, query, arg string) (ledger.Record, error) {
	var r recordRow
	if err := t.one(ctx, query, []any{arg}, r.into()...); err != nil {
		return ledger.Record{}, ledgerError(err)
	}
	return r.record()
}

// LedgerRecords implements ledger.Tx.
func (t *Tx) LedgerRecords(ctx context.Context, state ledger.State) ([]ledger.Record, error) {
	var all []ledger.Record
	err := t.each(ctx, sqlRecordByState, []any{string(state)}, func(scan func(...any) error) error {
		var row recordRow
		if err := scan(row.into()...); err != nil {
			return t.broken(err)
		}
		r, err := row.record()
		all = append(all, r)
		return err
	})
	return all, err
}

// LedgerTotal implements ledger.Tx.
func (t *Tx) LedgerTotal(ctx context.Context, grant string) (ledger.Amount, error) {
	var a ledger.Amount
	err := t.one(ctx, sqlRecordTotal, []any{grant}, &a.Units, &a.Delta)
	return a, ledgerError(err)
}

// LedgerPutRecord implements ledger.Tx.
func (t *Tx) LedgerPutRecord(ctx context.Context, r ledger.Record) error {
	list, err := json.Marshal(r.List)
	if err != nil {
		return fmt.Errorf("%w: list of mechanisms", ledger.ErrInvalid)
	}
	_, err = t.exec(ctx, sqlRecordPut, r.ID, r.Grant, r.Researcher, r.Key, r.PlanHash, string(r.State), list,
		r.Cost.Units, r.Cost.Delta, r.Attempts, r.Receipt, r.Answered, r.Result, r.ResultHash, r.Why, nanos(r.At), nanos(r.Changed))
	return ledgerError(err)
}

// LedgerMove implements ledger.Tx: the state is compared and set by one update.
func (t *Tx) LedgerMove(ctx context.Context, id string, from, to ledger.State, f func(*ledger.Record)) error {
	var n int64
	var err error
	if f == nil {
		n, err = t.exec(ctx, sqlRecordMove, string(to), id, string(from))
	} else {
		var r ledger.Record
		if r, err = t.LedgerRecord(ctx, id); err != nil {
			return err
		}
		if r.State != from {
			return ledger.ErrState
		}
		f(&r)
		n, err = t.exec(ctx, sqlRecordSet, string(to), id, string(from), r.PlanHash, r.Attempts, r.Receipt, r.Answered,
			r.Result, r.ResultHash, r.Why, nanos(r.At), nanos(r.Changed))
	}
	if err != nil || n == 1 {
		return ledgerError(err)
	}
	var state string
	if err := t.one(ctx, sqlRecordState, []any{id}, &state); err != nil {
		return ledgerError(err)
	}
	return ledger.ErrState
}

// accountRow is an account as columns.
type accountRow struct {
	a      ledger.Account
	opened sql.NullInt64
}

func (r *accountRow) into() []any {
	a := &r.a
	return []any{&a.ID, (*string)(&a.Kind), &a.Parent, (*string)(&a.Accounting), &a.RootDelta,
		&a.Limit.Units, &a.Limit.Delta, &a.Spent.Units, &a.Spent.Delta, &a.Frozen, &a.Closed, &a.Faults,
		&a.Synthetic, &a.Refilled.Units, &a.Refilled.Delta, &r.opened}
}

func (r *accountRow) account() ledger.Account {
	r.a.Opened = fromNanos(r.opened)
	return r.a
}

// recordRow is a record as columns.
type recordRow struct {
	r           ledger.Record
	list        []byte
	at, changed sql.NullInt64
}

func (r *recordRow) into() []any {
	x := &r.r
	return []any{&x.ID, &x.Grant, &x.Researcher, &x.Key, &x.PlanHash, (*string)(&x.State), &r.list,
		&x.Cost.Units, &x.Cost.Delta, &x.Attempts, &x.Receipt, &x.Answered, &x.Result, &x.ResultHash, &x.Why, &r.at, &r.changed}
}

func (r *recordRow) record() (ledger.Record, error) {
	if err := json.Unmarshal(r.list, &r.r.List); err != nil {
		return ledger.Record{}, fmt.Errorf("%w: list of mechanisms", ErrCorrupt)
	}
	r.r.At, r.r.Changed = fromNanos(r.at), fromNanos(r.changed)
	return r.r, nil
}

// nanos stores a time; the zero time is NULL.
func nanos(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixNano()
}

func fromNanos(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.Unix(0, n.Int64).UTC()
}
