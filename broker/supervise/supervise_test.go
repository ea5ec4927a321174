package supervise_test

import (
	"context"
	"testing"
	"time"

	"carrel/broker/application/apptest"
	"carrel/broker/auth"
	"carrel/broker/conduct"
	"carrel/broker/problem"
	"carrel/broker/supervise"
)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// city is a supervisor of the city alone.
func city() auth.Identity {
	return auth.Identity{Account: "x", Roles: []string{"supervisor"}, Institution: "jinhe-health-commission", Region: "510000"}
}

func units(o *supervise.Overview) map[string]bool {
	out := map[string]bool{}
	for _, u := range o.Institutions {
		out[u.ID] = true
	}
	return out
}

// Guard: a supervisor sees the units of its own territory, all that is of them and nothing else; an auditor sees all; every look is
// on record.
func TestTerritory(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	d := apptest.Research()
	d.Facts.Team = nil
	w.Granted("hu", d) // another city's
	w.Granted("li", apptest.Research())
	for _, unit := range []string{"other-university", "jinhe-university"} {
		_, err := w.Conduct.Report(ctx, w.As("tang"), conduct.Report{Sort: "possible", Found: w.Clock.Now(), Unit: unit, Texts: map[string]string{"what": "一份结果可能被错误地发送。"}})
		ok(t, err)
	}
	for name, c := range map[string]struct {
		who         auth.Identity
		own, others bool
		budgets     int
	}{
		"the province's": {w.As("sheng"), true, true, 2}, "the city's": {city(), true, false, 1}, "an auditor": {w.As("yan"), true, true, 2},
	} {
		o, err := w.Supervision.Overview(ctx, c.who, supervise.Period{})
		ok(t, err)
		if u := units(o); u["jinhe-university"] != c.own || u["other-university"] != c.others {
			t.Errorf("%s: units %v", name, u)
		}
		if len(o.Budgets) != c.budgets {
			t.Errorf("%s: %d budgets", name, len(o.Budgets))
		}
		seen := map[string]bool{}
		for _, m := range o.Matters {
			seen[m.Noun+" "+m.Unit] = true
		}
		for _, r := range o.Refusals {
			seen["refused "+r.Unit] = true
		}
		if !seen["incident jinhe-university"] || !seen["report jinhe-university"] || seen["incident other-university"] != c.others || seen["report other-university"] != c.others {
			t.Errorf("%s: matters %v", name, seen)
		}
	}
	last := w.Entries()[len(w.Entries())-1]
	if last.Kind != "supervision.viewed" || last.Outcome != "allowed" {
		t.Errorf("the look is not on record: %+v", last)
	}
}

// Who does not supervise sees nothing, and the refusal is on record; a unit outside the territory is not there.
func TestNobodyElse(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	for _, who := range []string{"li", "wu", "zhou", "shi", "fang"} {
		if _, err := w.Supervision.Overview(ctx, w.As(who), supervise.Period{}); !problem.Is(err, problem.Forbidden) {
			t.Errorf("%s: %v", who, err)
		}
	}
	if e := w.Entries(); e[len(e)-1].Outcome != "refused" {
		t.Error("the refusal is not on record")
	}
	nowhere := city()
	nowhere.Institution = "not-registered"
	if _, err := w.Supervision.Overview(ctx, nowhere, supervise.Period{}); !problem.Is(err, problem.Forbidden) {
		t.Errorf("of no unit: %v", err)
	}
	for _, unit := range []string{"other-university", "sichuan-health-commission", "nowhere"} {
		if _, err := w.Supervision.Inspection(ctx, city(), unit, supervise.Period{}); !problem.Is(err, problem.NotFound) {
			t.Errorf("%s: %v", unit, err)
		}
	}
}

// A patrol says what is overdue and which unit lacks what; an inspection is of one unit.
func TestReports(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	finding := func(code string) supervise.Check {
		t.Helper()
		p, err := w.Supervision.Patrol(ctx, w.As("sheng"), supervise.Period{})
		ok(t, err)
		for _, c := range p.Checks {
			if c.Code == code {
				return c
			}
		}
		t.Fatalf("no point %s", code)
		return supervise.Check{}
	}
	for _, code := range []string{"department", "commission", "incident", "report", "duty", "assessment", "complaint", "budget"} {
		if c := finding(code); !c.OK {
			t.Errorf("%s in a fresh world: %s", code, c.Text.EN)
		}
	}
	_, err := w.Conduct.Complain(ctx, conduct.Complaint{Text: "我的档案被无关人员查看，请核查。", Party: "institution/jinhe-university"})
	ok(t, err)
	_, err = w.Conduct.Report(ctx, w.As("tang"), conduct.Report{Sort: "actual", Found: w.Clock.Now(), Unit: "jinhe-university", Texts: map[string]string{"what": "一份结果被错误地发送。"}})
	ok(t, err)
	u, err := w.Institutions.Show(ctx, w.As("zhou"), "jinhe-university")
	ok(t, err)
	u.Post = ""
	_, err = w.Institutions.Set(ctx, w.As("zhou"), u)
	ok(t, err)
	w.Clock.Add(40 * 24 * time.Hour)
	for _, code := range []string{"department", "incident", "report", "complaint"} {
		if c := finding(code); c.OK || c.Count != 1 {
			t.Errorf("%s: %+v", code, c)
		}
	}
	i, err := w.Supervision.Inspection(ctx, w.As("sheng"), "jinhe-university", supervise.Period{From: "2026-11-01"})
	ok(t, err)
	if len(i.Overview.Institutions) != 1 || i.Institution.ID != "jinhe-university" || len(i.Overview.Matters) < 3 {
		t.Errorf("inspection: %+v", i.Overview.Institutions)
	}
	for _, p := range []supervise.Period{{From: "yesterday"}, {From: "2026-11-02", To: "2026-11-01"}, {From: "2020-01-01"}} {
		if _, err := w.Supervision.Overview(ctx, w.As("sheng"), p); !problem.Is(err, problem.Invalid) {
			t.Errorf("%+v: %v", p, err)
		}
	}
}
