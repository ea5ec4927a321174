package bind

import (
	"strconv"

	"carrel/anonymize/plan"
)

// statement reads the SELECT that the answer is made of: the measure step, or a SELECT over exactly one measure step.
func (b *binder) statement(n map[string]any, above *env) plan.Spec {
	if b.nested++; b.nested > maxNested {
		b.fail("query-too-large", 0)
	}
	defer func() { b.nested-- }()
	if b.err != nil {
		return plan.Spec{}
	}
	switch t, _ := n["type"].(string); t {
	case "SELECT_NODE":
	case "SET_OPERATION_NODE":
		b.failWord("set-operation", 0, "union", "intersect", "except")
		return plan.Spec{}
	case "CTE_NODE", "RECURSIVE_CTE_NODE":
		b.failWord("recursive-cte", 0, "with recursive")
		return plan.Spec{}
	default:
		b.fail("not-supported", 0)
		return plan.Spec{}
	}
	if !aggregates(n) {
		return b.overMeasure(n, above)
	}
	q := b.query(n, &frame{env: above, measure: true}, -1)
	if b.err != nil {
		return plan.Spec{}
	}
	return b.measureStep(q)
}

// aggregates says whether a SELECT groups rows, by its text alone.
func aggregates(n map[string]any) bool {
	orders := []any{}
	for _, m := range sliceOf(n["modifiers"]) {
		orders = append(orders, asMap(m)["orders"])
	}
	return !empty(n["group_expressions"]) || !empty(n["group_sets"]) || n["aggregate_handling"] == "FORCE_AGGREGATES" || n["having"] != nil ||
		anyAggregate(n["select_list"], 0) || anyAggregate(orders, 0) || anyAggregate(n["qualify"], 0)
}

func sliceOf(v any) []any { s, _ := v.([]any); return s }

func anyAggregate(v any, depth int) bool {
	if depth > 4*maxDepth {
		return false
	}
	switch x := v.(type) {
	case []any:
		for _, c := range x {
			if anyAggregate(c, depth+1) {
				return true
			}
		}
	case map[string]any:
		name, _ := x["function_name"].(string)
		switch {
		case class(x) == "SUBQUERY":
			return false
		case class(x) == "FUNCTION" && x["is_operator"] != true && aggregate(fold(name)):
			return true
		}
		for _, c := range x {
			if anyAggregate(c, depth+1) {
				return true
			}
		}
	}
	return false
}

// measureStep turns the grouped SELECT into keys, measures and arithmetic over them.
func (b *binder) measureStep(q *query) plan.Spec {
	s := plan.Spec{SQL: b.sql, From: q.fr.from, Limit: -1}
	switch {
	case q.qualify != nil:
		b.failWord("window-over-noise", q.at, "qualify")
	case q.distinct || len(q.distinctOn) > 0:
		b.failWord("select-distinct", 0, "select distinct")
	}
	for i, g := range q.fr.group {
		s.Keys = append(s.Keys, plan.KeySpec{Expr: g, Offset: q.groupAts[i]})
	}
	s.Sets = q.sets
	n := &noised{b: b, spec: &s, fr: q.fr}
	for _, c := range q.columns {
		s.Output = append(s.Output, plan.OutputSpec{Name: c.Name, Expr: n.out(c.Expr)})
	}
	for _, o := range q.order {
		s.Order = append(s.Order, plan.OrderSpec{Expr: n.out(o.Expr), Descending: o.Descending, NullsFirst: o.NullsFirst})
	}
	if q.having != nil {
		n.conditions(*q.having)
	}
	b.limits(q, &s)
	if b.err != nil {
		return plan.Spec{}
	}
	return s
}

func (b *binder) limits(q *query, s *plan.Spec) {
	s.Limit, s.Skip = b.rows(q.limit, -1), b.rows(q.offset, 0)
}

func (b *binder) rows(n map[string]any, otherwise int64) int64 {
	if n == nil || b.err != nil {
		return otherwise
	}
	l, ok := b.literal(n, 0)
	if ok && l.Kind == plan.LitNull { // LIMIT ALL
		return otherwise
	}
	i, err := strconv.ParseInt(l.Text, 10, 32)
	if !ok || l.Kind != plan.LitNumber || err != nil || i < 0 {
		b.fail("limit", located(n, 0))
	}
	return i
}

// measure finds or adds a measure.
func (n *noised) measure(e plan.Expr) int {
	m := n.kindOf(e)
	for i, w := range n.spec.Wanted {
		if sameMeasure(w, m) {
			return i
		}
	}
	n.spec.Wanted = append(n.spec.Wanted, m)
	return len(n.spec.Wanted) - 1
}

func sameMeasure(a, b plan.MeasureSpec) bool {
	return a.Kind == b.Kind && a.Fraction == b.Fraction && sameList(a.Args, b.Args) && sameOptional(a.Filter, b.Filter)
}

// measureKinds are the aggregates of the measure step by name, with the number of their arguments.
func measureKinds() map[string]struct {
	kind plan.MeasureKind
	args int
} {
	return map[string]struct {
		kind plan.MeasureKind
		args int
	}{
		"count_star": {plan.CountRows, 0}, "count": {plan.CountColumn, 1}, "sum": {plan.Sum, 1}, "avg": {plan.Avg, 1},
		"var_pop": {plan.VarPop, 1}, "var_samp": {plan.VarSamp, 1}, "stddev_pop": {plan.StddevPop, 1}, "stddev_samp": {plan.StddevSamp, 1},
		"covar_pop": {plan.CovarPop, 2}, "covar_samp": {plan.CovarSamp, 2}, "corr": {plan.Corr, 2},
		"regr_slope": {plan.RegrSlope, 2}, "regr_intercept": {plan.RegrIntercept, 2},
		"median": {plan.Quantile, 1}, "min": {plan.Quantile, 1}, "max": {plan.Quantile, 1}, "quantile_cont": {plan.Quantile, 2}, "approx_quantile": {plan.Quantile, 2},
	}
}

func (n *noised) kindOf(e plan.Expr) plan.MeasureSpec {
	m := plan.MeasureSpec{Args: e.Args, Filter: e.Filter, Offset: e.Offset}
	k, known := measureKinds()[e.Name]
	m.Kind = k.kind
	switch {
	case !known:
		n.fail("function-not-allowed", e.Offset)
	case len(e.Args) != k.args:
		n.fail("aggregate-arguments", e.Offset)
	case e.IsDistinct && e.Name != "count":
		n.fail("distinct-aggregate", e.Offset)
	case len(e.Sort) > 0:
		n.fail("aggregate-order", e.Offset)
	case e.IsDistinct:
		n.distinct(&m)
	case m.Kind == plan.Quantile:
		m.Fraction = n.fraction(e)
		m.Args = e.Args[:1]
	}
	return m
}

// distinct tells COUNT(DISTINCT person), also of persons in some rows only, from that of another value.
func (n *noised) distinct(m *plan.MeasureSpec) {
	m.Kind = plan.CountValues
	x := m.Args[0]
	if x.Op == plan.ExprCase && len(x.Args) == 3 && n.fr.unit(x.Args[1]) && x.Args[2].Op == plan.ExprLiteral && x.Args[2].Lit.Kind == plan.LitNull {
		f := x.Args[0]
		if m.Filter != nil {
			f = plan.Expr{Op: plan.ExprAnd, Args: []plan.Expr{*m.Filter, f}, Offset: f.Offset}
		}
		m.Filter, x = &f, x.Args[1]
	}
	if n.fr.unit(x) {
		m.Kind, m.Args = plan.CountPersons, []plan.Expr{x}
	}
}

func (n *noised) fraction(e plan.Expr) float64 {
	switch e.Name {
	case "median":
		return 0.5
	case "min":
		return 0
	case "max":
		return 1
	}
	l := e.Args[1]
	f, err := strconv.ParseFloat(l.Lit.Text, 64)
	if l.Op != plan.ExprLiteral || l.Lit.Kind != plan.LitNumber || err != nil || !(f >= 0 && f <= 1) {
		n.fail("quantile-fraction", l.Offset)
		return 0
	}
	return f
}
