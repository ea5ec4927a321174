// Package verify checks Carrel's audit log without trusting the program that wrote it. It shares no code with the writer: its own
// Merkle hashes (RFC 6962), its own reading of signed heads (C2SP signed-note and tlog-checkpoint over crypto/ed25519), its own
// reading of the database, a copy of which is opened read-only, or of an exported log.
//
// # What it promises
//
// Given the log's public key, [Verify] reports every entry that was changed, cut or moved since a head over it was signed, stored hashes that
// do not fit, a log that is shorter than its own head or than a head seen earlier (an older database was put back), a log that
// contradicts a head seen earlier (another history), and heads that the key did not sign. [Proof] checks the proof of one entry
// offline. Both never write: a database with an unfinished write-ahead log is copied to a temporary directory first.
//
// # What it does not promise
//
// Without a head from outside, a whole directory that was put back to an earlier, genuine state looks genuine: it was. An owner of the
// signing key who rewrites history is found only by heads that left his hands. Whether an entry tells the truth is not checked.
// Give it a copy, taken while the service stood still or by its backup: reading files that are being written can show problems that
// are not there.
package verify
