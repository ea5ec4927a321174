package resident

import (
	"context"
	"fmt"

	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
)

// Child says how one dataset stands to a wish that a guardian made for a child.
type Child struct {
	Wish    string `json:"wish"`
	Sort    string `json:"sort"`
	Born    string `json:"born"`
	Dataset string `json:"dataset"`
	// Fit is how many persons stand under the guardian's number with this day of birth in the current extract's register. Of several an
	// objection leaves all out, and an authorisation lets none in.
	Fit int `json:"fit"`
	// Waits: the register has no index of guardians, so that nothing of the dataset is used until it is built again.
	Waits bool   `json:"waits,omitempty"`
	Since string `json:"since"` // version of the list
}

// children are the standing wishes of a guardian for others, dataset by dataset.
func (r *Registry) children(ctx context.Context, tx *store.Tx, p *proof, own []listed, out *Record) error {
	entries, err := r.c.Catalogue.List(ctx, act.CatalogueTx{Tx: tx})
	if err != nil {
		return fmt.Errorf("resident: %w", err)
	}
	for _, w := range own {
		if w.Born == "" || w.State != "standing" {
			continue
		}
		for _, e := range entries {
			if !w.about(e.Dataset.ID) {
				continue
			}
			c := Child{Wish: w.ID, Sort: w.Sort, Born: string(w.Born), Dataset: e.Dataset.ID, Since: fmt.Sprintf("%s@%d", w.noted.List, w.noted.Number)}
			if e.Current != nil {
				m, err := r.c.Extracts.Manifest(ctx, e)
				if err != nil {
					return err
				}
				found, err := r.find(m, []Stance{{Refs: p.Refs, Born: c.Born}}, true)
				if c.Waits = problem.Is(err, problem.Unavailable); err != nil && !c.Waits {
					return err
				}
				c.Fit = len(found)
			}
			out.Children = append(out.Children, c)
		}
	}
	return nil
}
