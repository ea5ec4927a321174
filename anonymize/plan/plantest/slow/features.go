package slow

import (
	"fmt"
	"strings"

	"carrel/anonymize/plan"
)

// Features counts what a wish is made of, so that a test can show that it has seen enough of everything.
func Features(s *plan.Spec, seen map[string]int) {
	f := map[string]bool{"sets": s.Sets != nil}
	fromFeatures(&s.From, f)
	for i := range s.Keys {
		exprFeatures(&s.Keys[i].Expr, f)
	}
	for i := range s.Wanted {
		f[fmt.Sprintf("measure %s", s.Wanted[i].Kind)] = true
		for j := range s.Wanted[i].Args {
			exprFeatures(&s.Wanted[i].Args[j], f)
		}
		exprFeatures(s.Wanted[i].Filter, f)
	}
	for k, yes := range f {
		if yes {
			seen[k]++
		}
	}
}

// RelationFeatures is Features of one relation.
func RelationFeatures(r *plan.Relation, seen map[string]int) {
	f := map[string]bool{}
	relationFeatures(r, f)
	for k, yes := range f {
		if yes {
			seen[k]++
		}
	}
}

func fromFeatures(from *plan.From, f map[string]bool) {
	for i := range from.Scans {
		if r := from.Scans[i].Sub; r != nil {
			f["relation"] = true
			relationFeatures(r, f)
		}
	}
	for i := range from.Joins {
		f["asof"] = f["asof"] || from.Joins[i].Kind >= plan.JoinAsof
		f["left"] = f["left"] || from.Joins[i].Kind == plan.JoinLeft
		exprFeatures(from.Joins[i].On, f)
	}
	exprFeatures(from.Where, f)
}

func relationFeatures(r *plan.Relation, f map[string]bool) {
	for i := range r.Union {
		f["union"] = true
		relationFeatures(&r.Union[i], f)
	}
	f["grouped"] = f["grouped"] || r.Grouped
	f["distinct"] = f["distinct"] || r.Distinct
	f["distinct on"] = f["distinct on"] || len(r.DistinctOn) > 0
	f["qualify"] = f["qualify"] || r.Qualify != nil
	fromFeatures(&r.From, f)
	exprFeatures(r.Having, f)
	exprFeatures(r.Qualify, f)
	for i := range r.Group {
		exprFeatures(&r.Group[i], f)
	}
	for i := range r.Columns {
		exprFeatures(&r.Columns[i].Expr, f)
	}
}

func exprFeatures(x *plan.Expr, f map[string]bool) {
	if x == nil {
		return
	}
	switch x.Op {
	case plan.ExprWindow:
		f["window"] = true
		f["range"] = f["range"] || x.Over.Frame.Range
		f["ignore nulls"] = f["ignore nulls"] || x.IgnoreNulls
	case plan.ExprAggregate:
		f["fold"] = true
		f["mode"] = f["mode"] || x.Name == "mode"
		f["spread"] = f["spread"] || strings.HasPrefix(x.Name, "var_") || strings.HasPrefix(x.Name, "stddev_")
	case plan.ExprScalar:
		f["scalar"] = true
	case plan.ExprExists, plan.ExprInSub:
		f["subquery"] = true
	case plan.ExprCase:
		f["case"] = true
	case plan.ExprCall:
		f["call"] = true
	}
	if x.Sub != nil {
		relationFeatures(x.Sub, f)
	}
	for i := range x.Args {
		exprFeatures(&x.Args[i], f)
	}
	exprFeatures(x.Filter, f)
}
