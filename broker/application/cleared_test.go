package application_test

import (
	"context"
	"testing"

	"carrel/broker/abroad"
	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/grant"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// exported is a draft for data that go abroad, with the file that both offices have cleared.
func exported(t *testing.T, w *apptest.World) (application.Draft, string) {
	t.Helper()
	ctx := context.Background()
	document := w.Lodge("wu", "zhou", "an")
	d := apptest.Research()
	f, err := w.Abroad.File(ctx, w.As("wu"), abroad.Facts{Applicant: "jinhe-university", Recipient: "Overseas University", Country: "Singapore", Purpose: "research", Rows: 1000,
		Until: "2028-12-31", Assessment: document, Way: abroad.Way{Kind: "certification", Document: document, Number: "No. 3 of 2026", Until: "2028-12-31"},
		Wishes: d.Facts.Wishes}, "Joint study.")
	if err != nil {
		t.Fatal(err)
	}
	for who, office := range map[string]string{"zhou": "health-authority", "an": "security-department"} {
		if _, err := w.Abroad.Clear(ctx, w.As(who), f.ID, office, "No. 12", document); err != nil {
			t.Fatal(err)
		}
	}
	d.Facts.CrossBorder, d.Facts.Clearance = true, f.ID
	d.Facts.Abroad = policy.Abroad{Institution: "Overseas University", Country: "Singapore"}
	d.Texts[application.TextAnswerable] = "Dr A. Tan, data protection officer"
	return d, f.ID
}

// uncleared are the ways in which a file stops standing after both offices cleared it.
func uncleared() map[string]func(w *apptest.World, file string) error {
	ctx := context.Background()
	return map[string]func(w *apptest.World, file string) error{
		"refused": func(w *apptest.World, file string) error {
			_, err := w.Abroad.Refuse(ctx, w.As("an"), file, "The recipient lost its certificate.")
			return err
		},
		"withdrawn": func(w *apptest.World, file string) error {
			_, err := w.Abroad.Withdraw(ctx, w.As("wu"), file)
			return err
		},
	}
}

// Guard: a clearance that is gone after the authority has decided stops what is left to do: nobody signs, and what both sides had signed
// becomes no grant (sichuan-32).
func TestNothingIsSignedWithoutTheClearance(t *testing.T) {
	t.Parallel()
	for name, stop := range uncleared() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, ctx := apptest.New(t), context.Background()
			d, file := exported(t, w)
			a := w.Approved("li", d)
			if _, err := w.Applications.Sign(ctx, w.As("li"), a.ID, 0, "applicant", a.Agreement.Digest); err != nil {
				t.Fatal(err)
			}
			if err := stop(w, file); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Applications.Sign(ctx, w.As("wu"), a.ID, 0, "owner", a.Agreement.Digest); ruled(err) != "sichuan-32/in-force" {
				t.Errorf("the owner signs: %v", err)
			}
			v, err := w.Applications.Show(ctx, w.As("wu"), a.ID)
			if err != nil || v.State != "approved" || v.Grant != "" {
				t.Errorf("%+v %v", v, err)
			}
			for _, c := range v.Commands {
				if c.Command == "sign" {
					t.Error("signing is still offered")
				}
			}
		})
	}
}

// Guard: a grant abroad is asked at every use whether its file still stands, as the file is at that moment and not as it was: no permit is
// issued, one that was is good no more, and a use that policy had allowed before commits nothing.
func TestAGrantAbroadRestsOnItsFile(t *testing.T) {
	t.Parallel()
	for name, stop := range uncleared() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, ctx := apptest.New(t), context.Background()
			d, file := exported(t, w)
			g := w.Granted("li", d).Grant
			_, token, err := w.Grants.IssuePermit(ctx, w.As("li"), g, grant.PermitRequest{})
			if err != nil {
				t.Fatal(err)
			}
			var seen *grant.Grant
			var rev int64
			if err := w.Store.View(ctx, func(tx *store.Tx) (err error) { seen, rev, err = grant.Load(ctx, tx, g); return err }); err != nil || seen.Clearance != file {
				t.Fatalf("%+v %v", seen, err)
			}
			commits := func() error {
				return w.Store.Update(ctx, func(tx *store.Tx) error { return grant.Unchanged(ctx, tx, seen, rev) })
			}
			if err := commits(); err != nil {
				t.Fatal(err)
			}
			if err := stop(w, file); err != nil {
				t.Fatal(err)
			}
			if _, _, err := w.Grants.IssuePermit(ctx, w.As("li"), g, grant.PermitRequest{}); ruled(err) != "sichuan-32/in-force" {
				t.Errorf("a permit: %v", err)
			}
			if st, err := w.Grants.PermitStatus(ctx, w.As("li"), token.Reveal()); err != nil || st.Active || st.State != grant.PermitRevoked {
				t.Errorf("the permit that was: %+v %v", st, err)
			}
			if err := commits(); !problem.Is(err, problem.Conflict) {
				t.Errorf("a use that was allowed before: %v", err)
			}
		})
	}
}

// A file that is over stops the grant too, and so does the certificate under which it went (pipl-38); a grant whose file is not there is
// refused rather than let go.
func TestAGrantAbroadEndsWithItsFile(t *testing.T) {
	t.Parallel()
	w, ctx := apptest.New(t), context.Background()
	d, _ := exported(t, w)
	g := w.Granted("li", d).Grant
	change := func(fn func(tx *store.Tx) error) {
		t.Helper()
		if err := w.Store.Update(ctx, fn); err != nil {
			t.Fatal(err)
		}
	}
	file := func(days [2]policy.Date) func(tx *store.Tx) error {
		return func(tx *store.Tx) error {
			f, rev, err := abroad.Load(ctx, tx, d.Facts.Clearance)
			if err != nil {
				return err
			}
			f.Facts.Until, f.Facts.Way.Until = days[0], days[1]
			return tx.Put(ctx, abroad.DocKind, f.ID, rev, store.Index{Owner: f.Facts.Owner, State: f.State, Parent: f.Facts.Applicant}, f)
		}
	}
	for want, days := range map[string][2]policy.Date{"sichuan-32/in-force": {"2026-11-20", "2028-12-31"}, "pipl-38/in-force": {"2028-12-31", "2026-11-20"}} {
		change(file(days))
		if _, _, err := w.Grants.IssuePermit(ctx, w.As("li"), g, grant.PermitRequest{}); ruled(err) != want {
			t.Errorf("until %v: %v, want %s", days, err, want)
		}
	}
	change(file([2]policy.Date{"2028-12-31", "2028-12-31"}))
	change(func(tx *store.Tx) error {
		x, rev, err := grant.Load(ctx, tx, g)
		if err != nil {
			return err
		}
		x.Clearance = "cb-00000000000000000000"
		return tx.Put(ctx, grant.DocKind, g, rev, store.Index{Owner: x.Lead, State: x.State, Parent: x.Application}, x)
	})
	if _, _, err := w.Grants.IssuePermit(ctx, w.As("li"), g, grant.PermitRequest{}); ruled(err) != "pipl-38/in-force sichuan-32/in-force" && ruled(err) != "sichuan-32/in-force pipl-38/in-force" {
		t.Errorf("under a file that is not there: %v", err)
	}
}
