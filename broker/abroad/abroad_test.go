package abroad_test

import (
	"context"
	"strings"
	"testing"

	"carrel/broker/abroad"
	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/problem"
	"carrel/policy"
)

var document = "sha256:" + strings.Repeat("0123456789abcdef", 4)

func facts() abroad.Facts {
	return abroad.Facts{Applicant: "jinhe-university", Recipient: "Overseas University", Country: "Singapore", Purpose: "research", Rows: 1000, Until: "2028-12-31", Assessment: document,
		Wishes: policy.List[policy.Wish]{{Dataset: "jinhe", Columns: policy.List[string]{"person.*", "cv_event.kind", "cv_event.door_min"}}}}
}

// A cross-border application is stopped, filed by the responsible unit, cleared by two offices, and goes no further than that.
func TestTwoOfficesClear(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
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
