package application_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
)

// Decisions are numbered by office and year from one, without gaps, also when many are made at once; what is refused takes no number.
func TestDocumentNumbers(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	var waiting []string
	for range 6 {
		waiting = append(waiting, w.Reviewed("li", apptest.Research()).ID)
	}
	var mu sync.Mutex
	got := map[int]int{}
	var all sync.WaitGroup
	for i, app := range waiting[:5] {
		all.Go(func() {
			choice := map[bool]string{true: "approve", false: "deny"}[i%2 == 0]
			if _, err := w.Applications.Decide(ctx, w.As("li"), app, 0, application.DecisionInput{Choice: choice}); err == nil {
				t.Error("the applicant decided")
			}
			a, err := w.Applications.Decide(ctx, w.As("zhou"), app, 0, application.DecisionInput{Choice: choice, Grounds: "理由已在审查意见中写明。"})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			got[a.Verdict.Number.N]++
			mu.Unlock()
			if a.Verdict.Number.Year != 2026 || a.Verdict.Number.Office != "jinhe-health-commission" {
				t.Errorf("%+v", a.Verdict.Number)
			}
		})
	}
	all.Wait()
	for n := 1; n <= 5; n++ {
		if got[n] != 1 {
			t.Errorf("number %d was given %d times", n, got[n])
		}
	}
	if a, err := w.Applications.Decide(ctx, w.As("zhou"), waiting[5], 0, application.DecisionInput{Choice: "return", Grounds: "请补充伦理审查材料。"}); err != nil || a.Verdict.Number != nil {
		t.Errorf("sent back with a number: %v", err)
	}
	w.Clock.Add(45 * 24 * time.Hour)
	d := apptest.Research()
	d.Facts.From = "2027-01-06"
	a, err := w.Applications.Decide(ctx, w.As("zhou"), w.Reviewed("li", d).ID, 0, application.DecisionInput{Choice: "approve", Grounds: "符合规定。"})
	if err != nil || a.Verdict.Number.N != 1 || a.Verdict.Number.Text.ZH != "金卫健数〔2027〕1号" {
		t.Errorf("in the next year: %+v %v", a, err)
	}
}
