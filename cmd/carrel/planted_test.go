package main

import (
	"encoding/csv"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// identifiersOf reads the values of columns of a source table that name persons, without those that are too short to be told from other text.
func identifiersOf(t *testing.T, file string, columns ...string) map[string]bool {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // read only
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, c := range columns {
		at := slices.Index(rows[0], c)
		if at < 0 {
			t.Fatalf("%s has no column %s", file, c)
		}
		for _, row := range rows[1:] {
			if len(row[at]) >= 9 {
				out[row[at]] = true
			}
		}
	}
	return out
}

// What a steward's commands print and write, on paper and for machines, on success and on error, holds no identifier of anybody in the sources:
// profiles, drafts, build reports, verifications, risk reports as text, JSON and page, grades.
func TestStewardsSeeNoIdentifier(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := func(line string) string {
		out, _ := shell(t, line, "none.json", dir)
		return out
	}
	run("carrel demo generate --persons 400 --seed 5 --out tables")
	person := filepath.Join(dir, "tables", "person.csv")
	secrets := identifiersOf(t, person, "id_number", "name", "phone", "address")
	if len(secrets) < 800 {
		t.Fatalf("only %d identifiers in the sources", len(secrets))
	}
	if err := os.Symlink(filepath.Join(moduleRoot(t), "broker"), filepath.Join(dir, "broker")); err != nil {
		t.Fatal(err)
	}
	const recipe = "--recipe broker/jinhe/query.recipe.yaml"
	said := map[string]string{}
	for _, line := range []string{
		"carrel extract profile tables/person.csv tables/encounter.csv --recipe draft.yaml", "carrel extract profile tables/person.csv --json", "carrel --lang zh extract profile tables/cv_event.csv",
		"carrel extract build " + recipe + " --source tables --out x1 --json", "carrel extract build " + recipe + " --source tables --out x2",
		"carrel extract verify x1", "carrel extract verify x1 --json", "carrel extract risk x1 --html risk.html", "carrel extract risk x1 --json",
		"carrel --lang zh extract risk x1 --before tables " + recipe, "carrel extract grade x1", "carrel extract grade x1 --json --outside",
		"carrel extract search " + recipe + " --source tables --fields person.sex,person.district --k 3 --json",
	} {
		said[line] = run(line)
	}
	for _, file := range []string{"draft.yaml", "risk.html", "x1/manifest.json"} {
		raw, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		said[file] = string(raw)
	}
	// The same in columns where nobody expects it, so that the build has something to complain of.
	raw, err := os.ReadFile(person)
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(string(raw), "\n")
	at, id := slices.Index(strings.Split(head, ","), "birth_date"), slices.Index(strings.Split(head, ","), "id_number")
	lines := strings.Split(strings.TrimSuffix(body, "\n"), "\n")
	for i, l := range lines {
		if fields := strings.Split(l, ","); len(fields) == len(strings.Split(head, ",")) {
			fields[at] = fields[id]
			lines[i] = strings.Join(fields, ",")
		}
	}
	if err := os.WriteFile(person, []byte(head+"\n"+strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	said["a build that fails"] = run("carrel extract build " + recipe + " --source tables --out x3")
	said["a profile of what does not belong"] = run("carrel extract profile tables/person.csv --json")
	for _, where := range slices.Sorted(maps.Keys(said)) {
		if len(said[where]) < 20 {
			t.Errorf("%s said %q", where, said[where])
		}
		for s := range secrets {
			if strings.Contains(said[where], s) {
				t.Errorf("%s shows an identifier of %d bytes", where, len(s))
				break
			}
		}
	}
}
