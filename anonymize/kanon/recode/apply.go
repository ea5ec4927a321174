package recode

import (
	"fmt"

	"carrel/anonymize/kanon/model"
)

// Applied is a full-domain transformation applied again, without anything the search knew.
type Applied struct {
	Utility    Utility
	Suppressed int64
	Classes    []Class // that stay
	Fulfilled  bool    // the models that look at the whole table
}

// Apply generalises the table to levels, counts its classes anew, judges each by the models and suppresses those that
// fail. It shares no partition, no bound and no sum with the search: what both say was found twice.
func Apply(t *Table, set *model.Set, levels []int) (*Applied, error) {
	if len(levels) != len(t.columns) {
		return nil, fmt.Errorf("%d levels for %d columns", len(levels), len(t.columns))
	}
	for i, l := range levels {
		if err := t.columns[i].Hierarchy.Check(l); err != nil {
			return nil, err
		}
	}
	classes := t.grouped(levels)
	s := newSpace(t)
	m, j := newMeasure(s), newJudge(t)
	out := &Applied{}
	sum := model.Summary{Sizes: map[int64]int64{}, PopulationTotal: t.populated}
	kept := make([]bool, len(t.rows))
	width := len(t.columns)
	for _, c := range classes {
		counts := j.class(members{t.rows, t.pop, t.tag, t.person}, c.Members)
		switch {
		case c.Rows == 0:
			continue // of the population alone
		case !set.Holds(counts):
			out.Suppressed += c.Rows
			continue
		}
		sum.Classes++
		sum.Sizes[counts.Persons]++
		sum.Persons += counts.Persons
		sum.Population += counts.Population
		first := int(c.Members[0])
		m.add(func(x int) uint16 { return t.codes[first*width+s.order[x]] }, func(x int) uint8 { return uint8(levels[s.order[x]]) }, c.Rows)
		for _, j := range c.Members {
			kept[j] = true
		}
		out.Classes = append(out.Classes, c)
	}
	out.Fulfilled = set.HoldsTable(&sum)
	out.Utility = m.done(func(j, x int) (uint8, bool) { return uint8(levels[s.order[x]]), kept[j] })
	return out, nil
}

// grouped puts tuples of the same generalised values together, in the order of their first.
func (t *Table) grouped(levels []int) (classes []Class) {
	width := len(t.columns)
	at := map[string]int{}
	key := make([]byte, 4*width)
	all := make([]uint8, width)
	for i, l := range levels {
		all[i] = uint8(l)
	}
	for j, w := range t.rows {
		for i, c := range t.codes[j*width : (j+1)*width] {
			g := t.columns[i].Hierarchy.Group(levels[i], t.leaf[i][c])
			key[4*i], key[4*i+1], key[4*i+2], key[4*i+3] = byte(g), byte(g>>8), byte(g>>16), byte(g>>24)
		}
		c, known := at[string(key)]
		if !known {
			c = len(classes)
			at[string(key)] = c
			classes = append(classes, Class{Levels: all})
		}
		classes[c].Members = append(classes[c].Members, int32(j))
		classes[c].Rows += int64(w)
	}
	return classes
}
