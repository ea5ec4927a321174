// Package folder says which files lie with an application, with the grant that came of it, with a cross-border file, with a matter of
// conduct, or in somebody's own folder, before the step that names them.
//
// It promises: a paper stands here only after its content was looked at (broker/attachment), and its hash is of that content; one that
// was taken off is not among those that are kept; what rules are told of a folder is what is kept in it at that moment, and of no other.
//
// It does not promise that what a paper says is true, and it decides nothing: whether a document that somebody names will do is policy's.
package folder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"carrel/broker/store"
	"carrel/policy"
)

// DocKind is the kind of a paper's document in the store.
const DocKind = "attachment"

// The states of a paper.
const (
	kept    = "kept"
	removed = "removed"
)

// Paper is an attached file as stored.
type Paper struct {
	Of      string        `json:"of"`   // what it lies with
	Hash    string        `json:"hash"` // sha256:…
	Type    string        `json:"type"`
	Size    int           `json:"size"`
	Name    store.TextRef `json:"name"`
	Blob    string        `json:"blob"`           // in the vault; copies of an application share it
	Salt    []byte        `json:"salt,omitempty"` // of the commitment in the log; gone with the file
	By      string        `json:"by"`
	At      time.Time     `json:"at"`
	Version int           `json:"version"` // submissions before it
	Removed time.Time     `json:"removed,omitzero"`
}

// ID is what a paper is stored by: the same content lies in a folder once.
func (p *Paper) ID() string { return p.Of + "/" + p.Hash }

// Index is what a paper is listed by.
func (p *Paper) Index() store.Index {
	state := kept
	if !p.Removed.IsZero() {
		state = removed
	}
	return store.Index{Owner: p.Blob, State: state, Parent: p.Of}
}

// HashOf is the name of a content.
func HashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Kept are the papers of a folder that are there.
func Kept(ctx context.Context, tx *store.Tx, of string) ([]Paper, error) {
	docs, err := tx.List(ctx, DocKind, store.Filter{Parent: of, State: kept, Limit: store.ListMax})
	if err != nil {
		return nil, fmt.Errorf("folder: list: %w", err)
	}
	var out []Paper
	for _, d := range docs {
		var p Paper
		if err := d.Decode(&p); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// Shared says whether some folder still holds this file of the vault.
func Shared(ctx context.Context, tx *store.Tx, blob string) (bool, error) {
	docs, err := tx.List(ctx, DocKind, store.Filter{Owner: blob, State: kept, Limit: 1})
	if err != nil {
		return false, fmt.Errorf("folder: list: %w", err)
	}
	return len(docs) > 0, nil
}

// Facts are the papers of a folder as rules are told of them.
func Facts(ctx context.Context, tx *store.Tx, of string) (policy.List[policy.Paper], error) {
	all, err := Kept(ctx, tx, of)
	if err != nil {
		return nil, err
	}
	var out policy.List[policy.Paper]
	for _, p := range all {
		out = append(out, p.fact())
	}
	return out, nil
}

func (p *Paper) fact() policy.Paper {
	return policy.Paper{Hash: p.Hash, Type: p.Type, Size: int64(p.Size), By: p.By, On: policy.DateOf(p.At)}
}
