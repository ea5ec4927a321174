package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"carrel/broker/audit"
	"carrel/broker/service/servicetest"
	"carrel/broker/store"
)

const runners = 16

// TestRaces plays the conversations, and where a step leads a thing out of its state, as the table of policy has it, sixteen take it at
// once: one of them does, the others hear a sentence, and the log knows of one.
func TestRaces(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the walk's cells say what a second one hears")
	}
	y, tables := newTally(), policyTables(t)
	t.Run("along", func(t *testing.T) {
		for _, name := range []string{"abroad", "application", "conduct", "grant", "handover", "mandate", "meeting", "suspension"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				file := filepath.Join("testdata", name+".http")
				w := newWalker(t, file, tables, nil, y)
				for _, e := range parseConversation(t, file) {
					if d, ok := w.leaves(e); ok {
						w.race(e, d)
						continue
					}
					w.hold(t, e)
				}
			})
		}
	})
	t.Logf("%v", y.cells)
	if y.cells["raced"] < 20 {
		t.Errorf("only %d steps were raced for", y.cells["raced"])
	}
}

// leaves says whether a step leads the thing that it is about out of the state that it is in, whatever it brings.
func (w *walker) leaves(e exchange) (paper, bool) {
	moves := w.tables.moves[w.tables.routes[pattern(e)]]
	if len(moves) == 0 || e.status != "200" || len(e.headers) > 0 {
		return paper{}, false
	}
	parts := strings.Split(w.fill(e.path), "/")
	for _, d := range w.documents() {
		if !slices.Contains(parts, d.id) {
			continue
		}
		out, found := true, false
		for _, m := range moves {
			if m.from == d.state {
				again := slices.ContainsFunc(moves, func(o move) bool { return o.from == m.to })
				found, out = true, out && m.to != "" && !again
			}
		}
		return d, found && out
	}
	return paper{}, false
}

// race lets sixteen take one step at once.
func (w *walker) race(e exchange, d paper) {
	before := w.books()
	var start, done sync.WaitGroup
	replies := make([]*httptest.ResponseRecorder, runners)
	token, body := w.token(e.as), expand(w.fill(e.send))
	start.Add(1)
	for i := range replies {
		done.Go(func() {
			req := httptest.NewRequestWithContext(w.t.Context(), e.method, "/api/v1"+w.fill(e.path), strings.NewReader(body))
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", "Bearer "+token)
			replies[i] = httptest.NewRecorder()
			start.Wait()
			w.h.ServeHTTP(replies[i], req)
		})
	}
	start.Done()
	done.Wait()
	w.tally.count("raced")
	what := fmt.Sprintf("%s:%d %s %s from %s", w.name, e.line, e.method, e.path, d.state)
	var won []*httptest.ResponseRecorder
	for _, rec := range replies {
		var doc struct{ Code, Detail string }
		switch err := json.Unmarshal(rec.Body.Bytes(), &doc); {
		case rec.Code/100 == 2:
			won = append(won, rec)
		case err != nil || doc.Code == "" || doc.Detail == "" || !slices.Contains([]int{http.StatusForbidden, http.StatusConflict, http.StatusNotFound}, rec.Code):
			w.t.Errorf("%s: who came late hears %d %.200s", what, rec.Code, rec.Body)
		}
	}
	if len(won) != 1 {
		w.t.Fatalf("%s: %d of %d did it", what, len(won), runners)
	}
	w.once(what, e.as, before[1])
	for _, kept := range e.keep {
		v, err := member(won[0].Body.Bytes(), kept[1])
		servicetest.Must(w.t, err)
		w.values[kept[0]] = v
	}
	for _, then := range e.then {
		w.do(w.t, then)
	}
}

// once holds that the log knows of one step of each kind by an account since an entry.
func (w *walker) once(what, account string, since int64) {
	kinds := map[string]int{}
	ctx := context.Background()
	servicetest.Must(w.t, w.city.Store().View(ctx, func(tx *store.Tx) error {
		n, err := tx.LogSize(ctx)
		for i := since; i < n && err == nil; i++ {
			var leaf []byte
			if leaf, err = tx.LogLeaf(ctx, i); err != nil {
				break
			}
			var e audit.Entry
			if e, err = audit.ParseLeaf(leaf); e.Actor == account && e.Outcome == "allowed" && !strings.Contains(e.Kind, "viewed") {
				kinds[e.Kind+" "+e.Object]++
			}
		}
		return err
	}))
	if len(kinds) == 0 {
		w.t.Errorf("%s: the log does not know of it", what)
	}
	for kind, n := range kinds {
		if n != 1 {
			w.t.Errorf("%s: the log has %d of %s", what, n, kind)
		}
	}
}

// TestRivals: of two steps that exclude each other, taken at once by two offices, one is taken, and the thing is where that one leads.
func TestRivals(t *testing.T) {
	t.Parallel()
	b := newBait(t)
	const about = `"reason": "Used outside the scope of the grant.", "article": "ndr-31", "evidence": "sha256:7e0ad9aeaa9c1b796e83992c47fdbb712090b58325884ebcacf5fc18e4bf936a"}`
	lodgeAll(b.city)
	make := func(account, path, body string) string {
		rec := b.send(account, http.MethodPost, "/api/v1/conduct"+path, []byte(body))
		var doc struct{ ID, Number string }
		if err := json.Unmarshal(rec.Body.Bytes(), &doc); err != nil || rec.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", path, rec.Code, rec.Body)
		}
		return doc.ID + doc.Number
	}
	for _, account := range []string{"zhou", "xu", "he", "tang"} {
		b.send(account, http.MethodGet, "/api/v1/whoami", nil) // log in before the race
	}
	const text = `{"text": "The evidence was looked at again."}`
	for _, party := range []string{"sun", "qian", "cao", "tao", "kong", "gong"} {
		entry := make("zhou", "/credit", `{"party": "person/`+party+`", "sort": "late-report", `+about)
		make(party, "/credit/"+entry+"/appeal", text)
		proposal := make("tang", "/proposals", `{"party": "institution/somewhere", "sort": "talk", `+about)
		complaint := make("", "/complaints", `{"text": "My record was shown to somebody."}`)
		for thing, rivals := range map[string]map[string]string{
			"credit/" + entry:         {"he /uphold": "upheld", "xu /lift": "lifted"},
			"measures/" + proposal:    {"zhou /order": "ordered", "he /decline": "declined"},
			"complaints/" + complaint: {"zhou /answer": "answered", "he /answer": "answered"},
		} {
			b.rivals("/api/v1/conduct/"+thing, text, rivals)
		}
	}
}

// rivals take their steps at once; one of them does.
func (b *bait) rivals(path, text string, rivals map[string]string) {
	b.t.Helper()
	var mu sync.Mutex
	var start, done sync.WaitGroup
	var states []string
	start.Add(1)
	for rival, state := range rivals {
		account, step, _ := strings.Cut(rival, " ")
		done.Go(func() {
			body := text
			if step == "/order" {
				body = ""
			}
			start.Wait()
			rec := b.send(account, http.MethodPost, path+step, []byte(body))
			mu.Lock()
			defer mu.Unlock()
			var doc struct{ State, Code string }
			switch err := json.Unmarshal(rec.Body.Bytes(), &doc); {
			case rec.Code == http.StatusOK:
				if states = append(states, doc.State); doc.State != state {
					b.t.Errorf("%s%s leads to %s", path, step, doc.State)
				}
			case err != nil || rec.Code != http.StatusForbidden && rec.Code != http.StatusConflict:
				b.t.Errorf("%s%s: %d %s", path, step, rec.Code, rec.Body)
			}
		})
	}
	start.Done()
	done.Wait()
	if len(states) != 1 {
		b.t.Errorf("%s: %v", path, states)
	}
}
