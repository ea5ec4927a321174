package service

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"time"

	"carrel/broker/catalogue/dcat"
	"carrel/broker/grant/act"
	"carrel/broker/job"
	"carrel/broker/notice"
	"carrel/policies"
	"carrel/sandbox"
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
	// Deadline is how long one query may run in its child; 0: 30 s.
	Deadline time.Duration
	// Mail hands notices over to a mail server (notice.NewSMTP); nil: notices stay in the inbox.
	Mail notice.Mailer
	// HooksInside lets webhooks call this machine itself and private networks: for tests and for receivers beside the service.
	HooksInside bool
	// BaseURL is where people find the pages, for links in mail; empty leaves links out.
	BaseURL string
	// CatalogueBase is the address that ids of the open catalogue (HealthDCAT-AP) begin with; empty: https:// and Name, which no start changes.
	// Harvesters know things by their ids: set it before the first harvest, and leave it.
	CatalogueBase string
	// GradeCells bounds the values that a version is graded over (gradeCells); 0: 256 Mi. A version above has no grade.
	GradeCells int64
	// KeepLog is for how many months the audit log and its backups are kept; 0: 36. The service itself deletes nothing of the log;
	// policy refuses a start that promises less than the law asks (pipl-55).
	KeepLog int
	// Rules are the policy bundle; nil: the rules that are built in.
	Rules fs.FS
	// AllowMissingCheckpoints starts although Checkpoints holds no head, once, by a person who knows why.
	AllowMissingCheckpoints bool
	// AllowEarlierClock starts although the clock is a day or more behind the log, once, by a person who knows that it was ahead before.
	AllowEarlierClock bool
	Logger            *slog.Logger
	Now               func() time.Time
	// Every says when so much time has passed, again and again: by it the service does by itself what is due. nil: the machine's (time.Tick).
	Every func(time.Duration) <-chan time.Time
	// Clock is the grid on which replies leave; nil: the machine's.
	Clock job.Clock
	// Around is put around the sandbox's pool: faults in tests, another engine in time. nil: the pool itself. Whatever it returns is
	// as trusted as the pool.
	Around func(sandbox.Engine) sandbox.Engine
	// Books is put around the store under the use cases: steps that are tried and undone in tests. nil: the store itself. Whatever it
	// returns is as trusted as the store.
	Books func(act.Store) act.Store
	// Observe is told when a fresh answer was committed (benches).
	Observe func(id string, elapsed time.Duration)
	// ObservePolicy is told how long each decision of policy took (benches).
	ObservePolicy func(elapsed time.Duration)
}

func (c Config) complete() (Config, error) {
	if c.Data == "" {
		return c, errors.New("name the data directory with --data")
	}
	if c.Name == "" {
		c.Name = "carrel.example/jinhe"
	}
	if c.CatalogueBase == "" {
		c.CatalogueBase = "https://" + c.Name
	}
	base, err := dcat.Base(c.CatalogueBase)
	if err != nil {
		return c, fmt.Errorf("the base of the catalogue's ids (--catalogue-base) %w", err)
	}
	c.CatalogueBase = base
	if c.Operator == "" {
		c.Operator = "jinhe-health-information-centre"
	}
	if c.Memory == 0 {
		c.Memory = 4 << 30
	}
	if c.GradeCells == 0 {
		c.GradeCells = gradeCells
	}
	if c.KeepLog == 0 {
		c.KeepLog = 36
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
	if c.Every == nil {
		c.Every = time.Tick
	}
	if c.Clock == nil {
		c.Clock = job.SystemClock{}
	}
	if c.Around == nil {
		c.Around = func(e sandbox.Engine) sandbox.Engine { return e }
	}
	if c.Books == nil {
		c.Books = func(s act.Store) act.Store { return s }
	}
	return c, nil
}

// path names a file of the data directory.
func (c Config) path(parts ...string) string {
	return filepath.Join(append([]string{c.Data}, parts...)...)
}
