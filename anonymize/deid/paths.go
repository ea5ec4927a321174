package deid

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"
)

// A path leads from a record to a value: names of members with dots between them, and behind a name that has a list the number of one element, or
// what an element must hold: identifier[system=urn:oid:2.16.156].value, name[0].family, component[code.coding.code=8480-6].valueQuantity.value.
// A name that has a list and chooses none leads to all its elements.
type path []segment

type segment struct {
	name  string
	at    int    // the element, -1 all
	where path   // what must equal is
	is    string // "" with where nil: no condition
}

// errPath is what is wrong with a path; it says nothing of the path, which messages name.
var errPath = errors.New("a path is names of members with dots between them, a list's element by its number or by [member=value]")

func parsePath(text string) (path, error) {
	var out path
	for rest := text; ; {
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			end = len(rest)
		}
		s := segment{name: rest[:end], at: -1}
		rest = rest[end:]
		if s.name == "" || strings.ContainsAny(s.name, "]=") {
			return nil, errPath
		}
		if strings.HasPrefix(rest, "[") {
			inside, behind, closed := strings.Cut(rest[1:], "]")
			if !closed || !s.choose(inside) {
				return nil, errPath
			}
			rest = behind
		}
		if out = append(out, s); rest == "" {
			return out, nil
		}
		if rest[0] != '.' || len(out) >= maxNesting {
			return nil, errPath
		}
		rest = rest[1:]
	}
}

// choose reads what stands in brackets.
func (s *segment) choose(inside string) bool {
	if member, value, equal := strings.Cut(inside, "="); equal {
		where, err := parsePath(member)
		s.where, s.is = where, value
		return err == nil && value != "" && !slices.ContainsFunc(where, func(w segment) bool { return w.where != nil || w.at >= 0 })
	}
	n, err := strconv.ParseUint(inside, 10, 16)
	s.at = int(n)
	return err == nil
}

func (s segment) equal(o segment) bool {
	return s.name == o.name && s.at == o.at && s.is == o.is && slices.EqualFunc(s.where, o.where, segment.equal)
}

// plain is the path without its choices: where the value stands in whatever record.
func (p path) plain() string {
	var b strings.Builder
	for i, s := range p {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(s.name)
	}
	return b.String()
}

// step hands on what one segment leads to.
func (s segment) step(v *fastjson.Value, use func(*fastjson.Value)) {
	below := member(v, s.name)
	switch {
	case below == nil, below.Type() == fastjson.TypeNull: // nothing is no element
	case below.Type() == fastjson.TypeArray:
		for i, e := range below.GetArray() {
			if (s.at < 0 || s.at == i) && e.Type() != fastjson.TypeNull && s.holds(e) {
				use(e)
			}
		}
	case s.at <= 0 && s.holds(below):
		use(below)
	}
}

// member is a member of an object, by its last name where it has one twice: the walk over all members finds the doubling.
func member(v *fastjson.Value, name string) *fastjson.Value {
	if v.Type() != fastjson.TypeObject {
		return nil
	}
	return v.GetObject().Get(name)
}

func (s segment) holds(v *fastjson.Value) bool {
	if s.where == nil {
		return true
	}
	found := false
	s.where.each(v, func(got *fastjson.Value) {
		text, ok := documentText(nil, got)
		found = found || ok && string(text) == s.is
	})
	return found
}

// each hands on all values that the path leads to, lists at its end element by element.
func (p path) each(v *fastjson.Value, use func(*fastjson.Value)) {
	if len(p) == 0 {
		if v.Type() != fastjson.TypeArray {
			use(v)
			return
		}
		for _, e := range v.GetArray() {
			p.each(e, use)
		}
		return
	}
	p[0].step(v, func(below *fastjson.Value) { p[1:].each(below, use) })
}

// documentText is the text of a value that has no members: what CSV would hold. false where it has some.
func documentText(buf []byte, v *fastjson.Value) ([]byte, bool) {
	switch v.Type() {
	case fastjson.TypeNull:
		return buf, true
	case fastjson.TypeObject, fastjson.TypeArray:
		return buf, false
	case fastjson.TypeString:
		text, err := v.StringBytes()
		return append(buf, text...), err == nil
	default:
		return v.MarshalTo(buf), true
	}
}

// bareReference is a reference of FHIR without the server that it names and the version: Patient/p1. Other forms stay as they are, and lead nowhere
// where nothing has that name.
func bareReference(ref []byte) []byte {
	s := string(ref)
	if strings.HasPrefix(s, "urn:") || strings.HasPrefix(s, "#") || strings.Contains(s, "?") {
		return ref
	}
	s, _, _ = strings.Cut(s, "/_history/")
	parts := strings.Split(s, "/")
	if len(parts) < 2 {
		return ref
	}
	return []byte(parts[len(parts)-2] + "/" + parts[len(parts)-1])
}

// ownReference is how others refer to a resource: Patient/p1, or the urn that its bundle gives it.
func ownReference(kind string, id []byte, full string) []byte {
	if strings.HasPrefix(full, "urn:") {
		return []byte(full)
	}
	if len(id) == 0 {
		return nil
	}
	return fmt.Appendf(nil, "%s/%s", kind, id)
}
