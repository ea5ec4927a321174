package bind

import (
	"encoding/json"
	"strconv"

	"carrel/anonymize/plan"
)

// query is one SELECT as it was read: a relation, a measure step or arithmetic over one, as its reader decides.
type query struct {
	fr         *frame
	at         int
	columns    []plan.ColumnSpec
	grouped    bool
	groupAts   []int   // where each key stands
	sets       [][]int // GROUPING SETS, nil when one set holds every key
	having     *plan.Expr
	qualify    *plan.Expr
	distinct   bool
	distinctOn []plan.Expr
	order      []plan.SortSpec
	limit      map[string]any
	offset     map[string]any
	limitAt    int // -1: neither LIMIT nor OFFSET
}

// query reads a SELECT_NODE whole.
func (b *binder) query(n map[string]any, fr *frame, at int) *query {
	o := b.object(n, at)
	o.raw("type")
	above := fr.env
	fr.env = b.with(o, above)
	modifiers, list := o.list("modifiers"), o.list("select_list")
	from, where := o.node("from_table"), o.optional("where_clause")
	keys, sets := o.list("group_expressions"), o.list("group_sets")
	all := o.text("aggregate_handling")
	having, qualify := o.optional("having"), o.optional("qualify")
	if !empty(o.raw("sample")) {
		b.failWord("sample", max(0, at), "using sample", "tablesample")
	}
	o.end()
	if all != "STANDARD_HANDLING" && all != "FORCE_AGGREGATES" {
		b.fail("not-supported", o.at)
	}
	if b.err != nil {
		return nil
	}
	b.tableRef(from, fr, 0)
	q := &query{fr: fr, at: max(0, o.at), limitAt: -1}
	b.selectItems(list, fr)
	b.where(where, fr)
	b.groupBy(keys, sets, q)
	b.selectColumns(q)
	if all == "FORCE_AGGREGATES" {
		b.groupByAll(q)
	}
	b.havingQualify(having, qualify, q)
	b.modifiers(modifiers, q)
	q.grouped = fr.aggregated || all == "FORCE_AGGREGATES" || len(keys) > 0 || len(sets) > 0 || having != nil
	b.unused(fr.env, above)
	if b.err != nil {
		return nil
	}
	return q
}

// selectItems writes stars out.
func (b *binder) selectItems(list []any, fr *frame) {
	for _, v := range list {
		n := asMap(v)
		if b.err != nil {
			return
		}
		if class(n) == "STAR" {
			b.star(n, fr)
			continue
		}
		alias, ok := n["alias"].(string)
		if !ok && n["alias"] != nil {
			b.fail("not-supported", located(n, 0))
		}
		fr.items = append(fr.items, item{alias: alias, node: n, at: located(n, 0)})
	}
	if len(fr.items) == 0 || len(fr.items) > maxItems {
		b.fail("query-too-large", 0)
	}
}

func (b *binder) selectColumns(q *query) {
	q.columns = make([]plan.ColumnSpec, 0, len(q.fr.items))
	for i, it := range q.fr.items {
		e := b.item(i, place{fr: q.fr, alias: thenAliases, limit: i})
		if b.err != nil {
			return
		}
		c := plan.ColumnSpec{Name: it.alias, Expr: e, Offset: it.at}
		if c.Name == "" {
			c.Name = q.fr.called(it.node, e)
		}
		q.columns = append(q.columns, c)
	}
}

// called is the name of a column without alias: a column's own, an alias that it repeats, or one made of what it is.
func (f *frame) called(n map[string]any, e plan.Expr) string {
	if c := f.origin(e); c != nil && e.Col.Up == 0 {
		return c.shown()
	}
	if names := sliceOf(n["column_names"]); class(n) == "COLUMN_REF" && len(names) > 0 {
		s, _ := names[len(names)-1].(string)
		return s
	}
	return name(e)
}

// shown is a column's name as it is declared, unless the query has given it another.
func (c column) shown() string {
	if fold(c.inner) == c.name {
		return c.inner
	}
	return c.name
}

// item binds one column of the select list, or what an alias or a position means by it.
func (b *binder) item(i int, p place) plan.Expr {
	it := p.fr.items[i]
	if it.star != nil {
		b.nodes++
		return *it.star
	}
	p.named, p.at = true, it.at
	p.limit = min(p.limit, i)
	return b.expr(it.node, p)
}

// groupBy reads keys and sets. A key is an expression, an alias of the select list, or a position in it.
func (b *binder) groupBy(keys, sets []any, q *query) {
	index := make([]int, len(keys)) // of each key among those that differ
	for i, v := range keys {
		if b.err != nil {
			return
		}
		n := asMap(v)
		at := located(n, 0)
		e := b.key(n, at, q.fr)
		index[i] = len(q.fr.group)
		for k, old := range q.fr.group {
			if same(e, old) {
				index[i] = k
			}
		}
		if index[i] == len(q.fr.group) {
			q.fr.group = append(q.fr.group, e)
			q.groupAts = append(q.groupAts, at)
		}
	}
	b.groupingSets(sets, index, q)
	if q.sets == nil {
		q.dropConstants()
	}
}

// dropConstants takes keys out that are the same in every row.
func (q *query) dropConstants() {
	var group []plan.Expr
	var at []int
	for i, g := range q.fr.group {
		if g.Op != plan.ExprLiteral {
			group, at = append(group, g), append(at, q.groupAts[i])
		}
	}
	q.fr.group, q.groupAts = group, at
}

func (b *binder) key(n map[string]any, at int, fr *frame) plan.Expr {
	p := place{fr: fr, aggregates: "aggregate-placement", windows: "window-here", alias: thenAliases, limit: len(fr.items), at: at}
	if class(n) != "CONSTANT" {
		return b.expr(n, p)
	}
	i, ok := b.position(n, len(fr.items))
	if !ok {
		b.fail("position", at)
		return plan.Expr{}
	}
	e := b.item(i, p)
	e.Offset = at
	return e
}

// position reads a constant that is a position among so many columns.
func (b *binder) position(n map[string]any, among int) (int, bool) {
	l, ok := b.literal(n, 0)
	i, err := strconv.Atoi(l.Text)
	if !ok || l.Kind != plan.LitNumber || err != nil || i < 1 || i > among {
		return 0, false
	}
	return i - 1, true
}

// groupingSets keeps the sets when they are not just one of all keys.
func (b *binder) groupingSets(sets []any, index []int, q *query) {
	if len(sets) > maxSets {
		b.failSets("too-many-sets")
		return
	}
	for _, v := range sets {
		one, ok := v.([]any)
		set, seen := []int{}, map[int]bool{}
		for _, v := range one {
			n, _ := v.(json.Number)
			i, err := strconv.Atoi(n.String())
			if err != nil || i < 0 || i >= len(index) {
				ok = false
				break
			}
			if k := index[i]; !seen[k] {
				set, seen[k] = append(set, k), true
			}
		}
		if !ok {
			b.failSets("not-supported")
			return
		}
		q.sets = append(q.sets, set)
	}
	switch {
	case len(q.sets) == 1 && len(q.sets[0]) == len(q.fr.group):
		q.sets = nil
	case len(q.sets) == 0 && len(index) > 0:
		b.failSets("not-supported")
	}
}

func (b *binder) failSets(code string) {
	b.failWord(code, keyword(b.sql, 0, []string{"group by"}), "grouping sets", "cube (", "rollup (")
}

// groupByAll groups by every column of the select list that holds no aggregate.
func (b *binder) groupByAll(q *query) {
	if b.err != nil || len(q.fr.group) > 0 || len(q.sets) > 0 {
		b.failSets("not-supported")
		return
	}
	for i, c := range q.columns {
		if !holds(c.Expr, plan.ExprAggregate) && !holds(c.Expr, plan.ExprWindow) && !isKey(c.Expr, q.fr.group) && c.Expr.Op != plan.ExprLiteral {
			q.fr.group = append(q.fr.group, c.Expr)
			q.groupAts = append(q.groupAts, q.fr.items[i].at)
		}
	}
}

func (b *binder) havingQualify(having, qualify map[string]any, q *query) {
	if having != nil && b.err == nil {
		e := b.expr(having, place{fr: q.fr, windows: "window-here", alias: keysThenAliases, limit: len(q.fr.items)})
		q.having = &e
	}
	if qualify != nil && b.err == nil {
		e := b.expr(qualify, place{fr: q.fr, alias: thenAliases, limit: len(q.fr.items)})
		q.qualify = &e
	}
}

// modifiers reads DISTINCT, ORDER BY and LIMIT.
func (b *binder) modifiers(list []any, q *query) {
	for _, v := range list {
		if b.err != nil {
			return
		}
		o := b.object(v, -1)
		switch o.text("type") {
		case "ORDER_MODIFIER":
			q.order = append(q.order, b.orderBy(o.list("orders"), q)...)
			o.end()
		case "LIMIT_MODIFIER":
			q.limit, q.offset = o.optional("limit"), o.optional("offset")
			o.end()
			for _, n := range []map[string]any{q.offset, q.limit} {
				if l, ok := b.literal(n, 0); n != nil && (!ok || l.Kind != plan.LitNull) {
					q.limitAt = max(0, located(n, 0))
				}
			}
		case "LIMIT_PERCENT_MODIFIER":
			b.fail("limit", located(asMap(o.raw("limit")), 0))
		case "DISTINCT_MODIFIER":
			targets := o.list("distinct_on_targets")
			o.end()
			q.distinct = len(targets) == 0
			for _, t := range targets {
				q.distinctOn = append(q.distinctOn, b.orderItem(asMap(t), q))
			}
		default:
			b.fail("not-supported", max(0, o.at))
		}
	}
}

func (b *binder) orderBy(orders []any, q *query) []plan.SortSpec {
	if len(orders) > maxItems {
		b.fail("query-too-large", 0)
	}
	var out []plan.SortSpec
	for _, v := range orders {
		s, n := b.sortOf(v)
		if b.err != nil {
			return nil
		}
		if class(n) == "STAR" { // ORDER BY ALL
			b.orderAll(n, s, q, &out)
			continue
		}
		s.Expr = b.orderItem(n, q)
		out = append(out, s)
	}
	return out
}

func (b *binder) orderAll(n map[string]any, s plan.SortSpec, q *query, out *[]plan.SortSpec) {
	o := b.object(n, 0)
	o.raw("class")
	o.raw("type")
	if !o.boolean("columns") {
		b.fail("columns-expression", o.at)
	}
	o.end()
	for i := range q.fr.items {
		s.Expr = b.item(i, place{fr: q.fr, alias: thenAliases, limit: i})
		s.Expr.Offset = o.at
		*out = append(*out, s)
	}
}

// sortOf reads direction and place of NULL; what is sorted by comes back as a node.
func (b *binder) sortOf(v any) (plan.SortSpec, map[string]any) {
	o := b.object(v, -1)
	s := plan.SortSpec{}
	switch o.text("type") {
	case "DESCENDING":
		s.Descending = true
	case "ASCENDING", "ORDER_DEFAULT":
	default:
		b.fail("not-supported", o.at)
	}
	switch o.text("null_order") {
	case "NULLS FIRST":
		s.NullsFirst = true
	case "NULLS LAST", "ORDER_DEFAULT":
	default:
		b.fail("not-supported", o.at)
	}
	n := o.node("expression")
	o.end()
	return s, n
}

// orderItem is a position, an alias before a column, or an expression.
func (b *binder) orderItem(n map[string]any, q *query) plan.Expr {
	at := located(n, 0)
	p := place{fr: q.fr, alias: thenAliases, limit: len(q.fr.items), at: at}
	switch class(n) {
	case "CONSTANT":
		i, ok := b.position(n, len(q.fr.items))
		if !ok {
			b.fail("position", at)
			return plan.Expr{}
		}
		e := b.item(i, p)
		e.Offset = at
		return e
	case "COLUMN_REF":
		p.alias = aliasesFirst
	}
	return b.expr(n, p)
}
