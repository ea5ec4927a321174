package board_test

import (
	"context"
	"testing"
	"time"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
)

// others has everybody vote whose review is not the board's.
func others(t *testing.T, w *apptest.World, app string) {
	t.Helper()
	for kind, who := range map[string]string{"confidentiality": "zhao", "security-risk": "qian", "privacy-impact": "sun"} {
		_, err := w.Applications.Review(context.Background(), w.As(who), app, 0, w.Opinion(kind, "approve"))
		must(t, err)
	}
}

func stands(t *testing.T, w *apptest.World, app, state string) {
	t.Helper()
	v, err := w.Applications.Show(context.Background(), w.As("zhou"), app)
	must(t, err)
	if v.State != state {
		t.Fatalf("the application is %s, not %s", v.State, state)
	}
}

// Guard: in a meeting of four the first two votes do not decide: the third and the fourth, against, turn an approval into none.
func TestEverybodyWhoSitsThereIsHeard(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a := submitted(t, w)
	others(t, w, a.ID)
	m := assembled(t, w, a.ID)
	_, err := w.Boards.Take(ctx, w.As("bai"), m.ID, "attend", "")
	must(t, err)
	for _, v := range []struct{ who, verdict, state string }{{"mei", "approve", "submitted"}, {"gong", "approve", "submitted"}, {"bai", "reject", "submitted"}, {"chen", "reject", "reviewed"}} {
		_, err := w.Boards.Vote(ctx, w.As(v.who), m.ID, a.ID, w.Opinion("ethics", v.verdict))
		must(t, err)
		stands(t, w, a.ID, v.state)
	}
	_, err = w.Boards.Take(ctx, w.As("chen"), m.ID, "close", "")
	must(t, err)
	decide := func(choice string) error {
		_, err := w.Applications.Decide(ctx, w.As("zhou"), a.ID, 0, application.DecisionInput{Choice: choice, Grounds: "伦理委员会未予通过。"})
		return err
	}
	refused(t, decide("approve"), "sichuan-18/reviews-held")
	must(t, decide("deny"))
}

// Guard: the end of a meeting waits for nobody. Where there were votes enough the review is over, by the chair's hand or when its day is.
func TestTheEndOfAMeetingClosesTheReview(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *apptest.World, meeting string) error{
		"closed": func(w *apptest.World, meeting string) error {
			_, err := w.Boards.Take(context.Background(), w.As("chen"), meeting, "close", "")
			return err
		},
		"its day is over": func(w *apptest.World, _ string) error {
			w.Clock.Add(24 * time.Hour)
			_, err := w.Boards.Tick(context.Background())
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := apptest.New(t)
			ctx := context.Background()
			enough, few := submitted(t, w), submitted(t, w)
			others(t, w, enough.ID)
			others(t, w, few.ID)
			m := assembled(t, w, enough.ID, few.ID)
			for _, v := range []struct{ who, app string }{{"mei", enough.ID}, {"gong", enough.ID}, {"mei", few.ID}} {
				_, err := w.Boards.Vote(ctx, w.As(v.who), m.ID, v.app, w.Opinion("ethics", "approve"))
				must(t, err)
			}
			stands(t, w, enough.ID, "submitted")
			must(t, end(w, m.ID))
			stands(t, w, enough.ID, "reviewed")
			stands(t, w, few.ID, "submitted")
			v, err := w.Applications.Show(ctx, w.As("zhou"), enough.ID)
			must(t, err)
			if v.Clock.Due == "" || v.Sitting.Meeting != "" {
				t.Fatalf("the days of the decision do not run: %+v %+v", v.Clock, v.Sitting)
			}
			said := 0
			for _, e := range w.Entries() {
				if e.Kind == "application.adjourned" {
					said++
					if e.Object != "application/"+enough.ID || e.Facts["to"] != "reviewed" || e.Actor != "system" {
						t.Errorf("on record is %+v", e)
					}
				}
			}
			if said != 1 {
				t.Errorf("%d entries say that a review is over", said)
			}
			_, err = w.Applications.Review(ctx, w.As("chen"), few.ID, 0, w.Opinion("ethics", "approve")) // outside a meeting the quorum is enough
			must(t, err)
			stands(t, w, few.ID, "reviewed")
		})
	}
}
