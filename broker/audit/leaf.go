package audit

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"
)

// Limits of an entry, in bytes. They keep texts out of a log that is meant for ids and small facts.
const (
	MaxLeaf   = 16 << 10 // a whole leaf
	MaxString = 1024     // one string of it
)

// timeForm is the one form of a time in a leaf: UTC, milliseconds, always 24 bytes.
const timeForm = "2006-01-02T15:04:05.000Z"

// ErrEntry is wrapped by every refusal of a malformed entry.
var ErrEntry = errors.New("audit: malformed entry")

// Leaf returns the canonical JSON of the entry: RFC 8785 (members sorted by name, no white space), empty optional members
// left out, the time in UTC with milliseconds. The same entry always gives the same bytes. It refuses entries without time,
// kind or actor, with an unknown outcome, a commitment that is not one of [Commit], a control character or invalid UTF-8, and
// entries above the limits: all errors wrap [ErrEntry].
func (e Entry) Leaf() ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	w := leafWriter{buf: make([]byte, 0, 384)}
	w.buf = append(w.buf, '{')
	w.member("actor", e.Actor, true)
	w.member("at", e.At.UTC().Format(timeForm), true)
	w.members("commit", e.Commit)
	w.members("facts", e.Facts)
	w.member("grant", e.Grant, false)
	w.member("kind", e.Kind, true)
	w.member("object", e.Object, true)
	w.member("outcome", e.Outcome, false)
	w.member("policy", e.Policy, false)
	w.list("rules", e.Rules)
	w.member("unit", e.Unit, true)
	w.buf = append(w.buf, '}')
	if w.bad != "" {
		return nil, fmt.Errorf("%w: member %s has invalid text", ErrEntry, w.bad)
	}
	if len(w.buf) > MaxLeaf {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrEntry, len(w.buf), MaxLeaf)
	}
	return w.buf, nil
}

// ParseLeaf reads a leaf written by [Entry.Leaf] and refuses every other spelling of the same entry, so that one entry has one leaf.
func ParseLeaf(leaf []byte) (Entry, error) {
	var e Entry
	d := json.NewDecoder(bytes.NewReader(leaf))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return Entry{}, fmt.Errorf("%w: not the JSON of an entry", ErrEntry)
	}
	again, err := e.Leaf()
	if err != nil {
		return Entry{}, err
	}
	if !bytes.Equal(again, leaf) {
		return Entry{}, fmt.Errorf("%w: not in canonical form", ErrEntry)
	}
	return e, nil
}

func (e Entry) check() error {
	switch {
	case e.At.IsZero() || e.At.UTC().Year() < 1 || e.At.UTC().Year() > 9999:
		return fmt.Errorf("%w: no time", ErrEntry)
	case e.Kind == "":
		return fmt.Errorf("%w: no kind", ErrEntry)
	case e.Actor == "":
		return fmt.Errorf("%w: no actor", ErrEntry)
	}
	switch e.Outcome {
	case "", "allowed", "refused", "failed":
	default:
		return fmt.Errorf("%w: outcome is none of allowed, refused, failed", ErrEntry)
	}
	for _, c := range e.Commit {
		if raw, err := hex.DecodeString(c); err != nil || len(raw) != commitmentSize {
			return fmt.Errorf("%w: a commitment is not 64 hexadecimal digits", ErrEntry)
		}
	}
	return nil
}

// leafWriter appends canonical JSON. Reflection-free because two entries are written for every answer.
type leafWriter struct {
	buf []byte
	bad string // first member whose text is refused
}

func (w *leafWriter) name(name string) {
	if n := len(w.buf); w.buf[n-1] != '{' {
		w.buf = append(w.buf, ',')
	}
	w.text(name, name)
	w.buf = append(w.buf, ':')
}

func (w *leafWriter) member(name, value string, always bool) {
	if value == "" && !always {
		return
	}
	w.name(name)
	w.text(name, value)
}

func (w *leafWriter) members(name string, m map[string]string) {
	if len(m) == 0 {
		return
	}
	w.name(name)
	w.buf = append(w.buf, '{')
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compareUTF16)
	for i, k := range keys {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.text(name, k)
		w.buf = append(w.buf, ':')
		w.text(name, m[k])
	}
	w.buf = append(w.buf, '}')
}

func (w *leafWriter) list(name string, values []string) {
	if len(values) == 0 {
		return
	}
	w.name(name)
	w.buf = append(w.buf, '[')
	for i, v := range values {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.text(name, v)
	}
	w.buf = append(w.buf, ']')
}

// text appends a JSON string. Control characters are refused, so RFC 8785 leaves two characters to escape.
func (w *leafWriter) text(member, s string) {
	if len(s) > MaxString || !utf8.ValidString(s) {
		w.refuse(member)
		return
	}
	w.buf = append(w.buf, '"')
	for i := range len(s) {
		c := s[i]
		switch {
		case c < 0x20 || c == 0x7f:
			w.refuse(member)
		case c == '"' || c == '\\':
			w.buf = append(w.buf, '\\', c)
		default:
			w.buf = append(w.buf, c)
		}
	}
	w.buf = append(w.buf, '"')
}

func (w *leafWriter) refuse(member string) {
	if w.bad == "" {
		w.bad = member
	}
}

// compareUTF16 orders names as RFC 8785 asks: by UTF-16 code units, which differs from bytes only beyond the basic plane.
func compareUTF16(a, b string) int {
	ra, rb := []rune(a), []rune(b)
	for i := 0; i < len(ra) && i < len(rb); i++ {
		if ra[i] != rb[i] {
			return compareUnits(ra[i], rb[i])
		}
	}
	return len(ra) - len(rb)
}

// compareUnits compares two different characters by their first differing UTF-16 code unit.
func compareUnits(a, b rune) int {
	ua, ub := leadUnit(a), leadUnit(b)
	if ua != ub {
		return int(ua) - int(ub)
	}
	return int(a) - int(b) // same lead surrogate: the trail orders like the character
}

func leadUnit(r rune) rune {
	if r < 0x10000 {
		return r
	}
	return 0xd800 + (r-0x10000)>>10
}

// stamped returns the entry with its time cut to what a leaf keeps, or the given time when it has none.
func (e Entry) stamped(now time.Time) Entry {
	if e.At.IsZero() {
		e.At = now
	}
	e.At = e.At.UTC().Truncate(time.Millisecond)
	return e
}
