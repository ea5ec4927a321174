package verify

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the database's driver
)

// databaseName is the name of the database in a data directory.
const databaseName = "carrel.db"

// row is one entry as found. Exports have no stored hashes.
type row struct {
	n      int64
	leaf   []byte
	hashes []byte
	stored bool // hashes come with the entry
}

// source yields what is to be checked.
type source interface {
	// head returns the log's own signed head; found is false when there is none. For an export it is known only after each.
	head(ctx context.Context) (note string, found bool, err error)
	// each calls fn for every entry, in the order of numbers.
	each(ctx context.Context, fn func(row)) error
	close() error
}

// database reads a copy of the SQLite file.
type database struct {
	db  *sql.DB
	tmp string // temporary directory to remove, or empty
}

// openDatabase opens a database file, or the one in a directory, without changing anything beside it.
func openDatabase(path string) (_ *database, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("verify: database: %w", err)
	}
	if info.IsDir() {
		path = filepath.Join(path, databaseName)
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("verify: database: %w", err)
		}
	}
	d := &database{}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	wal, err := os.Stat(path + "-wal")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("verify: database: %w", err)
	}
	if err == nil && wal.Size() > 0 {
		// Reading the last commits from the write-ahead log writes to the files beside it, so it is done in a copy.
		if d.tmp, err = os.MkdirTemp("", "carrel-verify-*"); err != nil {
			return nil, fmt.Errorf("verify: temporary directory: %w", err)
		}
		copied := filepath.Join(d.tmp, databaseName)
		if err := errors.Join(copyFile(path, copied), copyFile(path+"-wal", copied+"-wal")); err != nil {
			return nil, err
		}
		path = copied
	}
	q := url.Values{"_pragma": {"query_only(1)", "trusted_schema(0)", "cell_size_check(1)"}}
	if d.tmp == "" {
		q.Set("mode", "ro")
		q.Set("immutable", "1")
	}
	address := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String()
	if d.db, err = sql.Open("sqlite", address); err != nil {
		return nil, fmt.Errorf("verify: database: %w", err)
	}
	d.db.SetMaxOpenConns(1)
	return d, nil
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from) //nolint:gosec // the caller names the file to check
	if err != nil {
		return fmt.Errorf("verify: copy: %w", err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // in our temporary directory
	if err != nil {
		return fmt.Errorf("verify: copy: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := io.Copy(out, in); err != nil {
		return fmt.Errorf("verify: copy: %w", err)
	}
	return nil
}

func (d *database) head(ctx context.Context) (string, bool, error) {
	var note []byte
	err := d.db.QueryRowContext(ctx, "SELECT note FROM log_head WHERE id = 1").Scan(&note)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("verify: database: %w", err)
	}
	return string(note), true, nil
}

func (d *database) each(ctx context.Context, fn func(row)) (err error) {
	rows, err := d.db.QueryContext(ctx, "SELECT n, leaf, hashes FROM log ORDER BY n")
	if err != nil {
		return fmt.Errorf("verify: database: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		r := row{stored: true}
		if err := rows.Scan(&r.n, &r.leaf, &r.hashes); err != nil {
			return fmt.Errorf("verify: database: %w", err)
		}
		fn(r)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("verify: database: %w", err)
	}
	return nil
}

func (d *database) close() error {
	var err error
	if d.db != nil {
		err = d.db.Close()
	}
	if d.tmp != "" {
		err = errors.Join(err, os.RemoveAll(d.tmp))
	}
	return err
}

// export reads a log written line by line, with the signed head as last line.
type export struct {
	f    *os.File
	note string
	has  bool
}

// maxLine bounds a line of an export in bytes.
const maxLine = 1 << 20

func openExport(path string) (*export, error) {
	f, err := os.Open(path) //nolint:gosec // the caller names the file to check
	if err != nil {
		return nil, fmt.Errorf("verify: export: %w", err)
	}
	return &export{f: f}, nil
}

func (e *export) head(context.Context) (string, bool, error) { return e.note, e.has, nil }

func (e *export) each(ctx context.Context, fn func(row)) error {
	s := bufio.NewScanner(e.f)
	s.Buffer(make([]byte, 0, 64<<10), maxLine)
	for n := int64(0); s.Scan(); n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if e.has {
			return errors.New("verify: export: there are lines after the signed head")
		}
		line := s.Bytes()
		if bytes.HasPrefix(line, []byte(`{"checkpoint":`)) {
			var last struct {
				Checkpoint string `json:"checkpoint"`
			}
			if err := json.Unmarshal(line, &last); err != nil {
				return errors.New("verify: export: the last line is not a signed head")
			}
			e.note, e.has = last.Checkpoint, true
			continue
		}
		fn(row{n: n, leaf: bytes.Clone(line)})
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("verify: export: %w", err)
	}
	return nil
}

func (e *export) close() error { return e.f.Close() }
