package httpapi_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"carrel/broker/audit"
	"carrel/broker/auth"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant/act"
	"carrel/broker/institution"
	"carrel/broker/service/servicetest"
	"carrel/broker/store"
	"carrel/policies"
)

// trial is a request that is tried: what it does is seen and undone.
type trial struct {
	mu     sync.Mutex
	target [2]string // kind and number of the document that it is about
	done   int       // transactions that did something
	after  string    // state of the target at the end of the first of them
	silent bool      // something was done without an entry in the log
}

type trialKey struct{}

// dryrun is a store in which trials leave nothing but their refusals.
type dryrun struct{ act.Store }

var errUndone = errors.New("tried and undone")

// Update implements act.Store.
func (d dryrun) Update(ctx context.Context, fn func(tx *store.Tx) error) error {
	try, ok := ctx.Value(trialKey{}).(*trial)
	if !ok {
		return d.Store.Update(ctx, fn)
	}
	return d.Store.Update(ctx, func(tx *store.Tx) error {
		from, err := tx.LogSize(ctx)
		if err != nil {
			return err
		}
		if err := fn(tx); err != nil {
			return err
		}
		entries, refusals, err := outcomes(ctx, tx, from)
		if err != nil || entries > 0 && entries == refusals {
			return err
		}
		var now struct{ State string }
		if try.target[1] != "" {
			if _, err := tx.Get(ctx, try.target[0], try.target[1], &now); err != nil {
				return err
			}
		}
		try.mu.Lock()
		defer try.mu.Unlock()
		if try.done++; try.done == 1 {
			try.after, try.silent = now.State, entries == 0
		}
		return errUndone
	})
}

// outcomes count the log's entries from one on, and those that are refusals.
func outcomes(ctx context.Context, tx *store.Tx, from int64) (entries, refusals int, err error) {
	to, err := tx.LogSize(ctx)
	for i := from; i < to && err == nil; i++ {
		var leaf []byte
		if leaf, err = tx.LogLeaf(ctx, i); err != nil {
			break
		}
		var e audit.Entry
		e, err = audit.ParseLeaf(leaf)
		entries++
		if e.Outcome == "refused" {
			refusals++
		}
	}
	return entries, refusals, err
}

// move is one row of policy's tables: who may lead what from where to where.
type move struct {
	from, to string // "*" is any state; to "" stays
	roles    []string
}

// tables are policy's own, by the action that routes name; states are every noun's.
type tables struct {
	moves  map[string][]move
	states map[string]map[string]bool
	routes map[string]string
}

// row is a row in any of the spellings that the tables have.
type row struct {
	Noun    string          `json:"noun"`
	From    json.RawMessage `json:"from"`
	Command string          `json:"command"`
	To      string          `json:"to"`
	Roles   []string        `json:"roles"`
}

func (r row) froms(t *testing.T) []string {
	var one string
	var many []string
	switch {
	case len(r.From) == 0:
		return []string{"*"}
	case json.Unmarshal(r.From, &one) == nil:
		return []string{one}
	}
	servicetest.Must(t, json.Unmarshal(r.From, &many))
	return many
}

func read[T any](t *testing.T, name string) T {
	t.Helper()
	var out struct{ Carrel map[string]T }
	raw, err := fs.ReadFile(policies.FS(), name+".json")
	servicetest.Must(t, err)
	servicetest.Must(t, json.Unmarshal(raw, &out))
	return out.Carrel[name]
}

func policyTables(t *testing.T) tables {
	out := tables{moves: map[string][]move{}, states: map[string]map[string]bool{}, routes: read[map[string]string](t, "routes")}
	add := func(noun, action string, r row) {
		if out.states[noun] == nil {
			out.states[noun] = map[string]bool{}
		}
		for _, from := range r.froms(t) {
			out.moves[action] = append(out.moves[action], move{from, r.To, r.Roles})
			if action == "rules.restore" { // what was in force before has the same address
				out.moves["rules.activate"] = append(out.moves["rules.activate"], move{from, r.To, r.Roles})
			}
			if from != "" && from != "*" {
				out.states[noun][from] = true
			}
		}
		if r.To != "" {
			out.states[noun][r.To] = true
		}
	}
	for machine, m := range read[map[string]struct{ Transitions []row }](t, "workflow") {
		for _, r := range m.Transitions {
			noun := machine
			if machine == "cross-border" {
				noun = "abroad"
			}
			action := noun + "." + r.Command
			if action == "application.sign" {
				action = "agreement.sign"
			}
			add(noun, action, r)
		}
	}
	for _, book := range []string{"matters", "boards", "amendments", "holdings"} {
		for action, r := range read[struct{ Acts map[string]row }](t, book).Acts {
			noun, _, _ := strings.Cut(action, ".")
			add(noun, action, r)
		}
	}
	return out
}

// anyState is that of a thing which a request names in its body or not at all.
const anyState = "?"

// allows says whether the table of an action has a row for somebody of these roles in this state, and where such rows lead.
func (b tables) allows(action, state string, roles []string) (bool, []string) {
	var to []string
	found := false
	for _, m := range b.moves[action] {
		if m.from != "*" && m.from != state && state != anyState {
			continue
		}
		if len(m.roles) > 0 && !slices.Contains(m.roles, "*") && !slices.ContainsFunc(m.roles, func(r string) bool { return slices.Contains(roles, r) }) {
			continue
		}
		found = true
		to = append(to, m.to)
		if m.to == "" {
			to = append(to, state)
		}
	}
	return found, to
}

// offices says whether an act of conduct is for offices, of which each has its own territory. All that conversations speak of lies in the
// city's.
func (b tables) offices(action string) bool {
	noun, _, _ := strings.Cut(action, ".")
	return slices.Contains([]string{"credit", "measure", "duty", "incident", "report", "assessment", "complaint"}, noun) &&
		!slices.ContainsFunc(b.moves[action], func(m move) bool { return slices.Contains(m.roles, "*") })
}

// changing are the routes that change one thing of a noun, by the place under which the noun has its addresses.
func (b tables) changing(place string) []string {
	var out []string
	for _, route := range slices.Sorted(maps.Keys(b.routes)) {
		method, path, _ := strings.Cut(route, " ")
		_, ok := strings.CutPrefix(path, "/api/v1/"+place+"/{id}")
		if ok && method != http.MethodGet {
			out = append(out, route)
		}
	}
	return out
}

const otherRegion = "420100"

// settle lets the people from elsewhere live in a service that was not opened yet: accounts, houses in the register, trainings and
// declarations, as the first start enters the city's own. Without them it is their standing that would keep them out.
func (y *tally) settle(t *testing.T, data string) {
	t.Helper()
	file := filepath.Join(data, "keys", "accounts.json")
	raw, err := os.ReadFile(file)
	servicetest.Must(t, err)
	var accounts []auth.Account
	servicetest.Must(t, json.Unmarshal(raw, &accounts))
	raw, err = json.Marshal(append(accounts, y.people...))
	servicetest.Must(t, err)
	servicetest.Must(t, os.WriteFile(file, raw, 0o600))
	db, err := sql.Open("sqlite", "file:"+filepath.Join(data, store.FileName))
	servicetest.Must(t, err)
	defer func() { servicetest.Must(t, db.Close()) }()
	put := func(kind, id, owner, state string, doc any) {
		body, err := json.Marshal(doc)
		servicetest.Must(t, err)
		_, err = db.ExecContext(t.Context(), "INSERT OR IGNORE INTO document (kind, id, rev, owner, state, parent, created, updated, body) VALUES (?, ?, 1, ?, ?, '', 0, 0, ?)", kind, id, owner, state, body)
		servicetest.Must(t, err)
	}
	for _, a := range y.people {
		put(institution.DocKind, a.Institution, "", "city", institution.Institution{ID: a.Institution, NameZH: "外市机构", NameEN: "Other house", Level: "city", Region: otherRegion,
			Supervisor: "other-commission", Department: "数据管理处", Post: "数据管理岗", Revision: 1})
		for _, sort := range []string{"training", "declaration"} {
			party := "person/" + a.ID
			put(matter.DocKind(matter.Duty), "du-"+sort+"-"+a.ID, party, "held", &matter.Matter{ID: "du-" + sort + "-" + a.ID, Noun: matter.Duty, Sort: sort, State: "held", Party: party,
				Unit: a.Institution, From: "2026-01-01", Until: "2036-12-31", Texts: map[string]matter.Text{}})
		}
	}
}
