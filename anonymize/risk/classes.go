package risk

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Table is one table of the data with the columns that matter: codes stand for values, equal codes for equal values.
// Rows of one person follow one another.
type Table struct {
	Name    string
	Persons []uint32
	Columns []Column
}

// Column is a quasi-identifier or a sensitive column of a Table.
type Column struct {
	Name      string // table.column
	Sensitive bool   // else a quasi-identifier
	Codes     []uint32
}

// check refuses tables that cannot be counted.
func (t *Table) check() error {
	if len(t.Persons) == 0 {
		return errors.New("no row leaves: there is no risk to state")
	}
	persons, width := dense(t.Persons)
	seen := make([]uint64, (width+63)/64)
	for i, p := range persons {
		if i > 0 && p == persons[i-1] {
			continue
		}
		if seen[p/64]>>(p%64)&1 == 1 {
			return fmt.Errorf("table %s: the rows of a person do not follow one another", t.Name)
		}
		seen[p/64] |= 1 << (p % 64)
	}
	for _, c := range t.Columns {
		if len(c.Codes) != len(t.Persons) {
			return fmt.Errorf("table %s: column %s has %d values for %d rows", t.Name, c.Name, len(c.Codes), len(t.Persons))
		}
	}
	return nil
}

// quasi lists the positions of the quasi-identifiers.
func (t *Table) quasi() []int {
	var q []int
	for i, c := range t.Columns {
		if !c.Sensitive {
			q = append(q, i)
		}
	}
	return q
}

// Classes counts equivalence classes by their number of persons: Classes[3] is how many combinations three persons share.
type Classes map[int]int

// sizes counts classes by their number of persons.
func sizes(seats []seat) Classes {
	c := newTally()
	for i := range seats {
		c.add(seats[i].size)
	}
	return c.classes()
}

// Count is the number of classes.
func (c Classes) Count() int {
	n := 0
	for _, k := range c {
		n += k
	}
	return n
}

// Members is the number of persons, each counted in each class that she is in.
func (c Classes) Members() int {
	n := 0
	for size, k := range c {
		n += size * k
	}
	return n
}

// Sizes lists the sizes that occur, smallest first.
func (c Classes) Sizes() []int { return slices.Sorted(maps.Keys(c)) }

// rarest gives each person the size of the smallest class that one of her rows is in: persons by that size.
func (t *Table) rarest(class []uint32, seats []seat) Classes {
	c := newTally()
	for i := 0; i < len(t.Persons); {
		least := seats[class[i]].size
		j := i + 1
		for ; j < len(t.Persons) && t.Persons[j] == t.Persons[i]; j++ {
			least = min(least, seats[class[j]].size)
		}
		c.add(least)
		i = j
	}
	return c.classes()
}

// persons is the number of persons of the table.
func (t *Table) persons() int {
	n := 0
	for i, p := range t.Persons {
		if i == 0 || p != t.Persons[i-1] {
			n++
		}
	}
	return n
}

// below sums the persons whose rarest class is smaller than k.
func (c Classes) below(k int) int {
	n := 0
	for size, persons := range c {
		if size < k {
			n += persons
		}
	}
	return n
}

// Combination is a set of columns and how many persons stand out by it alone.
type Combination struct {
	Columns []string `json:"columns"`
	Unique  float64  `json:"unique"` // share of persons alone in a class, 0 to 1
	Small   float64  `json:"small"`  // share of persons in a class of fewer than K
}

// combinations measures each single quasi-identifier, each pair and each triple, the most telling first. Of more than twelve columns the twelve
// most telling alone make pairs and triples.
func (m *measurer) combinations(k int) []Combination {
	var out []Combination
	measure := func(s *split, columns ...int) {
		m.seats = s.seats(m.t.Persons, m.seats)
		r := m.t.rarest(s.class, m.seats)
		c := Combination{Unique: float64(r.below(2)) / float64(m.persons), Small: float64(r.below(k)) / float64(m.persons)}
		for _, i := range columns {
			c.Columns = append(c.Columns, m.t.Columns[i].Name)
		}
		out = append(out, c)
	}
	whole := m.w.whole()
	defer m.w.give(whole)
	for _, i := range m.quasi {
		s := m.by(whole, i)
		measure(s, i)
		m.w.give(s)
	}
	quasi := telling(m.quasi, out)
	for a, i := range quasi {
		one := m.by(whole, i)
		for b, j := range quasi[a+1:] {
			two := m.by(one, j)
			measure(two, i, j)
			for _, l := range quasi[a+b+2:] {
				three := m.by(two, l)
				measure(three, i, j, l)
				m.w.give(three)
			}
			m.w.give(two)
		}
		m.w.give(one)
	}
	slices.SortStableFunc(out, func(a, b Combination) int {
		return cmp.Or(cmp.Compare(b.Unique, a.Unique), cmp.Compare(b.Small, a.Small), cmp.Compare(len(a.Columns), len(b.Columns)))
	})
	return out
}

// telling picks the twelve columns that tell most alone.
func telling(quasi []int, alone []Combination) []int {
	if len(quasi) <= 12 {
		return quasi
	}
	order := make([]int, len(quasi))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(alone[b].Small, alone[a].Small) })
	told := make([]int, 12)
	for i := range told {
		told[i] = quasi[order[i]]
	}
	return told
}

// Diversity says what classes tell of a sensitive column without telling who is who.
type Diversity struct {
	Column string `json:"column"`
	// Distinct is the smallest number of different values among the persons of a class (distinct l-diversity).
	Distinct int `json:"distinct"`
	// Disclosed is the share of persons in a class whose rows all hold one value: who knows that she is in the data knows the value.
	Disclosed float64 `json:"disclosed"`
}

// diversity measures each sensitive column.
func (m *measurer) diversity(s *split) []Diversity {
	var out []Diversity
	for i, c := range m.t.Columns {
		if !c.Sensitive {
			continue
		}
		m.w.sort(s)
		m.w.stamps = zeroed(m.w.stamps, m.width[i])
		single := make([]uint64, (s.classes+63)/64) // classes of one value
		least := len(m.t.Persons)
		for class := range uint32(s.classes) { //nolint:gosec // classes ≤ rows
			n := different(s.rows(class), m.codes[i], m.w.stamps, class)
			if least = min(least, n); n == 1 {
				single[class/64] |= 1 << (class % 64)
			}
		}
		out = append(out, Diversity{Column: c.Name, Distinct: least, Disclosed: float64(m.t.told(s.class, single)) / float64(m.persons)})
	}
	return out
}

// different counts the codes of the rows of a class.
func different(rows, codes []uint32, stamps []stamp, class uint32) int {
	if len(rows) == 1 {
		return 1
	}
	n := 0
	for _, row := range rows {
		if at := &stamps[codes[row]]; at.class != class+1 {
			at.class = class + 1
			n++
		}
	}
	return n
}

// told counts the persons who have a row in one of these classes.
func (t *Table) told(class []uint32, marked []uint64) int {
	n := 0
	for i := 0; i < len(t.Persons); {
		told, j := false, i
		for ; j < len(t.Persons) && t.Persons[j] == t.Persons[i]; j++ {
			told = told || marked[class[j]/64]>>(class[j]%64)&1 == 1
		}
		if told {
			n++
		}
		i = j
	}
	return n
}

// entropy is the number of different codes and the entropy of their distribution over rows, in bits.
func entropy(codes []uint32) (distinct int, bits float64) {
	codes, width := dense(codes)
	count := make([]int, width)
	for _, c := range codes {
		count[c]++
	}
	for _, n := range count { // in the order of codes: sums of floats depend on it
		if n > 0 {
			distinct++
			p := float64(n) / float64(len(codes))
			bits -= p * math.Log2(p)
		}
	}
	return distinct, bits
}
