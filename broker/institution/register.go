package institution

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"carrel/broker/store"
	"carrel/policy"
	"carrel/policy/informed"
)

// DocKind is the kind of an institution's document in the store.
const DocKind = "institution"

// Store is what the register reads from.
type Store interface {
	View(ctx context.Context, fn func(tx *store.Tx) error) error
}

// Register is the register in memory. It is safe for concurrent use.
type Register struct {
	store Store
	mu    sync.RWMutex
	all   map[string]Institution
	heirs map[string]string   // of those that have a successor: the one at the end of the line
	from  map[string][]string // the same the other way round, sorted
	err   error
}

// Open reads the whole register.
func Open(ctx context.Context, s Store) (*Register, error) {
	r := &Register{store: s}
	if err := r.Refresh(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// Refresh reads the register again, after a commit that changed it. When that fails no decision is made until a Refresh
// succeeds: an operator whose commission ended does not go on because a disk failed.
func (r *Register) Refresh(ctx context.Context) error {
	all := map[string]Institution{}
	err := r.store.View(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		return each(ctx, tx, func(i Institution) error {
			all[i.ID] = i
			return nil
		})
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all, r.err = all, err
	r.heirs, r.from = lines(all)
	return err
}

// lines follows every successor to the end of its line. A line that comes back to itself has no end, and nobody succeeds.
func lines(all map[string]Institution) (heirs map[string]string, from map[string][]string) {
	heirs, from = map[string]string{}, map[string][]string{}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		last, steps := id, 0
		for all[last].Successor != "" && steps <= len(all) {
			last, steps = all[last].Successor, steps+1
		}
		if last != id && steps <= len(all) {
			heirs[id] = last
			from[last] = append(from[last], id)
		}
	}
	return heirs, from
}

// Heir is the institution that has the rights and duties of this one now: itself, or whom it was merged into.
func (r *Register) Heir(id string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if now, ok := r.heirs[id]; ok {
		return now
	}
	return id
}

// merged says whether anybody has a successor.
func (r *Register) merged() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.heirs) > 0
}

func each(ctx context.Context, tx *store.Tx, fn func(Institution) error) error {
	f := store.Filter{Limit: store.ListMax}
	for {
		docs, err := tx.List(ctx, DocKind, f)
		if err != nil {
			return fmt.Errorf("institution: list: %w", err)
		}
		for _, d := range docs {
			var i Institution
			if err := d.Decode(&i); err != nil {
				return fmt.Errorf("institution: %w", err)
			}
			if err := fn(i); err != nil {
				return err
			}
			f.After = d.ID
		}
		if len(docs) < f.Limit {
			return nil
		}
	}
}

// Get is an institution as it is on the register.
func (r *Register) Get(id string) (Institution, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	i, ok := r.all[id]
	return i, ok && r.err == nil
}

// All are all institutions, by number.
func (r *Register) All() []Institution {
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := make([]Institution, 0, len(r.all))
	for _, id := range slices.Sorted(maps.Keys(r.all)) {
		out = append(out, r.all[id])
	}
	return out
}

// Unit is an institution as rules see it; who is not on the register is unknown.
func (r *Register) Unit(id string) policy.Unit {
	r.mu.RLock()
	defer r.mu.RUnlock()
	i, ok := r.all[id]
	if !ok || r.err != nil {
		return policy.Unit{ID: id, State: policy.UnitUnknown}
	}
	u := i.Unit()
	u.Absorbed = r.from[id]
	if now, ok := r.heirs[u.Principal]; ok { // a commission goes over with who gave it
		u.Principal = now
	}
	if r.all[u.Principal].Ended != "" { // and ends with it
		u.Principal = ""
	}
	return u
}

// inform fills in a subject's institution, and overwrites whatever a caller put there.
func (r *Register) inform(s policy.Subject) (policy.Subject, error) {
	s.Unit, s.House, s.Reach = policy.Unit{}, "", ""
	r.mu.RLock()
	err := r.err
	r.mu.RUnlock()
	if err != nil {
		return s, errors.Join(errors.New("institution: the register cannot be read"), err)
	}
	if s.Account == "" {
		return s, nil
	}
	own := s.Institution
	s.Institution = r.Heir(own)
	s.Unit = r.Unit(s.Institution)
	if s.Unit.State == policy.UnitRegistered { // an account's own region is that of the day on which it was made
		s.Region = s.Unit.Region
	}
	if own != s.Institution { // nobody's territory grows because his house was merged into a greater one
		was := r.Unit(own)
		s.House, s.Unit.Level, s.Unit.Region = own, was.Level, was.Region
	}
	return s, nil
}

// reach says whether a question is about the institution that somebody's house was merged into, and about nothing that was his house's.
func (r *Register) reach(s policy.Subject, named []string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := ""
	for _, id := range named {
		if r.through(id, s.House) {
			return ""
		}
		if id == s.Institution || id != "" && r.heirs[id] == s.Institution {
			out = policy.ReachBeyond
		}
	}
	return out
}

// through says whether the line of an institution's successors goes through another. The register is locked.
func (r *Register) through(id, house string) bool {
	for steps := 0; id != "" && steps <= len(r.all); steps++ {
		if id == house {
			return true
		}
		id = r.all[id].Successor
	}
	return false
}

// Watch makes a Decider that asks rules with what the register says of the subject's institution.
func (r *Register) Watch(rules policy.Decider, operator string) policy.Decider {
	return informed.Decider(placed{rules, r, operator}, r.inform)
}

// placed tells rules where a case lies, who has the rights of an institution now, who of a merged one asks about more than was its, who
// sits no longer, and on which institutions a grant stands that are no more; and overwrites whatever a caller put there.
type placed struct {
	policy.Decider
	register *Register
	operator string
}

// Decide implements policy.Decider.
func (p placed) Decide(ctx context.Context, q policy.Question) (policy.Decision, error) {
	q = p.told(q)
	switch t := q.(type) {
	case policy.TransitionQuestion:
		t.Case.Lies = p.regions(t.Case.DataOwners)
		q = t
	case policy.CommandsQuestion:
		t.Case.Lies = p.regions(t.Case.DataOwners)
		q = t
	}
	return p.Decider.Decide(ctx, q)
}

// Scope implements policy.Decider.
func (p placed) Scope(ctx context.Context, q policy.ScopeQuestion) (policy.Scope, error) {
	if t, ok := p.told(q).(policy.ScopeQuestion); ok {
		return p.Decider.Scope(ctx, t)
	}
	return policy.Scope{Deny: true}, errors.New("institution: the question changed its kind")
}

func (p placed) told(q policy.Question) policy.Question {
	if p.register.merged() {
		q = policy.Informed(q, func(s policy.Subject) policy.Subject {
			if s.House != "" {
				s.Reach = p.register.reach(s, policy.Named(q))
			}
			return s
		})
		q = policy.Succeeded(q, p.register.Heir)
	}
	q = policy.Seated(q, func(id string) bool { return len(p.register.ended([]string{id})) == 0 })
	return policy.Granted(q, func(g policy.Grant) policy.Grant {
		g.Ended = p.register.ended(g.Parties())
		return g
	})
}

// ended are those of these institutions that are no more, and that nobody succeeds.
func (r *Register) ended(ids []string) []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var out []string
	for _, id := range ids {
		if r.all[id].Ended != "" && r.heirs[id] == "" && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// regions are where the owners and the service lie; a unit that is not on the register lies nowhere.
func (p placed) regions(owners []string) []string {
	var out []string
	for _, id := range append([]string{p.operator}, owners...) {
		if at := p.register.Unit(id).Region; at != "" && !slices.Contains(out, at) {
			out = append(out, at)
		}
	}
	slices.Sort(out)
	return out
}
