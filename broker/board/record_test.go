package board_test

import (
	"context"
	"testing"
	"time"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/board"
	"carrel/broker/store"
)

// The record of a meeting tells who came and left, who took no part, and each vote as it was cast there, taken back or not, also when the
// application has gone on since and has other votes; who recuses himself after the meeting is not in it.
func TestRecordOfAMeeting(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a, err := w.Create(ctx, w.As("li"), apptest.Research())
	must(t, err)
	_, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0)
	must(t, err)
	_, err = w.Applications.Recuse(ctx, w.As("bai"), a.ID, 0, "We wrote a book together.")
	must(t, err)
	m, err := w.Boards.Call(ctx, w.As("chen"), board.CallInput{Panel: "ethics", Day: "2026-11-21", Items: []string{a.ID}})
	must(t, err)
	take := func(who, step string) {
		t.Helper()
		w.Clock.Add(time.Minute)
		_, err := w.Boards.Take(ctx, w.As(who), m.ID, step, "")
		must(t, err)
	}
	for _, who := range []string{"chen", "mei", "gong"} {
		take(who, "attend")
	}
	take("chen", "open")
	vote := w.Opinion("ethics", "reject")
	_, err = w.Boards.Vote(ctx, w.As("mei"), m.ID, a.ID, vote)
	must(t, err)
	w.Clock.Add(time.Minute)
	_, err = w.Applications.Retract(ctx, w.As("mei"), a.ID, 0)
	must(t, err)
	w.Clock.Add(time.Minute)
	_, err = w.Boards.Vote(ctx, w.As("mei"), m.ID, a.ID, w.Opinion("ethics", "approve"))
	must(t, err)
	take("mei", "leave")
	take("chen", "close")
	w.Clock.Add(time.Minute)
	_, err = w.Applications.Recuse(ctx, w.As("gong"), a.ID, 0, "I have just learnt of it.")
	must(t, err)
	must(t, w.Store.Update(ctx, func(tx *store.Tx) error { // as after the authority sent it back
		gone := new(application.Application)
		rev, err := tx.Get(ctx, application.DocKind, a.ID, gone)
		if err != nil {
			return err
		}
		gone.Reviews = nil
		return tx.Put(ctx, application.DocKind, a.ID, rev, store.Index{Owner: "li", State: gone.State}, gone)
	}))
	r, err := w.Boards.Show(ctx, w.As("chen"), m.ID)
	must(t, err)
	if r.PanelText.EN != "ethics board" || r.StateText.ZH != "散会" || r.Opened.IsZero() || !r.Closed.After(r.Opened) {
		t.Errorf("%+v", r)
	}
	if len(r.Attended) != 3 || r.Attended[1].Account != "mei" || r.Attended[1].Left.IsZero() || !r.Attended[0].Left.IsZero() || r.Attended[0].Institution == "" {
		t.Errorf("attended: %+v", r.Attended)
	}
	if len(r.Course) != len(r.Steps) || r.Course[0].Text.ZH != "召集会议" {
		t.Errorf("course: %+v", r.Course)
	}
	h := r.Heard[0]
	if len(r.Heard) != 1 || !h.Seen || h.Title == "" || len(h.Recused) != 1 || h.Recused[0].Account != "bai" {
		t.Fatalf("%+v", r.Heard)
	}
	if v := h.Votes; len(v) != 3 || v[0].Verdict != "reject" || v[1].Retracted.IsZero() || v[2].Verdict != "approve" || v[2].Findings == "" || len(v[2].Found) == 0 {
		t.Errorf("votes: %+v", h.Votes)
	}
}

// Guard: of an item that is not for who reads the record there is its number and nothing else, and of others' opinions and the decision there
// is what policy lets the person read at the application.
func TestRecordHidesWhatIsNotForTheReader(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a, err := w.Create(ctx, w.As("li"), apptest.Research())
	must(t, err)
	_, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0)
	must(t, err)
	p, err := w.Boards.Invite(ctx, w.As("chen"), board.InvitationInput{Application: a.ID, Review: "ethics", Account: "liang", Until: "2026-12-20"})
	must(t, err)
	_, err = w.Boards.Accept(ctx, w.As("liang"), p.ID, board.Declaration{Confidential: true, Conflict: "none"})
	must(t, err)
	for _, kind := range []string{"ethics", "confidentiality", "security-risk", "privacy-impact"} {
		w.Voted(a.ID, kind)
	}
	m, err := w.Boards.Call(ctx, w.As("zhou"), board.CallInput{Panel: "authority", Day: "2026-11-21"})
	must(t, err)
	for _, step := range [][2]string{{"zhou", "attend"}, {"xu", "attend"}, {"zhou", "open"}} {
		_, err = w.Boards.Take(ctx, w.As(step[0]), m.ID, step[1], "")
		must(t, err)
	}
	_, err = w.Boards.Decide(ctx, w.As("zhou"), m.ID, []string{a.ID}, false, application.DecisionInput{Choice: "approve", Grounds: "lawful"})
	must(t, err)
	for who, want := range map[string][2]int{"zhou": {1, 1}, "liang": {1, 0}, "fang": {0, 0}} { // seen, decisions read
		must(t, w.Store.View(ctx, func(tx *store.Tx) error {
			all, err := w.Applications.Heard(ctx, tx, w.As(who), m.ID, []string{a.ID, "ap-none"}, time.Time{})
			if err != nil {
				return err
			}
			if seen := want[0] == 1; all[0].Seen != seen || (all[0].Title != "") != seen || len(all[0].Decided) != want[1] || all[1].Seen {
				t.Errorf("%s reads %+v", who, all)
			}
			return nil
		}))
	}
}
