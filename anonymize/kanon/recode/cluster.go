package recode

import (
	"cmp"
	"math"
	"slices"
)

// ancestors are the nearest common ancestors of a set of tuples: a level and, through one of its tuples, a value.
type ancestors struct {
	first  []uint16
	levels []uint8
	cost   float64 // of a row
}

// of starts with one tuple.
func (p *peeler) of(a *ancestors, j int32) {
	a.first = p.row(j)
	a.levels = append(a.levels[:0], make([]uint8, len(p.cols))...)
	a.cost = p.cost(a, j)
}

// cost is what a row of the set would lose with tuple j in it.
func (p *peeler) cost(a *ancestors, j int32) float64 {
	row, sum := p.row(j), 0.0
	for x, f := range a.first {
		c := row[x]
		l := a.levels[x]
		up := p.cols[x].up
		for c != f && up[l][c] != up[l][f] {
			l++
		}
		sum += p.ncp[x][l][f]
	}
	return sum
}

// join puts tuple j into the set.
func (p *peeler) join(a *ancestors, j int32) {
	row := p.row(j)
	a.cost = 0
	for x, f := range a.first {
		up := p.cols[x].up
		for row[x] != f && up[a.levels[x]][row[x]] != up[a.levels[x]][f] {
			a.levels[x]++
		}
		a.cost += p.ncp[x][a.levels[x]][f]
	}
}

func (p *peeler) all(tuples []int32) ancestors {
	var a ancestors
	p.of(&a, tuples[0])
	for _, j := range tuples[1:] {
		p.join(&a, j)
	}
	return a
}

func (p *peeler) rows(tuples []int32) (n int64) {
	for _, j := range tuples {
		n += int64(p.t.rows[j])
	}
	return n
}

// most is how many tuples a group may have to be split: the time grows with the square.
const most = 1000

// leave makes classes of a group that fulfils the models: several small ones where that loses less and all of them
// fulfil the models, else one.
func (p *peeler) leave(group []int32) {
	for _, j := range group {
		p.gone[j] = true
	}
	p.left -= len(group)
	if rows := p.rows(group); rows >= 2*p.k && len(group) > 1 && len(group) <= most {
		parts := p.cluster(slices.Clone(group), rows)
		before, after := p.all(group).cost*float64(rows), 0.0
		for _, part := range parts {
			after += p.all(part).cost * float64(p.rows(part))
		}
		if len(parts) > 1 && after < before && p.allHold(parts) {
			for _, part := range parts {
				p.class(part)
			}
			return
		}
	}
	p.class(slices.Clone(group))
}

func (p *peeler) allHold(parts [][]int32) bool {
	if p.set.OnlyK() && p.m.person == nil {
		return true // cluster counts rows
	}
	for _, part := range parts {
		if !p.holds(part) {
			return false
		}
	}
	return true
}

// cluster makes groups of at least k rows, each from the rarest tuple left and those nearest to it (k-member, Byun et
// al. 2007). It uses up rest.
func (p *peeler) cluster(rest []int32, rows int64) (parts [][]int32) {
	slices.SortStableFunc(rest, func(a, b int32) int { return cmp.Compare(p.t.rows[b], p.t.rows[a]) })
	var a ancestors
	for rows >= 2*p.k {
		last := len(rest) - 1
		part := []int32{rest[last]}
		size := int64(p.t.rows[rest[last]])
		p.of(&a, rest[last])
		rest = rest[:last]
		for size < p.k && len(rest) > 0 {
			at, least := -1, math.Inf(1)
			for i, j := range rest {
				if c := p.cost(&a, j) * float64(size+int64(p.t.rows[j])); c < least {
					at, least = i, c
				}
			}
			j := rest[at]
			p.join(&a, j)
			part = append(part, j)
			size += int64(p.t.rows[j])
			last := len(rest) - 1
			rest[at] = rest[last]
			rest = rest[:last]
		}
		rows -= size
		if rows < p.k { // what is left would be too few
			return append(parts, append(part, rest...))
		}
		parts = append(parts, part)
	}
	if len(rest) > 0 {
		parts = append(parts, rest)
	}
	return parts
}

// class adds a class.
func (p *peeler) class(members []int32) {
	a := p.all(members)
	c := Class{Members: members, Levels: make([]uint8, len(p.cols)), Rows: p.rows(members)}
	for x, i := range p.order {
		c.Levels[i] = a.levels[x]
	}
	p.out.Classes = append(p.out.Classes, c)
}

// finish makes something of those who found no company: they are a class of their own where that fulfils the models,
// they are suppressed where the limit allows, else they join the class that this costs least.
func (p *peeler) finish() error {
	p.rest = p.remaining(p.rest)
	rest := p.rest
	for len(rest) > 0 {
		// A common ancestor may be missing only where caps forbid it.
		if p.joinable(rest) && p.holds(rest) {
			p.class(rest)
			break
		}
		if rows := p.rows(rest); rows <= p.limit {
			p.out.Suppressed = rows
			break
		}
		at := p.nearest(rest)
		if at < 0 {
			return ErrNone
		}
		last := len(p.out.Classes) - 1
		rest = append(slices.Clone(rest), p.out.Classes[at].Members...)
		p.out.Classes[at] = p.out.Classes[last]
		p.out.Classes = p.out.Classes[:last]
	}
	return p.judgeTable()
}

// joinable says whether tuples have common ancestors at all.
func (p *peeler) joinable(tuples []int32) bool {
	for x := range p.cols {
		up := p.cols[x].up[p.cols[x].top()]
		for _, j := range tuples[1:] {
			if up[p.row(j)[x]] != up[p.row(tuples[0])[x]] {
				return false
			}
		}
	}
	return true
}

// nearest is the class that costs least to join with the tuples, among those that can, -1 for none.
func (p *peeler) nearest(tuples []int32) int {
	at, least := -1, math.Inf(1)
	rows := p.rows(tuples)
	for i := range p.out.Classes {
		c := &p.out.Classes[i]
		both := append(slices.Clone(tuples), c.Members...)
		if !p.joinable(both) {
			continue
		}
		if cost := p.all(both).cost*float64(rows+c.Rows) - p.all(c.Members).cost*float64(c.Rows); cost < least {
			at, least = i, cost
		}
	}
	return at
}
