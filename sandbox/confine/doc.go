// Package confine locks the calling process into a jail that it cannot leave: no file system, no network, no new program,
// no other process.
//
// Two walls stand one behind the other, because each has been climbed before. Landlock denies every path and TCP to all
// threads (at the highest version this package knows that the kernel has; below MinABI it refuses, it is never
// best-effort). Seccomp then denies every system call that is not on a list, to all threads at once: opening a path
// fails with EACCES, since libraries try and carry on, and everything else kills the process. Around them:
// no_new_privs, no core dump, no written files, a limit of memory and of descriptors, not dumpable (no ptrace by the
// same user), death with the parent.
//
// It promises that after Lock returned nil no system call outside the list succeeds in any thread of the process, the
// 32-bit entries included. It does not promise anything about descriptors that were open before (the caller counts
// them), about side channels of the processor, or about bugs in the kernel behind the calls on the list.
package confine
