package application_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// invented puts applications of many people, institutions and states into the store, as many events long as real ones.
func invented(t testing.TB, w *apptest.World, n int, draw func(i int) application.Application) {
	t.Helper()
	ctx := context.Background()
	for done := 0; done < n; {
		must(t, w.Store.Update(ctx, func(tx *store.Tx) error {
			for ; done < n; done++ {
				a := draw(done)
				ref, err := tx.PutText(ctx, fmt.Sprintf("Title %d of %s", done, a.Facts.Lead))
				if err != nil {
					return err
				}
				a.Texts = map[string]store.TextRef{application.TextTitle: ref}
				if err := application.PutForTest(ctx, tx, &a); err != nil {
					return err
				}
				if done%500 == 499 {
					done++
					return nil
				}
			}
			return nil
		}))
	}
}

// A list shows what policy lets the person read, asked one by one, and nothing else: relations are an economy, not a rule.
func TestListIsWhatPolicySays(t *testing.T) {
	t.Parallel()
	accounts := []string{"li", "wang", "hu", "chen", "zhao", "zhou", "wu", "zheng", "feng", "yan", "he", "liang"}
	states := []string{"draft", "submitted", "reviewed", "approved", "granted", "denied", "withdrawn"}
	units := []string{"jinhe-university", "other-university", "jinhe-health-commission", "jinhe-qc-centre", "jinhe-first-hospital"}
	w := apptest.New(t)
	all := map[string]application.Application{}
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(r, "applications")
		invented(t, w, n, func(i int) application.Application {
			lead := rapid.SampledFrom(accounts).Draw(r, "lead")
			a := application.Application{ID: fmt.Sprintf("ap-%d-%d", len(all), i), State: rapid.SampledFrom(states).Draw(r, "state"), Institution: rapid.SampledFrom(units).Draw(r, "unit"),
				DataOwners: rapid.SliceOfNDistinct(rapid.SampledFrom(units), 0, 2, rapid.ID).Draw(r, "owners"), Facts: policy.Application{Lead: lead, Team: rapid.SliceOfNDistinct(rapid.SampledFrom(accounts), 0, 2, rapid.ID).Draw(r, "team")},
				Needed: rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"ethics", "confidentiality", "genetic"}), 0, 2, rapid.ID).Draw(r, "reviews")}
			all[a.ID] = a
			return a
		})
		who := rapid.SampledFrom(accounts).Draw(r, "who")
		id := w.As(who)
		var want []string
		for _, a := range all {
			dec, err := w.Desk.Policy.Decide(context.Background(), policy.AccessQuestion{At: w.Desk.Moment(), Subject: id.Subject(), Action: "application.read", Object: a.Object()})
			must(t, err)
			if dec.Allow {
				want = append(want, a.ID)
			}
		}
		var got []string
		for after := ""; ; {
			page, err := w.Applications.List(context.Background(), id, application.Search{After: after, Limit: 7})
			if err != nil {
				return // a role that has no list
			}
			for _, i := range page {
				got = append(got, i.ID)
			}
			if len(page) < 7 {
				break
			}
			after = page[len(page)-1].ID
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			r.Fatalf("%s sees %v, policy says %v", who, got, want)
		}
	})
}

func TestListSearches(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	first, second := w.Reviewed("li", apptest.Research()), w.Reviewed("zheng", apptest.Quality())
	for words, want := range map[string][]string{
		"":                           {second.ID, first.ID},
		"卒中":                         {second.ID, first.ID},
		"卒中救治":                       {first.ID},
		"LI":                         nil, // a word that stands in every line is no search; see below
		"jinhe-qc-centre":            {second.ID},
		"jinhe reviewed " + first.ID: {first.ID},
		"卒中 nothing":                 {},
		second.ID[:8]:                {second.ID},
	} {
		got, err := w.Applications.List(context.Background(), w.As("zhou"), application.Search{Words: words})
		must(t, err)
		var ids []string
		for _, i := range got {
			ids = append(ids, i.ID)
		}
		if want != nil && !slices.Equal(ids, want) && len(ids)+len(want) > 0 {
			t.Errorf("%q finds %v, want %v", words, ids, want)
		}
	}
	got, err := w.Applications.List(context.Background(), w.As("zhou"), application.Search{State: "draft"})
	must(t, err)
	if len(got) != 0 {
		t.Errorf("%d drafts", len(got))
	}
	var said *problem.Error
	if _, err = w.Applications.List(context.Background(), w.As("zhou"), application.Search{State: "bogus"}); !errors.As(err, &said) || said.Code != problem.Invalid ||
		!strings.Contains(said.Text.EN, "draft, ") || !strings.Contains(said.Text.ZH, "reviewed") {
		t.Errorf("a state that is none: %v", err)
	}
}

// An erased title is nobody's to find, and the line stays.
func TestListForgetsErasedTitles(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	a := w.Reviewed("li", apptest.Research())
	must(t, w.Store.Update(context.Background(), func(tx *store.Tx) error { return tx.EraseText(context.Background(), a.Texts[application.TextTitle].ID) }))
	got, err := w.Applications.List(context.Background(), w.As("zhou"), application.Search{})
	must(t, err)
	if len(got) != 1 || got[0].Title != "" {
		t.Errorf("%+v", got)
	}
	if got, err = w.Applications.List(context.Background(), w.As("zhou"), application.Search{Words: "卒中"}); err != nil || len(got) != 0 {
		t.Errorf("an erased title is found: %v", err)
	}
}

// Applications that were stored before there were lines get theirs at start, once.
func TestLinesOfOlderApplications(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a := w.Reviewed("li", apptest.Research())
	b := *a
	b.ID = "ap-older"
	must(t, w.Store.Update(ctx, func(tx *store.Tx) error {
		return tx.Put(ctx, application.DocKind, b.ID, 0, store.Index{Owner: "li", State: b.State}, b)
	}))
	seen := func() int {
		got, err := w.Applications.List(ctx, w.As("zhou"), application.Search{})
		must(t, err)
		return len(got)
	}
	if n := seen(); n != 1 {
		t.Fatalf("%d listed before", n)
	}
	for range 2 {
		must(t, w.Applications.Lines(ctx))
		if n := seen(); n != 2 {
			t.Errorf("%d listed", n)
		}
	}
}

// BenchmarkList lists and searches among 3,000 applications of twenty events.
func BenchmarkList(b *testing.B) {
	w := apptest.New(b)
	invented(b, w, 3000, func(i int) application.Application {
		a := application.Application{ID: fmt.Sprintf("ap-%06d", i), State: []string{"submitted", "reviewed", "granted", "denied", "withdrawn"}[i%5], Institution: fmt.Sprintf("university-%d", i%40),
			DataOwners: []string{"jinhe-health-commission"}, Facts: policy.Application{Lead: fmt.Sprintf("person-%d", i%400), Wishes: policy.List[policy.Wish]{{Dataset: "jinhe", Columns: []string{"person.*", "encounter.*"}}}},
			Needed: []string{"ethics", "confidentiality", "security-risk", "privacy-impact"}}
		for e := range 20 {
			a.Reviews = append(a.Reviews, application.Review{Kind: "ethics", Reviewer: fmt.Sprintf("reviewer-%d", e), Verdict: "approve", Findings: store.TextRef{ID: strings.Repeat("x", 26), Commitment: strings.Repeat("y", 71)}, At: time.Unix(0, 0)})
		}
		return a
	})
	for name, q := range map[string]application.Search{"newest": {}, "search": {Words: "title 17 person-17"}, "state": {State: "reviewed"}, "nothing": {Words: "no such word"}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := w.Applications.List(context.Background(), w.As("zhou"), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
