package deid_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
	"carrel/anonymize/plan"
)

// edit is cityRecipe with one piece replaced; the piece must be there.
func edit(t *testing.T, old, with string) string {
	t.Helper()
	if !strings.Contains(cityRecipe, old) {
		t.Fatalf("the recipe has no %q", old)
	}
	return strings.Replace(cityRecipe, old, with, 1)
}

func TestRecipeMistakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ old, with, want string }{
		{"kind: query", "kind: query\nkindness: much", `line 4: the recipe has no field "kindness"`},
		{"kind: query", "kind: [query]", "kind must be a word"},
		{"kind: query", "kind: other", "kind must be one of"},
		{"missing_unit: {at_most: 20%}", "missing_unit: {at_most: lots}", "share"},
		{"as_of: 2025-12-31", "as_of: soon", "date"},
		{"key: keyring:city-unit", "key: abc", "keyring:name"},
		{"{clamp: catalogue,", "{clamp: catalogue, clip: 3,", `no field "clip"`},
		{"{clamp: catalogue, fixed_point: 2,", "{clamp: catalogue, pseudonym: keyring:x,", "two actions"},
		{"{fold: {codes: [B20.x00], into: other}}", "{micro_aggregate: 5}", "line 20: table encounter.icd10: micro_aggregate is a global step for handovers only"},
		{"admitted: [keep,", "admitted: [{shift: 30, key: keyring:city-shift},", "handovers only"},
		{"notes: drop", "notes: maybe", "must be one of: drop, keep"},
		{"notes: drop", "notes: drop\n    notes: drop", "twice"},
		{"value: keep", "value: &a keep", "anchors"},
		{"unit: {from: person.id_number,", "unit: {from: id_number,", "table.column"},
		{"link: person_no, ", "", "unit.guardian needs unit.link"},
		{"{age_band: [0, 18, 65],", "{age_band: [0, 65, 18],", "ascend"},
		{"codes: [B20.x00]", "codes: rare@1", `no list "rare@1"`},
	} {
		_, err := deid.ParseRecipe("r.yaml", []byte(edit(t, c.old, c.with)))
		var e *deid.RecipeError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) || e.File != "r.yaml" {
			t.Errorf("%s: %v, want %q", c.with, err, c.want)
		}
	}
	for _, src := range []string{"", "recipe: [", "a: b\n---\nc: d", "- a", "tables: 3", strings.Repeat("a", 5<<20)} {
		if _, err := deid.ParseRecipe("r.yaml", []byte(src)); err == nil {
			t.Errorf("%.20q: parsed", src)
		}
	}
}

func FuzzParseRecipe(f *testing.F) {
	f.Add(cityRecipe)
	f.Add("recipe: a\nkind: query\ndataset: b\nunit: {from: a.b, key: keyring:c}\ntables: {a: {b: drop}}")
	f.Fuzz(func(t *testing.T, src string) {
		r, err := deid.ParseRecipe("r.yaml", []byte(src))
		if e := (*deid.RecipeError)(nil); err != nil && !errors.As(err, &e) {
			t.Fatalf("an error of another kind: %v", err)
		}
		if err == nil && (r.DPScope() == extract.ScopeSource) != (len(r.Global()) == 0) {
			t.Fatal("a global step that nobody hears of")
		}
	})
}

// TestBuildMistakes holds recipes, catalogue and sources against each other.
func TestBuildMistakes(t *testing.T) {
	t.Parallel()
	base := cityFiles(upTo(40))
	with := func(name, old, to string) files {
		f := maps.Clone(base)
		if !strings.Contains(f[name], old) {
			t.Fatalf("%s has no %q", name, old)
		}
		f[name] = strings.Replace(f[name], old, to, 1)
		return f
	}
	add := func(name, row string) files {
		f := maps.Clone(base)
		f[name] += row
		return f
	}
	without := maps.Clone(base)
	delete(without, "lab_result.csv")
	row := "P1," + residentID(1) + ",0,SECRETX,男,1990-01-01,519901\n"
	for _, c := range []struct {
		name   string
		f      files
		recipe string
		want   string
	}{
		{"missing source", without, cityRecipe, "line 24: table lab_result: the source directory has no file lab_result.csv"},
		{"broken quotes", add("lab_result.csv", "P1,\"S1-0,5\n"), cityRecipe, "a quote is not closed"},
		{"quote inside", add("lab_result.csv", "P1,S\"1-0,5\n"), cityRecipe, "broken quotes"},
		{"text after quote", add("lab_result.csv", "P1,\"S1\"0,5\n"), cityRecipe, "broken quotes"},
		{"too few columns", add("lab_result.csv", "P1,5\n"), cityRecipe, "the row has 2 columns, the header has 3"},
		{"too many columns", add("lab_result.csv", "P1,S1-0,5,6\n"), cityRecipe, "the row has 4 columns"},
		{"not a text", add("lab_result.csv", "P1,S1-0,\xff\xff\n"), cityRecipe, "neither UTF-8 nor GB 18030"},
		{"utf-16", func() files { f := maps.Clone(base); f["hospital.csv"] = "\xff\xfea\x00"; return f }(), cityRecipe, "UTF-16"},
		{"an archive", func() files { f := maps.Clone(base); f["hospital.csv"] = "PK\x03\x04\x14\x00\xff\xff"; return f }(), cityRecipe, "hospital.csv: the file is an archive or a workbook: unpack it"},
		{"empty file", func() files { f := maps.Clone(base); f["hospital.csv"] = ""; return f }(), cityRecipe, "not even a header"},
		{"column gone", with("encounter.csv", "doctor", "medic"), cityRecipe, `the header has no column "doctor"`},
		{"column twice", with("encounter.csv", "hospital,", "cost,"), cityRecipe, "column"},
		{"undeclared column", base, edit(t, "    notes: drop\n", ""), "1 columns are not in the recipe, the first is number 8"},
		{"one row a person", add("person.csv", row), cityRecipe, "1 rows are a second row of a person"},
		{"two persons by one number", add("person.csv", "P1,"+residentID(99)+",0,SECRETX,男,1990-01-01,519901\n"), cityRecipe, "must name one person"},
		{"unlinked", add("encounter.csv", strings.Repeat("SX,NOBODY,h1,2020-01-01,I21.9,1,D1,\n", 200)), cityRecipe, "name no person of the register"},
		{"no person", add("encounter.csv", strings.Repeat("SX,,h1,2020-01-01,I21.9,1,D1,\n", 200)), cityRecipe, "name no person of the register"},
		{"row key twice", add("encounter.csv", "K,P1,h1,2020-01-01,I21.9,1,D1,\nK,P1,h1,2020-01-02,I21.9,1,D1,\n"), cityRecipe, "repeat a row key"},
		{"row key missing", add("encounter.csv", ",P1,h1,2020-01-01,I21.9,1,D1,\n"), cityRecipe, "lack the row key"},
		{"guardian flag", add("person.csv", "P900,"+residentID(900)+",maybe,SECRETX,男,1990-01-01,519901\n"), cityRecipe, "neither 0 nor 1"},
		{"public key twice", add("hospital.csv", "h1,三院,1\n"), cityRecipe, "rows share one value"},
		{"public value undeclared", add("hospital.csv", "h9,SECRETX,7\n"), edit(t, "hospital_id: keep, name: drop, grade: keep", "hospital_id: keep, name: drop, grade: {map: {3: 3}}"), "cannot be read"},
		{"table not said", base, edit(t, "  lab_result:\n    columns: {stay_no: {key: encounter, as: encounter_id}, value: keep}\n", ""), `says nothing of table "lab_result"`},
		{"column not made", base, edit(t, "value: keep", "value: drop"), `no step makes column "value"`},
		{"column unknown", base, edit(t, "value: keep", "value: {as: worth}"), `no column "worth"`},
		{"not public", base, edit(t, "    public: true\n", ""), "public must be true"},
		{"no such key", base, edit(t, "city-staff", "other-staff"), `no key "other-staff"`},
		{"no owner of keys", base, edit(t, "stay_no: {key: encounter, as: encounter_id}, value", "stay_no: {key: stays, as: encounter_id}, value"), "no table has its row key"},
		{"row key kept", base, edit(t, "    stay_no: {key: encounter, as: encounter_id}\n", "    stay_no: {as: encounter_id}\n"), "comes from the step key"},
		{"top code without a date", base, edit(t, "as_of: 2025-12-31\n", ""), "as_of"},
		{"band not declared", base, edit(t, "[0, 18, 65]", "[0, 20, 65]"), "not a value that the catalogue declares"},
		{"map to nowhere", base, edit(t, "男: male", "男: man"), "not a value that the catalogue declares"},
		{"fold to nowhere", base, edit(t, "into: other", "into: rest"), "not in the dictionary"},
		{"decimals", base, edit(t, "fixed_point: 2", "fixed_point: 3"), "declares 2 decimals"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			city := newCity(t)
			_, _, dir, err := city.build(c.f, c.recipe)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, want %q", err, c.want)
			}
			for _, secret := range []string{"SECRET", "P1", "NOBODY", "S1-", residentID(1), residentID(99)} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error holds %q: %v", secret, err)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %v", err)
			}
			left, _ := filepath.Glob(filepath.Join(city.dir, "*"))
			hidden, _ := filepath.Glob(filepath.Join(city.dir, ".*"))
			if len(left) != 2 || len(hidden) != 0 { // keys and sources
				t.Errorf("left behind: %d and %d things; %v", len(left), len(hidden), dir)
			}
		})
	}
}

func TestDuplicatesDeclared(t *testing.T) {
	t.Parallel()
	f := cityFiles(upTo(40))
	old := residentID(1)
	f["person.csv"] += "P901," + old[:6] + old[8:17] + ",0,SECRETX,男,1990-01-01,519901\n" // the old form of the number: the same person
	r := edit(t, "  person:\n", "  person:\n   duplicates: {at_most: 5%}\n   columns:\n")
	c := newCity(t)
	_, rep, _ := c.must(f, r)
	if rep.Persons != 40 || rep.IDs.Resident15 != 1 {
		t.Fatalf("%+v", rep)
	}
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	f := cityFiles(upTo(60))
	want, _, _ := c.must(f, cityRecipe)
	for name, change := range map[string]func(string) string{
		"byte order mark": func(s string) string { return "\xef\xbb\xbf" + s },
		"windows lines":   func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
		"gb18030": func(s string) string {
			out, err := simplifiedchinese.GB18030.NewEncoder().String(s)
			if err != nil {
				t.Fatal(err)
			}
			return out
		},
		"no last line end": func(s string) string { return strings.TrimSuffix(s, "\n") },
	} {
		g := files{}
		for n, text := range f {
			g[n] = change(text)
		}
		m, _, _ := c.must(g, cityRecipe)
		for i := range m.Tables {
			// lab_result has no row key: its rank comes from the row's text, which is the same in every encoding.
			if m.Tables[i].SHA256 != want.Tables[i].SHA256 {
				t.Errorf("%s: table %s differs", name, m.Tables[i].Name)
			}
		}
	}
}

func TestRegister(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	f := cityFiles(upTo(50))
	c.must(f, cityRecipe)
	g := cityFiles(upTo(55))
	_, rep, e := c.must(g, cityRecipe)
	if rep.Persons != 50 || rep.Unknown != 5 || len(rowsOf(t, e, "person")) != 50 {
		t.Fatalf("persons who came later are in: %+v", rep)
	}
	path := filepath.Join(c.dir, "persons.register")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[100] ^= 1
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := c.build(f, cityRecipe); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Fatal(err)
	}
	// Another version numbers persons anew.
	d := newCity(t)
	_, _, one := d.must(f, cityRecipe)
	_, _, two := d.must(f, edit(t, "dataset: city", "dataset: city\nversion: \"2\""))
	same := 0
	a, b := rowsOf(t, one, "person"), rowsOf(t, two, "person")
	for p := range a {
		if slices.Equal(a[p], b[p]) {
			same++
		}
	}
	if same > 25 {
		t.Fatalf("%d of 50 persons kept number and row in another version", same)
	}
}

func TestHandover(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	f := cityFiles(upTo(300))
	plainRecipe := edit(t, "kind: query", "kind: handover")
	m, _, plainE := c.must(f, plainRecipe)
	if m.Kind != extract.KindHandover || m.DPScope != extract.ScopeSource {
		t.Fatalf("%s %s", m.Kind, m.DPScope)
	}
	shifted := strings.Replace(plainRecipe, "admitted: [keep,", "admitted: [{shift: 30, key: keyring:city-shift},", 1)
	shifted = strings.Replace(shifted, "{codes: [B20.x00], into", "{rarer_than: 10000, into", 1)
	m, rep, e := c.must(f, shifted)
	if m.DPScope != extract.ScopeExtract {
		t.Fatal("a global step, and the scope is source")
	}
	a, b := rowsOf(t, plainE, "encounter"), rowsOf(t, e, "encounter")
	offsets := map[time.Duration]int{}
	for p := range a {
		var first *time.Duration
		for i := range a[p] {
			x, y := strings.Split(a[p][i], "|"), strings.Split(b[p][i], "|")
			if y[5] != "other" {
				t.Fatalf("a rare code stays: %s", y[5])
			}
			if y[3] == "" {
				continue // it left the bounds of the catalogue
			}
			d1, err1 := time.Parse(time.DateOnly, x[3])
			d2, err2 := time.Parse(time.DateOnly, y[3])
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			if edge := "2018-01-01 2025-12-31"; strings.Contains(edge, x[3]) {
				continue // clamped to the bounds of the catalogue where nothing shifts
			}
			d := d2.Sub(d1)
			if first == nil {
				first = &d
			}
			if *first != d || d.Abs() > 30*24*time.Hour {
				t.Fatalf("a person's dates shift by %s and %s", *first, d)
			}
		}
		if first != nil {
			offsets[*first]++
		}
	}
	if len(offsets) < 20 {
		t.Fatalf("only %d different offsets", len(offsets))
	}
	for _, tr := range rep.Tables {
		for _, col := range tr.Columns {
			if col.Column == "icd10" && col.Folded == 0 {
				t.Fatal("folding was not counted")
			}
		}
	}
}

func TestExclusions(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	f := cityFiles(upTo(60))
	r := edit(t, "missing_unit:", "exclude: {objections: true, level5: true, under14: unless-guardian-consents}\nmissing_unit:")
	if _, _, _, err := c.build(f, r); err == nil || !strings.Contains(err.Error(), "objections.csv") {
		t.Fatal(err)
	}
	f["person.csv"] += "P900," + residentID(61) + ",0,SECRETX,男,2020-01-01,519901\nP901," + residentID(62) + ",0,SECRETX,男,2020-01-01,519901\n"
	f["objections.csv"] = "person_no\nP3\nP4\nP77777\n"
	f["consents.csv"] = "person_no\nP901\n"
	children := int64(0)
	for _, line := range strings.Split(f["person.csv"], "\n")[1:] {
		if fields := strings.Split(line, ","); len(fields) > 5 && fields[5] >= "2012" && fields[0] != "P901" && fields[0] != "P3" && fields[0] != "P4" {
			children++
		}
	}
	_, rep, _ := c.must(f, r)
	if rep.Excluded != 2+children || children == 0 || rep.Persons != 62 {
		t.Fatalf("%d excluded, expected %d: %+v", rep.Excluded, 2+children, rep)
	}
	listsOfAnyForm(t, c, f, r, rep.Excluded)
	in, err := c.input(f, r)
	if err != nil {
		t.Fatal(err)
	}
	in.Schema.Tables[0].Columns[1].Level = 5
	if _, _, err := deid.Build(context.Background(), in); err == nil || !strings.Contains(err.Error(), "level 5") {
		t.Fatal(err)
	}
	in.Schema = citySchema()
	in.Schema.Tables[0].Columns[1].Role = plan.RoleIdentifier
	if _, _, err := deid.Build(context.Background(), in); err == nil || !strings.Contains(err.Error(), "identifier") {
		t.Fatal(err)
	}
}

// listsOfAnyForm gives the list of objections in each form that sources have. One whose records name nobody stops the build: who objected would be
// overlooked.
func listsOfAnyForm(t *testing.T, c *city, f files, recipe string, excluded int64) {
	t.Helper()
	was := f["objections.csv"]
	delete(f, "objections.csv")
	gbk, err := simplifiedchinese.GBK.NewEncoder().String("备注,person_no\n撤回,P3\n反对,P4\n")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"objections.ndjson":    "{\"person_no\":\"P3\",\"reason\":{\"text\":\"-\"}}\n{\"person_no\":\"P4\"}\n{\"person_no\":\"P77777\"}\n",
		"objections.csv":       gbk,
		"objections.csv.gz":    packed("person_no\nP3\nP4\n"),
		"objections.ndjson.gz": packed("{\"person_no\":\"P3\"}\n{\"person_no\":\"P4\"}\n"),
	} {
		f[name] = text
		if _, rep, _, err := c.build(f, recipe); err != nil || rep.Excluded != excluded {
			t.Errorf("%s: %+v %v", name, rep, err)
		}
		delete(f, name)
	}
	f["objections.ndjson"] = "{\"person_no\":\"P3\"}\n{\"person\":\"SECRETP4\"}\n"
	if _, _, _, err := c.build(f, recipe); err == nil || !strings.Contains(err.Error(), `objections.ndjson line 2: the record names nobody: it has no "person_no"`) {
		t.Errorf("a list without names: %v", err)
	}
	delete(f, "objections.ndjson")
	f["objections.csv"] = was
}

// TestDiskFullAndCancel: a build that cannot finish leaves nothing.
func TestDiskFullAndCancel(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	in, err := c.input(cityFiles(upTo(50)), cityRecipe)
	if err != nil {
		t.Fatal(err)
	}
	good := in.Sealer
	in.Sealer = failing{}
	if _, _, err := deid.Build(context.Background(), in); !errors.Is(err, extract.ErrDiskFull) {
		t.Fatal(err)
	}
	in.Sealer = good
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := deid.Build(ctx, in); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	for _, path := range []string{in.OutDir, in.Register} {
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left behind", filepath.Base(path))
		}
	}
	hidden, _ := filepath.Glob(filepath.Join(c.dir, ".*"))
	if len(hidden) != 0 {
		t.Error("a temporary directory is left behind")
	}
}

type failing struct{ extract.Sealer }

func (failing) Seal(io.Writer) (io.WriteCloser, error) { return failing{}, nil }
func (failing) Write([]byte) (int, error)              { return 0, syscall.ENOSPC }
func (failing) Close() error                           { return nil }
