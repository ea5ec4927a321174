package board_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/attachment/folder"
	"carrel/broker/board"
	"carrel/broker/problem"
	"carrel/policy"
)

// minutes are a file, by its hash.
var minutes = folder.HashOf(apptest.Document())

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused wants a denial that cites just these rules.
func refused(t *testing.T, err error, rules ...string) {
	t.Helper()
	var p *problem.Error
	if !errors.As(err, &p) || p.Decision == nil {
		t.Fatalf("no denial: %v", err)
	}
	var got []string
	for _, r := range p.Decision.Reasons {
		got = append(got, r.Rule)
	}
	slices.Sort(got)
	slices.Sort(rules)
	if !slices.Equal(got, rules) {
		t.Fatalf("denied by %v, not by %v", got, rules)
	}
}

// submitted is an application of a researcher before its reviewers.
func submitted(t *testing.T, w *apptest.World) *application.Application {
	t.Helper()
	ctx := context.Background()
	a, err := w.Create(ctx, w.As("li"), apptest.Research())
	must(t, err)
	a, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0)
	must(t, err)
	return a
}

// assembled is an open meeting of the ethics board about these applications, with three who are present.
func assembled(t *testing.T, w *apptest.World, apps ...string) *board.Meeting {
	t.Helper()
	ctx := context.Background()
	m, err := w.Boards.Call(ctx, w.As("chen"), board.CallInput{Panel: "ethics", Day: policy.DateOf(w.Clock.Now()), Items: apps})
	must(t, err)
	for _, who := range []string{"chen", "mei", "gong"} {
		_, err = w.Boards.Take(ctx, w.As(who), m.ID, "attend", "")
		must(t, err)
	}
	m, err = w.Boards.Take(ctx, w.As("chen"), m.ID, "open", "")
	must(t, err)
	return m
}

// A meeting from its agenda to its signed minutes: votes are cast there by who is present, one each, and nothing of it changes
// afterwards.
func TestMeeting(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a := submitted(t, w)

	agenda, err := w.Boards.Agenda(ctx, w.As("mei"), "ethics")
	must(t, err)
	if len(agenda) != 1 || agenda[0].Application != a.ID || agenda[0].Review != "ethics" || agenda[0].Due == "" {
		t.Fatalf("the agenda is %+v", agenda)
	}
	_, err = w.Boards.Agenda(ctx, w.As("li"), "ethics")
	refused(t, err, "sichuan-18/panel-reader")
	_, err = w.Boards.Call(ctx, w.As("zhou"), board.CallInput{Panel: "ethics", Day: "2026-11-21"})
	refused(t, err, "sichuan-18/panel")
	_, err = w.Boards.Call(ctx, w.As("chen"), board.CallInput{Panel: "ethics", Day: "2026-11-20"})
	refused(t, err, "sichuan-18/day-ahead")
	_, err = w.Boards.Call(ctx, w.As("chen"), board.CallInput{Panel: "ethics", Day: "2026-11-21", Items: []string{"ap-none"}})
	refused(t, err, "sichuan-18/agenda")

	m, err := w.Boards.Call(ctx, w.As("chen"), board.CallInput{Panel: "ethics", Day: "2026-11-21"})
	must(t, err)
	if !slices.Equal(m.Items, []string{a.ID}) || m.State != "called" || m.Chair != "chen" {
		t.Fatalf("called %+v", m)
	}
	_, err = w.Boards.Call(ctx, w.As("mei"), board.CallInput{Panel: "ethics", Day: "2026-11-21", Items: []string{a.ID}})
	refused(t, err, "sichuan-18/agenda") // it is before a meeting already
	_, err = w.Boards.Take(ctx, w.As("chen"), m.ID, "attend", "")
	must(t, err)
	_, err = w.Boards.Take(ctx, w.As("chen"), m.ID, "attend", "")
	refused(t, err, "sichuan-18/absent")
	_, err = w.Boards.Take(ctx, w.As("chen"), m.ID, "open", "")
	refused(t, err, "sichuan-18/assembled")
	for _, who := range []string{"mei", "gong"} {
		_, err = w.Boards.Take(ctx, w.As(who), m.ID, "attend", "")
		must(t, err)
	}
	_, err = w.Boards.Take(ctx, w.As("mei"), m.ID, "open", "")
	refused(t, err, "sichuan-18/chair")
	_, err = w.Boards.Take(ctx, w.As("chen"), m.ID, "open", "")
	must(t, err)

	_, err = w.Applications.Review(ctx, w.As("mei"), a.ID, 0, w.Opinion("ethics", "approve"))
	refused(t, err, "sichuan-18/sitting") // in the meeting or not at all
	_, err = w.Boards.Vote(ctx, w.As("bai"), m.ID, a.ID, w.Opinion("ethics", "approve"))
	refused(t, err, "sichuan-18/present")
	_, err = w.Applications.Review(ctx, w.As("zhao"), a.ID, 0, w.Opinion("confidentiality", "approve"))
	must(t, err) // what is not the board's goes its way
	voted, err := w.Boards.Vote(ctx, w.As("mei"), m.ID, a.ID, w.Opinion("ethics", "approve"))
	must(t, err)
	if r := voted.Reviews[1]; r.Reviewer != "mei" || r.Meeting != m.ID {
		t.Fatalf("the vote is %+v", r)
	}
	_, err = w.Boards.Vote(ctx, w.As("mei"), m.ID, a.ID, w.Opinion("ethics", "approve"))
	refused(t, err, "sichuan-18/one-review")

	w.Lodge("chen")
	_, err = w.Boards.Take(ctx, w.As("chen"), m.ID, "minute", minutes)
	refused(t, err, "sichuan-18/state")
	_, err = w.Boards.Take(ctx, w.As("chen"), m.ID, "close", "")
	must(t, err)
	_, err = w.Boards.Take(ctx, w.As("bai"), m.ID, "attend", "")
	refused(t, err, "sichuan-18/state")
	_, err = w.Boards.Take(ctx, w.As("gong"), m.ID, "minute", "minutes.pdf")
	refused(t, err, "sichuan-18/minutes")
	w.Lodge("bai")
	_, err = w.Boards.Take(ctx, w.As("bai"), m.ID, "minute", minutes)
	refused(t, err, "sichuan-18/attended")
	_, err = w.Boards.Take(ctx, w.As("gong"), m.ID, "minute", minutes) // in another's folder only
	refused(t, err, "sichuan-18/minutes")
	w.Lodge("gong")
	_, err = w.Boards.Take(ctx, w.As("gong"), m.ID, "minute", minutes)
	must(t, err)
	_, err = w.Boards.Take(ctx, w.As("chen"), m.ID, "sign", minutes[:70]+"0")
	refused(t, err, "sichuan-18/minutes-read")
	w.Clock.Add(24 * time.Hour)
	m, err = w.Boards.Take(ctx, w.As("chen"), m.ID, "sign", minutes)
	must(t, err)
	if m.State != "signed" || m.Minutes != minutes {
		t.Fatalf("signed %+v", m)
	}
	for _, step := range []string{"attend", "leave", "open", "close", "cancel", "minute", "sign"} {
		if _, err := w.Boards.Take(ctx, w.As("chen"), m.ID, step, minutes); !problem.Is(err, problem.Forbidden) {
			t.Errorf("%s after the signature: %v", step, err)
		}
	}
}

// Who is in conflict neither votes nor counts: with one of three recused, nobody's vote is taken until another comes.
func TestQuorumLeavesOutWhoIsInConflict(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a := submitted(t, w)
	m := assembled(t, w, a.ID)
	_, err := w.Applications.Recuse(ctx, w.As("gong"), a.ID, 0, "与申请团队有合作关系")
	must(t, err)
	_, err = w.Applications.Recuse(ctx, w.As("gong"), a.ID, 0, "与申请团队有合作关系")
	refused(t, err, "chongqing-integrity/recused")
	_, err = w.Boards.Vote(ctx, w.As("gong"), m.ID, a.ID, w.Opinion("ethics", "approve"))
	refused(t, err, "chongqing-integrity/recused", "sichuan-18/quorum")
	_, err = w.Boards.Vote(ctx, w.As("mei"), m.ID, a.ID, w.Opinion("ethics", "approve"))
	refused(t, err, "sichuan-18/quorum")
	_, err = w.Boards.Take(ctx, w.As("bai"), m.ID, "attend", "")
	must(t, err)
	_, err = w.Boards.Vote(ctx, w.As("mei"), m.ID, a.ID, w.Opinion("ethics", "approve"))
	must(t, err)
	_, err = w.Applications.Recuse(ctx, w.As("mei"), a.ID, 0, "与申请团队有合作关系")
	refused(t, err, "chongqing-integrity/no-vote")
}

// A vote races the end of its meeting, and two of one person race each other: one vote of each at most, and none after the end.
func TestVotesRace(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a := submitted(t, w)
	m := assembled(t, w, a.ID)
	var wg sync.WaitGroup
	results := make([]error, 9)
	for i := range 8 {
		who := []string{"mei", "gong"}[i%2]
		wg.Go(func() { _, results[i] = w.Boards.Vote(ctx, w.As(who), m.ID, a.ID, w.Opinion("ethics", "approve")) })
	}
	wg.Go(func() { _, results[8] = w.Boards.Take(ctx, w.As("chen"), m.ID, "close", "") })
	wg.Wait()
	must(t, results[8])
	ok := 0
	for _, err := range results[:8] {
		if err == nil {
			ok++
		} else if !problem.Is(err, problem.Forbidden) && !problem.Is(err, problem.Conflict) {
			t.Error(err)
		}
	}
	v, err := w.Applications.Show(ctx, w.As("zhou"), a.ID)
	must(t, err)
	if len(v.Reviews) != ok || ok > 2 {
		t.Fatalf("%d votes on record, %d said to be cast", len(v.Reviews), ok)
	}
	_, err = w.Boards.Vote(ctx, w.As("bai"), m.ID, a.ID, w.Opinion("ethics", "approve"))
	if !problem.Is(err, problem.Forbidden) {
		t.Fatalf("a vote in a closed meeting: %v", err)
	}
}

// A meeting that nobody closed binds nobody on the next day, and the watch closes it.
func TestMeetingOfThePast(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a := submitted(t, w)
	m := assembled(t, w, a.ID)
	w.Clock.Add(24 * time.Hour)
	_, err := w.Boards.Take(ctx, w.As("bai"), m.ID, "attend", "")
	refused(t, err, "sichuan-18/on-the-day")
	_, err = w.Boards.Vote(ctx, w.As("mei"), m.ID, a.ID, w.Opinion("ethics", "approve"))
	refused(t, err, "sichuan-18/sitting")
	_, err = w.Applications.Review(ctx, w.As("mei"), a.ID, 0, w.Opinion("ethics", "approve"))
	must(t, err)
	_, err = w.Boards.Take(ctx, w.As("chen"), m.ID, "lapse", "")
	refused(t, err, "sichuan-17/post")
	_, err = w.Boards.Tick(ctx)
	must(t, err)
	r, err := w.Boards.Show(ctx, w.As("chen"), m.ID)
	must(t, err)
	if r.State != "closed" {
		t.Fatalf("the meeting is %s", r.State)
	}
}
