package service_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carrel/anonymize/answer"
	"carrel/anonymize/ledger"
	"carrel/broker/audit"
	"carrel/broker/grant"
	"carrel/broker/job"
	"carrel/broker/problem"
	"carrel/broker/service"
	"carrel/broker/service/servicetest"
	"carrel/broker/store"
	"carrel/sandbox"
)

const question = "SELECT department, COUNT(*) AS n FROM encounter GROUP BY department"

// TestParallelSubmissionsNeverOverspend sends 1,000 different questions at once under a grant that covers a third of them.
func TestParallelSubmissionsNeverOverspend(t *testing.T) {
	t.Parallel()
	const clients, each = 100, 10
	c := moulds.City(t)
	li := c.Who(t, "li")
	var answered, refused atomic.Int64
	var wait sync.WaitGroup
	for n := range clients {
		wait.Go(func() {
			for i := range each {
				// Another ε is another list of mechanisms and so another charge.
				epsilon := 0.2 * (1 + 1e-6*float64(n*each+i))
				a, err := c.Jobs.Query(t.Context(), li, job.Ask{Grant: c.Grant, SQL: question, Epsilon: epsilon})
				switch {
				case err == nil && !a.FromRecord:
					answered.Add(1)
				case problem.Is(err, problem.Exhausted):
					refused.Add(1)
				default:
					t.Errorf("neither answered nor exhausted: %v", err)
				}
			}
		})
	}
	wait.Wait()
	records := c.Records(t, ledger.StateDelivered)
	account := c.Account(t, grant.Account(c.Grant))
	if n := answered.Load(); n < 100 || refused.Load() < 100 || int64(len(records)) != n {
		t.Errorf("%d answered, %d refused, %d on record: the test saw little, or the numbers differ", n, refused.Load(), len(records))
	}
	var sum ledger.Amount
	for _, r := range records {
		sum.Units, sum.Delta = sum.Units+r.Cost.Units, sum.Delta+r.Cost.Delta
	}
	if sum != account.Spent || !account.Spent.Fits(account.Limit) {
		t.Errorf("records sum to %+v, spent %+v of %+v", sum, account.Spent, account.Limit)
	}
	if left := account.Limit.Units - account.Spent.Units; left >= records[0].Cost.Units {
		t.Errorf("%d units are left although a question costs %d", left, records[0].Cost.Units)
	}
	c.Check(t)
	if n := count(c.Entries(t), "query.charged"); int64(n) != answered.Load() {
		t.Errorf("%d entries of a charge for %d answers", n, answered.Load())
	}
}

// TestIdenticalQuestionsAreChargedOnce: those who come at the same time wait for the first and get its answer.
func TestIdenticalQuestionsAreChargedOnce(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	li, wang := c.Who(t, "li"), c.Who(t, "wang")
	var mu sync.Mutex
	ids, fresh := map[string]bool{}, 0
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Go(func() {
			who := li
			if i%2 == 1 {
				who = wang // one grant, one answer
			}
			a, err := c.Jobs.Query(t.Context(), who, job.Ask{Grant: c.Grant, SQL: question, Epsilon: 0.1})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			ids[a.ID] = true
			if !a.FromRecord {
				fresh++
			}
		})
	}
	wait.Wait()
	if len(ids) != 1 || fresh != 1 || len(c.Records(t, ledger.StateDelivered)) != 1 {
		t.Errorf("%d answers, %d of them fresh", len(ids), fresh)
	}
	c.Check(t)
}

// around is a sandbox that tests interfere with; a nil hook does nothing.
type around struct {
	sandbox.Engine
	opened  func()                     // after policy, before the charge
	running func(sql string) string    // after the charge: what the child is given instead
	ran     func(error)                // after the child
	result  func(a *answer.Aggregates) // what the child returned
	lie     error                      // what is said instead of anything
}

func (a *around) Open(ctx context.Context, key string, src sandbox.Source) (sandbox.Runner, error) {
	r, err := a.Engine.Open(ctx, key, src)
	if a.opened != nil {
		a.opened()
	}
	return aroundRunner{r, a}, err
}

type aroundRunner struct {
	sandbox.Runner
	a *around
}

func (r aroundRunner) Run(ctx context.Context, st *ledger.Started, statements []sandbox.Statement) ([]answer.Aggregates, error) {
	if r.a.running != nil {
		statements[0].SQL = r.a.running(statements[0].SQL)
	}
	out, err := r.Runner.Run(ctx, st, statements)
	if r.a.ran != nil {
		r.a.ran(err)
	}
	if r.a.result != nil && err == nil {
		r.a.result(&out[0])
	}
	if r.a.lie != nil {
		return nil, r.a.lie
	}
	return out, err
}

// put is a change of the configuration that puts a around the pool.
func (a *around) put(c *service.Config) {
	c.Around = func(e sandbox.Engine) sandbox.Engine {
		a.Engine = e
		return a
	}
}

// TestAFailureIsUniformChargedAndFreezes: whatever goes wrong after the child was given the query, the person hears one sentence and
// pays; the third time the grant is frozen for a human; another grant goes on.
func TestAFailureIsUniformChargedAndFreezes(t *testing.T) {
	t.Parallel()
	faults := []around{
		{running: func(string) string { return "SELECT (1 / 0)::BIGINT, 1::BIGINT" }},
		{running: func(string) string { return "SELECT NULL::BIGINT, NULL::BIGINT" }},
		{result: func(a *answer.Aggregates) { a.Columns[1][0] = -1 }}, // a count below nought: the gate refuses
	}
	a := &around{}
	c := moulds.City(t, a.put)
	var said string
	for i := range faults {
		a.running, a.result = faults[i].running, faults[i].result
		before := c.Spent(t)
		_, err := c.Query(t, question, 0.1+float64(i)/1000)
		if !problem.Is(err, problem.Failed) {
			t.Fatalf("fault %d: %v", i, err)
		}
		if said == "" {
			said = err.Error()
		}
		if err.Error() != said || errors.Is(err, sandbox.ErrUniform) {
			t.Errorf("fault %d says %q, another said %q", i, err, said)
		}
		if now := c.Spent(t); now.Units <= before.Units {
			t.Errorf("fault %d was free", i)
		}
		if got := c.Account(t, grant.Account(c.Grant)); got.Faults != i+1 || got.Frozen != (i == 2) {
			t.Errorf("after fault %d: %d faults, frozen %v", i, got.Faults, got.Frozen)
		}
	}
	a.running, a.result = nil, nil
	if _, err := c.Query(t, question, 0.2); !problem.Is(err, problem.Exhausted) {
		t.Errorf("a frozen grant: %v", err)
	}
	lost := c.Records(t, ledger.StateForfeited)
	if len(lost) != 3 || lost[0].Why != ledger.WhyFailure || len(lost[0].Result) != 0 || count(c.Entries(t), "query.forfeited") != 3 {
		t.Errorf("%+v", lost)
	}
	other, err := servicetest.Granted(t.Context(), c.Service, "li", "wu", servicetest.ResearchDraft("jinhe", "encounter.*"))
	servicetest.Must(t, err)
	if _, err := c.Jobs.Query(t.Context(), c.Who(t, "li"), job.Ask{Grant: other.Grant, SQL: question}); err != nil {
		t.Errorf("another grant: %v", err)
	}
	c.Check(t)
}

// TestAFaultBeforeDataIsHonest: the machine failed before the child had the query; nobody pays for nothing.
func TestAFaultBeforeDataIsHonest(t *testing.T) {
	t.Parallel()
	a := &beforeData{}
	c := moulds.City(t, func(c *service.Config) {
		c.Around = func(e sandbox.Engine) sandbox.Engine { a.Engine = e; return a }
	})
	a.open = true
	if _, err := c.Query(t, question, 0.1); !problem.Is(err, problem.Unavailable) || c.Spent(t) != (ledger.Amount{}) {
		t.Errorf("no child: %v, spent %+v", err, c.Spent(t))
	}
	a.open, a.runs = false, 1
	got, err := c.Query(t, question, 0.1)
	if err != nil || got.FromRecord || len(c.Records(t, ledger.StateDelivered)) != 1 {
		t.Errorf("one fault before data, then well: %v", err)
	}
	spent := c.Spent(t)
	for i := range 5 { // more than F
		a.runs = 2
		if _, err := c.Query(t, question, 0.11); !problem.Is(err, problem.Unavailable) {
			t.Errorf("two faults: %v", err)
		}
		if i == 0 {
			spent.Units, spent.Delta = c.Spent(t).Units, c.Spent(t).Delta
		}
	}
	account := c.Account(t, grant.Account(c.Grant))
	if account.Faults != 0 || account.Frozen || account.Spent != spent || len(c.Records(t, ledger.StateForfeited)) != 0 {
		t.Errorf("honest faults cost the grant: %+v", account)
	}
	kept := c.Records(t, ledger.StateCharged)
	if got, err = c.Query(t, question, 0.11); err != nil || got.FromRecord || c.Spent(t) != spent || len(kept) != 1 || got.ID != kept[0].ID {
		t.Errorf("the kept charge: %v, spent %+v of %+v", err, c.Spent(t), spent)
	}
	entries := c.Entries(t)
	if count(entries, "query.charged") != 2 || count(entries, "query.kept") != 5 || count(entries, "query.resumed") != 5 || count(entries, "query.answered") != 2 {
		t.Error("the log tells another story")
	}
	c.Check(t)
}

// TestAFaultAfterDataIsNotHonest: whatever says that the child had nothing, the parent knows that it had the query.
func TestAFaultAfterDataIsNotHonest(t *testing.T) {
	t.Parallel()
	a := &around{lie: sandbox.ErrBeforeData}
	c := moulds.City(t, a.put)
	_, err := c.Query(t, question, 0.1)
	account := c.Account(t, grant.Account(c.Grant))
	if !problem.Is(err, problem.Failed) || account.Faults != 1 || len(c.Records(t, ledger.StateForfeited)) != 1 || len(c.Records(t, ledger.StateCharged)) != 0 {
		t.Errorf("%v, %+v", err, account)
	}
	c.Check(t)
}

// beforeData fails honestly.
type beforeData struct {
	sandbox.Engine
	open bool
	runs int
}

func (b *beforeData) Open(ctx context.Context, key string, src sandbox.Source) (sandbox.Runner, error) {
	if b.open {
		return nil, sandbox.ErrBeforeData
	}
	r, err := b.Engine.Open(ctx, key, src)
	return beforeRunner{r, b}, err
}

type beforeRunner struct {
	sandbox.Runner
	b *beforeData
}

func (r beforeRunner) Run(ctx context.Context, st *ledger.Started, statements []sandbox.Statement) ([]answer.Aggregates, error) {
	if r.b.runs > 0 {
		r.b.runs--
		return nil, sandbox.ErrBeforeData
	}
	return r.Runner.Run(ctx, st, statements)
}

// TestRevokedBetweenPolicyAndCharge: the owner revokes after policy said yes and before the charge; nothing is charged.
func TestRevokedBetweenPolicyAndCharge(t *testing.T) {
	t.Parallel()
	a := &around{}
	c := moulds.City(t, a.put)
	x, err := c.Jobs.Explain(t.Context(), c.Who(t, "li"), job.Ask{Grant: c.Grant, SQL: question})
	servicetest.Must(t, err)
	if !x.Allowed || x.OnRecord {
		t.Fatalf("%+v", x)
	}
	a.opened = func() {
		servicetest.Must(t, c.Grants.End(t.Context(), c.Who(t, "wu"), c.Grant, "revoke", "No longer needed."))
	}
	if _, err := c.Query(t, question, 0); !problem.Is(err, problem.Conflict) {
		t.Errorf("revoked in between: %v", err)
	}
	a.opened = nil
	for name, ask := range map[string]func() error{
		"query": func() error { _, err := c.Query(t, question, 0); return err },
		"job": func() error {
			_, err := c.Jobs.Submit(t.Context(), c.Who(t, "li"), job.Ask{Grant: c.Grant, SQL: question})
			return err
		},
	} {
		if err := ask(); !problem.Is(err, problem.Forbidden) {
			t.Errorf("%s under a revoked grant: %v", name, err)
		}
	}
	if n := len(c.Records(t, ledger.StateForfeited)) + len(c.Records(t, ledger.StateDelivered)); n != 0 || c.Spent(t) != (ledger.Amount{}) {
		t.Errorf("%d records", n)
	}
	c.Check(t)
}

// gridClock shows when replies leave.
type gridClock struct {
	mu    sync.Mutex
	waits []time.Duration
	began time.Time
}

func (g *gridClock) Now() time.Time { return time.Now() }

func (g *gridClock) Wait(_ context.Context, until time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waits = append(g.waits, until.Sub(g.began))
	return nil
}

// TestRepliesLeaveOnTheGrid: answers, failures and refusals alike, and the entries that prove them.
func TestRepliesLeaveOnTheGrid(t *testing.T) {
	t.Parallel()
	g := &fixedClock{gridClock: gridClock{began: time.Now()}}
	a := &around{}
	c := moulds.City(t, a.put, func(c *service.Config) { c.Clock = g })
	for i, sql := range []string{question, question, "SELECT nothing", "SELECT department, AVG(total_cost) FROM encounter GROUP BY department"} {
		if i == 3 {
			a.running = func(string) string { return "SELECT 1::BIGINT" }
		}
		g.start(time.Duration(i+1) * 37 * time.Millisecond)
		_, err := c.Query(t, sql, 0.1)
		if (err != nil) != (i >= 2) {
			t.Errorf("%q: %v", sql, err)
		}
	}
	if len(g.waits) != 4 {
		t.Fatalf("%d replies waited", len(g.waits))
	}
	for i, w := range g.waits {
		if w <= 0 || w%(20*time.Millisecond) != 0 {
			t.Errorf("reply %d left %s after its question", i, w)
		}
	}
	ends := 0
	for _, e := range c.Entries(t) {
		if e.Kind == "query.answered" || e.Kind == "query.forfeited" {
			ends++
			if since := e.At.Sub(g.began.Truncate(time.Millisecond)); since%(20*time.Millisecond) != 0 {
				t.Errorf("%s bears a time %s after the question", e.Kind, since)
			}
		}
	}
	if ends != 2 {
		t.Errorf("%d ends on record", ends)
	}
}

// fixedClock shows one time at first and a later one at every other look.
type fixedClock struct {
	gridClock
	took  time.Duration
	looks int
}

func (f *fixedClock) start(took time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.took, f.looks = took, 0
}

func (f *fixedClock) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looks++
	if f.looks == 1 {
		return f.began
	}
	return f.began.Add(f.took)
}

// TestShapeOfAnAnswerIsPublic: groups of a declared domain come back in number and order as the text alone says, whether any row
// passes the filter or none does.
func TestShapeOfAnAnswerIsPublic(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	keys := func(sql string) (out []any) {
		a, err := c.Query(t, sql, 0.5)
		servicetest.Must(t, err)
		for _, row := range a.Result.Rows {
			out = append(out, row[0].Value)
		}
		return out
	}
	all := keys("SELECT department, COUNT(*), AVG(total_cost) FROM encounter GROUP BY department")
	none := keys("SELECT department, COUNT(*), AVG(total_cost) FROM encounter WHERE total_cost < 0.01 GROUP BY department")
	if len(all) < 10 || !slices.Equal(all, none) {
		t.Errorf("%v\n%v", all, none)
	}
}

// TestDirectoryInUse: a second service on the directory is refused with one sentence, and the first goes on.
func TestDirectoryInUse(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	_, err := service.Open(t.Context(), c.Config)
	if !errors.Is(err, store.ErrInUse) || strings.Contains(err.Error(), "\n") {
		t.Errorf("a second service: %v", err)
	}
	if _, err := c.Query(t, question, 0.1); err != nil {
		t.Errorf("the first: %v", err)
	}
}

// TestOlderDatabaseIsRefused: an older copy of the database forgets charges; the heads outside the directory remember.
func TestOlderDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	servicetest.Must(t, c.Close())
	older := filepath.Join(t.TempDir(), "older")
	servicetest.Must(t, servicetest.CopyDir(c.Config.Data, older))
	c.Reopen(t)
	if _, err := c.Query(t, question, 0.1); err != nil {
		t.Fatal(err)
	}
	servicetest.Must(t, c.Close())
	servicetest.Must(t, os.RemoveAll(c.Config.Data))
	servicetest.Must(t, servicetest.CopyDir(older, c.Config.Data))
	s, err := service.Open(t.Context(), c.Config)
	if !errors.Is(err, store.ErrRolledBack) {
		t.Errorf("an older database: %v", err)
	}
	if err == nil {
		servicetest.Must(t, s.Close())
	}
}

// count counts entries of a kind.
func count(entries []audit.Entry, kind string) int {
	n := 0
	for _, e := range entries {
		if e.Kind == kind {
			n++
		}
	}
	return n
}
