package extract

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"

	"carrel/anonymize/plan"
)

// maxManifest bounds what is read before anything is checked; dictionaries are most of it.
const maxManifest = 64 << 20

// Extract is an opened extract whose sealed files had the hashes of its manifest.
type Extract struct {
	dir      string
	sealer   Sealer
	manifest *Manifest
	hash     string
}

// Open reads the manifest and compares every sealed file with its hash; one wrong byte, a missing or an extra file is an
// error. The plaintext hash is checked again by whoever reads a table to its end.
func Open(ctx context.Context, dir string, sealer Sealer) (*Extract, error) {
	if sealer == nil {
		return nil, errors.New("no identity to open the extract with")
	}
	e, err := openManifest(dir, sealer)
	if err != nil {
		return nil, err
	}
	if err := e.checkNames(); err != nil {
		return nil, err
	}
	for i := range e.manifest.Tables {
		t := &e.manifest.Tables[i]
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("open the extract: %w", err)
		}
		got, err := hashFile(filepath.Join(dir, t.File))
		if err != nil {
			return nil, fmt.Errorf("read table %q of the extract: %w", t.Name, err)
		}
		if got != t.Sealed {
			return nil, fmt.Errorf("the file of table %q is not the one of the manifest: it was changed or damaged", t.Name)
		}
	}
	return e, nil
}

func openManifest(dir string, sealer Sealer) (*Extract, error) {
	raw, err := readSmall(filepath.Join(dir, manifestFile), maxManifest)
	if err != nil {
		return nil, fmt.Errorf("read the manifest of the extract: %w", err)
	}
	want, err := readSmall(filepath.Join(dir, sumFile), 256)
	if err != nil {
		return nil, fmt.Errorf("read the manifest of the extract: %w", err)
	}
	sum := sha256.Sum256(raw)
	got := hex.EncodeToString(sum[:])
	if string(want) != got+"\n" {
		return nil, errors.New("the manifest does not have its hash: it was changed or damaged")
	}
	m, err := decodeManifest(raw)
	if err != nil {
		return nil, err
	}
	return &Extract{dir: dir, sealer: sealer, manifest: m, hash: got}, nil
}

// checkNames demands exactly the files of the manifest.
func (e *Extract) checkNames() error {
	want := map[string]bool{manifestFile: true, sumFile: true}
	for _, t := range e.manifest.Tables {
		want[t.File] = true
	}
	entries, err := os.ReadDir(e.dir)
	if err != nil {
		return fmt.Errorf("list the extract: %w", err)
	}
	for _, d := range entries {
		if !want[d.Name()] || !d.Type().IsRegular() {
			return errors.New("the extract holds a file that its manifest does not name")
		}
		delete(want, d.Name())
	}
	if len(want) > 0 {
		return errors.New("the extract lacks a file of its manifest")
	}
	return nil
}

// ID is the extract's random identifier.
func (e *Extract) ID() string { return e.manifest.ID }

// Hash is the SHA-256 of the manifest, hex: the name under which the audit log knows this very extract.
func (e *Extract) Hash() string { return e.hash }

// Manifest returns a copy of the manifest; its slices are shared and must not be changed.
func (e *Extract) Manifest() Manifest { return *e.manifest }

// Schema is the manifest's part of the schema.
func (e *Extract) Schema() *plan.Schema { return e.manifest.Schema() }

// MatchSchema is Manifest.MatchSchema.
func (e *Extract) MatchSchema(s *plan.Schema) error { return e.manifest.MatchSchema(s) }

// SourceTable is a table as the sandbox takes it: plaintext as a stream of known size.
type SourceTable struct {
	Name    string
	Rows    int64
	Size    int64 // bytes of the Arrow IPC file
	Columns []Column
	// Plain opens the plaintext. The last Read returns an error instead of io.EOF when size or hash are not the
	// manifest's: use nothing before io.EOF was seen.
	Plain func() (io.ReadCloser, error)
}

// Tables lists the tables with their plaintext streams.
func (e *Extract) Tables() []SourceTable {
	out := make([]SourceTable, len(e.manifest.Tables))
	for i, t := range e.manifest.Tables {
		out[i] = SourceTable{
			Name: t.Name, Rows: t.Rows, Size: t.Bytes, Columns: t.Columns,
			Plain: func() (io.ReadCloser, error) { return e.Plain(t.Name) },
		}
	}
	return out
}

// Plain opens the plaintext Arrow IPC file of a table, as SourceTable.Plain.
func (e *Extract) Plain(table string) (io.ReadCloser, error) {
	t, ok := e.manifest.Table(table)
	if !ok {
		return nil, fmt.Errorf("the extract has no table of that name (%d tables)", len(e.manifest.Tables))
	}
	f, err := os.Open(filepath.Join(e.dir, t.File))
	if err != nil {
		return nil, fmt.Errorf("read table %q of the extract: %w", t.Name, err)
	}
	p, err := e.sealer.Unseal(bufio.NewReaderSize(f, 1<<18))
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &plainReader{from: p, file: f, hash: sha256.New(), want: t.SHA256, left: t.Bytes, table: t.Name}, nil
}

// plainReader passes plaintext on and says at its end whether it was the manifest's.
type plainReader struct {
	from  io.Reader
	file  *os.File
	hash  hash.Hash
	want  string
	left  int64
	table string
}

func (p *plainReader) Read(b []byte) (int, error) {
	n, err := p.from.Read(b)
	p.hash.Write(b[:n])
	p.left -= int64(n)
	switch {
	case errors.Is(err, io.EOF):
		if p.left != 0 || hex.EncodeToString(p.hash.Sum(nil)) != p.want {
			return n, fmt.Errorf("table %q does not have the hash of its manifest", p.table)
		}
		return n, io.EOF
	case err != nil:
		return n, fmt.Errorf("read table %q of the extract: %w", p.table, err)
	default:
		return n, nil
	}
}

func (p *plainReader) Close() error { return p.file.Close() }

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func readSmall(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) > limit {
		return nil, fmt.Errorf("%s is too large", strings.ToLower(filepath.Base(path)))
	}
	return raw, nil
}
