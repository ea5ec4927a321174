package application

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// satKind is the kind of what was done with an application in a meeting. It stays as it was done: an application that is sent back and
// submitted anew has other votes, and the meeting's record must not lose the first ones.
const satKind = "application-sat"

// sat is one vote or decision in a meeting.
type sat struct {
	Meeting     string    `json:"meeting"`
	Application string    `json:"application"`
	At          time.Time `json:"at"`
	Review      *Review   `json:"review,omitempty"` // with Retracted: taken back in the meeting
	Verdict     *Verdict  `json:"verdict,omitempty"`
}

// sat puts on the record of a meeting what was done with an application there; out of a meeting it does nothing.
func (s *Service) sat(ctx context.Context, tx *store.Tx, meeting string, x sat) error {
	if meeting == "" {
		return nil
	}
	x.Meeting, x.At = meeting, s.desk.Now().UTC()
	if err := tx.Put(ctx, satKind, act.NewID("ms"), 0, store.Index{Owner: x.Application, Parent: meeting}, x); err != nil {
		return fmt.Errorf("application: record of a meeting: %w", err)
	}
	return nil
}

// Heard is one item of a meeting with what was done there, as a person may read it. Of an item that is not for the person there is the
// number alone.
type Heard struct {
	Application string      `json:"application"`
	Seen        bool        `json:"seen"`
	Title       string      `json:"title,omitempty"`
	Institution string      `json:"institution,omitempty"`
	Version     int         `json:"version,omitempty"`
	State       string      `json:"state,omitempty"`
	StateText   policy.Text `json:"state_text,omitzero"` // now
	// Recused are who takes no part; why is said at the application.
	Recused []Recusal     `json:"recused,omitempty"`
	Votes   []ReviewView  `json:"votes,omitempty"`
	Decided []VerdictView `json:"decided,omitempty"`
}

// Heard reads what a meeting did with its items, inside a transaction in which who may read the meeting was asked. Who took no part is
// counted until a moment: that of the meeting's end; the zero one is now.
func (s *Service) Heard(ctx context.Context, tx *store.Tx, id auth.Identity, meeting string, items []string, until time.Time) ([]Heard, error) {
	done, err := satIn(ctx, tx, meeting)
	if err != nil {
		return nil, err
	}
	w, err := s.workflow(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Heard, 0, len(items))
	for _, app := range items {
		h := Heard{Application: app}
		a, _, err := s.visible(ctx, tx, id, app)
		switch {
		case errors.Is(err, store.ErrNotFound) || problem.Is(err, problem.Forbidden): // a number to her
		case err != nil:
			return nil, err
		default:
			if err := s.heard(ctx, tx, id, a, done[app], &h); err != nil {
				return nil, err
			}
			h.StateText = w.States[a.State]
			h.Recused = slices.DeleteFunc(h.Recused, func(r Recusal) bool { return !until.IsZero() && r.At.After(until) })
		}
		out = append(out, h)
	}
	return out, nil
}

// heard fills in what the person may read of an item: of others' opinions what policy lets her read of the application's.
func (s *Service) heard(ctx context.Context, tx *store.Tx, id auth.Identity, a *Application, done []sat, h *Heard) error {
	var err error
	h.Seen, h.Institution, h.Version, h.State = true, a.Institution, a.Version, a.State
	if h.Title, err = opened(ctx, tx, a.Texts[TextTitle]); err != nil {
		return err
	}
	h.Recused = slices.Clone(a.Recused)
	for _, x := range done {
		then := *a
		then.Reviews, then.Verdict = nil, x.Verdict
		if x.Review != nil {
			then.Reviews = []Review{*x.Review}
		}
		shown, err := s.readable(ctx, id, &then)
		if err != nil {
			return err
		}
		votes, err := reviewViews(ctx, tx, shown.Reviews)
		if err != nil {
			return err
		}
		h.Votes = append(h.Votes, votes...)
		if shown.Verdict == nil {
			continue
		}
		v, err := verdictView(ctx, tx, shown.Verdict)
		if err != nil {
			return err
		}
		h.Decided = append(h.Decided, *v)
	}
	return nil
}

// satIn is what was done in a meeting, by application, in the order in which it was done.
func satIn(ctx context.Context, tx *store.Tx, meeting string) (map[string][]sat, error) {
	out := map[string][]sat{}
	f := store.Filter{Parent: meeting, Limit: store.ListMax}
	for {
		docs, err := tx.List(ctx, satKind, f)
		if err != nil {
			return nil, fmt.Errorf("application: record of a meeting: %w", err)
		}
		for _, d := range docs {
			f.After = d.ID
			var x sat
			if err := d.Decode(&x); err != nil {
				return nil, fmt.Errorf("application: record of a meeting: %w", err)
			}
			out[x.Application] = append(out[x.Application], x)
		}
		if len(docs) < f.Limit {
			break
		}
	}
	for _, all := range out {
		slices.SortStableFunc(all, func(x, y sat) int { return x.At.Compare(y.At) })
	}
	return out, nil
}
