package plan

// combinations bounds how many different tuples of some values one person's joined rows hold: the groups that GROUP BY makes of them, the
// rows that DISTINCT leaves, the cells that a person reaches.
//
// Argument. Fix a person. A joined row is a choice of one row, or of none on a null side, of every scan, and a value without a window and
// without a subquery is a function of the rows of the scans that its columns come from. So for any set T of scans, those values of the
// tuple that read scans of T alone take together at most as many forms as there are choices of rows of T:
//
//   - of a private scan as many as the person has rows in it, whatever it is joined to, and one more on a null side;
//   - of a public scan, the row of the scan it is joined to being in T and chosen: at most its verified multiplicity of matches; and none
//     besides, when what decides that there is no match reads more than this row.
//
// Every other value takes at most as many forms as its domain has members, less what WHERE takes away, and NULL; the unit is the person or
// NULL. The product bounds the tuples for each T, hence also the least one. In particular a group for each row key of a table is bounded by
// that table's cap, however many rows are joined to it. (Distinct tuples of a projection of a join are at most those of the projections'
// product: A. Atserias, M. Grohe and D. Marx, "Size Bounds and Query Plans for Relational Joins", FOCS 2008, in its simplest case.)
func (b *builder) combinations(list []value) int64 {
	reads, forms := make([]uint, len(list)), make([]int64, len(list))
	for i, v := range list {
		reads[i], forms[i] = b.reads(v.t), b.forms(v)
	}
	least := int64(maxExact)
	for of := range uint(1) << len(b.scans) {
		n := b.choices(of)
		for i := range list {
			if reads[i]&^of != 0 {
				n = mul(n, forms[i])
			}
		}
		least = min(least, n)
	}
	return max(1, least)
}

// everything is read by what is no function of single rows: windows and subqueries.
const everything = ^uint(0)

// reads is the set of scans of this SELECT whose rows decide a value. Columns of the SELECTs around are the same in all rows.
func (b *builder) reads(t *term) uint {
	if b.windowed(t) || b.asks(t) {
		return everything
	}
	of := uint(0)
	b.termLeaves(t, func(r ref) {
		if r.depth == b.depth {
			of |= 1 << r.scan
		}
	})
	return of
}

// choices is how many ways there are to choose a row of each scan of a set; without the scan that a public one hangs on there is no bound.
func (b *builder) choices(of uint) int64 {
	n := int64(1)
	for i := range b.scans {
		s := &b.scans[i]
		switch {
		case of&(1<<i) == 0:
		case s.table.Public:
			n = mul(n, b.matches(i, of))
		case s.outer:
			n = mul(n, s.m+1)
		default:
			n = mul(n, s.m)
		}
	}
	return n
}

// matches is how many rows of a public scan stand beside one choice of rows of the scans in a set.
func (b *builder) matches(i int, of uint) int64 {
	for _, e := range b.edges {
		switch {
		case e.scan != i || of&(1<<e.beside) == 0:
		case b.scans[i].outer && (len(e.on) > 1 || e.extra != nil):
			return e.fan + 1
		default:
			return e.fan
		}
	}
	return maxExact
}

// forms is how many values a value can take, NULL among them.
func (b *builder) forms(v value) int64 {
	col := *v.col
	col.Nullable = b.canBeNull(v)
	if c := b.where.top(b.intern(v)); c != nil {
		n := c.set.size()
		if c.null && col.Nullable {
			n++
		}
		return min(n, forms(&col))
	}
	return forms(&col)
}

// forms is how many values a column can take in one person's rows, NULL among them.
func forms(c *Column) int64 {
	n := set{domain(c)}.size()
	if c.Kind == KindUnit {
		n = 1
	}
	if c.Nullable {
		n++
	}
	return n
}

// columnNames are all columns of a relation but the unit.
func (t *Table) columnNames() []string {
	var out []string
	for i := range t.Columns[1:] {
		out = append(out, t.Columns[i+1].Name)
	}
	return out
}
