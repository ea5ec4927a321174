package deid_test

import (
	"slices"
	"strings"
	"testing"

	"carrel/anonymize/deid"
)

// TestOriginals: before a recipe the sources' own values stand, linked to persons as the build links them, without the cap.
func TestOriginals(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	in, err := c.input(cityFiles(upTo(80)), cityRecipe)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := deid.ReadOriginals(t.Context(), in.Recipe, in.Schema, in.SourceDir, func(table, column string) bool { return column != "total_cost" }, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, rep, e, err := built(t, in, c)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range tables {
		at := slices.IndexFunc(rep.Tables, func(r deid.TableReport) bool { return r.Table == o.Table })
		if at < 0 || int64(len(o.Persons)) != rep.Tables[at].Read {
			t.Fatalf("%s: %d rows, the report says %+v", o.Table, len(o.Persons), rep.Tables[at])
		}
		for _, col := range o.Columns {
			if len(col.Codes) != len(o.Persons) || col.Name == "total_cost" {
				t.Fatalf("%s.%s has %d values of %d rows", o.Table, col.Name, len(col.Codes), len(o.Persons))
			}
		}
	}
	person, stays := tables[slices.IndexFunc(tables, func(o deid.Originals) bool { return o.Table == "person" })], tables[slices.IndexFunc(tables, func(o deid.Originals) bool { return o.Table == "encounter" })]
	births := person.Columns[slices.IndexFunc(person.Columns, func(c deid.OriginalColumn) bool { return c.Name == "birth_year" })]
	different := slices.Compact(slices.Sorted(slices.Values(births.Codes)))
	years := map[string]bool{}
	for _, rows := range rowsOf(t, e, "person") {
		years[strings.Split(rows[0], "|")[2]] = true
	}
	if len(different) <= len(years) {
		t.Fatalf("%d dates of birth before, %d years after: the step was taken", len(different), len(years))
	}
	// The same persons have the same number of stays as in the extract, up to its cap of 3.
	before, after := map[uint32]int{}, []int{}
	for _, p := range stays.Persons {
		before[p]++
	}
	for _, rows := range rowsOf(t, e, "encounter") {
		after = append(after, len(rows))
	}
	capped := []int{}
	for _, n := range before {
		capped = append(capped, min(n, 3))
	}
	slices.Sort(after)
	slices.Sort(capped)
	if !slices.Equal(after, capped) {
		t.Fatalf("stays by person differ: %v, %v", capped, after)
	}
}
