package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/rogpeppe/go-internal/testscript"

	"carrel/broker/jinhe"
	"carrel/policy"
)

// The scripts under testdata/script are the command line as its users meet it: one file a story, headed by why it is there. Those under
// after change what the others stand on, such as whose rows are in a dataset, and come when these have ended.
func TestScripts(t *testing.T) {
	t.Parallel()
	c, binary := theCity(t), sandboxBinary(t)
	for _, dir := range []string{"script", "script/after"} {
		t.Run(path.Base(dir), func(t *testing.T) { c.scripts(t, binary, filepath.Join("testdata", dir)) })
	}
}

func (c *city) scripts(t *testing.T, binary, dir string) {
	testscript.Run(t, testscript.Params{
		Dir: dir, RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("SANDBOX", binary)
			return c.setup(e)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"carrel": func(ts *testscript.TestScript, neg bool, args []string) { _ = expect(ts, neg, 0, args) },
			"exits":  exits, "as": as, "capture": capture, "eventually": eventually, "digest": digest,
			"replace": replace, "prefix": prefix, "damage": damage, "cut": cut, "gbk": gbk, "blank": blank, "repeat": repeat, "tables": tables,
		},
	})
}

// setup gives a script the city's addresses, passwords and a session file of its own.
func (c *city) setup(e *testscript.Env) error {
	all, err := json.Marshal(c.sessions)
	if err != nil {
		return err
	}
	file := filepath.Join(e.WorkDir, "session.json")
	for account, password := range c.password {
		if err := os.WriteFile(filepath.Join(e.WorkDir, account+".password"), []byte(password+"\n"), 0o600); err != nil {
			return err
		}
	}
	for name, src := range map[string][]byte{"query.yaml": jinhe.QueryRecipeYAML(), "handover.yaml": jinhe.HandoverRecipeYAML()} {
		if err := os.WriteFile(filepath.Join(e.WorkDir, name), src, 0o600); err != nil {
			return err
		}
	}
	e.Setenv("CARREL_SESSION", file)
	e.Setenv("CARREL_SERVER", c.server)
	e.Setenv("DEMO", c.root)
	e.Setenv("TABLES", c.tables)
	rules, err := filepath.Abs("../../policies")
	if err != nil {
		return err
	}
	e.Setenv("POLICIES", rules)
	e.Setenv("TODAY", string(policy.DateOf(time.Now())))
	e.Setenv("LATER", string(policy.DateOf(time.Now().AddDate(0, 0, 30))))
	e.Setenv("LANG", "en_GB.UTF-8")
	return os.WriteFile(file, all, 0o600)
}

// expect runs a command in the script's folder and returns its standard output. Whatever the status, standard error must be empty or a
// proper sentence.
func expect(ts *testscript.TestScript, neg bool, code int, args []string) string {
	cmd := exec.Command(itself, args...) // TestMain put it on the path
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "CARREL_SESSION="+ts.Getenv("CARREL_SESSION"), "LANG="+ts.Getenv("LANG"), "LC_ALL=", "PWD="+cmd.Dir)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	_, _ = ts.Stdout().Write(out.Bytes())
	_, _ = ts.Stderr().Write(errs.Bytes())
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		ts.Fatalf("carrel: %v", err)
	}
	got := cmd.ProcessState.ExitCode()
	if (got == code) == neg {
		ts.Fatalf("exit status %d, expected %d (negated: %v)", got, code, neg)
	}
	if got != 0 && !bytes.HasPrefix(errs.Bytes(), []byte("{")) {
		sentence(ts, errs.String())
	}
	return out.String()
}

// sentence checks the first line of an error: one sentence behind "carrel: ", no Go error chain, no trace.
func sentence(ts *testscript.TestScript, text string) {
	first, _, _ := strings.Cut(text, "\n")
	body, ok := strings.CutPrefix(first, "carrel: ")
	switch {
	case !ok || len([]rune(body)) < 5:
		ts.Fatalf("the error is no sentence: %q", first)
	case len([]rune(body)) > 300:
		ts.Fatalf("the error is too long for one sentence: %q", first)
	case strings.Contains(text, "goroutine ") || strings.Contains(text, "0x") && strings.Contains(text, "panic"):
		ts.Fatalf("the error shows the machine: %q", first)
	}
	for _, line := range strings.Split(strings.TrimSpace(text), "\n")[1:] {
		if !strings.HasPrefix(line, "  ") {
			ts.Fatalf("the error goes on without indent: %q", line)
		}
	}
	if strings.ContainsFunc(body, func(r rune) bool { return unicode.IsControl(r) }) {
		ts.Fatalf("the error holds control characters: %q", first)
	}
}

// exits N ARGS…: the command ends with just this status.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 {
		ts.Fatalf("usage: exits STATUS ARGS...")
	}
	code, err := strconv.Atoi(args[0])
	ts.Check(err)
	_ = expect(ts, neg, code, args[1:])
}

// as ACCOUNT: the session that the following commands use.
func as(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: as ACCOUNT")
	}
	raw, err := os.ReadFile(ts.Getenv("CARREL_SESSION"))
	ts.Check(err)
	var all sessions
	ts.Check(json.Unmarshal(raw, &all))
	all.Current = args[0]
	raw, err = json.Marshal(all)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.Getenv("CARREL_SESSION"), raw, 0o600))
}

// capture NAME REGEXP: the first match (or its first group) in the last standard output becomes $NAME.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: capture NAME REGEXP")
	}
	m := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if m == nil {
		ts.Fatalf("nothing in standard output matches %s", args[1])
	}
	ts.Setenv(args[0], m[len(m)-1])
}

// eventually REGEXP ARGS…: the command is repeated until its output matches; for what the queue does in its own time.
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: eventually REGEXP ARGS...")
	}
	re := regexp.MustCompile(args[0])
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); <-tick.C {
		if re.MatchString(expect(ts, false, 0, args[1:])) { // the script's own "stdout" is set when this command is over
			return
		}
	}
	ts.Fatalf("the output never matched %s", args[0])
}

// digest NAME: the last digest in the last standard output becomes $NAME.
func digest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: digest NAME")
	}
	capture(ts, false, []string{args[0], `(?m)^digest (\S+)$`})
}
