package deid_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
)

// A document's number leads to the number under which a person's rows stand, in every version; a build that leaves her out by reference is,
// but for her rows, the build with her, and the register keeps her place.
func TestReferenceNamesTheRowsOfOnePerson(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	all := cityFiles(upTo(80))
	_, _, with := c.must(all, cityRecipe)
	register := filepath.Join(c.dir, "persons.register")
	for _, p := range []int{3, 41, 79} {
		ref, err := deid.Refer(c.keys, "city-unit", " "+strings.ToLower(residentID(p))+" ", false)
		if err != nil {
			t.Fatal(err)
		}
		found, err := deid.Numbers(c.keys, register, with.Manifest(), []deid.Reference{ref})
		if err != nil || len(found) != 1 {
			t.Fatalf("%v, %v", found, err)
		}
		number := int64(found[ref])
		in, err := c.input(all, cityRecipe)
		if err != nil {
			t.Fatal(err)
		}
		in.Out, in.OutVersion = []deid.Reference{ref}, "city@1.0"
		m, rep, err := deid.Build(context.Background(), in)
		if err != nil || rep.Excluded != 1 || m.Persons != with.Manifest().Persons || m.Exclusions != "city@1.0" {
			t.Fatalf("%+v, %v", rep, err)
		}
		without, err := extract.Open(context.Background(), in.OutDir, c.seal)
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"person", "encounter"} {
			want, got := rowsOf(t, with, table), rowsOf(t, without, table)
			if len(want[number]) == 0 {
				t.Fatalf("%s: nobody has the number", table)
			}
			delete(want, number)
			if !maps.EqualFunc(want, got, slices.Equal[[]string]) {
				t.Errorf("%s: others' rows moved, or the wrong person is gone", table)
			}
		}
	}
}

// References of one person agree whatever the number looks like; other keys, other persons and other datasets' registers do not.
func TestReferences(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	_, _, x := c.must(cityFiles(upTo(40)), cityRecipe)
	register := filepath.Join(c.dir, "persons.register")
	a, err := deid.Refer(c.keys, "city-unit", residentID(5), false)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := deid.Refer(c.keys, "city-staff", residentID(5), false)
	other, _ := deid.Refer(c.keys, "city-unit", residentID(6), false)
	stranger, _ := deid.Refer(c.keys, "city-unit", residentID(5000), false)
	if a == b || a == other {
		t.Error("references meet across keys or persons")
	}
	if back, err := deid.ParseReference(a.Text()); err != nil || back != a {
		t.Error("a reference does not come back from its text")
	}
	for _, s := range []string{"", "00", a.Text() + "00", "zz" + a.Text()[2:]} {
		if _, err := deid.ParseReference(s); err == nil {
			t.Errorf("%q is a reference", s)
		}
	}
	for _, document := range []string{"", "  ", "1.10105E+17"} {
		if _, err := deid.Refer(c.keys, "city-unit", document, false); !errors.Is(err, deid.ErrDocument) {
			t.Errorf("%q: %v", document, err)
		}
	}
	if s := fmt.Sprintf("%v %+v %#v %s", a, a, a, a); strings.Contains(s, a.Text()[:6]) {
		t.Error("a reference prints itself")
	}
	found, err := deid.Numbers(c.keys, register, x.Manifest(), []deid.Reference{a, b, other, stranger})
	if _, in := found[stranger]; err != nil || in || len(found) != 2 || found[a] == found[other] {
		t.Errorf("%v, %v", found, err)
	}
	for _, r := range []deid.Reference{a, other} {
		alone, err := deid.Numbers(c.keys, register, x.Manifest(), []deid.Reference{r})
		if err != nil || alone[r] != found[r] {
			t.Errorf("%d alone, %d with others, %v", alone[r], found[r], err)
		}
	}
	m := x.Manifest()
	for name, change := range map[string]func(){
		"another key": func() { m.Numbering.Key = "city-staff" }, "no numbering": func() { m.Numbering = extract.Numbering{} },
		"another register": func() { m.RegisterHash = strings.Repeat("0", 64) }, "another dataset": func() { m.Dataset = "else" },
	} {
		m = x.Manifest()
		change()
		if _, err := deid.Numbers(c.keys, register, m, []deid.Reference{a}); err == nil {
			t.Errorf("%s: numbers were found", name)
		}
	}
}
