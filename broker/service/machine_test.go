//go:build linux

package service_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	_ "modernc.org/sqlite" // a second hand on the database, as a full or broken disk would be

	"carrel/anonymize/ledger"
	"carrel/broker/grant"
	"carrel/broker/problem"
	"carrel/broker/service"
	"carrel/broker/service/servicetest"
	"carrel/broker/store"
)

// endless keeps a child busy until somebody ends it.
const endless = "SELECT count(*)::BIGINT, 1::BIGINT FROM range(100000000000) t(i) WHERE i % 7 = 3"

// TestChildKilledInTheMiddle kills the real child while it computes. It does not run beside other tests: it tells its own children by
// their parent.
func TestChildKilledInTheMiddle(t *testing.T) { //nolint:paralleltest // see above
	a := &around{}
	c := moulds.City(t, a.put)
	if _, err := c.Query(t, question, 0.1); err != nil {
		t.Fatal(err)
	}
	before := c.Spent(t)
	a.running = func(string) string {
		go killBusyChild(t)
		return endless
	}
	_, err := c.Query(t, question, 0.11)
	if !problem.Is(err, problem.Failed) {
		t.Fatalf("the child was killed: %v", err)
	}
	account := c.Account(t, grant.Account(c.Grant))
	if account.Spent.Units <= before.Units || account.Faults != 1 || account.Frozen {
		t.Errorf("%+v", account)
	}
	if lost := c.Records(t, ledger.StateForfeited); len(lost) != 1 || lost[0].Why != ledger.WhyFailure {
		t.Errorf("%+v", lost)
	}
	a.running = nil
	again, err := c.Query(t, question, 0.11)
	if err != nil || again.FromRecord {
		t.Errorf("the same question after it: %v; a rerun is a new charge", err)
	}
	if now := c.Spent(t); now.Units <= account.Spent.Units {
		t.Error("the rerun was free")
	}
	c.Check(t)
}

// killBusyChild kills the first child of this process that computes.
func killBusyChild(t *testing.T) {
	end := time.Now().Add(20 * time.Second)
	first := map[int]int64{}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		for _, pid := range children() {
			ticks := processorTime(pid)
			if _, seen := first[pid]; !seen {
				first[pid] = ticks
			}
			if ticks-first[pid] >= 10 { // a tenth of a second
				if err := unix.Kill(pid, unix.SIGKILL); err != nil {
					t.Error(err)
				}
				return
			}
		}
		if time.Now().After(end) {
			t.Error("no child computes")
			return
		}
	}
}

// TestNoChildCanBeStarted: the program of the child is gone and the child that stood ready was killed before anything was sent to it.
// That is the machine's fault: not the grant's, however often, and the one charge waits until the machine is well, over a restart too.
func TestNoChildCanBeStarted(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "carrel-sandbox")
	raw, err := os.ReadFile(servicetest.Sandbox(t))
	servicetest.Must(t, err)
	servicetest.Must(t, os.WriteFile(program, raw, 0o700)) //nolint:gosec // a program
	c := moulds.City(t, func(c *service.Config) { c.Sandbox = program })
	away := program + ".away"
	var spent ledger.Amount
	fail := func(times int) {
		t.Helper()
		engines := warm(t, program)
		servicetest.Must(t, os.Rename(program, away))
		for _, pid := range engines {
			servicetest.Must(t, unix.Kill(pid, unix.SIGKILL))
		}
		for range times {
			if _, err := c.Query(t, question, 0.1); !problem.Is(err, problem.Unavailable) {
				t.Fatalf("no child can be started: %v", err)
			}
			if spent.Units == 0 {
				spent = c.Spent(t)
			}
		}
		servicetest.Must(t, os.Rename(away, program))
	}
	fail(4) // more than F
	c.Reopen(t)
	fail(1)
	account := c.Account(t, grant.Account(c.Grant))
	if spent.Units == 0 || account.Spent != spent || account.Faults != 0 || account.Frozen || len(c.Records(t, ledger.StateCharged)) != 1 {
		t.Errorf("%+v", account)
	}
	a, err := c.Query(t, question, 0.1)
	if err != nil || a.FromRecord || c.Spent(t) != spent || len(c.Records(t, ledger.StateDelivered)) != 1 {
		t.Errorf("with a child again: %v, spent %+v", err, c.Spent(t))
	}
	c.Check(t)
}

// warm waits until the children of this program stand ready, two parsers, two viewers and a spare engine, and gives the engines, which it
// tells by their limit of memory.
func warm(t *testing.T, program string) (engines []int) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); <-tick.C {
		small := 0 // parsers and viewers have the same limit
		engines = nil
		for _, pid := range children() {
			dir := fmt.Sprintf("/proc/%d/", pid)
			exe, _ := os.Readlink(dir + "exe")
			limits, _ := os.ReadFile(dir + "limits")
			_, data, _ := strings.Cut(string(limits), "Max data size")
			switch size := strings.Fields(data); {
			case exe != program || len(size) == 0 || size[0] == "unlimited":
			case size[0] == strconv.Itoa(512<<20):
				small++
			default:
				engines = append(engines, pid)
			}
		}
		if small == 4 && len(engines) == 1 {
			return engines
		}
	}
	t.Fatal("the children do not become ready")
	return nil
}

func children() []int {
	var out []int
	dirs, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, f := range dirs {
		if s := stat(f); len(s) > 2 && s[1] == strconv.Itoa(os.Getpid()) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
			out = append(out, pid)
		}
	}
	return out
}

func processorTime(pid int) int64 {
	s := stat(fmt.Sprintf("/proc/%d/stat", pid))
	if len(s) < 14 {
		return 0
	}
	user, _ := strconv.ParseInt(s[11], 10, 64)
	system, _ := strconv.ParseInt(s[12], 10, 64)
	return user + system
}

// stat gives the members after the name: state, parent, …
func stat(file string) []string {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	return strings.Fields(rest)
}

// books are what must not move when nothing happens.
type books struct {
	spent                     ledger.Amount
	started, answered, failed int
	entries                   int
}

func booksOf(t *testing.T, c *servicetest.City) books {
	t.Helper()
	return books{c.Spent(t), len(c.Records(t, ledger.StateStarted)), len(c.Records(t, ledger.StateDelivered)), len(c.Records(t, ledger.StateForfeited)), len(c.Entries(t))}
}

// execute runs a statement in a connection of its own to the open database.
func execute(t *testing.T, c *servicetest.City, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(c.Config.Data, store.FileName)+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), statement)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestLogNotWritable: without the log nothing happens, no charge, no refusal, no answer from record; when only the end cannot be
// written there is no answer, and the charge stays.
func TestLogNotWritable(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	if _, err := c.Query(t, question, 0.1); err != nil {
		t.Fatal(err)
	}
	before := booksOf(t, c)
	execute(t, c, "CREATE TRIGGER broken BEFORE INSERT ON log BEGIN SELECT RAISE(ABORT, 'no'); END")
	for name, q := range map[string]string{
		"fresh":       "SELECT COUNT(*) FROM encounter",
		"from record": question,
		"refused":     "SELECT COUNT(DISTINCT total_cost) FROM encounter",
	} {
		a, err := c.Query(t, q, 0.1)
		if err == nil || a != nil || problem.Is(err, problem.Refused) {
			t.Errorf("%s without a log: %v", name, err)
		}
	}
	if now := booksOf(t, c); now != before {
		t.Errorf("%+v became %+v", before, now)
	}
	execute(t, c, "DROP TRIGGER broken")
	execute(t, c, "CREATE TRIGGER broken BEFORE INSERT ON log WHEN instr(CAST(NEW.leaf AS TEXT), 'query.answered') > 0 BEGIN SELECT RAISE(ABORT, 'no'); END")
	if _, err := c.Query(t, question, 0.12); !problem.Is(err, problem.Failed) {
		t.Errorf("the end cannot be written: %v", err)
	}
	now := booksOf(t, c)
	if now.spent.Units <= before.spent.Units || now.answered != before.answered || now.failed+now.started != 1 {
		t.Errorf("%+v became %+v", before, now)
	}
	execute(t, c, "DROP TRIGGER broken")
	if _, err := c.Query(t, question, 0.13); err != nil {
		t.Errorf("with the log again: %v", err)
	}
	c.Check(t)
}

// TestBooksThatDoNotAgree: a service whose grant lost a charge, or whose database was edited by hand, does not start.
func TestBooksThatDoNotAgree(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	if _, err := c.Query(t, question, 0.1); err != nil {
		t.Fatal(err)
	}
	servicetest.Must(t, c.Close())
	execute(t, c, "UPDATE account SET spent_units = spent_units - 1 WHERE id = '"+grant.Account(c.Grant)+"'")
	s, err := service.Open(t.Context(), c.Config)
	if !errors.Is(err, ledger.ErrMismatch) {
		t.Errorf("opened: %v", err)
	}
	if err == nil {
		servicetest.Must(t, s.Close())
	}
}

// TestFullDisk fills the file system under the data directory. It needs the right to mount one.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if err := unix.Mount("tmpfs", root, "tmpfs", 0, "size=64m,mode=0700"); err != nil {
		t.Skipf("this account may not mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(root, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	c := moulds.CityAt(t, root)
	if _, err := c.Query(t, question, 0.1); err != nil {
		t.Fatal(err)
	}
	stone := filepath.Join(root, "stone")
	fill(t, stone)
	before := booksOf(t, c)
	failed := 0
	for i := range 200 { // until the room in SQLite's own files is used up
		_, err := c.Query(t, question, 0.1+float64(i+1)/1e6)
		if err == nil {
			before = booksOf(t, c)
			continue
		}
		failed++
		if !problem.Is(err, problem.Unavailable) && !problem.Is(err, problem.Failed) {
			t.Errorf("a full disk: %v", err)
		}
		break
	}
	if failed == 0 {
		t.Fatal("the disk never was full")
	}
	if now := booksOf(t, c); now != before && now.started+now.failed == 0 {
		t.Errorf("%+v became %+v", before, now)
	}
	if err := os.Remove(stone); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Query(t, question, 0.2); err != nil {
		t.Errorf("with room again: %v", err)
	}
	c.Check(t)
}

// fill writes until nothing fits.
func fill(t *testing.T, file string) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(block)
	}
	if cerr := f.Close(); !errors.Is(err, unix.ENOSPC) || cerr != nil {
		t.Fatalf("%v, %v", err, cerr)
	}
}
