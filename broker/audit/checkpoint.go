package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// ErrCheckpoint is wrapped by every refusal of a signed head.
var ErrCheckpoint = errors.New("audit: not a signed head of this log")

// Head is the content of a checkpoint: a tree size and its root hash.
type Head struct {
	Size int64
	Root tlog.Hash
}

// Seal signs the head that the transaction sees, its own entries included. Only the store calls it, as the last act of a
// transaction, and keeps the note in that transaction: a head of entries that may yet be rolled back must not be shown.
func (l *Log) Seal(ctx context.Context, tx Tx) ([]byte, error) {
	n, err := tx.LogSize(ctx)
	if err != nil {
		return nil, fmt.Errorf("audit: size: %w", err)
	}
	return l.sign(ctx, tx, n)
}

// Checkpoint returns a signed head (C2SP tlog-checkpoint) of the committed entries that the transaction sees.
func (l *Log) Checkpoint(ctx context.Context, tx Tx) ([]byte, error) {
	n, err := l.visible(ctx, tx)
	if err != nil {
		return nil, err
	}
	return l.sign(ctx, tx, n)
}

// visible is the number of entries that are both committed and seen by the transaction.
func (l *Log) visible(ctx context.Context, tx Tx) (int64, error) {
	n, err := tx.LogSize(ctx)
	if err != nil {
		return 0, fmt.Errorf("audit: size: %w", err)
	}
	return min(n, l.committed.Load()), nil
}

func (l *Log) sign(ctx context.Context, tx Tx, n int64) ([]byte, error) {
	root, err := tlog.TreeHash(n, hashReader{ctx, tx})
	if err != nil {
		return nil, fmt.Errorf("audit: root hash: %w", err)
	}
	signed, err := note.Sign(&note.Note{Text: headText(l.Origin(), Head{Size: n, Root: root})}, l.signer)
	if err != nil {
		return nil, fmt.Errorf("audit: sign head: %w", err)
	}
	return signed, nil
}

func headText(origin string, h Head) string {
	return origin + "\n" + strconv.FormatInt(h.Size, 10) + "\n" + h.Root.String() + "\n"
}

// ParseCheckpoint checks the signature and origin of a checkpoint of this log and returns its head.
func (l *Log) ParseCheckpoint(signed []byte) (Head, error) {
	n, err := note.Open(signed, note.VerifierList(l.verifier))
	if err != nil {
		return Head{}, fmt.Errorf("%w: signature", ErrCheckpoint)
	}
	lines := strings.SplitN(n.Text, "\n", 4)
	if len(lines) != 4 || lines[0] != l.Origin() {
		return Head{}, fmt.Errorf("%w: origin", ErrCheckpoint)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Head{}, fmt.Errorf("%w: size", ErrCheckpoint)
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return Head{}, fmt.Errorf("%w: root hash", ErrCheckpoint)
	}
	return Head{Size: size, Root: root}, nil
}

// Consistent reports whether the tree that the transaction sees has the head as a prefix: its size is at least the head's and
// the root over the first entries is the same.
func Consistent(ctx context.Context, tx Tx, h Head) (bool, error) {
	n, err := tx.LogSize(ctx)
	if err != nil {
		return false, fmt.Errorf("audit: size: %w", err)
	}
	if n < h.Size {
		return false, nil
	}
	root, err := tlog.TreeHash(h.Size, hashReader{ctx, tx})
	if err != nil {
		return false, fmt.Errorf("audit: root hash: %w", err)
	}
	return root == h.Root, nil
}

// Proof shows a third party that one entry is in the log: the leaf's hash with the path gives the root that the checkpoint
// signs. audit/verify checks it, and so does any program that knows RFC 6962 and C2SP signed notes.
type Proof struct {
	Index      int64       `json:"index"`      // the entry's number, from 0
	Size       int64       `json:"size"`       // the tree's size, as the checkpoint says
	Leaf       string      `json:"leaf"`       // the entry's canonical JSON, byte for byte
	Hashes     []tlog.Hash `json:"hashes"`     // audit path, from the leaf up, base64
	Checkpoint string      `json:"checkpoint"` // signed note
}

// Prove returns the proof of one committed entry, or [ErrNotCommitted].
func (l *Log) Prove(ctx context.Context, tx Reader, index int64) (*Proof, error) {
	n, err := l.visible(ctx, tx)
	if err != nil {
		return nil, err
	}
	if index < 0 || index >= n {
		return nil, ErrNotCommitted
	}
	leaf, err := tx.LogLeaf(ctx, index)
	if err != nil {
		return nil, fmt.Errorf("audit: leaf: %w", err)
	}
	path, err := tlog.ProveRecord(n, index, hashReader{ctx, tx})
	if err != nil {
		return nil, fmt.Errorf("audit: path: %w", err)
	}
	head, err := l.sign(ctx, tx, n)
	if err != nil {
		return nil, err
	}
	p := &Proof{Index: index, Size: n, Leaf: string(leaf), Hashes: path, Checkpoint: string(head)}
	if err := l.selfCheck(p); err != nil {
		return nil, err
	}
	return p, nil
}

// selfCheck refuses to hand out a proof that does not prove: the stored hashes are damaged then, and that must be loud.
func (l *Log) selfCheck(p *Proof) error {
	h, err := l.ParseCheckpoint([]byte(p.Checkpoint))
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(p.Hashes, h.Size, h.Root, p.Index, tlog.RecordHash([]byte(p.Leaf))); err != nil {
		return fmt.Errorf("audit: the stored entry and the stored hashes disagree: %w", err)
	}
	return nil
}

// JSON returns the proof as one JSON object with a final newline.
func (p *Proof) JSON() ([]byte, error) {
	if p.Hashes == nil {
		p.Hashes = []tlog.Hash{}
	}
	raw, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("audit: proof: %w", err)
	}
	return append(raw, '\n'), nil
}
