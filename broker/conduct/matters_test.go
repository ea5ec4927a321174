package conduct_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/broker/application/apptest"
	"carrel/broker/conduct"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant"
	"carrel/broker/problem"
	"carrel/policy"

	"pgregory.net/rapid"
)

// Each of the six rungs is taken by its office alone; the operator, the auditor and the owner can only propose; who proposed does not
// order. A measure becomes an entry of the credit file.
func TestRungs(t *testing.T) {
	t.Parallel()
	w := world(t)
	ctx := context.Background()
	for rung, office := range map[string]string{"talk": "zhou", "rectify": "zhou", "admonish": "he", "criticise": "zhou", "sanction": "he", "refer": "he"} {
		in := about("institution/other-university", rung)
		in.Article = "sichuan-36"
		in.Until = "2026-12-31"
		for _, who := range []string{"tang", "yan", "wu", "zhou", "he"} {
			if who == office {
				continue
			}
			if _, err := w.Conduct.Order(ctx, w.As(who), in); !problem.Is(err, problem.Forbidden) {
				t.Errorf("%s by %s: %v", rung, who, err)
			}
			p, err := w.Conduct.Propose(ctx, w.As(who), in)
			ok(t, err)
			if p.State != "proposed" {
				t.Errorf("%s by %s is %s", rung, who, p.State)
			}
			if _, err := w.Conduct.Adopt(ctx, w.As(who), p.ID); !problem.Is(err, problem.Forbidden) {
				t.Errorf("%s adopted by its proposer %s: %v", rung, who, err)
			}
		}
		own, err := w.Conduct.Propose(ctx, w.As(office), in)
		ok(t, err)
		_, err = w.Conduct.Adopt(ctx, w.As(office), own.ID)
		denied(t, err, "sichuan-36/other-hand")
		_, err = w.Conduct.Order(ctx, w.As(office), in)
		ok(t, err)
	}
	file, err := w.Conduct.Read(ctx, w.As("hu"), matter.Credit, "institution/other-university", "")
	ok(t, err)
	sorts := []string{}
	for _, v := range file {
		sorts = append(sorts, v.Sort)
	}
	slices.Sort(sorts)
	if want := []string{"rung-admonish", "rung-criticise", "rung-rectify", "rung-refer", "rung-sanction", "rung-talk"}; !slices.Equal(sorts, want) {
		t.Errorf("the file holds %v", sorts)
	}
	_, err = w.Create(ctx, w.As("hu"), apptest.Research())
	denied(t, err, "ndr-31/standing")
}

// A rectification that is overdue pauses what the institution may do, and its discharge by the authority frees it.
func TestRectification(t *testing.T) {
	t.Parallel()
	w := world(t)
	ctx := context.Background()
	in := about("institution/other-university", "rectify")
	in.Until = "2026-11-30"
	_, err := w.Conduct.Order(ctx, w.As("zhou"), in)
	ok(t, err)
	if _, err = w.Create(ctx, w.As("hu"), apptest.Research()); err != nil {
		t.Errorf("before its day: %v", err)
	}
	w.Clock.Add(10 * 24 * time.Hour)
	_, err = w.Create(ctx, w.As("hu"), apptest.Research())
	denied(t, err, "sichuan-20/rectification")
	duties, err := w.Conduct.Read(ctx, w.As("hu"), matter.Duty, "institution/other-university", "")
	ok(t, err)
	if len(duties) != 1 || duties[0].State != "due" {
		t.Fatalf("duties %+v", duties)
	}
	done := conduct.Entry{Reason: "现场核查，已完成整改。", Evidence: hash()}
	_, err = w.Conduct.Done(ctx, w.As("wu"), duties[0].ID, done)
	denied(t, err, "sichuan-20/recorder")
	_, err = w.Conduct.Done(ctx, w.As("zhou"), duties[0].ID, done)
	ok(t, err)
	if _, err = w.Create(ctx, w.As("hu"), apptest.Research()); err != nil {
		t.Errorf("after it was put right: %v", err)
	}
}

// Checks and trainings hold for a time; nobody records his own.
func TestDutiesLapse(t *testing.T) {
	t.Parallel()
	w := world(t)
	ctx := context.Background()
	for sort, c := range map[string]struct{ party, by, self, asks, rule string }{
		"provider-check":     {"institution/other-university", "zhou", "hu", "hu", "sichuan-20/check"},
		"training":           {"person/li", "tang", "li", "li", "sichuan-24/training"},
		"self-inspection":    {"institution/jinhe-qc-centre", "zheng", "zhou", "feng", "tianjin-32-6/inspection"},
		"commissioner-check": {"institution/jinhe-health-information-centre", "wu", "tang", "tang", "sichuan-33/check"},
	} {
		shorten(t, w, c.party, sort, "2026-11-22")
		in := conduct.Entry{Party: c.party, Sort: sort, Evidence: hash(), Until: "2026-12-01"}
		if _, err := w.Conduct.Done(ctx, w.As(c.self), "", in); !problem.Is(err, problem.Forbidden) {
			t.Errorf("%s recorded by %s: %v", sort, c.self, err)
		}
		_, err := w.Conduct.Done(ctx, w.As(c.by), "", in)
		ok(t, err)
		if _, _, err := askAs(w, c.asks); err != nil {
			t.Errorf("%s in date: %v", sort, err)
		}
	}
	w.Clock.Add(30 * 24 * time.Hour)
	for who, rule := range map[string]string{"hu": "sichuan-20/check", "li": "sichuan-24/training", "feng": "tianjin-32-6/inspection", "tang": "sichuan-33/check"} {
		allowed, rules, err := askAs(w, who)
		ok(t, err)
		if allowed || !slices.Contains(rules, rule) {
			t.Errorf("%s: allowed %v by %v", who, allowed, rules)
		}
	}
	_, err := w.Conduct.Declare(ctx, w.As("li"), "", "无利益冲突，经费来自公共财政。", "2026-12-31")
	ok(t, err)
}

// An incident: possible starts the same clock; the discovery stays; it closes when all fields are there and everybody was told; who
// saw what is in one answer.
func TestIncident(t *testing.T) {
	t.Parallel()
	w := world(t)
	ctx := context.Background()
	g := w.Granted("li", apptest.Research()).Grant
	_, _, err := w.Grants.IssuePermit(ctx, w.As("li"), g, grant.PermitRequest{})
	ok(t, err)
	found := w.Clock.Now().Add(-30 * time.Hour)
	for _, sort := range []string{"actual", "possible"} {
		m, err := w.Conduct.Report(ctx, w.As("li"), conduct.Report{Sort: sort, Found: found, Unit: "jinhe-health-commission", Link: g, Texts: map[string]string{"what": "一台笔记本电脑可能遗失。"}})
		ok(t, err)
		if !m.Due.Equal(found.Add(24*time.Hour)) || len(m.Addressed) != 2 {
			t.Errorf("%s: due %v, to be told %v", sort, m.Due, m.Addressed)
		}
		more := conduct.Report{Kinds: []string{"diagnosis"}, Found: w.Clock.Now(), Texts: map[string]string{"causes": "遗失", "harm": "暂无", "measures": "更换密钥", "advice": "请致电", "contact": "12320"}}
		_, err = w.Conduct.Tell(ctx, w.As("wu"), m.ID, "persons")
		denied(t, err, "pipl-57/fields")
		after, err := w.Conduct.Amend(ctx, w.As("wu"), m.ID, more)
		ok(t, err)
		if !after.Found.Equal(m.Found) || !after.Due.Equal(m.Due) || !after.Steps[len(after.Steps)-1].Late {
			t.Errorf("the clock moved: %+v", after)
		}
		_, err = w.Conduct.Close(ctx, w.As("wu"), m.ID, "电脑已找回，磁盘加密。", "")
		denied(t, err, "pipl-57/told", "pipl-57/persons")
		for _, a := range append(m.Addressed, "persons") {
			_, err = w.Conduct.Tell(ctx, w.As("wu"), m.ID, a)
			ok(t, err)
		}
		if _, err = w.Conduct.Amend(ctx, w.As("zheng"), m.ID, more); !problem.Is(err, problem.NotFound) { // of another unit
			t.Errorf("a stranger amends: %v", err)
		}
		list, err := w.Conduct.Incidents(ctx, w.As("wu"), m.ID)
		ok(t, err)
		if len(list) != 1 || !list[0].Overdue || list[0].Texts["advice"] != "请致电" {
			t.Errorf("shown %+v", list)
		}
		_, err = w.Conduct.Incidents(ctx, w.As("zheng"), m.ID)
		if !problem.Is(err, problem.NotFound) {
			t.Errorf("another unit's director sees: %v", err)
		}
		x, err := w.Conduct.Affected(ctx, w.As("wu"), m.ID)
		ok(t, err)
		if !slices.Contains(x.Grants, g) || !slices.Contains(x.Accounts, "li") || x.Entries == 0 || len(x.Seen) != x.Entries {
			t.Errorf("affected %+v", x)
		}
		_, err = w.Conduct.Affected(ctx, w.As("li"), m.ID)
		denied(t, err, "sichuan-17/post", "pipl-57/handler")
		_, err = w.Conduct.Close(ctx, w.As("wu"), m.ID, "电脑已找回，磁盘加密。", "")
		ok(t, err)
		_, err = w.Conduct.Amend(ctx, w.As("wu"), m.ID, more)
		denied(t, err, "sichuan-36/step")
	}
}

// Anybody complains, and his number tells how it stands; hostile words are kept as they are and go nowhere else.
func TestComplaint(t *testing.T) {
	t.Parallel()
	w := world(t)
	ctx := context.Background()
	text := `<script>alert(1)</script>'; DROP TABLE person; -- ../../etc/passwd 我的档案被人看过。`
	c, err := w.Conduct.Complain(ctx, conduct.Complaint{Text: text, Party: "institution/jinhe-qc-centre"})
	ok(t, err)
	if c.State != "registered" || !c.Due.Equal(time.Date(2026, 12, 11, 15, 59, 59, 0, time.UTC)) {
		t.Errorf("registered %+v", c)
	}
	e := last(t, w, "conduct.complaint.file")
	raw, err := json.Marshal(w.Entries())
	ok(t, err)
	if e.Actor != "system" || strings.Contains(string(raw), "script") {
		t.Errorf("on record %+v", e)
	}
	if _, err = w.Conduct.Answer(ctx, w.As("zheng"), c.Number, "经核查，查看有据。已留痕。"); !problem.Is(err, problem.NotFound) {
		t.Errorf("a stranger answers: %v", err)
	}
	w.Clock.Add(25 * 24 * time.Hour)
	if c, err = w.Conduct.Status(ctx, c.Number); err != nil || !c.Overdue {
		t.Errorf("overdue %+v, %v", c, err)
	}
	_, err = w.Conduct.Answer(ctx, w.As("zhou"), c.Number, "经核查，查看有据。已留痕。")
	ok(t, err)
	if !last(t, w, "conduct.complaint.answer").At.Equal(w.Clock.Now()) || last(t, w, "conduct.complaint.answer").Facts["late"] != "true" {
		t.Error("that the answer is late is not on record")
	}
	if c, err = w.Conduct.Status(ctx, c.Number); err != nil || c.Answer == "" || c.Overdue {
		t.Errorf("answered %+v, %v", c, err)
	}
	all, err := w.Conduct.Complaints(ctx, w.As("he"))
	ok(t, err)
	if len(all) != 1 || all[0].Texts["body"] != text {
		t.Errorf("the register shows %+v", all)
	}
	if _, err = w.Conduct.Complaints(ctx, w.As("li")); !problem.Is(err, problem.Forbidden) {
		t.Errorf("a researcher reads complaints: %v", err)
	}
}

// A flood is held back: never more than the burst and what time allows.
func TestBrake(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := conduct.NewBrake(5, time.Second)
		now := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
		start, passed := now, 0
		for range rapid.IntRange(1, 60).Draw(t, "n") {
			now = now.Add(time.Duration(rapid.IntRange(0, 1500).Draw(t, "ms")) * time.Millisecond)
			if b.Pass(now) == nil {
				passed++
			}
			if most := 5 + int(now.Sub(start)/time.Second); passed > most {
				t.Fatalf("%d passed, %d at most", passed, most)
			}
		}
		if b.Pass(now.Add(time.Minute)) != nil {
			t.Fatal("nothing passes after a quiet minute")
		}
	})
}

// A resident speaks for himself, and where nobody can say whose account it is no wish is taken: it could not be honoured.
func TestWishes(t *testing.T) {
	t.Parallel()
	w := world(t)
	ctx := context.Background()
	_, err := w.Conduct.Wish(ctx, w.As("fang"), "object", "jinhe")
	denied(t, err, "municipal-14/proved")
	_, err = w.Conduct.Wish(ctx, w.As("li"), "object", "jinhe")
	denied(t, err, "sichuan-17/post", "municipal-14/proved")
	all, err := w.Conduct.Wishes(ctx, w.As("fang"))
	ok(t, err)
	if len(all) != 0 {
		t.Errorf("wishes %+v", all)
	}
	_, err = w.Conduct.Prove(ctx, w.As("wu"), "fang", "110101199003070011")
	if err == nil {
		t.Error("a proof is taken where nobody keeps proofs")
	}
}

// askAs asks whether somebody may take a step of his post, and says by which rules he may not.
func askAs(w *apptest.World, account string) (bool, []string, error) {
	action := "application.create"
	if account == "qian" {
		action = "application.review"
	}
	d, err := w.Desk.Policy.Decide(context.Background(), policy.AccessQuestion{At: w.Desk.Moment(), Subject: w.As(account).Subject(), Action: action,
		Object: policy.Object{Kind: "application", Reviews: []string{"security-risk"}}})
	var rules []string
	for _, r := range d.Reasons {
		rules = append(rules, r.Rule)
	}
	return d.Allow, rules, err
}
