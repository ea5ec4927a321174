package sandbox_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The report of the child that is installed: everything is tried, and everything is blocked.
func TestReport(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), os.Getenv("CARREL_TEST_CHILD"), "report", "--json").Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	var r struct {
		Attempts, Blocked int
		Rows, Outside     []struct {
			Group, Role, Name, Tried, Ended string
			Blocked                         bool
		}
	}
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatal(err)
	}
	groups, roles := map[string]int{}, map[string]int{}
	for _, row := range append(r.Rows, r.Outside...) {
		groups[row.Group]++
		roles[row.Role]++
		if !row.Blocked {
			t.Errorf("%s, %s: %s: %s", row.Group, row.Name, row.Tried, row.Ended)
		}
	}
	for _, g := range []string{"files", "network", "processes", "kernel", "memory", "sql"} {
		if groups[g] < 10 {
			t.Errorf("%d attempts on %s", groups[g], g)
		}
	}
	if roles["engine"] < 250 || roles["viewer"] < 80 || roles["parser"] < 20 {
		t.Errorf("attempts by role: %v", roles)
	}
	if exit != nil || r.Attempts < 40 || r.Blocked != r.Attempts || len(r.Rows) != r.Attempts || groups["outside"] < 6 {
		t.Errorf("%d attempts, %d blocked, %d rows, %v", r.Attempts, r.Blocked, len(r.Rows), err)
	}
}

func TestReportIsForPeople(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"report", "--lang", "zh", "--help"}, 0, "越狱"},
		{[]string{"report", "--help"}, 0, "Example:"},
		{[]string{"report", "--lang", "fr"}, 2, "zh or en"},
		{[]string{"report", "more"}, 2, "--json"},
		{[]string{"attempt", "{}"}, 2, "only --version and report are for people"},
	} {
		cmd := exec.CommandContext(t.Context(), os.Getenv("CARREL_TEST_CHILD"), c.args...)
		cmd.Env = []string{"LANG=en_GB.UTF-8"}
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != c.status || !strings.Contains(string(out), c.says) {
			t.Errorf("%v: %v: %s", c.args, err, out)
		}
	}
}
