package plan_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
)

// counting is COUNT(*) of the encounters by a key, those longer than so many days.
func counting(t *testing.T, key string, longer string) *plan.Plan {
	t.Helper()
	p, err := plan.Build(plantest.City(), countingSpec(key, longer), plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func countingSpec(key, longer string) plan.Spec {
	s := plan.Spec{SQL: "…", From: plan.From{Scans: []plan.Scan{{Table: "encounter"}}}, Keys: []plan.KeySpec{{Expr: plantest.Col(key)}},
		Wanted: []plan.MeasureSpec{{Kind: plan.CountRows}}, Limit: -1}
	s.Output = []plan.OutputSpec{{Name: key, Expr: plan.OutExpr{Op: plan.OutKey}}, {Name: "n", Expr: plan.OutExpr{Op: plan.OutMeasure}}}
	if longer != "" {
		s.Where = &plan.Expr{Op: plan.ExprCompare, Cmp: plan.CmpGt, Args: []plan.Expr{plantest.Col("los"), {Op: plan.ExprLiteral, Lit: plan.Literal{Kind: plan.LitNumber, Text: longer}}}}
	}
	return s
}

func several(t *testing.T, steps ...*plan.Plan) *plan.Plan {
	t.Helper()
	p, err := plan.Several(steps, plan.View{Tree: json.RawMessage(`{}`)}, "…", plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestSeveralCharges: every mechanism of every step is in the list, once for steps that ask the same, and the parts say where theirs begin.
func TestSeveralCharges(t *testing.T) {
	t.Parallel()
	a, b := counting(t, "department", ""), counting(t, "department", "3")
	p := several(t, a, b, a)
	if len(p.Steps()) != 2 || len(p.Wants()) != len(a.Wants())+len(b.Wants()) || len(p.Parts()) != 2 {
		t.Fatalf("%d steps, %d wants", len(p.Steps()), len(p.Wants()))
	}
	for i, s := range p.Steps() {
		part, want := p.Within(i)
		if p.Parts()[part].SQL != s.Parts()[0].SQL || p.Parts()[part].First != want || p.Wants()[want] != s.Wants()[0] {
			t.Errorf("step %d stands at part %d, want %d", i, part, want)
		}
	}
	v := p.View()
	if v.At[0] != v.At[2] || v.At[0] == v.At[1] || p.Steps()[v.At[1]].Hash() != b.Hash() {
		t.Errorf("%v", v.At)
	}
	one, err := dp.Design(dp.Basic, 1, 1e-6, 1e-10, a.Wants())
	if err != nil {
		t.Fatal(err)
	}
	both, err := dp.Design(dp.Basic, 1, 1e-6, 1e-10, p.Wants())
	if err != nil {
		t.Fatal(err)
	}
	if len(both) != 2 || both[0].Epsilon >= one[0].Epsilon {
		t.Errorf("two steps share an ε that one has for itself: %+v", both)
	}
	if f := p.Features(); f.Draws != a.Features().Draws+b.Features().Draws || !slices.Contains(f.Tables, "encounter") {
		t.Errorf("%+v", f)
	}
	if errs := p.ExpectedErrors(both); len(errs) != 2 || errs[0].Step != 1 || errs[1].Step != 2 || errs[1].Measure != 0 {
		t.Errorf("%+v", errs)
	}
	if errs := a.ExpectedErrors(one); len(errs) != 1 || errs[0].Step != 0 {
		t.Errorf("one step is numbered: %+v", errs)
	}
}

// TestSeveralInWords: steps are numbered as the text has them, whatever the order in which they are answered, each with its tables.
func TestSeveralInWords(t *testing.T) {
	t.Parallel()
	a, b := counting(t, "department", ""), counting(t, "department", "3")
	for _, steps := range [][]*plan.Plan{{a, b, a}, {b, a}} {
		p := several(t, steps...)
		if i := p.InText(); len(i) != 2 || p.Steps()[i[0]].Hash() != steps[0].Hash() || p.Steps()[i[1]].Hash() != steps[1].Hash() {
			t.Errorf("%v", i)
		}
		en, zh := p.Describe("en"), p.Describe("zh")
		if !strings.HasPrefix(en, "2 measure steps, one charge") || strings.Count(en, "\nstep 2 (encounter)\n  at most ") != 1 || !strings.Contains(zh, "\n步骤 2（encounter）\n") {
			t.Error(en, zh)
		}
	}
	if en := several(t, a).Describe("en"); !strings.HasPrefix(en, "one measure step; the SQL above") {
		t.Error(en)
	}
}

// TestSeveralHash: the order of the steps and what stands above are no part of the plan; a step more is.
func TestSeveralHash(t *testing.T) {
	t.Parallel()
	a, b := counting(t, "department", ""), counting(t, "department", "3")
	ab, ba := several(t, a, b), several(t, b, a, b)
	if ab.Hash() != ba.Hash() || ab.Hash() == a.Hash() || ab.Hash() == several(t, a).Hash() {
		t.Error("the hash depends on the order, or not on the steps")
	}
	if several(t, a).Hash() != a.Hash() {
		t.Error("one step under other SQL is another question")
	}
	if c := several(t, a, counting(t, "department", "4")); c.Hash() == ab.Hash() {
		t.Error("another step, the same hash")
	}
}

// TestSeveralDraws: the cap of draws is that of the whole text.
func TestSeveralDraws(t *testing.T) {
	t.Parallel()
	a, b := counting(t, "department", ""), counting(t, "department", "3")
	limit := a.Features().Draws + b.Features().Draws
	for draws, fits := range map[int64]bool{limit: true, limit - 1: false} {
		if _, err := plan.Several([]*plan.Plan{a, b}, plan.View{}, "…", plan.Options{MaxDraws: draws}); (err == nil) != fits {
			t.Errorf("%d draws under a cap of %d: %v", limit, draws, err)
		}
	}
	if _, err := plan.Several(nil, plan.View{}, "…", plan.Options{}); err == nil {
		t.Error("no step is a plan")
	}
}

// TestOptionsOfSteps: a bound on the rows of a table is for the steps that scan it; a name that none does stays everywhere, to be refused.
func TestOptionsOfSteps(t *testing.T) {
	t.Parallel()
	a, b := countingSpec("department", ""), countingSpec("department", "")
	b.Scans[0].Alias = "e"
	o := plan.Options{RowsPerPerson: map[string]int64{"e": 2, "encounter": 3, "nothing": 4, plan.AllTables: 5}}
	if got := o.Of([]plan.Spec{a, b}, 0).RowsPerPerson; len(got) != 3 || got["e"] != 0 || got["encounter"] != 3 || got["nothing"] != 4 {
		t.Errorf("%v", got)
	}
	if got := o.Of([]plan.Spec{a, b}, 1).RowsPerPerson; len(got) != 4 {
		t.Errorf("%v", got)
	}
}
