package profile

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"carrel/anonymize/deid"
)

// block is a run of rows of one table: of a table by rows and columns, or of JSON by cells.
type block struct {
	table int
	first int64 // number of its first row in the table
	rows  int
	width int
	// person is the column that names the person, -1 where none is known yet.
	person int
	layout *layout // as it was when the block was read
	flat   deid.Block

	data  []byte // JSON
	cells []cell
}

// cell is one value of JSON; a column may have several in a row.
type cell struct {
	row, column int32
	from, to    int32
}

func (b *block) reset() {
	b.rows, b.width, b.data, b.cells = 0, 0, b.data[:0], b.cells[:0]
}

// layout is a table of a source.
type layout struct {
	name, format string
	columns      []string
	unreadable   map[int]bool
	several      map[int]bool // columns that had more than one value in a record
	person       int          // column, -1 none
	separator    byte
	personBy     string
}

// snapshot is a layout that does not grow any more.
func (l *layout) snapshot() *layout {
	c := *l
	c.columns = l.columns[:len(l.columns):len(l.columns)]
	return &c
}

func (l *layout) flat() bool { return l.format == "csv" || l.format == "parquet" }

// source hands out the blocks of one file, and io.EOF behind the last. layouts may grow with each call.
type source interface {
	next(b *block) error
	layouts() []*layout
	position() (done, total int64)
	close() error
}

// open finds out what a file is by its name.
func open(ctx context.Context, path, person string) (source, error) {
	name := strings.ToLower(strings.TrimSuffix(filepath.Base(path), ".gz"))
	switch filepath.Ext(name) {
	case ".json", ".ndjson", ".jsonl":
		return openJSON(path, person)
	default:
		return openTable(ctx, path, person)
	}
}

// flatSource is CSV or Parquet.
type flatSource struct {
	rows   *deid.Rows
	layout *layout
	read   int64
}

func openTable(ctx context.Context, path, person string) (source, error) {
	rows, err := deid.OpenRows(ctx, path, 0)
	if err != nil {
		return nil, err
	}
	l := &layout{name: tableName(path), format: "csv", columns: rows.Header(), unreadable: map[int]bool{}, person: -1, separator: rows.Separator()}
	if strings.HasSuffix(strings.ToLower(path), ".parquet") {
		l.format = "parquet"
	}
	for i := range l.columns {
		if !rows.Readable(i) {
			l.unreadable[i] = true
		}
	}
	l.findPerson(person)
	return &flatSource{rows: rows, layout: l}, nil
}

// findPerson looks for the column that the caller names, else guesses.
func (l *layout) findPerson(given string) {
	for i, c := range l.columns {
		if given != "" && c == given {
			l.person, l.personBy = i, "given"
			return
		}
	}
	if l.person = guessPerson(l.columns); l.person >= 0 {
		l.personBy = "name"
	}
}

func (s *flatSource) next(b *block) error {
	if err := s.rows.Next(&b.flat); err != nil {
		return err
	}
	b.table, b.first, b.rows, b.width, b.person = 0, s.read, b.flat.Rows(), len(s.layout.columns), s.layout.person
	s.read += int64(b.rows)
	return nil
}

func (s *flatSource) layouts() []*layout            { return []*layout{s.layout} }
func (s *flatSource) position() (done, total int64) { return s.rows.Read() }
func (s *flatSource) close() error                  { return s.rows.Close() }

// tableName makes a recipe's name of a file's: small letters, digits and lines.
func tableName(path string) string {
	name := strings.TrimSuffix(filepath.Base(path), ".gz")
	name = strings.ToLower(strings.TrimSuffix(name, filepath.Ext(name)))
	out := []byte{}
	for _, r := range name {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			out = append(out, byte(r))
		case len(out) > 0 && out[len(out)-1] != '_':
			out = append(out, '_')
		}
	}
	text := strings.Trim(string(out), "_")
	if text == "" || text[0] >= '0' && text[0] <= '9' {
		text = "table_" + text
	}
	return strings.TrimSuffix(text[:min(len(text), 60)], "_")
}

// columnName makes a name for the extract, or column_N where the source's has no Latin letters.
func columnName(name string, at int) string {
	plain := true
	for i, r := range name {
		plain = plain && (r >= 'a' && r <= 'z' || r == '_' || i > 0 && r >= '0' && r <= '9')
	}
	if plain && name != "" && len(name) <= 60 {
		return name
	}
	made := strings.ReplaceAll(strings.TrimSpace(words(name)), " ", "_")
	for i, r := range made {
		if r > 'z' || r < '0' || r > '9' && r < '_' || r == '`' || i == 0 && r <= '9' {
			return fmt.Sprintf("column_%d", at+1)
		}
	}
	if made == "" || len(made) > 60 {
		return fmt.Sprintf("column_%d", at+1)
	}
	return made
}

// sizes adds up what there is to read.
func sizes(files []string) int64 {
	total := int64(0)
	for _, f := range files {
		if st, err := os.Stat(f); err == nil {
			total += st.Size()
		}
	}
	return total
}
