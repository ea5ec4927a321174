package main

import (
	"slices"
	"testing"

	"carrel/broker/application"
)

// A reviewer with forty applications reads from the top: what is due first, what is never due last, else as it came.
func TestSoonestFirst(t *testing.T) {
	t.Parallel()
	items := []application.Item{{ID: "a"}, {ID: "b", Due: "2026-12-01"}, {ID: "c", Due: "2026-11-30"}, {ID: "d"}, {ID: "e", Due: "2026-11-30"}}
	soonestFirst(items)
	var got []string
	for _, i := range items {
		got = append(got, i.ID)
	}
	if want := []string{"c", "e", "b", "a", "d"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
