//go:build linux && cgo

// The child's own settings, for the same reason as in its main package.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0
//go:debug decoratemappings=0

package worker

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carrel/sandbox/breakout"
)

// The test binary is the child when it is started under one of these names: with the whole jail, or with one wall left out. No program
// that is installed can leave one out.
const (
	wholeJail = "carrel-whole"
	noCalls   = "carrel-no-calls"
	noPaths   = "carrel-no-paths"
)

func TestMain(m *testing.M) {
	w := jail()
	switch filepath.Base(os.Args[0]) {
	case wholeJail:
	case noCalls:
		w.calls = func() error { return nil }
	case noPaths:
		w.paths = func() (int, error) { return 6, nil }
	default:
		os.Exit(m.Run())
	}
	if len(os.Args) == 3 {
		os.Exit(attempt(newSocket(socketFD), os.Args[2], w))
	}
	if serve(newSocket(socketFD), w) != nil {
		os.Exit(exitFailed)
	}
	os.Exit(exitDone)
}

// reported runs a part of the report with this binary as the child.
func reported(t *testing.T, name string, only func(breakout.Row) bool) breakout.Report {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), name)
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	r, err := breakout.Run(context.Background(), breakout.Config{Program: program, Only: only})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// some are attempts of all kinds, few enough to be made three times.
func some(r breakout.Row) bool {
	switch r.Name {
	case "internet socket", "memory file", "fork", "thread and namespace", "signal sibling", "memory that runs", "memory made to run", "shared memory, nameless", "memory as a stack",
		"Landlock alone: read a file", "Landlock alone: create a file", "Landlock alone: connect", "inherited descriptors", "thread bomb", "memory bomb":
		return true
	}
	return r.Group == breakout.SQL && (r.Tried == "SET lock_configuration = false" || strings.HasPrefix(r.Name, "altered trees"))
}

func TestReportOfTheWholeJail(t *testing.T) {
	t.Parallel()
	r := reported(t, wholeJail, some)
	if !r.OK() || r.Attempts < 15 {
		t.Errorf("%d of %d blocked:\n%s", r.Blocked, r.Attempts, r.Table("en"))
	}
}

// A report that stays green without a wall would report nothing.
func TestReportMissesAWall(t *testing.T) {
	t.Parallel()
	for name, through := range map[string][]string{
		noCalls: {"internet socket", "memory file", "fork", "memory that runs", "shared memory, nameless"},
		noPaths: {"Landlock alone: read a file", "Landlock alone: create a file", "Landlock alone: connect"},
	} {
		r := reported(t, name, some)
		if r.OK() {
			t.Errorf("%s: all is blocked", name)
		}
		escaped := map[string]bool{}
		for _, row := range r.Rows {
			// what another wall stops, or what fails for reasons of its own, is not what was reported on
			if name == noCalls && (row.Name == "signal sibling" || row.Name == "thread and namespace") && (row.Blocked || row.Ended == breakout.Escaped) {
				t.Errorf("%s: %s: %s", name, row.Name, row.Ended)
			}
			escaped[row.Name] = row.Ended == breakout.Escaped && !row.Blocked
		}
		for _, want := range through {
			if !escaped[want] {
				t.Errorf("%s: %s did not get through:\n%s", name, want, r.Table("en"))
			}
		}
	}
}
