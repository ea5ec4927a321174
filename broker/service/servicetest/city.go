// Package servicetest opens whole services on a small city for tests: real store, policy, ledger, sandbox and gate, nothing stands in.
//
// It promises that a city is made once a test binary (sources, extracts of both kinds, one grant to query and one to receive) and that
// every test may have a data directory of its own, copied from it in milliseconds. It is imported by tests only and promises nothing to
// a running service.
package servicetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"carrel/anonymize/deid"
	"carrel/anonymize/ledger"
	"carrel/broker/audit"
	"carrel/broker/auth"
	"carrel/broker/grant"
	"carrel/broker/handover/parcel"
	"carrel/broker/jinhe"
	"carrel/broker/job"
	"carrel/broker/problem"
	"carrel/broker/service"
	"carrel/broker/store"
)

// Persons live in the city: enough that the QC package keeps its k, few enough that making it takes a second or two.
const Persons = 3000

// City is an open service on a data directory of its own.
type City struct {
	*service.Service
	Config      service.Config
	Application string // li's, granted
	Grant       string // li's and wang's, to query
	Registry    string // zheng's and feng's grant, to receive
	Passwords   map[string]string
	Key         *parcel.ReceiverKey // the QC centre's

	once   sync.Once
	closed error
}

// mould is the city that all others are copied from.
type mould struct {
	root                         string
	application, grant, registry string
	passwords                    map[string]string
	key                          *parcel.ReceiverKey
}

// Moulds makes and keeps what tests of one binary share. Make one in TestMain's package and Close it at the end.
type Moulds struct {
	city   func() (*mould, error)
	shared func() (*City, error)
	opened atomic.Pointer[City] // the shared one

	mu    sync.Mutex // of roots only: making a city takes it too
	roots []string
}

// NewMoulds prepares; nothing is made before a test asks.
func NewMoulds() *Moulds {
	m := &Moulds{}
	m.city = sync.OnceValues(m.cast)
	m.shared = sync.OnceValues(m.share)
	return m
}

// Run runs the tests of a binary and removes what they shared. Give its result to os.Exit.
func (m *Moulds) Run(tests *testing.M) int {
	code := tests.Run()
	var err error
	if c := m.opened.Load(); c != nil {
		err = c.Close()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.roots {
		err = errors.Join(err, os.RemoveAll(r))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "servicetest:", err)
		return 1
	}
	return code
}

// Sandbox is the path of carrel-sandbox; a test without it is skipped with a sentence, unless CARREL_SANDBOX promised one.
func Sandbox(tb testing.TB) string {
	tb.Helper()
	path, err := binary()
	if err != nil {
		if os.Getenv("CARREL_SANDBOX") != "" {
			tb.Fatal(err)
		}
		tb.Skip(err)
	}
	return path
}

// binary looks where CARREL_SANDBOX says, else in bin/ of the module.
func binary() (string, error) {
	path := os.Getenv("CARREL_SANDBOX")
	if path == "" {
		root, err := moduleRoot()
		if err != nil {
			return "", err
		}
		path = filepath.Join(root, "bin", "carrel-sandbox")
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("carrel-sandbox is not built, run `make build`: %w", err)
	}
	return path, nil
}

func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
}

// City opens a service on a copy of the city. change may alter the configuration; Data and Sandbox are set before. The service is closed
// with the test.
func (m *Moulds) City(tb testing.TB, change ...func(*service.Config)) *City {
	tb.Helper()
	return m.CityAt(tb, tb.TempDir(), change...)
}

// CityAt is City with the data directory under root.
func (m *Moulds) CityAt(tb testing.TB, root string, change ...func(*service.Config)) *City {
	tb.Helper()
	c, err := m.open(Sandbox(tb), root, Logger(tb), change...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := c.Close(); err != nil {
			tb.Error(err)
		}
	})
	return c
}

// Shared is one open city for all tests that leave others' budgets and grants alone.
func (m *Moulds) Shared(tb testing.TB) *City {
	tb.Helper()
	Sandbox(tb)
	c, err := m.shared()
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func (m *Moulds) share() (*City, error) {
	path, err := binary()
	if err != nil {
		return nil, err
	}
	root, err := m.root("carrel-shared")
	if err != nil {
		return nil, err
	}
	c, err := m.open(path, root, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	m.opened.Store(c)
	return c, nil
}

// root makes a directory that is removed at the end.
func (m *Moulds) root(name string) (string, error) {
	root, err := os.MkdirTemp("", name)
	if err != nil {
		return "", fmt.Errorf("make a directory: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.roots = append(m.roots, root)
	return root, nil
}

// Copy makes a data directory like the city's under root and gives the configuration to open it with, for tests that open it
// in another process or not at all.
func (m *Moulds) Copy(tb testing.TB, root string) *City {
	tb.Helper()
	c, err := m.copy(Sandbox(tb), root)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func (m *Moulds) copy(binary, root string) (*City, error) {
	from, err := m.city()
	if err != nil {
		return nil, fmt.Errorf("make the city: %w", err)
	}
	data := filepath.Join(root, "data")
	for _, dir := range []string{"data", "data-checkpoints"} {
		if err := CopyDir(filepath.Join(from.root, dir), filepath.Join(root, dir)); err != nil {
			return nil, err
		}
	}
	return &City{Application: from.application, Grant: from.grant, Registry: from.registry, Passwords: from.passwords, Key: from.key,
		Config: service.Config{Data: data, Sandbox: binary}}, nil
}

func (m *Moulds) open(binary, root string, log *slog.Logger, change ...func(*service.Config)) (*City, error) {
	c, err := m.copy(binary, root)
	if err != nil {
		return nil, err
	}
	c.Config.Logger = log
	for _, f := range change {
		f(&c.Config)
	}
	c.Service, err = service.Open(context.Background(), c.Config)
	return c, err
}

// Close closes the service, once.
func (c *City) Close() error {
	c.once.Do(func() { c.closed = c.Service.Close() })
	return c.closed
}

// Reopen closes the service and opens its directory again.
func (c *City) Reopen(tb testing.TB) {
	tb.Helper()
	if err := c.Close(); err != nil {
		tb.Fatal(err)
	}
	s, err := service.Open(context.Background(), c.Config)
	if err != nil {
		tb.Fatal(err)
	}
	c.Service, c.once = s, sync.Once{}
}

// Who is an account's identity.
func (c *City) Who(tb testing.TB, account string) auth.Identity {
	tb.Helper()
	id, ok := c.Directory.Identity(account)
	if !ok {
		tb.Fatalf("no account %s", account)
	}
	return id
}

// Query asks as li under the city's grant.
func (c *City) Query(tb testing.TB, sql string, epsilon float64) (*job.Answer, error) {
	tb.Helper()
	return c.Jobs.Query(context.WithoutCancel(tb.Context()), c.Who(tb, "li"), job.Ask{Grant: c.Grant, SQL: sql, Epsilon: epsilon})
}

// Account reads an account of the ledger.
func (c *City) Account(tb testing.TB, id string) ledger.Account {
	tb.Helper()
	var a ledger.Account
	c.view(tb, func(ctx context.Context, tx *store.Tx) (err error) {
		a, err = tx.LedgerAccount(ctx, id)
		return err
	})
	return a
}

// Spent is what the city's grant has spent.
func (c *City) Spent(tb testing.TB) ledger.Amount {
	tb.Helper()
	return c.Account(tb, grant.Account(c.Grant)).Spent
}

// Records are the ledger's records in a state.
func (c *City) Records(tb testing.TB, state ledger.State) []ledger.Record {
	tb.Helper()
	var out []ledger.Record
	c.view(tb, func(ctx context.Context, tx *store.Tx) (err error) {
		out, err = tx.LedgerRecords(ctx, state)
		return err
	})
	return out
}

// Entries are all entries of the audit log.
func (c *City) Entries(tb testing.TB) []audit.Entry {
	tb.Helper()
	var out []audit.Entry
	c.view(tb, func(ctx context.Context, tx *store.Tx) error {
		n, err := tx.LogSize(ctx)
		if err != nil {
			return err
		}
		return tx.LogScan(ctx, 0, n, func(_ int64, leaf []byte) error {
			e, err := audit.ParseLeaf(leaf)
			out = append(out, e)
			return err
		})
	})
	return out
}

// Check recomputes the books of the city's universe.
func (c *City) Check(tb testing.TB) {
	tb.Helper()
	c.view(tb, func(ctx context.Context, tx *store.Tx) error {
		return c.Ledger.Check(ctx, tx, grant.Universe(jinhe.Universe))
	})
}

func (c *City) view(tb testing.TB, fn func(ctx context.Context, tx *store.Tx) error) {
	tb.Helper()
	ctx := context.WithoutCancel(tb.Context())
	if err := c.Store().View(ctx, func(tx *store.Tx) error { return fn(ctx, tx) }); err != nil {
		tb.Fatal(err)
	}
}

// Logger writes warnings to the test's log.
func Logger(tb testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(tb.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// Must ends the test with policy's reasons when there are any.
func Must(tb testing.TB, err error) {
	tb.Helper()
	if err == nil {
		return
	}
	var p *problem.Error
	if errors.As(err, &p) && p.Decision != nil {
		for _, r := range p.Decision.Reasons {
			tb.Logf("%s: %s", r.Rule, r.Text.EN)
		}
	}
	tb.Fatal(err)
}

// RecipeKeys are the names of the keys that recipes use.
func RecipeKeys(recipes map[string][]byte) ([]string, error) {
	var keys []string
	for name, src := range recipes {
		r, err := deid.ParseRecipe(name, src)
		if err != nil {
			return nil, err
		}
		keys = append(keys, r.Keys()...)
	}
	return keys, nil
}
