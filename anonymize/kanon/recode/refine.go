package recode

import (
	"slices"

	"carrel/anonymize/kanon/model"
)

// refiner splits partitions. It has the memory that all splits share, and is used by one goroutine.
type refiner struct {
	*space
	k       int64
	plain   bool // persons are rows, and small classes are all that fails
	persons bool // small classes are all that fails, and persons have several rows
	set     *model.Set
	need    *model.Set
	union   *model.Set
	judge   *judge
	limit   int64

	count    []int32 // rows by group
	size     []int32 // tuples by group
	start    []int32
	seen     []uint16 // groups that occur
	perm     []int32
	kept     []int32
	keys     []uint64
	exact    bool // keys tell all tuples apart
	table    []int32
	distinct []uint64
	first    []int32 // of the tuples that are alike
}

func newRefiner(s *space, set *model.Set, limit int64) *refiner {
	widest := 1
	for i := range s.cols {
		widest = max(widest, slices.Max(s.cols[i].groups))
	}
	need := set.Necessary()
	r := &refiner{space: s, k: need.K(), set: set, need: need, limit: limit, count: make([]int32, widest), size: make([]int32, widest), start: make([]int32, widest)}
	r.plain = need.OnlyK() && s.t.person == nil
	r.persons = need.OnlyK() && s.t.person != nil
	r.union = &model.Set{}
	if s.t.person == nil {
		r.union = set.Unions()
	}
	if r.union.OnlyK() {
		r.union = &model.Set{} // need says the same
	}
	r.judge = newJudge(s.t)
	return r
}

// fits says whether splitting p by column x at level l suppresses no more than the limit, by the necessary criteria. If
// it does not, no partition below p with x at l or lower fits: a finer split makes classes that are subsets, and what is
// Upward fails for the subsets of what it fails for.
func (r *refiner) fits(p *part, x, l int) bool {
	if l == r.cols[x].top() && r.cols[x].groups[l] == 1 {
		return true // no split
	}
	if !r.plain || len(r.union.Classes) > 0 {
		return r.fitsAll(p, x, l)
	}
	up, codes, count, k := r.cols[x].up[l], p.codes[x], r.count[:r.cols[x].groups[l]], int32(r.k)
	left := int32(r.limit - p.supp)
	start := int32(0)
	for _, end := range p.ends {
		if end-start == 1 {
			start = end
			continue
		}
		cs, ws := codes[start:end], p.w[start:end]
		ws = ws[:len(cs)]
		for j, c := range cs {
			count[up[c]] += ws[j]
		}
		if len(cs) > len(count) {
			for g, n := range count {
				if n < k {
					left -= n
				}
				count[g] = 0
			}
		} else {
			for _, c := range cs {
				g := up[c]
				if n := count[g]; n < k {
					left -= n
				}
				count[g] = 0
			}
		}
		if left < 0 {
			return false
		}
		start = end
	}
	return true
}

// fitsAll is fits for all criteria, with one more argument: a class that fails a criterion closed under union has a part
// that fails it in every finer partition, and a part that fails is suppressed, with at least one row.
func (r *refiner) fitsAll(p *part, x, l int) bool {
	left := r.limit - p.supp
	start := int32(0)
	for _, end := range p.ends {
		r.group(p, x, l, start, end)
		for _, g := range r.seen {
			members := r.perm[r.start[g]-r.size[g] : r.start[g]]
			if r.count[g] > 0 && !r.holds(p, members, int64(r.count[g])) {
				left -= int64(r.count[g])
			} else if len(r.union.Classes) > 0 && r.count[g] > 0 && !r.union.MayHold(r.judge.class(p.members(), members)) {
				left--
			}
		}
		r.forget()
		if left < 0 {
			return false
		}
		start = end
	}
	return true
}

// holds judges the class of members by the necessary criteria. With slack: what it denies is denied for certain.
func (r *refiner) holds(p *part, members []int32, rows int64) bool {
	if rows < r.k { // persons are at most rows
		return false
	}
	if r.persons {
		return r.crowd(p, members)
	}
	return r.plain || r.need.MayHold(r.judge.class(p.members(), members))
}

// crowd says whether the members are k persons. It looks at no more of them than it needs.
func (r *refiner) crowd(p *part, members []int32) bool {
	if r.k > manyPersons {
		return r.judge.persons(p.members(), members, r.k)
	}
	var seen [manyPersons]uint32
	n := int64(0)
next:
	for _, j := range members {
		for _, q := range seen[:n] {
			if q == p.person[j] {
				continue next
			}
		}
		if seen[n] = p.person[j]; n+1 == r.k {
			return true
		}
		n++
	}
	return false
}

// manyPersons is the k up to which persons are compared one by one.
const manyPersons = 16

// group sorts the tuples of a class by their group: those of g are perm[start[g]-size[g]:start[g]].
func (r *refiner) group(p *part, x, l int, from, to int32) {
	up, codes := r.cols[x].up[l], p.codes[x]
	for j := from; j < to; j++ {
		g := up[codes[j]]
		if r.size[g] == 0 {
			r.seen = append(r.seen, g)
		}
		r.size[g]++
		r.count[g] += p.w[j]
	}
	r.perm = grown(r.perm, int(to-from))
	at := int32(0)
	for _, g := range r.seen {
		r.start[g] = at
		at += r.size[g]
	}
	for j := from; j < to; j++ {
		g := up[codes[j]]
		r.perm[r.start[g]] = j
		r.start[g]++
	}
}

func (r *refiner) forget() {
	for _, g := range r.seen {
		r.size[g], r.count[g] = 0, 0
	}
	r.seen = r.seen[:0]
}

func grown[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/16)
	}
	return s[:n]
}

// settle has nothing to do: a refiner's partitions have their tuples from the start.
func (r *refiner) settle(*part) {}

// cut makes to the partition of from with its next column at level l.
func (r *refiner) cut(from, to *part, l int) {
	x := from.depth
	to.inherit(from)
	to.depth = x + 1
	to.level[x] = uint8(l)
	to.ends, r.kept = to.ends[:0], r.kept[:0]
	for y := range to.depth {
		to.cover[y] = to.cover[y][:0]
	}
	start := int32(0)
	for class, end := range from.ends {
		r.group(from, x, l, start, end)
		for _, g := range r.seen {
			members := r.perm[r.start[g]-r.size[g] : r.start[g]]
			cover := r.cols[x].cover[l][from.codes[x][members[0]]]
			if !r.holds(from, members, int64(r.count[g])) {
				r.drop(from, to, class, members, int64(r.count[g]), cover)
				continue
			}
			r.kept = append(r.kept, members...)
			to.ends = append(to.ends, int32(len(r.kept)))
			for y := range x {
				to.cover[y] = append(to.cover[y], from.cover[y][class])
			}
			to.cover[x] = append(to.cover[x], cover)
		}
		r.forget()
		start = end
	}
	r.take(from, to)
}

// drop suppresses the members of a class. The column just assigned had their sum at its level already, by codes.
func (r *refiner) drop(from, to *part, class int, members []int32, rows, cover int64) {
	for _, j := range members {
		r.suppress(from, to, j)
	}
	r.suppressClass(from, to, class, rows)
}

// take copies the tuples kept, those that no level still possible tells apart as one. Levels below low are never asked
// for again, so a tuple may speak for all that share its groups at low.
func (r *refiner) take(from, to *part) {
	if !mergeable(from, to) {
		r.copy(from, to, r.kept)
		to.w, to.pop = gather(to.w, from.w, r.kept), gather(to.pop, from.pop, r.kept)
		return
	}
	r.keyed(from, to)
	copy(to.merged, to.low)
	r.distinct, to.w, to.pop = r.distinct[:0], to.w[:0], to.pop[:0]
	r.first = r.first[:0]
	start := int32(0)
	for class, end := range to.ends {
		if end-start <= few {
			r.mergeFew(from, to, start, end)
		} else {
			r.mergeMany(from, to, start, end)
		}
		to.ends[class] = int32(len(r.first))
		start = end
	}
	r.copy(from, to, r.first)
}

// few is the number of tuples up to which comparing each with each is faster than a table.
const few = 8

func (r *refiner) mergeFew(from, to *part, start, end int32) {
	begin := len(r.first)
next:
	for j := start; j < end; j++ {
		key := r.keys[j]
		for t := begin; t < len(r.first); t++ {
			if r.distinct[t] == key && r.alike(from, to, r.first[t], r.kept[j]) {
				r.add(from, to, t, r.kept[j])
				continue next
			}
		}
		r.fresh(from, to, key, r.kept[j])
	}
}

func (r *refiner) mergeMany(from, to *part, start, end int32) {
	size := 16
	for size < 2*int(end-start) {
		size *= 2
	}
	r.table = grown(r.table, size)
	clear(r.table)
	mask := uint64(size - 1)
next:
	for j := start; j < end; j++ {
		key := r.keys[j]
		x := r.place(from, key, r.kept[j]) & mask
		for ; r.table[x] != 0; x = (x + 1) & mask {
			if t := int(r.table[x]) - 1; r.distinct[t] == key && r.alike(from, to, r.first[t], r.kept[j]) {
				r.add(from, to, t, r.kept[j])
				continue next
			}
		}
		r.fresh(from, to, key, r.kept[j])
		r.table[x] = int32(len(r.first))
	}
}

// place spreads keys, and with them who and what tells tuples of one key apart: else all persons of a class would be
// compared with each other.
func (r *refiner) place(from *part, key uint64, j int32) uint64 {
	h := mix(key)
	if from.person != nil {
		h = mix(h ^ uint64(from.person[j]))
	}
	if from.tag != nil {
		h = mix(h ^ uint64(from.tag[j]))
	}
	return h
}

// fresh notes a tuple unlike those before it, add one like tuple t.
func (r *refiner) fresh(from, to *part, key uint64, j int32) {
	r.first, r.distinct = append(r.first, j), append(r.distinct, key)
	to.w = append(to.w, from.w[j])
	if from.pop != nil {
		to.pop = append(to.pop, from.pop[j])
	}
}

func (r *refiner) add(from, to *part, t int, j int32) {
	to.w[t] += from.w[j]
	if from.pop != nil {
		to.pop[t] += from.pop[j]
	}
}

// mergeable says whether tuples may have become alike: only if one of the columns they differed in has lost levels
// since, or is assigned at a higher one.
func mergeable(from, to *part) bool {
	x := from.depth
	if to.level[x] > from.merged[x] {
		return true
	}
	for y := to.depth; y < len(to.low); y++ {
		if to.low[y] > from.merged[y] {
			return true
		}
	}
	return false
}

// copy takes what the tuples at carry besides their counts.
func (r *refiner) copy(from, to *part, at []int32) {
	for x := to.depth; x < len(r.cols); x++ {
		to.codes[x] = gather(to.codes[x], from.codes[x], at)
	}
	to.tag, to.person = gather(to.tag, from.tag, at), gather(to.person, from.person, at)
}

// keyed makes a key of the groups that each tuple kept is in at the lowest levels possible.
func (r *refiner) keyed(from, to *part) {
	r.keys = grown(r.keys, len(r.kept))
	clear(r.keys)
	product := 1.0
	for x := to.depth; x < len(r.cols); x++ {
		low := to.low[x]
		up, codes, n := r.cols[x].up[low], from.codes[x], uint64(r.cols[x].groups[low])
		if product *= float64(n); n == 1 {
			continue
		}
		for i, j := range r.kept {
			r.keys[i] = r.keys[i]*n + uint64(up[codes[j]])
		}
	}
	r.exact = product < 1<<62
}

// alike: two tuples of one key that may become one have the same sensitive values and the same person.
func (r *refiner) alike(from, to *part, a, b int32) bool {
	if from.tag != nil && from.tag[a] != from.tag[b] || from.person != nil && from.person[a] != from.person[b] {
		return false
	}
	if r.exact {
		return true
	}
	for x := to.depth; x < len(r.cols); x++ {
		up, codes := r.cols[x].up[to.low[x]], from.codes[x]
		if up[codes[a]] != up[codes[b]] {
			return false
		}
	}
	return true
}

func gather[T any](to, from []T, at []int32) []T {
	if from == nil {
		return nil
	}
	to = grown(to, len(at))
	for i, j := range at {
		to[i] = from[j]
	}
	return to
}
