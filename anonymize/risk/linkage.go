package risk

import (
	"fmt"
	"math"
	"slices"
)

// Attack is a simulated linkage: each person of the data is looked for in a register by the quasi-identifiers that both have.
type Attack struct {
	Columns  []string `json:"columns"`
	Register int      `json:"register"` // persons of the register
	Persons  int      `json:"persons"`  // persons of the data
	// Found is the share of persons of the data with at least one person of the register beside them, Single with exactly one while they are
	// the only ones: a link that the attacker would believe.
	Found  float64 `json:"found"`
	Single float64 `json:"single"`
	// Expected is the share that would be linked rightly by guessing inside each class, if all persons of the data are in the register.
	Expected float64 `json:"expected"`
	// Right is the share of believed links that are true, where the steward's register knows who is who; nil otherwise.
	Right *float64 `json:"right,omitempty"`
}

// joined are the classes of both tables together.
type joined struct {
	ours, theirs     []uint32 // of each row
	mine, registered []seat   // of each class
}

// joint numbers the combinations of both tables together over the quasi-identifiers that the register has too.
func joint(t, register *Table) (both *joined, columns []string, err error) {
	var at [][2]int
	for _, i := range t.quasi() {
		j := slices.IndexFunc(register.Columns, func(c Column) bool { return c.Name == t.Columns[i].Name })
		if j >= 0 {
			at, columns = append(at, [2]int{i, j}), append(columns, t.Columns[i].Name)
		}
	}
	if len(at) == 0 {
		return nil, nil, fmt.Errorf("the register has no quasi-identifier of table %s", t.Name)
	}
	w := newWork(len(t.Persons) + len(register.Persons))
	all := w.whole()
	for _, x := range at {
		codes, width := dense(slices.Concat(t.Columns[x[0]].Codes, register.Columns[x[1]].Codes))
		next := w.refine(all, codes, width)
		w.give(all)
		all = next
	}
	n := len(t.Persons)
	ours, theirs := &split{class: all.class[:n], classes: all.classes}, &split{class: all.class[n:], classes: all.classes}
	return &joined{ours.class, theirs.class, ours.seats(t.Persons, nil), theirs.seats(register.Persons, nil)}, columns, nil
}

// hasAll says whether the table has all of these quasi-identifiers.
func (t *Table) hasAll(names []string) bool {
	return !slices.ContainsFunc(names, func(n string) bool {
		return !slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Name == n })
	})
}

// Link simulates the attack with the rarest row of each person. Same, where it is not nil, says whether a person of the data and one of the
// register are the same.
func Link(t, register *Table, same func(person, registered uint32) bool) (Attack, error) {
	if err := t.check(); err != nil {
		return Attack{}, err
	}
	if err := register.check(); err != nil {
		return Attack{}, fmt.Errorf("register: %w", err)
	}
	both, columns, err := joint(t, register)
	if err != nil {
		return Attack{}, err
	}
	mine, registered := both.mine, both.registered
	who := make([]uint32, len(registered)) // a person of the register in the class
	for i, c := range both.theirs {
		who[c] = register.Persons[i]
	}
	a := Attack{Columns: columns, Register: register.persons(), Persons: t.persons()}
	believed, right := 0, 0
	for i := 0; i < len(t.Persons); {
		best, found := both.ours[i], false
		j := i
		for ; j < len(t.Persons) && t.Persons[j] == t.Persons[i]; j++ {
			c := both.ours[j]
			if registered[c].size > 0 && (!found || registered[c].size < registered[best].size || registered[c].size == registered[best].size && mine[c].size < mine[best].size) {
				best, found = c, true
			}
		}
		if found {
			a.Found++
			a.Expected += 1 / math.Max(float64(registered[best].size), float64(mine[best].size))
			if registered[best].size == 1 && mine[best].size == 1 {
				believed++
				if same != nil && same(t.Persons[i], who[best]) {
					right++
				}
			}
		}
		i = j
	}
	n := float64(a.Persons)
	a.Found, a.Single, a.Expected = a.Found/n, float64(believed)/n, a.Expected/n
	if same != nil && believed > 0 {
		share := float64(right) / float64(believed)
		a.Right = &share
	}
	return a, nil
}

// against counts the journalist's risk in a register: 1/F of the rarest row, F at least the persons of the data in the class.
func against(t, register *Table, c Config) (Risk, error) {
	if err := register.check(); err != nil {
		return Risk{}, fmt.Errorf("register: %w", err)
	}
	both, _, err := joint(t, register)
	if err != nil {
		return Risk{}, err
	}
	sizes := newTally()
	for i := 0; i < len(t.Persons); {
		least, j := uint32(math.MaxUint32), i
		for ; j < len(t.Persons) && t.Persons[j] == t.Persons[i]; j++ {
			least = min(least, max(both.mine[both.ours[j]].size, both.registered[both.ours[j]].size))
		}
		sizes.add(least)
		i = j
	}
	return sizes.classes().risk(c, 1, "register"), nil
}
