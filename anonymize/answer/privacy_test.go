package answer_test

import (
	"math"
	"testing"

	"carrel/anonymize/answer"
	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
)

// The privacy audit runs the whole gate on neighbouring inputs and bounds ε from below with confidence 1 − 1e-6 (Hoeffding, both sides): the
// bound must stay at or under the claim. A gate, a child or a calibration that leaks more must be found; each test shows that it is.
//
// child is a model of the sandbox's SQL: at most rowBound rows a person, addends clamped to 0..100.
type child struct {
	rowBound int
	clamp    bool
}

// population is the rows of each person.
type population [][]int64

func (c child) aggregates(p population) answer.Aggregates {
	var n, sum int64
	for _, rows := range p {
		for i, x := range rows {
			if i == c.rowBound {
				break
			}
			if c.clamp {
				x = max(0, min(100, x))
			}
			n++
			sum += x
		}
	}
	return scanned([]int64{n}, []int64{n}, []int64{sum})
}

// crowd is 40 ordinary people and, in D, one outlier with six rows of 1,000 each, which the gate's own checks let pass (lo·n ≤ sum ≤ hi·n
// holds for the whole crowd).
func crowd(outlier bool) population {
	var p population
	for range 40 {
		p = append(p, []int64{10, 0})
	}
	if outlier {
		p = append(p, []int64{1000, 1000, 1000, 1000, 1000, 1000})
	}
	return p
}

// epsilonBound is a lower bound of ε from the event "statistic at or above its exact value on D": k hits of n on D, k0 of n on D′, given δ.
func epsilonBound(k, k0, n int, delta float64) float64 {
	w := math.Sqrt(math.Log(2/1e-6) / (2 * float64(n)))
	p := float64(k)/float64(n) - w - delta
	p0 := math.Min(1, float64(k0)/float64(n)+w)
	if p <= 0 {
		return 0
	}
	return math.Log(p / p0)
}

// auditSum asks SUM of the population with and without the outlier n times each.
func auditSum(t *testing.T, b *bench, c child, list []dp.Mechanism, n int) (k, k0 int) {
	t.Helper()
	l := plan.Layout{
		Columns: []plan.LayoutColumn{
			{Name: "count(*)", Kind: plan.ColumnCount, Of: -1}, {Name: "count(x)", Kind: plan.ColumnCount, Of: 0},
			{Name: "sum(x)", Kind: plan.ColumnSum, Lo: 0, Hi: 100, Of: 1},
		},
		Measures: []plan.LayoutMeasure{{Name: "sum(x)", Mechanism: 0, Terms: []plan.LayoutTerm{{Column: 2, Coef: 1}}}},
		MaxRows:  100_000, MaxCells: 1,
	}
	with, without := c.aggregates(crowd(true)), c.aggregates(crowd(false))
	at := with.Columns[2][0]
	for range n {
		for i, a := range []answer.Aggregates{with, without} {
			got, err := b.ask(t, l, list, a)
			if err != nil {
				t.Fatal(err)
			}
			if got.Values[0][0] >= at {
				if i == 0 {
					k++
				} else {
					k0++
				}
			}
		}
	}
	return k, k0
}

func sumList(t *testing.T, a dp.Accounting, epsilon float64) []dp.Mechanism {
	t.Helper()
	list, err := dp.Design(a, epsilon, 1e-6, 1e-9, []dp.Want{{Measure: "sum(x)", Sensitivity: 200, Rows: 2, Cells: 1}})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

const claim = 1.0

func TestPrivacyAudit(t *testing.T) {
	t.Parallel()
	auditGate(t, 4000)
}

func auditGate(t *testing.T, n int) {
	t.Helper()
	good := child{rowBound: 2, clamp: true}
	for what, c := range map[string]struct {
		child   child
		epsilon float64 // of the list that is sampled; claim is what is said
		leaks   bool
	}{
		"as built":          {good, claim, false},
		"halved noise":      {good, 2 * claim, true},
		"missing clamp":     {child{rowBound: 2}, claim, true},
		"missing row bound": {child{rowBound: 1000, clamp: true}, claim, true},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			k, k0 := auditSum(t, newBench(t), c.child, sumList(t, dp.Basic, c.epsilon), n)
			e := epsilonBound(k, k0, n, 0)
			if c.leaks != (e > claim) {
				t.Errorf("epsilon is at least %.2f, claim %.1f: leak %v wanted", e, claim, c.leaks)
			}
			if !c.leaks && e < claim/2 {
				t.Errorf("epsilon bound %.2f: the test has no power", e)
			}
		})
	}
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
