package hierarchy_test

import (
	"testing"

	"carrel/anonymize/kanon/hierarchy"
)

// path is what a value becomes, level by level.
func path(t *testing.T, h *hierarchy.Hierarchy, value string) (out []string) {
	t.Helper()
	c, ok := h.Code([]byte(value))
	if !ok {
		t.Fatalf("%s has no %q", h.Name(), value)
	}
	for l := range h.Levels() {
		out = append(out, h.Label(l, h.Group(l, c)))
	}
	return out
}

func TestKinds(t *testing.T) {
	t.Parallel()
	tree := func(h *hierarchy.Hierarchy, err error) *hierarchy.Hierarchy {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		isTree(t.Fatalf, h)
		return h
	}
	numbers := tree(hierarchy.Numbers("n", -7, 21, true, 5, 10))
	days := tree(hierarchy.Days("d", 0, 800, false))
	regions := tree(hierarchy.Codes("r", []string{"330106", "330108", "330702", "other"}, true))
	diseases := tree(hierarchy.Codes("i", []string{"I63.9", "I64", "J18.9"}, false))
	months := tree(hierarchy.Codes("m", []string{"2024-01", "2024-02", "other"}, false))
	words := tree(hierarchy.Codes("w", []string{"employee", "resident"}, false))
	for _, c := range []struct {
		h     *hierarchy.Hierarchy
		value string
		want  []string
	}{
		{numbers, "-7", []string{"-7", "-10--6", "-10--1", "*"}},
		{numbers, "14", []string{"14", "10-14", "10-19", "*"}},
		{numbers, "", []string{"", "missing", "missing", "*"}},
		{days, "1971-02-01", []string{"1971-02-01", "1971-02", "1971", "*"}},
		{regions, "330106", []string{"330106", "3301**", "33****", "*"}},
		{regions, "other", []string{"other", "other", "other", "*"}},
		{diseases, "I63.9", []string{"I63.9", "I63.", "I", "*"}},
		{months, "2024-02", []string{"2024-02", "2024", "*"}},
		{words, "resident", []string{"resident", "*"}},
	} {
		got := path(t, c.h, c.value)
		if len(got) != len(c.want) {
			t.Errorf("%q: %q", c.value, got)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%q: %q, expected %q", c.value, got, c.want)
				break
			}
		}
	}
	if _, err := hierarchy.Numbers("n", 0, 1<<20, false, 5); err == nil {
		t.Error("a tree of a million numbers")
	}
	if _, err := hierarchy.Days("d", 5, 4, false); err == nil {
		t.Error("a tree of no day")
	}
}
