package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/pressly/goose/v3"

	"carrel/broker/audit"
)

// FileName is the database's name in the data directory.
const FileName = "carrel.db"

// maxBatch is how many closures share one commit at most.
const maxBatch = 64

//go:embed migrations/*.sql
var migrations embed.FS

// Options say where and how a store works.
type Options struct {
	Dir         string     // data directory; made if missing (mode 0700)
	Checkpoints string     // directory for copies of signed heads, outside Dir; empty: Dir + "-checkpoints"
	Log         *audit.Log // the log, with its signer; one Log belongs to one open store
	// AllowMissingCheckpoints opens a database with entries although the second directory holds no head at all. It is for the first
	// start after that directory was lost, by a person who knows why; the protection against an older database is off for this start.
	AllowMissingCheckpoints bool
	KeepEvery               int64            // every so many entries a head is kept under its size; 0: 10,000
	Readers                 int              // concurrent views; 0: the number of processors, at least 4
	Now                     func() time.Time // nil: time.Now
	Logger                  *slog.Logger     // nil: silent
}

// Store is an open data directory. Its methods may be called from several goroutines.
type Store struct {
	o       Options
	lock    *os.File
	dbs     []*sql.DB
	readers chan *session
	w       *writer
	copies  *copies

	stop    chan struct{} // closed by Close: no new closures
	stopped chan struct{} // closed by the writer at its end
	once    sync.Once
	closing error
}

// Open opens the data directory, brings its schema up to date and checks the log against every signed head it knows. Errors:
// [ErrInUse], [ErrRolledBack], [ErrCorrupt], [ErrNewer], or a failure of the machine.
func Open(ctx context.Context, o Options) (*Store, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("store: data directory: %w", err)
	}
	lock, err := lockDirectory(o.Dir)
	if err != nil {
		return nil, err
	}
	s := &Store{o: o, lock: lock, stop: make(chan struct{}), stopped: make(chan struct{})}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.release())
	}
	go s.w.loop(s.stop, s.stopped)
	return s, nil
}

func (o *Options) complete() error {
	if o.Dir == "" || o.Log == nil {
		return invalid("a store needs a directory and a log")
	}
	o.Dir = filepath.Clean(o.Dir)
	if o.Checkpoints == "" {
		o.Checkpoints = o.Dir + "-checkpoints"
	}
	if rel, err := filepath.Rel(o.Dir, o.Checkpoints); err == nil && filepath.IsLocal(rel) {
		return invalid("the directory of checkpoints lies inside the data directory: whoever puts an old copy back would put back both")
	}
	if o.KeepEvery <= 0 {
		o.KeepEvery = 10_000
	}
	if o.Readers <= 0 {
		o.Readers = max(4, runtime.GOMAXPROCS(0))
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

func (s *Store) open(ctx context.Context) error {
	path := filepath.Join(s.o.Dir, FileName)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // SQLite gives its other files the mode of this one
	if err != nil {
		return fmt.Errorf("store: database file: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("store: database file: %w", err)
	}
	if err := migrate(ctx, path); err != nil {
		return err
	}
	writing, err := s.connect(ctx, dsn(path, true), 1)
	if err != nil {
		return err
	}
	s.w = newWriter(writing[0], s.o)
	if s.copies, err = newCopies(s.o.Checkpoints, s.o.KeepEvery, s.o.Logger); err != nil {
		return err
	}
	s.w.copies = s.copies
	if err := s.w.begin(ctx); err != nil {
		return err
	}
	reading, err := s.connect(ctx, dsn(path, false), s.o.Readers)
	if err != nil {
		return err
	}
	s.readers = make(chan *session, len(reading))
	for _, r := range reading {
		s.readers <- r
	}
	return nil
}

// connect opens n connections of their own.
func (s *Store) connect(ctx context.Context, dsn string, n int) ([]*session, error) {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("store: open database: %w", err)
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	s.dbs = append(s.dbs, db)
	out := make([]*session, n)
	for i := range out {
		if out[i], err = newSession(ctx, db); err != nil {
			for _, made := range out[:i] {
				err = errors.Join(err, made.close())
			}
			return nil, machine(err)
		}
	}
	return out, nil
}

func dsn(path string, write bool) string {
	q := url.Values{"_dqs": {"0"}, "_pragma": {
		"busy_timeout(5000)", "foreign_keys(1)", "cell_size_check(1)", "trusted_schema(0)", "temp_store(MEMORY)"}}
	if write {
		q["_pragma"] = append(q["_pragma"], "journal_mode(WAL)", "synchronous(FULL)", "secure_delete(ON)",
			"journal_size_limit(67108864)", "cache_size(-32768)")
		q.Set("_txlock", "immediate")
	} else {
		q["_pragma"] = append(q["_pragma"], "query_only(1)", "cache_size(-8192)")
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String()
}

// migrate brings the schema up to date in a connection of its own.
func migrate(ctx context.Context, path string) (err error) {
	db, err := sql.Open("sqlite", dsn(path, true))
	if err != nil {
		return fmt.Errorf("store: open database: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("store: migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("store: migrations: %w", err)
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return machine(err)
	}
	if have > want {
		return fmt.Errorf("%w (schema %d, this one knows %d)", ErrNewer, have, want)
	}
	if have == want {
		return nil
	}
	if _, err := p.Up(ctx); err != nil {
		return machine(err)
	}
	return nil
}

// View runs fn on a snapshot of the last committed state. Several views run at once, beside the writer. Writes inside return
// [ErrReadOnly]; fn's error is returned as it is.
func (s *Store) View(ctx context.Context, fn func(tx *Tx) error) error {
	var r *session
	select {
	case <-s.stop:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	case r = <-s.readers:
	}
	defer func() { s.readers <- r }()
	if err := r.run(sqlBeginView); err != nil {
		return machine(err)
	}
	tx := &Tx{s: r, now: s.o.Now, size: -1}
	// A panic of fn must not leave the connection inside a transaction.
	defer func() { tx.done = true; s.endView(r) }()
	return contain(s.o.Logger, func() error {
		if err := fn(tx); err != nil {
			return err
		}
		return tx.fail
	})
}

func (s *Store) endView(r *session) {
	if err := r.run(sqlRollback); err != nil {
		s.o.Logger.Error("a view did not end", slog.Any("error", machine(err)))
	}
}

// Close lets the closures at work finish, refuses others with [ErrClosed], writes the last head and gives the directory free.
// It is safe to call more than once.
func (s *Store) Close() error {
	s.once.Do(func() {
		close(s.stop)
		<-s.stopped
		s.closing = s.release()
	})
	return s.closing
}

// release closes whatever was opened, in reverse.
func (s *Store) release() error {
	var errs []error
	for n := cap(s.readers); n > 0; n-- {
		errs = append(errs, (<-s.readers).close()) // waits for views at work
	}
	if s.copies != nil {
		errs = append(errs, s.copies.close())
	}
	if s.w != nil {
		errs = append(errs, s.w.s.close())
	}
	for _, db := range s.dbs {
		errs = append(errs, db.Close())
	}
	return errors.Join(append(errs, unlockDirectory(s.lock))...)
}

// Dir is the data directory.
func (s *Store) Dir() string { return s.o.Dir }

// Checkpoints is the directory with the copies of signed heads.
func (s *Store) Checkpoints() string { return s.o.Checkpoints }

// Backup writes a consistent copy of the database to a new file while the service runs. The copy holds its signed head. Erasures done
// later do not reach it.
func (s *Store) Backup(ctx context.Context, path string) (err error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return invalid("the backup's file exists already; choose another name")
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("store: backup: %w", err)
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	db, err := sql.Open("sqlite", dsn(filepath.Join(s.o.Dir, FileName), true))
	if err != nil {
		return fmt.Errorf("store: backup: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	// An empty file is a valid target, and made by us it is readable by us alone.
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		return machine(err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("store: backup: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes new names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // a directory of the configuration
	if err != nil {
		return fmt.Errorf("store: directory: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}
