package board

import (
	"context"
	"fmt"
	"slices"

	"carrel/broker/auth"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant"
	"carrel/broker/store"
	"carrel/policy"
)

// conditions are what grants that stand owe: of each the first condition without evidence, and the first evidence that nobody judged. A
// grant is one thing to be reminded of, however many of its conditions are open.
func (s *Service) conditions(ctx context.Context, tx *store.Tx) ([]thing, error) {
	var rules struct {
		Acceptance struct {
			Days int `json:"days"`
		} `json:"acceptance"`
	}
	if err := s.desk.Policy.Data(ctx, "carrel/boards/due", &rules); err != nil {
		return nil, fmt.Errorf("board: reminders: %w", err)
	}
	var out []thing
	for _, state := range []string{grant.StateActive, grant.StateSuspended} {
		err := each(ctx, tx, grant.DocKind, store.Filter{State: state}, func(d store.Doc) error {
			g := new(grant.Grant)
			if err := d.Decode(g); err != nil {
				return err
			}
			owes, waits, err := s.owed(ctx, g, rules.Acceptance.Days)
			if owes != nil {
				out = append(out, *owes)
			}
			if waits != nil {
				out = append(out, *waits)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// owed finds what the project owes and what those who set its conditions owe.
func (s *Service) owed(ctx context.Context, g *grant.Grant, days int) (owes, waits *thing, err error) {
	object := g.Object()
	mayKnow := func(ctx context.Context, id auth.Identity) (bool, error) {
		dec, err := s.desk.Policy.Decide(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "grant.read", Object: object})
		return err == nil && dec.Allow, err
	}
	for _, o := range g.Obligations {
		switch o.State() {
		case grant.ConditionOpen:
			if owes == nil || o.Due < owes.due {
				team := append([]string{g.Lead}, g.Team...)
				owes = &thing{kind: "condition", object: "grant/" + g.ID, due: o.Due, mayKnow: mayKnow,
					holders: func(context.Context) ([]string, error) { return team, nil }}
			}
		case grant.ConditionFiled:
			due, err := s.days.Due(ctx, o.At, days)
			if err != nil {
				return nil, nil, fmt.Errorf("board: evidence that waits: %w", err)
			}
			if waits == nil || due < waits.due {
				waits = &thing{kind: "acceptance", object: "grant/" + g.ID, due: due, mayKnow: mayKnow, holders: s.judges(g)}
			}
		}
	}
	return owes, waits, nil
}

// judges are the accounts that policy offers to accept evidence under a grant.
func (s *Service) judges(g *grant.Grant) func(ctx context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		var out []string
		for _, id := range s.c.People.Accounts() {
			dec, err := s.desk.Policy.Decide(ctx, policy.CommandsQuestion{At: s.desk.Moment(), Subject: id.Subject(), Machine: "grant", Case: g.Case()})
			if err != nil {
				return nil, fmt.Errorf("board: ask who judges: %w", err)
			}
			if slices.ContainsFunc(dec.Commands(), func(c policy.Command) bool { return c.Command == "accept" }) {
				out = append(out, id.Account)
			}
		}
		return out, nil
	}
}

// reports are those upward that were not sent yet, and those that were and nobody acknowledged.
func (s *Service) reports(ctx context.Context, tx *store.Tx) ([]thing, error) {
	var out []thing
	err := matter.All(ctx, tx, matter.Report, store.Filter{}, func(m *matter.Matter) error {
		due, open := m.Deadline()
		if !open || due.IsZero() {
			return nil
		}
		kind, house := "report", m.Unit
		if m.State == "sent" {
			kind, house = "receipt", ""
			if len(m.Addressed) > 0 {
				house = m.Addressed[0]
			}
		}
		held := s.officers(kind, &matter.Matter{Party: "institution/" + house})
		out = append(out, thing{kind: kind, object: "conduct/report/" + m.ID, due: policy.DateOf(due), holders: held, mayKnow: anybody})
		return nil
	})
	return out, err
}
