package dummy

import (
	"math"
	"strconv"
	"strings"

	"carrel/anonymize/plan"
)

// call is the planner's functions, as far as they matter for choosing rows; what is not here is untold, and a condition on it is
// left to chance.
func (f *frame) call(e *plan.Expr) value {
	switch e.Name {
	case "coalesce", "ifnull":
		for i := range e.Args {
			if v := f.eval(&e.Args[i]); v.kind != isNull {
				return v
			}
		}
		return value{}
	case "nullif":
		if a := f.eval(&e.Args[0]); !compared(a, plan.CmpEq, f.eval(&e.Args[1])).isTrue() {
			return a
		}
		return value{}
	case "least", "greatest":
		return f.extreme(e)
	case "concat":
		return f.concat(e)
	}
	args := make([]value, len(e.Args))
	for i := range e.Args {
		if args[i] = f.eval(&e.Args[i]); args[i].kind == isNull || args[i].kind == isUntold {
			return args[i]
		}
	}
	if len(args) == 0 {
		return untold()
	}
	if len(args) == 2 && e.Args[1].Op == plan.ExprLiteral && e.Args[1].Lit.Kind == plan.LitInterval {
		return shifted(args[0], e.Args[1].Lit.Text, e.Name == "-")
	}
	if v, ok := dateCall(e.Name, args); ok {
		return v
	}
	if v, ok := textCall(e.Name, args); ok {
		return v
	}
	return arithmetic(e.Name, args)
}

func (f *frame) extreme(e *plan.Expr) value {
	var out value
	for i := range e.Args {
		v := f.eval(&e.Args[i])
		if v.kind == isNull {
			continue
		}
		if out.kind == isNull {
			out = v
			continue
		}
		c, ok := order(v, out)
		if !ok {
			return untold()
		}
		if c < 0 == (e.Name == "least") {
			out = v
		}
	}
	return out
}

func (f *frame) concat(e *plan.Expr) value {
	var out strings.Builder
	for i := range e.Args {
		v := f.eval(&e.Args[i])
		if v.kind == isUntold {
			return v
		}
		out.WriteString(shown(v))
	}
	return textOf(out.String())
}

// shown is a value as a text.
func shown(v value) string {
	switch v.kind {
	case isText:
		return v.s
	case isNumber:
		return strconv.FormatFloat(v.f, 'f', -1, 64)
	case isDate:
		return calendar(v.f).Format("2006-01-02")
	default:
		return ""
	}
}

func arithmetic(name string, a []value) value {
	if (name == "+" || name == "-" || name == "add" || name == "subtract" || name == "date_add") && len(a) == 2 {
		return sum(a[0], a[1], name == "-" || name == "subtract")
	}
	for _, v := range a {
		if v.kind != isNumber {
			return untold()
		}
	}
	x := a[0].f
	if len(a) == 1 {
		return unary(name, x)
	}
	y := a[1].f
	switch name {
	case "*", "multiply":
		return numberOf(x * y)
	case "/":
		return numberOf(x / y)
	case "//", "divide":
		return numberOf(math.Trunc(x / y))
	case "%", "mod":
		return numberOf(math.Mod(x, y))
	case "pow", "power":
		return numberOf(math.Pow(x, y))
	case "round":
		p := math.Pow(10, y)
		return numberOf(math.Round(x*p) / p)
	case "clamp":
		if len(a) == 3 {
			return numberOf(math.Min(math.Max(x, y), a[2].f))
		}
	case "width_bucket":
		if len(a) == 4 {
			return bucket(x, y, a[2].f, a[3].f)
		}
	}
	return untold()
}

func bucket(x, lo, hi, n float64) value {
	switch {
	case x < lo:
		return numberOf(0)
	case x >= hi:
		return numberOf(n + 1)
	}
	return numberOf(math.Floor((x-lo)*n/(hi-lo)) + 1)
}

func unary(name string, x float64) value {
	fn := map[string]func(float64) float64{
		"-": func(x float64) float64 { return -x }, "+": func(x float64) float64 { return x }, "abs": math.Abs, "round": math.Round, "floor": math.Floor,
		"ceil": math.Ceil, "ceiling": math.Ceil, "trunc": math.Trunc, "sqrt": math.Sqrt, "ln": math.Log, "log": math.Log10, "log10": math.Log10, "log2": math.Log2, "exp": math.Exp,
		"sign": func(x float64) float64 {
			switch {
			case x > 0:
				return 1
			case x < 0:
				return -1
			}
			return 0
		},
	}[name]
	if fn == nil {
		return untold()
	}
	return numberOf(fn(x))
}

// sum adds numbers, days to dates, and takes dates from dates.
func sum(a, b value, minus bool) value {
	a, b = dated(a), dated(b)
	switch {
	case a.kind == isDate && b.kind == isDate && minus:
		return numberOf(a.f - b.f)
	case b.kind == isDate && a.kind == isNumber && !minus:
		return dateOf(a.f + b.f)
	case b.kind != isNumber || a.kind != isDate && a.kind != isNumber:
		return untold()
	}
	if minus {
		b.f = -b.f
	}
	return value{kind: a.kind, f: a.f + b.f}
}

func (f *frame) cast(e *plan.Expr) value {
	v := f.eval(&e.Args[0])
	if v.kind == isNull || v.kind == isUntold {
		return v
	}
	if v.kind == isText && e.To.Kind != plan.CastText {
		if e.To.Kind == plan.CastDate {
			v = parseDay(v.s)
		} else if n, err := strconv.ParseFloat(strings.TrimSpace(v.s), 64); err == nil {
			v = numberOf(n)
		} else {
			v = untold()
		}
		if v.kind == isUntold {
			return value{} // TRY_CAST; a cast that can fail is refused
		}
	}
	switch {
	case e.To.Kind == plan.CastInteger && v.kind == isNumber:
		return numberOf(math.Round(v.f))
	case e.To.Kind == plan.CastDecimal && v.kind == isNumber:
		p := math.Pow10(e.To.Scale)
		return numberOf(math.Round(v.f*p) / p)
	case e.To.Kind == plan.CastBoolean && v.kind == isNumber:
		return truthOf(v.f != 0)
	case e.To.Kind == plan.CastText:
		return textOf(shown(v))
	}
	return v
}
