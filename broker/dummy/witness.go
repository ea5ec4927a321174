package dummy

import (
	"carrel/anonymize/plan"
)

// The witness of a wish is a small set of rows of one person on which the wish returns something. It is made in two steps: the wish is
// walked from the outside in, and every scan that must find something gets a row (this file); then the values of all rows are searched
// until the conditions hold (solve.go). What may be one way or another is chosen by chance, and choices that worked are repeated.

// join makes one joined row of FROM and demands ON and WHERE of it.
func (w *world) join(from *plan.From, up *frame) *frame {
	f := &frame{w: w, up: up}
	for i := range from.Scans {
		var j *plan.Join
		if i > 0 {
			j = &from.Joins[i-1]
		}
		if j != nil && (j.Kind == plan.JoinLeft || j.Kind == plan.JoinAsofLeft) && w.choose(4) == 0 {
			f.scans = append(f.scans, source{})
			continue // WHERE is demanded of it; that nothing matches is seen at the end
		}
		f.scans = append(f.scans, w.scan(&from.Scans[i], f))
		if j != nil && j.On != nil {
			w.demand(j.On, f, true)
		}
	}
	if from.Where != nil {
		w.demand(from.Where, f, true)
	}
	return f
}

func (w *world) scan(s *plan.Scan, f *frame) source {
	if s.Sub != nil {
		return w.relation(s.Sub, nil)
	}
	if p := w.g.public[s.Table]; p != nil {
		c := &cell{hi: int64(len(p.rows)) - 1}
		w.cells = append(w.cells, c)
		return source{public: p, pick: c}
	}
	t := w.g.tables[s.Table]
	if have := f.rowsOf(t); len(have) > 0 && w.choose(3) == 0 { // one row can be both of a self-join
		return source{row: have[w.choose(len(have))]}
	}
	return source{row: w.newRow(t)}
}

// rowsOf are the rows of a table that stand in the joined row so far, or in those around it.
func (f *frame) rowsOf(t *plan.Table) []*row {
	var out []*row
	for ; f != nil; f = f.up {
		for _, s := range f.scans {
			if s.row != nil && s.row.table == t {
				out = append(out, s.row)
			}
		}
	}
	return out
}

// relation makes one row of a relation. Window functions see several rows, of which this is one.
func (w *world) relation(r *plan.Relation, up *frame) source {
	if len(r.Union) > 0 {
		at := w.choose(len(r.Union))
		s := w.relation(&r.Union[at], up)
		s.columns = columnsOf(r, &r.Union[at])
		return s
	}
	n := 1
	if w.g.windows[r] {
		n = max(1, w.count())
	}
	peers := make([]*frame, n)
	for i := range peers {
		peers[i] = w.one(r, up)
		peers[i].peers = peers
	}
	at := peers[w.choose(n)]
	if r.Qualify != nil {
		w.demand(r.Qualify, at, true)
	}
	return source{inner: at, columns: columnsOf(r, r)}
}

// one makes one row before window functions: of the join, or a group of several.
func (w *world) one(r *plan.Relation, up *frame) *frame {
	if !r.Grouped {
		return w.join(&r.From, up)
	}
	g := &frame{w: w, up: up, grouped: true}
	for range max(1, w.count()) {
		m := w.join(&r.From, up)
		if len(g.members) > 0 {
			first := g.members[0]
			for i := range r.Group {
				w.need(func() float64 { return same(first.eval(&r.Group[i]), m.eval(&r.Group[i])) })
			}
		}
		g.members = append(g.members, m)
	}
	if r.Having != nil {
		w.demand(r.Having, g, true)
	}
	return g
}

// count is how many rows: few, or near a number of the text.
func (w *world) count() int { return w.g.counts[w.choose(len(w.g.counts))] }

// demand wants an expression to be true, or to be false.
func (w *world) demand(e *plan.Expr, f *frame, want bool) {
	switch {
	case e.Op == plan.ExprNot:
		w.demand(&e.Args[0], f, !want)
	case e.Op == plan.ExprAnd && want || e.Op == plan.ExprOr && !want:
		for i := range e.Args {
			w.demand(&e.Args[i], f, want)
		}
	case (e.Op == plan.ExprOr || e.Op == plan.ExprAnd) && len(e.Args) > 0:
		w.demand(&e.Args[w.choose(len(e.Args))], f, want)
	case e.Op == plan.ExprExists && want:
		w.relation(e.Sub, f)
	case e.Op == plan.ExprInSub && want:
		w.prepare(&e.Args[0], f)
		s := w.relation(e.Sub, f)
		w.need(func() float64 { return same(f.eval(&e.Args[0]), s.read(w, columnName(e.Sub, 0))) })
	default:
		w.prepare(e, f)
		w.checks = append(w.checks, &check{penalty: func() float64 { return f.penalty(e, want) }})
	}
}

func (w *world) need(penalty func() float64) {
	w.checks = append(w.checks, &check{penalty: penalty})
}

// prepare gives the subqueries inside an expression rows to find, or not.
func (w *world) prepare(e *plan.Expr, f *frame) {
	switch e.Op {
	case plan.ExprScalar:
		for range w.count() - w.choose(2) {
			w.join(&e.Sub.From, f)
		}
	case plan.ExprExists, plan.ExprInSub:
		if w.choose(2) == 0 {
			w.relation(e.Sub, f)
		}
	default: // needs no rows of its own
	}
	for i := range e.Args {
		w.prepare(&e.Args[i], f)
	}
}

// same is no penalty for equal values.
func same(a, b value) float64 {
	if a.kind == isUntold || b.kind == isUntold || a.kind == isNull && b.kind == isNull {
		return 0
	}
	return apart(a, plan.CmpEq, b)
}
