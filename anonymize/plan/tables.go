package plan

import (
	"slices"
	"sort"
)

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
	fan   int64 // public: verified largest number of rows that share the equated key
	rule  Text  // why the rows of a person are bounded after it
	rows  int64 // the bound after it
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

// resolveJoins checks every ON and orders the joins. INNER joins before the first other one commute and associate, so their
// conditions and those of WHERE are one set and their order is free: it is chosen canonically, starting from a private table. From the
// first other join on, the order of the text is kept.
func (b *builder) resolveJoins() {
	prefix := 0 // joins 0..prefix-1 are INNER
	for prefix < len(b.from.Joins) && b.from.Joins[prefix].Kind == JoinInner {
		prefix++
	}
	var pool []equality
	for i := range b.from.Joins[:prefix] {
		pool = append(pool, b.split(b.from.Joins[i].On, prefix+1, b.from.Joins[i].Offset)...)
	}
	if b.from.Where != nil {
		pool = append(pool, b.split(b.from.Where, prefix+1, b.from.Where.Offset)...)
	}
	if b.err != nil {
		return
	}
	b.orderPrefix(prefix+1, pool)
	for i := prefix; i < len(b.from.Joins) && b.err == nil; i++ {
		b.lateJoin(i)
	}
}

// lateJoin places one join in the order of the text.
func (b *builder) lateJoin(i int) {
	j := &b.from.Joins[i]
	if j.Kind < JoinInner || j.Kind > JoinAsofLeft {
		b.fail("join-kind", j.Offset)
		return
	}
	kept := b.filters
	b.filters = nil
	on := b.split(j.On, i+2, j.Offset)
	extra := b.filters
	b.filters = kept
	if j.Kind == JoinInner {
		b.filters = append(b.filters, extra...)
	}
	e, ok := b.attach(i+1, on, j.Kind, true)
	if b.err == nil && !ok {
		b.fail("join-not-on-unit", j.Offset)
	}
	if b.err != nil {
		return
	}
	switch j.Kind {
	case JoinLeft:
		e.extra = b.onCondition(extra)
	case JoinAsof, JoinAsofLeft:
		b.asof(&e, extra, j)
	default: // INNER: its further conditions are WHERE's
	}
	b.edges = append(b.edges, e)
	b.scans[i+1].outer = j.Kind == JoinLeft || j.Kind == JoinAsofLeft
	if b.scans[i+1].outer { // what ON computed of it was not NULL there, and can be after it
		b.interned = map[string]ref{}
	}
}

// onCondition compiles what an ON says beyond equalities. It only takes matches away.
func (b *builder) onCondition(list []*Expr) *cond {
	if len(list) == 0 {
		return nil
	}
	all := &cond{op: condAnd}
	for _, e := range list {
		all.args = append(all.args, b.compile(e, false, 0))
	}
	if b.err != nil {
		return nil
	}
	c := b.simplify(all)
	if c.op == condTrue {
		return nil
	}
	if c.op == condFalse {
		b.fail("never-true", list[0].Offset)
	}
	if b.readsSub(c) { // the engine has no outer join on a subquery
		b.fail("subquery-in-join", list[0].Offset)
	}
	b.used(nil, c, "filter")
	return c
}

// readsSub says whether a condition reads a subquery, in itself or in a value it compares.
func (b *builder) readsSub(c *cond) bool {
	var value func(t *term) bool
	ref := func(r ref) bool { t := b.computed(r); return t != nil && value(t) }
	value = func(t *term) bool {
		return t.sub != nil || t.format == "" && ref(t.at) || slices.ContainsFunc(t.args, value) || slices.ContainsFunc(t.conds, b.readsSub)
	}
	return c.op == condSub || c.at.col != nil && ref(c.at) || c.other.col != nil && ref(c.other) || slices.ContainsFunc(c.args, b.readsSub)
}

// asof takes the one inequality of an ASOF join: each row so far meets at most one row of the new table, the nearest. Two nearest
// rows would make the choice the engine's, so the equated columns and the compared one must be unique inside the person.
func (b *builder) asof(e *edge, extra []*Expr, j *Join) {
	s := &b.scans[e.scan]
	if len(extra) != 1 || extra[0].Op != ExprCompare || extra[0].Cmp < CmpLt || s.table.Public {
		b.fail("asof", j.Offset)
		return
	}
	c := b.simplify(b.compile(extra[0], false, 0))
	if b.err != nil {
		return
	}
	if c.op != condCols {
		b.fail("asof", j.Offset)
		return
	}
	near := c.at
	if near.scan != e.scan {
		near = c.other
	}
	if near.scan != e.scan || (c.at.scan == e.scan) == (c.other.scan == e.scan) {
		b.fail("asof", j.Offset)
		return
	}
	have := map[string]bool{near.col.Name: true}
	for _, q := range e.on {
		have[q.right.col.Name] = true
	}
	sets := s.table.unique
	if s.table.RowKey != "" {
		sets = append(sets[:len(sets):len(sets)], []string{s.table.RowKey})
	}
	alone := s.table.MaxRows == 1
	for _, names := range sets {
		all := true
		for _, n := range names {
			all = all && have[n]
		}
		alone = alone || all
	}
	if !alone {
		b.fail("asof-ties", j.Offset)
		return
	}
	b.used(nil, c, "filter")
	e.asof = c
}

// split takes the equalities of plain columns of two of the first n scans out of a conjunction, and the link to a SELECT around; the
// rest goes to b.filters.
func (b *builder) split(e *Expr, n, at int) []equality {
	if e == nil {
		b.fail("join-without-condition", at)
		return nil
	}
	if b.nodes++; b.nodes > maxNodes {
		b.fail("query-too-large", e.Offset)
	}
	if b.err != nil {
		return nil
	}
	if e.Op == ExprAnd {
		var out []equality
		for i := range e.Args {
			out = append(out, b.split(&e.Args[i], n, at)...)
		}
		return out
	}
	if q, ok := b.equality(e, n); ok {
		return []equality{q}
	}
	if b.err == nil && !b.linkWith(e) {
		b.filters = append(b.filters, e)
	}
	return nil
}

// equality reads `column = column` of two scans as a join's condition.
func (b *builder) equality(e *Expr, n int) (equality, bool) {
	if e.Op != ExprCompare || e.Cmp != CmpEq || len(e.Args) != 2 || e.Args[0].Op != ExprColumn || e.Args[1].Op != ExprColumn || e.Args[0].Col.Up+e.Args[1].Col.Up != 0 {
		return equality{}, false
	}
	l, ok1 := b.resolve(e.Args[0].Col)
	r, ok2 := b.resolve(e.Args[1].Col)
	if !ok1 || !ok2 || l.scan == r.scan || b.written(e.Args[0].Col) >= n || b.written(e.Args[1].Col) >= n {
		return equality{}, false
	}
	switch {
	case (l.col.Kind == KindUnit) != (r.col.Kind == KindUnit):
		b.fail("unit-equated-with-other", e.Offset)
	case !comparable(l.col, r.col):
		if l.col.Kind == KindKey || r.col.Kind == KindKey || l.col.Kind != KindCode && (l.col.Kind != KindInt && l.col.Kind != KindDecimal) {
			b.fail("columns-not-comparable", e.Offset)
		}
		return equality{}, false // compared as values, after the join
	}
	b.usedOrigin(l.col.origin, "join")
	b.usedOrigin(r.col.origin, "join")
	return equality{left: l, right: r, offset: e.Offset}, true
}

// written is the place in the text of a column's scan.
func (b *builder) written(c ColRef) int { return c.Scan }

// link is one equation of the unit here with the unit of a SELECT around.
type link struct{ inner, outer ref }

// linkWith reads `unit = outer unit`.
func (b *builder) linkWith(e *Expr) bool {
	if !b.linked || e.Op != ExprCompare || e.Cmp != CmpEq || len(e.Args) != 2 || e.Args[0].Op != ExprColumn || e.Args[1].Op != ExprColumn {
		return false
	}
	in, out := e.Args[0].Col, e.Args[1].Col
	if in.Up > 0 {
		in, out = out, in
	}
	if in.Up != 0 || out.Up == 0 {
		return false
	}
	l, ok1 := b.resolve(in)
	r, ok2 := b.resolve(out)
	if !ok1 || !ok2 || l.col.Kind != KindUnit || r.col.Kind != KindUnit {
		return false
	}
	b.links = append(b.links, link{l, r})
	if b.link == nil || b.at(r.depth).nullable(*b.link) {
		b.link = &r
	}
	return true
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
		b.publicPrefix(n)
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

// publicPrefix lets a relation or a subquery read one public table alone.
func (b *builder) publicPrefix(n int) {
	if b.depth > 0 && len(b.scans) == 1 {
		b.placed[0] = true
		return
	}
	code := "public-only"
	for _, s := range b.scans[n:] {
		if !s.table.Public {
			code = "public-left-join"
		}
	}
	b.fail(code, b.scans[0].from.Offset)
}

// looseJoin is the position of the first join, in the text, whose table found no place.
func (b *builder) looseJoin(n int) int {
	for old := 1; old < n; old++ {
		if !b.placed[b.place[old]] {
			return b.from.Joins[old-1].Offset
		}
	}
	return b.from.Joins[0].Offset // the text's first table found none
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
