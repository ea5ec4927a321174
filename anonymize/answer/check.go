package answer

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
)

// ErrLayout is the class of layouts and lists that do not fit together. It says nothing of the data.
var ErrLayout = errors.New("answer: layout and mechanisms do not fit")

const (
	maxCells = 1 << 18
	maxExact = 1 << 62
	maxBound = 1 << 53
)

func misfit(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrLayout, fmt.Sprintf(format, args...))
}

// Check says, before anything is charged, whether a list can be sampled for layouts: it depends on public things only. Release makes
// the same check again.
func Check(layouts []plan.Layout, list []dp.Mechanism) error {
	if len(layouts) == 0 {
		return misfit("empty")
	}
	var groups plan.Layout // the nearest part that is no tree
	var drawn []dp.Mechanism
	for i, l := range layouts {
		n := mechanisms(l)
		if n > len(list) {
			return misfit("more measures than mechanisms")
		}
		if err := checkPart(l, list[:n]); err != nil {
			return fmt.Errorf("part %d: %w", i, err)
		}
		if err := checkTree(l, groups, i); err != nil {
			return fmt.Errorf("part %d: %w", i, err)
		}
		if err := checkFollower(l, list[:n], drawn); err != nil {
			return fmt.Errorf("part %d: %w", i, err)
		}
		if l.Tree == nil {
			groups, drawn = l, list[:n]
		}
		list = list[n:]
	}
	if len(list) != 0 {
		return misfit("more mechanisms than measures")
	}
	return nil
}

// mechanisms is how many mechanisms a layout's measures name.
func mechanisms(l plan.Layout) int {
	n := 0
	for _, m := range l.Measures {
		n = max(n, m.Mechanism+1)
	}
	return n
}

// checkTree: the leaves are the whole last key, a power of Branch; every level below the root has one mechanism of its own, finest first, so that
// each is charged; a tree under private keys follows the part that selects them, with the same keys.
func checkTree(l, groups plan.Layout, at int) error {
	if l.Tree == nil {
		if l.Follows {
			return misfit("only trees follow")
		}
		for _, m := range l.Measures {
			if m.Level != 0 {
				return misfit("a level without a tree")
			}
		}
		return nil
	}
	n := len(l.Keys) - 1
	if n < 0 || at == 0 || n != len(groups.Keys) || !slices.Equal(l.Keys[:n], groups.Keys) {
		return misfit("a tree without its groups")
	}
	leaf := l.Keys[n]
	if !leaf.Public || leaf.Null || leaf.Other != -1 || leaf.Lo != 0 || leaf.Hi != l.Tree.Leaves-1 || l.Follows != private(l) {
		return misfit("leaves")
	}
	height, size := 0, int64(1)
	for ; size < l.Tree.Leaves && size < maxCells; size *= plan.Branch {
		height++
	}
	if size != l.Tree.Leaves {
		return misfit("leaves")
	}
	if len(l.Measures) != height {
		return misfit("a level without a mechanism of its own")
	}
	for i, m := range l.Measures {
		if m.Level != i || m.Mechanism != i {
			return misfit("a level without a mechanism of its own")
		}
		if len(m.Terms) != 1 || m.Terms[0].Coef != 1 || l.Columns[m.Terms[0].Column].Kind != plan.ColumnCount {
			return misfit("a level of a tree counts rows")
		}
	}
	return nil
}

// checkFollower: a tree under private keys has a draw in every level for every group that the selection before it may release; else how many it
// released would decide, after draws, whether the answer fails.
func checkFollower(l plan.Layout, list, selected []dp.Mechanism) error {
	if !l.Follows {
		return nil
	}
	i := slices.IndexFunc(selected, func(m dp.Mechanism) bool { return m.Kind == dp.Threshold })
	if i < 0 {
		return misfit("a tree that follows no selection")
	}
	for j, m := range list {
		need, ok := mul(selected[i].Cells, l.Tree.Leaves/nodeSize(levelOf(l, j)))
		if !ok || m.Cells < need {
			return misfit("fewer draws than groups times nodes")
		}
	}
	return nil
}

// checkPart checks one layout with its own mechanisms.
func checkPart(l plan.Layout, list []dp.Mechanism) error {
	if l.MaxRows < 1 || l.MaxCells < 1 || len(l.Columns) == 0 || len(list) == 0 {
		return misfit("empty")
	}
	for i, k := range l.Keys {
		if err := checkKey(k); err != nil {
			return fmt.Errorf("key %d: %w", i, err)
		}
	}
	for i, c := range l.Columns {
		if err := checkColumn(l, i, c); err != nil {
			return fmt.Errorf("column %d: %w", i, err)
		}
	}
	for i, m := range list {
		if err := m.Check(); err != nil {
			return fmt.Errorf("%w: mechanism %d: %w", ErrLayout, i, err)
		}
		if err := checkMechanism(l, i, m); err != nil {
			return fmt.Errorf("mechanism %d: %w", i, err)
		}
	}
	for _, m := range l.Measures {
		if m.Mechanism < 0 || m.Mechanism >= len(list) || m.Name != list[m.Mechanism].Measure || !slices.Equal(m.Terms, termsOf(l, m.Mechanism)) || m.Level != levelOf(l, m.Mechanism) {
			return misfit("a measure and its mechanism differ")
		}
	}
	return checkSelection(l, list)
}

func checkKey(k plan.LayoutKey) error {
	switch {
	case k.Lo > k.Hi || k.Lo < -maxBound || k.Hi > maxBound:
		return misfit("domain")
	case k.Null && k.Lo <= plan.NullKey && plan.NullKey <= k.Hi:
		return misfit("NULL looks like a value of the domain")
	case k.Other != -1 && (k.Other < k.Lo || k.Other > k.Hi):
		return misfit("other is no member")
	}
	return nil
}

func checkColumn(l plan.Layout, i int, c plan.LayoutColumn) error {
	counts := c.Of >= 0 && c.Of < len(l.Columns) && c.Of != i && l.Columns[c.Of].Kind == plan.ColumnCount
	switch c.Kind {
	case plan.ColumnCount:
		if c.Of != -1 && !counts {
			return misfit("a count inside no count")
		}
		return nil
	case plan.ColumnSum:
		if !counts || c.Lo > c.Hi || c.Lo < -maxBound || c.Hi > maxBound {
			return misfit("a sum without count or bounds")
		}
		return nil
	default:
		return misfit("kind of column")
	}
}

// checkMechanism: its measure is there, its exact numbers stay below 2^62, it has a draw for every public cell, and its sensitivity is not
// below what the layout implies.
func checkMechanism(l plan.Layout, i int, m dp.Mechanism) error {
	terms := termsOf(l, i)
	if len(terms) == 0 {
		return misfit("nothing to sample")
	}
	seen := map[int]bool{}
	var total int64
	for _, t := range terms {
		if t.Column < 0 || t.Column >= len(l.Columns) || t.Coef == 0 || t.Coef < -maxBound || t.Coef > maxBound || seen[t.Column] {
			return misfit("terms")
		}
		seen[t.Column] = true
		c := l.Columns[t.Column]
		b := int64(1)
		if c.Kind == plan.ColumnSum {
			b = max(c.Hi, -c.Lo, 1)
		}
		x, ok := mul(b, l.MaxRows)
		if ok {
			x, ok = mul(x, max(t.Coef, -t.Coef))
		}
		total = saturate(total, x)
		if !ok || x >= maxExact || total == math.MaxInt64 {
			return misfit("numbers too large")
		}
	}
	if n, ok := publicCells(l); !private(l) && (!ok || m.Cells < n/nodeSize(levelOf(l, i))) {
		return misfit("fewer draws than cells")
	}
	if need, ok := mul(m.Rows, perRow(l, terms)); !ok || m.Sensitivity < need {
		return misfit("sensitivity below what the row bound implies")
	}
	return nil
}

// perRow is the most that one row can change Σ Coef·column, as far as the layout tells: sums with the count they run over taken together
// (sum(x) − mid·count(x) changes by x − mid), COUNT(*) by its coefficient. Counts inside another count may be of distinct persons,
// which change by less than a row each: the plan alone knows by how much.
func perRow(l plan.Layout, terms []plan.LayoutTerm) int64 {
	coef := map[int]int64{}
	for _, t := range terms {
		coef[t.Column] = t.Coef
	}
	var total int64
	for _, t := range terms {
		c := l.Columns[t.Column]
		if c.Kind != plan.ColumnSum {
			continue
		}
		a, _ := mul(t.Coef, c.Lo) // bounded by checkMechanism
		b, _ := mul(t.Coef, c.Hi)
		shift := coef[c.Of]
		delete(coef, c.Of)
		total = saturate(total, max(a+shift, -(a+shift), b+shift, -(b+shift)))
	}
	for i, x := range coef {
		if c := l.Columns[i]; c.Kind == plan.ColumnCount && (c.Of == -1 || len(terms) > 1) {
			total = saturate(total, max(x, -x))
		}
	}
	return total
}

func saturate(a, b int64) int64 {
	if x, ok := add(a, b); ok {
		return x
	}
	return math.MaxInt64
}

// checkSelection: private keys go with exactly one selection, on COUNT(*); public keys with none.
func checkSelection(l plan.Layout, list []dp.Mechanism) error {
	n := 0
	for i, m := range list {
		if m.Kind != dp.Threshold {
			continue
		}
		n++
		terms := termsOf(l, i)
		if len(terms) != 1 || terms[0].Coef != 1 || l.Columns[terms[0].Column].Kind != plan.ColumnCount || l.Columns[terms[0].Column].Of != -1 {
			return misfit("selection by something else than the row count")
		}
	}
	switch {
	case l.Follows && n != 0:
		return misfit("selected twice")
	case l.Follows: // selected by the part before it
	case private(l) && n != 1:
		return misfit("private keys without one selection")
	case !private(l) && n != 0:
		return misfit("selection of public keys")
	}
	return nil
}

// private reports whether groups are selected: one private key is enough.
func private(l plan.Layout) bool {
	return slices.ContainsFunc(l.Keys, func(k plan.LayoutKey) bool { return !k.Public })
}

// members is the size of a key's domain.
func members(k plan.LayoutKey) int64 {
	n := k.Hi - k.Lo + 1
	if k.Null {
		n++
	}
	return n
}

// publicCells is the size of the product of all domains; not ok above 2^18.
func publicCells(l plan.Layout) (int64, bool) {
	n := int64(1)
	for _, k := range l.Keys {
		x, ok := mul(n, members(k))
		if !ok || x > maxCells {
			return 0, false
		}
		n = x
	}
	return n, true
}

// levelOf is the tree's level that a mechanism samples, as termsOf.
func levelOf(l plan.Layout, mechanism int) int {
	for _, m := range l.Measures {
		if m.Mechanism == mechanism {
			return m.Level
		}
	}
	return 0
}

// nodeSize is the number of leaves under a node of a level.
func nodeSize(level int) int64 {
	n := int64(1)
	for range min(max(level, 0), 16) {
		n *= plan.Branch
	}
	return n
}

// termsOf is the form that a mechanism samples: that of its first measure (Check sees to it that the others are equal).
func termsOf(l plan.Layout, mechanism int) []plan.LayoutTerm {
	for _, m := range l.Measures {
		if m.Mechanism == mechanism {
			return m.Terms
		}
	}
	return nil
}
