package bind

import (
	"math/big"
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

// noised turns expressions over keys and aggregates into arithmetic over what will have been noised. Over a measure step that has been
// read, columns holds what its columns stand for.
type noised struct {
	b       *binder
	spec    *plan.Spec
	fr      *frame
	columns []plan.OutExpr // by the place in the only source; nil in the measure step itself
}

func (n *noised) fail(code string, at int) plan.OutExpr {
	n.b.fail(code, at)
	return plan.OutExpr{}
}

func (n *noised) key(e plan.Expr) (int, bool) {
	if n.columns != nil {
		return 0, false
	}
	for i, k := range n.spec.Keys {
		if same(e, k.Expr) {
			return i, true
		}
	}
	return 0, false
}

// out reads one expression of the select list, of ORDER BY or of a side of HAVING.
func (n *noised) out(e plan.Expr) plan.OutExpr {
	if n.b.err != nil {
		return plan.OutExpr{}
	}
	if i, ok := n.key(e); ok {
		return plan.OutExpr{Op: plan.OutKey, Index: i, Offset: e.Offset}
	}
	switch e.Op {
	case plan.ExprColumn:
		return n.column(e)
	case plan.ExprLiteral:
		if e.Lit.Kind != plan.LitNumber {
			return n.fail("output-literal", e.Offset)
		}
		return plan.OutExpr{Op: plan.OutNumber, Number: e.Lit, Offset: e.Offset}
	case plan.ExprAggregate:
		return plan.OutExpr{Op: plan.OutMeasure, Index: n.measure(e), Offset: e.Offset}
	case plan.ExprCast:
		return n.cast(e)
	case plan.ExprCall:
		return n.call(e)
	case plan.ExprWindow:
		return n.fail("window-over-noise", e.Offset)
	case plan.ExprInSub, plan.ExprExists, plan.ExprScalar:
		return n.fail("subquery", e.Offset)
	}
	return n.fail("output-expression", e.Offset)
}

func (n *noised) column(e plan.Expr) plan.OutExpr {
	if n.columns != nil && e.Col.Up == 0 && e.Col.Scan == 0 {
		for i, c := range n.fr.sources[0].columns {
			if c.inner == e.Col.Column {
				out := n.columns[i]
				out.Offset = e.Offset
				return out
			}
		}
	}
	if n.fr.private(e) {
		return n.fail("unit-in-output", e.Offset)
	}
	return n.fail("column-not-grouped", e.Offset)
}

// cast drops a cast to real numbers, which noised numbers are, and rounds for the others.
func (n *noised) cast(e plan.Expr) plan.OutExpr {
	switch e.To.Kind {
	case plan.CastReal:
		return n.out(e.Args[0])
	case plan.CastInteger, plan.CastDecimal:
		if e.To.Scale <= maxDigits {
			return plan.OutExpr{Op: plan.OutRound, Args: []plan.OutExpr{n.out(e.Args[0])}, Digits: e.To.Scale, Offset: e.Offset}
		}
	}
	return n.fail("output-expression", e.Offset)
}

const maxDigits = 10

func (n *noised) call(e plan.Expr) plan.OutExpr {
	out := plan.OutExpr{Offset: e.Offset}
	args := e.Args
	ops := map[string]plan.OutOp{"+": plan.OutAdd, "-": plan.OutSub, "*": plan.OutMul, "/": plan.OutDiv}
	switch {
	case len(args) == 2 && ops[e.Name] != 0:
		out.Op = ops[e.Name]
		if out.Op == plan.OutDiv {
			args = []plan.Expr{args[0], unguarded(args[1])}
		}
	case len(args) == 1 && e.Name == "-":
		out.Op = plan.OutNeg
	case e.Name == "round" && (len(args) == 1 || len(args) == 2):
		out.Op, out.Digits = plan.OutRound, n.digits(args)
		args = args[:1]
	case e.Name == "grouping":
		return n.grouping(e)
	case e.Name == "coalesce" || e.Name == "nullif" || e.Name == "greatest" || e.Name == "least":
		return n.fail("output-expression", e.Offset)
	default:
		return n.fail("function-not-allowed", e.Offset)
	}
	for _, a := range args {
		out.Args = append(out.Args, n.out(a))
	}
	return out
}

// unguarded is x of nullif(x, 0) as a divisor: a quotient by zero is no number in the answer either way.
func unguarded(e plan.Expr) plan.Expr {
	if e.Op == plan.ExprCall && e.Name == "nullif" && len(e.Args) == 2 && e.Args[1].Op == plan.ExprLiteral && e.Args[1].Lit.Kind == plan.LitNumber {
		if r, ok := rational(e.Args[1].Lit.Text); ok && r.Sign() == 0 {
			return e.Args[0]
		}
	}
	return e
}

// rational reads a number of moderate size exactly.
func rational(s string) (*big.Rat, bool) {
	if len(s) > 40 {
		return nil, false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && c != '.' && c != '-' {
			return nil, false
		}
	}
	return new(big.Rat).SetString(s)
}

func (n *noised) digits(args []plan.Expr) int {
	if len(args) == 1 {
		return 0
	}
	d, err := strconv.Atoi(args[1].Lit.Text)
	if args[1].Op != plan.ExprLiteral || args[1].Lit.Kind != plan.LitNumber || err != nil || d < 0 || d > maxDigits {
		n.fail("round-digits", args[1].Offset)
	}
	return d
}

// grouping is GROUPING(a, b, …): a binary number of the keys that the set leaves out.
func (n *noised) grouping(e plan.Expr) plan.OutExpr {
	var sum plan.OutExpr
	if len(e.Args) > 30 {
		return n.fail("grouping-argument", e.Offset)
	}
	for i, a := range e.Args {
		k, ok := n.key(a)
		if !ok {
			return n.fail("grouping-argument", a.Offset)
		}
		bit := plan.OutExpr{Op: plan.OutGrouping, Index: k, Offset: a.Offset}
		if i == 0 {
			sum = bit
			continue
		}
		two := plan.OutExpr{Op: plan.OutNumber, Number: plan.Literal{Kind: plan.LitNumber, Text: "2", Offset: e.Offset}, Offset: e.Offset}
		twice := plan.OutExpr{Op: plan.OutMul, Args: []plan.OutExpr{two, sum}, Offset: e.Offset}
		sum = plan.OutExpr{Op: plan.OutAdd, Args: []plan.OutExpr{twice, bit}, Offset: e.Offset}
	}
	return sum
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
	if a.Kind != b.Kind || a.Fraction != b.Fraction || len(a.Args) != len(b.Args) || (a.Filter == nil) != (b.Filter == nil) {
		return false
	}
	for i := range a.Args {
		if !same(a.Args[i], b.Args[i]) {
			return false
		}
	}
	return a.Filter == nil || same(*a.Filter, *b.Filter)
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

// conditions reads HAVING. What asks about keys alone holds for rows as well as for groups, and goes to WHERE, which the planner bounds;
// with grouping sets a key may be absent, so everything stays. The rest is asked of noised numbers.
func (n *noised) conditions(e plan.Expr) {
	if e.Op == plan.ExprAnd {
		for _, a := range e.Args {
			n.conditions(a)
		}
		return
	}
	if row, ok := n.ofKeys(e); ok {
		n.spec.Where = conjoin(n.spec.Where, row)
		return
	}
	c := n.condition(e)
	if n.spec.Having == nil {
		n.spec.Having = &c
		return
	}
	if len(n.spec.Having.And) == 0 {
		n.spec.Having = &plan.OutCond{And: []plan.OutCond{*n.spec.Having}, Offset: n.spec.Having.Offset}
	}
	n.spec.Having.And = append(n.spec.Having.And, c)
}

func conjoin(a *plan.Expr, b plan.Expr) *plan.Expr {
	if a == nil {
		return &b
	}
	args := []plan.Expr{*a}
	if a.Op == plan.ExprAnd {
		args = append([]plan.Expr{}, a.Args...)
	}
	return &plan.Expr{Op: plan.ExprAnd, Args: append(args, b), Offset: a.Offset}
}

// ofKeys gives a condition on keys as one on rows.
func (n *noised) ofKeys(e plan.Expr) (plan.Expr, bool) {
	if len(n.spec.Sets) > 0 || holds(e, plan.ExprAggregate) || holds(e, plan.ExprWindow) || len(n.spec.Keys) == 0 {
		return plan.Expr{}, false
	}
	row, ok := n.rows(e)
	return row, ok && holds(e, plan.ExprColumn)
}

// rows writes keys as the expressions over rows that they are.
func (n *noised) rows(e plan.Expr) (plan.Expr, bool) {
	switch {
	case e.Sub != nil:
		return e, false
	case e.Op == plan.ExprCall && e.Name == "grouping":
		return e, false
	}
	if _, ok := n.key(e); ok {
		return e, true
	}
	if e.Op == plan.ExprColumn {
		if n.columns == nil {
			return e, false
		}
		out := n.column(e)
		if n.b.err != nil || out.Op != plan.OutKey {
			return e, false
		}
		return n.spec.Keys[out.Index].Expr, true
	}
	args := make([]plan.Expr, len(e.Args))
	for i, a := range e.Args {
		var ok bool
		if args[i], ok = n.rows(a); !ok {
			return e, false
		}
	}
	e.Args = args
	return e, true
}

// condition reads a condition on noised numbers.
func (n *noised) condition(e plan.Expr) plan.OutCond {
	c := plan.OutCond{Offset: e.Offset}
	compare := func(cmp plan.Cmp, l, r plan.Expr) plan.OutCond {
		return plan.OutCond{Cmp: cmp, Left: n.out(l), Right: n.out(r), Offset: e.Offset}
	}
	switch e.Op {
	case plan.ExprAnd, plan.ExprOr:
		var all []plan.OutCond
		for _, a := range e.Args {
			all = append(all, n.condition(a))
		}
		if c.And = all; e.Op == plan.ExprOr {
			c.And, c.Or = nil, all
		}
	case plan.ExprNot:
		in := n.condition(e.Args[0])
		c.Not = &in
	case plan.ExprCompare:
		return compare(e.Cmp, e.Args[0], e.Args[1])
	case plan.ExprBetween:
		c.And = []plan.OutCond{compare(plan.CmpGe, e.Args[0], e.Args[1]), compare(plan.CmpLe, e.Args[0], e.Args[2])}
	case plan.ExprIn:
		for _, a := range e.Args[1:] {
			c.Or = append(c.Or, compare(plan.CmpEq, e.Args[0], a))
		}
	default:
		n.fail("having-condition", e.Offset)
	}
	return c
}
