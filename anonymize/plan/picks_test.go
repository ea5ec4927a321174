package plan_test

import (
	"slices"
	"strings"
	"testing"

	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
)

func lit(text string) plan.Expr { return plantest.Text(text) }

func compare(cmp plan.Cmp, l, r plan.Expr) *plan.Expr {
	return &plan.Expr{Op: plan.ExprCompare, Cmp: cmp, Args: []plan.Expr{l, r}}
}

func call(name string, args ...plan.Expr) plan.Expr {
	return plan.Expr{Op: plan.ExprCall, Name: name, Args: args}
}

func both(op plan.ExprOp, args ...plan.Expr) *plan.Expr { return &plan.Expr{Op: op, Args: args} }

// Guard: which codes a plan tells from the others follows from its conditions and keys, however they are written.
func TestPicks(t *testing.T) {
	t.Parallel()
	icd := plantest.Col("icd10")
	heart := func(code string) bool { return strings.HasPrefix(code, "I21") }
	for name, c := range map[string]struct {
		where *plan.Expr
		key   string
		want  bool
	}{
		"nothing of the codes":         {nil, "department", false},
		"a key of codes":               {nil, "icd10", true},
		"another code":                 {compare(plan.CmpEq, icd, lit("I40")), "department", false},
		"everything but another code":  {compare(plan.CmpNe, icd, lit("I40")), "department", false},
		"the code":                     {compare(plan.CmpEq, icd, lit("I21")), "department", true},
		"everything but the code":      {compare(plan.CmpNe, icd, lit("I21")), "department", true},
		"a key that cannot hold it":    {compare(plan.CmpEq, icd, lit("I40")), "icd10", false},
		"two halves that meet at it":   {both(plan.ExprAnd, *compare(plan.CmpGe, icd, lit("I21")), *compare(plan.CmpLt, icd, lit("I22"))), "department", true},
		"a function that finds it":     {compare(plan.CmpEq, call("substr", icd, plantest.Num("1"), plantest.Num("3")), lit("I21")), "department", true},
		"a function that finds others": {compare(plan.CmpEq, call("left", icd, plantest.Num("1")), lit("A")), "department", false},
		"a function of it as a key":    {nil, "", true},
		"one of several":               {both(plan.ExprOr, *compare(plan.CmpEq, icd, lit("I40")), *compare(plan.CmpEq, icd, lit("I21"))), "department", true},
	} {
		s := countingSpec(c.key, "")
		if c.key == "" {
			s = countingSpec("icd10", "")
			s.Keys[0].Expr = call("substr", icd, plantest.Num("1"), plantest.Num("3"))
		}
		s.Where = c.where
		p, err := plan.Build(plantest.City(), s, plan.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := false
		for _, k := range p.Features().Picks {
			if !slices.Equal(k.Columns, []string{"encounter.icd10"}) && !slices.Equal(k.Columns, []string{"encounter.department"}) {
				t.Errorf("%s: picks of %v", name, k.Columns)
			}
			got = got || k.Codes == "icd10@1" && k.Singles(heart)
		}
		if got != c.want {
			t.Errorf("%s: singles the code out: %v", name, got)
		}
	}
}
