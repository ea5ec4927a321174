package deid_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
	"carrel/anonymize/plan"
)

// trial is a recipe of one table whose column x becomes a column of some kind: a quick look at one step.
type trial struct {
	column plan.Column
	kind   string // of the recipe
	step   string // of x
	head   string // more lines of the recipe
	files  map[string]string
}

func code(values ...string) plan.Column {
	slices.Sort(values)
	return plan.Column{Name: "x", Kind: plan.KindCode, Codes: "x@1", Values: values, Role: plan.RoleQuasi, Nullable: true}
}

func number(lo, hi int64, scale int) plan.Column {
	c := plan.Column{Name: "x", Kind: plan.KindInt, Bounded: true, Lo: lo, Hi: hi, Role: plan.RoleQuasi, Nullable: true}
	if scale > 0 {
		c.Kind, c.Scale = plan.KindDecimal, scale
	}
	return c
}

// run builds rows of (person, x) and returns the texts of x by person in the order of ranks, and the report.
func (tr trial) run(t *testing.T, rows [][2]string) (map[string][]string, *deid.Report, *extract.Manifest, error) {
	t.Helper()
	c := newCity(t)
	if tr.kind == "" {
		tr.kind = "query"
	}
	src := "recipe: t\nkind: " + tr.kind + "\ndataset: city\nas_of: 2025-12-31\nunit: {from: p.no, link: no, form: local, key: keyring:city-unit}\nmissing_unit: {at_most: 100%}\n" +
		tr.head + "tables:\n  p: {columns: {no: drop, born: {as: born}}}\n  v:\n    columns: {no: drop, x: " + tr.step + "}\n"
	file := filepath.Join(c.dir, "t.recipe.yaml")
	for name, text := range tr.files {
		if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := deid.ReadRecipe(file)
	if err != nil {
		return nil, nil, nil, err
	}
	people, visits := "no,born\n", "no,x\n"
	seen := map[string]bool{}
	for _, row := range rows {
		if !seen[row[0]] {
			people += row[0] + ",1990-06-15\n"
		}
		seen[row[0]] = true
		visits += row[0] + ",\"" + row[1] + "\"\n"
	}
	in, err := c.input(files{"p.csv": people, "v.csv": visits}, cityRecipe)
	if err != nil {
		t.Fatal(err)
	}
	unit := plan.Column{Name: "person_id", Kind: plan.KindUnit, Role: plan.RoleUnit}
	in.Recipe = r
	in.Schema = &plan.Schema{Dataset: "city", Tables: []plan.Table{
		{Name: "p", Unit: "person_id", MaxRows: 1, Columns: []plan.Column{unit, {Name: "born", Kind: plan.KindInt, Role: plan.RoleQuasi, Nullable: true}}},
		{Name: "v", Unit: "person_id", MaxRows: 200, Columns: []plan.Column{unit, tr.column}},
	}}
	m, rep, err := deid.Build(t.Context(), in)
	if err != nil {
		return nil, nil, nil, err
	}
	e, err := extract.Open(t.Context(), in.OutDir, c.seal)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for p, lines := range rowsOf(t, e, "v") {
		for _, line := range lines {
			out[fmt.Sprint(p)] = append(out[fmt.Sprint(p)], strings.Split(line, "|")[1])
		}
	}
	return out, rep, m, nil
}

// all are the texts of everybody, sorted.
func all(by map[string][]string) []string {
	out := slices.Concat(slices.Collect(maps.Values(by))...)
	slices.Sort(out)
	return out
}

// each runs one value a person and gives what each became.
func (tr trial) each(t *testing.T, values ...string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, v := range values {
		by, _, _, err := tr.run(t, [][2]string{{"A", v}})
		if err != nil {
			t.Fatalf("%q: %v", v, err)
		}
		if got := all(by); len(got) == 1 {
			out[v] = got[0]
		}
	}
	return out
}

func TestDiseaseTree(t *testing.T) {
	t.Parallel()
	for level, want := range map[string]map[string]string{
		"chapter":     {"I21.000x003": "IX", "i10.x00": "IX", "A17.0†G01*": "I", "M8140/3": "other", "M81403": "other", "M80.0": "XIII", "U07.1": "XXII", "C50": "II", "???": "other"},
		"block":       {"I21.0": "I20-I25", "I2109": "I20-I25", "M81400": "other", "G01*": "other"},
		"category":    {"I21.0": "I21", "I21": "I21", "I 21.0": "I21", "A17.0+": "other"},
		"subcategory": {"I21.000x003": "I21.0", "I21.x00": "I21", "I21.09": "I21.0"},
	} {
		tr := trial{column: code("I", "II", "IX", "XIII", "XXII", "I20-I25", "I21", "I21.0", "other"), step: "{generalise: icd10, to: " + level + "}"}
		for v, w := range want {
			if got := tr.each(t, v)[v]; got != w {
				t.Errorf("%s of %q is %q, want %q", level, v, got, w)
			}
		}
	}
	_, _, _, err := trial{column: code("x", "other"), step: "{generalise: icd10, to: chapter}"}.run(t, [][2]string{{"A", "I21"}})
	if err == nil || !strings.Contains(err.Error(), "has no chapter of ICD-10") {
		t.Error(err)
	}
}

func TestRegionTree(t *testing.T) {
	t.Parallel()
	for level, want := range map[string]map[string]string{
		"county":     {"440106": "440106", "440106001": "440106", "440106001002": "440106", "44010619900307771X": "other", "440106199003077711": "other", "4401": "other"},
		"prefecture": {"440106": "440100", "440106001": "440100"},
		"province":   {"440106": "44"},
		"region":     {"440106": "south", "110101001": "华北", "990101": "other"},
	} {
		tr := trial{column: code("440106", "440100", "44", "south", "华北", "other"), step: "{generalise: gbt2260, to: " + level + "}"}
		for v, w := range want {
			if got := tr.each(t, v)[v]; got != w {
				t.Errorf("%s of %q is %q, want %q", level, v, got, w)
			}
		}
	}
}

func TestDrugAndAgeTrees(t *testing.T) {
	t.Parallel()
	for level, w := range map[string]string{"1": "A", "2": "A02", "3": "A02B", "4": "A02BC", "5": "A02BC01"} {
		tr := trial{column: code("A", "A02", "A02B", "A02BC", "A02BC01", "other"), step: "{generalise: atc, to: \"" + level + "\"}"}
		if got := tr.each(t, "a02bc01")["a02bc01"]; got != w {
			t.Errorf("level %s is %q", level, got)
		}
		if got := tr.each(t, "A02BC0199")["A02BC0199"]; got != "other" {
			t.Errorf("what is no code became %q", got)
		}
	}
	stages := trial{column: code("0-6", "7-17", "18-44", "45-59", "60-74", "75-89", "90+"), step: "{generalise: age, to: life-stage}"}
	for v, w := range map[string]string{"0": "0-6", "6": "0-6", "17": "7-17", "89": "75-89", "103": "90+"} {
		if got := stages.each(t, v)[v]; got != w {
			t.Errorf("life stage of %s is %q, want %q", v, got, w)
		}
	}
	tens := trial{column: number(0, 90, 0), step: "{generalise: age, to: \"10\", at: as_of}"}
	if got := tens.each(t, "1990-06-15")["1990-06-15"]; got != "30" {
		t.Errorf("ten years: %q", got)
	}
}

const tree = "a;A;*\nb;A;*\nc;C;*\n"

func TestHierarchyFile(t *testing.T) {
	t.Parallel()
	tr := trial{column: code("A", "C", "*", "other"), step: "{hierarchy: h.csv, level: 1}", files: map[string]string{"h.csv": tree}}
	by, rep, m, err := tr.run(t, [][2]string{{"P1", "a"}, {"P2", " b "}, {"P3", "c"}, {"P4", ""}})
	if err != nil || !slices.Equal(all(by), []string{"", "A", "A", "C"}) || m.DPScope != extract.ScopeSource || len(rep.Global) != 0 {
		t.Fatal(by, m, err)
	}
	tr.files = map[string]string{"h.csv": tree + "d;C;*\n"}
	if _, _, again, err := tr.run(t, [][2]string{{"P1", "a"}}); err != nil || again.RecipeHash == m.RecipeHash {
		t.Fatal("another file has the same recipe hash", err)
	}
	for want, c := range map[string]trial{
		"line 10: table v.x.hierarchy: h.csv line 2 column 2: the hierarchy is cyclic": {files: map[string]string{"h.csv": "a;b;*\nb;a;*\n"}},
		"h.csv line 2 column 3: not a tree":                                            {files: map[string]string{"h.csv": "a;A;*\nb;A;B\n"}},
		"h.csv line 2 column 2: the value has no entry at level 1":                     {files: map[string]string{"h.csv": "a;A;*\nb;;*\n"}},
		"has levels 0 to 2: there is no level 7":                                       {step: "{hierarchy: h.csv, level: 7}"},
		"there is no such file beside the recipe":                                      {step: "{hierarchy: g.csv, level: 1}"},
		"must be the name of a file beside the recipe":                                 {step: "{hierarchy: ../h.csv, level: 1}"},
		`lacks the field "level"`:                                                      {step: "{hierarchy: h.csv}"},
		"1 of the 2 labels of level 1 are no values that the catalogue declares":       {column: code("A", "other", "*")},
		"1 values of column \"x\" have no entry in h.csv, the first in line 3":         {files: map[string]string{"h.csv": "a;A;*\nb;C;*\n"}},
	} {
		if c.column.Name == "" {
			c.column = tr.column
		}
		if c.step == "" {
			c.step = "{hierarchy: h.csv, level: 1}"
		}
		if c.files == nil {
			c.files = map[string]string{"h.csv": tree}
		}
		_, _, _, err := c.run(t, [][2]string{{"P1", "a"}, {"P2", "SECRET"}})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	tr.step = "{hierarchy: h.csv, level: 1, else: other}"
	if by, _, _, err := tr.run(t, [][2]string{{"P1", "a"}, {"P2", "q"}}); err != nil || !slices.Equal(all(by), []string{"A", "other"}) {
		t.Fatal(by, err)
	}
	if _, err := deid.ParseRecipe("r.yaml", []byte("recipe: a\nkind: query\ndataset: b\nunit: {from: a.b, key: keyring:c}\ntables: {a: {b: {hierarchy: h.csv, level: 1}}}")); err == nil ||
		!strings.Contains(err.Error(), "came without its directory") {
		t.Error(err)
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		column plan.Column
		step   string
		want   map[string]string
	}{
		{number(0, 1000, 0), "{round: 10}", map[string]string{"4": "0", "5": "10", "14": "10", "15": "20", "998": "1000", "x": ""}},
		{number(-1000, 1000, 0), "{round: 10}", map[string]string{"-5": "-10", "-4": "0", "-9999": "-1000"}},
		{number(0, 1000, 1), "{round: 0.5}", map[string]string{"1.2": "1.0", "1.3": "1.5"}},
		{number(0, 150, 0), "{top_code: {age: 90}}", map[string]string{"89": "89", "104": "90"}},
		{number(0, 150, 0), "{bottom_code: {value: 18}, top_code: {value: 90}}", map[string]string{"3": "18", "50": "50", "99": "90"}},
		{number(0, 150, 0), "{round: 20, bottom_code: {value: 18}}", map[string]string{"3": "20", "31": "40"}},
		{number(0, 1000, 2), "{clamp: catalogue, fixed_point: 2, top_code: {value: 5.25}}", map[string]string{"7": "5.25", "1.5": "1.50"}},
		{code("a", "b"), "{suppress: [b]}", map[string]string{"a": "a", " b ": ""}},
		{number(0, 1, 0), "{younger_than: 14}", map[string]string{"13": "1", "14": "0"}},
		{code("yes", "no"), "{younger_than: 14}", map[string]string{"13": "yes", "14": "no"}},
	} {
		for v, w := range c.want {
			if got := (trial{column: c.column, step: c.step}).each(t, v)[v]; got != w {
				t.Errorf("%s of %q is %q, want %q", c.step, v, got, w)
			}
		}
	}
	for step, want := range map[string]string{
		"{round: 0}":                                      "round must be above 0",
		"{round: 0.001}":                                  "not a number of 1 decimals",
		"{top_code: {}}":                                  "line 10: table v.x.top_code needs age, value or percentile",
		"{top_code: {percentile: 40}}":                    "must lie between 50 and 100",
		"{bottom_code: {percentile: 60}}":                 "must lie between 0 and 50",
		"{top_code: {value: 1, percentile: 99}}":          "one is enough",
		"{top_code: {value: 1}, bottom_code: {value: 2}}": "bottom_code lies above top_code",
		"{younger_than: 0}":                               "must be 1 to 150 years",
		"{suppress: []}":                                  "suppress is empty",
		"{generalise: icd10, to: county}":                 "must be one of: subcategory",
		"{coarsen: year, bottom_code: {value: 1}}":        "bottom_code is for numbers",
	} {
		_, _, _, err := trial{column: number(0, 100, 1), step: step}.run(t, [][2]string{{"A", "1"}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", step, err, want)
		}
	}
	never := code("a")
	never.Nullable = false
	if _, _, _, err := (trial{column: never, step: "{suppress: [b]}"}).run(t, [][2]string{{"A", "a"}}); err == nil || !strings.Contains(err.Error(), "never missing") {
		t.Error(err)
	}
}

// TestGlobalIsSaid: a global step in a recipe for queries is built, reported with its line, and turns the scope.
func TestGlobalIsSaid(t *testing.T) {
	t.Parallel()
	rows := [][2]string{{"A", "1"}, {"B", "2"}, {"C", "3"}, {"D", "900"}, {"D", "950"}}
	by, rep, m, err := trial{column: number(0, 1000, 0), step: "{top_code: {percentile: 60}}"}.run(t, rows)
	if err != nil || m.Kind != extract.KindQuery || m.DPScope != extract.ScopeExtract {
		t.Fatal(m, err)
	}
	if len(rep.Global) != 1 || rep.Global[0] != (deid.GlobalStep{Table: "v", Column: "x", Step: "percentile", Line: 10}) {
		t.Fatalf("%+v", rep.Global)
	}
	if got := all(by); !slices.Equal(got, []string{"1", "2", "3", "3", "3"}) { // the persons' largest are 1, 2, 3 and 950
		t.Fatal(got)
	}
}

// TestShiftKeepsIntervals: one shift for all dates of a person in all tables, in whole weeks when asked, and never a date held at a bound.
func TestShiftKeepsIntervals(t *testing.T) {
	t.Parallel()
	rows := [][2]string{}
	for p := range 60 {
		for _, d := range []string{"2020-01-01", "2020-02-10", "2021-06-30"} {
			rows = append(rows, [2]string{fmt.Sprintf("P%02d", p), d})
		}
	}
	day := plan.Column{Name: "x", Kind: plan.KindDate, Bounded: true, Lo: 18262, Hi: 18900, Role: plan.RoleQuasi, Nullable: true} // from 2020-01-01
	by, rep, _, err := trial{column: day, kind: "handover", step: "{shift: 30, key: keyring:city-shift, keep: weekday}"}.run(t, rows)
	if err != nil {
		t.Fatal(err)
	}
	offsets, gone := map[time.Duration]bool{}, int64(0)
	for _, dates := range by {
		slices.Sort(dates)
		if dates[0] == "" {
			gone++
		}
		first, err1 := time.Parse(time.DateOnly, dates[1])
		last, err2 := time.Parse(time.DateOnly, dates[2])
		if err1 != nil || err2 != nil || last.Sub(first) != time.Date(2021, 6, 30, 0, 0, 0, 0, time.UTC).Sub(time.Date(2020, 2, 10, 0, 0, 0, 0, time.UTC)) {
			t.Fatal("an interval changed", dates)
		}
		off := first.Sub(time.Date(2020, 2, 10, 0, 0, 0, 0, time.UTC))
		if off%(7*24*time.Hour) != 0 || off.Abs() > 28*24*time.Hour {
			t.Fatalf("a weekday moved, or a date too far: %s", off)
		}
		offsets[off] = true
	}
	if len(offsets) < 5 || gone == 0 || rep.Tables[1].Columns[0].Unreadable != gone {
		t.Fatalf("%d offsets, %d dates out of bounds, reported %+v", len(offsets), gone, rep.Tables[1].Columns)
	}
	never := day
	never.Nullable = false
	if _, _, _, err := (trial{column: never, kind: "handover", step: "{shift: 30, key: keyring:city-shift}"}).run(t, rows); err == nil ||
		!strings.Contains(err.Error(), "leave the bounds of the catalogue when they shift") {
		t.Fatal(err)
	}
	for with, want := range map[string]string{
		"[{shift: 30, key: keyring:city-shift}, {shift: 31, key: keyring:city-shift, as: y}]": "differs from the shift of line 10",
		"[{shift: 30, key: keyring:city-shift}, {shift: 30, key: keyring:other, as: y}]":      "differs from the shift of line 10",
		"{shift: 5, key: keyring:city-shift, keep: weekday}":                                  "of 7 days or more",
		"{shift: 9, key: keyring:city-shift, keep: month}":                                    "must be one of: weekday",
	} {
		if _, _, _, err := (trial{column: day, kind: "handover", step: with}).run(t, rows); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", with, err)
		}
	}
}
