package deid_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
	"carrel/anonymize/plan"
)

// citySchema is a small city in the tables' shapes of the demo: a table of persons, stays, laboratory results that
// refer to stays, and a public table of hospitals.
func citySchema() *plan.Schema {
	unit := plan.Column{Name: "person_id", Kind: plan.KindUnit, Role: plan.RoleUnit}
	hospital := plan.Column{Name: "hospital_id", Kind: plan.KindCode, Values: []string{"h1", "h2", "other"}, Codes: "hospital@1", Role: plan.RoleOther}
	return &plan.Schema{Dataset: "city", Tables: []plan.Table{
		{Name: "person", Unit: "person_id", MaxRows: 1, Columns: []plan.Column{
			unit,
			{Name: "sex", Kind: plan.KindCode, Values: []string{"female", "male", "other"}, Codes: "sex@1", Role: plan.RoleQuasi, Nullable: true},
			{Name: "birth_year", Kind: plan.KindInt, Bounded: true, Lo: 1935, Hi: 2025, Role: plan.RoleQuasi, Nullable: true},
			{Name: "district", Kind: plan.KindCode, Values: []string{"519901", "519902", "other"}, Codes: "district@1", Role: plan.RoleQuasi},
		}},
		{Name: "encounter", Unit: "person_id", RowKey: "encounter_id", MaxRows: 3, Columns: []plan.Column{
			{Name: "encounter_id", Kind: plan.KindKey, Role: plan.RoleOther},
			unit, hospital,
			{Name: "admitted", Kind: plan.KindDate, Bounded: true, Lo: 17532, Hi: 20453, Role: plan.RoleQuasi, Nullable: true},
			{Name: "age_band", Kind: plan.KindCode, Values: []string{"0-17", "18-64", "65+"}, Codes: "age@1", Role: plan.RoleQuasi, Nullable: true},
			{Name: "icd10", Kind: plan.KindCode, Values: []string{"I21.9", "I63.9", "other"}, Codes: "icd10@1", Role: plan.RoleSensitive},
			{Name: "total_cost", Kind: plan.KindDecimal, Scale: 2, Bounded: true, Lo: 0, Hi: 20_000_000, Role: plan.RoleSensitive, Nullable: true},
			{Name: "prescriber", Kind: plan.KindKey, Role: plan.RoleOther, Nullable: true},
		}},
		{Name: "lab_result", Unit: "person_id", MaxRows: 50, Columns: []plan.Column{
			unit,
			{Name: "encounter_id", Kind: plan.KindKey, Role: plan.RoleOther, Nullable: true},
			{Name: "value", Kind: plan.KindDecimal, Scale: 1, Bounded: true, Lo: 0, Hi: 1000, Role: plan.RoleSensitive, Nullable: true},
		}},
		{Name: "hospital", Public: true, RowKey: "hospital_id", Columns: []plan.Column{
			{Name: "hospital_id", Kind: plan.KindCode, Values: hospital.Values, Codes: hospital.Codes, Role: plan.RoleOther, MaxPerKey: 1},
			{Name: "grade", Kind: plan.KindInt, Bounded: true, Lo: 1, Hi: 3, Role: plan.RoleOther, MaxPerKey: 1},
		}},
	}}
}

const cityRecipe = `
recipe: city-query
kind: query
dataset: city
as_of: 2025-12-31
unit: {from: person.id_number, guardian: person.guarded, link: person_no, key: keyring:city-unit}
missing_unit: {at_most: 20%}
tables:
  person:
    id_number: drop
    guarded: drop
    name: drop
    sex: {map: {男: male, 女: female}}
    birth_date: {coarsen: year, as: birth_year, top_code: {age: 90}}
    district_code: {generalise: gbt2260, to: county, as: district}
  encounter:
    stay_no: {key: encounter, as: encounter_id}
    hospital: {as: hospital_id}
    admitted: [keep, {age_band: [0, 18, 65], birth: person.birth_date, as: age_band}]
    icd10: {fold: {codes: [B20.x00], into: other}}
    cost: {clamp: catalogue, fixed_point: 2, as: total_cost}
    doctor: {pseudonym: keyring:city-staff, as: prescriber}
    notes: drop
  lab_result:
    columns: {stay_no: {key: encounter, as: encounter_id}, value: keep}
  hospital:
    public: true
    columns: {hospital_id: keep, name: drop, grade: keep}
`

type city struct {
	t    *testing.T
	dir  string
	keys *deid.DirKeyRing
	seal *extract.Age
	n    int
}

func newCity(t *testing.T) *city {
	t.Helper()
	c := &city{t: t, dir: t.TempDir()}
	var err error
	if c.keys, err = deid.InitKeyRing(filepath.Join(c.dir, "keys"), "city-unit", "city-staff", "city-shift"); err != nil {
		t.Fatal(err)
	}
	secret, err := c.keys.Identity()
	if err != nil {
		t.Fatal(err)
	}
	if c.seal, err = extract.NewAge(secret); err != nil {
		t.Fatal(err)
	}
	return c
}

type files map[string]string

// cityFiles writes p persons with deterministic content: persons are 0..p-1, each with its own rows only.
func cityFiles(persons []int) files {
	f := files{
		"person.csv":     "person_no,id_number,guarded,name,sex,birth_date,district_code\n",
		"encounter.csv":  "stay_no,person_no,hospital,admitted,icd10,cost,doctor,notes\n",
		"lab_result.csv": "person_no,stay_no,value\n",
		"hospital.csv":   "hospital_id,name,grade\nh1,一院,3\nh2,二院,2\n",
	}
	for _, p := range persons {
		r := rand.New(rand.NewPCG(uint64(p), 7))
		f["person.csv"] += fmt.Sprintf("P%d,%s,0,SECRETNAME%d,%s,%d-0%d-11,51990%d\n", p, residentID(p), p, []string{"男", "女", "?"}[r.IntN(3)],
			1930+r.IntN(90), 1+r.IntN(9), 1+r.IntN(3))
		for e := range r.IntN(6) {
			f["encounter.csv"] += fmt.Sprintf("S%d-%d,P%d,h%d,20%d-05-0%d,%s,%d.%02d,DR%d,\"note, \"\"SECRETNOTE%d\"\"\nline\"\n", p, e, p, 1+r.IntN(3), 17+r.IntN(10),
				1+r.IntN(9), []string{"I21.9", "I63.9", "B20.x00", "Z99.9"}[r.IntN(4)], r.IntN(300000), r.IntN(100), r.IntN(5), p)
			for range r.IntN(3) {
				f["lab_result.csv"] += fmt.Sprintf("P%d,S%d-%d,%d.%d\n", p, p, e, r.IntN(120), r.IntN(10))
			}
		}
	}
	return f
}

func residentID(p int) string {
	body := fmt.Sprintf("510101%d0%d1%d%03d", 1940+p%60, 1+p%9, p%9, p%1000)
	sum := 0
	for i, w := range []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += w * int(body[i]-'0')
	}
	return body + string("10X98765432"[sum%11])
}

func (c *city) input(f files, recipe string) (deid.BuildInput, error) {
	c.n++
	src := filepath.Join(c.dir, fmt.Sprintf("src%d", c.n))
	if err := os.Mkdir(src, 0o700); err != nil {
		c.t.Fatal(err)
	}
	for name, text := range f {
		if err := os.WriteFile(filepath.Join(src, name), []byte(text), 0o600); err != nil {
			c.t.Fatal(err)
		}
	}
	r, err := deid.ParseRecipe("city.recipe.yaml", []byte(recipe))
	return deid.BuildInput{
		Recipe: r, Schema: citySchema(), Universe: "city", SourceDir: src, OutDir: filepath.Join(c.dir, fmt.Sprintf("out%d", c.n)),
		Keys: c.keys, Register: filepath.Join(c.dir, "persons.register"), Sealer: c.seal,
	}, err
}

func (c *city) build(f files, recipe string) (*extract.Manifest, *deid.Report, string, error) {
	in, err := c.input(f, recipe)
	if err != nil {
		return nil, nil, "", err
	}
	m, rep, err := deid.Build(context.Background(), in)
	return m, rep, in.OutDir, err
}

func (c *city) must(f files, recipe string) (*extract.Manifest, *deid.Report, *extract.Extract) {
	c.t.Helper()
	m, rep, dir, err := c.build(f, recipe)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := extract.Verify(context.Background(), dir, c.seal); err != nil {
		c.t.Fatal(err)
	}
	e, err := extract.Open(context.Background(), dir, c.seal)
	if err != nil {
		c.t.Fatal(err)
	}
	return m, rep, e
}

// rowsOf reads a table as text by person number (public tables under -1).
func rowsOf(t *testing.T, e *extract.Extract, table string) map[int64][]string {
	t.Helper()
	r, err := e.Reader(table)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	out := map[int64][]string{}
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		for row := range b.Rows() {
			person, line := int64(-1), ""
			for i, col := range r.Columns() {
				v, present := b.Value(i, row)
				if col.Kind == extract.KindNameUnit {
					person = v
				}
				if present {
					line += col.Text(v)
				}
				line += "|"
			}
			out[person] = append(out[person], line)
		}
	}
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func TestBuildCity(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	m, rep, e := c.must(cityFiles(upTo(300)), cityRecipe)
	if m.Persons != 300 || m.DPScope != extract.ScopeSource || m.Universe != "city" {
		t.Fatalf("manifest %+v", m)
	}
	s := citySchema()
	s.Persons = 300
	if err := e.MatchSchema(s); err != nil {
		t.Fatal(err)
	}
	s.Tables[1].MaxRows = 4
	if e.MatchSchema(s) == nil {
		t.Fatal("another cap matches")
	}
	for _, tr := range rep.Tables {
		sum := tr.Kept
		for _, n := range tr.Dropped {
			sum += n
		}
		if sum != tr.Read {
			t.Errorf("%s: read %d, kept and dropped %d", tr.Table, tr.Read, sum)
		}
		if tab, _ := m.Table(tr.Table); tab.Rows != tr.Kept {
			t.Errorf("%s: %d rows on disk, %d kept", tr.Table, tab.Rows, tr.Kept)
		}
	}
	above := int64(0)
	for _, tr := range rep.Tables {
		above += tr.Dropped[deid.DroppedAboveCap]
	}
	if above == 0 {
		t.Fatal("the cap of 3 never cut")
	}
	others := 0
	for p, rows := range rowsOf(t, e, "encounter") {
		if len(rows) > 3 {
			t.Fatalf("person %d has %d rows", p, len(rows))
		}
		for _, r := range rows {
			if cells := strings.Split(r, "|"); cells[2] == "other" && cells[5] == "other" {
				others++
			}
		}
	}
	if others == 0 {
		t.Fatal("no undeclared hospital and diagnosis folded into other")
	}
	if rows := rowsOf(t, e, "hospital")[-1]; !slices.Equal(rows, []string{"h1|3|", "h2|2|"}) {
		t.Fatalf("hospitals %v", rows)
	}
}

// TestRowKeysAgree joins laboratory results to stays by person and row key, in source and extract.
func TestRowKeysAgree(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	_, rep, e := c.must(cityFiles(upTo(200)), strings.Replace(cityRecipe, "city-query", "city-keys", 1))
	keys := map[string]bool{}
	for p, rows := range rowsOf(t, e, "encounter") {
		for _, r := range rows {
			keys[fmt.Sprintf("%d/%s", p, strings.SplitN(r, "|", 2)[0])] = true
		}
	}
	found, dangling := 0, 0
	for p, rows := range rowsOf(t, e, "lab_result") {
		for _, r := range rows {
			k := strings.Split(r, "|")[1]
			switch {
			case k == "":
				dangling++
			case keys[fmt.Sprintf("%d/%s", p, k)]:
				found++
			default:
				t.Fatalf("a result refers to stay %s of person %d, which is not there", k, p)
			}
		}
	}
	if found == 0 || dangling == 0 {
		t.Fatalf("%d found, %d dangling: the test tells nothing", found, dangling)
	}
	for _, tr := range rep.Tables {
		for _, cr := range tr.Columns {
			if tr.Table == "lab_result" && cr.Column == "encounter_id" && cr.Dangling != int64(dangling) {
				t.Fatalf("reported %d dangling, found %d", cr.Dangling, dangling)
			}
		}
	}
}

// TestDeletePerson is the neighbour relation of the guarantee: without one person, everybody else's rows are equal.
func TestDeletePerson(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	_, _, all := c.must(cityFiles(upTo(150)), cityRecipe)
	for _, gone := range []int{0, 17, 149} {
		rest := slices.DeleteFunc(upTo(150), func(p int) bool { return p == gone })
		_, rep, less := c.must(cityFiles(rest), cityRecipe)
		if rep.Persons != 150 || rep.Present != 149 {
			t.Fatalf("register %d, present %d", rep.Persons, rep.Present)
		}
		missing := map[int64]bool{}
		for _, table := range []string{"person", "encounter", "lab_result", "hospital"} {
			a, b := rowsOf(t, all, table), rowsOf(t, less, table)
			for p, rows := range a {
				if _, there := b[p]; !there {
					missing[p] = true
				} else if !slices.Equal(rows, b[p]) {
					t.Fatalf("%s: rows of person %d changed when another person went", table, p)
				}
			}
			for p := range b {
				if _, there := a[p]; !there {
					t.Fatalf("%s: person %d appeared", table, p)
				}
			}
		}
		if len(missing) != 1 {
			t.Fatalf("%d persons are gone, one was taken out", len(missing))
		}
	}
}

// TestShuffle: the order of source rows changes no byte of any table.
func TestShuffle(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	f := cityFiles(upTo(120))
	first, _, _ := c.must(f, cityRecipe)
	r := rand.New(rand.NewPCG(3, 4))
	for range 3 {
		g := files{}
		for name, text := range f {
			sep := "\n"
			if name == "encounter.csv" {
				sep = "\nline\"\n" // rows of this file go over two lines
			}
			head, body, _ := strings.Cut(text, "\n")
			rows := strings.SplitAfter(body, sep)
			rows = rows[:len(rows)-1]
			r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			g[name] = head + "\n" + strings.Join(rows, "")
		}
		m, _, _ := c.must(g, cityRecipe)
		for i := range m.Tables {
			if m.Tables[i].SHA256 != first.Tables[i].SHA256 {
				t.Fatalf("table %s changed with the order of its source", m.Tables[i].Name)
			}
		}
		if m.RegisterHash != first.RegisterHash || m.ID == first.ID {
			t.Fatal("the register changed, or two extracts share an id")
		}
	}
}

// TestNoIdentifierLeaks looks for identifiers and free text in manifest, report and plaintext of all tables.
func TestNoIdentifierLeaks(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	m, rep, e := c.must(cityFiles(upTo(80)), cityRecipe)
	var all strings.Builder
	for _, v := range []any{m, rep} {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(raw)
	}
	for _, tab := range e.Tables() {
		p, err := tab.Plain()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(p)
		if err != nil || int64(len(raw)) != tab.Size {
			t.Fatal(len(raw), err)
		}
		all.Write(raw)
	}
	text := all.String()
	for _, secret := range []string{"SECRET", "P7", "S7-", "DR1", "男", "510101", residentID(7)} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in the output", secret)
		}
	}
}

// built builds and opens an input that is there already.
func built(t *testing.T, in deid.BuildInput, c *city) (*extract.Manifest, *deid.Report, *extract.Extract, error) {
	t.Helper()
	m, rep, err := deid.Build(context.Background(), in)
	if err != nil {
		return nil, nil, nil, err
	}
	e, err := extract.Open(context.Background(), in.OutDir, c.seal)
	return m, rep, e, err
}
