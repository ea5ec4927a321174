package catalogue

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/plan"
)

// marked is small with marks: a ward, what colours are of, and what every row of a table is of.
func marked(t *testing.T) *Dataset {
	t.Helper()
	src := strings.Replace(small, "role: other, level: 2, domain: [other, b, a]", "marks: [department], role: other, level: 2, domain: [other, b, a]", 1)
	src = strings.Replace(src, "role: other, level: 2, codes: colour@1}", "marks: [maker, equipment], role: other, level: 2, codes: colour@1}", 1)
	src = strings.Replace(src, "    row_key: visit_id\n", "    row_key: visit_id\n    marks: [consumable]\n", 1)
	d, err := parse(src)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func reads(tables []string, columns ...string) *plan.Features {
	f := &plan.Features{Tables: tables}
	for _, c := range columns {
		table, column, _ := strings.Cut(c, ".")
		f.Columns = append(f.Columns, plan.ColumnFeature{Table: table, Column: column})
	}
	return f
}

// TestMarksReachThePlan: a table's marks count for who reads its rows, a field's for who uses it, and for who uses a field with the same
// codes in another table, by code or by label.
func TestMarksReachThePlan(t *testing.T) {
	t.Parallel()
	d := marked(t)
	for name, c := range map[string]struct {
		read *plan.Features
		want []string
	}{
		"nothing":               {reads(nil), nil},
		"rows":                  {reads([]string{"visit"}), []string{"consumable"}},
		"a field":               {reads(nil, "visit.ward"), []string{"department"}},
		"a field with codes":    {reads(nil, "visit.shade"), []string{"equipment", "maker"}},
		"the codes elsewhere":   {reads([]string{"colour"}, "colour.code"), []string{"equipment", "maker"}},
		"their label elsewhere": {reads([]string{"colour"}, "colour.name"), []string{"equipment", "maker"}},
		"an unmarked field":     {reads(nil, "visit.stage", "visit.on"), nil},
		"all":                   {reads([]string{"visit"}, "visit.ward", "visit.shade", "visit.ward"), []string{"consumable", "department", "equipment", "maker"}},
		"what is not there":     {reads([]string{"x"}, "x.y", "visit.x"), nil},
	} {
		if got := d.Marked(c.read); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	v := d.View()
	if f := v.Tables[slices.IndexFunc(v.Tables, func(t TableView) bool { return t.Name == "visit" })]; !slices.Equal(f.Marks, []string{"consumable"}) {
		t.Errorf("the public view says %v", f.Marks)
	}
}

// Reading more never tells less, and the order of what is read says nothing.
func TestMarksAreOfAllThatIsRead(t *testing.T) {
	t.Parallel()
	d := marked(t)
	all := []string{"visit.ward", "visit.shade", "visit.on", "visit.cost", "visit.stage", "colour.code", "colour.name"}
	rapid.Check(t, func(r *rapid.T) {
		some := rapid.SliceOfN(rapid.SampledFrom(all), 0, 6).Draw(r, "columns")
		one := rapid.SampledFrom(all).Draw(r, "one more")
		had, has := d.Marked(reads(nil, some...)), d.Marked(reads(nil, append(slices.Clone(some), one)...))
		for _, m := range had {
			if !slices.Contains(has, m) {
				r.Fatalf("%v told %v, with %s %v", some, had, one, has)
			}
		}
		slices.Reverse(some)
		if back := d.Marked(reads(nil, some...)); !slices.Equal(had, back) {
			r.Fatalf("%v, backwards %v", had, back)
		}
	})
}

func TestMarksAndBasesAreOfAList(t *testing.T) {
	t.Parallel()
	basis := func(word, document string) string {
		return strings.Replace(small, "privacy_unit:", "lawful_basis: [{purpose: research, recipient: researcher, basis: "+word+", law: some law"+document+"}]\nprivacy_unit:", 1)
	}
	mark := func(marks string) string {
		return strings.Replace(small, "role: other, level: 2, codes: colour@1}", "marks: "+marks+", role: other, level: 2, codes: colour@1}", 1)
	}
	for src, want := range map[string]string{
		mark("[medicine]"):   `"medicine" is none of drug, equipment, consumable,`,
		mark("[drug, drug]"): "has a mark twice",
		mark("[]"):           "at least one member",
		mark("drug"):         "must be a list",
		basis("because", ""): `"because" is no lawful basis; it is one of anonymised, approved-application, consent,`,
		basis("Consent", ""): "is no lawful basis",
		basis("anonymised", ", document: a letter"):    "sha256: and 64 digits",
		basis("anonymised", ", document: sha256:00ff"): "sha256: and 64 digits",
	} {
		if _, err := parse(src); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
	for _, word := range Bases() {
		if _, err := parse(basis(word, ", document: sha256:"+strings.Repeat("0f", 32))); err != nil {
			t.Errorf("%s: %v", word, err)
		}
	}
}

// The entry's words and the rules' are the same: a word that only one of both knows would be refused or pass by itself.
func TestWordsOfEntriesAreTheRules(t *testing.T) {
	t.Parallel()
	read := func(name string, into any) {
		raw, err := os.ReadFile(filepath.Join("..", "..", "policies", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatal(err)
		}
	}
	var b struct {
		Carrel struct{ Bases map[string]any }
	}
	read("bases.json", &b)
	if got := slices.Sorted(maps.Keys(b.Carrel.Bases)); !slices.Equal(got, Bases()) {
		t.Errorf("bases: the rules know %v", got)
	}
	var f struct {
		Carrel struct {
			Fields struct {
				Goods, By  map[string]any
				Statistics map[string]map[string]string
			}
		}
	}
	read("fields.json", &f)
	x := f.Carrel.Fields
	goods, by := slices.Sorted(maps.Keys(x.Goods)), slices.Sorted(maps.Keys(x.By))
	if got := slices.Sorted(maps.Keys(x.Statistics)); !slices.Equal(got, goods) {
		t.Errorf("statistics are of %v, goods %v", got, goods)
	}
	for good, each := range x.Statistics {
		if got := slices.Sorted(maps.Keys(each)); !slices.Equal(got, by) {
			t.Errorf("%s is by %v, not %v", good, got, by)
		}
	}
	all := Marks()
	slices.Sort(all)
	if got := slices.Sorted(slices.Values(append(goods, by...))); !slices.Equal(got, all) {
		t.Errorf("marks: the rules know %v", got)
	}
}
