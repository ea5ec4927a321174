package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// spoken is a command in the running text of the README, with the names of its sisters that are listed behind it.
var spoken = regexp.MustCompile("`carrel ([^`]+)`((?:(?:, | and | or )`[a-z][a-z-]*`)*)")

// Every command that the README names exists, with the options it is shown with, and runs to its end in a script, in the journey, or in a test that
// types the README's own lines.
func TestReadmeCommandsRun(t *testing.T) {
	t.Parallel()
	prose := regexp.MustCompile("(?s)```.*?```").ReplaceAllString(readme(t), "")
	scripts := scripted(t) + strings.Join(typedElsewhere(t), "\n")
	a := &app{env: map[string]string{}}
	n := 0
	for _, m := range spoken.FindAllStringSubmatch(prose, -1) {
		path := a.named(t, m[1])
		if path == "" {
			continue
		}
		parent := path[:max(strings.LastIndexByte(path, ' '), 0)]
		paths := []string{path}
		for _, sister := range regexp.MustCompile("`([a-z-]+)`").FindAllStringSubmatch(m[2], -1) {
			full := strings.TrimSpace(parent + " " + sister[1])
			if c, rest, err := a.root().Find(strings.Fields(full)); err != nil || len(rest) > 0 || c.Name() != sister[1] {
				full = sister[1] // listed behind it, of another group
			}
			if p := a.named(t, full); p != "" {
				paths = append(paths, p)
			}
		}
		for _, p := range paths {
			n++
			if !regexp.MustCompile(`(?m)^(?:eventually \S+|twice \S+ \S+|carrel)(?: --\w+ \w+)* ` + p + `\b`).MatchString(scripts) {
				t.Errorf("the README names `carrel %s`, which no script runs to its end", p)
			}
		}
	}
	if n < 50 {
		t.Errorf("the README names %d commands", n)
	}
}

// named is the path of a command as the README writes it; the command and its options must exist.
func (a *app) named(t *testing.T, text string) string {
	t.Helper()
	text, _, _ = strings.Cut(text, " >")
	root := a.root()
	found, rest, err := root.Find(strings.Fields(text))
	if err != nil || found == root {
		t.Errorf("the README names `carrel %s`, which does not exist", text)
		return ""
	}
	if len(rest) > 0 && found.HasSubCommands() && !strings.HasPrefix(rest[0], "-") {
		t.Errorf("the README names `carrel %s`, and `%s` has no %q", text, found.CommandPath(), rest[0])
		return ""
	}
	for _, word := range rest {
		if name, is := strings.CutPrefix(word, "--"); is && name != "help" && found.Flags().Lookup(name) == nil && found.InheritedFlags().Lookup(name) == nil {
			t.Errorf("the README shows `carrel %s`, and `%s` has no --%s", text, found.CommandPath(), name)
		}
	}
	return strings.TrimPrefix(found.CommandPath(), "carrel ")
}

func scripted(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, pattern := range []string{"testdata/script/*.txtar", "testdata/script/after/*.txtar", "testdata/script/two/*.txtar"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(raw)
		}
	}
	return all.String()
}

// typedElsewhere are the lines of the README that other tests type, and the commands that make their city and serve it.
func typedElsewhere(t *testing.T) []string {
	t.Helper()
	text := readme(t)
	out := []string{"", "carrel demo prepare", "carrel demo run", "carrel demo generate", "carrel serve"}
	for _, row := range append(rowsBehind(t, text, "A running service gets a dataset in this order"), rowsBehind(t, text, "From there a researcher comes to answers")...) {
		out = append(out, row.command)
	}
	for _, name := range []string{"session", "steward"} {
		for _, s := range block(t, text, name) {
			out = append(out, s.command)
		}
	}
	return out
}
