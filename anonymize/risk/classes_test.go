package risk

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// drawTable makes a small table with up to three rows a person, three quasi-identifiers and a sensitive column.
func drawTable(t *rapid.T) *Table {
	tab := &Table{Name: "visit", Columns: []Column{{Name: "sex"}, {Name: "age"}, {Name: "home"}, {Name: "illness", Sensitive: true}}}
	for p := range rapid.IntRange(1, 25).Draw(t, "persons") {
		for range rapid.IntRange(1, 3).Draw(t, "rows") {
			tab.Persons = append(tab.Persons, uint32(p*7))
			for i := range tab.Columns {
				tab.Columns[i].Codes = append(tab.Columns[i].Codes, rapid.Uint32Range(0, uint32(i+1)).Draw(t, "code"))
			}
		}
	}
	return tab
}

// slow counts the persons of each row's class over columns by comparing every row with every other.
func slow(t *Table, columns []int) []int {
	out := make([]int, len(t.Persons))
	for i := range t.Persons {
		who := map[uint32]bool{}
		for j := range t.Persons {
			if !slices.ContainsFunc(columns, func(c int) bool { return t.Columns[c].Codes[i] != t.Columns[c].Codes[j] }) {
				who[t.Persons[j]] = true
			}
		}
		out[i] = len(who)
	}
	return out
}

func TestMeasureAgainstASlowCount(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tab := drawTable(t)
		m, err := Measure(tab, nil, Config{Threshold: 0.34})
		if err != nil {
			t.Fatal(err)
		}
		sizes := slow(tab, []int{0, 1, 2})
		rarest := map[uint32]int{}
		for i, p := range tab.Persons {
			if n, ok := rarest[p]; !ok || sizes[i] < n {
				rarest[p] = sizes[i]
			}
		}
		var highest, sum, above, unique float64
		for _, n := range rarest {
			r := 1 / float64(n)
			highest, sum = max(highest, r), sum+r
			if n < 3 {
				above++
			}
			if n == 1 {
				unique++
			}
		}
		n := float64(len(rarest))
		for _, x := range []struct {
			what      string
			got, want float64
		}{
			{"persons", float64(m.Persons), n}, {"highest", m.Prosecutor.Highest, highest}, {"average", m.Prosecutor.Average, sum / n},
			{"above", m.Prosecutor.AtRisk, above / n}, {"unique", m.Unique, unique / n}, {"smallest", float64(m.Smallest), float64(slices.Min(sizes))},
			{"members", float64(m.Rarest.sum()), n},
		} {
			if math.Abs(x.got-x.want) > 1e-9 {
				t.Fatalf("%s: %v, a slow count says %v", x.what, x.got, x.want)
			}
		}
		for _, c := range m.Combinations {
			var at []int
			for _, name := range c.Columns {
				at = append(at, slices.IndexFunc(tab.Columns, func(c Column) bool { return c.Name == name }))
			}
			alone := map[uint32]bool{}
			for i, n := range slow(tab, at) {
				if n == 1 {
					alone[tab.Persons[i]] = true
				}
			}
			if math.Abs(c.Unique-float64(len(alone))/n) > 1e-9 {
				t.Fatalf("%v: %v alone, a slow count says %d of %v", c.Columns, c.Unique, len(alone), n)
			}
		}
		if len(m.Combinations) != 7 {
			t.Fatalf("%d combinations of three columns", len(m.Combinations))
		}
		checkDiversity(t, tab, m)
	})
}

func (c Classes) sum() int {
	n := 0
	for _, k := range c {
		n += k
	}
	return n
}

// checkDiversity counts the values of each class by its rows' text.
func checkDiversity(t *rapid.T, tab *Table, m Measures) {
	values := map[string]map[uint32]bool{}
	key := func(i int) string {
		return fmt.Sprint(tab.Columns[0].Codes[i], tab.Columns[1].Codes[i], tab.Columns[2].Codes[i])
	}
	for i := range tab.Persons {
		if values[key(i)] == nil {
			values[key(i)] = map[uint32]bool{}
		}
		values[key(i)][tab.Columns[3].Codes[i]] = true
	}
	told, least := map[uint32]bool{}, 1<<30
	for i, p := range tab.Persons {
		least = min(least, len(values[key(i)]))
		if len(values[key(i)]) == 1 {
			told[p] = true
		}
	}
	d := m.Diversity[0]
	if d.Distinct != least || math.Abs(d.Disclosed-float64(len(told))/float64(m.Persons)) > 1e-9 {
		t.Fatalf("%+v, a slow count says l %d and %d of %d told of", d, least, len(told), m.Persons)
	}
}

func TestTablesThatCannotBeCounted(t *testing.T) {
	t.Parallel()
	for name, tab := range map[string]*Table{
		"no row":                {Name: "visit"},
		"a person's rows apart": {Name: "visit", Persons: []uint32{1, 2, 1}},
		"a short column":        {Name: "visit", Persons: []uint32{1, 2}, Columns: []Column{{Name: "age", Codes: []uint32{1}}}},
	} {
		if _, err := Measure(tab, nil, Config{}); err == nil {
			t.Errorf("%s: counted", name)
		}
	}
	one := &Table{Name: "visit", Persons: []uint32{4}, Columns: []Column{{Name: "age", Codes: []uint32{9}}}}
	for _, c := range []Config{{Threshold: 1}, {Threshold: -0.1}, {Threshold: math.NaN()}, {Uniques: 2}, {Population: -1}} {
		if _, err := Measure(one, nil, c); err == nil {
			t.Errorf("%+v: taken", c)
		}
	}
	if m, err := Measure(one, nil, Config{}); err != nil || m.Prosecutor.Highest != 1 || m.Population.Share != 1 {
		t.Errorf("one person: %+v %v", m, err)
	}
}
