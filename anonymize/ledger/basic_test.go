package ledger_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"carrel/anonymize/dp"
	"carrel/anonymize/ledger"
	"carrel/anonymize/ledger/ledgertest"
	"carrel/broker/audit"
)

// TestBasicListIsJoint: under basic accounting a long list is charged once, its joint ε and the δ that this takes of the root's.
func TestBasicListIsJoint(t *testing.T) {
	t.Parallel()
	const rootDelta = 1e-5
	d := desk(t)
	root := dp.Budget(dp.Basic, 20, rootDelta)
	var wants []dp.Want
	for i := range 64 {
		wants = append(wants, dp.Want{Measure: fmt.Sprint("m", i), Sensitivity: 4, Rows: 4, Cells: 2})
	}
	list, err := dp.Design(dp.Basic, 1, rootDelta, 1e-9, wants)
	must(t, err)
	a := ledger.Account{ID: "universe/b", Kind: ledger.KindUniverse, Accounting: dp.Basic, RootDelta: rootDelta, Limit: root}
	must(t, d.Update(context.Background(), func(tx ledgertest.Tx) error {
		must(t, d.Ledger.Open(context.Background(), tx, a))
		a.Parent, a.ID, a.Kind, a.Limit = a.ID, "researcher/b", ledger.KindResearcher, dp.Share(dp.Basic, root, 8, rootDelta)
		must(t, d.Ledger.Open(context.Background(), tx, a))
		a.ID, a.Kind, a.Limit = "grant/b", ledger.KindGrant, dp.Share(dp.Basic, root, 4, rootDelta)
		return d.Ledger.OpenGrant(context.Background(), tx, a)
	}))
	charge := func(i int) error {
		return d.Do(func(ctx context.Context, tx ledgertest.Tx, p *audit.Pending) error {
			_, err := d.Ledger.Charge(ctx, tx, p, ledger.Intent{ID: fmt.Sprint("q", i), Grant: "grant/b", Researcher: "researcher/b", Key: fmt.Sprint("k", i), PlanHash: "p", List: list})
			return err
		})
	}
	must(t, charge(0))
	delta := int64(math.Ldexp(rootDelta/dp.ListSpread, 60))
	for _, id := range []string{"grant/b", "researcher/b"} {
		spent := d.Account(t, id).Spent
		if spent.Units > 1e9 || spent.Units < 999e6 || spent.Delta > delta+1000 || float64(spent.Delta) < 0.999*float64(delta) {
			t.Errorf("%s: an ε of 1 costs %+v, with δ %d", id, spent, delta)
		}
	}
	for i := 1; i < 4; i++ { // the δ lasts as long as the ε
		must(t, charge(i))
	}
	is(t, "a fifth of four", charge(4), ledger.ErrExhausted)
}
