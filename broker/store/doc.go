// Package store keeps Carrel's state in one data directory: documents, erasable texts, the privacy ledger and the audit log,
// all in one SQLite database, so that a thing, its charge and its log entry are one transaction.
//
// # What it promises
//
//   - [Store.Update] returns nil only after a durable commit (write-ahead log, synchronous=FULL). On an error nothing of the
//     closure happened. Closures run one at a time, each sees all before it, and up to 64 share one commit (group commit); the
//     error or panic of one undoes that one alone.
//   - A closure in which a statement failed for reasons of the machine (disk full, read-only, I/O), or whose log entry could not be
//     written, cannot commit, even when it swallows the error.
//   - When a commit fails in a way that leaves its outcome unknown, the store stops writing until it is opened again: it never guesses.
//   - Every commit that adds log entries carries the signed head over them in the same transaction. Heads are also copied,
//     after the commit, to a second directory; [Open] refuses a database that is behind or contradicts a head there, and while
//     that directory cannot be written no further commit is made.
//   - One process at a time owns a data directory (a lock that the kernel drops with the process).
//   - An erased text is gone from the database file (secure_delete) and its log file; only its commitment stays.
//
// # What it does not promise
//
// It does not survive an owner who rewrites both directories and holds the signing key. A commit that was in flight at a crash,
// and was not acknowledged, may or may not be there. Backups taken before an erasure still hold the text. It runs no policy.
// The directory is a local disk: SQLite's write-ahead log does not work over network file systems.
//
// Nested use: an Update inside an Update's closure waits for itself forever; use the Tx at hand. A View inside is fine and sees
// the last committed state.
package store
