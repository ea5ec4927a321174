package opa

import (
	"context"
	"fmt"

	"carrel/policy"
)

// groundsDocument says how each rule is cited by an approval on a day. It depends on the day and the bundle only.
const groundsDocument = "carrel.cite.grounds"

// citations are the grounds of one day.
type citations struct {
	day     string
	grounds map[string][]policy.Reason
}

// reasons puts the citations of the day in the place of the rules that an approval names. Nothing is decided here: which
// rules carry the approval, what the day is, and how a source stands on it, all come from the rules; a name that they do
// not know is an error.
func (d *Decider) reasons(ctx context.Context, day string, grounds []string) ([]policy.Reason, error) {
	c, err := d.citations(ctx, day)
	if err != nil {
		return nil, err
	}
	out := make([]policy.Reason, 0, len(grounds))
	for _, id := range grounds {
		told, ok := c.grounds[id]
		if !ok {
			return nil, fmt.Errorf("%w: a ground that nobody knows", ErrMalformed)
		}
		for _, r := range told {
			if r.Fallback != nil { // a caller's copy is his own
				carrier := *r.Fallback
				r.Fallback = &carrier
			}
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: no reason", ErrMalformed)
	}
	return out, nil
}

// citations asks for a day's grounds once; only the last day asked for is kept, for days do not come back.
func (d *Decider) citations(ctx context.Context, day string) (*citations, error) {
	if c := d.cited.Load(); c != nil && c.day == day {
		return c, nil
	}
	x, err := d.eval(ctx, groundsDocument, dayInput(day))
	if err != nil {
		return nil, err
	}
	grounds, err := readGrounds(x)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", groundsDocument, err)
	}
	c := &citations{day: day, grounds: grounds}
	d.cited.Store(c)
	return c, nil
}
