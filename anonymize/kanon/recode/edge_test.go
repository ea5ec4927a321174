package recode_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/anonymize/kanon/hierarchy"
	"carrel/anonymize/kanon/model"
	"carrel/anonymize/kanon/recode"
)

// TestTies: of two transformations that lose the same, the one whose levels come first is found, whatever comes first in
// the search.
func TestTies(t *testing.T) {
	t.Parallel()
	for _, names := range [][]string{{"a", "b"}, {"b", "a"}} {
		var columns []recode.Column
		for _, n := range names {
			columns = append(columns, recode.Column{Name: n, Hierarchy: must(hierarchy.New(n, [][]string{{"0", "*"}, {"1", "*"}}))})
		}
		b := must(recode.NewBuilder(columns, nil, false))
		for _, row := range []string{"00", "01", "10", "11"} {
			if err := b.Add([][]byte{[]byte(row[:1]), []byte(row[1:])}, nil, nil); err != nil {
				t.Fatal(err)
			}
		}
		r := must(recode.Search(t.Context(), must(b.Finish()), recode.Options{Models: kOf(2)}))
		if !slices.Equal(r.Levels, []int{0, 1}) || r.Loss != 0.5 {
			t.Errorf("%v with a loss of %g", r.Levels, r.Loss)
		}
	}
}

// TestPersonsCountOnce: a person with three rows of one class is one person, and her value one value.
func TestPersonsCountOnce(t *testing.T) {
	t.Parallel()
	columns := []recode.Column{{Name: "age", Hierarchy: must(hierarchy.New("age", [][]string{{"31", "*"}, {"32", "*"}, {"33", "*"}}))}}
	b := must(recode.NewBuilder(columns, []string{"illness"}, true))
	for _, row := range [][3]string{{"31", "a", "1"}, {"32", "a", "1"}, {"33", "a", "1"}, {"33", "b", "2"}} {
		if err := b.Add([][]byte{[]byte(row[0])}, [][]byte{[]byte(row[1])}, []byte(row[2])); err != nil {
			t.Fatal(err)
		}
	}
	table := must(b.Finish())
	classes := func(c model.Criterion) int {
		return len(must(recode.Apply(table, &model.Set{Classes: []model.Criterion{c}}, []int{1})).Classes)
	}
	if table.Persons() != 2 || classes(must(model.K(2))) != 1 || classes(must(model.K(3))) != 0 {
		t.Error("rows are counted in place of persons")
	}
	if classes(must(model.Entropy(0, 1.99))) != 1 {
		t.Error("a person's value counts as often as she has rows")
	}
}

func TestEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	table := smallTable(t)
	if _, err := recode.Search(ctx, table, recode.Options{Models: kOf(2)}); !errors.Is(err, context.Canceled) {
		t.Errorf("search: %v", err)
	}
	if _, err := recode.Recode(ctx, table, recode.Options{Models: kOf(2)}); !errors.Is(err, context.Canceled) {
		t.Errorf("local: %v", err)
	}
}

func smallTable(t *testing.T) *recode.Table {
	t.Helper()
	columns := []recode.Column{{Name: "a", Hierarchy: must(hierarchy.New("a", [][]string{{"0", "*"}, {"1", "*"}}))}}
	b := must(recode.NewBuilder(columns, nil, false))
	for _, v := range []string{"0", "0", "1"} {
		if err := b.Add([][]byte{[]byte(v)}, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	return must(b.Finish())
}

// TestRefusals: what cannot be asked for is an error, and not a default.
func TestRefusals(t *testing.T) {
	t.Parallel()
	table := smallTable(t)
	for name, o := range map[string]recode.Options{
		"no model":       {},
		"suppression":    {Models: kOf(2), Suppression: 1.5},
		"no suppression": {Models: kOf(2), Suppression: math.NaN()},
	} {
		if _, err := recode.Search(t.Context(), table, o); err == nil || errors.Is(err, recode.ErrNone) {
			t.Errorf("%s: %v", name, err)
		}
	}
	h := must(hierarchy.New("a", [][]string{{"0", "*"}}))
	for name, c := range map[string]recode.Column{
		"no hierarchy": {Name: "a"},
		"no level":     {Name: "a", Hierarchy: h, Capped: true, Cap: 2},
		"weight":       {Name: "a", Hierarchy: h, Weight: -1},
	} {
		if _, err := recode.NewBuilder([]recode.Column{c}, nil, false); err == nil {
			t.Errorf("%s passes", name)
		}
	}
	if _, err := recode.NewBuilder(nil, nil, false); err == nil {
		t.Error("no column passes")
	}
}

// TestManyPersonsOfAClass: what a search does grows with the persons of a class, not with their square.
func TestManyPersonsOfAClass(t *testing.T) {
	t.Parallel()
	const persons = 100_000
	h := must(hierarchy.Parse("h", strings.NewReader("a;*\nb;*\n")))
	b := must(recode.NewBuilder([]recode.Column{{Name: "q", Hierarchy: h}}, nil, true))
	for i := range 2 * persons {
		if err := b.Add([][]byte{[]byte("ab"[i&1 : i&1+1])}, nil, fmt.Append(nil, i/2)); err != nil {
			t.Fatal(err)
		}
	}
	start := time.Now()
	r := must(recode.Search(t.Context(), must(b.Finish()), recode.Options{Models: kOf(5), Workers: 1}))
	if took := time.Since(start); took > 5*time.Second || r.Suppressed > 0 {
		t.Errorf("%v, %d suppressed", took, r.Suppressed)
	}
}
