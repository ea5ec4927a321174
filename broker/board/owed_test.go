package board_test

import (
	"context"
	"testing"
	"time"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/conduct"
	"carrel/broker/grant"
)

// Who owes evidence of a condition is reminded of its day; once it is filed, who set the condition is, and nobody else.
func TestWatchConditions(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a := w.Reviewed("li", apptest.Research())
	a, err := w.Applications.Decide(ctx, w.As("zhou"), a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "符合规定",
		Obligations: []application.ObligationInput{{Kind: "report", Due: "2026-12-31"}, {Kind: "report", Due: "2027-03-31"}}})
	must(t, err)
	for _, s := range [][2]string{{"li", "applicant"}, {"wu", "owner"}} {
		a, err = w.Applications.Sign(ctx, w.As(s[0]), a.ID, 0, s[1], a.Agreement.Digest)
		must(t, err)
	}
	object := "grant/" + a.Grant
	tick := func(days int) {
		w.Clock.Add(time.Duration(days) * 24 * time.Hour)
		_, err := w.Boards.Tick(ctx)
		must(t, err)
	}
	tick(0)
	if n := told(t, w, "li", object); len(n) != 0 {
		t.Fatalf("long before the day: %v", n)
	}
	tick(35)
	if n := told(t, w, "li", object); n["due.reminded"] != 1 {
		t.Fatalf("near the day the lead hears %v", n)
	}
	if n := told(t, w, "zhou", object); len(n) != 0 {
		t.Fatalf("near the day the authority hears %v", n)
	}
	must(t, w.Grants.Move(ctx, w.As("li"), a.Grant, grant.Command{Name: "discharge", Condition: a.ID + "-1", Evidence: w.Evidence("li", a.Grant, "report")}))
	tick(10)
	if n := told(t, w, "zhou", object); n["due.reminded"] != 1 {
		t.Errorf("evidence waits and the authority hears %v", n)
	}
	if n := told(t, w, "li", object); n["due.reminded"] != 1 {
		t.Errorf("evidence waits and the lead hears %v", n)
	}
	must(t, w.Grants.Move(ctx, w.As("zhou"), a.Grant, grant.Command{Name: "accept", Condition: a.ID + "-1"}))
	tick(1)
	if n := told(t, w, "zhou", object); n["due.reminded"] != 1 {
		t.Errorf("nothing waits and the authority hears %v", n)
	}
}

// A report upward is owed by the unit until it is sent, and its receipt by the addressee until it is given.
func TestWatchReports(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	_, err := w.Conduct.Report(ctx, w.As("tang"), conduct.Report{Sort: "possible", Found: w.Clock.Now(), Unit: "jinhe-qc-centre", Texts: map[string]string{"what": "一份数据包可能被错误地领取。"}})
	must(t, err)
	all, err := w.Conduct.Reports(ctx, w.As("zhou"))
	must(t, err)
	object := "conduct/report/" + all[0].ID
	_, err = w.Boards.Tick(ctx)
	must(t, err)
	if n := told(t, w, "zheng", object); n["due.reminded"] != 1 {
		t.Errorf("the centre hears %v", n)
	}
	_, err = w.Conduct.Send(ctx, w.As("tang"), all[0].ID, "数据包已收回，密钥已更换，无人打开。")
	must(t, err)
	w.Clock.Add(14 * 24 * time.Hour)
	_, err = w.Boards.Tick(ctx)
	must(t, err)
	if n := told(t, w, "zhou", object); n["due.escalated"] != 1 { // one kind for all who hear of the same
		t.Errorf("the addressee hears %v", n)
	}
	if n := told(t, w, "he", object); n["due.escalated"] != 1 {
		t.Errorf("the discipline office hears %v", n)
	}
	_, err = w.Conduct.Acknowledge(ctx, w.As("zhou"), all[0].ID, "收〔2026〕1号")
	must(t, err)
	w.Clock.Add(24 * time.Hour)
	_, err = w.Boards.Tick(ctx)
	must(t, err)
	if n := told(t, w, "zhou", object); n["due.escalated"] != 1 {
		t.Errorf("after the receipt the addressee hears %v", n)
	}
}
