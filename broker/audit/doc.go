// Package audit is the transparency log: one append-only Merkle tree (RFC 6962, in the layout of golang.org/x/mod/sumdb/tlog)
// whose leaves say who did what to which object under which grant and by which rule.
//
// # What it promises
//
//   - An entry is written inside the transaction of the thing it tells of. If [Log.Append] fails, it poisons that transaction,
//     so the thing does not happen either: nothing happens without the log.
//   - A [Receipt] exists only after the entry is durably committed. [Pending.Receipt] refuses before that, refuses for an entry
//     that was rolled back (even when another entry has since taken its number), and no other way makes a valid Receipt.
//     The ledger hands out a usable reservation only against one: that is how "no receipt, no run" is kept by types.
//   - The head of every committed state is signed (C2SP tlog-checkpoint: origin, size, root hash, Ed25519 note signature), so
//     a later change, cut or reordering of entries contradicts a signature; a head that leaves the machine also contradicts an
//     older database put back, or a second history.
//   - [Log.Prove] gives a third party everything needed to check one entry offline.
//   - A leaf holds account ids, small public facts and salted commitments ([Commit]). The commitment is
//     HMAC-SHA256 under 32 random bytes: without the salt it tells nothing of the text (HMAC as a pseudo-random function), and
//     with it only that text fits (collision resistance of SHA-256). Erasing text and salt leaves the tree whole.
//
// # What it does not promise
//
// It does not judge whether an entry is true, cannot tell a name from a code (callers put ids there, not names; texts go to the
// store's erasable texts), and whoever holds the signing key and every copy of the earlier heads can rewrite history. Nothing
// here reads a clock for ordering: an entry's place is its number, its time is what the writer said.
//
// # Why it matters for privacy
//
// The privacy statement counts only what was charged. The log is the second, signed record of every charge, and the evidence
// that a database was not set back to a state with more budget left (the condition "provided that the store has not been
// rolled back" of the guarantee). Sources: RFC 6962 section 2 (tree, proofs); Crosby and Wallach, "Efficient Data Structures for
// Tamper-Evident Logging", USENIX Security 2009 (storage layout); C2SP tlog-checkpoint and signed-note (head).
package audit
