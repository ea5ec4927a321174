package bind

import (
	"encoding/json"
	"strconv"
)

// noLocation is how the parser writes "no position".
const noLocation = "18446744073709551615"

// object reads one JSON object strictly: end refuses it if a field that was never read is not empty.
type object struct {
	b    *binder
	m    map[string]any
	read map[string]bool
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
	o := &object{b: b, m: m, read: map[string]bool{}, at: located(m, at)}
	o.read["query_location"] = true
	return o
}

// location is a node's byte offset, -1 for none.
func location(m map[string]any) int {
	n, ok := m["query_location"].(json.Number)
	if !ok || n.String() == noLocation {
		return -1
	}
	i, err := strconv.Atoi(n.String())
	if err != nil || i < 0 {
		return -1
	}
	return i
}

// located is a node's place: its own, or that of the first thing inside it that has one, or the place given.
func located(m map[string]any, otherwise int) int {
	if at := location(m); at >= 0 {
		return at
	}
	if at := earliest(m, 0); at >= 0 {
		return at
	}
	return otherwise
}

func earliest(v any, depth int) int {
	best := -1
	take := func(at int) {
		if at >= 0 && (best < 0 || at < best) {
			best = at
		}
	}
	if depth > maxDepth {
		return best
	}
	switch x := v.(type) {
	case map[string]any:
		take(location(x))
		for _, c := range x {
			take(earliest(c, depth+1))
		}
	case []any:
		for _, c := range x {
			take(earliest(c, depth+1))
		}
	}
	return best
}

func (o *object) raw(name string) any {
	o.read[name] = true
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
		if !o.read[name] && !empty(v) {
			o.b.fail("not-supported", o.at)
			return
		}
	}
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
	out := []byte(s)
	for i, c := range out {
		if c >= 'A' && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return string(out)
}
