package resident_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"carrel/anonymize/extract"
	"carrel/broker/catalogue"
	"carrel/broker/conduct"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/resident"
	"carrel/broker/store"
	"carrel/policy"
)

// Guard: what a guardian authorised ends by itself when the child is 18, from that day's first use on; what he forbade stays, and so does what he
// authorised for another child.
func TestAGuardiansAuthorisationLapses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := context.Background()
	cases, err := conduct.New(conduct.Config{Desk: w.Desk, Book: w.Files, People: w.Directory, Grants: w.Grants, Signer: func() conduct.Signer { return w.Keys.Signer() },
		Units: w.Register, Residents: w.residents})
	must(t, err)
	_, err = w.prove("fang", his)
	must(t, err)
	today := func() string { return string(policy.DateOf(w.Clock.Now())) }
	soon, err := time.Parse(time.DateOnly, today())
	must(t, err)
	soon = soon.AddDate(-18, 0, 2) // 18 the day after tomorrow
	wish := func(sort, dataset, born string) *matter.Matter {
		m, err := cases.WishFor(ctx, w.As("fang"), sort, dataset, policy.Date(born))
		must(t, err)
		return m
	}
	let, letAll := wish("authorise", "jinhe", soon.Format(time.DateOnly)), wish("authorise", "", soon.Format(time.DateOnly))
	forbidden, younger := wish("object", "jinhe", soon.Format(time.DateOnly)), wish("authorise", "jinhe", "2015-05-05")
	if want := soon.AddDate(18, 0, -1).Format(time.DateOnly); string(let.Until) != want || string(letAll.Until) != want || forbidden.Until != "" || younger.Until != "2033-05-04" {
		t.Fatalf("until %s, %s, %q, %s; want %s", let.Until, letAll.Until, forbidden.Until, younger.Until, want)
	}
	before := w.list(t)
	w.Clock.Add(24 * time.Hour)
	must(t, w.residents.Lapse(ctx))
	if now := w.list(t); now != before || w.unchanged(before) != nil {
		t.Errorf("a day before she is of age the list is %s, was %s", now, before)
	}
	w.Clock.Add(24 * time.Hour)
	if err := w.unchanged(before); !errors.Is(err, resident.ErrChanged) {
		t.Errorf("a use on the day with the list of before: %v", err)
	}
	w.selects(t)
	after := w.list(t)
	if after != "jinhe@4.2" || w.unchanged(after) != nil {
		t.Errorf("the next use is made with %s, after %s", after, before)
	}
	must(t, w.Store.View(ctx, func(tx *store.Tx) error {
		for id, state := range map[string]string{let.ID: "lapsed", letAll.ID: "lapsed", forbidden.ID: "standing", younger.ID: "standing"} {
			if m, _, err := matter.Load(ctx, tx, matter.Wish, id); err != nil || m.State != state {
				t.Errorf("%s is %+v, not %s: %v", id, m, state, err)
			}
		}
		return nil
	}))
	must(t, w.residents.Lapse(ctx))
	if again := w.list(t); again != after {
		t.Errorf("looked at again, the list is %s", again)
	}
	checker := resident.NewChecker()
	for i, e := range w.Entries() {
		must(t, checker.Entry(int64(i), &e))
	}
	if r := checker.Result(); r.Wishes != 6 || len(r.Faults) != 0 {
		t.Errorf("the log shows %+v", r)
	}
}

// Guard: an authorisation by a guardian that came over with a dataset ends here like one that was made here, and one without an end never counts.
func TestWhatCameOverLapses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := context.Background()
	last := policy.DateOf(w.Clock.Now().Add(24 * time.Hour))
	refs := map[string]string{}
	must(t, w.Store.Update(ctx, func(tx *store.Tx) error {
		return w.residents.Bring(ctx, tx, &resident.Carried{Dataset: "jinhe", Number: 7, Wishes: []resident.Stance{
			{Sort: "authorise", Refs: refs, Born: "2009-01-01", Until: last}, {Sort: "object", Refs: refs, Born: "2009-01-01"}, {Sort: "authorise", Refs: refs, Born: "2009-01-01"},
		}})
	}))
	standing := func() (sorts []string) {
		t.Helper()
		var c *resident.Carried
		must(t, w.Store.View(ctx, func(tx *store.Tx) error {
			e, _, err := w.Catalogue.Get(ctx, act.CatalogueTx{Tx: tx}, "jinhe")
			if err == nil {
				c, err = w.residents.Carry(ctx, tx, e)
			}
			return err
		}))
		for _, s := range c.Wishes {
			sorts = append(sorts, s.Sort)
		}
		return sorts
	}
	if got := standing(); strings.Join(got, " ") != "authorise object" {
		t.Errorf("on its last day: %v", got)
	}
	before := w.list(t)
	w.Clock.Add(48 * time.Hour)
	if err := w.unchanged(before); !errors.Is(err, resident.ErrChanged) {
		t.Errorf("a use after the day: %v", err)
	}
	must(t, w.residents.Lapse(ctx, "jinhe"))
	if got := standing(); strings.Join(got, " ") != "object" || w.list(t) != "jinhe@8.0" {
		t.Errorf("after its day %v stand, on list %s", got, w.list(t))
	}
}

// list is the version of the demo dataset's list.
func (w *world) list(t *testing.T) (v string) {
	t.Helper()
	must(t, w.Store.View(context.Background(), func(tx *store.Tx) error {
		var err error
		v, err = resident.Version(context.Background(), tx, "jinhe")
		return err
	}))
	return v
}

// unchanged asks as a use does that commits now.
func (w *world) unchanged(was string) error {
	return w.Store.View(context.Background(), func(tx *store.Tx) error {
		return resident.Unchanged(context.Background(), tx, "jinhe", was, w.Clock.Now())
	})
}

// selects looks whose rows a query over the demo dataset may touch, as each does. In this city nobody's number is known, which it says.
func (w *world) selects(t *testing.T) {
	t.Helper()
	var e *catalogue.Entry
	must(t, w.Store.View(context.Background(), func(tx *store.Tx) error {
		var err error
		e, _, err = w.Catalogue.Get(context.Background(), act.CatalogueTx{Tx: tx}, "jinhe")
		return err
	}))
	m := extract.Manifest{Dataset: "jinhe", ID: "x-1", Numbering: extract.Numbering{Key: "unit", Wards: "none"}}
	_, err := w.residents.Select(context.Background(), resident.Use{Entry: e, Manifest: m, Kind: policy.UseQuery, Purpose: "research"})
	if !problem.Is(err, problem.Unavailable) {
		t.Errorf("whose rows: %v", err)
	}
}
