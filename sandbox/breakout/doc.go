// Package breakout tries to break out of the jail of package confine and reports what was blocked.
//
// Each attempt is made in a child that the production code started, limited and walled in: the same program, the same spawn, the same
// walls; the attempt takes the place of the queries. An attempt says beforehand how the jail ends it (killed by
// seccomp, a certain error, a limit); any other end is unclear and counts as not blocked, so that an attempt which merely fails for reasons of
// its own never passes for a blocked one. What seccomp alone would hide, Landlock's own wall, is tried once more before seccomp closes.
//
// An attempt that kills its child, or runs into a limit, has a fresh one. Attempts that end in a plain refusal share children, few at a time,
// which weakens nothing: a refusal leaves the child as it was; the first other end closes the child, and the rest goes to a fresh one; and at its end a
// shared child must still do what is allowed, else nothing that it refused counts and each attempt is made anew by itself.
//
// Rows say the role of the child that speaks (package wire): an engine with data, a viewer with a user's SQL over noised tables, a parser. The
// walls are the same for all and closed before a child has a role, so the attempts on the kernel are made from one.
//
// It promises that a report without open rows means just that for its list of attempts, on this machine and this kernel, now. It does not
// promise that the list is complete, nor anything about flaws of the kernel or the processor behind the calls that the jail allows.
package breakout
