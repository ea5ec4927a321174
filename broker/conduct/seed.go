package conduct

import (
	"context"
	"fmt"

	"carrel/broker/auth"
	"carrel/broker/conduct/book"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant/act"
	"carrel/broker/store"
	"carrel/policy"
)

// First is a training or a declaration that stood before the service did.
type First struct {
	Party string      `json:"party"`
	Unit  string      `json:"unit"`
	Sort  string      `json:"sort"`
	Until policy.Date `json:"until"`
}

// Seed enters what stood before the service did, at its first start: nobody with a post that needs a training could otherwise take
// a step. Files that hold any duty are left as they are.
func Seed(ctx context.Context, desk act.Desk, files *book.Book, first []First) error {
	if len(first) == 0 {
		return nil
	}
	system := auth.Identity{Account: "system", Institution: desk.Operator}
	step := act.Step{Kind: "conduct.duty.seeded", Object: "conduct/duty", Facts: map[string]string{"entries": fmt.Sprint(len(first))}}
	seeded := false
	err := desk.Do(ctx, system, step, func(tx *store.Tx) error {
		held, err := tx.List(ctx, matter.DocKind(matter.Duty), store.Filter{Limit: 1})
		if err != nil || len(held) > 0 {
			return err
		}
		seeded = true
		for _, f := range first {
			m := &matter.Matter{ID: act.NewID(prefix(matter.Duty)), Noun: matter.Duty, Sort: f.Sort, State: "held", Party: f.Party, Unit: f.Unit,
				From: policy.DateOf(desk.Now()), Until: f.Until, Texts: map[string]matter.Text{},
				Steps: []matter.Step{{At: desk.Now().UTC(), By: system.Account, Act: "duty.record", To: "held"}}}
			if err := matter.Put(ctx, tx, m, 0); err != nil {
				return err
			}
		}
		_, err = desk.Record(ctx, tx, system, policy.Decision{}, step)
		return err
	})
	if err != nil || !seeded {
		return err
	}
	return files.Reload(ctx)
}

// DemoDuties are the trainings and declarations of the made-up people of the demo city.
func DemoDuties(accounts []auth.Account, training, declaration policy.Date) []First {
	var out []First
	for _, a := range accounts {
		party := "person/" + a.ID
		out = append(out, First{Party: party, Unit: a.Institution, Sort: "training", Until: training}, First{Party: party, Unit: a.Institution, Sort: "declaration", Until: declaration})
	}
	return out
}
