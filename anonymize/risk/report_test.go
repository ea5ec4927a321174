package risk

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
)

// crowd is a table whose persons share two combinations of forty and sixty, with an illness that only the first class does not vary in.
func crowd() *Table {
	t := &Table{Name: "visit", Columns: []Column{{Name: "visit.sex"}, {Name: "visit.age"}, {Name: "visit.illness", Sensitive: true}}}
	for i := range uint32(100) {
		class := uint32(0)
		if i >= 40 {
			class = 1
		}
		t.Persons = append(t.Persons, i)
		for c, v := range []uint32{class, class + 5, class * (i % 2)} {
			t.Columns[c].Codes = append(t.Columns[c].Codes, v)
		}
	}
	return t
}

// alone is a copy of crowd where everyone has an age of her own.
func alone() *Table {
	t := crowd()
	for i := range t.Columns[1].Codes {
		t.Columns[1].Codes[i] = uint32(i)
	}
	return t
}

func TestGrades(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		subject Subject
		config  Config
		want    Grade
		reason  string
	}{
		"an identifier":          {Subject{Contents: Contents{Identifiers: []string{"visit.name"}}, After: []*Table{crowd()}}, Config{}, Direct, "visit.name"},
		"a column of no role":    {Subject{Contents: Contents{Unknown: []string{"visit.note"}}, After: []*Table{crowd()}}, Config{}, Direct, "visit.note"},
		"small classes":          {Subject{After: []*Table{alone()}}, Config{}, Quasi, "100.0 %"},
		"one bad table of two":   {Subject{After: []*Table{crowd(), alone()}}, Config{}, Quasi, "easiest"},
		"large classes":          {Subject{After: []*Table{crowd()}}, Config{}, Acceptable, "40 persons"},
		"a stricter threshold":   {Subject{After: []*Table{crowd()}}, Config{Threshold: 0.02}, Quasi, "2.5 %"},
		"told by a class":        {Subject{After: []*Table{crowd()}}, Config{}, Acceptable, "visit.illness: 40.0 %"},
		"aggregates":             {Subject{Contents: Contents{Aggregated: true}}, Config{}, Aggregates, "aggregates"},
		"nothing measured":       {Subject{}, Config{}, Quasi, "No table"},
		"an estimate is no help": {Subject{After: []*Table{alone()}}, Config{Population: 1_000_000}, Quasi, "easiest"},
	} {
		r, err := New(x.subject, x.config)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		said := ""
		for _, s := range r.Verdict.Reasons {
			said += s.EN + "\n"
			if s.ZH == "" {
				t.Errorf("%s: a reason in one language", name)
			}
		}
		if r.Verdict.Grade != x.want || !strings.Contains(said, x.reason) || !r.Verdict.Provisional || r.Verdict.Outside != (x.want >= Acceptable) {
			t.Errorf("%s: %+v, want grade %d with %q", name, r.Verdict, x.want, x.reason)
		}
	}
}

// register is a population of four persons for each of the ages 0 to 99, one for each age above.
func register(ages int) *Table {
	t := &Table{Name: "register", Columns: []Column{{Name: "visit.age"}}}
	for i := range uint32(ages) {
		t.Persons = append(t.Persons, i)
		t.Columns[0].Codes = append(t.Columns[0].Codes, i%100)
	}
	return t
}

func TestLinkage(t *testing.T) {
	t.Parallel()
	same := func(a, b uint32) bool { return a == b }
	a, err := Link(alone(), register(100), same)
	if err != nil || a.Found != 1 || a.Single != 1 || a.Expected != 1 || a.Right == nil || *a.Right != 1 || a.Register != 100 {
		t.Errorf("everyone has an age of her own in both: %+v %v", a, err)
	}
	a, err = Link(alone(), register(400), same)
	if err != nil || a.Found != 1 || a.Single != 0 || math.Abs(a.Expected-0.25) > 1e-12 || a.Right != nil {
		t.Errorf("four of the register share each age: %+v %v", a, err)
	}
	a, err = Link(alone(), register(50), same)
	if err != nil || a.Found != 0.5 || a.Single != 0.5 {
		t.Errorf("half are in the register: %+v %v", a, err)
	}
	a, err = Link(alone(), register(100), func(a, b uint32) bool { return a == b && a < 25 })
	if err != nil || *a.Right != 0.25 {
		t.Errorf("a quarter of the links are true: %+v %v", a, err)
	}
	if _, err := Link(alone(), &Table{Name: "register", Persons: []uint32{1}, Columns: []Column{{Name: "height", Codes: []uint32{1}}}}, nil); err == nil {
		t.Error("no column in common: linked")
	}
	// By age alone four share each place of the register; by age and sex too, when it has both.
	m, err := Measure(alone(), register(400), Config{})
	if err != nil || m.Journalist.Basis != "counted" || m.Journalist.Highest != 1 {
		t.Errorf("a register without a column makes nobody safer: %+v %v", m.Journalist, err)
	}
	whole := register(400)
	whole.Columns = append(whole.Columns, Column{Name: "visit.sex", Codes: make([]uint32, 400)})
	for i := range whole.Persons {
		if i%100 >= 40 {
			whole.Columns[1].Codes[i] = 1
		}
	}
	m, err = Measure(alone(), whole, Config{})
	if err != nil || m.Journalist.Basis != "register" || math.Abs(m.Journalist.Highest-0.25) > 1e-12 || m.Prosecutor.Highest != 1 {
		t.Errorf("the journalist's risk in a register: %+v %v", m.Journalist, err)
	}
}

func TestTheLargestRiskComesFirst(t *testing.T) {
	t.Parallel()
	r, err := New(Subject{Contents: Contents{Identifiers: []string{"visit.name"}}, After: []*Table{crowd(), alone()}, Register: register(50)}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Risks {
		if i > 0 && r.Risks[i].Share > r.Risks[i-1].Share {
			t.Errorf("%+v after %+v", r.Risks[i], r.Risks[i-1])
		}
	}
	if len(r.Risks) < 4 || !strings.Contains(r.Risks[0].Text.EN, "name persons") {
		t.Errorf("%+v", r.Risks)
	}
}

func TestReportPage(t *testing.T) {
	t.Parallel()
	r, err := New(Subject{Dataset: "jinhe", Data: "ex-1", After: []*Table{crowd()}, Before: []*Table{alone()}, Register: register(400)}, Config{Population: 2000})
	if err != nil {
		t.Fatal(err)
	}
	if f := r.Fields; len(f) != 3 || f[1].Before != 100 || f[1].After != 2 || f[1].Loss < 0.8 || f[0].Loss != 0 {
		t.Errorf("what fields lost: %+v", f)
	}
	var page bytes.Buffer
	if err := r.HTML(&page, "zh"); err != nil {
		t.Fatal(err)
	}
	text := page.String()
	for _, want := range []string{`id="zh" aria-label="中文" checked`, "暂定", "provisional", "最大的三项风险", "The three largest risks", "visit.illness", "记者风险：最高（估计）", `<path class="was"`, `<rect class="was"`, "Simulated linkage attack"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, never := range []string{"<script", "http://", "https://", "NaN", "Inf", "src="} {
		if strings.Contains(text, never) {
			t.Errorf("the page has %q", never)
		}
	}
	if v, l, p := strings.Index(text, `class="verdict"`), strings.Index(text, "最大的三项风险"), strings.Index(text, "评级理由"); v < 0 || v > l || l > p || p > strings.Index(text, "<main>") {
		t.Errorf("verdict at %d, largest risks at %d, reasons, of which there may be many, from %d on", v, l, p)
	}
	b, err := json.Marshal(r)
	if err != nil || !bytes.Contains(b, []byte(`"grade":3`)) {
		t.Errorf("%s %v", b, err)
	}
}
