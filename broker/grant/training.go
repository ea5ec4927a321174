package grant

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"carrel/anonymize/dp"
	"carrel/anonymize/ledger"
	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// TrainingAlias is how everybody names the grant to train with that he has this week.
const TrainingAlias = "training"

// purposeTraining is the purpose of those grants. Nobody can apply for it.
const purposeTraining = "training"

// Example is a synthetic dataset to train on.
type Example struct {
	Owner   string
	Columns []string
}

// Examples finds the dataset to train on; false when it is not registered, or is not synthetic.
type Examples interface {
	Example(ctx context.Context, tx *store.Tx, dataset string) (Example, bool, error)
}

type trainingDefaults struct {
	Dataset string  `json:"dataset"`
	Epsilon float64 `json:"epsilon"`
	Days    int     `json:"days"`
}

// Training is the grant on the demo city that every account has without applying: it begins with the first question of a period (a week)
// and ends with it, and the next period brings another with a fresh budget. Its persons are invented, and its universe is the account's own
// and the period's own: nothing that is spent there is anybody's else, and no promise to a real person depends on it. It is opened only
// where the dataset is registered as synthetic, and policy asks the catalogue about that again with every question.
func (s *Service) Training(ctx context.Context, id auth.Identity, examples Examples) (string, error) {
	var d struct {
		Training trainingDefaults `json:"training"`
	}
	if err := s.desk.Policy.Data(ctx, "carrel/defaults", &d); err != nil {
		return "", fmt.Errorf("grant: policy defaults: %w", err)
	}
	t := d.Training
	if t.Dataset == "" || !(t.Epsilon > 0) || t.Days <= 0 {
		return "", problem.Absent(what())
	}
	first := period(s.desk.Now(), t.Days)
	g := &Grant{ID: act.NewID("t"), Application: purposeTraining, Kind: KindQuery, State: StateActive, Training: true,
		Purpose: purposeTraining, Lead: id.Account, Institution: id.Institution, Datasets: []string{t.Dataset}, Assessment: "synthetic",
		From: policy.DateOf(first), To: policy.DateOf(first.AddDate(0, 0, t.Days-1)), Epsilon: t.Epsilon}
	g.Universe, g.Account = "training-"+g.ID, Account(g.ID)
	var had string
	err := s.desk.Store.View(ctx, func(tx *store.Tx) (err error) { had, err = trains(ctx, tx, g.Lead, g.From); return err })
	if err != nil || had != "" {
		return had, act.Problem(err)
	}
	err = s.desk.Do(ctx, id, act.Step{Kind: "grant.training", Object: "grant/" + g.ID, Grant: g.ID}, func(tx *store.Tx) error {
		dec, err := s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "training.open"})
		if err != nil {
			return err
		}
		if had, err = trains(ctx, tx, g.Lead, g.From); err != nil || had != "" {
			return err // somebody, the person herself, was faster
		}
		e, ok, err := examples.Example(ctx, tx, t.Dataset)
		if err != nil {
			return err
		}
		if !ok {
			return problem.Absent(what())
		}
		g.DataOwners, g.Columns = []string{e.Owner}, e.Columns
		return s.train(ctx, tx, id, dec, g)
	})
	return cmp.Or(had, g.ID), err
}

// trains is the number of the grant that a person trains with in the period that begins on a day, "" while there is none.
func trains(ctx context.Context, tx *store.Tx, account string, from policy.Date) (string, error) {
	docs, err := tx.List(ctx, DocKind, store.Filter{Owner: account, Parent: purposeTraining, Newest: true})
	if err != nil {
		return "", err
	}
	for _, d := range docs {
		var g Grant
		if err := d.Decode(&g); err != nil {
			return "", err
		}
		if g.From == from {
			return g.ID, nil
		}
	}
	return "", nil
}

// train opens the grant with a universe and accounts of its own.
func (s *Service) train(ctx context.Context, tx *store.Tx, id auth.Identity, dec policy.Decision, g *Grant) error {
	d, err := s.defaults(ctx)
	if err != nil {
		return err
	}
	g.Made = s.desk.Now().UTC()
	root := ledger.Account{ID: Universe(g.Universe), Kind: ledger.KindUniverse, Accounting: d.Universe.Accounting, RootDelta: d.Universe.Delta,
		Limit: dp.Budget(d.Universe.Accounting, d.Universe.Epsilon, d.Universe.Delta), Synthetic: true, Opened: g.Made}
	if err := s.ledger.Open(ctx, tx, root); err != nil {
		return fmt.Errorf("grant: open universe: %w", err)
	}
	limit := dp.Share(root.Accounting, root.Limit, g.Epsilon, root.RootDelta)
	if err := s.ledger.OpenGrant(ctx, tx, ledger.Account{ID: g.Account, Kind: ledger.KindGrant, Parent: root.ID, Accounting: root.Accounting,
		RootDelta: root.RootDelta, Limit: limit, Opened: g.Made}); err != nil {
		return fmt.Errorf("grant: open budget: %w", err)
	}
	if err := s.researcher(ctx, tx, root, g.Universe, g.Lead, d.Researcher.Epsilon); err != nil {
		return err
	}
	if err := tx.Put(ctx, DocKind, g.ID, 0, g.index(), g); err != nil {
		return err
	}
	_, err = s.desk.Record(ctx, tx, id, dec, act.Step{Kind: "grant.training", Object: "grant/" + g.ID, Grant: g.ID,
		Facts: map[string]string{"dataset": g.Datasets[0], "epsilon": fmt.Sprintf("%g", g.Epsilon), "from": string(g.From), "to": string(g.To)}})
	return err
}

// period is the first day of the period of so many days that now is in, counted from a Monday.
func period(now time.Time, days int) time.Time {
	monday := time.Date(2020, 1, 6, 0, 0, 0, 0, time.FixedZone("CST", 8*3600))
	n := int(now.Sub(monday)/(24*time.Hour)) / days
	return monday.AddDate(0, 0, n*days)
}
