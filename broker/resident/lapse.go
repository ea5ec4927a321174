package resident

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"carrel/broker/auth"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant/act"
	"carrel/broker/store"
	"carrel/policy"
)

// lapsed is the step by which a wish ends by itself.
const lapsed = "wish.lapse"

// sooner is the earlier of two last days, of which "" is none.
func sooner(a, b policy.Date) policy.Date {
	if a == "" || b != "" && b < a {
		return b
	}
	return a
}

// listOf is the list that a wish is on.
func listOf(m *matter.Matter) string {
	if m.Link == "" {
		return Every
	}
	return m.Link
}

// ends is the first last day of what stands on a list without one wish of it.
func ends(ctx context.Context, tx *store.Tx, list, without string) (policy.Date, error) {
	var out policy.Date
	err := matter.All(ctx, tx, matter.Wish, store.Filter{State: "standing"}, func(m *matter.Matter) error {
		if listOf(m) == list && m.ID != without {
			out = sooner(out, m.Until)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	var c Carried
	if _, err := tx.Get(ctx, carriedKind, list, &c); err != nil && !store.IsNotFound(err) {
		return "", fmt.Errorf("resident: what came: %w", err)
	}
	for _, s := range c.Wishes {
		out = sooner(out, s.Until)
	}
	return out, nil
}

// Lapse ends, on these lists or on all, what was good until a day that is over: what a guardian authorised for a child who is of age now. Each end
// is a transaction of policy's decision, the wish's new state, a version of the list and an entry of the log. Every use of data looks first whether one is
// due, so that none is made with what has ended, whether or not the hour in which the service looks by itself has come.
func (r *Registry) Lapse(ctx context.Context, lists ...string) error {
	today := policy.DateOf(r.c.Desk.Now())
	var due []string
	err := r.c.Desk.Store.View(ctx, func(tx *store.Tx) error {
		var err error
		due, err = overdue(ctx, tx, today, lists)
		return err
	})
	for _, list := range due {
		if err == nil {
			err = r.lapse(ctx, list, today)
		}
	}
	if err != nil {
		return fmt.Errorf("resident: end what was authorised: %w", err)
	}
	return nil
}

// overdue are the lists on which something has ended; without names it looks at all.
func overdue(ctx context.Context, tx *store.Tx, today policy.Date, lists []string) (due []string, err error) {
	for _, list := range lists {
		v, _, err := counter(ctx, tx, list)
		if err != nil {
			return nil, err
		}
		if v.over(today) {
			due = append(due, list)
		}
	}
	f := store.Filter{Limit: store.ListMax}
	for len(lists) == 0 {
		docs, err := tx.List(ctx, versionKind, f)
		if err != nil {
			return nil, err
		}
		for _, d := range docs {
			var v version
			if err := d.Decode(&v); err != nil {
				return nil, err
			}
			if f.After = d.ID; v.over(today) {
				due = append(due, d.ID)
			}
		}
		if len(docs) < f.Limit {
			break
		}
	}
	return due, nil
}

// lapse ends what is over on one list.
func (r *Registry) lapse(ctx context.Context, list string, today policy.Date) error {
	var over []string
	err := r.c.Desk.Store.View(ctx, func(tx *store.Tx) error {
		return matter.All(ctx, tx, matter.Wish, store.Filter{State: "standing"}, func(m *matter.Matter) error {
			if listOf(m) == list && m.Until != "" && m.Until < today {
				over = append(over, m.ID)
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	id := auth.Identity{Account: auth.System, Institution: r.c.Desk.Operator}
	for _, wish := range over {
		step := act.Step{Kind: "conduct." + lapsed, Object: "conduct/wish/" + wish}
		if err := r.c.Desk.Do(ctx, id, step, func(tx *store.Tx) error { return r.lapseOne(ctx, tx, id, step, wish) }); err != nil {
			return err
		}
	}
	step := act.Step{Kind: "conduct." + lapsed, Object: "conduct/wish"}
	return r.c.Desk.Do(ctx, id, step, func(tx *store.Tx) error { return r.lapseCame(ctx, tx, id, step, list, today) })
}

// lapseOne ends one wish, unless somebody did meanwhile.
func (r *Registry) lapseOne(ctx context.Context, tx *store.Tx, id auth.Identity, step act.Step, wish string) error {
	m, rev, err := matter.Load(ctx, tx, matter.Wish, wish)
	if err != nil || m.State != "standing" {
		return err
	}
	dec, err := r.c.Desk.Ask(ctx, policy.ConductQuestion{At: r.c.Desk.Moment(), Subject: id.Subject(), Act: lapsed, Matter: m.Facts(nil)})
	if err != nil {
		return err
	}
	from := m.State
	to, named := dec.State()
	if !named {
		return errors.New("policy names no state for a wish that ends")
	}
	m.State = to
	m.Steps = append(m.Steps, matter.Step{At: r.c.Desk.Now().UTC(), By: id.Account, Act: lapsed, To: to})
	if step.Facts, err = r.count(ctx, tx, listOf(m), m); err != nil {
		return err
	}
	step.Facts["sort"], step.Facts["from"], step.Facts["to"] = m.Sort, from, m.State
	if err := matter.Put(ctx, tx, m, rev); err != nil {
		return err
	}
	_, err = r.c.Desk.Record(ctx, tx, id, dec, step)
	return err
}

// lapseCame ends what came over with a dataset from another service, all at once, since those wishes have no numbers here.
func (r *Registry) lapseCame(ctx context.Context, tx *store.Tx, id auth.Identity, step act.Step, list string, today policy.Date) error {
	var c Carried
	rev, err := tx.Get(ctx, carriedKind, list, &c)
	if store.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("resident: what came: %w", err)
	}
	over := slices.IndexFunc(c.Wishes, func(s Stance) bool { return s.Until != "" && s.Until < today })
	if over < 0 {
		return nil
	}
	s := c.Wishes[over]
	m := &matter.Matter{Noun: matter.Wish, Sort: s.Sort, State: "standing", Link: list, Born: policy.Date(s.Born), Until: s.Until}
	dec, err := r.c.Desk.Ask(ctx, policy.ConductQuestion{At: r.c.Desk.Moment(), Subject: id.Subject(), Act: lapsed, Matter: m.Facts(nil)})
	if err != nil {
		return err
	}
	m.State = ""
	c.Wishes = slices.DeleteFunc(c.Wishes, func(s Stance) bool { return s.Until != "" && s.Until < today })
	if err := tx.Put(ctx, carriedKind, list, rev, store.Index{}, c); err != nil {
		return fmt.Errorf("resident: what came: %w", err)
	}
	if step.Facts, err = r.count(ctx, tx, list, m); err != nil {
		return err
	}
	_, err = r.c.Desk.Record(ctx, tx, id, dec, step)
	return err
}
