package agreement_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"pgregory.net/rapid"

	"carrel/broker/agreement"
	"carrel/policies"
	"carrel/policy"
)

// data answers for the data of the rules with what a test says.
type data struct {
	policy.Decider
	doc string
	err error
}

func (d data) Data(_ context.Context, _ string, v any) error {
	if d.err != nil {
		return d.err
	}
	return json.Unmarshal([]byte(d.doc), v)
}

// book is the one that comes with the rules.
func book(t testing.TB) agreement.Book {
	t.Helper()
	raw, err := fs.ReadFile(policies.FS(), "agreements.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Carrel struct {
			Agreements json.RawMessage `json:"agreements"`
		} `json:"carrel"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	b, err := agreement.ReadBook(context.Background(), data{doc: string(doc.Carrel.Agreements)})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func own(t testing.TB) *agreement.Wording {
	t.Helper()
	w, err := agreement.Own()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func terms() agreement.Terms {
	return agreement.Terms{Application: "ap-1", Kind: "provision", Version: 2, DataOwners: []string{"commission"}, Team: []string{"wang"}, Institution: "university",
		Lead: "li", LeadName: policy.Text{ZH: "李", EN: "Li"}, Title: "Outcomes of stroke", Reason: "To compare outcomes.", Methods: "Regression.",
		Wishes: []policy.Wish{{Dataset: "jinhe", Columns: policy.List[string]{"encounter.*"}}}, Epsilon: 2, From: "2026-12-01", To: "2027-11-30", Date: "2026-11-21"}
}

func write(t testing.TB, x agreement.Terms) agreement.Document {
	t.Helper()
	d, err := own(t).Write(book(t), x)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func ids(d agreement.Document) []string {
	var out []string
	for _, c := range d.Clauses {
		out = append(out, c.ID)
	}
	return out
}

// What a wording leaves empty for the terms is no clause: each kind has its own, and the mandatory ones are in every agreement.
func TestClausesOfEachKind(t *testing.T) {
	t.Parallel()
	always := []string{"purpose", "scope", "method", "term", "no-transfer", "attribution", "deletion", "sharing", "incident", "duties"}
	for name, c := range map[string]struct {
		change func(*agreement.Terms)
		more   []string
	}{
		"provision":   {func(*agreement.Terms) {}, nil},
		"entrustment": {func(x *agreement.Terms) { x.Kind, x.Processor = "entrustment", "laboratory" }, []string{"processor"}},
		"joint":       {func(x *agreement.Terms) { x.Kind, x.Joint = "joint", true }, []string{"shares"}},
		"a centre's":  {func(x *agreement.Terms) { x.Handover, x.Quality, x.Host = true, true, "hospital" }, []string{"host"}},
	} {
		x := terms()
		c.change(&x)
		d := write(t, x)
		if want := append(slices.Clone(always), c.more...); !slices.Equal(ids(d), want) {
			t.Errorf("%s: clauses %v, want %v", name, ids(d), want)
		}
		for id, n := range d.Lengths() {
			if n < 10 {
				t.Errorf("%s: the clause %s has %d characters", name, id, n)
			}
		}
	}
}

// What was agreed stands in the text, in both languages.
func TestTextSaysWhatWasAgreed(t *testing.T) {
	t.Parallel()
	x := terms()
	x.Conditions, x.Listed = []string{"每年报告一次"}, []string{"SELECT 1", "SELECT 2"}
	d := write(t, x)
	for lang, c := range map[string]struct {
		text string
		says []string
	}{
		"zh": {d.Text.ZH, []string{"ap-1", "commission", "university", "li", "wang", "jinhe", "encounter.*", "2026-12-01", "2027-11-30", "一、", "附加条件：", "每年报告一次", "可提出的问题：", "SELECT 2"}},
		"en": {d.Text.EN, []string{"ap-1", "commission", "university", "Li", "wang", "jinhe", "encounter.*", "2026-12-01", "2027-11-30", "1. ", "Further conditions:", "每年报告一次", "Questions that may be asked:", "SELECT 2", "epsilon = 2"}},
	} {
		for _, s := range c.says {
			if !strings.Contains(c.text, s) {
				t.Errorf("%s does not say %q", lang, s)
			}
		}
	}
	if d := write(t, terms()); strings.Contains(d.Text.ZH, "附加条件") || strings.Contains(d.Text.EN, "Questions that may be asked") {
		t.Error("there are headings over nothing")
	}
}

// An applicant's sentence ends once, however it was written.
func TestStops(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{"To compare outcomes", "To compare outcomes.", "To compare outcomes。 \n", "To compare outcomes; ", "To compare outcomes．"} {
		x := terms()
		x.Reason = reason
		if d := write(t, x); !strings.Contains(d.Text.EN, "To compare outcomes. ") || strings.Contains(d.Text.EN, "..") {
			t.Errorf("%q is written as %q", reason, d.Clauses[0].Text.EN)
		}
	}
}

// Guard: the same terms give the same text, whose hash is signed; words of an applicant are words and no wording.
func TestWordsAreNoWording(t *testing.T) {
	t.Parallel()
	b, w := book(t), own(t)
	rapid.Check(t, func(t *rapid.T) {
		x := terms()
		words := rapid.StringMatching(`[a-z{}.<>"' 中文\n]{1,40}`)
		x.Title, x.Methods = "t"+words.Draw(t, "title")+"t", "m"+words.Draw(t, "methods")+"m"
		x.Reason = "r{{.Lead}}{{template \"head\"}}" + words.Draw(t, "reason") + "r"
		d, err := w.Write(b, x)
		if err != nil {
			t.Fatal(err)
		}
		again, err := w.Write(b, x)
		if err != nil || again.Text != d.Text {
			t.Fatalf("written twice it differs: %v", err)
		}
		for _, text := range []string{d.Text.ZH, d.Text.EN} {
			for _, said := range []string{x.Title, x.Reason, x.Methods} {
				if !strings.Contains(text, said) {
					t.Fatalf("%q was changed", said)
				}
			}
		}
	})
}

// Clauses stand in the order of the book, numbered without a gap, and their lengths are those of the shorter language.
func TestNumbering(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "clauses")
		var b agreement.Book
		zh, en := `{{define "head"}}头{{end}}{{define "conditions"}}{{end}}{{define "listed"}}{{end}}`, `{{define "head"}}head{{end}}{{define "conditions"}}{{end}}{{define "listed"}}{{end}}`
		var want []string
		for i := range n {
			id := fmt.Sprintf("c%d", i)
			b.Clauses = append(b.Clauses, struct {
				ID string `json:"id"`
				policy.Text
			}{id, policy.Text{ZH: "条", EN: "Clause"}})
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0: // in neither language
			case 1: // in one alone: it is no clause
				zh += `{{define "` + id + `"}}只有中文{{end}}`
			case 2: // empty in one
				zh += `{{define "` + id + `"}}中文{{end}}`
				en += `{{define "` + id + `"}} {{end}}`
			default:
				zh += `{{define "` + id + `"}}正文{{end}}`
				en += `{{define "` + id + `"}}the text{{end}}`
				want = append(want, id)
			}
		}
		w, err := agreement.Read(fstest.MapFS{"zh.tmpl": {Data: []byte(zh)}, "en.tmpl": {Data: []byte(en)}})
		if err != nil {
			t.Fatal(err)
		}
		d, err := w.Write(b, terms())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(ids(d), want) || strings.Count(d.Text.EN, ". Clause. the text") != len(want) || strings.Count(d.Text.ZH, "、条。正文") != len(want) {
			t.Fatalf("clauses %v, want %v", ids(d), want)
		}
		for i := range want {
			if !strings.Contains(d.Text.EN, fmt.Sprintf("\n%d. Clause", i+1)) {
				t.Fatalf("clause %d has no number", i+1)
			}
		}
		for _, n := range d.Lengths() {
			if n != utf8.RuneCountInString("正文") {
				t.Fatalf("a length of %d", n)
			}
		}
	})
}

// Chinese documents count 一 to 九十九.
func TestChineseNumbers(t *testing.T) {
	t.Parallel()
	var b agreement.Book
	text := `{{define "head"}}-{{end}}{{define "conditions"}}{{end}}{{define "listed"}}{{end}}{{define "x"}}y{{end}}`
	for range 99 {
		b.Clauses = append(b.Clauses, struct {
			ID string `json:"id"`
			policy.Text
		}{"x", policy.Text{ZH: "条", EN: "Clause"}})
	}
	w, err := agreement.Read(fstest.MapFS{"zh.tmpl": {Data: []byte(text)}, "en.tmpl": {Data: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	d, err := w.Write(b, terms())
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(d.Text.ZH, "\n")[2:]
	for n, want := range map[int]string{1: "一", 9: "九", 10: "十", 11: "十一", 19: "十九", 20: "二十", 21: "二十一", 30: "三十", 99: "九十九"} {
		if !strings.HasPrefix(lines[n-1], want+"、") {
			t.Errorf("%d is written %q", n, lines[n-1])
		}
	}
}

// A wording or a book that is not one is refused with the reason.
func TestWordingsThatAreNone(t *testing.T) {
	t.Parallel()
	good := `{{define "head"}}x{{end}}`
	for name, files := range map[string]fstest.MapFS{
		"no English":   {"zh.tmpl": {Data: []byte(good)}},
		"no head":      {"zh.tmpl": {Data: []byte(good)}, "en.tmpl": {Data: []byte(`{{define "purpose"}}x{{end}}`)}},
		"not closed":   {"zh.tmpl": {Data: []byte(good)}, "en.tmpl": {Data: []byte(`{{define "head"}}x`)}},
		"no such call": {"zh.tmpl": {Data: []byte(good)}, "en.tmpl": {Data: []byte(`{{define "head"}}{{shell "x"}}{{end}}`)}},
	} {
		if _, err := agreement.Read(files); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	w, err := agreement.Read(fstest.MapFS{"zh.tmpl": {Data: []byte(good)}, "en.tmpl": {Data: []byte(`{{define "head"}}{{.NoSuchTerm}}{{end}}`)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(book(t), terms()); err == nil {
		t.Error("a term that there is not was written")
	}
}

// Guard: data that name no clauses, no kinds or no default are no book: an agreement of nothing would be complete.
func TestBooksThatAreNone(t *testing.T) {
	t.Parallel()
	broken := errors.New("no such data")
	for name, d := range map[string]data{
		"no data":    {err: broken},
		"no clauses": {doc: `{"default": "provision", "kinds": {"provision": {}}, "clauses": []}`},
		"no kinds":   {doc: `{"default": "provision", "kinds": {}, "clauses": [{"id": "purpose"}]}`},
		"no default": {doc: `{"kinds": {"provision": {}}, "clauses": [{"id": "purpose"}]}`},
	} {
		if _, err := agreement.ReadBook(context.Background(), d); err == nil || d.err != nil && !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
