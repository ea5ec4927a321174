package deid_test

import (
	"strings"
	"testing"
)

// TestGuardiansNumbers: a guardian's number merges no siblings and splits no child, within a source and from one version to the next.
func TestGuardiansNumbers(t *testing.T) {
	t.Parallel()
	const mother, father, own = 70, 71, 72
	row := func(link string, id int, guarded string) string {
		return link + "," + residentID(id) + "," + guarded + ",SECRETX,男,2015-01-01,519901\n"
	}
	stays := func(links ...string) string {
		out := ""
		for i, l := range links {
			out += "K" + l + string(rune('a'+i)) + "," + l + ",h1,2020-01-01,I21.9,1,D1,\n"
		}
		return out
	}
	recipe := edit(t, "  person:\n", "  person:\n   duplicates: {at_most: 20%}\n   columns:\n")
	for name, c := range map[string]struct {
		rows    string
		persons int64 // beside the forty of the city
		stays   string
		each    int // stays of the child P901
	}{
		"siblings on their mother's number":     {row("P900", mother, "0") + row("P901", mother, "1") + row("P902", mother, "1"), 3, stays("P901", "P902"), 1},
		"a mother's number, then a father's":    {row("P901", mother, "1") + row("P901", father, "1"), 1, stays("P901", "P901"), 2},
		"a guardian's number, then an own one":  {row("P901", mother, "1") + row("P901", own, "0"), 1, stays("P901", "P901"), 2},
		"an own number, then a guardian's":      {row("P901", own, "0") + row("P901", mother, "1") + row("P900", mother, "0"), 2, stays("P901", "P901", "P901"), 3},
		"an own number under two of the source": {row("P901", mother, "1") + row("P901", own, "0") + row("P902", own, "0"), 1, stays("P901", "P902"), 2},
	} {
		city := newCity(t)
		f := cityFiles(upTo(40))
		f["person.csv"] += c.rows
		f["encounter.csv"] += c.stays
		_, rep, e := city.must(f, recipe)
		if rep.Persons != 40+c.persons || rep.Present != rep.Persons {
			t.Errorf("%s: %d persons, %d present", name, rep.Persons, rep.Present)
		}
		found := false
		for _, lines := range rowsOf(t, e, "encounter") {
			n := 0
			for _, l := range lines {
				if strings.Contains(l, "|h1|2020-01-01|0-17|I21.9|1.00|") {
					n++
				}
			}
			found = found || n == c.each
			if n > c.each {
				t.Errorf("%s: two persons became one", name)
			}
		}
		if !found {
			t.Errorf("%s: a child's stays are not together", name)
		}
	}
	// From one version to the next: the register knows the child from before she had a number.
	city := newCity(t)
	before, after := cityFiles(upTo(40)), cityFiles(upTo(40))
	before["person.csv"] += row("P901", mother, "1")
	after["person.csv"] += row("P901", own, "0")
	before["encounter.csv"] += stays("P901")
	after["encounter.csv"] += stays("P901")
	_, _, a := city.must(before, recipe)
	_, rep, b := city.must(after, recipe)
	if rep.Persons != 41 || rep.Present != 41 || rep.Unknown != 0 {
		t.Fatalf("%+v", rep)
	}
	x, y := rowsOf(t, a, "person"), rowsOf(t, b, "person")
	for p := range x {
		if len(y[p]) != 1 || x[p][0] != y[p][0] {
			t.Fatal("a person has another number since she has an own document")
		}
	}
	// Two own numbers under one number of the source are still two persons, and a mistake.
	bad := cityFiles(upTo(40))
	bad["person.csv"] += row("P901", mother, "1") + row("P901", own, "0") + row("P901", father, "0")
	if _, _, _, err := newCity(t).build(bad, recipe); err == nil || !strings.Contains(err.Error(), "must name one person") {
		t.Fatal(err)
	}
}

// TestUnder14IsFlagged: rows whose person was under 14 at the event are counted for the report.
func TestUnder14IsFlagged(t *testing.T) {
	t.Parallel()
	flagged := func(on string) int64 {
		c := newCity(t)
		f := cityFiles(nil)
		f["person.csv"] += "P1," + residentID(1) + ",0,SECRETX,男,2006-06-15,519901\n"
		f["encounter.csv"] += "K1,P1,h1," + on + ",I21.9,1,D1,\n"
		_, rep, _ := c.must(f, cityRecipe)
		for _, tr := range rep.Tables {
			for _, col := range tr.Columns {
				if col.Column == "age_band" {
					return col.Under14
				}
			}
		}
		t.Fatal("no age at the event")
		return 0
	}
	for on, want := range map[string]int64{"2020-06-14": 1, "2020-06-15": 0, "2018-01-01": 1} {
		if got := flagged(on); got != want {
			t.Errorf("%s: %d rows under 14, want %d", on, got, want)
		}
	}
}
