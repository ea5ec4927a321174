package slow

import (
	"math/big"
	"reflect"
	"regexp"
	"strings"

	"carrel/anonymize/plan"
)

// Evaluator reads a wish over one database.
type Evaluator struct {
	Schema *plan.Schema
	Spec   plan.Spec
	Data   Database
	Rows   map[string]int64 // the options' row bounds
	Limit  int64            // rows of a person that reach the measures; 0: all
	// Coarse is how many decimals less than six the one real number of a wish keeps, when its bounds are wide.
	Coarse int
	// Delicate is set when a rounding was so close that a machine's doubles may fall on the other side.
	Delicate bool

	cache map[*plan.Relation]*rows
}

// env is where an expression stands: a joined row or a group of them, inside the SELECTs around.
type env struct {
	e     *Evaluator
	scans []*rows
	row   []*row // by scan, nil on a null side
	up    *env
	// In a grouped relation after grouping.
	group   []*env
	keys    []plan.Expr
	grouped bool
	windows map[*plan.Expr]Value
}

func (v *env) at(up int) *env {
	for range up {
		v = v.up
	}
	return v
}

func (v *env) column(c plan.ColRef) Value {
	w := v.at(c.Up)
	if w.grouped {
		w = w.group[0] // the unit or a key, the same in all rows
	}
	if w.row[c.Scan] == nil {
		return Value{}
	}
	x, ok := w.row[c.Scan].cols[c.Column]
	if !ok {
		panic("slow: no column " + c.Column)
	}
	return x
}

func (v *env) truth(x *plan.Expr) truth { return v.eval(x).truth() }

func (v *env) eval(x *plan.Expr) Value {
	if v.grouped {
		for i := range v.keys {
			if reflect.DeepEqual(v.keys[i], *x) {
				return v.group[0].eval(x)
			}
		}
	}
	switch x.Op {
	case plan.ExprColumn:
		return v.column(x.Col)
	case plan.ExprLiteral:
		return literal(x.Lit)
	case plan.ExprCase:
		for i := 0; i+1 < len(x.Args); i += 2 {
			if v.truth(&x.Args[i]) == yes {
				return v.eval(&x.Args[i+1])
			}
		}
		return v.eval(&x.Args[len(x.Args)-1])
	case plan.ExprCall:
		return v.call(x)
	case plan.ExprCast:
		return v.cast(x)
	case plan.ExprAggregate:
		return v.e.aggregate(x, v.group)
	case plan.ExprWindow:
		w, ok := v.windows[x]
		if !ok {
			panic("slow: a window that was not computed")
		}
		return w
	case plan.ExprScalar:
		return v.scalar(x)
	}
	return v.predicate(x).value()
}

func literal(l plan.Literal) Value {
	switch l.Kind {
	case plan.LitNull:
		return Value{}
	case plan.LitString:
		return text(l.Text)
	case plan.LitDate:
		return parseDay(l.Text)
	case plan.LitBool:
		return boolean(l.Text == "true")
	case plan.LitNumber:
		r, ok := new(big.Rat).SetString(l.Text)
		if !ok {
			panic("slow: no number")
		}
		return fraction(r)
	default:
		panic("slow: literal out of place")
	}
}

func (v *env) predicate(x *plan.Expr) truth {
	switch x.Op {
	case plan.ExprAnd:
		out := yes
		for i := range x.Args {
			out = min(out, v.truth(&x.Args[i]))
		}
		return out
	case plan.ExprOr:
		out := no
		for i := range x.Args {
			out = max(out, v.truth(&x.Args[i]))
		}
		return out
	case plan.ExprNot:
		return -v.truth(&x.Args[0])
	case plan.ExprCompare:
		return holds(v.eval(&x.Args[0]), x.Cmp, v.eval(&x.Args[1]))
	case plan.ExprDistinct:
		a, b := v.eval(&x.Args[0]), v.eval(&x.Args[1])
		if a.kind == isNull || b.kind == isNull {
			return truthOf(a.kind != b.kind)
		}
		return truthOf(compare(a, b) != 0)
	case plan.ExprBetween:
		a := v.eval(&x.Args[0])
		return min(holds(a, plan.CmpGe, v.eval(&x.Args[1])), holds(a, plan.CmpLe, v.eval(&x.Args[2])))
	case plan.ExprIn:
		a, out := v.eval(&x.Args[0]), no
		for i := range x.Args[1:] {
			out = max(out, holds(a, plan.CmpEq, v.eval(&x.Args[i+1])))
		}
		return out
	case plan.ExprIsNull:
		return truthOf(v.eval(&x.Args[0]).kind == isNull)
	case plan.ExprLike, plan.ExprILike:
		return like(v.eval(&x.Args[0]), v.eval(&x.Args[1]), x.Op == plan.ExprILike)
	case plan.ExprExists:
		return truthOf(len(v.e.subquery(x.Sub, v)) > 0)
	case plan.ExprInSub:
		a, out := v.eval(&x.Args[0]), no
		for _, y := range v.e.subquery(x.Sub, v) {
			out = max(out, holds(a, plan.CmpEq, y))
		}
		return out
	}
	panic("slow: not a predicate")
}

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func holds(a Value, cmp plan.Cmp, b Value) truth {
	if a.kind == isNull || b.kind == isNull {
		return unknown
	}
	c := compare(a, b)
	return truthOf(map[plan.Cmp]bool{plan.CmpEq: c == 0, plan.CmpNe: c != 0, plan.CmpLt: c < 0, plan.CmpLe: c <= 0, plan.CmpGt: c > 0, plan.CmpGe: c >= 0}[cmp])
}

func like(x, p Value, fold bool) truth {
	if x.kind == isNull || p.kind == isNull {
		return unknown
	}
	re := "(?s)^" + strings.NewReplacer("%", ".*", "_", ".").Replace(regexp.QuoteMeta(p.s)) + "$"
	if fold {
		re = "(?i)" + re
	}
	return truthOf(regexp.MustCompile(re).MatchString(x.s))
}

// scale is the number of decimals that an expression has by its text: products beyond nine decimals are rounded.
func (v *env) scale(x *plan.Expr) int {
	most := func(list []plan.Expr) int {
		s := 0
		for i := range list {
			s = max(s, v.scale(&list[i]))
		}
		return s
	}
	switch x.Op {
	case plan.ExprColumn:
		return v.at(x.Col.Up).scans[x.Col.Scan].scales[x.Col.Column]
	case plan.ExprLiteral:
		return literalScale(x.Lit)
	case plan.ExprCase:
		s := 0
		for i := range x.Args {
			if i%2 == 1 || i == len(x.Args)-1 {
				s = max(s, v.scale(&x.Args[i]))
			}
		}
		return s
	case plan.ExprCast:
		switch x.To.Kind {
		case plan.CastDecimal:
			return x.To.Scale
		case plan.CastReal:
			return v.scale(&x.Args[0])
		}
		return 0
	case plan.ExprScalar:
		in := &env{e: v.e, scans: v.e.scans(&x.Sub.From, false), up: v}
		return in.scale(&x.Sub.Columns[0].Expr)
	case plan.ExprAggregate, plan.ExprWindow:
		return v.foldedScale(x)
	case plan.ExprCall:
		return v.callScale(x, most)
	}
	return 0
}

func literalScale(l plan.Literal) int {
	if l.Kind != plan.LitNumber {
		return 0
	}
	r := literal(l).r
	for s := 0; s < 10; s++ {
		if new(big.Rat).Mul(r, pow10(s)).IsInt() {
			return s
		}
	}
	panic("slow: a number with too many decimals")
}

func (v *env) foldedScale(x *plan.Expr) int {
	switch x.Name {
	case "avg", "mean", "median", "quantile_cont", "var_pop", "var_samp", "stddev_pop", "stddev_samp", "percent_rank", "cume_dist":
		return v.e.decimals()
	case "mode", "sum", "min", "max", "quantile_disc", "arg_min", "arg_max", "first", "last", "lag", "lead", "first_value", "last_value", "nth_value":
		return v.scale(&x.Args[0])
	}
	return 0
}

func (v *env) callScale(x *plan.Expr, most func([]plan.Expr) int) int {
	switch x.Name {
	case "+", "-", "abs", "least", "greatest", "coalesce", "ifnull", "clamp":
		return most(x.Args)
	case "nullif":
		return v.scale(&x.Args[0])
	case "*":
		return productScale(v.scale(&x.Args[0]), v.scale(&x.Args[1]))
	case "pow":
		s := v.scale(&x.Args[0])
		out := s
		for n := literal(x.Args[1].Lit).r.Num().Int64(); n > 1; n-- {
			out = productScale(out, s)
		}
		return out
	case "/", "sqrt", "ln", "log10", "log2", "exp":
		return v.e.decimals()
	case "round":
		if len(x.Args) == 2 {
			return min(v.scale(&x.Args[0]), int(max(0, constant(&x.Args[1]))))
		}
	}
	return 0
}

func productScale(a, b int) int {
	if a+b > 9 {
		return realScale
	}
	return a + b
}
