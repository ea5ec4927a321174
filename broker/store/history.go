package store

import (
	"context"
	"errors"
	"fmt"

	"carrel/broker/audit"
)

// begin reads the log's size and refuses a database that does not continue its signed history: the head inside it must cover exactly its
// entries, and every head kept outside must be a prefix of them. What is checked is the right edge of the tree (cheap, whatever the
// size); every single entry is the work of audit/verify.
func (w *writer) begin(ctx context.Context) error {
	tx := &Tx{s: w.s, now: w.o.Now, size: -1}
	size, err := tx.LogSize(ctx)
	if err != nil {
		return err
	}
	if w.log.Size() > size {
		return fmt.Errorf("%w: the running log has %d entries, the database %d", ErrRolledBack, w.log.Size(), size)
	}
	head, err := w.ownHead(ctx, tx, size)
	if err != nil {
		return err
	}
	if err := w.outerHeads(ctx, tx, size); err != nil {
		return err
	}
	w.tree.size = size
	w.log.Committed(size)
	return w.copies.write(size, head)
}

// ownHead checks the head that the last commit stored, and returns it; for an empty log it signs one.
func (w *writer) ownHead(ctx context.Context, tx *Tx, size int64) ([]byte, error) {
	note, err := tx.LogHead(ctx)
	if errors.Is(err, ErrNotFound) && size == 0 {
		return w.log.Seal(ctx, tx)
	}
	if errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("%w: the log has entries and no signed head; restore the data directory", ErrCorrupt)
	}
	if err != nil {
		return nil, err
	}
	head, err := w.log.ParseCheckpoint(note)
	if err != nil {
		return nil, fmt.Errorf("%w: the database's own head: %w; is this the right signing key?", ErrCorrupt, err)
	}
	if head.Size != size {
		return nil, fmt.Errorf("%w: the log has %d entries, its signed head %d: entries were cut or added by another program; run `carrel audit verify` and restore",
			ErrCorrupt, size, head.Size)
	}
	same, err := audit.Consistent(ctx, tx, head)
	if err != nil {
		return nil, err
	}
	if !same {
		return nil, fmt.Errorf("%w: the log's stored hashes contradict its signed head; run `carrel audit verify` and restore", ErrCorrupt)
	}
	return note, nil
}

// outerHeads checks every head of the second directory.
func (w *writer) outerHeads(ctx context.Context, tx *Tx, size int64) error {
	notes, err := ReadCheckpoints(w.copies.dir)
	if err != nil {
		return err
	}
	if len(notes) == 0 && size > 0 && !w.o.AllowMissingCheckpoints {
		return fmt.Errorf("%w: the directory %s holds no signed head, so nobody can tell whether this database is the newest; "+
			"name the directory that was used before, or allow the start without it once", ErrRolledBack, w.copies.dir)
	}
	for _, note := range notes {
		head, err := w.log.ParseCheckpoint([]byte(note))
		if err != nil {
			return fmt.Errorf("%w: a head in %s: %w; it belongs to another log or key", ErrRolledBack, w.copies.dir, err)
		}
		if head.Size > size {
			return fmt.Errorf("%w: the log has %d entries, a signed head in %s has %d: an older database was put back, and its budgets are wrong; "+
				"put the newest database back", ErrRolledBack, size, w.copies.dir, head.Size)
		}
		same, err := audit.Consistent(ctx, tx, head)
		if err != nil {
			return err
		}
		if !same {
			return fmt.Errorf("%w: the first %d entries differ from those of a signed head in %s: this is another history; "+
				"put the database back that the head belongs to", ErrRolledBack, head.Size, w.copies.dir)
		}
	}
	return nil
}
