package result_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
	"carrel/anonymize/result"
)

func measure(i int) plan.OutExpr { return plan.OutExpr{Op: plan.OutMeasure, Index: i} }

func num(s string) plan.OutExpr {
	return plan.OutExpr{Op: plan.OutNumber, Number: plan.Literal{Kind: plan.LitNumber, Text: s}}
}

func two(op plan.OutOp, a, b plan.OutExpr) plan.OutExpr {
	return plan.OutExpr{Op: op, Args: []plan.OutExpr{a, b}}
}

func out(name string, e plan.OutExpr) plan.OutputSpec { return plan.OutputSpec{Name: name, Expr: e} }

// query is departments with count(*), avg(total_cost) and sum(los), narrowed to two departments that are not neighbours.
func query(t *testing.T, change func(*plan.Spec)) *plan.Plan {
	t.Helper()
	s := plan.Spec{From: plan.From{Scans: []plan.Scan{{Table: "encounter"}}}, Limit: -1, Keys: []plan.KeySpec{{Expr: plantest.Col("department")}},
		Wanted: []plan.MeasureSpec{{Kind: plan.CountRows}, {Kind: plan.Avg, Args: plantest.Cols("drug_cost")}, {Kind: plan.Sum, Args: plantest.Cols("los")}},
		Output: []plan.OutputSpec{out("department", plan.OutExpr{Op: plan.OutKey}), out("n", measure(0)), out("mean", measure(1)), out("days", measure(2)),
			out("per row", two(plan.OutDiv, measure(2), measure(0))), out("odd", two(plan.OutMul, measure(0), measure(2))), out("two", num("2"))}}
	if change != nil {
		change(&s)
	}
	p, err := plan.Build(plantest.City(), s, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// noised makes a table of the plan with the given values, one column a mechanism.
func noised(p *plan.Plan, keys [][]int64, values ...[]int64) dp.Table {
	t := dp.Table{Version: dp.TableVersion, Rows: int64(len(values[0])), Keys: keys, Values: values}
	for _, w := range p.Wants() {
		t.Mechanisms = append(t.Mechanisms, dp.Mechanism{Measure: w.Measure, Kind: dp.Gaussian, Sensitivity: w.Sensitivity, Rows: w.Rows, Cells: w.Cells, Sigma: 5 * float64(w.Sensitivity) / 40})
	}
	return t
}

// standard: wants are count(*), sum(drug_cost - 5000000), sum(los), in this order.
func standard(p *plan.Plan) dp.Table {
	return noised(p, [][]int64{{0, 1, 2, 3, 4, plan.NullKey}}, []int64{1000, 400, 2000, -3, 10, 0}, []int64{-4_000_000_000, 0, 0, 5, 0, 0}, []int64{5000, 800, 9000, 2, 0, 0})
}

func TestTable(t *testing.T) {
	t.Parallel()
	p := query(t, nil)
	r, err := result.Table(p, standard(p))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Rows) != 6 || r.Rows[1][0].Value != "icu" || r.Rows[5][0].Value != nil {
		t.Fatalf("%+v", r.Rows)
	}
	first := r.Rows[0]
	if first[1].Value != 1000.0 || first[2].Value != 10000.0 || first[3].Value != 5000.0 || first[4].Value != 5.0 || first[5].Value != 5e6 || first[6].Value != 2.0 {
		t.Fatalf("%+v", first)
	}
	if lo, hi := *first[1].Lo, *first[1].Hi; math.Abs((hi-lo)/2-1.96*5) > 1.2 {
		t.Fatalf("count %v..%v", lo, hi)
	}
	for i, c := range first[1:6] {
		if c.Lo == nil || c.Hi == nil || *c.Lo >= c.Value.(float64) || *c.Hi <= c.Value.(float64) {
			t.Fatalf("column %d has no interval around its value: %+v", i+1, c)
		}
	}
	if first[6].Lo != nil || r.Columns[6].Interval != result.IntervalNone || r.Columns[0].Interval != result.IntervalNone || r.Columns[2].Unit != "CNY" {
		t.Fatalf("%+v", r.Columns)
	}
	// A mean over a count that may be zero knows its column's bounds and nothing more.
	if tiny := r.Rows[3][2]; tiny.Value.(float64) != 50_000 || *tiny.Lo != 0 || *tiny.Hi != 100_000 {
		t.Fatalf("%+v", tiny)
	}
	if open := r.Rows[3][4]; open.Lo != nil || open.Hi != nil {
		t.Fatalf("a ratio over a count that may be zero has no ends: %+v", open)
	}
	if null := r.Rows[5][4]; null.Value != nil {
		t.Fatalf("division by zero has no value: %+v", null)
	}
}

func TestHiddenMembers(t *testing.T) {
	t.Parallel()
	p := query(t, func(s *plan.Spec) {
		two := plantest.In(plantest.Col("department"), plantest.Text("icu"), plantest.Text("other"))
		s.Where = &two
	})
	r, err := result.Table(p, noised(p, [][]int64{{0, 1, 2}}, []int64{10, 20, 30}, []int64{0, 0, 0}, []int64{0, 0, 0}))
	if err != nil || len(r.Rows) != 2 || r.Rows[0][0].Value != "icu" || r.Rows[1][0].Value != "other" {
		t.Fatalf("%v %+v", err, r)
	}
}

func TestOrderAndLimit(t *testing.T) {
	t.Parallel()
	names := func(p *plan.Plan) string {
		r, err := result.Table(p, standard(p))
		if err != nil {
			t.Fatal(err)
		}
		var n []string
		for _, row := range r.Rows {
			s, _ := row[0].Value.(string)
			n = append(n, s)
		}
		return strings.Join(n, ",")
	}
	order := func(o ...plan.OrderSpec) func(*plan.Spec) { return func(s *plan.Spec) { s.Order = o } }
	if got := names(query(t, order(plan.OrderSpec{Expr: measure(0), Descending: true}))); got != "neurology,cardiology,icu,surgery,other," {
		t.Fatal(got)
	}
	if got := names(query(t, order(plan.OrderSpec{Expr: plan.OutExpr{Op: plan.OutKey}, Descending: true, NullsFirst: true}))); got != ",surgery,other,neurology,icu,cardiology" {
		t.Fatal(got)
	}
	if got := names(query(t, order(plan.OrderSpec{Expr: num("1")}))); got != "cardiology,icu,neurology,other,surgery," {
		t.Fatal(got)
	}
	if got := names(query(t, func(s *plan.Spec) { s.Limit, s.Skip = 2, 1 })); got != "icu,neurology" {
		t.Fatal(got)
	}
}

func TestMismatchRefused(t *testing.T) {
	t.Parallel()
	p := query(t, nil)
	for name, change := range map[string]func(*dp.Table){
		"another measure":  func(x *dp.Table) { x.Mechanisms[0].Measure = "count(other)" },
		"a key missing":    func(x *dp.Table) { x.Keys = nil },
		"a value missing":  func(x *dp.Table) { x.Values[1] = x.Values[1][:2] },
		"key outside":      func(x *dp.Table) { x.Keys[0][0] = 77 },
		"mechanism to few": func(x *dp.Table) { x.Mechanisms = x.Mechanisms[:2] },
	} {
		table := standard(p)
		change(&table)
		if _, err := result.Table(p, table); !errors.Is(err, result.ErrMismatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDeterministic: the answer is a function of bytes and text, whatever the order in which rows were recorded.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	p := query(t, nil)
	a, _ := result.Table(p, standard(p))
	shuffled := noised(p, [][]int64{{plan.NullKey, 4, 3, 2, 1, 0}}, []int64{0, 10, -3, 2000, 400, 1000}, []int64{0, 0, 5, 0, 0, -4_000_000_000}, []int64{0, 0, 2, 9000, 800, 5000})
	b, _ := result.Table(p, shuffled)
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	if err1 != nil || err2 != nil || !bytes.Equal(x, y) {
		t.Fatalf("%v %v\n%s\n%s", err1, err2, x, y)
	}
}

func TestArithmeticForms(t *testing.T) {
	t.Parallel()
	n, days := measure(0), measure(2)
	p := query(t, func(s *plan.Spec) {
		s.Output = []plan.OutputSpec{
			out("sum", two(plan.OutAdd, n, days)), out("zero", two(plan.OutSub, n, n)), out("twice", two(plan.OutMul, num("2"), n)),
			out("half", two(plan.OutDiv, n, num("2"))), out("neg", plan.OutExpr{Op: plan.OutNeg, Args: []plan.OutExpr{n}}),
			out("rounded", plan.OutExpr{Op: plan.OutRound, Digits: 1, Args: []plan.OutExpr{two(plan.OutDiv, days, n)}}),
			out("shifted mean", two(plan.OutAdd, measure(1), num("1"))), out("by zero", two(plan.OutDiv, n, num("0"))),
		}
	})
	r, err := result.Table(p, standard(p))
	if err != nil {
		t.Fatal(err)
	}
	row := r.Rows[0]
	for i, want := range []any{6000.0, 0.0, 2000.0, 500.0, -1000.0, 5.0, 10001.0, nil} {
		if row[i].Value != want {
			t.Errorf("%s = %v, want %v", r.Columns[i].Name, row[i].Value, want)
		}
	}
	width := func(i int) float64 { return *row[i].Hi - *row[i].Lo }
	if row[1].Lo != nil || math.Abs(width(2)/width(3)-4) > 0.01 || math.Abs(width(4)/width(3)-2) > 0.01 || row[7].Lo != nil {
		t.Errorf("widths %+v", row)
	}
	if math.Round(*row[5].Lo*10) != *row[5].Lo*10 || *row[5].Lo > 5 || *row[5].Hi < 5 {
		t.Errorf("rounded %+v", row[5])
	}
}

func TestCSVGuard(t *testing.T) {
	t.Parallel()
	p := query(t, func(s *plan.Spec) {
		s.Output = []plan.OutputSpec{out("department", plan.OutExpr{Op: plan.OutKey}), out("=cmd|' /C calc'!A0", measure(0)), out(" @x", num("-2"))}
		s.Limit = 1
	})
	r, err := result.Table(p, standard(p))
	if err != nil {
		t.Fatal(err)
	}
	r.Rows[0][0].Value = "+1"
	var b bytes.Buffer
	if err := r.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	if !strings.HasPrefix(lines[0], "department,'=cmd|") || !strings.Contains(lines[0], ",' @x") || !strings.HasPrefix(lines[1], "'+1,1000,") || !strings.HasSuffix(lines[1], ",-2") {
		t.Fatal(b.String())
	}
}

// TestCoverage: over 2,000 noised tables every form's interval holds the value of the same formula on the exact numbers at least 95 % of the
// time. One-sided: at 95 % the number of hits falls below 1,863 with probability below 0.001 for each form (normal approximation, z = 3.8).
func TestCoverage(t *testing.T) {
	t.Parallel()
	n, mean, days := measure(0), measure(1), measure(2)
	p := query(t, func(s *plan.Spec) {
		s.Keys = nil
		s.Output = []plan.OutputSpec{out("n", n), out("mean", mean), out("days", days), out("ratio", two(plan.OutDiv, days, n)), out("product", two(plan.OutMul, n, days)),
			out("of means", two(plan.OutMul, mean, two(plan.OutDiv, days, n))), out("rounded", plan.OutExpr{Op: plan.OutRound, Args: []plan.OutExpr{mean}})}
	})
	exact := []int64{500, -2_000_000_000, 2600}
	mu := (5_000_000.0 + float64(exact[1])/500) / 100
	truth := []float64{500, mu, 2600, 5.2, 500 * 2600, mu * 5.2, math.Round(mu)}
	hits := make([]int, len(truth))
	random := rand.New(rand.NewPCG(7, 11)) // a test's noise, not an answer's
	for range 2000 {
		table := noised(p, [][]int64{}, []int64{0}, []int64{0}, []int64{0})
		for i := range exact {
			table.Values[i][0] = exact[i] + int64(math.Round(random.NormFloat64()*table.Mechanisms[i].Sigma))
		}
		r, err := result.Table(p, table)
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range r.Rows[0] {
			if *c.Lo <= truth[i] && truth[i] <= *c.Hi {
				hits[i]++
			}
		}
	}
	for i, h := range hits {
		if h < 1863 {
			t.Errorf("form %d held %d of 2000", i, h)
		}
	}
}
