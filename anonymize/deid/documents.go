package deid

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"

	"github.com/valyala/fastjson"
)

// What bounds a source of documents: one record, and how deep it is nested (the parser's own limit is 300).
const (
	maxDocument = 64 << 20
	maxNesting  = 40
	maxValues   = 4 << 20 // of one record: in memory each takes eighty bytes
)

// Documents reads records one by one: NDJSON, one record a line; a list of records; FHIR R4 bundles, entry by entry, as one document or one a line;
// and single resources. In memory is one record, of 64 MB at most. A file that ends before its end is an error and never a shorter table.
type Documents struct {
	text   *sourceText
	in     *bufio.Reader
	left   int64         // of what one record may take
	list   *json.Decoder // of a list or a bundle; nil for lines
	depth  int           // of what has to be closed behind the last record of a list
	many   bool          // bundles, one behind the other
	kind   string        // what the present one says it is
	at     int64         // line, or entry
	parser fastjson.Parser
	queue  []Document
}

// Document is one record. It holds until the next one is asked for.
type Document struct {
	*fastjson.Value
	// Full is the fullUrl of a bundle's entry, "" without one.
	Full string
}

// OpenDocuments opens a file of documents: decoded and unpacked as tables are.
func OpenDocuments(path string) (*Documents, error) {
	text, err := openText(path)
	if err != nil {
		return nil, err
	}
	d, err := newDocuments(text)
	if err != nil {
		return nil, errors.Join(err, text.close())
	}
	return d, nil
}

func newDocuments(text *sourceText) (*Documents, error) {
	d := &Documents{text: text}
	d.in = bufio.NewReaderSize((*rationed)(d), 1<<16)
	d.ration()
	return d, d.start()
}

// entriesFirst is how a bundle begins whose members are in the order of their names.
var entriesFirst = regexp.MustCompile(`^\{\s*"entry"\s*:`)

// rationed is the text of which a record may take no more than its share: a decoder would keep reading for the end of what has none.
type rationed Documents

func (d *rationed) Read(p []byte) (int, error) {
	if d.left <= 0 {
		return 0, &SourceError{File: d.text.name, Line: d.at + 1, Entry: d.list != nil, Text: "a record is larger than 64 MB"}
	}
	n, err := d.text.Read(p[:min(int64(len(p)), d.left)])
	d.left -= int64(n)
	return n, err
}

func (d *Documents) ration() { d.left = maxDocument + 1<<16 }

// Fail is a mistake in the present record.
func (d *Documents) Fail(text string) error {
	return &SourceError{File: d.text.name, Line: d.at, Entry: d.list != nil, Text: text}
}

// At is the line of the present record, or its place in a list or bundle.
func (d *Documents) At() int64 { return d.at }

// Position is how many bytes of the file are read, and how many there are.
func (d *Documents) Position() (done, total int64) { return d.text.position() }

// Close closes the file.
func (d *Documents) Close() error { return d.text.close() }

// start tells lines from one document.
func (d *Documents) start() error {
	head, err := d.in.Peek(1 << 15)
	if len(head) == 0 && err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	trimmed := bytes.TrimLeft(head, " \t\r\n")
	if len(trimmed) == 0 {
		return &SourceError{File: d.text.name, Text: "the file is empty"}
	}
	first, _, more := bytes.Cut(trimmed, newline)
	switch {
	case trimmed[0] == '{' && more && fastjson.ValidateBytes(first) == nil && (!bytes.Contains(first, []byte(`"Bundle"`)) || !bytes.Contains(first, []byte(`"entry"`))):
		return nil // lines
	case trimmed[0] == '[':
		d.list, d.depth = json.NewDecoder(d.in), 1
		_, err = d.list.Token()
		return d.damaged(err)
	case trimmed[0] == '{':
		d.list = json.NewDecoder(d.in)
		if bytes.Contains(head, []byte(`"Bundle"`)) || entriesFirst.Match(trimmed) {
			d.many = true
			return d.bundle()
		}
		return nil
	default:
		return &SourceError{File: d.text.name, Line: 1, Text: "the file is not JSON"}
	}
}

// bundle goes to the entries of a bundle, past all that stands before them.
func (d *Documents) bundle() error {
	if _, err := d.list.Token(); err != nil {
		return d.damaged(err)
	}
	d.kind, d.depth = "", 1
	entries, err := d.members()
	if !entries || err != nil {
		return err
	}
	if open, err := d.list.Token(); err != nil || open != json.Delim('[') {
		return d.Fail("the entries of a bundle must be a list")
	}
	d.depth = 2
	return nil
}

// members passes the members of a bundle, to its entries or to its end.
func (d *Documents) members() (entries bool, err error) {
	for d.list.More() {
		key, err := d.list.Token()
		if err != nil {
			return false, d.damaged(err)
		}
		if key == "entry" {
			return true, nil
		}
		var value json.RawMessage
		if err := d.list.Decode(&value); err != nil {
			return false, d.damaged(err)
		}
		if key == "resourceType" {
			d.kind = string(value)
		}
	}
	return false, nil
}

// damaged hides what the library says: its words may hold content.
func (d *Documents) damaged(err error) error {
	if err == nil || errors.As(err, new(*SourceError)) {
		return err
	}
	return d.Fail("this is not JSON, or it is cut off")
}

// Next is the next record, or io.EOF behind the last. The entries of a bundle are records, and what stands in none is nobody's.
func (d *Documents) Next() (Document, error) {
	for len(d.queue) == 0 {
		raw, err := d.record()
		if err != nil {
			return Document{}, err
		}
		if bytes.Count(raw, []byte{','}) > maxValues {
			return Document{}, d.Fail("a record has more than four million values")
		}
		v, err := d.parser.ParseBytes(raw)
		if err != nil || v.Type() != fastjson.TypeObject {
			return Document{}, d.Fail("a record is not a JSON object")
		}
		d.enqueue(Document{Value: v})
	}
	next := d.queue[0]
	d.queue = d.queue[1:]
	return next, nil
}

// enqueue unwraps a bundle's entry, and a bundle that is a line.
func (d *Documents) enqueue(doc Document) {
	if r := doc.Get("resource"); r != nil && r.Type() == fastjson.TypeObject && r.Get("resourceType") != nil {
		doc = Document{Value: r, Full: string(doc.GetStringBytes("fullUrl"))}
	}
	if string(doc.GetStringBytes("resourceType")) != "Bundle" {
		d.queue = append(d.queue, doc)
		return
	}
	for _, e := range doc.GetArray("entry") {
		if r := e.Get("resource"); r != nil && r.Type() == fastjson.TypeObject {
			d.queue = append(d.queue, Document{Value: r, Full: string(e.GetStringBytes("fullUrl"))})
		}
	}
}

// record is the bytes of the next record.
func (d *Documents) record() ([]byte, error) {
	d.ration()
	if d.list == nil {
		return d.lineRecord()
	}
	for !d.list.More() {
		if err := d.end(); err != nil {
			return nil, err
		}
	}
	var raw json.RawMessage
	err := d.list.Decode(&raw)
	d.at++
	return raw, d.damaged(err)
}

// end closes what a list or bundle has open, and goes to the next bundle: where it does not close, the file was cut.
func (d *Documents) end() error {
	if d.depth == 2 {
		if _, err := d.list.Token(); err != nil {
			return d.damaged(err)
		}
		if again, err := d.members(); again || err != nil {
			return cmp.Or(err, d.Fail("a bundle has its entries twice"))
		}
	}
	if d.depth > 0 {
		if _, err := d.list.Token(); err != nil {
			return d.damaged(err)
		}
		d.depth = 0
	}
	if d.many && d.kind != `"Bundle"` {
		return d.Fail("this is no bundle, and stands among bundles: write records one a line")
	}
	if d.many && d.list.More() {
		return d.bundle()
	}
	if _, err := d.list.Token(); !errors.Is(err, io.EOF) {
		return d.damaged(cmp.Or(err, io.ErrUnexpectedEOF))
	}
	return io.EOF
}

func (d *Documents) lineRecord() ([]byte, error) {
	var line []byte
	for {
		part, err := d.in.ReadSlice('\n')
		if line == nil && err == nil {
			line = part
		} else {
			line = append(line, part...)
		}
		switch {
		case len(line) > maxDocument:
			d.at++
			return nil, d.Fail("a record is larger than 64 MB")
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		}
		d.at++
		if line = bytes.TrimSpace(line); len(line) > 0 {
			if fastjson.ValidateBytes(line) != nil {
				return nil, d.Fail("this is not JSON, or it is cut off")
			}
			return line, nil
		}
		if err != nil {
			return nil, io.EOF
		}
		line, d.left = nil, maxDocument+1<<16
	}
}

// isDocument says by its name that a source is JSON.
func isDocument(file string) bool {
	name := strings.ToLower(strings.TrimSuffix(file, ".gz"))
	return strings.HasSuffix(name, ".ndjson") || strings.HasSuffix(name, ".jsonl") || strings.HasSuffix(name, ".json")
}
