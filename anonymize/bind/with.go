package bind

import "carrel/anonymize/plan"

// with puts the CTEs of a SELECT in sight, each seeing those before it. What comes back after the SELECT is bound checks those that
// nothing used.
func (b *binder) with(o *object, up *env) *env {
	m := b.object(o.node("cte_map"), o.at)
	entries := m.list("map")
	m.end()
	first := up
	for _, v := range entries {
		e := b.object(v, o.at)
		name := e.text("key")
		def := b.object(e.node("value"), e.at)
		e.end()
		aliases := def.strings("aliases")
		switch def.text("materialized") { // says how DuckDB would compute it, not what it means
		case "", "CTE_MATERIALIZE_DEFAULT", "CTE_MATERIALIZE_ALWAYS", "CTE_MATERIALIZE_NEVER":
		default:
			b.fail("not-supported", def.at)
		}
		if !empty(def.raw("key_targets")) {
			b.failWord("recursive-cte", 0, "with recursive")
		}
		q := b.object(def.node("query"), def.at)
		node := q.node("node")
		if !empty(q.raw("named_param_map")) {
			b.fail("parameter", q.at)
		}
		q.end()
		def.end()
		for old := up; old != first; old = old.up {
			if old.name == fold(name) {
				b.fail("duplicate-alias", def.at)
			}
		}
		if b.err != nil {
			return up
		}
		up = &env{up: up, name: fold(name), aliases: aliases, node: node, at: def.at}
	}
	return up
}

// unused binds the CTEs between two environments that nothing named: they must hold, though nothing of them is kept.
func (b *binder) unused(from, to *env) {
	for e := from; e != to && b.err == nil; e = e.up {
		if !e.used {
			b.cte(e, e.at)
		}
	}
}

// useCTE writes a CTE out at the place of its use.
func (b *binder) useCTE(e *env, name string, renamed []string, at int, fr *frame) {
	r, columns := b.cte(e, at)
	b.addScan(fr, plan.Scan{Sub: &r, Alias: name, Offset: at}, name, columns, renamed)
}

func (b *binder) cte(e *env, at int) (plan.Relation, []column) {
	e.used = true
	if e.noise {
		b.fail("noise-inside", at)
		return plan.Relation{}, nil
	}
	r, columns := b.relation(e.node, &frame{env: e.up}, at)
	if len(e.aliases) > len(columns) {
		b.fail("column-alias-list", e.at)
		return r, nil
	}
	for i, n := range e.aliases {
		columns[i].name = fold(n)
	}
	return r, columns
}

// relation reads a SELECT or a UNION that is no measure step. The frame says what its names may mean outside of it.
func (b *binder) relation(n map[string]any, fr *frame, at int) (plan.Relation, []column) {
	if b.nested++; b.nested > maxNested {
		b.fail("query-too-large", at)
	}
	defer func() { b.nested-- }()
	if b.err != nil {
		return plan.Relation{}, nil
	}
	switch t, _ := n["type"].(string); t {
	case "SELECT_NODE":
		return b.selectRelation(n, fr, at)
	case "SET_OPERATION_NODE":
		return b.union(n, fr, at)
	case "RECURSIVE_CTE_NODE":
		b.failWord("recursive-cte", 0, "with recursive")
	default:
		b.fail("not-supported", at)
	}
	return plan.Relation{}, nil
}

func (b *binder) selectRelation(n map[string]any, fr *frame, at int) (plan.Relation, []column) {
	q := b.query(n, fr, at)
	if b.err != nil {
		return plan.Relation{}, nil
	}
	if len(q.sets) > 0 {
		b.failSets("grouping-sets")
	}
	if q.limitAt >= 0 {
		b.fail("limit-inside", q.limitAt)
	}
	b.checkGrouped(q)
	r := plan.Relation{From: fr.from, Grouped: q.grouped, Group: fr.group, Having: q.having, Qualify: q.qualify,
		Distinct: q.distinct, DistinctOn: q.distinctOn, Offset: q.at}
	if len(q.distinctOn) > 0 {
		r.Order = q.order
	}
	names := make([]string, len(q.columns))
	for i, c := range q.columns {
		names[i] = c.Name
	}
	names = unique(names)
	columns := make([]column, len(names))
	for i, c := range q.columns {
		c.Name = names[i]
		r.Columns = append(r.Columns, c)
		columns[i] = column{name: names[i], inner: names[i]}
		if from := fr.origin(c.Expr); from != nil {
			columns[i].unit, columns[i].rowKey = from.unit, from.rowKey
		}
	}
	return r, columns
}

// union reads UNION and UNION ALL. Branches of the same kind are one list; UNION takes a UNION beneath it in, since it drops what is
// repeated anyway.
func (b *binder) union(n map[string]any, fr *frame, at int) (plan.Relation, []column) {
	o := b.object(n, at)
	o.raw("type")
	env := b.with(o, fr.env)
	operation, all := o.text("setop_type"), o.boolean("setop_all")
	left, right := o.node("left"), o.node("right")
	modifiers := o.list("modifiers")
	o.end()
	if operation != "UNION" {
		b.failWord("set-operation", max(0, at), "intersect", "except", "union all by name", "union by name")
	}
	r := plan.Relation{Distinct: !all, Offset: o.at}
	var columns []column
	for i, side := range []map[string]any{left, right} {
		branch, names := b.relation(side, &frame{parent: fr.parent, outer: fr.outer, env: env}, o.at)
		if b.err != nil {
			return plan.Relation{}, nil
		}
		if i == 0 {
			columns = names
		}
		if len(names) != len(columns) {
			b.fail("union-columns", located(side, o.at))
			return plan.Relation{}, nil
		}
		for k := range columns {
			columns[k].unit = columns[k].unit && names[k].unit
			columns[k].rowKey = columns[k].rowKey || names[k].rowKey
		}
		if len(branch.Union) > 0 && (!branch.Distinct || r.Distinct) {
			r.Union = append(r.Union, branch.Union...)
		} else {
			r.Union = append(r.Union, branch)
		}
	}
	b.unionModifiers(modifiers, columns)
	b.unused(env, fr.env)
	return r, columns
}

// unionModifiers checks ORDER BY of a union, which means nothing inside a query, and refuses LIMIT.
func (b *binder) unionModifiers(list []any, columns []column) {
	fr := &frame{sources: []source{{columns: columns}}}
	for i := range columns {
		fr.items = append(fr.items, item{star: &plan.Expr{Op: plan.ExprColumn, Col: plan.ColRef{Column: columns[i].inner}}})
	}
	q := query{fr: fr, limitAt: -1}
	b.modifiers(list, &q)
	switch {
	case q.limitAt >= 0:
		b.fail("limit-inside", q.limitAt)
	case q.distinct || len(q.distinctOn) > 0:
		b.fail("not-supported", 0)
	}
}
