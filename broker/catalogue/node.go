package catalogue

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"carrel/policy"
)

// Error is one fault of a catalogue entry, in one sentence.
type Error struct {
	File         string // as given to Parse
	Line, Column int    // from 1; 0 when the fault has no place
	Message      string
}

// Error returns "file:line:column: message".
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// maxEntry bounds a catalogue entry in bytes. Chongqing's catalogue has 7,138 fields; an entry of that many with labels, bounds and
// items has two megabytes.
const maxEntry = 4 << 20

// reader walks a YAML tree strictly: every key must be known, every scalar of its type. We walk nodes instead of
// decoding into structs because the library's strict mode does not reach into custom decoders and its errors name Go
// types. The first fault in the file wins.
type reader struct {
	file string
	err  *Error
}

func (r *reader) fail(n *yaml.Node, format string, args ...any) {
	e := &Error{File: r.file, Message: fmt.Sprintf(format, args...)}
	if n != nil {
		e.Line, e.Column = n.Line, n.Column
	}
	if r.err == nil || e.Line < r.err.Line {
		r.err = e
	}
}

// document returns the root mapping of the only document in src.
func (r *reader) document(src []byte) *yaml.Node {
	if len(src) > maxEntry {
		r.fail(nil, "a catalogue entry has at most %d bytes", maxEntry)
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(src))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			r.fail(nil, "the file is empty")
		} else {
			r.syntax(err)
		}
		return nil
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		r.fail(&more, "one file holds one catalogue entry")
		return nil
	}
	return doc.Content[0]
}

var syntaxLine = regexp.MustCompile(`line (\d+): `)

func (r *reader) syntax(err error) {
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	n := &yaml.Node{}
	if m := syntaxLine.FindStringSubmatchIndex(msg); m != nil {
		n.Line, _ = strconv.Atoi(msg[m[2]:m[3]])
		n.Column = 1
		msg = msg[:m[0]] + msg[m[1]:]
	}
	r.fail(n, "this is not YAML: %s", msg)
}

// mapping is one YAML mapping under a path that errors can name.
type mapping struct {
	r     *reader
	n     *yaml.Node
	path  string
	keys  []*yaml.Node
	vals  map[string]*yaml.Node
	asked []string
}

func (r *reader) mapping(n *yaml.Node, path string) *mapping {
	m := &mapping{r: r, n: n, path: path, vals: map[string]*yaml.Node{}}
	if n == nil {
		return m
	}
	if n.Kind != yaml.MappingNode {
		r.fail(n, "%s must be a mapping of fields", path)
		return m
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind != yaml.ScalarNode || k.Tag == "!!merge" {
			r.fail(k, "%s: keys are plain words here, no merge and no alias", path)
			continue
		}
		if _, twice := m.vals[k.Value]; twice {
			r.fail(k, "%s: %q stands twice", path, clip(k.Value))
			continue
		}
		if v.Kind == yaml.AliasNode || v.Anchor != "" {
			r.fail(v, "%s.%s: anchors and aliases are not used here", path, clip(k.Value))
			continue
		}
		m.keys = append(m.keys, k)
		m.vals[k.Value] = v
	}
	return m
}

// get returns the value of a key and marks it as known; nil when it is not there.
func (m *mapping) get(key string) *yaml.Node {
	m.asked = append(m.asked, key)
	return m.vals[key]
}

// need is get for a key that must be there.
func (m *mapping) need(key string) *yaml.Node {
	v := m.get(key)
	if v == nil && m.n != nil && m.n.Kind == yaml.MappingNode {
		m.r.fail(m.n, "%s has no %s", m.path, key)
	}
	return v
}

// done refuses the keys that nobody asked for.
func (m *mapping) done() {
	for _, k := range m.keys {
		if !slices.Contains(m.asked, k.Value) {
			m.r.fail(k, "%s has no field %q; it has %s", m.path, clip(k.Value), strings.Join(m.asked, ", "))
		}
	}
}

func (m *mapping) at(key string) string { return m.path + "." + key }

func (m *mapping) str(key string) string { return m.r.str(m.need(key), m.at(key)) }

func (m *mapping) optStr(key string) string {
	if v := m.get(key); v != nil {
		return m.r.str(v, m.at(key))
	}
	return ""
}

func (m *mapping) int(key string) int64 { return m.r.int(m.need(key), m.at(key)) }

func (m *mapping) bool(key string) bool {
	v := m.get(key)
	if v == nil {
		return false
	}
	if v.Kind != yaml.ScalarNode || v.Tag != "!!bool" {
		m.r.fail(v, "%s must be true or false", m.at(key))
		return false
	}
	return v.Value == "true"
}

// text reads {zh: …, en: …}, both needed.
func (m *mapping) text(key string) policy.Text {
	v := m.need(key)
	if v == nil {
		return policy.Text{}
	}
	return m.r.text(v, m.at(key))
}

// why reads a reason: {zh: …, en: …}, or one text for both.
func (m *mapping) why(key string) Why {
	v := m.need(key)
	if v == nil {
		return Why{}
	}
	if v.Kind == yaml.MappingNode {
		return Why(m.r.text(v, m.at(key)))
	}
	one := m.str(key)
	return Why{ZH: one, EN: one}
}

func (r *reader) text(n *yaml.Node, path string) policy.Text {
	t := r.mapping(n, path)
	out := policy.Text{ZH: t.str("zh"), EN: t.str("en")}
	t.done()
	return out
}

func (m *mapping) strs(key string) []string {
	v := m.need(key)
	if v == nil {
		return nil
	}
	if v.Kind != yaml.SequenceNode || len(v.Content) == 0 {
		m.r.fail(v, "%s must be a list with at least one member", m.at(key))
		return nil
	}
	var out []string
	for _, c := range v.Content {
		out = append(out, m.r.str(c, m.at(key)))
	}
	return out
}

func (r *reader) str(n *yaml.Node, path string) string {
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || strings.TrimSpace(n.Value) == "" {
		r.fail(n, "%s must be a text that is not empty", path)
		return ""
	}
	if len(n.Value) > 4096 {
		r.fail(n, "%s is longer than 4096 bytes", path)
		return ""
	}
	return n.Value
}

func (r *reader) int(n *yaml.Node, path string) int64 {
	if n == nil {
		return 0
	}
	i, err := strconv.ParseInt(n.Value, 10, 64)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil {
		r.fail(n, "%s must be a whole number", path)
		return 0
	}
	return i
}

// clip keeps a stranger's word in a message short.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
