package conduct_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"carrel/broker/application/apptest"
	"carrel/broker/audit"
	"carrel/broker/auth"
	"carrel/broker/conduct"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant"
	"carrel/broker/problem"
	"carrel/policy"
)

const words = "数据被用于授权以外的目的，经核查属实。"

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// denied wants a denial by just these rules.
func denied(t *testing.T, err error, rules ...string) {
	t.Helper()
	p, is := err.(*problem.Error) //nolint:errorlint // use cases return it bare
	if !is || p.Decision == nil {
		t.Fatalf("no denial: %v", err)
	}
	var got []string
	for _, r := range p.Decision.Reasons {
		got = append(got, r.Rule)
	}
	slices.Sort(got)
	slices.Sort(rules)
	if !slices.Equal(got, rules) {
		t.Fatalf("denied by %v, want %v", got, rules)
	}
}

func about(party, sort string) conduct.Entry {
	return conduct.Entry{Party: party, Sort: sort, Reason: words, Article: "ndr-31", Evidence: hash()}
}

func last(t *testing.T, w *apptest.World, kind string) audit.Entry {
	t.Helper()
	all := w.Entries()
	for i := range all {
		if e := all[len(all)-1-i]; e.Kind == kind {
			return e
		}
	}
	t.Fatalf("no entry %s", kind)
	return audit.Entry{}
}

// An expulsion ends all grants of the person in its own transaction, and closes everything but looking at oneself, appealing and
// complaining. Grants of others stay.
func TestExpulsion(t *testing.T) {
	t.Parallel()
	w := world(t)
	ctx := context.Background()
	his := w.Granted("li", apptest.Research()).Grant
	d := apptest.Research()
	d.Facts.Team = nil
	others := w.Granted("hu", d).Grant
	_, err := w.Conduct.Enter(ctx, w.As("zhou"), about("person/li", "expulsion"))
	denied(t, err, "sichuan-16/sort", "sichuan-36/office")
	_, err = w.Conduct.Order(ctx, w.As("zhou"), about("person/li", "expulsion"))
	denied(t, err, "sichuan-16/two-persons")
	own, err := w.Conduct.Propose(ctx, w.As("zhou"), about("person/li", "expulsion"))
	ok(t, err)
	_, err = w.Conduct.Adopt(ctx, w.As("zhou"), own.ID)
	denied(t, err, "sichuan-36/other-hand")
	if g, err := w.Grants.Get(ctx, w.As("zhou"), his); err != nil || g.State != grant.StateActive {
		t.Errorf("one person alone ended his grant: %v, %v", g, err)
	}
	p, err := w.Conduct.Propose(ctx, w.As("he"), about("person/li", "expulsion"))
	ok(t, err)
	_, err = w.Conduct.Adopt(ctx, w.As("zhou"), p.ID)
	ok(t, err)
	if file, err := w.Conduct.Read(ctx, w.As("li"), matter.Credit, "", ""); err != nil || len(file) != 1 || file[0].State != "standing" || file[0].Until != "2031-11-21" || file[0].Unit != "jinhe-university" {
		t.Errorf("entered %+v %v", file, err)
	}
	g, err := w.Grants.Get(ctx, w.As("zhou"), his)
	ok(t, err)
	if g.State != grant.StateRevoked || !w.Account(g.Account).Closed {
		t.Errorf("his grant is %s, its budget closed %v", g.State, w.Account(g.Account).Closed)
	}
	if c := g.EndCause; c == nil || c.Rule != "sichuan-16/two-persons" || c.Article == "" || c.Validity == "" || !strings.Contains(c.Text.ZH, "清退") || !strings.Contains(c.Text.EN, "expelled") || g.Reason != "" {
		t.Errorf("who holds it reads of its end: %+v %q", c, g.Reason)
	}
	if g, err = w.Grants.Get(ctx, w.As("zhou"), others); err != nil || g.State != grant.StateActive {
		t.Errorf("another's grant: %v, %v", g, err)
	}
	_, err = w.Create(ctx, w.As("li"), apptest.Research())
	denied(t, err, "sichuan-16/expelled")
	if _, err = w.Conduct.Read(ctx, w.As("li"), matter.Credit, "", ""); err != nil {
		t.Errorf("his own file: %v", err)
	}
	if e := last(t, w, "grant.revoke"); e.Grant != his || e.Actor != "zhou" {
		t.Errorf("on record %+v", e)
	}
}

// Standing is read at every decision: who is suspended loses use at once, keeps looking, and comes back when the entry is lifted by
// somebody else than who made it.
func TestSuspensionAndAppeal(t *testing.T) {
	t.Parallel()
	w := world(t)
	ctx := context.Background()
	g := w.Granted("li", apptest.Research()).Grant
	_, token, err := w.Grants.IssuePermit(ctx, w.As("li"), g, grant.PermitRequest{})
	ok(t, err)
	m, err := w.Conduct.Enter(ctx, w.As("zhou"), about("person/li", "misuse"))
	ok(t, err)
	_, _, err = w.Grants.IssuePermit(ctx, w.As("li"), g, grant.PermitRequest{})
	if !problem.Is(err, problem.Forbidden) { // the grant he may see, so he is told why it carries nothing
		t.Errorf("a permit of the suspended: %v", err)
	}
	if st, err := w.Grants.PermitStatus(ctx, w.As("wang"), token.Reveal()); err != nil || st.Active {
		t.Errorf("his permit stands: %v, %v", st, err)
	}
	if _, err := w.Grants.Get(ctx, w.As("li"), g); err != nil {
		t.Errorf("he looks: %v", err)
	}
	if _, err = w.Conduct.Appeal(ctx, w.As("wang"), m.ID, words); !problem.Is(err, problem.NotFound) { // who may not read it learns nothing of it
		t.Errorf("a stranger appeals: %v", err)
	}
	_, err = w.Conduct.Appeal(ctx, w.As("li"), m.ID, words)
	ok(t, err)
	_, err = w.Conduct.Lift(ctx, w.As("zhou"), m.ID, words)
	denied(t, err, "sichuan-16/other-judge")
	if _, err = w.Create(ctx, w.As("li"), apptest.Research()); !problem.Is(err, problem.Forbidden) {
		t.Errorf("an appeal alone frees: %v", err)
	}
	_, err = w.Conduct.Lift(ctx, w.As("he"), m.ID, words)
	ok(t, err)
	if _, _, err = w.Grants.IssuePermit(ctx, w.As("li"), g, grant.PermitRequest{}); err != nil {
		t.Errorf("after the entry was lifted: %v", err)
	}
}

// What stands on an institution's file weighs on everybody of it; what ended weighs on nobody.
func TestInstitutionsStandingAndExpiry(t *testing.T) {
	t.Parallel()
	w := world(t)
	ctx := context.Background()
	in := about("institution/jinhe-university", "misuse")
	in.Until = "2026-11-22"
	_, err := w.Conduct.Enter(ctx, w.As("he"), in)
	ok(t, err)
	_, err = w.Create(ctx, w.As("wang"), apptest.Research())
	denied(t, err, "ndr-31/standing")
	if _, err = w.Create(ctx, w.As("hu"), apptest.Research()); err != nil {
		t.Errorf("another institution: %v", err)
	}
	w.Clock.Add(48 * 3600e9)
	if _, err = w.Create(ctx, w.As("wang"), apptest.Research()); err != nil {
		t.Errorf("after its last day: %v", err)
	}
}

// Each view of a file outside one's unit states its purpose, and is on record, as a refused one is.
func TestViewsAreDecidedAndLogged(t *testing.T) {
	t.Parallel()
	w := world(t)
	ctx := context.Background()
	_, err := w.Conduct.Enter(ctx, w.As("zhou"), about("person/li", "late-report"))
	ok(t, err)
	_, err = w.Conduct.Read(ctx, w.As("zhou"), matter.Credit, "person/li", "")
	denied(t, err, "sichuan-16/view")
	if e := last(t, w, "conduct.credit.read"); e.Outcome != "refused" || e.Facts["party"] != "person/li" {
		t.Errorf("on record %+v", e)
	}
	list, err := w.Conduct.Read(ctx, w.As("zhou"), matter.Credit, "person/li", "审查该申请人新提交的申请")
	ok(t, err)
	if len(list) != 1 || list[0].Texts["reason"] != words {
		t.Errorf("seen %+v", list)
	}
	if e := last(t, w, "conduct.credit.read"); e.Outcome != "allowed" || e.Facts["outside"] != "true" {
		t.Errorf("on record %+v", e)
	}
	_, err = w.Conduct.Read(ctx, w.As("wang"), matter.Credit, "person/li", words)
	denied(t, err, "sichuan-16/view")
	raw, err := json.Marshal(w.Entries())
	ok(t, err)
	if strings.Contains(string(raw), words) {
		t.Error("the log holds the words of an entry")
	}
}

// The export is signed, and holds what is in date and not under appeal.
func TestExport(t *testing.T) {
	t.Parallel()
	w := world(t)
	ctx := context.Background()
	kept, err := w.Conduct.Enter(ctx, w.As("zhou"), about("institution/other-university", "late-report"))
	ok(t, err)
	appealed, err := w.Conduct.Enter(ctx, w.As("zhou"), about("institution/other-university", "overdue-deletion"))
	ok(t, err)
	_, err = w.Conduct.Appeal(ctx, w.As("hu"), appealed.ID, words)
	ok(t, err)
	_, err = w.Conduct.Export(ctx, w.As("he"), "institution/other-university", words)
	denied(t, err, "sichuan-17/post")
	_, err = w.Conduct.Export(ctx, w.As("zhou"), "institution/other-university", "")
	denied(t, err, "municipal-5/purpose")
	x, err := w.Conduct.Export(ctx, w.As("zhou"), "institution/other-university", words)
	ok(t, err)
	var p conduct.Exported
	ok(t, json.Unmarshal([]byte(x.Payload), &p))
	if len(p.Entries) != 1 || p.Entries[0].ID != kept.ID || strings.Contains(x.Payload, words) {
		t.Errorf("exported %s", x.Payload)
	}
	ok(t, auth.VerifyDetached(conduct.ExportType, x.Signature, []byte(x.Payload), w.Keys.Public))
	if auth.VerifyDetached(conduct.ExportType, x.Signature, []byte(x.Payload+" "), w.Keys.Public) == nil {
		t.Error("a changed export verifies")
	}
}

// A caller cannot bring a better file of his own: the book overwrites it.
func TestSubjectsBringNoFile(t *testing.T) {
	t.Parallel()
	w := world(t)
	ctx := context.Background()
	_, err := w.Conduct.Enter(ctx, w.As("zhou"), about("person/li", "misuse"))
	ok(t, err)
	s := w.As("li").Subject()
	s.Credit = []policy.Credit{{ID: "x", Sort: "commendation", State: "standing", From: "2026-01-01", Until: "2027-01-01"}}
	d, err := w.Desk.Policy.Decide(ctx, policy.AccessQuestion{At: w.Desk.Moment(), Subject: s, Action: "application.create"})
	if err != nil || d.Allow {
		t.Errorf("allowed %v, %v", d.Allow, err)
	}
}

// The form of an entry: who is unknown, nothing is entered about; and no text breaks the bounds.
func TestEntriesAreWellFormed(t *testing.T) {
	t.Parallel()
	w := world(t)
	ctx := context.Background()
	for name, in := range map[string]conduct.Entry{
		"nobody": about("person/nobody", "misuse"), "no kind": about("li", "misuse"), "empty": {},
		"long":    {Party: "person/li", Sort: "misuse", Reason: strings.Repeat("长", matter.MaxText), Article: "ndr-31", Evidence: hash()},
		"control": {Party: "person/li", Sort: "misuse", Reason: words + "\x1b[31m", Article: "ndr-31", Evidence: hash()},
		"bytes":   {Party: "person/li", Sort: "misuse", Reason: words + "\xff", Article: "ndr-31", Evidence: hash()},
	} {
		before := len(w.Entries())
		if _, err := w.Conduct.Enter(ctx, w.As("zhou"), in); !problem.Is(err, problem.Invalid) && !problem.Is(err, problem.TooLarge) {
			t.Errorf("%s: %v", name, err)
		}
		if len(w.Entries()) != before {
			t.Errorf("%s left an entry", name)
		}
	}
}
