package resident

import (
	"context"
	"fmt"
	"time"

	"carrel/broker/audit"
	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Audit is what an auditor sees of the lists: never who is on one.
type Audit struct {
	Checked
	Extracts []Age `json:"extracts"`
}

// Age says whether an extract still holds rows of somebody who objected, and since when.
type Age struct {
	Dataset string    `json:"dataset"`
	Extract string    `json:"extract"`
	Built   string    `json:"built"` // version of the list that it was built with
	Now     string    `json:"now"`
	Since   time.Time `json:"since,omitzero"`
	Retired bool      `json:"retired"` // policy lets nobody use it any more
}

// Audit replays the lists from the whole log and compares extracts with them.
func (r *Registry) Audit(ctx context.Context, id auth.Identity) (*Audit, error) {
	out := &Audit{Extracts: []Age{}}
	err := r.c.Desk.Browse(ctx, id, act.Step{Kind: "conduct.lists.checked", Object: "conduct/wish"}, func(tx *store.Tx) (policy.Decision, error) {
		dec, err := r.c.Desk.Ask(ctx, policy.AccessQuestion{At: r.c.Desk.Moment(), Subject: id.Subject(), Action: "wish.check"})
		if err != nil {
			return dec, err
		}
		if out.Checked, err = replay(ctx, tx); err != nil {
			return dec, err
		}
		out.Extracts, err = r.ages(ctx, tx)
		return dec, err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func replay(ctx context.Context, tx *store.Tx) (Checked, error) {
	n, err := tx.LogSize(ctx)
	if err != nil {
		return Checked{}, fmt.Errorf("resident: log: %w", err)
	}
	c := NewChecker()
	err = tx.LogScan(ctx, 0, n, func(i int64, leaf []byte) error {
		e, err := audit.ParseLeaf(leaf)
		if err != nil {
			return err
		}
		return c.Entry(i, &e)
	})
	if err != nil {
		return Checked{}, fmt.Errorf("resident: log: %w", err)
	}
	return c.Result(), nil
}

// ages looks at every current extract.
func (r *Registry) ages(ctx context.Context, tx *store.Tx) ([]Age, error) {
	entries, err := r.c.Catalogue.List(ctx, act.CatalogueTx{Tx: tx})
	if err != nil {
		return nil, fmt.Errorf("resident: %w", err)
	}
	out := []Age{}
	for _, e := range entries {
		if e.Current == nil {
			continue
		}
		m, err := r.c.Extracts.Manifest(ctx, e)
		if err != nil {
			return nil, err
		}
		w, err := inForce(ctx, tx, m.Dataset, &m)
		if err != nil {
			return nil, err
		}
		a := Age{Dataset: m.Dataset, Extract: m.ID, Built: m.Exclusions, Now: w.version, Since: w.since}
		_, err = r.authorised(ctx, Use{Entry: e, Manifest: m, Kind: useOf(m.Kind)}, w)
		if a.Retired = problem.Is(err, problem.Forbidden); err != nil && !a.Retired {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// useOf is the kind of use that an extract is for.
func useOf(kind string) string {
	if kind == policy.UseHandover {
		return policy.UseHandover
	}
	return policy.UseQuery
}

const retiredKind = "extract-retired"

// Retire puts each extract that policy lets nobody use any more on record, once. Using it is refused all the same: this says so to whoever
// reads the log. It deletes nothing: destroying data is a decided act of its own.
func (r *Registry) Retire(ctx context.Context) error {
	var all []Age
	err := r.c.Desk.Store.View(ctx, func(tx *store.Tx) error {
		var err error
		all, err = r.ages(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	for _, a := range all {
		if !a.Retired {
			continue
		}
		err := r.c.Desk.Store.Update(ctx, func(tx *store.Tx) error {
			var had Age
			_, err := tx.Get(ctx, retiredKind, a.Extract, &had)
			if err == nil || !store.IsNotFound(err) {
				return err
			}
			step := act.Step{Kind: "extract.retired", Object: "dataset/" + a.Dataset, Facts: map[string]string{"extract": a.Extract, "built": a.Built, FactList: a.Now}}
			if _, err := r.c.Desk.Record(ctx, tx, auth.Identity{}, policy.Decision{}, step); err != nil {
				return err
			}
			return tx.Put(ctx, retiredKind, a.Extract, 0, store.Index{Owner: a.Dataset}, a)
		})
		if err != nil {
			return fmt.Errorf("resident: retire: %w", err)
		}
	}
	return nil
}
