package httpapi_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/go-chi/chi/v5"

	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/service"
	"carrel/broker/service/servicetest"
	"carrel/broker/store"
	"carrel/sandbox"
)

// The walk plays the conversations and, wherever one of them stands, tries every command on everything there is, as everybody: what
// nobody may do now, what he may not do, and what is not for his house. A trial is undone, so the conversation goes on as if nobody had
// tried. Which commands, states and posts there are is read from policy's tables, so a new one is walked too.

// places are where each kind of document has its addresses, under /api/v1, and the noun that it is when it does not say so itself.
var places = map[string][2]string{ //nolint:gochecknoglobals // a constant table
	"application": {"applications", "application"}, "grant": {"grants", "grant"}, "abroad": {"abroad", "abroad"}, "handover": {"handovers", "handover"},
	"board-meeting": {"meetings", "meeting"}, "rules": {"rules", "rules"},
	"conduct-credit": {"conduct/credit", "credit"}, "conduct-measure": {"conduct/measures", "measure"}, "conduct-incident": {"conduct/incidents", "incident"},
	"conduct-complaint": {"conduct/complaints", "complaint"}, "conduct-wish": {"conduct/wishes", "wish"}, "conduct-report": {"conduct/reports", "report"},
}

// papers are all of one kind and have addresses by their noun.
var papers = map[string]string{"deputy": "deputies", "invitation": "invitations", "interest": "interests"} //nolint:gochecknoglobals // a constant table

// elsewhere are the accounts of other houses, in good standing like the city's own.
var elsewhere = []auth.Account{ //nolint:gochecknoglobals // a constant table
	{ID: "hu", Roles: []string{"researcher"}, Institution: "other-university"}, {ID: "ulla", Roles: []string{"owner", "steward"}, Institution: "other-commission"},
	{ID: "otto", Roles: []string{"authority"}, Institution: "other-commission"}, {ID: "dong", Roles: []string{"discipline"}, Institution: "other-commission"},
	{ID: "etta", Roles: []string{"reviewer-ethics"}, Institution: "other-commission"}, {ID: "qiu", Roles: []string{"qc-director"}, Institution: "other-centre"},
	{ID: "cong", Roles: []string{"conduct-officer"}, Institution: "other-commission"}, {ID: "supo", Roles: []string{"supervisor"}, Institution: "other-commission"},
}

// tally is what the walk came by, of all conversations.
type tally struct {
	mu     sync.Mutex
	cells  map[string]int             // by how they ended
	stood  map[string]map[string]bool // states that something stood in, by noun
	tried  map[string]bool            // actions
	seen   map[string]bool            // cells
	tokens map[string]string
	people []auth.Account
	words  map[string]string // passwords of these people
}

func newTally() *tally {
	y := &tally{cells: map[string]int{}, stood: map[string]map[string]bool{}, tried: map[string]bool{}, seen: map[string]bool{}, tokens: map[string]string{}, words: map[string]string{}}
	for _, a := range elsewhere {
		a.NameZH, a.NameEN, a.Region = "外", "Other", otherRegion
		a, password := auth.NewAccount(a)
		y.people, y.words[a.ID] = append(y.people, a), password.Reveal()
	}
	return y
}

// fresh says whether nobody tried this before.
func (y *tally) fresh(cell string) bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.seen[cell] {
		return false
	}
	y.seen[cell] = true
	return true
}

func (y *tally) count(what string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.cells[what]++
}

// paper is something that a conversation made.
type paper struct{ kind, id, noun, state string }

// walker walks along one conversation.
type walker struct {
	*talk
	t      *testing.T
	h      http.Handler
	db     *sql.DB
	tables tables
	bodies map[string][]string // of the routes, as conversations send them
	tally  *tally
	people []string
	named  map[string]bool // who speaks in the conversation
	steps  map[string]int  // that were taken, by noun
	n      int             // cells tried, which take turns in both languages
}

func TestWalk(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a sample of the cells cannot say that every route was tried")
	}
	files, err := filepath.Glob("testdata/*.http")
	servicetest.Must(t, err)
	y := newTally()
	tables := policyTables(t)
	bodies := map[string][]string{}
	for _, file := range files {
		for _, e := range parseConversation(t, file) {
			if route := pattern(e); route != "" && !slices.Contains(bodies[route], e.send) && len(e.send) < 4000 {
				bodies[route] = append(bodies[route], e.send)
			}
		}
	}
	t.Run("along", func(t *testing.T) {
		for _, file := range files {
			switch strings.TrimSuffix(filepath.Base(file), ".http") {
			case "public", "audit", "question", "job", "access", "session", "print":
				continue // nothing there has states
			}
			t.Run(strings.TrimSuffix(filepath.Base(file), ".http"), func(t *testing.T) {
				t.Parallel()
				newWalker(t, file, tables, bodies, y).walk(parseConversation(t, file))
			})
		}
	})
	t.Logf("%v", y.cells)
	if y.cells["allowed"]+y.cells["403"] < 5000 {
		t.Errorf("the walk was short: %v", y.cells)
	}
	for noun, states := range tables.states {
		for state := range states {
			if !y.stood[noun][state] && !passed[noun+"/"+state] && !slices.Contains(bodily, noun) {
				t.Errorf("nothing stood in %s/%s", noun, state)
			}
		}
	}
	for route, action := range tables.routes {
		if noun, _, _ := strings.Cut(action, "."); strings.HasPrefix(route, "POST /api/v1/") && tables.states[noun] != nil && !y.tried[action] && action != "complaint.file" {
			t.Errorf("nobody tried %s", route)
		}
	}
}

// passed are the states that things go through inside one step, or years after; bodily are the nouns that requests name in their bodies, or by another
// name than a number.
var (
	passed = map[string]bool{"application/agreed": true, "handover/requested": true, "wish/lapsed": true}  //nolint:gochecknoglobals // a constant table
	bodily = []string{"transfer", "duty", "version", "grade", "dataset", "proof", "assessment", "sealing"} //nolint:gochecknoglobals // a constant table
)

// pattern is a route of the surface that an exchange uses, when it changes something.
func pattern(e exchange) string {
	if e.method == http.MethodGet || strings.HasPrefix(e.path, "//") {
		return ""
	}
	path, _, _ := strings.Cut(e.path, "?")
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, "$") || strings.HasSuffix(p, "-0") {
			parts[i] = "{id}"
		}
	}
	return e.method + " /api/v1" + strings.Join(parts, "/")
}

func newWalker(t *testing.T, file string, b tables, bodies map[string][]string, y *tally) *walker {
	gate, box := &gate{}, make(postbox, 64)
	c := moulds.City(t, func(c *service.Config) {
		y.settle(t, c.Data)
		c.Mail = box
		c.Around = func(e sandbox.Engine) sandbox.Engine { gate.Engine = e; return gate }
		c.Books = func(s act.Store) act.Store { return dryrun{s} }
		c.Logger = slog.New(slog.DiscardHandler)
	})
	h, err := c.Handler()
	servicetest.Must(t, err)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	k := &talk{name: file, city: c, base: server.URL, values: days(), tokens: map[string]string{}, routes: h.(chi.Routes), gate: gate, box: box,
		seen: &visits{seen: map[string]map[byte]bool{}, routes: map[string]bool{}}}
	k.values["grant"], k.values["application"], k.values["registry"] = c.Grant, c.Application, c.Registry
	db, err := sql.Open("sqlite", "file:"+filepath.Join(c.Config.Data, store.FileName)+"?mode=ro&_pragma=busy_timeout(5000)")
	servicetest.Must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	lodgeAll(c)
	w := &walker{talk: k, t: t, h: h, db: db, tables: b, bodies: bodies, tally: y, named: map[string]bool{}, steps: map[string]int{}}
	for _, e := range parseConversation(t, file) {
		w.named[e.as] = true
	}
	posts := map[string]bool{}
	for _, id := range c.Directory.Accounts() {
		post := strings.Join(id.Roles, " ") + " of " + id.Institution
		if w.named[id.Account] || !posts[post] {
			w.people = append(w.people, id.Account)
		}
		posts[post] = true
	}
	return w
}

// lodgeAll takes the evidence that conversations name into the folder of everybody who may name any, so that a refusal has another reason.
func lodgeAll(c *servicetest.City) {
	for _, id := range c.Directory.Accounts() {
		_, _ = c.Papers.Lodge(context.Background(), id, "report.txt", "text/plain", []byte("One line."))
	}
}

// walk plays a conversation and tries everything wherever something changed.
func (w *walker) walk(all []exchange) {
	for _, e := range all {
		w.try()
		w.tryOwn(all)
		w.hold(w.t, e)
		if noun, _, _ := strings.Cut(w.tables.routes[pattern(e)], "."); noun != "" && strings.HasPrefix(e.status, "2") {
			w.steps[noun]++
		}
	}
	w.try()
	w.tryOwn(all)
}

// try tries every command on everything that the conversation has a number of, in the state that it is in.
func (w *walker) try() {
	for _, d := range w.documents() {
		place := places[d.kind][0]
		if p, ok := papers[d.noun]; ok {
			place = p
		}
		if place == "" {
			continue
		}
		w.stand(d)
		for _, route := range w.tables.changing(place) {
			w.everybody(d, route, w.bodies[inside.ReplaceAllString(route, "{id}")])
		}
	}
}

// tryOwn tries the conversation's own requests that name a thing in their bodies or none: before and after each step with that noun.
func (w *walker) tryOwn(all []exchange) {
	for _, e := range all {
		route := pattern(e)
		noun, _, _ := strings.Cut(w.tables.routes[route], ".")
		if w.tables.states[noun] == nil || strings.Contains(route, "{") || route == "POST /api/v1/conduct/complaints" { // the brake there is for all
			continue
		}
		w.everybody(paper{noun: noun, state: anyState, id: fmt.Sprint(w.steps[noun])}, route, []string{e.send})
	}
}

// everybody tries one command with each body that was ever sent with it.
func (w *walker) everybody(d paper, route string, bodies []string) {
	if len(bodies) == 0 { // nobody ever said it of the whole thing
		bodies = []string{""}
	}
	for i, sent := range bodies {
		body := w.fill(sent)
		if strings.Contains(body, "$") {
			continue
		}
		for _, account := range w.people {
			step := ""
			if d.state == anyState {
				step = w.name + d.id
			}
			if (i > 0 || d.state == anyState && d.id != "0") && !w.named[account] || !w.tally.fresh(strings.Join([]string{route, sent, d.noun, d.state, step, account}, "\x00")) {
				continue
			}
			w.n++
			w.cell(d, route, account, body)
		}
	}
}

func (w *walker) stand(d paper) {
	w.tally.mu.Lock()
	defer w.tally.mu.Unlock()
	if w.tally.stood[d.noun] == nil {
		w.tally.stood[d.noun] = map[string]bool{}
	}
	w.tally.stood[d.noun][d.state] = true
}

// documents are those of the conversation's values that the service has.
func (w *walker) documents() []paper {
	var out []paper
	for _, name := range slices.Sorted(maps.Keys(w.values)) {
		id := w.values[name]
		if len(id) > 80 {
			continue
		}
		rows, err := w.db.QueryContext(w.t.Context(), "SELECT kind, state, coalesce(json_extract(CAST(body AS TEXT), '$.noun'), '') FROM document WHERE id = ?", id)
		servicetest.Must(w.t, err)
		for rows.Next() {
			d := paper{id: id}
			servicetest.Must(w.t, rows.Scan(&d.kind, &d.state, &d.noun))
			if d.noun == "" {
				d.noun = places[d.kind][1]
			}
			out = append(out, d)
		}
		servicetest.Must(w.t, rows.Err())
	}
	return out
}

// inside are what a route names beside a thing's number: conditions of a grant have the number of the application before theirs.
var inside = regexp.MustCompile(`\{[a-z]+\}`) //nolint:gochecknoglobals // a constant pattern

// cell tries one command as one person and holds what happens to the tables of policy.
func (w *walker) cell(d paper, route, account, body string) {
	method, path, _ := strings.Cut(route, " ")
	what := fmt.Sprintf("%s as %s on %s/%s with %.120s", route, account, d.noun, d.state, body)
	action := w.tables.routes[route]
	try := &trial{}
	if d.kind != "" {
		try.target = [2]string{d.kind, d.id}
	}
	req := httptest.NewRequestWithContext(context.WithValue(w.t.Context(), trialKey{}, try), method, inside.ReplaceAllLiteralString(strings.Replace(path, "{id}", d.id, 1), w.fill("$draft-1")), strings.NewReader(expand(body)))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+w.token(account))
	lang := []string{"zh", "en"}[w.n%2]
	req.Header.Set("Accept-Language", lang)
	before := w.books()
	rec := httptest.NewRecorder()
	w.h.ServeHTTP(rec, req)
	w.tally.mu.Lock()
	w.tally.tried[action] = true
	w.tally.mu.Unlock()
	if try.done > 0 {
		w.tally.count("allowed")
		id, _ := w.city.Directory.Identity(account)
		may, to := w.tables.allows(action, d.state, id.Roles)
		of, _, _ := strings.Cut(strings.Replace(action, "agreement.", "application.", 1), ".")
		if of == d.noun && len(w.tables.moves[action]) > 0 && (!may || d.kind != "" && d.state != anyState && !slices.Contains(to, try.after)) {
			w.t.Errorf("%s: done, though policy's table leads to %v; now %q", what, to, try.after)
		}
		if w.tables.offices(action) && slices.ContainsFunc(elsewhere, func(a auth.Account) bool { return a.ID == account }) {
			w.t.Errorf("%s: done by an office of another place", what)
		}
		if try.silent {
			w.t.Errorf("%s: done, and the log does not know", what)
		}
		return
	}
	if rec.Code/100 == 2 {
		w.tally.count("nothing to do")
		return
	}
	w.refused(what, account, lang, rec, before)
}

// refused holds a refusal: one sentence in the reader's language, its rule, nothing changed but the refusal's own entry.
func (w *walker) refused(what, account, lang string, rec *httptest.ResponseRecorder, before [2]int64) {
	var doc struct {
		Code, Detail string
		Decision     *struct{ Reasons []struct{ Rule string } }
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &doc); err != nil || rec.Code >= 500 || doc.Code == "" || doc.Detail == "" {
		w.t.Errorf("%s: %d %.300s", what, rec.Code, rec.Body)
		return
	}
	w.tally.count(fmt.Sprint(rec.Code))
	if han := strings.ContainsFunc(doc.Detail, func(r rune) bool { return unicode.Is(unicode.Han, r) }); han != (lang == "zh") {
		w.t.Errorf("%s: the sentence is not in %s: %s", what, lang, doc.Detail)
	}
	if rec.Code == http.StatusForbidden && (doc.Decision == nil || len(doc.Decision.Reasons) == 0 || doc.Decision.Reasons[0].Rule == "") {
		w.t.Errorf("%s: forbidden without a rule: %s", what, rec.Body)
	}
	after := w.books()
	if after[0] != before[0] {
		w.t.Errorf("%s: refused with %d, and documents changed", what, rec.Code)
	}
	entries := 0
	servicetest.Must(w.t, w.city.Store().View(w.t.Context(), func(tx *store.Tx) error {
		all, refusals, err := outcomes(w.t.Context(), tx, before[1])
		if all != refusals {
			w.t.Errorf("%s: refused with %d, and the log has %d entries more, %d of them refusals", what, rec.Code, all, refusals)
		}
		entries = all
		return err
	}))
	if entries > 1 || rec.Code == http.StatusForbidden && entries != 1 {
		w.t.Errorf("%s: refused with %d, and the log has %d entries of it", what, rec.Code, entries)
	}
}

// books are the documents' revisions, apart from what the service does on its own after a wish or a notice, and the size of the log.
func (w *walker) books() (out [2]int64) {
	servicetest.Must(w.t, w.db.QueryRowContext(w.t.Context(),
		"SELECT coalesce(sum(rev), 0) + count(*) FROM document WHERE kind NOT LIKE 'notice%' AND kind NOT LIKE 'wish-%' AND kind NOT IN ('exclusions', 'extract-retired')").Scan(&out[0]))
	servicetest.Must(w.t, w.city.Store().View(w.t.Context(), func(tx *store.Tx) error {
		var err error
		out[1], err = tx.LogSize(w.t.Context())
		return err
	}))
	return out
}

// token is an account's session; all cities have one issuer's keys.
func (w *walker) token(account string) string {
	w.tally.mu.Lock()
	defer w.tally.mu.Unlock()
	if token, ok := w.tally.tokens[account]; ok {
		return token
	}
	password, ok := w.tally.words[account]
	if !ok {
		password = w.city.Passwords[account]
	}
	s, err := w.city.Issuer.Login(w.t.Context(), account, auth.Secret(password))
	servicetest.Must(w.t, err)
	w.tally.tokens[account] = s.Token.Reveal()
	return s.Token.Reveal()
}
