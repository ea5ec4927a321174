package plan

// Subqueries of conditions. A private one is linked: its WHERE equates its unit with the unit outside, so that it reads rows of the
// same person only, and its truth is a function of that person's rows. EXISTS and IN add no rows: the bound outside stays.

// subquery is a checked subquery.
type subquery struct {
	write func(outer namer, not bool) string
	outer []ref // columns of the SELECTs around it that it reads
	key   string
}

// compileSub is EXISTS (…), x IN (…) and their negations. Neither form is ever NULL here: EXISTS is not in SQL; x IN (…) is kept when it is true;
// x NOT IN (…) is true when no row of the subquery equals x or is NULL, and x is not NULL unless there is no row.
func (b *builder) compileSub(p *Expr, negate bool) *cond {
	if p.Sub == nil || b.depth+1 >= maxNested {
		b.fail("query-too-large", p.Offset)
	}
	if b.err != nil {
		return always(false)
	}
	r := simple(p.Sub)
	if p.Op == ExprInSub {
		if r = b.withEquality(p, r, negate); b.err != nil {
			return always(false)
		}
	}
	c := b.child(&r.From, true)
	c.rows()
	if b.err != nil {
		return always(false)
	}
	if c.root >= 0 && c.link == nil {
		b.fail("subquery-not-linked", p.Offset)
		return always(false)
	}
	for i := range r.Columns { // checked as any select list, though its values are not read
		if p.Op == ExprExists && r.Columns[i].Expr.Op != ExprLiteral {
			c.expr(&r.Columns[i].Expr)
		}
	}
	if b.err != nil {
		return always(false)
	}
	c.tellRows()
	sub := &subquery{outer: c.outerRefs()}
	sub.write = func(outer namer, not bool) string { return c.writeExists(outer, not) }
	sub.key = sub.write(b.plainName, false)
	return &cond{op: condSub, sub: sub, not: negate}
}

// simple wraps a relation that does more than filter rows, so that conditions can stand beside it.
func simple(r *Relation) *Relation {
	if len(r.Union) == 0 && !r.Grouped && !r.Distinct && len(r.DistinctOn) == 0 && r.Qualify == nil && r.Having == nil && !hasWindow(r.Columns) {
		c := *r
		return &c
	}
	out := &Relation{From: From{Scans: []Scan{{Sub: r, Offset: r.Offset}}}, Offset: r.Offset}
	columns := r.Columns
	if len(r.Union) > 0 {
		columns = r.Union[0].Columns
	}
	for _, c := range columns {
		out.Columns = append(out.Columns, ColumnSpec{Name: c.Name, Expr: ColRef{Column: c.Name, Offset: c.Offset}.Expr(), Offset: c.Offset})
	}
	return out
}

func hasWindow(list []ColumnSpec) bool {
	for i := range list {
		if list[i].Expr.holds(ExprWindow) {
			return true
		}
	}
	return false
}

// holds says whether an expression has a node of a kind, outside its subqueries.
func (e *Expr) holds(op ExprOp) bool {
	if e.Op == op {
		return true
	}
	for i := range e.Args {
		if e.Args[i].holds(op) {
			return true
		}
	}
	return false
}

// withEquality puts x = y into the WHERE of a subquery of one column y.
func (b *builder) withEquality(p *Expr, r *Relation, negate bool) *Relation {
	if len(p.Args) != 1 || len(r.Columns) != 1 {
		b.fail("subquery-columns", p.Offset)
		return r
	}
	if p.Args[0].holds(ExprExists) || p.Args[0].holds(ExprInSub) || p.Args[0].holds(ExprScalar) {
		b.fail("not-supported", p.Offset)
		return r
	}
	x, y := p.Args[0].lifted(), r.Columns[0].Expr
	equal := Expr{Op: ExprCompare, Cmp: CmpEq, Args: []Expr{y, x}, Offset: p.Offset}
	if negate && !b.isUnit(&p.Args[0]) { // a NULL on either side makes NOT IN other than true
		null := func(e Expr) Expr { return Expr{Op: ExprIsNull, Args: []Expr{e}, Offset: p.Offset} }
		equal = Expr{Op: ExprOr, Args: []Expr{equal, null(x), null(y)}, Offset: p.Offset}
	}
	out := *r
	if out.Where != nil {
		both := Expr{Op: ExprAnd, Args: []Expr{*out.Where, equal}, Offset: p.Offset}
		out.Where = &both
	} else {
		out.Where = &equal
	}
	return &out
}

func (b *builder) isUnit(e *Expr) bool {
	if e.Op != ExprColumn {
		return false
	}
	r, ok := b.resolve(e.Col)
	return ok && r.col.Kind == KindUnit && !b.nullable(r)
}

// lifted is an expression as it is written one SELECT further in.
func (e Expr) lifted() Expr {
	if e.Op == ExprColumn {
		e.Col.Up++
	}
	args := make([]Expr, len(e.Args))
	for i := range e.Args {
		args[i] = e.Args[i].lifted()
	}
	e.Args = args
	return e
}

// scalar is (SELECT aggregate FROM … WHERE unit = outer unit …): one number a row outside.
func (b *builder) scalar(e *Expr) value {
	if e.Sub == nil || b.depth+1 >= maxNested || len(e.Sub.Union) > 0 || len(e.Sub.Columns) != 1 || !e.Sub.Grouped || len(e.Sub.Group) > 0 || e.Sub.Having != nil || e.Sub.Qualify != nil || e.Sub.Distinct || len(e.Sub.DistinctOn) > 0 {
		b.fail("scalar-subquery", e.Offset)
		return value{}
	}
	c := b.child(&e.Sub.From, true)
	c.rows()
	if b.err != nil {
		return value{}
	}
	if c.root < 0 || c.link == nil {
		b.fail("subquery-not-linked", e.Offset)
		return value{}
	}
	c.group = &grouping{keys: map[string]value{}, rows: c.state.rows}
	v := c.settled(c.expr(&e.Sub.Columns[0].Expr), e.Offset)
	if b.err != nil {
		return value{}
	}
	for _, r := range c.outerRefs() {
		v.col.origin = append(v.col.origin, r.col.origin...)
	}
	c.condLeaves(c.where, func(r ref) { v.col.origin = append(v.col.origin, r.col.origin...) })
	refs := c.outerRefs()
	c.termLeaves(v.t, func(r ref) {
		if r.depth < c.depth {
			refs = append(refs, r)
		}
	})
	sub := &subquery{outer: refs, write: func(outer namer, _ bool) string {
		return "(SELECT " + c.write(v.t, c.namer(outer)) + c.fromWhere(outer) + ")"
	}}
	c.tellRows()
	return value{t: &term{format: "sub", sub: sub, told: c.carries(v.t)}, col: v.col, narrow: v.narrow}
}

// namer writes columns of this SELECT, and those of the ones around it as the caller does.
func (b *builder) namer(outer namer) namer {
	return func(r ref) string {
		if outer != nil && r.depth < b.depth {
			return outer(r)
		}
		return b.plainName(r)
	}
}

// outerRefs are the columns of the SELECTs around this one that it reads.
func (b *builder) outerRefs() []ref {
	var out []ref
	seen := map[ref]bool{}
	add := func(r ref) {
		if r.depth < b.depth && !seen[r] {
			seen[r] = true
			out = append(out, r)
		}
	}
	if b.link != nil {
		add(*b.link)
	}
	b.condLeaves(b.where, add)
	for _, e := range b.edges {
		b.condLeaves(e.extra, add)
	}
	return out
}

// writeExists writes EXISTS. When the unit alone links it, as a semi-join on the unit, which the engine computes once for all rows.
func (b *builder) writeExists(outer namer, not bool) string {
	verb := ""
	if not {
		verb = "NOT "
	}
	refs := b.outerRefs()
	if b.link != nil && len(refs) == 1 && !b.parent.nullable(*b.link) && len(b.links) == 1 {
		link := b.links
		b.links = nil
		s := outer(*b.link) + " " + verb + "IN (SELECT " + b.plainName(b.unit(b.root)) + b.fromWhere(outer) + ")"
		b.links = link
		return s
	}
	return verb + "EXISTS (SELECT 1" + b.fromWhere(outer) + ")"
}
