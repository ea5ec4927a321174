package grant

import (
	"context"
	"errors"
	"fmt"

	"carrel/anonymize/dp"
	"carrel/anonymize/ledger"
	"carrel/broker/abroad"
	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Directory finds the identity that an account has now.
type Directory interface {
	Identity(account string) (auth.Identity, bool)
}

// Service is the use cases about grants and permits. It is safe for concurrent use.
type Service struct {
	desk    act.Desk
	ledger  *ledger.Ledger
	permits *auth.Permits
	people  Directory
}

// New makes the use cases.
func New(desk act.Desk, l *ledger.Ledger, permits *auth.Permits, people Directory) (*Service, error) {
	if err := desk.Check(); err != nil {
		return nil, err
	}
	if l == nil || permits == nil || people == nil {
		return nil, errors.New("grant: the use cases need a ledger, permits and a directory")
	}
	return &Service{desk: desk, ledger: l, permits: permits, people: people}, nil
}

func what() policy.Text { return policy.Text{ZH: "授权", EN: "grant"} }

// Load reads a grant inside a transaction, with its revision and the cross-border file that it rests on as that is now. It judges nothing.
func Load(ctx context.Context, tx *store.Tx, id string) (*Grant, int64, error) {
	g := new(Grant)
	rev, err := tx.Get(ctx, DocKind, id, g)
	if err != nil {
		return nil, 0, fmt.Errorf("grant: load: %w", err)
	}
	if g.cleared, err = abroad.Cleared(ctx, tx, g.Clearance); err != nil {
		return nil, 0, fmt.Errorf("grant: load: %w", err)
	}
	return g, rev, nil
}

// Unchanged is for a use that asked policy before its transaction: inside the transaction that charges or hands over, it says
// whether the grant is still exactly what policy saw, and the cross-border file that it rests on. A revocation in between, or a clearance
// that was taken back, is a conflict, and nothing is charged.
func Unchanged(ctx context.Context, tx *store.Tx, seen *Grant, rev int64) error {
	now, err := tx.Get(ctx, DocKind, seen.ID, nil)
	if err != nil {
		return fmt.Errorf("grant: load: %w", err)
	}
	cleared, err := abroad.Cleared(ctx, tx, seen.Clearance)
	if err != nil {
		return fmt.Errorf("grant: load: %w", err)
	}
	if now != rev || cleared != seen.cleared {
		return problem.New(problem.Conflict, "授权在此期间已变更；请重新查看后再试。", "The grant changed in the meantime; look at it again and repeat.")
	}
	return nil
}

// access asks whether id may do the action on the grant.
func (s *Service) access(ctx context.Context, id auth.Identity, action string, g *Grant) (policy.Decision, error) {
	return s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: action, Object: g.Object()})
}

// Get shows a grant to who may see it, and puts the view on record.
func (s *Service) Get(ctx context.Context, id auth.Identity, grant string) (*View, error) {
	var v *View
	step := act.Step{Kind: "grant.viewed", Object: "grant/" + grant, Grant: grant}
	err := s.desk.Look(ctx, id, step, what(), func(tx *store.Tx) (policy.Decision, error) {
		g, rev, err := Load(ctx, tx, grant)
		if err != nil {
			return policy.Decision{}, err
		}
		dec, err := s.access(ctx, id, "grant.read", g)
		if err != nil {
			return dec, err
		}
		v, err = s.view(ctx, tx, id, g, rev)
		return dec, err
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// View is a grant as a person sees it.
type View struct {
	Grant
	Reads      []Reads          `json:"reads"` // versions of the datasets
	Revision   int64            `json:"revision"`
	Purposes   []string         `json:"purposes,omitempty"` // of amendments, in place of the references
	Conditions []string         `json:"conditions"`         // in place of the references
	Commands   []policy.Command `json:"commands"`           // what this person may do with it now
	Reason     string           `json:"reason,omitempty"`   // why it rests or was ended, in words; of a change of purpose the new one
	Budget     *Budget          `json:"budget,omitempty"`
}

// Budget is what a grant may spend, as ε at the conversion δ of its universe.
type Budget struct {
	Epsilon float64 `json:"epsilon"`
	Left    float64 `json:"epsilon_left"`
	Delta   float64 `json:"delta"`
	Frozen  bool    `json:"frozen"`
	Closed  bool    `json:"closed"`
	Faults  int     `json:"faults"`
}

func (s *Service) view(ctx context.Context, tx *store.Tx, id auth.Identity, g *Grant, rev int64) (*View, error) {
	v := &View{Grant: *g, Revision: rev}
	var err error
	if v.Reads, err = reads(ctx, tx, g); err != nil {
		return nil, err
	}
	if v.Purposes, err = purposes(ctx, tx, g); err != nil {
		return nil, err
	}
	if v.Reason, err = g.reason(ctx, tx); err != nil {
		return nil, err
	}
	if v.Obligations, err = Spoken(ctx, tx, g.Obligations); err != nil {
		return nil, err
	}
	for _, ref := range g.Conditions {
		text, err := words(ctx, tx, ref)
		if err != nil {
			return nil, err
		}
		v.Conditions = append(v.Conditions, text)
	}
	dec, err := s.desk.Policy.Decide(ctx, policy.CommandsQuestion{At: s.desk.Moment(), Subject: id.Subject(), Machine: "grant", Case: g.Case()})
	if err != nil {
		return nil, fmt.Errorf("grant: ask for commands: %w", err)
	}
	v.Commands = dec.Commands()
	if g.Account == "" {
		return v, nil
	}
	a, err := tx.LedgerAccount(ctx, g.Account)
	if err != nil {
		return nil, fmt.Errorf("grant: budget: %w", err)
	}
	v.Budget = &Budget{Epsilon: dp.Epsilon(a.Accounting, a.Limit, a.RootDelta), Left: dp.Left(a.Accounting, a.Limit, a.Spent, a.RootDelta),
		Delta: a.RootDelta, Frozen: a.Frozen, Closed: a.Closed, Faults: a.Faults}
	return v, nil
}

// List shows the grants that the person may see, newest first, at most limit (1 to 200). One entry of the log says so.
func (s *Service) List(ctx context.Context, id auth.Identity, limit int) ([]Grant, error) {
	return act.Shelf[Grant]{Kind: DocKind, Name: "grant", Object: (*Grant).Object}.List(ctx, s.desk, id, max(1, min(limit, 200)))
}

// Expire ends the grants whose last day is over and returns their unspent budget. It is the service's own chore: the date was
// decided when the grant was made, and policy refuses every use after it whether or not Expire has run.
func (s *Service) Expire(ctx context.Context) (int, error) {
	n := 0
	system := auth.Identity{Account: "system", Institution: s.desk.Operator}
	err := s.desk.Do(ctx, system, act.Step{Kind: "grant.expired", Object: "grant"}, func(tx *store.Tx) error {
		n = 0
		docs, err := standing(ctx, tx)
		if err != nil {
			return err
		}
		for _, d := range docs {
			var g Grant
			if err := d.Decode(&g); err != nil {
				return err
			}
			if g.To >= policy.DateOf(s.desk.Now()) {
				continue
			}
			if g.Account != "" {
				if _, err := s.ledger.CloseGrant(ctx, tx, g.Account); err != nil {
					return fmt.Errorf("grant: close budget: %w", err)
				}
			}
			g.State, g.Ended = StateEnded, s.desk.Now().UTC()
			if err := tx.Put(ctx, DocKind, g.ID, d.Rev, g.index(), &g); err != nil {
				return err
			}
			if _, err := s.desk.Record(ctx, tx, system, policy.Decision{}, act.Step{Kind: "grant.expired", Object: "grant/" + g.ID, Grant: g.ID}); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}
