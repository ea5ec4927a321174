package store

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// Errors of the store. Test with errors.Is.
var (
	// ErrNotFound means that there is no such document, text, entry or record.
	ErrNotFound = errors.New("store: not found")
	// ErrConflict means that the document was changed since the given revision, or exists already.
	ErrConflict = errors.New("store: changed by somebody else in the meantime")
	// ErrErased means that the text was erased; its commitment remains.
	ErrErased = errors.New("store: the text was erased")
	// ErrCorrupt means that stored data contradicts its own commitment or form.
	ErrCorrupt = errors.New("store: stored data is damaged")
	// ErrInvalid means that the caller's argument is out of its range.
	ErrInvalid = errors.New("store: invalid argument")
	// ErrReadOnly means a write inside View.
	ErrReadOnly = errors.New("store: a view cannot write")
	// ErrDone means that a Tx was used after its closure returned.
	ErrDone = errors.New("store: the transaction has ended")
	// ErrClosed means that the store was closed.
	ErrClosed = errors.New("store: closed")
	// ErrUnavailable means that the machine failed (disk full, read-only, I/O, log not writable); nothing happened.
	ErrUnavailable = errors.New("store: unavailable, nothing was changed")
	// ErrHalted means that the outcome of a commit is unknown, so the store does not write until it is opened again.
	ErrHalted = errors.New("store: stopped after a commit whose outcome is unknown; restart the service")
	// ErrPanic means that the closure panicked; what it did was undone.
	ErrPanic = errors.New("store: the transaction's code panicked, nothing was changed")
	// ErrInUse means that another process has the data directory open.
	ErrInUse = errors.New("store: the data directory is in use by another process; stop it or choose another directory")
	// ErrRolledBack means that the database is older than, or contradicts, a signed head kept outside the data directory.
	ErrRolledBack = errors.New("store: the database does not continue its signed history")
	// ErrNewer means that the database was written by a newer version of the program.
	ErrNewer = errors.New("store: the database was written by a newer version; use that version")
)

// code returns SQLite's primary result code, or 0.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// isConstraint tells a broken UNIQUE or CHECK, which undoes one statement, from a failure of the machine.
func isConstraint(err error) bool { return code(err) == lib.SQLITE_CONSTRAINT }

// machine wraps a failure of the machine with a sentence. SQLite's own texts name files and columns, never values; they stay
// as the cause.
func machine(err error) error {
	var what string
	switch code(err) {
	case lib.SQLITE_FULL:
		what = "the disk is full"
	case lib.SQLITE_READONLY, lib.SQLITE_PERM, lib.SQLITE_AUTH:
		what = "the database is not writable"
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		what = "the database is locked by another program"
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		what = "the database file is damaged"
	case lib.SQLITE_IOERR:
		what = "the disk reports an error"
	default:
		what = "the database refused"
	}
	return fmt.Errorf("%w: %s: %w", ErrUnavailable, what, err)
}

// certain reports whether a failed COMMIT surely left nothing behind. A full disk, a lock or a read-only file is reported before the
// commit record is written; anything else may come from the flush after it.
func certain(err error) bool {
	switch code(err) {
	case lib.SQLITE_FULL, lib.SQLITE_BUSY, lib.SQLITE_READONLY, lib.SQLITE_CONSTRAINT:
		return true
	}
	return false
}
