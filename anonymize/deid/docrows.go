package deid

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/valyala/fastjson"
)

// docReader makes rows of documents: the columns are the paths that the recipe names. A record is a row, or each element of one of its lists is,
// with what the record says besides. It reads the same from NDJSON, lists and bundles, so these give one extract.
type docReader struct {
	docs     *Documents
	resource string // of FHIR; "" all records
	each     path   // of the list, nil none
	names    []string
	columns  []docColumn
	needed   []int           // columns that steps read
	covered  map[string]bool // paths that the recipe names, without their choices
	rest     bool            // other paths are dropped
	started  bool
	pending  []docRow // rows of the present record that the run before had no room for
	line     int64
	read     int64
	text     []byte
}

// docColumn is a path, and how much of it the path of the list is.
type docColumn struct {
	path   path
	shared int
	own    bool // the resource's own number
	refers bool // a reference to another resource
}

// docRow is one row: the record's values at each step of the way to the list's element.
type docRow struct {
	anchors []*fastjson.Value
	full    string
}

// newDocReader checks the paths. names are the columns that the recipe names.
func newDocReader(docs *Documents, t *tableSpec, names []string) (*docReader, error) {
	r := &docReader{docs: docs, resource: t.resource, names: names, covered: map[string]bool{}, rest: t.restDrop}
	var err error
	if t.each != "" {
		if r.each, err = parsePath(t.each); err != nil {
			return nil, &SourceError{File: docs.text.name, Text: fmt.Sprintf("each %q of the recipe: %v", t.each, err)}
		}
	}
	for _, name := range names {
		p, err := parsePath(name)
		if err != nil {
			return nil, &SourceError{File: docs.text.name, Text: fmt.Sprintf("column %q of the recipe: %v", name, err)}
		}
		c := docColumn{path: p, own: t.resource != "" && name == "id", refers: t.resource != "" && p[len(p)-1].name == "reference"}
		for c.shared < min(len(p), len(r.each)) && (p[c.shared].equal(r.each[c.shared]) || p[c.shared].equal(segment{name: r.each[c.shared].name, at: -1})) {
			c.shared++
		}
		r.columns = append(r.columns, c)
		r.covered[p.plain()] = true
	}
	return r, nil
}

// next fills b with rows, the first time with the names of the columns.
func (r *docReader) next(b *records) error {
	b.data, b.at, b.lines, b.rows, b.width = b.data[:0], b.at[:0], b.lines[:0], 0, len(r.names)
	if !r.started {
		r.started = true
		for _, name := range r.names {
			b.put(append(b.data, name...))
		}
		b.rows, b.lines = 1, append(b.lines, 0)
		return nil // the names come alone: which columns are needed is known only when they are
	}
	for len(b.data) < blockSize && b.rows < maxDocRows {
		if len(r.pending) == 0 {
			err := r.take()
			if errors.Is(err, io.EOF) && b.rows > 0 {
				break
			}
			if err != nil {
				return err
			}
			continue
		}
		if err := r.row(b, r.pending[0]); err != nil {
			return err
		}
		r.pending = r.pending[1:]
	}
	r.read, _ = r.docs.Position()
	b.read = r.read
	return nil
}

// maxDocRows is how many rows a run has at most: rows of few values are small.
const maxDocRows = 1 << 16

// take reads the next record and notes its rows.
func (r *docReader) take() error {
	r.pending = r.pending[:0]
	doc, err := r.docs.Next()
	if err != nil {
		return err
	}
	r.line = r.docs.At()
	if r.resource != "" && string(doc.GetStringBytes("resourceType")) != r.resource {
		return nil
	}
	if err := r.look(doc.Value, "", 0); err != nil {
		return err
	}
	r.spread([]*fastjson.Value{doc.Value}, doc.Full)
	return nil
}

// need says which columns steps read: a path of theirs must end at a value.
func (r *docReader) need(columns []int) { r.needed = columns }

// spread notes a row for every element that the path of the list leads to.
func (r *docReader) spread(anchors []*fastjson.Value, full string) {
	if n := len(anchors) - 1; n < len(r.each) {
		r.each[n].step(anchors[n], func(below *fastjson.Value) { r.spread(append(anchors[:n+1:n+1], below), full) })
		return
	}
	r.pending = append(r.pending, docRow{anchors: anchors, full: full})
}

// look walks over a whole record: every value must stand under a path that the recipe names, or the recipe drops the rest, and no object has a
// member twice. A source that grows a path must not grow the extract, and somebody has to look.
func (r *docReader) look(v *fastjson.Value, at string, depth int) error {
	if depth > maxNesting {
		return r.docs.Fail("a record is nested more than 40 deep")
	}
	switch v.Type() {
	case fastjson.TypeArray:
		for _, e := range v.GetArray() {
			if err := r.look(e, at, depth+1); err != nil {
				return err
			}
		}
		return nil
	case fastjson.TypeObject:
		if at != "" && r.covered[at] { // named as a whole, which only a dropped column may be
			return nil
		}
		return r.lookInto(v, at, depth)
	case fastjson.TypeNull:
		return nil
	default:
		if !r.rest && !r.covered[at] {
			return r.docs.Fail("the record holds a value that the recipe does not name: say drop for it, or rest: drop for the table")
		}
		return nil
	}
}

func (r *docReader) lookInto(v *fastjson.Value, at string, depth int) error {
	var err error
	seen := make([]string, 0, 16)
	v.GetObject().Visit(func(key []byte, below *fastjson.Value) {
		name := string(key)
		if err != nil {
			return
		}
		if slices.Contains(seen, name) {
			err = r.docs.Fail("an object has a member twice")
			return
		}
		seen = append(seen, name)
		if depth == 0 && r.resource != "" && name == "resourceType" {
			return
		}
		path := name
		if at != "" {
			path = at + "." + name
		}
		err = r.look(below, path, depth+1)
	})
	return err
}

// row puts the values of one row.
func (r *docReader) row(b *records, row docRow) error {
	start := len(b.data)
	for i := range r.columns {
		text, err := r.value(i, row)
		if err != nil {
			return err
		}
		b.put(append(b.data, text...))
	}
	if len(b.data)-start > maxRecord {
		return r.docs.Fail("the row is longer than 1 MB")
	}
	b.rows, b.lines = b.rows+1, append(b.lines, r.line)
	return nil
}

// value is the text that a path leads to in a row. Where it leads to several that differ, nobody has said which is meant.
func (r *docReader) value(column int, row docRow) ([]byte, error) {
	c := &r.columns[column]
	r.text = r.text[:0]
	found, nested, several := false, false, false
	c.path[c.shared:].each(row.anchors[c.shared], func(v *fastjson.Value) {
		from := len(r.text)
		text, plain := documentText(r.text, v)
		got := text[from:]
		switch {
		case !plain:
			nested = true
		case len(got) == 0:
		case !found:
			found, r.text = true, text
		default:
			several = several || !bytes.Equal(got, r.text)
		}
	})
	switch {
	case several && slices.Contains(r.needed, column):
		return nil, r.docs.Fail(fmt.Sprintf("%q has several values: choose one with [0] or [member=value], or make rows of them with each", r.names[column]))
	case nested && slices.Contains(r.needed, column):
		return nil, r.docs.Fail(fmt.Sprintf("%q has members of its own: the path must end at a value", r.names[column]))
	case nested:
		return nil, nil // a whole that is dropped
	case c.own:
		return ownReference(r.resource, r.text, row.full), nil
	case c.refers:
		return bareReference(r.text), nil
	default:
		return r.text, nil
	}
}
