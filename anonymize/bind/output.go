package bind

import (
	"math/big"
	"strconv"

	"carrel/anonymize/plan"
)

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
	case plan.ExprScalar:
		return n.fail("several-measures", e.Offset)
	default:
		return n.fail("output-expression", e.Offset)
	}
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
	switch {
	case e.To.Try: // nothing fails here
	case e.To.Kind == plan.CastReal:
		return n.out(e.Args[0])
	case e.To.Kind == plan.CastInteger, e.To.Kind == plan.CastDecimal:
		if e.To.Scale <= maxDigits {
			return plan.OutExpr{Op: plan.OutRound, Args: []plan.OutExpr{n.number(e.Args[0])}, Digits: e.To.Scale, Offset: e.Offset}
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
	case n.ofKey(e):
		return n.fail("key-arithmetic", e.Offset)
	default:
		return n.fail("function-not-allowed", e.Offset)
	}
	for _, a := range args {
		out.Args = append(out.Args, n.number(a))
	}
	return out
}

// number reads an operand: a key is none.
func (n *noised) number(e plan.Expr) plan.OutExpr {
	out := n.out(e)
	if n.b.err == nil && out.Op == plan.OutKey {
		return n.fail("key-arithmetic", e.Offset)
	}
	return out
}

// ofKey says whether an expression is computed of a key.
func (n *noised) ofKey(e plan.Expr) bool {
	found := false
	visit(&e, func(x *plan.Expr) bool {
		_, ok := n.key(*x)
		found = found || ok
		return x.Op != plan.ExprAggregate
	})
	return found
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
		return plan.OutCond{Cmp: cmp, Left: n.side(l), Right: n.side(r), Offset: e.Offset}
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

// side is one side of a condition on noised numbers. A text there is refused after what else may be wrong with the condition.
func (n *noised) side(e plan.Expr) plan.OutExpr {
	if e.Op == plan.ExprLiteral && e.Lit.Kind != plan.LitNumber {
		return n.fail("having-condition", e.Offset)
	}
	return n.out(e)
}
