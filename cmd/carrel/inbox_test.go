package main

import (
	"fmt"
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

// An inbox of many pages is read to its end: the oldest application, which is due first, is on the last of them.
func TestInboxOfManyPages(t *testing.T) {
	t.Parallel()
	var stored []application.Item
	for i := range 2*pageOf + 7 {
		stored = append(stored, application.Item{ID: fmt.Sprintf("ap-%04d", i), Due: "2026-12-01"})
	}
	stored[len(stored)-1].Due = "2026-11-01"
	got, err := everyPage("", func(after, limit string) ([]application.Item, error) {
		from := slices.IndexFunc(stored, func(x application.Item) bool { return x.ID == after }) + 1
		if limit != fmt.Sprint(pageOf) {
			t.Errorf("a page of %s", limit)
		}
		return stored[from:min(from+pageOf, len(stored))], nil
	})
	soonestFirst(got)
	if err != nil || len(got) != len(stored) || got[0].ID != stored[len(stored)-1].ID {
		t.Errorf("%d of %d, first %s, %v", len(got), len(stored), got[0].ID, err)
	}
}
