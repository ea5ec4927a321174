// Package rewrite turns the text of a refused question into texts that may be answered, by one small edit at the place of the refusal.
//
// # What it promises
//
// It reads the text, the schema and the refusal and nothing else, so a candidate tells nothing of the data. Candidates are few, and each is
// the researcher's own text with one edit.
//
// # What it does not promise
//
// A candidate may be wrong SQL, may be refused, and often asks something else than was meant ("the person's own mean" for "the mean"): the
// caller shows one only after parser, binder and planner have accepted it, as a proposal to read and never as something to run unasked. A
// candidate holds the researcher's literals: it goes back to the asker and into no log.
package rewrite
