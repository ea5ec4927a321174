package folder

import (
	"context"
	"errors"
	"fmt"

	"carrel/broker/auth"
	"carrel/broker/store"
	"carrel/policy"
)

// Own is the folder of one's own: what somebody takes in before the step that will name it, for a file or a matter that begins with the
// step. Nobody else sees into it.
func Own(account string) string { return "own/" + account }

// Place is something that files lie with, and whether a person may read it.
type Place struct {
	ID     string // of the folder
	Object string // in the log
	What   policy.Text
	Read   func(ctx context.Context, tx *store.Tx, id auth.Identity) (policy.Decision, error)
}

// Under are the files that lie under a hash in one of the folders, as rules are told of them; a name that is no hash has none.
func Under(ctx context.Context, tx *store.Tx, hash string, folders ...string) (policy.List[policy.Paper], error) {
	var out policy.List[policy.Paper]
	for _, of := range folders {
		p, _, err := get(ctx, tx, of, hash)
		if err != nil {
			return nil, err
		}
		if p != nil {
			out = append(out, p.fact())
		}
	}
	return out, nil
}

// get reads a file that is kept; nil is none.
func get(ctx context.Context, tx *store.Tx, of, hash string) (*Paper, int64, error) {
	p := &Paper{Of: of, Hash: hash}
	if of == "" || hash == "" {
		return nil, 0, nil
	}
	rev, err := tx.Get(ctx, DocKind, p.ID(), p)
	if store.IsNotFound(err) || err == nil && !p.Removed.IsZero() {
		return nil, rev, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("folder: read: %w", err)
	}
	return p, rev, nil
}

// Lay lays a file of one folder into another too, without a second file in the vault, so that what a step rests on stays when its owner
// clears his own folder. Who took it in and when stays as it is. A file that lies there already is left.
func Lay(ctx context.Context, tx *store.Tx, hash, from, to string) error {
	p, _, err := get(ctx, tx, from, hash)
	if err != nil || p == nil {
		return err
	}
	there, rev, err := get(ctx, tx, to, hash)
	if err != nil || there != nil {
		return err
	}
	name, err := tx.GetText(ctx, p.Name.ID)
	if err != nil && !errors.Is(err, store.ErrErased) {
		return fmt.Errorf("folder: name: %w", err)
	}
	p.Of = to
	if p.Name, err = tx.PutText(ctx, name); err != nil {
		return fmt.Errorf("folder: name: %w", err)
	}
	return tx.Put(ctx, DocKind, p.ID(), rev, p.Index(), p)
}
