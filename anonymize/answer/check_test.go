package answer_test

import (
	"errors"
	"slices"
	"testing"

	"carrel/anonymize/answer"
	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
)

// TestCheck: a list that does not fit its layout is refused before anything is charged.
func TestCheck(t *testing.T) {
	t.Parallel()
	basic := func(want dp.Want) dp.Mechanism {
		list, err := dp.Design(dp.Basic, 1, 1e-6, 1e-9, []dp.Want{want})
		if err != nil {
			t.Fatal(err)
		}
		return list[0]
	}
	for what, c := range map[string]struct {
		private bool
		spoil   func(*plan.Layout, []dp.Mechanism) []dp.Mechanism
	}{
		"no rows":            {false, layout(func(l *plan.Layout) { l.MaxRows = 0 })},
		"no cells":           {false, layout(func(l *plan.Layout) { l.MaxCells = 0 })},
		"no columns":         {false, layout(func(l *plan.Layout) { l.Columns = nil })},
		"empty domain":       {false, layout(func(l *plan.Layout) { l.Keys[0].Hi = -3 })},
		"ambiguous NULL":     {false, layout(func(l *plan.Layout) { l.Keys[0].Lo = -1 })},
		"other outside":      {false, layout(func(l *plan.Layout) { l.Keys[0].Other = 3 })},
		"no kind":            {false, layout(func(l *plan.Layout) { l.Columns[0].Kind = 0 })},
		"count in a sum":     {false, layout(func(l *plan.Layout) { l.Columns[1].Of = 2 })},
		"count in itself":    {false, layout(func(l *plan.Layout) { l.Columns[1].Of = 1 })},
		"sum of no count":    {false, layout(func(l *plan.Layout) { l.Columns[2].Of = -1 })},
		"reversed bounds":    {false, layout(func(l *plan.Layout) { l.Columns[2].Lo = 101 })},
		"overflow":           {false, layout(func(l *plan.Layout) { l.MaxRows = 1 << 57 })},
		"larger domain":      {false, layout(func(l *plan.Layout) { l.Keys[1].Hi = 13 })},
		"huge domain":        {false, layout(func(l *plan.Layout) { l.Keys[1].Hi = 1 << 40 })},
		"wider values":       {false, layout(func(l *plan.Layout) { l.Columns[2].Hi = 101 })},
		"lower values":       {false, layout(func(l *plan.Layout) { l.Columns[2].Lo = -1 })},
		"no centre":          {false, layout(func(l *plan.Layout) { l.Measures[2].Terms = l.Measures[2].Terms[:1] })},
		"other name":         {false, layout(func(l *plan.Layout) { l.Measures[1].Name = "count(y)" })},
		"shared, other form": {false, layout(func(l *plan.Layout) { l.Measures[3].Terms = l.Measures[0].Terms })},
		"unknown mechanism":  {false, layout(func(l *plan.Layout) { l.Measures[3].Mechanism = 3 })},
		"unknown column":     {false, layout(func(l *plan.Layout) { l.Measures[0].Terms[0].Column = 3 })},
		"column twice":       {false, layout(func(l *plan.Layout) { l.Measures[2].Terms[1].Column = 2 })},
		"zero coefficient":   {false, layout(func(l *plan.Layout) { l.Measures[0].Terms[0].Coef = 0 })},
		"larger coefficient": {false, layout(func(l *plan.Layout) { l.Measures[0].Terms[0].Coef = 2 })},
		"unused mechanism":   {false, func(_ *plan.Layout, list []dp.Mechanism) []dp.Mechanism { return append(list, list[0]) }},
		"missing mechanism":  {false, func(_ *plan.Layout, list []dp.Mechanism) []dp.Mechanism { return list[:2] }},
		"small sensitivity": {false, func(_ *plan.Layout, list []dp.Mechanism) []dp.Mechanism {
			list[2] = basic(dp.Want{Measure: list[2].Measure, Sensitivity: 99, Rows: 2, Cells: 12})
			return list
		}},
		"small sensitivity of COUNT(*)": {false, func(_ *plan.Layout, list []dp.Mechanism) []dp.Mechanism {
			list[0] = basic(dp.Want{Measure: list[0].Measure, Sensitivity: 1, Rows: 2, Cells: 12})
			return list
		}},
		"tampered mechanism":  {false, func(_ *plan.Layout, list []dp.Mechanism) []dp.Mechanism { list[0].Sigma = 1; return list }},
		"selection of public": {true, layout(func(l *plan.Layout) { l.Keys[0] = plan.LayoutKey{Name: "sex", Public: true, Hi: 2, Other: -1} })},
		"private, unselected": {false, layout(func(l *plan.Layout) { l.Keys[0].Public = false })},
		"selection by count(x)": {true, layout(func(l *plan.Layout) {
			l.Measures[0].Terms[0].Column = 1
		})},
		"two selections": {true, func(l *plan.Layout, list []dp.Mechanism) []dp.Mechanism {
			l.Measures[1].Terms = l.Measures[0].Terms
			l.Measures[3].Terms = l.Measures[0].Terms
			list[1] = list[0]
			list[1].Measure = l.Measures[1].Name
			return list
		}},
	} {
		l, list := public(t)
		if c.private {
			l, list = private(t)
		}
		list = c.spoil(&l, slices.Clone(list))
		if err := answer.Check([]plan.Layout{l}, list); !errors.Is(err, answer.ErrLayout) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func layout(f func(*plan.Layout)) func(*plan.Layout, []dp.Mechanism) []dp.Mechanism {
	return func(l *plan.Layout, list []dp.Mechanism) []dp.Mechanism {
		f(l)
		return list
	}
}
