package abroad_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"carrel/broker/abroad"
	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/attachment"
	"carrel/broker/attachment/folder"
	"carrel/broker/problem"
	"carrel/policy"
)

var document = folder.HashOf(apptest.Document())

func facts() abroad.Facts {
	return abroad.Facts{Applicant: "jinhe-university", Recipient: "Overseas University", Country: "Singapore", Purpose: "research", Rows: 1000, Until: "2028-12-31", Assessment: document,
		Way:    abroad.Way{Kind: "standard-contract", Document: document, Number: "川网备〔2026〕3号", Until: "2028-12-31"},
		Wishes: policy.List[policy.Wish]{{Dataset: "jinhe", Columns: policy.List[string]{"person.*", "cv_event.kind", "cv_event.door_min"}}}}
}

// A cross-border application is stopped, filed by the responsible unit, cleared by two offices, and goes no further than that.
func TestTwoOfficesClear(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	w.Lodge("wu", "zhou", "an")
	for name, who := range map[string]string{"a researcher": "li", "a QC centre": "zheng", "the authority itself": "zhou"} {
		if _, err := w.Abroad.File(ctx, w.As(who), facts(), "Joint study."); !problem.Is(err, problem.Forbidden) {
			t.Errorf("filed by %s: %v", name, err)
		}
	}
	both := w.As("wu")
	both.Roles = append(both.Roles, "researcher")
	if _, err := w.Abroad.File(ctx, both, facts(), "Joint study."); !problem.Is(err, problem.Forbidden) {
		t.Errorf("filed by an owner who is a researcher: %v", err)
	}
	f, err := w.Abroad.File(ctx, w.As("wu"), facts(), "Joint study.")
	if err != nil || f.State != "filed" || f.Facts.Owner != "jinhe-health-commission" {
		t.Fatalf("%+v %v", f, err)
	}
	d := apptest.Research()
	d.Facts.CrossBorder, d.Facts.Clearance = true, f.ID
	d.Facts.Abroad = policy.Abroad{Institution: "Overseas University", Country: "Singapore"}
	d.Texts[application.TextAnswerable] = "Dr A. Tan, data protection officer"
	a, err := w.Create(ctx, w.As("li"), d)
	if err != nil {
		t.Fatal(err)
	}
	submit := func() error { _, err := w.Applications.Submit(ctx, w.As("li"), a.ID, 0); return err }
	stopped := func(when string) {
		t.Helper()
		if err := submit(); !problem.Is(err, problem.Forbidden) {
			t.Errorf("submitted %s: %v", when, err)
		}
	}
	stopped("before anybody cleared it")
	if _, err = w.Abroad.Clear(ctx, w.As("zhou"), f.ID, "health-authority", "No. 12", document); err != nil {
		t.Fatal(err)
	}
	stopped("after one office cleared it")
	person := w.As("zhou")
	person.Roles = append(person.Roles, "security-department")
	if _, err := w.Abroad.Clear(ctx, person, f.ID, "security-department", "No. 7", document); !problem.Is(err, problem.Forbidden) {
		t.Errorf("one person for both offices: %v", err)
	}
	if _, err := w.Abroad.Clear(ctx, w.As("an"), f.ID, "security-department", "", document); !problem.Is(err, problem.Forbidden) {
		t.Errorf("without a number: %v", err)
	}
	if f, err = w.Abroad.Clear(ctx, w.As("an"), f.ID, "security-department", "No. 7", document); err != nil || f.State != "cleared" || len(f.Clearances) != 2 {
		t.Fatalf("%+v %v", f, err)
	}
	wide := d
	wide.Facts.Wishes = policy.List[policy.Wish]{{Dataset: "jinhe", Columns: policy.List[string]{"person.*", "cv_event.kind", "cv_event.door_min", "cv_event.event_month"}}}
	if _, err := w.Applications.Edit(ctx, w.As("li"), a.ID, 0, wide); err != nil {
		t.Fatal(err)
	}
	stopped("with more than was assessed")
	for what, other := range map[string]policy.Abroad{"for another institution": {Institution: "Another University", Country: "Singapore"}, "for another country": {Institution: "Overseas University", Country: "Japan"}, "for nobody": {}} {
		moved := d
		moved.Facts.Abroad = other
		if _, err := w.Applications.Edit(ctx, w.As("li"), a.ID, 0, moved); err != nil {
			t.Fatal(err)
		}
		stopped(what)
	}
	if _, err := w.Applications.Edit(ctx, w.As("li"), a.ID, 0, d); err != nil {
		t.Fatal(err)
	}
	if err := submit(); err != nil {
		t.Fatal(err)
	}
	if f, err = w.Abroad.Refuse(ctx, w.As("an"), f.ID, "The recipient lost its certificate."); err != nil || f.State != "refused" {
		t.Fatalf("%+v %v", f, err)
	}
	v, err := w.Abroad.Show(ctx, w.As("yan"), f.ID)
	if err != nil || v.Reason != "Joint study." || v.Refusal == "" {
		t.Fatalf("%+v %v", v, err)
	}
	if _, err := w.Abroad.Show(ctx, w.As("hu"), f.ID); !problem.Is(err, problem.NotFound) {
		t.Errorf("shown to a stranger: %v", err)
	}
	if list, err := w.Abroad.List(ctx, w.As("li")); err != nil || len(list) != 1 {
		t.Errorf("%v %v", list, err)
	}
	if list, err := w.Abroad.List(ctx, w.As("hu")); err != nil || len(list) != 0 {
		t.Errorf("%v %v", list, err)
	}
}

// A refusal changes neither the file nor anything else but the log, which has one entry more.
func TestRefusalChangesNothing(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	w.Lodge("wu", "zhou", "an")
	f, err := w.Abroad.File(ctx, w.As("wu"), facts(), "Joint study.")
	if err != nil {
		t.Fatal(err)
	}
	n := len(w.Entries())
	_, err = w.Abroad.Clear(ctx, w.As("an"), f.ID, "health-authority", "No. 12", document)
	if !problem.Is(err, problem.Forbidden) {
		t.Fatal(err)
	}
	entries := w.Entries()
	if last := entries[len(entries)-1]; len(entries) != n+1 || last.Outcome != "refused" || last.Kind != "abroad.cleared" {
		t.Errorf("%d entries, the last %+v", len(entries)-n, last)
	}
	if v, err := w.Abroad.Show(ctx, w.As("wu"), f.ID); err != nil || v.State != "filed" || len(v.Clearances) != 0 {
		t.Errorf("%+v %v", v, err)
	}
	if f, err = w.Abroad.Withdraw(ctx, w.As("wu"), f.ID); err != nil || f.State != "withdrawn" {
		t.Errorf("%+v %v", f, err)
	}
}

// Guard: assessment and clearances are files that who names them took in himself; they lie with the file from then on.
func TestDocumentsAreTakenIn(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	other := w.Lodge("zhou")
	for name, hash := range map[string]string{"none": "", "no hash": "done", "nothing that was taken in": "sha256:" + strings.Repeat("0", 64), "an empty file": folder.HashOf(nil), "another's": other} {
		f := facts()
		f.Assessment = hash
		if _, err := w.Abroad.File(ctx, w.As("wu"), f, "Joint study."); !named(err, "sichuan-32/assessed") {
			t.Errorf("filed with %s: %v", name, err)
		}
	}
	w.Lodge("wu")
	f, err := w.Abroad.File(ctx, w.As("wu"), facts(), "Joint study.")
	if err != nil {
		t.Fatal(err)
	}
	// The assessment lies with the file, and is not the clearance of an office that took nothing in.
	if _, err := w.Abroad.Clear(ctx, w.As("an"), f.ID, "security-department", "No. 7", document); !named(err, "sichuan-32/number") {
		t.Errorf("cleared by the assessment: %v", err)
	}
	x, err := w.Papers.Lodge(ctx, w.As("an"), "clearance.txt", attachment.Text, []byte("Cleared under No. 7."))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Abroad.Clear(ctx, w.As("an"), f.ID, "security-department", "No. 7", x.Hash); err != nil {
		t.Fatal(err)
	}
	if err := w.Papers.Unlodge(ctx, w.As("an"), x.Hash); err != nil {
		t.Fatal(err)
	}
	list, err := w.Papers.ListIn(ctx, w.As("li"), w.Abroad.Place(f.ID))
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v %v", list, err)
	}
	if got, err := w.Papers.FetchIn(ctx, w.As("yan"), w.Abroad.Place(f.ID), x.Hash); err != nil || string(got.Data) != "Cleared under No. 7." {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := w.Papers.ListIn(ctx, w.As("hu"), w.Abroad.Place(f.ID)); !problem.Is(err, problem.NotFound) {
		t.Errorf("shown to a stranger: %v", err)
	}
}

// Guard: nothing is filed or cleared without the contract, the certificate or the assessment by which it may go, taken in by the filer; the
// paper lies with the file, and an application that outlasts it is stopped.
func TestContractAbroad(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	w.Lodge("wu", "zhou", "an")
	x, err := w.Papers.Lodge(ctx, w.As("wu"), "contract.txt", attachment.Text, []byte("The standard contract, as it was filed."))
	if err != nil {
		t.Fatal(err)
	}
	strange, err := w.Papers.Lodge(ctx, w.As("zhou"), "other.txt", attachment.Text, []byte("A contract that somebody else has."))
	if err != nil {
		t.Fatal(err)
	}
	way := abroad.Way{Kind: "standard-contract", Document: x.Hash, Number: "No. 3", Until: "2028-12-31"}
	for name, change := range map[string]func(*abroad.Way){
		"none": func(v *abroad.Way) { *v = abroad.Way{} }, "a promise": func(v *abroad.Way) { v.Kind = "promise" }, "a blank number": func(v *abroad.Way) { v.Number = "     " },
		"one that ends before the file": func(v *abroad.Way) { v.Until = "2028-12-30" }, "one without an end": func(v *abroad.Way) { v.Until = "" },
		"one that nobody took in": func(v *abroad.Way) { v.Document = "sha256:" + strings.Repeat("0", 64) }, "another's": func(v *abroad.Way) { v.Document = strange.Hash },
	} {
		f := facts()
		f.Way = way
		change(&f.Way)
		if _, err := w.Abroad.File(ctx, w.As("wu"), f, "Joint study."); !named(err, "pipl-38/way") {
			t.Errorf("filed with %s: %v", name, err)
		}
	}
	in := facts()
	in.Way = way
	f, err := w.Abroad.File(ctx, w.As("wu"), in, "Joint study.")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Papers.Unlodge(ctx, w.As("wu"), x.Hash); err != nil {
		t.Fatal(err)
	}
	if got, err := w.Papers.FetchIn(ctx, w.As("an"), w.Abroad.Place(f.ID), x.Hash); err != nil || !strings.Contains(string(got.Data), "as it was filed") {
		t.Errorf("%+v %v", got, err)
	}
	if v, err := w.Abroad.Show(ctx, w.As("zhou"), f.ID); err != nil || len(v.Commands) == 0 || v.Facts.Way != way {
		t.Errorf("%+v %v", v, err)
	}
	for who, office := range map[string]string{"zhou": "health-authority", "an": "security-department"} {
		if f, err = w.Abroad.Clear(ctx, w.As(who), f.ID, office, "No. 12", document); err != nil {
			t.Fatal(err)
		}
	}
	d := apptest.Research()
	d.Facts.CrossBorder, d.Facts.Clearance, d.Facts.To = true, f.ID, "2027-11-20"
	d.Facts.Abroad = policy.Abroad{Institution: "Overseas University", Country: "Singapore"}
	d.Texts[application.TextAnswerable] = "Dr A. Tan, data protection officer"
	a, err := w.Create(ctx, w.As("li"), d)
	if err != nil {
		t.Fatal(err)
	}
	if a, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0); err != nil || a.Way != way {
		t.Errorf("%+v %v", a, err)
	}
}

// Guard: a unit files its own data, and no file of another's opens them.
func TestAnothersFileOpensNothing(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	w.Lodge("ren", "zhou", "an")
	f, err := w.Abroad.File(ctx, w.As("ren"), facts(), "Joint study.")
	if err != nil {
		t.Fatal(err)
	}
	for who, office := range map[string]string{"zhou": "health-authority", "an": "security-department"} {
		if _, err := w.Abroad.Clear(ctx, w.As(who), f.ID, office, "No. 12", document); err != nil {
			t.Fatal(err)
		}
	}
	d := apptest.Research()
	d.Facts.CrossBorder, d.Facts.Clearance = true, f.ID
	d.Facts.Abroad = policy.Abroad{Institution: "Overseas University", Country: "Singapore"}
	d.Texts[application.TextAnswerable] = "Dr A. Tan, data protection officer"
	a, err := w.Create(ctx, w.As("li"), d)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Applications.Submit(ctx, w.As("li"), a.ID, 0); !named(err, "sichuan-32/cross-border") || !strings.Contains(err.Error(), "jinhe") {
		t.Errorf("opened by the file of another unit: %v", err)
	}
}

// named says whether a refusal names a rule.
func named(err error, rule string) bool {
	p, is := err.(*problem.Error) //nolint:errorlint // use cases return it bare
	return is && p.Decision != nil && slices.ContainsFunc(p.Decision.Reasons, func(r policy.Reason) bool { return r.Rule == rule })
}
