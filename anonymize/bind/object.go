package bind

import (
	"slices"
	"strings"
)

// noLocation is how the parser writes "no position".
const noLocation = "18446744073709551615"

// object reads one JSON object strictly: end refuses it if a field that was never read is not empty.
type object struct {
	b    *binder
	m    map[string]any
	read []string
	at   int
}

func (b *binder) object(v any, at int) *object {
	m, ok := v.(map[string]any)
	if b.nodes++; !ok || b.nodes > maxNodes {
		code := "not-supported"
		if ok {
			code = "query-too-large"
		}
		b.fail(code, at)
		m = map[string]any{}
	}
	o := &object{b: b, m: m, at: located(m, at)}
	if n := len(b.spare); n > 0 {
		o.read, b.spare = b.spare[n-1], b.spare[:n-1]
	} else {
		o.read = make([]string, 0, 24)
	}
	o.read = append(o.read, locationField)
	return o
}

// location is a node's byte offset, -1 for none.
func location(m map[string]any) int {
	if s, ok := m[locationField].(spot); ok {
		return s.own
	}
	return -1
}

// located is a node's place: its own, or that of the first thing inside it that has one, or the place given.
func located(m map[string]any, otherwise int) int {
	s, ok := m[locationField].(spot)
	switch {
	case ok && s.own >= 0:
		return s.own
	case ok && s.first >= 0:
		return s.first
	}
	return otherwise
}

// fields counts what a node has besides its position.
func fields(m map[string]any) int {
	if _, there := m[locationField]; there {
		return len(m) - 1
	}
	return len(m)
}

func (o *object) raw(name string) any {
	o.read = append(o.read, name)
	return o.m[name]
}

// text reads a field that must be a string; a missing one is empty.
func (o *object) text(name string) string {
	s, ok := o.raw(name).(string)
	if !ok && o.m[name] != nil {
		o.b.fail("not-supported", o.at)
	}
	return s
}

// boolean reads a field that must be a truth value; a missing one is false.
func (o *object) boolean(name string) bool {
	v, ok := o.raw(name).(bool)
	if !ok && o.m[name] != nil {
		o.b.fail("not-supported", o.at)
	}
	return v
}

// list reads a field that must be a list; a missing one is empty.
func (o *object) list(name string) []any {
	v, ok := o.raw(name).([]any)
	if !ok && o.m[name] != nil {
		o.b.fail("not-supported", o.at)
	}
	return v
}

// node reads a field that must be an object.
func (o *object) node(name string) map[string]any {
	v, ok := o.raw(name).(map[string]any)
	if !ok {
		o.b.fail("not-supported", o.at)
		return map[string]any{}
	}
	return v
}

// optional reads a field that is an object or null; a missing one is nil.
func (o *object) optional(name string) map[string]any {
	v, ok := o.raw(name).(map[string]any)
	if !ok && o.m[name] != nil {
		o.b.fail("not-supported", o.at)
	}
	return v
}

func (o *object) refuseUnlessEmpty(name, code string) {
	if v := o.raw(name); !empty(v) {
		at := o.at
		if m, ok := v.(map[string]any); ok && location(m) >= 0 {
			at = location(m)
		}
		o.b.fail(code, at)
	}
}

// noAlias refuses a name given to a part of an expression.
func (o *object) noAlias() { o.refuseUnlessEmpty("alias", "not-supported") }

// end refuses what was not read and is not empty: an unknown construct is never ignored.
func (o *object) end() {
	for name, v := range o.m {
		if !empty(v) && !slices.Contains(o.read, name) {
			o.b.fail("not-supported", o.at)
			break
		}
	}
	o.b.spare, o.read = append(o.b.spare, o.read[:0]), nil
}

// empty says that a field carries no meaning: null, false, "", an empty list or object.
func empty(v any) bool {
	switch x := v.(type) {
	case nil:
		return true
	case bool:
		return !x
	case string:
		return x == ""
	case []any:
		return len(x) == 0
	case map[string]any:
		return len(x) == 0
	default:
		return false
	}
}

// strings reads a list of strings.
func (o *object) strings(name string) []string {
	var out []string
	for _, v := range o.list(name) {
		s, ok := v.(string)
		if !ok {
			o.b.fail("not-supported", o.at)
		}
		out = append(out, s)
	}
	return out
}

func asMap(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func class(n map[string]any) string {
	s, _ := n["class"].(string)
	return s
}

// fold lowers ASCII letters only: a look-alike from another script stays different.
func fold(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= 'A' && r <= 'Z' }) {
		return s
	}
	out := []byte(s)
	for i, c := range out {
		if c >= 'A' && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return string(out)
}
