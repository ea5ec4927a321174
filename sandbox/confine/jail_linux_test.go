package confine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"carrel/sandbox/breakout"
	"carrel/sandbox/confine"
)

// The test binary starts itself again as the prisoner: these variables say which attempt it makes and behind which walls. The attempts are
// those of the report on the jail; here each of them is shown to be real as well.
const (
	envAttempt = "CARREL_TEST_ATTEMPT"
	envWalls   = "CARREL_TEST_WALLS" // "all", "paths", "none"
	envDir     = "CARREL_TEST_DIR"
	limit      = 1 << 30
)

// How a prisoner ends that is not up to the attempt.
const exitBroken = 42

func TestMain(m *testing.M) {
	if name := os.Getenv(envAttempt); name != "" {
		os.Exit(prisoner(name, os.Getenv(envWalls)))
	}
	os.Exit(m.Run())
}

// prisoner builds the walls, makes one attempt and says how it ended on descriptor 3.
func prisoner(name, walls string) int {
	say := func(word string) error { _, err := unix.Write(3, []byte(word)); return err }
	t := breakout.Task{Names: []string{name}, Alone: walls == "paths", Target: breakout.Target{Dir: os.Getenv(envDir), Sibling: os.Getppid(), Data: limit}}
	err := breakout.Inside(t, func(between func() error) error { return build(walls, between) }, func() error { return say(breakout.Ready) }, say)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitBroken
	}
	return 0
}

func build(walls string, between func() error) error {
	if walls == "none" {
		return nil
	}
	if err := confine.Resources(confine.Limits{Data: limit, Files: 64}); err != nil {
		return err
	}
	if _, err := confine.Paths(); err != nil {
		return err
	}
	if err := between(); err != nil || walls == "paths" {
		return err
	}
	return confine.Calls()
}

// run starts a prisoner and says how its attempt ended.
func run(t *testing.T, name, walls string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "canary"), []byte("sings"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^$") //nolint:gosec // this test itself
	cmd.WaitDelay = time.Second
	cmd.Env = []string{envAttempt + "=" + name, envWalls + "=" + walls, envDir + "=" + dir}
	cmd.ExtraFiles = []*os.File{w}
	var words strings.Builder
	cmd.Stderr = &words
	err = cmd.Run()
	w.Close()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	said, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	end, tried := strings.CutPrefix(string(said), breakout.Ready)
	ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	switch {
	case !ok || ws.Exited() && ws.ExitStatus() == exitBroken:
		t.Fatalf("%s, %s: prisoner broken: %.300s", name, walls, words.String())
	case !tried:
		return "never tried"
	case end != "":
		return end
	case ws.Signaled():
		return unix.SignalName(ws.Signal())
	}
	return "exit " + strconv.Itoa(ws.ExitStatus())
}

func TestNothingGetsOut(t *testing.T) {
	t.Parallel()
	abi := confine.ABI()
	if abi < confine.MinABI {
		t.Fatal(confine.ErrKernel)
	}
	for _, a := range breakout.Attempts() {
		name := a.Name.EN
		if a.Blocked(breakout.Limited, false) || name == "inherited descriptors" {
			continue // the parent's work: the report has a parent that does it
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if end := run(t, name, "all"); !a.Blocked(end, false) {
				t.Errorf("behind all walls: %s, not %v", end, a.Ends)
			}
			if a.Alone > 0 && abi >= a.Alone {
				if end := run(t, name, "paths"); !a.Blocked(end, true) {
					t.Errorf("Landlock alone did not stop it: %s", end)
				}
			}
			// Without walls the same attempt works: the test is about the walls, not about a call that never works.
			if a.Free {
				if end := run(t, name, "none"); end != breakout.Escaped {
					t.Errorf("does not work without walls: %s", end)
				}
			}
		})
	}
}

func TestAttemptsHaveNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, a := range breakout.Attempts() {
		if a.Name.EN == "" || a.Name.ZH == "" || a.Tried == "" || len(a.Ends) == 0 || a.Blocked(breakout.Escaped, false) || seen[a.Name.EN] {
			t.Errorf("%+v", a.Name)
		}
		seen[a.Name.EN] = true
	}
}
