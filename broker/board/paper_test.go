package board_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/audit"
	"carrel/broker/auth"
	"carrel/broker/board"
	"carrel/broker/conduct"
	"carrel/broker/notice"
	"carrel/broker/problem"
	"carrel/policy"
)

func last(t *testing.T, w *apptest.World, kind string) audit.Entry {
	t.Helper()
	for _, e := range slices.Backward(w.Entries()) {
		if e.Kind == kind && e.Outcome == "allowed" {
			return e
		}
	}
	t.Fatalf("no entry of %s", kind)
	return audit.Entry{}
}

// A deputy decides in the days that were named, in sight, and not a day longer; the post is not hers to pass on.
func TestDeputy(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a := w.Reviewed("li", apptest.Research())
	decide := application.DecisionInput{Choice: "deny", Grounds: "申请所列的理由不充分"}
	deny := func() error {
		_, err := w.Applications.Decide(ctx, w.As("he"), a.ID, 0, decide)
		return err
	}
	if err := deny(); !problem.Is(err, problem.NotFound) {
		t.Fatalf("without a mandate: %v", err)
	}
	p, err := w.Boards.NameDeputy(ctx, w.As("zhou"), board.DeputyInput{Deputy: "he", Role: "authority", From: "2026-11-23", Until: "2026-11-24"})
	must(t, err)
	if slices.Contains(w.As("he").Roles, "authority") || deny() == nil {
		t.Fatal("a deputy before her first day")
	}
	w.Clock.Add(48 * time.Hour)
	if !slices.Contains(w.As("he").Roles, "authority") {
		t.Fatal("no post on the first day")
	}
	_, err = w.Boards.NameDeputy(ctx, w.As("he"), board.DeputyInput{Deputy: "yan", Role: "authority", From: "2026-11-23", Until: "2026-11-24"})
	refused(t, err, "sichuan-17/deputy-post") // not hers to pass on
	must(t, deny())
	if e := last(t, w, "application.decided"); e.Actor != "he" || e.Facts["deputy_for"] != "zhou" {
		t.Fatalf("on record is %+v", e)
	}
	// What she does in her own post is not marked.
	_, err = w.Conduct.Read(ctx, w.As("he"), "credit", "", "")
	must(t, err)
	if e := last(t, w, "conduct.credit.read"); e.Facts["deputy_for"] != "" {
		t.Fatalf("on record is %+v", e)
	}
	list, err := w.Boards.Papers(ctx, w.As("zhou"), board.Deputy)
	must(t, err)
	others, err := w.Boards.Papers(ctx, w.As("li"), board.Deputy)
	must(t, err)
	if len(list) != 1 || len(others) != 0 {
		t.Fatalf("the authority sees %d, a stranger %d", len(list), len(others))
	}
	if _, err = w.Boards.Give(ctx, w.As("li"), "deputy.end", board.Deputy, p.ID); !problem.Is(err, problem.NotFound) { // who may not read it learns nothing of it
		t.Fatalf("ended by a stranger: %v", err)
	}
	_, err = w.Boards.Give(ctx, w.As("yan"), "deputy.end", board.Deputy, p.ID)
	refused(t, err, "sichuan-17/deputy-party")
	_, err = w.Boards.Give(ctx, w.As("he"), "deputy.end", board.Deputy, p.ID)
	must(t, err)
	if slices.Contains(w.As("he").Roles, "authority") {
		t.Fatal("the post stays after the end")
	}
	p, err = w.Boards.NameDeputy(ctx, w.As("zhou"), board.DeputyInput{Deputy: "he", Role: "authority", From: "2026-11-23", Until: "2026-11-24"})
	must(t, err)
	w.Clock.Add(48 * time.Hour)
	if slices.Contains(w.As("he").Roles, "authority") {
		t.Fatalf("%s is over and the post is still there", p.ID)
	}
}

// Who may not be a deputy, and for what.
func TestDeputiesThatAreRefused(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	for name, c := range map[string]struct {
		by, by2, deputy, role string
		until                 policy.Date
		rules                 []string
	}{
		"a post that he has not":      {"chen", "", "he", "authority", "2026-12-01", []string{"sichuan-17/deputy-post"}},
		"a post that cannot be lent":  {"yan", "", "xu", "auditor", "2026-12-01", []string{"sichuan-17/deputy-post"}},
		"oneself":                     {"chen", "", "chen", "reviewer-ethics", "2026-12-01", []string{"sichuan-17/deputy-free", "sichuan-17/deputy-house"}},
		"nobody known":                {"chen", "", "ghost", "reviewer-ethics", "2026-12-01", []string{"sichuan-17/deputy-free", "sichuan-17/deputy-house"}},
		"another house":               {"chen", "", "li", "reviewer-ethics", "2026-12-01", []string{"sichuan-17/deputy-house"}},
		"who has the post":            {"chen", "", "mei", "reviewer-ethics", "2026-12-01", []string{"sichuan-17/deputy-free"}},
		"a reviewer as decider":       {"zhou", "", "chen", "authority", "2026-12-01", []string{"sichuan-18/apart"}},
		"a decider as reviewer":       {"chen", "", "xu", "reviewer-ethics", "2026-12-01", []string{"sichuan-18/apart"}},
		"for too long":                {"zhou", "", "he", "authority", "2028-12-01", []string{"sichuan-17/term"}},
		"in the past":                 {"zhou", "", "he", "authority", "2026-11-20", []string{"sichuan-17/term"}},
		"for somebody else":           {"he", "chen", "an", "reviewer-ethics", "2026-12-01", []string{"sichuan-17/deputy-house", "sichuan-17/names-deputy"}},
		"the authority, for itself":   {"zhou", "xu", "zhou", "authority", "2026-12-01", []string{"sichuan-17/deputy-free", "sichuan-17/names-deputy"}},
		"two administrators' offices": {"shi", "", "ji", "sysadmin", "2026-12-01", []string{"sichuan-30/three-administrators"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			by, ok := w.Directory.Identity(c.by)
			if !ok {
				t.Fatalf("no account %s", c.by)
			}
			_, err := w.Boards.NameDeputy(ctx, by, board.DeputyInput{For: c.by2, Deputy: c.deputy, Role: c.role, From: "2026-11-21", Until: c.until})
			refused(t, err, c.rules...)
		})
	}
}

// A deputy takes a seat, not a second one.
func TestADeputyBringsNoSecondVote(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	d := apptest.Research()
	d.Facts.Minors = policy.Minors{Included: true, Law: "pipl"}
	a, err := w.Create(ctx, w.As("li"), d)
	must(t, err)
	a, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0)
	must(t, err)
	if !slices.Contains(a.Needed, "minors") {
		t.Fatalf("needed are %v", a.Needed)
	}
	_, err = w.Boards.NameDeputy(ctx, w.As("chen"), board.DeputyInput{Deputy: "he", Role: "reviewer-ethics", From: "2026-11-21", Until: "2026-11-30"})
	must(t, err)
	for who, kind := range map[string]string{"bai": "ethics", "mei": "ethics", "zhao": "confidentiality", "qian": "security-risk", "sun": "privacy-impact", "jiang": "scientific"} {
		if slices.Contains(a.Needed, kind) {
			_, err = w.Applications.Review(ctx, w.As(who), a.ID, 0, w.Opinion(kind, "approve"))
			must(t, err)
		}
	}
	voted, err := w.Applications.Review(ctx, w.As("he"), a.ID, 0, w.Opinion("minors", "approve"))
	must(t, err)
	if r := voted.Reviews[len(voted.Reviews)-1]; r.Reviewer != "he" || r.For != "chen" {
		t.Fatalf("the vote is %+v", r)
	}
	_, err = w.Applications.Review(ctx, w.As("chen"), a.ID, 0, w.Opinion("minors", "approve"))
	refused(t, err, "sichuan-17/one-seat")
}

// Who may not act does not act through a deputy: not while he is suspended, not where his interests lie.
func TestADeputyOfWhoMayNot(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a, err := w.Create(ctx, w.As("li"), apptest.Research())
	must(t, err)
	_, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0)
	must(t, err)
	name := func(whose, deputy, role string) {
		t.Helper()
		_, err := w.Boards.NameDeputy(ctx, w.As(whose), board.DeputyInput{Deputy: deputy, Role: role, From: "2026-11-21", Until: "2026-12-30"})
		must(t, err)
	}
	review := func(who, kind string) error {
		_, err := w.Applications.Review(ctx, w.As(who), a.ID, 0, w.Opinion(kind, "approve"))
		return err
	}
	name("chen", "he", "reviewer-ethics")
	name("qian", "yu", "reviewer-security-risk")
	_, err = w.Boards.DeclareInterest(ctx, w.As("chen"), board.InterestInput{Institution: "jinhe-university", Until: "2026-12-30"})
	must(t, err)
	refused(t, review("he", "ethics"), "chongqing-integrity/interest")
	_, err = w.Conduct.Enter(ctx, w.As("zhou"), conduct.Entry{Party: "person/qian", Sort: "misuse", Reason: "数据被用于授权以外的目的，经核查属实。", Article: "ndr-31",
		Evidence: w.Lodge("zhou")})
	must(t, err)
	if err := review("yu", "security-risk"); !problem.Is(err, problem.NotFound) { // without the post she does not even see it
		t.Fatalf("for who is suspended: %v", err)
	}
	all := w.Entries()
	if e := all[len(all)-1]; e.Actor != "yu" || e.Object != "application/"+a.ID || e.Outcome != "refused" || !slices.Contains(e.Rules, "ndr-31/standing") {
		t.Fatalf("on record is %+v", e)
	}
	must(t, review("cao", "security-risk"))
}

// Who is invited sees the one application and its own opinions, votes once, and is out when the term is over.
func TestInvitation(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a, other := submitted(t, w), submitted(t, w)
	invite := func(who auth.Identity, account, review string) (*board.Paper, error) {
		return w.Boards.Invite(ctx, who, board.InvitationInput{Application: a.ID, Review: review, Account: account, Until: "2026-12-10"})
	}
	for name, c := range map[string]struct {
		by, account, review string
		rules               []string
	}{
		"an owner's own assessment": {"zhou", "liang", "confidentiality", []string{"sichuan-18/invited-review"}},
		"a review nobody asked for": {"zhou", "liang", "genetic", []string{"sichuan-18/invited-review"}},
		"a colleague of the team":   {"zhou", "wang", "ethics", []string{"chongqing-integrity/impartial"}},
		"nobody known":              {"zhou", "ghost", "ethics", []string{"chongqing-integrity/impartial", "sichuan-18/outsider"}},
		"who has the post":          {"zhou", "mei", "ethics", []string{"sichuan-18/outsider"}},
		"by a reviewer of another":  {"qin", "liang", "ethics", []string{"sichuan-18/inviter"}},
	} {
		_, err := invite(w.As(c.by), c.account, c.review)
		if c.by == "qin" { // who does not see the application hears that there is none
			if !problem.Is(err, problem.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		refused(t, err, c.rules...)
	}
	p, err := invite(w.As("zhou"), "liang", "ethics")
	must(t, err)
	_, err = invite(w.As("zhou"), "liang", "ethics")
	refused(t, err, "sichuan-18/invited-once")
	if _, err := w.Applications.Show(ctx, w.As("liang"), a.ID); !problem.Is(err, problem.NotFound) {
		t.Fatalf("seen before the acceptance: %v", err)
	}
	if _, err = w.Boards.Accept(ctx, w.As("wu"), p.ID, board.Declaration{Confidential: true, Conflict: "none"}); !problem.Is(err, problem.NotFound) {
		t.Fatalf("accepted by a stranger: %v", err)
	}
	_, err = w.Boards.Accept(ctx, w.As("zhou"), p.ID, board.Declaration{Confidential: true, Conflict: "none"})
	refused(t, err, "sichuan-18/own-invitation")
	_, err = w.Boards.Accept(ctx, w.As("liang"), p.ID, board.Declaration{Conflict: "none"})
	refused(t, err, "sichuan-17/confidential")
	_, err = w.Boards.Accept(ctx, w.As("liang"), p.ID, board.Declaration{Confidential: true, Conflict: "declared"})
	refused(t, err, "chongqing-integrity/no-conflict")
	_, err = w.Boards.Accept(ctx, w.As("liang"), p.ID, board.Declaration{Confidential: true, Conflict: "none"})
	must(t, err)

	_, err = w.Applications.Review(ctx, w.As("zhao"), a.ID, 0, w.Opinion("confidentiality", "approve"))
	must(t, err)
	v, err := w.Applications.Show(ctx, w.As("liang"), a.ID)
	must(t, err)
	if len(v.Reviews) != 0 || len(v.Application.Reviews) != 0 || len(v.Texts) == 0 {
		t.Fatalf("she sees %d opinions and %d texts", len(v.Reviews), len(v.Texts))
	}
	if _, err := w.Applications.Show(ctx, w.As("liang"), other.ID); !problem.Is(err, problem.NotFound) {
		t.Fatalf("another application: %v", err)
	}
	items, err := w.Applications.List(ctx, w.As("liang"), application.Search{Inbox: true, Limit: 10})
	must(t, err)
	if len(items) != 1 || items[0].ID != a.ID {
		t.Fatalf("her inbox is %+v", items)
	}
	_, err = w.Applications.Review(ctx, w.As("liang"), a.ID, 0, w.Opinion("privacy-impact", "approve"))
	if !problem.Is(err, problem.Forbidden) {
		t.Fatalf("another review: %v", err)
	}
	_, err = w.Applications.Review(ctx, w.As("liang"), a.ID, 0, w.Opinion("ethics", "approve"))
	must(t, err)
	v, err = w.Applications.Show(ctx, w.As("liang"), a.ID)
	must(t, err)
	if len(v.Reviews) != 1 || v.Reviews[0].Reviewer != "liang" {
		t.Fatalf("of the opinions she sees %+v", v.Reviews)
	}
	w.Clock.Add(21 * 24 * time.Hour)
	if _, err := w.Applications.Show(ctx, w.As("liang"), a.ID); !problem.Is(err, problem.NotFound) {
		t.Fatalf("after the term: %v", err)
	}
}

// Who declared an interest in the applicant's house takes no part, and cannot end the declaration when a case comes.
func TestInterest(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	p, err := w.Boards.DeclareInterest(ctx, w.As("mei"), board.InterestInput{Institution: "jinhe-university", Until: "2027-11-20"})
	must(t, err)
	a := submitted(t, w)
	_, err = w.Applications.Review(ctx, w.As("mei"), a.ID, 0, w.Opinion("ethics", "approve"))
	refused(t, err, "chongqing-integrity/interest")
	_, err = w.Boards.Give(ctx, w.As("mei"), "interest.end", board.Interest, p.ID)
	refused(t, err, "chongqing-integrity/other-hand", "sichuan-17/post")
	_, err = w.Boards.Give(ctx, w.As("he"), "interest.end", board.Interest, p.ID)
	must(t, err)
	_, err = w.Applications.Review(ctx, w.As("mei"), a.ID, 0, w.Opinion("ethics", "approve"))
	must(t, err)
}

// Who is invited, or named, hears of it; the applicant hears of neither.
func TestPapersAreTold(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a := submitted(t, w)
	p, err := w.Boards.Invite(ctx, w.As("zhou"), board.InvitationInput{Application: a.ID, Review: "ethics", Account: "liang", Until: "2026-12-10"})
	must(t, err)
	for who, want := range map[string]bool{"liang": true, "li": false, "mei": false} {
		all, err := w.Notices.Inbox(ctx, w.As(who), false, "")
		must(t, err)
		heard := slices.ContainsFunc(all, func(n notice.Notice) bool { return n.Object == "invitation/"+p.ID })
		if heard != want {
			t.Errorf("%s heard: %v", who, heard)
		}
	}
}
