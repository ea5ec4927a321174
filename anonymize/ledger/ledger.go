package ledger

import (
	"context"
	"sync"
	"time"

	"carrel/anonymize/dp"
	"carrel/broker/audit"
)

// Config is the policy data of the ledger.
type Config struct {
	MaxFaults int              // F: that many uniform failures freeze a grant; at least 1
	Now       func() time.Time // required
}

// Ledger is the rules; the state is in the store. It is safe for concurrent use.
type Ledger struct{ c Config }

// New makes a Ledger.
func New(c Config) (*Ledger, error) { return &Ledger{c: c}, nil }

// Intent is what T1 charges for.
type Intent struct {
	ID         string // of the record, unique, chosen by the caller
	Grant      string
	Researcher string
	Key        string
	PlanHash   string
	List       []dp.Mechanism
}

// Reservation is a charged list that has not started.
type Reservation struct {
	rec     Record
	pending *audit.Pending
}

// ID names the record.
func (r *Reservation) ID() string { return r.rec.ID }

// Cost is what was charged.
func (r *Reservation) Cost() Amount { return r.rec.Cost }

// Started is a reservation whose child may get data.
type Started struct {
	mu       sync.Mutex
	rec      Record
	pending  []*audit.Pending
	consumed bool
}

// ID names the record.
func (s *Started) ID() string { return s.rec.ID }

// Noised is what the answer gate made of a Started: its canonical bytes.
type Noised interface {
	Bytes() []byte
	Reservation() string // the ID of the record whose list was sampled
}

// Recorded is a stored answer.
type Recorded struct {
	rec     Record
	pending *audit.Pending
}

// Open stores a new account of kind universe or researcher.
func (l *Ledger) Open(ctx context.Context, tx Tx, a Account) error { return ErrInvalid }

// OpenGrant stores a new grant account and debits its universe by the grant's limit.
func (l *Ledger) OpenGrant(ctx context.Context, tx Tx, a Account) error { return ErrInvalid }

// CloseGrant ends a grant and returns what it did not spend to its universe.
func (l *Ledger) CloseGrant(ctx context.Context, tx Tx, id string) (Amount, error) {
	return Amount{}, ErrInvalid
}

// Refill raises the limit of a synthetic universe.
func (l *Ledger) Refill(ctx context.Context, tx Tx, universe string, by Amount) error {
	return ErrInvalid
}

// Freeze sets or lifts the freeze of an account.
func (l *Ledger) Freeze(ctx context.Context, tx Tx, id string, frozen bool) error { return ErrInvalid }

// FreezeAll freezes every grant (restored backup); it returns how many.
func (l *Ledger) FreezeAll(ctx context.Context, tx Tx) (int, error) { return 0, ErrInvalid }

// Charge is T1: it prices the list, debits grant and researcher and stores the record as charged. p is the audit entry of the same
// transaction.
func (l *Ledger) Charge(ctx context.Context, tx Tx, p *audit.Pending, in Intent) (*Reservation, error) {
	return nil, ErrInvalid
}

// Resume takes up a record that is charged and not started (broker restarted between T1 and T2).
func (l *Ledger) Resume(ctx context.Context, tx Tx, p *audit.Pending, id string) (*Reservation, error) {
	return nil, ErrInvalid
}

// Start is T2, in the transaction of T1 or a later one, with that transaction's audit entry.
func (l *Ledger) Start(ctx context.Context, tx Tx, p *audit.Pending, r *Reservation) (*Started, error) {
	return nil, ErrInvalid
}

// Usable is nil when the audit entries behind the Started are committed and it was not consumed: the child may get data.
func (s *Started) Usable() error { return ErrInvalid }

// Consume gives the list out, once. The answer gate calls it before it samples.
func (s *Started) Consume() ([]dp.Mechanism, error) { return nil, ErrInvalid }

// Retry is for an infrastructure fault before the child had data: back to charged, once a record, with the same charge.
func (l *Ledger) Retry(ctx context.Context, tx Tx, p *audit.Pending, s *Started) (*Reservation, error) {
	return nil, ErrInvalid
}

// Record is T3: the noised bytes are stored.
func (l *Ledger) Record(ctx context.Context, tx Tx, p *audit.Pending, s *Started, n Noised) (*Recorded, error) {
	return nil, ErrInvalid
}

// Forfeit ends a started reservation without an answer: charged, one fault more; frozen says that the grant froze by it.
func (l *Ledger) Forfeit(ctx context.Context, tx Tx, p *audit.Pending, s *Started) (frozen bool, err error) {
	return false, ErrInvalid
}

// Bytes are the recorded bytes, only after the transaction of Record is committed.
func (r *Recorded) Bytes() ([]byte, error) { return nil, ErrInvalid }

// Answer looks an answer up by its key: the stored bytes of a recorded or delivered record of this grant. ErrNotFound when there is no
// live record; ErrState when one is on its way (wait for it).
func (l *Ledger) Answer(ctx context.Context, tx Tx, grant, key string) (Record, error) {
	return Record{}, ErrInvalid
}

// Deliver marks a recorded answer as handed out. Delivered ones stay as they are.
func (l *Ledger) Deliver(ctx context.Context, tx Tx, id string) error { return ErrInvalid }

// Recover runs once when the broker starts, before any request: what was started and not recorded is forfeited, charged, and is no fault
// of the grant. It returns the records that it forfeited.
func (l *Ledger) Recover(ctx context.Context, tx Tx, p *audit.Pending) ([]Record, error) {
	return nil, ErrInvalid
}

// Check recomputes a universe from its grants and every grant from its records; ErrMismatch says which account.
func (l *Ledger) Check(ctx context.Context, tx Tx, universe string) error { return ErrInvalid }
