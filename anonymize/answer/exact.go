package answer

import (
	"cmp"
	"errors"
	"math"
	"math/bits"
	"slices"

	"carrel/anonymize/plan"
)

// What is wrong with an answer. These never leave the package.
var (
	errShape    = errors.New("shape")
	errScan     = errors.New("scan")
	errCount    = errors.New("count")
	errSum      = errors.New("sum")
	errKey      = errors.New("key")
	errOverflow = errors.New("overflow")
)

// cell is one row of the child's answer.
type cell struct{ keys, exact []int64 }

// checkAnswer checks the child's answer without looking at keys, which fold does.
func checkAnswer(l plan.Layout, a Aggregates, rows map[string]int64) error {
	if len(a.Columns) != len(l.Keys)+len(l.Columns) {
		return errShape
	}
	n := len(a.Columns[0])
	for _, c := range a.Columns {
		if len(c) != n {
			return errShape
		}
	}
	if int64(n) > l.MaxCells || (len(l.Keys) == 0 && n > 1) {
		return errShape
	}
	if len(a.Scanned) == 0 {
		return errScan
	}
	for table, scanned := range a.Scanned {
		if want, ok := rows[table]; !ok || scanned != want {
			return errScan
		}
	}
	exact := a.Columns[len(l.Keys):]
	for i, c := range l.Columns {
		var err error
		if c.Kind == plan.ColumnCount {
			err = checkCounts(l, exact, i)
		} else {
			err = checkSums(c, exact[i], exact[c.Of])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// checkCounts: non-negative, no more than the count around it, and together no more rows than can reach the measure.
func checkCounts(l plan.Layout, exact [][]int64, i int) error {
	var total int64
	for j, n := range exact[i] {
		if n < 0 || n > l.MaxRows-total {
			return errCount
		}
		total += n
		if of := l.Columns[i].Of; of >= 0 && n > exact[of][j] {
			return errCount
		}
	}
	return nil
}

// checkSums: lo·n ≤ sum ≤ hi·n.
func checkSums(c plan.LayoutColumn, sums, counts []int64) error {
	for j, s := range sums {
		if lo, ok := mul(c.Lo, counts[j]); ok && s < lo || !ok && c.Lo > 0 {
			return errSum
		}
		if hi, ok := mul(c.Hi, counts[j]); ok && s > hi || !ok && c.Hi < 0 {
			return errSum
		}
	}
	return nil
}

// fold turns the columns into cells sorted by key in domain order (NULL last), with cells outside a domain added to its "other" member.
// A key that comes twice, a NULL that is no member, and a cell outside a domain without "other" are errors.
func fold(l plan.Layout, a Aggregates) ([]cell, error) {
	n := len(a.Columns[0])
	cells := make([]cell, n)
	for i := range cells {
		c := cell{keys: make([]int64, len(l.Keys)), exact: make([]int64, len(l.Columns))}
		for k := range l.Keys {
			c.keys[k] = a.Columns[k][i]
		}
		for k := range l.Columns {
			c.exact[k] = a.Columns[len(l.Keys)+k][i]
		}
		cells[i] = c
	}
	sortCells(l.Keys, cells)
	for i := 1; i < n; i++ {
		if slices.Equal(cells[i].keys, cells[i-1].keys) {
			return nil, errKey
		}
	}
	for _, c := range cells {
		for k, key := range l.Keys {
			switch v := c.keys[k]; {
			case v >= key.Lo && v <= key.Hi, v == plan.NullKey && key.Null:
			case v == plan.NullKey || key.Other < 0:
				return nil, errKey
			default:
				c.keys[k] = key.Other
			}
		}
	}
	sortCells(l.Keys, cells)
	return merge(cells)
}

// sortCells sorts by key.
func sortCells(keys []plan.LayoutKey, cells []cell) {
	slices.SortFunc(cells, func(a, b cell) int { return order(keys, a.keys, b.keys) })
}

// order is that of the domains, NULL after every value.
func order(keys []plan.LayoutKey, a, b []int64) int {
	for k, key := range keys {
		x, y := a[k], b[k]
		if x == y {
			continue
		}
		if key.Null && (x == plan.NullKey || y == plan.NullKey) {
			x, y = y, x
		}
		return cmp.Compare(x, y)
	}
	return 0
}

// merge adds neighbours with equal keys.
func merge(cells []cell) ([]cell, error) {
	out := cells[:0]
	for _, c := range cells {
		if len(out) == 0 || !slices.Equal(out[len(out)-1].keys, c.keys) {
			out = append(out, c)
			continue
		}
		last := out[len(out)-1]
		for k, x := range c.exact {
			var ok bool
			if last.exact[k], ok = add(last.exact[k], x); !ok {
				return nil, errOverflow
			}
		}
	}
	return out, nil
}

// whole lists every member of the public domain in order, with zeros where the child had nothing.
func whole(l plan.Layout, cells []cell) ([]cell, error) {
	n, ok := publicCells(l)
	if !ok {
		return nil, errShape
	}
	out := make([]cell, 0, n)
	next := 0
	for i := range n {
		keys := memberKeys(l, i)
		if next < len(cells) && slices.Equal(cells[next].keys, keys) {
			out = append(out, cells[next])
			next++
			continue
		}
		out = append(out, cell{keys: keys, exact: make([]int64, len(l.Columns))})
	}
	if next != len(cells) {
		return nil, errKey // a cell that is no member: impossible after fold
	}
	return out, nil
}

// under lists, for every released group in order, every leaf of its tree, with zeros where the child had nothing. Groups and cells are in the order
// of the domains; cells of other groups are passed over.
func under(l plan.Layout, groups, cells []cell) []cell {
	n := len(l.Keys) - 1
	out := make([]cell, 0, int64(len(groups))*l.Tree.Leaves)
	next := 0
	for _, g := range groups {
		for next < len(cells) && order(l.Keys[:n], cells[next].keys, g.keys) < 0 {
			next++
		}
		for leaf := range l.Tree.Leaves {
			keys := append(slices.Clone(g.keys[:n]), leaf)
			if next < len(cells) && slices.Equal(cells[next].keys, keys) {
				out = append(out, cells[next])
				next++
				continue
			}
			out = append(out, cell{keys: keys, exact: make([]int64, len(l.Columns))})
		}
	}
	return out
}

// coarser adds up every Branch^level consecutive leaves. The sums of checked counts cannot overflow: together they are at most MaxRows.
func coarser(l plan.Layout, cells []cell, level int) []cell {
	if level == 0 {
		return cells
	}
	size := int(nodeSize(level))
	out := make([]cell, 0, len(cells)/size)
	for i, c := range cells {
		if i%size == 0 {
			out = append(out, cell{keys: c.keys, exact: make([]int64, len(l.Columns))})
		}
		last := out[len(out)-1]
		for k, x := range c.exact {
			last.exact[k] += x
		}
	}
	return out
}

// memberKeys is number i of the domain's product in lexicographic order.
func memberKeys(l plan.Layout, i int64) []int64 {
	keys := make([]int64, len(l.Keys))
	for k := len(l.Keys) - 1; k >= 0; k-- {
		key := l.Keys[k]
		n := members(key)
		keys[k] = key.Lo + i%n
		if keys[k] > key.Hi {
			keys[k] = plan.NullKey
		}
		i /= n
	}
	return keys
}

// add and mul report overflow.
func add(a, b int64) (int64, bool) {
	s := a + b
	return s, (s > a) == (b > 0)
}

func mul(a, b int64) (int64, bool) {
	if a == math.MinInt64 || b == math.MinInt64 {
		return 0, a == 0 || b == 0
	}
	hi, lo := bits.Mul64(uint64(max(a, -a)), uint64(max(b, -b)))
	if hi != 0 || lo > math.MaxInt64 {
		return 0, false
	}
	if (a < 0) != (b < 0) {
		return -int64(lo), true
	}
	return int64(lo), true
}
