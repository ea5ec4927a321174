package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"

	"carrel/anonymize/dp"
	"carrel/broker/audit"
)

// Intent is what T1 charges for.
type Intent struct {
	ID         string // of the record, unique, chosen by the caller
	Grant      string // account id
	Researcher string // account id
	Key        string // answer key: grant, extract, exclusions, plan, list, planner version
	PlanHash   string
	List       []dp.Mechanism
}

// Reservation is a charged list that has not started. It comes from Charge, Resume or Retry; the zero value is refused.
type Reservation struct {
	rec     Record
	pending *audit.Pending
}

// ID names the record.
func (r *Reservation) ID() string { return r.rec.ID }

// Cost is what was charged.
func (r *Reservation) Cost() Amount { return r.rec.Cost }

// Started is a reservation whose child may get data. It comes from Start; the zero value is refused.
type Started struct {
	rec     Record
	pending []*audit.Pending

	mu       sync.Mutex
	given    bool // a child may have the query
	consumed bool // the list was given out
	dead     bool // retried or forfeited
}

// ID names the record.
func (s *Started) ID() string { return s.rec.ID }

// Noised is what the answer gate made of a Started: its canonical bytes.
type Noised interface {
	Bytes() []byte
	Reservation() string // the ID of the record whose list was sampled
}

// Recorded is a stored answer. It comes from Ledger.Record; the zero value is refused.
type Recorded struct {
	rec     Record
	pending *audit.Pending
}

// undecided accepts only the audit entry of a transaction that is still open: an entry of an earlier one would be a charge without an
// entry of its own.
func undecided(p *audit.Pending) error {
	if p == nil {
		return ErrNoReceipt
	}
	if _, err := p.Receipt(); !errors.Is(err, audit.ErrNotCommitted) {
		return fmt.Errorf("%w: the entry is not of this transaction", ErrNoReceipt)
	}
	return nil
}

// committed accepts only entries that are durably in the log.
func committed(pending ...*audit.Pending) error {
	if len(pending) == 0 {
		return ErrNoReceipt
	}
	for _, p := range pending {
		r, err := p.Receipt()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrNoReceipt, err)
		}
		if !r.Valid() {
			return ErrNoReceipt
		}
	}
	return nil
}

// Charge is T1: it prices the list, debits grant and researcher and stores the record as charged. p is the audit entry of the same
// transaction. On an error nothing is charged, even if the caller commits (a refusal wants its audit entry).
//
// ErrExhausted, ErrFrozen and ErrClosed are of the caller's own grant or researcher account, which the message names by kind.
// ErrDuplicate: the question is answered or on its way (see Answer), or the ID exists.
func (l *Ledger) Charge(ctx context.Context, tx Tx, p *audit.Pending, in Intent) (*Reservation, error) {
	if err := undecided(p); err != nil {
		return nil, err
	}
	if in.ID == "" || in.Key == "" || in.PlanHash == "" || max(len(in.ID), len(in.Key), len(in.PlanHash)) > 256 {
		return nil, fmt.Errorf("%w: intent", ErrInvalid)
	}
	grant, err := l.payers(ctx, tx, in)
	if err != nil {
		return nil, err
	}
	cost, err := dp.Price(grant.Accounting, grant.RootDelta, in.List)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if _, err := tx.LedgerRecordByKey(ctx, in.Key); !errors.Is(err, ErrNotFound) {
		if err == nil {
			err = ErrDuplicate
		}
		return nil, err
	}
	if err := debit(ctx, tx, cost, in.Grant, in.Researcher); err != nil {
		return nil, err
	}
	now := l.c.Now().UTC()
	rec := Record{
		ID: in.ID, Grant: in.Grant, Researcher: in.Researcher, Key: in.Key, PlanHash: in.PlanHash, State: StateCharged,
		List: slices.Clone(in.List), Cost: cost, Receipt: p.Index(), At: now, Changed: now,
	}
	if err := tx.LedgerPutRecord(ctx, rec); err != nil {
		return nil, errors.Join(err, tx.LedgerCredit(ctx, in.Grant, cost), tx.LedgerCredit(ctx, in.Researcher, cost))
	}
	return &Reservation{rec: rec, pending: p}, nil
}

// payers checks that both accounts are what they are said to be, in one universe, and returns the grant's.
func (l *Ledger) payers(ctx context.Context, tx Tx, in Intent) (Account, error) {
	g, err := tx.LedgerAccount(ctx, in.Grant)
	if err != nil {
		return Account{}, err
	}
	r, err := tx.LedgerAccount(ctx, in.Researcher)
	if err != nil {
		return Account{}, err
	}
	if g.Kind != KindGrant || r.Kind != KindResearcher || g.Parent != r.Parent || g.Accounting != r.Accounting || g.RootDelta != r.RootDelta {
		return Account{}, fmt.Errorf("%w: grant and researcher are not of one universe", ErrInvalid)
	}
	return g, nil
}

// debit charges both accounts or none.
func debit(ctx context.Context, tx Tx, cost Amount, grant, researcher string) error {
	if err := tx.LedgerDebit(ctx, grant, cost); err != nil {
		return fmt.Errorf("ledger: grant account: %w", err)
	}
	if err := tx.LedgerDebit(ctx, researcher, cost); err != nil {
		return errors.Join(fmt.Errorf("ledger: researcher account: %w", err), tx.LedgerCredit(ctx, grant, cost))
	}
	return nil
}

// Resume takes up a record that is charged and not started (the machine failed before the child had the query, or the broker restarted
// between T1 and T2), with the audit entry of its own transaction. Of several that resume one record only one can start. Accounts that
// would refuse a charge refuse this too: ErrClosed, ErrFrozen.
func (l *Ledger) Resume(ctx context.Context, tx Tx, p *audit.Pending, id string) (*Reservation, error) {
	if err := undecided(p); err != nil {
		return nil, err
	}
	rec, err := tx.LedgerRecord(ctx, id)
	if err != nil {
		return nil, err
	}
	if rec.State != StateCharged {
		return nil, ErrState
	}
	for _, id := range []string{rec.Grant, rec.Researcher} {
		a, err := tx.LedgerAccount(ctx, id)
		switch {
		case err != nil:
			return nil, err
		case a.Closed:
			return nil, ErrClosed
		case a.Frozen:
			return nil, ErrFrozen
		}
	}
	return &Reservation{rec: rec, pending: p}, nil
}

// Start is T2, in the transaction of T1 with the same audit entry, or in a later one with its own: then T1 must be committed. A reservation
// starts once.
func (l *Ledger) Start(ctx context.Context, tx Tx, p *audit.Pending, r *Reservation) (*Started, error) {
	if r == nil || r.pending == nil {
		return nil, fmt.Errorf("%w: reservation", ErrInvalid)
	}
	if err := undecided(p); err != nil {
		return nil, err
	}
	if r.pending != p {
		if err := committed(r.pending); err != nil {
			return nil, err
		}
	}
	rec := r.rec
	rec.State, rec.Attempts, rec.Changed = StateStarted, rec.Attempts+1, l.c.Now().UTC()
	if err := l.move(ctx, tx, rec.ID, StateCharged, StateStarted, func(stored *Record) { stored.Attempts = rec.Attempts }); err != nil {
		return nil, err
	}
	return &Started{rec: rec, pending: []*audit.Pending{r.pending, p}}, nil
}

// move is the only way to a state: the table first, then the store's compare-and-swap.
func (l *Ledger) move(ctx context.Context, tx Tx, id string, from, to State, f func(*Record)) error {
	if !CanMove(from, to) {
		return ErrState
	}
	now := l.c.Now().UTC()
	return tx.LedgerMove(ctx, id, from, to, func(r *Record) {
		r.Changed = now
		if f != nil {
			f(r)
		}
	})
}

// Usable is nil when the audit entries behind the Started are durable and it was not used: only then may the child get data.
func (s *Started) Usable() error {
	if s == nil {
		return fmt.Errorf("%w: not started", ErrInvalid)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.usable()
}

func (s *Started) usable() error {
	if s.consumed || s.dead {
		return ErrConsumed
	}
	return committed(s.pending...)
}

// Consume gives the list out, once, when Usable. The answer gate calls it before it samples; nobody else should.
func (s *Started) Consume() ([]dp.Mechanism, error) {
	if s == nil {
		return nil, fmt.Errorf("%w: not started", ErrInvalid)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(); err != nil {
		return nil, err
	}
	s.consumed = true
	return slices.Clone(s.rec.List), nil
}

// Give takes the right to give the query to a child, once, when Usable. The parent of the child calls it before it sends the first byte;
// from then on there is no Retry, whatever the child says or however it ends.
func (s *Started) Give() error {
	if s == nil {
		return fmt.Errorf("%w: not started", ErrInvalid)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.given {
		return ErrConsumed
	}
	if err := s.usable(); err != nil {
		return err
	}
	s.given = true
	return nil
}

// kill makes the Started unusable for ever; it reports whether it had been used before: given to a child, sampled, or killed.
func (s *Started) kill() (used bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	used = s.given || s.consumed || s.dead
	s.dead = true
	return used
}

// Retry is for an infrastructure fault before a child had the query: back to charged, with the same charge, as often as the machine fails.
// Nothing can depend on the sample, because none was looked at: a Started that was given to a child, or whose list was given out, is
// ErrConsumed, and then Forfeit is what is left.
func (l *Ledger) Retry(ctx context.Context, tx Tx, p *audit.Pending, s *Started) (*Reservation, error) {
	if s == nil || len(s.pending) == 0 {
		return nil, fmt.Errorf("%w: not started", ErrInvalid)
	}
	if err := undecided(p); err != nil {
		return nil, err
	}
	if s.kill() {
		return nil, ErrConsumed
	}
	if err := l.move(ctx, tx, s.rec.ID, StateStarted, StateCharged, nil); err != nil {
		return nil, err
	}
	rec := s.rec
	rec.State = StateCharged
	return &Reservation{rec: rec, pending: p}, nil
}

// Record is T3: the noised bytes are stored with their hash and the number of their audit entry. The bytes must be a canonical dp.Table
// sampled from exactly the reserved list.
func (l *Ledger) Record(ctx context.Context, tx Tx, p *audit.Pending, s *Started, n Noised) (*Recorded, error) {
	if s == nil || n == nil {
		return nil, fmt.Errorf("%w: not started", ErrInvalid)
	}
	if err := undecided(p); err != nil {
		return nil, err
	}
	s.mu.Lock()
	ready := s.consumed && !s.dead
	s.mu.Unlock()
	if !ready || n.Reservation() != s.rec.ID {
		return nil, fmt.Errorf("%w: not this reservation's answer", ErrInvalid)
	}
	b := n.Bytes()
	table, err := dp.DecodeTable(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if !slices.Equal(table.Sampled(), s.rec.List) {
		return nil, fmt.Errorf("%w: not sampled from the reserved list", ErrInvalid)
	}
	rec := s.rec
	hash := sha256.Sum256(b)
	rec.State, rec.Result, rec.ResultHash, rec.Answered = StateRecorded, b, hex.EncodeToString(hash[:]), p.Index()
	err = l.move(ctx, tx, rec.ID, StateStarted, StateRecorded, func(stored *Record) {
		stored.Result, stored.ResultHash, stored.Answered = rec.Result, rec.ResultHash, rec.Answered
	})
	if err != nil {
		return nil, err
	}
	return &Recorded{rec: rec, pending: p}, nil
}

// Bytes are the recorded bytes, only after the transaction of Record is durable.
func (r *Recorded) Bytes() ([]byte, error) {
	if r == nil || r.pending == nil {
		return nil, ErrNoReceipt
	}
	if err := committed(r.pending); err != nil {
		return nil, err
	}
	return slices.Clone(r.rec.Result), nil
}
