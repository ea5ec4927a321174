package plan

// Layout says what the child's answer looks like and how the answer gate turns it into noised numbers. It is all that the gate
// (package answer) knows of a plan, so that the gate can be read, and tested, alone. It never depends on the data.
//
// The child answers column by column: first one column a key, in the order of Keys, then the Columns. Every cell is a non-NULL
// integer; a NULL key comes back as NullKey.
type Layout struct {
	Keys    []LayoutKey
	Columns []LayoutColumn
	// Measures say what is noised. Together they name every mechanism of the reserved list; several may share one mechanism
	// (the COUNT(*) that AVG divides by), and then they have the same terms.
	Measures []LayoutMeasure
	// MaxRows bounds the rows that reach the measure, over all cells together: persons in the register × row bound m, at least 1.
	MaxRows int64
	// MaxCells caps the rows that the child may return, at least 1. For public keys the child returns at most one row a member.
	MaxCells int64
	// Tree: the last key is a leaf of a tree of counts, public, with Tree.Leaves members; measures are of its levels.
	Tree *Tree `json:",omitempty"`
	// Follows: the groups are those that the nearest part before this one, not a tree, has selected.
	Follows bool `json:",omitempty"`
}

// NullKey is how the child returns a NULL key.
const NullKey int64 = -1

// LayoutKey is the domain of one key, in integers as the child returns them (code index, stored integer, days).
type LayoutKey struct {
	Name string
	// Public: the whole domain is emitted. One key that is not public makes the whole grouping one of private selection.
	Public bool
	// Lo..Hi is the domain, both ends included. When Null is set the range must not hold NullKey: a plan over a key that may be
	// negative subtracts its lower bound in SQL, so that the child returns offsets from 0.
	Lo, Hi int64
	// Null makes NULL a member of the domain, emitted after Hi. A NULL key in a domain without it fails the answer.
	Null bool
	// Other is the member into which cells outside Lo..Hi fold, or -1: then a cell outside fails the answer.
	Other int64
}

// ColumnKind is the kind of an exact column. The zero value is refused.
type ColumnKind uint8

// The kinds of exact columns.
const (
	_           ColumnKind = iota
	ColumnCount            // a number of rows or persons, never negative
	ColumnSum              // a sum of clamped integers
)

// LayoutColumn is one exact aggregate of the child's answer.
type LayoutColumn struct {
	Name string
	Kind ColumnKind
	// Lo and Hi bound one row's addend of a ColumnSum: Lo·n ≤ sum ≤ Hi·n for the count n of column Of. Unused in a count.
	Lo, Hi int64
	// Of is the index, in Columns, of the count of the rows that a sum runs over; for a count, of the count that it cannot exceed
	// (COUNT(x) ≤ COUNT(*)), or -1.
	Of int
}

// LayoutMeasure is one noised measure: the number Σ Coef·column of every cell, noised by mechanism number Mechanism.
type LayoutMeasure struct {
	// Name is the measure's canonical name, equal to the mechanism's (dp.Want.Measure).
	Name      string
	Mechanism int
	Terms     []LayoutTerm // e.g. sum(x) − mid·count(x)
	// Level, in a tree: one number for every Branch^Level consecutive leaves.
	Level int `json:",omitempty"`
}

// LayoutTerm is one term of a linear form over exact columns.
type LayoutTerm struct {
	Column int // index in Columns
	Coef   int64
}
