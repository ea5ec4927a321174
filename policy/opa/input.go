package opa

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"carrel/policy"

	"github.com/open-policy-agent/opa/v1/ast"
)

// input is a question as the rules see it.
type input struct {
	canonical []byte // keys sorted, nothing escaped that need not be
	hash      string
	value     ast.Value
	day       string // of its moment, in China; "" where it has none
	hour      int    // where the rest of the moment stands in canonical
}

// hourLen is the length of a moment without its day.
const hourLen = len("T10:00:00+08:00")

// newInput checks the question, and writes it in canonical JSON: two equal questions have one hash, whatever the order
// of fields in Go. Text and value come from one walk, so what was hashed is what is decided; by way of encoding/json, there
// and back, it costs a quarter of the decision.
func (s shapes) newInput(q policy.Question) (input, error) {
	if err := q.Valid(); err != nil {
		return input{}, err
	}
	w := writer{shapes: s, text: make([]byte, 0, 1024)}
	term, err := w.write(reflect.ValueOf(q))
	if err != nil {
		return input{}, fmt.Errorf("%w: %w", policy.ErrQuestion, err)
	}
	sum := sha256.Sum256(w.text)
	in := input{canonical: w.text, hash: "sha256:" + hex.EncodeToString(sum[:]), value: term.Value}
	if w.at > 0 {
		in.day, in.hour = string(w.text[w.at:w.at+len(dayLayout)]), w.at+len(dayLayout)
	}
	return in, nil
}

// field is a field of a question: where it stands, and what it is called.
type field struct {
	index    int
	key      *ast.Term
	text     string // `"name":`
	optional bool   // left out when empty
	set      bool   // rules see the list as a set, which costs them no walk through it
	moment   bool   // the moment of the question
}

// shapes are the fields of the types that questions are made of, in the order of their names. They do not change once
// made.
type shapes struct {
	fields      map[reflect.Type][]field
	lists, sets *terms // what long ones look like to the rules: a set and a list have the same text
}

// newShapes reads the types of these questions, and all types within.
func newShapes(questions ...policy.Question) (shapes, error) {
	s := shapes{fields: map[reflect.Type][]field{}, lists: newTerms(), sets: newTerms()}
	for _, q := range questions {
		if err := s.add(reflect.TypeOf(q)); err != nil {
			return shapes{}, fmt.Errorf("policy: question %s: %w", q.Decision(), err)
		}
	}
	return s, nil
}

func (s shapes) add(t reflect.Type) error {
	switch t.Kind() {
	case reflect.Struct:
	case reflect.Slice:
		return s.add(t.Elem())
	case reflect.Map:
		if t != numbersByName && t != listsByName {
			return errors.New("a map that is of neither numbers nor lists by name")
		}
		return nil
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64:
		return nil
	default:
		return errors.New("a field of a kind that rules do not know")
	}
	if _, ok := s.fields[t]; ok {
		return nil
	}
	fields := []field{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || f.Anonymous || name == "" || name == "-" {
			return errors.New("a field without a name")
		}
		if options != "" && (options != "omitempty" || f.Type.Kind() != reflect.String) {
			return errors.New("a field with an option that nobody knows")
		}
		fields = append(fields, field{index: i, key: ast.StringTerm(name), text: strconv.Quote(name) + ":", optional: options != "",
			set: f.Tag.Get("rules") == "set", moment: name == "at" && f.Type == reflect.TypeFor[policy.Moment]()})
		if err := s.add(f.Type); err != nil {
			return err
		}
	}
	slices.SortFunc(fields, func(a, b field) int { return a.key.Value.Compare(b.key.Value) })
	s.fields[t] = fields
	return nil
}

// writer writes a question as text while it makes the value.
type writer struct {
	shapes shapes
	text   []byte
	depth  int
	at     int // where the question's own moment begins
}

func (w *writer) write(v reflect.Value) (*ast.Term, error) {
	switch v.Kind() {
	case reflect.Struct:
		return w.object(v)
	case reflect.Slice:
		return w.list(v, false)
	case reflect.Map:
		return w.table(v)
	case reflect.String:
		if !shaped(v) {
			return nil, errors.New("a day or a moment is not written as one")
		}
		return w.string(v.String())
	case reflect.Bool:
		w.text = strconv.AppendBool(w.text, v.Bool())
		return ast.BooleanTerm(v.Bool()), nil
	case reflect.Int, reflect.Int64:
		return w.number(strconv.FormatInt(v.Int(), 10)), nil
	case reflect.Float64:
		b, err := json.Marshal(v.Float())
		if err != nil {
			return nil, err
		}
		return w.number(string(b)), nil
	default:
		return nil, errors.New("a fact of a kind that rules do not know")
	}
}

func (w *writer) object(v reflect.Value) (*ast.Term, error) {
	fields, ok := w.shapes.fields[v.Type()]
	if !ok {
		return nil, errors.New("a question that nobody knows")
	}
	pairs := make([][2]*ast.Term, 0, len(fields))
	w.text = append(w.text, '{')
	w.depth++
	for i := range fields {
		f := &fields[i]
		x := v.Field(f.index)
		if f.optional && x.Len() == 0 {
			continue
		}
		if len(pairs) > 0 {
			w.text = append(w.text, ',')
		}
		w.text = append(w.text, f.text...)
		if w.depth == 1 && f.moment {
			w.at = len(w.text) + 1
		}
		term, err := w.member(f, x)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, [2]*ast.Term{f.key, term})
	}
	w.depth--
	w.text = append(w.text, '}')
	return ast.ObjectTerm(pairs...), nil
}

func (w *writer) member(f *field, x reflect.Value) (*ast.Term, error) {
	if f.set {
		return w.list(x, true)
	}
	return w.write(x)
}

// asSet makes a set of a list: in the text it stays the list that was asked about.
func asSet(members []*ast.Term) *ast.Term {
	set := ast.NewSetWithCapacity(len(members))
	for _, m := range members {
		set.Add(m)
	}
	return ast.NewTerm(set)
}

// list writes nil as [], as policy.List does. The text of a long list of names comes first, for its value may be known.
func (w *writer) list(v reflect.Value, set bool) (*ast.Term, error) {
	if v.Len() > policy.MaxItems {
		return nil, errTooLong
	}
	kept, from := w.shapes.lists, len(w.text)
	if set {
		kept = w.shapes.sets
	}
	many := v.Len() >= manyMembers && v.Type().Elem().Kind() == reflect.String
	if many && w.names(v) {
		if term := kept.get(w.text[from:]); term != nil {
			return term, nil
		}
	}
	w.text = w.text[:from]
	terms := make([]*ast.Term, v.Len())
	w.text = append(w.text, '[')
	for i := range terms {
		if i > 0 {
			w.text = append(w.text, ',')
		}
		var err error
		if terms[i], err = w.write(v.Index(i)); err != nil {
			return nil, err
		}
	}
	w.text = append(w.text, ']')
	out := ast.ArrayTerm(terms...)
	if set {
		out = asSet(terms)
	}
	if many {
		kept.put(w.text[from:], out)
	}
	return out, nil
}

// names writes a list of plain names and nothing else; false leaves something unfinished behind.
func (w *writer) names(v reflect.Value) bool {
	w.text = append(w.text, '[')
	for i := range v.Len() {
		s := v.Index(i).String()
		if !plain(s) || len(s) > policy.MaxText {
			return false
		}
		if i > 0 {
			w.text = append(w.text, ',')
		}
		w.text = append(append(append(w.text, '"'), s...), '"')
	}
	w.text = append(w.text, ']')
	return true
}

// The maps that questions have.
var (
	numbersByName = reflect.TypeFor[map[string]int]()
	listsByName   = reflect.TypeFor[map[string]policy.List[string]]()
)

// listTable writes lists by name, nil as {}: few have any.
func (w *writer) listTable(v reflect.Value) (*ast.Term, error) {
	m, ok := v.Interface().(map[string]policy.List[string])
	if !ok || len(m) > policy.MaxColumns {
		return nil, errTooLong
	}
	pairs := make([][2]*ast.Term, 0, len(m))
	w.text = append(w.text, '{')
	for i, name := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			w.text = append(w.text, ',')
		}
		key, err := w.string(name)
		if err != nil {
			return nil, err
		}
		w.text = append(w.text, ':')
		of, err := w.list(reflect.ValueOf(m[name]), false)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, [2]*ast.Term{key, of})
	}
	w.text = append(w.text, '}')
	return ast.ObjectTerm(pairs...), nil
}

// table writes numbers by name; a nil table is not valid.
func (w *writer) table(v reflect.Value) (*ast.Term, error) {
	if v.Type() == listsByName {
		return w.listTable(v)
	}
	m, ok := v.Interface().(map[string]int)
	if !ok || m == nil {
		return nil, errors.New("a fact of a kind that rules do not know")
	}
	if len(m) > policy.MaxColumns {
		return nil, errTooLong
	}
	from, names := len(w.text), slices.Sorted(maps.Keys(m))
	w.text = append(w.text, '{')
	for i, name := range names {
		if i > 0 {
			w.text = append(w.text, ',')
		}
		if err := w.quote(name); err != nil {
			return nil, err
		}
		w.text = strconv.AppendInt(append(w.text, ':'), int64(m[name]), 10)
	}
	w.text = append(w.text, '}')
	if term := w.shapes.lists.get(w.text[from:]); term != nil {
		return term, nil
	}
	pairs := make([][2]*ast.Term, len(names))
	for i, name := range names {
		pairs[i] = [2]*ast.Term{ast.StringTerm(name), ast.NumberTerm(json.Number(strconv.Itoa(m[name])))}
	}
	term := ast.ObjectTerm(pairs...)
	if len(names) >= manyMembers {
		w.shapes.lists.put(w.text[from:], term)
	}
	return term, nil
}

func (w *writer) number(s string) *ast.Term {
	w.text = append(w.text, s...)
	return ast.NumberTerm(json.Number(s))
}

func (w *writer) string(s string) (*ast.Term, error) {
	if err := w.quote(s); err != nil {
		return nil, err
	}
	return ast.StringTerm(s), nil
}

// quote leaves all but plain ASCII to encoding/json.
func (w *writer) quote(s string) error {
	if len(s) > policy.MaxText {
		return errTooLong
	}
	if plain(s) {
		w.text = append(append(append(w.text, '"'), s...), '"')
		return nil
	}
	if !utf8.ValidString(s) {
		return errors.New("a text is not UTF-8")
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return err
	}
	w.text = append(w.text, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
	return nil
}

func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
