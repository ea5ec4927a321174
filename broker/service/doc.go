// Package service is one running Carrel: it opens a data directory, wires every room of the house to the next, recovers what a
// crash left, and closes it all again.
//
// It promises: a configuration that would be dangerous is refused at start with one sentence; the order of start is store (behind an
// outside checkpoint: refused) → policy → ledger recovery → job recovery → queue, so that nothing is answered before the books are
// right; Close stops the queue, the children and the store in that order. It holds no rule and no SQL.
//
// It does not promise that the machine's keys are well kept: the directory keys/ is read with its permissions checked, no more.
package service
