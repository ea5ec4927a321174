package application_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/attachment"
	"carrel/broker/form"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// TestFormsNameEveryFact: what rules can read of an application, its forms know; a fact without a label would be refused in every draft.
func TestFormsNameEveryFact(t *testing.T) {
	t.Parallel()
	forms, err := form.Embedded()
	must(t, err)
	for _, b := range forms.List() {
		f, err := forms.Get(b.ID, 0)
		must(t, err)
		each(reflect.TypeFor[policy.Application](), "/facts", func(pointer string) {
			if l := f.Label(pointer); l == (policy.Text{ZH: "申请", EN: "application"}) {
				t.Errorf("form %s version %d has no field %s", b.ID, f.Version, pointer)
			}
		})
	}
}

func each(t reflect.Type, at string, fn func(pointer string)) {
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if here := at + "/" + name; name != "form" && name != "former" { // the service's own
			fn(here)
			if ft := t.Field(i).Type; ft.Kind() == reflect.Struct {
				each(ft, here, fn)
			}
		}
	}
}

// A malformed draft is refused in one sentence with its field; state and log stay as they are. An incomplete one is kept.
func TestMalformedDraft(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	for name, c := range map[string]struct {
		spoil func(d *application.Draft)
		says  string
	}{
		"kind":       {func(d *application.Draft) { d.Facts.Kind = "gift" }, "“申请类别”（/facts/kind）只能是：“handover”、“query”。"},
		"form":       {func(d *application.Draft) { d.Form = form.Ref{ID: "handover", Version: 1} }, "申请表与申请类别不符"},
		"to come":    {func(d *application.Draft) { d.Form = form.Ref{ID: "query", Version: 99} }, "第 99 版"},
		"hash":       {func(d *application.Draft) { d.Facts.Ethics.Document = "../../etc/passwd" }, "（/facts/ethics/document）须为文件的 sha256"},
		"hidden":     {func(d *application.Draft) { d.Texts["title"] = "研究\u202e" }, "“题目”（/texts/title）含有不可见"},
		"disease":    {func(d *application.Draft) { d.Facts.Use.Diseases = []string{"'; DROP"} }, "疾病 1”（/facts/use/diseases/0）须为 ICD-10"},
		"column":     {func(d *application.Draft) { d.Facts.Wishes[0].Columns = []string{"<b>"} }, "（/facts/wishes/0/columns/0）须写成"},
		"date":       {func(d *application.Draft) { d.Facts.From = "tomorrow" }, "“起始日期”（/facts/from）须为日期"},
		"no version": {func(d *application.Draft) { d.Form = form.Ref{ID: "query", Version: -1} }, "第 -1 版"},
	} {
		before := len(w.Entries())
		d := apptest.Research()
		c.spoil(&d)
		_, err := w.Create(ctx, w.As("li"), d)
		if p := problemOf(err); !problem.Is(err, problem.Invalid) || !strings.Contains(p.Text.ZH, c.says) || p.Text.EN == "" {
			t.Errorf("%s: %+v", name, p)
		}
		if got := len(w.Entries()); got != before {
			t.Errorf("%s: %d entries for nothing", name, got-before)
		}
	}
	a, err := w.Create(ctx, w.As("li"), application.Draft{Texts: map[string]string{"title": "草"}})
	must(t, err)
	if a.Facts.Form.Version == 0 {
		t.Errorf("the draft does not say its form: %+v", a.Facts.Form)
	}
}

// What the form asks for and policy has no rule for stops a submission too, by a rule that names the field.
func TestFormIsFollowed(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	d := apptest.Research()
	d.Facts.Conflicts = "declared"
	a, err := w.Create(ctx, w.As("li"), d)
	must(t, err)
	_, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0)
	p := problemOf(err)
	if p.Decision == nil || !slices.ContainsFunc(p.Decision.Reasons, func(r policy.Reason) bool {
		return r.Rule == "sichuan-18/form" && strings.Contains(r.Text.ZH, "利益冲突说明")
	}) {
		t.Fatalf("submitted without the words of a declared conflict: %v", err)
	}
	d.Texts[application.TextConflicts] = "负责人的配偶任职于设备供应商。"
	_, err = w.Applications.Edit(ctx, w.As("li"), a.ID, 0, d)
	must(t, err)
	_, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0)
	must(t, err)
}

// A disease-specific purpose on a dataset that is open to other diseases is denied with the reason; a sensitive one needs a person.
func TestDataUse(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	d := apptest.Research()
	d.Facts.Use = policy.Use{Types: []string{"HMB"}, Flags: []string{"pediatric"}}
	a, err := w.Create(ctx, w.As("li"), d)
	must(t, err)
	a, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0)
	must(t, err)
	if !slices.Contains(a.Needed, "data-use") {
		t.Errorf("what the rules cannot judge is left to nobody: %v", a.Needed)
	}
	d.Facts.Use = policy.Use{Types: []string{"DS"}}
	a, err = w.Create(ctx, w.As("li"), d)
	must(t, err)
	if _, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0); problemOf(err).Decision == nil {
		t.Errorf("a disease-specific purpose without a disease: %v", err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// problemOf is the error as people are shown it; empty for another.
func problemOf(err error) *problem.Error {
	p := new(problem.Error)
	_ = errors.As(err, &p)
	return p
}

var pdf = []byte("%PDF-1.7\n<<>>\n%%EOF\n")

func files(t *testing.T, w *apptest.World) int {
	t.Helper()
	list, err := os.ReadDir(filepath.Join(w.Dir, "attachments"))
	must(t, err)
	return len(list)
}

// A file goes in, comes out as it was to who may see the application, and is gone when it is taken off; all of it is on record, and
// nothing of it stands in the log.
func TestAttachment(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a, err := w.Applications.Create(ctx, w.As("li"), apptest.Research())
	must(t, err)
	x, err := w.Papers.Attach(ctx, w.As("li"), a.ID, "批件.pdf", attachment.PDF, pdf)
	must(t, err)
	again, err := w.Papers.Attach(ctx, w.As("wang"), a.ID, "same.pdf", attachment.PDF, pdf)
	must(t, err)
	if again.Name != x.Name || files(t, w) != 1 {
		t.Errorf("the same file twice: %+v, %d files", again, files(t, w))
	}
	got, err := w.Papers.Fetch(ctx, w.As("wang"), a.ID, x.Hash)
	must(t, err)
	if !bytes.Equal(got.Data, pdf) || got.Name != "批件.pdf" || got.Type != attachment.PDF {
		t.Errorf("came out as %+v", got)
	}
	for _, stranger := range []string{"hu", "chen"} {
		if _, err := w.Papers.Fetch(ctx, w.As(stranger), a.ID, x.Hash); !problem.Is(err, problem.NotFound) {
			t.Errorf("%s: %v", stranger, err)
		}
		if _, err := w.Papers.Attach(ctx, w.As(stranger), a.ID, "b.pdf", attachment.PDF, append(pdf, '\n')); !problem.Is(err, problem.NotFound) {
			t.Errorf("%s attaches: %v", stranger, err)
		}
		if err := w.Papers.Detach(ctx, w.As(stranger), a.ID, x.Hash); !problem.Is(err, problem.NotFound) {
			t.Errorf("%s detaches: %v", stranger, err)
		}
	}
	must(t, w.Papers.Detach(ctx, w.As("li"), a.ID, x.Hash))
	if _, err := w.Papers.Fetch(ctx, w.As("li"), a.ID, x.Hash); !problem.Is(err, problem.NotFound) || files(t, w) != 0 {
		t.Errorf("after it was taken off: %v, %d files", err, files(t, w))
	}
	kinds := map[string]int{}
	for _, e := range w.Entries() {
		raw, err := json.Marshal(e)
		must(t, err)
		if kinds[e.Kind+" "+e.Outcome]++; bytes.Contains(raw, []byte("批件")) || bytes.Contains(raw, []byte(x.Hash[7:])) {
			t.Errorf("the log holds %s", raw)
		}
	}
	for kind, n := range map[string]int{"attachment.added allowed": 1, "attachment.fetched allowed": 1, "attachment.fetched refused": 2, "attachment.added refused": 2, "attachment.removed allowed": 1} {
		if kinds[kind] != n {
			t.Errorf("%d entries %s", kinds[kind], kind)
		}
	}
	_, err = w.Papers.Attach(ctx, w.As("li"), a.ID, "批件.pdf", attachment.PDF, pdf)
	must(t, err) // what was taken off can come back
	list, err := w.Papers.List(ctx, w.As("li"), a.ID)
	if err != nil || len(list) != 1 {
		t.Errorf("%v %v", list, err)
	}
}

// Once submitted, what was attached stays, and nothing more comes.
func TestAttachmentsOfASubmittedApplication(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a, err := w.Create(ctx, w.As("li"), apptest.Research())
	must(t, err)
	x, err := w.Papers.Attach(ctx, w.As("li"), a.ID, "a.pdf", attachment.PDF, pdf)
	must(t, err)
	_, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0)
	must(t, err)
	if _, err := w.Papers.Attach(ctx, w.As("li"), a.ID, "b.txt", attachment.Text, []byte("b")); !problem.Is(err, problem.Conflict) {
		t.Errorf("attached to a submitted application: %v", err)
	}
	if err := w.Papers.Detach(ctx, w.As("li"), a.ID, x.Hash); !problem.Is(err, problem.Conflict) {
		t.Errorf("taken off a submitted application: %v", err)
	}
	if _, err := w.Papers.Fetch(ctx, w.As("chen"), a.ID, x.Hash); err != nil {
		t.Errorf("its reviewer: %v", err)
	}
	returned(t, w, a.ID) // the version that was submitted still rests on it
	if err := w.Papers.Detach(ctx, w.As("li"), a.ID, x.Hash); !problem.Is(err, problem.Conflict) {
		t.Errorf("taken from under a submitted version: %v", err)
	}
}

// Identifiable records need their legal basis as a file (sichuan-29), not only its hash.
func TestRequiredDocument(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	basis := append(slices.Clone(pdf), '\n')
	d := apptest.Research()
	d.Facts.Identifiable = true
	a, err := w.Create(ctx, w.As("li"), d)
	must(t, err)
	x, err := w.Papers.Attach(ctx, w.As("li"), a.ID, "basis.pdf", attachment.PDF, basis)
	must(t, err)
	d.Facts.Authority.Document = "sha256:" + strings.Repeat("0", 64)
	denied := func() bool {
		_, err := w.Applications.Edit(ctx, w.As("li"), a.ID, 0, d)
		must(t, err)
		_, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0)
		return err != nil && slices.ContainsFunc(problemOf(err).Decision.Reasons, func(r policy.Reason) bool { return r.Rule == "sichuan-29/attached" })
	}
	if !denied() {
		t.Error("another file's hash passes")
	}
	d.Facts.Authority.Document = x.Hash
	if denied() {
		t.Error("the file is there and denied")
	}
}

// A vault whose file was exchanged gives nothing out.
func TestExchangedFile(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	papers, err := application.NewPapers(w.Applications, exchanged{})
	must(t, err)
	a, err := w.Create(ctx, w.As("li"), apptest.Research())
	must(t, err)
	x, err := papers.Attach(ctx, w.As("li"), a.ID, "a.pdf", attachment.PDF, pdf)
	must(t, err)
	if _, err := papers.Fetch(ctx, w.As("li"), a.ID, x.Hash); !problem.Is(err, problem.Unverified) {
		t.Errorf("given out: %v", err)
	}
}

type exchanged struct{}

func (exchanged) Put([]byte) (string, error)                    { return "x", nil }
func (exchanged) Get(string) ([]byte, error)                    { return []byte("%PDF-1.7 other %%EOF"), nil }
func (exchanged) Remove(string) error                           { return nil }
func (exchanged) Sweep(func(string) (bool, error)) (int, error) { return 0, nil }

// Last year's application begins a new one: its words, facts and files, and nothing that somebody else said of it.
func TestCopy(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	d := apptest.Research()
	d.Facts.Assessment = "PIA-1"
	a, err := w.Create(ctx, w.As("li"), d)
	must(t, err)
	x, err := w.Papers.Attach(ctx, w.As("li"), a.ID, "a.pdf", attachment.PDF, pdf)
	must(t, err)
	_, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0)
	must(t, err)
	w.Clock.Add(24 * 400 * 3600e9)
	b, err := w.Papers.Copy(ctx, w.As("wang"), a.ID)
	must(t, err)
	v, err := w.Applications.Show(ctx, w.As("wang"), b.ID)
	must(t, err)
	if v.State != "draft" || v.Version != 0 || v.CopyOf != a.ID || v.Facts.Lead != "wang" || len(v.Reviews)+len(v.Signatures)+len(v.Needed) != 0 || v.Findings != nil ||
		v.Facts.Assessment != "" || v.Texts[application.TextReason] != d.Texts[application.TextReason] || v.Facts.From != "2027-12-26" || v.Facts.To != "2028-12-24" {
		t.Errorf("copied as %+v", v)
	}
	list, err := w.Papers.List(ctx, w.As("wang"), b.ID)
	if err != nil || len(list) != 2 || !slices.ContainsFunc(list, func(y application.Attached) bool { return y.Hash == x.Hash }) || files(t, w) != 2 {
		t.Errorf("attachments %v, %v", list, err)
	}
	must(t, w.Papers.Detach(ctx, w.As("wang"), b.ID, x.Hash)) // the first one's file stays
	if _, err := w.Papers.Fetch(ctx, w.As("li"), a.ID, x.Hash); err != nil {
		t.Error(err)
	}
	if _, err := w.Papers.Copy(ctx, w.As("hu"), a.ID); !problem.Is(err, problem.NotFound) {
		t.Errorf("a stranger copies: %v", err)
	}
	if _, err := w.Papers.Copy(ctx, w.As("chen"), a.ID); !problem.Is(err, problem.Forbidden) {
		t.Errorf("a reviewer copies: %v", err)
	}
}

// Between two submitted versions each changed field is shown under its label, and nothing else.
func TestChanges(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	d := apptest.Research()
	d.Texts[application.TextMethods] = "一\n二\n三\n用均值。"
	a, err := w.Create(ctx, w.As("li"), d)
	must(t, err)
	if _, err := w.Applications.Changes(ctx, w.As("li"), a.ID, 0, 0); !problem.Is(err, problem.Invalid) {
		t.Errorf("changes of a draft that was never submitted: %v", err)
	}
	_, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0)
	must(t, err)
	returned(t, w, a.ID)
	d.Texts[application.TextMethods] = "一\n二\n三\n用中位数。"
	d.Facts.Wishes[0].Columns = []string{"person.*", "cv_event.kind"}
	d.Facts.To = "2027-10-31"
	_, err = w.Applications.Edit(ctx, w.As("li"), a.ID, 0, d)
	must(t, err)
	_, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0)
	must(t, err)
	for _, span := range [][2]int{{1, 2}, {0, 2}, {1, 0}} {
		got, err := w.Applications.Changes(ctx, w.As("chen"), a.ID, span[0], span[1])
		must(t, err)
		var at []string
		for _, c := range got.Changes {
			at = append(at, c.Pointer)
		}
		if !slices.Equal(at, []string{"/facts/to", "/facts/wishes/0/columns", "/texts/methods"}) || got.From != 1 {
			t.Fatalf("%v: %+v", span, got)
		}
		to, methods := got.Changes[0], got.Changes[2]
		if to.Label.ZH != "结束日期" || to.Old != "2027-11-20" || to.New != "2027-10-31" || to.Lines != nil {
			t.Errorf("%+v", to)
		}
		if !slices.Contains(methods.Lines, "-用均值。") || !slices.Contains(methods.Lines, "+用中位数。") || !slices.Contains(methods.Lines, " 三") {
			t.Errorf("%q", methods.Lines)
		}
	}
	for _, span := range [][2]int{{3, 2}, {1, 3}, {-1, 1}, {1, -1}} {
		if _, err := w.Applications.Changes(ctx, w.As("li"), a.ID, span[0], span[1]); !problem.Is(err, problem.Invalid) {
			t.Errorf("%v: %v", span, err)
		}
	}
	if _, err := w.Applications.Changes(ctx, w.As("hu"), a.ID, 1, 2); !problem.Is(err, problem.NotFound) {
		t.Errorf("a stranger: %v", err)
	}
}

// returned lets the application be in the applicant's hands again, as after the authority sent it back.
func returned(t *testing.T, w *apptest.World, app string) {
	t.Helper()
	ctx := context.Background()
	must(t, w.Store.Update(ctx, func(tx *store.Tx) error {
		a := new(application.Application)
		rev, err := tx.Get(ctx, application.DocKind, app, a)
		if err != nil {
			return err
		}
		a.State = "draft"
		return tx.Put(ctx, application.DocKind, app, rev, store.Index{Owner: a.Facts.Lead, State: a.State}, a)
	}))
}

// What a later version of the form asks is told as a change of an application that an earlier one made, under its label; the rest stays.
func TestChangesAcrossVersionsOfTheForm(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	d := apptest.Research()
	a, err := w.Create(ctx, w.As("li"), d)
	must(t, err)
	must(t, w.Store.Update(ctx, func(tx *store.Tx) error {
		x := new(application.Application)
		rev, err := tx.Get(ctx, application.DocKind, a.ID, x)
		if err != nil {
			return err
		}
		x.Facts.Form.Version = 2
		return tx.Put(ctx, application.DocKind, a.ID, rev, store.Index{Owner: x.Facts.Lead, State: x.State}, x)
	}))
	a, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0)
	must(t, err)
	if a.Facts.Form.Version != 3 || len(a.Facts.Form.Faults) != 0 {
		t.Fatalf("carried to %+v", a.Facts.Form)
	}
	returned(t, w, a.ID)
	d.Facts.Agreement.Queries = []string{"sha256:" + strings.Repeat("1", 64)}
	_, err = w.Applications.Edit(ctx, w.As("li"), a.ID, 0, d)
	must(t, err)
	got, err := w.Applications.Changes(ctx, w.As("li"), a.ID, 1, 0)
	must(t, err)
	if len(got.Changes) != 1 || got.Changes[0].Pointer != "/facts/agreement/queries" || got.Changes[0].Old != "" || got.Changes[0].New != d.Facts.Agreement.Queries[0] || !strings.Contains(got.Changes[0].Label.ZH, "列明的查询") {
		t.Fatalf("%+v", got.Changes)
	}
}

// A draft stored before drafts said their form is carried to the newest one.
func TestDraftOfAnOlderForm(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a, err := w.Create(ctx, w.As("li"), apptest.Research())
	must(t, err)
	must(t, w.Store.Update(ctx, func(tx *store.Tx) error {
		old := new(application.Application)
		rev, err := tx.Get(ctx, application.DocKind, a.ID, old)
		if err != nil {
			return err
		}
		old.Facts.Form = policy.Form{}
		return tx.Put(ctx, application.DocKind, a.ID, rev, store.Index{Owner: "li", State: "draft"}, old)
	}))
	got, err := w.Applications.Submit(ctx, w.As("li"), a.ID, 0)
	if err != nil || got.Facts.Form.Version < 2 || fmt.Sprint(got.Facts.Form.ID) != "query" {
		t.Errorf("%+v, %v", got, err)
	}
}
