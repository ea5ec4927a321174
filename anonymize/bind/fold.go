package bind

import "carrel/anonymize/plan"

// overMeasure reads a SELECT without aggregates. It has an answer only over a single measure step, with which it becomes one wish:
// columns of the step stand for keys and measures, WHERE for HAVING.
func (b *binder) overMeasure(n map[string]any, above *env) plan.Spec {
	o := b.object(n, -1)
	for name := range n { // read again and strictly by what follows
		o.raw(name)
	}
	sight := b.with(o, above)
	from := asMap(n["from_table"])
	steps := b.stepsIn(from, sight, 0)
	t, _ := from["type"].(string)
	switch {
	case b.err != nil:
	case t == "SHOW_REF":
		b.fail("select-only", 0)
	case t == "EXPRESSION_LIST":
		b.fail("no-table", 0)
	case len(steps) > 1:
		b.fail("several-measures", steps[1])
	case len(steps) == 1 && t == "JOIN":
		b.fail("measure-joined", located(from, steps[0]))
	case len(steps) == 0:
		b.noMeasure(n, above)
	default:
		return b.folded(n, sight, above)
	}
	return plan.Spec{}
}

// noMeasure refuses a SELECT that returns rows: for what is wrong with it in itself, if there is anything.
func (b *binder) noMeasure(n map[string]any, above *env) {
	q := b.query(n, &frame{env: above}, -1)
	if b.err != nil {
		return
	}
	for _, v := range sliceOf(n["select_list"]) {
		if class(asMap(v)) == "STAR" {
			b.fail("select-star", max(0, located(asMap(v), 0)))
		}
	}
	if q.distinct || len(q.distinctOn) > 0 {
		b.failWord("select-distinct", 0, "select distinct")
	}
	for _, c := range q.columns {
		switch {
		case q.fr.private(c.Expr):
			b.fail("unit-in-output", c.Expr.Offset)
		case holds(c.Expr, plan.ExprWindow):
			b.fail("window-here", c.Expr.Offset)
		}
	}
	b.fail("no-aggregate", max(0, located(asMap(sliceOf(n["select_list"])[0]), 0)))
}

// stepsIn are the places of the subqueries and CTEs of a FROM that aggregate, and not by person.
func (b *binder) stepsIn(n map[string]any, sight *env, depth int) []int {
	if depth > maxDepth {
		return nil
	}
	switch n["type"] {
	case "JOIN":
		return append(b.stepsIn(asMap(n["left"]), sight, depth+1), b.stepsIn(asMap(n["right"]), sight, depth+1)...)
	case "BASE_TABLE", "SUBQUERY":
		if node, in := inside(n, sight); node != nil && b.step(node, in, depth+1) {
			return []int{max(0, located(n, 0))}
		}
	}
	return nil
}

// inside is the SELECT behind a part of FROM, and what it has in sight; nil for a table.
func inside(n map[string]any, sight *env) (map[string]any, *env) {
	if n["type"] == "SUBQUERY" {
		return asMap(asMap(n["subquery"])["node"]), sight
	}
	name, _ := n["table_name"].(string)
	if e := sight.find(name); e != nil && empty(n["schema_name"]) && empty(n["catalog_name"]) {
		return e.node, e.up
	}
	return nil, nil
}

// step says whether a SELECT is a measure step, or only arithmetic over one. It looks at the text alone; what it takes for a measure step
// the planner judges as one.
func (b *binder) step(n map[string]any, sight *env, depth int) bool {
	if b.nodes++; depth > maxNested || b.nodes > maxNodes || n["type"] != "SELECT_NODE" {
		return false
	}
	if aggregates(n) {
		return !b.byPerson(n)
	}
	from := asMap(n["from_table"])
	if t := from["type"]; t != "SUBQUERY" && t != "BASE_TABLE" || !empty(asMap(n["cte_map"])["map"]) {
		return false
	}
	node, in := inside(from, sight)
	return node != nil && b.step(node, in, depth+1)
}

// byPerson says whether a key bears the name of a column that holds persons.
func (b *binder) byPerson(n map[string]any) bool {
	keys := sliceOf(n["group_expressions"])
	if n["aggregate_handling"] == "FORCE_AGGREGATES" {
		keys = sliceOf(n["select_list"])
	}
	for _, k := range keys {
		names := sliceOf(asMap(k)["column_names"])
		if len(names) == 0 {
			continue
		}
		last, _ := names[len(names)-1].(string)
		for i := range b.schema.Tables {
			if u := b.schema.Tables[i].Unit; u != "" && fold(u) == fold(last) {
				return true
			}
		}
	}
	return false
}

// folded reads a SELECT over one measure step.
func (b *binder) folded(n map[string]any, sight, above *env) plan.Spec {
	from := asMap(n["from_table"])
	o := b.object(from, 0)
	o.raw("type")
	if !empty(o.raw("sample")) {
		b.failWord("sample", o.at, "tablesample", "using sample")
	}
	alias, renamed := o.text("alias"), o.strings("column_name_alias")
	node, in := inside(from, sight)
	if from["type"] == "SUBQUERY" {
		s := b.object(o.node("subquery"), o.at)
		s.raw("node")
		s.refuseUnlessEmpty("named_param_map", "parameter")
		s.end()
	} else {
		for _, k := range []string{"schema_name", "catalog_name"} {
			o.text(k)
		}
		name := o.text("table_name")
		o.refuseUnlessEmpty("at_clause", "not-supported")
		e := sight.find(name)
		e.used, alias = true, firstName(alias, name)
		renamed = append(append([]string{}, renamed...), e.aliases[min(len(renamed), len(e.aliases)):]...)
	}
	o.end()
	spec := b.statement(node, in)
	if b.err != nil {
		return plan.Spec{}
	}
	fr := &frame{env: sight, sources: []source{{name: fold(alias), columns: stepColumns(spec)}}}
	if len(renamed) > len(fr.sources[0].columns) {
		b.fail("column-alias-list", o.at)
		return plan.Spec{}
	}
	for i, r := range renamed {
		fr.sources[0].columns[i].name = fold(r)
	}
	q := b.above(n, fr)
	b.unused(sight, above)
	if b.err != nil {
		return plan.Spec{}
	}
	return b.overSpec(q, spec)
}

func stepColumns(s plan.Spec) []column {
	names := make([]string, len(s.Output))
	for i, o := range s.Output {
		names[i] = o.Name
	}
	var out []column
	for i, n := range unique(names) {
		inner := n
		if fold(names[i]) == n {
			inner = names[i] // as it was written
		}
		out = append(out, column{name: n, inner: inner})
	}
	return out
}

// above reads the SELECT over a measure step; its FROM and its CTEs have been read.
func (b *binder) above(n map[string]any, fr *frame) *query {
	o := b.object(n, 0)
	for _, k := range []string{"type", "cte_map", "from_table", "group_expressions", "group_sets", "having", "aggregate_handling"} {
		o.raw(k) // aggregates() has seen that there is none
	}
	if o.m["aggregate_handling"] != "STANDARD_HANDLING" {
		b.fail("not-supported", o.at)
	}
	modifiers, list, where := o.list("modifiers"), o.list("select_list"), o.optional("where_clause")
	if !empty(o.raw("qualify")) {
		b.failWord("window-over-noise", o.at, "qualify")
	}
	if !empty(o.raw("sample")) {
		b.failWord("sample", o.at, "using sample", "tablesample")
	}
	o.end()
	q := &query{fr: fr, at: o.at, limitAt: -1}
	b.selectItems(list, fr)
	b.where(where, fr)
	b.selectColumns(q)
	b.modifiers(modifiers, q)
	if q.distinct || len(q.distinctOn) > 0 {
		b.failWord("select-distinct", 0, "select distinct")
	}
	return q
}

// overSpec puts the SELECT above and the measure step together. Rows that the step has cut off by LIMIT cannot be chosen from again.
func (b *binder) overSpec(q *query, s plan.Spec) plan.Spec {
	if s.Limit >= 0 || s.Skip > 0 {
		if q.fr.from.Where != nil || len(q.order) > 0 || q.limitAt >= 0 {
			b.fail("limit-inside", q.at)
			return plan.Spec{}
		}
	} else {
		b.limits(q, &s)
	}
	n := &noised{b: b, spec: &s, fr: q.fr}
	for _, o := range s.Output {
		n.columns = append(n.columns, o.Expr)
	}
	if q.fr.from.Where != nil {
		n.conditions(*q.fr.from.Where)
	}
	output := make([]plan.OutputSpec, 0, len(q.columns))
	for _, c := range q.columns {
		output = append(output, plan.OutputSpec{Name: c.Name, Expr: n.out(c.Expr)})
	}
	if len(q.order) > 0 {
		s.Order = nil
	}
	for _, o := range q.order {
		s.Order = append(s.Order, plan.OrderSpec{Expr: n.out(o.Expr), Descending: o.Descending, NullsFirst: o.NullsFirst})
	}
	s.Output = output
	if b.err != nil {
		return plan.Spec{}
	}
	return s
}
