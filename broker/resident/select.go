package resident

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
	"carrel/broker/catalogue"
	"carrel/broker/conduct/matter"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Use is one use of a dataset's extract.
type Use struct {
	Entry    *catalogue.Entry
	Manifest extract.Manifest
	Kind     string // policy.UseQuery or policy.UseHandover
	Purpose  string
	// Identifiable says that the rows that leave identify persons.
	Identifiable bool
}

// Selection is whose rows a use may touch: everybody's but the persons', or with Only the persons' alone. Persons are numbers of the extract,
// ascending. It must not be logged.
type Selection struct {
	Version string
	Persons []uint32
	Only    bool
}

// String keeps persons out of logs.
func (s Selection) String() string { return "resident.Selection(" + s.Version + ")" }

// GoString keeps persons out of logs.
func (s Selection) GoString() string { return s.String() }

// Keeps says whether a person's rows may be touched.
func (s *Selection) Keeps(person uint32) bool {
	_, listed := slices.BinarySearch(s.Persons, person)
	return listed == s.Only
}

// authorisedOnly marks the version of a selection that keeps those who authorised.
const authorisedOnly = "+authorised"

// wishes are those in force about one dataset, as a snapshot has them.
type wishes struct {
	version string
	stances []Stance
	since   time.Time // the oldest objection that is younger than the extract; zero: none
}

// authorise is the sort of wish that lets rows be used; every other one is an objection.
const authorise = "authorise"

// who are those who authorised, or those who objected.
func (w *wishes) who(authorised bool) []Stance {
	var out []Stance
	for _, s := range w.stances {
		if (s.Sort == authorise) == authorised {
			out = append(out, s)
		}
	}
	return out
}

func (w *wishes) add(s Stance) {
	if s.boundless() {
		return
	}
	w.stances = append(w.stances, s)
	if s.Sort != authorise && s.Younger && (w.since.IsZero() || s.At.Before(w.since)) {
		w.since = s.At
	}
}

// Select says whose rows a use may touch now. Policy decides whether persons who did not object are in, or only those who authorised, and
// whether the extract may still be used.
func (r *Registry) Select(ctx context.Context, u Use) (*Selection, error) {
	var w wishes
	if err := r.Lapse(ctx, u.Entry.Dataset.ID, Every); err != nil {
		return nil, err
	}
	err := r.c.Desk.Store.View(ctx, func(tx *store.Tx) error {
		var err error
		w, err = inForce(ctx, tx, u.Entry.Dataset.ID, &u.Manifest)
		return err
	})
	if err != nil {
		return nil, err
	}
	only, err := r.authorised(ctx, u, w)
	if err != nil {
		return nil, err
	}
	s := &Selection{Version: w.version, Only: only}
	if only {
		s.Version += authorisedOnly
	}
	key := s.Version + " " + u.Manifest.ID
	r.mu.Lock()
	have := r.chosen[key]
	r.mu.Unlock()
	if have != nil {
		return have, nil
	}
	if s.Persons, err = r.persons(u.Manifest, w, only); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.chosen) >= 64 { // a bound, not a policy: a selection is made again from the store
		clear(r.chosen)
	}
	r.chosen[key] = s
	return s, nil
}

// authorised asks policy.
func (r *Registry) authorised(ctx context.Context, u Use, w wishes) (bool, error) {
	d := u.Entry.Dataset
	q := policy.PersonsQuestion{At: r.c.Desk.Moment(), Use: u.Kind, Purpose: u.Purpose, Recipient: recipient(u.Kind), Dataset: d.ID, Owner: d.Owner, Identifiable: u.Identifiable}
	for _, b := range d.LawfulBasis {
		q.Basis = append(q.Basis, policy.Basis(b))
	}
	if !w.since.IsZero() {
		q.Since = policy.At(w.since)
	}
	dec, err := r.c.Desk.Ask(ctx, q)
	if err != nil {
		return false, err
	}
	switch who, _ := dec.Limit(policy.LimitPersons); who {
	case policy.PersonsAuthorised:
		return true, nil
	case policy.PersonsNotObjecting:
		return false, nil
	default:
		return false, errors.New("resident: policy did not say whose rows")
	}
}

// inForce reads the list of a dataset and its version in one snapshot; which wishes are younger than an extract, it says by its manifest.
func inForce(ctx context.Context, tx *store.Tx, dataset string, m *extract.Manifest) (wishes, error) {
	var w wishes
	var err error
	if w.version, err = Version(ctx, tx, dataset); err != nil {
		return w, err
	}
	if strings.HasSuffix(w.version, "@0.0") {
		return w, nil
	}
	others, came, err := carried(ctx, tx, dataset, m)
	if err != nil {
		return w, err
	}
	for _, s := range others {
		w.add(s)
	}
	built := map[string]int64{}
	if m != nil && !came { // what was built elsewhere counts other wishes than those made here
		built = builtWith(*m)
	}
	err = matter.All(ctx, tx, matter.Wish, store.Filter{State: "standing"}, func(x *matter.Matter) error {
		if x.Link != "" && x.Link != dataset {
			return nil
		}
		p, err := proofOf(ctx, tx, x)
		if err != nil {
			return err
		}
		var n noted
		if _, err := tx.Get(ctx, notedKind, x.ID, &n); err != nil {
			return fmt.Errorf("resident: a wish without a version: %w", err)
		}
		w.add(Stance{Sort: x.Sort, At: n.At, Younger: n.Number > built[n.List], Refs: p.Refs, Born: string(x.Born), Until: x.Until})
		return nil
	})
	return w, err
}

// builtWith are the versions of the lists that an extract was built with, by list.
func builtWith(m extract.Manifest) map[string]int64 {
	out := map[string]int64{}
	_, numbers, _ := strings.Cut(m.Exclusions, "@")
	own, all, _ := strings.Cut(numbers, ".")
	for list, n := range map[string]string{m.Dataset: own, Every: all} {
		if v, err := strconv.ParseInt(n, 10, 64); err == nil { // what does not say so was built with none
			out[list] = v
		}
	}
	return out
}

// persons finds the numbers in an extract. An objection goes before an authorisation.
func (r *Registry) persons(m extract.Manifest, w wishes, only bool) ([]uint32, error) {
	out, err := r.find(m, w.who(false), true)
	if err != nil || !only {
		return out, err
	}
	in, err := r.find(m, w.who(true), false)
	return slices.DeleteFunc(in, func(p uint32) bool { _, objected := slices.BinarySearch(out, p); return objected }), err
}

// find turns proofs into numbers of an extract, ascending. Somebody who cannot be looked for stops it: to go on would be to ignore her. Of
// children whom their guardian's number and the day of birth do not tell apart all count, or without alike none.
func (r *Registry) find(m extract.Manifest, people []Stance, alike bool) ([]uint32, error) {
	refs, children, err := references(people, m.Numbering.Key)
	if err != nil {
		return nil, err
	}
	known, err := r.look(m, refs)
	if err != nil {
		return nil, err
	}
	var out []uint32
	for _, ref := range refs {
		if n, in := known[ref]; in {
			out = append(out, n)
		}
	}
	wards, err := r.lookWards(m, children)
	if err != nil {
		return nil, err
	}
	out = append(out, counted(wards, alike)...)
	slices.Sort(out)
	return slices.Compact(out), nil
}

// counted are the children who count.
func counted(wards map[deid.Ward][]uint32, alike bool) (out []uint32) {
	for _, found := range wards {
		if alike || len(found) == 1 {
			out = append(out, found...)
		}
	}
	return out
}

// lookWards finds children by their guardians.
func (r *Registry) lookWards(m extract.Manifest, children []deid.Ward) (map[deid.Ward][]uint32, error) {
	found, err := deid.Wards(r.c.Keys, r.register(m.Dataset), m, children)
	switch {
	case errors.Is(err, deid.ErrWards):
		return nil, problem.Wrap(err, problem.Unavailable, "有监护人代为提出的意愿尚不能落实到该数据集：其人员名册没有监护人索引，须重新生成提取集；请联系数据管理员。",
			"A guardian's wish cannot be honoured in this dataset yet: its register of persons has no index of guardians, so the extract must be built again; tell the steward.")
	case err != nil:
		return nil, fmt.Errorf("resident: %w", err)
	}
	return found, nil
}

// look finds numbers. Those of references that were looked for in the same extract before are remembered, since the register is read
// for the others only.
func (r *Registry) look(m extract.Manifest, refs []deid.Reference) (map[deid.Reference]uint32, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	have := r.numbers[m.ID]
	if have == nil {
		if len(r.numbers) >= 64 {
			clear(r.numbers)
		}
		have = map[deid.Reference]uint32{}
		r.numbers[m.ID] = have
	}
	var fresh []deid.Reference
	for _, ref := range refs {
		if _, in := have[ref]; !in {
			fresh = append(fresh, ref)
		}
	}
	found, err := deid.Numbers(r.c.Keys, r.register(m.Dataset), m, fresh)
	if err != nil {
		return nil, fmt.Errorf("resident: %w", err)
	}
	for ref, n := range found {
		have[ref] = n
	}
	out := make(map[deid.Reference]uint32, len(refs))
	for _, ref := range refs {
		if n, in := have[ref]; in {
			out[ref] = n
		}
	}
	return out, nil
}

// references of people, and of children by their guardians, under one key: all of them or none.
func references(people []Stance, key string) (out []deid.Reference, children []deid.Ward, err error) {
	for _, p := range people {
		text, in := p.Refs[key]
		if !in {
			return nil, nil, problem.New(problem.Unavailable, "有居民的意愿尚不能落实到该数据集：须以同一证件重新核验身份；请联系数据管理员。",
				"A resident's wish cannot be honoured in this dataset yet: her identity has to be proved again with the same document; tell the steward.")
		}
		ref, err := deid.ParseReference(text)
		if err != nil {
			return nil, nil, fmt.Errorf("resident: %w", err)
		}
		if p.Born != "" {
			children = append(children, deid.Ward{Guardian: ref, Born: p.Born})
			continue
		}
		out = append(out, ref)
	}
	return out, children, nil
}

// Out are the persons who objected to a dataset, and the children whose guardians did, for a build with this key, and the version of the list.
func (r *Registry) Out(ctx context.Context, dataset, key string) (refs []deid.Reference, children []deid.Ward, version string, err error) {
	err = r.c.Desk.Store.View(ctx, func(tx *store.Tx) error {
		w, err := inForce(ctx, tx, dataset, nil)
		if err != nil {
			return err
		}
		version = w.version
		refs, children, err = references(w.who(false), key)
		return err
	})
	return refs, children, version, err
}

// Knows refuses an extract that was built before the objections now in force: nobody who objected enters a new one.
func (r *Registry) Knows(ctx context.Context, m *extract.Manifest) error {
	var w wishes
	err := r.c.Desk.Store.View(ctx, func(tx *store.Tx) error {
		var err error
		w, err = inForce(ctx, tx, m.Dataset, m)
		return err
	})
	if err == nil && !w.since.IsZero() {
		err = problem.New(problem.Conflict, "提取集生成后有居民提出反对；请重新生成。", "A resident objected after the extract was built; build it again.")
	}
	return err
}
