package plan_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
	"carrel/anonymize/plan/plantest/slow"
)

// groupsOf are the groups of each dictionary that private columns of a schema have; one that the plan does not name is one group.
func groupsOf(s *plan.Schema, p *plan.Plan) map[string][][]string {
	out := map[string][][]string{}
	for _, t := range s.Tables {
		for _, c := range t.Columns {
			if !t.Public && c.Kind == plan.KindCode {
				out[c.Codes] = [][]string{c.Values}
			}
		}
	}
	for _, k := range p.Features().Picks {
		out[k.Codes] = k.Groups()
	}
	return out
}

// exchanged is a database whose codes are exchanged inside the groups.
func exchanged(t *rapid.T, s *plan.Schema, d slow.Database, groups map[string][][]string) (out slow.Database, moved bool) {
	to := map[string]map[string]string{}
	for _, codes := range slices.Sorted(maps.Keys(groups)) {
		to[codes] = map[string]string{}
		for _, g := range groups[codes] {
			for i, other := range rapid.Permutation(g).Draw(t, codes) {
				to[codes][g[i]] = other
				moved = moved || g[i] != other
			}
		}
	}
	out = slow.Database{}
	for _, table := range s.Tables {
		for _, r := range d[table.Name] {
			r = maps.Clone(r)
			for _, c := range table.Columns {
				if n := r[c.Name]; n != nil && !table.Public && c.Kind == plan.KindCode {
					at := int64(slices.Index(c.Values, to[c.Codes][c.Values[*n]]))
					r[c.Name] = &at
				}
			}
			out[table.Name] = append(out[table.Name], r)
		}
	}
	return out, moved
}

// Guard: codes that a plan does not tell apart can be exchanged for one another in everybody's records, and no exact number of it changes. So
// it never says less than what it tells.
func TestCodesOfAGroupAreAlike(t *testing.T) {
	t.Parallel()
	moves, told := 0, 0
	s := plantest.Wide()
	rapid.Check(t, func(t *rapid.T) {
		d := slow.Draw(t, s)
		for range 8 {
			spec := slow.Wide(t, s)
			o := plan.Options{}
			if rapid.Bool().Draw(t, "cut") {
				o.RowsPerPerson = map[string]int64{plan.AllTables: int64(rapid.IntRange(1, 2).Draw(t, "rows"))}
			}
			p, err := plan.Build(s, spec, o)
			if err != nil || p.Decimals() < 6 {
				continue
			}
			if len(p.Features().Picks) > 0 {
				told++
			}
			other, moved := exchanged(t, s, d, groupsOf(s, p))
			if !moved {
				continue
			}
			moves++
			before, after := slow.Evaluator{Schema: s, Spec: spec, Data: d, Rows: o.RowsPerPerson}, slow.Evaluator{Schema: s, Spec: spec, Data: other, Rows: o.RowsPerPerson}
			if strings.Contains(p.SQL(), "q.r <= ") {
				before.Limit, after.Limit = p.Rows(), p.Rows()
			}
			x, problem := before.Vectors(p)
			y, second := after.Vectors(p)
			if problem+second != "" {
				t.Fatalf("%s %s\n%s", problem, second, p.SQL())
			}
			for i := range x {
				if slow.Distance(x[i], y[i]) != 0 {
					t.Fatalf("%s changes when codes are exchanged that are said to be alike: %v\n%v\n%v\n%s", p.Wants()[i].Measure, groupsOf(s, p), d, other, p.SQL())
				}
			}
		}
	})
	if least := 300; moves < least/5 || told < least/5 {
		t.Errorf("the test has no power: %d exchanges, %d plans that tell codes apart", moves, told)
	}
}

// shuffled is a database whose untold private columns hold the values of other rows.
func shuffled(t *rapid.T, s *plan.Schema, d slow.Database, told map[string]bool) (out slow.Database, moved bool) {
	out = slow.Database{}
	for _, table := range s.Tables {
		rows := d[table.Name]
		for _, r := range rows {
			r = maps.Clone(r)
			for _, c := range table.Columns {
				if table.Public || c.Kind == plan.KindUnit || c.Kind == plan.KindKey || told[table.Name+"."+c.Name] {
					continue
				}
				other := rapid.SampledFrom(rows).Draw(t, c.Name)[c.Name]
				moved = moved || (r[c.Name] == nil) != (other == nil) || other != nil && *other != *r[c.Name]
				r[c.Name] = other
			}
			out[table.Name] = append(out[table.Name], r)
		}
	}
	return out, moved
}

// Guard: a column that the plan's features do not name decides nothing, whatever way it would take through aliases, joins, subqueries, windows,
// groups or conditions: so a rule about columns (drugs by prescriber) is not walked around.
func TestUntoldColumnsDecideNothing(t *testing.T) {
	t.Parallel()
	moves := 0
	s := plantest.Wide()
	rapid.Check(t, func(t *rapid.T) {
		d := slow.Draw(t, s)
		for range 8 {
			spec := slow.Wide(t, s)
			p, err := plan.Build(s, spec, plan.Options{})
			if err != nil || p.Decimals() < 6 {
				continue
			}
			told := map[string]bool{}
			for _, c := range p.Features().Columns {
				told[c.Table+"."+c.Column] = true
			}
			other, moved := shuffled(t, s, d, told)
			if !moved {
				continue
			}
			moves++
			before, after := slow.Evaluator{Schema: s, Spec: spec, Data: d}, slow.Evaluator{Schema: s, Spec: spec, Data: other}
			if strings.Contains(p.SQL(), "q.r <= ") {
				before.Limit, after.Limit = p.Rows(), p.Rows()
			}
			x, problem := before.Vectors(p)
			y, second := after.Vectors(p)
			if problem+second != "" {
				t.Fatalf("%s %s\n%s", problem, second, p.SQL())
			}
			for i := range x {
				if slow.Distance(x[i], y[i]) != 0 {
					t.Fatalf("%s depends on a column that is not told (%v)\n%v\n%v\n%s", p.Wants()[i].Measure, told, d, other, p.SQL())
				}
			}
		}
	})
	if moves < 60 {
		t.Errorf("the test has no power: %d shuffles", moves)
	}
}
