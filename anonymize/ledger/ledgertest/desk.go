package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"carrel/anonymize/dp"
	"carrel/anonymize/ledger"
	"carrel/broker/audit"
)

// Names of the accounts of a Desk.
const (
	Universe   = "universe/u"
	Researcher = "researcher/r@u"
	Grant      = "grant/g"
)

// Desk is a store with a ledger and one universe, researcher and grant, for tests.
type Desk struct {
	Store
	Ledger *ledger.Ledger
	List   []dp.Mechanism
	Cost   ledger.Amount // of List
}

// NewDesk opens the accounts: the grant's limit pays List exactly affordable times, the researcher's and the universe's ten times that.
func NewDesk(t testing.TB, s Store, affordable int64) *Desk {
	t.Helper()
	ctx := context.Background()
	l, err := ledger.New(ledger.Config{MaxFaults: 3, Now: func() time.Time { return time.Unix(1_800_000_000, 0) }})
	must(t, err)
	list, err := dp.Design(dp.ZCDP, 0.1, 1e-6, 1e-9, []dp.Want{
		{Measure: "count(*)", Sensitivity: 2, Rows: 2, Cells: 3},
		{Measure: "sum(x)", Sensitivity: 20, Rows: 2, Cells: 3},
	})
	must(t, err)
	cost, err := dp.Price(dp.ZCDP, 1e-6, list)
	must(t, err)
	d := &Desk{Store: s, Ledger: l, List: list, Cost: cost}
	a := ledger.Account{ID: Universe, Kind: ledger.KindUniverse, Accounting: dp.ZCDP, RootDelta: 1e-6, Limit: times(cost, 10*affordable)}
	must(t, s.Update(ctx, func(tx Tx) error {
		if err := l.Open(ctx, tx, a); err != nil {
			return err
		}
		a.Parent, a.ID, a.Kind = Universe, Researcher, ledger.KindResearcher
		if err := l.Open(ctx, tx, a); err != nil {
			return err
		}
		a.ID, a.Kind, a.Limit = Grant, ledger.KindGrant, times(cost, affordable)
		return l.OpenGrant(ctx, tx, a)
	}))
	return d
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func times(c ledger.Amount, n int64) ledger.Amount {
	return ledger.Amount{Units: c.Units * n, Delta: c.Delta * n}
}

// Do runs fn in a transaction with an audit entry of its own.
func (d *Desk) Do(fn func(ctx context.Context, tx Tx, p *audit.Pending) error) error {
	ctx := context.Background()
	return d.Update(ctx, func(tx Tx) error {
		p, err := d.Log.Append(ctx, tx, audit.Entry{Kind: "query.step", Actor: "system", Unit: "broker", Object: "query/q", At: time.Unix(1_800_000_000, 0)})
		if err != nil {
			return err
		}
		return fn(ctx, tx, p)
	})
}

// Intent is an intent of the desk's accounts and list.
func (d *Desk) Intent(id, key string) ledger.Intent {
	return ledger.Intent{ID: id, Grant: Grant, Researcher: Researcher, Key: key, PlanHash: "p", List: d.List}
}

// Start runs T1 and T2 in one transaction.
func (d *Desk) Start(id, key string) (st *ledger.Started, err error) {
	err = d.Do(func(ctx context.Context, tx Tx, p *audit.Pending) error {
		r, err := d.Ledger.Charge(ctx, tx, p, d.Intent(id, key))
		if err != nil {
			return err
		}
		st, err = d.Ledger.Start(ctx, tx, p, r)
		return err
	})
	return st, err
}

// Record runs T3 on canonical bytes made up for a list.
func (d *Desk) Record(st *ledger.Started) (r *ledger.Recorded, err error) {
	list, err := st.Consume()
	if err != nil {
		return nil, err
	}
	n, err := Answer(st.ID(), list)
	if err != nil {
		return nil, err
	}
	err = d.Do(func(ctx context.Context, tx Tx, p *audit.Pending) error {
		r, err = d.Ledger.Record(ctx, tx, p, st, n)
		return err
	})
	return r, err
}

// Made is a made-up noised answer.
type Made struct {
	ID  string
	Raw []byte
}

// Bytes implements ledger.Noised.
func (m Made) Bytes() []byte { return m.Raw }

// Reservation implements ledger.Noised.
func (m Made) Reservation() string { return m.ID }

// Answer makes up canonical bytes for a list.
func Answer(id string, list []dp.Mechanism) (Made, error) {
	t := dp.Table{Version: dp.TableVersion, Rows: 1, Keys: [][]int64{}, Mechanisms: list}
	for i := range list {
		t.Values = append(t.Values, []int64{int64(i)})
	}
	b, err := t.Encode()
	return Made{ID: id, Raw: b}, err
}

// Account reads an account.
func (d *Desk) Account(t testing.TB, id string) (a ledger.Account) {
	t.Helper()
	ctx := context.Background()
	must(t, d.Update(ctx, func(tx Tx) (err error) {
		a, err = tx.LedgerAccount(ctx, id)
		return err
	}))
	return a
}

// State reads a record's state; "" when there is none.
func (d *Desk) State(t testing.TB, id string) (s ledger.State) {
	t.Helper()
	ctx := context.Background()
	must(t, d.Update(ctx, func(tx Tx) error {
		r, err := tx.LedgerRecord(ctx, id)
		if errors.Is(err, ledger.ErrNotFound) {
			return nil
		}
		s = r.State
		return err
	}))
	return s
}

// Check checks the books.
func (d *Desk) Check(t testing.TB) {
	t.Helper()
	ctx := context.Background()
	must(t, d.Update(ctx, func(tx Tx) error { return d.Ledger.Check(ctx, tx, Universe) }))
}

func name(i int) string { return fmt.Sprintf("q-%04d", i) }
