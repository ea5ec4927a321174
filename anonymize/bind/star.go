package bind

import "carrel/anonymize/plan"

// star writes * and t.* out over the columns in sight, with EXCLUDE, REPLACE and RENAME.
func (b *binder) star(n map[string]any, fr *frame) {
	o := b.object(n, 0)
	o.raw("class")
	o.raw("type")
	o.noAlias()
	table := o.text("relation_name")
	if o.boolean("columns") || !empty(o.raw("expr")) {
		b.fail("columns-expression", o.at)
	}
	s := starList{exclude: map[string]bool{}, replace: map[string]map[string]any{}, rename: map[string]string{}, met: map[string]bool{}}
	for _, name := range o.strings("exclude_list") {
		s.exclude[fold(name)] = true
	}
	for _, v := range o.list("qualified_exclude_list") {
		s.exclude[b.qualifiedName(v, o.at)] = true
	}
	for _, v := range o.list("replace_list") {
		e := b.object(v, o.at)
		s.replace[fold(e.text("key"))] = e.node("value")
		e.end()
	}
	for _, v := range o.list("rename_list") {
		e := b.object(v, o.at)
		s.rename[b.qualifiedName(e.raw("key"), o.at)] = e.text("value")
		e.end()
	}
	o.end()
	b.expand(fr, table, s, max(0, o.at))
}

// starList is what a star leaves out, replaces and renames, by folded name or table.name; met are those that occurred.
type starList struct {
	exclude map[string]bool
	replace map[string]map[string]any
	rename  map[string]string
	met     map[string]bool
}

func (b *binder) qualifiedName(v any, at int) string {
	o := b.object(v, at)
	o.refuseUnlessEmpty("catalog", "qualified-column")
	o.refuseUnlessEmpty("schema", "qualified-column")
	table, name := o.text("table"), o.text("column")
	o.end()
	if table == "" {
		return fold(name)
	}
	return fold(table) + "." + fold(name)
}

func (b *binder) expand(fr *frame, table string, s starList, at int) {
	found := false
	for _, src := range fr.sources {
		if table != "" && src.name != fold(table) {
			continue
		}
		found = true
		for _, c := range src.columns {
			if c.hidden && table == "" {
				continue
			}
			if b.nodes++; b.nodes > maxNodes {
				b.fail("query-too-large", at)
				return
			}
			s.add(fr, src, c, at)
		}
	}
	if !found {
		b.fail("unknown-table", at)
	}
	for _, names := range []map[string]bool{s.exclude, keysOf(s.replace), keysOf(s.rename)} {
		for n := range names {
			if !s.met[n] {
				b.fail("unknown-column", at)
			}
		}
	}
}

// add appends one column unless it is left out.
func (s starList) add(fr *frame, src source, c column, at int) {
	e := c.expr(src, 0, at)
	it := item{alias: c.shown(), star: &e, at: at}
	for _, key := range []string{c.name, src.name + "." + c.name} {
		if s.exclude[key] {
			s.met[key] = true
			return
		}
		if n, ok := s.replace[key]; ok {
			s.met[key] = true
			it.node, it.star = n, nil
		}
		if n, ok := s.rename[key]; ok {
			s.met[key] = true
			it.alias = n
		}
	}
	fr.items = append(fr.items, it)
}

func keysOf[V any](m map[string]V) map[string]bool {
	out := map[string]bool{}
	for k := range m {
		out[k] = true
	}
	return out
}

// holds says whether an expression has a node of a kind outside of subqueries.
func holds(e plan.Expr, op plan.ExprOp) bool {
	found := false
	visit(&e, func(x *plan.Expr) bool {
		found = found || x.Op == op
		return !found
	})
	return found
}
