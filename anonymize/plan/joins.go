package plan

import "slices"

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
	b.unlinked = j.Kind != JoinInner // an ON that keeps rows without a match links nothing
	on := b.split(j.On, i+2, j.Offset)
	b.unlinked = false
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
	alone := s.table.MaxRows == 1 || s.table.RowKey != "" && have[s.table.RowKey] || s.table.uniqueUnder(have)
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
	if !b.linked || b.unlinked || e.Op != ExprCompare || e.Cmp != CmpEq || len(e.Args) != 2 || e.Args[0].Op != ExprColumn || e.Args[1].Op != ExprColumn {
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
