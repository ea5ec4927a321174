package grant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/store"
	"carrel/policy"
)

// ruleExit is the rule by which a decision ends all grants of a party.
const ruleExit = "sichuan-16/two-persons"

// EndAll ends every grant of a party that still stands, inside the transaction of the decision that obliges to it (sichuan-16): those that
// the person leads, or those of the institution. Their budgets are closed with them, so nothing charges them after the commit. It
// returns how many there were. What is on record of a grant's end is the decision that ended them all, and what who holds one of them reads is
// the rule of it that ends grants: coded and cited, with nothing of what the party did.
func (s *Service) EndAll(ctx context.Context, tx *store.Tx, id auth.Identity, dec policy.Decision, party string) (int, error) {
	kind, name, ok := strings.Cut(party, "/")
	if !ok || name == "" || !dec.Allow {
		return 0, errors.New("grant: no party, or no decision, to end grants by")
	}
	i := slices.IndexFunc(dec.Reasons, func(r policy.Reason) bool { return r.Rule == ruleExit })
	if i < 0 {
		return 0, errors.New("grant: the decision does not say by what rule it ends grants")
	}
	cause := dec.Reasons[i]
	n := 0
	f := store.Filter{Limit: store.ListMax}
	for {
		docs, err := tx.List(ctx, DocKind, f)
		if err != nil {
			return n, fmt.Errorf("grant: list: %w", err)
		}
		for _, d := range docs {
			f.After = d.ID
			var g Grant
			if err := d.Decode(&g); err != nil {
				return n, err
			}
			his := kind == "person" && g.Lead == name || kind == "institution" && s.desk.Same(g.Institution, name)
			if !his || g.State == StateRevoked || g.State == StateEnded {
				continue
			}
			if err := s.endOne(ctx, tx, id, dec, cause, &g, d.Rev); err != nil {
				return n, err
			}
			n++
		}
		if len(docs) < f.Limit {
			return n, nil
		}
	}
}

func (s *Service) endOne(ctx context.Context, tx *store.Tx, id auth.Identity, dec policy.Decision, cause policy.Reason, g *Grant, rev int64) error {
	if g.Account != "" {
		if _, err := s.ledger.CloseGrant(ctx, tx, g.Account); err != nil {
			return fmt.Errorf("grant: close budget: %w", err)
		}
	}
	from := g.State
	g.State, g.Ended, g.EndedBy, g.EndCause, g.Pause = StateRevoked, s.desk.Now().UTC(), id.Account, &cause, nil
	if err := tx.Put(ctx, DocKind, g.ID, rev, g.index(), g); err != nil {
		return fmt.Errorf("grant: end: %w", err)
	}
	_, err := s.desk.Record(ctx, tx, id, dec, act.Step{Kind: "grant.revoke", Object: "grant/" + g.ID, Grant: g.ID, Facts: map[string]string{"from": from, "to": g.State}})
	return err
}
