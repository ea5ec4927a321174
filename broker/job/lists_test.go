package job

import (
	"slices"
	"testing"

	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
	"carrel/policy"
)

// Guard: policy hears of the sensitive lists that a plan tells codes of, by the system of the column's dictionary.
func TestListsOfAPlan(t *testing.T) {
	t.Parallel()
	lists := []policy.Sensitive{{Name: "heart", Codes: []string{"icd10:I21"}}, {Name: "lab", Codes: []string{"loinc:I21"}}, {Name: "gut", Codes: []string{"icd10:K"}}}
	for code, want := range map[string][]string{"I21": {"heart"}, "I40": nil} {
		s := plan.Spec{SQL: "…", From: plan.From{Scans: []plan.Scan{{Table: "encounter"}}}, Wanted: []plan.MeasureSpec{{Kind: plan.CountRows}}, Limit: -1,
			Output: []plan.OutputSpec{{Name: "n", Expr: plan.OutExpr{Op: plan.OutMeasure}}}}
		s.Where = &plan.Expr{Op: plan.ExprCompare, Cmp: plan.CmpEq, Args: []plan.Expr{plantest.Col("icd10"), plantest.Text(code)}}
		p, err := plan.Build(plantest.City(), s, plan.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := listsOf(plantest.City(), p.Features(), lists); !slices.Equal(got, want) {
			t.Errorf("a question about %s tells of %v, want %v", code, got, want)
		}
	}
}

// Guard: a table whose every code is of a list tells of the list by its rows alone.
func TestListsOfATable(t *testing.T) {
	t.Parallel()
	lists := []policy.Sensitive{{Name: "heart", Codes: []string{"kind:infarction", "kind:stroke"}}}
	for table, want := range map[string][]string{"cv_event": {"heart"}, "encounter": nil} {
		s := plan.Spec{SQL: "…", From: plan.From{Scans: []plan.Scan{{Table: table}}}, Wanted: []plan.MeasureSpec{{Kind: plan.CountRows}}, Limit: -1,
			Output: []plan.OutputSpec{{Name: "n", Expr: plan.OutExpr{Op: plan.OutMeasure}}}}
		p, err := plan.Build(plantest.City(), s, plan.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := listsOf(plantest.City(), p.Features(), lists); !slices.Equal(got, want) {
			t.Errorf("rows of %s tell of %v, want %v", table, got, want)
		}
	}
}

// Guard: a question that tells names of codes apart tells of every list of their system: which name is whose is not in the plan.
func TestListsOfNames(t *testing.T) {
	t.Parallel()
	schema := plantest.City()
	for i := range schema.Tables {
		for j := range schema.Tables[i].Columns {
			if c := &schema.Tables[i].Columns[j]; c.Codes == "icd10@1" {
				c.Codes = "icd10@1#zh"
			}
		}
	}
	lists := []policy.Sensitive{{Name: "heart", Codes: []string{"icd10:I21"}}, {Name: "lab", Codes: []string{"loinc:I21"}}}
	s := plantest.Wish(plan.From{Scans: []plan.Scan{{Table: "encounter"}}}, nil, plantest.Measure(plan.CountRows))
	names := plantest.Eq(plantest.Col("icd10"), plantest.Text("I40"))
	s.Where = &names
	p, err := plan.Build(schema, s, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := listsOf(schema, p.Features(), lists); !slices.Equal(got, []string{"heart"}) {
		t.Errorf("a question about names tells of %v", got)
	}
}
