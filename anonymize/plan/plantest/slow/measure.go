package slow

import (
	"math"
	"math/big"
	"slices"
	"sort"
	"strconv"
	"strings"

	"carrel/anonymize/plan"
)

// Joined counts the rows of each person that reach the measures.
func (e *Evaluator) Joined() map[int64]int64 {
	out := map[int64]int64{}
	for _, r := range e.reaching() {
		out[r.person()]++
	}
	return out
}

// reaching is the rows of FROM and WHERE, cut again when there is a limit.
func (e *Evaluator) reaching() []*env {
	list := e.from(&e.Spec.From, nil, true)
	if e.Limit == 0 {
		return list
	}
	places := map[*env]sequence{}
	scans := e.places()
	for _, v := range list {
		var private, public sequence
		for _, i := range scans {
			if s := v.scans[i]; s.public {
				public = append(public, placed(v.row[i], len(s.names))...)
			} else {
				private = append(private, placed(v.row[i], s.depth())...)
			}
		}
		places[v] = append(private, public...)
	}
	sort.SliceStable(list, func(i, j int) bool { return places[list[i]].compare(places[list[j]]) < 0 })
	seen := map[int64]int64{}
	var out []*env
	for _, v := range list {
		if seen[v.person()]++; seen[v.person()] <= e.Limit {
			out = append(out, v)
		}
	}
	return out
}

// places is the order of scans that numbers joined rows: tables of the inner joins before the first other join by name.
func (e *Evaluator) places() []int {
	prefix := 1
	for prefix <= len(e.Spec.Joins) && e.Spec.Joins[prefix-1].Kind == plan.JoinInner {
		prefix++
	}
	out := make([]int, len(e.Spec.Scans))
	for i := range out {
		out[i] = i
	}
	head := out[:prefix]
	sort.SliceStable(head, func(i, j int) bool { return e.Spec.Scans[head[i]].Table < e.Spec.Scans[head[j]].Table })
	return out
}

// Clear says that the wish alone decides which rows are numbered first: not so when one table stands twice among them, for then the order
// of the two is the planner's choice.
func (e *Evaluator) Clear() bool {
	names := map[string]bool{}
	for _, s := range e.Spec.Scans {
		if s.Table != "" && names[s.Table] {
			return e.Limit == 0
		}
		names[s.Table] = true
	}
	return true
}

// Cell is one group of the measure step.
type Cell struct {
	Keys []Value // in the order of the wish
	rows []*env
}

// Cells groups the rows that reach the measures.
func (e *Evaluator) Cells() []*Cell {
	at := map[string]*Cell{}
	var out []*Cell
	for _, r := range e.reaching() {
		var keys []Value
		name := ""
		for i := range e.Spec.Keys {
			v := r.eval(&e.Spec.Keys[i].Expr)
			keys = append(keys, v)
			name += v.key() + "|"
		}
		c := at[name]
		if c == nil {
			c = &Cell{Keys: keys}
			at[name] = c
			out = append(out, c)
		}
		c.rows = append(c.rows, r)
	}
	return out
}

// Stored is a key's value as the integer that a plan's key stands for; ok is false when no member of its domain is the value.
func (v Value) Stored(k plan.Key) (n int64, ok bool) {
	switch v.kind {
	case isText:
		i, found := slices.BinarySearch(k.Column.Values, v.s)
		return int64(i), found
	case isDate:
		if k.Column.Kind == plan.KindCode {
			i, found := slices.BinarySearch(k.Column.Values, calendar(v.n).Format("2006-01-02"))
			return int64(i), found
		}
		return v.n, k.Column.Kind == plan.KindDate
	case isNumber:
		return v.r.Num().Int64(), v.r.IsInt()
	}
	return 0, false
}

// IsNull says whether a value is NULL.
func (v Value) IsNull() bool { return v.kind == isNull }

// Name is a cell's name: its keys in the plan's order, as the integers that the child returns.
func (c *Cell) Name(p *plan.Plan, place []int) (name string, ok bool) {
	keys, layout := p.Keys(), p.Layout()
	parts := make([]string, len(keys))
	for i, v := range c.Keys {
		k := place[i]
		if v.IsNull() {
			if !keys[k].Null {
				return "", false
			}
			parts[k] = "-1"
			continue
		}
		n, found := v.Stored(keys[k])
		if !found || keys[k].Step < 1 || (n-keys[k].Base)%keys[k].Step != 0 || !keys[k].Lets(n) {
			return "", false
		}
		if n = (n - keys[k].Base) / keys[k].Step; n < layout.Keys[k].Lo || n > layout.Keys[k].Hi {
			return "", false
		}
		parts[k] = strconv.FormatInt(n, 10)
	}
	return strings.Join(parts, ","), true
}

// masked is the rows of a cell where a measure's filter is true and its arguments are known.
func (c *Cell) masked(w *plan.MeasureSpec) []*env {
	var out []*env
	for _, r := range c.rows {
		in := w.Filter == nil || r.truth(w.Filter) == yes
		for i := range w.Args {
			in = in && r.eval(&w.Args[i]).kind != isNull
		}
		if in {
			out = append(out, r)
		}
	}
	return out
}

// Vectors are the exact numbers of every want of a plan of this wish, by cell. ok is false when a value has no place in what the plan
// states: a key outside its domain, an addend outside its bounds.
func (e *Evaluator) Vectors(p *plan.Plan, place []int) (out []map[string]int64, problem string) {
	wants := p.Wants()
	out = make([]map[string]int64, len(wants))
	for i := range out {
		out[i] = map[string]int64{}
	}
	for _, c := range e.Cells() {
		name, ok := c.Name(p, place)
		if !ok {
			return nil, "a key outside its domain"
		}
		if wants[0].Select {
			out[0][name] = int64(len(c.rows))
		}
		for i, m := range p.Measures() {
			if problem := c.add(out, name, &e.Spec.Wanted[i], &m); problem != "" {
				return nil, problem
			}
		}
	}
	return out, ""
}

func (c *Cell) add(out []map[string]int64, name string, w *plan.MeasureSpec, m *plan.Measure) string {
	rows := c.masked(w)
	n := int64(len(rows))
	if m.Moments != nil {
		return moments(out, name, w, m.Moments, rows)
	}
	switch m.Kind {
	case plan.CountRows, plan.CountColumn:
		out[m.Terms[0].Want][name] = n
		return ""
	case plan.CountPersons, plan.CountValues:
		seen := map[string]bool{}
		for _, r := range rows {
			v := r.eval(&w.Args[0])
			k := v.key()
			if v.kind == isOpaque {
				k += "," + strconv.FormatInt(r.person(), 10)
			}
			seen[k] = true
		}
		out[m.Terms[0].Want][name] = int64(len(seen))
		return ""
	}
	sum := int64(0)
	for _, r := range rows {
		v, ok := storedAt(r.eval(&w.Args[0]), m.Scale)
		if !ok || v < m.Lo || v > m.Hi {
			return "a value outside its bounds"
		}
		sum += v
	}
	mid := m.Lo + (m.Hi-m.Lo)/2
	switch {
	case m.Kind == plan.Sum && len(m.Terms) == 1:
		out[m.Terms[0].Want][name] = sum
	case m.Kind == plan.Sum:
		out[m.Terms[0].Want][name] = sum - mid*n
		out[m.Terms[1].Want][name] = n
	case m.Kind == plan.Avg:
		out[m.Terms[0].Want][name] = sum - mid*n
		out[m.Denominator][name] = n
	}
	return ""
}

func storedAt(v Value, scale int) (int64, bool) {
	x := new(big.Rat).Mul(v.r, pow10(scale))
	return x.Num().Int64(), x.IsInt() && x.Num().IsInt64()
}

// moments are the sums behind variances and regressions: of u = (x − zero)/unit and v, centred by shift·n. The small schema's bounds need no grid.
func moments(out []map[string]int64, name string, w *plan.MeasureSpec, f *plan.Moments, rows []*env) string {
	steps := func(r *env, arg int, zero, unit, reach float64) (int64, bool) {
		x, _ := r.eval(&w.Args[arg]).r.Float64()
		u := math.Round((x - zero) / unit)
		return int64(u), math.Abs(u) <= reach
	}
	n := int64(len(rows))
	var x, y, xx, yy, xy int64
	for _, r := range rows {
		u, ok := steps(r, len(w.Args)-1, f.ZeroX, f.UnitX, f.ReachX)
		v := int64(0)
		if len(w.Args) == 2 {
			var in bool
			v, in = steps(r, 0, f.ZeroY, f.UnitY, f.ReachY)
			ok = ok && in
		}
		if !ok {
			return "a value outside its bounds"
		}
		x, y, xx, yy, xy = x+u, y+v, xx+u*u, yy+v*v, xy+u*v
	}
	for _, t := range []struct {
		want       int
		sum, shift int64
	}{{f.Count, n, 0}, {f.X, x, f.ShiftX}, {f.Y, y, f.ShiftY}, {f.XX, xx, f.ShiftXX}, {f.YY, yy, f.ShiftYY}, {f.XY, xy, f.ShiftXY}} {
		if t.want >= 0 {
			out[t.want][name] = t.sum - t.shift*n
		}
	}
	return ""
}

// Distance is how far two vectors are apart, over all cells together.
func Distance(a, b map[string]int64) int64 {
	n := int64(0)
	for k, v := range a {
		n += max(v-b[k], b[k]-v)
	}
	for k, v := range b {
		if _, ok := a[k]; !ok {
			n += max(v, -v)
		}
	}
	return n
}
