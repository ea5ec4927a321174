package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"carrel/anonymize/ledger"
	"carrel/sandbox"
	"carrel/sandbox/sandboxtest"
	"carrel/sandbox/wire"
)

const count = `SELECT count(*)::BIGINT FROM "visit"`

func TestRunAnswersWithExactColumns(t *testing.T) {
	t.Parallel()
	s := session(t, newPool(t, nil), "g1", clinic(t, "x", 300_001))
	a, err := s.RunUncharged(context.Background(),
		`SELECT dept::BIGINT, count(*)::BIGINT, COALESCE(sum(cost), 0)::BIGINT FROM "visit" WHERE carrel_rank <= 2 GROUP BY dept ORDER BY dept`,
		[]string{"visit"}, 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Columns) != 3 || len(a.Columns[0]) != 51 {
		t.Fatalf("got %d columns", len(a.Columns))
	}
	var n int64
	for i, c := range a.Columns[1] {
		n += c
		if a.Columns[0][i] != int64(i) {
			t.Errorf("key %d is %d", i, a.Columns[0][i])
		}
	}
	if n != 150_001 {
		t.Errorf("counted %d rows of rank 1 and 2", n)
	}
	if a.Scanned["visit"] != 300_001 || len(a.Scanned) != 1 {
		t.Errorf("scanned %v", a.Scanned)
	}
}

func TestRunJoinsAndScansTwice(t *testing.T) {
	t.Parallel()
	s := session(t, newPool(t, nil), "g1", clinic(t, "x", 40_000))
	for _, c := range []struct {
		name, sql string
		tables    []string
		columns   int
		want      []int64
	}{
		{"private join", `SELECT count(*)::BIGINT FROM "visit" v JOIN "lab" l ON v.person = l.person WHERE v.carrel_rank = 1`,
			[]string{"visit", "lab"}, 1, []int64{20_000}},
		{"self join", `SELECT count(*)::BIGINT FROM "visit" a JOIN "visit" b ON a.person = b.person`, []string{"visit"}, 1, []int64{160_000}},
		{"public join", `SELECT count(*)::BIGINT FROM "visit" v JOIN "dept" d ON v.dept = d.dept`, []string{"visit", "dept"}, 1, []int64{40_000}},
		{"empty build side", `SELECT count(*)::BIGINT, COALESCE(sum(l.value), 0)::BIGINT FROM "visit" v JOIN "lab" l ON v.person = l.person WHERE v.carrel_rank = 77`,
			[]string{"visit", "lab"}, 2, []int64{0, 0}},
		{"folded filter", `SELECT count(*)::BIGINT FROM "visit" WHERE 1 = 2`, []string{"visit"}, 1, []int64{0}},
		{"left join", `SELECT count(*)::BIGINT FROM "visit" v LEFT JOIN (SELECT * FROM "lab" WHERE value > 5000) l ON v.person = l.person`,
			[]string{"visit", "lab"}, 1, []int64{40_000}},
		{"persons", `SELECT count(DISTINCT person)::BIGINT FROM "visit"`, []string{"visit"}, 1, []int64{10_000}},
	} {
		a, err := s.RunUncharged(context.Background(), c.sql, c.tables, c.columns)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for i, w := range c.want {
			if a.Columns[i][0] != w {
				t.Errorf("%s: column %d is %d, want %d", c.name, i, a.Columns[i][0], w)
			}
		}
	}
}

func TestRunNeedsAStartedReservation(t *testing.T) {
	t.Parallel()
	s := session(t, newPool(t, nil), "g1", clinic(t, "x", 100))
	for _, st := range []*ledger.Started{nil, {}} {
		if _, err := s.Run(context.Background(), st, []sandbox.Statement{{SQL: count, Columns: 1, Tables: []string{"visit"}}}); !errors.Is(err, sandbox.ErrBeforeData) {
			t.Errorf("ran without a reservation: %v", err)
		}
	}
	if s.Pid() != 0 {
		t.Error("a child got the extract before any reservation started")
	}
	taken := false
	give := func() error {
		if taken {
			return ledger.ErrConsumed
		}
		taken = true
		return nil
	}
	if _, err := s.RunAs(context.Background(), give, count, []string{"visit"}, 1); err != nil || !taken {
		t.Errorf("the first time: %v", err)
	}
	if _, err := s.RunAs(context.Background(), give, count, []string{"visit"}, 1); !errors.Is(err, sandbox.ErrUniform) {
		t.Errorf("one start reached a child twice: %v", err)
	}
}

func TestHonestRefusalsBeforeData(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	s := session(t, p, "g1", clinic(t, "x", 100))
	ctx := context.Background()
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	for name, run := range map[string]func() error{
		"unknown table": func() error { _, err := s.RunUncharged(ctx, count, []string{"other"}, 1); return err },
		"no columns":    func() error { _, err := s.RunUncharged(ctx, count, []string{"visit"}, 0); return err },
		"NUL":           func() error { _, err := s.RunUncharged(ctx, "SELECT 1\x00", nil, 1); return err },
		"huge":          func() error { _, err := s.RunUncharged(ctx, string(make([]byte, 2<<20)), nil, 1); return err },
		"bad source": func() error {
			bad := &badSource{*clinic(t, "bad", 10)}
			_, err := p.Session(ctx, "g", bad)
			return err
		},
	} {
		if err := run(); !errors.Is(err, sandbox.ErrBeforeData) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.RunUncharged(cancelled, count, []string{"visit"}, 1); !errors.Is(err, sandbox.ErrUniform) && !errors.Is(err, sandbox.ErrBeforeData) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestHolds: the largest answer that is charged for is one that a child may return, and a row more is not.
func TestHolds(t *testing.T) {
	t.Parallel()
	for _, columns := range []int{1, 2, 3, 20, 4096} {
		rows := int64(wire.MaxCells / columns)
		run := wire.Run{Columns: columns, MaxRows: int(rows), Deadline: 1}
		if !sandbox.Holds(rows, columns) || run.Validate() != nil || sandbox.Holds(rows+1, columns) {
			t.Errorf("%d columns", columns)
		}
	}
	if sandbox.Holds(0, 1) || sandbox.Holds(1, 0) || sandbox.Holds(1, 4097) || sandbox.Holds(1<<62, 2) {
		t.Error("no answer has such a shape")
	}
	s := session(t, newPool(t, nil), "g1", clinic(t, "x", 10))
	const cells = wire.MaxCells / 2
	a, err := s.RunUncharged(context.Background(), fmt.Sprintf(`SELECT range::BIGINT, 1::BIGINT FROM range(%d)`, cells), nil, 2)
	if err != nil || len(a.Columns) != 2 || len(a.Columns[1]) != cells {
		t.Errorf("a full answer: %v", err)
	}
}

// badSource has a column of a type that is no integer.
type badSource struct{ sandboxtest.Source }

func (b *badSource) Tables() []sandbox.SourceTable {
	return []sandbox.SourceTable{{Name: "t", Rows: 1, Columns: []sandbox.SourceColumn{{Name: "c", Type: "utf8"}}}}
}

// Every failure after the child was given data reads the same, and the pool goes on.
func TestFailuresAfterDataAreUniformAndRecovered(t *testing.T) {
	t.Parallel()
	p := newPool(t, func(c *sandbox.Config) { c.Deadline = 700 * time.Millisecond })
	s := session(t, p, "g1", clinic(t, "x", 20_000))
	for name, c := range map[string]struct {
		sql     string
		columns int
	}{
		"null cell":         {`SELECT NULL::BIGINT`, 1},
		"null from data":    {`SELECT max(cost)::BIGINT FROM "visit" WHERE dept = 200`, 1},
		"other type":        {`SELECT count(*)::INTEGER FROM "visit"`, 1},
		"hugeint":           {`SELECT sum(cost) FROM "visit"`, 1},
		"text":              {`SELECT 'abc'`, 1},
		"fewer columns":     {count, 2},
		"more columns":      {`SELECT 1::BIGINT, 2::BIGINT`, 1},
		"two statements":    {count + `; SELECT 2::BIGINT`, 1},
		"no select":         {`CREATE TABLE t AS SELECT 1 AS x`, 1},
		"unknown column":    {`SELECT sum(secret)::BIGINT FROM "visit"`, 1},
		"division":          {`SELECT (cost / 0)::BIGINT FROM "visit"`, 1},
		"overflow":          {`SELECT sum(9223372036854775807 * cost)::BIGINT FROM "visit"`, 1},
		"unasked table":     {`SELECT count(*)::BIGINT FROM "lab"`, 1},
		"early stop":        {`SELECT cost::BIGINT FROM "visit" WHERE cost > 0 LIMIT 1`, 1},
		"deadline":          {`SELECT count(*)::BIGINT FROM range(100000000000) a(i) WHERE i % 7 = 3`, 1},
		"deaf to interrupt": {`SELECT length(repeat('x', 3000000000))::BIGINT`, 1},
		"deaf in planning":  {`SELECT ` + strings.Repeat("abs(", 900) + "1" + strings.Repeat(")", 900) + `::BIGINT`, 1},
		"memory":            {`SELECT count(DISTINCT i)::BIGINT FROM range(400000000) t(i)`, 1},
	} {
		began := time.Now()
		_, err := s.RunUncharged(context.Background(), c.sql, []string{"visit"}, c.columns)
		if err != sandbox.ErrUniform { //nolint:errorlint // nothing may be wrapped around it or inside it
			t.Errorf("%s: got %v", name, err)
		}
		if d := time.Since(began); d > 4*time.Second {
			t.Errorf("%s: took %s", name, d)
		}
		if s.Pid() != 0 {
			t.Errorf("%s: the child lives on after a failure", name)
		}
		a, err := s.RunUncharged(context.Background(), count, []string{"visit"}, 1)
		if err != nil || a.Columns[0][0] != 20_000 {
			t.Errorf("after %s: %v", name, err)
		}
	}
}

func TestChildKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	s := session(t, newPool(t, nil), "g1", clinic(t, "x", 1000))
	if _, err := s.RunUncharged(context.Background(), count, []string{"visit"}, 1); err != nil {
		t.Fatal(err)
	}
	pid := s.Pid()
	done := make(chan error, 1)
	go func() {
		_, err := s.RunUncharged(context.Background(), `SELECT count(*)::BIGINT FROM range(100000000000) t(i) WHERE i % 7 = 3`, []string{"visit"}, 1)
		done <- err
	}()
	if err := waitBusy(pid); err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != sandbox.ErrUniform { //nolint:errorlint // exactly this
		t.Errorf("got %v", err)
	}
	if _, err := s.RunUncharged(context.Background(), count, []string{"visit"}, 1); err != nil {
		t.Errorf("the pool did not recover: %v", err)
	}
	// Killed while idle, nobody learns of it: no query was lost.
	pid = s.Pid()
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	waitGone(pid)
	if _, err := s.RunUncharged(context.Background(), count, []string{"visit"}, 1); err != nil {
		t.Errorf("an idle child's death showed: %v", err)
	}
}

func TestCancelAfterDataIsUniform(t *testing.T) {
	t.Parallel()
	s := session(t, newPool(t, nil), "g1", clinic(t, "x", 1000))
	if _, err := s.RunUncharged(context.Background(), count, []string{"visit"}, 1); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	_, err := s.RunUncharged(ctx, `SELECT count(*)::BIGINT FROM range(100000000000) t(i) WHERE i % 7 = 3`, []string{"visit"}, 1)
	if err != sandbox.ErrUniform { //nolint:errorlint // exactly this
		t.Errorf("got %v", err)
	}
}

func TestSourceThatLiesIsUniform(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	src := clinic(t, "x", 1000)
	for name, change := range map[string]func([]sandbox.SourceTable){
		"rows":         func(ts []sandbox.SourceTable) { ts[0].Rows++ },
		"column name":  func(ts []sandbox.SourceTable) { ts[0].Columns[0].Name = "other" },
		"column type":  func(ts []sandbox.SourceTable) { ts[0].Columns[0].Type = "int32" },
		"column order": func(ts []sandbox.SourceTable) { c := ts[0].Columns; c[0], c[1] = c[1], c[0] },
	} {
		liar := &changed{Source: *clinic(t, name, 1000), change: change}
		_, err := session(t, p, "g", liar).RunUncharged(context.Background(), count, []string{"visit"}, 1)
		if err != sandbox.ErrUniform { //nolint:errorlint // exactly this
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := session(t, p, "g", src).RunUncharged(context.Background(), count, []string{"visit"}, 1); err != nil {
		t.Error(err)
	}
}

// changed is a source whose description was tampered with.
type changed struct {
	sandboxtest.Source
	change func([]sandbox.SourceTable)
}

func (c *changed) Tables() []sandbox.SourceTable {
	var out []sandbox.SourceTable
	for _, t := range c.Source.Tables() {
		t.Columns = append([]sandbox.SourceColumn(nil), t.Columns...)
		out = append(out, t)
	}
	c.change(out)
	return out
}

func TestCheckScans(t *testing.T) {
	t.Parallel()
	src := clinic(t, "x", 1000) // visit 1000, lab 500
	full := func(name string, n int64) wire.Scan { return wire.Scan{Table: name, Rows: n, Complete: true} }
	part := func(name string, n int64) wire.Scan { return wire.Scan{Table: name, Rows: n} }
	some, zero, none := [][]int64{{3}, {1}}, [][]int64{{0}, {0}}, [][]int64{{}, {}}
	for _, c := range []struct {
		name   string
		tables []string
		scans  []wire.Scan
		cells  [][]int64
		ok     bool
	}{
		{"one whole scan", []string{"visit"}, []wire.Scan{full("visit", 1000)}, some, true},
		{"two whole scans", []string{"visit"}, []wire.Scan{full("visit", 1000), full("visit", 1000)}, some, true},
		{"a row less", []string{"visit"}, []wire.Scan{full("visit", 999)}, some, false},
		{"a row less, empty", []string{"visit"}, []wire.Scan{full("visit", 999)}, none, false},
		{"a row more", []string{"visit"}, []wire.Scan{full("visit", 1001)}, some, false},
		{"more than all, unfinished", []string{"visit"}, []wire.Scan{part("visit", 1001)}, none, false},
		{"second scan short", []string{"visit"}, []wire.Scan{full("visit", 1000), part("visit", 8)}, some, false},
		{"second scan short, zeros", []string{"visit"}, []wire.Scan{full("visit", 1000), part("visit", 8)}, zero, true},
		{"not scanned", []string{"visit", "lab"}, []wire.Scan{full("visit", 1000)}, some, false},
		{"not scanned, nothing", []string{"visit", "lab"}, []wire.Scan{full("visit", 1000)}, none, true},
		{"not asked for", []string{"visit"}, []wire.Scan{full("visit", 1000), full("lab", 500)}, some, false},
		{"no scan at all", []string{"visit"}, nil, some, false},
		{"no table, no scan", nil, nil, some, true},
	} {
		got, err := sandbox.CheckScans(src, c.tables, c.scans, c.cells, false)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil && len(c.tables) > 0 && got["visit"] != 1000 {
			t.Errorf("%s: reported %v", c.name, got)
		}
	}
	// rows of persons who are left out are missing, of a table of persons and where there is a list
	less := func(name string, n, left int64) wire.Scan {
		return wire.Scan{Table: name, Rows: n, Left: left, Complete: true}
	}
	src.Unit("visit", "person")
	if _, err := sandbox.CheckScans(src, []string{"visit"}, []wire.Scan{less("visit", 900, 100)}, some, false); err == nil {
		t.Error("rows are left out and nobody is on the list")
	}
	src.Who = sandbox.Choice{Persons: []uint32{3}}
	for name, c := range map[string]struct {
		scan wire.Scan
		ok   bool
	}{
		"hers left out": {less("visit", 996, 4), true}, "none of hers": {full("visit", 1000), true}, "one more gone": {less("visit", 995, 4), false},
		"one more": {less("visit", 997, 4), false}, "of a public table": {less("lab", 499, 1), false},
	} {
		if _, err := sandbox.CheckScans(src, []string{c.scan.Table}, []wire.Scan{c.scan}, some, false); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	src.Who = sandbox.Choice{}
	// a statement that skips leaves out what was not scanned whole, and still needs one whole scan and no row too many
	got, err := sandbox.CheckScans(src, []string{"visit", "lab"}, []wire.Scan{full("visit", 1000), part("lab", 3)}, some, true)
	if err != nil || len(got) != 1 || got["visit"] != 1000 {
		t.Errorf("a skipped table: %v, %v", got, err)
	}
	for name, scans := range map[string][]wire.Scan{"nothing whole": {part("visit", 9)}, "a row less": {full("visit", 1000), full("lab", 499)}, "a row more": {full("visit", 1000), part("lab", 501)}} {
		if _, err := sandbox.CheckScans(src, []string{"visit", "lab"}, scans, some, true); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// Whoever is on the list is in no answer, from the next query on and for the same key; two lists share the memory files and no child.
func TestChoiceIsObeyedByTheNextQuery(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	src := clinic(t, "x", 1000)
	src.Unit("visit", "person")
	src.Unit("lab", "person")
	ask := func(who sandbox.Choice) (int64, int64) {
		t.Helper()
		with := *src
		with.Who = who
		s := session(t, p, "g1", &with)
		a, err := s.RunUncharged(context.Background(), `SELECT count(*)::BIGINT, count(DISTINCT v.person)::BIGINT FROM "visit" v WHERE EXISTS (SELECT 1 FROM "lab" l WHERE l.person = v.person)`, []string{"visit", "lab"}, 2)
		if err != nil {
			t.Fatal(err)
		}
		return a.Columns[0][0], a.Columns[1][0]
	}
	all, persons := ask(sandbox.Choice{})
	for name, c := range map[string]struct {
		who     sandbox.Choice
		persons int64
	}{
		"two out": {sandbox.Choice{Version: "1", Persons: []uint32{7, 9}}, persons - 2}, "nobody who is there": {sandbox.Choice{Version: "2", Persons: []uint32{1 << 30}}, persons},
		"two only": {sandbox.Choice{Version: "3", Persons: []uint32{7, 9}, Only: true}, 2}, "nobody": {sandbox.Choice{Version: "4", Only: true}, 0},
		"all again": {sandbox.Choice{Version: "5"}, persons},
	} {
		n, got := ask(c.who)
		if got != c.persons || n*persons != all*got {
			t.Errorf("%s: %d rows of %d persons, of %d and %d", name, n, got, all, persons)
		}
	}
}

// Session does not wait for a query that runs: what waited would tell, before it is charged, how long the other's data took.
func TestSessionDoesNotWaitForARun(t *testing.T) {
	t.Parallel()
	p := newPool(t, func(c *sandbox.Config) { c.Sessions = 1 })
	src := clinic(t, "x", 1000)
	s := session(t, p, "g1", src)
	if _, err := s.RunUncharged(context.Background(), count, []string{"visit"}, 1); err != nil {
		t.Fatal(err)
	}
	pid := s.Pid()
	done := make(chan error, 1)
	go func() {
		_, err := s.RunUncharged(context.Background(), `SELECT count(*)::BIGINT FROM range(100000000000) t(i) WHERE i % 7 = 3`, []string{"visit"}, 1)
		done <- err
	}()
	if err := waitBusy(pid); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	same, err := p.Session(ctx, "g1", src)
	if err != nil {
		t.Fatalf("the same session: %v", err)
	}
	other, err := p.Session(ctx, "g2", src)
	if err != nil {
		t.Fatalf("another session in a full pool: %v", err)
	}
	select {
	case err := <-done:
		t.Fatalf("the run ended first: %v", err)
	default:
	}
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-done
	for _, s := range []*sandbox.Session{same, other} {
		if a, err := s.RunUncharged(context.Background(), count, []string{"visit"}, 1); err != nil || a.Columns[0][0] != 1000 {
			t.Errorf("afterwards: %v", err)
		}
	}
}
