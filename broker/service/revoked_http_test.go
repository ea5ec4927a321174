package service_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carrel/anonymize/ledger"
	"carrel/broker/service"
	"carrel/broker/service/servicetest"
)

// ownSandbox is the child's program under a name of this test's own, so that its processes are told from all others by it.
func ownSandbox(t *testing.T) (program, comm string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "rv") // not t.TempDir: its name is longer than the kernel's for a process is
	servicetest.Must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	comm = filepath.Base(dir)
	program = filepath.Join(dir, comm)
	from := servicetest.Sandbox(t)
	if os.Link(from, program) != nil {
		raw, err := os.ReadFile(from)
		servicetest.Must(t, err)
		servicetest.Must(t, os.WriteFile(program, raw, 0o500)) //nolint:gosec // a program
	}
	return program, comm
}

// busy is a process of that name that computes now: looked at again, its time grew. "" is none within a while.
func busy(t *testing.T, comm string) string {
	t.Helper()
	before := ticks(t, comm)
	for deadline := time.Now().Add(300 * time.Millisecond); time.Now().Before(deadline); {
		for pid, n := range ticks(t, comm) {
			if was, there := before[pid]; there && n != was {
				return pid
			}
		}
	}
	return ""
}

// ticks are the processor times of the living processes of that name, by process.
func ticks(t *testing.T, comm string) map[string]string {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	servicetest.Must(t, err)
	out := map[string]string{}
	for _, file := range stats {
		raw, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(raw), "("+comm+")") {
			continue // gone meanwhile, or another's
		}
		fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
		if len(fields) > 12 && fields[0] != "Z" && fields[0] != "X" {
			out[filepath.Base(filepath.Dir(file))] = fields[11] + " " + fields[12]
		}
	}
	return out
}

// TestRevokedOverHTTP: through the public API alone, a queued question computes in its child, the owner revokes the grant, and from the
// reply on the job is over within seconds even on a busy machine: its child is dead, nothing was released, its charge stays, and both
// sides are told why in two languages.
func TestRevokedOverHTTP(t *testing.T) {
	t.Parallel()
	program, comm := ownSandbox(t)
	a := &around{}
	c := moulds.City(t, a.put, func(c *service.Config) { c.Sandbox = program })
	h, err := c.Handler()
	servicetest.Must(t, err)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	s := &story{t: t, lang: "en", tokens: map[string]string{}, hands: servicetest.NewHands(), city: c, base: server.URL + "/api/v1"}

	ask := obj{"grant": c.Grant, "sql": question, "epsilon": 0.2}
	s.does("li", "/query", ask) // its child is up
	before := c.Spent(t)
	started := make(chan struct{})
	a.running = func(string) string { close(started); return unfinished }
	ask["epsilon"] = 0.1
	number := str(s.does("li", "/jobs", ask), "id")
	<-started
	if busy(t, comm) == "" {
		t.Fatal("no child computes")
	}
	s.token("wu") // a log-in is slow on purpose and no part of what is measured
	if state := str(s.does("wu", "/grants/"+c.Grant+"/revoke", obj{"reason": "The study has ended early."}), "state"); state != "revoked" {
		t.Fatalf("the grant is %s", state)
	}
	begun := time.Now()
	var job obj
	for {
		job = s.sees("li", "/jobs/"+number)
		if state := str(job, "state"); state != "queued" && state != "running" {
			break
		}
		if time.Since(begun) > 10*time.Second {
			t.Fatalf("ten seconds after the revocation the job is still %s", str(job, "state"))
		}
	}
	t.Logf("over %s after the reply", time.Since(begun).Round(time.Millisecond))
	if pid := busy(t, comm); pid != "" {
		t.Errorf("the child %s goes on", pid)
	}
	if state := str(job, "state"); state != "failed" {
		t.Errorf("the job is %s", state)
	}
	raw, err := json.Marshal(job["problem"])
	servicetest.Must(t, err)
	for _, words := range []string{"授权已被收回", "The right was withdrawn", "tianjin-32-2/grant-active"} {
		if !strings.Contains(string(raw), words) {
			t.Errorf("the job's problem does not say %q: %s", words, raw)
		}
	}
	if status, raw := s.call("li", http.MethodGet, "/jobs/"+number+"/result", nil); status/100 == 2 {
		t.Errorf("a result came out: %s", raw)
	}
	lost := c.Records(t, ledger.StateForfeited)
	if len(lost) != 1 || len(lost[0].Result) != 0 || c.Spent(t).Units <= before.Units {
		t.Errorf("%d forfeited, spent %+v", len(lost), c.Spent(t))
	}
	if n := count(c.Entries(t), "query.answered"); n != 1 {
		t.Errorf("%d answers are in the log, one was before", n)
	}
	ask["epsilon"] = 0.3
	s.refused("li", http.MethodPost, "/query", ask, http.StatusForbidden, "tianjin-32-2/grant-active")
	c.Check(t)
}
