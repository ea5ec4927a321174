package register

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"carrel/anonymize/ledger"
	"carrel/broker/catalogue"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/resident"
	"carrel/broker/store"
)

// holdings is all that goes over with a unit, by section. The order inside a section is that of the store, and the hash of a section is
// over its items in that order.
type holdings struct {
	Datasets []dataset        `json:"datasets"`
	Extracts []moved          `json:"extracts"`
	Grants   []papered        `json:"grants"`
	Accounts []ledger.Account `json:"accounts"`
	Records  []ledger.Record  `json:"records"`
	Duties   []papered        `json:"duties"`
	Persons  []persons        `json:"persons"`

	lists []*resident.Carried // of the persons; sealed, and not on the list
}

// dataset is an entry with its versions.
type dataset struct {
	ID          string                 `json:"id"`
	Source      string                 `json:"source"`
	Current     *catalogue.Extract     `json:"current,omitempty"`
	Past        []catalogue.Extract    `json:"past,omitempty"`
	Assessments []catalogue.Assessment `json:"assessments,omitempty"`
}

// moved is an extract: its fingerprint does not depend on whom it is sealed to.
type moved struct {
	Dataset     string `json:"dataset"`
	Manifest    string `json:"manifest"`
	Version     int64  `json:"version"`
	Fingerprint string `json:"fingerprint"`
}

// papered is a document with the texts that people wrote about it: in the store a text lies apart, so that it can be erased.
type papered struct {
	ID     string            `json:"id"`
	Owner  string            `json:"owner"`
	State  string            `json:"state"`
	Parent string            `json:"parent"`
	Body   json.RawMessage   `json:"body"`
	Texts  map[string]string `json:"texts,omitempty"` // by the number of the text there; an erased one is not in it
}

// Section is one line of the list that both sides sign.
type Section struct {
	Name   string `json:"name"`
	Count  int    `json:"count"`
	SHA256 string `json:"sha256"`
}

// sections counts and hashes what is held.
func (h *holdings) sections() ([]Section, error) {
	var out []Section
	add := func(name string, count int, items any) error {
		raw, err := json.Marshal(items)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(raw)
		out = append(out, Section{Name: name, Count: count, SHA256: "sha256:" + hex.EncodeToString(sum[:])})
		return nil
	}
	err := errors.Join(add("datasets", len(h.Datasets), h.Datasets), add("extracts", len(h.Extracts), h.Extracts), add("grants", len(h.Grants), h.Grants),
		add("accounts", len(h.Accounts), h.Accounts), add("records", len(h.Records), h.Records), add("duties", len(h.Duties), h.Duties), add("persons", len(h.Persons), h.Persons))
	return out, err
}

// unlike names the sections that two lists do not agree on.
func unlike(a, b []Section) []string {
	var out []string
	for _, x := range a {
		if !slices.Contains(b, x) {
			out = append(out, x.Name)
		}
	}
	for _, x := range b {
		if !slices.ContainsFunc(a, func(y Section) bool { return y.Name == x.Name }) {
			out = append(out, clip(x.Name))
		}
	}
	return out
}

// collect reads all that a unit holds. Strangers are other units whose data draw on the same budgets: a budget has one keeper.
func (s *Service) collect(ctx context.Context, tx *store.Tx, unit string) (*holdings, []string, error) {
	entries, err := s.c.Catalogue.List(ctx, act.CatalogueTx{Tx: tx})
	if err != nil {
		return nil, nil, err
	}
	h, universes, sets := &holdings{Datasets: []dataset{}, Extracts: []moved{}, Grants: []papered{}, Accounts: []ledger.Account{}, Records: []ledger.Record{}, Duties: []papered{}, Persons: []persons{}}, []string{}, map[string]bool{}
	for _, e := range entries {
		if e.Dataset.Owner != unit || e.Transferred != "" {
			continue
		}
		sets[e.Dataset.ID] = true
		if u := grant.Universe(e.Dataset.Universe); !slices.Contains(universes, u) {
			universes = append(universes, u)
		}
		if err := errors.Join(h.dataset(s.c.Extracts, e), h.carry(ctx, tx, s.c.Residents, e)); err != nil {
			return nil, nil, err
		}
	}
	var strangers []string
	for _, e := range entries {
		if e.Dataset.Owner != unit && slices.Contains(universes, grant.Universe(e.Dataset.Universe)) {
			strangers = append(strangers, e.Dataset.Owner)
		}
	}
	others, err := h.grants(ctx, tx, sets, unit)
	if err != nil {
		return nil, nil, err
	}
	if err := h.ledger(ctx, tx, universes); err != nil {
		return nil, nil, err
	}
	strangers = append(strangers, others...)
	slices.Sort(strangers)
	return h, slices.Compact(strangers), h.duties(ctx, tx, unit)
}

func (h *holdings) dataset(x Extracts, e *catalogue.Entry) error {
	h.Datasets = append(h.Datasets, dataset{ID: e.Dataset.ID, Source: e.Source, Current: e.Current, Past: e.Past, Assessments: e.Assessments})
	all := e.Past
	if e.Current != nil {
		all = append(slices.Clone(all), *e.Current)
	}
	for _, v := range all {
		if slices.ContainsFunc(h.Extracts, func(m moved) bool { return m.Manifest == v.ManifestID }) {
			continue
		}
		f, err := x.Fingerprint(v.Dir)
		if err != nil {
			return err
		}
		h.Extracts = append(h.Extracts, moved{Dataset: e.Dataset.ID, Manifest: v.ManifestID, Version: v.Version, Fingerprint: f})
	}
	return nil
}

// grants takes those under which the unit's data are used, ended ones too, and names the other owners in them.
func (h *holdings) grants(ctx context.Context, tx *store.Tx, sets map[string]bool, unit string) ([]string, error) {
	var others []string
	err := each(ctx, tx, grant.DocKind, store.Filter{}, func(d store.Doc) error {
		var g grant.Grant
		if err := d.Decode(&g); err != nil {
			return err
		}
		if !slices.ContainsFunc(g.Datasets, func(id string) bool { return sets[id] }) {
			return nil
		}
		for _, o := range g.DataOwners {
			if o != unit {
				others = append(others, o)
			}
		}
		var refs []store.TextRef
		refs = append(refs, g.Conditions...)
		p, err := paper(ctx, tx, d, refs)
		h.Grants = append(h.Grants, p)
		return err
	})
	return others, err
}

// duties are those that the unit owes as an institution.
func (h *holdings) duties(ctx context.Context, tx *store.Tx, unit string) error {
	return each(ctx, tx, matter.DocKind(matter.Duty), store.Filter{Owner: "institution/" + unit}, func(d store.Doc) error {
		var m matter.Matter
		if err := d.Decode(&m); err != nil {
			return err
		}
		var refs []store.TextRef
		for _, t := range m.Texts {
			refs = append(refs, t.TextRef)
		}
		p, err := paper(ctx, tx, d, refs)
		h.Duties = append(h.Duties, p)
		return err
	})
}

func each(ctx context.Context, tx *store.Tx, kind string, f store.Filter, fn func(store.Doc) error) error {
	for f.Limit = store.ListMax; ; {
		docs, err := tx.List(ctx, kind, f)
		if err != nil {
			return err
		}
		for _, d := range docs {
			if err := fn(d); err != nil {
				return err
			}
			f.After = d.ID
		}
		if len(docs) < f.Limit {
			return nil
		}
	}
}

func paper(ctx context.Context, tx *store.Tx, d store.Doc, refs []store.TextRef) (papered, error) {
	p := papered{ID: d.ID, Owner: d.Owner, State: d.State, Parent: d.Parent, Body: d.Body, Texts: map[string]string{}}
	for _, r := range refs {
		t, err := tx.GetText(ctx, r.ID)
		if errors.Is(err, store.ErrErased) {
			continue
		}
		if err != nil {
			return p, err
		}
		p.Texts[r.ID] = t
	}
	return p, nil
}

// ledger takes whole universes: the budget root, all accounts below, and every record of them. Nothing may be under way.
func (h *holdings) ledger(ctx context.Context, tx *store.Tx, universes []string) error {
	of := map[string]bool{}
	for _, u := range universes {
		root, err := tx.LedgerAccount(ctx, u)
		if err != nil {
			return err
		}
		below, err := tx.LedgerAccounts(ctx, u)
		if err != nil {
			return err
		}
		for _, a := range append([]ledger.Account{root}, below...) {
			of[a.ID] = true
			h.Accounts = append(h.Accounts, a)
		}
	}
	for _, state := range []ledger.State{ledger.StatePlanned, ledger.StateCharged, ledger.StateStarted, ledger.StateRecorded, ledger.StateDelivered, ledger.StateForfeited} {
		all, err := tx.LedgerRecords(ctx, state)
		if err != nil {
			return err
		}
		for _, r := range all {
			if !of[r.Grant] {
				continue
			}
			if state == ledger.StateCharged || state == ledger.StateStarted {
				return problem.New(problem.Conflict, "仍有查询在进行；请稍后再试。", "Questions are under way; try again in a moment.")
			}
			h.Records = append(h.Records, r)
		}
	}
	return nil
}

// freeze ends all use here: no charge is made from the moment the list is made.
func (s *Service) freeze(ctx context.Context, tx *store.Tx, h *holdings, to string) error {
	for _, a := range h.Accounts {
		if a.Closed || a.Frozen {
			continue
		}
		if err := s.c.Ledger.Freeze(ctx, tx, a.ID, true); err != nil {
			return fmt.Errorf("register: freeze: %w", err)
		}
	}
	for _, d := range h.Datasets {
		e, rev, err := s.c.Catalogue.Get(ctx, act.CatalogueTx{Tx: tx}, d.ID)
		if err != nil {
			return err
		}
		e.Transferred = to
		if err := s.c.Catalogue.Keep(ctx, act.CatalogueTx{Tx: tx}, e, rev); err != nil {
			return err
		}
	}
	for _, c := range h.lists {
		if err := s.c.Residents.Leave(ctx, tx, c); err != nil {
			return err
		}
	}
	return nil
}

// collisions names what is here already under a number of the list.
func (h *holdings) collisions(ctx context.Context, tx *store.Tx) ([]string, error) {
	var out []string
	look := func(name string, err error, missing error) error {
		if err == nil {
			out = append(out, name)
			return nil
		}
		if errors.Is(err, missing) {
			return nil
		}
		return err
	}
	for _, d := range h.Datasets {
		_, err := tx.Get(ctx, act.DatasetKind, d.ID, nil)
		if err := look("dataset/"+d.ID, err, store.ErrNotFound); err != nil {
			return nil, err
		}
	}
	for _, a := range h.Accounts {
		_, err := tx.LedgerAccount(ctx, a.ID)
		if err := look(a.ID, err, ledger.ErrNotFound); err != nil {
			return nil, err
		}
	}
	for _, g := range h.Grants {
		_, err := tx.Get(ctx, grant.DocKind, g.ID, nil)
		if err := look("grant/"+g.ID, err, store.ErrNotFound); err != nil {
			return nil, err
		}
	}
	for _, d := range h.Duties {
		_, err := tx.Get(ctx, matter.DocKind(matter.Duty), d.ID, nil)
		if err := look("duty/"+d.ID, err, store.ErrNotFound); err != nil {
			return nil, err
		}
	}
	return out[:min(len(out), 5)], nil
}

// heir puts the new owner into an entry's text, where the owner stands and nowhere else.
func heir(source, from, to string) (string, bool) {
	lines := strings.Split(source, "\n")
	n := 0
	for i, l := range lines {
		if rest, ok := strings.CutPrefix(l, "owner:"); ok && strings.Trim(strings.TrimSpace(rest), `"'`) == from {
			lines[i] = "owner: " + to
			n++
		}
	}
	return strings.Join(lines, "\n"), n == 1
}
