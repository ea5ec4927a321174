package slow

import (
	"slices"

	"carrel/anonymize/plan"
)

// scans evaluates what stands in FROM. Only the measure step cuts by rank.
func (e *Evaluator) scans(f *plan.From, measure bool) []*rows {
	var out []*rows
	for i := range f.Scans {
		s := &f.Scans[i]
		if s.Sub != nil {
			out = append(out, e.relation(s.Sub))
			continue
		}
		m := int64(0)
		if t := e.table(s.Table); measure && !t.Public {
			m = t.MaxRows
			for _, name := range []string{plan.AllTables, s.Table, s.Alias} {
				if v, ok := e.Rows[name]; ok && name != "" {
					m = min(v, t.MaxRows)
				}
			}
		}
		out = append(out, e.stored(s.Table, m))
	}
	return out
}

// from gives the joined rows that WHERE keeps.
func (e *Evaluator) from(f *plan.From, up *env, measure bool) []*env {
	scans := e.scans(f, measure)
	list := []*env{}
	for i := range scans[0].list {
		list = append(list, e.joined(scans, up, []*row{&scans[0].list[i]}))
	}
	for i := range f.Joins {
		var next []*env
		for _, left := range list {
			next = append(next, e.matches(left, scans, i+1, &f.Joins[i])...)
		}
		list = next
	}
	var out []*env
	for _, r := range list {
		if f.Where == nil || r.truth(f.Where) == yes {
			out = append(out, r)
		}
	}
	return out
}

// joined makes an env of the rows so far; scans that are not joined yet have none.
func (e *Evaluator) joined(scans []*rows, up *env, list []*row) *env {
	full := make([]*row, len(scans))
	copy(full, list)
	return &env{e: e, scans: scans, row: full, up: up, windows: map[*plan.Expr]Value{}}
}

func (e *Evaluator) matches(left *env, scans []*rows, at int, j *plan.Join) []*env {
	var out []*env
	for i := range scans[at].list {
		both := e.joined(scans, left.up, append(slices.Clone(left.row[:at]), &scans[at].list[i]))
		if both.truth(j.On) == yes {
			out = append(out, both)
		}
	}
	if (j.Kind == plan.JoinAsof || j.Kind == plan.JoinAsofLeft) && len(out) > 1 {
		out = nearest(out, at, j.On)
	}
	if len(out) == 0 && (j.Kind == plan.JoinLeft || j.Kind == plan.JoinAsofLeft) {
		out = []*env{e.joined(scans, left.up, left.row[:at])}
	}
	return out
}

// nearest keeps the match that is closest by the inequality: the largest below or the smallest above.
func nearest(list []*env, at int, on *plan.Expr) []*env {
	var near plan.Expr
	var find func(x *plan.Expr)
	largest := false
	find = func(x *plan.Expr) {
		if x.Op == plan.ExprAnd {
			for i := range x.Args {
				find(&x.Args[i])
			}
			return
		}
		if x.Cmp < plan.CmpLt {
			return
		}
		right := x.Args[1].Col.Scan == at
		near, largest = x.Args[0], x.Cmp == plan.CmpLt || x.Cmp == plan.CmpLe
		if right {
			near, largest = x.Args[1], !largest
		}
	}
	find(on)
	best := list[0]
	for _, r := range list[1:] {
		if c := compare(r.eval(&near), best.eval(&near)); c == 0 {
			panic("slow: two nearest rows")
		} else if c > 0 == largest {
			best = r
		}
	}
	return []*env{best}
}

// relation evaluates a subquery of FROM, once a database.
func (e *Evaluator) relation(r *plan.Relation) *rows {
	if out, ok := e.cache[r]; ok {
		return out
	}
	if e.cache == nil {
		e.cache = map[*plan.Relation]*rows{}
	}
	out := e.selected(r, nil)
	e.cache[r] = out
	return out
}

func (e *Evaluator) selected(r *plan.Relation, up *env) *rows {
	if len(r.Union) > 0 {
		return e.union(r)
	}
	list := e.from(&r.From, up, false)
	scans := e.scans(&r.From, false)
	shape := &env{e: e, scans: scans, up: up}
	if r.Grouped {
		list = e.groups(r, list, shape)
		shape.grouped, shape.keys = true, r.Group
	}
	for _, x := range windowsOf(r) {
		e.window(x, list)
	}
	var kept []*env
	for _, v := range list {
		if r.Qualify == nil || v.truth(r.Qualify) == yes {
			kept = append(kept, v)
		}
	}
	if len(r.DistinctOn) > 0 {
		kept = firsts(r, kept)
	}
	return e.columns(r, kept, shape)
}

// columns evaluates the select list.
func (e *Evaluator) columns(r *plan.Relation, list []*env, shape *env) *rows {
	out := &rows{scales: map[string]int{}, unit: map[string]bool{}, public: true}
	for _, s := range shape.scans {
		out.public = out.public && s.public
	}
	for _, c := range r.Columns {
		out.names = append(out.names, c.Name)
		out.scales[c.Name] = shape.scale(&c.Expr)
		if c.Expr.Op == plan.ExprColumn && c.Expr.Col.Up == 0 {
			out.unit[c.Name] = shape.scans[c.Expr.Col.Scan].unit[c.Expr.Col.Column]
		}
	}
	seen := map[string]bool{}
	for _, v := range list {
		x := row{cols: map[string]Value{}, person: v.person()}
		var all []Value
		for i := range r.Columns {
			c := &r.Columns[i]
			x.cols[c.Name] = v.eval(&c.Expr)
			if !out.unit[c.Name] {
				all = append(all, x.cols[c.Name])
			}
		}
		switch {
		case r.Distinct:
			k := Value{kind: isOpaque, n: x.person}.key()
			for _, a := range all {
				k += "|" + a.key()
			}
			if seen[k] {
				continue
			}
			seen[k] = true
			x.order = all
		case out.public:
			x.order = all
		case v.grouped:
			for i := range r.Group {
				x.order = append(x.order, v.group[0].eval(&r.Group[i]))
			}
		default:
			x.order = orderOf(v)
		}
		out.list = append(out.list, x)
	}
	return out
}

// person is whose a joined row is: that of any private scan that is there.
func (v *env) person() int64 {
	if v.grouped {
		return v.group[0].person()
	}
	for i, s := range v.scans {
		if !s.public && v.row[i] != nil {
			return v.row[i].person
		}
	}
	return -1
}

func (e *Evaluator) groups(r *plan.Relation, list []*env, shape *env) []*env {
	var out []*env
	at := map[string]*env{}
	for _, v := range list {
		k := ""
		for i := range r.Group {
			k += v.eval(&r.Group[i]).key() + "|"
		}
		g := at[k]
		if g == nil {
			g = &env{e: e, scans: shape.scans, up: v.up, grouped: true, keys: r.Group, windows: map[*plan.Expr]Value{}}
			at[k] = g
			out = append(out, g)
		}
		g.group = append(g.group, v)
	}
	if r.Having == nil {
		return out
	}
	var kept []*env
	for _, g := range out {
		if g.truth(r.Having) == yes {
			kept = append(kept, g)
		}
	}
	return kept
}

// firsts is DISTINCT ON.
func firsts(r *plan.Relation, list []*env) []*env {
	seen := map[string]bool{}
	var out []*env
	for _, v := range ordered(list, r.Order, true) {
		k := ""
		for i := range r.DistinctOn {
			k += v.eval(&r.DistinctOn[i]).key() + "|"
		}
		if !seen[k] {
			seen[k] = true
			out = append(out, v)
		}
	}
	return out
}

func (e *Evaluator) union(r *plan.Relation) *rows {
	out := &rows{scales: map[string]int{}, unit: map[string]bool{}}
	depth := 0
	var branches []*rows
	for i := range r.Union {
		b := e.relation(&r.Union[i])
		branches = append(branches, b)
		depth = max(depth, b.depth())
	}
	for j, c := range r.Union[0].Columns {
		out.names = append(out.names, c.Name)
		for i, b := range branches {
			out.scales[c.Name] = max(out.scales[c.Name], b.scales[r.Union[i].Columns[j].Name])
		}
		out.unit[c.Name] = branches[0].unit[c.Name]
	}
	seen := map[string]bool{}
	for i, b := range branches {
		for _, x := range b.list {
			y := row{cols: map[string]Value{}, person: x.person}
			k, all := "", []Value{}
			for j, c := range r.Union[0].Columns {
				v := x.cols[r.Union[i].Columns[j].Name]
				y.cols[c.Name] = v
				k += v.key() + "|"
				if !out.unit[c.Name] {
					all = append(all, v)
				}
			}
			k += Value{kind: isOpaque, n: x.person}.key()
			y.order = append([]Value{number(int64(i))}, x.order...)
			y.order = append(y.order, make([]Value, depth-len(x.order))...)
			if r.Distinct {
				if seen[k] {
					continue
				}
				seen[k], y.order = true, all
			}
			out.list = append(out.list, y)
		}
	}
	return out
}

// subquery gives the first column of the rows of a condition's subquery; without columns to read, a NULL a row.
func (e *Evaluator) subquery(r *plan.Relation, up *env) []Value {
	s := e.selected(r, up)
	var out []Value
	for _, x := range s.list {
		out = append(out, x.cols[s.names[0]])
	}
	return out
}

// scalar is one aggregate over the rows of a subquery.
func (v *env) scalar(x *plan.Expr) Value {
	list := v.e.from(&x.Sub.From, v, false)
	g := &env{e: v.e, scans: v.e.scans(&x.Sub.From, false), up: v, grouped: true, group: list}
	return g.eval(&x.Sub.Columns[0].Expr)
}

// windowsOf finds the window functions of a relation.
func windowsOf(r *plan.Relation) []*plan.Expr {
	var out []*plan.Expr
	var visit func(x *plan.Expr)
	visit = func(x *plan.Expr) {
		if x.Op == plan.ExprWindow {
			out = append(out, x)
			return
		}
		for i := range x.Args {
			visit(&x.Args[i])
		}
	}
	for i := range r.Columns {
		visit(&r.Columns[i].Expr)
	}
	if r.Qualify != nil {
		visit(r.Qualify)
	}
	return out
}
