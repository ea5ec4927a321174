// Package record is what may be looked up: the public catalogue, the budgets, and the audit log with its proofs.
//
// It promises: the catalogue's answers hold no number that depends on data; every other look is asked of policy for the very object
// that is shown and is itself an entry of the log; a budget or an entry that is not for the caller is one that does not exist.
//
// It does not promise a snapshot across calls: a budget may change between two looks.
package record

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"carrel/anonymize/dp"
	"carrel/anonymize/ledger"
	"carrel/broker/audit"
	"carrel/broker/auth"
	"carrel/broker/catalogue"
	"carrel/broker/grant"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Service is the use cases. It is safe for concurrent use.
type Service struct {
	desk      act.Desk
	catalogue *catalogue.Catalogue
}

// New makes the use cases.
func New(desk act.Desk, c *catalogue.Catalogue) (*Service, error) {
	if err := desk.Check(); err != nil {
		return nil, err
	}
	if c == nil {
		return nil, errors.New("record: no catalogue")
	}
	return &Service{desk: desk, catalogue: c}, nil
}

// Datasets lists the public catalogue.
func (s *Service) Datasets(ctx context.Context) ([]catalogue.Brief, error) {
	out := []catalogue.Brief{}
	all, err := s.all(ctx)
	for _, d := range all {
		out = append(out, d.Brief())
	}
	return out, err
}

// Search finds datasets and fields by words of their names and labels in both languages, and by region, level and item.
func (s *Service) Search(ctx context.Context, q catalogue.Query) ([]catalogue.Hit, error) {
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	q.Limit = 50
	return s.catalogue.Search(all, q), nil
}

func (s *Service) all(ctx context.Context) ([]*catalogue.Dataset, error) {
	var out []*catalogue.Dataset
	err := s.desk.Store.View(ctx, func(tx *store.Tx) error {
		entries, err := s.catalogue.List(ctx, act.CatalogueTx{Tx: tx})
		for _, e := range entries {
			if e.Transferred == "" { // what went over to another unit is in its catalogue
				out = append(out, e.Dataset)
			}
		}
		return err
	})
	return out, err
}

// Views are the public views of all datasets.
func (s *Service) Views(ctx context.Context) ([]catalogue.View, error) {
	all, err := s.all(ctx)
	out := make([]catalogue.View, 0, len(all))
	for _, d := range all {
		out = append(out, d.View())
	}
	return out, err
}

// Dataset shows one dataset's public entry.
func (s *Service) Dataset(ctx context.Context, id string) (catalogue.View, error) {
	var v catalogue.View
	err := s.desk.Store.View(ctx, func(tx *store.Tx) error {
		e, err := s.catalogue.Look(ctx, act.CatalogueTx{Tx: tx}, id)
		if err == nil {
			v = e.Dataset.View()
		}
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		err = problem.Wrap(err, problem.NotFound, "没有这一数据集；请查看目录。", "There is no such dataset; look at the catalogue.")
	}
	return v, err
}

// Budget is one account of the ledger as people see it.
type Budget struct {
	ID         string        `json:"id"`
	Kind       string        `json:"kind"`
	Spent      float64       `json:"epsilon_spent"`
	Left       float64       `json:"epsilon_left"`
	Limit      float64       `json:"epsilon_limit"`
	Delta      float64       `json:"delta"`
	Accounting dp.Accounting `json:"accounting"`
	Frozen     bool          `json:"frozen"`
	Closed     bool          `json:"closed"`
	Faults     int           `json:"faults"`
}

// Budgets lists the accounts that the person may see: one's own, those of one's data, all for authority and auditor.
func (s *Service) Budgets(ctx context.Context, id auth.Identity) ([]Budget, error) {
	out := []Budget{}
	step := act.Step{Kind: "ledger.viewed", Object: "ledger"}
	err := s.desk.Browse(ctx, id, step, func(tx *store.Tx) (policy.Decision, error) {
		dec, err := s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "ledger.list"})
		if err != nil {
			return dec, err
		}
		owners, err := s.universeOwners(ctx, tx)
		if err != nil {
			return dec, err
		}
		roots, err := tx.LedgerAccounts(ctx, "")
		if err != nil {
			return dec, err
		}
		for _, root := range roots {
			below, err := tx.LedgerAccounts(ctx, root.ID)
			if err != nil {
				return dec, err
			}
			for _, a := range append([]ledger.Account{root}, below...) {
				ok, err := s.mayRead(ctx, tx, id, a, owners)
				if err != nil {
					return dec, err
				}
				if ok {
					out = append(out, shown(a))
				}
			}
		}
		return dec, nil
	})
	return out, err
}

func shown(a ledger.Account) Budget {
	return Budget{ID: a.ID, Kind: string(a.Kind), Spent: dp.Epsilon(a.Accounting, a.Spent, a.RootDelta), Left: dp.Left(a.Accounting, a.Limit, a.Spent, a.RootDelta),
		Limit: dp.Epsilon(a.Accounting, a.Limit, a.RootDelta), Delta: a.RootDelta, Accounting: a.Accounting, Frozen: a.Frozen, Closed: a.Closed, Faults: a.Faults}
}

// universeOwners are the institutions whose data draw on each universe account.
func (s *Service) universeOwners(ctx context.Context, tx *store.Tx) (map[string][]string, error) {
	entries, err := s.catalogue.List(ctx, act.CatalogueTx{Tx: tx})
	if err != nil {
		return nil, err
	}
	owners := map[string][]string{}
	for _, e := range entries {
		u := grant.Universe(e.Dataset.Universe)
		owners[u] = append(owners[u], e.Dataset.Owner)
	}
	return owners, nil
}

// mayRead asks policy about one account.
func (s *Service) mayRead(ctx context.Context, tx *store.Tx, id auth.Identity, a ledger.Account, owners map[string][]string) (bool, error) {
	o := policy.Object{Kind: "ledger"}
	switch a.Kind {
	case ledger.KindUniverse:
		o.DataOwners = owners[a.ID]
	case ledger.KindResearcher:
		o.Owner = a.ID[strings.LastIndexByte(a.ID, '/')+1:]
		o.DataOwners = owners[a.Parent]
	case ledger.KindGrant:
		g, _, err := grant.Load(ctx, tx, strings.TrimPrefix(a.ID, "grant/"))
		if err != nil {
			return false, err
		}
		o = g.Object()
	}
	dec, err := s.desk.Policy.Decide(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "ledger.read", Object: o})
	if err != nil {
		return false, fmt.Errorf("record: ask policy: %w", err)
	}
	return dec.Allow, nil
}

// Checkpoint is the signed head of the log with the key that verifies it. It is public: whoever keeps one can later show that
// the log was set back.
type Checkpoint struct {
	Checkpoint string `json:"checkpoint"`
	Key        string `json:"key"`
}

// Checkpoint gives the newest one.
func (s *Service) Checkpoint(ctx context.Context) (Checkpoint, error) {
	c := Checkpoint{Key: s.desk.Log.VerifierKey()}
	err := s.desk.Store.View(ctx, func(tx *store.Tx) error {
		note, err := s.desk.Log.Checkpoint(ctx, tx)
		c.Checkpoint = string(note)
		return err
	})
	return c, err
}

// Prove gives the inclusion proof of one entry to whoever may read that entry.
func (s *Service) Prove(ctx context.Context, id auth.Identity, index int64) (*audit.Proof, error) {
	var p *audit.Proof
	word := policy.Text{ZH: "记录", EN: "entry"}
	err := s.desk.Look(ctx, id, act.Step{Kind: "audit.proved", Object: fmt.Sprintf("audit/%d", index)}, word, func(tx *store.Tx) (policy.Decision, error) {
		var err error
		if p, err = s.desk.Log.Prove(ctx, tx, index); err != nil {
			return policy.Decision{}, errors.Join(store.ErrNotFound, err)
		}
		e, err := audit.ParseLeaf([]byte(p.Leaf))
		if err != nil {
			return policy.Decision{}, err
		}
		return s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "audit.prove", Object: policy.Object{Kind: "audit", Owner: e.Actor}})
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Trace selects entries: empty members select all.
type Trace struct {
	Actor, Object, Grant, Kind string
	Since                      time.Time
	Limit                      int // newest that many; 0: 200, at most 5000
}

// Line is one entry with its number.
type Line struct {
	Index int64 `json:"index"`
	audit.Entry
}

// Trace says who did and saw what, when, and under which grant; oldest first.
func (s *Service) Trace(ctx context.Context, id auth.Identity, t Trace) ([]Line, error) {
	if t.Limit <= 0 {
		t.Limit = 200
	}
	t.Limit = min(t.Limit, 5000)
	out := []Line{}
	err := s.desk.Browse(ctx, id, act.Step{Kind: "audit.traced", Object: "audit"}, func(tx *store.Tx) (policy.Decision, error) {
		dec, err := s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "audit.trace", Object: policy.Object{Kind: "audit"}})
		if err != nil {
			return dec, err
		}
		n, err := tx.LogSize(ctx)
		if err != nil {
			return dec, err
		}
		return dec, tx.LogScan(ctx, 0, n, func(i int64, leaf []byte) error {
			e, err := audit.ParseLeaf(leaf)
			if err != nil {
				return err
			}
			if t.matches(e) {
				out = append(out, Line{Index: i, Entry: e})
			}
			if len(out) > 2*t.Limit {
				out = append(out[:0], out[len(out)-t.Limit:]...)
			}
			return nil
		})
	})
	if len(out) > t.Limit {
		out = out[len(out)-t.Limit:]
	}
	return out, err
}

func (t Trace) matches(e audit.Entry) bool {
	has := func(want, got string) bool { return want == "" || want == got }
	return has(t.Actor, e.Actor) && has(t.Grant, e.Grant) && (t.Object == "" || e.Object == t.Object || strings.HasPrefix(e.Object, t.Object+"/")) &&
		(t.Kind == "" || e.Kind == t.Kind || strings.HasPrefix(e.Kind, t.Kind+".")) && !e.At.Before(t.Since)
}

// Export writes the whole log as `audit verify` reads it.
func (s *Service) Export(ctx context.Context, id auth.Identity, w io.Writer) error {
	return s.desk.Browse(ctx, id, act.Step{Kind: "audit.exported", Object: "audit"}, func(tx *store.Tx) (policy.Decision, error) {
		dec, err := s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "audit.export", Object: policy.Object{Kind: "audit"}})
		if err != nil {
			return dec, err
		}
		_, err = s.desk.Log.Export(ctx, tx, w)
		return dec, err
	})
}
