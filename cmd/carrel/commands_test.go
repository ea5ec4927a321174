package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// leaves are the commands that do something.
func leaves(c *cobra.Command) []*cobra.Command {
	if !c.HasSubCommands() {
		return []*cobra.Command{c}
	}
	var out []*cobra.Command
	for _, sub := range c.Commands() {
		if sub.Name() != "help" && sub.Name() != "completion" {
			out = append(out, leaves(sub)...)
		}
	}
	return out
}

// Every command's help has an example, and the example's flags exist: an example that does not run is worse than none.
func TestEveryCommandHasAnExampleThatParses(t *testing.T) {
	t.Parallel()
	a := &app{env: map[string]string{}}
	for _, c := range leaves(a.root()) {
		if c.Short == "" || c.Example == "" {
			t.Errorf("%s has no description or no example", c.CommandPath())
		}
		for line := range strings.Lines(c.Example) {
			for _, word := range strings.Fields(line) {
				name, ok := strings.CutPrefix(word, "--")
				if !ok {
					continue
				}
				if found, _, err := a.root().Find(strings.Fields(strings.TrimPrefix(c.CommandPath(), "carrel "))); err != nil || found.Flags().Lookup(name) == nil && found.InheritedFlags().Lookup(name) == nil && !elsewhere(line, c) {
					t.Errorf("%s: the example names --%s, which is no flag of it", c.CommandPath(), name)
				}
			}
		}
	}
}

// elsewhere says whether an example's line goes on with another command.
func elsewhere(line string, c *cobra.Command) bool {
	return strings.Count(line, "carrel ") > 1 || !strings.Contains(line, c.CommandPath())
}

// Every command appears in a script, or in the journey that founds the scripts' city.
func TestEveryCommandHasAScript(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	after, err := filepath.Glob("testdata/script/after/*.txtar")
	files = append(files, after...)
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	var all strings.Builder
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(raw), "# ") {
			t.Errorf("%s does not say at its head why it exists", f)
		}
		all.Write(raw)
	}
	a := &app{env: map[string]string{}}
	for _, c := range leaves(a.root()) {
		path := strings.TrimPrefix(c.CommandPath(), "carrel ")
		if founding := path == "demo run" || path == "demo generate" || path == "demo prepare"; !founding && !strings.Contains(all.String(), " "+path) {
			t.Errorf("no script runs `carrel %s`", path)
		}
	}
	for code := range 7 {
		if code > 0 && !strings.Contains(all.String(), "exits "+string(rune('0'+code))+" ") {
			t.Errorf("no script shows exit status %d", code)
		}
	}
}

// TestHelpNamesValues: what stands for a flag's value is one word, and kinds that can be entered are named.
func TestHelpNamesValues(t *testing.T) {
	t.Parallel()
	a := &app{env: map[string]string{}}
	kinds := map[string]string{"conduct enter": "commendation, ", "conduct sanction order": "admonish, ", "conduct duty impose": "provider-check, ", "conduct duty record": "declaration, ",
		"conduct assessment pass": "restore-drill, ", "conduct assessment schedule": "patrol, "}
	for _, c := range leaves(a.root()) {
		path := strings.TrimPrefix(c.CommandPath(), "carrel ")
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if name, _ := pflag.UnquoteUsage(f); strings.ContainsAny(name, " /") {
				t.Errorf("carrel %s --%s takes %q", path, f.Name, name)
			}
			if want := kinds[path]; f.Name == "sort" && !strings.Contains(f.Usage, want) {
				t.Errorf("carrel %s --sort: %s", path, f.Usage)
			}
		})
	}
	if list := sortList("credit"); strings.Contains(list, "rung-") {
		t.Errorf("what comes with a measure can be entered: %s", list)
	}
	if zh := (&app{lang: "zh", env: map[string]string{}}); zh.sortName("credit", "misuse") != "超范围使用" || zh.nounName("duty") != "义务" || a.sortName("credit", "misuse") != "misuse" {
		t.Error("kinds are not in the reader's language")
	}
}
