package result_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
	"carrel/anonymize/result"
)

// released makes the table of a plan of public keys, every member in the domain's order, from a function of part, row and number in the list of the
// part; in a tree the row is the node of the level that the number is of.
func released(p *plan.Plan, number func(part int, row int64, i int) int64) dp.Table {
	var tables []dp.Table
	for at, part := range p.Parts() {
		l := part.Layout
		t := dp.Table{Version: dp.TableVersion, Rows: 1, Keys: [][]int64{}}
		var sizes []int64
		for _, k := range l.Keys {
			n := k.Hi - k.Lo + 1
			if k.Null {
				n++
			}
			sizes, t.Rows = append(sizes, n), t.Rows*n
		}
		if l.Tree != nil {
			t.Leaves = l.Tree.Leaves
		} else {
			each := t.Rows
			for i, k := range l.Keys {
				each /= sizes[i]
				var column []int64
				for row := range t.Rows {
					v := k.Lo + row/each%sizes[i]
					if v > k.Hi {
						v = plan.NullKey
					}
					column = append(column, v)
				}
				t.Keys = append(t.Keys, column)
			}
		}
		for i, m := range l.Measures {
			n := t.Rows
			for range m.Level {
				n /= plan.Branch
			}
			w := p.Wants()[part.First+i]
			column := make([]int64, n)
			for row := range n {
				column[row] = number(at, row, i)
			}
			t.Values = append(t.Values, column)
			t.Mechanisms = append(t.Mechanisms, dp.Mechanism{Measure: w.Measure, Kind: dp.Gaussian, Sensitivity: w.Sensitivity, Rows: w.Rows, Cells: w.Cells, Sigma: 5})
		}
		tables = append(tables, t)
	}
	tables[0].More = tables[1:]
	return tables[0]
}

func grouping(key int) plan.OutExpr { return plan.OutExpr{Op: plan.OutGrouping, Index: key} }

// sets is COUNT(*) and the mean of los by department (with a NULL member) and kind of ward, in all sets of a rollup.
func sets(t *testing.T, change func(*plan.Spec)) *plan.Plan {
	t.Helper()
	return query(t, func(s *plan.Spec) {
		s.Keys = []plan.KeySpec{{Expr: plantest.Col("department")}, {Expr: plantest.Col("hospital_id")}}
		s.Sets = [][]int{{0, 1}, {0}, {}}
		s.Wanted = []plan.MeasureSpec{{Kind: plan.CountRows}, {Kind: plan.Avg, Args: plantest.Cols("los")}}
		s.Output = []plan.OutputSpec{out("department", plan.OutExpr{Op: plan.OutKey}), out("hospital", plan.OutExpr{Op: plan.OutKey, Index: 1}),
			out("no department", grouping(0)), out("no hospital", grouping(1)), out("n", measure(0)), out("mean", measure(1))}
		if change != nil {
			change(s)
		}
	})
}

// counted numbers the rows of a part: the n of row i of part p is 1000(p+1) + i.
func counted(part int, row int64, i int) int64 {
	if i > 0 {
		return 0
	}
	return 1000*int64(part+1) + row
}

// TestGroupingSets: a key that a set leaves out is NULL with GROUPING 1, a NULL member is NULL with GROUPING 0, and every row stands under its own set.
func TestGroupingSets(t *testing.T) {
	t.Parallel()
	p := sets(t, nil)
	r, err := result.Table(p, released(p, counted), result.Raw)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	seen := map[float64]bool{}
	for _, row := range r.Rows {
		kinds[fmt.Sprintf("%v %v, %v %v", row[0].Value == nil, row[1].Value == nil, row[2].Value, row[3].Value)]++
		seen[row[4].Value.(float64)] = true
		if row[4].Lo == nil || row[2].Lo != nil || row[3].Lo != nil {
			t.Fatalf("%+v", row)
		}
	}
	departments := 6 // with NULL
	hospitals := kinds["false false, 0 0"]/5 + 1
	want := map[string]int{
		"false false, 0 0": 5 * (hospitals - 1), "true false, 0 0": hospitals - 1, "false true, 0 0": 5, "true true, 0 0": 1, // NULL members
		"false true, 0 1": 5, "true true, 0 1": 1, "true true, 1 1": 1,
	}
	if fmt.Sprint(kinds) != fmt.Sprint(want) || len(seen) != departments*hospitals+departments+1 {
		t.Errorf("%v, wanted %v; %d of %d numbers", kinds, want, len(seen), len(r.Rows))
	}
	if c := r.Columns[2]; c.Interval != result.IntervalNone || !strings.Contains(c.Note.EN, "grouping set") || c.Note.ZH == "" {
		t.Errorf("%+v", c)
	}
	for _, c := range r.Columns[4:] {
		if !strings.Contains(c.Note.EN, "totals") || !strings.Contains(c.Note.ZH, "合计") {
			t.Errorf("%s does not say that totals differ: %+v", c.Name, c)
		}
	}
	if c := columnsOf(t, query(t, nil))[1]; strings.Contains(c.Note.EN, "totals") {
		t.Errorf("one set alone has totals: %+v", c)
	}
}

func columnsOf(t *testing.T, p *plan.Plan) []result.Column {
	t.Helper()
	r, err := result.Table(p, standard(p))
	if err != nil {
		t.Fatal(err)
	}
	return r.Columns
}

// TestSetsTogether: ORDER BY, LIMIT and HAVING run over the rows of all sets.
func TestSetsTogether(t *testing.T) {
	t.Parallel()
	numbers := func(change func(*plan.Spec)) (out []float64) {
		p := sets(t, change)
		// one row of each set is large: 3000 (all), 2000 and up, 1000 and up
		r, err := result.Table(p, released(p, counted), result.Raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range r.Rows {
			out = append(out, row[4].Value.(float64))
		}
		return out
	}
	top := numbers(func(s *plan.Spec) {
		s.Order = []plan.OrderSpec{{Expr: measure(0), Descending: true}}
		s.Limit, s.Skip = 3, 1
	})
	if fmt.Sprint(top) != "[2005 2004 2003]" {
		t.Errorf("%v", top)
	}
	totals := numbers(func(s *plan.Spec) {
		s.Order = []plan.OrderSpec{{Expr: grouping(0), Descending: true}, {Expr: measure(0)}}
		s.Having = &plan.OutCond{Cmp: plan.CmpEq, Left: grouping(1), Right: num("1")}
	})
	if fmt.Sprint(totals) != "[3000 2000 2001 2002 2003 2004 2005]" {
		t.Errorf("%v", totals)
	}
	between := numbers(func(s *plan.Spec) {
		s.Order = []plan.OrderSpec{{Expr: measure(0)}}
		s.Having = &plan.OutCond{And: []plan.OutCond{{Cmp: plan.CmpGe, Left: measure(0), Right: num("2004")}, {Cmp: plan.CmpLe, Left: measure(0), Right: num("3000")}}}
	})
	if fmt.Sprint(between) != "[2004 2005 3000]" {
		t.Errorf("%v", between)
	}
}

// TestHavingIsThreeValued: what has no value meets neither a condition nor its negation.
func TestHavingIsThreeValued(t *testing.T) {
	t.Parallel()
	p0 := two(plan.OutDiv, measure(0), num("0"))
	cmp := func(c plan.Cmp, l, r plan.OutExpr) plan.OutCond { return plan.OutCond{Cmp: c, Left: l, Right: r} }
	not := func(c plan.OutCond) plan.OutCond { return plan.OutCond{Not: &c} }
	unknown, yes, no := cmp(plan.CmpGt, p0, num("1")), cmp(plan.CmpNe, num("1"), num("2")), cmp(plan.CmpLt, num("2"), num("1"))
	for name, c := range map[string]struct {
		cond  plan.OutCond
		shown bool
	}{
		"unknown": {unknown, false}, "not unknown": {not(unknown), false}, "yes": {yes, true}, "not yes": {not(yes), false}, "not no": {not(no), true},
		"unknown or yes": {plan.OutCond{Or: []plan.OutCond{unknown, yes}}, true}, "unknown or no": {plan.OutCond{Or: []plan.OutCond{unknown, no}}, false},
		"unknown and yes": {plan.OutCond{And: []plan.OutCond{unknown, yes}}, false}, "not (unknown and no)": {not(plan.OutCond{And: []plan.OutCond{unknown, no}}), true},
		"not (unknown or no)": {not(plan.OutCond{Or: []plan.OutCond{unknown, no}}), false},
		"greater or equal":    {cmp(plan.CmpGe, num("2"), num("2")), true}, "less or equal": {cmp(plan.CmpLe, num("3"), num("2")), false}, "greater": {cmp(plan.CmpGt, num("2"), num("2")), false},
	} {
		p := query(t, func(s *plan.Spec) { s.Having = &c.cond })
		r, err := result.Table(p, standard(p))
		if err != nil {
			t.Fatal(err)
		}
		if shown := len(r.Rows) == 6; shown != c.shown || !shown && len(r.Rows) > 0 {
			t.Errorf("%s: %d rows", name, len(r.Rows))
		}
	}
}

// medians is the median of los by department and over all.
func medians(t *testing.T) *plan.Plan {
	t.Helper()
	return query(t, func(s *plan.Spec) {
		s.Sets = [][]int{{0}, {}}
		s.Wanted = []plan.MeasureSpec{{Kind: plan.CountRows}, {Kind: plan.Quantile, Args: plantest.Cols("los"), Fraction: 0.5}, {Kind: plan.Quantile, Args: plantest.Cols("los"), Fraction: 1}}
		s.Output = []plan.OutputSpec{out("department", plan.OutExpr{Op: plan.OutKey}), out("n", measure(0)), out("median", measure(1)), out("most", measure(2)),
			out("both", two(plan.OutSub, measure(2), measure(1)))}
	})
}

// valued gives group g of the first set 20,000 rows at the value 30·g, and everything 120,000 at 200.
func valued(p *plan.Plan) dp.Table {
	return released(p, func(part int, row int64, i int) int64 {
		tree := p.Parts()[part].Layout.Tree
		if tree == nil {
			return 2000
		}
		leaves := tree.Leaves
		for range i {
			leaves /= plan.Branch
		}
		group, value, rows := row/leaves, int64(200), int64(120_000)
		if part == 1 {
			value, rows = 30*group, 20_000
		}
		leaf := (value - tree.Lo) * tree.Leaves / (tree.Hi - tree.Lo + 1)
		if tree.Exact() {
			leaf = value - tree.Lo
		}
		for range i {
			leaf /= plan.Branch
		}
		if row%leaves == leaf {
			return rows
		}
		return 0
	})
}

// TestQuantilesOfGroups: every group of every set reads its own tree.
func TestQuantilesOfGroups(t *testing.T) {
	t.Parallel()
	p := medians(t)
	r, err := result.Table(p, valued(p))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Rows) != 7 || r.Columns[2].LabelEN != "0.5 quantile of los" || r.Columns[3].LabelZH != "los 0.99 分位数" { // MAX says that it is none
		t.Fatalf("%d rows, %+v", len(r.Rows), r.Columns)
	}
	for g, row := range r.Rows {
		want := 30 * float64(g)
		if g == 6 {
			want = 200
		}
		const leaf = 366.0 / 256
		for _, c := range row[2:4] {
			got, ok := c.Value.(float64)
			if !ok || got < want-leaf || got > want+leaf || *c.Lo > want || *c.Hi < want || *c.Hi-*c.Lo > 3*leaf {
				t.Errorf("row %d: %v in %v..%v, exact %v", g, c.Value, *c.Lo, *c.Hi, want)
			}
		}
		if *row[4].Lo > 0 || *row[4].Hi < 0 {
			t.Errorf("row %d: %v..%v", g, *row[4].Lo, *row[4].Hi)
		}
	}
}

// TestTreesBelongToTheirGroups: tables whose trees do not fit are no answer.
func TestTreesBelongToTheirGroups(t *testing.T) {
	t.Parallel()
	p := medians(t)
	for what, spoil := range map[string]func(x *dp.Table){
		"a part missing": func(x *dp.Table) { x.More = x.More[:2] },
		"parts swapped":  func(x *dp.Table) { x.More[0], x.More[2] = x.More[2], x.More[0] },
		"groups fewer":   func(x *dp.Table) { shrink(&x.More[0]) },
		"a level missing": func(x *dp.Table) {
			x.More[0].Values, x.More[0].Mechanisms = x.More[0].Values[1:], x.More[0].Mechanisms[1:]
		},
		"levels swapped":        func(x *dp.Table) { v := x.More[0].Values; v[0], v[1] = v[1], v[0] },
		"other leaves":          func(x *dp.Table) { x.More[0].Leaves /= 4 },
		"a tree for the groups": func(x *dp.Table) { x.Leaves = 1 },
	} {
		x := valued(p)
		spoil(&x)
		if _, err := result.Table(p, x); !errors.Is(err, result.ErrMismatch) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// shrink takes one group's tree out.
func shrink(t *dp.Table) {
	n := t.Leaves
	t.Rows -= n
	for i := range t.Values {
		t.Values[i] = t.Values[i][:int64(len(t.Values[i]))-n]
		n /= plan.Branch
	}
}

// TestSelectedSomewhere: an answer is of selected groups when any of its sets is.
func TestSelectedSomewhere(t *testing.T) {
	t.Parallel()
	p := sets(t, nil)
	x := released(p, counted)
	x.More[1].Selected = true
	r, err := result.Table(p, x)
	if err != nil || !r.Selected {
		t.Errorf("%v: not said to be selected", err)
	}
}
