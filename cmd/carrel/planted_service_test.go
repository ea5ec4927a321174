package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"carrel/broker/jinhe/jinhetest"
)

// A steward's whole way with sources full of identifiers, one of every kind in every column of text: what commands print in both languages, drafts,
// reports as JSON and page, errors of builds that fail, what the service logs while it runs, its database, its decisions and the exported log hold none
// of them in any form.
func TestNoIdentifierComesBack(t *testing.T) {
	t.Parallel()
	c := aTown(t)
	w := walked(t, "jinhe", c)
	source := filepath.Join(w.dir, "planted")
	if err := os.CopyFS(source, os.DirFS(filepath.Join(c.root, "source"))); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"person", "encounter", "cv_event", "prescription", "lab_result"} {
		jinhetest.Plant(t, filepath.Join(source, table+".csv"))
	}
	w.words = strings.NewReplacer("mimic3_demo/*.csv.gz", "planted/*.csv", "mimic3_demo", "planted", "mimic3-demo", "jinhe", "FROM patient", "FROM person")
	text := readme(t)
	w.publish(rowsBehind(t, text, "A running service gets a dataset in this order"))
	extract := "demo/data/extracts/jinhe/" + w.last["ex-…"]
	w.apply(rowsBehind(t, text, "From there a researcher comes to answers"))
	for _, line := range []string{
		"carrel extract profile planted/person.csv planted/encounter.csv --json", "carrel --lang zh extract profile planted/encounter.csv",
		"carrel extract build --recipe query.recipe.yaml --source planted --out other --json",
		"carrel extract risk " + extract + " --keys demo/data/keys --html risk.html --json", "carrel --lang zh extract risk " + extract + " --keys demo/data/keys --before planted --recipe query.recipe.yaml",
		"carrel extract grade " + extract + " --keys demo/data/keys", "carrel extract verify " + extract + " --keys demo/data/keys --json",
		"carrel extract search --recipe query.recipe.yaml --source planted --fields person.sex,person.district --k 3 --json", "carrel --lang zh catalogue version report jinhe",
	} {
		w.run("wu", line)
	}
	w.run("yan", "carrel audit export --out log.ndjson")
	fails := brokenSources(t, w, source)
	w.searched(t, c, fails)
}

// brokenSources builds from sources of which each has another fault right where the identifiers stand, and keeps what is said, in both languages.
func brokenSources(t *testing.T, w *walk, source string) int {
	t.Helper()
	fails := 0
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(source, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all := ""
	for _, v := range jinhetest.Identifiers() {
		all += v + " "
	}
	for name, fault := range map[string]func(table string) string{
		"a birth that is no date": func(s string) string {
			return regexp.MustCompile(`,\d{4}-\d\d-\d\d,`).ReplaceAllString(s, ",440524188001010014,")
		},
		"a row too wide":       func(s string) string { return s + strings.Repeat(all+",", 40) + "\n" },
		"a quote that is open": func(s string) string { return s + `"` + all },
		"a quote inside":       func(s string) string { return s + `欧阳秋水"` + all + "\n" },
		"no header": func(string) string {
			return "欧阳秋水,440524188001010014\n阿依古丽·买买提,11010519491231002X\n"
		},
		"no text":               func(s string) string { return s + all + "\xff\xff\xff\n" },
		"the same person twice": func(s string) string { return s + strings.SplitN(s, "\n", 3)[1] + "\n" },
		"nobody":                func(s string) string { return strings.SplitN(s, "\n", 2)[0] + "\n" },
	} {
		good, err := os.ReadFile(filepath.Join(source, "person.csv"))
		if err != nil {
			t.Fatal(err)
		}
		write("person.csv", fault(string(good)))
		for _, lang := range []string{"en", "zh"} {
			for _, line := range []string{"extract build --recipe query.recipe.yaml --source planted --out bad", "extract profile planted/person.csv", "extract search --recipe query.recipe.yaml --source planted --fields person.sex --k 3"} {
				out, status := shell(t, "carrel --lang "+lang+" "+line, w.session, w.dir)
				w.log.WriteString(out)
				if status != 0 {
					fails++
				} else if err := os.RemoveAll(filepath.Join(w.dir, "bad")); err != nil {
					t.Fatal(err)
				}
				if strings.Contains(out, "goroutine ") {
					t.Errorf("%s: %s", name, out)
				}
			}
		}
		write("person.csv", string(good))
	}
	for name, record := range map[string]string{"several.ndjson": `{"id":["` + strings.ReplaceAll(strings.TrimSpace(all), " ", `","`) + `"]}`, "paths.ndjson": `{"440524188001010014":"欧阳秋水"}`, "cut.ndjson": `{"id":"` + all} {
		write(name, record+"\n")
		recipe := "recipe: r\nkind: query\ndataset: jinhe\nunit: {from: person.id, key: \"keyring:jinhe-unit\"}\ntables: {person: {file: " + name + ", columns: {id: drop, sex: keep}}}\n"
		if err := os.WriteFile(filepath.Join(w.dir, "docs.recipe.yaml"), []byte(recipe), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{"extract build --recipe docs.recipe.yaml --source planted --out bad", "extract profile planted/" + name} {
			out, status := shell(t, "carrel "+line, w.session, w.dir)
			w.log.WriteString(out)
			if status != 0 {
				fails++
			}
		}
	}
	return fails
}

// searched looks for every form of every identifier in all that is left.
func (w *walk) searched(t *testing.T, c *town, fails int) {
	t.Helper()
	if fails < 20 {
		t.Errorf("only %d commands failed", fails)
	}
	places := map[string][]byte{"what commands said": []byte(w.log.String())}
	add := func(root string, keep func(string) bool) {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !keep(path) {
				return err
			}
			raw, err := os.ReadFile(path)
			places[filepath.Base(path)] = raw
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	add(c.data(), func(p string) bool {
		return strings.Contains(p, "carrel.db") || strings.Contains(p, "decisions") || strings.HasSuffix(p, ".json")
	})
	add(c.root+"/data-checkpoints", func(string) bool { return true })
	raw, err := os.ReadFile(filepath.Join(c.dir, "serve.log"))
	if err != nil || len(raw) < 1000 {
		t.Fatalf("the service logged %d bytes, %v", len(raw), err)
	}
	places["serve.log"] = raw
	for _, name := range []string{"draft.recipe.yaml", "draft.dataset.yaml", "risk.html", "log.ndjson", "other/manifest.json"} {
		raw, err := os.ReadFile(filepath.Join(w.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		places[name] = raw
	}
	planted, err := os.ReadFile(filepath.Join(w.dir, "planted", "person.csv"))
	if found := identified(t, map[string][]byte{"the source": planted}); err != nil || len(found) < len(jinhetest.Identifiers()) {
		t.Fatalf("only %d identifiers are found where they were planted, %v", len(found), err)
	}
	for _, found := range identified(t, places) {
		t.Error(found)
	}
}

// identified says which identifiers stand where, in which form.
func identified(t *testing.T, places map[string][]byte) (out []string) {
	t.Helper()
	for kind, text := range jinhetest.Identifiers() {
		if kind == "postcode" || kind == "exact date" {
			continue // six digits, and a day that reports name, stand by chance in numbers
		}
		for form, v := range jinhetest.Variants(t, text) {
			for place, raw := range places {
				if bytes.Contains(raw, v) {
					out = append(out, kind+" is in "+place+" ("+form+")")
				}
			}
		}
	}
	return out
}
