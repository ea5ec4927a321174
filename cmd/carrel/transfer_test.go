package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// The scripts under testdata/script/two are told between two services of their own, each a process as `carrel serve` starts it.
func TestTwoServices(t *testing.T) {
	t.Parallel()
	binary := sandboxBinary(t)
	processes := map[string]*exec.Cmd{}
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script", "two"), RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("SANDBOX", binary)
			e.Setenv("LANG", "en_GB.UTF-8")
			e.Setenv("PERSONS", persons)
			e.Setenv("EVIDENCE", "sha256:"+strings.Repeat("0123456789abcdef", 4))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"carrel": func(ts *testscript.TestScript, neg bool, args []string) { _ = expect(ts, neg, 0, args) },
			"exits":  exits, "as": as, "capture": capture, "replace": replace,
			"serves": func(ts *testscript.TestScript, _ bool, args []string) { serves(ts, processes, args) },
			"dies":   func(ts *testscript.TestScript, _ bool, args []string) { dies(ts, processes[args[0]]) },
			"enters": enters, "fetch": fetchKeys, "twice": twice,
		},
	})
}

// serves NAME DIR ARGS…: a service on the data of DIR, whose address becomes $NAME.
func serves(ts *testscript.TestScript, processes map[string]*exec.Cmd, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: serves NAME DIR ARGS...")
	}
	cmd := exec.Command(itself, append([]string{"serve", "--data", filepath.Join(args[1], "data"), "--listen", "127.0.0.1:0", "--sandbox", ts.Getenv("SANDBOX")}, args[2:]...)...)
	cmd.Dir = ts.MkAbs(".")
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	processes[args[0]] = cmd
	ts.Defer(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, address, said := strings.Cut(lines.Text(), "listening on "); said {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			ts.Setenv(args[0], strings.TrimSpace(address))
			return
		}
	}
	ts.Fatalf("the service of %s did not start", args[1])
}

// dies NAME: the service's process is killed in the middle of whatever it does.
func dies(ts *testscript.TestScript, cmd *exec.Cmd) {
	ts.Check(cmd.Process.Kill())
	_ = cmd.Wait()
}

// enters NAME DIR SESSION ACCOUNT…: the accounts log in to $NAME with the passwords beside the data of DIR, into a session file of their own.
func enters(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 4 {
		ts.Fatalf("usage: enters NAME DIR SESSION ACCOUNT...")
	}
	session := ts.MkAbs(args[2])
	ts.Setenv("CARREL_SESSION", session)
	words := map[string]string{}
	for line := range strings.Lines(ts.ReadFile(filepath.Join(args[1], "logins.txt"))) {
		if f := strings.Fields(line); len(f) > 1 {
			words[f[0]] = f[1]
		}
	}
	for _, account := range args[3:] {
		ts.Check(os.WriteFile(ts.MkAbs("password"), []byte(words[account]+"\n"), 0o600))
		expect(ts, false, 0, []string{"login", account, "--server", ts.Getenv(args[0]), "--password-file", "password"})
	}
}

// fetch NAME FILE: the public keys of $NAME, as its people would send them.
func fetchKeys(ts *testscript.TestScript, _ bool, args []string) {
	res, err := http.Get(ts.Getenv(args[0]) + "/api/v1/keys") //nolint:noctx // a script
	ts.Check(err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	ts.Check(err)
	if !json.Valid(raw) {
		ts.Fatalf("no keys: %s", raw)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), raw, 0o600))
}

// twice FILE RULE ARGS…: the command is given twice at the same moment. One succeeds, and what it prints is in FILE; the other is refused by
// RULE.
func twice(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: twice FILE RULE ARGS...")
	}
	type outcome struct {
		out, errs bytes.Buffer
		code      int
	}
	both := make(chan *outcome, 2)
	for range 2 {
		go func() {
			x := &outcome{}
			cmd := exec.Command(itself, args[2:]...)
			cmd.Dir, cmd.Stdout, cmd.Stderr = ts.MkAbs("."), &x.out, &x.errs
			cmd.Env = append(os.Environ(), "CARREL_SESSION="+ts.Getenv("CARREL_SESSION"), "LANG="+ts.Getenv("LANG"), "LC_ALL=")
			_ = cmd.Run()
			x.code = cmd.ProcessState.ExitCode()
			both <- x
		}()
	}
	x, y := <-both, <-both
	if x.code != 0 {
		x, y = y, x
	}
	if x.code != 0 || y.code != 3 || !strings.Contains(y.errs.String(), args[1]) {
		ts.Fatalf("exit statuses %d and %d: %s%s", x.code, y.code, x.errs.String(), y.errs.String())
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), x.out.Bytes(), 0o600))
}
