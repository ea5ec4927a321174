package plan

// The stability of joins: how many joined rows one person can have. Everything here is by construction from the text and the
// schema, never from the data.
//
// Invariant. Every joined row belongs to one person u: the unit column of each private scan in it is u or, on the null side of
// a LEFT JOIN, NULL. Deleting a person deletes exactly that person's joined rows, because a private table joins only with
// its unit equal to a unit already in the row, and public tables do not change. So if a person has at most r joined rows,
// the bag of joined rows changes by at most r rows. (McSherry, Privacy Integrated Queries, SIGMOD 2009, stability of Join by
// bounded keys; Johnson, Near and Song, Towards Practical Differential Privacy for SQL Queries, VLDB 2018, for the m·m′ form.)

// rowsState is the bound while joins are placed.
type rowsState struct {
	rows int64
	// once holds the scans of which each row of a person stands in at most one joined row.
	once map[int]bool
}

func (b *builder) start() {
	b.placed[b.root] = true
	b.state = rowsState{rows: b.scans[b.root].m, once: map[int]bool{b.root: true}}
}

// bound computes the rows of a person after an edge, or says that nothing bounds them.
func (b *builder) bound(e *edge) bool {
	if b.scans[e.scan].table.Public {
		return b.boundPublic(e)
	}
	return b.boundPrivate(e)
}

// boundPublic: a public table whose key value is shared by at most q of its rows gives each row at most q matches, and LEFT
// keeps a row without match once: at most r·max(1, q) = r·q. The multiplicity is a property of the pinned public table,
// verified when it was registered (Column.MaxPerKey); without it the join is refused.
func (b *builder) boundPublic(e *edge) bool {
	q := int64(0)
	for _, eq := range e.on {
		if n := eq.right.col.MaxPerKey; n > 0 && (q == 0 || n < q) {
			q, e.beside = n, eq.left.scan
		}
	}
	if q == 0 {
		return false
	}
	e.fan = q
	b.state.rows = mul(b.state.rows, q)
	if q > 1 {
		b.state.once = map[int]bool{}
	}
	e.rows = b.state.rows
	e.rule = Text{"公共表：每行至多匹配已核实的倍数", "public table: a row matches at most the verified multiplicity"}
	return true
}

// boundPrivate. Let a person have at most r rows so far and at most m′ rows in the new table.
//
//   - The units must be equal, else rows of different persons would meet: refused.
//   - INNER: each pair at most once, r·m′.
//   - The new table's row key is equated (it is unique inside the person, or m′ = 1): each row so far meets at most one new
//     row, so INNER and LEFT give r, and what stood in at most one joined row still does.
//   - The row key of a scan x is equated, each x row standing in at most one row so far (or r = 1): each new row meets at
//     most one row so far, so INNER gives at most m′. LEFT adds the rows so far without a match: with no match at all r, with
//     one match or more at most m′ + (r − 1). So r + m′ − 1.
//   - LEFT otherwise: a row so far gives max(1, matches): r·max(1, m′) = r·m′.
//   - ASOF: a row so far meets the nearest row or none: r. (Which row is nearest is one of a kind: see asof.)
//
// Conditions beyond equalities only take matches away: every bound holds with them.
func (b *builder) boundPrivate(e *edge) bool {
	t, m := b.scans[e.scan].table, b.scans[e.scan].m
	onUnit, newKey, oldKey := false, m == 1, b.state.rows == 1
	equated, before := map[string]bool{}, map[int]map[string]bool{}
	for _, q := range e.on {
		onUnit = onUnit || q.left.col.Kind == KindUnit && q.right.col.Kind == KindUnit && !q.right.col.Nullable
		equated[q.right.col.Name] = true
		newKey = newKey || t.RowKey != "" && q.right.col.Name == t.RowKey
		old := b.scans[q.left.scan].table
		oldKey = oldKey || b.state.once[q.left.scan] && !old.Public && old.RowKey != "" && q.left.col.Name == old.RowKey
		if before[q.left.scan] == nil {
			before[q.left.scan] = map[string]bool{}
		}
		before[q.left.scan][q.left.col.Name] = true
	}
	for i, names := range before {
		oldKey = oldKey || b.state.once[i] && !b.scans[i].table.Public && b.scans[i].table.uniqueUnder(names)
	}
	if !onUnit {
		return false
	}
	newKey = newKey || t.uniqueUnder(equated)
	r := b.state.rows
	if e.kind == JoinAsof || e.kind == JoinAsofLeft {
		e.rows, e.rule = r, Text{"ASOF 连接：每行至多匹配一行", "ASOF join: a row meets at most one row"}
		return true
	}
	bound := mul(r, m)
	rule := Text{"按人连接：m·m′", "joined on the person: m·m′"}
	if oldKey && e.kind == JoinInner && m < bound {
		bound, rule = m, Text{"按人和左侧行键连接：m′", "joined on the person and the row key so far: m′"}
	}
	if oldKey && e.kind == JoinLeft && r+m-1 < bound {
		bound, rule = r+m-1, Text{"按人和左侧行键左连接：m+m′−1", "left-joined on the person and the row key so far: m+m′−1"}
	}
	if newKey && r < bound || newKey && r == 1 {
		bound, rule = r, Text{"按人和右侧行键连接：m", "joined on the person and the new table's row key: m"}
	}
	once := map[int]bool{}
	if newKey {
		once = b.state.once
	}
	if oldKey {
		next := map[int]bool{e.scan: true}
		for k := range once {
			next[k] = true
		}
		once = next
	}
	b.state = rowsState{rows: bound, once: once}
	e.rows, e.rule = bound, rule
	return true
}

// uniqueUnder says that a person has at most one row of the table for each choice of values of some columns.
func (t *Table) uniqueUnder(columns map[string]bool) bool {
	for _, names := range t.unique {
		all := true
		for _, n := range names {
			all = all && columns[n]
		}
		if all {
			return true
		}
	}
	return false
}

// finish cuts a product again. A bound above the largest hard cap of the joined private tables is brought down to it: joined
// rows are numbered inside the person in an order that depends on the person's rows alone and has no ties (the rank of each
// private scan, unique in the person; public rows by their key or by all columns, so that only equal rows tie), and numbers
// above the cap are dropped. Nothing that adds rows follows. "*" in the options lowers the cap too.
func (b *builder) finish() {
	most := b.capacity()
	for name, v := range b.options.RowsPerPerson {
		for i := range b.scans {
			if s := &b.scans[i]; name == AllTables || s.rel != nil && name == s.from.Alias {
				most = min(most, v)
			}
		}
	}
	b.m = b.state.rows
	if b.m > most {
		b.m, b.ranked = most, true
		b.rowOrder() // demanded before anything is written
		b.tellOrder()
	}
}

// reach bounds the cells that one person's rows can fall into: never more than the rows, never more than there are cells, and never more
// than the keys have combinations in them.
func (b *builder) reach(cells int64) int64 {
	var keys []value
	for _, k := range b.keys {
		keys = append(keys, value{t: &term{at: k.at}, col: k.at.col})
	}
	return min(b.m, cells, b.combinations(keys))
}
