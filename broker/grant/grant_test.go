package grant_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"carrel/anonymize/ledger"
	"carrel/broker/application/apptest"
	"carrel/broker/grant"
	"carrel/broker/problem"
	"carrel/broker/store"
)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A permit is good, and is not any more the moment its grant is revoked, though it has not expired (ATTACKS 31).
func TestPermitOfRevokedGrant(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	g := w.Granted("li", apptest.Research()).Grant
	p, token, err := w.Grants.IssuePermit(ctx, w.As("wang"), g, grant.PermitRequest{})
	ok(t, err)
	if p.Subject != "wang" || p.Grant != g || p.To.Sub(p.From) != time.Hour || len(p.Columns) != 3 {
		t.Fatalf("%+v", p)
	}
	s, err := w.Grants.PermitStatus(ctx, w.As("shi"), token.Reveal())
	if err != nil || !s.Active || s.Permit.ID != p.ID || s.Left <= 0 {
		t.Fatalf("%+v %v", s, err)
	}
	ok(t, w.Grants.End(ctx, w.As("wu"), g, "revoke", "研究目的已经变更，不再符合"))
	s, err = w.Grants.PermitStatus(ctx, w.As("shi"), token.Reveal())
	if err != nil || s.Active || s.Permit != nil {
		t.Fatalf("%+v %v", s, err)
	}
	if _, _, err := w.Grants.IssuePermit(ctx, w.As("li"), g, grant.PermitRequest{}); !problem.Is(err, problem.Forbidden) {
		t.Fatalf("a permit of a revoked grant: %v", err)
	}
}

// A permit that our keys signed and that we never issued, an expired one, and rubbish are all "not active", without detail.
func TestPermitStatus(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	g := w.Granted("li", apptest.Research()).Grant
	p, token, err := w.Grants.IssuePermit(ctx, w.As("li"), g, grant.PermitRequest{TTL: time.Minute})
	ok(t, err)
	forged := p
	_, never, err := w.Permits.Sign(forged, time.Hour)
	ok(t, err)
	for name, raw := range map[string]string{"never issued": never.Reveal(), "rubbish": "x.y.z", "empty": ""} {
		if s, err := w.Grants.PermitStatus(ctx, w.As("li"), raw); err != nil || s.Active || s.Permit != nil {
			t.Errorf("%s: %+v %v", name, s, err)
		}
	}
	w.Clock.Add(2 * time.Minute)
	if s, err := w.Grants.PermitStatus(ctx, w.As("li"), token.Reveal()); err != nil || s.Active {
		t.Errorf("expired: %+v %v", s, err)
	}
}

// Nobody gets a permit under somebody else's grant, for more than the grant names, or for longer than an hour (ATTACKS 31, 32).
func TestPermitLimits(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	g := w.Granted("li", apptest.Research()).Grant
	_, _, there := w.Grants.IssuePermit(ctx, w.As("hu"), g, grant.PermitRequest{})
	_, _, absent := w.Grants.IssuePermit(ctx, w.As("hu"), "g-0000", grant.PermitRequest{})
	if !problem.Is(there, problem.NotFound) || !problem.Is(absent, problem.NotFound) || there.Error() != absent.Error() {
		t.Errorf("%v / %v", there, absent)
	}
	for name, r := range map[string]grant.PermitRequest{
		"column": {Columns: []string{"cv_event.cost"}}, "dataset": {Datasets: []string{"other"}}, "purpose": {Purpose: "quality-control"}, "a day": {TTL: 24 * time.Hour},
	} {
		if _, _, err := w.Grants.IssuePermit(ctx, w.As("li"), g, r); !problem.Is(err, problem.Forbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.Clock.Add(2 * 365 * 24 * time.Hour)
	if _, _, err := w.Grants.IssuePermit(ctx, w.As("li"), g, grant.PermitRequest{}); !problem.Is(err, problem.Forbidden) {
		t.Errorf("after the term: %v", err)
	}
}

// A revocation closes the budget in the same transaction: nothing charges it after, and the rest returns to the universe.
func TestRevocationClosesTheBudget(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	before := w.Account("universe/jinhe").Spent
	g := w.Granted("li", apptest.Research()).Grant
	account := grant.Account(g)
	var rev int64
	var seen *grant.Grant
	ok(t, w.Store.View(ctx, func(tx *store.Tx) error {
		var err error
		seen, rev, err = grant.Load(ctx, tx, g)
		return err
	}))
	ok(t, w.Grants.End(ctx, w.As("zhou"), g, "revoke", "违反协议约定的使用目的"))
	told(t, w, g, "违反协议约定的使用目的", "li", "wu", "yan")
	if a := w.Account(account); !a.Closed {
		t.Fatal("the budget is open")
	}
	if got := w.Account("universe/jinhe").Spent; got != before {
		t.Fatalf("the universe has %+v, before %+v", got, before)
	}
	err := w.Store.Update(ctx, func(tx *store.Tx) error { return tx.LedgerDebit(ctx, account, ledger.Amount{Units: 1}) })
	if !errors.Is(err, ledger.ErrClosed) {
		t.Fatalf("charged: %v", err)
	}
	err = w.Store.Update(ctx, func(tx *store.Tx) error { return grant.Unchanged(ctx, tx, seen, rev) })
	if !problem.Is(err, problem.Conflict) {
		t.Fatalf("a use that policy allowed before the revocation goes on: %v", err)
	}
	if err := w.Grants.End(ctx, w.As("zhou"), g, "revoke", "再次撤销同一项授权的理由"); !problem.Is(err, problem.Forbidden) {
		t.Fatalf("revoked twice: %v", err)
	}
}

func TestWhoMayRevoke(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	g := w.Granted("li", apptest.Research()).Grant
	for _, who := range []string{"li", "wang", "hu", "chen", "shi", "yan", "feng"} {
		err := w.Grants.End(ctx, w.As(who), g, "revoke", "")
		if !problem.Is(err, problem.Forbidden) && !problem.Is(err, problem.NotFound) {
			t.Errorf("%s: %v", who, err)
		}
	}
	if err := w.Grants.End(ctx, w.As("wang"), g, "relinquish", ""); err == nil {
		t.Error("a member gave up the lead's grant")
	}
	ok(t, w.Grants.End(ctx, w.As("li"), g, "relinquish", "不再需要"))
}

func TestListAndGetShowOnlyOnesOwn(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	g := w.Granted("li", apptest.Research()).Grant
	for who, n := range map[string]int{"li": 1, "wang": 1, "hu": 0, "zheng": 0, "wu": 1, "yan": 1, "zhou": 1} {
		list, err := w.Grants.List(ctx, w.As(who), 10)
		if err != nil || len(list) != n {
			t.Errorf("%s: %d grants, %v", who, len(list), err)
		}
	}
	if _, err := w.Grants.Get(ctx, w.As("hu"), g); !problem.Is(err, problem.NotFound) {
		t.Error(err)
	}
	v, err := w.Grants.Get(ctx, w.As("zhou"), g)
	if err != nil || len(v.Commands) != 2 || v.Commands[0].Command != "revoke" || v.Commands[1].Command != "suspend" {
		t.Errorf("%+v %v", v, err)
	}
}

// The universe's budget bounds the sum of all grants, whatever is approved.
func TestUniverseBoundsGrants(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	d := apptest.Research()
	d.Facts.Epsilon = 8
	made := 0
	for range 12 {
		a := w.Approved("li", d)
		_, err := w.Applications.Sign(ctx, w.As("li"), a.ID, 0, "applicant", a.Agreement.Digest)
		ok(t, err)
		_, err = w.Applications.Sign(ctx, w.As("wu"), a.ID, 0, "owner", a.Agreement.Digest)
		if problem.Is(err, problem.Exhausted) {
			v, err := w.Applications.Show(ctx, w.As("li"), a.ID)
			if err != nil || v.State != "approved" || len(v.Signatures) != 1 {
				t.Fatalf("half a step: %+v %v", v, err)
			}
			break
		}
		ok(t, err)
		made++
	}
	u := w.Account("universe/jinhe")
	if made == 0 || made == 12 || u.Spent.Units > u.Limit.Units {
		t.Fatalf("%d grants, %+v", made, u)
	}
}

// A grant ends with its last day, and what it did not spend returns.
func TestExpire(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	before := w.Account("universe/jinhe").Spent
	g := w.Granted("li", apptest.Research()).Grant
	if n, err := w.Grants.Expire(ctx); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	w.Clock.Add(2 * 365 * 24 * time.Hour)
	if n, err := w.Grants.Expire(ctx); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if w.Account("universe/jinhe").Spent != before || !w.Account(grant.Account(g)).Closed {
		t.Fatal("the budget did not return")
	}
}

// Real persons do not enter a universe of invented ones, whose budget refills.
func TestUniverseIsOfOneKind(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	ensure := func(synthetic bool) error {
		return w.Store.Update(ctx, func(tx *store.Tx) error { return w.Grants.EnsureUniverse(ctx, tx, w.As("wu"), "jinhe", synthetic) })
	}
	ok(t, ensure(true))
	if err := ensure(false); !problem.Is(err, problem.Conflict) {
		t.Fatalf("real persons in a synthetic universe: %v", err)
	}
}
