// Package sandbox runs generated SQL over sealed extracts, and parses users' SQL, in jailed children of its own.
//
// The guarantee of PRIVACY holds "provided that the child evaluates the generated plan correctly". This package makes the
// rest of that sentence small: a child is a process without file system, network or exec (package confine says how), it
// gets data only as sealed memory files and only for a query whose charge is committed (Session.Run takes a
// *ledger.Started, which nothing else can make), and what comes back is integers of a stated shape or one uniform failure.
//
// It promises:
//   - a parser child never holds data; an engine child never gets a byte of a user's text, and serves one session (one
//     grant and one extract) for its whole life; a viewer child evaluates a user's SQL over noised tables, never holds data
//     and answers once;
//   - a fault before a child was given the query is ErrBeforeData: honest, retriable, independent of the data. Every fault
//     after it is ErrUniform: one sentence, no detail, whatever happened;
//   - a query that passes its deadline is interrupted and, after a grace, killed; a child is killed after every failure,
//     after a number of jobs, and when its memory grows above its limit;
//   - the rows that the engine was given are counted: an answer whose scans are not those of the manifest is a failure;
//   - no error and no log line holds a literal, a value or the engine's own words.
//
// It does not promise that times are independent of data (the broker answers on a grid), that a child which breaks the
// engine from inside returns true numbers (the answer gate bounds what such numbers can say), or anything against an
// administrator of the machine. Plaintext of open extracts lies in memory files of the broker while a session uses them.
package sandbox
