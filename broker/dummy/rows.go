package dummy

import (
	"carrel/anonymize/plan"
)

// most is how many joined rows of one person we look at; a query that makes more is left to chance.
const most = 4000

// seen is one row of a relation.
type seen struct {
	frame   *frame
	columns map[string]*plan.Expr
}

// joined gives the rows of FROM that WHERE keeps, over all that the person has so far; ok is false when they are too many to tell.
func (w *world) joined(from *plan.From, up *frame) (list []*frame, ok bool) {
	if len(from.Scans) == 0 {
		return nil, false
	}
	for i := range from.Scans {
		if p := w.g.public[from.Scans[i].Table]; p != nil && i > 0 {
			if e := keyed(from.Joins[i-1].On, i, p.table.RowKey); e != nil {
				list = w.lookedUp(list, p, e, &from.Joins[i-1])
				continue
			}
		}
		sources, ok := w.sources(&from.Scans[i])
		if !ok {
			return nil, false
		}
		if i == 0 {
			for _, s := range sources {
				list = append(list, &frame{w: w, up: up, scans: []source{s}})
			}
			continue
		}
		if len(list)*len(sources) > 50*most {
			return nil, false
		}
		list = w.matched(list, sources, &from.Joins[i-1])
		if len(list) > most {
			return nil, false
		}
	}
	if from.Where == nil {
		return list, true
	}
	kept := list[:0]
	for _, f := range list {
		if f.eval(from.Where).isTrue() {
			kept = append(kept, f)
		}
	}
	return kept, true
}

// matched joins one more scan. ASOF's nearest row is not looked for: that there is one is what counts here.
func (w *world) matched(list []*frame, sources []source, j *plan.Join) []*frame {
	var out []*frame
	asof := j.Kind == plan.JoinAsof || j.Kind == plan.JoinAsofLeft
	for _, left := range list {
		found := false
		for _, s := range sources {
			both := left.with(s)
			if j.On == nil || both.eval(j.On).isTrue() {
				out, found = append(out, both), true
				if asof {
					break
				}
			}
		}
		if !found && (j.Kind == plan.JoinLeft || j.Kind == plan.JoinAsofLeft) {
			out = append(out, left.with(source{}))
		}
	}
	return out
}

// lookedUp joins a public table through its key: at most one row of it can match.
func (w *world) lookedUp(list []*frame, p *publicTable, e *plan.Expr, j *plan.Join) []*frame {
	var out []*frame
	for _, left := range list {
		if n, ok := p.at[shown(left.eval(e))]; ok {
			if both := left.with(p.source(n)); both.eval(j.On).isTrue() {
				out = append(out, both)
				continue
			}
		}
		if j.Kind == plan.JoinLeft || j.Kind == plan.JoinAsofLeft {
			out = append(out, left.with(source{}))
		}
	}
	return out
}

// keyed finds what ON equates the key of a scan with; nil when there is nothing of the kind.
func keyed(on *plan.Expr, scan int, key string) *plan.Expr {
	if on == nil {
		return nil
	}
	if on.Op == plan.ExprAnd {
		for i := range on.Args {
			if e := keyed(&on.Args[i], scan, key); e != nil {
				return e
			}
		}
	}
	if on.Op != plan.ExprCompare || on.Cmp != plan.CmpEq {
		return nil
	}
	for i := range on.Args {
		a, b := &on.Args[i], &on.Args[1-i]
		if a.Op == plan.ExprColumn && a.Col.Up == 0 && a.Col.Scan == scan && a.Col.Column == key && b.Op == plan.ExprColumn && (b.Col.Up > 0 || b.Col.Scan < scan) {
			return b
		}
	}
	return nil
}

func (p *publicTable) source(n int64) source {
	return source{public: p, pick: &cell{n: n, fixed: true}}
}

// with is the joined row and one more.
func (f *frame) with(s source) *frame {
	scans := make([]source, len(f.scans)+1)
	copy(scans, f.scans)
	scans[len(f.scans)] = s
	return &frame{w: f.w, up: f.up, scans: scans}
}

// sources are the rows of a scan.
func (w *world) sources(s *plan.Scan) (out []source, ok bool) {
	if s.Sub != nil {
		rows, ok := w.selected(s.Sub, nil)
		for _, r := range rows {
			out = append(out, source{inner: r.frame, columns: r.columns})
		}
		return out, ok
	}
	if p := w.g.public[s.Table]; p != nil {
		for i := range p.rows {
			out = append(out, p.source(int64(i)))
		}
		return out, true
	}
	for _, r := range w.rows[s.Table] {
		out = append(out, source{row: r})
	}
	return out, true
}

// selected gives the rows of a relation.
func (w *world) selected(r *plan.Relation, up *frame) (out []seen, ok bool) {
	if len(r.Union) > 0 {
		for i := range r.Union {
			rows, ok := w.selected(&r.Union[i], up)
			if !ok {
				return nil, false
			}
			columns := columnsOf(r, &r.Union[i])
			for _, x := range rows {
				out = append(out, seen{x.frame, columns})
			}
		}
		return out, true
	}
	list, ok := w.joined(&r.From, up)
	if !ok {
		return nil, false
	}
	if r.Grouped {
		list = w.groups(r, list, up)
	}
	for _, f := range list {
		f.peers = list
	}
	columns, first := columnsOf(r, r), map[string]bool{}
	if len(r.DistinctOn) > 0 {
		list = sorted(list, r.Order)
	}
	for _, f := range list {
		if r.Qualify != nil && !f.eval(r.Qualify).isTrue() {
			continue
		}
		if len(r.DistinctOn) > 0 {
			k := f.names(r.DistinctOn)
			if first[k] {
				continue
			}
			first[k] = true
		}
		out = append(out, seen{f, columns})
	}
	return out, true
}

func (w *world) groups(r *plan.Relation, list []*frame, up *frame) []*frame {
	var out []*frame
	at := map[string]*frame{}
	for _, f := range list {
		k := f.names(r.Group)
		if at[k] == nil {
			at[k] = &frame{w: w, up: up, grouped: true}
			out = append(out, at[k])
		}
		at[k].members = append(at[k].members, f)
	}
	kept := out[:0]
	for _, g := range out {
		if r.Having == nil || g.eval(r.Having).isTrue() {
			kept = append(kept, g)
		}
	}
	return kept
}

// columnsOf names the columns of a branch as the whole relation does.
func columnsOf(whole, branch *plan.Relation) map[string]*plan.Expr {
	if len(branch.Union) > 0 { // a union inside a union: its first branch names them
		branch = &branch.Union[0]
	}
	out := map[string]*plan.Expr{}
	for i := range branch.Columns {
		out[columnName(whole, i)] = &branch.Columns[i].Expr
	}
	return out
}

// columnName is the name of a relation's column by place; those of a union are its first branch's.
func columnName(r *plan.Relation, i int) string {
	for len(r.Union) > 0 {
		r = &r.Union[0]
	}
	if i >= len(r.Columns) {
		return ""
	}
	return r.Columns[i].Name
}
