package bind

import (
	"slices"

	"carrel/anonymize/plan"
)

// same says that two expressions are written alike, places aside. Windows are never the same: nothing is grouped by one.
func same(a, b plan.Expr) bool {
	if a.Op != b.Op || len(a.Args) != len(b.Args) || a.Cmp != b.Cmp || a.Name != b.Name || a.To != b.To || a.IsDistinct != b.IsDistinct ||
		(a.Sub == nil) != (b.Sub == nil) || a.Over != nil || b.Over != nil ||
		a.Lit.Kind != b.Lit.Kind || a.Lit.Text != b.Lit.Text ||
		a.Col.Scan != b.Col.Scan || a.Col.Column != b.Col.Column || a.Col.Up != b.Col.Up {
		return false
	}
	return sameList(a.Args, b.Args) && sameSort(a.Sort, b.Sort) && sameOptional(a.Filter, b.Filter) && (a.Sub == nil || sameRelation(a.Sub, b.Sub))
}

func sameList(a, b []plan.Expr) bool {
	return slices.EqualFunc(a, b, same)
}

func sameSort(a, b []plan.SortSpec) bool {
	return slices.EqualFunc(a, b, func(s, t plan.SortSpec) bool {
		return s.Descending == t.Descending && s.NullsFirst == t.NullsFirst && same(s.Expr, t.Expr)
	})
}

func sameOptional(a, b *plan.Expr) bool {
	return (a == nil) == (b == nil) && (a == nil || same(*a, *b))
}

func sameRelation(a, b *plan.Relation) bool {
	relations := func(x, y plan.Relation) bool { return sameRelation(&x, &y) }
	columns := func(x, y plan.ColumnSpec) bool { return x.Name == y.Name && same(x.Expr, y.Expr) }
	return a.Grouped == b.Grouped && a.Distinct == b.Distinct && slices.EqualFunc(a.Union, b.Union, relations) && sameFrom(&a.From, &b.From) &&
		sameList(a.Group, b.Group) && sameOptional(a.Having, b.Having) && slices.EqualFunc(a.Columns, b.Columns, columns) &&
		sameOptional(a.Qualify, b.Qualify) && sameList(a.DistinctOn, b.DistinctOn) && sameSort(a.Order, b.Order)
}

func sameFrom(a, b *plan.From) bool {
	scans := func(x, y plan.Scan) bool {
		return x.Table == y.Table && (x.Sub == nil) == (y.Sub == nil) && (x.Sub == nil || sameRelation(x.Sub, y.Sub))
	}
	joins := func(x, y plan.Join) bool { return x.Kind == y.Kind && sameOptional(x.On, y.On) }
	return slices.EqualFunc(a.Scans, b.Scans, scans) && slices.EqualFunc(a.Joins, b.Joins, joins) && sameOptional(a.Where, b.Where)
}

// visit calls f on an expression and, while f says so, on its parts; subqueries are left out.
func visit(e *plan.Expr, f func(*plan.Expr) bool) {
	if !f(e) {
		return
	}
	for i := range e.Args {
		visit(&e.Args[i], f)
	}
	if e.Filter != nil {
		visit(e.Filter, f)
	}
	for i := range e.Sort {
		visit(&e.Sort[i].Expr, f)
	}
	if e.Over != nil {
		for i := range e.Over.Partition {
			visit(&e.Over.Partition[i], f)
		}
		for i := range e.Over.Order {
			visit(&e.Over.Order[i].Expr, f)
		}
	}
}

// columnsOf calls f on every column of the SELECT that an expression stands in, subqueries included; up is how many SELECTs lie between.
func columnsOf(e *plan.Expr, up int, f func(*plan.Expr)) {
	visit(e, func(x *plan.Expr) bool {
		if x.Op == plan.ExprColumn && x.Col.Up == up {
			f(x)
		}
		if x.Sub != nil {
			columnsIn(x.Sub, up+1, f)
		}
		return true
	})
}

func columnsIn(r *plan.Relation, up int, f func(*plan.Expr)) {
	for i := range r.Union {
		columnsIn(&r.Union[i], up, f)
	}
	for i := range r.Joins {
		columnsOf(r.Joins[i].On, up, f)
	}
	for _, e := range []*plan.Expr{r.Where, r.Having, r.Qualify} {
		if e != nil {
			columnsOf(e, up, f)
		}
	}
	for _, list := range [][]plan.Expr{r.Group, r.DistinctOn} {
		for i := range list {
			columnsOf(&list[i], up, f)
		}
	}
	for i := range r.Columns {
		columnsOf(&r.Columns[i].Expr, up, f)
	}
	for i := range r.Order {
		columnsOf(&r.Order[i].Expr, up, f)
	}
}

// lastScan is the largest scan that an expression names, -1 for none.
func lastScan(e plan.Expr) int {
	last := -1
	columnsOf(&e, 0, func(x *plan.Expr) { last = max(last, x.Col.Scan) })
	return last
}

// checkGrouped refuses a column that is neither a key nor inside an aggregate. The planner asks again; here the place is known.
func (b *binder) checkGrouped(q *query) {
	if !q.grouped || b.err != nil {
		return
	}
	for i := range q.columns {
		b.grouped(&q.columns[i].Expr, q.fr)
	}
	for _, e := range []*plan.Expr{q.having, q.qualify} {
		if e != nil {
			b.grouped(e, q.fr)
		}
	}
	for i := range q.distinctOn {
		b.grouped(&q.distinctOn[i], q.fr)
	}
	for i := range q.order {
		b.grouped(&q.order[i].Expr, q.fr)
	}
}

func (b *binder) grouped(e *plan.Expr, fr *frame) {
	visit(e, func(x *plan.Expr) bool {
		switch {
		case x.Op == plan.ExprAggregate, isKey(*x, fr.group):
			return false
		case x.Op == plan.ExprColumn && x.Col.Up == 0:
			b.fail("column-not-grouped", x.Offset)
		case x.Sub != nil:
			columnsIn(x.Sub, 1, func(c *plan.Expr) {
				out := *c
				out.Col.Up = 0
				if !isKey(out, fr.group) {
					b.fail("column-not-grouped", c.Offset)
				}
			})
		}
		return true
	})
}
