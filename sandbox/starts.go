package sandbox

import (
	"runtime"
	"sync"
	"weak"

	"carrel/anonymize/ledger"
)

// starts remembers which started reservations reached a child, for as long as anybody holds them: each may once. The store
// keeps the same rule across processes (a state is left once); this keeps it inside one.
type starts struct {
	mu   sync.Mutex
	seen map[weak.Pointer[ledger.Started]]struct{}
}

// claim says whether this is the first time.
func (s *starts) claim(st *ledger.Started) bool {
	key := weak.Make(st)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, again := s.seen[key]; again {
		return false
	}
	s.seen[key] = struct{}{}
	runtime.AddCleanup(st, s.forget, key)
	return true
}

// forget drops a start that nobody can present again.
func (s *starts) forget(key weak.Pointer[ledger.Started]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.seen, key)
}
