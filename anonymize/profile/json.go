package profile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"

	"github.com/valyala/fastjson"

	"carrel/anonymize/deid"
)

// What bounds JSON: a document, its depth, its paths, and the rows of a block.
const (
	maxDocument = 64 << 20
	maxDepth    = 40
	maxPaths    = 4000
	jsonRows    = 1024
	jsonBytes   = 1 << 20
)

// jsonSource reads NDJSON, one record a line; a JSON array of records; and FHIR R4 bundles and resources, of which each type is a table. A
// record's columns are the paths to its values; elements of arrays share a path.
type jsonSource struct {
	text   *deid.Text
	in     *bufio.Reader
	list   *json.Decoder // of an array or a bundle; nil for lines
	line   int64
	given  string
	name   string
	tables []*jsonTable
	byName map[string]*jsonTable
	parser fastjson.Parser
	ready  []*jsonTable // with rows to hand out
	ended  bool
}

type jsonTable struct {
	layout
	at    int
	paths map[string]int
	rows  int64
	open  block
}

func openJSON(path, person string) (source, error) {
	text, err := deid.OpenText(path)
	if err != nil {
		return nil, err
	}
	s := &jsonSource{text: text, in: bufio.NewReaderSize(text, 1<<16), given: person, name: tableName(path), byName: map[string]*jsonTable{}}
	if err := s.start(); err != nil {
		return nil, errors.Join(err, text.Close())
	}
	return s, nil
}

// start tells lines from one document.
func (s *jsonSource) start() error {
	head, err := s.in.Peek(1 << 15)
	if len(head) == 0 {
		if err == nil || errors.Is(err, io.EOF) {
			return s.text.Fail(0, "the file is empty")
		}
		return err
	}
	trimmed := bytes.TrimLeft(head, " \t\r\n")
	if len(trimmed) == 0 {
		return s.text.Fail(0, "the file is empty")
	}
	first, _, more := bytes.Cut(trimmed, []byte("\n"))
	if trimmed[0] == '{' && more && fastjson.ValidateBytes(first) == nil && (!bytes.Contains(first, []byte(`"Bundle"`)) || !bytes.Contains(first, []byte(`"entry"`))) {
		return nil // lines
	}
	switch trimmed[0] {
	case '[':
		s.list = json.NewDecoder(s.in)
		_, err = s.list.Token()
		return s.damaged(err)
	case '{':
		return s.startDocument()
	default:
		return s.text.Fail(1, "the file is not JSON")
	}
}

// startDocument goes to the entries of a bundle; any other single document is one record.
func (s *jsonSource) startDocument() error {
	head, _ := s.in.Peek(1 << 15)
	s.list = json.NewDecoder(s.in)
	if !bytes.Contains(head, []byte(`"Bundle"`)) {
		return nil
	}
	depth := 0
	for {
		t, err := s.list.Token()
		if errors.Is(err, io.EOF) { // a bundle without entries
			return nil
		}
		if err != nil {
			return s.damaged(err)
		}
		switch v := t.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				depth++
			} else {
				depth--
			}
		case string:
			if depth == 1 && v == "entry" {
				_, err := s.list.Token()
				return s.damaged(err)
			}
		}
	}
}

// damaged hides what the library says: its words may hold content.
func (s *jsonSource) damaged(err error) error {
	var src *deid.SourceError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &src):
		return err
	default:
		return s.text.Fail(s.line, "this is not JSON, or it is cut off")
	}
}

func (s *jsonSource) next(b *block) error {
	for len(s.ready) == 0 {
		if s.ended {
			return io.EOF
		}
		raw, err := s.record()
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
			err = s.take(raw)
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

// record is the bytes of the next record.
func (s *jsonSource) record() ([]byte, error) {
	if s.list != nil {
		if !s.list.More() {
			return nil, io.EOF
		}
		s.line++
		var raw json.RawMessage
		if err := s.list.Decode(&raw); err != nil {
			return nil, s.damaged(err)
		}
		return raw, nil
	}
	var line []byte
	for {
		part, err := s.in.ReadSlice('\n')
		if line == nil && err == nil {
			line = part
		} else {
			line = append(line, part...)
		}
		switch {
		case len(line) > maxDocument:
			return nil, s.text.Fail(s.line+1, "a record is larger than 64 MB")
		case errors.Is(err, bufio.ErrBufferFull):
			line = bytes.Clone(line)
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		}
		s.line++
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line, nil
		}
		if err != nil {
			return nil, io.EOF
		}
		line = nil
	}
}

// take puts one record into the block of its table.
func (s *jsonSource) take(raw []byte) error {
	v, err := s.parser.ParseBytes(raw)
	if err != nil || v.Type() != fastjson.TypeObject {
		return s.text.Fail(s.line, "a record is not a JSON object")
	}
	if r := v.Get("resource"); r != nil && r.Type() == fastjson.TypeObject && r.Get("resourceType") != nil { // an entry of a bundle
		v = r
	}
	if string(v.GetStringBytes("resourceType")) == "Bundle" {
		for _, e := range v.GetArray("entry") {
			if r := e.Get("resource"); r != nil {
				if err := s.put(r); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return s.put(v)
}

func (s *jsonSource) put(v *fastjson.Value) error {
	t := s.table(string(v.GetStringBytes("resourceType")))
	if t == nil {
		return s.text.Fail(s.line, "the file has more than 200 types of resources")
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
	t := &jsonTable{layout: layout{name: name, format: format, person: -1}, at: len(s.tables), paths: map[string]int{}}
	s.byName[name], s.tables = t, append(s.tables, t)
	return t
}

// walk puts the values below v into the columns of their paths.
func (s *jsonSource) walk(t *jsonTable, path string, v *fastjson.Value, depth int) error {
	if depth > maxDepth {
		return s.text.Fail(s.line, "a record is nested more than 40 deep")
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
			return s.text.Fail(s.line, "the records have more than "+strconv.Itoa(maxPaths)+" different paths: keys seem to be data")
		}
		column = len(t.columns)
		t.paths[path] = column
		t.columns = append(t.columns, path)
		s.personColumn(t, path, column)
	}
	from := len(t.open.data)
	if v.Type() == fastjson.TypeString {
		text, err := v.StringBytes()
		if err != nil {
			return s.text.Fail(s.line, "a record is not JSON")
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

func (s *jsonSource) position() (done, total int64) { return s.text.Position() }
func (s *jsonSource) close() error                  { return s.text.Close() }
