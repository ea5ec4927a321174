package service

import (
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"time"

	"carrel/policies"
)

// Config is everything that a service can be told. Every member says what trusting it means.
type Config struct {
	// Data is the data directory: database, keys, extracts. One process at a time. Whoever can write it is the operator.
	Data string
	// Checkpoints is a directory outside Data for signed heads of the log; empty: Data + "-checkpoints". Put it on another disk:
	// together with Data it could be set back unnoticed.
	Checkpoints string
	// Sandbox is the path of carrel-sandbox; empty: beside the running binary. It must not be writable by others.
	Sandbox string
	// Name names this service in tokens, permits and the log's origin, e.g. "carrel.example/jinhe".
	Name string
	// Operator is the responsible unit of steps that belong to nobody's institution.
	Operator string
	// Memory is what one child may use in bytes; 0: 4 GiB.
	Memory int64
	// Rules are the policy bundle; nil: the rules that are built in.
	Rules fs.FS
	// AllowMissingCheckpoints starts although Checkpoints holds no head, once, by a person who knows why.
	AllowMissingCheckpoints bool
	Logger                  *slog.Logger
	Now                     func() time.Time
	// Observe is told when a fresh answer was committed (benches).
	Observe func(id string, elapsed time.Duration)
}

func (c Config) complete() (Config, error) {
	if c.Data == "" {
		return c, errors.New("name the data directory with --data")
	}
	if c.Name == "" {
		c.Name = "carrel.example/jinhe"
	}
	if c.Operator == "" {
		c.Operator = "jinhe-health-information-centre"
	}
	if c.Memory == 0 {
		c.Memory = 4 << 30
	}
	if c.Rules == nil {
		c.Rules = policies.FS()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, nil
}

// path names a file of the data directory.
func (c Config) path(parts ...string) string {
	return filepath.Join(append([]string{c.Data}, parts...)...)
}
