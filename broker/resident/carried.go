package resident

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"carrel/anonymize/extract"
	"carrel/broker/catalogue"
	"carrel/broker/conduct/matter"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

const (
	carriedKind = "wishes-carried" // the list that came with a dataset from another service
	leftKind    = "wishes-left"    // the list went with its dataset to another service
)

// Carried is the list of a dataset as a transfer takes it to another service: what its residents wished goes on to hold there, without
// their accounts. Who wished is in it by the reference under the key that numbers the extract's persons, which goes over too.
type Carried struct {
	Dataset string   `json:"dataset"`
	Extract string   `json:"extract"` // the current one, "" when there is none
	List    string   `json:"list"`    // version in force where it comes from
	Number  int64    `json:"number"`  // of the list where it goes to; above every number that it had, so that no answer of an older list is given again
	Wishes  []Stance `json:"wishes"`
}

// Stance is what one person wished.
type Stance struct {
	Sort    string            `json:"sort"`
	At      time.Time         `json:"at"`
	Younger bool              `json:"younger"` // than the extract: her rows are in it, and every use leaves them out
	Refs    map[string]string `json:"refs"`
	Born    string            `json:"born,omitempty"`  // of the child that a guardian spoke for; the references are the guardian's
	Until   policy.Date       `json:"until,omitempty"` // last day on which it counts
}

// boundless is what a guardian authorised for a child without an end: it counts for nothing.
func (s *Stance) boundless() bool { return s.Sort == authorise && s.Born != "" && s.Until == "" }

// Carry reads the list of a dataset that goes over. What came with the dataset from elsewhere goes on with it.
func (r *Registry) Carry(ctx context.Context, tx *store.Tx, e *catalogue.Entry) (*Carried, error) {
	own, _, err := counter(ctx, tx, e.Dataset.ID)
	if err != nil {
		return nil, err
	}
	all, _, err := counter(ctx, tx, Every)
	if err != nil {
		return nil, err
	}
	c := &Carried{Dataset: e.Dataset.ID, Wishes: []Stance{}}
	if own.Number+all.Number > 0 {
		c.Number = own.Number + all.Number + 1
	}
	var m *extract.Manifest
	key := ""
	if e.Current != nil {
		have, err := r.c.Extracts.Manifest(ctx, e)
		if err != nil {
			return nil, err
		}
		m, key, c.Extract = &have, have.Numbering.Key, have.ID
	}
	w, err := inForce(ctx, tx, c.Dataset, m)
	if err != nil {
		return nil, err
	}
	c.List = w.version
	for _, s := range w.stances {
		refs := map[string]string{} // under the key that goes over; without one she has to be proved again there, and until then nothing is answered
		if ref, in := s.Refs[key]; in {
			refs[key] = ref
		}
		s.Refs = refs
		c.Wishes = append(c.Wishes, s)
	}
	return c, nil
}

// Leave ends the list of a dataset that goes over: from the commit on, nothing that was made with it is used here, a package that waits included.
func (r *Registry) Leave(ctx context.Context, tx *store.Tx, c *Carried) error {
	if err := tx.Put(ctx, leftKind, c.Dataset, 0, store.Index{}, version{Number: c.Number, At: r.c.Desk.Now().UTC()}); err != nil {
		return fmt.Errorf("resident: leave: %w", err)
	}
	return nil
}

// Bring puts a list that came with a dataset in force, in the transaction that takes the dataset.
func (r *Registry) Bring(ctx context.Context, tx *store.Tx, c *Carried) error {
	for _, s := range c.Wishes {
		if s.Sort == "" || len(s.Refs) > 1 {
			return errors.New("resident: a wish that came is none")
		}
	}
	v, rev, err := counter(ctx, tx, c.Dataset)
	if err != nil {
		return err
	}
	if c.Number <= v.Number && (c.Number > 0 || len(c.Wishes) > 0) {
		return errors.New("resident: the list that came is not newer than the one that is here")
	}
	if c.Number > 0 {
		v.Number, v.At = c.Number, r.c.Desk.Now().UTC()
		for _, s := range c.Wishes {
			v.Ends = sooner(v.Ends, s.Until)
		}
		if err := tx.Put(ctx, versionKind, c.Dataset, rev, store.Index{}, v); err != nil {
			return fmt.Errorf("resident: version: %w", err)
		}
	}
	if err := tx.Put(ctx, carriedKind, c.Dataset, 0, store.Index{}, c); err != nil {
		return fmt.Errorf("resident: what came: %w", err)
	}
	return nil
}

// carried is the list that came with a dataset, without those who have wished anything about it here since: that goes before. The second
// result says whether this very extract came with it.
func carried(ctx context.Context, tx *store.Tx, dataset string, m *extract.Manifest) ([]Stance, bool, error) {
	var c Carried
	_, err := tx.Get(ctx, carriedKind, dataset, &c)
	if store.IsNotFound(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("resident: what came: %w", err)
	}
	here, err := everWished(ctx, tx, dataset)
	if err != nil {
		return nil, false, err
	}
	came := m != nil && m.ID == c.Extract
	var out []Stance
	for _, s := range c.Wishes {
		if s.matches(here) {
			continue
		}
		if !came { // built here: by its list it is known whether she was left out
			s.Younger = m == nil || builtWith(*m)[dataset] < c.Number
		}
		out = append(out, s)
	}
	return out, came, nil
}

// matches says whether one of the references is hers.
func (s *Stance) matches(refs map[string]bool) bool {
	for key, ref := range s.Refs {
		if refs[named(key, ref, s.Born)] {
			return true
		}
	}
	return false
}

// named is who is spoken for, as far as two wishes can be compared: a child is another than her guardian.
func named(key, ref, born string) string { return key + " " + ref + " " + born }

// everWished are the references of all who made a wish about a dataset here, also those who took it back.
func everWished(ctx context.Context, tx *store.Tx, dataset string) (map[string]bool, error) {
	out := map[string]bool{}
	err := matter.All(ctx, tx, matter.Wish, store.Filter{}, func(m *matter.Matter) error {
		if m.Link != "" && m.Link != dataset {
			return nil
		}
		p, err := proofOf(ctx, tx, m)
		for key, ref := range p.Refs {
			out[named(key, ref, string(m.Born))] = true
		}
		return err
	})
	return out, err
}

// proofOf is the proof of who made a wish.
func proofOf(ctx context.Context, tx *store.Tx, m *matter.Matter) (proof, error) {
	var p proof
	if _, err := tx.Get(ctx, proofKind, strings.TrimPrefix(m.Party, "person/"), &p); err != nil {
		return p, fmt.Errorf("resident: a wish without a proof: %w", err)
	}
	return p, nil
}

// cameOut says whether a list that came with a dataset leaves a person out.
func cameOut(ctx context.Context, tx *store.Tx, dataset string, p *proof) (bool, error) {
	stances, _, err := carried(ctx, tx, dataset, nil)
	refs := map[string]bool{}
	for key, ref := range p.Refs {
		refs[named(key, ref, "")] = true
	}
	return slices.ContainsFunc(stances, func(s Stance) bool { return s.Sort != authorise && s.matches(refs) }), err
}

// gone refuses a wish about a dataset that went over: here it would touch nothing.
func gone(e *catalogue.Entry) error {
	if e.Transferred == "" {
		return nil
	}
	return problem.New(problem.Conflict, "该数据集已移交 "+e.Transferred+"；请向该单位提出。", "The dataset went over to "+e.Transferred+"; make your wish there.")
}
