package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The list must fit the code at every commit: a guard whose text moved would be skipped, and with it its watch.
func TestGuardsFitTheCode(t *testing.T) {
	t.Parallel()
	guards, err := load(guardList, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(guards) < 40 {
		t.Errorf("only %d guards", len(guards))
	}
	names := map[string]bool{}
	for _, g := range guards {
		if names[g.Name] {
			t.Errorf("%s stands twice in the list", g.Name)
		}
		names[g.Name] = true
		src, err := os.ReadFile(filepath.Join("../../..", g.File))
		if err != nil {
			t.Errorf("%s: %v", g.Name, err)
			continue
		}
		if n := strings.Count(string(src), g.Find); n != 1 || g.Find == g.Replace {
			t.Errorf("%s: its text stands %d times in %s, not once", g.Name, n, g.File)
		}
		have := tests(t, filepath.Join("../../..", g.Package))
		for name := range strings.SplitSeq(strings.Trim(g.Run, "^$()"), "|") {
			if !have[name] {
				t.Errorf("%s: %s has no test %s", g.Name, g.Package, name)
			}
		}
	}
}

var testName = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9_]+)\(`)

func tests(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range testName.FindAllStringSubmatch(string(src), -1) {
			out[m[1]] = true
		}
	}
	return out
}

func TestSuitesKeepEveryGuard(t *testing.T) {
	t.Parallel()
	guards, err := load(guardList, "")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, s := range suites(guards) {
		for _, g := range s.guards {
			if g.Package != s.pkg || g.Tags != s.tags {
				t.Errorf("%s is in the suite of %s", g.Name, s.pkg)
			}
			n++
		}
	}
	if n != len(guards) {
		t.Errorf("%d of %d guards are in a suite", n, len(guards))
	}
}

func TestOverlayTakesOutOneText(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "a.go")
	if err := os.WriteFile(file, []byte("package a\n// here\n// there\n// there\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := overlayFor(dir, guard{File: file, Find: "// there"}); err == nil {
		t.Error("a text that stands twice was taken out")
	}
	if _, err := overlayFor(dir, guard{File: file, Find: "// nowhere"}); err == nil {
		t.Error("a text that stands nowhere was taken out")
	}
	if _, err := overlayFor(dir, guard{File: file, Find: "// here"}); err != nil {
		t.Error(err)
	}
	altered, err := os.ReadFile(filepath.Join(dir, "altered.go"))
	if err != nil || strings.Contains(string(altered), "// here") || !strings.Contains(string(altered), "// there") {
		t.Errorf("%v: %q", err, altered)
	}
	if raw, err := os.ReadFile(file); err != nil || !strings.Contains(string(raw), "// here") {
		t.Error("the source itself was changed")
	}
}

func TestTracesAreRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kept := filepath.Join(dir, "testdata", "rapid", "TestA", "old.fail")
	if err := os.MkdirAll(filepath.Dir(kept), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(kept, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	left := leftovers([]guard{{Package: dir}})
	fresh := filepath.Join(dir, "testdata", "rapid", "TestB", "new.fail")
	if err := os.MkdirAll(filepath.Dir(fresh), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(fresh, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	left.remove()
	if _, err := os.Stat(kept); err != nil {
		t.Error("an older file was removed")
	}
	if _, err := os.Stat(filepath.Dir(fresh)); err == nil {
		t.Error("what a red run left is still there")
	}
}

// Every guard's turn comes: the shares of a list are the list, each guard once.
func TestSharesAreTheWhole(t *testing.T) {
	t.Parallel()
	guards, err := load(guardList, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range []int{1, 4, len(guards) + 1} {
		seen := map[string]int{}
		for n := 1; n <= of; n++ {
			part, err := share(guards, fmt.Sprintf("%d/%d", n, of))
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range part {
				seen[g.Name]++
			}
		}
		for _, g := range guards {
			if seen[g.Name] != 1 {
				t.Errorf("of %d shares, %s is in %d", of, g.Name, seen[g.Name])
			}
		}
	}
	for _, wrong := range []string{"", "0/4", "5/4", "1/0", "1", "x/y", "-1/4"} {
		if _, err := share(guards, wrong); err == nil {
			t.Errorf("%q is taken for a share", wrong)
		}
	}
}
