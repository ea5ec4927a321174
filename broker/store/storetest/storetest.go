// Package storetest is the conformance suite of Carrel's store: documents and erasable texts, and what a transaction means for them.
// Every implementation runs it. The ledger has its own suite in anonymize/ledger/ledgertest. It promises nothing at run time: it
// is test code that several packages share.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"carrel/broker/audit"
	"carrel/broker/store"
)

// Tx is what a transaction offers for documents and texts.
type Tx interface {
	Get(ctx context.Context, kind, id string, into any) (int64, error)
	Put(ctx context.Context, kind, id string, rev int64, idx store.Index, doc any) error
	List(ctx context.Context, kind string, f store.Filter) ([]store.Doc, error)
	PutText(ctx context.Context, text string) (store.TextRef, error)
	GetText(ctx context.Context, id string) (string, error)
	OpenText(ctx context.Context, id string) (string, []byte, error)
	EraseText(ctx context.Context, id string) error
	Texts(ctx context.Context, ids []string) (map[string]string, error)
}

// Backend is an empty store under test.
type Backend struct {
	Update func(ctx context.Context, fn func(tx Tx) error) error
	View   func(ctx context.Context, fn func(tx Tx) error) error
}

// doc is the documents' content in the suite.
type doc struct {
	N    int    `json:"n"`
	Text string `json:"text"`
}

// Run runs the suite; open makes a new, empty store.
func Run(t *testing.T, open func(t *testing.T) Backend) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Backend){
		"Revisions":       revisions,
		"Arguments":       arguments,
		"List":            list,
		"Paging":          paging,
		"Rollback":        rollback,
		"Snapshot":        snapshot,
		"CompareAndSwap":  compareAndSwap,
		"Texts":           texts,
		"ManyTexts":       manyTexts,
		"AgainstTheModel": model,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t, open(t)) })
	}
}

func update(t *testing.T, b Backend, fn func(ctx context.Context, tx Tx) error) {
	t.Helper()
	if err := b.Update(t.Context(), func(tx Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func view(t *testing.T, b Backend, fn func(ctx context.Context, tx Tx)) {
	t.Helper()
	if err := b.View(t.Context(), func(tx Tx) error { fn(t.Context(), tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, what string, got, target error) {
	t.Helper()
	if !errors.Is(got, target) || target == nil && got != nil {
		t.Errorf("%s: %v, want %v", what, got, target)
	}
}

func revisions(t *testing.T, b Backend) {
	update(t, b, func(ctx context.Context, tx Tx) error {
		want(t, "change of nothing", tx.Put(ctx, "k", "a", 1, store.Index{}, doc{}), store.ErrNotFound)
		_, err := tx.Get(ctx, "k", "a", nil)
		want(t, "nothing", err, store.ErrNotFound)
		want(t, "new", tx.Put(ctx, "k", "a", 0, store.Index{}, doc{N: 1, Text: "金河 \"\\\n"}), nil)
		want(t, "again new", tx.Put(ctx, "k", "a", 0, store.Index{}, doc{N: 2}), store.ErrConflict)
		want(t, "same id, other kind", tx.Put(ctx, "other", "a", 0, store.Index{}, doc{N: 9}), nil)
		want(t, "change", tx.Put(ctx, "k", "a", 1, store.Index{}, doc{N: 3, Text: "金河 \"\\\n"}), nil)
		want(t, "stale change", tx.Put(ctx, "k", "a", 1, store.Index{}, doc{N: 4}), store.ErrConflict)
		want(t, "future change", tx.Put(ctx, "k", "a", 3, store.Index{}, doc{N: 4}), store.ErrConflict)
		return nil
	})
	view(t, b, func(ctx context.Context, tx Tx) {
		var d doc
		rev, err := tx.Get(ctx, "k", "a", &d)
		if err != nil || rev != 2 || d != (doc{3, "金河 \"\\\n"}) {
			t.Errorf("revision %d of %+v, %v", rev, d, err)
		}
		var other []int
		_, err = tx.Get(ctx, "k", "a", &other)
		want(t, "wrong type", err, store.ErrCorrupt)
		want(t, "write in a view", tx.Put(ctx, "k", "b", 0, store.Index{}, doc{}), store.ErrReadOnly)
	})
}

func arguments(t *testing.T, b Backend) {
	update(t, b, func(ctx context.Context, tx Tx) error {
		long := strings.Repeat("x", store.MaxID+1)
		want(t, "no kind", tx.Put(ctx, "", "a", 0, store.Index{}, 1), store.ErrInvalid)
		want(t, "no id", tx.Put(ctx, "k", "", 0, store.Index{}, 1), store.ErrInvalid)
		want(t, "long id", tx.Put(ctx, "k", long, 0, store.Index{}, 1), store.ErrInvalid)
		want(t, "long owner", tx.Put(ctx, "k", "a", 0, store.Index{Owner: long}, 1), store.ErrInvalid)
		want(t, "not UTF-8", tx.Put(ctx, "k", "a\xff", 0, store.Index{}, 1), store.ErrInvalid)
		want(t, "negative revision", tx.Put(ctx, "k", "a", -1, store.Index{}, 1), store.ErrInvalid)
		want(t, "not JSON", tx.Put(ctx, "k", "a", 0, store.Index{}, func() {}), store.ErrInvalid)
		want(t, "too large", tx.Put(ctx, "k", "a", 0, store.Index{}, strings.Repeat("x", store.MaxDocument)), store.ErrInvalid)
		_, err := tx.List(ctx, "k", store.Filter{Limit: -1})
		want(t, "negative page", err, store.ErrInvalid)
		_, err = tx.List(ctx, "k", store.Filter{Limit: store.ListMax + 1})
		want(t, "large page", err, store.ErrInvalid)
		_, err = tx.List(ctx, "k", store.Filter{After: "nothing"})
		want(t, "after nothing", err, store.ErrNotFound)
		docs, err := tx.List(ctx, "k", store.Filter{})
		if err != nil || len(docs) != 0 {
			t.Errorf("refused documents are there: %d, %v", len(docs), err)
		}
		return nil
	})
}

func ids(docs []store.Doc) []string {
	out := []string{}
	for _, d := range docs {
		out = append(out, d.ID)
	}
	return out
}

func list(t *testing.T, b Backend) {
	update(t, b, func(ctx context.Context, tx Tx) error {
		for _, d := range []struct {
			id  string
			idx store.Index
		}{
			{"d", store.Index{Owner: "li", State: "draft", Parent: "p"}}, {"a", store.Index{Owner: "wu", State: "draft"}},
			{"c", store.Index{Owner: "li", State: "done", Parent: "p"}}, {"b", store.Index{Owner: "li"}},
		} {
			if err := tx.Put(ctx, "k", d.id, 0, d.idx, doc{Text: d.id}); err != nil {
				return err
			}
		}
		return tx.Put(ctx, "other", "x", 0, store.Index{Owner: "li"}, doc{})
	})
	check := func(what string, f store.Filter, expected ...string) {
		t.Helper()
		view(t, b, func(ctx context.Context, tx Tx) {
			docs, err := tx.List(ctx, "k", f)
			if got := ids(docs); err != nil || !slices.Equal(got, expected) {
				t.Errorf("%s: %v, want %v; %v", what, got, expected, err)
			}
		})
	}
	check("all, in the order of their making", store.Filter{}, "d", "a", "c", "b")
	check("newest first", store.Filter{Newest: true}, "b", "c", "a", "d")
	check("owner", store.Filter{Owner: "li"}, "d", "c", "b")
	check("state", store.Filter{State: "draft"}, "d", "a")
	check("parent", store.Filter{Parent: "p"}, "d", "c")
	check("all three", store.Filter{Owner: "li", State: "done", Parent: "p"}, "c")
	check("nobody", store.Filter{Owner: "nobody' OR 1=1 --"})
	check("page", store.Filter{Owner: "li", Limit: 1, After: "d"}, "c")
	check("page backwards", store.Filter{Owner: "li", Limit: 1, After: "b", Newest: true}, "c")
	update(t, b, func(ctx context.Context, tx Tx) error {
		return tx.Put(ctx, "k", "d", 1, store.Index{Owner: "wu", State: "done"}, doc{Text: "d", N: 2})
	})
	check("index follows the change", store.Filter{Owner: "wu"}, "d", "a")
	check("old index is gone", store.Filter{Parent: "p"}, "c")
	view(t, b, func(ctx context.Context, tx Tx) {
		docs, err := tx.List(ctx, "k", store.Filter{Limit: 1})
		if err != nil || len(docs) != 1 {
			t.Fatal(err)
		}
		var body doc
		d := docs[0]
		if err := d.Decode(&body); err != nil || body.N != 2 || d.Rev != 2 || d.Kind != "k" || d.Owner != "wu" || d.State != "done" || d.Parent != "" {
			t.Errorf("%+v, %+v, %v", d, body, err)
		}
		if d.Created.IsZero() || d.Updated.Before(d.Created) {
			t.Errorf("made %v, changed %v", d.Created, d.Updated)
		}
	})
}

// paging: pages show every document once, whatever is made and changed between them.
func paging(t *testing.T, b Backend) {
	put := func(id string, rev int64) {
		update(t, b, func(ctx context.Context, tx Tx) error {
			return tx.Put(ctx, "k", id, rev, store.Index{Owner: "li"}, doc{})
		})
	}
	for i := range 25 {
		put(fmt.Sprintf("%02d", (i*7)%25), 0)
	}
	var seen []string
	after := ""
	for page := range 10 {
		var docs []store.Doc
		view(t, b, func(ctx context.Context, tx Tx) {
			var err error
			if docs, err = tx.List(ctx, "k", store.Filter{Owner: "li", Limit: 10, After: after}); err != nil {
				t.Fatal(err)
			}
		})
		if len(docs) == 0 {
			break
		}
		seen = append(seen, ids(docs)...)
		after = docs[len(docs)-1].ID
		if page == 0 {
			put("00", 1)
			put("new", 0)
		}
	}
	view(t, b, func(ctx context.Context, tx Tx) {
		full, err := tx.List(ctx, "k", store.Filter{Owner: "li", Newest: true})
		if err != nil {
			t.Fatal(err)
		}
		bare, err := tx.List(ctx, "k", store.Filter{Owner: "li", Newest: true, Bare: true})
		if err != nil || len(bare) != len(full) {
			t.Fatalf("%d of %d bare, %v", len(bare), len(full), err)
		}
		for i, d := range bare {
			if d.ID != full[i].ID || d.Rev != full[i].Rev || d.Body != nil || d.Owner != "" {
				t.Errorf("bare %+v, full %s %d", d, full[i].ID, full[i].Rev)
			}
		}
	})
	slices.Sort(seen)
	if len(seen) != 26 || len(slices.Compact(seen)) != 26 {
		t.Errorf("%d documents seen", len(seen))
	}
}

func rollback(t *testing.T, b Backend) {
	boom := errors.New("boom")
	err := b.Update(t.Context(), func(tx Tx) error {
		if err := tx.Put(t.Context(), "k", "a", 0, store.Index{}, doc{}); err != nil {
			return err
		}
		return boom
	})
	want(t, "the closure's error", err, boom)
	var leaked Tx
	err = b.Update(t.Context(), func(tx Tx) error {
		leaked = tx
		if err := tx.Put(t.Context(), "k", "b", 0, store.Index{}, doc{}); err != nil {
			return err
		}
		panic("a value that may be a secret")
	})
	want(t, "panic", err, store.ErrPanic)
	want(t, "use after the end", leaked.Put(t.Context(), "k", "c", 0, store.Index{}, doc{}), store.ErrDone)
	want(t, "panic in a view", b.View(t.Context(), func(Tx) error { panic(1) }), store.ErrPanic)
	ctx, cancel := context.WithCancel(t.Context())
	err = b.Update(ctx, func(tx Tx) error {
		if err := tx.Put(ctx, "k", "d", 0, store.Index{}, doc{}); err != nil {
			return err
		}
		cancel()
		return tx.Put(ctx, "k", "e", 0, store.Index{}, doc{})
	})
	want(t, "cancelled inside", err, context.Canceled)
	want(t, "cancelled before", b.Update(ctx, func(Tx) error { t.Error("ran"); return nil }), context.Canceled)
	view(t, b, func(ctx context.Context, tx Tx) {
		docs, err := tx.List(ctx, "k", store.Filter{})
		if err != nil || len(docs) != 0 {
			t.Errorf("left behind: %v, %v", ids(docs), err)
		}
	})
}

// snapshot: a view does not see what is committed after it began to read.
func snapshot(t *testing.T, b Backend) {
	update(t, b, func(ctx context.Context, tx Tx) error { return tx.Put(ctx, "k", "a", 0, store.Index{}, doc{N: 1}) })
	view(t, b, func(ctx context.Context, tx Tx) {
		var d doc
		_, err := tx.Get(ctx, "k", "a", &d)
		want(t, "first read", err, nil)
		update(t, b, func(ctx context.Context, tx Tx) error { return tx.Put(ctx, "k", "a", 1, store.Index{}, doc{N: 2}) })
		rev, err := tx.Get(ctx, "k", "a", &d)
		if err != nil || rev != 1 || d.N != 1 {
			t.Errorf("the snapshot moved: revision %d, %+v, %v", rev, d, err)
		}
	})
	view(t, b, func(ctx context.Context, tx Tx) {
		if rev, err := tx.Get(ctx, "k", "a", nil); err != nil || rev != 2 {
			t.Errorf("revision %d, %v", rev, err)
		}
	})
}

// compareAndSwap: of concurrent changes from the same revision one wins, so nothing is lost.
func compareAndSwap(t *testing.T, b Backend) {
	update(t, b, func(ctx context.Context, tx Tx) error { return tx.Put(ctx, "k", "a", 0, store.Index{}, doc{}) })
	const clients, each = 8, 20
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for done := 0; done < each; {
				var d doc
				var rev int64
				err := b.View(t.Context(), func(tx Tx) (err error) { rev, err = tx.Get(t.Context(), "k", "a", &d); return err })
				if err == nil {
					d.N++
					err = b.Update(t.Context(), func(tx Tx) error { return tx.Put(t.Context(), "k", "a", rev, store.Index{}, d) })
				}
				switch {
				case err == nil:
					done++
				case !errors.Is(err, store.ErrConflict):
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	view(t, b, func(ctx context.Context, tx Tx) {
		var d doc
		if rev, err := tx.Get(ctx, "k", "a", &d); err != nil || d.N != clients*each || rev != clients*each+1 {
			t.Errorf("%d changes, revision %d, %v", d.N, rev, err)
		}
	})
}

func texts(t *testing.T, b Backend) {
	var ref, same store.TextRef
	update(t, b, func(ctx context.Context, tx Tx) (err error) {
		if ref, err = tx.PutText(ctx, "a text about 李"); err != nil {
			return err
		}
		if same, err = tx.PutText(ctx, "a text about 李"); err != nil {
			return err
		}
		_, err = tx.PutText(ctx, strings.Repeat("x", store.MaxText+1))
		want(t, "long", err, store.ErrInvalid)
		_, err = tx.PutText(ctx, "\xff")
		want(t, "not UTF-8", err, store.ErrInvalid)
		return nil
	})
	if ref.ID == same.ID || ref.Commitment == same.Commitment {
		t.Error("two texts are told to be the same")
	}
	view(t, b, func(ctx context.Context, tx Tx) {
		text, salt, err := tx.OpenText(ctx, ref.ID)
		if err != nil || text != "a text about 李" || !audit.Opens(ref.Commitment, salt, []byte(text)) {
			t.Errorf("%q, %v", text, err)
		}
		_, err = tx.GetText(ctx, "tx-nothing")
		want(t, "nothing", err, store.ErrNotFound)
	})
	update(t, b, func(ctx context.Context, tx Tx) error {
		want(t, "erase", tx.EraseText(ctx, ref.ID), nil)
		want(t, "erase again", tx.EraseText(ctx, ref.ID), nil)
		want(t, "erase nothing", tx.EraseText(ctx, "tx-nothing"), store.ErrNotFound)
		return nil
	})
	view(t, b, func(ctx context.Context, tx Tx) {
		_, err := tx.GetText(ctx, ref.ID)
		want(t, "erased", err, store.ErrErased)
		if text, err := tx.GetText(ctx, same.ID); err != nil || text == "" {
			t.Errorf("another text went too: %v", err)
		}
	})
}

// manyTexts: a list gets the texts that are there, whatever their number, and neither erased nor foreign ones.
func manyTexts(t *testing.T, b Backend) {
	for _, n := range []int{0, 1, 199, 200, 201, 450} {
		ids, all := []string{"tx-nothing"}, map[string]string{}
		update(t, b, func(ctx context.Context, tx Tx) error {
			for i := range n {
				ref, err := tx.PutText(ctx, fmt.Sprintf("text %d", i))
				if err != nil {
					return err
				}
				ids, all[ref.ID] = append(ids, ref.ID), fmt.Sprintf("text %d", i)
				if i%7 == 3 {
					delete(all, ref.ID)
					if err := tx.EraseText(ctx, ref.ID); err != nil {
						return err
					}
				}
			}
			return nil
		})
		view(t, b, func(ctx context.Context, tx Tx) {
			got, err := tx.Texts(ctx, ids)
			if err != nil || !maps.Equal(got, all) {
				t.Errorf("of %d texts %d came, want %d, %v", n, len(got), len(all), err)
			}
		})
	}
}

// model: any sequence of puts behaves like a map.
func model(t *testing.T, b Backend) {
	type state struct {
		rev int64
		n   int
	}
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		kind, known, order := fmt.Sprintf("k%d", round), map[string]state{}, []string{}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			id := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "id")
			rev := rapid.Int64Range(0, 3).Draw(t, "rev")
			n := rapid.IntRange(0, 99).Draw(t, "n")
			have, there := known[id]
			expected := error(nil)
			switch {
			case rev == 0 && there, there && rev != have.rev:
				expected = store.ErrConflict
			case !there && rev != 0:
				expected = store.ErrNotFound
			}
			err := b.Update(context.Background(), func(tx Tx) error {
				return tx.Put(context.Background(), kind, id, rev, store.Index{}, doc{N: n})
			})
			if !errors.Is(err, expected) {
				t.Fatalf("put %s at %d: %v, want %v", id, rev, err, expected)
			}
			if err == nil {
				known[id] = state{have.rev + 1, n}
				if !there {
					order = append(order, id)
				}
			}
		}
		err := b.View(context.Background(), func(tx Tx) error {
			docs, err := tx.List(context.Background(), kind, store.Filter{})
			if err != nil || !slices.Equal(ids(docs), order) && len(order) > 0 {
				t.Fatalf("list %v, want %v; %v", ids(docs), order, err)
			}
			for _, d := range docs {
				var body doc
				if err := d.Decode(&body); err != nil || (state{d.Rev, body.N}) != known[d.ID] {
					t.Fatalf("%s: revision %d of %d, want %v; %v", d.ID, d.Rev, body.N, known[d.ID], err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
