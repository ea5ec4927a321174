package plan_test

import (
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
)

func code(err error) string {
	var r *plan.Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return ""
}

// one makes a wish over one scan with one measure.
func one(table string, m plan.MeasureSpec, keys ...string) plan.Spec {
	s := plan.Spec{From: plan.From{Scans: []plan.Scan{{Table: table, Alias: "t"}}}, Wanted: []plan.MeasureSpec{m}, Limit: -1,
		Output: []plan.OutputSpec{{Name: "m", Expr: plan.OutExpr{Op: plan.OutMeasure}}}}
	for _, k := range keys {
		s.Keys = append(s.Keys, plan.KeySpec{Expr: plantest.Col(k)})
	}
	return s
}

func on(kind plan.JoinKind, pairs ...string) plan.Join {
	return onto(1, kind, pairs...)
}

// onto joins a scan to the first one by equalities.
func onto(scan int, kind plan.JoinKind, pairs ...string) plan.Join {
	var equal []plan.Expr
	for i := 0; i+1 < len(pairs); i += 2 {
		equal = append(equal, plantest.Eq(plantest.Col(pairs[i]), plantest.At(scan, pairs[i+1])))
	}
	return plantest.Join(kind, equal...)
}

// TestStatedBounds fixes the numbers that the rules give, so that a rule that got looser or tighter shows.
func TestStatedBounds(t *testing.T) {
	t.Parallel()
	count := plan.MeasureSpec{Kind: plan.CountRows}
	join := func(right string, j plan.Join) plan.Spec {
		s := one("encounter", count)
		s.Scans = append(s.Scans, plan.Scan{Table: right, Alias: "u"})
		s.Joins = []plan.Join{j}
		return s
	}
	cases := map[string]struct {
		spec        plan.Spec
		rows        map[string]int64
		m           int64
		sensitivity int64
		ranked      bool
	}{
		"table":                {one("encounter", count), nil, 40, 40, false},
		"table cut":            {one("encounter", count), map[string]int64{"t": 3}, 3, 3, false},
		"cut by star":          {one("encounter", count), map[string]int64{"*": 5}, 5, 5, false},
		"cut above the cap":    {one("encounter", count), map[string]int64{"encounter": 500}, 40, 40, false},
		"persons, one cell":    {one("encounter", plan.MeasureSpec{Kind: plan.CountPersons, Args: plantest.Cols("person_id")}), nil, 40, 1, false},
		"persons, four cells":  {one("encounter", plan.MeasureSpec{Kind: plan.CountPersons, Args: plantest.Cols("person_id")}, "hospital_id"), nil, 40, 5, false},
		"sum":                  {one("encounter", plan.MeasureSpec{Kind: plan.Sum, Args: plantest.Cols("los")}), nil, 40, 40 * 365, false},
		"negative bounds":      {one("cv_event", plan.MeasureSpec{Kind: plan.Sum, Args: plantest.Cols("severity")}), nil, 10, 420, false},
		"inner on unit":        {join("cv_event", on(plan.JoinInner, "person_id", "person_id")), nil, 40, 40, true},
		"inner on unit, m":     {join("cv_event", on(plan.JoinInner, "person_id", "person_id")), map[string]int64{"t": 4, "u": 10}, 40, 40, false},
		"inner on row key":     {join("prescription", on(plan.JoinInner, "person_id", "person_id", "encounter_id", "encounter_id")), nil, 100, 100, false},
		"left on row key":      {join("prescription", on(plan.JoinLeft, "person_id", "person_id", "encounter_id", "encounter_id")), map[string]int64{"u": 50}, 89, 89, false},
		"inner one row":        {join("person", on(plan.JoinInner, "person_id", "person_id")), nil, 40, 40, false},
		"left one row":         {join("person", on(plan.JoinLeft, "person_id", "person_id")), nil, 40, 40, false},
		"public key":           {join("hospital", on(plan.JoinInner, "hospital_id", "hospital_id")), nil, 40, 40, false},
		"public, three a key":  {join("alias_map", on(plan.JoinInner, "hospital_id", "hospital_id")), nil, 40, 40, true},
		"three a key, small m": {join("alias_map", on(plan.JoinLeft, "hospital_id", "hospital_id")), map[string]int64{"t": 13}, 39, 39, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := plan.Build(plantest.City(), c.spec, plan.Options{RowsPerPerson: c.rows})
			if err != nil {
				t.Fatal(err)
			}
			w := p.Wants()[0]
			if p.Rows() != c.m || w.Sensitivity != c.sensitivity || w.Rows != c.m || strings.Contains(p.SQL(), "row_number") != c.ranked {
				t.Fatalf("m %d, %+v, %s", p.Rows(), w, p.SQL())
			}
		})
	}
}

func TestAverageIsCentred(t *testing.T) {
	t.Parallel()
	s := one("encounter", plan.MeasureSpec{Kind: plan.Avg, Args: plantest.Cols("total_cost")}, "department")
	s.Wanted = append(s.Wanted, plan.MeasureSpec{Kind: plan.Sum, Args: plantest.Cols("total_cost")}, plan.MeasureSpec{Kind: plan.CountColumn, Args: plantest.Cols("total_cost")})
	p, err := plan.Build(plantest.City(), s, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []dp.Want{{Measure: "count(encounter.total_cost)", Sensitivity: 40, Rows: 40, Cells: 6, Groups: 6}, {Measure: "sum(encounter.total_cost - 10000000)", Sensitivity: 400_000_000, Rows: 40, Cells: 6, Groups: 6}}
	if !reflect.DeepEqual(p.Wants(), want) {
		t.Fatalf("%+v", p.Wants())
	}
	l := p.Layout()
	if got := l.Measures[1].Terms; len(got) != 2 || l.Columns[got[0].Column].Kind != plan.ColumnSum || got[1].Coef != -10_000_000 || l.Columns[l.Columns[got[0].Column].Of].Name != "count(encounter.total_cost)" {
		t.Fatalf("%+v", l)
	}
	e := p.ExpectedErrors([]dp.Mechanism{{Kind: dp.Gaussian, Sigma: 10}, {Kind: dp.Gaussian, Sigma: 1000}})
	if len(e) != 3 || e[0].PerRows == 0 || e[2].HalfWidth != 19.6 || p.ExpectedErrors(nil) != nil {
		t.Fatalf("%+v", e)
	}
}

func TestSelection(t *testing.T) {
	t.Parallel()
	p, err := plan.Build(plantest.City(), one("encounter", plan.MeasureSpec{Kind: plan.Avg, Args: plantest.Cols("total_cost")}, "icd10", "department"), plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := p.Wants()
	if w[0].Measure != "count(*)" || !w[0].Select || w[1].Select || w[0].Cells != 121*6 || !p.Features().Private {
		t.Fatalf("%+v", w)
	}
}

func TestRefusedBuilds(t *testing.T) {
	t.Parallel()
	count := plan.MeasureSpec{Kind: plan.CountRows}
	big := plantest.City()
	big.Persons = 1 << 36
	sum := one("prescription", plan.MeasureSpec{Kind: plan.Sum, Args: plantest.Cols("huge")})
	broken := func(change func(*plan.Schema)) *plan.Schema { s := plantest.City(); change(s); return s }
	cases := map[string]struct {
		s    *plan.Schema
		spec plan.Spec
		o    plan.Options
		code string
	}{
		"rows below one":      {plantest.City(), one("encounter", count), plan.Options{RowsPerPerson: map[string]int64{"t": 0}}, "rows-per-person"},
		"rows of nobody":      {plantest.City(), one("encounter", count), plan.Options{RowsPerPerson: map[string]int64{"encunter": 3}}, "rows-per-person"},
		"draws":               {plantest.City(), one("encounter", count), plan.Options{MaxDraws: 1 << 19}, "max-draws"},
		"few draws":           {plantest.City(), one("encounter", count, "department"), plan.Options{MaxDraws: 5}, "too-many-cells"},
		"overflow":            {big, sum, plan.Options{}, "sum-too-large"},
		"no schema":           {nil, one("encounter", count), plan.Options{}, "schema-invalid"},
		"nullable unit":       {broken(func(s *plan.Schema) { s.Tables[1].Columns[1].Nullable = true }), one("encounter", count), plan.Options{}, "schema-invalid"},
		"no cap":              {broken(func(s *plan.Schema) { s.Tables[1].MaxRows = 0 }), one("encounter", count), plan.Options{}, "schema-invalid"},
		"bounds reversed":     {broken(func(s *plan.Schema) { s.Tables[1].Columns[9].Lo = 400 }), one("encounter", count), plan.Options{}, "schema-invalid"},
		"name with a quote":   {broken(func(s *plan.Schema) { s.Tables[1].Name = `x" AS y --` }), one("encounter", count), plan.Options{}, "schema-invalid"},
		"unsorted dictionary": {broken(func(s *plan.Schema) { s.Tables[0].Columns[1].Values = []string{"M", "F"} }), one("encounter", count), plan.Options{}, "schema-invalid"},
		"hidden rank":         {broken(func(s *plan.Schema) { s.Tables[0].Columns[1].Name = plan.RankColumn }), one("encounter", count), plan.Options{}, "schema-invalid"},
		"unit as key":         {plantest.City(), one("encounter", count, "person_id"), plan.Options{}, "unit-as-key"},
		"sum of the unit":     {plantest.City(), one("encounter", plan.MeasureSpec{Kind: plan.Sum, Args: plantest.Cols("person_id")}), plan.Options{}, "not-summable"},
		"rank as column":      {plantest.City(), one("encounter", count, plan.RankColumn), plan.Options{}, "unknown-column"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := plan.Build(c.s, c.spec, c.o); code(err) != c.code {
				t.Fatalf("%v, want %s", err, c.code)
			}
		})
	}
}

// TestUnverifiedPublicKeyRefuses: the multiplicity of a public key bounds the join; without it nothing does.
func TestUnverifiedPublicKeyRefuses(t *testing.T) {
	t.Parallel()
	s := one("encounter", plan.MeasureSpec{Kind: plan.CountRows})
	s.Scans = append(s.Scans, plan.Scan{Table: "hospital"})
	s.Joins = []plan.Join{on(plan.JoinInner, "hospital_id", "hospital_id")}
	city := plantest.City()
	for i := range city.Tables {
		if city.Tables[i].Name == "hospital" {
			city.Tables[i].Columns[0].MaxPerKey = 0
		}
	}
	if _, err := plan.Build(city, s, plan.Options{}); code(err) != "join-not-on-unit" {
		t.Fatal(err)
	}
}

// TestBrokenWishesNeverPanic: a wish is untrusted; indices, kinds and references may be anything.
func TestBrokenWishesNeverPanic(t *testing.T) {
	t.Parallel()
	s := plantest.Small()
	rapid.Check(t, func(t *rapid.T) {
		spec := genSpec(t, s)
		wild := rapid.SampledFrom([]int{-1, 0, 1, 7, 1 << 40})
		for range rapid.IntRange(1, 3).Draw(t, "breaks") {
			v := wild.Draw(t, "value")
			switch rapid.IntRange(0, 9).Draw(t, "where") {
			case 0:
				spec.Scans[0].Table = "nothing"
			case 1:
				if len(spec.Joins) > 0 && spec.Joins[0].On != nil {
					both := plantest.And(*spec.Joins[0].On, plantest.Eq(plantest.At(v, "c"), plantest.At(v, "c")))
					spec.Joins[0].On = &both
				}
			case 2:
				if len(spec.Joins) > 0 {
					spec.Joins[0].Kind = plan.JoinKind(v)
				}
			case 3:
				spec.Where = &plan.Expr{Op: plan.ExprOp(v), Col: plan.ColRef{Scan: v, Up: v}, Cmp: plan.Cmp(v), Args: make([]plan.Expr, v&3)}
			case 4:
				spec.Keys = append(spec.Keys, plan.KeySpec{Expr: plantest.At(v, "c")})
			case 5:
				spec.Wanted = append(spec.Wanted, plantest.Measure(plan.MeasureKind(v), plantest.At(v, "v")))
			case 6:
				spec.Output = append(spec.Output, plan.OutputSpec{Expr: plan.OutExpr{Op: plan.OutOp(v), Index: v, Args: make([]plan.OutExpr, 2)}})
			case 7:
				spec.Joins = append(spec.Joins, plan.Join{Kind: plan.JoinInner})
			case 8:
				spec.Order = append(spec.Order, plan.OrderSpec{Expr: plan.OutExpr{Op: plan.OutKey, Index: v}})
			case 9:
				spec.Limit, spec.Skip = int64(v), int64(v)
			}
		}
		if p, err := plan.Build(s, spec, plan.Options{}); err == nil && p.SQL() == "" {
			t.Fatal("a plan without SQL")
		} else if err != nil && code(err) == "" {
			t.Fatalf("%v is not a refusal", err)
		}
	})
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	p, err := plan.Build(plantest.City(), one("encounter", plan.MeasureSpec{Kind: plan.CountRows}, "department"), plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if en, zh := p.Describe("en"), p.Describe("zh"); !strings.Contains(en, "at most 40 rows") || !strings.Contains(zh, "每人至多 40 行") {
		t.Fatal(en, zh)
	}
	f := p.Features()
	if len(f.Columns) != 1 || f.Columns[0].Uses[0] != "key" || f.Draws != 6 || f.Level != 2 {
		t.Fatalf("%+v", f)
	}
}

// A short text can make a long statement: every pattern becomes the list of codes that it matches. What the sandbox would not take is
// refused here, before it is charged.
func TestLongStatementIsRefused(t *testing.T) {
	t.Parallel()
	like := func(n int) plan.Spec {
		s := one("encounter", plan.MeasureSpec{Kind: plan.CountRows})
		or := plan.Expr{Op: plan.ExprOr}
		for i := range n {
			or.Args = append(or.Args, plantest.And(plantest.Of(plan.ExprLike, plantest.Col("prescriber"), plantest.Text("%1%")),
				plantest.Eq(plantest.Col("los"), plantest.Num(strconv.Itoa(2*i)))))
		}
		s.Where = &or
		return s
	}
	p, err := plan.Build(plantest.City(), like(4), plan.Options{})
	if err != nil || len(p.SQL()) < 100_000 {
		t.Fatalf("four patterns: %v", err)
	}
	if p, err := plan.Build(plantest.City(), like(60), plan.Options{}); code(err) != "query-too-large" {
		t.Fatalf("sixty patterns: %v, a statement of %d bytes", err, len(p.SQL()))
	}
}
