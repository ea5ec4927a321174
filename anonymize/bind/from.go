package bind

import "carrel/anonymize/plan"

func truth() *plan.Expr {
	return &plan.Expr{Op: plan.ExprLiteral, Lit: plan.Literal{Kind: plan.LitBool, Text: "true"}}
}

// tableRef adds what one part of FROM brings: a scan, or the scans of a join.
func (b *binder) tableRef(n map[string]any, fr *frame, depth int) {
	o := b.object(n, 0)
	if depth > maxDepth {
		b.fail("query-too-large", o.at)
	}
	if b.err != nil {
		return
	}
	if !empty(o.raw("sample")) {
		b.failWord("sample", o.at, "tablesample", "using sample")
	}
	switch o.text("type") {
	case "BASE_TABLE":
		b.baseTable(o, fr)
	case "SUBQUERY":
		b.derived(o, fr)
	case "JOIN":
		b.join(o, fr, depth)
	case "EMPTY":
		b.fail("no-table", 0)
	case "SHOW_REF":
		b.fail("select-only", 0)
	case "EXPRESSION_LIST":
		b.fail("inline-table", max(0, o.at))
	case "TABLE_FUNCTION":
		b.fail("table-function", o.at)
	default:
		b.fail("not-supported", o.at)
	}
}

func (b *binder) baseTable(o *object, fr *frame) {
	o.refuseUnlessEmpty("schema_name", "qualified-table")
	o.refuseUnlessEmpty("catalog_name", "qualified-table")
	o.refuseUnlessEmpty("at_clause", "not-supported")
	name, alias, renamed := o.text("table_name"), o.text("alias"), o.strings("column_name_alias")
	o.end()
	if b.err != nil {
		return
	}
	if e := fr.env.find(name); e != nil {
		b.useCTE(e, firstName(alias, name), renamed, o.at, fr)
		return
	}
	t := b.table(name)
	if t == nil {
		b.failNear("unknown-table", o.at, nearest(name, b.tablesInSight(fr)))
		return
	}
	b.addScan(fr, plan.Scan{Table: t.Name, Alias: alias, Offset: o.at}, firstName(alias, t.Name), tableColumns(t), renamed)
}

func firstName(alias, name string) string {
	if alias != "" {
		return alias
	}
	return name
}

func (b *binder) tablesInSight(fr *frame) []string {
	var out []string
	for e := fr.env; e != nil; e = e.up {
		out = append(out, e.name)
	}
	for i := range b.schema.Tables {
		out = append(out, b.schema.Tables[i].Name)
	}
	return out
}

// addScan adds one scan with its one name. It stands joined on nothing until the join around it says on what.
func (b *binder) addScan(fr *frame, s plan.Scan, name string, columns []column, renamed []string) {
	if len(renamed) > len(columns) {
		b.fail("column-alias-list", s.Offset)
		return
	}
	for i, r := range renamed {
		columns[i].name = fold(r)
	}
	b.addSource(fr, source{name: fold(name), scan: len(fr.from.Scans), columns: columns}, s.Offset)
	b.appendScan(fr, s)
}

func (b *binder) appendScan(fr *frame, s plan.Scan) {
	if len(fr.from.Scans) > 0 {
		fr.from.Joins = append(fr.from.Joins, plan.Join{Kind: plan.JoinInner, On: truth(), Offset: s.Offset})
	}
	fr.from.Scans = append(fr.from.Scans, s)
}

func (b *binder) addSource(fr *frame, s source, at int) {
	for _, old := range fr.sources {
		if s.name != "" && old.name == s.name {
			b.fail("duplicate-alias", at)
		}
	}
	fr.sources = append(fr.sources, s)
}

// derived is a subquery in FROM.
func (b *binder) derived(o *object, fr *frame) {
	alias, renamed := o.text("alias"), o.strings("column_name_alias")
	q := b.object(o.node("subquery"), o.at)
	node := q.node("node")
	if !empty(q.raw("named_param_map")) {
		b.fail("parameter", o.at)
	}
	q.end()
	o.end()
	if b.err != nil {
		return
	}
	r, columns := b.relation(node, &frame{outer: fr, env: fr.env}, o.at)
	b.addScan(fr, plan.Scan{Sub: &r, Alias: alias, Offset: max(0, o.at)}, alias, columns, renamed)
}

// sides are the sources of a join: left from lo, right from mid on.
type sides struct{ lo, mid, scan int }

func (b *binder) join(o *object, fr *frame, depth int) {
	left, right := o.node("left"), o.node("right")
	how, kind := o.text("ref_type"), o.text("join_type")
	using := o.strings("using_columns")
	condition := o.optional("condition")
	o.noAlias()
	o.end()
	at := firstOf(location(o.m), located(right, o.at)) // a comma has no place
	b.checkJoin(how, kind, at)
	if how == "REGULAR" && condition == nil && len(using) == 0 || condition != nil && len(using) > 0 ||
		how == "CROSS" && (condition != nil || len(using) > 0) {
		b.fail("join-without-condition", at)
	}
	if b.err != nil {
		return
	}
	on := onClause{condition, using, how == "ASOF", at, depth}
	switch {
	case kind == "SEMI" || kind == "ANTI":
		b.semiJoin(left, right, fr, on, kind == "ANTI")
	case kind == "RIGHT":
		b.rightJoin(left, right, fr, on)
	case kind == "LEFT" || how == "ASOF":
		b.outerJoin(left, right, fr, on, joinKind(kind, how))
	default:
		b.innerJoin(left, right, fr, on)
	}
}

// onClause is what a join is on: a condition, columns of the same name, or nothing.
type onClause struct {
	condition map[string]any
	using     []string
	asof      bool // the last column of USING is an inequality
	at, depth int
}

func (b *binder) checkJoin(how, kind string, at int) {
	switch how {
	case "REGULAR", "CROSS", "ASOF":
	case "NATURAL":
		b.fail("natural-join", at)
	default:
		b.fail("join-kind", at)
	}
	switch kind {
	case "INNER", "LEFT":
	case "RIGHT", "SEMI", "ANTI":
		if how != "REGULAR" {
			b.fail("join-kind", at)
		}
	case "FULL", "OUTER":
		b.fail("full-join", at)
	default:
		b.fail("join-kind", at)
	}
}

func joinKind(kind, how string) plan.JoinKind {
	switch {
	case how == "ASOF" && kind == "LEFT":
		return plan.JoinAsofLeft
	case how == "ASOF":
		return plan.JoinAsof
	case kind == "LEFT":
		return plan.JoinLeft
	}
	return plan.JoinInner
}

func firstOf(a, b int) int {
	if a >= 0 {
		return a
	}
	return b
}

func isJoin(n map[string]any) bool { t, _ := n["type"].(string); return t == "JOIN" }

// innerJoin writes a join in parentheses on the right out: A ⋈ (C ⋈ D) = (A ⋈ C) ⋈ D, also when the second is a left join of C's
// side. A condition that names more than the first of the inner scans holds after all of them, in WHERE.
func (b *binder) innerJoin(left, right map[string]any, fr *frame, on onClause) {
	s := sides{lo: len(fr.sources)}
	b.tableRef(left, fr, on.depth+1)
	s.mid, s.scan = len(fr.sources), len(fr.from.Scans)
	b.tableRef(right, fr, on.depth+1)
	if b.err != nil {
		return
	}
	e := b.on(on, fr, s)
	if b.err != nil {
		return
	}
	j := &fr.from.Joins[s.scan-1]
	j.Offset = on.at
	if lastScan(*e) <= s.scan {
		j.On = e
		return
	}
	fr.moved = append(fr.moved, *e)
}

// outerJoin keeps a join in parentheses on the right together, as a relation whose tables keep their names.
func (b *binder) outerJoin(left, right map[string]any, fr *frame, on onClause, kind plan.JoinKind) {
	s := sides{lo: len(fr.sources)}
	b.tableRef(left, fr, on.depth+1)
	s.mid, s.scan = len(fr.sources), len(fr.from.Scans)
	if isJoin(right) {
		b.parentheses(right, fr, on.depth+1)
	} else {
		b.tableRef(right, fr, on.depth+1)
	}
	if b.err != nil {
		return
	}
	e := b.on(on, fr, s)
	fr.from.Joins[s.scan-1] = plan.Join{Kind: kind, On: e, Offset: on.at}
}

// rightJoin turns a join of two single scans around.
func (b *binder) rightJoin(left, right map[string]any, fr *frame, on onClause) {
	if isJoin(left) || isJoin(right) || len(on.using) > 0 {
		b.fail("right-join", on.at)
		return
	}
	s := sides{lo: len(fr.sources)}
	b.tableRef(right, fr, on.depth+1)
	s.mid, s.scan = len(fr.sources), len(fr.from.Scans)
	b.tableRef(left, fr, on.depth+1)
	if b.err != nil || s.mid != s.lo+1 || len(fr.sources) != s.mid+1 {
		b.fail("right-join", on.at)
		return
	}
	fr.sources[s.lo], fr.sources[s.mid] = fr.sources[s.mid], fr.sources[s.lo]
	e := b.on(on, fr, s)
	fr.from.Joins[s.scan-1] = plan.Join{Kind: plan.JoinLeft, On: e, Offset: on.at}
}

// parentheses makes one scan of a join, with all of its tables' names.
func (b *binder) parentheses(n map[string]any, fr *frame, depth int) {
	in := &frame{outer: fr, env: fr.env}
	at := located(n, 0)
	b.tableRef(n, in, depth)
	if b.err != nil {
		return
	}
	b.where(nil, in)
	r := plan.Relation{From: in.from, Offset: at}
	var names []string
	for _, s := range in.sources {
		names = append(names, s.names()...)
	}
	names = unique(names)
	scan, k := len(fr.from.Scans), 0
	for _, s := range in.sources {
		mapped := source{name: s.name, scan: scan}
		for _, c := range s.columns {
			b.nodes++
			r.Columns = append(r.Columns, plan.ColumnSpec{Name: names[k], Expr: c.expr(s, 0, at), Offset: at})
			mapped.columns = append(mapped.columns, column{name: c.name, inner: names[k], unit: c.unit, rowKey: c.rowKey, hidden: c.hidden})
			k++
		}
		b.addSource(fr, mapped, at)
	}
	b.appendScan(fr, plan.Scan{Sub: &r, Offset: at})
}

// on reads what a join is on. Without a condition it is the literal true: what WHERE equates, the planner takes into the join.
func (b *binder) on(on onClause, fr *frame, s sides) *plan.Expr {
	switch {
	case on.condition != nil:
		e := b.expr(on.condition, place{fr: fr, lo: s.lo, aggregates: "aggregate-placement", windows: "window-here", at: on.at})
		return &e
	case len(on.using) > 0:
		e := b.using(on, fr, s)
		return &e
	}
	return truth()
}

// using writes USING out and hides the right side's columns from bare names.
func (b *binder) using(on onClause, fr *frame, s sides) plan.Expr {
	var all []plan.Expr
	for i, name := range on.using {
		l, lok := b.only(fr.sources[s.lo:s.mid], name, on.at)
		r, rok := b.only(fr.sources[s.mid:], name, on.at)
		if !lok || !rok {
			return plan.Expr{}
		}
		e := plan.Expr{Op: plan.ExprCompare, Cmp: plan.CmpEq, Args: []plan.Expr{l, r}, Offset: on.at}
		if on.asof && i == len(on.using)-1 {
			e.Cmp = plan.CmpGe
		}
		all = append(all, e)
	}
	for _, s := range fr.sources[s.mid:] {
		for i := range s.columns {
			for _, name := range on.using {
				s.columns[i].hidden = s.columns[i].hidden || s.columns[i].name == fold(name)
			}
		}
	}
	return and(all)
}

// only is the only column of a name among sources.
func (b *binder) only(among []source, name string, at int) (plan.Expr, bool) {
	f := frame{sources: among}
	found := f.columns(name, 0)
	if len(found) == 1 {
		e := found[0]
		e.Offset, e.Col.Offset = at, at
		return e, true
	}
	if len(found) > 1 {
		b.fail("ambiguous-column", at)
		return plan.Expr{}, false
	}
	var all []string
	for _, s := range among {
		all = append(all, s.names()...)
	}
	b.failNear("unknown-column", at, nearest(name, all))
	return plan.Expr{}, false
}

// and is the conjunction of conditions, flat, nil for none.
func and(all []plan.Expr) plan.Expr {
	if len(all) == 1 {
		return all[0]
	}
	return plan.Expr{Op: plan.ExprAnd, Args: all, Offset: all[0].Offset}
}

// semiJoin is EXISTS over the right side, or its negation.
func (b *binder) semiJoin(left, right map[string]any, fr *frame, on onClause, anti bool) {
	lo := len(fr.sources)
	b.tableRef(left, fr, on.depth+1)
	in := &frame{parent: fr, env: fr.env, strict: true}
	b.tableRef(right, in, on.depth+1)
	if b.err != nil {
		return
	}
	var e plan.Expr
	if on.condition != nil {
		e = b.expr(on.condition, place{fr: in, aggregates: "aggregate-placement", windows: "window-here", at: on.at})
	} else {
		var all []plan.Expr
		for _, name := range on.using {
			l, lok := b.only(fr.sources[lo:], name, on.at)
			r, rok := b.only(in.sources, name, on.at)
			if !lok || !rok {
				return
			}
			l.Col.Up = 1
			all = append(all, plan.Expr{Op: plan.ExprCompare, Cmp: plan.CmpEq, Args: []plan.Expr{l, r}, Offset: on.at})
		}
		e = and(all)
	}
	in.moved = append(in.moved, e)
	b.where(nil, in)
	exists := plan.Expr{Op: plan.ExprExists, Offset: on.at,
		Sub: &plan.Relation{From: in.from, Columns: []plan.ColumnSpec{one(on.at)}, Offset: on.at}}
	if anti {
		exists = plan.Expr{Op: plan.ExprNot, Args: []plan.Expr{exists}, Offset: on.at}
	}
	fr.moved = append(fr.moved, exists)
}

// where puts WHERE and what was moved there together.
func (b *binder) where(n map[string]any, fr *frame) {
	all := fr.moved
	if n != nil && b.err == nil {
		all = append(all, b.expr(n, place{fr: fr, aggregates: "aggregate-in-where", windows: "window-here", alias: thenAliases, limit: maxItems}))
	}
	if len(all) > 0 && b.err == nil {
		e := and(all)
		fr.from.Where = &e
	}
}
