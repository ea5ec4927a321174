// Package model holds the privacy models that a class of persons, or a table of classes, can fulfil: k-anonymity, k-map,
// l-diversity (distinct, entropy, recursive), t-closeness (equal, ordered, hierarchical distance), β-likeness (basic and
// enhanced), δ-presence, average risk and a limit on population uniques. They combine: a table fulfils a Set when every
// class of it fulfils all class criteria and the table all table criteria.
//
// It promises: persons are counted, never rows; where a person has several rows in a class, she counts once, and each of
// her sensitive values once. A criterion says of itself what a search may conclude from it:
//
//   - Upward: what holds for a class holds for every larger one. Then the rows that must be suppressed only become
//     fewer with each generalisation, whatever else is suppressed, and a lower bound of them prunes. So are
//     k-anonymity, k-map and distinct l-diversity: a union has at least the persons and the values of its parts.
//   - Union: what holds for two classes holds for their union, but not for one of them with anything else. Then, if and
//     only if nothing may be suppressed, a class that fails condemns all finer partitions of it. So are entropy
//     l-diversity (entropy is concave), recursive (c,l)-diversity (Machanavajjhala et al. 2007, theorem on
//     monotonicity), t-closeness (each of the distances is convex in the class, Li et al. 2007), β-likeness (the
//     share of a value in a union is at most the larger share of its parts) and δ-presence without a lower bound (a
//     mediant is at most the larger part).
//     With suppression none of them is monotone: a class of one value that fails, and would have been suppressed, can
//     be merged by generalisation into one that held. ARX draws the same line. Where a person has several rows, her
//     values are counted once a class, a union is no mixture of its parts any more, and Union is not claimed.
//   - neither: average risk and population uniqueness look at the table; they are checked at the end and prune nothing.
//
// Entropy and recursive l-diversity imply distinct l-diversity, which is Upward: Set.Necessary has that part.
//
// It does not promise: that a number chosen is enough. Table criteria that estimate a population are estimates.
package model

import (
	"fmt"
	"math"
)

// Class is what a criterion sees of a class.
type Class struct {
	Persons    int64    // distinct persons of the table in it
	Population int64    // persons of the population table in it
	Values     []Values // of each sensitive column
}

// Values counts a sensitive column's values in a class, each person's value once.
type Values struct {
	Count []int64  // by code; only those of Codes are set
	Codes []uint32 // that occur
	Total int64    // sum
}

// tolerance forgives the last digits of sums of logarithms and shares. A search that prunes forgives twice as much, so
// that rounding can cost time and never the optimum.
const tolerance = 1e-9

// Criterion is a demand on every class.
type Criterion interface {
	fmt.Stringer
	// Upward: a class that holds holds with any rows added.
	Upward() bool
	// Union: the union of two classes that hold holds, as long as nobody has two rows.
	Union() bool
	// holds judges a class; slack is forgiven.
	holds(c *Class, slack float64) bool
	// necessary is an Upward criterion that this one implies, nil for none.
	necessary() Criterion
}

// TableCriterion is a demand on the whole of the classes.
type TableCriterion interface {
	fmt.Stringer
	holds(s *Summary) bool
}

// Summary is what a table criterion sees: the classes that stay.
type Summary struct {
	Sizes           map[int64]int64 // number of classes by persons
	Persons         int64           // sum of the sizes
	Classes         int64
	Population      int64 // persons of the population in these classes
	PopulationTotal int64
}

// Set is a combination of criteria.
type Set struct {
	Classes []Criterion
	Tables  []TableCriterion
}

// Holds judges a class by all class criteria.
func (s *Set) Holds(c *Class) bool { return hold(s.Classes, c, tolerance) }

// MayHold is Holds with more forgiveness: what it denies, Holds denies for certain in exact arithmetic.
func (s *Set) MayHold(c *Class) bool { return hold(s.Classes, c, 2*tolerance) }

func hold(all []Criterion, c *Class, slack float64) bool {
	for _, x := range all {
		if !x.holds(c, slack) {
			return false
		}
	}
	return true
}

// HoldsTable judges the whole of the classes that stay by all table criteria.
func (s *Set) HoldsTable(t *Summary) bool {
	for _, x := range s.Tables {
		if !x.holds(t) {
			return false
		}
	}
	return true
}

// Necessary is the Upward part: what fails it fails s, and everything finer does too.
func (s *Set) Necessary() *Set { return s.part(Criterion.necessary) }

// Unions is the part that is closed under union: without suppression, what fails it has no finer partition that holds.
func (s *Set) Unions() *Set {
	return s.part(func(c Criterion) Criterion {
		if c.Union() {
			return c
		}
		return nil
	})
}

func (s *Set) part(of func(Criterion) Criterion) *Set {
	out := &Set{}
	for _, c := range s.Classes {
		if n := of(c); n != nil {
			out.Classes = append(out.Classes, n)
		}
	}
	return out
}

// K is the number of persons that the set demands of a class, 1 when it demands none.
func (s *Set) K() int64 {
	k := int64(1)
	for _, c := range s.Classes {
		if a, ok := c.(anonymity); ok {
			k = max(k, a.k)
		}
	}
	return k
}

// OnlyK says whether the set asks for nothing but a number of persons a class.
func (s *Set) OnlyK() bool {
	for _, c := range s.Classes {
		if _, ok := c.(anonymity); !ok {
			return false
		}
	}
	return len(s.Tables) == 0
}

// upward, union, none are what criteria say of themselves.
type upward struct{}

func (upward) Upward() bool { return true }
func (upward) Union() bool  { return true }

type union struct{}

func (union) Upward() bool { return false }
func (union) Union() bool  { return true }

type anonymity struct {
	upward
	k int64
}

// K demands at least k persons in each class.
func K(k int) (Criterion, error) {
	if k < 2 {
		return nil, fmt.Errorf("k = %d protects nobody: it must be 2 or more", k)
	}
	return anonymity{k: int64(k)}, nil
}

func (a anonymity) String() string                 { return fmt.Sprintf("%d-anonymity", a.k) }
func (a anonymity) holds(c *Class, _ float64) bool { return c.Persons >= a.k }
func (a anonymity) necessary() Criterion           { return a }

type mapping struct {
	upward
	k int64
}

// KMap demands at least k persons of the population in each class.
func KMap(k int) (Criterion, error) {
	if k < 2 {
		return nil, fmt.Errorf("k = %d of a k-map protects nobody: it must be 2 or more", k)
	}
	return mapping{k: int64(k)}, nil
}

func (m mapping) String() string                 { return fmt.Sprintf("%d-map", m.k) }
func (m mapping) holds(c *Class, _ float64) bool { return c.Population >= m.k }
func (m mapping) necessary() Criterion           { return m }

type presence struct{ low, high float64 }

func (presence) Upward() bool { return false }

// Union: with a lower bound, a class of the population without a person of the table spoils a union and is no class.
func (p presence) Union() bool { return p.low == 0 }

// Presence demands that the share of the population's persons of a class who are in the table lies from low to high
// (δ-presence, Nergiz et al. 2007). The population holds the table's persons. It is a class criterion for the classes of
// the table; add PresenceOfAll where low is above 0.
func Presence(low, high float64) (Criterion, error) {
	if !(0 <= low && low <= high && high <= 1) || high == 0 {
		return nil, fmt.Errorf("the bounds of δ-presence lie between 0 and 1, the lower first")
	}
	return presence{low: low, high: high}, nil
}

func (p presence) String() string { return fmt.Sprintf("(%g,%g)-presence", p.low, p.high) }

func (p presence) holds(c *Class, slack float64) bool {
	share := float64(c.Persons) / math.Max(1, float64(c.Population))
	return share >= p.low-slack && share <= p.high+slack
}

func (p presence) necessary() Criterion { return nil }
