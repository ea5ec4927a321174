package plan_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
)

// searchFor prepares a search over encounters of the city, with 4 rows a person.
func searchFor(t interface {
	Fatal(...any)
	Helper()
}, wanted ...plan.MeasureSpec,
) *plan.Search {
	t.Helper()
	spec := plantest.Wish(plan.From{Scans: []plan.Scan{{Table: "encounter"}}}, []plan.Expr{plantest.Col("hospital_id")}, wanted...)
	x, err := plan.NewSearch(plantest.City(), spec, plan.Options{RowsPerPerson: map[string]int64{plan.AllTables: 4}}, 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// sampled is what the gate would release of exact counts: one slice of bins an argument, by the number of the bin, NULL left out.
func sampled(t interface {
	Fatal(...any)
	Helper()
}, x *plan.Search, a dp.Accounting, epsilon float64, exact map[int][]int64,
) dp.Table {
	t.Helper()
	list, err := dp.Design(a, epsilon, 1e-6, 1e-8, x.Counts().Wants())
	if err != nil {
		t.Fatal(err)
	}
	var tables []dp.Table
	for i, p := range x.Counts().Parts() {
		n := p.Layout.Keys[0].Hi + 1
		var keys, counts []int64
		for k := range n {
			keys, counts = append(keys, k), append(counts, 0)
			if c := exact[i]; k < int64(len(c)) {
				counts[k] = c[k]
			}
		}
		if p.Layout.Keys[0].Null {
			keys, counts = append(keys, plan.NullKey), append(counts, 1_000_000)
		}
		noised, err := dp.NewSampler().Sample(list[p.First], counts)
		if err != nil {
			t.Fatal(err)
		}
		tables = append(tables, dp.Table{Version: dp.TableVersion, Rows: int64(len(keys)), Keys: [][]int64{keys}, Values: [][]int64{noised}, Mechanisms: list[p.First : p.First+1]})
	}
	out := tables[0]
	out.More = tables[1:]
	return out
}

// exactly sets the noised counts themselves.
func exactly(t *testing.T, x *plan.Search, part int, counts map[int]int64) dp.Table {
	t.Helper()
	out := sampled(t, x, dp.Basic, 1, nil)
	tables := append([]dp.Table{out}, out.More...)
	for i, values := range tables {
		for k := range values.Values[0] {
			values.Values[0][k] = 0
			if i == part {
				values.Values[0][k] = counts[k]
			}
		}
	}
	return out
}

func TestSearchPicksBinsWithRows(t *testing.T) {
	t.Parallel()
	x := searchFor(t, plantest.Measure(plan.Avg, plantest.Col("total_cost")))
	// stored cents: bin 0 is 0, then (0, 1], (1, 2], (2, 5], (5, 10], … up to 20,000,000
	for name, c := range map[string]struct {
		bins   map[int]int64
		lo, hi string
	}{
		"one bin":                 {map[int]int64{18: 900}, "2000", "5000"},
		"two bins":                {map[int]int64{15: 900, 18: 900}, "0", "5000"},
		"a gap":                   {map[int]int64{3: 900, 18: 900}, "0", "5000"},
		"few rows are no bin":     {map[int]int64{18: 900, 23: 20}, "2000", "5000"},
		"a negative is no bin":    {map[int]int64{18: 900, 23: -900}, "2000", "5000"},
		"the last is the bound":   {map[int]int64{23: 900}, "100000", "200000"},
		"zeros alone":             {map[int]int64{0: 900}, "0", "0.01"},
		"small things":            {map[int]int64{1: 900, 2: 900}, "0.01", "0.02"},
		"known rows are not NULL": {map[int]int64{18: 900, 24: 1 << 40}, "2000", "5000"},
	} {
		bounds, err := x.Pick(exactly(t, x, 0, c.bins))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		b := x.Describe(bounds)[0]
		if b.Lo != c.lo || b.Hi != c.hi || b.Argument != "total_cost" || b.Unit != "CNY" || b.Clamp != "clamp(total_cost, "+c.lo+", "+c.hi+")" {
			t.Errorf("%s: %+v, not %s to %s", name, b, c.lo, c.hi)
		}
		if _, err := x.Bounded(bounds); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSearchKnowsNegatives(t *testing.T) {
	t.Parallel()
	x := searchFor(t, plantest.Measure(plan.Sum, plantest.Col("score")))
	middle := int(x.Counts().Parts()[0].Layout.Keys[0].Hi) / 2 // the bin of 0: the range is symmetric
	for name, c := range map[string]struct {
		bins   map[int]int64
		lo, hi string
	}{
		"around zero":     {map[int]int64{middle - 5: 900, middle + 3: 900}, "-20", "5"},
		"negative":        {map[int]int64{middle - 5: 900}, "-20", "-10"},
		"nearly to zero":  {map[int]int64{middle - 5: 900, middle - 1: 900}, "-20", "0"},
		"one negative":    {map[int]int64{middle - 1: 900}, "-1", "0"},
		"the open ends":   {map[int]int64{0: 900, 2 * middle: 900}, "-274877906944", "274877906944"},
		"only a positive": {map[int]int64{middle + 1: 900}, "1", "2"},
	} {
		bounds, err := x.Pick(exactly(t, x, 0, c.bins))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if b := x.Describe(bounds)[0]; b.Lo != c.lo || b.Hi != c.hi {
			t.Errorf("%s: %+v, not %s to %s", name, b, c.lo, c.hi)
		}
	}
}

func TestSearchFindsNothingInNoise(t *testing.T) {
	t.Parallel()
	x := searchFor(t, plantest.Measure(plan.Sum, plantest.Col("score")))
	for _, a := range []dp.Accounting{dp.ZCDP, dp.Basic} {
		for range 300 { // at 1e-4 a search
			_, err := x.Pick(sampled(t, x, a, 0.2, nil))
			var none *plan.NoBoundsError
			if !errors.As(err, &none) || none.Argument != "score" || none.Rows < 20 {
				t.Fatalf("%s: %v", a, err)
			}
		}
	}
}

// What is picked is a function of the noised table: the same bytes give the same bounds, and nothing else is asked for.
func TestSearchIsAFunctionOfNoisedCounts(t *testing.T) {
	t.Parallel()
	x := searchFor(t, plantest.Measure(plan.Sum, plantest.Col("score")), plantest.Measure(plan.Avg, plantest.Col("total_cost")))
	again := searchFor(t, plantest.Measure(plan.Sum, plantest.Col("score")), plantest.Measure(plan.Avg, plantest.Col("total_cost")))
	rapid.Check(t, func(r *rapid.T) {
		counts := map[int][]int64{0: rapid.SliceOfN(rapid.Int64Range(0, 5000), 0, 24).Draw(r, "first"), 1: rapid.SliceOfN(rapid.Int64Range(0, 5000), 0, 60).Draw(r, "second")}
		raw, err := sampled(r, x, dp.Basic, 1, counts).Encode()
		if err != nil {
			r.Fatal(err)
		}
		one, err := dp.DecodeTable(raw)
		if err != nil {
			r.Fatal(err)
		}
		a, errA := x.Pick(one)
		b, errB := again.Pick(one)
		if (errA == nil) != (errB == nil) || len(a) != len(b) {
			r.Fatalf("%v %v: %v %v", a, b, errA, errB)
		}
		for i := range a {
			if a[i] != b[i] || a[i].Lo >= a[i].Hi {
				r.Fatalf("%v %v", a, b)
			}
		}
		if errA == nil {
			if _, err := x.Bounded(a); err != nil {
				r.Fatal(err)
			}
		}
	})
}

// Ten thousand persons with a row each and costs over several magnitudes: at the ε of a usual question the bounds leave out less than a
// hundredth of the rows.
func TestSearchHoldsTheMass(t *testing.T) {
	t.Parallel()
	spec := plantest.Wish(plan.From{Scans: []plan.Scan{{Table: "encounter"}}}, nil, plantest.Measure(plan.Avg, plantest.Col("total_cost")))
	x, err := plan.NewSearch(plantest.City(), spec, plan.Options{RowsPerPerson: map[string]int64{plan.AllTables: 1}}, 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	const runs = 120
	for _, a := range []dp.Accounting{dp.ZCDP, dp.Basic} {
		rng, held := rand.New(rand.NewPCG(7, 11)), 0 //nolint:gosec // invented costs, not noise
		for range runs {
			costs, counts := make([]int64, 10_000), make([]int64, 25)
			for i := range costs {
				costs[i] = min(20_000_000, int64(100*8000*exp(rng.NormFloat64()*0.9)))
				counts[binOf(costs[i])]++
			}
			bounds, err := x.Pick(sampled(t, x, a, stepEpsilon(a, 1, 0.2), map[int][]int64{0: counts}))
			if err != nil {
				t.Fatal(err)
			}
			inside := 0
			for _, c := range costs {
				if c >= bounds[0].Lo && c <= bounds[0].Hi {
					inside++
				}
			}
			if inside >= 9900 && bounds[0].Hi <= 10_000_000 {
				held++
			}
		}
		if held < runs*95/100 {
			t.Errorf("%s: in %d of %d runs the bounds held 99 %% of the rows", a, held, runs)
		}
	}
}

func TestSearchTakesWhatLacksBounds(t *testing.T) {
	t.Parallel()
	score, cost := plantest.Col("score"), plantest.Col("total_cost")
	filtered := plantest.Measure(plan.Sum, score)
	f := plantest.Cmp(plantest.Col("los"), plan.CmpGt, plantest.Num("3"))
	filtered.Filter = &f
	for name, c := range map[string]struct {
		wanted []plan.MeasureSpec
		want   string
		code   string
	}{
		"a column":           {[]plan.MeasureSpec{plantest.Measure(plan.Sum, score)}, "score", ""},
		"once":               {[]plan.MeasureSpec{plantest.Measure(plan.Sum, score), plantest.Measure(plan.Avg, score), filtered}, "score", ""},
		"two":                {[]plan.MeasureSpec{plantest.Measure(plan.Avg, cost), plantest.Measure(plan.Sum, score)}, "total_cost score", ""},
		"both of a slope":    {[]plan.MeasureSpec{plantest.Measure(plan.RegrSlope, cost, score)}, "total_cost score", ""},
		"computed":           {[]plan.MeasureSpec{plantest.Measure(plan.Sum, plantest.Call("*", cost, plantest.Num("2")))}, "m", ""},
		"inside":             {[]plan.MeasureSpec{plantest.Measure(plan.Sum, plantest.Call("+", score, plantest.Col("los")))}, "score", ""},
		"filtered":           {[]plan.MeasureSpec{filtered}, "score", ""},
		"quantile":           {[]plan.MeasureSpec{{Kind: plan.Quantile, Args: []plan.Expr{score}, Fraction: 0.5}}, "score", ""},
		"nothing":            {[]plan.MeasureSpec{plantest.Measure(plan.CountRows)}, "", "bounds-known"},
		"count of a column":  {[]plan.MeasureSpec{plantest.Measure(plan.CountColumn, score)}, "", "bounds-known"},
		"clamped":            {[]plan.MeasureSpec{plantest.Measure(plan.Sum, plantest.Call("clamp", score, plantest.Num("0"), plantest.Num("9000")))}, "", "bounds-known"},
		"narrow":             {[]plan.MeasureSpec{plantest.Measure(plan.Sum, plantest.Call("//", plantest.Col("los"), plantest.Num("20")))}, "", "bounds-known"},
		"no number":          {[]plan.MeasureSpec{plantest.Measure(plan.Sum, plantest.Col("icd10"))}, "", "not-summable"},
		"unknown":            {[]plan.MeasureSpec{plantest.Measure(plan.Sum, plantest.Col("nothing"))}, "", "unknown-column"},
		"unit in arithmetic": {[]plan.MeasureSpec{plantest.Measure(plan.Sum, plantest.Call("+", plantest.Col("person_id"), score))}, "", "unit-in-expression"},
	} {
		spec := plantest.Wish(plan.From{Scans: []plan.Scan{{Table: "encounter"}}}, nil, c.wanted...)
		x, err := plan.NewSearch(plantest.City(), spec, plan.Options{}, 1<<40)
		var r *plan.Refusal
		switch {
		case c.code != "":
			if !errors.As(err, &r) || r.Code != c.code {
				t.Errorf("%s: %v, not %s", name, err, c.code)
			}
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case strings.Join(x.Arguments(), " ") != c.want:
			t.Errorf("%s: %q, not %q", name, x.Arguments(), c.want)
		}
	}
}

// The counts are those of any count: m rows of a person, whatever the filters, and the second step's hash names its bounds.
func TestSearchPlans(t *testing.T) {
	t.Parallel()
	filtered := plantest.Measure(plan.Sum, plantest.Col("score"))
	f := plantest.Cmp(plantest.Col("los"), plan.CmpGt, plantest.Num("3"))
	filtered.Filter = &f
	x := searchFor(t, filtered, plantest.Measure(plan.Avg, plantest.Col("total_cost")), plantest.Measure(plan.CountColumn, plantest.Col("total_cost")))
	if n := len(x.Counts().Parts()); n != 2 {
		t.Fatalf("%d parts", n)
	}
	for _, w := range x.Counts().Wants() {
		if w.Sensitivity != 4 || w.Select {
			t.Errorf("%+v", w)
		}
	}
	for _, p := range x.Counts().Parts() {
		if !p.Layout.Keys[0].Public || len(p.Layout.Keys) != 1 {
			t.Errorf("%+v", p.Layout.Keys)
		}
	}
	if sql := x.Counts().SQL(); strings.Contains(sql, "hospital_id") || !strings.Contains(sql, `"los" >= 4`) {
		t.Errorf("%s", sql)
	}
	if sql := x.Widest().SQL(); strings.Count(sql, "count(CASE") != 2 { // COUNT(x) is AVG(x)'s denominator
		t.Errorf("%s", sql)
	}
	one, err := x.Bounded([]plan.Range{{Lo: 0, Hi: 10}, {Lo: 0, Hi: 500_000}})
	if err != nil {
		t.Fatal(err)
	}
	two, err := x.Bounded([]plan.Range{{Lo: 0, Hi: 10}, {Lo: 0, Hi: 1_000_000}})
	if err != nil {
		t.Fatal(err)
	}
	if one.Hash() == two.Hash() || one.Hash() == x.Widest().Hash() {
		t.Error("the bounds are not in the hash")
	}
	for _, bad := range [][]plan.Range{nil, {{Lo: 0, Hi: 10}}, {{Lo: 0, Hi: 10}, {Lo: 0, Hi: 1 << 50}}, {{Lo: 0, Hi: 10}, {Lo: 5, Hi: 4}}, {{Lo: 0, Hi: 10}, {Lo: -1, Hi: 4}}} {
		if _, err := x.Bounded(bad); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
	if _, err := x.Pick(dp.Table{}); err == nil {
		t.Error("an empty table gave bounds")
	}
}
