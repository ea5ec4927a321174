package answer_test

import (
	"context"
	"fmt"
	"testing"

	"carrel/anonymize/answer"
	"carrel/anonymize/dp"
	"carrel/anonymize/dp/dptest"
	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
)

// The audit of every path on which a number is released: the planner's own list for a question of that kind, designed, charged, sampled and
// released by the real gate for two inputs of which one holds a person more, with all rows that the plan allows and the largest addends. From the
// released tables alone an attacker bounds from below what the list must have cost, with 99 % confidence; that must not be more than what Price charges.
// As the bound is wrong once in a hundred times, a path is red when three bounds in a row are: once in a million runs.
//
// That the plan's row bounds and addends are those of the generated SQL is shown elsewhere (TestSensitivityHolds, and TestBlackBox over the whole service).

const auditConfidence, auditTries = 0.99, 3

// auditSchema has few values, so that draws are few.
func auditSchema() *plan.Schema {
	code := func(name string, public bool) plan.Column {
		return plan.Column{Name: name, Kind: plan.KindCode, Values: []string{"a", "b", "c"}, Codes: name, PublicKey: public, Role: plan.RoleOther}
	}
	number := func(name string, lo, hi int64) plan.Column {
		return plan.Column{Name: name, Kind: plan.KindInt, Bounded: true, Lo: lo, Hi: hi, Reason: "test", Role: plan.RoleOther}
	}
	return &plan.Schema{Dataset: "d", Persons: 1000, Tables: []plan.Table{{
		Name: "visit", Unit: "person_id", RowKey: "visit_id", MaxRows: 4, MaxRowsReason: "test",
		Columns: []plan.Column{
			{Name: "person_id", Kind: plan.KindUnit, Role: plan.RoleUnit}, {Name: "visit_id", Kind: plan.KindKey, Role: plan.RoleOther},
			code("ward", true), code("doctor", false), number("days", 0, 15), number("cost", 0, 100),
		},
	}}}
}

// path is a way to a released number. A second plan may depend on what the first one's answer was.
type path struct {
	first *plan.Plan
	then  func(dp.Table) (*plan.Plan, error)
	share float64 // of the ε that is the first's
	loud  bool    // many small numbers need a larger ε to be heard
}

// paths are all of them, by name.
func paths(t *testing.T) map[string]path {
	t.Helper()
	ward, doctor := plantest.Col("ward"), plantest.Col("doctor")
	spec := func(keys []plan.Expr, wanted ...plan.MeasureSpec) plan.Spec {
		return plantest.Wish(plan.From{Scans: []plan.Scan{{Table: "visit"}}}, keys, wanted...)
	}
	build := func(s plan.Spec) *plan.Plan {
		p, err := plan.Build(auditSchema(), s, plan.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	one := func(keys []plan.Expr, wanted ...plan.MeasureSpec) path {
		return path{first: build(spec(keys, wanted...))}
	}
	count, cost, days := plantest.Measure(plan.CountRows), plantest.Col("cost"), plantest.Col("days")
	cube := spec([]plan.Expr{ward, doctor}, count)
	cube.Keys, cube.Sets = cube.Keys[:1], [][]int{{0}, {}}
	median := plantest.Measure(plan.Quantile, days)
	median.Fraction = 0.5
	var many []plan.MeasureSpec
	for i := range 20 {
		m := plantest.Measure(plan.Sum, plantest.Call("clamp", cost, plantest.Num("0"), plantest.Num(fmt.Sprint(60+i))))
		many = append(many, m)
	}
	several, err := plan.Several([]*plan.Plan{build(spec([]plan.Expr{ward}, count)), build(spec(nil, plantest.Measure(plan.Sum, cost)))}, plan.View{}, "…", plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	search, err := plan.NewSearch(auditSchema(), spec(nil, plantest.Measure(plan.Sum, cost)), plan.Options{}, 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]path{
		"counts by public keys": one([]plan.Expr{ward}, count),
		"sum":                   one(nil, plantest.Measure(plan.Sum, cost)),
		"mean":                  one([]plan.Expr{ward}, plantest.Measure(plan.Avg, cost)),
		"moments":               one(nil, plantest.Measure(plan.VarPop, cost), plantest.Measure(plan.Corr, cost, days)),
		"quantile":              one(nil, median),
		"selection":             one([]plan.Expr{doctor}, count, plantest.Measure(plan.Sum, cost)),
		"tree under selection":  one([]plan.Expr{doctor}, count, median),
		"persons and values":    one(nil, plantest.Measure(plan.CountPersons, plantest.Col("person_id")), plantest.Measure(plan.CountValues, days)),
		"grouping sets":         {first: build(cube)},
		"a long list":           {first: build(spec(nil, many...)), loud: true},
		"several steps":         {first: several},
		"found bounds": {first: search.Counts(), share: 0.3, then: func(noised dp.Table) (*plan.Plan, error) {
			bounds, err := search.Pick(noised)
			if err != nil || len(bounds) == 0 {
				return nil, err
			}
			return search.Bounded(bounds)
		}},
	}
}

// wrongs are what may be wrong with an audited service.
type wrongs struct {
	halved bool  // the noise
	rows   int64 // times the plan's rows a person are what one brings
	addend int64 // times the bound is what a row of that one adds
}

// halved is a sampler of half the noise.
type halved struct{ *dp.Sampler }

func (s halved) Sample(m dp.Mechanism, exact []int64) ([]int64, error) {
	out, err := s.Sampler.Sample(m, exact)
	for i := range out {
		out[i] = exact[i] + (out[i]-exact[i])/2
	}
	return out, err
}

// exactly is the child's answer to every part of a plan: a thousand rows in one cell, and those of the person.
func exactly(p *plan.Plan, person bool, w wrongs) []answer.Aggregates {
	var out []answer.Aggregates
	for _, part := range p.Parts() {
		l := part.Layout
		most := make([]int64, len(l.Columns)) // that the person adds to a count
		for c := range most {
			most[c] = l.MaxRows / 1000 // the register has a thousand persons
		}
		for _, m := range l.Measures {
			if len(m.Terms) == 1 && l.Columns[m.Terms[0].Column].Kind == plan.ColumnCount {
				most[m.Terms[0].Column] = p.Wants()[part.First+m.Mechanism].Sensitivity
			}
		}
		var columns [][]int64
		for _, k := range l.Keys {
			columns = append(columns, []int64{(k.Lo + k.Hi) / 2})
		}
		for i, c := range l.Columns {
			rows, mine := int64(1000), int64(0)
			if person {
				mine = w.rows * most[i]
			}
			total := rows + mine
			if c.Kind != plan.ColumnCount {
				each := c.Hi
				if -c.Lo > c.Hi {
					each = c.Lo
				}
				total = rows*((c.Lo+c.Hi)/2) + mine*each*w.addend
			}
			columns = append(columns, []int64{total})
		}
		out = append(out, scanned(columns...))
	}
	return out
}

// look keeps every released number of a table.
func look(view dptest.View, name string, t dp.Table) {
	for i, part := range append([]dp.Table{t}, t.More...) {
		view[fmt.Sprint(name, " part ", i, " rows")] = float64(part.Rows)
		for m, values := range part.Values {
			for r, x := range values {
				at := fmt.Sprint(r)
				if part.Leaves == 0 {
					at = ""
					for _, k := range part.Keys {
						at += fmt.Sprint(" ", k[r])
					}
				}
				view[fmt.Sprint(name, " part ", i, " number ", m, " of ", at)] = float64(x)
			}
		}
	}
}

// costs are what lists cost: charged under an accounting, and ρ, which bounds what any list shows.
type costs struct{ epsilon, delta, rho float64 }

func costsOf(t *testing.T, a dp.Accounting, list []dp.Mechanism) costs {
	t.Helper()
	charged, err := dp.Price(a, 1e-6, list)
	if err != nil {
		t.Fatal(err)
	}
	rho, err := dp.Price(dp.ZCDP, 1e-6, list)
	if err != nil {
		t.Fatal(err)
	}
	return costs{float64(charged.Units) / 1e9, float64(charged.Delta) / (1 << 60), float64(rho.Units) / 1e9}
}

// views asks a path n times of one side, and says what an answer cost at most.
func (x path) views(t *testing.T, a dp.Accounting, epsilon float64, person bool, w wrongs, n int) (out []dptest.View, most costs) {
	t.Helper()
	b := newBench(t)
	if w.halved {
		b.gate = answer.NewGateWith(halved{dp.NewSampler()})
	}
	type designed struct {
		list []dp.Mechanism
		cost costs
	}
	lists := map[string]designed{}
	if x.loud {
		epsilon = dp.MaxEpsilon
	}
	ask := func(p *plan.Plan, share float64, spent *costs) dp.Table {
		d, ok := lists[p.Hash()]
		if !ok {
			list, err := dp.Design(a, share*epsilon, 1e-6, 1e-9, p.Wants())
			if err != nil {
				t.Fatal(err)
			}
			d = designed{list, costsOf(t, a, list)}
			lists[p.Hash()] = d
		}
		spent.epsilon, spent.delta, spent.rho = spent.epsilon+d.cost.epsilon, spent.delta+d.cost.delta, spent.rho+d.cost.rho
		got, err := b.gate.Release(context.Background(), b.start(t, d.list), p.Layouts(), exactly(p, person, w), manifest())
		if err != nil {
			t.Fatal(err)
		}
		table, err := dp.DecodeTable(got.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		return table
	}
	for range n {
		view, spent, share := dptest.View{}, costs{}, 1.0
		if x.then != nil {
			share = x.share
		}
		table := ask(x.first, share, &spent)
		look(view, "first", table)
		if x.then != nil {
			p, err := x.then(table)
			if err != nil {
				t.Fatal(err)
			}
			if p != nil {
				look(view, "then", ask(p, 1-share, &spent))
			}
		}
		out, most = append(out, view), costs{max(most.epsilon, spent.epsilon), max(most.delta, spent.delta), max(most.rho, spent.rho)}
	}
	return out, most
}

// shown is what the attacker shows that a path must have cost at least, as a part of what it is said to cost: of ε under basic accounting, and of ρ.
func (x path) shown(t *testing.T, a dp.Accounting, epsilon float64, w wrongs, n int) (part float64, event string) {
	t.Helper()
	d, cost := x.views(t, a, epsilon, true, w, n)
	d0, _ := x.views(t, a, epsilon, false, w, n)
	claims := []func(dptest.Event) float64{func(e dptest.Event) float64 { return e.Rho() / cost.rho }}
	if a == dp.Basic {
		claims = append(claims, func(e dptest.Event) float64 { return e.Epsilon(cost.delta) / cost.epsilon })
	}
	for _, claim := range claims {
		e := dptest.TellApart(d, d0, auditConfidence, claim)
		if p := claim(e); p > part {
			part, event = p, e.Name
		}
	}
	return part, event
}

// auditPaths looks at every path under one accounting: with n views a side as built, and with few for each wrong.
func auditPaths(t *testing.T, a dp.Accounting, epsilon float64, n int) {
	t.Helper()
	for name, x := range paths(t) {
		for what, c := range map[string]struct {
			wrong wrongs
			leaks bool
			n     int
		}{
			"as built":        {wrongs{rows: 1, addend: 1}, false, n},
			"noise halved":    {wrongs{halved: true, rows: 1, addend: 1}, true, 600},
			"group bound off": {wrongs{rows: 10, addend: 1}, true, 200},
			"clamp off":       {wrongs{rows: 1, addend: 10}, true, 200},
		} {
			if c.wrong.addend > 1 && !adds(x.first) {
				continue
			}
			t.Run(name+": "+what, func(t *testing.T) {
				t.Parallel()
				for try := range auditTries { // each looks twice as often, so that a wrong is seen by the last one for certain
					part, event := x.shown(t, a, epsilon, c.wrong, c.n<<try)
					if t.Logf("at least %.3f of what is charged, by %q", part, event); c.leaks == (part > 1) {
						return
					}
				}
				t.Errorf("more than is charged: %v wanted", c.leaks)
			})
		}
	}
}

// adds reports whether a plan sums values.
func adds(p *plan.Plan) bool {
	for _, l := range p.Layouts() {
		for _, c := range l.Columns {
			if c.Kind == plan.ColumnSum {
				return true
			}
		}
	}
	return false
}

func TestPathsBasic(t *testing.T) {
	t.Parallel()
	auditPaths(t, dp.Basic, 3, auditViews)
}

func TestPathsZCDP(t *testing.T) {
	t.Parallel()
	auditPaths(t, dp.ZCDP, 6, auditViews)
}

// TestSelectionAudit: one person's private group, with all rows the bound allows, shows with probability at most δ = 1e-3 (here 2,000 questions
// expect 2 at most; more than 17 have probability below 1e-10). Without the row bound it shows nearly always.
func TestSelectionAudit(t *testing.T) {
	t.Parallel()
	const n = 2000
	l, _ := private(t)
	l.Measures = l.Measures[:1]
	list, err := dp.Design(dp.Basic, 1, 1e-6, 1e-3, []dp.Want{{Measure: "count(*)", Sensitivity: 2, Rows: 2, Cells: 50, Select: true}})
	if err != nil {
		t.Fatal(err)
	}
	shows := func(rows int64) (k int) {
		var b *bench
		for i := range n {
			if i%500 == 0 {
				b = newBench(t) // its budget of δ is spent
			}
			got, err := b.ask(t, l, list, scanned([]int64{7}, []int64{rows}, []int64{0}, []int64{0}))
			if err != nil {
				t.Fatal(err)
			}
			k += int(got.Rows)
		}
		return k
	}
	if k := shows(2); k > 17 {
		t.Errorf("a person's own group shows %d times of %d", k, n)
	}
	if k := shows(20); k <= 17 {
		t.Errorf("without a row bound it shows %d times only: the test has no power", k)
	}
}
