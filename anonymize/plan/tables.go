package plan

import "sort"

// scan is one checked occurrence of a table, or of a relation seen as one.
type scan struct {
	table   *Table
	rel     *relation // nil: a stored table
	m       int64     // private: rows of a person that reach the join, after the cut by rank
	outer   bool      // on the null side of a LEFT JOIN
	order   []*Column // private: a total order of a person's rows
	ordered bool      // somebody needs that order
	from    Scan
}

// edge joins one scan to those before it.
type edge struct {
	scan  int
	kind  JoinKind
	on    []equality
	asof  *cond // the inequality of an ASOF join
	extra *cond // further conditions of a LEFT or ASOF join
	rule  Text  // why the rows of a person are bounded after it
	rows  int64 // the bound after it
	// Of a public table: the verified largest number of rows that share the equated key, and the scan that this key comes from.
	fan    int64
	beside int
}

type equality struct {
	left, right ref // right belongs to the scan being joined once the edge is placed
	offset      int
}

// resolveScans finds the tables and the cut of each. The cut `rank <= m` is row-wise and sits on the scan itself, so it
// commutes with everything above it; ranks are numbered 1.. inside a person, so at most m rows of a person pass. Only the measure
// step cuts: what a relation holds (windows, groups) reads untruncated rows.
func (b *builder) resolveScans() {
	n := len(b.from.Scans)
	if n == 0 {
		b.fail("no-table", 0)
		return
	}
	if n > maxScans || len(b.from.Joins) != n-1 {
		b.fail("too-many-tables", b.from.Scans[n-1].Offset)
		return
	}
	for i := range b.from.Scans {
		s := &b.from.Scans[i]
		if s.Sub != nil {
			b.scanRelation(s)
		} else {
			b.scanTable(s)
		}
		if b.err != nil {
			return
		}
	}
}

func (b *builder) scanTable(s *Scan) {
	t := b.table(s.Table)
	if t == nil {
		b.fail("unknown-table", s.Offset)
		return
	}
	b.tables[t.Name] = true
	sc := scan{table: t, from: *s}
	if !t.Public {
		sc.m = t.MaxRows
		if b.depth == 0 {
			sc.m = b.rowsOf(*s, t)
		}
		sc.order = []*Column{{Name: RankColumn, Kind: KindInt, Bounded: true, Lo: 1, Hi: t.MaxRows}}
	}
	b.scans = append(b.scans, sc)
}

func (b *builder) scanRelation(s *Scan) {
	if s.Table != "" {
		b.fail("unknown-table", s.Offset)
		return
	}
	r := b.relation(s.Sub)
	if b.err != nil {
		return
	}
	b.scans = append(b.scans, scan{table: r.table, rel: r, m: r.table.MaxRows, order: r.order, from: *s})
}

func (b *builder) table(name string) *Table {
	for i := range b.schema.Tables {
		if b.schema.Tables[i].Name == name {
			return &b.schema.Tables[i]
		}
	}
	return nil
}

func (t *Table) named(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

// rowsOf is m: the alias's, the table's or everybody's choice, never above the table's hard cap.
func (b *builder) rowsOf(s Scan, t *Table) int64 {
	m := t.MaxRows
	for _, name := range []string{AllTables, t.Name, s.Alias} {
		if v, ok := b.options.RowsPerPerson[name]; ok && name != "" {
			m = min(v, t.MaxRows)
		}
	}
	return m
}

// checkOptions refuses row bounds below one and names that no scan has: a misspelt bound must not be ignored.
func (b *builder) checkOptions() {
	names := map[string]bool{AllTables: true}
	b.scanNames(b.from, names, 0)
	for name, m := range b.options.RowsPerPerson {
		if m < 1 || !names[name] || name == "" {
			b.fail("rows-per-person", -1)
		}
	}
	if b.options.MaxDraws < 0 || b.options.MaxDraws > 1<<18 {
		b.fail("max-draws", -1)
	}
}

func (b *builder) scanNames(f *From, names map[string]bool, depth int) {
	for i := range f.Scans {
		names[f.Scans[i].Table], names[f.Scans[i].Alias] = true, true
		if sub := f.Scans[i].Sub; sub != nil && depth < maxNested {
			b.scanNames(&sub.From, names, depth+1)
			for j := range sub.Union {
				b.scanNames(&sub.Union[j].From, names, depth+1)
			}
		}
	}
}

// resolve finds a column of a scan: of this SELECT or, in a subquery of a condition, of one around it.
func (b *builder) resolve(c ColRef) (ref, bool) {
	from := b
	for range c.Up {
		if b.err != nil || !from.linked || from.parent == nil || c.Up > maxNested {
			b.fail("unknown-column", c.Offset)
			return ref{}, false
		}
		from = from.parent
	}
	if b.err != nil || c.Up < 0 || c.Scan < 0 || c.Scan >= len(from.scans) {
		b.fail("unknown-column", c.Offset)
		return ref{}, false
	}
	at := c.Scan
	if from.place != nil {
		at = from.place[c.Scan]
	}
	s := &from.scans[at]
	if s.rel != nil {
		if i, ok := s.rel.at[c.Column]; ok {
			return from.visible(ref{depth: from.depth, scan: at, col: &s.table.Columns[i]}, c, b)
		}
	} else if col := s.table.named(c.Column); col != nil {
		return from.visible(ref{depth: from.depth, scan: at, col: col}, c, b)
	}
	b.fail("unknown-column", c.Offset)
	return ref{}, false
}

// visible refuses a column of a grouped SELECT around a subquery: only its unit is the same in all rows of a group.
func (b *builder) visible(r ref, c ColRef, asker *builder) (ref, bool) {
	if c.Up > 0 && b.group != nil && r.col.Kind != KindUnit {
		asker.fail("column-not-grouped", c.Offset)
		return ref{}, false
	}
	return r, true
}

func (b *builder) nullable(r ref) bool {
	return r.col.Nullable || r.scan >= 0 && b.at(r.depth).scans[r.scan].outer
}

// permute renumbers the scans: place[old] = new.
func (b *builder) permute(place []int) {
	out := make([]scan, len(b.scans))
	for old, at := range place {
		out[at] = b.scans[old]
	}
	b.scans, b.place = out, place
}

// touching are the equalities between a scan and those already placed.
func (b *builder) touching(i int, pool []equality) []equality {
	var out []equality
	for _, e := range pool {
		if e.left.scan == i && b.placed[e.right.scan] {
			e.left, e.right = e.right, e.left
		}
		if e.right.scan == i && b.placed[e.left.scan] {
			out = append(out, e)
		}
	}
	return out
}

// attach adds one scan and its bound. ok is false when nothing bounds it: for a private table an equality of the two units,
// for a public table an equality on a key whose multiplicity is verified.
func (b *builder) attach(i int, on []equality, kind JoinKind, ordered bool) (edge, bool) {
	e := edge{scan: i, kind: kind}
	for _, q := range on {
		if q.left.scan == i {
			q.left, q.right = q.right, q.left
		}
		if q.right.scan != i || ordered && q.left.scan > i {
			b.fail("join-condition", q.offset)
			return e, false
		}
		if q.left.col.Kind == KindUnit && !b.nullable(q.left) {
			q.left = b.unit(b.root) // all units that are not on a null side are the same number in a row
		}
		e.on = append(e.on, q)
	}
	e.on = unique(e.on)
	if !b.bound(&e) {
		return e, false
	}
	b.placed[i] = true
	return e, true
}

func unique(on []equality) []equality {
	sort.Slice(on, func(i, j int) bool {
		if on[i].right.col != on[j].right.col {
			return on[i].right.col.Name < on[j].right.col.Name
		}
		return on[i].left.less(on[j].left)
	})
	var out []equality
	for _, q := range on {
		if n := len(out); n == 0 || out[n-1].left != q.left || out[n-1].right != q.right {
			out = append(out, q)
		}
	}
	return out
}

// unit is the unit of a private scan.
func (b *builder) unit(i int) ref {
	t := b.scans[i].table
	for k := range t.Columns {
		if t.Columns[k].Kind == KindUnit && t.Columns[k].Name == t.Unit {
			return ref{depth: b.depth, scan: i, col: &t.Columns[k]}
		}
	}
	return ref{}
}

// rowOrder is a total order of one person's joined rows up to equal rows: the order of each private scan, which is total inside the
// person, and where a public table can match several times its key or all of its columns.
func (b *builder) rowOrder() []ref {
	fans := map[int]int64{}
	for _, e := range b.edges {
		fans[e.scan] = e.fan
	}
	var private, public []ref
	for i := range b.scans {
		s := &b.scans[i]
		switch {
		case !s.table.Public:
			s.ordered = true
			for _, c := range s.order {
				private = append(private, ref{depth: b.depth, scan: i, col: c})
			}
		case fans[i] > 1 && s.table.RowKey != "":
			public = append(public, ref{depth: b.depth, scan: i, col: s.table.named(s.table.RowKey)})
		case fans[i] > 1:
			for k := range s.table.Columns {
				public = append(public, ref{depth: b.depth, scan: i, col: &s.table.Columns[k]})
			}
		}
	}
	return append(private, public...)
}
