package bind

import (
	"strings"

	"carrel/anonymize/plan"
)

// frame is what names can mean inside one SELECT.
type frame struct {
	parent  *frame // the SELECT around a subquery of a condition: its columns may be named
	outer   *frame // the SELECT around a subquery in FROM: its columns may not, and the refusal says so
	env     *env
	from    plan.From
	moved   []plan.Expr // conditions that join WHERE: of semi- and anti-joins, and of inner joins over a join in parentheses
	sources []source    // in the order of SELECT *
	items   []item
	group   []plan.Expr
	// aggregated says that an aggregate stands where rows are grouped.
	aggregated bool
	measure    bool // the statement's measure step: GROUPING() means something
	strict     bool // of a semi-join: a name that the parent also has is ambiguous
}

// source is one name that qualifies columns. Several share a scan when a join in parentheses became one.
type source struct {
	name    string // folded; "" for a subquery without one
	scan    int
	columns []column
}

type column struct {
	name   string // folded, as the query sees it
	inner  string // the scan's name for it
	unit   bool   // it holds persons
	rowKey bool   // it numbers rows
	hidden bool   // USING has merged it into an earlier one: only a qualified name means it
}

// item is one column of the select list: a node, or a column that a star stands for.
type item struct {
	alias string
	node  map[string]any
	star  *plan.Expr
	at    int
}

// env is the chain of CTEs in sight, the nearest first.
type env struct {
	up      *env
	name    string
	aliases []string
	node    map[string]any
	at      int
	used    bool
	noise   bool // it holds statistics: no row of a person may be joined with it
}

func (e *env) find(name string) *env {
	for ; e != nil; e = e.up {
		if e.name == fold(name) {
			return e
		}
	}
	return nil
}

// columnRef reads a COLUMN_REF: one or two names.
func (b *binder) columnRef(n map[string]any, p place) plan.Expr {
	o := b.object(n, p.at)
	o.raw("class")
	o.raw("type")
	p.readAlias(o)
	names := o.strings("column_names")
	o.end()
	if b.err != nil {
		return plan.Expr{}
	}
	switch len(names) {
	case 1:
		return b.bare(names[0], o.at, p)
	case 2:
		return b.qualified(names[0], names[1], o.at, p)
	}
	b.fail("qualified-column", o.at)
	return plan.Expr{}
}

func (b *binder) qualified(table, name string, at int, p place) plan.Expr {
	var all []string
	for up, fr := 0, p.fr; fr != nil; up, fr = up+1, fr.parent {
		for _, s := range fr.visible(p.first(up)) {
			all = append(all, s.name)
			if s.name != fold(table) || s.name == "" {
				continue
			}
			for _, c := range s.columns {
				if c.name == fold(name) {
					return c.expr(s, up, at)
				}
			}
			b.failNear("unknown-column", at, nearest(name, s.names()))
			return plan.Expr{}
		}
	}
	if p.fr.outside(func(s source) bool { return s.name == fold(table) }) {
		b.fail("lateral", at)
	}
	b.failNear("unknown-table", at, nearest(table, all))
	return plan.Expr{}
}

// bare looks a name up: columns, then aliases of the select list (before them where SQL says so), then the SELECTs around.
func (b *binder) bare(name string, at int, p place) plan.Expr {
	var all []string
	for up, fr := 0, p.fr; fr != nil; up, fr = up+1, fr.parent {
		found := fr.columns(name, p.first(up))
		if up == 0 {
			if e, ok := b.viaAlias(name, found, at, p); ok {
				return e
			}
		}
		if len(found) > 1 || len(found) == 1 && fr.strict && len(fr.parent.columns(name, 0)) > 0 {
			b.fail("ambiguous-column", at)
			return plan.Expr{}
		}
		if len(found) == 1 {
			e := found[0]
			e.Col.Up, e.Col.Offset, e.Offset = up, at, at
			return e
		}
		for _, s := range fr.sources {
			all = append(all, s.names()...)
		}
	}
	switch {
	case now(name):
		b.fail("now-not-allowed", at)
	case p.fr.outside(func(s source) bool { return s.has(name) }):
		b.fail("lateral", at)
	}
	b.failNear("unknown-column", at, nearest(name, all))
	return plan.Expr{}
}

// viaAlias expands an alias of the select list. found are the columns of that name, which come first except where HAVING asks for
// something that is no key.
func (b *binder) viaAlias(name string, found []plan.Expr, at int, p place) (plan.Expr, bool) {
	switch {
	case p.alias == noAliases,
		p.alias == thenAliases && len(found) > 0,
		p.alias == keysThenAliases && len(found) == 1 && isKey(found[0], p.fr.group):
		return plan.Expr{}, false
	}
	i := p.fr.aliased(name, p.limit)
	if i < 0 {
		return plan.Expr{}, false
	}
	q := p
	q.alias, q.limit = thenAliases, i
	e := b.item(i, q)
	e.Offset = at
	return e, true
}

func isKey(e plan.Expr, group []plan.Expr) bool {
	for _, g := range group {
		if same(e, g) {
			return true
		}
	}
	return false
}

// aliased is the first of the first `limit` items with an alias, -1 for none.
func (f *frame) aliased(name string, limit int) int {
	for i := 0; i < min(limit, len(f.items)); i++ {
		if it := f.items[i]; it.alias != "" && fold(it.alias) == fold(name) {
			return i
		}
	}
	return -1
}

func (f *frame) visible(lo int) []source { return f.sources[min(lo, len(f.sources)):] }

// columns are the unmerged columns of a name.
func (f *frame) columns(name string, lo int) []plan.Expr {
	var out []plan.Expr
	for _, s := range f.visible(lo) {
		for _, c := range s.columns {
			if !c.hidden && c.name == fold(name) {
				out = append(out, c.expr(s, 0, 0))
			}
		}
	}
	return out
}

// outside says whether a SELECT around a subquery in FROM has such a source.
func (f *frame) outside(is func(source) bool) bool {
	for o := f; o != nil; {
		if o != f {
			for _, s := range o.sources {
				if is(s) {
					return true
				}
			}
		}
		if o.outer != nil {
			o = o.outer
		} else {
			o = o.parent
		}
	}
	return false
}

// unit says whether an expression is a person's number as it stands in a source.
func (f *frame) unit(e plan.Expr) bool { c := f.origin(e); return c != nil && c.unit }

// private says whether an expression is a person's or a row's number.
func (f *frame) private(e plan.Expr) bool { c := f.origin(e); return c != nil && (c.unit || c.rowKey) }

// origin is the column of a source that an expression is, nil for any other expression.
func (f *frame) origin(e plan.Expr) *column {
	for i := 0; f != nil && i < e.Col.Up; i++ {
		f = f.parent
	}
	if e.Op != plan.ExprColumn || f == nil {
		return nil
	}
	for _, s := range f.sources {
		for i := range s.columns {
			if s.scan == e.Col.Scan && s.columns[i].inner == e.Col.Column {
				return &s.columns[i]
			}
		}
	}
	return nil
}

func (c column) expr(s source, up, at int) plan.Expr {
	return plan.ColRef{Scan: s.scan, Column: c.inner, Up: up, Offset: at}.Expr()
}

func (s source) names() []string {
	var out []string
	for _, c := range s.columns {
		out = append(out, c.name)
	}
	return out
}

func (s source) has(name string) bool {
	for _, c := range s.columns {
		if c.name == fold(name) {
			return true
		}
	}
	return false
}

func (b *binder) table(name string) *plan.Table {
	for i := range b.schema.Tables {
		if fold(b.schema.Tables[i].Name) == fold(name) {
			return &b.schema.Tables[i]
		}
	}
	return nil
}

func tableColumns(t *plan.Table) []column {
	var out []column
	for _, c := range t.Columns {
		out = append(out, column{name: fold(c.Name), inner: c.Name, unit: t.Unit != "" && c.Name == t.Unit,
			rowKey: !t.Public && t.RowKey != "" && c.Name == t.RowKey})
	}
	return out
}

// now says that a name means the moment of asking, which no answer may depend on.
func now(name string) bool {
	switch strings.TrimPrefix(fold(name), "get_") {
	case "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "now", "today", "transaction_timestamp",
		"current_localtime", "current_localtimestamp":
		return true
	}
	return false
}
