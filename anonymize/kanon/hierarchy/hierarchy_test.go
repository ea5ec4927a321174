package hierarchy_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/kanon/hierarchy"
)

func TestParse(t *testing.T) {
	t.Parallel()
	h, err := hierarchy.Parse("age.csv", strings.NewReader("\ufeff 30 ; 30-39;*\r\n\"4\"\"0\";40-49;*\n\n41;40-49;*\n"))
	if err != nil {
		t.Fatal(err)
	}
	if h.Leaves() != 3 || h.Levels() != 3 || h.Groups(1) != 2 || h.Groups(2) != 1 || h.Covers(1, 1) != 2 || h.Label(1, 0) != "30-39" {
		t.Fatalf("%d leaves, %d levels, groups %d %d", h.Leaves(), h.Levels(), h.Groups(1), h.Groups(2))
	}
	if c, ok := h.Code([]byte(`4"0`)); !ok || h.Group(1, c) != 1 || h.Group(2, c) != 0 {
		t.Fatal("a quoted value is not found")
	}
	if h.Check(2) != nil || h.Check(3) == nil || h.Check(-1) == nil {
		t.Fatal("levels 0 to 2 exist, others do not")
	}
}

func TestLastLevelIsOne(t *testing.T) {
	t.Parallel()
	h, err := hierarchy.New("x", [][]string{{"a", "A"}, {"b", "B"}})
	if err != nil || h.Levels() != 3 || h.Groups(2) != 1 || h.Label(2, 0) != hierarchy.Suppressed || h.Covers(2, 0) != 2 {
		t.Fatalf("%v", err)
	}
}

// TestMistakes: each is one sentence with its place, and without a value.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text, want string
		line, col  int
	}{
		"empty":          {"\n\n", "empty", 0, 0},
		"ragged":         {"secret1;x;*\nsecret2;*\n", "has 2 levels, the first has 3", 2, 0},
		"no entry":       {"secret1;x;*\nsecret2;;*\n", "no entry at level 1", 2, 2},
		"twice":          {"secret1;x;*\n\nsecret1;x;*\n", "line 1 already", 3, 1},
		"two parents":    {"secret1;x;y;*\nsecret2;x;z;*\n", "not a tree", 2, 3},
		"cyclic in one":  {"secret1;x;secret1\n", "cyclic", 1, 3},
		"cyclic in two":  {"secret1;secret2;*\nsecret2;secret1;*\n", "cyclic", 2, 2},
		"quote open":     {"a;*\n\"secret;*\n", "broken quotes", 2, 1},
		"text at quote":  {"a;*\nb;\"secret\"x\n", "broken quotes", 2, 2},
		"not UTF-8":      {"a;*\nsecret\xff;*\n", "UTF-8", 2, 0},
		"long line":      {"a;*\n" + strings.Repeat("secret", 20000), "longer", 2, 0},
		"too many level": {strings.Repeat("secret;", 80) + "*", "levels", 1, 0},
	} {
		_, err := hierarchy.Parse("h.csv", strings.NewReader(c.text))
		var e *hierarchy.Error
		if !errors.As(err, &e) || e.Line != c.line || e.Column != c.col || !strings.Contains(e.Text, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error shows a value: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"a leaf named like a group":         "Other;Other;*\nx;Other;*\n",
		"a label again at a higher level":   "x;Other;y\nOther;z;y\n",
		"a value that stays what it is":     "a;a;*\nb;b;*\n",
		"one value, one level":              "a\n",
		"a label of two levels, no circle ": "a;b;c;*\nc;c;c;*\n",
	} {
		if _, err := hierarchy.Parse("h.csv", strings.NewReader(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestParsedIsATree: whatever parses is a tree with one root whose covers add up.
func FuzzParse(f *testing.F) {
	f.Add("a;b;*\nc;b;*\n")
	f.Add("a;\"b\"\"\";*\n")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := hierarchy.Parse("f", strings.NewReader(text))
		if err != nil {
			return
		}
		isTree(t.Fatalf, h)
	})
}

func TestTreesProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "leaves")
		rows := make([][]string, n)
		for i := range rows {
			rows[i] = []string{string(rune('a' + i)), string(rune('A' + i/rapid.IntRange(1, 3).Draw(t, "width")))}
		}
		if h, err := hierarchy.New("p", rows); err == nil {
			isTree(t.Fatalf, h)
		}
	})
}

func isTree(fail func(string, ...any), h *hierarchy.Hierarchy) {
	if h.Groups(h.Levels()-1) != 1 {
		fail("the last level has %d values", h.Groups(h.Levels()-1))
	}
	for l := range h.Levels() {
		covers := make([]uint32, h.Groups(l))
		parent := map[uint32]uint32{}
		for leaf := range uint32(h.Leaves()) {
			g := h.Group(l, leaf)
			covers[g]++
			if l+1 < h.Levels() {
				p, seen := parent[g]
				if seen && p != h.Group(l+1, leaf) {
					fail("a value of level %d has two parents", l)
				}
				parent[g] = h.Group(l+1, leaf)
			}
		}
		for g, n := range covers {
			if n != h.Covers(l, uint32(g)) {
				fail("a value covers %d leaves, it says %d", n, h.Covers(l, uint32(g)))
			}
		}
	}
}
