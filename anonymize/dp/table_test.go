package dp

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// drawTable makes any well-formed answer: parts with keys, trees with levels, or both.
func drawTable(t *rapid.T) Table {
	x := drawPart(t, false)
	for range rapid.IntRange(0, 4).Draw(t, "parts") {
		x.More = append(x.More, drawPart(t, rapid.Bool().Draw(t, "tree")))
	}
	return x
}

func drawPart(t *rapid.T, tree bool) Table {
	groups := rapid.Int64Range(0, 4).Draw(t, "groups")
	x := Table{Version: TableVersion, Selected: rapid.Bool().Draw(t, "selected"), Rows: groups, Keys: [][]int64{}}
	sizes := slices.Repeat([]int64{groups}, rapid.IntRange(1, 3).Draw(t, "mechanisms"))
	if tree {
		x.Leaves = 64
		x.Rows *= x.Leaves
		sizes = []int64{64 * groups, 16 * groups, 4 * groups}
	} else {
		for range rapid.IntRange(0, 2).Draw(t, "keys") {
			x.Keys = append(x.Keys, column(t, groups))
		}
	}
	for _, n := range sizes {
		x.Values = append(x.Values, column(t, n))
		x.Mechanisms = append(x.Mechanisms, Mechanism{Measure: rapid.StringN(1, 5, -1).Draw(t, "measure"), Kind: Laplace, Sensitivity: 1, Rows: 1, Cells: n + 1,
			Epsilon: rapid.Float64Range(0.001, 10).Draw(t, "epsilon")})
	}
	return x
}

func column(t *rapid.T, n int64) []int64 {
	return rapid.SliceOfN(rapid.Int64(), int(n), int(n)).Draw(t, "column")
}

// TestTableIsCanonical: what is encoded comes back the same, in one form, and lists its mechanisms part by part.
func TestTableIsCanonical(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x := drawTable(t)
		b, err := x.Encode()
		if err != nil {
			t.Fatal(err)
		}
		y, err := DecodeTable(b)
		if err != nil || !reflect.DeepEqual(x, y) {
			t.Fatalf("%v\n%+v\n%+v", err, x, y)
		}
		want := slices.Clone(x.Mechanisms)
		for _, m := range x.More {
			want = append(want, m.Mechanisms...)
		}
		if !slices.Equal(y.Sampled(), want) {
			t.Fatal("another list")
		}
		// other forms of the same content are no answers
		var any map[string]json.RawMessage
		if err := json.Unmarshal(b, &any); err != nil {
			t.Fatal(err)
		}
		var sorted bytes.Buffer
		if err := json.Indent(&sorted, b, "", " "); err != nil {
			t.Fatal(err)
		}
		any["leaves"] = json.RawMessage("0")
		named, err := json.Marshal(any)
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range [][]byte{sorted.Bytes(), named, append(slices.Clone(b), ' '), append(slices.Clone(b), b...), b[:len(b)-1]} {
			if _, err := DecodeTable(other); err == nil {
				t.Fatalf("accepted %s", other)
			}
		}
	})
}

// TestTamperedTables: a byte changed, dropped or added is refused or is another answer; never the same one.
func TestTamperedTables(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x := drawTable(t)
		b, err := x.Encode()
		if err != nil {
			t.Fatal(err)
		}
		at := rapid.IntRange(0, len(b)-1).Draw(t, "at")
		bad := slices.Clone(b)
		switch rapid.IntRange(0, 2).Draw(t, "how") {
		case 0:
			bad[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		case 1:
			bad = slices.Delete(bad, at, at+1)
		default:
			bad = slices.Insert(bad, at, rapid.Byte().Draw(t, "byte"))
		}
		if bytes.Equal(bad, b) { // a digit doubled
			return
		}
		if y, err := DecodeTable(bad); err == nil && reflect.DeepEqual(x, y) {
			t.Fatalf("%s\nis taken for\n%s", bad, b)
		}
	})
}

// TestMalformedTables: lengths that do not fit are no answer, in the first part and in others.
func TestMalformedTables(t *testing.T) {
	t.Parallel()
	m := Mechanism{Measure: "count(*)", Kind: Laplace, Sensitivity: 1, Rows: 1, Cells: 9, Epsilon: 1}
	part := func() Table {
		return Table{Version: TableVersion, Rows: 2, Keys: [][]int64{{0, 1}}, Values: [][]int64{{5, 6}}, Mechanisms: []Mechanism{m}}
	}
	tree := func() Table {
		return Table{Version: TableVersion, Rows: 8, Leaves: 4, Keys: [][]int64{}, Values: [][]int64{make([]int64, 8), make([]int64, 2)}, Mechanisms: []Mechanism{m, m}}
	}
	whole := func(first, second Table) Table { first.More = []Table{second}; return first }
	if _, err := whole(part(), tree()).Encode(); err != nil {
		t.Fatal(err)
	}
	for what, f := range map[string]func(x *Table){
		"version":         func(x *Table) { x.Version = 2 },
		"negative":        func(x *Table) { x.Rows = -1 },
		"no keys":         func(x *Table) { x.Keys = nil },
		"a short key":     func(x *Table) { x.Keys[0] = []int64{0} },
		"a nil key":       func(x *Table) { x.Rows, x.Keys[0], x.Values[0] = 0, nil, []int64{} },
		"no values":       func(x *Table) { x.Values, x.Mechanisms = nil, nil },
		"a short value":   func(x *Table) { x.Values[0] = []int64{5} },
		"a nil value":     func(x *Table) { x.Rows, x.Keys[0], x.Values[0] = 0, []int64{}, nil },
		"no mechanism":    func(x *Table) { x.Mechanisms = nil },
		"leaves and keys": func(x *Table) { x.Leaves = 2 },
		"negative leaves": func(x *Table) { x.Leaves = -1 },
	} {
		first, second := part(), part()
		f(&first)
		if _, err := first.Encode(); err == nil {
			t.Errorf("%s: accepted", what)
		}
		f(&second)
		if _, err := whole(part(), second).Encode(); err == nil {
			t.Errorf("%s in the second part: accepted", what)
		}
	}
	for what, f := range map[string]func(x *Table){
		"rows that are no groups": func(x *Table) { x.Rows = 7; x.Values[0] = x.Values[0][:7] },
		"more nodes than leaves":  func(x *Table) { x.Values[1] = make([]int64, 16) },
		"nodes that do not fit":   func(x *Table) { x.Values[1] = make([]int64, 3) },
		"no nodes":                func(x *Table) { x.Values[1] = []int64{} },
		"parts of its own":        func(x *Table) { x.More = []Table{part()} },
	} {
		x := tree()
		f(&x)
		if _, err := whole(part(), x).Encode(); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
	if _, err := tree().Encode(); err == nil {
		t.Error("a tree without groups: accepted")
	}
	many := part()
	many.More = slices.Repeat([]Table{part()}, maxParts+1)
	if _, err := many.Encode(); err == nil {
		t.Error("too many parts: accepted")
	}
}
