package deid

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// Rows reads one source table row by row, as a build would: CSV in UTF-8 or GB 18030, with or without a byte order mark, packed or not, or
// Parquet. It is for those who look at a source before there is a recipe. One goroutine at a time uses it.
type Rows struct {
	name   string
	f      *os.File
	size   int64
	from   rowReader
	header []string
	sep    byte
	first  *records // the run that holds the header, until it is handed out
	read   int64
}

// Block is a run of rows that Next has filled. What Field returns holds until the block is filled again.
type Block struct {
	r    records
	from int
}

// OpenRows opens a source and reads its header. separator 0 looks for the one that the header line has most of: comma, semicolon, tab or bar.
func OpenRows(ctx context.Context, path string, separator byte) (*Rows, error) {
	name := filepath.Base(path)
	r := &Rows{name: name}
	var err error
	if r.f, r.size, err = openSource(path); err != nil {
		return nil, err
	}
	if err = r.open(ctx, separator); err != nil {
		return nil, errors.Join(err, r.f.Close())
	}
	return r, nil
}

func openSource(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() {
		return nil, 0, errors.Join(&SourceError{File: filepath.Base(path), Text: "this is not a file"}, f.Close())
	}
	return f, st.Size(), nil
}

func (r *Rows) open(ctx context.Context, separator byte) error {
	if isParquet(r.name) {
		from, err := newParquetReader(ctx, r.name, r.f, r.size)
		if err != nil {
			return err
		}
		r.from = from
	} else {
		text, err := decoded(r.name, r.f, "auto", r.size)
		if err != nil {
			return err
		}
		peek := bufio.NewReaderSize(text, 1<<16)
		if separator == 0 {
			if separator, err = likelySeparator(peek); err != nil {
				return err
			}
		}
		r.sep, r.from = separator, newSplitter(r.name, peek, separator)
	}
	r.first = new(records)
	err := r.from.next(r.first)
	if errors.Is(err, io.EOF) {
		return &SourceError{File: r.name, Text: "the file is empty: not even a header"}
	}
	if err != nil {
		return err
	}
	r.header = headerOf(r.first)
	return nil
}

// likelySeparator looks at the first line, outside quotes.
func likelySeparator(text *bufio.Reader) (byte, error) {
	head, err := text.Peek(1 << 15)
	if err != nil && !errors.Is(err, io.EOF) && len(head) == 0 {
		return 0, err
	}
	var count [256]int
	quoted := false
	for _, c := range head {
		if c == '"' {
			quoted = !quoted
		}
		if c == '\n' && !quoted {
			break
		}
		if !quoted {
			count[c]++
		}
	}
	best := byte(',')
	for _, c := range []byte(";\t|") {
		if count[c] > count[best] {
			best = c
		}
	}
	return best, nil
}

// Header is the names of the columns.
func (r *Rows) Header() []string { return r.header }

// Separator is the character between the fields of CSV, 0 for Parquet.
func (r *Rows) Separator() byte { return r.sep }

// Readable says whether a column's values have a text. Nested columns of Parquet and instants have none; their fields are empty.
func (r *Rows) Readable(column int) bool {
	p, typed := r.from.(*parquetReader)
	return !typed || p.types[column] != nil
}

// Next fills b with the next rows, or returns io.EOF behind the last.
func (r *Rows) Next(b *Block) error {
	if r.first != nil {
		b.r, b.from, r.first = *r.first, 1, nil
		r.read = b.r.read
		return nil
	}
	b.from = 0
	if err := r.from.next(&b.r); err != nil {
		return err
	}
	r.read = b.r.read
	return nil
}

// Read is how many bytes of the file are read, and how many there are.
func (r *Rows) Read() (done, total int64) {
	at := r.read
	if isPacked(r.name) {
		at, _ = r.f.Seek(0, io.SeekCurrent)
	}
	return min(at, r.size), r.size
}

// Close closes the file.
func (r *Rows) Close() error { return r.f.Close() }

// Rows is how many rows the block holds.
func (b *Block) Rows() int { return b.r.rows - b.from }

// Field is one value. Padding is not cut.
func (b *Block) Field(row, column int) []byte { return b.r.field(b.from+row, column) }

// sourceText is a source of text that is no table, such as NDJSON: decoded and unpacked as tables are.
type sourceText struct {
	io.Reader
	name string
	f    *os.File
	size int64
}

func openText(path string) (*sourceText, error) {
	f, size, err := openSource(path)
	if err != nil {
		return nil, err
	}
	t := &sourceText{name: filepath.Base(path), f: f, size: size}
	if t.Reader, err = decoded(t.name, f, "auto", size); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return t, nil
}

// position is how many bytes of the file are read, and how many there are.
func (t *sourceText) position() (done, total int64) {
	at, err := t.f.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, t.size
	}
	return min(at, t.size), t.size
}

func (t *sourceText) close() error { return t.f.Close() }
