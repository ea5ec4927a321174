package audit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Errors of the log.
var (
	// ErrNotCommitted means that the entry is not durable (yet): there is no receipt.
	ErrNotCommitted = errors.New("audit: the entry is not committed")
	// ErrRolledBack means that the entry's transaction failed and its number went to another entry: there never will be a receipt.
	ErrRolledBack = errors.New("audit: the entry was rolled back")
	// ErrStale means that a transaction sees fewer entries than were committed: the database was set back under a running log.
	ErrStale = errors.New("audit: the transaction sees an older log than was committed")
)

// Reader is what proofs and exports need beyond [Tx].
type Reader interface {
	Tx
	// LogLeaf returns leaf number n.
	LogLeaf(ctx context.Context, n int64) ([]byte, error)
}

// failer is a transaction that can be told that it must not commit.
type failer interface{ Fail(error) }

// Log appends entries and signs heads of one tree. One Log serves one store with one writer at a time; its methods may be
// called from several goroutines.
type Log struct {
	signer    Signer
	verifier  note.Verifier
	now       func() time.Time
	committed atomic.Int64

	mu   sync.Mutex
	open []*Pending // not yet committed, by rising index
}

// Option changes how a Log is made.
type Option func(*Log)

// WithClock sets the clock that stamps entries without a time.
func WithClock(now func() time.Time) Option { return func(l *Log) { l.now = now } }

// NewLog returns the log of the given origin. The origin is also the name of the signing key (as C2SP tlog-checkpoint asks),
// so a signer of another name is refused.
func NewLog(origin string, signer Signer, options ...Option) (*Log, error) {
	if signer == nil {
		return nil, errors.New("audit: no signer")
	}
	if signer.Name() != origin {
		return nil, errors.New("audit: the signing key is named for another log")
	}
	verifier, err := note.NewVerifier(signer.VerifierKey())
	if err != nil {
		return nil, fmt.Errorf("audit: verifier key: %w", err)
	}
	l := &Log{signer: signer, verifier: verifier, now: time.Now}
	for _, o := range options {
		o(l)
	}
	return l, nil
}

// Origin names the log.
func (l *Log) Origin() string { return l.signer.Name() }

// VerifierKey is the public key in note form, for whoever checks the log.
func (l *Log) VerifierKey() string { return l.signer.VerifierKey() }

// Size is the number of durably committed entries.
func (l *Log) Size() int64 { return l.committed.Load() }

// Append writes the entry inside the transaction. The entry counts only when that transaction commits; until then the Pending
// gives no receipt. On an error the transaction is told to fail too, whatever the caller does with the error.
func (l *Log) Append(ctx context.Context, tx Tx, e Entry) (*Pending, error) {
	p, err := l.append(ctx, tx, e)
	if err != nil {
		err = fmt.Errorf("audit: append: %w", err)
		if f, ok := tx.(failer); ok {
			f.Fail(err)
		}
		return nil, err
	}
	return p, nil
}

func (l *Log) append(ctx context.Context, tx Tx, e Entry) (*Pending, error) {
	leaf, err := e.stamped(l.now()).Leaf()
	if err != nil {
		return nil, err
	}
	n, err := tx.LogSize(ctx)
	if err != nil {
		return nil, fmt.Errorf("size: %w", err)
	}
	if n < l.committed.Load() {
		return nil, ErrStale
	}
	hashes, err := tlog.StoredHashes(n, leaf, hashReader{ctx, tx})
	if err != nil {
		return nil, fmt.Errorf("hashes: %w", err)
	}
	if err := tx.LogAppend(ctx, n, leaf, tlog.StoredHashIndex(0, n), hashes); err != nil {
		return nil, err
	}
	return l.track(n, hashes[0]), nil
}

// track remembers an entry until it is committed. A second entry with the same or a lower number proves that the first one's
// transaction did not commit, since the numbers of committed entries are never given again.
func (l *Log) track(n int64, leaf tlog.Hash) *Pending {
	p := &Pending{index: n, leaf: leaf}
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.open) > 0 && l.open[len(l.open)-1].index >= n {
		last := len(l.open) - 1
		l.open[last].state.Store(rolledBack)
		l.open[last] = nil
		l.open = l.open[:last]
	}
	l.open = append(l.open, p)
	return p
}

// Committed is called by the store after a durable commit, and when it opens, with the number of entries that are now on disk.
// Smaller numbers than before are ignored.
func (l *Log) Committed(size int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if size <= l.committed.Load() {
		return
	}
	done := 0
	for done < len(l.open) && l.open[done].index < size {
		l.open[done].state.Store(durable)
		done++
	}
	l.open = append([]*Pending(nil), l.open[done:]...)
	l.committed.Store(size)
}

// The states of a Pending.
const (
	undecided int32 = iota
	durable
	rolledBack
)

// Pending is an entry written in a transaction that may not have committed yet.
type Pending struct {
	index int64
	leaf  tlog.Hash
	state atomic.Int32
}

// Index is the entry's number, from 0, should it commit.
func (p *Pending) Index() int64 { return p.index }

// Receipt returns the receipt once the entry is durable, else [ErrNotCommitted] or [ErrRolledBack].
func (p *Pending) Receipt() (Receipt, error) {
	if p == nil {
		return Receipt{}, ErrNotCommitted
	}
	switch p.state.Load() {
	case durable:
		return Receipt{Index: p.index, LeafHash: p.leaf, of: p}, nil
	case rolledBack:
		return Receipt{}, ErrRolledBack
	default:
		return Receipt{}, ErrNotCommitted
	}
}

// Receipt says that an entry is durably in the log. Only [Pending.Receipt] makes a valid one.
type Receipt struct {
	Index    int64     // the entry's number, from 0
	LeafHash tlog.Hash // RFC 6962 hash of its leaf
	of       *Pending
}

// Valid reports whether the receipt came from a committed entry and was not altered. The zero value is not valid.
func (r Receipt) Valid() bool {
	return r.of != nil && r.of.state.Load() == durable && r.of.index == r.Index && r.of.leaf == r.LeafHash
}

// hashReader lets tlog read stored hashes through a transaction.
type hashReader struct {
	ctx context.Context //nolint:containedctx // lives for one call of tlog, whose interface has no context
	tx  Tx
}

// ReadHashes implements tlog.HashReader.
func (r hashReader) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	if len(indexes) == 0 {
		return nil, nil
	}
	return r.tx.LogHashes(r.ctx, indexes)
}
