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
	seen := map[uint32]struct{}{}
	for i, p := range t.Persons {
		if i > 0 && p == t.Persons[i-1] {
			continue
		}
		if _, again := seen[p]; again {
			return fmt.Errorf("table %s: the rows of a person do not follow one another", t.Name)
		}
		seen[p] = struct{}{}
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

// partition gives each row the number of its class over some columns, and each class its number of persons.
type partition struct {
	class []uint32 // by row
	size  []uint32 // persons by class
}

// refine splits classes by one more column. Pairs of (class, code) are numbered exactly, so that no two combinations ever fall together as they
// could under a hash.
func refine(class []uint32, codes []uint32) []uint32 {
	next, out := map[uint64]uint32{}, make([]uint32, len(class))
	for i, c := range class {
		key := uint64(c)<<32 | uint64(codes[i])
		n, ok := next[key]
		if !ok {
			n = uint32(len(next)) //nolint:gosec // classes ≤ rows
			next[key] = n
		}
		out[i] = n
	}
	return out
}

// over makes the partition by the columns at these positions.
func (t *Table) over(columns []int) partition {
	class := make([]uint32, len(t.Persons))
	for _, c := range columns {
		class = refine(class, t.Columns[c].Codes)
	}
	return t.counted(class)
}

// counted counts the persons of each class.
func (t *Table) counted(class []uint32) partition {
	return partition{class: class, size: t.sized(class, int(slices.Max(class))+1)}
}

// sized counts the persons of each of so many classes. A person's rows follow one another, so that the last person seen in a class is enough to
// know.
func (t *Table) sized(class []uint32, classes int) []uint32 {
	size, last := make([]uint32, classes), make([]uint32, classes)
	for i, c := range class {
		if who := t.Persons[i] + 1; last[c] != who {
			last[c] = who
			size[c]++
		}
	}
	return size
}

// Classes counts equivalence classes by their number of persons: Classes[3] is how many combinations three persons share.
type Classes map[int]int

// classes counts the classes by size.
func (p partition) classes() Classes {
	c := Classes{}
	for _, n := range p.size {
		c[int(n)]++
	}
	return c
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
func (t *Table) rarest(p partition) Classes {
	c := Classes{}
	for i := 0; i < len(t.Persons); {
		least := p.size[p.class[i]]
		j := i + 1
		for ; j < len(t.Persons) && t.Persons[j] == t.Persons[i]; j++ {
			least = min(least, p.size[p.class[j]])
		}
		c[int(least)]++
		i = j
	}
	return c
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
func (t *Table) combinations(k int) []Combination {
	persons := float64(t.persons())
	var out []Combination
	measure := func(class []uint32, columns ...int) {
		r := t.rarest(t.counted(class))
		c := Combination{Unique: float64(r.below(2)) / persons, Small: float64(r.below(k)) / persons}
		for _, i := range columns {
			c.Columns = append(c.Columns, t.Columns[i].Name)
		}
		out = append(out, c)
	}
	quasi := t.quasi()
	for _, i := range quasi {
		measure(refine(make([]uint32, len(t.Persons)), t.Columns[i].Codes), i)
	}
	if len(quasi) > 12 {
		order := make([]int, len(quasi))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(out[b].Small, out[a].Small) })
		told := make([]int, 12)
		for i := range told {
			told[i] = quasi[order[i]]
		}
		quasi = told
	}
	for a, i := range quasi {
		one := refine(make([]uint32, len(t.Persons)), t.Columns[i].Codes)
		for b, j := range quasi[a+1:] {
			two := refine(one, t.Columns[j].Codes)
			measure(two, i, j)
			for _, l := range quasi[a+b+2:] {
				measure(refine(two, t.Columns[l].Codes), i, j, l)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Combination) int {
		return cmp.Or(cmp.Compare(b.Unique, a.Unique), cmp.Compare(b.Small, a.Small), cmp.Compare(len(a.Columns), len(b.Columns)))
	})
	return out
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
func (t *Table) diversity(p partition) []Diversity {
	var out []Diversity
	for _, c := range t.Columns {
		if !c.Sensitive {
			continue
		}
		distinct := make([]int, len(p.size))
		seen := map[uint64]struct{}{}
		for i, class := range p.class {
			key := uint64(class)<<32 | uint64(c.Codes[i])
			if _, ok := seen[key]; !ok {
				seen[key] = struct{}{}
				distinct[class]++
			}
		}
		d := Diversity{Column: c.Name, Distinct: slices.Min(distinct)}
		disclosed := 0
		for i := 0; i < len(t.Persons); {
			told, j := false, i
			for ; j < len(t.Persons) && t.Persons[j] == t.Persons[i]; j++ {
				told = told || distinct[p.class[j]] == 1
			}
			if told {
				disclosed++
			}
			i = j
		}
		d.Disclosed = float64(disclosed) / float64(t.persons())
		out = append(out, d)
	}
	return out
}

// entropy is the number of different codes and the entropy of their distribution over rows, in bits.
func entropy(codes []uint32) (distinct int, bits float64) {
	count := map[uint32]int{}
	for _, c := range codes {
		count[c]++
	}
	for _, c := range slices.Sorted(maps.Keys(count)) { // in one order: sums of floats depend on it
		p := float64(count[c]) / float64(len(codes))
		bits -= p * math.Log2(p)
	}
	return len(count), bits
}
