package catalogue

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/plan"
)

// small is a whole entry; tests change a line of it.
const small = `dataset: small
title: {zh: 小, en: Small}
region: "510000"
owner: someone
provider: [a]
operator: b
class: clinical
level: 3
synthetic: true
universe: small
permitted_uses: {duo: [GRU], purposes: [research]}
privacy_unit: {column: person_id, register: r}
codes:
  colour@1: {red: {zh: 红, en: Red}, other: {zh: 其他, en: Other}}
tables:
  visit:
    label: {zh: 就诊, en: Visit}
    row_key: visit_id
    rows_per_person: {max: 40, reason: "a notice"}
    fields:
      ward:  {label: {zh: 科, en: Ward}, role: other, level: 2, domain: [other, b, a], public_key: true}
      shade: {label: {zh: 色, en: Shade}, role: other, level: 2, codes: colour@1}
      on:    {label: {zh: 日, en: Day}, type: date, role: quasi-identifier, level: 2, bounds: {min: 2018-01-01, max: 2018-01-31, reason: "a notice"}, public_key: true}
      cost:  {label: {zh: 费, en: Cost}, type: "decimal(12,2)", unit: CNY, role: sensitive, level: 3, bounds: {min: -0.5, max: 200000, reason: "a ceiling"}, missing: null}
      stage: {label: {zh: 期, en: Stage}, type: int, role: sensitive, level: 3, bounds: {min: 0, max: 4, reason: "the scale"}}
  colour:
    label: {zh: 颜色, en: Colour}
    public: true
    row_key: code
    fields:
      code: {label: {zh: 码, en: Code}, role: other, level: 1, codes: colour@1, undeclared: refuse}
      name: {label: {zh: 名, en: Name}, role: other, level: 1, codes: "colour@1#en", undeclared: refuse, max_per_value: 2}
`

func parse(src string) (*Dataset, error) { return Parse("small.yaml", []byte(src), nil) }

func TestParseSmall(t *testing.T) {
	t.Parallel()
	d, err := parse(small)
	if err != nil {
		t.Fatal(err)
	}
	s, err := d.Schema(1000)
	if err != nil {
		t.Fatal(err)
	}
	visit := s.Tables[0]
	if visit.Unit != "person_id" || visit.MaxRows != 40 || visit.MaxRowsReason != "a notice" || visit.Public || visit.RowKey != "visit_id" {
		t.Errorf("table %+v", visit)
	}
	if s.Persons != 1000 || s.Dataset != "small" || s.Tables[1].MaxRows != 0 || s.Tables[1].Unit != "" || !s.Tables[1].Public {
		t.Errorf("schema %+v", s)
	}
	for i, want := range []plan.Column{
		{Name: "person_id", Kind: plan.KindUnit, Role: plan.RoleUnit, Level: 3, LabelZH: "人员编号", LabelEN: "Person number"},
		{Name: "visit_id", Kind: plan.KindKey, Role: plan.RoleOther, Level: 2, LabelZH: "记录编号", LabelEN: "Row number"},
		{Name: "ward", Kind: plan.KindCode, Role: plan.RoleOther, Level: 2, LabelZH: "科", LabelEN: "Ward", Values: []string{"a", "b", "other"}, Codes: "small.visit.ward", PublicKey: true},
		{Name: "shade", Kind: plan.KindCode, Role: plan.RoleOther, Level: 2, LabelZH: "色", LabelEN: "Shade", Values: []string{"other", "red"}, Codes: "colour@1"},
		{Name: "on", Kind: plan.KindDate, Role: plan.RoleQuasi, Level: 2, LabelZH: "日", LabelEN: "Day", Bounded: true, Lo: 17532, Hi: 17562, Reason: "a notice", PublicKey: true},
		{Name: "cost", Kind: plan.KindDecimal, Scale: 2, Role: plan.RoleSensitive, Level: 3, LabelZH: "费", LabelEN: "Cost", Unit: "CNY", Bounded: true, Lo: -50, Hi: 20_000_000, Reason: "a ceiling", Nullable: true},
		{Name: "stage", Kind: plan.KindInt, Role: plan.RoleSensitive, Level: 3, LabelZH: "期", LabelEN: "Stage", Bounded: true, Lo: 0, Hi: 4, Reason: "the scale"},
	} {
		if got := visit.Columns[i]; !equalColumn(got, want) {
			t.Errorf("column %d:\n got %+v\nwant %+v", i, got, want)
		}
	}
	code := s.Tables[1].Columns[0]
	if code.MaxPerKey != 1 || code.Codes != "colour@1" || s.Tables[1].Columns[1].MaxPerKey != 2 || s.Tables[1].Columns[1].Codes != "colour@1#en" {
		t.Errorf("public columns %+v", s.Tables[1].Columns)
	}
	if !slices.Equal(s.Tables[1].Columns[1].Values, []string{"Other", "Red"}) {
		t.Errorf("names %v", s.Tables[1].Columns[1].Values)
	}
}

func equalColumn(a, b plan.Column) bool {
	av, bv := a.Values, b.Values
	a.Values, b.Values = nil, nil
	return slices.Equal(av, bv) && a.Name == b.Name && a.Kind == b.Kind && a.Scale == b.Scale && a.Bounded == b.Bounded && a.Lo == b.Lo && a.Hi == b.Hi &&
		a.Reason == b.Reason && a.Nullable == b.Nullable && a.Codes == b.Codes && a.PublicKey == b.PublicKey && a.MaxPerKey == b.MaxPerKey &&
		a.Level == b.Level && a.Role == b.Role && a.Unit == b.Unit && a.LabelZH == b.LabelZH && a.LabelEN == b.LabelEN
}

// Each fault is one sentence with the line where it is. A rule whose line is taken out of the parser turns one red.
func TestParseFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		old, new string
		line     int
		says     string
	}{
		"unknown field":          {"class: clinical", "class: clinical\nnonsense: x", 8, `the entry has no field "nonsense"`},
		"unknown in field":       {"level: 2, codes: colour@1}", "level: 2, codes: colour@1, lable: x}", 22, `no field "lable"`},
		"unknown in bounds":      {`reason: "the scale"}`, `reason: "the scale", step: 1}`, 25, `no field "step"`},
		"unknown in label":       {"{zh: 小, en: Small}", "{zh: 小, en: Small, fr: Petit}", 2, `no field "fr"`},
		"no dataset":             {"dataset: small\n", "", 1, "has no dataset"},
		"no owner":               {"owner: someone\n", "", 1, "has no owner"},
		"no chinese label":       {"label: {zh: 色, en: Shade}", "label: {en: Shade}", 22, "has no zh"},
		"no english label":       {"label: {zh: 就诊, en: Visit}", "label: {zh: 就诊}", 17, "has no en"},
		"no role":                {"Stage}, type: int, role: sensitive", "Stage}, type: int", 25, "has no role"},
		"wrong role":             {"role: quasi-identifier", "role: quasi", 23, "role must be"},
		"identifier":             {"Ward}, role: other", "Ward}, role: identifier", 21, "never leaves the source"},
		"no level":               {"role: other, level: 2, codes: colour@1}", "role: other, codes: colour@1}", 22, "has no level"},
		"level 6":                {"role: other, level: 2, codes", "role: other, level: 6, codes", 22, "must be 1 to 5"},
		"level not highest":      {"level: 3\nsynthetic", "level: 2\nsynthetic", 8, "highest level of its fields 3"},
		"level text":             {"level: 3\nsynthetic", "level: three\nsynthetic", 8, "whole number"},
		"no bounds":              {`, bounds: {min: 0, max: 4, reason: "the scale"}`, "", 25, "needs bounds"},
		"no reason of bounds":    {`max: 4, reason: "the scale"`, "max: 4", 25, "has no reason"},
		"empty reason":           {`reason: "the scale"`, `reason: " "`, 25, "not empty"},
		"bounds reversed":        {"min: 0, max: 4", "min: 4, max: 0", 25, "min is above max"},
		"bounds not whole":       {"min: 0, max: 4", "min: 0, max: 4.5", 25, "whole number"},
		"bounds too fine":        {"max: 200000", "max: 200000.001", 24, "at most 2 decimal digits"},
		"bounds not a number":    {"max: 200000", "max: .inf", 24, "decimal digits"},
		"bounds overflow":        {"max: 200000", "max: 99999999999999999999", 24, "decimal digits"},
		"bounds not a date":      {"max: 2018-01-31", "max: 2018-02-31", 23, "date as in"},
		"no rows per person":     {"    rows_per_person: {max: 40, reason: \"a notice\"}\n", "", 16, "needs rows_per_person"},
		"rows without reason":    {`{max: 40, reason: "a notice"}`, "{max: 40}", 19, "has no reason"},
		"rows zero":              {"max: 40", "max: 0", 16, "at least 1"},
		"rows unrankable":        {"max: 40", "max: 65536", 16, "cannot be ranked"},
		"rows of public":         {"    public: true", "    public: true\n    rows_per_person: {max: 1, reason: x}", 26, "is public and has no rows"},
		"public without key":     {"    row_key: code\n", "", 26, "needs a row_key"},
		"key not there":          {"row_key: code", "row_key: cod", 26, "not among its fields"},
		"public level 2":         {"level: 1, codes: colour@1,", "level: 2, codes: colour@1,", 31, "role is other and its level 1"},
		"no multiplicity":        {"max_per_value: 2", "max_per_value: 0", 32, "at least 1"},
		"multiplicity of a key":  {"undeclared: refuse}", "undeclared: refuse, max_per_value: 2}", 31, "not of its row_key"},
		"private multiplicity":   {"level: 2, codes: colour@1}", "level: 2, codes: colour@1, max_per_value: 2}", 22, "of a public table"},
		"no other":               {"domain: [other, b, a]", "domain: [b, a]", 21, "need the member other"},
		"code twice":             {"domain: [other, b, a]", "domain: [other, b, b]", 21, "a code twice"},
		"unknown list":           {"level: 2, codes: colour@1", "level: 2, codes: colour@2", 22, "is not known"},
		"unknown part":           {`"colour@1#en"`, `"colour@1#fr"`, 32, "zh, en and parent"},
		"list without version":   {"colour@1: {red", "colour: {red", 14, "needs a version"},
		"domain and codes":       {"level: 2, codes: colour@1}", "level: 2, codes: colour@1, domain: [other]}", 22, "one of them is enough"},
		"no kind":                {"level: 2, codes: colour@1}", "level: 2}", 22, "needs a type, a domain or codes"},
		"unknown type":           {"type: int", "type: float", 25, "must be unit, key"},
		"decimal without digits": {"decimal(12,2)", "decimal", 24, "decimal(p,s)"},
		"decimal too fine":       {"decimal(12,2)", "decimal(12,10)", 24, "decimal(p,s)"},
		"bounds beyond range":    {"max: 4, reason", "max: 2305843009213693953, reason", 25, "2^61"},
		"unit missing":           {"      ward:", "      person_id: {label: {zh: 人, en: Person}, type: unit, role: unit, level: 3, missing: null}\n      ward:", 21, "never missing"},
		"domain of int":          {"type: int,", "type: int, domain: [a],", 25, "for codes only"},
		"bounds of code":         {"domain: [other, b, a],", "domain: [other, b, a], bounds: {min: 0, max: 1, reason: x},", 21, "only int, decimal and date"},
		"missing number":         {"missing: null", "missing: 0", 24, "can only be null"},
		"decimal as public key":  {"missing: null", "public_key: true", 24, "can be a public key"},
		"public key too wide":    {"max: 4, reason: \"the scale\"}", "max: 16384, reason: x}, public_key: true", 25, "more than 16384"},
		"unit in public":         {"      name: {label", "      person_id: {label", 32, "no place in a public one"},
		"role unit elsewhere":    {"Stage}, type: int, role: sensitive", "Stage}, type: int, role: unit", 25, "role unit goes with type unit"},
		"upper case table":       {"  visit:", "  Visit:", 16, "lower-case"},
		"reserved name":          {"      stage:", "      carrel_rank:", 25, "not with carrel_"},
		"quote in name":          {"      stage:", "      'st\"age':", 25, "lower-case"},
		"twice":                  {"      stage:", "      shade:", 25, "stands twice"},
		"alias":                  {"label: {zh: 色, en: Shade}", "label: &l {zh: 色, en: Shade}", 22, "anchors and aliases"},
		"two documents":          {"dataset: small", "dataset: small\n---\nx: 1", 2, "one file holds one"},
		"not yaml":               {"dataset: small", "dataset: [small", 0, "not YAML"},
		"bool":                   {"synthetic: true", "synthetic: yes please", 9, "true or false"},
		"undeclared":             {"undeclared: refuse}\n      name", "undeclared: maybe}\n      name", 31, "must be other"},
		"no private table":       {"    rows_per_person: {max: 40, reason: \"a notice\"}", "    public: true", 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(small, c.old) {
				t.Fatal("the test changes nothing")
			}
			_, err := parse(strings.Replace(small, c.old, c.new, 1))
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("accepted: %v", err)
			}
			if c.line != 0 && e.Line != c.line || !strings.Contains(e.Message, c.says) || strings.Contains(e.Error(), "\n") {
				t.Errorf("got %v, want line %d with %q", e, c.line, c.says)
			}
		})
	}
}

func TestParseEmptyAndHuge(t *testing.T) {
	t.Parallel()
	for name, src := range map[string]string{"empty": "", "comment": "# x\n", "scalar": "x", "list": "- a\n", "huge": "#" + strings.Repeat("x", maxEntry), "null": "null\n"} {
		if _, err := parse(src); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// Whatever the bytes: an error of ours, or a dataset that makes a schema with sorted dictionaries and ordered bounds.
func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, src []byte) {
		d, err := Parse("f.yaml", src, nil)
		if err != nil {
			if e := (*Error)(nil); !errors.As(err, &e) || e.Message == "" {
				t.Fatalf("error %v", err)
			}
			return
		}
		s, err := d.Schema(1)
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range s.Tables {
			if !table.Public && (table.MaxRows < 1 || table.MaxRowsReason == "") {
				t.Fatal("a private table without a cap")
			}
			for _, c := range table.Columns {
				if c.Kind == 0 || c.Role == "" || c.LabelZH == "" || c.LabelEN == "" || c.Lo > c.Hi || c.Bounded && c.Reason == "" || !slices.IsSorted(c.Values) {
					t.Fatalf("column %q", c.Name)
				}
			}
		}
	})
}

func TestFixedPointRoundTrips(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		v, scale := rapid.Int64Range(-1e15, 1e15).Draw(rt, "v"), rapid.IntRange(0, 6).Draw(rt, "scale")
		got, ok := fixedPoint(formatFixed(v, scale), scale)
		if !ok || got != v {
			rt.Fatalf("%s is read as %d", formatFixed(v, scale), got)
		}
	})
}

// The real dataset's entry, written by another part of the house, must parse with the same rules.
func TestParseDiabetes(t *testing.T) {
	t.Parallel()
	file := filepath.Join("..", "..", "anonymize", "deid", "testdata", "diabetes130", "dataset.yaml")
	src, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the entry of Diabetes-130 is not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	lists, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	d, err := Parse("diabetes130/dataset.yaml", src, lists)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Schema(71518); err != nil {
		t.Error(err)
	}
}

// TestReasonsInBothLanguages: a reason is one text for both, or one each; a record of before has one.
func TestReasonsInBothLanguages(t *testing.T) {
	t.Parallel()
	d, err := parse(strings.Replace(small, `reason: "a notice"`, `reason: {zh: 通知, en: a notice}`, 1))
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Tables[0].RowsPerPerson.Reason; got != (Why{ZH: "通知", EN: "a notice"}) {
		t.Errorf("%+v", got)
	}
	s, err := d.Schema(10)
	if err != nil || s.Tables[0].MaxRowsReason != "a notice" || s.Tables[0].MaxRowsReasonZH != "通知" {
		t.Errorf("%+v, %v", s.Tables[0], err)
	}
	var old Cap
	if err := json.Unmarshal([]byte(`{"max": 3, "reason": "a rule"}`), &old); err != nil || old.Reason != (Why{ZH: "a rule", EN: "a rule"}) {
		t.Errorf("%+v, %v", old, err)
	}
	if err := json.Unmarshal([]byte(`{"max": 3, "reason": 7}`), &old); err == nil {
		t.Error("a number is no reason")
	}
}
