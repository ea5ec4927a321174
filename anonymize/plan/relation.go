package plan

import (
	"strconv"
	"strings"
)

// relation is a SELECT that stays inside one person's rows, seen from outside as a table that keeps every promise of an extract's table:
// stored integers inside their bounds and dictionaries, a unit in every row that is never NULL, at most MaxRows rows of a person, and a
// total order of each person's rows.
//
// Argument. Each operator is a deterministic function of one person's bag of rows and of public tables: filters and expressions are
// row-wise; joins keep the unit (stability.go); groups, windows and DISTINCT have the unit among their keys; whatever would pick one of
// several rows has the person's total order as last sort key. A composition of such functions is one again, so deleting a person deletes
// that person's rows of the relation and changes no other row; and how many those rows are is bounded by construction. The cut to m rows
// is not made here: windows, groups and DISTINCT read untruncated rows, and the measure step cuts last.
type relation struct {
	table *Table         // Columns[0] is the unit, named u, when private; then the visible ones, c0, c1, …
	at    map[string]int // visible name -> index in table.Columns
	order []*Column      // o0, o1, …: a total order of a person's rows; written only when somebody needs it
	cap   int64          // the largest hard cap of a stored table below
	write func(ordered bool) string
	below []*builder // the SELECTs that it is made of
	// tellOrder notes what its total order tells; nil: nothing.
	tellOrder func()
}

// qualifyAsWhere moves a QUALIFY without any window function, which the engine does not take, to WHERE: with no window to compute first
// the two mean the same.
func (b *builder) qualifyAsWhere(qualify *cond, values []value) *cond {
	if b.err != nil || qualify == nil || b.windowedCond(qualify) {
		return qualify
	}
	for _, v := range values {
		if b.windowed(v.t) {
			return qualify
		}
	}
	if b.where == nil {
		b.where = qualify
	} else {
		b.where = b.simplify(&cond{op: condAnd, args: []*cond{b.where, qualify}})
	}
	return nil
}

// showsUnit says that the unit is a visible column: without it DISTINCT would mean rows of all persons together.
func (r *relation) showsUnit() bool {
	for _, i := range r.at {
		if i == 0 {
			return true
		}
	}
	return false
}

// describe tells what a relation is made of.
func (r *relation) describe(add func(indent int, zh, en string), indent int) {
	for _, b := range r.below {
		b.describeScans(add, indent)
	}
}

const (
	maxRelationColumns = 256
	maxNested          = 24 // SELECTs inside each other
)

// child starts the building of a SELECT inside this one.
func (b *builder) child(from *From, linked bool) *builder {
	b.nested = true
	b.subs = b.subs || linked
	return &builder{shared: b.shared, schema: b.schema, spec: b.spec, options: b.options, from: from, parent: b, depth: b.depth + 1, linked: linked,
		placed: map[int]bool{}, terms: map[*Column]*term{}, interned: map[string]ref{}}
}

// relation builds a subquery of FROM.
func (b *builder) relation(r *Relation) *relation {
	if b.depth+1 >= maxNested {
		b.fail("query-too-large", r.Offset)
	}
	if b.err != nil {
		return nil
	}
	if len(r.Union) > 0 {
		return b.union(r)
	}
	c := b.child(&r.From, false)
	return c.selected(r)
}

// rows resolves FROM and WHERE; conditions of WHERE that equate columns of two scans are joins.
func (b *builder) rows() {
	b.resolveScans()
	if b.err != nil {
		return
	}
	if b.place == nil {
		place := make([]int, len(b.scans))
		for i := range place {
			place[i] = i
		}
		b.permute(place)
	}
	b.resolveJoins()
	b.limitRows()
	if b.err != nil {
		return
	}
	b.where = b.conjunction(b.filters, -1)
	b.numberedRows()
}

// never is a condition that no row meets and that the engine does not fold away: a constant false inside a correlated subquery trips it
// ("Attempted to access index 2 within vector of size 2", DuckDB 1.5.5).
func (b *builder) never() *cond {
	u := &term{at: b.unit(b.root)}
	bits := value{t: &term{format: "bit_count(CAST($0; AS BIGINT))", args: []*term{u}}, col: &Column{Kind: KindInt, Bounded: true, Lo: -1, Hi: 64}, narrow: true}
	return &cond{op: condSet, at: b.intern(bits), set: between(-1, -1)}
}

// limitRows refuses joins of which one person could have so many rows that her making them takes time that others notice.
func (b *builder) limitRows() {
	if b.err == nil && b.root >= 0 && b.state.rows > maxRowsCap {
		b.fail("too-many-rows", b.from.Scans[len(b.from.Scans)-1].Offset)
	}
}

// numberedRows uses a condition on the number of a row inside its person (row_number() = 1): each number stands in at most one row of the
// scan, so at most as many rows of a person are left as the condition lets numbers through.
func (b *builder) numberedRows() {
	if b.err != nil || b.root < 0 {
		return
	}
	n := b.where.numbered(func(r ref) bool {
		return r.depth == b.depth && r.scan >= 0 && b.state.once[r.scan] && !b.scans[r.scan].outer
	})
	b.state.rows = min(b.state.rows, n)
}

// numbered is how many numbers of a row the conjunction lets through, at most.
func (c *cond) numbered(counts func(ref) bool) int64 {
	n := int64(maxExact)
	switch {
	case c == nil:
	case c.op == condSet && c.at.col.ordinal && !c.null && counts(c.at):
		n = c.set.size()
	case c.op == condAnd:
		for _, a := range c.args {
			n = min(n, a.numbered(counts))
		}
	}
	return n
}

// conjunction compiles conditions joined by AND; nil means always true.
func (b *builder) conjunction(list []*Expr, at int) *cond {
	all := &cond{op: condAnd}
	for _, e := range list {
		all.args = append(all.args, b.compile(e, false, 0))
		at = e.Offset
	}
	if b.err != nil || len(all.args) == 0 {
		return nil
	}
	c := b.simplify(all)
	switch c.op {
	case condTrue:
		return nil
	case condFalse: // below the measure step an empty relation is an answer: no code of a family may be in the dictionary
		if b.depth == 0 || b.root < 0 {
			b.fail("never-true", max(0, at))
			return nil
		}
		c = b.never()
	default: // a condition
	}
	b.used(nil, c, "filter")
	return c
}

// selected builds one SELECT.
func (b *builder) selected(r *Relation) *relation {
	b.rows()
	if b.err != nil {
		return nil
	}
	if b.root < 0 {
		return b.publicRelation(r)
	}
	if r.Grouped {
		b.groupRelation(r)
	} else if r.Having != nil || len(r.Group) > 0 {
		b.fail("having", r.Offset)
	}
	if len(r.Columns) == 0 || len(r.Columns) > maxRelationColumns {
		b.fail("query-too-large", r.Offset)
	}
	out := &relation{table: &Table{Name: "", Unit: "u", MaxRows: b.state.rows}, at: map[string]int{}, cap: b.capacity(), below: []*builder{b}}
	if b.group != nil {
		out.table.MaxRows = b.groups
	}
	if out.table.MaxRows > maxRowsCap {
		b.fail("too-many-rows", r.Offset)
	}
	b.windows = true
	var qualify *cond
	if r.Qualify != nil {
		qualify = b.conjunction([]*Expr{r.Qualify}, r.Qualify.Offset)
		out.table.MaxRows = min(out.table.MaxRows, qualify.numbered(func(r ref) bool { return r.depth == b.depth && r.scan < 0 }))
	}
	values := b.outputColumns(r, out)
	qualify = b.qualifyAsWhere(qualify, values)
	pick := b.distinctOn(r, out, values)
	b.windows = false
	if r.Distinct && b.err == nil && !out.showsUnit() {
		b.fail("distinct-without-person", r.Offset)
	}
	if r.Distinct && b.err == nil && b.group == nil { // what a group computes is no function of single rows
		out.table.MaxRows = min(out.table.MaxRows, b.combinations(values[1:]))
	}
	if b.err != nil {
		return nil
	}
	b.describeRelation(r, out, values)
	b.tellRelation(r, out, values, qualify, pick)
	out.write = func(ordered bool) string { return b.writeRelation(r, out, values, qualify, pick, ordered) }
	return out
}

// outputColumns types the select list; the unit is always there, asked for or not.
func (b *builder) outputColumns(r *Relation, out *relation) []value {
	u := *b.unit(b.root).col
	u.Name, u.Nullable = "u", false
	out.table.Columns = append(make([]Column, 0, len(r.Columns)+1), u)
	values := append(make([]value, 0, len(r.Columns)+1), b.column(b.unit(b.root)))
	for i := range r.Columns {
		c := &r.Columns[i]
		v := b.settled(b.outputValue(&c.Expr), c.Offset)
		if b.err != nil {
			return nil
		}
		if _, twice := out.at[c.Name]; twice || c.Name == "" {
			b.fail("duplicate-column", c.Offset)
			return nil
		}
		if v.col.Kind == KindUnit && !b.canBeNull(v) {
			out.at[c.Name] = 0
			continue
		}
		col := *v.col
		col.Name, col.Nullable = "c"+strconv.Itoa(len(values)-1), b.canBeNull(v)
		col.ordinal = col.ordinal && (v.t.format != "" || b.state.once[v.t.at.scan] && !b.scans[v.t.at.scan].outer)
		out.at[c.Name] = len(out.table.Columns)
		out.table.Columns = append(out.table.Columns, col)
		values = append(values, v)
	}
	return values
}

// outputValue lets a text literal of the select list be a column of one value.
func (b *builder) outputValue(e *Expr) value {
	v := b.expr(e)
	if b.err == nil && v.lit != nil && v.lit.Kind == LitString {
		vs, _ := b.unifyTexts([]value{v})
		if b.err == nil {
			return vs[0]
		}
	}
	return v
}

// groupRelation types GROUP BY: the unit is among the keys.
func (b *builder) groupRelation(r *Relation) {
	g := &grouping{keys: map[string]value{}, rows: b.state.rows, some: true}
	linked := b.link != nil && len(r.Group) == 0
	for i := range r.Group {
		v := b.settled(b.expr(&r.Group[i]), r.Group[i].Offset)
		if b.err != nil {
			return
		}
		g.keys[r.Group[i].shape()] = v
		if v.col.Kind == KindUnit && !b.canBeNull(v) {
			linked = true
			continue
		}
		b.used([]value{v}, nil, "filter")
		b.groupBy = append(b.groupBy, v)
	}
	if !linked {
		b.fail("group-without-person", r.Offset)
		return
	}
	b.groups = min(b.state.rows, b.combinations(b.groupBy))
	b.group = g
	if r.Having != nil {
		b.having = b.conjunction([]*Expr{r.Having}, r.Having.Offset)
	}
}

// distinctOn types DISTINCT ON, which keeps the first row of each group in the order of ORDER BY.
func (b *builder) distinctOn(r *Relation, out *relation, values []value) *pick {
	if len(r.DistinctOn) == 0 {
		return nil
	}
	if b.group != nil || r.Distinct || r.Qualify != nil {
		b.fail("distinct-on", r.Offset)
		return nil
	}
	p := &pick{}
	linked := false
	for i := range r.DistinctOn {
		v := b.settled(b.expr(&r.DistinctOn[i]), r.DistinctOn[i].Offset)
		if b.err != nil {
			return nil
		}
		if v.col.Kind == KindUnit && !b.canBeNull(v) {
			linked = true
			continue
		}
		b.used([]value{v}, nil, "filter")
		p.on = append(p.on, v)
	}
	if !linked {
		b.fail("distinct-without-person", r.Offset)
		return nil
	}
	order := b.sorts(r.Order)
	b.usedTerms(nil, order)
	p.order = append(order, b.tieBreak()...)
	out.table.MaxRows = min(out.table.MaxRows, b.combinations(p.on))
	return p
}

// pick is a checked DISTINCT ON.
type pick struct {
	on    []value
	order []sortTerm
}

// describeRelation fixes the total order of the relation's rows and its unique columns.
func (b *builder) describeRelation(r *Relation, out *relation, values []value) {
	if r.Distinct {
		for i := range values[1:] {
			b.used([]value{values[i+1]}, nil, "filter")
		}
	}
	for i := range b.orderValues(r, values) {
		out.order = append(out.order, &Column{Name: "o" + strconv.Itoa(i), Kind: KindInt})
	}
	visible := func(key string) string {
		for i, v := range values {
			if i > 0 && b.write(v.t, b.plainName) == key {
				return out.table.Columns[i].Name
			}
		}
		return ""
	}
	add := func(keys []string) {
		var names []string
		for _, k := range keys {
			n := visible(k)
			if n == "" {
				return
			}
			names = append(names, n)
		}
		out.table.unique = append(out.table.unique, names)
	}
	switch {
	case b.group != nil:
		add(b.texts(b.groupBy))
	case len(r.DistinctOn) > 0:
		add(b.texts(b.pickOn(r)))
	}
	if r.Distinct {
		out.table.unique = append(out.table.unique, out.table.columnNames())
	}
	for i := range out.table.Columns {
		if c := &out.table.Columns[i]; c.ordinal && !c.Nullable && (values[i].t.format != "" || b.state.once[values[i].t.at.scan]) {
			out.table.unique = append(out.table.unique, []string{c.Name})
		}
	}
	if b.group != nil {
		return
	}
	for i := range b.scans {
		s := &b.scans[i]
		if !b.state.once[i] || s.table.Public || s.outer {
			continue
		}
		sets := s.table.unique
		if s.table.RowKey != "" {
			sets = append(sets[:len(sets):len(sets)], []string{s.table.RowKey})
		}
		for _, names := range sets {
			var keys []string
			for _, n := range names {
				keys = append(keys, b.plainName(ref{depth: b.depth, scan: i, col: s.table.named(n)}))
			}
			add(keys)
		}
	}
}

func (b *builder) pickOn(r *Relation) []value {
	var out []value
	for i := range r.DistinctOn {
		if v := b.settled(b.expr(&r.DistinctOn[i]), 0); b.err == nil && (v.col.Kind != KindUnit || b.canBeNull(v)) {
			out = append(out, v)
		}
	}
	return out
}

func (b *builder) texts(vs []value) []string {
	var out []string
	for _, v := range vs {
		out = append(out, b.write(v.t, b.plainName))
	}
	return out
}

// orderValues is what orders the rows of one person totally: the keys of the groups, all columns after DISTINCT, else the orders of
// what was joined.
func (b *builder) orderValues(r *Relation, values []value) []*term {
	var out []*term
	switch {
	case b.group != nil && !r.Distinct:
		for _, v := range b.groupBy {
			out = append(out, v.t)
		}
	case r.Distinct:
		for _, v := range values[1:] {
			out = append(out, v.t)
		}
	default:
		for _, c := range b.rowOrder() {
			out = append(out, &term{at: c})
		}
	}
	return out
}

func (b *builder) capacity() int64 {
	most := int64(1)
	for _, s := range b.scans {
		switch {
		case s.rel != nil:
			most = max(most, s.rel.cap)
		case !s.table.Public:
			most = max(most, s.table.MaxRows)
		}
	}
	return most
}

// publicRelation is a selection of rows and columns of one public table: the multiplicities of its columns can only fall.
func (b *builder) publicRelation(r *Relation) *relation {
	if r.Grouped || r.Distinct || len(r.DistinctOn) > 0 || r.Qualify != nil || len(b.scans) != 1 {
		b.fail("public-relation", r.Offset)
		return nil
	}
	out := &relation{table: &Table{Public: true}, at: map[string]int{}, below: []*builder{b}}
	var values []value
	for i := range r.Columns {
		c := &r.Columns[i]
		v := b.settled(b.outputValue(&c.Expr), c.Offset)
		if b.err != nil {
			return nil
		}
		if _, twice := out.at[c.Name]; twice || c.Name == "" {
			b.fail("duplicate-column", c.Offset)
			return nil
		}
		col := *v.col
		if v.t.format != "" {
			col.MaxPerKey = 0
		}
		col.Name, col.Nullable = "c"+strconv.Itoa(len(values)), b.canBeNull(v)
		out.at[c.Name] = len(out.table.Columns)
		out.table.Columns = append(out.table.Columns, col)
		values = append(values, v)
	}
	out.write = func(bool) string {
		var list []string
		for i, v := range values {
			list = append(list, b.write(v.t, b.plainName)+" AS "+out.table.Columns[i].Name)
		}
		return "SELECT " + strings.Join(list, ", ") + b.fromWhere(nil)
	}
	return out
}
