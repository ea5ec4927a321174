//go:build linux && cgo

package worker

import (
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
	"carrel/anonymize/plan/plantest/slow"
)

// TestSearchOnTheEngine: the counts of a search are what the slow evaluator counts, one person moves them by at most m an argument, and bounds
// read off bins with every row in them hold every value.
func TestSearchOnTheEngine(t *testing.T) {
	t.Parallel()
	s := plantest.Wide()
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		if skipped(t) {
			return
		}
		d := slow.Draw(t, s)
		list := benches(t, s, d)
		defer closeAll(list)
		person := rapid.Int64Range(0, 2).Draw(t, "person")
		without := benches(t, s, d.Without(s, person))
		defer closeAll(without)
		for range 24 {
			x, err := plan.NewSearch(s, slow.Wide(t, s), plan.Options{}, 1<<40)
			if err != nil {
				continue
			}
			comparePlan(t, s, x.Counting(), d, list, seen)
			moved(t, x.Counts(), list[1], without[1], seen)
		}
		holds(t, s, d, list[1], seen)
	})
	power(t, seen, map[string]int{"": 16, "moved": 32, "at its bound": 4, "held": 50})
}

// moved compares the counts of a database with those of its neighbour.
func moved(t *rapid.T, p *plan.Plan, b, without bench, seen map[string]int) {
	for i, part := range p.Parts() {
		sql, counts := part.SQL, map[int64]int64{}
		if len(sql) > wideLongest {
			continue
		}
		for sign, bench := range map[int64]bench{1: b, -1: without} {
			for _, r := range bench.ask(t, sql, 2) {
				counts[r[0]] += sign * r[1]
			}
		}
		change := int64(0)
		for _, n := range counts {
			change += max(n, -n)
		}
		if most := p.Wants()[part.First].Sensitivity; change > most || most != p.Rows() {
			t.Fatalf("part %d changes by %d, stated %d, rows %d\n%s", i, change, most, p.Rows(), sql)
		} else if change == most {
			seen["at its bound"]++
		}
		seen["moved"]++
	}
}

// holds finds bounds of one column from exact counts, a thousand times as large, so that no noise would matter.
func holds(t *rapid.T, s *plan.Schema, d slow.Database, b bench, seen map[string]int) {
	for _, name := range []string{"x", "big"} {
		spec := plantest.Wish(plan.From{Scans: []plan.Scan{{Table: "visit"}}}, nil, plantest.Measure(plan.Sum, plantest.Col(name)))
		x, err := plan.NewSearch(s, spec, plan.Options{}, 1<<40)
		if err != nil {
			t.Fatal(err)
		}
		table := dp.Table{Version: dp.TableVersion, Keys: [][]int64{{}}, Values: [][]int64{{}}, Mechanisms: []dp.Mechanism{{Measure: "count(*)", Kind: dp.Laplace, Sensitivity: 4, Rows: 4, Cells: 40, Epsilon: 1}}}
		for _, r := range b.ask(t, x.Counts().Parts()[0].SQL, 2) {
			table.Rows++
			table.Keys[0], table.Values[0] = append(table.Keys[0], r[0]), append(table.Values[0], 1000*r[1])
		}
		bounds, err := x.Pick(table)
		known := 0
		for _, row := range d["visit"] {
			v := row[name]
			if v == nil {
				continue
			}
			known++
			if err != nil || *v < bounds[0].Lo || *v > bounds[0].Hi {
				t.Fatalf("%s: %d is outside %v (%v)\n%s", name, *v, bounds, err, x.Counts().SQL())
			}
			seen["held"]++
		}
		if known == 0 && err == nil {
			t.Fatalf("%s: bounds %v of no value", name, bounds)
		}
	}
}
