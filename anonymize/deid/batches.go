package deid

import (
	"context"

	"carrel/anonymize/extract"
)

// batchSet is the memory of one batch; two of them let one batch be gathered while the other is sealed.
type batchSet struct {
	from    int // the first row
	persons []uint32
	ranks   []int64
	columns []buffers
}

// place notes person and rank of rows from..to, going on from the person where the batch before ended.
func (s *batchSet) place(rows *sorted, person uint32, from, to int) uint32 {
	s.from, s.persons, s.ranks = from, s.persons[:0], s.ranks[:0]
	for i := uint32(from); i < uint32(to); i++ {
		for rows.starts[person+1] <= i {
			person++
		}
		s.persons = append(s.persons, person)
		s.ranks = append(s.ranks, int64(i-rows.starts[person])+1)
	}
	return person
}

// vectors makes the columns of a batch in file order, on all processors.
func (t *table) vectors(rows []entry, set *batchSet) []extract.Vector {
	if set.columns == nil {
		set.columns = make([]buffers, len(t.layout.Columns))
	}
	out := make([]extract.Vector, len(t.layout.Columns))
	inRanges(len(out), 1, func(from, to int) {
		for i := from; i < to; i++ {
			out[i] = t.vector(&t.layout.Columns[i], rows, set, &set.columns[i])
		}
	})
	return out
}

func (t *table) vector(c *extract.Column, rows []entry, set *batchSet, out *buffers) extract.Vector {
	switch {
	case c.Kind == extract.KindNameUnit:
		return extract.Of(set.persons, nil)
	case c.Kind == extract.KindNameRank && c.ArrowType == "uint8":
		return narrowed[uint8](set.ranks, nil, out)
	case c.Kind == extract.KindNameRank:
		return narrowed[uint16](set.ranks, nil, out)
	}
	o := t.ops[t.opIndex(c.Name)]
	if o.step.action == actKey {
		return o.keys(rows, set, out)
	}
	return o.store.gather(rows, out)
}

// keys makes the numbers of a key column.
func (o *op) keys(rows []entry, set *batchSet, out *buffers) extract.Vector {
	out.keys, out.missing = out.keys[:0], out.missing[:0]
	if o.numbers != nil {
		for _, v := range o.numbers[set.from : set.from+len(rows)] {
			out.keys = append(out.keys, int64(v))
		}
		return narrowed[uint32](out.keys, nil, out)
	}
	mix := o.space.mix.clone() // other columns refer to the same space
	for i := range rows {
		row := rows[i].row
		v, found := int64(0), false
		if !o.keyGone(row) {
			if v, found = o.space.lookup(mix, set.persons[i], o.hashes.at(row)); !found {
				o.count.Dangling++
			}
		}
		if !found {
			v = 0
		}
		out.keys = append(out.keys, v)
		out.missing = append(out.missing, !found && o.col.Nullable)
	}
	return narrowed[uint32](out.keys, out.missing, out)
}

func narrowed[T extract.Integer](wide []int64, missing []bool, out *buffers) extract.Vector {
	values, same := out.values.([]T)
	if !same {
		values = make([]T, extract.BatchRows)
		out.values, out.valid = values, make([]byte, (extract.BatchRows+7)/8)
	}
	values = values[:len(wide)]
	for i, v := range wide {
		values[i] = T(v)
	}
	var valid []byte
	for i, m := range missing {
		if m {
			if valid == nil {
				valid = out.valid
				for j := range valid {
					valid[j] = 0xFF
				}
			}
			valid[i>>3] &^= 1 << (i & 7)
		}
	}
	if valid != nil {
		valid = valid[:(len(wide)+7)/8]
	}
	return extract.Of(values, valid)
}

// writeBatches gathers one batch while the one before is hashed, sealed and written.
func writeBatches(ctx context.Context, tw *extract.TableWriter, rows int, gather func(from, to int, set *batchSet) []extract.Vector) error {
	type job struct {
		vectors []extract.Vector
		set     *batchSet
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	jobs, free := make(chan job), make(chan *batchSet, 2)
	free <- new(batchSet)
	free <- new(batchSet)
	go func() {
		defer close(jobs)
		for from := 0; from < rows; from += extract.BatchRows {
			var set *batchSet
			select {
			case set = <-free:
			case <-ctx.Done():
				return
			}
			v := gather(from, min(from+extract.BatchRows, rows), set)
			select {
			case jobs <- job{v, set}:
			case <-ctx.Done():
				return
			}
		}
	}()
	var err error
	for j := range jobs {
		if err == nil {
			if err = tw.Write(j.vectors); err != nil {
				cancel()
			}
		}
		free <- j.set
	}
	if err == nil {
		err = context.Cause(ctx)
	}
	return err
}
