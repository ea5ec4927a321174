package conduct_test

import (
	"context"
	"testing"
	"time"

	"carrel/broker/application/apptest"
	"carrel/broker/attachment"
	"carrel/broker/auth"
	"carrel/broker/conduct"
	"carrel/broker/conduct/matter"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// shorten gives the duties of a sort that are on file of a party another last day.
func shorten(t *testing.T, w *apptest.World, party, sort string, until policy.Date) {
	t.Helper()
	ctx := context.Background()
	var found []string
	ok(t, w.Store.View(ctx, func(tx *store.Tx) error {
		return matter.All(ctx, tx, matter.Duty, store.Filter{Owner: party}, func(m *matter.Matter) error {
			if m.Sort == sort {
				found = append(found, m.ID)
			}
			return nil
		})
	}))
	ok(t, w.Store.Update(ctx, func(tx *store.Tx) error {
		for _, id := range found {
			m, rev, err := matter.Load(ctx, tx, matter.Duty, id)
			if err != nil {
				return err
			}
			m.Until = until
			if err := matter.Put(ctx, tx, m, rev); err != nil {
				return err
			}
		}
		return nil
	}))
	ok(t, w.Files.Refresh(ctx, party))
}

// A post that needs a training or a declaration is closed without one in date, and opens when it is on record again.
func TestPostsNeedTrainingAndDeclaration(t *testing.T) {
	t.Parallel()
	w := world(t)
	ctx := context.Background()
	create := func() error {
		_, err := w.Create(ctx, w.As("li"), apptest.Research())
		return err
	}
	ok(t, create())
	shorten(t, w, "person/li", "training", "2026-11-20")
	denied(t, create(), "sichuan-24/training")
	shorten(t, w, "person/li", "declaration", "2026-11-20")
	denied(t, create(), "sichuan-24/training", "chongqing-integrity/declaration")
	_, err := w.Conduct.Declare(ctx, w.As("li"), "", "无利益冲突，经费来自公共财政。", "")
	ok(t, err)
	_, err = w.Conduct.Done(ctx, w.As("tang"), "", conduct.Entry{Party: "person/li", Sort: "training", Evidence: hash()})
	ok(t, err)
	ok(t, create())
	// An institution's training is nobody's own.
	shorten(t, w, "person/wang", "training", "2026-11-20")
	_, err = w.Conduct.Done(ctx, w.As("tang"), "", conduct.Entry{Party: "institution/jinhe-university", Sort: "training", Evidence: hash()})
	ok(t, err)
	d := apptest.Research()
	d.Facts.Team = nil
	_, err = w.Create(ctx, w.As("wang"), d)
	denied(t, err, "sichuan-24/training")
}

// A complaint's deadline counts days that are worked: the National Day week is none.
func TestComplaintsDeadlineIsInWorkingDays(t *testing.T) {
	t.Parallel()
	w := world(t)
	w.Clock.Add(time.Date(2027, 2, 1, 2, 0, 0, 0, time.UTC).Sub(w.Clock.Now()))
	c, err := w.Conduct.Complain(context.Background(), conduct.Complaint{Text: "我的档案被无关人员查看，请核查。"})
	ok(t, err)
	weekdays := 0
	for d := c.Received.AddDate(0, 0, 1); !d.After(c.Due); d = d.AddDate(0, 0, 1) {
		if d.Weekday() != time.Saturday && d.Weekday() != time.Sunday {
			weekdays++
		}
	}
	if weekdays <= 15 {
		t.Errorf("due %s, after %d weekdays: the holidays were counted", c.Due, weekdays)
	}
	w.Clock.Add(time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC).Sub(w.Clock.Now()))
	if _, err := w.Conduct.Complain(context.Background(), conduct.Complaint{Text: "我的档案被无关人员查看，请核查。"}); !problem.Is(err, problem.Unavailable) {
		t.Errorf("a year without holidays: %v", err)
	}
}

// An incident opens a report to who supervises the unit that answers for it, with its clock from the discovery; sent late it says so.
func TestIncidentOpensAReportUpward(t *testing.T) {
	t.Parallel()
	w := world(t)
	ctx := context.Background()
	found := w.Clock.Now().Add(-time.Hour)
	in, err := w.Conduct.Report(ctx, w.As("tang"), conduct.Report{Sort: "possible", Found: found, Unit: "jinhe-qc-centre", Texts: map[string]string{"what": "一份数据包可能被错误地领取。"}})
	ok(t, err)
	all, err := w.Conduct.Reports(ctx, w.As("zhou"))
	ok(t, err)
	if len(all) != 1 {
		t.Fatalf("%d reports", len(all))
	}
	r := all[0]
	if r.Link != in.ID || r.Unit != "jinhe-qc-centre" || len(r.Addressed) != 1 || r.Addressed[0] != "jinhe-health-commission" || !r.Due.Equal(found.Add(24*time.Hour)) || r.Overdue {
		t.Errorf("the report is %+v", r.Matter)
	}
	_, err = w.Conduct.Send(ctx, w.As("tang"), r.ID, "短")
	denied(t, err, "sichuan-35/report")
	w.Clock.Add(24 * time.Hour)
	if all, err = w.Conduct.Reports(ctx, w.As("zhou")); err != nil || !all[0].Overdue {
		t.Errorf("not overdue after a day: %v", err)
	}
	sent, err := w.Conduct.Send(ctx, w.As("tang"), r.ID, "数据包已收回，密钥已更换，无人打开。")
	ok(t, err)
	if sent.State != "sent" || !sent.Steps[len(sent.Steps)-1].Late {
		t.Errorf("sent %+v", sent)
	}
	_, err = w.Conduct.Send(ctx, w.As("tang"), r.ID, "数据包已收回，密钥已更换，无人打开。")
	denied(t, err, "sichuan-36/step")
}

// Guard: a report that was sent is owed a receipt by its addressee, by its own hand and with its number; without one it is overdue.
func TestReportUpwardIsAcknowledged(t *testing.T) {
	t.Parallel()
	w := world(t)
	ctx := context.Background()
	sent := func() *matter.Matter {
		_, err := w.Conduct.Report(ctx, w.As("tang"), conduct.Report{Sort: "possible", Found: w.Clock.Now().Add(-time.Hour), Unit: "jinhe-qc-centre", Texts: map[string]string{"what": "一份数据包可能被错误地领取。"}})
		ok(t, err)
		all, err := w.Conduct.Reports(ctx, w.As("tang"))
		ok(t, err)
		m, err := w.Conduct.Send(ctx, w.As("tang"), all[len(all)-1].ID, "数据包已收回，密钥已更换，无人打开。")
		ok(t, err)
		return m
	}
	r := sent()
	if days := r.Due.Sub(w.Clock.Now()) / (24 * time.Hour); days < 5 || days > 12 {
		t.Errorf("five working days until %v", r.Due)
	}
	_, err := w.Conduct.Acknowledge(ctx, w.As("tang"), r.ID, "收〔2026〕1号")
	denied(t, err, "sichuan-17/post", "sichuan-35/addressee", "sichuan-36/other-hand")
	_, err = w.Conduct.Acknowledge(ctx, w.As("zhou"), r.ID, " ")
	denied(t, err, "sichuan-35/number")
	overdue := func() bool {
		all, err := w.Conduct.Reports(ctx, w.As("zhou"))
		ok(t, err)
		return all[0].Overdue
	}
	if overdue() {
		t.Error("overdue at once")
	}
	w.Clock.Add(15 * 24 * time.Hour)
	if !overdue() {
		t.Error("not overdue after fifteen days")
	}
	got, err := w.Conduct.Acknowledge(ctx, w.As("zhou"), r.ID, "收〔2026〕1号")
	ok(t, err)
	last := got.Steps[len(got.Steps)-1]
	if got.State != "acknowledged" || !last.Late || last.By != "zhou" || last.At.IsZero() || overdue() {
		t.Errorf("acknowledged %+v", got)
	}
	_, err = w.Conduct.Acknowledge(ctx, w.As("zhou"), r.ID, "收〔2026〕2号")
	denied(t, err, "sichuan-36/step", "sichuan-36/other-hand")

	// of an addressee without an account the paper is put on file
	r = sent()
	paper := conduct.Receipt{Number: "省卫收〔2026〕31号", Received: policy.DateOf(w.Clock.Now()), Evidence: hash()}
	early := paper
	early.Received = policy.DateOf(w.Clock.Now().AddDate(0, 0, -1))
	_, err = w.Conduct.File(ctx, w.As("tang"), r.ID, early)
	denied(t, err, "sichuan-35/received")
	bare := paper
	bare.Evidence = ""
	_, err = w.Conduct.File(ctx, w.As("tang"), r.ID, bare)
	denied(t, err, "sichuan-16/evidence")
	got, err = w.Conduct.File(ctx, w.As("tang"), r.ID, paper)
	ok(t, err)
	if got.State != "acknowledged" || !got.Due.IsZero() || got.Evidence != paper.Evidence {
		t.Errorf("on file %+v", got)
	}
}

// The assessment calendar: a result, passed or not, puts the next one into the calendar, and what is over is overdue.
func TestAssessmentCalendar(t *testing.T) {
	t.Parallel()
	w := world(t)
	ctx := context.Background()
	centre := conduct.Entry{Party: "institution/jinhe-health-information-centre", Sort: "restore-drill", Reason: "备份在隔离环境中完整恢复。", Evidence: hash()}
	_, err := w.Conduct.Schedule(ctx, w.As("wu"), conduct.Entry{Party: centre.Party, Sort: "restore-drill", Until: "2026-12-31"})
	denied(t, err, "sichuan-35/office")
	person := centre
	person.Party = "person/li"
	_, err = w.Conduct.Pass(ctx, w.As("zhou"), "", person)
	denied(t, err, "sichuan-35/unit")
	m, err := w.Conduct.Schedule(ctx, w.As("shi"), conduct.Entry{Party: centre.Party, Sort: "restore-drill", Until: "2026-12-31"})
	ok(t, err)
	bare := centre
	bare.Reason, bare.Evidence = "", ""
	_, err = w.Conduct.Fail(ctx, w.As("shi"), m.ID, bare)
	denied(t, err, "sichuan-35/result", "sichuan-16/evidence")
	m, err = w.Conduct.Fail(ctx, w.As("shi"), m.ID, centre)
	ok(t, err)
	if m.State != "failed" || m.Until != "2026-12-31" {
		t.Errorf("failed %+v", m)
	}
	next := due(t, w, m.ID)
	if next.Until != "2026-12-21" || next.Sort != "restore-drill" || next.Unit != m.Unit {
		t.Errorf("the next one is %+v", next.Matter)
	}
	w.Clock.Add(40 * 24 * time.Hour)
	if next = due(t, w, m.ID); !next.Overdue {
		t.Error("not overdue after its day")
	}
	m, err = w.Conduct.Pass(ctx, w.As("shi"), next.ID, centre)
	ok(t, err)
	if after := due(t, w, m.ID); m.State != "passed" || after.Until != "2027-06-28" {
		t.Errorf("passed %s, the next one is due %s", m.State, after.Until)
	}
}

// due is the assessment that follows another.
func due(t *testing.T, w *apptest.World, of string) conduct.View {
	t.Helper()
	all, err := w.Conduct.Assessments(context.Background(), w.As("zhou"))
	ok(t, err)
	for _, v := range all {
		if v.Link == of && v.State == "due" {
			return v
		}
	}
	t.Fatalf("nothing follows %s", of)
	return conduct.View{}
}

// sichuan-2: an office of another place does nothing in a matter of this one and reads nothing of it; about its own it may.
func TestTerritory(t *testing.T) {
	t.Parallel()
	w := world(t)
	ctx := context.Background()
	away := w.As("hu") // of a university in another city
	away.Account, away.Roles = "hu", []string{"authority", "conduct-officer", "discipline"}
	_, err := w.Papers.Lodge(ctx, away, "report.pdf", attachment.PDF, apptest.Document())
	ok(t, err)
	_, err = w.Conduct.Enter(ctx, away, about("person/li", "misuse"))
	denied(t, err, "sichuan-2/territory")
	_, err = w.Conduct.Propose(ctx, away, about("institution/jinhe-university", "talk"))
	denied(t, err, "sichuan-2/territory")
	incident, err := w.Conduct.Report(ctx, w.As("feng"), conduct.Report{Sort: "possible", Found: w.Clock.Now().Add(-time.Hour), Texts: map[string]string{"what": words}})
	ok(t, err)
	if _, err := w.Conduct.Amend(ctx, away, incident.ID, conduct.Report{Kinds: []string{"diagnosis"}}); !problem.Is(err, problem.NotFound) {
		t.Errorf("an incident of another place was amended, or known: %v", err)
	}
	told, err := w.Conduct.Complain(ctx, conduct.Complaint{Text: words})
	ok(t, err)
	if _, err := w.Conduct.Answer(ctx, away, told.Number, words); !problem.Is(err, problem.NotFound) {
		t.Errorf("a complaint to another place's service was answered, or known: %v", err)
	}
	for what, read := range map[string]func(context.Context, auth.Identity) ([]conduct.View, error){
		"complaints": w.Conduct.Complaints, "reports": w.Conduct.Reports,
		"incidents": func(ctx context.Context, id auth.Identity) ([]conduct.View, error) {
			return w.Conduct.Incidents(ctx, id, "")
		},
	} {
		if list, err := read(ctx, away); err != nil || len(list) != 0 {
			t.Errorf("another place's office reads %d %s, %v", len(list), what, err)
		}
		if list, err := read(ctx, w.As("zhou")); err != nil || len(list) != 1 {
			t.Errorf("the city's authority reads %d %s, %v", len(list), what, err)
		}
	}
	_, err = w.Conduct.Enter(ctx, away, about("institution/other-university", "late-report"))
	ok(t, err)
}
