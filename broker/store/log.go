package store

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// maxTreeCache bounds the hashes kept in memory; the append needs only the right edge, about 2 a level.
const maxTreeCache = 4096

// tree is the writer's knowledge of the log: its size and recently used hashes. The cache is an optimisation; what is not in it is read
// from the database. Hashes of entries that are undone must leave it, so that a number used again never meets an old hash.
type tree struct {
	size   int64
	hashes map[int64]tlog.Hash
	fresh  []int64 // indexes added since the last mark
}

// mark starts a closure; undo forgets what it added.
func (t *tree) mark() int64 {
	t.fresh = t.fresh[:0]
	if len(t.hashes) > maxTreeCache {
		clear(t.hashes)
	}
	return t.size
}

func (t *tree) undo(size int64) {
	for _, i := range t.fresh {
		delete(t.hashes, i)
	}
	t.fresh = t.fresh[:0]
	t.size = size
}

// reset forgets everything but the size on disk.
func (t *tree) reset(size int64) {
	clear(t.hashes)
	t.fresh = t.fresh[:0]
	t.size = size
}

// LogSize implements audit.Tx: the number of entries as this transaction sees it.
func (t *Tx) LogSize(ctx context.Context) (int64, error) {
	if err := t.usable(ctx); err != nil {
		return 0, err
	}
	if t.tree != nil {
		return t.tree.size, nil
	}
	if t.size < 0 {
		var n int64
		if err := t.one(ctx, sqlLogSize, nil, &n); err != nil {
			return 0, err
		}
		t.size = n
	}
	return t.size, nil
}

// LogAppend implements audit.Tx. The number must be the next one.
func (t *Tx) LogAppend(ctx context.Context, n int64, leaf []byte, base int64, hashes []tlog.Hash) error {
	if err := t.usable(ctx); err != nil {
		return err
	}
	if !t.write {
		return ErrReadOnly
	}
	if n != t.tree.size || len(hashes) == 0 || base != tlog.StoredHashIndex(0, n) {
		return invalid("log entry %d does not follow entry %d", n, t.tree.size-1)
	}
	packed := make([]byte, 0, len(hashes)*tlog.HashSize)
	for _, h := range hashes {
		packed = append(packed, h[:]...)
	}
	if _, err := t.exec(ctx, sqlLogAppend, n, leaf, packed); err != nil {
		return fmt.Errorf("store: log entry: %w", err)
	}
	for i, h := range hashes {
		t.tree.hashes[base+int64(i)] = h
		t.tree.fresh = append(t.tree.fresh, base+int64(i))
	}
	t.tree.size = n + 1
	return nil
}

// LogHashes implements audit.Tx.
func (t *Tx) LogHashes(ctx context.Context, indexes []int64) ([]tlog.Hash, error) {
	if err := t.usable(ctx); err != nil {
		return nil, err
	}
	out := make([]tlog.Hash, len(indexes))
	for k, index := range indexes {
		if t.tree != nil {
			if h, ok := t.tree.hashes[index]; ok {
				out[k] = h
				continue
			}
		}
		h, err := t.storedHash(ctx, index)
		if err != nil {
			return nil, err
		}
		out[k] = h
		if t.tree != nil {
			t.tree.hashes[index] = h
		}
	}
	return out, nil
}

// storedHash reads one hash: the hash of subtree (level, k) was stored with the entry that completed it.
func (t *Tx) storedHash(ctx context.Context, index int64) (tlog.Hash, error) {
	if index < 0 {
		return tlog.Hash{}, invalid("hash index below 0")
	}
	level, k := tlog.SplitStoredHashIndex(index)
	n := (k+1)<<level - 1
	var raw []byte
	if err := t.one(ctx, sqlLogHash, []any{level*tlog.HashSize + 1, n}, &raw); err != nil {
		return tlog.Hash{}, fmt.Errorf("store: log hash: %w", err)
	}
	if len(raw) != tlog.HashSize {
		return tlog.Hash{}, fmt.Errorf("store: log hash of entry %d: %w", n, ErrCorrupt)
	}
	return tlog.Hash(raw), nil
}

// LogLeaf implements audit.Reader.
func (t *Tx) LogLeaf(ctx context.Context, n int64) ([]byte, error) {
	var leaf []byte
	if err := t.one(ctx, sqlLogLeaf, []any{n}, &leaf); err != nil {
		return nil, err
	}
	return leaf, nil
}

// LogScan calls fn for entries from number `from` on, in order, at most limit of them; fn's error ends the scan and is returned.
func (t *Tx) LogScan(ctx context.Context, from, limit int64, fn func(n int64, leaf []byte) error) error {
	if from < 0 || limit < 0 {
		return invalid("log scan from %d, limit %d", from, limit)
	}
	return t.each(ctx, sqlLogScan, []any{from, limit}, func(scan func(...any) error) error {
		var n int64
		var leaf []byte
		if err := scan(&n, &leaf); err != nil {
			return t.broken(err)
		}
		return fn(n, leaf)
	})
}

// LogHead returns the signed head that the last commit stored, or ErrNotFound for an empty log.
func (t *Tx) LogHead(ctx context.Context) ([]byte, error) {
	var note []byte
	if err := t.one(ctx, sqlHeadGet, nil, &note); err != nil {
		return nil, err
	}
	return note, nil
}
