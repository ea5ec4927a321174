package ledger

import (
	"context"
	"fmt"

	"carrel/broker/audit"
)

// Why a record was forfeited.
const (
	WhyFailure = "failure"      // the one uniform failure after the child may have had data
	WhyCrash   = "broker-crash" // the broker itself went down between T2 and T3
)

// Forfeit ends a started reservation without an answer: it stays charged, its grant has one fault more, and at the limit of faults the
// grant freezes; frozen says so.
func (l *Ledger) Forfeit(ctx context.Context, tx Tx, p *audit.Pending, s *Started) (frozen bool, err error) {
	if s == nil || len(s.pending) == 0 {
		return false, fmt.Errorf("%w: not started", ErrInvalid)
	}
	if err := undecided(p); err != nil {
		return false, err
	}
	s.kill()
	err = l.move(ctx, tx, s.rec.ID, StateStarted, StateForfeited, func(r *Record) { r.Why, r.Answered = WhyFailure, p.Index() })
	if err != nil {
		return false, err
	}
	err = tx.LedgerAlterAccount(ctx, s.rec.Grant, func(a *Account) error {
		a.Faults++
		if a.Faults >= l.c.MaxFaults {
			a.Frozen = true
		}
		frozen = a.Frozen
		return nil
	})
	return frozen, err
}

// Answer looks an answer up by its key: the record, with the stored bytes, when it is recorded or delivered and of this grant. ErrNotFound
// when nothing holds the key (ask and pay), ErrState when it is on its way (wait, then ask again). Policy must be asked again
// before the bytes go out.
func (l *Ledger) Answer(ctx context.Context, tx Tx, grant, key string) (Record, error) {
	r, err := tx.LedgerRecordByKey(ctx, key)
	switch {
	case err != nil:
		return Record{}, err
	case r.Grant != grant: // never across grants: the key holds the grant, so this is a fault of the caller's key
		return Record{}, ErrNotFound
	case r.State == StateRecorded || r.State == StateDelivered:
		return r, nil
	default:
		return Record{}, ErrState
	}
}

// Deliver marks a recorded answer as handed out; a delivered one stays as it is.
func (l *Ledger) Deliver(ctx context.Context, tx Tx, id string) error {
	r, err := tx.LedgerRecord(ctx, id)
	if err != nil {
		return err
	}
	if r.State == StateDelivered {
		return nil
	}
	return l.move(ctx, tx, id, StateRecorded, StateDelivered, nil)
}

// Recover runs once when the broker starts, before any request: what was started and not recorded is forfeited and stays charged, since
// nobody knows whether a sample was drawn. A crash of the broker is no fault of the grant. It returns what it forfeited. Records
// that are charged stay: Resume may start them.
func (l *Ledger) Recover(ctx context.Context, tx Tx, p *audit.Pending) ([]Record, error) {
	if err := undecided(p); err != nil {
		return nil, err
	}
	started, err := tx.LedgerRecords(ctx, StateStarted)
	if err != nil {
		return nil, err
	}
	for i := range started {
		r := &started[i]
		err := l.move(ctx, tx, r.ID, StateStarted, StateForfeited, func(r *Record) { r.Why, r.Answered = WhyCrash, p.Index() })
		if err != nil {
			return nil, err
		}
		r.State, r.Why = StateForfeited, WhyCrash
	}
	return started, nil
}
