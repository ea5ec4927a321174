package answer_test

import (
	"errors"
	"slices"
	"testing"

	"carrel/anonymize/answer"
	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
)

// TestCheckParts: parts that do not belong together, and trees that are none, are refused before anything is charged.
func TestCheckParts(t *testing.T) {
	t.Parallel()
	type spoiler = func(l []plan.Layout, list []dp.Mechanism) ([]plan.Layout, []dp.Mechanism)
	at := func(part int, f func(*plan.Layout)) spoiler {
		return func(l []plan.Layout, list []dp.Mechanism) ([]plan.Layout, []dp.Mechanism) {
			f(&l[part])
			return l, list
		}
	}
	leaf := func(f func(*plan.LayoutKey)) spoiler {
		return at(1, func(l *plan.Layout) { f(&l.Keys[1]) })
	}
	want := func(list []dp.Mechanism, i int, cells int64) {
		made, err := dp.Design(dp.Basic, 10, 1e-6, 1e-6, []dp.Want{{Measure: list[i].Measure, Sensitivity: 2, Rows: 2, Cells: cells}})
		if err != nil {
			t.Fatal(err)
		}
		list[i] = made[0]
	}
	for what, c := range map[string]struct {
		private bool
		spoil   spoiler
	}{
		"no parts":         {false, func([]plan.Layout, []dp.Mechanism) ([]plan.Layout, []dp.Mechanism) { return nil, nil }},
		"list too short":   {false, func(l []plan.Layout, list []dp.Mechanism) ([]plan.Layout, []dp.Mechanism) { return l, list[:5] }},
		"list of one part": {false, func(l []plan.Layout, list []dp.Mechanism) ([]plan.Layout, []dp.Mechanism) { return l, list[:1] }},
		"list too long": {false, func(l []plan.Layout, list []dp.Mechanism) ([]plan.Layout, []dp.Mechanism) {
			return l, append(list, list[5])
		}},
		"a part less":  {false, func(l []plan.Layout, list []dp.Mechanism) ([]plan.Layout, []dp.Mechanism) { return l[:3], list }},
		"a tree first": {false, func(l []plan.Layout, list []dp.Mechanism) ([]plan.Layout, []dp.Mechanism) { return l[3:], list[4:] }},
		"a tree without its groups": {false, func(l []plan.Layout, list []dp.Mechanism) ([]plan.Layout, []dp.Mechanism) {
			l[1], l[3] = l[3], l[1]
			return l, list
		}},
		"a tree of other groups":           {false, at(1, func(l *plan.Layout) { l.Keys[0].Hi = 5 })},
		"a tree of no groups":              {false, at(1, func(l *plan.Layout) { l.Keys = l.Keys[1:] })},
		"a tree without keys":              {false, at(3, func(l *plan.Layout) { l.Keys = nil })},
		"a private leaf":                   {false, leaf(func(k *plan.LayoutKey) { k.Public = false })},
		"a private leaf of private groups": {true, leaf(func(k *plan.LayoutKey) { k.Public = false })},
		"a NULL leaf":                      {false, leaf(func(k *plan.LayoutKey) { k.Null = true })},
		"another leaf":                     {false, leaf(func(k *plan.LayoutKey) { k.Other = 0 })},
		"leaves from one":                  {false, leaf(func(k *plan.LayoutKey) { k.Lo = 1 })},
		"a leaf more":                      {false, leaf(func(k *plan.LayoutKey) { k.Hi = leaves })},
		"a leaf less":                      {false, leaf(func(k *plan.LayoutKey) { k.Hi = leaves - 2 })},
		"no leaves":                        {false, at(1, func(l *plan.Layout) { l.Tree.Leaves = 0; l.Keys[1].Hi = -1 })},
		"one leaf":                         {false, at(1, func(l *plan.Layout) { l.Tree.Leaves, l.Keys[1].Hi = 1, 0 })},
		"leaves of another base":           {false, at(1, func(l *plan.Layout) { l.Tree.Leaves, l.Keys[1].Hi = 12, 11 })},
		"as many as no power":              {false, at(1, func(l *plan.Layout) { l.Tree.Leaves, l.Keys[1].Hi = 1<<50, 1<<50-1 })},
		"levels in another order":          {false, at(1, func(l *plan.Layout) { l.Measures[0].Level, l.Measures[1].Level = 1, 0 })},
		"a level twice":                    {false, at(1, func(l *plan.Layout) { l.Measures[1].Level = 0 })},
		"a level too high":                 {false, at(1, func(l *plan.Layout) { l.Measures[1].Level = 2 })},
		"a level below":                    {false, at(1, func(l *plan.Layout) { l.Measures[0].Level = -1 })},
		"a level without a tree":           {false, at(0, func(l *plan.Layout) { l.Measures[0].Level = 1 })},
		"two levels, one mechanism": {false, func(l []plan.Layout, list []dp.Mechanism) ([]plan.Layout, []dp.Mechanism) {
			return oneCharge(l), slices.Delete(list, 2, 3)
		}},
		"a level less": {false, func(l []plan.Layout, list []dp.Mechanism) ([]plan.Layout, []dp.Mechanism) {
			l[1].Measures = l[1].Measures[:1]
			return l, slices.Delete(list, 2, 3)
		}},
		"two counts in a level": {false, at(1, func(l *plan.Layout) {
			l.Measures[0].Terms = append(l.Measures[0].Terms, plan.LayoutTerm{Column: 0, Coef: 1})
		})},
		"a count with a factor": {false, at(1, func(l *plan.Layout) { l.Measures[0].Terms[0].Coef = -1 })},
		"a sum in a level": {false, at(1, func(l *plan.Layout) {
			l.Columns[1] = plan.LayoutColumn{Name: "sum", Kind: plan.ColumnSum, Hi: 1, Of: 0}
		})},
		"too few draws in a level": {false, func(l []plan.Layout, list []dp.Mechanism) ([]plan.Layout, []dp.Mechanism) {
			want(list, 1, 95)
			return l, list
		}},
		"too few draws above": {false, func(l []plan.Layout, list []dp.Mechanism) ([]plan.Layout, []dp.Mechanism) {
			want(list, 2, 23)
			return l, list
		}},
		"too few draws of a follower": {true, func(l []plan.Layout, list []dp.Mechanism) ([]plan.Layout, []dp.Mechanism) {
			want(list, 1, 1599)
			return l, list
		}},
		"too few above in a follower": {true, func(l []plan.Layout, list []dp.Mechanism) ([]plan.Layout, []dp.Mechanism) {
			want(list, 2, 399)
			return l, list
		}},
		"follows public groups":        {false, at(1, func(l *plan.Layout) { l.Follows = true })},
		"follows nothing":              {false, at(3, func(l *plan.Layout) { l.Follows = true })},
		"private and does not follow":  {true, at(1, func(l *plan.Layout) { l.Follows = false })},
		"follows without being a tree": {true, at(0, func(l *plan.Layout) { l.Follows = true })},
		"groups unselected": {true, func(l []plan.Layout, list []dp.Mechanism) ([]plan.Layout, []dp.Mechanism) {
			want(list, 0, 100)
			return l, list
		}},
		"selected twice": {true, func(l []plan.Layout, list []dp.Mechanism) ([]plan.Layout, []dp.Mechanism) {
			l[1].Measures[0].Terms = []plan.LayoutTerm{{Column: 0, Coef: 1}}
			made, err := dp.Design(dp.Basic, 1, 1e-6, 1e-6, []dp.Want{{Measure: list[1].Measure, Sensitivity: 2, Rows: 2, Cells: 1600, Select: true}})
			if err != nil {
				t.Fatal(err)
			}
			list[1] = made[0]
			return l, list
		}},
		"a sensitivity too small in a later part": {false, func(l []plan.Layout, list []dp.Mechanism) ([]plan.Layout, []dp.Mechanism) {
			made, err := dp.Design(dp.Basic, 1, 1e-6, 1e-6, []dp.Want{{Measure: list[3].Measure, Sensitivity: 1, Rows: 2, Cells: 1}})
			if err != nil {
				t.Fatal(err)
			}
			list[3] = made[0]
			return l, list
		}},
	} {
		l, list := forest(t, c.private)
		l, list = c.spoil(l, slices.Clone(list))
		if err := answer.Check(l, list); !errors.Is(err, answer.ErrLayout) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// oneCharge makes both levels of the first tree name one mechanism.
func oneCharge(l []plan.Layout) []plan.Layout {
	l[1].Measures[1].Mechanism, l[1].Measures[1].Name = 0, l[1].Measures[0].Name
	return l
}
