package web

import (
	"bytes"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/plan"
	"carrel/anonymize/result"
	"carrel/broker/application"
	"carrel/broker/catalogue"
	"carrel/broker/job"
	"carrel/broker/problem"
	"carrel/policy"
)

var (
	literal = regexp.MustCompile(`\bt "([a-z0-9_.-]+)"`)
	prefix  = regexp.MustCompile(`\bt \(print "([a-z_]+\.)"`)
	inGo    = regexp.MustCompile(`"((?:nav|done|explain)\.[a-z]*)"`)
)

// Every key that templates use has a text in both languages, and no text is left over.
func TestWords(t *testing.T) {
	t.Parallel()
	w, err := readWords()
	if err != nil {
		t.Fatal(err)
	}
	used, prefixes := map[string]bool{}, []string{}
	names, _ := filepath.Glob("templates/*.html")
	goFiles, _ := filepath.Glob("[a-hj-z]*.go") // not this file
	for _, name := range append(names, goFiles...) {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range literal.FindAllStringSubmatch(string(raw), -1) {
			used[m[1]] = true
			if _, ok := w[m[1]]; !ok {
				t.Errorf("%s: no text for %q", name, m[1])
			}
		}
		for _, m := range append(prefix.FindAllStringSubmatch(string(raw), -1), inGo.FindAllStringSubmatch(string(raw), -1)...) {
			prefixes = append(prefixes, m[1])
		}
	}
	for key := range w {
		if !used[key] && !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) }) {
			t.Errorf("%q is used nowhere", key)
		}
	}
	if _, err := w.in("en", "no.such.key"); err == nil {
		t.Error("an unknown key is no error")
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0: "0", 1: "1", -1: "−1", 999: "999", 1000: "1,000", -1234567: "−1,234,567", 0.5: "0.5", 12.345678: "12.346", 1204.81: "1,204.8", 99999.5: "100,000", 0.000123456: "0.000123"} {
		if got := number(v); got != want {
			t.Errorf("%v is written %q, not %q", v, got, want)
		}
	}
}

func FuzzPreferred(f *testing.F) {
	for _, s := range []string{"", "zh", "en;q=0.1, zh;q=0.2", "fr", "zh;q=x", ";;,,", "zh;q=NaN, en;q=0.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		got := preferred(accept)
		if got != "zh" && got != "en" {
			t.Fatalf("language %q", got)
		}
		if got == "zh" && !strings.Contains(strings.ToLower(accept), "zh") {
			t.Fatal("Chinese that nobody asked for")
		}
	})
}

// The caret stands below the character that is meant, and the text is whole.
func TestRefusalPlace(t *testing.T) {
	t.Parallel()
	sql := "SELECT a\nFROM 表 WHERE x\n\nGROUP BY a"
	r := plan.Refuse("unknown-column", sql, strings.Index(sql, "x"))
	s := &server{}
	v := s.problem(problem.Planner(r, "否", "no"), sql).Refusal
	if v == nil || v.Line == nil {
		t.Fatal("no place")
	}
	if v.Line.Left != "FROM 表 WHERE " || v.Line.At != "x" || v.Line.Right != "" || v.Line.Blank != "     　       " || v.Line.Number != 2 {
		t.Errorf("%+v", v.Line)
	}
	whole := strings.Join(append(append(slices.Clone(v.Before), v.Line.Left+v.Line.At+v.Line.Right), v.After...), "\n")
	if whole != sql {
		t.Errorf("shown is %q", whole)
	}
	for _, r := range []*plan.Refusal{plan.Refuse("unknown-column", sql, -1), {Line: 99, Column: 1}, {Line: 1, Column: 999}, {Line: -1}} {
		v := s.problem(problem.Planner(r, "否", "no"), sql).Refusal
		if r.Line == 1 != (v.Line != nil) {
			t.Errorf("%+v gives %+v", r, v.Line)
		}
	}
}

// A draft read from the form that was filled from it is the same draft.
func TestFormRoundTrip(t *testing.T) {
	t.Parallel()
	text := rapid.StringMatching(`[a-z表][a-z 表<>"&]{0,20}[a-z表]`)
	word := rapid.StringMatching(`[a-z][a-z0-9-]{0,8}`)
	rapid.Check(t, func(t *rapid.T) {
		f := policy.Application{Kind: "query", Purpose: word.Draw(t, "purpose"), From: "2026-01-01", To: "2027-01-01", Funding: "public", Conflicts: "none",
			Ethics: policy.Ethics{Document: word.Draw(t, "document")}, CrossBorder: rapid.Bool().Draw(t, "border"), Identifiable: rapid.Bool().Draw(t, "id"),
			DeclaredDuty: rapid.Bool().Draw(t, "duty"), Epsilon: rapid.SampledFrom([]float64{0, 0.25, 4}).Draw(t, "epsilon"),
			Team: rapid.SliceOfN(word, 1, 3).Draw(t, "team"), Statistics: rapid.SliceOfN(word, 1, 2).Draw(t, "statistics"),
			Wishes: policy.List[policy.Wish]{{Dataset: "a", Columns: rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{2}\.[a-z]{2}`), 1, 4, rapid.ID).Draw(t, "columns")}, {Dataset: "b", Columns: policy.List[string]{"t.*"}}}}
		f.Use = policy.Use{Types: rapid.SliceOfN(word, 1, 2).Draw(t, "types"), Diseases: []string{"I63", "I60-I69"}, Flags: []string{"gender"}, Accepts: []string{"COL"}, Commercial: rapid.Bool().Draw(t, "commercial")}
		f.Agreement = policy.Terms{Kind: word.Draw(t, "agreement"), Host: text.Draw(t, "host"), Processor: text.Draw(t, "processor"), Listed: rapid.Bool().Draw(t, "listed"), Queries: []string{"sha256:1"}}
		f.Codes, f.Clearance = []string{"icd10:B20"}, word.Draw(t, "clearance")
		f.Minors = policy.Minors{Included: rapid.Bool().Draw(t, "minors"), Consent: "sha256:2", Law: text.Draw(t, "law")}
		f.Rules = policy.Rules{Document: "sha256:3", Version: "2", Date: "2026-01-01"}
		if rapid.Bool().Draw(t, "handover") {
			f.Kind = "handover"
			f.Receiver = policy.Receiver{System: text.Draw(t, "system"), MLPS: 3, Evidence: "sha256:1", Expires: "2028-01-01", Officer: rapid.Bool().Draw(t, "officer")}
			f.Remit = policy.Remit{Hospitals: []string{"H01", "H02"}, Kinds: []string{"stroke"}, From: "2024-01", To: "2024-12"}
		}
		texts := map[string]string{"title": text.Draw(t, "title"), "sharing": text.Draw(t, "sharing"), "methods": text.Draw(t, "first") + "\n" + text.Draw(t, "second")}
		c := &call{form: filled(&application.View{Application: application.Application{Facts: f}, Texts: texts})}
		d, err := (&server{}).draft(t.Context(), c, f)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(d.Facts, f) || !reflect.DeepEqual(d.Texts, texts) {
			t.Fatalf("read back\n%+v\nof\n%+v", d, f)
		}
	})
}

// A table's box stands for its fields; boxes that are no field are left out.
func TestWishes(t *testing.T) {
	t.Parallel()
	got := wishes([]string{"a:p.x", "a:q.*", "b:p.*", "nonsense", "a:q.y"})
	want := policy.List[policy.Wish]{{Dataset: "a", Columns: policy.List[string]{"p.x", "q.*"}}, {Dataset: "b", Columns: policy.List[string]{"p.*"}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

// answered makes an answer of one key and one measure.
func answered(labels []string, cells []result.Cell) *job.Answer {
	r := &result.Result{Columns: []result.Column{{Name: "k", Kind: "key", Interval: result.IntervalNone, LabelZH: "键", LabelEN: "Key"},
		{Name: "n", Kind: "measure", Interval: result.IntervalNoise, LabelZH: "记录数", LabelEN: "rows"}}}
	for i, c := range cells {
		r.Rows = append(r.Rows, []result.Cell{{Value: labels[i]}, c})
	}
	return &job.Answer{Result: r, Synthetic: true, DPScope: "source"}
}

// Whatever the numbers, every mark lies on the canvas, whiskers run from left to right and hold their value, and the axis has a
// readable number of ticks.
func TestChartGeometry(t *testing.T) {
	t.Parallel()
	value := rapid.OneOf(rapid.Float64Range(-1e9, 1e9), rapid.Float64Range(-1, 1), rapid.Just(0.0), rapid.Float64Range(1e5, 1e5+1))
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(t, "rows")
		var labels []string
		var cells []result.Cell
		for range n {
			labels = append(labels, rapid.StringN(0, 40, -1).Draw(t, "label"))
			v, w := value.Draw(t, "value"), math.Abs(value.Draw(t, "width"))
			c := result.Cell{Value: v}
			if lo := v - w; rapid.Bool().Draw(t, "lo") {
				c.Lo = &lo
			}
			if hi := v + w; rapid.Bool().Draw(t, "hi") {
				c.Hi = &hi
			}
			if rapid.IntRange(0, 9).Draw(t, "none") == 0 {
				c.Value = nil
			}
			cells = append(cells, c)
		}
		for _, c := range answerOf(answered(labels, cells), nil, "en").Charts {
			if len(c.Ticks) < 2 || len(c.Ticks) > 14 {
				t.Fatalf("%d ticks", len(c.Ticks))
			}
			if len(c.Rows)+c.More != n || len(c.Rows) > maxRows {
				t.Fatalf("%d rows and %d more of %d", len(c.Rows), c.More, n)
			}
			for _, m := range c.Rows {
				if m.None {
					continue
				}
				for _, x := range []int{m.X, m.From, m.To, m.BarX, m.BarX + m.BarW, c.Zero} {
					if x < c.Left-1 || x > c.Width {
						t.Fatalf("a mark at %d on a canvas from %d to %d", x, c.Left, c.Width)
					}
				}
				if m.From > m.X || m.X > m.To || m.BarW < 0 || m.Y > c.Bottom {
					t.Fatalf("%+v", m)
				}
			}
		}
	})
}

// An answer's page: labels of the catalogue, intervals, the synthetic mark, hostile labels escaped, a chart that can be read aloud.
func TestAnswerPage(t *testing.T) {
	t.Parallel()
	lo, hi := 10.0, 20.0
	a := answered([]string{"m", "<script>"}, []result.Cell{{Value: 15.0, Lo: &lo, Hi: &hi}, {Value: 2019.0, Lo: &lo}})
	a.Budget.Words, a.Epsilon, a.Audit = policy.Text{ZH: "还可提出约 7 个", EN: "about 7 more"}, 0.5, 42
	tables := []catalogue.TableView{{Fields: []catalogue.FieldView{{Label: policy.Text{ZH: "键", EN: "Key"}, Values: []catalogue.Value{{Code: "m", Label: policy.Text{ZH: "男", EN: "Male"}}}}}}}
	s := &server{labels: labels{}}
	views, err := s.parse()
	if err != nil {
		t.Fatal(err)
	}
	for lang, want := range map[string][]string{
		"zh": {"男", "记录数", "10 … 20", "10 … ∞", "合成数据", "还可提出约 7 个", "/audit/proof/42", `role="img"`, "<title", "<desc", "已扣 ε 0.5"},
		"en": {"Male", "rows", "10 … 20", "10 … ∞", "synthetic data", "about 7 more", "/audit/proof/42", `role="img"`, "&lt;script&gt;", "Charged ε 0.5"},
	} {
		var b bytes.Buffer
		if err := views[lang]["ask"].ExecuteTemplate(&b, "answer", answerOf(a, tables, lang)); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(b.String(), w) {
				t.Errorf("the answer in %s does not show %q", lang, w)
			}
		}
		if strings.Contains(b.String(), "<script>") || strings.Contains(b.String(), "style=") {
			t.Error("a label came through as markup, or a style is inline")
		}
	}
}

// A fault in a template is an error and no half page.
func TestBrokenTemplate(t *testing.T) {
	t.Parallel()
	w, err := readWords()
	if err != nil {
		t.Fatal(err)
	}
	broken := template.Must(template.New("x").Funcs((&server{}).funcs("en", w)).Parse(`{{t "no.such.key"}}`))
	if err := broken.Execute(&bytes.Buffer{}, nil); err == nil {
		t.Error("a page with a hole was made")
	}
}

func TestReceipt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{" AB\n CD= \r\n": "ABCD=", "": "", strings.Repeat("a", maxSignature+1): ""} {
		c := &call{r: &http.Request{}, form: url.Values{"signature": {text}}}
		if got, err := c.receipt(); got != want || (err != nil) != (want == "") {
			t.Errorf("%.10q gives %q, %v", text, got, err)
		}
	}
}
