package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A steward who has the README and nothing else takes three real or made-up sources to a version under two signatures with a confirmed grade, and a
// researcher gets noised answers from it: the rows of the README's two tables are typed as they stand there, against a service of their own. What
// the README leaves to people (an edited line, a filled-in form) is done here by the words of the same row.

// typed is a row of a table of the README: who, and what she types.
type typed struct{ who, command string }

var code = regexp.MustCompile("`(carrel [^`]+)`")

// rowsBehind reads the commands of the table that follows a sentence.
func rowsBehind(t *testing.T, text, sentence string) []typed {
	t.Helper()
	_, rest, ok := strings.Cut(text, sentence)
	if !ok {
		t.Fatalf("the README does not say %q", sentence)
	}
	_, rest, ok = strings.Cut(rest, "| who | command |\n|---|---|\n")
	if !ok {
		t.Fatalf("no table follows %q", sentence)
	}
	body, _, _ := strings.Cut(rest, "\n\n")
	var out []typed
	for row := range strings.Lines(body) {
		cells := strings.SplitN(strings.Trim(strings.TrimSpace(row), "|"), "|", 2)
		found := code.FindAllStringSubmatch(cells[1], -1)
		if len(found) != 1 {
			t.Fatalf("a row names %d commands: %s", len(found), row)
		}
		out = append(out, typed{strings.TrimSpace(cells[0]), found[0][1]})
	}
	return out
}

// town is a small city whose service is a process of its own, as `carrel serve` starts it, for one test alone.
type town struct {
	site
	dir, session string
	log          *os.File // what the service says while it runs
}

// posts are the accounts that the walks need.
var posts = []string{"li", "wu", "zhou", "chen", "mei", "zhao", "qian", "sun", "yan"} //nolint:gochecknoglobals // a list

func aTown(t *testing.T) *town {
	t.Helper()
	binary, dir := sandboxBinary(t), t.TempDir()
	c := &town{site: site{filepath.Join(dir, "demo")}, dir: dir, session: filepath.Join(dir, "session.json")}
	if out, status := shell(t, "carrel demo prepare --dir demo --persons 3000 --sandbox "+binary, c.session, dir); status != 0 {
		t.Fatal(out)
	}
	server := c.serve(t, binary)
	raw, err := os.ReadFile(loginsFile(c.data()))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if f := strings.Fields(line); slices.Contains(posts, f[0]) {
			secret := filepath.Join(dir, "password")
			if err := os.WriteFile(secret, []byte(f[1]+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, status := shell(t, "carrel login "+f[0]+" --server "+server+" < password", c.session, dir); status != 0 {
				t.Fatal(out)
			}
		}
	}
	return c
}

// serve starts the service and waits for the address that it prints.
func (c *town) serve(t *testing.T, binary string) string {
	t.Helper()
	var err error
	if c.log, err = os.Create(filepath.Join(c.dir, "serve.log")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(itself, "serve", "--data", c.data(), "--listen", "127.0.0.1:0", "--sandbox", binary, "--verbose", "--lang", "en")
	cmd.Stderr = c.log
	out, err := cmd.StdoutPipe()
	if err := errors.Join(err, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(cmd.Process.Signal(os.Interrupt), cmd.Wait(), c.log.Close()); err != nil {
			t.Errorf("the service did not end well: %v", err)
		}
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, address, said := strings.Cut(lines.Text(), "listening on "); said {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return strings.TrimSpace(address)
		}
	}
	raw, _ := os.ReadFile(c.log.Name())
	t.Fatalf("the service did not start: %s", raw)
	return ""
}

// walk is one way through the tables: the words of a dataset in place of the README's, and what came last of each kind of number.
type walk struct {
	t       *testing.T
	dir     string
	session string
	words   *strings.Replacer
	wish    string // of the application
	last    map[string]string
	log     strings.Builder // all that was printed
}

// numbersOf are the numbers that commands print for the next ones.
var numbersOf = map[string]*regexp.Regexp{ //nolint:gochecknoglobals // a table
	"ex-…": regexp.MustCompile(`\bex-[0-9a-f]{16}\b`), "ap-…": regexp.MustCompile(`\bap-[0-9a-f]+\b`), "sha256:…": regexp.MustCompile(`\bsha256:[0-9a-f]{64}\b`),
	"g-…": regexp.MustCompile(`\bg-[0-9a-f]{16,}\b`),
}

func (w *walk) run(account, command string) string {
	w.t.Helper()
	line := w.words.Replace(command)
	for mark, number := range w.last {
		line = strings.ReplaceAll(line, mark, number)
	}
	if strings.Contains(line, "…") {
		w.t.Fatalf("nothing was printed for %s", line)
	}
	out, status := shell(w.t, strings.Replace(line, "carrel ", "carrel --as "+account+" ", 1), w.session, w.dir)
	w.log.WriteString(out)
	if status != 0 {
		w.t.Fatalf("%s: exit status %d: %s", line, status, out)
	}
	for mark, form := range numbersOf {
		if all := form.FindAllString(out, -1); len(all) > 0 {
			w.last[mark] = all[len(all)-1]
		}
	}
	return out
}

// rewrite changes a file of the walk.
func (w *walk) rewrite(name string, change func(string) string) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	raw, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(change(string(raw))), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// publish types the steward's table.
func (w *walk) publish(rows []typed) {
	w.t.Helper()
	accounts := map[string]string{"steward": "wu", "steward, on the service's machine": "wu", "authority": "zhou"}
	confirmed := false
	for _, row := range rows {
		account := accounts[row.who]
		switch {
		case account == "":
			w.t.Fatalf("nobody is %q", row.who)
		case strings.HasPrefix(row.command, "carrel catalogue codes") && !strings.Contains(w.words.Replace("mimic3-demo"), "mimic3"):
			continue // their entries bring their lists
		}
		out := w.run(account, row.command)
		switch {
		case row.command == "carrel whoami":
			fields := strings.Fields(out)
			w.rewrite("dataset.yaml", func(s string) string {
				return regexp.MustCompile(`(?m)^owner: .*`).ReplaceAllString(s, "owner: "+fields[len(fields)-1])
			})
		case strings.Contains(row.command, "propose"):
			if !regexp.MustCompile(`grade \(GB/T 42460\): [1-4], .*provisional`).MatchString(out) {
				w.t.Errorf("the version has no grade: %s", out)
			}
		case strings.Contains(row.command, "confirm"):
			confirmed = strings.Contains(out, "grade confirmed by the authority")
		}
	}
	if !confirmed {
		w.t.Error("the grade was not confirmed")
	}
}

// apply types the researcher's table up to her answer.
func (w *walk) apply(rows []typed) {
	w.t.Helper()
	const paper = "The committee has no objection.\n"
	if err := os.WriteFile(filepath.Join(w.dir, "ethics.txt"), []byte(paper), 0o600); err != nil {
		w.t.Fatal(err)
	}
	hash := sha256.Sum256([]byte(paper))
	var kinds []string
	for _, row := range rows {
		switch account := map[string]string{"researcher": "li", "authority": "zhou", "steward": "wu"}[row.who]; {
		case strings.HasPrefix(row.who, "each reviewer"):
			w.review(kinds, row.command)
		case strings.Contains(row.command, "--template"):
			w.run(account, row.command)
			w.rewrite("study.yaml", func(s string) string {
				s = regexp.MustCompile(`(title|reason|methods): ""`).ReplaceAllString(s, `$1: "How many there are, by group, without any linkage."`)
				return regexp.MustCompile(`\{dataset: .*`).ReplaceAllString(strings.ReplaceAll(s, "sha256:…", "sha256:"+hex.EncodeToString(hash[:])), w.wish)
			})
		default:
			out := w.run(account, row.command)
			if _, list, asked := strings.Cut(out, "reviews: "); asked && strings.Contains(row.command, "submit") {
				list, _, _ = strings.Cut(list, " (")
				kinds = strings.Split(list, ", ")
			}
			if strings.HasPrefix(row.command, "carrel query") && (!strings.Contains(out, "95 %") || !strings.Contains(out, "log entry")) {
				w.t.Errorf("the answer has no noise: %s", out)
			}
		}
	}
}

// review types a reviewer's row for every kind of review, of ethics twice.
func (w *walk) review(kinds []string, command string) {
	w.t.Helper()
	who := map[string][]string{"ethics": {"chen", "mei"}, "confidentiality": {"zhao"}, "security-risk": {"qian"}, "privacy-impact": {"sun"}}
	for _, kind := range kinds {
		for _, account := range who[kind] {
			w.run(account, strings.ReplaceAll(command, "ethics", kind))
		}
		if len(who[kind]) == 0 {
			w.t.Fatalf("nobody holds the review %s", kind)
		}
		if strings.Contains(command, "sheet ethics") {
			w.rewrite(kind+".yaml", clearedSheet)
		}
	}
}

// clearedSheet takes the first choice of every question, which clears it.
func clearedSheet(s string) string {
	var out strings.Builder
	first := ""
	for line := range strings.Lines(s) {
		if choice, is := strings.CutPrefix(line, "  #   "); is {
			if name, _, _ := strings.Cut(choice, ":"); first == "" {
				first = name
			}
		} else if strings.HasSuffix(strings.TrimSpace(line), `""`) {
			line, first = strings.Replace(line, `""`, `"`+first+`"`, 1), ""
		}
		out.WriteString(line)
	}
	return out.String()
}

// walked are the words of each dataset in place of the README's.
func walked(t *testing.T, dataset string, c *town) *walk {
	t.Helper()
	dir := t.TempDir()
	w := &walk{t: t, dir: dir, session: c.session, last: map[string]string{}, wish: "{dataset: mimic3-demo, columns: [patient.*]}", words: strings.NewReplacer()}
	from := filepath.Join(moduleRoot(t), "anonymize", "deid", "testdata", "mimic3demo")
	if err := os.Symlink(c.root, filepath.Join(dir, "demo")); err != nil {
		t.Fatal(err)
	}
	switch dataset {
	case "diabetes130":
		w.words = strings.NewReplacer("mimic3_demo/*.csv.gz", "diabetes/*.csv", "mimic3_demo", "diabetes", "mimic3-demo", dataset, "SELECT sex, COUNT(*) AS persons FROM patient GROUP BY sex", "SELECT gender, COUNT(*) AS stays FROM encounter GROUP BY gender")
		w.wish = "{dataset: diabetes130, columns: [encounter.*]}"
		from = filepath.Join(filepath.Dir(from), dataset)
		sourcesOf(t, dataset, filepath.Join(dir, "diabetes"))
	case "jinhe":
		w.words = strings.NewReplacer("mimic3_demo/*.csv.gz", "demo/source/*.csv", "mimic3_demo", "demo/source", "mimic3-demo", dataset, "FROM patient", "FROM person")
		w.wish = "{dataset: jinhe, columns: [person.*]}"
		from = filepath.Join(moduleRoot(t), "broker", "jinhe")
	default:
		sourcesOf(t, dataset, filepath.Join(dir, "mimic3_demo"))
	}
	for _, name := range []string{"dataset.yaml", "query.recipe.yaml"} {
		raw, err := os.ReadFile(filepath.Join(from, name))
		if err := errors.Join(err, os.WriteFile(filepath.Join(dir, name), bytes.TrimSpace(raw), 0o600)); err != nil {
			t.Fatal(err)
		}
		w.rewrite(name, func(s string) string { return s + "\n" })
	}
	return w
}

func TestStewardHasTheReadmeAlone(t *testing.T) {
	t.Parallel()
	text := readme(t)
	publish, apply := rowsBehind(t, text, "A running service gets a dataset in this order"), rowsBehind(t, text, "From there a researcher comes to answers")
	c := aTown(t)
	for _, dataset := range []string{"jinhe", "diabetes130", "mimic3-demo"} {
		t.Run(dataset, func(t *testing.T) {
			w := walked(t, dataset, c)
			w.publish(publish)
			w.apply(apply)
		})
	}
}
