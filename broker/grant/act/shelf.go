package act

import (
	"context"
	"fmt"

	"carrel/broker/auth"
	"carrel/broker/store"
	"carrel/policy"
)

// Shelf is the documents of one kind, of which everybody is shown those that policy lets her read.
type Shelf[T any] struct {
	Kind   string // of the documents
	Name   string // in actions and steps: "grant" asks grant.list, then grant.read of each, and is on record as grant.listed
	Object func(*T) policy.Object
}

// List shows at most so many documents that the person may see, newest first, however many there are of others. One entry of the log says so.
func (s Shelf[T]) List(ctx context.Context, d Desk, id auth.Identity, limit int) ([]T, error) {
	out := []T{}
	err := d.Browse(ctx, id, Step{Kind: s.Name + ".listed", Object: s.Name}, func(tx *store.Tx) (policy.Decision, error) {
		dec, err := d.Ask(ctx, policy.AccessQuestion{At: d.Moment(), Subject: id.Subject(), Action: s.Name + ".list"})
		if err != nil {
			return dec, err
		}
		for f := (store.Filter{Limit: store.ListMax, Newest: true}); ; {
			docs, err := tx.List(ctx, s.Kind, f)
			if err != nil {
				return dec, err
			}
			for _, doc := range docs {
				if len(out) == limit {
					return dec, nil
				}
				var x T
				if err := doc.Decode(&x); err != nil {
					return dec, err
				}
				one, err := d.Policy.Decide(ctx, policy.AccessQuestion{At: d.Moment(), Subject: id.Subject(), Action: s.Name + ".read", Object: s.Object(&x)})
				if err != nil {
					return dec, fmt.Errorf("%s: ask policy: %w", s.Name, err)
				}
				if one.Allow {
					out = append(out, x)
				}
				f.After = doc.ID
			}
			if len(docs) < f.Limit {
				return dec, nil
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
