package extract

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// Names of the files beside the tables.
const (
	manifestFile = "manifest.json"
	sumFile      = "manifest.sha256"
)

// ErrExists says that the target already exists: an extract is immutable and is never written over.
var ErrExists = errors.New("an extract is never overwritten: choose another directory")

// ErrDiskFull says that the disk was full; the half-written extract was removed.
var ErrDiskFull = errors.New("the disk is full: the extract was not written and nothing was left behind; free some space and build again")

// Writer writes one extract into a hidden directory beside its target; Commit makes all of it durable and then gives it its name, in one
// step: a process that is killed at any moment leaves the whole extract or none of that name. What it leaves of the hidden directory the next
// Create for the same target removes. A Writer is for one goroutine.
type Writer struct {
	dir, temp string
	held      *os.File // says that temp is in use
	sealer    Sealer
	manifest  Manifest
	open      *TableWriter
	done      bool
}

// Create starts an extract at dir, which must not exist. head gives everything but Tables, Format and (when empty) ID.
// Always call Abort afterwards, it does nothing after Commit.
func Create(dir string, sealer Sealer, head Manifest) (*Writer, error) {
	if sealer == nil {
		return nil, errors.New("an extract is always sealed: no sealer given")
	}
	head.Format, head.Tables = Format, nil
	if head.ID == "" {
		head.ID = NewID()
	}
	if err := head.check(); err != nil {
		return nil, err
	}
	dir = filepath.Clean(dir)
	if _, err := os.Lstat(dir); err == nil {
		return nil, fmt.Errorf("%s exists: %w", dir, ErrExists)
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("look at the target of the extract: %w", err)
	}
	temp, held, err := makePart(dir, func(path string) error { return os.Mkdir(path, 0o700) })
	if err != nil {
		return nil, fmt.Errorf("make the directory of the extract: %w", sayFull(err))
	}
	return &Writer{dir: dir, temp: temp, held: held, sealer: sealer, manifest: head}, nil
}

// Table starts the next table, as Layout gives it; the one before must be closed.
func (w *Writer) Table(t Table) (*TableWriter, error) {
	if w.done || w.open != nil {
		return nil, errors.New("the extract is closed, or its last table is not")
	}
	t.Rows, t.Bytes, t.SHA256, t.Sealed, t.File = 0, 0, "", "", fileName(t.Name)
	if err := t.check(); err != nil {
		return nil, err
	}
	if _, twice := w.manifest.Table(t.Name); twice {
		return nil, fmt.Errorf("table %q is written twice", t.Name)
	}
	tw := &TableWriter{w: w, table: t}
	if err := tw.start(filepath.Join(w.temp, t.File)); err != nil {
		tw.discard()
		return nil, err
	}
	w.open = tw
	return tw, nil
}

// Commit writes the manifest, makes everything durable and gives the extract its name. The manifest returned is the
// one on disk.
func (w *Writer) Commit() (*Manifest, error) {
	if w.done || w.open != nil {
		return nil, errors.New("the extract is closed, or its last table is not")
	}
	if err := w.manifest.check(); err != nil {
		return nil, err
	}
	raw, err := w.manifest.encode()
	if err != nil {
		return nil, err
	}
	if err := writeFile(filepath.Join(w.temp, manifestFile), raw); err != nil {
		return nil, fmt.Errorf("write the manifest: %w", sayFull(err))
	}
	sum := sha256.Sum256(raw)
	if err := writeFile(filepath.Join(w.temp, sumFile), []byte(hex.EncodeToString(sum[:])+"\n")); err != nil {
		return nil, fmt.Errorf("write the manifest: %w", sayFull(err))
	}
	if err := syncDir(w.temp); err != nil {
		return nil, fmt.Errorf("make the extract durable: %w", sayFull(err))
	}
	if _, err := os.Lstat(w.dir); err == nil {
		return nil, fmt.Errorf("%s exists: %w", w.dir, ErrExists)
	}
	if err := os.Rename(w.temp, w.dir); err != nil {
		return nil, fmt.Errorf("name the extract: %w", sayFull(err))
	}
	w.finish()
	if err := syncDir(filepath.Dir(w.dir)); err != nil {
		return nil, fmt.Errorf("make the extract durable: %w", err)
	}
	m := w.manifest
	return &m, nil
}

// Abort removes all that was written, unless Commit has succeeded.
func (w *Writer) Abort() error {
	if w.done {
		return nil
	}
	if w.open != nil {
		w.open.discard()
		w.open = nil
	}
	err := os.RemoveAll(w.temp)
	w.finish()
	return err
}

func (w *Writer) finish() {
	w.done = true
	if w.held != nil {
		_ = w.held.Close()
	}
}

// TableWriter writes one table: record batches to Arrow IPC to hash to seal to hash to file.
type TableWriter struct {
	w         *Writer
	table     Table
	schema    *arrow.Schema
	file      *os.File
	buffer    *bufio.Writer
	seal      io.WriteCloser
	plain     *countingHash
	sealed    hash.Hash
	ipc       *ipc.FileWriter
	lastShort bool
}

func (t *TableWriter) start(path string) error {
	var err error
	if t.schema, err = arrowSchema(&t.table); err != nil {
		return err
	}
	if t.file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return fmt.Errorf("make a file of the extract: %w", sayFull(err))
	}
	t.buffer = bufio.NewWriterSize(t.file, 1<<20)
	t.sealed = sha256.New()
	if t.seal, err = t.w.sealer.Seal(io.MultiWriter(t.buffer, t.sealed)); err != nil {
		return fmt.Errorf("seal table %q: %w", t.table.Name, sayFull(err))
	}
	t.plain = &countingHash{to: bufio.NewWriterSize(t.seal, 1<<16), hash: sha256.New()}
	if t.ipc, err = ipc.NewFileWriter(t.plain, ipc.WithSchema(t.schema)); err != nil {
		return fmt.Errorf("write table %q: %w", t.table.Name, sayFull(err))
	}
	return nil
}

// Write appends one batch: a vector for each column of the table, in order. Every batch but the last has BatchRows
// rows. Values are not checked here; Verify does.
func (t *TableWriter) Write(columns []Vector) error {
	if len(columns) != len(t.table.Columns) {
		return fmt.Errorf("table %q has %d columns, %d were given", t.table.Name, len(t.table.Columns), len(columns))
	}
	n := columns[0].n
	if n == 0 {
		return nil
	}
	if t.lastShort || n > BatchRows {
		return fmt.Errorf("table %q: only the last batch may have other than %d rows", t.table.Name, BatchRows)
	}
	t.lastShort = n < BatchRows
	arrays := make([]arrow.Array, len(columns))
	for i, c := range columns {
		if c.n != n || c.typ == nil || c.typ.ID() != t.schema.Field(i).Type.ID() || (c.valid != nil && len(c.valid)*8 < n) {
			return fmt.Errorf("table %q: column %q has another type or length than declared", t.table.Name, t.table.Columns[i].Name)
		}
		arrays[i] = c.array()
		defer arrays[i].Release()
		if arrays[i].NullN() > 0 && !t.table.Columns[i].Nullable {
			return fmt.Errorf("table %q: column %q misses %d values and is declared never missing", t.table.Name,
				t.table.Columns[i].Name, arrays[i].NullN())
		}
	}
	batch := array.NewRecordBatch(t.schema, arrays, int64(n))
	defer batch.Release()
	if err := t.ipc.Write(batch); err != nil {
		return fmt.Errorf("write table %q: %w", t.table.Name, sayFull(err))
	}
	t.table.Rows += int64(n)
	return nil
}

// Close finishes the table and makes its file durable.
func (t *TableWriter) Close() error {
	if t.w.open != t {
		return errors.New("the table is not open")
	}
	t.w.open = nil
	err := errors.Join(t.ipc.Close(), t.plain.to.Flush(), t.seal.Close(), t.buffer.Flush(), t.file.Sync(), t.file.Close())
	if err != nil {
		return fmt.Errorf("write table %q: %w", t.table.Name, sayFull(err))
	}
	t.table.Bytes = t.plain.n
	t.table.SHA256 = hex.EncodeToString(t.plain.hash.Sum(nil))
	t.table.Sealed = hex.EncodeToString(t.sealed.Sum(nil))
	t.w.manifest.Tables = append(t.w.manifest.Tables, t.table)
	return nil
}

func (t *TableWriter) discard() {
	if t.file != nil {
		_ = t.file.Close() // the file is removed with its directory
	}
}

type countingHash struct {
	to   *bufio.Writer
	hash hash.Hash
	n    int64
}

// hashBeside is the size from which hashing goes beside sealing: the columns of a batch, not their heads.
const hashBeside = 1 << 14

func (c *countingHash) Write(p []byte) (int, error) {
	if len(p) < hashBeside {
		n, err := c.to.Write(p)
		c.hash.Write(p[:n])
		c.n += int64(n)
		return n, err
	}
	hashed := make(chan struct{})
	go func() {
		defer close(hashed)
		c.hash.Write(p)
	}()
	n, err := c.to.Write(p)
	<-hashed // p is the caller's again; after an error the hash means nothing, and the table is thrown away
	c.n += int64(n)
	return n, err
}

func arrowSchema(t *Table) (*arrow.Schema, error) {
	fields := make([]arrow.Field, len(t.Columns))
	for i, c := range t.Columns {
		typ, ok := arrowType(c.ArrowType)
		if !ok {
			return nil, fmt.Errorf("column %q has no known integer type", c.Name)
		}
		fields[i] = arrow.Field{Name: c.Name, Type: typ, Nullable: c.Nullable}
	}
	return arrow.NewSchema(fields, nil), nil
}

func arrowType(name string) (arrow.DataType, bool) {
	types := []arrow.DataType{
		arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Int16,
		arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64,
	}
	i := slices.IndexFunc(types, func(t arrow.DataType) bool { return t.Name() == name })
	if i < 0 {
		return nil, false
	}
	return types[i], true
}

func writeFile(path string, raw []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	return errors.Join(err, f.Sync(), f.Close())
}

// sayFull turns the system's "no space left" into the sentence people can act on.
func sayFull(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%w (%w)", ErrDiskFull, syscall.ENOSPC)
	}
	return err
}

// SetRegister states the register when it is known, before Commit: its file's hash and its number of persons.
func (w *Writer) SetRegister(hash string, persons int64) {
	w.manifest.RegisterHash, w.manifest.Persons = hash, persons
}

// SetWards says where the children are found whom the register knows under a guardian's number.
func (w *Writer) SetWards(name string) { w.manifest.Numbering.Wards = name }
