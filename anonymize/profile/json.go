package profile

import (
	"errors"
	"io"
	"strconv"

	"github.com/valyala/fastjson"

	"carrel/anonymize/deid"
)

// What bounds JSON: its depth, its paths, and the rows of a block.
const (
	maxDepth  = 40
	maxPaths  = 4000
	jsonRows  = 1024
	jsonBytes = 1 << 20
)

// jsonSource makes tables of documents, as builds read them: NDJSON, lists of records, FHIR R4 bundles and resources, of which each type is a table. A
// record's columns are the paths to its values; elements of arrays share a path.
type jsonSource struct {
	docs   *deid.Documents
	given  string
	name   string
	tables []*jsonTable
	byName map[string]*jsonTable
	ready  []*jsonTable // with rows to hand out
	ended  bool
}

type jsonTable struct {
	layout
	at    int
	paths map[string]int
	rows  int64
	last  []int64 // the last row, from 1, in which each column had a value
	open  block
}

func openJSON(path, person string) (source, error) {
	docs, err := deid.OpenDocuments(path)
	if err != nil {
		return nil, err
	}
	return &jsonSource{docs: docs, given: person, name: tableName(path), byName: map[string]*jsonTable{}}, nil
}

func (s *jsonSource) next(b *block) error {
	for len(s.ready) == 0 {
		if s.ended {
			return io.EOF
		}
		doc, err := s.docs.Next()
		if errors.Is(err, io.EOF) {
			s.ended = true
			for _, t := range s.tables {
				if t.open.rows > 0 {
					s.ready = append(s.ready, t)
				}
			}
			continue
		}
		if err == nil {
			err = s.put(doc.Value)
		}
		if err != nil {
			return err
		}
	}
	t := s.ready[0]
	s.ready = s.ready[1:]
	b.reset()
	b.data, t.open.data = t.open.data, b.data
	b.cells, t.open.cells = t.open.cells, b.cells
	b.table, b.rows, b.width, b.first, b.person = t.at, t.open.rows, len(t.columns), t.rows, t.person
	t.rows += int64(b.rows)
	t.open.reset()
	return nil
}

func (s *jsonSource) put(v *fastjson.Value) error {
	t := s.table(string(v.GetStringBytes("resourceType")))
	if t == nil {
		return s.docs.Fail("the file has more than 200 types of resources")
	}
	prefix := ""
	if t.format == "fhir" {
		prefix = t.name
	}
	if err := s.walk(t, prefix, v, 0); err != nil {
		return err
	}
	t.open.rows++
	if t.open.rows >= jsonRows || len(t.open.data) >= jsonBytes {
		s.ready = append(s.ready, t)
	}
	return nil
}

// table is the table of a resource type; records without a type are one table, named as the file. A type is a name of the standard: letters only.
func (s *jsonSource) table(kind string) *jsonTable {
	format, name := "fhir", kind
	for _, c := range kind {
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			name = ""
		}
	}
	if name == "" || len(name) > 40 {
		format, name = "json", s.name
	}
	if t := s.byName[name]; t != nil {
		return t
	}
	if len(s.tables) >= 200 {
		return nil
	}
	t := &jsonTable{layout: layout{name: name, format: format, person: -1, several: map[int]bool{}}, at: len(s.tables), paths: map[string]int{}}
	s.byName[name], s.tables = t, append(s.tables, t)
	return t
}

// walk puts the values below v into the columns of their paths.
func (s *jsonSource) walk(t *jsonTable, path string, v *fastjson.Value, depth int) error {
	if depth > maxDepth {
		return s.docs.Fail("a record is nested more than 40 deep")
	}
	switch v.Type() {
	case fastjson.TypeObject:
		var err error
		v.GetObject().Visit(func(key []byte, below *fastjson.Value) {
			if err != nil || path == "" && depth == 0 && string(key) == "resourceType" || depth == 0 && t.format == "fhir" && string(key) == "resourceType" {
				return
			}
			next := string(key)
			if path != "" {
				next = path + "." + next
			}
			err = s.walk(t, next, below, depth+1)
		})
		return err
	case fastjson.TypeArray:
		for _, below := range v.GetArray() {
			if err := s.walk(t, path, below, depth+1); err != nil {
				return err
			}
		}
		return nil
	case fastjson.TypeNull:
		return nil
	default:
		return s.value(t, path, v)
	}
}

func (s *jsonSource) value(t *jsonTable, path string, v *fastjson.Value) error {
	column, known := t.paths[path]
	if !known {
		if len(t.columns) >= maxPaths {
			return s.docs.Fail("the records have more than " + strconv.Itoa(maxPaths) + " different paths: keys seem to be data")
		}
		column = len(t.columns)
		t.paths[path] = column
		t.columns, t.last = append(t.columns, path), append(t.last, 0)
		s.personColumn(t, path, column)
	}
	row := t.rows + int64(t.open.rows) + 1
	if t.last[column] == row {
		t.several[column] = true
	}
	t.last[column] = row
	from := len(t.open.data)
	if v.Type() == fastjson.TypeString {
		text, err := v.StringBytes()
		if err != nil {
			return s.docs.Fail("a record is not JSON")
		}
		t.open.data = append(t.open.data, text...)
	} else {
		t.open.data = v.MarshalTo(t.open.data)
	}
	t.open.cells = append(t.open.cells, cell{int32(t.open.rows), int32(column), int32(from), int32(len(t.open.data))})
	return nil
}

// personColumn notes the column that names the person when its path first comes.
func (s *jsonSource) personColumn(t *jsonTable, path string, column int) {
	switch {
	case s.given != "" && path == s.given:
		t.person, t.personBy = column, "given"
	case t.person >= 0:
	case t.format == "fhir" && guessPersonPath(path), t.format == "json" && guessPerson([]string{path}) >= 0:
		t.person, t.personBy = column, "name"
	}
}

func (s *jsonSource) layouts() []*layout {
	out := make([]*layout, len(s.tables))
	for i, t := range s.tables {
		out[i] = &t.layout
	}
	return out
}

func (s *jsonSource) position() (done, total int64) { return s.docs.Position() }
func (s *jsonSource) close() error                  { return s.docs.Close() }
