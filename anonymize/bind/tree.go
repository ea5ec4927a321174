package bind

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxLevels is how deep lists and objects may stand inside each other: as deep as encoding/json lets them.
const maxLevels = 10_000

var errTree = errors.New("bind: no JSON document")

// spot is what becomes of an object's query_location: its own byte offset, and the first one in it or in anything that it holds; -1 is
// none. No JSON value has this type, so a tree cannot forge one.
type spot struct{ own, first int }

// decodeTree reads one JSON document as encoding/json does with UseNumber, in one pass that leaves the positions of whatever an object holds
// at the object. It exists for speed alone: encoding/json needs more than twice the time of the binder and the planner together.
func decodeTree(doc []byte) (map[string]any, error) {
	if !utf8.Valid(doc) {
		return nil, errTree
	}
	r := &reader{text: string(doc)}
	v, _, err := r.value(0)
	if err != nil {
		return nil, err
	}
	root, ok := v.(map[string]any)
	if r.blank(); !ok || r.at != len(r.text) {
		return nil, errTree
	}
	return root, nil
}

// reader stands at a byte of the document.
type reader struct {
	text string
	at   int
	open []field // of the objects that are not done, the innermost last
}

type field struct {
	name  string
	value any
}

func (r *reader) blank() {
	for r.at < len(r.text) {
		switch r.text[r.at] {
		case ' ', '\t', '\r', '\n':
			r.at++
		default:
			return
		}
	}
}

// next is the byte after blanks, 0 at the end.
func (r *reader) next() byte {
	if r.blank(); r.at == len(r.text) {
		return 0
	}
	return r.text[r.at]
}

// take steps over a byte that must come next.
func (r *reader) take(c byte) bool {
	if r.next() != c || c == 0 {
		return false
	}
	r.at++
	return true
}

// value reads a value and says where the first position in it is.
func (r *reader) value(level int) (any, int, error) {
	switch c := r.next(); {
	case level > maxLevels:
		return nil, -1, errTree
	case c == '{':
		return r.object(level)
	case c == '[':
		return r.list(level)
	case c == '"':
		s, err := r.str()
		return s, -1, err
	case c == '-' || c >= '0' && c <= '9':
		n, err := r.number()
		return n, -1, err
	}
	for _, w := range []struct {
		text string
		v    any
	}{{"null", nil}, {"true", true}, {"false", false}} {
		if strings.HasPrefix(r.text[r.at:], w.text) {
			r.at += len(w.text)
			return w.v, -1, nil
		}
	}
	return nil, -1, errTree
}

const locationField = "query_location"

func (r *reader) object(level int) (any, int, error) {
	r.at++
	start, first := len(r.open), -1
	for !r.take('}') {
		if len(r.open) > start && !r.take(',') || r.next() != '"' {
			return nil, -1, errTree
		}
		name, err := r.str()
		if err != nil || !r.take(':') {
			return nil, -1, errTree
		}
		v, at, err := r.value(level + 1)
		if err != nil {
			return nil, -1, err
		}
		r.open = append(r.open, field{name, v})
		first = earlier(first, at)
	}
	m := make(map[string]any, len(r.open)-start+1)
	for _, f := range r.open[start:] {
		m[f.name] = f.value
	}
	r.open = r.open[:start]
	s := spot{own: offset(m[locationField]), first: first}
	s.first = earlier(s.first, s.own)
	if _, there := m[locationField]; there || s.first >= 0 {
		m[locationField] = s
	}
	return m, s.first, nil
}

// earlier is the smaller of two positions, of which -1 is none.
func earlier(a, b int) int {
	if a < 0 || b >= 0 && b < a {
		return b
	}
	return a
}

// offset reads a query_location.
func offset(v any) int {
	n, ok := v.(json.Number)
	if !ok || n == noLocation {
		return -1
	}
	i, err := strconv.Atoi(n.String())
	if err != nil || i < 0 {
		return -1
	}
	return i
}

func (r *reader) list(level int) (any, int, error) {
	r.at++
	out, first := []any{}, -1
	for !r.take(']') {
		if len(out) > 0 && !r.take(',') {
			return nil, -1, errTree
		}
		v, at, err := r.value(level + 1)
		if err != nil {
			return nil, -1, err
		}
		out, first = append(out, v), earlier(first, at)
	}
	return out, first, nil
}

// str reads a string; one that holds an escape is left to encoding/json.
func (r *reader) str() (string, error) {
	start, escaped := r.at, false
	for i := start + 1; i < len(r.text); i++ {
		switch c := r.text[i]; {
		case c == '"':
			r.at = i + 1
			if !escaped {
				return r.text[start+1 : i], nil
			}
			var s string
			err := json.Unmarshal([]byte(r.text[start:r.at]), &s)
			return s, err //nolint:wrapcheck // one meaning: no JSON
		case c == '\\':
			escaped = true
			i++
		case c < ' ':
			return "", errTree
		}
	}
	return "", errTree
}

// number reads -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?.
func (r *reader) number() (json.Number, error) {
	start := r.at
	r.skip("-")
	whole := r.digits()
	ok := whole == 1 || whole > 1 && r.text[r.at-whole] != '0'
	if r.skip(".") {
		ok = r.digits() > 0 && ok
	}
	if r.skip("eE") {
		r.skip("+-")
		ok = r.digits() > 0 && ok
	}
	if !ok {
		return "", errTree
	}
	return json.Number(r.text[start:r.at]), nil
}

// skip steps over one of some bytes, without blanks before it.
func (r *reader) skip(any string) bool {
	if r.at < len(r.text) && strings.IndexByte(any, r.text[r.at]) >= 0 {
		r.at++
		return true
	}
	return false
}

func (r *reader) digits() int {
	start := r.at
	for r.at < len(r.text) && r.text[r.at] >= '0' && r.text[r.at] <= '9' {
		r.at++
	}
	return r.at - start
}
