package grant

import (
	"context"
	"errors"
	"fmt"

	"carrel/anonymize/dp"
	"carrel/anonymize/ledger"
	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// defaults is the part of policy's data that budgets are made from.
type defaults struct {
	Universe struct {
		Epsilon    float64       `json:"epsilon"`
		Delta      float64       `json:"delta"`
		Accounting dp.Accounting `json:"accounting"`
	} `json:"universe"`
	Researcher struct {
		Epsilon float64 `json:"epsilon"`
	} `json:"researcher"`
	Grant struct {
		Epsilon float64 `json:"epsilon"`
	} `json:"grant"`
}

func (s *Service) defaults(ctx context.Context) (defaults, error) {
	var d defaults
	if err := s.desk.Policy.Data(ctx, "carrel/defaults", &d); err != nil {
		return d, fmt.Errorf("grant: policy defaults: %w", err)
	}
	return d, nil
}

// EnsureUniverse opens the budget root of a person universe from policy's defaults, once, inside the transaction in which a
// dataset of the universe is registered: a registration that is refused leaves no account.
func (s *Service) EnsureUniverse(ctx context.Context, tx *store.Tx, by auth.Identity, universe string, synthetic bool) error {
	if have, err := tx.LedgerAccount(ctx, Universe(universe)); err == nil {
		return same(have, synthetic)
	} else if !errors.Is(err, ledger.ErrNotFound) {
		return fmt.Errorf("grant: universe: %w", err)
	}
	d, err := s.defaults(ctx)
	if err != nil {
		return err
	}
	a := ledger.Account{ID: Universe(universe), Kind: ledger.KindUniverse, Accounting: d.Universe.Accounting, RootDelta: d.Universe.Delta,
		Limit: dp.Budget(d.Universe.Accounting, d.Universe.Epsilon, d.Universe.Delta), Synthetic: synthetic, Opened: s.desk.Now().UTC()}
	if err := s.ledger.Open(ctx, tx, a); err != nil {
		return fmt.Errorf("grant: open universe: %w", err)
	}
	_, err = s.desk.Record(ctx, tx, by, policy.Decision{}, act.Step{Kind: "ledger.universe-opened", Object: a.ID,
		Facts: map[string]string{"epsilon": fmt.Sprintf("%g", d.Universe.Epsilon), "delta": fmt.Sprintf("%g", d.Universe.Delta),
			"accounting": string(d.Universe.Accounting), "units": fmt.Sprint(a.Limit.Units)}})
	return err
}

// same refuses invented and real persons in one universe: the budget of a synthetic one refills.
func same(have ledger.Account, synthetic bool) error {
	if have.Synthetic != synthetic {
		return problem.New(problem.Conflict, "该人群的预算已按另一类（合成或真实）人群登记；请为此数据集使用另一个人群。",
			"The universe is of the other kind (invented or real persons); give the dataset a universe of its own kind.")
	}
	return nil
}

// Open makes a grant inside the transaction of the agreement's last signature: the document, the budget set aside in the
// universe, the team's researcher accounts where they are new, and the log entry. dec is the decision that obliged to it.
func (s *Service) Open(ctx context.Context, tx *store.Tx, id auth.Identity, dec policy.Decision, g *Grant) error {
	if g.ID == "" || g.Application == "" || g.Lead == "" || len(g.Datasets) == 0 || len(g.Columns) == 0 || g.From == "" || g.To == "" {
		return errors.New("grant: a grant needs its application, lead, datasets, columns and period")
	}
	g.State, g.Made = StateActive, s.desk.Now().UTC()
	if g.Kind == KindQuery {
		if err := s.budget(ctx, tx, g); err != nil {
			return err
		}
	} else {
		g.Epsilon, g.Account = 0, ""
	}
	if err := tx.Put(ctx, DocKind, g.ID, 0, g.index(), g); err != nil {
		return err
	}
	_, err := s.desk.Record(ctx, tx, id, dec, act.Step{Kind: "grant.opened", Object: "grant/" + g.ID, Grant: g.ID,
		Facts: map[string]string{"application": g.Application, "kind": g.Kind, "epsilon": fmt.Sprintf("%g", g.Epsilon), "from": string(g.From), "to": string(g.To)}})
	return err
}

// budget sets the grant's limit aside in its universe and sees to it that every member of the team has an account there.
func (s *Service) budget(ctx context.Context, tx *store.Tx, g *Grant) error {
	d, err := s.defaults(ctx)
	if err != nil {
		return err
	}
	root, err := tx.LedgerAccount(ctx, Universe(g.Universe))
	if err != nil {
		return fmt.Errorf("grant: universe: %w", err)
	}
	if g.Epsilon == 0 {
		g.Epsilon = d.Grant.Epsilon
	}
	g.Account = Account(g.ID)
	limit := dp.Share(root.Accounting, root.Limit, g.Epsilon, root.RootDelta)
	if limit.Units == 0 {
		return problem.New(problem.Exhausted, "人群的隐私总预算不足以设立此授权；请减少申请的预算。",
			"The budget of this population does not cover the grant; ask for a smaller epsilon.")
	}
	err = s.ledger.OpenGrant(ctx, tx, ledger.Account{ID: g.Account, Kind: ledger.KindGrant, Parent: root.ID, Accounting: root.Accounting,
		RootDelta: root.RootDelta, Limit: limit, Opened: g.Made})
	if err != nil {
		return act.Problem(fmt.Errorf("grant: open budget: %w", err))
	}
	return s.accounts(ctx, tx, g)
}

func (s *Service) researcher(ctx context.Context, tx *store.Tx, root ledger.Account, universe, person string, epsilon float64) error {
	id := Researcher(person, universe)
	if _, err := tx.LedgerAccount(ctx, id); !errors.Is(err, ledger.ErrNotFound) {
		return err
	}
	err := s.ledger.Open(ctx, tx, ledger.Account{ID: id, Kind: ledger.KindResearcher, Parent: root.ID, Accounting: root.Accounting,
		RootDelta: root.RootDelta, Limit: dp.Share(root.Accounting, root.Limit, epsilon, root.RootDelta), Opened: s.desk.Now().UTC()})
	if err != nil {
		return fmt.Errorf("grant: open researcher's budget: %w", err)
	}
	return nil
}
