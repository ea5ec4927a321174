package application

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/lookup"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// lineKind is the kind of the small documents that lists are made of: an application with its votes, texts and clock is a hundred
// times as long as its line.
const lineKind = "application-line"

// listMax bounds one page.
const listMax = 200

// line is what lists show of an application, and what says who may see it.
type line struct {
	Object   policy.Object `json:"object"`
	Kind     string        `json:"kind"`
	Purpose  string        `json:"purpose"`
	Datasets []string      `json:"datasets"`
	Title    store.TextRef `json:"title,omitzero"`
	Grant    string        `json:"grant,omitempty"`
	Due      policy.Date   `json:"due,omitempty"`
	Revision int64         `json:"revision"`
	Created  time.Time     `json:"created"`
}

func (a *Application) line(rev int64) line {
	l := line{Object: a.Object(), Kind: a.Facts.Kind, Purpose: a.Facts.Purpose, Datasets: []string{}, Title: a.Texts[TextTitle], Grant: a.Grant, Due: a.Clock.Due,
		Revision: rev, Created: a.Created}
	for _, wish := range a.Facts.Wishes {
		l.Datasets = append(l.Datasets, wish.Dataset)
	}
	return l
}

// put stores an application and its line; rev is the revision that was read, 0 for a new one.
func put(ctx context.Context, tx *store.Tx, a *Application, rev int64) error {
	if err := tx.Put(ctx, DocKind, a.ID, rev, a.index(), a); err != nil {
		return err
	}
	return putLine(ctx, tx, a, rev+1)
}

func putLine(ctx context.Context, tx *store.Tx, a *Application, rev int64) error {
	was, err := tx.Get(ctx, lineKind, a.ID, nil)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("application: line: %w", err)
	}
	return tx.Put(ctx, lineKind, a.ID, was, a.index(), a.line(rev))
}

// Item is one line of a list.
type Item struct {
	ID          string           `json:"id"`
	State       string           `json:"state"`
	StateText   policy.Text      `json:"state_text"`
	Kind        string           `json:"kind"`
	Purpose     string           `json:"purpose"`
	Lead        string           `json:"lead"`
	Institution string           `json:"institution"`
	Datasets    []string         `json:"datasets"`
	Title       string           `json:"title"`
	Grant       string           `json:"grant,omitempty"`
	Revision    int64            `json:"revision"`
	Commands    []policy.Command `json:"commands"` // of an inbox: what the person may do now
	Due         policy.Date      `json:"due,omitempty"`
	Overdue     bool             `json:"overdue,omitempty"`
}

// Search is which applications are wanted. Zero members want all.
type Search struct {
	Words string // each must stand in number, title, lead, institution, dataset or state
	State string
	After string // number of the last item of the page before
	Limit int    // 1 to 200; 0 is 50
	Inbox bool   // only where policy lets this person do something that others wait for
	Whole bool   // to the end, however many there are: what is due first is often the oldest
}

// List shows the applications that the person may see, newest first.
func (s *Service) List(ctx context.Context, id auth.Identity, q Search) ([]Item, error) {
	if q.Limit <= 0 {
		q.Limit = 50
	}
	q.Limit = min(q.Limit, listMax)
	if q.Whole {
		q.Limit = math.MaxInt
	}
	out := []Item{}
	step := act.Step{Kind: "application.listed", Object: "application"}
	err := s.desk.Browse(ctx, id, step, func(tx *store.Tx) (policy.Decision, error) {
		dec, err := s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "application.list"})
		if err != nil {
			return dec, err
		}
		w, err := s.workflow(ctx)
		if err != nil {
			return dec, err
		}
		if _, ok := w.States[q.State]; !ok && q.State != "" && dec.Allow {
			all := strings.Join(slices.Sorted(maps.Keys(w.States)), ", ")
			return dec, problem.New(problem.Invalid, "没有这一状态；状态有："+all+"。", "There is no such state; the states are "+all+".")
		}
		l := &lister{s: s, tx: tx, id: id, w: w, q: q, words: s.lines.lens.Words(q.Words), named: map[string]string{}, said: map[string]bool{}, related: map[relation]bool{}}
		out, err = l.page(ctx)
		return dec, err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// linesKept bounds how many lines are kept in memory, about a kilobyte each.
const linesKept = 20_000

// lineCache keeps what was read of the lines, each under the revision that it was read at, so that a list reads what has changed since.
// Titles are not among them: what was erased is nowhere. Of a title there is a gist, which says under a key of this process what it
// cannot hold; whether it holds it, and what it is, the store alone says.
type lineCache struct {
	lens *lookup.Lens

	mu    sync.Mutex
	kept  map[string]keptLine
	gists map[string]lookup.Gist // by the number of the title's text, which never changes
}

type keptLine struct {
	rev int64
	*seenLine
}

// seenLine is a line with what a search reads of it.
type seenLine struct {
	line
	text string // folded: all that is searched but the title and the state's name, which policy may change
}

// get is the line of a document that was listed without its body.
func (k *lineCache) get(ctx context.Context, tx *store.Tx, d store.Doc) (*seenLine, error) {
	k.mu.Lock()
	have, ok := k.kept[d.ID]
	k.mu.Unlock()
	if ok && have.rev == d.Rev {
		return have.seenLine, nil
	}
	x := new(seenLine)
	rev, err := tx.Get(ctx, lineKind, d.ID, &x.line)
	if err != nil {
		return nil, fmt.Errorf("application: line: %w", err)
	}
	o := x.Object
	x.text = lookup.Fold(strings.Join(append([]string{o.ID, o.Owner, o.Institution, o.State, x.Grant}, x.Datasets...), "\n"))
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.kept) >= linesKept {
		clear(k.kept)
	}
	k.kept[d.ID] = keptLine{rev, x}
	return x, nil
}

// gist of the title of a line, when it was read before.
func (k *lineCache) gist(x *seenLine) (lookup.Gist, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	g, known := k.gists[x.Title.ID]
	return g, known
}

// read keeps the gists of titles that were read.
func (k *lineCache) read(titles map[string]string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.gists) >= linesKept {
		clear(k.gists)
	}
	for id, t := range titles {
		if _, known := k.gists[id]; !known {
			k.gists[id] = k.lens.Text(lookup.Fold(t))
		}
	}
}

// lister makes one page for one person.
type lister struct {
	s     *Service
	tx    *store.Tx
	id    auth.Identity
	w     workflow
	q     Search
	words []lookup.Word
	named map[string]string // folded names of states
	// Policy's answers of this page: by the application, and by what an application is to this person.
	said    map[string]bool
	related map[relation]bool
}

// page goes through the lines, newest first, until it is full.
func (l *lister) page(ctx context.Context) ([]Item, error) {
	out, after := []Item{}, l.q.After
	for {
		docs, err := l.tx.List(ctx, lineKind, store.Filter{State: l.q.State, After: after, Limit: store.ListMax, Newest: true, Bare: true})
		if err != nil {
			return nil, fmt.Errorf("application: list: %w", err)
		}
		lines, err := l.candidates(ctx, docs)
		if err != nil {
			return nil, err
		}
		titles, err := l.titles(ctx, lines)
		if err != nil {
			return nil, err
		}
		for _, x := range lines {
			item, ok, err := l.item(ctx, x, titles[x.Title.ID])
			if err != nil {
				return nil, err
			}
			if ok {
				out = append(out, item)
			}
			if len(out) == l.q.Limit {
				return out, nil
			}
		}
		if len(docs) < store.ListMax {
			return out, nil
		}
		after = docs[len(docs)-1].ID
	}
}

// candidates are the lines that the person may see, as far as their relation to her says, and that the words may stand in.
func (l *lister) candidates(ctx context.Context, docs []store.Doc) ([]*seenLine, error) {
	out := make([]*seenLine, 0, len(docs))
	for _, d := range docs {
		x, err := l.s.lines.get(ctx, l.tx, d)
		if err != nil {
			return nil, err
		}
		ok, err := l.relates(ctx, x.Object)
		if err != nil {
			return nil, err
		}
		if ok && l.mayMatch(x) {
			out = append(out, x)
		}
	}
	return out, nil
}

// others stands for everybody else in an object that is reduced to its relation to one person.
const others = "(others)"

// relation is what an application is to one person: whose it is beside hers does not matter. Rules of access compare owner, team and
// institutions with the subject and with nothing else, so all applications of one relation have one answer; an item that is shown was
// asked for by itself all the same.
type relation struct {
	id, owner, institution, state, reviews string
	team, dataOwner, party                 bool
}

func (l *lister) relation(o policy.Object) relation {
	mine := func(v, me string) string {
		if v == me || v == "" {
			return v
		}
		return others
	}
	ours := func(list []string) bool {
		return slices.ContainsFunc(list, func(house string) bool { return l.s.desk.Same(house, l.id.Institution) })
	}
	r := relation{owner: mine(o.Owner, l.id.Account), institution: o.Institution, state: o.State, reviews: strings.Join(o.Reviews, "\n"),
		team: slices.Contains(o.Team, l.id.Account), dataOwner: ours(o.DataOwners), party: ours(o.Parties)}
	switch {
	case ours([]string{o.Institution}):
		r.institution = l.id.Institution
	case o.Institution != "":
		r.institution = others
	}
	if len(l.id.Mandate.Invitations) > 0 { // those are for one application each
		r.id = o.ID
	}
	return r
}

// relates asks policy about the object as it relates to this person, once for each relation.
func (l *lister) relates(ctx context.Context, o policy.Object) (bool, error) {
	r := l.relation(o)
	if allow, asked := l.related[r]; asked {
		return allow, nil
	}
	only := func(is bool, me string) policy.List[string] {
		if is {
			return policy.List[string]{me}
		}
		return nil
	}
	allow, err := l.sees(ctx, policy.Object{Kind: o.Kind, ID: r.id, Owner: r.owner, Team: only(r.team, l.id.Account), Institution: r.institution,
		DataOwners: only(r.dataOwner, l.id.Institution), Reviews: o.Reviews, Parties: only(r.party, l.id.Institution), State: o.State})
	if err == nil {
		l.related[r] = allow
	}
	return allow, err
}

// sees asks policy, once for objects that are the same.
func (l *lister) sees(ctx context.Context, o policy.Object) (bool, error) {
	key := fmt.Sprintf("%q %q %q %q %q %q %q %q", o.ID, o.Owner, o.Team, o.Institution, o.DataOwners, o.Reviews, o.Parties, o.State)
	if allow, asked := l.said[key]; asked {
		return allow, nil
	}
	dec, err := l.s.desk.Policy.Decide(ctx, policy.AccessQuestion{At: l.s.desk.Moment(), Subject: l.id.Subject(), Action: "application.read", Object: o})
	if err != nil {
		return false, fmt.Errorf("application: ask policy: %w", err)
	}
	l.said[key] = dec.Allow
	return dec.Allow, nil
}

// titles reads the titles that are shown or searched, at once.
func (l *lister) titles(ctx context.Context, lines []*seenLine) (map[string]string, error) {
	if len(l.words) == 0 && !l.q.Inbox && len(lines) > l.q.Limit { // the page takes no more than these
		lines = lines[:l.q.Limit]
	}
	ids := make([]string, 0, len(lines))
	for _, x := range lines {
		if x.Title.ID != "" {
			ids = append(ids, x.Title.ID)
		}
	}
	titles, err := l.tx.Texts(ctx, ids)
	if err == nil {
		l.s.lines.read(titles)
	}
	return titles, err
}

// matches says whether every word of the search stands somewhere in the line.
func (l *lister) matches(x *seenLine, title string) bool {
	title = lookup.Fold(title)
	return l.all(x, func(w *lookup.Word) bool { return w.Holds(title) })
}

// mayMatch says it as far as the gist of the title does.
func (l *lister) mayMatch(x *seenLine) bool {
	return l.all(x, func(w *lookup.Word) bool {
		g, known := l.s.lines.gist(x)
		return x.Title.ID != "" && (!known || g.Admits(w))
	})
}

// all asks about the title for the words that stand nowhere else in the line.
func (l *lister) all(x *seenLine, inTitle func(*lookup.Word) bool) bool {
	for i := range l.words {
		w := &l.words[i]
		if !w.Holds(x.text) && !w.Holds(l.name(x.Object.State)) && !inTitle(w) {
			return false
		}
	}
	return true
}

// name is what a state is called in both languages, folded.
func (l *lister) name(state string) string {
	n, ok := l.named[state]
	if !ok {
		text := l.w.States[state]
		n = lookup.Fold(text.ZH + "\n" + text.EN)
		l.named[state] = n
	}
	return n
}

// item is a line as it is shown, when it is.
func (l *lister) item(ctx context.Context, x *seenLine, title string) (Item, bool, error) {
	if !l.matches(x, title) {
		return Item{}, false, nil
	}
	o := x.Object
	item := Item{ID: o.ID, State: o.State, StateText: l.w.States[o.State], Kind: x.Kind, Purpose: x.Purpose, Lead: o.Owner, Institution: o.Institution, Datasets: x.Datasets,
		Title: title, Grant: x.Grant, Revision: x.Revision, Due: x.Due, Overdue: x.Due != "" && x.Due < policy.DateOf(l.s.desk.Now()), Commands: []policy.Command{}}
	if l.q.Inbox {
		waits, err := l.commands(ctx, &item)
		if err != nil || !waits {
			return item, false, err
		}
	}
	allow, err := l.sees(ctx, o)
	return item, allow, err
}

// commands fills in what the person may do, and says whether others wait for any of it. Where no row of the workflow's table names
// a role of hers there is nothing to ask; an invitation brings a review without the role.
func (l *lister) commands(ctx context.Context, item *Item) (bool, error) {
	if len(l.id.Mandate.Invitations) == 0 && !slices.ContainsFunc(l.w.Transitions, func(t transition) bool {
		return t.From == item.State && slices.ContainsFunc(t.Roles, func(r string) bool { return slices.Contains(l.id.Roles, r) })
	}) {
		return false, nil
	}
	a, _, err := load(ctx, l.tx, item.ID)
	if err != nil {
		return false, err
	}
	if item.Commands, err = l.s.commands(ctx, l.id, a); err != nil {
		return false, err
	}
	return slices.ContainsFunc(item.Commands, func(c policy.Command) bool { return !slices.Contains(l.w.Optional, c.Command) }), nil
}

// Lines writes the lines of applications that were stored before there were lines. It is done once, at start.
func (s *Service) Lines(ctx context.Context) error {
	const mark = "application-lines"
	err := s.desk.Store.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Get(ctx, mark, "1", nil); !errors.Is(err, store.ErrNotFound) {
			return err
		}
		for after := ""; ; {
			docs, err := tx.List(ctx, DocKind, store.Filter{After: after, Limit: store.ListMax})
			if err != nil {
				return err
			}
			for _, d := range docs {
				a := new(Application)
				if err := d.Decode(a); err != nil {
					return err
				}
				if err := putLine(ctx, tx, a, d.Rev); err != nil {
					return err
				}
				after = d.ID
			}
			if len(docs) < store.ListMax {
				return tx.Put(ctx, mark, "1", 0, store.Index{}, struct{}{})
			}
		}
	})
	if err != nil {
		return fmt.Errorf("application: write the lines of lists: %w", err)
	}
	return nil
}
