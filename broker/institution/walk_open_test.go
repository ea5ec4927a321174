package institution_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/board"
	"carrel/broker/conduct"
	"carrel/broker/grant"
	"carrel/policy"
)

// sat is a meeting of the ethics board of the commission with an application of the university before it: two of the commission, one
// of the hospital and one more of the commission sit in it once it is open.
func sat(t *testing.T, w *apptest.World, open bool) (app, meeting string) {
	t.Helper()
	ctx := context.Background()
	a, err := w.Create(ctx, w.As("li"), apptest.Research())
	ok(t, err)
	_, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0)
	ok(t, err)
	m, err := w.Boards.Call(ctx, w.As("chen"), board.CallInput{Panel: "ethics", Day: policy.DateOf(w.Clock.Now()), Items: []string{a.ID}})
	ok(t, err)
	if open {
		for _, who := range []string{"chen", "mei", "gong", "bai"} {
			_, err = w.Boards.Take(ctx, w.As(who), m.ID, "attend", "")
			ok(t, err)
		}
		_, err = w.Boards.Take(ctx, w.As("chen"), m.ID, "open", "")
		ok(t, err)
	}
	return a.ID, m.ID
}

// sichuan-14, sichuan-18: a meeting that was called or is in session when the board's institution, or that of one of its members, is
// merged or ends. A successor goes on; of who ended nobody votes, sits or keeps the others from ending; what was before the meeting
// waits again the day after.
func TestMeetingsWhileInstitutionsChange(t *testing.T) {
	t.Parallel()
	const gone = "sichuan-14/ended"
	ctx := context.Background()
	vote := func(w *apptest.World, who, m, app string) error {
		_, err := w.Boards.Vote(ctx, w.As(who), m, app, w.Opinion("ethics", "approve"))
		return err
	}
	take := func(w *apptest.World, who, m, step, digest string) error {
		_, err := w.Boards.Take(ctx, w.As(who), m, step, digest)
		return err
	}
	t.Run("board merged in session", func(t *testing.T) {
		t.Parallel()
		w := apptest.New(t)
		app, m := sat(t, w, true)
		ok(t, vote(w, "mei", m, app))
		kinds(province)["merged"](t, w, commission)
		for _, who := range []string{"chen", "gong", "bai"} {
			ok(t, vote(w, who, m, app))
		}
		ok(t, take(w, "chen", m, "close", ""))
		minutes := w.Lodge("gong")
		ok(t, take(w, "gong", m, "minute", minutes))
		ok(t, take(w, "chen", m, "sign", minutes))
	})
	t.Run("board ended when it was called", func(t *testing.T) {
		t.Parallel()
		w := apptest.New(t)
		app, m := sat(t, w, false)
		kinds("")["ended"](t, w, commission)
		for _, step := range []string{"attend", "open"} {
			if got := ruled(t, take(w, "chen", m, step, "")); got != gone {
				t.Errorf("%s: refused by %q", step, got)
			}
		}
		ok(t, take(w, "bai", m, "attend", ""))
		w.Clock.Add(24 * time.Hour)
		if _, err := w.Boards.Tick(ctx); err != nil {
			t.Errorf("the day after: %v", err)
		}
		waits(t, w, app, "meng")
	})
	t.Run("board ended in session", func(t *testing.T) {
		t.Parallel()
		w := apptest.New(t)
		app, m := sat(t, w, true)
		kinds("")["ended"](t, w, commission)
		for _, who := range []string{"chen", "mei"} {
			if got := ruled(t, vote(w, who, m, app)); got != gone {
				t.Errorf("%s votes: refused by %q", who, got)
			}
		}
		if got := ruled(t, vote(w, "bai", m, app)); got != "sichuan-18/quorum" {
			t.Errorf("who is left alone votes: refused by %q", got)
		}
		w.Clock.Add(24 * time.Hour)
		if _, err := w.Boards.Tick(ctx); err != nil {
			t.Errorf("the day after: %v", err)
		}
		waits(t, w, app, "meng")
	})
	t.Run("member ended in session", func(t *testing.T) {
		t.Parallel()
		w := apptest.New(t)
		app, m := sat(t, w, true)
		kinds("")["ended"](t, w, hospital)
		if got := ruled(t, vote(w, "bai", m, app)); got != gone {
			t.Errorf("votes: refused by %q", got)
		}
		var a *application.Application
		for _, who := range []string{"chen", "mei", "gong"} {
			var err error
			a, err = w.Boards.Vote(ctx, w.As(who), m, app, w.Opinion("ethics", "approve"))
			ok(t, err)
		}
		ok(t, take(w, "chen", m, "close", ""))
		for _, kind := range slices.DeleteFunc(slices.Clone(a.Needed), func(kind string) bool { return kind == "ethics" }) {
			a = w.Voted(app, kind)
		}
		if a.State != "reviewed" {
			t.Errorf("the review waits for who is no more: %s", a.State)
		}
	})
	t.Run("applicant merged into the board's house", func(t *testing.T) {
		t.Parallel()
		w := apptest.New(t)
		app, m := sat(t, w, true)
		kinds(commission)["merged"](t, w, university)
		if got := ruled(t, vote(w, "mei", m, app)); got != "chongqing-integrity/same-house" {
			t.Errorf("the applicant's own house votes: refused by %q", got)
		}
		if err := vote(w, "bai", m, app); ruled(t, err) != "sichuan-18/quorum" {
			t.Errorf("one who is free makes a quorum: %v", err)
		}
	})
}

// waits says whether an application waits for the ethics board, in the eyes of that member.
func waits(t *testing.T, w *apptest.World, app, who string) {
	t.Helper()
	items, err := w.Boards.Agenda(context.Background(), w.As(who), "ethics")
	ok(t, err)
	if !slices.ContainsFunc(items, func(i board.Item) bool { return i.Application == app }) {
		t.Errorf("%s is lost: %+v", app, items)
	}
}

// sichuan-14, sichuan-19: entrusted processing when the processor's institution changes, before it signs and under the grant.
func TestProcessorsWhileInstitutionsChange(t *testing.T) {
	t.Parallel()
	const laboratory = "jinhe-data-laboratory"
	ctx := context.Background()
	d := apptest.Research()
	d.Facts.Agreement = policy.Terms{Kind: "entrustment", Processor: laboratory}
	d.Facts.Team = []string{"luo"}
	for kind, change := range kinds("jinhe-qc-centre") {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := apptest.New(t)
			signed := w.Approved("li", d)
			sign := func(app, who, side, digest string) error {
				_, err := w.Applications.Sign(ctx, w.As(who), app, 0, side, digest)
				return err
			}
			_, err := w.Conduct.Done(ctx, w.As("wu"), "", conduct.Entry{Party: "institution/" + laboratory, Sort: "commissioner-check", Reason: "现场检查受托处理情况，符合约定。", Article: "sichuan-33",
				Evidence: w.Lodge("wu"), Until: "2027-06-30"})
			ok(t, err)
			waiting := w.Approved("li", d)
			for _, x := range [][2]string{{"li", "applicant"}, {"luo", "processor"}, {"wu", "owner"}} {
				ok(t, sign(signed.ID, x[0], x[1], signed.Agreement.Digest))
			}
			v, err := w.Applications.Show(ctx, w.As("li"), signed.ID)
			ok(t, err)
			if v.Grant == "" {
				t.Fatalf("no grant: %s", v.State)
			}
			ok(t, sign(waiting.ID, "li", "applicant", waiting.Agreement.Digest))
			change(t, w, laboratory)
			permit := func(who string) string {
				_, _, err := w.Grants.IssuePermit(ctx, w.As(who), v.Grant, grant.PermitRequest{})
				return ruled(t, err)
			}
			want := map[string]string{}
			if kind == "ended" {
				want = map[string]string{"luo": "sichuan-14/ended", "li": "sichuan-14/parties", "sign": "sichuan-14/ended"}
			}
			if got := permit("li"); got != want["li"] {
				t.Errorf("the applicant's permit: refused by %q", got)
			}
			if got := permit("luo"); got != want["luo"] {
				t.Errorf("the processor's permit: refused by %q", got)
			}
			if got := ruled(t, sign(waiting.ID, "luo", "processor", waiting.Agreement.Digest)); got != want["sign"] {
				t.Errorf("the processor signs: refused by %q", got)
			}
		})
	}
}

// sichuan-14, sichuan-20, sichuan-36: what an institution owes and what it is accused of goes over: its successor's people see it on
// file, nobody of them says that it is done, and the office does.
func TestDutiesWhileInstitutionsChange(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for kind, change := range kinds("jinhe-qc-centre") {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := apptest.New(t)
			evidence := w.Lodge("zhou", "he", "ren", "zheng")
			in := conduct.Entry{Party: "institution/" + hospital, Sort: "provider-check", Reason: "现场检查数据提供情况，按期完成。", Article: "sichuan-20", Evidence: evidence, Until: "2026-12-31"}
			duty, err := w.Conduct.Impose(ctx, w.As("zhou"), in)
			ok(t, err)
			in.Sort, in.Reason = "warning", "未按要求登记访问记录，责令改正。"
			change(t, w, hospital)
			of := hospital
			if kind == "merged" {
				of = "jinhe-qc-centre"
			}
			for who, party := range map[string]string{"zheng": "institution/" + of, "yan": "institution/" + of} {
				if kind != "merged" && who == "zheng" {
					continue
				}
				list, err := w.Conduct.Read(ctx, w.As(who), "duty", party, "检查承继单位的义务是否履行。")
				ok(t, err)
				if !slices.ContainsFunc(list, func(v conduct.View) bool { return v.ID == duty.ID }) {
					t.Errorf("%s does not see what %s owes", who, party)
				}
			}
			done := conduct.Entry{Party: "institution/" + hospital, Sort: "provider-check", Reason: "已检查，情况属实，予以确认。", Article: "sichuan-20", Evidence: evidence, Until: "2027-06-30"}
			if kind == "merged" {
				if _, err := w.Conduct.Done(ctx, w.As("zheng"), duty.ID, done); err == nil {
					t.Error("the successor checks itself")
				}
			}
			if kind == "ended" {
				if _, err := w.Conduct.Done(ctx, w.As("ren"), duty.ID, done); err == nil {
					t.Error("who ended records")
				}
			}
			if _, err := w.Conduct.Done(ctx, w.As("zhou"), duty.ID, done); err != nil {
				t.Errorf("the authority cannot record: %v", err)
			}
		})
	}
}
