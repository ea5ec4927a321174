package ledgertest

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"time"

	"carrel/anonymize/dp"
	"carrel/anonymize/ledger"
	"carrel/broker/audit"
)

// Run runs the suite; open makes an empty store for each test.
func Run(t *testing.T, open func(t *testing.T) Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Store){
		"accounts":            accounts,
		"debits":              debits,
		"records":             records,
		"all pairs of states": pairs,
		"rollback":            rollback,
		"1000 submissions":    parallelCharges,
		"one question":        parallelQuestion,
		"one reservation":     parallelStarts,
		"grants":              grants,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func is(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func account(id string) ledger.Account {
	return ledger.Account{
		ID: id, Kind: ledger.KindGrant, Parent: "universe/x", Accounting: dp.ZCDP, RootDelta: 1e-6,
		Limit: ledger.Amount{Units: 100, Delta: 50}, Opened: time.Unix(1_800_000_000, 0).UTC(),
	}
}

func accounts(t *testing.T, s Store) {
	ctx := context.Background()
	boom := errors.New("boom")
	must(t, s.Update(ctx, func(tx Tx) error {
		_, err := tx.LedgerAccount(ctx, "grant/a")
		is(t, "unknown", err, ledger.ErrNotFound)
		is(t, "alter unknown", tx.LedgerAlterAccount(ctx, "grant/a", func(*ledger.Account) error { return nil }), ledger.ErrNotFound)
		must(t, tx.LedgerPutAccount(ctx, account("grant/b")))
		must(t, tx.LedgerPutAccount(ctx, account("grant/a")))
		is(t, "again", tx.LedgerPutAccount(ctx, account("grant/a")), ledger.ErrDuplicate)
		is(t, "failing", tx.LedgerAlterAccount(ctx, "grant/a", func(a *ledger.Account) error { a.Faults = 9; return boom }), boom)
		must(t, tx.LedgerAlterAccount(ctx, "grant/a", func(a *ledger.Account) error {
			a.ID, a.Kind, a.Parent, a.Accounting = "other", ledger.KindUniverse, "other", dp.Basic // ignored
			a.Faults, a.Limit.Delta, a.Refilled.Units = a.Faults+2, 60, 7
			return nil
		}))
		return nil
	}))
	must(t, s.Update(ctx, func(tx Tx) error {
		want := account("grant/a")
		want.Faults, want.Limit.Delta, want.Refilled.Units = 2, 60, 7
		got, err := tx.LedgerAccount(ctx, "grant/a")
		if !got.Opened.Equal(want.Opened) {
			t.Errorf("opened %v, want %v", got.Opened, want.Opened)
		}
		got.Opened = want.Opened
		if err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
		all, err := tx.LedgerAccounts(ctx, "universe/x")
		if err != nil || len(all) != 2 || all[0].ID != "grant/a" || all[1].ID != "grant/b" {
			t.Errorf("list: %v %v", all, err)
		}
		if none, err := tx.LedgerAccounts(ctx, ""); err != nil || len(none) != 0 {
			t.Errorf("universes: %v %v", none, err)
		}
		return nil
	}))
}

func debits(t *testing.T, s Store) {
	ctx := context.Background()
	must(t, s.Update(ctx, func(tx Tx) error { return tx.LedgerPutAccount(ctx, account("grant/a")) }))
	steps := []struct {
		name string
		by   ledger.Amount
		cred bool
		want error
		left ledger.Amount // Spent afterwards
	}{
		{"part", ledger.Amount{Units: 60, Delta: 20}, false, nil, ledger.Amount{Units: 60, Delta: 20}},
		{"units over", ledger.Amount{Units: 41}, false, ledger.ErrExhausted, ledger.Amount{Units: 60, Delta: 20}},
		{"delta over", ledger.Amount{Units: 1, Delta: 31}, false, ledger.ErrExhausted, ledger.Amount{Units: 60, Delta: 20}},
		{"overflow", ledger.Amount{Units: math.MaxInt64}, false, ledger.ErrExhausted, ledger.Amount{Units: 60, Delta: 20}},
		{"delta overflow", ledger.Amount{Delta: math.MaxInt64}, false, ledger.ErrExhausted, ledger.Amount{Units: 60, Delta: 20}},
		{"negative", ledger.Amount{Units: -1}, false, ledger.ErrInvalid, ledger.Amount{Units: 60, Delta: 20}},
		{"negative delta", ledger.Amount{Delta: -1}, false, ledger.ErrInvalid, ledger.Amount{Units: 60, Delta: 20}},
		{"to the limit", ledger.Amount{Units: 40, Delta: 30}, false, nil, ledger.Amount{Units: 100, Delta: 50}},
		{"one more", ledger.Amount{Units: 1}, false, ledger.ErrExhausted, ledger.Amount{Units: 100, Delta: 50}},
		{"credit below zero", ledger.Amount{Units: 101}, true, ledger.ErrInvalid, ledger.Amount{Units: 100, Delta: 50}},
		{"credit delta below zero", ledger.Amount{Delta: 51}, true, ledger.ErrInvalid, ledger.Amount{Units: 100, Delta: 50}},
		{"negative credit", ledger.Amount{Units: -1}, true, ledger.ErrInvalid, ledger.Amount{Units: 100, Delta: 50}},
		{"credit", ledger.Amount{Units: 10, Delta: 50}, true, nil, ledger.Amount{Units: 90}},
	}
	for _, step := range steps {
		must(t, s.Update(ctx, func(tx Tx) error {
			f := tx.LedgerDebit
			if step.cred {
				f = tx.LedgerCredit
			}
			is(t, step.name, f(ctx, "grant/a", step.by), step.want)
			if a, err := tx.LedgerAccount(ctx, "grant/a"); err != nil || a.Spent != step.left {
				t.Errorf("%s: spent %+v, %v", step.name, a.Spent, err)
			}
			return nil
		}))
	}
	refusals := func(want error, alter func(*ledger.Account)) {
		must(t, s.Update(ctx, func(tx Tx) error {
			must(t, tx.LedgerAlterAccount(ctx, "grant/a", func(a *ledger.Account) error { alter(a); return nil }))
			is(t, "debit", tx.LedgerDebit(ctx, "grant/a", ledger.Amount{Units: 1000}), want)
			is(t, "debit of an unknown account", tx.LedgerDebit(ctx, "grant/z", ledger.Amount{Units: 1}), ledger.ErrNotFound)
			return nil
		}))
	}
	refusals(ledger.ErrExhausted, func(*ledger.Account) {})
	refusals(ledger.ErrFrozen, func(a *ledger.Account) { a.Frozen = true })
	refusals(ledger.ErrClosed, func(a *ledger.Account) { a.Closed = true })
}

func record(id, key string, state ledger.State) ledger.Record {
	at := time.Unix(1_800_000_000, 0).UTC()
	return ledger.Record{
		ID: id, Grant: "grant/a", Researcher: "researcher/b", Key: key, PlanHash: "p", State: state, Cost: ledger.Amount{Units: 3, Delta: 1}, At: at, Changed: at,
		List: []dp.Mechanism{{Measure: "count(*)", Kind: dp.Laplace, Sensitivity: 1, Rows: 1, Cells: 1, Epsilon: 0.1}},
	}
}

func records(t *testing.T, s Store) {
	ctx := context.Background()
	must(t, s.Update(ctx, func(tx Tx) error {
		_, err := tx.LedgerRecord(ctx, "q1")
		is(t, "unknown", err, ledger.ErrNotFound)
		_, err = tx.LedgerRecordByKey(ctx, "k1")
		is(t, "unknown key", err, ledger.ErrNotFound)
		is(t, "move unknown", tx.LedgerMove(ctx, "q1", ledger.StateCharged, ledger.StateStarted, nil), ledger.ErrNotFound)
		must(t, tx.LedgerPutRecord(ctx, record("q1", "k1", ledger.StateCharged)))
		is(t, "same id", tx.LedgerPutRecord(ctx, record("q1", "k2", ledger.StateCharged)), ledger.ErrDuplicate)
		is(t, "same key", tx.LedgerPutRecord(ctx, record("q2", "k1", ledger.StateCharged)), ledger.ErrDuplicate)
		must(t, tx.LedgerPutRecord(ctx, record("q0", "k0", ledger.StatePlanned)))
		must(t, tx.LedgerMove(ctx, "q1", ledger.StateCharged, ledger.StateStarted, func(r *ledger.Record) {
			r.ID, r.Grant, r.Researcher, r.Key, r.State, r.List, r.Cost = "x", "x", "x", "x", ledger.StateDelivered, nil, ledger.Amount{} // ignored
			r.Attempts = 1
		}))
		return nil
	}))
	must(t, s.Update(ctx, func(tx Tx) error {
		r, err := tx.LedgerRecordByKey(ctx, "k1")
		if err != nil || r.ID != "q1" || r.State != ledger.StateStarted || r.Attempts != 1 || len(r.List) != 1 || r.List[0] != record("", "", "").List[0] {
			t.Errorf("got %+v, %v", r, err)
		}
		must(t, tx.LedgerMove(ctx, "q1", ledger.StateStarted, ledger.StateForfeited, func(r *ledger.Record) { r.Why = "failure" }))
		_, err = tx.LedgerRecordByKey(ctx, "k1")
		is(t, "a forfeited record gives its key back", err, ledger.ErrNotFound)
		must(t, tx.LedgerPutRecord(ctx, record("q3", "k1", ledger.StateRecorded)))
		must(t, tx.LedgerMove(ctx, "q3", ledger.StateRecorded, ledger.StateDelivered, func(r *ledger.Record) {
			r.Result, r.ResultHash, r.Answered = []byte(`{"a":1}`), "h", 12
		}))
		r, err = tx.LedgerRecord(ctx, "q3")
		if err != nil || string(r.Result) != `{"a":1}` || r.ResultHash != "h" || r.Answered != 12 || !r.At.Equal(time.Unix(1_800_000_000, 0)) {
			t.Errorf("got %+v, %v", r, err)
		}
		if sum, err := tx.LedgerTotal(ctx, "grant/a"); err != nil || sum != (ledger.Amount{Units: 6, Delta: 2}) {
			t.Errorf("total %+v, %v: forfeited ones count, planned ones do not", sum, err)
		}
		if sum, err := tx.LedgerTotal(ctx, "grant/z"); err != nil || sum != (ledger.Amount{}) {
			t.Errorf("total of nothing %+v, %v", sum, err)
		}
		all, err := tx.LedgerRecords(ctx, ledger.StateForfeited)
		if err != nil || len(all) != 1 || all[0].ID != "q1" || all[0].Why != "failure" {
			t.Errorf("list %v, %v", all, err)
		}
		return nil
	}))
}

// pairs walks every (stored, from, to): the move happens exactly when stored is from.
func pairs(t *testing.T, s Store) {
	ctx := context.Background()
	n := 0
	for _, stored := range ledger.States() {
		for _, from := range ledger.States() {
			for _, to := range ledger.States() {
				n++
				id := name(n)
				must(t, s.Update(ctx, func(tx Tx) error {
					must(t, tx.LedgerPutRecord(ctx, record(id, "k"+id, stored)))
					err := tx.LedgerMove(ctx, id, from, to, nil)
					want := stored
					if stored == from {
						must(t, err)
						want = to
					} else {
						is(t, string(stored+" moved from "+from), err, ledger.ErrState)
					}
					if r, err := tx.LedgerRecord(ctx, id); err != nil || r.State != want {
						t.Errorf("%s, move %s to %s: %s, %v", stored, from, to, r.State, err)
					}
					return nil
				}))
			}
		}
	}
}

func rollback(t *testing.T, s Store) {
	d := NewDesk(t, s, 10)
	boom := errors.New("boom")
	var st *ledger.Started
	err := d.Do(func(ctx context.Context, tx Tx, p *audit.Pending) error {
		r, err := d.Ledger.Charge(ctx, tx, p, d.Intent("q1", "k1"))
		must(t, err)
		st, err = d.Ledger.Start(ctx, tx, p, r)
		must(t, err)
		return boom
	})
	is(t, "update", err, boom)
	is(t, "what was rolled back", st.Usable(), ledger.ErrNoReceipt)
	if a := d.Account(t, Grant); a.Spent != (ledger.Amount{}) {
		t.Errorf("charged %+v", a.Spent)
	}
	if s := d.State(t, "q1"); s != "" {
		t.Errorf("record is %s", s)
	}
	if _, err := d.Start("q1", "k1"); err != nil {
		t.Errorf("id and key are not free: %v", err)
	}
	is(t, "its number went to another entry", st.Usable(), ledger.ErrNoReceipt)
	d.Check(t)
}

// parallelCharges: 1,000 submissions race for a budget of 300. Exactly 300 get it and the account stands at its limit.
func parallelCharges(t *testing.T, s Store) {
	const submissions, affordable = 1000, 300
	d := NewDesk(t, s, affordable)
	var mu sync.Mutex
	paid, refused := 0, 0
	var wg sync.WaitGroup
	for i := range submissions {
		wg.Add(1)
		go func() {
			defer wg.Done()
			st, err := d.Start(name(i), name(i))
			if err == nil {
				err = st.Usable()
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				paid++
			case errors.Is(err, ledger.ErrExhausted):
				refused++
			default:
				t.Errorf("submission %d: %v", i, err)
			}
		}()
	}
	wg.Wait()
	if paid != affordable || refused != submissions-affordable {
		t.Errorf("%d paid, %d refused", paid, refused)
	}
	for _, id := range []string{Grant, Researcher} {
		if a := d.Account(t, id); a.Spent != times(d.Cost, affordable) {
			t.Errorf("%s spent %+v of %+v", id, a.Spent, a.Limit)
		}
	}
	d.Check(t)
}

// parallelQuestion: the same question from 50 sides is charged once.
func parallelQuestion(t *testing.T, s Store) {
	d := NewDesk(t, s, 100)
	errs := make(chan error, 50)
	for i := range cap(errs) {
		go func() {
			_, err := d.Start(name(i), "same")
			errs <- err
		}()
	}
	paid := 0
	for range cap(errs) {
		if err := <-errs; err == nil {
			paid++
		} else {
			is(t, "second", err, ledger.ErrDuplicate)
		}
	}
	if a := d.Account(t, Grant); paid != 1 || a.Spent != d.Cost {
		t.Errorf("%d paid, spent %+v", paid, a.Spent)
	}
	d.Check(t)
}

// parallelStarts: one reservation, started from 50 sides, starts once.
func parallelStarts(t *testing.T, s Store) {
	d := NewDesk(t, s, 100)
	var r *ledger.Reservation
	must(t, d.Do(func(ctx context.Context, tx Tx, p *audit.Pending) (err error) {
		r, err = d.Ledger.Charge(ctx, tx, p, d.Intent("q1", "k1"))
		return err
	}))
	errs := make(chan error, 50)
	for range cap(errs) {
		go func() {
			errs <- d.Do(func(ctx context.Context, tx Tx, p *audit.Pending) error {
				_, err := d.Ledger.Start(ctx, tx, p, r)
				return err
			})
		}()
	}
	started := 0
	for range cap(errs) {
		if err := <-errs; err == nil {
			started++
		} else {
			is(t, "second", err, ledger.ErrState)
		}
	}
	if started != 1 {
		t.Errorf("started %d times", started)
	}
}

func grants(t *testing.T, s Store) {
	ctx := context.Background()
	d := NewDesk(t, s, 10) // universe: 100 costs, of which 10 are set aside
	g := d.Account(t, Grant)
	other := ledger.Account{ID: "grant/h", Kind: ledger.KindGrant, Parent: Universe, Accounting: dp.ZCDP, RootDelta: 1e-6, Limit: times(d.Cost, 91)}
	is(t, "more than the root has", s.Update(ctx, func(tx Tx) error { return d.Ledger.OpenGrant(ctx, tx, other) }), ledger.ErrExhausted)
	must(t, s.Update(ctx, func(tx Tx) error { // a refusal whose transaction commits all the same changes nothing
		is(t, "again", d.Ledger.OpenGrant(ctx, tx, g), ledger.ErrDuplicate)
		return nil
	}))
	other.Limit = times(d.Cost, 90)
	must(t, s.Update(ctx, func(tx Tx) error { return d.Ledger.OpenGrant(ctx, tx, other) }))
	must(t, s.Update(ctx, func(tx Tx) error {
		twin := other
		twin.Limit = d.Cost
		is(t, "root is spent", d.Ledger.OpenGrant(ctx, tx, twin), ledger.ErrExhausted)
		return nil
	}))
	if u := d.Account(t, Universe); u.Spent != u.Limit {
		t.Errorf("root %+v of %+v", u.Spent, u.Limit)
	}
	if _, err := d.Start("q1", "k1"); err != nil {
		t.Errorf("a charge touches the root: %v", err)
	}
	d.Check(t)
	var back ledger.Amount
	must(t, s.Update(ctx, func(tx Tx) (err error) {
		back, err = d.Ledger.CloseGrant(ctx, tx, Grant)
		return err
	}))
	if back != times(d.Cost, 9) {
		t.Errorf("returned %+v", back)
	}
	if u := d.Account(t, Universe); u.Spent != times(d.Cost, 91) {
		t.Errorf("root stands at %+v", u.Spent)
	}
	d.Check(t)
	_, err := d.Start("q2", "k2")
	is(t, "a question under an ended grant", err, ledger.ErrClosed)
	is(t, "second end", s.Update(ctx, func(tx Tx) error { _, err := d.Ledger.CloseGrant(ctx, tx, Grant); return err }), ledger.ErrClosed)
	is(t, "refill", s.Update(ctx, func(tx Tx) error { return d.Ledger.Refill(ctx, tx, Universe, d.Cost) }), ledger.ErrNotAllowed)
	must(t, s.Update(ctx, func(tx Tx) error {
		return tx.LedgerAlterAccount(ctx, Universe, func(a *ledger.Account) error { a.Synthetic = true; return nil })
	}))
	must(t, s.Update(ctx, func(tx Tx) error { return d.Ledger.Refill(ctx, tx, Universe, d.Cost) }))
	if u := d.Account(t, Universe); u.Limit != times(d.Cost, 101) || u.Refilled != d.Cost {
		t.Errorf("refilled to %+v", u)
	}
	d.Check(t)
}
