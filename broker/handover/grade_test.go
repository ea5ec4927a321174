package handover_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"carrel/anonymize/extract"
	"carrel/anonymize/risk"
	"carrel/broker/application/apptest"
	"carrel/broker/catalogue"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

const noReport = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func thresholds(context.Context) (risk.Config, error) {
	return risk.Config{Threshold: 0.2, Uniques: 0.001}, nil
}

// publish makes an extract the current version of its dataset, of this grade; 0 is none.
func publish(w *world, x *extract.Extract, grade int) {
	w.T.Helper()
	ctx := context.Background()
	ok(w.T, w.Store.Update(ctx, func(tx *store.Tx) error {
		e, _, err := w.Catalogue.Get(ctx, act.CatalogueTx{Tx: tx}, "jinhe")
		if err != nil {
			return err
		}
		v := catalogue.Extract{Dir: "x", ManifestID: x.ID(), Version: 1, Kind: x.Manifest().Kind, Persons: x.Manifest().Persons, PublishedBy: "wu"}
		if e.Current != nil {
			v.Version = e.Current.Version + 1
		}
		if grade > 0 {
			v.Risk.Grade = &catalogue.Grade{Grade: grade, Threshold: 0.2, Uniques: 0.001, Report: noReport}
		}
		_, err = w.Catalogue.Publish(ctx, act.CatalogueTx{Tx: tx}, "jinhe", v)
		return err
	}))
}

// cites says by which rules something was refused.
func cites(t *testing.T, err error, rules ...string) {
	t.Helper()
	var p *problem.Error
	if !errors.As(err, &p) || p.Decision == nil {
		t.Fatalf("not refused by policy: %v", err)
	}
	var got []string
	for _, r := range p.Decision.Reasons {
		got = append(got, r.Rule)
	}
	slices.Sort(got)
	if !slices.Equal(got, rules) {
		t.Errorf("refused by %v, want %v", got, rules)
	}
}

// A version without a grade, or one that names persons, is refused before a row is read.
func TestVersionsThatNothingLeavesFrom(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 180)
	a := w.Granted("zheng", apptest.Quality())
	x := build(t, w.World, 180, extract.KindHandover)
	for grade, rules := range map[int][]string{0: {"nhc-assess/graded", "nhc-assess/outside-grade"}, 1: {"nhc-assess/outside-grade"}} {
		publish(w, x, grade)
		_, err := w.service.Request(context.Background(), w.As("zheng"), a.Grant, "")
		cites(t, err, rules...)
	}
	if n := w.who.asked; n.Entry != nil {
		t.Error("rows were looked at")
	}
}

// The grade of a package is of its own rows and columns, whatever that of the version is: a whole of grade 2 is cut to a package of grade 3, and a
// package whose persons stand alone does not leave because the whole has grade 3.
func TestPackagesAreGradedThemselves(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t, 180)
	a := w.Granted("zheng", apptest.Quality())
	h, err := w.service.Request(ctx, w.As("zheng"), a.Grant, "")
	ok(t, err)
	if g := h.Package.Grade; g == nil || g.Grade != 3 || g.Threshold != 0.2 || len(g.Reasons) == 0 || g.Report == "" {
		t.Fatalf("grade of the package: %+v", g)
	}
	if s := h.Package.Standing; s.EN != "provisional until the authority confirms it" || s.ZH == "" {
		t.Errorf("standing %+v", s)
	}
	few := newWorld(t, 40)
	publish(few, build(t, few.World, 40, extract.KindHandover), 3)
	b := few.Granted("zheng", apptest.Quality())
	_, err = few.service.Request(ctx, few.As("zheng"), b.Grant, "")
	cites(t, err, "nhc-assess/graded", "nhc-assess/outside-grade", "nhc-assess/smallest-class")
}

// What was prepared is not pulled once its version counts for nothing: the question is asked anew at each step, of that version.
func TestPullsFromAnotherVersion(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t, 180)
	a := w.Granted("zheng", apptest.Quality())
	h, err := w.service.Request(ctx, w.As("zheng"), a.Grant, "")
	ok(t, err)
	publish(w, build(t, w.World, 180, extract.KindHandover), 1) // of the next version nothing leaves; the package is of the last
	r, got, err := w.service.Pull(ctx, w.As("feng"), h.ID)
	ok(t, err)
	ok(t, r.Close())
	if got.Package.Version != h.Package.Version {
		t.Error("another package")
	}
}

// blind tells policy of a class that is large enough.
type blind struct{ policy.Decider }

func (b blind) Decide(ctx context.Context, q policy.Question) (policy.Decision, error) {
	if h, is := q.(policy.HandoverQuestion); is && h.Step == "release" {
		h.Smallest, h.Package = 100, policy.Graded{Grade: 3, Threshold: 0.2, Uniques: 0.001, Report: noReport}
		return b.Decider.Decide(ctx, h)
	}
	return b.Decider.Decide(ctx, q)
}
