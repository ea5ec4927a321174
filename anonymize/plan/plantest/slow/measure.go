package slow

import (
	"fmt"
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
	Keys []Value // in the order of the part
	rows []*env
}

// cells groups the rows that reach the measures by some of the wish's keys.
func (e *Evaluator) cells(list []*env, keys []int) []*Cell {
	at := map[string]*Cell{}
	var out []*Cell
	for _, r := range list {
		var vs []Value
		name := ""
		for _, i := range keys {
			v := r.eval(&e.Spec.Keys[i].Expr)
			vs = append(vs, v)
			name += v.key() + "|"
		}
		c := at[name]
		if c == nil {
			c = &Cell{Keys: vs}
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

// name is a cell's name: its keys as the integers that the child returns.
func (c *Cell) name(p *plan.Plan, part *plan.Part) (name string, ok bool) {
	keys := p.Keys()
	parts := make([]string, len(c.Keys))
	for i, v := range c.Keys {
		k := &keys[part.Keys[i]]
		if v.IsNull() {
			if !part.Layout.Keys[i].Null {
				return "", false
			}
			parts[i] = "-1"
			continue
		}
		n, found := v.Stored(*k)
		if !found || k.Step < 1 || (n-k.Base)%k.Step != 0 || !k.Lets(n) {
			return "", false
		}
		if n = (n - k.Base) / k.Step; n < part.Layout.Keys[i].Lo || n > part.Layout.Keys[i].Hi {
			return "", false
		}
		parts[i] = strconv.FormatInt(n, 10)
	}
	return strings.Join(parts, ","), true
}

func (c *Cell) keys() (out []string) {
	for _, v := range c.Keys {
		out = append(out, v.key())
	}
	return out
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

// Vectors are the exact numbers of every want of a plan of this wish, by cell. The wish's first outputs are its keys. A problem is a value that
// has no place in what the plan states: a key outside its domain, an addend outside its bounds.
func (e *Evaluator) Vectors(p *plan.Plan) (out []map[string]int64, problem string) {
	out = make([]map[string]int64, len(p.Wants()))
	for i := range out {
		out[i] = map[string]int64{}
	}
	list, parts := e.reaching(), p.Parts()
	from := map[int]int{} // key of the plan -> key of the wish
	for i := range e.Spec.Keys {
		from[p.Output()[i].Expr.Index] = i
	}
	for i := range parts {
		part := &parts[i]
		var keys []int
		for _, k := range part.Keys {
			keys = append(keys, from[k])
		}
		wants := out[part.First : part.First+len(part.Layout.Measures)]
		for _, c := range e.cells(list, keys) {
			name, ok := c.name(p, part)
			if !ok {
				return nil, fmt.Sprintf("a key outside its domain: %s of %+v", c.keys(), part.Layout.Keys)
			}
			if part.Layout.Tree != nil {
				problem = c.leaves(wants, name, e.quantile(parts, i), part)
			} else {
				problem = c.all(wants, name, e.Spec.Wanted, part)
			}
			if problem != "" {
				return nil, problem
			}
		}
	}
	return out, ""
}

// quantile finds the measure that a tree is for.
func (e *Evaluator) quantile(parts []plan.Part, tree int) *plan.MeasureSpec {
	for i := range parts {
		for j := range parts[i].Measures {
			if m := &parts[i].Measures[j]; m.Kind == plan.Quantile && m.Tree == tree {
				return &e.Spec.Wanted[j]
			}
		}
	}
	panic("slow: a tree for nothing")
}

// leaves counts the known values of a cell in the nodes of a tree.
func (c *Cell) leaves(out []map[string]int64, name string, w *plan.MeasureSpec, part *plan.Part) string {
	t := part.Layout.Tree
	for _, r := range c.masked(w) {
		x, ok := storedAt(r.eval(&w.Args[0]), t.Scale)
		if !ok || x < t.Lo || x > t.Hi {
			return "a value outside its bounds"
		}
		at := x - t.Lo
		if width := t.Hi - t.Lo + 1; t.Leaves < width {
			at = at * t.Leaves / width
		}
		for i, m := range part.Layout.Measures {
			node := at
			for range m.Level {
				node /= plan.Branch
			}
			out[i][name+";"+strconv.FormatInt(node, 10)]++
		}
	}
	return ""
}

func (c *Cell) all(out []map[string]int64, name string, wanted []plan.MeasureSpec, part *plan.Part) string {
	for i, m := range part.Layout.Measures {
		if m.Name == "count(*)" { // it may be there for the groups alone
			out[i][name] = int64(len(c.rows))
		}
	}
	for i := range part.Measures {
		if part.Measures[i].Kind == plan.Quantile {
			continue
		}
		if problem := c.add(out, name, &wanted[i], &part.Measures[i]); problem != "" {
			return problem
		}
	}
	return ""
}

// Compare reads what an engine answered to one part, rows of keys and exact columns, and says how it differs from the numbers of Vectors.
func Compare(p *plan.Plan, at int, answer [][]int64, exact []map[string]int64) string {
	part := p.Parts()[at]
	keys, got := len(part.Layout.Keys), make([]map[string]int64, len(part.Layout.Measures))
	for i := range got {
		got[i] = map[string]int64{}
	}
	for _, row := range answer {
		columns := row[keys:]
		for i, c := range part.Layout.Columns {
			n := columns[0]
			if c.Of >= 0 {
				n = columns[c.Of]
			}
			if c.Kind == plan.ColumnCount && (columns[i] < 0 || columns[i] > n) || c.Kind == plan.ColumnSum && (columns[i] < c.Lo*n || columns[i] > c.Hi*n) {
				return "a column outside its bounds: " + c.Name
			}
		}
		for i, m := range part.Layout.Measures {
			v := int64(0)
			for _, t := range m.Terms {
				v += t.Coef * columns[t.Column]
			}
			got[i][cellName(row[:keys], part.Layout.Tree != nil, m.Level)] += v
		}
	}
	for i := range got {
		if d := Distance(got[i], exact[part.First+i]); d != 0 {
			return fmt.Sprintf("want %s differs by %d: got %v, want %v", part.Layout.Measures[i].Name, d, got[i], exact[part.First+i])
		}
	}
	return ""
}

func cellName(keys []int64, tree bool, level int) string {
	var parts []string
	for _, k := range keys {
		parts = append(parts, strconv.FormatInt(k, 10))
	}
	if !tree {
		return strings.Join(parts, ",")
	}
	last := len(keys) - 1
	node := keys[last]
	for range level {
		node /= plan.Branch
	}
	return strings.Join(parts[:last], ",") + ";" + strconv.FormatInt(node, 10)
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
		x := r.eval(&w.Args[0])
		if r.scale(&w.Args[0]) > m.Scale { // the plan keeps fewer, and says so
			x = fraction(rounded(x.r, m.Scale))
		}
		v, ok := storedAt(x, m.Scale)
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

// moments are the sums behind variances and regressions: of u = (x − zero)/unit and v, rounded half away from zero and centred by shift·n.
func moments(out []map[string]int64, name string, w *plan.MeasureSpec, f *plan.Moments, rows []*env) string {
	steps := func(r *env, arg int, zero, unit, reach float64) (int64, bool) {
		s := r.scale(&w.Args[arg])
		u := new(big.Rat).Mul(r.eval(&w.Args[arg]).r, pow10(s))
		u.Sub(u, storedFloat(zero, s)).Quo(u, storedFloat(unit, s))
		n := rounded(u, 0).Num().Int64()
		return n, float64(max(n, -n)) <= reach
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

// storedFloat is the stored integer behind a number of the plan.
func storedFloat(x float64, scale int) *big.Rat {
	return rounded(new(big.Rat).Mul(new(big.Rat).SetFloat64(x), pow10(scale)), 0)
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
