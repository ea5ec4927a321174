package plan_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
)

func ptr(v int64) *int64 { return &v }

// genDatabase fills the small schema: persons often have as many rows as they may, row keys are unique in the person, ranks count from 1.
func genDatabase(t *rapid.T, s *plan.Schema) database {
	d := database{}
	persons := rapid.Int64Range(1, 3).Draw(t, "persons")
	for _, tb := range s.Tables {
		if tb.Public {
			d[tb.Name] = genPublic(t, tb)
			continue
		}
		for p := range persons {
			n := rapid.SampledFrom([]int64{tb.MaxRows, tb.MaxRows, tb.MaxRows - 1, 0}).Draw(t, "rows")
			ranks := rapid.Permutation([]int64{1, 2, 3}[:n]).Draw(t, "ranks")
			for i := range n {
				r := tuple{"carrel_rank": ptr(ranks[i])}
				for _, c := range tb.Columns {
					r[c.Name] = genValue(t, c, p, i, c.Name == tb.RowKey)
				}
				d[tb.Name] = append(d[tb.Name], r)
			}
		}
	}
	return d
}

func genPublic(t *rapid.T, tb plan.Table) []tuple {
	var out []tuple
	n := tb.Columns[0].MaxPerKey
	for v := range int64(len(tb.Columns[0].Values)) {
		for range rapid.SampledFrom([]int64{n, n, 0}).Draw(t, "public rows") {
			r := tuple{}
			for _, c := range tb.Columns {
				r[c.Name] = genValue(t, c, 0, 0, false)
			}
			r[tb.Columns[0].Name] = ptr(v)
			out = append(out, r)
		}
	}
	return out
}

func genValue(t *rapid.T, c plan.Column, person, row int64, rowKey bool) *int64 {
	switch {
	case c.Kind == plan.KindUnit:
		return ptr(person)
	case rowKey:
		return ptr(row)
	case c.Nullable && rapid.IntRange(0, 3).Draw(t, "null") == 0:
		return nil
	case c.Kind == plan.KindKey:
		return ptr(rapid.Int64Range(0, 2).Draw(t, c.Name))
	case c.Kind == plan.KindCode:
		return ptr(rapid.Int64Range(0, int64(len(c.Values))-1).Draw(t, c.Name))
	}
	return ptr(rapid.SampledFrom([]int64{c.Lo, c.Lo, c.Hi, c.Hi, (c.Lo + c.Hi) / 2}).Draw(t, c.Name))
}

type specGen struct {
	t    *rapid.T
	s    *plan.Schema
	spec plan.Spec
}

func (g *specGen) table(i int) plan.Table {
	for _, tb := range g.s.Tables {
		if tb.Name == g.spec.Scans[i].Table {
			return tb
		}
	}
	panic("no table")
}

func (g *specGen) column(kinds ...plan.Kind) (plan.ColRef, plan.Column, bool) {
	var refs []plan.ColRef
	var cols []plan.Column
	for i := range g.spec.Scans {
		for _, c := range g.table(i).Columns {
			for _, k := range kinds {
				if c.Kind == k {
					refs, cols = append(refs, plan.ColRef{Scan: i, Column: c.Name}), append(cols, c)
				}
			}
		}
	}
	if len(refs) == 0 {
		return plan.ColRef{}, plan.Column{}, false
	}
	i := rapid.IntRange(0, len(refs)-1).Draw(g.t, "column")
	return refs[i], cols[i], true
}

// genSpec makes a wish: mostly one that can be bounded, sometimes not.
func genSpec(t *rapid.T, s *plan.Schema) plan.Spec {
	g := &specGen{t: t, s: s, spec: plan.Spec{Limit: -1}}
	n := rapid.SampledFrom([]int{1, 2, 2, 3}).Draw(t, "scans")
	for i := range n {
		name := rapid.SampledFrom([]string{"one", "many", "other", "pub", "fan"}).Draw(t, "table")
		if i == 0 {
			name = rapid.SampledFrom([]string{"one", "many", "many", "other", "pub"}).Draw(t, "table")
		}
		g.spec.Scans = append(g.spec.Scans, plan.Scan{Table: name, Alias: string(rune('x' + i))})
		if i > 0 {
			g.join(i)
		}
	}
	if rapid.Bool().Draw(t, "where") {
		p := g.pred(2)
		g.spec.Where = &p
	}
	for range rapid.IntRange(0, 2).Draw(t, "keys") {
		if r, _, ok := g.column(plan.KindCode, plan.KindDate, plan.KindInt); ok {
			g.spec.Keys = append(g.spec.Keys, plan.KeySpec{Col: r})
		}
	}
	for range rapid.IntRange(1, 4).Draw(t, "measures") {
		g.measure()
	}
	g.spec.Output = []plan.OutputSpec{{Name: "m", Expr: plan.OutExpr{Op: plan.OutMeasure}}}
	return g.spec
}

func (g *specGen) join(i int) {
	j := plan.Join{Kind: rapid.SampledFrom([]plan.JoinKind{plan.JoinInner, plan.JoinLeft}).Draw(g.t, "join")}
	t := g.table(i)
	left := rapid.IntRange(0, i-1).Draw(g.t, "left")
	add := func(l, r string) {
		j.On = append(j.On, plan.Equality{Left: plan.ColRef{Scan: left, Column: l}, Right: plan.ColRef{Scan: i, Column: r}})
	}
	lt := g.table(left)
	switch {
	case t.Public || lt.Public:
		add("c", "c")
	default:
		add("person_id", "person_id")
		how := rapid.IntRange(0, 4).Draw(g.t, "more")
		has := func(tb plan.Table, name string) bool {
			for _, c := range tb.Columns {
				if c.Name == name {
					return true
				}
			}
			return false
		}
		for _, pair := range [][2]string{{"k", "k"}, {"k", "f"}, {"f", "k"}, {"c", "c"}} {
			if how--; how == 0 && has(lt, pair[0]) && has(t, pair[1]) {
				add(pair[0], pair[1])
			}
		}
	}
	g.spec.Joins = append(g.spec.Joins, j)
}

func (g *specGen) measure() {
	kind := rapid.SampledFrom([]plan.MeasureKind{plan.CountRows, plan.CountColumn, plan.CountPersons, plan.Sum, plan.Avg}).Draw(g.t, "measure")
	m := plan.MeasureSpec{Kind: kind}
	ok := true
	switch kind {
	case plan.CountColumn:
		m.Col, _, ok = g.column(plan.KindInt, plan.KindCode, plan.KindKey, plan.KindUnit)
	case plan.CountPersons:
		m.Col, _, ok = g.column(plan.KindUnit)
	case plan.Sum, plan.Avg:
		m.Col, _, ok = g.column(plan.KindInt, plan.KindDecimal)
	}
	if ok {
		g.spec.Wanted = append(g.spec.Wanted, m)
	}
}

func (g *specGen) pred(depth int) plan.Pred {
	op := rapid.SampledFrom([]plan.PredOp{plan.PredAnd, plan.PredOr, plan.PredNot, plan.PredCompare, plan.PredCompare, plan.PredColumns, plan.PredIn, plan.PredBetween,
		plan.PredLike, plan.PredIsNull}).Draw(g.t, "op")
	if depth == 0 && op <= plan.PredNot {
		op = plan.PredCompare
	}
	p := plan.Pred{Op: op, Cmp: rapid.SampledFrom([]plan.Cmp{plan.CmpEq, plan.CmpNe, plan.CmpLt, plan.CmpLe, plan.CmpGt, plan.CmpGe}).Draw(g.t, "cmp")}
	switch op {
	case plan.PredAnd, plan.PredOr:
		p.Args = []plan.Pred{g.pred(depth - 1), g.pred(depth - 1)}
		return p
	case plan.PredNot:
		p.Args = []plan.Pred{g.pred(depth - 1)}
		return p
	}
	kinds := []plan.Kind{plan.KindCode, plan.KindInt, plan.KindDecimal, plan.KindDate}
	if op == plan.PredLike {
		kinds = kinds[:1]
	}
	ref, c, ok := g.column(kinds...)
	if !ok {
		return plan.Pred{Op: plan.PredConst, Values: []plan.Literal{{Kind: plan.LitBool, Text: "true"}}}
	}
	p.Left = ref
	switch op {
	case plan.PredColumns:
		p.Right, _, _ = g.column(c.Kind)
	case plan.PredIsNull:
	default:
		for range map[plan.PredOp]int{plan.PredCompare: 1, plan.PredIn: 2, plan.PredBetween: 2, plan.PredLike: 1}[op] {
			p.Values = append(p.Values, g.literal(c, op))
		}
	}
	return p
}

func (g *specGen) literal(c plan.Column, op plan.PredOp) plan.Literal {
	if rapid.IntRange(0, 7).Draw(g.t, "null literal") == 0 {
		return plan.Literal{Kind: plan.LitNull}
	}
	pick := func(v ...string) string { return rapid.SampledFrom(v).Draw(g.t, "literal") }
	switch {
	case op == plan.PredLike:
		return plan.Literal{Kind: plan.LitString, Text: pick("a", "%", "_", "b%", "%c", "")}
	case c.Kind == plan.KindCode:
		return plan.Literal{Kind: plan.LitString, Text: pick("a", "b", "c", "bb", "", "x", "y")}
	case c.Kind == plan.KindDate:
		return plan.Literal{Kind: plan.LitDate, Text: pick("1969-12-30", "1969-12-31", "1970-01-01", "1970-01-02", "2020-02-29")}
	}
	return plan.Literal{Kind: plan.LitNumber, Text: pick("-3", "0", "1", "2", "2.5", "-1e0", "1.04", "3.0", "99999999999999999999", "-1e300")}
}

func genOptions(t *rapid.T) plan.Options {
	o := plan.Options{RowsPerPerson: map[string]int64{}}
	for _, name := range []string{"*", "x", "y"} {
		if name != "y" && rapid.IntRange(0, 2).Draw(t, "cut") == 0 {
			o.RowsPerPerson[name] = rapid.Int64Range(1, 3).Draw(t, "m")
		}
	}
	return o
}

// vectors are the exact numbers of every want, cell by cell, as the evaluator sees them.
func vectors(p *plan.Plan, e evaluator, d database) []map[string]int64 {
	wants := p.Wants()
	out := make([]map[string]int64, len(wants))
	for i := range out {
		out[i] = map[string]int64{}
	}
	for name, c := range e.cells(d) {
		if wants[0].Select {
			out[0][name] = c.rows
		}
		for i, m := range p.Measures() {
			mid := m.Lo + (m.Hi-m.Lo)/2
			switch {
			case m.Kind == plan.CountRows:
				out[m.Terms[0].Want][name] = c.rows
			case m.Kind == plan.CountColumn:
				out[m.Terms[0].Want][name] = c.count[i]
			case m.Kind == plan.CountPersons:
				out[m.Terms[0].Want][name] = int64(len(c.persons[i]))
			case m.Kind == plan.Sum && len(m.Terms) == 1:
				out[m.Terms[0].Want][name] = c.sum[i]
			case m.Kind == plan.Sum:
				out[m.Terms[0].Want][name] = c.sum[i] - mid*c.count[i]
				out[m.Terms[1].Want][name] = c.count[i]
			case m.Kind == plan.Avg:
				out[m.Terms[0].Want][name] = c.sum[i] - mid*c.count[i]
				out[m.Denominator][name] = c.count[i]
			}
		}
	}
	return out
}

func distance(a, b map[string]int64) int64 {
	n := int64(0)
	for k, v := range a {
		if d := v - b[k]; d < 0 {
			n -= d
		} else {
			n += d
		}
	}
	for k, v := range b {
		if _, ok := a[k]; !ok {
			if v < 0 {
				v = -v
			}
			n += v
		}
	}
	return n
}

// TestSensitivityHolds is the heart: over random wishes and small databases, deleting one person changes every want's numbers, over all cells
// together, by at most the sensitivity that the plan states; no person has more joined rows than the plan's bound.
func TestSensitivityHolds(t *testing.T) {
	t.Parallel()
	s := plantest.Small()
	accepted, tight := 0, 0
	dump := vectorFile(t)
	check := func(t *rapid.T) {
		spec, o := genSpec(t, s), genOptions(t)
		p, err := plan.Build(s, spec, o)
		if err != nil {
			return
		}
		accepted++
		d := genDatabase(t, s)
		e := evaluator{schema: s, spec: spec, rows: o.RowsPerPerson}
		if strings.Contains(p.SQL(), "q.r <= ") {
			e.limit = p.Rows()
		}
		whole := vectors(p, e, d)
		checkRows(t, p, e, d)
		checkCells(t, p, e, d)
		dump(p, e, d)
		for person := range int64(3) {
			less := vectors(p, e, d.without(s, person))
			for i, w := range p.Wants() {
				change := distance(whole[i], less[i])
				if change > w.Sensitivity {
					t.Fatalf("want %s changes by %d, stated %d\n%s", w.Measure, change, w.Sensitivity, p.SQL())
				}
				if change == w.Sensitivity {
					tight++
				}
			}
		}
	}
	for range 10 { // a thousand wishes by default, more with -rapid.checks
		rapid.Check(t, check)
	}
	wanted := 200
	if testing.Short() { // rapid runs a fifth of its checks
		wanted = 40
	}
	if accepted < wanted || tight < wanted/4 {
		t.Fatalf("the test has no power: %d plans, %d at their bound", accepted, tight)
	}
}

func checkRows(t *rapid.T, p *plan.Plan, e evaluator, d database) {
	n := map[int64]int64{}
	for _, r := range e.joined(d) {
		n[e.person(r)]++
	}
	for _, v := range n {
		if v > p.Rows() {
			t.Fatalf("a person has %d joined rows, stated %d\n%s", v, p.Rows(), p.SQL())
		}
	}
}

// checkCells: every group lies in the stated domain, and is one that the WHERE lets through.
func checkCells(t *rapid.T, p *plan.Plan, e evaluator, d database) {
	layout, keys := p.Layout(), p.Keys()
	for _, c := range e.cells(d) {
		for k := range keys {
			v := c.key[keyOf(e, p, k)]
			switch {
			case v == nil && !keys[k].Null:
				t.Fatalf("NULL in key %s\n%s", keys[k].Name, p.SQL())
			case v == nil:
			case *v < keys[k].Base+layout.Keys[k].Lo || *v > keys[k].Base+layout.Keys[k].Hi || !keys[k].Lets(*v):
				t.Fatalf("key %s holds %d outside its domain\n%s", keys[k].Name, *v, p.SQL())
			}
		}
	}
}

// keyOf finds the wish's key that is the plan's key k, through an output column made for it.
func keyOf(e evaluator, p *plan.Plan, k int) int {
	probe := e.spec
	probe.Output = nil
	for i := range e.spec.Keys {
		probe.Output = append(probe.Output, plan.OutputSpec{Name: "k", Expr: plan.OutExpr{Op: plan.OutKey, Index: i}})
	}
	q, err := plan.Build(e.schema, probe, plan.Options{RowsPerPerson: e.rows})
	if err != nil {
		return k
	}
	for i, o := range q.Output() {
		if o.Expr.Index == k {
			return i
		}
	}
	return k
}

// vectorFile writes, when CARREL_VECTORS names a file, each plan's SQL with its database and the evaluator's numbers, so that the SQL can be
// run on the engine and compared (the sandbox owns the engine; this package does not link it).
func vectorFile(t *testing.T) func(*plan.Plan, evaluator, database) {
	name := os.Getenv("CARREL_VECTORS")
	if name == "" {
		return func(*plan.Plan, evaluator, database) {}
	}
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	enc := json.NewEncoder(f)
	return func(p *plan.Plan, e evaluator, d database) {
		names := map[string]int{}
		for _, s := range e.spec.Scans {
			names[s.Table]++
		}
		if e.limit > 0 && len(names) < len(e.spec.Scans) {
			return // which of two rows of one table comes first is the planner's choice
		}
		exact := vectors(p, e, d)
		perm := make([]int, len(p.Keys()))
		for k := range perm {
			perm[k] = keyOf(e, p, k)
		}
		_ = enc.Encode(map[string]any{"sql": p.SQL(), "layout": p.Layout(), "keys": perm, "base": bases(p), "tables": d, "exact": exact})
	}
}

func bases(p *plan.Plan) []int64 {
	var out []int64
	for _, k := range p.Keys() {
		out = append(out, k.Base)
	}
	return out
}
