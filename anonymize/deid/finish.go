package deid

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"carrel/anonymize/extract"
)

// sorted are the kept rows of a private table: rows[starts[p]:starts[p+1]] are person p's, in rank order.
type sorted struct {
	rows   []entry
	starts []uint32
}

// sortRows counts, places and ranks. The rank is the place of a row among its person's rows by a keyed hash of the
// person's number and the row's key (or text): no stream of random numbers is shared between persons, so nothing that
// other persons do moves it.
func (b *builder) sortRows(ctx context.Context, t *table) (*sorted, error) {
	if t.persons {
		b.renumber(t)
	}
	if t.hashesLate() {
		if err := b.tellApart(ctx, t); err != nil {
			return nil, err
		}
	}
	starts := make([]uint32, len(b.register.digests)+1)
	for _, chunk := range t.owner.chunks() {
		for _, n := range chunk {
			if n != nobody {
				starts[n+1]++
			}
		}
	}
	for p := 1; p < len(starts); p++ {
		starts[p] += starts[p-1]
	}
	giveBack(t.owner.n) // of what reading needed
	all := make([]entry, starts[len(starts)-1])
	t.place(all, starts)
	t.owner, t.hash = words[uint32]{}, words[uint64]{}
	if t.rowKey != nil {
		t.rowKey.hashes = nil // what others refer to is in the space
	}
	giveBack(len(all))
	return b.cut(t, all, starts)
}

// place puts each row behind those of its person that stand before it in the source. Each processor does a part of the persons.
func (t *table) place(all []entry, starts []uint32) {
	hashes := &t.hash
	if t.rowKey != nil {
		hashes = t.rowKey.hashes
	}
	persons := len(starts) - 1
	next := make([]uint32, persons)
	copy(next, starts)
	parts := 1
	if len(all) > rangePersons {
		parts = runtime.GOMAXPROCS(0)
	}
	inRanges(parts, 1, func(part, end int) {
		from, to := uint32(part*persons/parts), uint32(end*persons/parts)
		for k, chunk := range t.owner.chunks() {
			orders := hashes.chunk(k)
			for i, n := range chunk {
				if n >= from && n < to { // nobody is beyond all
					all[next[n]] = entry{order: orders[i], row: uint32(k<<chunkBits + i)}
					next[n]++
				}
			}
		}
	})
}

// renumber turns the persons of the table of persons into numbers, now that they are known.
func (b *builder) renumber(t *table) {
	chunks := t.owner.chunks()
	var counts sync.Mutex
	inRanges(len(chunks), 1, func(from, to int) {
		dropped := map[string]int64{}
		for _, chunk := range chunks[from:to] {
			for i, person := range chunk {
				n, why := b.people.fate(person)
				if why != "" {
					dropped[why]++
				}
				chunk[i] = n
			}
		}
		counts.Lock()
		defer counts.Unlock()
		for why, n := range dropped {
			t.drop(why, n)
		}
	})
}

func (t *table) drop(why string, n int64) {
	t.rep.Dropped[why] += n
	t.rep.Kept -= n
}

// cut sorts each person's rows by rank and drops what lies above the cap. The cap is public and fixed by the recipe's
// catalogue entry; without it one person could own a whole table.
func (b *builder) cut(t *table, all []entry, starts []uint32) (*sorted, error) {
	out := &sorted{rows: all[:0], starts: make([]uint32, len(starts))}
	limit := uint32(min(t.layout.MaxRows, 1<<31))
	var keys []uint64
	var numbers []uint32
	if t.rowKey != nil {
		keys, numbers = make([]uint64, len(all)), make([]uint32, len(all))
	}
	twice := t.rank(all, starts, limit, keys, numbers)
	for p := range len(starts) - 1 {
		from, to := starts[p], starts[p+1]
		own := all[from:to]
		if n := uint32(len(own)); n > limit {
			why := DroppedAboveCap
			if limit == 1 {
				why = DroppedDuplicate
			}
			t.drop(why, int64(n-limit))
			own = own[:limit]
		}
		at := len(out.rows)
		if at == int(from) { // nobody before had to lose rows
			out.rows = all[:at+len(own)]
		} else {
			out.rows = append(out.rows, own...)
			if keys != nil {
				copy(keys[at:], keys[from:int(from)+len(own)])
				copy(numbers[at:], numbers[from:int(from)+len(own)])
			}
		}
		out.starts[p+1] = uint32(len(out.rows))
	}
	if twice > 0 {
		return nil, fmt.Errorf("table %q: %d rows repeat a row key of the same person; %q must tell a person's rows apart", t.layout.Name, twice, t.layout.RowKey)
	}
	if t.rowKey != nil {
		t.rowKey.numbers = numbers
		t.rowKey.space.starts, t.rowKey.space.keys = out.starts, keys[:len(out.rows)]
	}
	return out, b.limits(t)
}

// keyed is a row with its key as its person has it.
type keyed struct {
	entry
	key uint64
}

// rank sorts each person's rows, and counts those that repeat a row key. Of the rows that the cap leaves, keys gets the keys of each person, sorted,
// and numbers the place of each row's own key among them.
func (t *table) rank(all []entry, starts []uint32, limit uint32, keys []uint64, numbers []uint32) int64 {
	var twice atomic.Int64
	inRanges(len(starts)-1, rangePersons, func(from, to int) {
		mix, ranks := t.mix.clone(), []keyed(nil)
		var number *prf
		if t.rowKey != nil {
			number = t.rowKey.space.mix.clone()
		}
		for p := from; p < to; p++ {
			at := starts[p]
			own := all[at:starts[p+1]]
			ranks = ranks[:0]
			for i := range own {
				key := uint64(0)
				if number != nil {
					key = number.pair(uint64(p), own[i].order)
				}
				own[i].order = mix.pair(uint64(p), own[i].order)
				ranks = append(ranks, keyed{own[i], key})
			}
			if len(own) > 1 {
				slices.SortFunc(ranks, func(a, b keyed) int { return cmp.Compare(a.order, b.order) })
				for i := range own {
					own[i] = ranks[i].entry
				}
			}
			if number == nil {
				continue
			}
			for i := 1; i < len(own); i++ {
				if own[i].order == own[i-1].order {
					twice.Add(1)
				}
			}
			ranks = ranks[:min(len(ranks), int(limit))]
			numberKeys(ranks, keys[at:], numbers[at:])
		}
	})
	return twice.Load()
}

// numberKeys sorts the keys of one person's rows and gives each row the place of its own, from 1.
func numberKeys(rows []keyed, keys []uint64, numbers []uint32) {
	const few = 16
	for i := range rows {
		keys[i] = rows[i].key
	}
	keys = keys[:len(rows)]
	slices.Sort(keys)
	for i := range rows {
		below := 0
		if len(rows) <= few {
			for _, k := range keys {
				if k < rows[i].key {
					below++
				}
			}
		} else {
			below, _ = slices.BinarySearch(keys, rows[i].key)
		}
		numbers[i] = uint32(below) + 1
	}
}

// rangePersons is what one goroutine takes at a time.
const rangePersons = 1 << 14

// inRanges works on all of 0 to n, so many at a time, on all processors.
func inRanges(n, size int, work func(from, to int)) {
	if n <= size {
		work(0, n)
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				to := int(next.Add(int64(size)))
				if to-size >= n {
					return
				}
				work(to-size, min(n, to))
			}
		})
	}
	wg.Wait()
}

// limits fails the build where more rows were lost than the recipe declares.
func (b *builder) limits(t *table) error {
	read := float64(t.rep.Read)
	lost := t.rep.Dropped[DroppedNoUnit] + t.rep.Dropped[DroppedUnlinked] + t.rep.Dropped[DroppedUnregistered]
	if float64(lost) > b.recipe.missingUnit*read {
		return fmt.Errorf("table %q: %d of %d rows name no person of the register (%d none, %d unlinked, %d unregistered); missing_unit allows %.4g%%",
			t.layout.Name, lost, t.rep.Read, t.rep.Dropped[DroppedNoUnit], t.rep.Dropped[DroppedUnlinked],
			t.rep.Dropped[DroppedUnregistered], 100*b.recipe.missingUnit)
	}
	if twice := t.rep.Dropped[DroppedDuplicate]; float64(twice) > t.spec.duplicates*read {
		return fmt.Errorf("table %q: %d rows are a second row of a person, where the catalogue declares one row a person; duplicates allows %.4g%%",
			t.layout.Name, twice, 100*t.spec.duplicates)
	}
	if t.rowKey != nil && t.rowKey.count.Missing > 0 {
		return fmt.Errorf("table %q: %d rows lack the row key %q", t.layout.Name, t.rowKey.count.Missing, t.layout.RowKey)
	}
	return nil
}

// lookAtAll does what a global step does when all rows are known.
func (o *op) lookAtAll(s *sorted, table string) error {
	switch o.step.global() {
	case "rarer_than":
		o.foldRare(s)
	case "percentile":
		o.atPercentile(s)
	case actMicro:
		return o.microAggregate(s, table)
	}
	return nil
}

// foldRare is a global step: values of fewer persons than asked fold. What they fold into must be of as many persons itself: else whoever is alone in
// it stands out as before, and the next rarest values go there too.
func (o *op) foldRare(s *sorted) {
	persons := o.personsByValue(s)
	fold := make([]bool, len(persons))
	for v, n := range persons {
		fold[v] = n > 0 && n < o.step.rarer && int64(v) != o.finish.into
	}
	for n := o.personsOf(s, fold); n > 0 && n < o.step.rarer; n = o.personsOf(s, fold) {
		next := -1
		for v, n := range persons {
			if n > 0 && !fold[v] && int64(v) != o.finish.into && (next < 0 || n < persons[next]) {
				next = v
			}
		}
		if next < 0 {
			break // all are one value
		}
		fold[next] = true
	}
	for _, e := range s.rows {
		if v, present := o.store.get(e.row); present && fold[v] {
			o.store.set(e.row, o.finish.into)
			o.count.Folded++
		}
	}
}

// personsByValue counts the persons who have each value.
func (o *op) personsByValue(s *sorted) []int64 {
	persons := make([]int64, len(o.col.Values))
	last := make([]int64, len(o.col.Values)) // the person counted last, +1
	for p := range len(s.starts) - 1 {
		for _, e := range s.rows[s.starts[p]:s.starts[p+1]] {
			if v, present := o.store.get(e.row); present && last[v] != int64(p)+1 {
				last[v] = int64(p) + 1
				persons[v]++
			}
		}
	}
	return persons
}

// personsOf counts the persons who have the value that others fold into, or one that folds.
func (o *op) personsOf(s *sorted, fold []bool) int64 {
	n := int64(0)
	for p := range len(s.starts) - 1 {
		if slices.ContainsFunc(s.rows[s.starts[p]:s.starts[p+1]], func(e entry) bool {
			v, present := o.store.get(e.row)
			return present && (fold[v] || v == o.finish.into)
		}) {
			n++
		}
	}
	return n
}

// finishPrivate sorts, numbers keys and writes a private table.
func (b *builder) finishPrivate(ctx context.Context, t *table, w *extract.Writer) error {
	s, err := b.sortRows(ctx, t)
	if err != nil {
		return err
	}
	for _, o := range t.ops {
		if err := o.lookAtAll(s, t.layout.Name); err != nil {
			return err
		}
	}
	tw, err := w.Table(t.layout)
	if err != nil {
		return err
	}
	person := uint32(0)
	err = writeBatches(ctx, tw, len(s.rows), func(from, to int, set *batchSet) []extract.Vector {
		person = set.place(s, person, from, to)
		return t.vectors(s.rows[from:to], set)
	})
	if err != nil {
		return err
	}
	return tw.Close()
}

// finishPublic sorts a public table by its content, checks what the planner relies on, and writes it.
func (b *builder) finishPublic(ctx context.Context, t *table, w *extract.Writer) error {
	if t.rowKey != nil {
		t.rowKey.space.fillPublic(t.rowKey.hashes)
	}
	rows := make([]entry, t.rep.Kept)
	for i := range rows {
		rows[i].row = uint32(i)
	}
	slices.SortFunc(rows, func(a, b entry) int { return t.compare(a.row, b.row) })
	for i, c := range t.schema.Columns {
		if err := t.checkPublic(t.ops[t.opIndex(t.layout.Columns[i].Name)], c.MaxPerKey, c.Name == t.layout.RowKey, rows); err != nil {
			return err
		}
	}
	tw, err := w.Table(t.layout)
	if err != nil {
		return err
	}
	err = writeBatches(ctx, tw, len(rows), func(from, to int, set *batchSet) []extract.Vector {
		set.persons = set.persons[:0]
		for range to - from {
			set.persons = append(set.persons, 0)
		}
		return t.vectors(rows[from:to], set)
	})
	if err != nil {
		return err
	}
	return tw.Close()
}

func (t *table) opIndex(column string) int {
	return slices.IndexFunc(t.ops, func(o *op) bool { return o.col.Name == column })
}

// value reads a cell of a public table, keys by their number.
func (o *op) value(row uint32) (int64, bool) {
	if o.step.action != actKey {
		return o.store.get(row)
	}
	if o.keyGone(row) {
		return 0, false
	}
	return o.space.lookup(o.space.mix, 0, o.hashes.at(row))
}

func (t *table) compare(a, b uint32) int {
	for _, c := range t.layout.Columns {
		o := t.ops[t.opIndex(c.Name)]
		x, xok := o.value(a)
		y, yok := o.value(b)
		if xok != yok {
			if xok {
				return 1
			}
			return -1
		}
		if d := cmp.Compare(x, y); d != 0 {
			return d
		}
	}
	return 0
}

// checkPublic verifies the largest number of rows that share a value: joins multiply by it.
func (t *table) checkPublic(o *op, most int64, rowKey bool, rows []entry) error {
	if rowKey {
		most = 1
	}
	if most <= 0 {
		return nil
	}
	count := map[int64]int64{}
	worst := int64(0)
	for _, e := range rows {
		v, present := o.value(e.row)
		if !present {
			if rowKey {
				return fmt.Errorf("table %q: a row lacks the row key %q", t.layout.Name, o.col.Name)
			}
			continue
		}
		count[v]++
		worst = max(worst, count[v])
	}
	if worst > most {
		return fmt.Errorf("table %q: %d rows share one value of %q, where the catalogue declares at most %d", t.layout.Name, worst, o.col.Name, most)
	}
	return nil
}
