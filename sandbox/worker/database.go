//go:build linux && cgo

package worker

import (
	"errors"
	"fmt"
	"strconv"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"carrel/sandbox/wire"
)

// errEngine stands for any failure of the engine: its own words may quote data and are dropped where they arise.
var errEngine = errors.New("engine")

// database is one in-memory database with one connection.
type database struct {
	db   duckdb.Database
	conn duckdb.Connection
}

// openDatabase opens an empty in-memory database with nothing reachable outside it. The order of the settings matters:
// external access goes off after the temporary directory is emptied, the lock comes later (lock).
func openDatabase(m wire.Init) (*database, error) {
	var cfg duckdb.Config
	if duckdb.CreateConfig(&cfg) != duckdb.StateSuccess {
		return nil, fmt.Errorf("configuration: %w", errEngine)
	}
	defer duckdb.DestroyConfig(&cfg)
	for _, kv := range [][2]string{
		{"temp_directory", ""},
		{"memory_limit", strconv.FormatInt(m.Memory>>20, 10) + "MiB"},
		{"threads", strconv.Itoa(m.Threads)},
		{"preserve_insertion_order", "false"},
		{"autoload_known_extensions", "false"},
		{"autoinstall_known_extensions", "false"},
		{"allow_community_extensions", "false"},
		{"enable_external_access", "false"},
	} {
		if duckdb.SetConfig(cfg, kv[0], kv[1]) != duckdb.StateSuccess {
			return nil, fmt.Errorf("setting %s: %w", kv[0], errEngine)
		}
	}
	d := &database{}
	var text string
	if duckdb.OpenExt("", &d.db, cfg, &text) != duckdb.StateSuccess {
		return nil, fmt.Errorf("open: %w", errEngine)
	}
	if duckdb.Connect(d.db, &d.conn) != duckdb.StateSuccess {
		duckdb.Close(&d.db)
		return nil, fmt.Errorf("connect: %w", errEngine)
	}
	return d, nil
}

// close frees the connection and the database.
func (d *database) close() {
	duckdb.Disconnect(&d.conn)
	duckdb.Close(&d.db)
}

// exec runs statements of our own and drops their result.
func (d *database) exec(sql string) error {
	var res duckdb.Result
	defer duckdb.DestroyResult(&res)
	if duckdb.Query(d.conn, sql, &res) != duckdb.StateSuccess {
		return errEngine
	}
	return nil
}

// lock makes the configuration immutable for the rest of the child's life.
func (d *database) lock() error {
	if err := d.exec("SET lock_configuration = true"); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	return nil
}

// warm touches what initialises itself at first use (time zones, hash joins, wide integers, JSON, the unwinder of C++), so
// that nothing of it happens behind the walls or inside the first answer.
func (d *database) warm() error {
	for _, sql := range []string{
		`SELECT json_serialize_sql('select 1')`,
		`SELECT '2020-01-01'::TIMESTAMPTZ, strftime(DATE '2020-01-01', '%Y'), quantile_cont(i, 0.5) FROM range(10) t(i)`,
		`SELECT a.i % 7, count(*), sum(a.i::HUGEINT)::BIGINT, count(DISTINCT b.i) FROM range(3000) a(i) JOIN range(900) b(i)
		 ON a.i = b.i WHERE a.i IN (1, 2, 3, 4, 5, 6, 7, 8) OR a.i > 10 GROUP BY ALL`,
	} {
		if err := d.exec(sql); err != nil {
			return fmt.Errorf("warm-up: %w", err)
		}
	}
	// An exception on purpose: unwinding loads its tables once.
	if d.exec(`SELECT error('warm')`) == nil {
		return fmt.Errorf("warm-up: %w", errEngine)
	}
	return nil
}
