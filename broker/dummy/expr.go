package dummy

import (
	"strings"

	"carrel/anonymize/plan"
)

// frame is a place where an expression stands: one joined row, or a group of them, inside the SELECTs around.
type frame struct {
	w       *world
	up      *frame
	scans   []source
	grouped bool
	members []*frame // of a group
	peers   []*frame // the rows that window functions see, this one included
}

// source is what one scan contributes to a joined row; the zero value is the null side of a LEFT JOIN.
type source struct {
	row     *row
	public  *publicTable
	pick    *cell // which row of the public table
	inner   *frame
	columns map[string]*plan.Expr // of a relation
}

func (f *frame) column(c plan.ColRef) value {
	at := f
	for range c.Up {
		if at = at.up; at == nil {
			return untold()
		}
	}
	if at.grouped {
		if len(at.members) == 0 {
			return value{}
		}
		at = at.members[0]
	}
	if c.Scan >= len(at.scans) { // a join that is not made yet
		return untold()
	}
	return at.scans[c.Scan].read(f.w, c.Column)
}

func (s *source) read(w *world, column string) value {
	switch {
	case s.row != nil:
		if c := s.row.cells[column]; c != nil {
			return w.read(c)
		}
		if column == s.row.table.Unit {
			return value{kind: isOpaque}
		}
		return untold()
	case s.public != nil:
		w.touch(s.pick)
		if c := s.public.rows[s.pick.n].cells[column]; c != nil {
			return c.value()
		}
		return untold()
	case s.inner != nil:
		if e := s.columns[column]; e != nil {
			return s.inner.eval(e)
		}
		return untold()
	}
	return value{}
}

// eval is the value of an expression.
func (f *frame) eval(e *plan.Expr) value {
	switch e.Op {
	case plan.ExprColumn:
		return f.column(e.Col)
	case plan.ExprLiteral:
		return literal(e.Lit)
	case plan.ExprCase:
		return f.cases(e)
	case plan.ExprCall:
		return f.call(e)
	case plan.ExprCast:
		return f.cast(e)
	case plan.ExprAggregate:
		return aggregate(e, f.members)
	case plan.ExprWindow:
		return f.window(e)
	case plan.ExprScalar:
		rows, ok := f.w.joined(&e.Sub.From, f)
		if !ok || len(e.Sub.Columns) == 0 {
			return untold()
		}
		if !e.Sub.Grouped {
			if len(rows) == 0 {
				return value{}
			}
			return rows[0].eval(&e.Sub.Columns[0].Expr)
		}
		g := &frame{w: f.w, up: f, grouped: true, members: rows}
		return g.eval(&e.Sub.Columns[0].Expr)
	default:
		return f.predicate(e)
	}
}

func (f *frame) cases(e *plan.Expr) value {
	for i := 0; i+1 < len(e.Args); i += 2 {
		switch c := f.eval(&e.Args[i]); {
		case c.kind == isUntold:
			return c
		case c.isTrue():
			return f.eval(&e.Args[i+1])
		}
	}
	return f.eval(&e.Args[len(e.Args)-1])
}

func (f *frame) predicate(e *plan.Expr) value {
	switch e.Op {
	case plan.ExprAnd, plan.ExprOr:
		or := e.Op == plan.ExprOr
		out := truthOf(true)
		for i := range e.Args {
			v := f.eval(&e.Args[i])
			if or {
				v = not(v)
			}
			out = both(out, v)
		}
		if or {
			return not(out)
		}
		return out
	case plan.ExprNot:
		return not(f.eval(&e.Args[0]))
	case plan.ExprCompare:
		return compared(f.eval(&e.Args[0]), e.Cmp, f.eval(&e.Args[1]))
	case plan.ExprDistinct:
		a, b := f.eval(&e.Args[0]), f.eval(&e.Args[1])
		if a.kind == isNull || b.kind == isNull {
			return truthOf(a.kind != b.kind)
		}
		return compared(a, plan.CmpNe, b)
	case plan.ExprBetween:
		a := f.eval(&e.Args[0])
		return both(compared(a, plan.CmpGe, f.eval(&e.Args[1])), compared(a, plan.CmpLe, f.eval(&e.Args[2])))
	case plan.ExprIn:
		return f.in(e)
	case plan.ExprIsNull:
		v := f.eval(&e.Args[0])
		if v.kind == isUntold {
			return v
		}
		return truthOf(v.kind == isNull)
	case plan.ExprLike, plan.ExprILike:
		return f.like(e)
	case plan.ExprExists, plan.ExprInSub:
		return f.subquery(e)
	default:
		return untold()
	}
}

func (f *frame) in(e *plan.Expr) value {
	a, none := f.eval(&e.Args[0]), truthOf(true)
	for i := 1; i < len(e.Args); i++ {
		x := &e.Args[i]
		if x.Op == plan.ExprCall && x.Name == "codes" && len(x.Args) == 1 {
			if a.kind == isNull {
				return a
			}
			none = both(none, truthOf(!f.w.g.listed(x.Args[0].Lit.Text, a.s)))
			continue
		}
		none = both(none, compared(a, plan.CmpNe, f.eval(x)))
	}
	return not(none)
}

func (f *frame) like(e *plan.Expr) value {
	a, p := f.eval(&e.Args[0]), f.eval(&e.Args[1])
	switch {
	case a.kind == isNull || p.kind == isNull:
		return value{}
	case a.kind != isText || p.kind != isText:
		return untold()
	case e.Op == plan.ExprILike:
		return truthOf(like(strings.ToLower(a.s), strings.ToLower(p.s)))
	}
	return truthOf(like(a.s, p.s))
}

// subquery is EXISTS and IN (SELECT …), over all rows that the person has so far.
func (f *frame) subquery(e *plan.Expr) value {
	rows, ok := f.w.selected(e.Sub, f)
	if !ok {
		return untold()
	}
	if e.Op == plan.ExprExists {
		return truthOf(len(rows) > 0)
	}
	a, none := f.eval(&e.Args[0]), truthOf(true)
	for _, r := range rows {
		s := source{inner: r.frame, columns: r.columns}
		none = both(none, compared(a, plan.CmpNe, s.read(f.w, columnName(e.Sub, 0))))
	}
	return not(none)
}
