package deid_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
	"carrel/anonymize/plan"
)

// wardSchema is a chain of three steps: a person has stays, a stay wards, a ward readings.
func wardSchema() *plan.Schema {
	unit := plan.Column{Name: "person_id", Kind: plan.KindUnit, Role: plan.RoleUnit}
	key := func(name string) plan.Column {
		return plan.Column{Name: name, Kind: plan.KindKey, Role: plan.RoleOther}
	}
	value := plan.Column{Name: "value", Kind: plan.KindInt, Bounded: true, Lo: 0, Hi: 999, Role: plan.RoleSensitive}
	return &plan.Schema{Dataset: "ward", Tables: []plan.Table{
		{Name: "person", Unit: "person_id", MaxRows: 1, Columns: []plan.Column{unit, value}},
		{Name: "stay", Unit: "person_id", RowKey: "stay_id", MaxRows: 2, Columns: []plan.Column{key("stay_id"), unit, value}},
		{Name: "ward", Unit: "person_id", RowKey: "ward_id", MaxRows: 3, Columns: []plan.Column{key("ward_id"), key("stay_id"), unit, value}},
		{Name: "reading", Unit: "person_id", RowKey: "reading_id", MaxRows: 4, Columns: []plan.Column{key("reading_id"), unit, value}},
	}}
}

const wardRecipe = `
recipe: ward-query
kind: query
dataset: ward
unit: {from: person.id_number, link: person_no, form: local, key: keyring:city-unit}
exclude: {objections: true}
missing_unit: {at_most: 100%}
tables:
  person: {id_number: drop, value: keep}
  stay: {stay_no: {key: stay, as: stay_id}, value: keep}
  ward:
    THROUGH: stay.stay_no
    columns: {stay_no: {key: stay, as: stay_id}, ward_no: {key: ward, as: ward_id}, value: keep}
  reading:
    link: where
    THROUGH: ward.ward_no
    columns: {reading_no: {key: reading, as: reading_id}, where: drop, value: keep}
`

// reached is the recipe with the unit reached over keys; spelled is the same where every table names the person.
func reached() string { return strings.ReplaceAll(wardRecipe, "THROUGH:", "through:") }

func spelled() string {
	s := strings.Replace(wardRecipe, "    THROUGH: stay.stay_no\n", "    link: person_no\n", 1)
	s = strings.Replace(s, "    link: where\n    THROUGH: ward.ward_no\n", "    link: person_no\n", 1)
	return s
}

// wardRow is a row of any of the tables below person: its key, the key above it, whose it is, its value.
type wardRow struct {
	key, above, person string
	value              int
}

// wards are sources of the chain, before they are written.
type wards struct {
	persons               []string
	stays, wards, reading []wardRow
	objections            []string
}

func (w *wards) files(withPerson bool, r *rand.Rand) files {
	f := files{"person.csv": "person_no,id_number,value\n", "objections.csv": "person_no\n" + strings.Join(append(slices.Clone(w.objections), ""), "\n")}
	var persons []string
	for _, p := range w.persons {
		persons = append(persons, fmt.Sprintf("%s,ID%s,%d\n", p, p, p[len(p)-1]%7))
	}
	f["person.csv"] += mixed(persons, r)
	write := func(name, head string, rows []wardRow, line func(wardRow) string) {
		if withPerson {
			head += ",person_no"
		}
		var lines []string
		for _, x := range rows {
			l := line(x)
			if withPerson {
				l += "," + x.person
			}
			lines = append(lines, l+"\n")
		}
		f[name] = head + "\n" + mixed(lines, r)
	}
	above := func(x wardRow) string { return fmt.Sprintf("%s,%s,%d", x.key, x.above, x.value) }
	var stays []string
	for _, x := range w.stays {
		stays = append(stays, fmt.Sprintf("%s,%s,%d\n", x.key, x.person, x.value))
	}
	f["stay.csv"] = "stay_no,person_no,value\n" + mixed(stays, r)
	write("ward.csv", "ward_no,stay_no,value", w.wards, above)
	write("reading.csv", "reading_no,where,value", w.reading, above)
	return f
}

func mixed(lines []string, r *rand.Rand) string {
	lines = slices.Clone(lines)
	r.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	return strings.Join(lines, "")
}

// without takes a person out of the sources: all rows that are the person's, however far below.
func (w *wards) without(person string) *wards {
	his := func(x wardRow) bool { return x.person == person }
	return &wards{
		persons: slices.DeleteFunc(slices.Clone(w.persons), func(p string) bool { return p == person }),
		stays:   slices.DeleteFunc(slices.Clone(w.stays), his), wards: slices.DeleteFunc(slices.Clone(w.wards), his),
		reading: slices.DeleteFunc(slices.Clone(w.reading), his), objections: w.objections,
	}
}

// drawWards draws sources: stays of nobody and of strangers, wards and readings whose key is nowhere or missing, persons who objected, more rows than
// the caps let through. Keys of different tables look alike on purpose.
func drawWards(t *rapid.T) *wards {
	w, r := &wards{}, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "sources"), 1)) // rapid's own numbers keep to the small ones
	for i := range 1 + r.IntN(8) {
		w.persons = append(w.persons, fmt.Sprintf("P%d", i))
	}
	owners := append(slices.Clone(w.persons), "STRANGER", "")
	for i := range r.IntN(30) {
		w.stays = append(w.stays, wardRow{key: fmt.Sprintf("K%d", i), person: owners[r.IntN(len(owners))], value: r.IntN(1000)})
	}
	below := func(from []wardRow, n int) (out []wardRow) {
		for i := range r.IntN(n + 1) {
			x := wardRow{key: fmt.Sprintf("K%d", i), value: r.IntN(1000)}
			switch at := r.IntN(len(from)+2) - 2; at {
			case -2:
				x.above, x.person = "NOWHERE", "STRANGER" // both ways no row of a person, for the same reason
			case -1: // neither key nor person
			default:
				x.above, x.person = from[at].key, from[at].person
				if x.person == "" {
					x.person = "STRANGER" // over keys the row of nobody is found, and it leads nowhere
				}
			}
			out = append(out, x)
		}
		return out
	}
	w.wards = below(w.stays, 40)
	w.reading = below(w.wards, 60)
	for i := range w.reading { // a ward without a person leads nowhere either
		if w.reading[i].above != "" && w.reading[i].person == "" {
			w.reading[i].person = "STRANGER"
		}
	}
	if r.IntN(2) == 0 {
		w.objections = w.persons[:1]
	}
	return w
}

// wardsBuild builds into a city's directory with its keys; the register is the city's own.
func (c *city) wardsBuild(f files, recipe string) (*extract.Manifest, *deid.Report, string, error) {
	in, err := c.input(f, recipe)
	if err != nil {
		return nil, nil, "", err
	}
	in.Schema = wardSchema()
	m, rep, err := deid.Build(context.Background(), in)
	return m, rep, in.OutDir, err
}

// packed is a file as gzip.
func packed(text string) string {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return out.String()
}

// dressed writes some tables as Parquet and some packed.
func dressed(t *testing.T, f files, r *rand.Rand) files {
	out := files{}
	for _, name := range slices.Sorted(maps.Keys(f)) {
		switch text := f[name]; {
		case r.IntN(3) == 0:
			out[name+".gz"] = packed(text)
		case r.IntN(2) == 0 && strings.Count(text, "\n") > 1:
			out[strings.TrimSuffix(name, ".csv")+".parquet"] = asParquet(t, text)
		default:
			out[name] = text
		}
	}
	return out
}

// TestThroughIsTheColumn: a unit reached over keys gives, byte for byte, the extract that the sources with the person's column in every table
// give, whatever their order and form; and without one person all others' rows stay as they are.
func TestThroughIsTheColumn(t *testing.T) {
	t.Parallel()
	seen := map[string]int64{}
	rapid.Check(t, func(rt *rapid.T) {
		if rapid.IntRange(0, 3).Draw(rt, "one in four") > 0 {
			return // a case is four builds
		}
		w, r := drawWards(rt), rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "order"), 1))
		c := newCity(t)
		defer func() { _ = os.RemoveAll(c.dir) }()
		_, wantRep, wantDir, err := c.wardsBuild(w.files(true, r), spelled())
		if err != nil {
			rt.Fatal(err)
		}
		_, rep, dir, err := c.wardsBuild(dressed(t, w.files(false, r), r), reached())
		if err != nil {
			rt.Fatal(err)
		}
		want, got := c.tables(t, wantDir), c.tables(t, dir)
		if !reflect.DeepEqual(want, got) {
			rt.Fatalf("over keys %v, by the column %v", got, want)
		}
		for i := range rep.Tables {
			if !reflect.DeepEqual(rep.Tables[i], wantRep.Tables[i]) {
				rt.Fatalf("over keys %+v, by the column %+v", rep.Tables[i], wantRep.Tables[i])
			}
			for why, n := range rep.Tables[i].Dropped {
				seen[rep.Tables[i].Table+" "+why] += n
			}
			seen[rep.Tables[i].Table] += rep.Tables[i].Kept
		}
		gone := rapid.SampledFrom(w.persons).Draw(rt, "gone")
		_, _, less, err := c.wardsBuild(w.without(gone).files(false, r), reached())
		if err != nil {
			rt.Fatal(err)
		}
		othersEqual(rt, got, c.tables(t, less))
	})
	if testing.Short() {
		return // five cities are too few to hold everything
	}
	for _, what := range []string{"reading", "ward", "reading unlinked", "reading no-unit", "ward unlinked", "ward excluded", "reading excluded", "reading above-cap"} {
		if seen[what] == 0 && !t.Failed() {
			t.Errorf("the test has no power: never %s: %v", what, seen)
		}
	}
}

// tables reads all private tables of an extract, by table and person.
func (c *city) tables(t *testing.T, dir string) map[string]map[int64][]string {
	t.Helper()
	e, err := extract.Open(context.Background(), dir, c.seal)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[int64][]string{}
	for _, tab := range e.Tables() {
		out[tab.Name] = rowsOf(t, e, tab.Name)
	}
	return out
}

// othersEqual: of the persons of the whole at most one is missing, and all that are left have the rows that they had.
func othersEqual(t interface{ Fatalf(string, ...any) }, whole, less map[string]map[int64][]string) {
	missing := map[int64]bool{}
	for table, persons := range whole {
		for p, rows := range persons {
			if _, there := less[table][p]; !there {
				missing[p] = true
			} else if !slices.Equal(rows, less[table][p]) {
				t.Fatalf("%s: rows of person %d changed when another person went", table, p)
			}
		}
		for p := range less[table] {
			if _, there := persons[p]; !there {
				t.Fatalf("%s: person %d appeared when another person went", table, p)
			}
		}
	}
	if len(missing) > 1 {
		t.Fatalf("%d persons are gone, one was taken out", len(missing))
	}
}

// fixedWards are two persons with a stay, a ward and a reading each.
func fixedWards() *wards {
	return &wards{
		persons: []string{"SECRETA", "SECRETB"},
		stays:   []wardRow{{key: "SECRET1", person: "SECRETA"}, {key: "SECRET2", person: "SECRETB"}},
		wards:   []wardRow{{key: "SECRET3", above: "SECRET1", person: "SECRETA"}, {key: "SECRET4", above: "SECRET2", person: "SECRETB"}},
		reading: []wardRow{{key: "SECRET5", above: "SECRET3", person: "SECRETA"}, {key: "SECRET6", above: "SECRET4", person: "SECRETB"}},
	}
}

// TestSharedKeys: a key of two persons, or of a person and of nobody, stops the build with counts, in whatever order its rows come; a key that
// repeats within one person does not.
func TestSharedKeys(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*wards)
		want   string // "" builds
	}{
		{"as it is", func(*wards) {}, ""},
		{"a stay of two persons", func(w *wards) { w.stays = append(w.stays, wardRow{key: "SECRET1", person: "SECRETB"}) },
			`table "stay": 1 of 2 values of column "stay_no" stand in rows of more than one person`},
		{"a stay of a person and of nobody", func(w *wards) { w.stays = append(w.stays, wardRow{key: "SECRET1"}) }, `table "stay": 1 of 2 values`},
		{"a stay of a person and of a stranger", func(w *wards) { w.stays = append(w.stays, wardRow{key: "SECRET2", person: "SECRETX"}) }, `table "stay": 1 of 2 values`},
		{"a ward in stays of two persons", func(w *wards) { w.wards = append(w.wards, wardRow{key: "SECRET3", above: "SECRET2"}) },
			`table "ward": 1 of 2 values of column "ward_no"`},
		{"a ward in a stay and nowhere", func(w *wards) { w.wards = append(w.wards, wardRow{key: "SECRET3", above: "SECRET9"}) }, `table "ward": 1 of 2 values`},
		{"a ward of one who objected and of another", func(w *wards) {
			w.objections = []string{"SECRETA"}
			w.wards = append(w.wards, wardRow{key: "SECRET4", above: "SECRET1"})
		}, `table "ward": 1 of 2 values`},
		{"two shared stays", func(w *wards) {
			w.stays = append(w.stays, wardRow{key: "SECRET1", person: "SECRETB"}, wardRow{key: "SECRET2", person: "SECRETA"}, wardRow{key: "SECRET2", person: "SECRETA"})
		}, `table "stay": 2 of 2 values`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			said := map[string]bool{}
			for order := range uint64(6) {
				w := fixedWards()
				c.change(w)
				made := newCity(t)
				_, _, dir, err := made.wardsBuild(w.files(false, rand.New(rand.NewPCG(order, 2))), reached())
				if c.want == "" {
					if err != nil {
						t.Fatal(err)
					}
					continue
				}
				if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "SECRET") {
					t.Fatalf("%v, want %q", err, c.want)
				}
				said[err.Error()] = true
				if _, err := os.Stat(dir); err == nil {
					t.Fatal("a part of an extract is left")
				}
				if left, _ := filepath.Glob(filepath.Join(made.dir, "*register*")); len(left) > 0 {
					t.Fatal("a register is left")
				}
			}
			if len(said) > 1 {
				t.Fatalf("the order of rows changes what is said: %v", said)
			}
		})
	}
}

// TestKeysRepeatInsideAPerson: through needs no unique key, and rows that the cap leaves out are keys all the same.
func TestKeysRepeatInsideAPerson(t *testing.T) {
	t.Parallel()
	w := fixedWards()
	recipe := strings.Replace(reached(), "stay: {stay_no: {key: stay, as: stay_id}, value: keep}", "stay:\n    columns: {stay_no: {key: stay, as: stay_id}, episode: drop, value: keep}", 1)
	recipe = strings.Replace(recipe, "through: stay.stay_no", "link: stay_no\n    through: stay.episode", 1)
	f := w.files(false, rand.New(rand.NewPCG(1, 2)))
	f["stay.csv"] = "stay_no,person_no,value,episode\nS1,SECRETA,1,E1\nS2,SECRETA,2,E1\nS3,SECRETA,3,E1\nS4,SECRETA,3,E2\nS5,SECRETB,3,\nS6,SECRETA,3,\n"
	f["ward.csv"] = "ward_no,stay_no,value\nW1,E1,1\nW2,E2,2\nW3,,3\n"
	f["reading.csv"] = "reading_no,where,value\nR1,W1,1\nR2,W2,2\nR3,W3,3\n"
	c := newCity(t)
	_, rep, dir, err := c.wardsBuild(f, recipe)
	if err != nil {
		t.Fatal(err)
	}
	got := c.tables(t, dir)
	for _, table := range []string{"ward", "reading"} {
		for p, rows := range got[table] {
			if len(rows) != 2 {
				t.Errorf("%s: person %d has %d rows", table, p, len(rows))
			}
		}
		if len(got[table]) != 1 {
			t.Errorf("%s: rows of %d persons", table, len(got[table]))
		}
	}
	for _, r := range rep.Tables {
		if r.Table == "stay" && r.Dropped[deid.DroppedAboveCap] != 3 || r.Table == "ward" && r.Dropped[deid.DroppedNoUnit] != 1 ||
			r.Table == "reading" && r.Dropped[deid.DroppedUnlinked] != 1 {
			t.Errorf("%+v", r)
		}
	}
}

// TestHiddenLink: a table that the catalogue lacks may say whose a key is, and enters no extract.
func TestHiddenLink(t *testing.T) {
	t.Parallel()
	w := fixedWards()
	recipe := strings.Replace(reached(), "columns: {stay_no: {key: stay, as: stay_id}, ward_no: {key: ward, as: ward_id}, value: keep}", "columns: {stay_no: drop, ward_no: drop, value: drop}", 1)
	c := newCity(t)
	in, err := c.input(w.files(false, rand.New(rand.NewPCG(1, 2))), recipe)
	if err != nil {
		t.Fatal(err)
	}
	in.Schema = wardSchema()
	in.Schema.Tables = slices.Delete(in.Schema.Tables, 2, 3)
	m, rep, err := deid.Build(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	if _, there := m.Table("ward"); there || m.Rows()["reading"] != 2 || len(rep.Tables) != 4 {
		t.Fatalf("%v, %d reports", m.Rows(), len(rep.Tables))
	}
}

func TestThroughMistakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ old, with, want string }{
		{"through: stay.stay_no", "through: stay", "line 12: table ward.through must be table.column"},
		{"through: stay.stay_no", "through: [stay]", "must be a word"},
		{"through: stay.stay_no", "through: nowhere.stay_no", `line 12: table ward: through names table "nowhere", which is not a private table of the recipe`},
		{"through: stay.stay_no", "through: reading.where", "the way to the person goes in a circle"},
		{"through: stay.stay_no", "through: ward.stay_no", "the way to the person goes in a circle"},
		{"through: stay.stay_no", "public: true\n    through: stay.stay_no", "a public table has no persons to reach"},
		{"through: stay.stay_no", "through: stay.stay_number", `the header has no column "stay_number"`},
		{"through: stay.stay_no", "link: stay_number\n    through: stay.stay_no", `the header has no column "stay_number"`},
		{"person: {id_number: drop, value: keep}", "person:\n    link: person_no\n    through: stay.person_no\n    columns: {id_number: drop, value: keep}", "the table of unit.from names its persons itself"},
		{"stay: {stay_no: {key: stay, as: stay_id}, value: keep}", "stay: {stay_no: {key: stay, as: stay_id}, value: {key: ward}}", "key gives nothing else"},
		{"missing_unit: {at_most: 100%}", "missing_unit: {at_most: 0%}", "name no person of the register"},
	} {
		if !strings.Contains(reached(), c.old) {
			t.Fatalf("the recipe has no %q", c.old)
		}
		w := fixedWards()
		w.reading = append(w.reading, wardRow{key: "SECRET7", above: "SECRET8"})
		_, _, _, err := newCity(t).wardsBuild(w.files(false, rand.New(rand.NewPCG(1, 2))), strings.Replace(reached(), c.old, c.with, 1))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v, want %q", c.with, err, c.want)
		}
	}
}
