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
	Nothing = "nothing there"
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
	Dir     string `json:"dir"`     // a folder with a file "canary"
	Port    int    `json:"port"`    // somebody listens on 127.0.0.1
	Sibling int    `json:"sibling"` // another jailed child
	Data    uint64 `json:"data"`    // the child's limit of private memory
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

// AttemptArg is the first argument of a child that makes attempts; its Task as JSON follows.
const AttemptArg = "attempt"

// Task is what such a child does: attempts on the kernel by name, or statements for the engine. It makes them one after the other and writes a
// line for each that names its end.
type Task struct {
	Target Target   `json:"target"`
	Names  []string `json:"names,omitempty"`
	Alone  bool     `json:"alone,omitempty"` // behind Landlock alone, before seccomp closes
	SQL    []string `json:"sql,omitempty"`
}

// Ready is what such a child says when the walls are closed.
const Ready = "ready\n"

// aloneMark stands before the name of an attempt that is made behind Landlock alone.
const aloneMark = "Landlock alone: "

// Walls closes the walls around the calling process and calls between after the first of them, Landlock's.
type Walls func(between func() error) error

// errUnknown says that a task names an attempt that is not in the list.
var errUnknown = errors.New("no such attempt")

// Inside makes a task's attempts on the kernel behind the walls, or behind Landlock alone, and says how each ended; ready is told just before,
// so that a child which the walls themselves kill is not taken for one that tried. Each attempt is made first by a thread that is older than
// the walls, then by the caller's: walls that hold only the thread that built them would show.
func Inside(t Task, walls Walls, ready func() error, say func(end string) error) error {
	var tries []func() error
	for _, name := range t.Names {
		a, ok := Find(name)
		if !ok {
			return errUnknown
		}
		tries = append(tries, a.Make(t.Target))
	}
	old, end := older()
	defer end()
	all := func() error {
		if err := ready(); err != nil {
			return err
		}
		for _, try := range tries {
			err := old(try)
			if err != nil {
				err = try()
			}
			if err := say(endOf(err)); err != nil {
				return err
			}
		}
		return nil
	}
	if t.Alone {
		return walls(all)
	}
	if err := walls(func() error { return nil }); err != nil {
		return err
	}
	return all()
}

// older starts a thread of its own and gives a function that calls on it, and one that ends it.
func older() (call func(func() error) error, end func()) {
	work, result, exists := make(chan func() error), make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		close(exists)
		for f := range work {
			result <- f()
		}
	}()
	<-exists
	return func(f func() error) error { work <- f; return <-result }, func() { close(work) }
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
