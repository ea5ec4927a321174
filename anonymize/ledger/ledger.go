package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"carrel/anonymize/dp"
)

// Config is the policy data of the ledger.
type Config struct {
	MaxFaults int              // F: that many uniform failures freeze a grant; at least 1
	Now       func() time.Time // required
}

// Ledger is the rules; the state is in the store. It is safe for concurrent use.
type Ledger struct{ c Config }

// New makes a Ledger.
func New(c Config) (*Ledger, error) {
	if c.MaxFaults < 1 || c.Now == nil {
		return nil, fmt.Errorf("%w: configuration", ErrInvalid)
	}
	return &Ledger{c: c}, nil
}

// Open stores a new account of kind universe or researcher. Nothing may be spent, frozen or refilled yet; a researcher's universe
// must exist and have the same accounting and δ. ErrInvalid, ErrNotFound, ErrDuplicate.
func (l *Ledger) Open(ctx context.Context, tx Tx, a Account) error {
	if err := fresh(a); err != nil {
		return err
	}
	switch a.Kind {
	case KindUniverse:
		if a.Parent != "" {
			return fmt.Errorf("%w: a universe has no parent", ErrInvalid)
		}
	case KindResearcher:
		if _, err := parent(ctx, tx, a); err != nil {
			return err
		}
	default:
		return fmt.Errorf("%w: kind of account", ErrInvalid)
	}
	return tx.LedgerPutAccount(ctx, a)
}

// OpenGrant stores a new grant account and debits its universe by the grant's whole limit. ErrExhausted and ErrFrozen are then the
// universe's; this is an act of the authority, not of a researcher at run time.
func (l *Ledger) OpenGrant(ctx context.Context, tx Tx, a Account) error {
	if err := fresh(a); err != nil {
		return err
	}
	if a.Kind != KindGrant {
		return fmt.Errorf("%w: kind of account", ErrInvalid)
	}
	u, err := parent(ctx, tx, a)
	if err != nil {
		return err
	}
	if err := tx.LedgerDebit(ctx, u.ID, a.Limit); err != nil {
		return fmt.Errorf("ledger: budget root: %w", err)
	}
	if err := tx.LedgerPutAccount(ctx, a); err != nil {
		return errors.Join(err, tx.LedgerCredit(ctx, u.ID, a.Limit))
	}
	return nil
}

// fresh refuses an account that was not made for opening.
func fresh(a Account) error {
	switch {
	case a.ID == "" || len(a.ID) > 256:
		return fmt.Errorf("%w: account id", ErrInvalid)
	case dp.Budget(a.Accounting, 1, a.RootDelta) == Amount{}:
		return fmt.Errorf("%w: accounting or delta", ErrInvalid)
	case a.Limit.Units <= 0 || a.Limit.Delta < 0:
		return fmt.Errorf("%w: limit", ErrInvalid)
	case a.Spent != Amount{} || a.Refilled != Amount{} || a.Frozen || a.Closed || a.Faults != 0:
		return fmt.Errorf("%w: a new account has no history", ErrInvalid)
	case a.Synthetic && a.Kind != KindUniverse:
		return fmt.Errorf("%w: only a universe is synthetic", ErrInvalid)
	}
	return nil
}

func parent(ctx context.Context, tx Tx, a Account) (Account, error) {
	u, err := tx.LedgerAccount(ctx, a.Parent)
	if err != nil {
		return Account{}, err
	}
	if u.Kind != KindUniverse || u.Accounting != a.Accounting || u.RootDelta != a.RootDelta {
		return Account{}, fmt.Errorf("%w: not of this universe", ErrInvalid)
	}
	return u, nil
}

// CloseGrant ends a grant and returns what it did not spend to its universe; it says how much. ErrClosed when it was closed before.
// Reservations that are under way stay charged and may finish.
func (l *Ledger) CloseGrant(ctx context.Context, tx Tx, id string) (Amount, error) {
	var unspent Amount
	var universe string
	err := tx.LedgerAlterAccount(ctx, id, func(a *Account) error {
		switch {
		case a.Kind != KindGrant:
			return fmt.Errorf("%w: kind of account", ErrInvalid)
		case a.Closed:
			return ErrClosed
		}
		var err error
		if unspent, err = a.Limit.Sub(a.Spent); err != nil {
			return fmt.Errorf("%w: %w", ErrMismatch, err)
		}
		a.Closed, a.Limit, universe = true, a.Spent, a.Parent
		return nil
	})
	if err != nil {
		return Amount{}, err
	}
	if err := tx.LedgerCredit(ctx, universe, unspent); err != nil {
		return Amount{}, fmt.Errorf("ledger: budget root: %w", err)
	}
	return unspent, nil
}

// Refill raises the limit of a synthetic universe: its persons are invented, so nobody's promise changes. ErrNotAllowed for others.
func (l *Ledger) Refill(ctx context.Context, tx Tx, universe string, by Amount) error {
	if by.Units < 0 || by.Delta < 0 || by == (Amount{}) {
		return fmt.Errorf("%w: refill", ErrInvalid)
	}
	return tx.LedgerAlterAccount(ctx, universe, func(a *Account) error {
		if a.Kind != KindUniverse || !a.Synthetic {
			return ErrNotAllowed
		}
		limit, err := a.Limit.Add(by)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		refilled, err := a.Refilled.Add(by)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		a.Limit, a.Refilled = limit, refilled
		return nil
	})
}

// Freeze sets or lifts the freeze of an account. Lifting it is a person's decision and starts the count of faults again.
func (l *Ledger) Freeze(ctx context.Context, tx Tx, id string, frozen bool) error {
	return tx.LedgerAlterAccount(ctx, id, func(a *Account) error {
		a.Frozen = frozen
		if !frozen {
			a.Faults = 0
		}
		return nil
	})
}

// FreezeAll freezes every universe and every grant that has not ended (a restored backup may have forgotten charges); it returns how many
// accounts.
func (l *Ledger) FreezeAll(ctx context.Context, tx Tx) (int, error) {
	universes, err := tx.LedgerAccounts(ctx, "")
	if err != nil {
		return 0, err
	}
	n := 0
	for _, u := range universes {
		all, err := tx.LedgerAccounts(ctx, u.ID)
		if err != nil {
			return 0, err
		}
		for _, a := range append(all, u) {
			if a.Kind == KindResearcher || a.Closed {
				continue
			}
			if err := l.Freeze(ctx, tx, a.ID, true); err != nil {
				return 0, err
			}
			n++
		}
	}
	return n, nil
}

// Check recomputes the books of a universe: its Spent is the sum of its grants' limits (an ended grant's limit is what it spent), each
// grant's Spent is the sum of its records, and all researchers together spent what all grants did. ErrMismatch names the account.
func (l *Ledger) Check(ctx context.Context, tx Tx, universe string) error {
	u, err := tx.LedgerAccount(ctx, universe)
	if err != nil {
		return err
	}
	accounts, err := tx.LedgerAccounts(ctx, universe)
	if err != nil {
		return err
	}
	var limits, grants, researchers Amount
	for _, a := range accounts {
		if !a.Spent.Fits(a.Limit) {
			return fmt.Errorf("%w: %s is overspent", ErrMismatch, a.ID)
		}
		if a.Kind == KindResearcher {
			if researchers, err = researchers.Add(a.Spent); err != nil {
				return fmt.Errorf("%w: %s: %w", ErrMismatch, a.ID, err)
			}
			continue
		}
		if err := l.checkGrant(ctx, tx, a); err != nil {
			return err
		}
		if limits, err = limits.Add(a.Limit); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrMismatch, a.ID, err)
		}
		if grants, err = grants.Add(a.Spent); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrMismatch, a.ID, err)
		}
	}
	switch {
	case u.Kind != KindUniverse || !u.Spent.Fits(u.Limit):
		return fmt.Errorf("%w: %s is overspent", ErrMismatch, u.ID)
	case u.Spent != limits:
		return fmt.Errorf("%w: %s is not the sum of its grants", ErrMismatch, u.ID)
	case grants != researchers:
		return fmt.Errorf("%w: grants and researchers of %s differ", ErrMismatch, u.ID)
	}
	return nil
}

func (l *Ledger) checkGrant(ctx context.Context, tx Tx, a Account) error {
	total, err := tx.LedgerTotal(ctx, a.ID)
	if err != nil {
		return err
	}
	if a.Kind != KindGrant || a.Spent != total || (a.Closed && a.Limit != a.Spent) {
		return fmt.Errorf("%w: %s is not the sum of its records", ErrMismatch, a.ID)
	}
	return nil
}
