package bind

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// library reads a document as decodeTree has to.
func library(doc []byte) (map[string]any, bool) {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var root map[string]any
	if d.Decode(&root) != nil || root == nil {
		return nil, false
	}
	_, err := d.Token()
	return root, err == io.EOF
}

// marked puts the positions at the objects in a second pass, by their definition.
func marked(v any) (any, int) {
	first := -1
	switch x := v.(type) {
	case map[string]any:
		own := offset(x[locationField])
		for name, c := range x {
			if name == locationField {
				if _, nested := c.(json.Number); nested {
					continue
				}
			}
			w, at := marked(c)
			x[name], first = w, earlier(first, at)
		}
		first = earlier(first, own)
		if _, there := x[locationField]; there || first >= 0 {
			x[locationField] = spot{own: own, first: first}
		}
	case []any:
		for i, c := range x {
			w, at := marked(c)
			x[i], first = w, earlier(first, at)
		}
	}
	return v, first
}

func checkTree(t interface{ Fatalf(string, ...any) }, doc []byte) {
	got, err := decodeTree(doc)
	want, ok := library(doc)
	if (err == nil) != ok {
		t.Fatalf("%q: error %v, the library accepts it: %v", doc, err, ok)
	}
	if !ok {
		return
	}
	if root, _ := marked(want); !reflect.DeepEqual(any(got), root) {
		t.Fatalf("%q: %v, want %v", doc, got, root)
	}
}

func TestDecodeTree(t *testing.T) {
	t.Parallel()
	for _, doc := range []string{
		``, `{`, `{}`, ` {} `, `{}{}`, `{} x`, `[]`, `null`, `1`, `{"a":}`, `{"a":1,}`, `{,}`, `{"a" 1}`, `{"a":1 "b":2}`, `{a:1}`, `{"a":[1,]}`, `{"a":[,1]}`, `{"a":[1 2]}`,
		`{"a":01}`, `{"a":-}`, `{"a":-0}`, `{"a":1.}`, `{"a":.5}`, `{"a":1.50e+07}`, `{"a":1e}`, `{"a":+1}`, `{"a":0x1}`, `{"a":--1}`,
		`{"a":"\u00e9\n\\\"\/"}`, `{"a":"\q"}`, `{"a":"\u12"}`, `{"a":"` + "\n" + `"}`, `{"a":"open`, `{"a":"\`, `{"a":tru}`, `{"a":nullx}`, `{"a":[true,false,null]}`,
		`{"query_location":7,"a":{"query_location":18446744073709551615,"b":[{"query_location":3}]}}`, `{"query_location":-1}`, `{"query_location":"7","a":[[{"query_location":9}]]}`,
		`{"a":[{"b":{}},{"query_location":5},{"query_location":4}]}`, `{"a":1,"a":{"b":2}}`, `{"":""}`,
		`{"a":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`,
	} {
		checkTree(t, []byte(doc))
	}
	if _, err := decodeTree([]byte(`{"a":` + strings.Repeat("[", 1<<20))); err == nil {
		t.Fatal("a document without an end")
	}
	if _, err := decodeTree([]byte("{\"a\":\"\xff\"}")); err == nil {
		t.Fatal("bytes that are no text")
	}
}

// TestDecodeTreeAsTheLibrary: whatever a document holds, the tree is the one that encoding/json reads.
func TestDecodeTreeAsTheLibrary(t *testing.T) {
	t.Parallel()
	var node func(depth int) *rapid.Generator[any]
	node = func(depth int) *rapid.Generator[any] {
		flat := []*rapid.Generator[any]{
			rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Int64().AsAny(), rapid.Float64Range(-1e9, 1e9).AsAny(), rapid.String().AsAny(),
		}
		if depth > 0 {
			names := rapid.SampledFrom([]string{"a", "b", "class", locationField, "ü\"\\"})
			flat = append(flat, rapid.SliceOfN(node(depth-1), 0, 4).AsAny(), rapid.MapOfN(names, node(depth-1), 0, 5).AsAny())
		}
		return rapid.OneOf(flat...)
	}
	rapid.Check(t, func(t *rapid.T) {
		v := map[string]any{"x": node(4).Draw(t, "tree"), locationField: rapid.IntRange(-1, 9).Draw(t, "at")}
		doc, err := json.MarshalIndent(v, "", rapid.SampledFrom([]string{"", " ", "\t"}).Draw(t, "indent"))
		if err != nil {
			t.Fatal(err)
		}
		checkTree(t, doc)
		if cut := rapid.IntRange(0, len(doc)-1).Draw(t, "cut"); len(doc) > 1 {
			checkTree(t, doc[:cut])
		}
	})
}

// FuzzDecodeTree: as the library, byte for byte.
func FuzzDecodeTree(f *testing.F) {
	f.Add([]byte(`{"error":false,"statements":[{"query_location":12,"v":[1.5e3,"\u00e9",null]}]}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		if bytes.ContainsRune(doc, '\uFFFD') || bytes.Contains(doc, []byte(`\u`)) {
			t.Skip("the library replaces what is no text; here it is refused")
		}
		if _, err := decodeTree(doc); err != nil && !bytes.Equal(bytes.ToValidUTF8(doc, nil), doc) {
			return
		}
		checkTree(t, doc)
	})
}
