// Package breakout tries to break out of the jail of package confine and reports what was blocked.
//
// Each attempt is made in a fresh child that the production code started, limited and walled in: the same program, the same spawn, the same
// walls; the attempt takes the place of the queries. An attempt says beforehand how the jail ends it (killed by
// seccomp, a certain error, a limit); any other end is unclear and counts as not blocked, so that an attempt which merely fails for reasons of
// its own never passes for a blocked one. What seccomp alone would hide, Landlock's own wall, is tried once more before seccomp closes.
//
// It promises that a report without open rows means just that for its list of attempts, on this machine and this kernel, now. It does not
// promise that the list is complete, nor anything about flaws of the kernel or the processor behind the calls that the jail allows.
package breakout
