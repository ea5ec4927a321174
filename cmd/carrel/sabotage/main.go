// Command sabotage takes out each guard of a list, one at a time, and shows the quick test that turns red.
//
// It promises that a guard on its list is watched: the exact text of the guard must stand once in the file, the named tests
// must be green with it and red without it, and red for the right reason (a test failed; the package still compiled). It
// does not promise that the list is complete; whoever adds a guard adds a line to guards.json. Nothing on disk changes: the
// altered file reaches the compiler by `go test -overlay`.
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
	"strings"
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

type verdict struct {
	guard   guard
	ok      bool
	note    string
	seconds float64
}

func main() {
	only := flag.String("only", "", "regular expression on the names of guards")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := sabotage(ctx, os.Stdout, *only)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "sabotage: "+err.Error())
		os.Exit(1)
	}
}

func sabotage(ctx context.Context, out io.Writer, only string) error {
	guards, err := load(guardList, only)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "sabotage")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var bad []string
	for _, g := range guards {
		v := try(ctx, dir, g)
		mark := "red without it"
		if !v.ok {
			mark = "NOT WATCHED"
			bad = append(bad, g.Name)
		}
		fmt.Fprintf(out, "%-44s %-15s %5.1fs  %s\n", g.Name, mark, v.seconds, v.note)
	}
	fmt.Fprintf(out, "%d guards, %d watched\n", len(guards), len(guards)-len(bad))
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

// try removes one guard and reports whether its tests noticed.
func try(ctx context.Context, dir string, g guard) verdict {
	start := time.Now()
	v := verdict{guard: g}
	defer func() { v.seconds = time.Since(start).Seconds() }()
	overlay, err := overlayFor(dir, g)
	if err != nil {
		v.note = err.Error()
		return v
	}
	if out, err := test(ctx, g); err != nil {
		v.note = "the tests are red even with the guard: " + firstFailure(out)
		return v
	} else if strings.Contains(out, "no tests to run") {
		v.note = "no test has that name"
		return v
	}
	out, err := test(ctx, g, "-overlay", overlay)
	switch {
	case err == nil:
		v.note = "tests stayed green: " + g.Run
	case strings.Contains(out, "[build failed]") || strings.Contains(out, "[setup failed]"):
		v.note = "the package no longer compiles, so nothing was shown"
	default:
		v.ok, v.note = true, firstFailure(out)
	}
	v.seconds = time.Since(start).Seconds()
	return v
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

func test(ctx context.Context, g guard, extra ...string) (string, error) {
	args := append([]string{"test", "-vet=off", "-timeout", "5m", "-run", g.Run}, extra...)
	if g.Tags != "" {
		args = append(args, "-tags", g.Tags)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, g.Package)...) // #nosec G204 -- arguments come from the embedded list
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
	line, _, _ := strings.Cut(strings.TrimSpace(out), "\n")
	return line
}
