package ledger

import (
	"context"
	"errors"
	"time"

	"carrel/anonymize/dp"
)

// Amount is a quantity of budget in integers (see dp.Cost).
type Amount = dp.Cost

// Kind is a kind of account. The empty kind is refused.
type Kind string

// The kinds of accounts.
const (
	KindUniverse   Kind = "universe"   // budget root: all extracts, versions and projects of one population of persons
	KindResearcher Kind = "researcher" // one person's sum over all grants in one universe
	KindGrant      Kind = "grant"      // one grant; its limit is set aside in its universe
)

// Account is one budget. 0 ≤ Spent ≤ Limit holds component by component at all times.
type Account struct {
	ID         string        `json:"id"`
	Kind       Kind          `json:"kind"`
	Parent     string        `json:"parent,omitempty"` // the universe of a researcher or grant
	Accounting dp.Accounting `json:"accounting"`
	// RootDelta is the δ of the universe's promise; ConversionDelta in the ledger's words is dp.ConversionDelta of it.
	RootDelta float64   `json:"root_delta"`
	Limit     Amount    `json:"limit"`
	Spent     Amount    `json:"spent"`
	Frozen    bool      `json:"frozen"`    // refuses charges until a person lifts it
	Closed    bool      `json:"closed"`    // ended grant: refuses charges for ever
	Faults    int       `json:"faults"`    // uniform failures of this grant
	Synthetic bool      `json:"synthetic"` // a universe of invented persons, the only kind that refills
	Refilled  Amount    `json:"refilled"`  // part of Limit that came from refills
	Opened    time.Time `json:"opened,omitzero"`
}

// State is a reservation's place in its life. The empty state is refused.
type State string

// The states. See Transitions.
const (
	StatePlanned   State = "planned"   // known, nothing charged
	StateCharged   State = "charged"   // T1: grant and researcher are charged
	StateStarted   State = "started"   // T2: the child may get data
	StateRecorded  State = "recorded"  // T3: noised bytes are stored
	StateDelivered State = "delivered" // the bytes were handed out at least once
	StateForfeited State = "forfeited" // charged, no answer, never runs again
)

// Record is one reservation as stored.
type Record struct {
	ID         string         `json:"id"`
	Grant      string         `json:"grant"`      // account id
	Researcher string         `json:"researcher"` // account id
	Key        string         `json:"key"`        // answer key, unique among records that are not forfeited
	PlanHash   string         `json:"plan_hash"`
	State      State          `json:"state"`
	List       []dp.Mechanism `json:"list"` // immutable
	Cost       Amount         `json:"cost"` // price of List, immutable
	Attempts   int            `json:"attempts"`
	Receipt    int64          `json:"receipt"`            // number of T1's audit entry
	Answered   int64          `json:"answered,omitempty"` // number of T3's audit entry
	Result     []byte         `json:"result,omitempty"`   // canonical noised bytes
	ResultHash string         `json:"result_hash,omitempty"`
	Why        string         `json:"why,omitempty"` // of a forfeit: "failure" or "broker-crash"
	At         time.Time      `json:"at"`            // of T1
	Changed    time.Time      `json:"changed"`
}

// Errors of the ledger. Their text never tells of another account than the caller's own grant or researcher account.
var (
	ErrExhausted  = errors.New("ledger: the budget is exhausted")
	ErrFrozen     = errors.New("ledger: the budget is frozen")
	ErrClosed     = errors.New("ledger: the grant has ended")
	ErrNotFound   = errors.New("ledger: no such account or record")
	ErrDuplicate  = errors.New("ledger: already there")
	ErrState      = errors.New("ledger: not possible in this state")
	ErrInvalid    = errors.New("ledger: invalid")
	ErrNoReceipt  = errors.New("ledger: no committed audit entry")
	ErrConsumed   = errors.New("ledger: already used")
	ErrMismatch   = errors.New("ledger: the books do not agree")
	ErrNotAllowed = errors.New("ledger: only a synthetic universe refills")
)

// Tx is what the ledger needs of a transaction. Implementations live in broker/store and ledgertest; ledgertest.Run is their
// conformance suite. Everything done through one Tx is applied together or not at all, and transactions are serialisable.
type Tx interface {
	// LedgerAccount reads an account; ErrNotFound.
	LedgerAccount(ctx context.Context, id string) (Account, error)
	// LedgerAccounts lists the accounts whose Parent is given, by ID; Parent "" lists the universes.
	LedgerAccounts(ctx context.Context, parent string) ([]Account, error)
	// LedgerPutAccount stores a new account; ErrDuplicate when the ID exists.
	LedgerPutAccount(ctx context.Context, a Account) error
	// LedgerAlterAccount reads an account, lets f change it and stores it; ID, Kind, Parent and Accounting stay. ErrNotFound; an
	// error of f is returned as it is and nothing is stored.
	LedgerAlterAccount(ctx context.Context, id string, f func(*Account) error) error
	// LedgerDebit adds the amount to Spent if the account is neither closed nor frozen and both components stay within Limit, in one
	// conditional update: ErrClosed, ErrFrozen, ErrExhausted, ErrNotFound, in this order of precedence after ErrNotFound; nothing
	// changes on an error. A negative component is ErrInvalid.
	LedgerDebit(ctx context.Context, id string, a Amount) error
	// LedgerCredit takes the amount from Spent; ErrInvalid when a component is negative or would leave Spent below zero.
	LedgerCredit(ctx context.Context, id string, a Amount) error
	// LedgerRecord reads a record; ErrNotFound.
	LedgerRecord(ctx context.Context, id string) (Record, error)
	// LedgerRecordByKey reads the one record of this key that is not forfeited; ErrNotFound.
	LedgerRecordByKey(ctx context.Context, key string) (Record, error)
	// LedgerRecords lists records in a state, by ID.
	LedgerRecords(ctx context.Context, state State) ([]Record, error)
	// LedgerTotal sums the Cost of all records of a grant, forfeited ones included, planned ones not.
	LedgerTotal(ctx context.Context, grant string) (Amount, error)
	// LedgerPutRecord stores a new record; ErrDuplicate when the ID exists or another record that is not forfeited has its Key.
	LedgerPutRecord(ctx context.Context, r Record) error
	// LedgerMove changes a record's state by compare-and-swap and lets f (may be nil) change it; ErrNotFound, ErrState when the
	// record is not in state from. What f does to ID, Grant, Researcher, Key, State, List and Cost is ignored.
	LedgerMove(ctx context.Context, id string, from, to State, f func(*Record)) error
}
