package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"carrel/sandbox"
)

// waitBusy waits until a process has used processor time since now, that is, until it works.
func waitBusy(pid int) error {
	first, err := ticks(pid)
	if err != nil {
		return err
	}
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); runtime.Gosched() {
		if now, err := ticks(pid); err != nil || now > first+3 {
			return err
		}
	}
	return errors.New("the child does not work")
}

// waitGone waits until a process has ended and was reaped.
func waitGone(pid int) {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); runtime.Gosched() {
		if _, err := os.Stat("/proc/" + strconv.Itoa(pid)); err != nil {
			return
		}
	}
}

// ticks is the processor time of a process in clock ticks.
func ticks(pid int) (int64, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, err
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	return strconv.ParseInt(f[11], 10, 64)
}

func TestParse(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	ctx := context.Background()
	deep := strings.Repeat
	for _, c := range []struct {
		name, sql, code string
		offset          int
	}{
		{"one select", "SELECT count(*) FROM encounter WHERE a = 'x'", "", 0},
		{"with trailing semicolon", "SELECT 1;", "", 0},
		{"comment", "/* a */ SELECT 1 -- b", "", 0},
		{"common table", "WITH a AS (SELECT 1 AS x) SELECT x FROM a", "", 0},
		{"long", "SELECT '" + deep("x", 1<<20) + "'", "too-long", -1},
		{"NUL", "SELECT 'a\x00b'", "text", 9},
		{"bad UTF-8", "SELECT '\xff\xfe'", "text", 8},
		{"nothing", "", "empty", -1},
		{"only a comment", "-- hi", "empty", -1},
		{"two statements", "SELECT 1; SELECT 2", "many", -1},
		{"insert", "INSERT INTO t VALUES (1)", "select", -1},
		{"attach", "ATTACH ':memory:' AS x", "select", -1},
		{"copy", "COPY t TO '/tmp/x'", "select", -1},
		{"set", "SET threads = 9", "select", -1},
		{"pragma", "PRAGMA database_list", "select", -1},
		{"install", "INSTALL httpfs", "select", -1},
		{"explain", "EXPLAIN SELECT 1", "select", -1},
		{"select then drop", "SELECT 1; DROP TABLE t", "select", -1},
		{"syntax", "SELECT a,\n  b fro\n FROM WHERE", "syntax", 24},
		{"parentheses", "SELECT " + deep("(", 5000) + "1" + deep(")", 5000), "", -1},
		{"functions", "SELECT " + deep("f(", 5000) + "1" + deep(")", 5000), "too-deep", -1},
		{"not", "SELECT " + deep("not ", 10000) + "true", "too-deep", -1},
		{"subqueries", deep("SELECT * FROM (", 3000) + "SELECT 1" + deep(")", 3000), "too-deep", -1},
		{"lists", "SELECT " + deep("[", 20000) + deep("]", 20000), "too-deep", -1},
		{"ands", "SELECT * FROM t WHERE a" + deep(" AND a", 10000), "", -1},
	} {
		tree, err := p.Parse(ctx, c.sql)
		var pe *sandbox.ParseError
		switch {
		case c.code == "" && err == nil:
			if !json.Valid(tree) {
				t.Errorf("%s: the tree is not JSON", c.name)
			}
		case errors.As(err, &pe):
			t.Logf("%s: %s at %d", c.name, pe.Code, pe.Offset)
			if c.code == "" && c.offset == 0 || c.code != "" && pe.Code != c.code && pe.Code != "too-complex" {
				t.Errorf("%s: got %s", c.name, pe.Code)
			}
			if c.offset > 0 && pe.Offset != c.offset {
				t.Errorf("%s: offset %d, want %d", c.name, pe.Offset, c.offset)
			}
		default:
			t.Errorf("%s: accepted or another error: %v", c.name, err)
		}
	}
	tree, err := p.Parse(ctx, "SELECT count(*) FROM encounter")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Error      bool
		Statements []json.RawMessage
	}
	if err := json.Unmarshal(tree, &doc); err != nil || doc.Error || len(doc.Statements) != 1 {
		t.Errorf("unexpected document: %v", err)
	}
}

// A text that takes too long costs its parser, not the service.
func TestParserIsKilledAtItsDeadline(t *testing.T) {
	t.Parallel()
	p := newPool(t, func(c *sandbox.Config) { c.ParseDeadline = time.Millisecond })
	var pe *sandbox.ParseError
	_, err := p.Parse(context.Background(), "SELECT * FROM t WHERE a"+strings.Repeat(" AND a", 10_000))
	if !errors.As(err, &pe) || pe.Code != "too-complex" {
		t.Fatalf("got %v", err)
	}
	if p.Stats().Kills != 1 {
		t.Error("the parser lives on")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Parse(ctx, "SELECT 1"); err == nil {
		t.Error("parsed for nobody")
	}
}

// What a text says must not come back in words of the engine, nor reach the log.
func TestNoLiteralInErrorsOrLog(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	p := newPool(t, func(c *sandbox.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	const secret = "Zhang-San-110101199003078515"
	ctx := context.Background()
	for _, sql := range []string{
		"SELECT '" + secret + "' FROM WHERE", secret, "SELECT 1; SELECT '" + secret + "'", "DROP TABLE \"" + secret + "\"",
	} {
		if _, err := p.Parse(ctx, sql); err == nil || strings.Contains(err.Error(), "Zhang") {
			t.Errorf("parse error: %v", err)
		}
	}
	s := session(t, p, "g", clinic(t, "x", 100))
	for _, sql := range []string{"SELECT error('" + secret + "')::BIGINT", "SELECT '" + secret + "'::BIGINT", "SELECT \"" + secret + "\""} {
		if _, err := s.RunUncharged(ctx, sql, nil, 1); err == nil || strings.Contains(err.Error(), "Zhang") {
			t.Errorf("run error: %v", err)
		}
	}
	if out := log.String(); strings.Contains(out, "Zhang") || !strings.Contains(out, "query failed") {
		t.Errorf("log: %s", out)
	}
}

// Given straight to a child that holds data, hostile SQL reaches nothing outside it.
func TestHostileSQLIsHarmless(t *testing.T) {
	t.Parallel()
	p := newPool(t, func(c *sandbox.Config) { c.Deadline, c.MemoryLimit = time.Second, 512<<20 })
	s := session(t, p, "g", clinic(t, "x", 5000))
	canary := filepath.Join(t.TempDir(), "canary")
	for _, sql := range []string{
		`SELECT count(*)::BIGINT FROM read_csv('/etc/passwd')`,
		`SELECT count(*)::BIGINT FROM read_text('/etc/passwd')`,
		`SELECT count(*)::BIGINT FROM read_blob('/proc/self/mem')`,
		`SELECT count(*)::BIGINT FROM '/etc/passwd'`,
		`SELECT count(*)::BIGINT FROM glob('/*')`,
		`SELECT count(*)::BIGINT FROM read_parquet('https://127.0.0.1/x')`,
		`SELECT count(*)::BIGINT FROM parquet_metadata('/etc/passwd')`,
		`SELECT length(getenv('PATH'))::BIGINT`,
		`COPY (SELECT 1) TO '` + canary + `'`,
		`COPY "visit" TO '` + canary + `' (FORMAT parquet)`,
		`EXPORT DATABASE '` + canary + `'`,
		`ATTACH '` + canary + `' AS c`, `ATTACH ':memory:' AS m`, `USE memory`, `CREATE TABLE t AS SELECT 1`,
		`CREATE MACRO count(x) AS 42`, `CREATE VIEW w AS SELECT 1`, `DROP VIEW "visit"`, `INSTALL httpfs`, `LOAD httpfs`, `LOAD '` + canary + `'`,
		`SET enable_external_access = true`, `SET lock_configuration = false`, `SET threads = 64`, `SET memory_limit = '64GB'`, `RESET ALL`,
		`SET temp_directory = '/tmp'`, `PRAGMA enable_profiling`, `PRAGMA database_list`, `CALL enable_logging()`, `CALL force_checkpoint()`,
		`SET VARIABLE a = 1`, `PREPARE p AS SELECT 1`, `BEGIN`, `CREATE SECRET s (TYPE s3)`, `EXPLAIN ANALYZE SELECT count(*)::BIGINT FROM "visit"`,
		`SELECT count(*)::BIGINT FROM query('CREATE TABLE t AS SELECT 1')`, `SELECT length(repeat('x', 2000000000))::BIGINT`,
		`SELECT len(range(300000000))::BIGINT`, `WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT count(*)::BIGINT FROM r`,
		`SELECT regexp_replace(repeat('a', 5000000), '(a*)*b', 'c')::BIGINT`, `SELECT ` + strings.Repeat("abs(", 900) + "1" + strings.Repeat(")", 900),
		`SELECT count(*)::BIGINT FROM "visit" a, "visit" b, "visit" c`, `SELECT error('x')::BIGINT`, `SELECT (TRY(cost / 0))::BIGINT FROM "visit"`,
		`SELECT count(*)::BIGINT FROM carrel_scan_0() LIMIT 0`, `SELECT 1::BIGINT; COPY (SELECT 1) TO '` + canary + `'`,
	} {
		began := time.Now()
		if _, err := s.RunUncharged(context.Background(), sql, []string{"visit"}, 1); err != sandbox.ErrUniform { //nolint:errorlint // exactly this
			if !strings.Contains(sql, "LIMIT 0") {
				t.Errorf("%.60s: %v", sql, err)
			}
		}
		if d := time.Since(began); d > 5*time.Second {
			t.Errorf("%.60s: took %s", sql, d)
		}
	}
	if _, err := os.Lstat(canary); !errors.Is(err, os.ErrNotExist) {
		t.Error("a file was written")
	}
	if a, err := s.RunUncharged(context.Background(), count, []string{"visit"}, 1); err != nil || a.Columns[0][0] != 5000 {
		t.Errorf("afterwards: %v", err)
	}
}

func TestSessionsAreCappedAndShareFiles(t *testing.T) {
	t.Parallel()
	p := newPool(t, func(c *sandbox.Config) { c.Sessions = 2 })
	src := clinic(t, "x", 1000)
	ctx := context.Background()
	a, b, c := session(t, p, "a", src), session(t, p, "b", src), session(t, p, "c", src)
	for _, s := range []*sandbox.Session{a, b, c, a} {
		if _, err := s.RunUncharged(ctx, count, []string{"visit"}, 1); err != nil {
			t.Fatal(err)
		}
	}
	if st := p.Stats(); st.Sessions != 2 || st.Files != 3 {
		t.Errorf("stats %+v", st)
	}
	if b.Pid() != 0 || a.Pid() == 0 || c.Pid() == 0 || a.Pid() == c.Pid() {
		t.Errorf("children a %d b %d c %d: the least recently used leaves, and none is shared", a.Pid(), b.Pid(), c.Pid())
	}
	var wg sync.WaitGroup
	for i := range 24 {
		s := []*sandbox.Session{a, b, c}[i%3]
		wg.Go(func() {
			got, err := s.RunUncharged(ctx, count, []string{"visit"}, 1)
			if err != nil || got.Columns[0][0] != 1000 {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestChildIsReplacedAfterItsJobs(t *testing.T) {
	t.Parallel()
	s := session(t, newPool(t, func(c *sandbox.Config) { c.JobsPerChild = 3 }), "g", clinic(t, "x", 100))
	seen := map[int]bool{}
	for range 7 {
		if _, err := s.RunUncharged(context.Background(), count, []string{"visit"}, 1); err != nil {
			t.Fatal(err)
		}
		if pid := s.Pid(); pid != 0 {
			seen[pid] = true
		}
	}
	if len(seen) != 3 {
		t.Errorf("%d children for 7 jobs at 3 each", len(seen))
	}
}

func TestNothingLeaks(t *testing.T) {
	// Not parallel: it counts descriptors of this process.
	p := newPool(t, func(c *sandbox.Config) { c.JobsPerChild = 50; c.Spares = 0 })
	s := session(t, p, "g", clinic(t, "x", 1000))
	ctx := context.Background()
	run := func(n int) {
		for i := range n {
			if _, err := s.RunUncharged(ctx, count, []string{"visit"}, 1); err != nil {
				t.Fatal(err)
			}
			if _, err := p.Parse(ctx, "SELECT 1"); err != nil {
				t.Fatal(err)
			}
			if i%40 == 7 {
				_, _ = s.RunUncharged(ctx, "SELECT NULL", nil, 1)
			}
		}
	}
	run(20)
	fds, inChild, routines := descriptors(t, os.Getpid()), descriptors(t, s.Pid()), runtime.NumGoroutine()
	run(200)
	if now := descriptors(t, os.Getpid()); now > fds+2 {
		t.Errorf("descriptors grew from %d to %d", fds, now)
	}
	if now := descriptors(t, s.Pid()); now > inChild {
		t.Errorf("descriptors of the child grew from %d to %d", inChild, now)
	}
	if now := runtime.NumGoroutine(); now > routines+5 {
		t.Errorf("goroutines grew from %d to %d", routines, now)
	}
}

func descriptors(t *testing.T, pid int) int {
	t.Helper()
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// The child starts with nothing but its socket: no environment, no descriptor of the broker.
func TestChildInheritsNothing(t *testing.T) {
	t.Parallel()
	s := session(t, newPool(t, nil), "g", clinic(t, "x", 100))
	if _, err := s.RunUncharged(context.Background(), count, []string{"visit"}, 1); err != nil {
		t.Fatal(err)
	}
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", s.Pid()))
	if err != nil || len(env) != 0 {
		t.Errorf("environment of %d bytes, %v", len(env), err)
	}
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.Pid()))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", s.Pid(), f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		ok := to == "/dev/null" || strings.HasPrefix(to, "socket:") || strings.HasPrefix(to, "anon_inode:")
		if !ok {
			t.Errorf("descriptor %s leads to %s", f.Name(), to)
		}
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Pid()))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"NoNewPrivs:\t1", "Seccomp:\t2"} {
		if !strings.Contains(string(status), want) {
			t.Errorf("no %q", want)
		}
	}
}

func TestClosedPoolRefuses(t *testing.T) {
	t.Parallel()
	p, err := sandbox.New(context.Background(), config())
	if err != nil {
		t.Fatal(err)
	}
	s := session(t, p, "g", clinic(t, "x", 100))
	if _, err := s.RunUncharged(context.Background(), count, []string{"visit"}, 1); err != nil {
		t.Fatal(err)
	}
	pid := s.Pid()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); !errors.Is(err, os.ErrNotExist) {
		t.Error("the child outlived its pool")
	}
	if st := p.Stats(); st.Files != 0 || st.Sessions != 0 {
		t.Errorf("left over: %+v", st)
	}
	if _, err := s.RunUncharged(context.Background(), count, []string{"visit"}, 1); !errors.Is(err, sandbox.ErrBeforeData) {
		t.Errorf("run: %v", err)
	}
	if _, err := p.Parse(context.Background(), "SELECT 1"); !errors.Is(err, sandbox.ErrBeforeData) {
		t.Errorf("parse: %v", err)
	}
}

func TestEndOfContextEndsThePool(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	p, err := sandbox.New(ctx, config())
	if err != nil {
		t.Fatal(err)
	}
	s := session(t, p, "g", clinic(t, "x", 100))
	if _, err := s.RunUncharged(context.Background(), count, []string{"visit"}, 1); err != nil {
		t.Fatal(err)
	}
	pid, done := s.Pid(), make(chan error, 1)
	go func() {
		_, err := s.RunUncharged(context.Background(), `SELECT count(*)::BIGINT FROM range(100000000000) t(i) WHERE i % 7 = 3`, []string{"visit"}, 1)
		done <- err
	}()
	if err := waitBusy(pid); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; err != sandbox.ErrUniform { //nolint:errorlint // exactly this
		t.Errorf("got %v", err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func TestBinaryMustBeOurs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "child")
	write := func(mode os.FileMode) {
		if err := os.WriteFile(path, []byte("#!/bin/true\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	write(0o755)
	if err := sandbox.CheckBinary(path); err != nil {
		t.Errorf("a sane binary: %v", err)
	}
	for _, mode := range []os.FileMode{0o777, 0o757, 0o644} {
		write(mode)
		if err := sandbox.CheckBinary(path); err == nil {
			t.Errorf("mode %o accepted", mode)
		}
	}
	write(0o755)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := sandbox.CheckBinary(path); err == nil {
		t.Error("a directory that everybody can write accepted")
	}
	if err := sandbox.CheckBinary(filepath.Join(dir, "nothing")); err == nil {
		t.Error("a missing file accepted")
	}
	if err := sandbox.CheckBinary(dir); err == nil {
		t.Error("a directory accepted")
	}
	// A program that is not the child is noticed at start, before anything depends on it.
	c := config()
	c.Binary = "/bin/true"
	if _, err := sandbox.New(context.Background(), c); !errors.Is(err, sandbox.ErrBeforeData) {
		t.Errorf("started with /bin/true: %v", err)
	}
}

// lockedBuffer is a buffer that several goroutines may write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
