// Command sabotage takes out each guard of a list, one at a time, and shows the quick test that turns red.
//
// It promises that a guard on its list is watched: the exact text of the guard must stand once in the file, the named tests
// must be green with it and red without it, and red for the right reason (a test failed; the package still compiled). It
// does not promise that the list is complete; whoever adds a guard adds a line to guards.json. No source file changes: the
// altered one reaches the compiler by `go test -overlay`, and what red tests leave behind in testdata is removed.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"
)

//go:embed guards.json
var guardList []byte

// guard is one line of defence and the tests that must notice when it is gone.
type guard struct {
	Name    string `json:"name"`
	File    string `json:"file"`
	Find    string `json:"find"`
	Replace string `json:"replace"`
	Package string `json:"package"`
	Run     string `json:"run"`
	Tags    string `json:"tags,omitempty"`
}

// suite is the guards whose tests are one binary: their green run is one run.
type suite struct {
	pkg, tags string
	guards    []guard
}

type verdict struct {
	guard   guard
	ok      bool
	note    string
	seconds float64
}

func main() {
	only := flag.String("only", "", "regular expression on the names of guards")
	part := flag.String("share", "1/1", "take only every N-th guard, from the n-th on: n/N")
	at := flag.Int("parallel", runtime.NumCPU(), "packages tried at the same time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := sabotage(ctx, os.Stdout, *only, *part, *at)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "sabotage: "+err.Error())
		os.Exit(1)
	}
}

func sabotage(ctx context.Context, out io.Writer, only, part string, parallel int) error {
	guards, err := load(guardList, only)
	if err != nil {
		return err
	}
	if guards, err = share(guards, part); err != nil {
		return err
	}
	left := leftovers(guards)
	defer left.remove()
	verdicts, work := make(chan verdict), make(chan suite)
	var workers sync.WaitGroup
	for range max(1, parallel) {
		workers.Go(func() {
			for s := range work {
				s.try(ctx, verdicts)
			}
		})
	}
	go func() {
		for _, s := range suites(guards) {
			work <- s
		}
		close(work)
		workers.Wait()
		close(verdicts)
	}()
	var bad []string
	for v := range verdicts {
		mark := "red without it"
		if !v.ok {
			mark = "NOT WATCHED"
			bad = append(bad, v.guard.Name)
		}
		fmt.Fprintf(out, "%-48s %-15s %5.1fs  %s\n", v.guard.Name, mark, v.seconds, v.note)
	}
	fmt.Fprintf(out, "%d guards, %d watched\n", len(guards), len(guards)-len(bad))
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(bad) > 0 {
		return fmt.Errorf("no test turned red for: %s", strings.Join(bad, ", "))
	}
	return nil
}

func load(raw []byte, only string) ([]guard, error) {
	var all []guard
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&all); err != nil {
		return nil, fmt.Errorf("guards.json: %w", err)
	}
	re, err := regexp.Compile(only)
	if err != nil {
		return nil, fmt.Errorf("-only is no regular expression: %w", err)
	}
	var out []guard
	for _, g := range all {
		if re.MatchString(g.Name) {
			out = append(out, g)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("no guard of that name")
	}
	return out, nil
}

// share is every N-th guard from the n-th on. A run on each commit with n taken from the commit goes round the whole list in about
// N commits, for an N-th of the time.
func share(guards []guard, part string) ([]guard, error) {
	var n, of int
	if _, err := fmt.Sscanf(part, "%d/%d", &n, &of); err != nil || n < 1 || of < n {
		return nil, errors.New("-share is n/N with 1 <= n <= N")
	}
	var out []guard
	for i := n - 1; i < len(guards); i += of {
		out = append(out, guards[i])
	}
	return out, nil
}

// suites groups guards by test binary, in the order of the list.
func suites(guards []guard) []suite {
	var out []suite
	at := map[string]int{}
	for _, g := range guards {
		key := g.Package + " " + g.Tags
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key], out = i, append(out, suite{pkg: g.Package, tags: g.Tags})
		}
		out[i].guards = append(out[i].guards, g)
	}
	return out
}

// try runs all tests of the suite with the guards in place, then each guard's without it.
func (s suite) try(ctx context.Context, verdicts chan<- verdict) {
	dir, err := os.MkdirTemp("", "sabotage")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		err = s.green(ctx)
	}
	for _, g := range s.guards {
		start := time.Now()
		v := verdict{guard: g}
		if err != nil {
			v.note = err.Error()
		} else {
			v.ok, v.note = without(ctx, dir, g)
		}
		v.seconds = time.Since(start).Seconds()
		verdicts <- v
	}
}

// green runs the tests of all guards once, with the guards.
func (s suite) green(ctx context.Context) error {
	var names []string
	for _, g := range s.guards {
		names = append(names, g.Run)
	}
	out, err := test(ctx, s.pkg, s.tags, strings.Join(names, "|"))
	switch {
	case err != nil:
		return errors.New("the tests are red even with the guard: " + firstFailure(out))
	case strings.Contains(out, "no tests to run"):
		return errors.New("no test has that name")
	}
	return nil
}

// without removes one guard and reports whether its tests noticed.
func without(ctx context.Context, dir string, g guard) (ok bool, note string) {
	overlay, err := overlayFor(dir, g)
	if err != nil {
		return false, err.Error()
	}
	out, err := test(ctx, g.Package, g.Tags, g.Run, "-overlay", overlay)
	switch {
	case ctx.Err() != nil:
		return false, "interrupted"
	case err == nil:
		return false, "tests stayed green: " + g.Run
	case strings.Contains(out, "[build failed]") || strings.Contains(out, "[setup failed]"):
		return false, "the package no longer compiles, so nothing was shown: " + firstFailure(out)
	}
	return true, firstFailure(out)
}

func overlayFor(dir string, g guard) (string, error) {
	src, err := os.ReadFile(g.File)
	if err != nil {
		return "", fmt.Errorf("%s is not there", g.File)
	}
	if n := strings.Count(string(src), g.Find); n != 1 {
		return "", fmt.Errorf("the guard's text stands %d times in %s, not once", n, g.File)
	}
	abs, err := filepath.Abs(g.File)
	if err != nil {
		return "", err
	}
	altered := filepath.Join(dir, "altered"+filepath.Ext(g.File))
	if err := os.WriteFile(altered, []byte(strings.Replace(string(src), g.Find, g.Replace, 1)), 0o600); err != nil {
		return "", err
	}
	b, err := json.Marshal(map[string]any{"Replace": map[string]string{abs: altered}})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, b, 0o600)
}

func test(ctx context.Context, pkg, tags, run string, extra ...string) (string, error) {
	args := append([]string{"test", "-vet=off", "-ldflags=-s -w", "-short", "-failfast", "-timeout", "3m", "-run", run}, extra...)
	if tags != "" {
		args = append(args, "-tags", tags)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, pkg)...) // #nosec G204 -- arguments come from the embedded list
	out, err := cmd.CombinedOutput()
	return string(out), err
}

var failLine = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

func firstFailure(out string) string {
	if m := failLine.FindStringSubmatch(out); m != nil {
		return m[1]
	}
	if strings.Contains(out, "panic:") {
		return "a test panicked"
	}
	for line := range strings.Lines(out) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return line
		}
	}
	return "no output"
}

// traces are the files that property tests had left in their packages before; what red runs add is removed.
type traces struct {
	folders []string
	before  map[string]bool
}

func leftovers(guards []guard) traces {
	t := traces{before: map[string]bool{}}
	for _, s := range suites(guards) {
		t.folders = append(t.folders, filepath.Join(filepath.FromSlash(s.pkg), "testdata"))
	}
	for _, f := range t.files() {
		t.before[f] = true
	}
	return t
}

// files are the fail files of rapid, and their folders, deepest last.
func (t traces) files() []string {
	var out []string
	for _, f := range t.folders {
		for _, pattern := range []string{".", "rapid", "rapid/*", "rapid/*/*"} {
			found, err := filepath.Glob(filepath.Join(f, pattern))
			if err == nil {
				out = append(out, found...)
			}
		}
	}
	return out
}

func (t traces) remove() {
	now := t.files()
	for i := len(now) - 1; i >= 0; i-- {
		if !t.before[now[i]] {
			_ = os.Remove(now[i]) // a folder that holds more stays
		}
	}
}
