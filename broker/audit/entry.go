package audit

import (
	"context"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Entry is one leaf of the log, as canonical JSON. It holds account ids and salted commitments, never names, row values or texts.
type Entry struct {
	At      time.Time         `json:"at"`
	Kind    string            `json:"kind"`              // e.g. "query.charged", "application.submitted"
	Actor   string            `json:"actor"`             // account id, or "system"
	Unit    string            `json:"unit"`              // responsible unit for this step
	Object  string            `json:"object"`            // e.g. "application/ap-…", "query/q-…"
	Grant   string            `json:"grant,omitempty"`   // grant id
	Policy  string            `json:"policy,omitempty"`  // bundle hash
	Rules   []string          `json:"rules,omitempty"`   // rules cited
	Facts   map[string]string `json:"facts,omitempty"`   // small public facts: state, cost, hashes
	Commit  map[string]string `json:"commit,omitempty"`  // salted commitments to erasable texts (name -> sha256)
	Outcome string            `json:"outcome,omitempty"` // allowed | refused | failed
}

// Tx is what the log needs of a transaction. Implementations live in broker/store.
type Tx interface {
	// LogSize is the number of entries as this transaction sees it.
	LogSize(ctx context.Context) (int64, error)
	// LogAppend stores leaf number n (0-based) and its stored hashes from index base on.
	LogAppend(ctx context.Context, n int64, leaf []byte, base int64, hashes []tlog.Hash) error
	// LogHashes reads stored hashes by index.
	LogHashes(ctx context.Context, indexes []int64) ([]tlog.Hash, error)
}
