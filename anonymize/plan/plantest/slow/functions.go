package slow

import (
	"math"
	"math/big"
	"strconv"

	"carrel/anonymize/plan"
)

// realScale is the number of decimals of a real number inside a row: each operation that leaves the decimals rounds once to it.
const realScale = 6

// constant reads an argument that is a whole number in the text.
func constant(x *plan.Expr) int64 {
	if x.Op == plan.ExprCall && x.Name == "-" && len(x.Args) == 1 {
		return -constant(&x.Args[0])
	}
	n, err := strconv.ParseInt(x.Lit.Text, 10, 64)
	if err != nil {
		panic("slow: not a constant")
	}
	return n
}

func (v *env) call(x *plan.Expr) Value {
	switch x.Name {
	case "coalesce", "ifnull":
		for i := range x.Args {
			if a := v.eval(&x.Args[i]); a.kind != isNull {
				return a
			}
		}
		return Value{}
	case "nullif":
		a := v.eval(&x.Args[0])
		if holds(a, plan.CmpEq, v.eval(&x.Args[1])) == yes {
			return Value{}
		}
		return a
	case "least", "greatest":
		return v.extreme(x)
	case "concat":
		out := ""
		for i := range x.Args {
			if a := v.eval(&x.Args[i]); a.kind != isNull {
				out += show(a)
			}
		}
		return text(out)
	case "+", "-":
		if len(x.Args) == 2 {
			if l := x.Args[1].Lit; x.Args[1].Op == plan.ExprLiteral && l.Kind == plan.LitInterval {
				return shift(v.eval(&x.Args[0]), l.Text, x.Name == "-")
			}
		}
	}
	args := make([]Value, len(x.Args))
	for i := range x.Args {
		args[i] = v.eval(&x.Args[i])
		if args[i].kind == isNull {
			return Value{} // every function from here on gives NULL for NULL
		}
	}
	if out, ok := textCall(x.Name, args); ok {
		return out
	}
	if out, ok := dateCall(x.Name, args); ok {
		return out
	}
	return v.numberCall(x, args)
}

func (v *env) extreme(x *plan.Expr) Value {
	var out Value
	for i := range x.Args {
		a := v.eval(&x.Args[i])
		if a.kind == isNull {
			continue
		}
		if out.kind == isNull || compare(a, out) < 0 == (x.Name == "least") {
			out = a
		}
	}
	return out
}

func (v *env) numberCall(x *plan.Expr, a []Value) Value {
	r := func() *big.Rat { return new(big.Rat) }
	switch x.Name {
	case "+":
		return plus(a[0], a[1], 1)
	case "-":
		if len(a) == 1 {
			return fraction(r().Neg(a[0].r))
		}
		return plus(a[0], a[1], -1)
	case "*":
		return fraction(v.product(a[0].r, v.scale(&x.Args[0]), a[1].r, v.scale(&x.Args[1])))
	case "pow":
		s := v.scale(&x.Args[0])
		out, at := a[0].r, s
		for n := constant(&x.Args[1]); n > 1; n-- {
			out, at = v.product(out, at, a[0].r, s), productScale(at, s)
		}
		return fraction(out)
	case "/":
		if a[1].r.Sign() == 0 {
			return Value{}
		}
		return fraction(v.e.real(r().Quo(a[0].r, a[1].r)))
	case "//", "%":
		if a[1].r.Sign() == 0 {
			return Value{}
		}
		q := r().SetInt(whole(r().Quo(a[0].r, a[1].r)))
		if x.Name == "//" {
			return fraction(q)
		}
		return fraction(r().Sub(a[0].r, q.Mul(q, a[1].r)))
	case "abs":
		return fraction(r().Abs(a[0].r))
	case "sign":
		return number(int64(a[0].r.Sign()))
	case "round":
		digits := 0
		if len(a) == 2 {
			digits = int(constant(&x.Args[1]))
		}
		if digits < 0 { // first to a whole number
			return fraction(rounded(rounded(a[0].r, 0), digits))
		}
		return fraction(rounded(a[0].r, digits))
	case "floor":
		return fraction(r().SetInt(floorOf(a[0].r)))
	case "ceil":
		return fraction(r().Neg(r().SetInt(floorOf(r().Neg(a[0].r)))))
	case "trunc":
		return fraction(r().SetInt(whole(a[0].r)))
	case "clamp":
		switch {
		case compare(a[0], a[1]) < 0:
			return a[1]
		case compare(a[0], a[2]) > 0:
			return a[2]
		}
		return a[0]
	case "width_bucket":
		return bucket(a[0].r, a[1].r, a[2].r, constant(&x.Args[3]))
	}
	return v.e.realCall(x.Name, a[0].r)
}

func (v *env) product(a *big.Rat, sa int, b *big.Rat, sb int) *big.Rat {
	p := new(big.Rat).Mul(a, b)
	if sa+sb > 9 {
		return rounded(p, realScale)
	}
	return p
}

// plus adds numbers, days to dates, and takes dates from dates.
func plus(a, b Value, sign int64) Value {
	days := func(v Value) int64 { return whole(v.r).Int64() }
	if a.kind == isText {
		a = parseDay(a.s)
	}
	if b.kind == isText {
		b = parseDay(b.s)
	}
	switch {
	case a.kind == isDate && b.kind == isDate:
		return number(a.n - b.n)
	case a.kind == isDate:
		return date(a.n + sign*days(b))
	case b.kind == isDate:
		return date(b.n + days(a))
	}
	return fraction(new(big.Rat).Add(a.r, new(big.Rat).Mul(b.r, new(big.Rat).SetInt64(sign))))
}

// real rounds to the decimals of a real number.
func (e *Evaluator) real(r *big.Rat) *big.Rat {
	s := new(big.Rat).Mul(r, pow10(e.decimals()))
	s.Abs(s)
	size, _ := s.Float64()
	s.Sub(s, new(big.Rat).SetInt(floorOf(s)))
	s.Sub(s, big.NewRat(1, 2)).Abs(s)
	gap, _ := s.Float64()
	d := r.Denom()
	dyadic := new(big.Int).And(d, new(big.Int).Sub(d, big.NewInt(1))).Sign() == 0
	if !dyadic && gap < 1e-9+size*1e-15 || size > 1e14 {
		e.Delicate = true
	}
	return rounded(r, e.decimals())
}

func (e *Evaluator) decimals() int { return realScale - e.Coarse }

func (e *Evaluator) realCall(name string, r *big.Rat) Value {
	x, _ := r.Float64()
	f, least := math.Sqrt, 0.0
	switch name {
	case "sqrt":
	case "ln":
		f, least = math.Log, math.SmallestNonzeroFloat64
	case "log10":
		f, least = math.Log10, math.SmallestNonzeroFloat64
	case "log2":
		f, least = math.Log2, math.SmallestNonzeroFloat64
	case "exp":
		f, least = math.Exp, math.Inf(-1)
	default:
		panic("slow: no function " + name)
	}
	if x < least {
		return Value{}
	}
	y := f(x)
	if near := math.Abs(math.Abs(math.Mod(y*1e6, 1)) - 0.5); near < 1e-9+math.Abs(y)*1e-8 {
		e.Delicate = true
	}
	out, ok := new(big.Rat).SetString(strconv.FormatFloat(y, 'f', 18, 64))
	if !ok {
		panic("slow: no number")
	}
	return fraction(rounded(out, e.decimals()))
}

func bucket(x, lo, hi *big.Rat, n int64) Value {
	switch {
	case x.Cmp(lo) < 0:
		return number(0)
	case x.Cmp(hi) >= 0:
		return number(n + 1)
	}
	q := new(big.Rat).Sub(x, lo)
	q.Mul(q, big.NewRat(n, 1)).Quo(q, new(big.Rat).Sub(hi, lo))
	return number(floorOf(q).Int64() + 1)
}

func show(v Value) string {
	switch v.kind {
	case isText:
		return v.s
	case isNumber:
		if v.r.IsInt() {
			return v.r.Num().String()
		}
	}
	panic("slow: no text of it")
}

func (v *env) cast(x *plan.Expr) Value {
	a := v.eval(&x.Args[0])
	if a.kind == isNull {
		return a
	}
	switch x.To.Kind {
	case plan.CastInteger, plan.CastDecimal:
		if a.kind == isText {
			n, err := strconv.ParseInt(a.s, 10, 40)
			if err != nil {
				return Value{} // TRY_CAST; else the planner refuses
			}
			return number(n)
		}
		return fraction(rounded(a.r, x.To.Scale))
	case plan.CastReal:
		return a
	case plan.CastDate:
		if a.kind == isText {
			return parseDay(a.s)
		}
		return a
	case plan.CastBoolean:
		return boolean(a.r.Sign() != 0)
	case plan.CastText:
		if x.Args[0].Op == plan.ExprIsNull || x.Args[0].Op == plan.ExprNot || x.Args[0].Op == plan.ExprCompare {
			return text(map[bool]string{true: "true", false: "false"}[a.truth() == yes])
		}
		return text(show(a))
	}
	panic("slow: no such cast")
}
