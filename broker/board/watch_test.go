package board_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/board"
	"carrel/broker/calendar"
	"carrel/broker/conduct"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policies"
	"carrel/policy"
	"carrel/policy/opa"
)

// told are the reminders about an object in somebody's inbox, by kind.
func told(t *testing.T, w *apptest.World, who, object string) map[string]int {
	t.Helper()
	out := map[string]int{}
	all, err := w.Notices.Inbox(context.Background(), w.As(who), false, "")
	must(t, err)
	for _, n := range all {
		if n.Object == object && (n.Kind == "due.reminded" || n.Kind == "due.escalated") {
			out[n.Kind]++
		}
	}
	return out
}

// A review that is due soon is told to those who may hold it, once a day; one that is late goes to the next office, on record.
func TestWatch(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a := submitted(t, w)
	object := "application/" + a.ID
	tick := func() {
		t.Helper()
		_, err := w.Boards.Tick(ctx)
		must(t, err)
	}
	tick()
	if n := told(t, w, "mei", object); len(n) != 0 {
		t.Fatalf("20 working days before: %v", n)
	}
	due, err := time.Parse("2006-01-02", string(a.Clock.Due))
	must(t, err)
	to := func(day time.Time) { w.Clock.Add(day.Add(2 * time.Hour).Sub(w.Clock.Now())) }
	to(due.AddDate(0, 0, -3))
	tick()
	tick()
	if n := told(t, w, "mei", object); n["due.reminded"] != 1 || n["due.escalated"] != 0 {
		t.Fatalf("three days before: %v", n)
	}
	for _, who := range []string{"li", "zhou", "lin"} {
		if n := told(t, w, who, object); len(n) != 0 {
			t.Errorf("%s, for whom it does not wait, hears %v", who, n)
		}
	}
	to(due.AddDate(0, 0, 1))
	tick()
	if n := told(t, w, "zhou", object); len(n) != 0 {
		t.Fatalf("one day late: %v", n)
	}
	to(due.AddDate(0, 0, 9))
	tick()
	if n := told(t, w, "zhou", object); n["due.escalated"] != 1 {
		t.Fatalf("nine days late: %v", n)
	}
	if e := last(t, w, "due.escalated"); e.Object != object || e.Facts["office"] != "authority" || e.Facts["what"] != "review" || e.Actor != "system" {
		t.Fatalf("on record is %+v", e)
	}
}

// Decisions, answers, signatures, duties and complaints have their days too.
func TestWatchSeesAllThatIsDue(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	decision := w.Reviewed("li", apptest.Research())
	signature := w.Approved("li", apptest.Research())
	asked := submitted(t, w)
	_, err := w.Applications.Ask(ctx, w.As("chen"), asked.ID, 0, "请说明样本量如何得出。")
	must(t, err)
	complaint, err := w.Conduct.Complain(ctx, conduct.Complaint{Party: "institution/jinhe-university", Text: "有人在公开场合展示过患者信息。"})
	must(t, err)
	w.Clock.Add(55 * 24 * time.Hour)
	if _, err := w.Boards.Tick(ctx); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ who, object, kind string }{
		{"xu", "application/" + decision.ID, "due.escalated"}, {"he", "application/" + decision.ID, "due.escalated"}, {"li", "application/" + signature.ID, "due.escalated"},
		{"li", "application/" + asked.ID, "due.escalated"}, {"zhou", "application/" + asked.ID, "due.escalated"},
		{"tang", "conduct/complaint/" + complaint.Number, "due.escalated"}, {"zhou", "conduct/complaint/" + complaint.Number, "due.escalated"},
	} {
		if c.who == "he" { // the discipline office hears of no application that it may not read
			if n := told(t, w, c.who, c.object); len(n) != 0 {
				t.Errorf("%s hears of %s: %v", c.who, c.object, n)
			}
			continue
		}
		if n := told(t, w, c.who, c.object); n[c.kind] != 1 {
			t.Errorf("%s hears of %s: %v", c.who, c.object, n)
		}
	}
}

// withoutYear are rules whose calendar ends with 2026.
type withoutYear struct{ policy.Decider }

func (r withoutYear) Data(ctx context.Context, path string, v any) error {
	if path != "carrel/holidays" {
		return r.Decider.Data(ctx, path, v)
	}
	var all map[string]any
	if err := r.Decider.Data(ctx, path, &all); err != nil {
		return err
	}
	delete(all, "2027")
	raw, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, v)
}

// A year that is not in the calendar is an error with its year, and what can be counted is told all the same.
func TestAMissingYear(t *testing.T) {
	t.Parallel()
	rules, err := opa.New(policies.FS())
	must(t, err)
	w := apptest.With(t, withoutYear{rules})
	ctx := context.Background()
	a := submitted(t, w)
	w.Clock.Add(25 * 24 * time.Hour)
	must(t, w.Store.Update(ctx, func(tx *store.Tx) error { // due in a year that nobody entered
		var b application.Application
		rev, err := tx.Get(ctx, application.DocKind, a.ID, &b)
		if err != nil {
			return err
		}
		b.ID, b.Clock.Due = "ap-next-year", "2027-01-10"
		_ = rev
		return tx.Put(ctx, application.DocKind, b.ID, 0, store.Index{Owner: "li", State: b.State}, b)
	}))
	n, err := w.Boards.Tick(ctx)
	var p *problem.Error
	if !errors.Is(err, calendar.ErrNoYear) || !errors.As(err, &p) || p.Code != problem.Unavailable {
		t.Fatalf("the error is %v", err)
	}
	if n == 0 || len(told(t, w, "mei", "application/"+a.ID)) == 0 {
		t.Fatal("nobody heard of what can be counted")
	}
}

// deaf is a store that cannot be read.
type deaf struct{}

func (deaf) View(context.Context, func(tx *store.Tx) error) error { return store.ErrUnavailable }

// A register that cannot be read decides nothing: a declared interest does not vanish with a disk.
func TestRegisterFailsClosed(t *testing.T) {
	t.Parallel()
	rules, err := opa.New(policies.FS())
	must(t, err)
	r, err := board.Open(context.Background(), deaf{}, time.Now)
	if err == nil {
		t.Fatal("it opened")
	}
	if _, err := r.InSight(rules).Decide(context.Background(), policy.AccessQuestion{At: policy.At(time.Now()), Action: "catalogue.list"}); err == nil {
		t.Fatal("it decided")
	}
	if s, err := r.InSight(rules).Scope(context.Background(), policy.ScopeQuestion{At: policy.At(time.Now())}); err == nil || !s.Deny {
		t.Fatal("it scoped")
	}
}

// Renewals of low risk are decided by their list, each with its own entry; another is refused, and so is the list outside a meeting.
func TestListedRenewals(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	var apps []string
	for range 2 {
		g := w.Granted("li", apptest.Research())
		r, err := w.Applications.Later(ctx, w.As("li"), g.ID, application.FileRenewal)
		must(t, err)
		apps = append(apps, reviewed(t, w, r.ID))
	}
	apps = append(apps, w.Reviewed("li", apptest.Research()).ID)
	in := application.DecisionInput{Choice: "approve", Grounds: "按清单续期"}
	_, err := w.Boards.Decide(ctx, w.As("zhou"), "", apps[:1], true, in)
	refused(t, err, "sichuan-18/low-risk")
	m, err := w.Boards.Call(ctx, w.As("zhou"), board.CallInput{Panel: "authority", Day: "2026-11-21"})
	must(t, err)
	if len(m.Items) != 3 {
		t.Fatalf("on the agenda are %v", m.Items)
	}
	for _, who := range []string{"zhou", "xu"} {
		_, err = w.Boards.Take(ctx, w.As(who), m.ID, "attend", "")
		must(t, err)
	}
	_, err = w.Boards.Take(ctx, w.As("zhou"), m.ID, "open", "")
	must(t, err)
	out, err := w.Boards.Decide(ctx, w.As("zhou"), m.ID, apps, true, in)
	must(t, err)
	for i, o := range out {
		if ok := i < 2; ok != (o.State == "approved") || ok != (o.Problem == nil) {
			t.Errorf("%d: %+v", i, o)
		}
	}
	refused(t, out[2].Problem, "sichuan-18/low-risk")
	entries := 0
	for _, e := range w.Entries() {
		if e.Kind == "application.decided" && e.Facts["meeting"] == m.ID && e.Outcome == "allowed" {
			entries++
		}
	}
	if entries != 2 {
		t.Errorf("%d entries", entries)
	}
	one, err := w.Boards.Decide(ctx, w.As("zhou"), m.ID, apps[2:], false, in)
	must(t, err)
	if one[0].State != "approved" {
		t.Errorf("by itself: %+v", one[0])
	}
	r, err := w.Boards.Show(ctx, w.As("zhou"), m.ID)
	must(t, err)
	numbers := map[int]bool{}
	for _, h := range r.Heard { // each is a decision of its own in the record too
		if len(h.Decided) != 1 || h.Decided[0].Listed != (h.Application != apps[2]) || h.Decided[0].Grounds != in.Grounds || numbers[h.Decided[0].Number.N] {
			t.Errorf("on record: %+v", h)
			continue
		}
		numbers[h.Decided[0].Number.N] = true
	}
}

// reviewed takes a draft to where the authority decides.
func reviewed(t *testing.T, w *apptest.World, app string) string {
	t.Helper()
	ctx := context.Background()
	a, err := w.Applications.Submit(ctx, w.As("li"), app, 0)
	must(t, err)
	for _, kind := range a.Needed {
		w.Voted(a.ID, kind)
	}
	return a.ID
}
