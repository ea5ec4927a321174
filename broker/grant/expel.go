package grant

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/store"
	"carrel/policy"
)

// EndAll ends every grant of a party that still stands, inside the transaction of the decision that obliges to it (sichuan-16): those that
// the person leads, or those of the institution. Their budgets are closed with them, so nothing charges them after the commit. It
// returns how many there were. What is on record of a grant's end is the decision that ended them all.
func (s *Service) EndAll(ctx context.Context, tx *store.Tx, id auth.Identity, dec policy.Decision, party string) (int, error) {
	kind, name, ok := strings.Cut(party, "/")
	if !ok || name == "" || !dec.Allow {
		return 0, errors.New("grant: no party, or no decision, to end grants by")
	}
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
			his := kind == "person" && g.Lead == name || kind == "institution" && g.Institution == name
			if !his || g.State == StateRevoked || g.State == StateEnded {
				continue
			}
			if err := s.endOne(ctx, tx, id, dec, &g, d.Rev); err != nil {
				return n, err
			}
			n++
		}
		if len(docs) < f.Limit {
			return n, nil
		}
	}
}

func (s *Service) endOne(ctx context.Context, tx *store.Tx, id auth.Identity, dec policy.Decision, g *Grant, rev int64) error {
	if g.Account != "" {
		if _, err := s.ledger.CloseGrant(ctx, tx, g.Account); err != nil {
			return fmt.Errorf("grant: close budget: %w", err)
		}
	}
	from := g.State
	g.State, g.Ended, g.EndedBy = StateRevoked, s.desk.Now().UTC(), id.Account
	if err := tx.Put(ctx, DocKind, g.ID, rev, g.index(), g); err != nil {
		return fmt.Errorf("grant: end: %w", err)
	}
	_, err := s.desk.Record(ctx, tx, id, dec, act.Step{Kind: "grant.revoke", Object: "grant/" + g.ID, Grant: g.ID, Facts: map[string]string{"from": from, "to": g.State}})
	return err
}
