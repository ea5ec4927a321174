//go:build linux && !amd64

package breakout

// entryAttempts: this architecture has no other door that matters.
func entryAttempts() []Attempt { return nil }

// forkAttempts: clone is the only way here.
func forkAttempts() []Attempt { return nil }

// threadAttempts: the raw threads are written for amd64 alone.
func threadAttempts() []Attempt { return nil }
