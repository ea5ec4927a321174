package plan

import (
	"slices"
	"sort"
)

// Pick is how a plan tells the members of one dictionary of codes apart: in groups, each of which it treats alike.
//
// Argument. Let the codes of a group be exchanged for one another, in every private column of that dictionary at once and in any way: no
// exact number of the plan changes. So nothing in an answer is about a code rather than about its group. It comes from text and schema alone
// (lineage.go), and a value whose way from the codes is not followed has noted each of its own groups before it is used: what is unknown is
// told apart. The brute-force test exchanges codes in small databases and compares.
//
// It is about one question. What a second question adds by difference is bounded by the noise of both, not here.
type Pick struct {
	Codes   string   // the dictionary
	Columns []string // "table.column", sorted: those that are told apart
	values  []string
	group   []int // of each member; numbered in the order of the members
}

// Groups are the members of the dictionary, by group.
func (p *Pick) Groups() [][]string {
	var out [][]string
	for i, g := range p.group {
		if g == len(out) {
			out = append(out, nil)
		}
		out[g] = append(out[g], p.values[i])
	}
	return out
}

// Singles says whether the plan tells anything of the members for which listed is true, rather than of codes in general: some group has
// some of them and not the others, or has them all among others that are not the bulk of the dictionary. A few codes that nobody has, put
// beside those that are meant, make no group of another kind; everything but one other code is the bulk.
func (p *Pick) Singles(listed func(code string) bool) bool {
	size, hits, all := map[int]int{}, map[int]int{}, 0
	for i, v := range p.values {
		size[p.group[i]]++
		if listed(v) {
			hits[p.group[i]]++
			all++
		}
	}
	for g, n := range hits {
		if len(size) > 1 && (n < all || 2*size[g] <= len(p.values)) {
			return true
		}
	}
	return false
}

// split tells apart what has different classes, beside what is told apart already.
func (p *Pick) split(class func(member int64) int64) {
	type part struct {
		group int
		class int64
	}
	number := map[part]int{}
	for i, g := range p.group {
		at := part{g, class(int64(i))}
		n, known := number[at]
		if !known {
			n = len(number)
			number[at] = n
		}
		p.group[i] = n
	}
}

// noted are what the plan tells apart, by dictionary.
func noted(picks map[dictionaryOf]*Pick) []*Pick {
	var out []*Pick
	for _, p := range picks {
		if slices.Max(p.group) > 0 {
			sort.Strings(p.Columns)
			out = append(out, p)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Codes < out[j].Codes })
	return out
}

// joined is what several steps tell apart in one answer: codes that one of them separates are separated.
func joined(a, b []*Pick) []*Pick {
	out := slices.Clone(a)
	for _, q := range b {
		i := slices.IndexFunc(out, func(p *Pick) bool { return p.Codes == q.Codes && len(p.values) == len(q.values) })
		if i < 0 {
			out = append(out, q)
			continue
		}
		both := &Pick{Codes: q.Codes, values: q.values, Columns: merged(out[i].Columns, q.Columns), group: slices.Clone(out[i].group)}
		both.split(func(m int64) int64 { return int64(q.group[m]) })
		out[i] = both
	}
	return out
}
