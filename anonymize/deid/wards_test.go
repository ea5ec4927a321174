package deid_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
)

// wardOf names a child by her guardian's document and her day of birth.
func wardOf(t *testing.T, c *city, guardian int, born string) deid.Ward {
	t.Helper()
	ref, err := deid.Refer(c.keys, "city-unit", residentID(guardian), false)
	if err != nil {
		t.Fatal(err)
	}
	return deid.Ward{Guardian: ref, Born: born}
}

func wardsOf(t *testing.T, c *city, e *extract.Extract, w deid.Ward) []uint32 {
	t.Helper()
	found, err := deid.Wards(c.keys, filepath.Join(c.dir, "persons.register"), e.Manifest(), []deid.Ward{w})
	if err != nil {
		t.Fatal(err)
	}
	return found[w]
}

func childRecipe(t *testing.T) string {
	t.Helper()
	return edit(t, "  person:\n", "  person:\n   duplicates: {at_most: 90%}\n   columns:\n")
}

// childRow is a line of the table of persons; a stay with a cost of its own says whose number is whose.
func childRow(link string, id int, guarded, born string) string {
	return link + "," + residentID(id) + "," + guarded + ",SECRETX,男," + born + ",519901\n"
}

func childStay(link string, mark int) string {
	return fmt.Sprintf("K%s%d,%s,h1,2020-01-01,I21.9,%d,D1,\n", link, mark, link, mark)
}

// stayers are the numbers of persons by the cost of their stays.
func stayers(t *testing.T, e *extract.Extract) map[int]uint32 {
	t.Helper()
	out := map[int]uint32{}
	for number, lines := range rowsOf(t, e, "encounter") {
		for _, l := range lines {
			for mark := 7001; mark < 7020; mark++ {
				if strings.Contains(l, fmt.Sprintf("|%d.00|", mark)) {
					out[mark] = uint32(number)
				}
			}
		}
	}
	return out
}

// Guard: a guardian's number and a day of birth find exactly the children who ever stood under them: siblings apart, twins together, and one who has
// a number of her own later still; and a build that leaves a child out leaves out her and nobody else.
func TestWardsAreFound(t *testing.T) {
	t.Parallel()
	recipe := childRecipe(t)
	type child struct {
		guardians []int
		born      string
		own       bool // in the second version
	}
	rapid.Check(t, func(rt *rapid.T) {
		days := []string{"2015-01-01", "2015-01-02", "2018-06-30"}
		var children []child
		for range rapid.IntRange(1, 4).Draw(rt, "children") {
			children = append(children, child{rapid.SliceOfNDistinct(rapid.SampledFrom([]int{170, 171, 172}), 1, 2, rapid.ID[int]).Draw(rt, "guardians"),
				rapid.SampledFrom(days).Draw(rt, "born"), rapid.Bool().Draw(rt, "own")})
		}
		first, second := cityFiles(upTo(40)), cityFiles(upTo(40))
		for i, c := range children {
			link := fmt.Sprintf("P9%02d", i)
			for n, g := range c.guardians {
				if n == 0 {
					first["person.csv"] += childRow(link, g, "1", c.born)
				}
				if !c.own {
					second["person.csv"] += childRow(link, g, "1", c.born)
				}
			}
			if c.own {
				second["person.csv"] += childRow(link, 180+i, "0", c.born)
			}
			first["encounter.csv"] += childStay(link, 7001+i)
			second["encounter.csv"] += childStay(link, 7001+i)
		}
		c := newCity(t)
		_, _, a := c.must(first, recipe)
		_, _, b := c.must(second, recipe)
		for version, e := range []*extract.Extract{a, b} {
			marks := stayers(t, e)
			for _, g := range []int{170, 171, 172} {
				for _, day := range days {
					var want []uint32
					for i, x := range children {
						known := x.guardians[0] == g || version == 1 && !x.own && slices.Contains(x.guardians, g)
						if known && x.born == day {
							want = append(want, marks[7001+i])
						}
					}
					slices.Sort(want)
					if got := wardsOf(t, c, e, wardOf(t, c, g, day)); !slices.Equal(got, want) {
						rt.Fatalf("version %d: guardian %d, born %s: found %d, want %d", version, g, day, len(got), len(want))
					}
				}
			}
		}
		w := wardOf(t, c, children[0].guardians[0], children[0].born)
		gone := wardsOf(t, c, b, w)
		in, err := c.input(second, recipe)
		if err != nil {
			rt.Fatal(err)
		}
		in.OutWards, in.OutVersion = []deid.Ward{w}, "city@1.0"
		_, rep, err := deid.Build(context.Background(), in)
		if err != nil || rep.Excluded != int64(len(gone)) {
			rt.Fatalf("%d left out, want %d: %v", rep.Excluded, len(gone), err)
		}
		without, err := extract.Open(context.Background(), in.OutDir, c.seal)
		if err != nil {
			rt.Fatal(err)
		}
		left := stayers(t, without)
		for mark, n := range stayers(t, b) {
			if _, stays := left[mark]; stays == slices.Contains(gone, n) {
				rt.Fatalf("the wrong children were left out")
			}
		}
	})
}

// Guard: an extract of before there were indexes, an index that is not there or was changed, and a day that is none say so; nobody is taken
// for not being there.
func TestWardsFailClosed(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	f := cityFiles(upTo(40))
	f["person.csv"] += childRow("P901", 170, "1", "2015-01-01")
	m, _, e := c.must(f, childRecipe(t))
	register := filepath.Join(c.dir, "persons.register")
	w := wardOf(t, c, 170, "2015-01-01")
	if len(wardsOf(t, c, e, w)) != 1 || len(wardsOf(t, c, e, wardOf(t, c, 171, "2015-01-01"))) != 0 {
		t.Fatal("the index does not tell children from others")
	}
	ask := func(m extract.Manifest, w deid.Ward) error {
		_, err := deid.Wards(c.keys, register, m, []deid.Ward{w})
		return err
	}
	old := *m
	old.Numbering.Wards = ""
	if err := ask(old, w); !errors.Is(err, deid.ErrWards) {
		t.Error(err)
	}
	if err := ask(*m, deid.Ward{Guardian: w.Guardian, Born: "2015"}); !errors.Is(err, deid.ErrBorn) {
		t.Error(err)
	}
	path := deid.WardsFile(register, *m)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[40]++
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := ask(*m, w); err == nil {
		t.Error("a changed index was read")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := ask(*m, w); !errors.Is(err, deid.ErrWards) {
		t.Error(err)
	}
	none := *m
	none.Numbering.Wards = deid.NoWards
	if err := ask(none, w); err != nil {
		t.Error(err)
	}
}

// Guard: where the sources do not say when a child was born, every day fits: she is left out rather than not found.
func TestWardWithoutADay(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	f := cityFiles(upTo(40))
	f["person.csv"] += childRow("P901", 170, "1", "") + childRow("P902", 170, "1", "2015-01-01")
	_, _, e := c.must(f, childRecipe(t))
	if n := len(wardsOf(t, c, e, wardOf(t, c, 170, "2015-01-01"))); n != 2 {
		t.Errorf("%d children fit, want both", n)
	}
	if n := len(wardsOf(t, c, e, wardOf(t, c, 170, "2016-01-01"))); n != 1 {
		t.Errorf("%d children fit, want the one whose day is unknown", n)
	}
}
