package kanon_test

import (
	"errors"
	"iter"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/kanon"
	"carrel/anonymize/plan"
)

type row struct {
	person uint32
	cells  []kanon.Cell
}

func seq(rows []row) iter.Seq2[uint32, []kanon.Cell] {
	return func(yield func(uint32, []kanon.Cell) bool) {
		for _, r := range rows {
			if !yield(r.person, r.cells) {
				return
			}
		}
	}
}

func cells(v ...int64) []kanon.Cell {
	out := make([]kanon.Cell, len(v))
	for i := range v {
		out[i] = kanon.Cell{Value: v[i], Valid: v[i] >= 0}
	}
	return out
}

var columns = []kanon.Column{{"sex", plan.RoleQuasi}, {"cost", plan.RoleSensitive}, {"age", plan.RoleQuasi}}

func TestSmallestCountsPersons(t *testing.T) {
	t.Parallel()
	rows := []row{
		{1, cells(0, 5, 3)}, {1, cells(0, 6, 3)}, {1, cells(0, 7, 3)}, // one person, three rows
		{2, cells(0, 5, 3)},
		{3, cells(1, 5, 3)}, {4, cells(1, 9, 3)}, {5, cells(1, 9, 3)},
	}
	r, err := kanon.Smallest(columns, seq(rows))
	if err != nil {
		t.Fatal(err)
	}
	if r.K != 2 || r.Classes != 2 || r.Persons != 5 || r.Rows != 7 || r.Sizes[2] != 1 || r.Sizes[3] != 1 {
		t.Fatalf("%+v", r)
	}
	if err := r.Check(2); err != nil {
		t.Fatal(err)
	}
	var small *kanon.TooSmallError
	if err := r.Check(3); !errors.As(err, &small) || small.Got != 2 || small.Classes != 1 || small.Persons != 2 {
		t.Fatalf("%v", err)
	}
}

func TestMissingIsAValue(t *testing.T) {
	t.Parallel()
	r, err := kanon.Smallest(columns, seq([]row{{1, cells(0, 0, 0)}, {2, cells(-1, 0, 0)}}))
	if err != nil || r.K != 1 || r.Classes != 2 {
		t.Fatalf("%+v %v", r, err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, cols := range map[string][]kanon.Column{
		"no columns": {},
		"no role":    {{"a", ""}},
		"identifier": {{"a", plan.RoleIdentifier}},
		"unknown":    {{"a", "quasi"}},
	} {
		if _, err := kanon.Smallest(cols, seq(nil)); err == nil {
			t.Errorf("%s: passed", name)
		}
	}
	if _, err := kanon.Smallest(columns, seq([]row{{1, cells(1)}})); err == nil || strings.Contains(err.Error(), "sex") {
		t.Errorf("a row of another width: %v", err)
	}
	r, err := kanon.Smallest(columns, seq(nil))
	if err != nil || !errors.Is(r.Check(5), kanon.ErrNoRows) {
		t.Errorf("nothing leaves: %v %v", err, r.Check(5))
	}
	if (kanon.Result{K: 9, Rows: 9}).Check(1) == nil || (kanon.Result{K: 9, Rows: 9}).Check(0) == nil {
		t.Error("a k of 1 passes")
	}
}

// TestSmallestProperty compares with a slow count, and checks that leaving a quasi-identifier out never lowers k.
func TestSmallestProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) row {
			return row{rapid.Uint32Range(0, 9).Draw(t, "person"), cells(rapid.Int64Range(-1, 1).Draw(t, "a"), 0, rapid.Int64Range(-1, 2).Draw(t, "b"))}
		}), 1, 60).Draw(t, "rows")
		r, err := kanon.Smallest(columns, seq(rows))
		if err != nil {
			t.Fatal(err)
		}
		slow := map[[2]kanon.Cell]map[uint32]bool{}
		for _, x := range rows {
			k := [2]kanon.Cell{x.cells[0], x.cells[2]}
			if slow[k] == nil {
				slow[k] = map[uint32]bool{}
			}
			slow[k][x.person] = true
		}
		k := 1 << 30
		for _, persons := range slow {
			k = min(k, len(persons))
		}
		if r.K != k || r.Classes != len(slow) {
			t.Fatalf("k %d in %d classes, slow count says %d in %d", r.K, r.Classes, k, len(slow))
		}
		fewer, err := kanon.Smallest([]kanon.Column{columns[0], columns[1], {"age", plan.RoleOther}}, seq(rows))
		if err != nil || fewer.K < r.K {
			t.Fatalf("k fell from %d to %d with fewer quasi-identifiers (%v)", r.K, fewer.K, err)
		}
	})
}
