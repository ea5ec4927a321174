package breakout

import (
	"errors"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// How an attempt ended. An error of the kernel ends it under its own name, "EACCES"; a refusal of the engine as "engine: class".
const (
	Escaped = "escaped"
	Killed  = "SIGSYS" // by seccomp
	Limited = "limit"  // killed from outside at a limit of memory, threads or time
)

// Text is a sentence in both languages.
type Text struct{ ZH, EN string }

// In picks a language.
func (t Text) In(lang string) string {
	if lang == "zh" {
		return t.ZH
	}
	return t.EN
}

// Group is what an attempt is after.
type Group string

// The groups.
const (
	Files     Group = "files"
	Network   Group = "network"
	Processes Group = "processes"
	Kernel    Group = "kernel"
	Memory    Group = "memory"
	SQL       Group = "sql"
	Outside   Group = "outside" // what the parent sees after all attempts
)

// Target is what an attempt may aim at. The parent made all of it, so that nothing is hurt where a wall is missing.
type Target struct {
	Dir     string `json:"dir"`           // a folder with a file "canary"
	Port    int    `json:"port"`          // somebody listens on 127.0.0.1
	Sibling int    `json:"sibling"`       // another jailed child
	Data    uint64 `json:"data"`          // the child's limit of private memory
	SQL     string `json:"sql,omitempty"` // a statement for the engine instead of an attempt on the kernel
}

// Attempt is one way out.
type Attempt struct {
	Name  Text
	Group Group
	Tried string   // the call, in any language
	Ends  []string // how the jail ends it
	Alone int      // Landlock's ABI from which Landlock alone stops it; 0: seccomp's work only
	Free  bool     // works in a process without walls on any machine: the attempt itself is known to be right
	// Make prepares the attempt before the walls; what it returns is tried behind them.
	Make func(Target) func() error
}

// aloneEnds are the ways in which Landlock refuses.
func aloneEnds() []string { return []string{"EACCES", "EPERM"} }

// Blocked says whether an end is one of those that the jail makes.
func (a Attempt) Blocked(end string, alone bool) bool {
	if alone {
		return slices.Contains(aloneEnds(), end)
	}
	return slices.Contains(a.Ends, end)
}

// Attempts are all attempts on the kernel, in the order of the report. The list is made anew: nothing in it is shared.
func Attempts() []Attempt {
	return slices.Concat(fileAttempts(), networkAttempts(), processAttempts(), memoryAttempts(), kernelAttempts(), entryAttempts())
}

// controlAttempt is a call that the jail allows: it must succeed, so that the others' failures mean something.
const controlAttempt = "getpid"

// Find looks an attempt up by its English name, the control included.
func Find(name string) (Attempt, bool) {
	all := append(Attempts(), Attempt{Name: Text{EN: controlAttempt}, Make: call(unix.SYS_GETPID)})
	i := slices.IndexFunc(all, func(a Attempt) bool { return a.Name.EN == name })
	if i < 0 {
		return Attempt{}, false
	}
	return all[i], true
}

// AttemptArg is the first argument of a child that makes an attempt; its name and its target, as JSON, follow.
const AttemptArg = "attempt"

// Ready is what such a child says when the walls are closed.
const Ready = "ready\n"

// aloneMark stands before the name of an attempt that is made behind Landlock alone.
const aloneMark = "Landlock alone: "

// Alone says which attempt a name means, and whether it is to be made behind Landlock alone.
func Alone(name string) (string, bool) { return strings.CutPrefix(name, aloneMark) }

// Walls closes the walls around the calling process and calls between after the first of them, Landlock's.
type Walls func(between func() error) error

// Inside makes the attempt behind the walls, or behind Landlock alone, and says how it ended; ready is told just before, so that a child which
// the walls themselves kill is not taken for one that tried. The attempt is made first by a thread that is older than
// the walls, then by the caller's: walls that hold only the thread that built them would show.
func (a Attempt) Inside(t Target, walls Walls, alone bool, ready func() error) (string, error) {
	try := a.Make(t)
	exists, begin, result := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		runtime.LockOSThread()
		close(exists)
		<-begin
		result <- try()
	}()
	<-exists
	var end string
	both := func() error {
		if err := ready(); err != nil {
			return err
		}
		close(begin)
		err := <-result
		if err != nil {
			err = try()
		}
		end = endOf(err)
		return nil
	}
	if alone {
		err := walls(both)
		return end, err
	}
	if err := walls(func() error { return nil }); err != nil {
		return "", err
	}
	err := both()
	return end, err
}

// endOf names the end of an attempt that came back.
func endOf(err error) string {
	var errno unix.Errno
	switch {
	case err == nil:
		return Escaped
	case errors.As(err, &errno):
		return unix.ErrnoName(errno)
	}
	return "failed: " + strings.SplitN(err.Error(), "\n", 2)[0]
}
