package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The README shows real commands with real output. Both are run: numbers may differ, words and columns may not.

func readme(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(moduleRoot(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// shown is one command of the README with the output printed under it.
type shown struct {
	command string
	output  []string
}

// block reads the console block between the markers of this name.
func block(t *testing.T, text, name string) []shown {
	t.Helper()
	_, rest, ok := strings.Cut(text, "<!-- "+name+" -->\n```console\n")
	body, _, end := strings.Cut(rest, "```\n<!-- /"+name+" -->")
	if !ok || !end {
		t.Fatalf("the README has no block %q", name)
	}
	var out []shown
	for line := range strings.Lines(body) {
		line = strings.TrimSuffix(line, "\n")
		if cmd, ok := strings.CutPrefix(line, "$ "); ok {
			out = append(out, shown{command: cmd})
		} else if len(out) > 0 {
			out[len(out)-1].output = append(out[len(out)-1].output, line)
		}
	}
	if len(out) == 0 {
		t.Fatalf("the block %q shows no command", name)
	}
	return out
}

func TestReadmeRuns(t *testing.T) {
	t.Parallel()
	c := theCity(t)
	file := filepath.Join(t.TempDir(), "session.json")
	all, err := json.Marshal(c.sessions)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, all, 0o600); err != nil {
		t.Fatal(err)
	}
	text := readme(t)
	for name, status := range map[string]int{"session": 0, "refusal": 4} {
		for _, s := range block(t, text, name) {
			got, code := shell(t, s.command, file, "")
			if code != status {
				t.Errorf("%s: exit status %d, expected %d: %s", s.command, code, status, got)
				continue
			}
			if at := differs(s.output, strings.Split(strings.TrimRight(got, "\n"), "\n")); at != "" {
				t.Errorf("%s: %s\nreally:\n%s", s.command, at, got)
			}
		}
	}
}

// TestReadmeStewardRuns does what the README shows to stewards, in an empty folder beside the recipes.
func TestReadmeStewardRuns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(moduleRoot(t), "broker"), filepath.Join(dir, "broker")); err != nil {
		t.Fatal(err)
	}
	for _, s := range block(t, readme(t), "steward") {
		got, code := shell(t, s.command, "none.json", dir)
		if at := differs(s.output, strings.Split(strings.TrimRight(got, "\n"), "\n")); code != 0 || at != "" {
			t.Errorf("%s: exit status %d: %s\nreally:\n%s", s.command, code, at, got)
		}
	}
}

// shell runs a README's line the way a reader would, with `carrel` on the path, in a folder.
func shell(t *testing.T, line, session, dir string) (string, int) {
	t.Helper()
	rest, ok := strings.CutPrefix(line, "carrel ")
	if !ok {
		t.Fatalf("%q is no command of carrel", line)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", itself+" "+rest)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CARREL_SESSION="+session, "LC_ALL=C.UTF-8", "LANG=C.UTF-8")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

var (
	numbers = regexp.MustCompile(`-?[0-9]+(\.[0-9]+)?`)
	ids     = regexp.MustCompile(`\b(g|ap|q|ho|ex)-[0-9a-z]{16,}`)
	blanks  = regexp.MustCompile(`\s+`)
)

// masked leaves what must agree: words and columns, not numbers, ids or the width of blanks.
func masked(line string) string {
	return blanks.ReplaceAllString(numbers.ReplaceAllString(ids.ReplaceAllString(line, "$1-id"), "#"), " ")
}

// differs compares what the README shows with what came; a line "…" stands for any lines.
func differs(want, got []string) string {
	for i, line := range want {
		if line == "…" {
			for j := range len(got) + 1 {
				if differs(want[i+1:], got[j:]) == "" {
					return ""
				}
			}
			return "nothing after … fits"
		}
		if len(got) == 0 {
			return "the README shows a line that does not come: " + line
		}
		if masked(line) != masked(got[0]) {
			return "the README shows\n  " + line + "\nbut it is\n  " + got[0]
		}
		got = got[1:]
	}
	if len(got) > 0 {
		return "the README leaves out: " + got[0]
	}
	return ""
}

func TestDiffersCanFail(t *testing.T) {
	t.Parallel()
	real := []string{"sex  n", "female  12", "male  7"}
	for _, want := range [][]string{{"sex  n", "female 1"}, {"sex n", "woman 12", "male 7"}, {"sex n", "…", "other 3"}, {"sex n", "female 12", "male 7", "end"}} {
		if differs(want, real) == "" {
			t.Errorf("%q passes for %q", want, real)
		}
	}
	for _, want := range [][]string{{"sex n", "female 3.5", "male -7"}, {"sex n", "…", "male 1"}, {"sex  n", "…"}} {
		if at := differs(want, real); at != "" {
			t.Errorf("%q: %s", want, at)
		}
	}
}

// What the README names exists: targets, files, modules.
func TestReadmeNamesWhatExists(t *testing.T) {
	t.Parallel()
	root, text := moduleRoot(t), readme(t)
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?m)(?:`|^)make ([a-z][a-z-]*)").FindAllStringSubmatch(text, -1) {
		if !regexp.MustCompile(`(?m)^` + m[1] + `:`).Match(makefile) {
			t.Errorf("the README names `make %s`, which the Makefile does not have", m[1])
		}
	}
	gomod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	path := regexp.MustCompile("`((?:anonymize|broker|cmd|policy|policies|sandbox)(?:/[a-z0-9_./-]+)?)`")
	for _, m := range path.FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
			t.Errorf("the README names %s, which is not there", m[1])
		}
	}
	_, deps, _ := strings.Cut(text, "## Dependencies")
	deps, _, _ = strings.Cut(deps, "\n## ")
	modules := regexp.MustCompile("`((?:[a-z0-9-]+\\.)+[a-z]+/[A-Za-z0-9_./-]+)`").FindAllStringSubmatch(deps, -1)
	if len(modules) < 8 {
		t.Errorf("the table of dependencies names %d modules", len(modules))
	}
	for _, m := range modules {
		line := regexp.MustCompile(`(?m)^\s+` + regexp.QuoteMeta(m[1]) + `(/[a-z0-9-]+)* v\S+`).Find(gomod)
		if line == nil {
			t.Errorf("the README names the module %s, which go.mod does not require", m[1])
		}
	}
	for _, p := range packages(t, root) {
		for _, imp := range p.Imports {
			if first, _, _ := strings.Cut(imp, "/"); strings.Contains(first, ".") && !named(modules, imp) {
				t.Errorf("%s imports %s, and the README does not say why", p.ImportPath, imp)
			}
		}
	}
	for line := range strings.Lines(text[strings.Index(text, "```\ncmd/carrel"):]) {
		for _, m := range regexp.MustCompile(`(?:^|\s{4,})([a-z]+(?:/[a-z-]+)?)\s{3,}`).FindAllStringSubmatch(line, -1) {
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				t.Errorf("the README's map names %s, which is not there", m[1])
			}
		}
		if strings.HasPrefix(line, "sandbox") {
			break
		}
	}
}

// named says whether the table names the module or one that it is part of.
func named(modules [][]string, module string) bool {
	for _, m := range modules {
		if module == m[1] || strings.HasPrefix(module, m[1]+"/") {
			return true
		}
	}
	return false
}

// TestReadmeQuestionsAreAnswered: every question that the README shows is one that the planner answers.
func TestReadmeQuestionsAreAnswered(t *testing.T) {
	t.Parallel()
	c := aChecker(t)
	n := 0
	for _, block := range regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(readme(t), -1) {
		for _, sql := range strings.Split(block[1], ";\n") {
			if strings.TrimSpace(sql) == "" {
				continue
			}
			n++
			v, err := c.judge(t.Context(), asked{ID: "readme", SQL: sql})
			if err != nil || v.Verdict != "accept" {
				t.Errorf("%s: %v, %s %s", sql, err, v.Code, v.Message)
			}
		}
	}
	if n < 3 {
		t.Fatalf("the README shows %d questions", n)
	}
}
