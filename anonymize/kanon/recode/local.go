package recode

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"carrel/anonymize/kanon/model"
)

// Local is a recoding in which each class is generalised on its own: as far as its rows differ and no further.
type Local struct {
	Classes    []Class
	Rows       int64
	Suppressed int64
	// Early says that time ended before all ways to generalise were tried; what was left went into coarser classes.
	Early bool

	space *space
}

// Class is a class of a local recoding.
type Class struct {
	Members []int32 // tuples of the table
	Levels  []uint8 // of each column, in the order of the table
	Rows    int64
}

// peeler recodes by peeling. The combinations of levels are gone through from cheap to dear, by what a row loses on
// average under them. Under each, rows of the same generalised values that fulfil the models together leave the table,
// split into the smallest groups near to each other (cluster) and generalised to the nearest common ancestors of each.
// So every row leaves under one of the cheapest combinations that give it company, and rows in dense regions keep their
// values. It is a heuristic: nothing is claimed about a best local recoding.
//
// Every class is judged by all models when it is made; nothing leaves without that.
type peeler struct {
	*space
	set   *model.Set
	k     int64
	judge *judge
	m     members
	limit int64
	until time.Time

	rest []int32  // tuples that have not left
	gone []bool   // by tuple
	left int      // tuples that have not left
	code []uint16 // tuple-major, columns in the order of the space
	zob  [][][]uint64
	ncp  [][][]float64 // column -> level -> code -> share of the leaves that are too many

	lists  map[string][]int32 // tuples that have company by the columns in coarse alone
	coarse []int              // columns with most values

	keys  []uint64
	slots []slot
	gen   uint32
	at    []int32
	out   *Local
}

// slot counts the rows of one combination of values.
type slot struct {
	key   uint64
	gen   uint32
	rows  int32
	n     int32 // tuples
	start int32
}

// lastSteps is how many combinations are tried, at even distances, of those left when the time is over: so that those
// who are left go into many classes all the same.
const lastSteps = 128

// Recode makes a local recoding. ErrNone: not even one class of everything fulfils the models.
func Recode(ctx context.Context, t *Table, o Options) (*Local, error) {
	if len(o.Models.Classes) == 0 {
		return nil, errors.New("local recoding needs a privacy model for its classes, such as k-anonymity")
	}
	if t.pop != nil {
		return nil, errors.New("after local recoding the released combinations overlap: a person of the population may fall under several and belongs to no one class that k-map and δ-presence could count her in; search full-domain for them")
	}
	p := newPeeler(t, o)
	nodes := p.nodes()
	for i, step := 0, 1; i < len(nodes) && p.left > 0; i += step {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !p.out.Early && !p.until.IsZero() && time.Now().After(p.until) {
			p.out.Early = true
			step = 1 + (len(nodes)-i)/lastSteps
		}
		p.peel(nodes[i].levels)
	}
	if err := p.finish(); err != nil {
		return nil, err
	}
	return p.out, nil
}

func newPeeler(t *Table, o Options) *peeler {
	p := &peeler{space: newSpace(t), set: &o.Models, judge: newJudge(t), limit: int64(o.Suppression * float64(t.total)), lists: map[string][]int32{}}
	p.k = o.Models.Necessary().K()
	p.m = members{t.rows, t.pop, t.tag, t.person}
	p.out = &Local{Rows: t.total, space: p.space}
	if o.Limit > 0 {
		p.until = time.Now().Add(o.Limit * 4 / 5) // the rest is for the last steps
	}
	width := len(p.cols)
	p.code = make([]uint16, len(t.codes))
	for j := range t.rows {
		for x, i := range p.order {
			p.code[j*width+x] = t.codes[j*width+i]
		}
		if t.rows[j] > 0 {
			p.rest = append(p.rest, int32(j))
		}
	}
	p.gone, p.left = make([]bool, len(t.rows)), len(p.rest)
	p.keys, p.at = make([]uint64, len(p.rest)), make([]int32, len(p.rest))
	p.canonical()
	for x := range p.cols {
		c := &p.cols[x]
		zob, ncp := make([][]uint64, len(c.up)), make([][]float64, len(c.up))
		for l := range c.up {
			for code, g := range c.up[l] {
				zob[l] = append(zob[l], mix(uint64(x+1)<<32|uint64(l)<<24^uint64(g)+1))
				ncp[l] = append(ncp[l], float64(c.cover[l][code]-1)/math.Max(1, float64(c.leaves-1))*t.columns[p.order[x]].Weight)
			}
		}
		p.zob, p.ncp = append(p.zob, zob), append(p.ncp, ncp)
	}
	for x := max(0, width-(width+1)/2); x < width; x++ {
		p.coarse = append(p.coarse, x)
	}
	return p
}

// canonical sorts the tuples by their values, so that the order of the rows changes nothing.
func (p *peeler) canonical() {
	slices.SortFunc(p.rest, func(a, b int32) int {
		for x, i := range p.order {
			leaf := p.t.leaf[i]
			if c := cmp.Compare(leaf[p.row(a)[x]], leaf[p.row(b)[x]]); c != 0 {
				return c
			}
		}
		return cmp.Compare(a, b)
	})
}

func (p *peeler) row(j int32) []uint16 {
	width := len(p.cols)
	return p.code[int(j)*width : (int(j)+1)*width]
}

type node struct {
	levels []uint8
	cost   float64
}

// maxNodes bounds how many combinations are tried.
const maxNodes = 1 << 18

// nodes lists combinations of levels from cheap to dear: all of them, or, where there are too many, those of thinned
// hierarchies. Classes are generalised to their nearest ancestors whatever brought them together.
func (p *peeler) nodes() []node {
	cost := make([][]float64, len(p.cols))
	for x := range p.cols {
		for l := range p.ncp[x] {
			sum := 0.0
			for _, j := range p.rest {
				sum += float64(p.t.rows[j]) * p.ncp[x][l][p.row(j)[x]]
			}
			cost[x] = append(cost[x], sum/float64(p.t.total))
		}
	}
	some := thinned(cost)
	var all []node
	levels := make([]uint8, len(p.cols))
	var visit func(x int, c float64)
	visit = func(x int, c float64) {
		if x == len(levels) {
			all = append(all, node{slices.Clone(levels), c})
			return
		}
		for _, l := range some[x] {
			levels[x] = uint8(l)
			visit(x+1, c+cost[x][l])
		}
	}
	visit(0, 0)
	slices.SortStableFunc(all, func(a, b node) int { return cmp.Compare(a.cost, b.cost) })
	return all
}

// thinned takes levels out of the columns with most of them, where two differ least, until few enough combinations are
// left; then it leaves the first columns, those with the fewest values, only their top.
func thinned(cost [][]float64) [][]int {
	levels := make([][]int, len(cost))
	total := 1.0
	for x := range cost {
		for l := range cost[x] {
			levels[x] = append(levels[x], l)
		}
		total *= float64(len(levels[x]))
	}
	for x := 0; total > maxNodes; {
		most := 0
		for y := range levels {
			if len(levels[y]) > len(levels[most]) {
				most = y
			}
		}
		if n := len(levels[most]); n > 2 {
			at, least := 1, math.Inf(1)
			for i := 1; i < n-1; i++ {
				if d := cost[most][levels[most][i+1]] - cost[most][levels[most][i]]; d < least {
					at, least = i, d
				}
			}
			levels[most] = slices.Delete(levels[most], at, at+1)
			total *= float64(n-1) / float64(n)
			continue
		}
		if len(levels[x]) == 2 {
			levels[x] = levels[x][1:]
			total /= 2
		}
		x++
	}
	return levels
}

// peel lets the groups under one combination leave.
func (p *peeler) peel(levels []uint8) {
	list := p.candidates(levels)
	if len(list) == 0 {
		return
	}
	p.hash(list, levels, nil)
	hit := p.gather(list)
	if len(hit) == 0 {
		return
	}
	for _, g := range hit {
		s := &p.slots[g]
		p.leave(p.at[s.start : s.start+s.n])
	}
}

// remaining takes those out of a list who have left.
func (p *peeler) remaining(list []int32) []int32 {
	kept := list[:0]
	for _, j := range list {
		if !p.gone[j] {
			kept = append(kept, j)
		}
	}
	return kept
}

// candidates are the tuples that have company under the levels of the columns with most values alone. Who has none now
// never will: the rest only shrinks.
func (p *peeler) candidates(levels []uint8) []int32 {
	key := string(levels[p.coarse[0]:])
	list, known := p.lists[key]
	if !known {
		p.rest = p.remaining(p.rest)
		list = p.rest
		p.hash(list, levels, p.coarse)
		var some []int32
		for i, j := range list {
			if int64(p.slots[p.keys[i]].rows) >= p.k {
				some = append(some, j)
			}
		}
		p.lists[key] = some
		return some
	}
	list = p.remaining(list)
	p.lists[key] = list
	return list
}

// hash counts rows by their values under levels, over the columns given (nil: all). keys then has the slot of each of
// list. Values stand as one number each, whose sum is the key: should two combinations ever share one, their rows form
// one group with coarser ancestors, and the models are judged all the same.
func (p *peeler) hash(list []int32, levels []uint8, over []int) {
	size := 64
	for size < 2*len(list) {
		size *= 2
	}
	if len(p.slots) < size {
		p.slots = make([]slot, size)
		p.gen = 0
	}
	p.gen++
	mask := uint64(size - 1)
	width := len(p.cols)
	from := 0
	if over != nil {
		from = over[0]
	}
	tabs := make([][]uint64, width)
	for x := from; x < width; x++ {
		tabs[x] = p.zob[x][levels[x]]
	}
	tabs = tabs[from:]
	for i, j := range list {
		row := p.code[int(j)*width+from : (int(j)+1)*width]
		key := uint64(0)
		for x, c := range row {
			key += tabs[x][c]
		}
		at := (key ^ key>>32) & mask
		for p.slots[at].gen == p.gen && p.slots[at].key != key {
			at = (at + 1) & mask
		}
		s := &p.slots[at]
		if s.gen != p.gen {
			*s = slot{key: key, gen: p.gen}
		}
		s.rows += p.t.rows[j]
		s.n++
		p.keys[i] = at
	}
}

// gather sorts the tuples of groups that may hold by their group and returns the groups that do, in the order of their
// first tuple.
func (p *peeler) gather(list []int32) (hit []uint64) {
	at := int32(0)
	for i := range list {
		if s := &p.slots[p.keys[i]]; int64(s.rows) >= p.k && s.start == 0 {
			s.start = -1 // seen
			hit = append(hit, p.keys[i])
		}
	}
	if len(hit) == 0 {
		return nil
	}
	for _, g := range hit {
		s := &p.slots[g]
		s.start, at = at, at+s.n
		s.n = 0
	}
	for i, j := range list {
		if s := &p.slots[p.keys[i]]; int64(s.rows) >= p.k {
			p.at[s.start+s.n] = j
			s.n++
		}
	}
	if p.set.OnlyK() && p.m.person == nil {
		return hit
	}
	return slices.DeleteFunc(hit, func(g uint64) bool {
		s := &p.slots[g]
		return !p.holds(p.at[s.start : s.start+s.n])
	})
}

func (p *peeler) holds(tuples []int32) bool { return p.set.Holds(p.judge.class(p.m, tuples)) }
