package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"carrel/anonymize/dp"
	"carrel/broker/application"
	"carrel/broker/attachment"
	"carrel/broker/attachment/folder"
	"carrel/broker/auth"
	"carrel/broker/grant"
	"carrel/broker/job"
	"carrel/broker/service"
	"carrel/broker/store"
	"carrel/policy"
)

// childMemory is the limit of one sandbox child.
const childMemory = 4 << 30

// watch collects what the service tells of times.
type watch struct {
	times  sync.Map // id of an answer -> commit
	policy atomic.Int64
}

// commit is T3's: the time to it, without the wait for the grid, and when it was.
type commit struct {
	took time.Duration
	at   time.Time
}

func (w *watch) committed(id string, elapsed time.Duration) {
	w.times.Store(id, commit{elapsed, time.Now()})
}
func (w *watch) decided(elapsed time.Duration) { w.policy.Add(int64(elapsed)) }

// desk is a researcher with a grant at an open service.
type desk struct {
	*service.Service
	watch
	me    auth.Identity
	grant string
	asked atomic.Int64
	cost  sync.Mutex
	rule  dp.Accounting
	spent dp.Cost // what the answers said that they cost
}

// sit opens the service and takes an application through to a grant.
func (b *bench) sit(ctx context.Context, c city, rules fs.FS) (*desk, error) {
	d := &desk{rule: dp.ZCDP}
	s, err := b.desk(ctx, c, &d.watch, rules)
	if err != nil {
		return nil, err
	}
	d.Service = s
	d.me, _ = s.Directory.Identity("li")
	if d.grant, err = d.apply(ctx, c.entry); err != nil {
		return nil, errors.Join(fmt.Errorf("no grant: %w", err), s.Close())
	}
	return d, nil
}

func (d *desk) as(account string) auth.Identity {
	id, _ := d.Directory.Identity(account) // an unknown account is nobody, and policy says so
	return id
}

// apply takes an application through reviews, decision and both signatures.
func (d *desk) apply(ctx context.Context, e entry) (string, error) {
	now, approval := time.Now(), []byte("The committee approves.")
	ap, err := d.Applications.Create(ctx, d.me, application.Draft{
		Facts: policy.Application{
			Kind: "query", Purpose: "research", From: policy.DateOf(now), To: policy.DateOf(now.AddDate(1, 0, 0)), Funding: "public", Conflicts: "none", Epsilon: 8,
			Ethics: policy.Ethics{Document: folder.HashOf(approval)},
			Wishes: policy.List[policy.Wish]{{Dataset: e.dataset, Columns: e.columns}},
		},
		Texts: map[string]string{application.TextTitle: "Speed of answers", application.TextReason: "How fast answers are.", application.TextMethods: "Counts and means by group."},
	})
	if err != nil {
		return "", err
	}
	if _, err = d.Papers.Attach(ctx, d.me, ap.ID, "approval.txt", attachment.Text, approval); err != nil {
		return "", err
	}
	if ap, err = d.Applications.Submit(ctx, d.me, ap.ID, 0); err != nil {
		return "", err
	}
	reviewers := map[string][]string{"ethics": {"chen", "mei"}, "confidentiality": {"zhao"}, "security-risk": {"qian"}, "privacy-impact": {"sun"}, "scientific": {"jiang"}}
	for _, kind := range ap.Needed {
		sheet, err := d.Applications.Sheet(ctx, kind)
		if err != nil {
			return "", err
		}
		in := application.ReviewInput{Kind: kind, Verdict: "approve", Findings: "No objection after review.", Sheet: sheet.Version, Answers: sheet.Clear()}
		for _, account := range reviewers[kind] {
			if _, err := d.Applications.Review(ctx, d.as(account), ap.ID, 0, in); err != nil {
				return "", err
			}
		}
	}
	if _, err := d.Applications.Decide(ctx, d.as("zhou"), ap.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "Lawful and useful.", Conditions: []string{"Report once a year."}}); err != nil {
		return "", err
	}
	for account, side := range map[string]string{"li": "applicant", "wu": "owner"} {
		text, err := d.Applications.Agreement(ctx, d.as(account), ap.ID)
		if err != nil {
			return "", err
		}
		if ap, err = d.Applications.Sign(ctx, d.as(account), ap.ID, 0, side, text.Digest); err != nil {
			return "", err
		}
	}
	if ap.Grant == "" {
		return "", errors.New("both sides signed and there is no grant")
	}
	return ap.Grant, nil
}

// ask asks a question that was never asked: ε differs by a millionth of itself from one to the next, and with it the list of
// mechanisms. It returns the time to T3's commit.
func (d *desk) ask(ctx context.Context, sql string, epsilon float64) (time.Duration, *job.Answer, error) {
	return d.put(ctx, job.Ask{SQL: sql, Epsilon: epsilon})
}

func (d *desk) put(ctx context.Context, q job.Ask) (time.Duration, *job.Answer, error) {
	took, _, a, err := d.timed(ctx, q)
	return took, a, err
}

// timed also gives the time until the answer is there with what SQL above its steps makes of it, again without the wait for the grid.
func (d *desk) timed(ctx context.Context, q job.Ask) (took, shown time.Duration, a *job.Answer, err error) {
	n := d.asked.Add(1)
	q.Grant, q.Epsilon = d.grant, q.Epsilon*(1+1e-6*float64(n))
	if a, err = d.Jobs.Query(ctx, d.me, q); err != nil {
		return 0, 0, nil, err
	}
	v, ok := d.times.LoadAndDelete(a.ID)
	if a.FromRecord || !ok {
		return 0, 0, nil, errors.New("an answer came from record: it was not fresh")
	}
	c := v.(commit)
	shown = c.took + time.Since(c.at)
	cost, err := dp.Price(d.rule, 1e-6, a.List)
	if err != nil {
		return 0, 0, nil, err
	}
	d.cost.Lock()
	defer d.cost.Unlock()
	d.spent.Units, d.spent.Delta = d.spent.Units+cost.Units, d.spent.Delta+cost.Delta
	return c.took, shown, a, nil
}

// settle compares what the ledger charged the grant with the lists of the answers: every one was paid for.
func (d *desk) settle(ctx context.Context) error {
	return d.Store().View(ctx, func(tx *store.Tx) error {
		a, err := tx.LedgerAccount(ctx, grant.Account(d.grant))
		if err != nil {
			return err
		}
		if a.Spent != d.spent {
			return fmt.Errorf("the ledger charged %+v for %d answers whose lists cost %+v", a.Spent, d.asked.Load(), d.spent)
		}
		return nil
	})
}
