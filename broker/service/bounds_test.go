package service_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"carrel/anonymize/answer"
	"carrel/anonymize/dp"
	"carrel/anonymize/ledger"
	"carrel/broker/audit"
	"carrel/broker/grant"
	"carrel/broker/job"
	"carrel/broker/problem"
	"carrel/broker/service/servicetest"
)

const wide = "SELECT department, AVG(total_cost) AS cost FROM encounter GROUP BY department"

// seeking is a question whose bounds are to be found, with rows enough in a small city.
func seeking(c *servicetest.City, sql string, share float64) job.Ask {
	return job.Ask{Grant: c.Grant, SQL: sql, Epsilon: 1, FindBounds: share, RowsPerPerson: map[string]int64{"*": 2}}
}

func ask(t *testing.T, c *servicetest.City, q job.Ask) *job.Answer {
	t.Helper()
	a, err := c.Jobs.Query(t.Context(), c.Who(t, "li"), q)
	servicetest.Must(t, err)
	return a
}

// TestFindBounds: two charges that are what one question of the ε would cost, two records, and both for nothing when asked again.
func TestFindBounds(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	q := seeking(c, wide, 0.2)
	x, err := c.Jobs.Explain(t.Context(), c.Who(t, "li"), q)
	servicetest.Must(t, err)
	if x.Bounds == nil || x.Bounds.FromRecord || len(x.Bounds.Found) > 0 || x.Bounds.Arguments[0] != "total_cost" || c.Spent(t).Units != 0 || x.Epsilon != 1 {
		t.Fatalf("explained: %+v, spent %+v", x.Bounds, c.Spent(t))
	}
	a := ask(t, c, q)
	b := a.Bounds
	if b == nil || len(b.Found) != 1 || b.Found[0].Argument != "total_cost" || b.Found[0].Unit != "CNY" || a.FromRecord || b.FromRecord {
		t.Fatalf("%+v", b)
	}
	if b.Found[0].Hi == "200000" || !strings.Contains(b.Words.EN, b.Found[0].Clamp) || !strings.Contains(b.Words.ZH, b.Found[0].Hi) {
		t.Errorf("found %+v: %s", b.Found, b.Words)
	}
	account := c.Account(t, grant.Account(c.Grant))
	records := c.Records(t, ledger.StateDelivered)
	whole := dp.Budget(account.Accounting, 1, account.RootDelta).Units
	spent := account.Spent
	if len(records) != 2 || spent.Units > whole || spent.Units < whole*99/100 || spent.Units != records[0].Cost.Units+records[1].Cost.Units {
		t.Errorf("%d records, spent %d of the %d that ε 1 is", len(records), spent.Units, whole)
	}
	if x.Cost.Units < spent.Units*99/100 || x.Cost.Units > whole || a.Epsilon > 1 || a.Epsilon < 0.99 {
		t.Errorf("explained %d, charged %d, ε %v", x.Cost.Units, spent.Units, a.Epsilon)
	}
	for _, r := range records {
		if part := float64(r.Cost.Units) / float64(whole); r.ID == b.Record && (part > 0.2 || part < 0.199) {
			t.Errorf("the search cost %v of the whole", part)
		}
	}
	again := ask(t, c, q)
	if !again.FromRecord || again.Epsilon != 0 || again.ID != a.ID || again.Bounds.Found[0] != b.Found[0] || !again.Bounds.FromRecord || c.Spent(t) != spent {
		t.Errorf("asked again: %+v, spent %+v of %+v", again.Bounds, c.Spent(t), spent)
	}
	if x, err = c.Jobs.Explain(t.Context(), c.Who(t, "li"), q); err != nil || !x.OnRecord || len(x.Bounds.Found) != 1 || x.Bounds.Found[0] != b.Found[0] {
		t.Errorf("explained again: %+v %v", x, err)
	}
	other := ask(t, c, seeking(c, "SELECT outcome, SUM(total_cost) AS cost FROM encounter GROUP BY outcome", 0.2))
	if !other.Bounds.FromRecord || other.Bounds.Record != b.Record || other.FromRecord || len(c.Records(t, ledger.StateDelivered)) != 3 {
		t.Errorf("the same search for another question: %+v", other.Bounds)
	}
	c.Check(t)
	steps(t, c.Entries(t), b.Record, a.ID)
}

// steps looks for the entries of both steps: each has its own charge and answer, and the second names the first.
func steps(t *testing.T, entries []audit.Entry, search, question string) {
	t.Helper()
	seen := map[string]int{}
	for _, e := range entries {
		if strings.Contains(strings.Join([]string{e.Object, e.Kind}, " "), "query") && e.Facts["step"] != "" {
			seen[e.Kind+" "+e.Object+" "+e.Facts["step"]+" "+e.Facts["search"]]++
		}
	}
	for _, want := range []string{
		"query.charged query/" + search + " search ", "query.answered query/" + search + " search ",
		"query.charged query/" + question + " bounded " + search, "query.answered query/" + question + " bounded " + search,
	} {
		if seen[want] != 1 {
			t.Errorf("%d entries %q in %v", seen[want], want, seen)
		}
	}
}

// TestFindBoundsWhenTheQuestionFails: a search stays charged and on record, and is not charged again.
func TestFindBoundsWhenTheQuestionFails(t *testing.T) {
	t.Parallel()
	a := &around{}
	c := moulds.City(t, a.put)
	runs := 0
	a.result = func(x *answer.Aggregates) {
		if runs++; runs == 2 {
			x.Scanned = nil // the gate refuses the second
		}
	}
	q := seeking(c, wide, 0.2)
	_, err := c.Jobs.Query(t.Context(), c.Who(t, "li"), q)
	var p *problem.Error
	if !errors.As(err, &p) || p.Code != problem.Failed || !strings.Contains(p.Text.EN, "search for bounds is charged") {
		t.Fatalf("%v", err)
	}
	if n, lost := len(c.Records(t, ledger.StateDelivered)), len(c.Records(t, ledger.StateForfeited)); n != 1 || lost != 1 {
		t.Fatalf("%d delivered, %d forfeited", n, lost)
	}
	search := c.Records(t, ledger.StateDelivered)[0]
	c.Reopen(t)
	x, err := c.Jobs.Explain(t.Context(), c.Who(t, "li"), q)
	if err != nil || !x.Bounds.FromRecord || x.OnRecord {
		t.Fatalf("%+v %v", x, err)
	}
	before := c.Spent(t)
	_, err = c.Jobs.Query(t.Context(), c.Who(t, "li"), q) // a forfeited question is not run again under its key: it is charged anew or refused
	if err != nil && !problem.Is(err, problem.Conflict) {
		t.Fatal(err)
	}
	if d := c.Spent(t).Units - before.Units; err == nil && d > search.Cost.Units*5 {
		t.Errorf("%d units more, the search alone is %d", d, search.Cost.Units)
	}
	n := 0
	for _, e := range c.Entries(t) {
		if e.Kind == "query.charged" && e.Facts["step"] == "search" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("the search was charged %d times", n)
	}
	c.Check(t)
}

// TestFindBoundsAtTheEndOfTheBudget: what the grant cannot pay to the end is refused before the search.
func TestFindBoundsAtTheEndOfTheBudget(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	account := c.Account(t, grant.Account(c.Grant))
	for i := 0; ; i++ {
		if _, err := c.Query(t, question, 0.9+1e-6*float64(i)); problem.Is(err, problem.Exhausted) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	spent := c.Spent(t)
	q := seeking(c, wide, 0.05)
	if left := account.Limit.Units - spent.Units; left < dp.Budget(account.Accounting, 1, account.RootDelta).Units/20 {
		t.Skip("less than a search is left")
	}
	if _, err := c.Jobs.Query(t.Context(), c.Who(t, "li"), q); !problem.Is(err, problem.Exhausted) || c.Spent(t) != spent {
		t.Errorf("%v, spent %+v of %+v", err, c.Spent(t), spent)
	}
}

// TestFindBoundsAreReadOffNoise: what is recorded of a search is noised in every bin, and one row at the far end of the range, which the exact
// counts show, is not found.
func TestFindBoundsAreReadOffNoise(t *testing.T) {
	t.Parallel()
	a := &around{}
	c := moulds.City(t, a.put)
	exact := map[int64]int64{}
	const last = 23 // the bin up to 200,000 CNY
	a.result = func(x *answer.Aggregates) {
		if len(exact) > 0 {
			return // the second step
		}
		for i, k := range x.Columns[0] {
			exact[k] = x.Columns[1][i]
		}
		if exact[last] == 0 {
			exact[last] = 1
			x.Columns[0], x.Columns[1] = append(x.Columns[0], last), append(x.Columns[1], 1)
		}
	}
	q := seeking(c, "SELECT SUM(total_cost) AS cost FROM encounter WHERE total_cost < 100000", 0.2)
	got := ask(t, c, q)
	if got.Bounds.Found[0].Hi == "200000" || got.Bounds.Found[0].Lo != "0" {
		t.Errorf("found %+v", got.Bounds.Found)
	}
	for _, r := range c.Records(t, ledger.StateDelivered) {
		if r.ID != got.Bounds.Record {
			continue
		}
		noised, err := dp.DecodeTable(r.Result)
		servicetest.Must(t, err)
		same := 0
		for i, k := range noised.Keys[0] {
			if noised.Values[0][i] == exact[k] {
				same++
			}
		}
		if len(noised.Keys[0]) < last || same > len(noised.Keys[0])/2 {
			t.Errorf("%d of %d recorded counts are exact", same, len(noised.Keys[0]))
		}
	}
}

// TestFindBoundsTogether: of identical questions at one time one goes first, in both steps.
func TestFindBoundsTogether(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	li, q := c.Who(t, "li"), seeking(c, wide, 0.3)
	var mu sync.Mutex
	ids, fresh := map[string]bool{}, 0
	var wait sync.WaitGroup
	for range 12 {
		wait.Go(func() {
			a, err := c.Jobs.Query(t.Context(), li, q)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			ids[a.ID+" "+a.Bounds.Record] = true
			if !a.FromRecord {
				fresh++
			}
		})
	}
	wait.Wait()
	if len(ids) != 1 || fresh < 1 || len(c.Records(t, ledger.StateDelivered)) != 2 {
		t.Errorf("%d answers, %d of them fresh, %d records", len(ids), fresh, len(c.Records(t, ledger.StateDelivered)))
	}
	c.Check(t)
}

// TestFindBoundsAsAJob: the queue takes both steps, and a search that finds nothing says so with its charge.
func TestFindBoundsAsAJob(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	li := c.Who(t, "li")
	j, err := c.Jobs.Submit(ctx, li, seeking(c, wide, 0.2))
	servicetest.Must(t, err)
	for range 3000 { // each look is a read of the store
		if j, err = c.Jobs.Show(ctx, li, j.ID); err != nil || j.State == job.Done || j.State == job.Failed {
			break
		}
	}
	raw, err := c.Jobs.Fetch(ctx, li, j.ID)
	var a job.Answer
	if err != nil || json.Unmarshal(raw, &a) != nil || a.Bounds == nil || len(a.Bounds.Found) != 1 || a.ID != j.Record {
		t.Fatalf("%+v %v %s", j, err, raw)
	}
	few := seeking(c, "SELECT AVG(total_cost) FROM encounter WHERE outcome = 'other'", 0.05)
	_, err = c.Jobs.Query(ctx, li, few)
	var p *problem.Error
	if !errors.As(err, &p) || p.Code != problem.Refused || !strings.Contains(p.Text.EN, "rows, noise included") || !strings.Contains(p.Text.EN, "is charged") || !strings.Contains(p.Text.ZH, "扣减") {
		t.Fatalf("%v", err)
	}
	spent := c.Spent(t)
	if _, err = c.Jobs.Query(ctx, li, few); !errors.As(err, &p) || strings.Contains(p.Text.EN, "is charged") || c.Spent(t) != spent {
		t.Errorf("again: %v, spent %+v of %+v", err, c.Spent(t), spent)
	}
	for _, share := range []float64{-1, 0.01, 0.6, 1} {
		if _, err := c.Jobs.Submit(ctx, li, seeking(c, wide, share)); !problem.Is(err, problem.Invalid) {
			t.Errorf("share %v: %v", share, err)
		}
	}
	large := seeking(c, wide, 0.5)
	large.Epsilon = 1.3 // either step alone would be allowed
	if _, err := c.Jobs.Query(ctx, li, large); !problem.Is(err, problem.Forbidden) || c.Spent(t) != spent {
		t.Errorf("more than policy allows in two steps: %v", err)
	}
	if _, err := c.Jobs.Submit(ctx, li, seeking(c, question, 0.2)); !problem.Is(err, problem.Refused) {
		t.Errorf("nothing to find: %v", err)
	}
	c.Check(t)
}
