package opa

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"carrel/policy"

	"github.com/open-policy-agent/opa/v1/ast"
	"pgregory.net/rapid"
)

// long writes a question the long way, by encoding/json there and back: what newInput promises to equal.
func long(t rapid.TB, q policy.Question) ([]byte, ast.Value) {
	t.Helper()
	raw, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := decodeNumbers(raw, &doc); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(doc); err != nil {
		t.Fatal(err)
	}
	value, err := ast.InterfaceToValue(doc)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), value
}

// TestInputIsTheQuestion fills questions of every type at random and compares text and value with the long way. Recorded
// hashes of questions stay what they were.
func TestInputIsTheQuestion(t *testing.T) {
	t.Parallel()
	s := decider(t).shapes
	for _, fields := range s.fields {
		for i := range fields {
			fields[i].set = false // JSON has none; see TestSetsHoldTheList
		}
	}
	texts := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~]{0,8}`), rapid.SampledFrom([]string{"", "<&>", "\u2028", "\x7f", "\x00", "张", "\\\"", "2026-11-21"}))
	rapid.Check(t, func(t *rapid.T) {
		v := reflect.New(reflect.TypeOf(rapid.SampledFrom(questions()).Draw(t, "type"))).Elem()
		fill(t, v, texts)
		text, value := long(t, v.Interface().(policy.Question))
		for range 2 { // a long list is looked up when it comes again
			w := writer{shapes: s}
			term, err := w.write(v)
			if err != nil {
				t.Skip(err) // TestNothingElseReachesTheRules says when
			}
			if !bytes.Equal(w.text, text) {
				t.Fatalf("%s\nthe long way:\n%s", w.text, text)
			}
			if term.Value.Compare(value) != 0 || term.Value.Hash() != value.Hash() {
				t.Fatalf("%v\nthe long way:\n%v", term.Value, value)
			}
		}
	})
}

func fill(t *rapid.T, v reflect.Value, texts *rapid.Generator[string]) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), texts)
		}
	case reflect.Slice:
		if n := rapid.SampledFrom([]int{-1, 0, 1, 2, manyMembers + 1}).Draw(t, "length"); n >= 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fill(t, v.Index(i), texts)
			}
		}
	case reflect.Map:
		if v.Type() == listsByName {
			lists := map[string]policy.List[string]{}
			for _, name := range rapid.SliceOfN(texts, 0, 3).Draw(t, "names") {
				lists[name] = rapid.SliceOfN(texts, 0, 2).Draw(t, "list")
			}
			v.Set(reflect.ValueOf(lists))
			return
		}
		v.Set(reflect.ValueOf(rapid.MapOfN(texts, rapid.Int(), 0, 3).Draw(t, "map")))
	case reflect.String:
		if l := layout(v.Type()); l != "" && rapid.IntRange(0, 50).Draw(t, "honest") > 0 {
			v.SetString(rapid.SampledFrom([]string{"", l}).Draw(t, "day"))
			return
		}
		v.SetString(texts.Draw(t, "text"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, "whole"))
	case reflect.Float64:
		v.SetFloat(rapid.Float64().Draw(t, "number"))
	default:
		t.Fatalf("a fact of kind %v", v.Kind())
	}
}

type withEmbedded struct{ otherQuestion }

type withPointer struct {
	Who *string `json:"who"`
}

func (withPointer) Decision() string { return "x" }
func (withPointer) Valid() error     { return nil }

type withOption struct {
	N int `json:"n,omitempty"`
}

func (withOption) Decision() string { return "x" }
func (withOption) Valid() error     { return nil }

// TestQuestionsOfAnotherMakeAreErrors: what the walk does not know it refuses, rather than leave it out of what is hashed.
func TestQuestionsOfAnotherMakeAreErrors(t *testing.T) {
	t.Parallel()
	for _, q := range []policy.Question{withEmbedded{}, withPointer{}, withOption{}} {
		if _, err := newShapes(q); err == nil {
			t.Errorf("%T has a shape", q)
		}
	}
	s := decider(t).shapes
	q := queryQuestion()
	q.Grant.ID = "\xff"
	for _, q := range []policy.Question{&q, q, otherQuestion{"carrel.query.decision"}} {
		if _, err := s.newInput(q); !errors.Is(err, policy.ErrQuestion) {
			t.Errorf("%T: %v", q, err)
		}
	}
	w := writer{shapes: s}
	if _, err := w.write(reflect.ValueOf("\xff")); err == nil {
		t.Error("a text that is not UTF-8 was written")
	}
}

// TestSetsHoldTheList: what rules see as a set has the members of the list, and the rules answer alike to both.
func TestSetsHoldTheList(t *testing.T) {
	t.Parallel()
	d := decider(t, WithMemory(0))
	sets := 0
	for _, tb := range tables(t) {
		for _, c := range tb.Cases {
			q := tb.question(t, c.Set)
			in, err := d.shapes.newInput(q)
			if err != nil {
				t.Fatal(err)
			}
			list := in
			_, list.value = long(t, q)
			if in.value.Compare(list.value) == 0 {
				continue
			}
			sets++
			got, err := d.decide(t.Context(), q.Decision(), in)
			want, errList := d.decide(t.Context(), q.Decision(), list)
			if err != nil || errList != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: with sets %+v, with lists %+v, %v, %v", c.Name, got, want, err, errList)
			}
		}
	}
	if sets < 50 {
		t.Errorf("only %d questions with a set", sets)
	}
}

// TestLongListsAreKeptApart: a set is not a list of the same text, what comes again is looked up, and what is kept is bounded.
func TestLongListsAreKeptApart(t *testing.T) {
	t.Parallel()
	s := decider(t).shapes
	names := make(policy.List[string], manyMembers)
	for i := range names {
		names[i] = string(rune('a' + i))
	}
	write := func(set bool) *ast.Term {
		w := writer{shapes: s}
		term, err := w.list(reflect.ValueOf(names), set)
		if err != nil {
			t.Fatal(err)
		}
		return term
	}
	list, set := write(false), write(true)
	if _, ok := list.Value.(*ast.Array); !ok || write(false) != list {
		t.Errorf("%T, or not looked up", list.Value)
	}
	if _, ok := set.Value.(ast.Set); !ok || write(true) != set {
		t.Errorf("%T, or not looked up", set.Value)
	}
	for i := range 3 * keptTexts / maxText {
		s.sets.put(bytes.Repeat([]byte{byte(i)}, maxText), set)
	}
	s.sets.put(bytes.Repeat([]byte("x"), maxText+1), set)
	held := 0
	for _, half := range []map[string]*ast.Term{s.sets.young, s.sets.old} {
		for text := range half {
			held += len(text)
		}
	}
	if held > keptTexts || held < keptTexts/4 || s.sets.get(bytes.Repeat([]byte("x"), maxText+1)) != nil {
		t.Errorf("%d bytes of text are kept", held)
	}
}
