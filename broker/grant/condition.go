package grant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"carrel/broker/store"
	"carrel/policy"
)

// Obligation is a condition of the decision. The applicant files evidence by its day, and who set it accepts the evidence or sends it back.
type Obligation struct {
	ID   string        `json:"id"`
	Kind string        `json:"kind"`
	Due  policy.Date   `json:"due"`
	Text store.TextRef `json:"text"`
	// Words are the text, in a view; what was erased is empty.
	Words string `json:"words,omitempty"`
	// Body is the kind of review whose reviewers set the condition; "" is the authority.
	Body     string    `json:"body,omitempty"`
	Evidence string    `json:"evidence,omitempty"` // sha256:… of what is on file now
	By       string    `json:"by,omitempty"`       // who filed it
	At       time.Time `json:"at,omitzero"`
	Met      time.Time `json:"met,omitzero"` // when it was accepted
	MetBy    string    `json:"met_by,omitempty"`
	Returns  []Return  `json:"returns,omitempty"`
}

// Return is evidence that was sent back.
type Return struct {
	Evidence string        `json:"evidence"`
	By       string        `json:"by"`
	At       time.Time     `json:"at"`
	Reason   store.TextRef `json:"reason"`
	Words    string        `json:"words,omitempty"` // the reason, in a view
}

// The states of a condition.
const (
	ConditionOpen  = "open"
	ConditionFiled = "filed"
	ConditionMet   = "met"
)

// State follows from what is on file.
func (o *Obligation) State() string {
	switch {
	case !o.Met.IsZero():
		return ConditionMet
	case o.Evidence != "":
		return ConditionFiled
	}
	return ConditionOpen
}

func (o *Obligation) question() policy.GrantObligation {
	q := policy.GrantObligation{ID: o.ID, Kind: o.Kind, Due: o.Due, Done: o.State() == ConditionMet}
	if o.Evidence != "" {
		q.Filed = policy.DateOf(o.At)
	}
	return q
}

// bodies are the kinds of review whose reviewers judge conditions of the grant.
func (g *Grant) bodies() []string {
	var out []string
	for _, o := range g.Obligations {
		if o.Body != "" && !slices.Contains(out, o.Body) {
			out = append(out, o.Body)
		}
	}
	return out
}

// discharge files evidence, accept says that it meets the condition, giveBack that it does not. Which condition may be the object of
// which, and by whom, policy has said.
func (g *Grant) discharge(by string, at time.Time, c Command) error {
	return g.condition(c.Condition, ConditionOpen, func(o *Obligation) { o.Evidence, o.By, o.At = c.Evidence, by, at })
}

func (g *Grant) accept(by string, at time.Time, c Command) error {
	return g.condition(c.Condition, ConditionFiled, func(o *Obligation) { o.Met, o.MetBy = at, by })
}

func (g *Grant) giveBack(by string, at time.Time, c Command, reason store.TextRef) error {
	return g.condition(c.Condition, ConditionFiled, func(o *Obligation) {
		o.Returns = append(o.Returns, Return{Evidence: o.Evidence, By: by, At: at, Reason: reason})
		o.Evidence, o.By, o.At = "", "", time.Time{}
	})
}

func (g *Grant) condition(id, state string, change func(*Obligation)) error {
	for i := range g.Obligations {
		if o := &g.Obligations[i]; o.ID == id && o.State() == state {
			change(o)
			return nil
		}
	}
	return errors.New("grant: policy allowed a step with a condition that the grant does not have")
}

// Spoken are the conditions in words, with the reasons for which evidence was sent back; what was erased is empty.
func Spoken(ctx context.Context, tx *store.Tx, all []Obligation) ([]Obligation, error) {
	out := slices.Clone(all)
	for i := range out {
		var err error
		if out[i].Words, err = words(ctx, tx, out[i].Text); err != nil {
			return nil, err
		}
		out[i].Returns = slices.Clone(out[i].Returns)
		for j := range out[i].Returns {
			if out[i].Returns[j].Words, err = words(ctx, tx, out[i].Returns[j].Reason); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// words opens a text; one that was never written or is erased is empty.
func words(ctx context.Context, tx *store.Tx, ref store.TextRef) (string, error) {
	if ref.ID == "" {
		return "", nil
	}
	text, err := tx.GetText(ctx, ref.ID)
	if err != nil && !errors.Is(err, store.ErrErased) {
		return "", fmt.Errorf("grant: text: %w", err)
	}
	return text, nil
}

// reason is why the grant rests or has ended, in words.
func (g *Grant) reason(ctx context.Context, tx *store.Tx) (string, error) {
	if g.Pause != nil {
		return words(ctx, tx, g.Pause.Reason)
	}
	return words(ctx, tx, g.EndReason)
}
