// Package hierarchy holds the trees along which values are coarsened: level 0 is the value itself, each level above
// names a larger set, the last one is everything.
//
// It promises: a Hierarchy is a tree (each value of a level lies in exactly one value of the next), all values have all
// levels, the last level has one value, and no label stands above itself; what breaks this is one error with file, line
// and column. Errors and String never show a value: the leaves of a hierarchy are values of the data.
//
// It does not promise: that a hierarchy says something sensible about its values, nor that it has every value of a
// table; whoever reads a table says where a value is missing.
package hierarchy

import (
	"fmt"
	"slices"
)

// Suppressed is the label of everything, as ARX writes it.
const Suppressed = "*"

// Hierarchy is one tree. It is made by New, Parse and the makers of common trees, and never changed.
type Hierarchy struct {
	name   string
	levels []level
	codes  map[string]uint32
}

// level is one cut through the tree.
type level struct {
	group  []uint32 // of each leaf
	labels []string // of each group
	covers []uint32 // leaves of each group
}

// Name is what the hierarchy was given as its name, for messages.
func (h *Hierarchy) Name() string { return h.name }

// Leaves is the number of values of level 0.
func (h *Hierarchy) Leaves() int { return len(h.levels[0].group) }

// Levels is the number of levels, level 0 included.
func (h *Hierarchy) Levels() int { return len(h.levels) }

// Groups is the number of values of a level.
func (h *Hierarchy) Groups(level int) int { return len(h.levels[level].labels) }

// Group is the value of a level that a leaf lies in.
func (h *Hierarchy) Group(level int, leaf uint32) uint32 { return h.levels[level].group[leaf] }

// Covers is the number of leaves under a value of a level.
func (h *Hierarchy) Covers(level int, group uint32) uint32 { return h.levels[level].covers[group] }

// Label is how a value of a level is written.
func (h *Hierarchy) Label(level int, group uint32) string { return h.levels[level].labels[group] }

// Code finds a leaf by its text.
func (h *Hierarchy) Code(value []byte) (uint32, bool) {
	c, ok := h.codes[string(value)]
	return c, ok
}

// Check says whether a level exists.
func (h *Hierarchy) Check(level int) error {
	if level < 0 || level >= len(h.levels) {
		return fmt.Errorf("hierarchy %s has levels 0 to %d: there is no level %d", h.name, len(h.levels)-1, level)
	}
	return nil
}

// Error is what is wrong with a hierarchy: file, line and column, never a value.
type Error struct {
	File         string
	Line, Column int // from 1; 0 = the whole file, the whole line
	Text         string
}

func (e *Error) Error() string {
	switch {
	case e.Line == 0:
		return fmt.Sprintf("%s: %s", e.File, e.Text)
	case e.Column == 0:
		return fmt.Sprintf("%s line %d: %s", e.File, e.Line, e.Text)
	}
	return fmt.Sprintf("%s line %d column %d: %s", e.File, e.Line, e.Column, e.Text)
}

// maxLevels bounds the height: a lattice is a product of heights.
const maxLevels = 64

// New makes a hierarchy of rows: each has the value first and then what it becomes at level 1, 2 and so on. A last
// level that has several values gets one above it, Suppressed: without it the classes of a table may have no common
// generalisation at all. Row i of rows counts as line i+1 in errors.
func New(name string, rows [][]string) (*Hierarchy, error) {
	return build(name, rows, func(i int) int { return i + 1 })
}

func build(name string, rows [][]string, line func(int) int) (*Hierarchy, error) {
	fail := func(i, column int, format string, args ...any) error {
		e := &Error{File: name, Column: column, Text: fmt.Sprintf(format, args...)}
		if i >= 0 {
			e.Line = line(i)
		}
		return e
	}
	if len(rows) == 0 {
		return nil, fail(-1, 0, "the hierarchy is empty")
	}
	height := len(rows[0])
	if height > maxLevels {
		return nil, fail(0, 0, "the hierarchy has %d levels, at most %d can be", height, maxLevels)
	}
	h := &Hierarchy{name: name, levels: make([]level, height), codes: make(map[string]uint32, len(rows))}
	for i, row := range rows {
		if len(row) != height {
			return nil, fail(i, 0, "the line has %d levels, the first has %d: every value needs all levels", len(row), height)
		}
		if j, again := h.codes[row[0]]; again {
			return nil, fail(i, 1, "the value stands in line %d already", line(int(j)))
		}
		h.codes[row[0]] = uint32(i)
	}
	for l := range height {
		if err := h.level(l, rows, fail); err != nil {
			return nil, err
		}
	}
	if i, column := cycle(rows); i >= 0 {
		return nil, fail(i, column, "the hierarchy is cyclic: a value stands above itself")
	}
	if h.Groups(height-1) > 1 {
		h.levels = append(h.levels, level{group: make([]uint32, len(rows)), labels: []string{Suppressed}, covers: []uint32{uint32(len(rows))}})
	}
	return h, nil
}

// level numbers the values of one level and checks that each lies in one value of the next.
func (h *Hierarchy) level(l int, rows [][]string, fail func(int, int, string, ...any) error) error {
	v := level{group: make([]uint32, len(rows))}
	number := map[string]uint32{}
	var first []int // row that a group was seen in first
	for i, row := range rows {
		label := row[l]
		if label == "" && l > 0 {
			return fail(i, l+1, "the value has no entry at level %d", l)
		}
		g, known := number[label]
		if !known {
			g = uint32(len(first))
			number[label] = g
			first = append(first, i)
			v.labels, v.covers = append(v.labels, label), append(v.covers, 0)
		}
		v.group[i] = g
		v.covers[g]++
		if j := first[g]; l+1 < len(row) && rows[j][l+1] != row[l+1] {
			return fail(i, l+2, "not a tree: what stands at level %d has another parent at level %d than in another line", l, l+1)
		}
	}
	h.levels[l] = v
	return nil
}

// cycle looks for a label that lies, over any number of steps, above itself, and returns row and column of the step that
// closes the circle, or -1.
// The same label on neighbouring levels is no step: ARX writes a value that stays what it is in this way.
func cycle(rows [][]string) (row, column int) {
	up := map[string][]string{}
	at := map[[2]string][2]int{}
	for i, r := range rows {
		for l := 0; l+1 < len(r); l++ {
			if r[l] != r[l+1] && !slices.Contains(up[r[l]], r[l+1]) {
				up[r[l]] = append(up[r[l]], r[l+1])
				at[[2]string{r[l], r[l+1]}] = [2]int{i, l + 2}
			}
		}
	}
	state := map[string]int8{} // 1 = on the path, 2 = done
	var visit func(string) ([2]string, bool)
	visit = func(label string) ([2]string, bool) {
		state[label] = 1
		for _, p := range up[label] {
			if state[p] == 1 {
				return [2]string{label, p}, true
			}
			if state[p] == 0 {
				if where, bad := visit(p); bad {
					return where, true
				}
			}
		}
		state[label] = 2
		return [2]string{}, false
	}
	for _, r := range rows { // in the order of the file: the same mistake gives the same message
		if state[r[0]] == 0 {
			if step, bad := visit(r[0]); bad {
				return at[step][0], at[step][1]
			}
		}
	}
	return -1, 0
}
