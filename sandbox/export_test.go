package sandbox

import (
	"context"

	"carrel/anonymize/answer"
	"carrel/sandbox/wire"
)

// RunUncharged runs without a reservation: the tests of this package are about what comes after it.
func (s *Session) RunUncharged(ctx context.Context, sql string, tables []string, columns int) (answer.Aggregates, error) {
	return s.RunAs(ctx, func() error { return nil }, sql, tables, columns)
}

// RunAs runs as Run does, with a right to give of the test's own.
func (s *Session) RunAs(ctx context.Context, give func() error, sql string, tables []string, columns int) (answer.Aggregates, error) {
	a, err := s.run(ctx, start{id: "q-test", give: give}, []Statement{{SQL: sql, Columns: columns, Tables: tables}})
	if err != nil {
		return answer.Aggregates{}, err
	}
	return a[0], nil
}

// Pid is the session's child, 0 when it has none.
func (s *Session) Pid() int {
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	if e := s.pool.sessions[s.id]; e != nil && e.child != nil {
		return e.child.pid
	}
	return 0
}

// CheckScans is checkScans.
func CheckScans(src Source, tables []string, scans []wire.Scan, cells [][]int64, skips bool) (map[string]int64, error) {
	return checkScans(src, tables, scans, cells, skips)
}

// CheckBinary is checkBinary.
func CheckBinary(path string) error {
	_, err := checkBinary(path)
	return err
}
