package ledger_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"carrel/anonymize/dp"
	"carrel/anonymize/ledger"
	"carrel/anonymize/ledger/ledgertest"
	"carrel/broker/audit"
)

func TestMemoryConforms(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, func(t *testing.T) ledgertest.Store { return ledgertest.Memory(t) })
}

func desk(t *testing.T) *ledgertest.Desk {
	t.Helper()
	return ledgertest.NewDesk(t, ledgertest.Memory(t), 100)
}

func is(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestLife walks the whole order and, at each step, what must not be possible yet.
func TestLife(t *testing.T) {
	t.Parallel()
	d := desk(t)
	var r *ledger.Reservation
	var st *ledger.Started
	must(t, d.Do(func(ctx context.Context, tx ledgertest.Tx, p *audit.Pending) error {
		var err error
		r, err = d.Ledger.Charge(ctx, tx, p, d.Intent("q1", "k1"))
		must(t, err)
		st, err = d.Ledger.Start(ctx, tx, p, r)
		must(t, err)
		is(t, "child before the commit", st.Usable(), ledger.ErrNoReceipt)
		_, err = st.Consume()
		is(t, "list before the commit", err, ledger.ErrNoReceipt)
		return nil
	}))
	must(t, st.Usable())
	if r.Cost() != d.Cost || d.Account(t, ledgertest.Grant).Spent != d.Cost || d.Account(t, ledgertest.Researcher).Spent != d.Cost {
		t.Error("not charged as priced")
	}
	ctx := context.Background()
	look := func() (rec ledger.Record, err error) {
		must(t, d.Update(ctx, func(tx ledgertest.Tx) error {
			rec, err = d.Ledger.Answer(ctx, tx, ledgertest.Grant, "k1")
			return nil
		}))
		return rec, err
	}
	_, err := look()
	is(t, "answer under way", err, ledger.ErrState)
	made, err := ledgertest.Answer("q1", d.List)
	must(t, err)
	record := func(n ledger.Noised) (rec *ledger.Recorded, err error) {
		err = d.Do(func(ctx context.Context, tx ledgertest.Tx, p *audit.Pending) error {
			rec, err = d.Ledger.Record(ctx, tx, p, st, n)
			if err == nil {
				_, early := rec.Bytes()
				is(t, "bytes before the commit", early, ledger.ErrNoReceipt)
			}
			return err
		})
		return rec, err
	}
	_, err = record(made)
	is(t, "bytes of a list that was not given out", err, ledger.ErrInvalid)
	list, err := st.Consume()
	if err != nil || !slices.Equal(list, d.List) {
		t.Fatalf("list %v, %v", list, err)
	}
	_, err = st.Consume()
	is(t, "list again", err, ledger.ErrConsumed)
	is(t, "child again", st.Usable(), ledger.ErrConsumed)
	for what, n := range map[string]ledger.Noised{
		"another's bytes": ledgertest.Made{ID: "q2", Raw: made.Raw}, "no table": ledgertest.Made{ID: "q1", Raw: []byte("{}")},
		"another list": func() ledger.Noised { m, err := ledgertest.Answer("q1", d.List[:1]); must(t, err); return m }(), "nothing": nil,
	} {
		_, err = record(n)
		is(t, what, err, ledger.ErrInvalid)
	}
	rec, err := record(made)
	must(t, err)
	if b, err := rec.Bytes(); err != nil || string(b) != string(made.Raw) {
		t.Errorf("bytes %q, %v", b, err)
	}
	_, err = record(made)
	is(t, "second record", err, ledger.ErrState)
	for range 2 {
		must(t, d.Update(ctx, func(tx ledgertest.Tx) error { return d.Ledger.Deliver(ctx, tx, "q1") }))
	}
	got, err := look()
	if err != nil || string(got.Result) != string(made.Raw) || got.State != ledger.StateDelivered || got.ResultHash == "" || got.Answered == got.Receipt {
		t.Errorf("answer %+v, %v", got, err)
	}
	must(t, d.Update(ctx, func(tx ledgertest.Tx) error {
		_, err := d.Ledger.Answer(ctx, tx, "grant/other", "k1")
		is(t, "another grant", err, ledger.ErrNotFound)
		return nil
	}))
	d.Check(t)
}

// TestOneEntryEach: a charge, a start or a record under the audit entry of an earlier transaction, or none, is refused.
func TestOneEntryEach(t *testing.T) {
	t.Parallel()
	d := desk(t)
	var old *audit.Pending
	var r *ledger.Reservation
	must(t, d.Do(func(ctx context.Context, tx ledgertest.Tx, p *audit.Pending) (err error) {
		old = p
		r, err = d.Ledger.Charge(ctx, tx, p, d.Intent("q1", "k1"))
		return err
	}))
	ctx := context.Background()
	for what, p := range map[string]*audit.Pending{"old": old, "none": nil} {
		must(t, d.Update(ctx, func(tx ledgertest.Tx) error {
			_, err := d.Ledger.Charge(ctx, tx, p, d.Intent("q2", "k2"))
			is(t, what+" charge", err, ledger.ErrNoReceipt)
			_, err = d.Ledger.Start(ctx, tx, p, r)
			is(t, what+" start", err, ledger.ErrNoReceipt)
			_, err = d.Ledger.Resume(ctx, tx, p, "q1")
			is(t, what+" resume", err, ledger.ErrNoReceipt)
			_, err = d.Ledger.Recover(ctx, tx, p)
			is(t, what+" recover", err, ledger.ErrNoReceipt)
			return nil
		}))
	}
	if a := d.Account(t, ledgertest.Grant); a.Spent != d.Cost {
		t.Errorf("spent %+v", a.Spent)
	}
}

// TestStartWaitsForTheCharge: T2 in a transaction of its own needs T1 committed; a rolled back T1 never starts.
func TestStartWaitsForTheCharge(t *testing.T) {
	t.Parallel()
	d := desk(t)
	var lost *ledger.Reservation
	boom := errors.New("boom")
	is(t, "T1", d.Do(func(ctx context.Context, tx ledgertest.Tx, p *audit.Pending) (err error) {
		lost, err = d.Ledger.Charge(ctx, tx, p, d.Intent("q1", "k1"))
		must(t, err)
		return boom
	}), boom)
	is(t, "T2 after a rolled back T1", d.Do(func(ctx context.Context, tx ledgertest.Tx, p *audit.Pending) error {
		_, err := d.Ledger.Start(ctx, tx, p, lost)
		return err
	}), ledger.ErrNoReceipt)
}

// TestZeroValues: nothing made by hand is usable.
func TestZeroValues(t *testing.T) {
	t.Parallel()
	d := desk(t)
	for what, st := range map[string]*ledger.Started{"nil": nil, "zero": {}} {
		if st.Usable() == nil {
			t.Errorf("%s Started is usable", what)
		}
		if _, err := st.Consume(); err == nil {
			t.Errorf("%s Started gives a list", what)
		}
		must(t, d.Do(func(ctx context.Context, tx ledgertest.Tx, p *audit.Pending) error {
			_, err := d.Ledger.Record(ctx, tx, p, st, ledgertest.Made{})
			is(t, what+" record", err, ledger.ErrInvalid)
			_, err = d.Ledger.Forfeit(ctx, tx, p, st)
			is(t, what+" forfeit", err, ledger.ErrInvalid)
			_, err = d.Ledger.Retry(ctx, tx, p, st)
			is(t, what+" retry", err, ledger.ErrInvalid)
			return nil
		}))
	}
	must(t, d.Do(func(ctx context.Context, tx ledgertest.Tx, p *audit.Pending) error {
		_, err := d.Ledger.Start(ctx, tx, p, &ledger.Reservation{})
		is(t, "zero reservation", err, ledger.ErrInvalid)
		return nil
	}))
	if _, err := (&ledger.Recorded{}).Bytes(); !errors.Is(err, ledger.ErrNoReceipt) {
		t.Errorf("zero Recorded: %v", err)
	}
	if _, err := ledger.New(ledger.Config{}); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("zero configuration: %v", err)
	}
}

// TestFaultsFreeze: three uniform failures freeze the grant, each stays charged and gives its key back; lifting starts again.
func TestFaultsFreeze(t *testing.T) {
	t.Parallel()
	d := desk(t)
	fail := func() (frozen bool) {
		st, err := d.Start("q"+time.Duration(d.Log.Size()).String(), "k")
		must(t, err)
		must(t, d.Do(func(ctx context.Context, tx ledgertest.Tx, p *audit.Pending) error {
			frozen, err = d.Ledger.Forfeit(ctx, tx, p, st)
			return err
		}))
		if _, err := st.Consume(); !errors.Is(err, ledger.ErrConsumed) {
			t.Errorf("a forfeited list is given out: %v", err)
		}
		return frozen
	}
	first, second, third := fail(), fail(), fail()
	if first || second || !third {
		t.Error("the third failure freezes, none before")
	}
	_, err := d.Start("qx", "k")
	is(t, "a question under a frozen grant", err, ledger.ErrFrozen)
	if a := d.Account(t, ledgertest.Grant); a.Spent.Units != 3*d.Cost.Units || !a.Frozen || a.Faults != 3 {
		t.Errorf("grant %+v", a)
	}
	ctx := context.Background()
	must(t, d.Update(ctx, func(tx ledgertest.Tx) error { return d.Ledger.Freeze(ctx, tx, ledgertest.Grant, false) }))
	if fail() {
		t.Error("frozen again at once")
	}
	d.Check(t)
}

// TestRecover: after a crash of the broker what was started is forfeited and charged without a fault; what was charged can run once.
func TestRecover(t *testing.T) {
	t.Parallel()
	d := desk(t)
	for _, id := range []string{"q1", "q2"} {
		_, err := d.Start(id, id)
		must(t, err)
	}
	must(t, d.Do(func(ctx context.Context, tx ledgertest.Tx, p *audit.Pending) error {
		_, err := d.Ledger.Charge(ctx, tx, p, d.Intent("q3", "q3"))
		return err
	}))
	must(t, d.Do(func(ctx context.Context, tx ledgertest.Tx, p *audit.Pending) error {
		lost, err := d.Ledger.Recover(ctx, tx, p)
		if len(lost) != 2 || lost[0].ID != "q1" || lost[0].State != ledger.StateForfeited || lost[0].Why != ledger.WhyCrash {
			t.Errorf("recovered %+v", lost)
		}
		return err
	}))
	if a := d.Account(t, ledgertest.Grant); a.Faults != 0 || a.Frozen || a.Spent.Units != 3*d.Cost.Units {
		t.Errorf("grant %+v", a)
	}
	if _, err := d.Start("q4", "q1"); err != nil {
		t.Errorf("a rerun is a new charge: %v", err)
	}
	var again, twice *ledger.Reservation
	must(t, d.Do(func(ctx context.Context, tx ledgertest.Tx, p *audit.Pending) (err error) {
		_, err = d.Ledger.Resume(ctx, tx, p, "q1")
		is(t, "resume what is forfeited", err, ledger.ErrState)
		again, err = d.Ledger.Resume(ctx, tx, p, "q3")
		must(t, err)
		twice, err = d.Ledger.Resume(ctx, tx, p, "q3")
		return err
	}))
	start := func(r *ledger.Reservation) error {
		return d.Do(func(ctx context.Context, tx ledgertest.Tx, p *audit.Pending) error {
			_, err := d.Ledger.Start(ctx, tx, p, r)
			return err
		})
	}
	must(t, start(again))
	is(t, "second start", start(twice), ledger.ErrState)
	d.Check(t)
}

// TestRetry: honest faults are retried with the same charge, however many; never after a child was given the query or the list was
// given out.
func TestRetry(t *testing.T) {
	t.Parallel()
	d := desk(t)
	st, err := d.Start("q1", "k1")
	must(t, err)
	retry := func(st *ledger.Started) (next *ledger.Started, err error) {
		err = d.Do(func(ctx context.Context, tx ledgertest.Tx, p *audit.Pending) error {
			r, err := d.Ledger.Retry(ctx, tx, p, st)
			if err != nil {
				return err
			}
			next, err = d.Ledger.Start(ctx, tx, p, r)
			return err
		})
		return next, err
	}
	for range 6 {
		next, err := retry(st)
		must(t, err)
		is(t, "the Started before", st.Usable(), ledger.ErrConsumed)
		is(t, "a child for the Started before", st.Give(), ledger.ErrConsumed)
		st = next
		must(t, st.Usable())
	}
	must(t, st.Give())
	is(t, "a child again", st.Give(), ledger.ErrConsumed)
	if _, err := d.Record(st); err != nil {
		t.Error(err)
	}
	if a := d.Account(t, ledgertest.Grant); a.Spent != d.Cost || a.Faults != 0 || a.Frozen {
		t.Errorf("%+v", a)
	}
	for what, use := range map[string]func(*ledger.Started) error{
		"q2": (*ledger.Started).Give,
		"q3": func(s *ledger.Started) error { _, err := s.Consume(); return err },
	} {
		used, err := d.Start(what, what)
		must(t, err)
		must(t, use(used))
		_, err = retry(used)
		is(t, "retry of what was used", err, ledger.ErrConsumed)
	}
	d.Check(t)
}

// TestResumeAsksTheAccounts: a charge that waits is not a way around a freeze or the end of a grant.
func TestResumeAsksTheAccounts(t *testing.T) {
	t.Parallel()
	d := desk(t)
	must(t, d.Do(func(ctx context.Context, tx ledgertest.Tx, p *audit.Pending) error {
		_, err := d.Ledger.Charge(ctx, tx, p, d.Intent("q1", "k1"))
		return err
	}))
	resume := func() error {
		return d.Do(func(ctx context.Context, tx ledgertest.Tx, p *audit.Pending) error {
			_, err := d.Ledger.Resume(ctx, tx, p, "q1")
			return err
		})
	}
	freeze := func(id string, on bool) {
		must(t, d.Update(t.Context(), func(tx ledgertest.Tx) error { return d.Ledger.Freeze(t.Context(), tx, id, on) }))
	}
	for _, id := range []string{ledgertest.Grant, ledgertest.Researcher} {
		freeze(id, true)
		is(t, id+" frozen", resume(), ledger.ErrFrozen)
		freeze(id, false)
		must(t, resume())
	}
	must(t, d.Update(t.Context(), func(tx ledgertest.Tx) error {
		_, err := d.Ledger.CloseGrant(t.Context(), tx, ledgertest.Grant)
		return err
	}))
	is(t, "an ended grant", resume(), ledger.ErrClosed)
	d.Check(t)
}

// TestChargeRefuses: whatever is wrong, nothing is charged, even when the transaction commits for its audit entry.
func TestChargeRefuses(t *testing.T) {
	t.Parallel()
	d := desk(t)
	ctx := context.Background()
	poor := ledger.Account{ID: "researcher/poor", Kind: ledger.KindResearcher, Parent: ledgertest.Universe, Accounting: dp.ZCDP, RootDelta: 1e-6, Limit: ledger.Amount{Units: 1}}
	elsewhere := ledger.Account{ID: "universe/v", Kind: ledger.KindUniverse, Accounting: dp.ZCDP, RootDelta: 1e-6, Limit: ledger.Amount{Units: 1 << 40, Delta: 1 << 40}}
	must(t, d.Update(ctx, func(tx ledgertest.Tx) error {
		must(t, d.Ledger.Open(ctx, tx, poor))
		must(t, d.Ledger.Open(ctx, tx, elsewhere))
		stranger := poor
		stranger.ID, stranger.Parent, stranger.Limit = "researcher/stranger", elsewhere.ID, elsewhere.Limit
		return d.Ledger.Open(ctx, tx, stranger)
	}))
	_, err := d.Start("q0", "k0")
	must(t, err)
	for what, c := range map[string]struct {
		change func(*ledger.Intent)
		want   error
	}{
		"poor researcher":   {func(in *ledger.Intent) { in.Researcher = poor.ID }, ledger.ErrExhausted},
		"other universe":    {func(in *ledger.Intent) { in.Researcher = "researcher/stranger" }, ledger.ErrInvalid},
		"no grant":          {func(in *ledger.Intent) { in.Grant = "grant/none" }, ledger.ErrNotFound},
		"swapped":           {func(in *ledger.Intent) { in.Grant, in.Researcher = in.Researcher, in.Grant }, ledger.ErrInvalid},
		"no grant account":  {func(in *ledger.Intent) { in.Grant = in.Researcher }, ledger.ErrInvalid},
		"pays itself":       {func(in *ledger.Intent) { in.Researcher = in.Grant }, ledger.ErrInvalid},
		"same key":          {func(in *ledger.Intent) { in.Key = "k0" }, ledger.ErrDuplicate},
		"same id":           {func(in *ledger.Intent) { in.ID = "q0" }, ledger.ErrDuplicate},
		"no key":            {func(in *ledger.Intent) { in.Key = "" }, ledger.ErrInvalid},
		"empty list":        {func(in *ledger.Intent) { in.List = nil }, ledger.ErrInvalid},
		"tampered list":     {func(in *ledger.Intent) { in.List = slices.Clone(in.List); in.List[0].Sigma *= 2 }, ledger.ErrInvalid},
		"list out of range": {func(in *ledger.Intent) { in.List = slices.Clone(in.List); in.List[0].Epsilon = 1e20 }, ledger.ErrInvalid},
	} {
		in := d.Intent("q1", "k1")
		c.change(&in)
		must(t, d.Do(func(ctx context.Context, tx ledgertest.Tx, p *audit.Pending) error {
			r, err := d.Ledger.Charge(ctx, tx, p, in)
			is(t, what, err, c.want)
			if r != nil {
				t.Errorf("%s: a reservation", what)
			}
			return nil // commit
		}))
		if g := d.Account(t, ledgertest.Grant); g.Spent != d.Cost {
			t.Fatalf("%s: spent %+v", what, g.Spent)
		}
		d.Check(t)
	}
}

// TestMethodsFollowTheTable: every method from every state moves exactly as the table says.
func TestMethodsFollowTheTable(t *testing.T) {
	t.Parallel()
	methods := map[string]struct {
		to  ledger.State
		run func(d *ledgertest.Desk, ctx context.Context, tx ledgertest.Tx, p *audit.Pending, r *ledger.Reservation, st *ledger.Started) error
	}{
		"Start": {ledger.StateStarted, func(d *ledgertest.Desk, ctx context.Context, tx ledgertest.Tx, p *audit.Pending, r *ledger.Reservation, _ *ledger.Started) error {
			_, err := d.Ledger.Start(ctx, tx, p, r)
			return err
		}},
		"Record": {ledger.StateRecorded, func(d *ledgertest.Desk, ctx context.Context, tx ledgertest.Tx, p *audit.Pending, _ *ledger.Reservation, st *ledger.Started) error {
			n, err := ledgertest.Answer("q", d.List)
			if err != nil {
				return err
			}
			_, err = d.Ledger.Record(ctx, tx, p, st, n)
			return err
		}},
		"Forfeit": {ledger.StateForfeited, func(d *ledgertest.Desk, ctx context.Context, tx ledgertest.Tx, p *audit.Pending, _ *ledger.Reservation, st *ledger.Started) error {
			_, err := d.Ledger.Forfeit(ctx, tx, p, st)
			return err
		}},
		"Deliver": {ledger.StateDelivered, func(d *ledgertest.Desk, ctx context.Context, tx ledgertest.Tx, _ *audit.Pending, _ *ledger.Reservation, _ *ledger.Started) error {
			return d.Ledger.Deliver(ctx, tx, "q")
		}},
	}
	for _, from := range ledger.States() {
		for name, m := range methods {
			d := desk(t)
			var r *ledger.Reservation
			var st *ledger.Started
			must(t, d.Do(func(ctx context.Context, tx ledgertest.Tx, p *audit.Pending) (err error) {
				if r, err = d.Ledger.Charge(ctx, tx, p, d.Intent("q", "k")); err != nil {
					return err
				}
				st, err = d.Ledger.Start(ctx, tx, p, r)
				return err
			}))
			_, err := st.Consume()
			must(t, err)
			ctx := context.Background()
			must(t, d.Update(ctx, func(tx ledgertest.Tx) error { return tx.LedgerMove(ctx, "q", ledger.StateStarted, from, nil) }))
			err = d.Do(func(ctx context.Context, tx ledgertest.Tx, p *audit.Pending) error {
				return m.run(d, ctx, tx, p, r, st)
			})
			if allowed := ledger.CanMove(from, m.to) || (from == ledger.StateDelivered && m.to == from); allowed != (err == nil) {
				t.Errorf("%s from %s: %v", name, from, err)
			}
			if want := map[bool]ledger.State{true: m.to, false: from}[err == nil]; d.State(t, "q") != want {
				t.Errorf("%s from %s: now %s", name, from, d.State(t, "q"))
			}
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	d := desk(t)
	ctx := context.Background()
	good := ledger.Account{ID: "researcher/x", Kind: ledger.KindResearcher, Parent: ledgertest.Universe, Accounting: dp.ZCDP, RootDelta: 1e-6, Limit: ledger.Amount{Units: 5}}
	for what, c := range map[string]struct {
		change func(*ledger.Account)
		want   error
	}{
		"no id":            {func(a *ledger.Account) { a.ID = "" }, ledger.ErrInvalid},
		"no kind":          {func(a *ledger.Account) { a.Kind = "" }, ledger.ErrInvalid},
		"grant by Open":    {func(a *ledger.Account) { a.Kind = ledger.KindGrant }, ledger.ErrInvalid},
		"no universe":      {func(a *ledger.Account) { a.Parent = "universe/none" }, ledger.ErrNotFound},
		"no universe kind": {func(a *ledger.Account) { a.Parent = ledgertest.Grant }, ledger.ErrInvalid},
		"other accounting": {func(a *ledger.Account) { a.Accounting = dp.Basic }, ledger.ErrInvalid},
		"other delta":      {func(a *ledger.Account) { a.RootDelta = 1e-7 }, ledger.ErrInvalid},
		"delta 0.999":      {func(a *ledger.Account) { a.RootDelta = 0.999 }, ledger.ErrInvalid},
		"no limit":         {func(a *ledger.Account) { a.Limit = ledger.Amount{} }, ledger.ErrInvalid},
		"negative limit":   {func(a *ledger.Account) { a.Limit.Delta = -1 }, ledger.ErrInvalid},
		"spent":            {func(a *ledger.Account) { a.Spent.Units = -5 }, ledger.ErrInvalid},
		"synthetic":        {func(a *ledger.Account) { a.Synthetic = true }, ledger.ErrInvalid},
		"universe's child": {func(a *ledger.Account) { a.Kind = ledger.KindUniverse }, ledger.ErrInvalid},
		"good":             {func(*ledger.Account) {}, nil},
		"good again":       {func(*ledger.Account) {}, ledger.ErrDuplicate},
	} {
		if what == "good again" {
			continue
		}
		a := good
		c.change(&a)
		is(t, what, d.Update(ctx, func(tx ledgertest.Tx) error { return d.Ledger.Open(ctx, tx, a) }), c.want)
	}
	is(t, "good again", d.Update(ctx, func(tx ledgertest.Tx) error { return d.Ledger.Open(ctx, tx, good) }), ledger.ErrDuplicate)
}

// TestCheckFindsCookedBooks: whoever changes a number behind the ledger's back is found.
func TestCheckFindsCookedBooks(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		id     string
		change func(*ledger.Account)
	}{
		"grant spent less":      {ledgertest.Grant, func(a *ledger.Account) { a.Spent.Units-- }},
		"grant limit raised":    {ledgertest.Grant, func(a *ledger.Account) { a.Limit.Units++ }},
		"root spent less":       {ledgertest.Universe, func(a *ledger.Account) { a.Spent.Delta-- }},
		"researcher spent less": {ledgertest.Researcher, func(a *ledger.Account) { a.Spent = ledger.Amount{} }},
	} {
		d := desk(t)
		_, err := d.Start("q1", "k1")
		must(t, err)
		d.Check(t)
		ctx := context.Background()
		must(t, d.Update(ctx, func(tx ledgertest.Tx) error {
			must(t, tx.LedgerAlterAccount(ctx, c.id, func(a *ledger.Account) error { c.change(a); return nil }))
			is(t, what, d.Ledger.Check(ctx, tx, ledgertest.Universe), ledger.ErrMismatch)
			return nil
		}))
	}
}

func TestFreezeAll(t *testing.T) {
	t.Parallel()
	d := desk(t)
	ctx := context.Background()
	must(t, d.Update(ctx, func(tx ledgertest.Tx) error {
		n, err := d.Ledger.FreezeAll(ctx, tx)
		if n != 2 {
			t.Errorf("%d accounts", n)
		}
		return err
	}))
	_, err := d.Start("q1", "k1")
	is(t, "a question after a restore", err, ledger.ErrFrozen)
}
