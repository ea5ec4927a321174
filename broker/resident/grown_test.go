package resident_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"carrel/broker/conduct"
	"carrel/broker/conduct/matter"
	"carrel/broker/problem"
	"carrel/broker/resident"
	"carrel/broker/store"
	"carrel/policy"
)

// The child's own number, with her day of birth; nobody's.
const grown = "110105200901100025"

// Guard: who came of age takes back what her guardian wished for her, proved by her own number and his; from that day he does not.
func TestWhoCameOfAgeTakesItBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := context.Background()
	cases, err := conduct.New(conduct.Config{Desk: w.Desk, Book: w.Files, People: w.Directory, Grants: w.Grants, Signer: func() conduct.Signer { return w.Keys.Signer() },
		Units: w.Register, Residents: w.residents})
	must(t, err)
	_, err = w.prove("fang", his)
	must(t, err)
	_, err = w.prove("luo", grown)
	must(t, err)
	wish := func(born string) *matter.Matter {
		m, err := cases.WishFor(ctx, w.As("fang"), "object", "", policy.Date(born))
		must(t, err)
		return m
	}
	hers10, other := wish("2009-01-10"), wish("2015-05-05")
	release := func(account, document, guardian string) error {
		_, err := cases.Release(ctx, w.As("wu"), account, document, guardian)
		return err
	}
	if err := release("luo", grown, his); !problem.Is(err, problem.Forbidden) {
		t.Errorf("taken back by a child: %v", err)
	}
	for name, c := range map[string]struct {
		account, document, guardian string
		kind                        problem.Code
	}{
		"with another's account":        {"fang", grown, his, problem.Conflict},
		"by an account nobody proved":   {"li", grown, his, problem.Conflict},
		"with another guardian":         {"luo", grown, hers, problem.NotFound},
		"by a document without a day":   {"luo", "E12345678", his, problem.Invalid},
		"with a slip":                   {"luo", "110105200901100026", his, problem.Invalid},
		"with a slip in the guardian's": {"luo", grown, "440524188001010015", problem.Invalid},
	} {
		if err := release(c.account, c.document, c.guardian); !problem.Is(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := cases.Release(ctx, w.As("fang"), "luo", grown, his); !problem.Is(err, problem.Forbidden) {
		t.Errorf("by the guardian: %v", err)
	}
	w.Clock.Add(60 * 24 * time.Hour)
	if _, err := cases.Unwish(ctx, w.As("fang"), hers10.ID); !problem.Is(err, problem.Forbidden) {
		t.Errorf("the guardian speaks for who is of age: %v", err)
	}
	version := func() (v string) {
		t.Helper()
		must(t, w.Store.View(ctx, func(tx *store.Tx) error {
			var err error
			v, err = resident.Version(ctx, tx, "jinhe")
			return err
		}))
		return v
	}
	before := version()
	must(t, release("luo", grown, his))
	if after := version(); after == before {
		t.Errorf("the list is %s still", after)
	}
	must(t, w.Store.View(ctx, func(tx *store.Tx) error {
		for id, state := range map[string]string{hers10.ID: "withdrawn", other.ID: "standing"} {
			if m, _, err := matter.Load(ctx, tx, matter.Wish, id); err != nil || m.State != state {
				t.Errorf("%s is %+v, not %s: %v", id, m, state, err)
			}
		}
		return nil
	}))
	if err := release("luo", grown, his); !problem.Is(err, problem.NotFound) {
		t.Errorf("twice: %v", err)
	}
	checker := resident.NewChecker()
	for i, e := range w.Entries() {
		must(t, checker.Entry(int64(i), &e))
		for _, number := range []string{grown, his, hers} {
			if strings.Contains(fmt.Sprint(e), number) {
				t.Errorf("the log repeats a number: %+v", e)
			}
		}
	}
	if r := checker.Result(); r.Wishes != 3 || len(r.Faults) != 0 {
		t.Errorf("the log shows %+v", r)
	}
}
