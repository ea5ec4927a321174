package plan

import (
	"fmt"
	"slices"
	"sort"

	"carrel/anonymize/dp"
)

// Part is one statement of a plan: one GROUP BY over the same bounded rows. A plan has one for each grouping set, and one for each
// column whose quantiles are asked, in each set. All mechanisms of all parts are one list, charged together: every part reads
// the same persons, so their losses add up (sequential composition).
type Part struct {
	SQL    string
	Layout Layout
	// First is the index of the part's first want in Wants(); Layout.Measures count from there.
	First int
	// Keys are the keys of the part, as indices into Plan.Keys; the leaf key of a tree is not among them.
	Keys []int
	// Measures are the aggregates of the text over this part; nil in a tree.
	Measures []Measure
}

// Tree says how a part's last key makes a tree of counts.
type Tree struct {
	Leaves int64 // a power of Branch
	// Lo and Hi are the bounds in stored integers. With at least as many leaves as values leaf i holds Lo + i, else all x with
	// (x − Lo)·Leaves // (Hi − Lo + 1) = i.
	Lo, Hi int64
	Scale  int
}

// Exact says that a leaf holds one value.
func (t *Tree) Exact() bool { return t.Leaves > t.Hi-t.Lo }

// Branch is the number of children of a node in a tree of counts.
const Branch = 4

// Quantiles of a measure are read from a tree of counts (W. Qardaji, W. Yang, N. Li, "Understanding Hierarchical Methods for Differentially Private
// Histograms", VLDB 2013). Every row with a known value counts in one node a level, so one person's at most m rows change each level's
// counts by at most m in L1: each level is a mechanism of sensitivity m, and the levels compose. NULLs count nowhere. Zeros are
// noised like all others: the leaves are a public range made of the declared bounds.

// part is one statement while it is built.
type part struct {
	keys     []int
	leaf     *key
	tree     *Tree
	follows  bool // a tree, drawn for the groups that the part before it has selected
	columns  []exact
	wants    []dp.Want
	terms    [][]LayoutTerm
	shifts   []int
	measures []Measure
}

// groupings are the sets of keys, canonical: indices into b.all, each sorted.
func (b *builder) groupings() [][]int {
	if b.spec.Sets == nil {
		whole := make([]int, len(b.all))
		for i := range whole {
			whole[i] = i
		}
		return [][]int{whole}
	}
	var out [][]int
	for _, set := range b.spec.Sets {
		var one []int
		for _, k := range set {
			if k < 0 || k >= len(b.keyAt) {
				b.fail("not-supported", 0)
				return nil
			}
			if !slices.Contains(one, b.keyAt[k]) {
				one = append(one, b.keyAt[k])
			}
		}
		sort.Ints(one)
		if slices.ContainsFunc(out, func(o []int) bool { return slices.Equal(o, one) }) {
			b.fail("duplicate-key", b.spec.Keys[0].Offset)
			return nil
		}
		out = append(out, one)
	}
	if len(out) == 0 || len(out) > maxSets {
		b.fail("grouping-sets", 0)
	}
	sort.Slice(out, func(i, j int) bool { return slices.Compare(out[i], out[j]) > 0 })
	return out
}

// maxSets bounds GROUPING SETS.
const maxSets = 64

// openPart makes a set of keys the current one.
func (b *builder) openPart(set []int) {
	b.keys, b.columns, b.wants, b.wantTerms, b.measures, b.trees = nil, nil, nil, nil, nil, nil
	for _, i := range set {
		b.keys = append(b.keys, b.all[i])
	}
}

// closePart keeps what was built for the current set, and adds the trees that its quantiles need.
func (b *builder) closePart(set []int) {
	if b.err != nil {
		return
	}
	_, private := b.cells()
	b.parts = append(b.parts, part{keys: set, columns: b.columns, wants: b.wants, terms: b.wantTerms, shifts: make([]int, len(b.wants)), measures: b.measures})
	base := len(b.parts)
	for i := range b.measures {
		if m := &b.measures[i]; m.Kind == Quantile {
			m.Tree += base
		}
	}
	for i, r := range b.trees {
		b.treePart(set, r, private, int64(len(b.trees)-i))
	}
}

// treePart is the tree of counts of one column over one set of keys. It has as many leaves as its share of the draws that are left
// allows.
func (b *builder) treePart(set []int, r ref, private bool, share int64) {
	groups, _ := b.cells()
	width := r.col.Hi - r.col.Lo + 1
	left := (b.draws() - b.drawn()) / share
	leaves := int64(Branch)
	for leaves < maxLeaves && leaves < width && mul(groups, nodes(leaves*Branch)) <= left {
		leaves *= Branch
	}
	switch {
	case mul(groups, nodes(leaves)) > left:
		b.fail("too-many-cells", b.spec.Wanted[0].Offset)
	case mul(width, leaves) >= limitValue:
		b.fail("sum-too-large", b.spec.Wanted[0].Offset)
	}
	if b.err != nil {
		return
	}
	// x is in leaf x − lo, or (x − lo)·leaves // width when there are fewer leaves than values; rows without a value stand in leaf 0 and are
	// not counted
	format := "CAST($0; AS BIGINT) - " + parenthesised(r.col.Lo)
	if leaves < width {
		format = "(" + format + ") * " + number(leaves) + " // " + number(width)
	}
	format = "CASE WHEN $0; IS NULL THEN 0 ELSE " + format + " END"
	leaf := b.intern(value{t: &term{format: format, args: []*term{{at: r}}}, col: &Column{Kind: KindInt, Bounded: true, Hi: leaves - 1, PublicKey: true, step: 1}})
	p := part{keys: set, tree: &Tree{Leaves: leaves, Lo: r.col.Lo, Hi: r.col.Hi, Scale: r.col.Scale}, follows: private,
		leaf: &key{at: leaf, name: "leaf(" + b.label(r) + ")", public: true, step: 1, dom: rng{0, leaves - 1}, allowed: set1(0, leaves-1)}}
	b.columns = nil
	b.countRows()
	n := b.countOf(r)
	for shift, size := 0, leaves; size > 1; shift, size = shift+1, size/Branch {
		p.wants = append(p.wants, dp.Want{Measure: fmt.Sprintf("%s in %d of %d leaves", b.columns[n].layout.Name, size, leaves), Sensitivity: b.m, Rows: b.m, Cells: mul(groups, size)})
		p.terms = append(p.terms, []LayoutTerm{{n, 1}})
		p.shifts = append(p.shifts, shift)
	}
	p.columns = b.columns
	b.parts = append(b.parts, p)
}

func set1(lo, hi int64) set { return set{{lo, hi}} }

// nodes is the number of nodes of a tree, the root left out.
func nodes(leaves int64) int64 {
	n := int64(0)
	for ; leaves > 1; leaves /= Branch {
		n += leaves
	}
	return n
}

// maxLeaves is the finest tree: a thousandth of the bounds, since every node draws noise and every draw spends a little of delta.
const maxLeaves = 1024

// drawn is how many draws the parts so far need.
func (b *builder) drawn() int64 {
	n := int64(0)
	for _, p := range b.parts {
		for _, w := range p.wants {
			n += w.Cells
		}
	}
	return n
}

// finishParts writes the statements and layouts and numbers the wants.
func (b *builder) finishParts() []Part {
	var out []Part
	first := 0
	for i := range b.parts {
		p := &b.parts[i]
		b.openPart(p.keys)
		b.weigh(p)
		if p.leaf != nil {
			b.keys = append(b.keys, *p.leaf)
		}
		b.columns, b.wants, b.wantTerms = p.columns, p.wants, p.terms
		l := b.layout()
		for j := range l.Measures {
			l.Measures[j].Level = p.shifts[j]
		}
		l.Follows, l.Tree = p.follows, p.tree
		out = append(out, Part{SQL: b.sql(), Layout: l, First: first, Keys: p.keys, Measures: p.measures})
		first += len(p.wants)
	}
	return out
}
