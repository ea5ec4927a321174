package deid

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// leaf is a value of a record with the way to it: names, and the number of the element where a name has a list, else -1.
type leaf struct {
	names []string
	at    []int
	text  string
}

// leavesOf lists all values of a record. It knows records from encoding/json, the reader from another library.
func leavesOf(v any, names []string, at []int) []leaf {
	switch v := v.(type) {
	case map[string]any:
		var out []leaf
		for k, below := range v {
			out = append(out, leavesOf(below, append(slices.Clone(names), k), append(slices.Clone(at), -1))...)
		}
		return out
	case []any:
		var out []leaf
		for i, e := range v {
			deeper := slices.Clone(at)
			deeper[len(deeper)-1] = i
			out = append(out, leavesOf(e, names, deeper)...)
		}
		return out
	case nil:
		return nil
	default:
		return []leaf{{names, at, fmt.Sprint(v)}}
	}
}

// elements are the ways to the elements of a list, or the value where there is no list.
func elements(v any, names []string) [][]int {
	if len(names) == 0 {
		return [][]int{nil}
	}
	m, is := v.(map[string]any)
	if !is || m[names[0]] == nil {
		return nil
	}
	var out [][]int
	list, many := m[names[0]].([]any)
	if !many {
		for _, rest := range elements(m[names[0]], names[1:]) {
			out = append(out, append([]int{-1}, rest...))
		}
	}
	for i, e := range list {
		if e == nil {
			continue
		}
		for _, rest := range elements(e, names[1:]) {
			out = append(out, append([]int{i}, rest...))
		}
	}
	return out
}

// expected are the rows of a record, computed from its leaves; several says that a value is not one.
func expected(record any, each string, columns []string) (rows [][]string, several bool) {
	var way []string
	if each != "" {
		way = strings.Split(each, ".")
	}
	leaves := leavesOf(record, nil, nil)
	for _, element := range elements(record, way) {
		row := make([]string, len(columns))
		for c, column := range columns {
			name, choice, chosen := strings.Cut(column, "[")
			names := strings.Split(name, ".")
			for _, l := range leaves {
				if !slices.Equal(l.names, names) {
					continue
				}
				if at := l.at[len(names)-1]; chosen && at != int(choice[0]-'0') && (choice[0] != '0' || at != -1) {
					continue
				}
				shared := 0
				for shared < min(len(way), len(names)) && way[shared] == names[shared] && (!chosen || shared < len(names)-1) {
					shared++
				}
				if !slices.Equal(l.at[:shared], element[:shared]) {
					continue
				}
				several = several || row[c] != "" && row[c] != l.text
				row[c] = l.text
			}
		}
		rows = append(rows, row)
	}
	return rows, several
}

// readRows reads documents as a build does.
func readRows(t interface{ Fatal(...any) }, dir, text, each string, columns []string) ([][]string, error) {
	path := filepath.Join(dir, "docs.ndjson")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	docs, err := OpenDocuments(path)
	if err != nil {
		return nil, err
	}
	defer docs.Close() //nolint:errcheck // read only
	r, err := newDocReader(docs, &tableSpec{each: each, restDrop: true}, columns)
	if err != nil {
		return nil, err
	}
	var out [][]string
	for b := new(records); ; {
		if err := r.next(b); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return out, err
		}
		if out == nil {
			for i := range columns {
				r.need(append(r.needed, i))
			}
			out = [][]string{}
			continue
		}
		for row := range b.rows {
			var cells []string
			for c := range columns {
				cells = append(cells, string(b.field(row, c)))
			}
			out = append(out, cells)
		}
	}
}

func someValue(t *rapid.T, depth int) any {
	kind := rapid.IntRange(0, 5).Draw(t, "kind")
	switch {
	case kind == 0 && depth < 4, kind == 1 && depth < 4:
		m := map[string]any{}
		for _, k := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), rapid.ID[string]).Draw(t, "keys") {
			m[k] = someValue(t, depth+1)
		}
		return m
	case kind == 2 && depth < 4:
		out := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "elements") {
			if e := someValue(t, depth+1); e == nil || fmt.Sprintf("%T", e) != "[]interface {}" { // lists of lists are no lists of FHIR
				out = append(out, e)
			}
		}
		return out
	case kind == 3:
		return nil
	default:
		return rapid.SampledFrom([]string{"x", "y", "7", "é\n\""}).Draw(t, "text")
	}
}

// Rows of documents are what their values and the ways to them say, whatever the nesting: an element's values stay with it, the record's go to all.
func TestRowsOfDocuments(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		text, several := "", false
		var want [][]string
		paths := rapid.SampledFrom([]string{"a", "b", "c", "a.a", "a.b", "b.a", "a.b.c", "b.c", "a[0]", "a.b[1]", "b[2]"})
		columns := rapid.SliceOfNDistinct(paths, 1, 4, rapid.ID[string]).Draw(t, "columns")
		each := rapid.SampledFrom([]string{"", "a", "b", "a.b", "a.b.c"}).Draw(t, "each")
		for range rapid.IntRange(1, 4).Draw(t, "records") {
			m := map[string]any{}
			for _, k := range []string{"a", "b", "c"} {
				m[k] = someValue(t, 1)
			}
			for _, c := range columns { // a path that ends above its values is refused; so are several values
				for _, l := range leavesOf(m, nil, nil) {
					name, _, _ := strings.Cut(c, "[")
					if at := strings.Split(name, "."); len(l.names) > len(at) && slices.Equal(l.names[:len(at)], at) {
						return
					}
				}
			}
			raw, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			text += string(raw) + "\n"
			rows, more := expected(m, each, columns)
			want, several = append(want, rows...), several || more
		}
		got, err := readRows(t, dir, text, each, columns)
		if members := err != nil && strings.Contains(err.Error(), "members of its own"); members {
			return // an object without values stands there
		}
		if refused := err != nil && strings.Contains(err.Error(), "several values"); refused != several || err != nil && !refused {
			t.Fatalf("%v; several values: %v in\n%s", err, several, text)
		}
		if err == nil && !slices.EqualFunc(got, want, slices.Equal[[]string]) {
			t.Fatalf("each %q of %q:\n%q, expected\n%q in\n%s", each, columns, got, want, text)
		}
	})
}

// Whatever bytes come, reading ends in rows or in one sentence without what stands there, twice the same.
func FuzzDocuments(f *testing.F) {
	for _, s := range []string{`{"a":[{"b":1},{"b":2}],"c":"x"}` + "\n", `[{"a":1},{"a":2}]`, `{"resourceType":"Bundle","entry":[{"fullUrl":"urn:x","resource":{"resourceType":"Patient","id":"1"}}]}`, "{\"a\":\n1}", "[[1]", `{"a":1}{"a":2}`, "\xef\xbb\xbf{}"} {
		f.Add(s, "a.b", "a")
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text, column, each string) {
		rows, err := readRows(t, dir, text, each, []string{column, "c"})
		again, err2 := readRows(t, dir, text, each, []string{column, "c"})
		if (err == nil) != (err2 == nil) || !slices.EqualFunc(rows, again, slices.Equal[[]string]) {
			t.Fatal("read twice, and not the same")
		}
		if e := (*SourceError)(nil); err != nil && !errors.As(err, &e) {
			t.Fatalf("an error of another kind: %v", err)
		}
		for _, r := range rows {
			for _, v := range r {
				if !json.Valid([]byte(text)) && !strings.Contains(text, "\n") && err == nil && len(v) > len(text) {
					t.Fatal("a value longer than the file")
				}
			}
		}
	})
}
