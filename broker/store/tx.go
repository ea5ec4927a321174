package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"carrel/broker/audit"
)

// Tx is one transaction, given to the closure of Update or View. It serves one goroutine and ends with the closure.
type Tx struct {
	s     *session
	write bool
	now   func() time.Time
	tree  *tree // the writer's view of the log; nil in a view
	size  int64 // entries seen by a view, -1 until asked
	fail  error // why the transaction must not commit
	done  bool
	wiped bool // an erasure: empty the write-ahead log after the commit
}

var _ audit.Reader = (*Tx)(nil)

// Fail makes sure that the transaction does not commit, whatever its closure returns. The first reason stays.
func (t *Tx) Fail(err error) {
	if t.fail == nil && err != nil {
		t.fail = err
	}
}

// usable tells whether a statement may run now.
func (t *Tx) usable(ctx context.Context) error {
	switch {
	case t.done:
		return ErrDone
	case t.fail != nil:
		return t.fail
	}
	return ctx.Err()
}

// context is what statements run under. An interrupted write makes SQLite undo the whole transaction, and with it the work of others in
// the same commit; so writes, which are short, look at the caller's context only between statements.
func (t *Tx) context(ctx context.Context) context.Context {
	if t.write {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// exec runs a writing statement and returns the number of rows changed. A broken constraint is returned as it is and harms nobody else;
// any other failure poisons the transaction.
func (t *Tx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	if err := t.usable(ctx); err != nil {
		return 0, err
	}
	if !t.write {
		return 0, ErrReadOnly
	}
	st, err := t.s.prepared(query)
	if err != nil {
		return 0, t.broken(err)
	}
	res, err := st.ExecContext(t.context(ctx), args...)
	if err != nil {
		if isConstraint(err) {
			return 0, err
		}
		return 0, t.broken(err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, t.broken(err)
	}
	return n, nil
}

// one reads one row, or returns ErrNotFound.
func (t *Tx) one(ctx context.Context, query string, args []any, into ...any) error {
	if err := t.usable(ctx); err != nil {
		return err
	}
	st, err := t.s.prepared(query)
	if err != nil {
		return t.broken(err)
	}
	err = st.QueryRowContext(t.context(ctx), args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	if err != nil {
		return t.broken(err)
	}
	return nil
}

// each calls fn for every row; fn scans.
func (t *Tx) each(ctx context.Context, query string, args []any, fn func(scan func(...any) error) error) error {
	if err := t.usable(ctx); err != nil {
		return err
	}
	st, err := t.s.prepared(query)
	if err != nil {
		return t.broken(err)
	}
	rows, err := st.QueryContext(t.context(ctx), args...)
	if err != nil {
		return t.broken(err)
	}
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			return errors.Join(err, rows.Close())
		}
	}
	if err := rows.Err(); err != nil {
		return t.broken(errors.Join(err, rows.Close()))
	}
	if err := rows.Close(); err != nil {
		return t.broken(err)
	}
	return nil
}

// broken marks the transaction as failed by the machine. After such an error SQLite may have undone everything and be outside a
// transaction, where a further statement would commit by itself.
func (t *Tx) broken(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	err = machine(err)
	t.Fail(err)
	return err
}

// invalid is an argument error.
func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...)
}
