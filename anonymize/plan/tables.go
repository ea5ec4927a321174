package plan

import "sort"

// scan is one checked occurrence of a table.
type scan struct {
	table *Table
	m     int64 // private: rows of a person that reach the join, after the cut by rank
	outer bool  // on the null side of a LEFT JOIN
	from  Scan
}

// edge joins one scan to those before it.
type edge struct {
	scan int
	kind JoinKind
	on   []equality
	fan  int64 // public: verified largest number of rows that share the equated key
	rule Text  // why the rows of a person are bounded after it
	rows int64 // the bound after it
}

type equality struct {
	left, right ref // right belongs to the scan being joined once the edge is placed
	offset      int
}

// resolveScans finds the tables and the cut of each. The cut `rank <= m` is row-wise and sits on the scan itself, so it
// commutes with everything above it; ranks are numbered 1.. inside a person, so at most m rows of a person pass.
func (b *builder) resolveScans() {
	n := len(b.spec.Scans)
	if n == 0 {
		b.fail("no-table", 0)
		return
	}
	if n > maxScans || len(b.spec.Joins) != n-1 {
		b.fail("too-many-tables", b.spec.Scans[n-1].Offset)
		return
	}
	for _, s := range b.spec.Scans {
		t := b.table(s.Table)
		if t == nil {
			b.fail("unknown-table", s.Offset)
			return
		}
		sc := scan{table: t, from: s}
		if !t.Public {
			sc.m = b.rowsOf(s, t)
		}
		b.scans = append(b.scans, sc)
	}
}

func (b *builder) table(name string) *Table {
	for i := range b.schema.Tables {
		if b.schema.Tables[i].Name == name {
			return &b.schema.Tables[i]
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
	for name, m := range b.options.RowsPerPerson {
		known := name == AllTables
		for _, s := range b.spec.Scans {
			known = known || name == s.Table || name == s.Alias
		}
		if m < 1 || !known || name == "" {
			b.fail("rows-per-person", -1)
		}
	}
	if b.options.MaxDraws < 0 || b.options.MaxDraws > 1<<18 {
		b.fail("max-draws", -1)
	}
}

// resolve finds a column of a scan.
func (b *builder) resolve(c ColRef) (ref, bool) {
	if b.err != nil || c.Scan < 0 || c.Scan >= len(b.scans) {
		b.fail("unknown-column", c.Offset)
		return ref{}, false
	}
	at := c.Scan
	if b.place != nil {
		at = b.place[c.Scan]
	}
	t := b.scans[at].table
	for i := range t.Columns {
		if t.Columns[i].Name == c.Column {
			return ref{scan: at, col: &t.Columns[i]}, true
		}
	}
	b.fail("unknown-column", c.Offset)
	return ref{}, false
}

func (b *builder) nullable(r ref) bool { return r.col.Nullable || b.scans[r.scan].outer }

// permute renumbers the scans: place[old] = new.
func (b *builder) permute(place []int) {
	out := make([]scan, len(b.scans))
	for old, at := range place {
		out[at] = b.scans[old]
	}
	b.scans, b.place = out, place
}

// resolveJoins checks every ON and orders the joins. INNER joins before the first LEFT commute and associate, so their
// equalities are one set and their order is free: it is chosen canonically, starting from a private table. From the first
// LEFT on, the order of the text is kept.
func (b *builder) resolveJoins() {
	prefix := 0 // joins 0..prefix-1 are INNER
	for prefix < len(b.spec.Joins) && b.spec.Joins[prefix].Kind == JoinInner {
		prefix++
	}
	var pool []equality
	for i := range b.spec.Joins[:prefix] {
		pool = append(pool, b.equalities(&b.spec.Joins[i])...)
	}
	if b.err != nil {
		return
	}
	b.orderPrefix(prefix+1, pool)
	for i := prefix; i < len(b.spec.Joins) && b.err == nil; i++ {
		j := &b.spec.Joins[i]
		if j.Kind != JoinInner && j.Kind != JoinLeft {
			b.fail("join-kind", j.Offset)
			return
		}
		e, ok := b.attach(i+1, b.equalities(j), j.Kind, true)
		if b.err == nil && !ok {
			b.fail("join-not-on-unit", j.Offset)
		}
		b.edges = append(b.edges, e)
		b.scans[i+1].outer = j.Kind == JoinLeft
	}
}

// equalities checks the conjunction of an ON: plain columns, the same meaning, two different scans.
func (b *builder) equalities(j *Join) []equality {
	if len(j.On) == 0 || len(j.On) > 16 {
		b.fail("join-without-condition", j.Offset)
	}
	var out []equality
	for _, e := range j.On {
		l, ok1 := b.resolve(e.Left)
		r, ok2 := b.resolve(e.Right)
		if !ok1 || !ok2 {
			return nil
		}
		switch {
		case l.scan == r.scan:
			b.fail("join-condition", e.Offset)
		case (l.col.Kind == KindUnit) != (r.col.Kind == KindUnit):
			b.fail("unit-equated-with-other", e.Offset)
		case !comparable(l.col, r.col):
			b.fail("columns-not-comparable", e.Offset)
		}
		out = append(out, equality{left: l, right: r, offset: e.Offset})
	}
	return out
}

// orderPrefix places the first n scans, all joined by INNER: the lowest private one, then always the lowest that connects.
func (b *builder) orderPrefix(n int, pool []equality) {
	b.root = -1
	for i := 0; i < n && b.root < 0; i++ {
		if !b.scans[i].table.Public {
			b.root = i
		}
	}
	if b.root < 0 {
		code := "public-only"
		for _, s := range b.scans[n:] {
			if !s.table.Public {
				code = "public-left-join"
			}
		}
		b.fail(code, b.scans[0].from.Offset)
		return
	}
	b.start()
	for placed := 1; placed < n && b.err == nil; placed++ {
		found := false
		for i := 0; i < n && !found; i++ {
			if b.placed[i] {
				continue
			}
			if e, ok := b.attach(i, b.touching(i, pool), JoinInner, false); ok {
				b.edges = append(b.edges, e)
				found = true
			}
		}
		if !found {
			b.fail("join-not-on-unit", b.looseJoin(n))
		}
	}
}

// looseJoin is the position of the first join, in the text, whose table found no place.
func (b *builder) looseJoin(n int) int {
	for old := 1; old < n; old++ {
		if !b.placed[b.place[old]] {
			return b.spec.Joins[old-1].Offset
		}
	}
	return b.spec.Joins[0].Offset // the text's first table found none
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
		if q.left.col.Kind == KindUnit && !b.scans[q.left.scan].outer {
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

func (b *builder) unit(i int) ref {
	t := b.scans[i].table
	for k := range t.Columns {
		if t.Columns[k].Kind == KindUnit {
			return ref{scan: i, col: &t.Columns[k]}
		}
	}
	return ref{}
}
