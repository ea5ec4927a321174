package application_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/attachment"
	"carrel/broker/attachment/folder"
	"carrel/broker/conduct"
	"carrel/broker/grant"
	"carrel/broker/problem"
	"carrel/policy"
)

// lacks says whether policy refused by this rule.
func lacks(err error, rule string) bool {
	p := problemOf(err)
	return p.Decision != nil && slices.ContainsFunc(p.Decision.Reasons, func(r policy.Reason) bool { return r.Rule == rule })
}

// Guard: a document that an application names is a file that lies with this application now. The hash of another's file, of one that was
// taken off, of what nobody attached or of nothing at all is none, and a file that comes later does not make a refusal undone.
func TestNamedDocumentsAreAttached(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	other, err := w.Applications.Create(ctx, w.As("li"), apptest.Research())
	must(t, err)
	theirs, err := w.Papers.Attach(ctx, w.As("li"), other.ID, "theirs.pdf", attachment.PDF, pdf)
	must(t, err)
	d := apptest.Research()
	a, err := w.Applications.Create(ctx, w.As("li"), d)
	must(t, err)
	attach := func(words string) string {
		x, err := w.Papers.Attach(ctx, w.As("li"), a.ID, "approval.txt", attachment.Text, []byte(words))
		must(t, err)
		return x.Hash
	}
	submit := func(hash string) error {
		d.Facts.Ethics.Document = hash
		_, err := w.Applications.Edit(ctx, w.As("li"), a.ID, 0, d)
		must(t, err)
		_, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0)
		return err
	}
	gone := attach("taken off")
	must(t, w.Papers.Detach(ctx, w.As("li"), a.ID, gone))
	swapped := attach("the first")
	must(t, w.Papers.Detach(ctx, w.As("li"), a.ID, swapped))
	now := attach("another under the same name")
	for what, hash := range map[string]string{
		"of another application": theirs.Hash, "that was taken off": gone, "that was swapped": swapped, "that nobody attached": "sha256:" + strings.Repeat("0", 64),
		"with nothing in it": folder.HashOf(nil),
	} {
		if err := submit(hash); !lacks(err, "sichuan-29/attached") {
			t.Errorf("a document %s: %v", what, err)
		}
	}
	if _, err := w.Papers.Attach(ctx, w.As("li"), a.ID, "empty.txt", attachment.Text, nil); !problem.Is(err, problem.Invalid) {
		t.Errorf("an empty file: %v", err)
	}
	must(t, submit(now))
}

// Guard: so is the certificate of who receives rows, and it is looked for again when the authority decides.
func TestReceiversCertificateIsAttached(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	d := apptest.Quality()
	d.Facts.Receiver.Evidence = "sha256:" + strings.Repeat("0", 64)
	a, err := w.Create(ctx, w.As("zheng"), d)
	must(t, err)
	if _, err = w.Applications.Submit(ctx, w.As("zheng"), a.ID, 0); !lacks(err, "sichuan-29/attached") {
		t.Errorf("a certificate that nobody attached: %v", err)
	}
}

// Guard: evidence is a file of the grant itself.
func TestEvidenceIsAttachedToTheGrant(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	g := owing(t, w, application.ObligationInput{Kind: "report", Due: "2026-12-31", Text: "半年报告"})
	second := owing(t, w, application.ObligationInput{Kind: "report", Due: "2026-12-31", Text: "半年报告"})
	discharge := func(hash string) error {
		return w.Grants.Move(ctx, w.As("li"), g.ID, grant.Command{Name: "discharge", Condition: g.Obligations[0].ID, Evidence: hash})
	}
	for what, hash := range map[string]string{
		"of the application, from before the decision": folder.HashOf(apptest.Document()), "of another grant": w.Evidence("li", second.ID, "another's report"),
		"that nobody attached": "sha256:" + strings.Repeat("0", 64), "with nothing in it": folder.HashOf(nil), "without a name": "",
	} {
		if err := discharge(hash); !lacks(err, "sichuan-33/evidence") {
			t.Errorf("evidence %s: %v", what, err)
		}
	}
	if _, err := w.Papers.AttachLater(ctx, w.As("li"), g.ID, "empty.txt", attachment.Text, nil); !problem.Is(err, problem.Invalid) {
		t.Errorf("an empty file: %v", err)
	}
	hash := w.Evidence("wang", g.ID, "the report")
	must(t, discharge(hash))
	got, err := w.Papers.FetchLater(ctx, w.As("zhou"), g.ID, hash) // who accepts it reads it
	must(t, err)
	if string(got.Data) != "the report" {
		t.Errorf("came out as %q", got.Data)
	}
	if list, err := w.Papers.ListLater(ctx, w.As("zhou"), g.ID); err != nil || len(list) != 1 || list[0].By != "wang" {
		t.Errorf("%v %v", list, err)
	}
}

// Guard: who holds a grant attaches to it, while it lasts; who may not see it learns nothing.
func TestWhoAttachesToAGrant(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	g := w.Granted("li", apptest.Research()).Grant
	hash := w.Evidence("li", g, "the report")
	attach := func(who string) error {
		_, err := w.Papers.AttachLater(ctx, w.As(who), g, "a.txt", attachment.Text, []byte("by "+who))
		return err
	}
	for who, code := range map[string]problem.Code{"hu": problem.NotFound, "chen": problem.NotFound, "zhou": problem.Forbidden, "wu": problem.Forbidden, "yan": problem.Forbidden} {
		if err := attach(who); !problem.Is(err, code) {
			t.Errorf("%s: %v", who, err)
		}
	}
	for _, who := range []string{"hu", "chen"} {
		_, err := w.Papers.FetchLater(ctx, w.As(who), g, hash)
		_, listed := w.Papers.ListLater(ctx, w.As(who), g)
		if !problem.Is(err, problem.NotFound) || !problem.Is(listed, problem.NotFound) {
			t.Errorf("%s reads: %v, %v", who, err, listed)
		}
	}
	must(t, w.Grants.Move(ctx, w.As("zhou"), g, grant.Command{Name: "suspend", Reason: "年度核查期间暂停使用。"}))
	must(t, attach("li"))
	must(t, w.Grants.End(ctx, w.As("zhou"), g, "revoke", "核查发现违反授权条件。"))
	if err := attach("wang"); !lacks(err, "sichuan-18/state") {
		t.Errorf("attached to what was revoked: %v", err)
	}
	for _, e := range w.Entries() {
		if e.Kind == "attachment.added" && e.Object == "grant/"+g && e.Outcome == "allowed" && (e.Grant != g || e.Commit["content"] == "" || len(e.Facts) != 2) {
			t.Errorf("on record as %+v", e)
		}
	}
}

// An amendment rests on the same papers as what it changes, and they are its own: taking one off does not touch the first.
func TestAmendmentKeepsThePapers(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a := w.Granted("li", apptest.Research())
	later, err := w.Applications.Later(ctx, w.As("li"), a.ID, application.FileAmendment)
	must(t, err)
	hash := folder.HashOf(apptest.Document())
	must(t, w.Papers.Detach(ctx, w.As("li"), later.ID, hash))
	if _, err := w.Applications.Submit(ctx, w.As("li"), later.ID, 0); !lacks(err, "sichuan-29/attached") {
		t.Errorf("submitted without the document: %v", err)
	}
	_, err = w.Papers.Fetch(ctx, w.As("li"), a.ID, hash)
	must(t, err)
	again, err := w.Applications.Later(ctx, w.As("li"), a.ID, application.FileAmendment)
	must(t, err)
	_, err = w.Applications.Submit(ctx, w.As("li"), again.ID, 0)
	must(t, err)
}

// Guard: the privacy-impact assessment of sensitive data is one on record: held of this, passed by an owner, in date.
func TestAssessmentIsOnRecord(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	paper := w.Lodge("wu", "zhou", "tang")
	entry := func(sort, unit string) conduct.Entry {
		return conduct.Entry{Party: "institution/" + unit, Sort: sort, Reason: "影响评估认为风险可控，措施相称。", Article: "pipl-55", Evidence: paper}
	}
	owner := w.As("wu").Institution
	held := func(who string, fail bool, e conduct.Entry) string {
		do := w.Conduct.Pass
		if fail {
			do = w.Conduct.Fail
		}
		m, err := do(ctx, w.As(who), "", e)
		must(t, err)
		return m.ID
	}
	due := entry("privacy-impact", owner)
	due.Until = "2027-01-01"
	planned, err := w.Conduct.Schedule(ctx, w.As("wu"), due)
	must(t, err)
	d := apptest.Research()
	d.Facts.Codes = []string{"icd10:F32"}
	submit := func(number string) error {
		d.Facts.Assessment = number
		a, err := w.Create(ctx, w.As("li"), d)
		must(t, err)
		_, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0)
		return err
	}
	for what, number := range map[string]string{
		"none": "", "nobody's": "PIA-1", "an application's": act(t, w), "of something else": held("wu", false, entry("security-test", owner)), "failed": held("wu", true, entry("privacy-impact", owner)),
		"planned": planned.ID, "another house's": held("zhou", false, entry("privacy-impact", "jinhe-university")),
	} {
		if err := submit(number); !lacks(err, "pipl-55/assessment") {
			t.Errorf("an assessment that is %s: %v", what, err)
		}
	}
	good := w.Assessed()
	must(t, submit(good))
	w.Clock.Add(366 * 24 * time.Hour)
	d.Facts.From, d.Facts.To = "2027-11-22", "2028-05-01"
	if err := submit(good); !lacks(err, "pipl-55/assessment") {
		t.Errorf("an assessment of last year: %v", err)
	}
	repeated := w.Assessed()
	must(t, submit(repeated))
	all, err := w.Conduct.Assessments(ctx, w.As("wu"))
	must(t, err)
	i := slices.IndexFunc(all, func(v conduct.View) bool { return v.Link == repeated })
	_, err = w.Conduct.Fail(ctx, w.As("wu"), all[i].ID, entry("", owner))
	must(t, err)
	if err := submit(repeated); !lacks(err, "pipl-55/assessment") {
		t.Errorf("an assessment whose repetition failed: %v", err)
	}
}

// act is the number of an application.
func act(t *testing.T, w *apptest.World) string {
	t.Helper()
	a, err := w.Create(context.Background(), w.As("li"), apptest.Research())
	must(t, err)
	return a.ID
}
