package sandbox

import (
	"context"
	"weak"

	"carrel/anonymize/answer"
	"carrel/anonymize/ledger"
	"carrel/sandbox/wire"
)

// RunUncharged runs without a reservation: the tests of this package are about what comes after it.
func (s *Session) RunUncharged(ctx context.Context, sql string, tables []string, columns int) (answer.Aggregates, error) {
	return s.run(ctx, start{id: "q-test", claim: func() bool { return true }}, sql, tables, columns)
}

// Claims counts how often one start can reach a child.
func Claims(st *ledger.Started, tries int) int {
	s := &starts{seen: map[weak.Pointer[ledger.Started]]struct{}{}}
	n := 0
	for range tries {
		if s.claim(st) {
			n++
		}
	}
	return n
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
func CheckScans(src Source, tables []string, scans []wire.Scan, cells [][]int64) (map[string]int64, error) {
	return checkScans(src, tables, scans, cells)
}

// CheckBinary is checkBinary.
func CheckBinary(path string) error {
	_, err := checkBinary(path)
	return err
}
