package slow

import (
	"math/big"
	"slices"
	"sort"
	"strings"

	"carrel/anonymize/plan"
)

// aggregate folds a bag of rows.
func (e *Evaluator) aggregate(x *plan.Expr, group []*env) Value {
	var list []*env
	for _, r := range group {
		if x.Filter == nil || r.truth(x.Filter) == yes {
			list = append(list, r)
		}
	}
	switch x.Name {
	case "first", "last", "arg_min", "arg_max":
		return e.chosen(x, list)
	case "count_star":
		return number(int64(len(list)))
	}
	var vs []Value
	seen := map[string]bool{}
	for _, r := range list {
		v := r.eval(&x.Args[0])
		if v.kind == isNull || x.IsDistinct && seen[v.key()] {
			continue
		}
		seen[v.key()] = true
		vs = append(vs, v)
	}
	if x.Name == "count" {
		return number(int64(len(vs)))
	}
	if len(vs) == 0 {
		return Value{}
	}
	return e.folded(x, vs)
}

func (e *Evaluator) folded(x *plan.Expr, vs []Value) Value {
	sorted := slices.Clone(vs)
	slices.SortFunc(sorted, compare)
	switch x.Name {
	case "min", "bool_and":
		return sorted[0]
	case "max", "bool_or":
		return sorted[len(sorted)-1]
	case "sum", "avg":
		sum := new(big.Rat)
		for _, v := range vs {
			sum.Add(sum, v.r)
		}
		if x.Name == "sum" {
			return fraction(sum)
		}
		return fraction(e.real(sum.Quo(sum, new(big.Rat).SetInt64(int64(len(vs))))))
	case "mode":
		best, most := sorted[0], 0
		for i, v := range sorted {
			n := 0
			for _, w := range sorted[i:] {
				if compare(v, w) == 0 {
					n++
				}
			}
			if n > most {
				best, most = v, n
			}
		}
		return best
	case "var_pop", "var_samp", "stddev_pop", "stddev_samp":
		return e.spread(x.Name, vs)
	case "median", "quantile_cont":
		q := big.NewRat(1, 2)
		if x.Name == "quantile_cont" {
			q = literal(x.Args[1].Lit).r
		}
		at := new(big.Rat).Mul(q, new(big.Rat).SetInt64(int64(len(vs)-1)))
		i := floorOf(at).Int64()
		part := at.Sub(at, new(big.Rat).SetInt64(i))
		lo, hi := sorted[i].r, sorted[min(int(i)+1, len(vs)-1)].r
		out := new(big.Rat).Sub(hi, lo)
		return fraction(e.real(out.Mul(out, part).Add(out, lo)))
	case "quantile_disc":
		at := new(big.Rat).Mul(literal(x.Args[1].Lit).r, new(big.Rat).SetInt64(int64(len(vs))))
		i := floorOf(at).Int64()
		if at.IsInt() {
			i--
		}
		return sorted[max(0, i)]
	}
	panic("slow: no aggregate " + x.Name)
}

// spread is a variance by its definition, the mean square distance from the mean, or its root.
func (e *Evaluator) spread(name string, vs []Value) Value {
	n := int64(len(vs))
	by := n
	if strings.HasSuffix(name, "_samp") {
		by--
	}
	if by == 0 {
		return Value{}
	}
	mean, out := new(big.Rat), new(big.Rat)
	for _, v := range vs {
		mean.Add(mean, v.r)
	}
	mean.Quo(mean, new(big.Rat).SetInt64(n))
	for _, v := range vs {
		d := new(big.Rat).Sub(v.r, mean)
		out.Add(out, d.Mul(d, d))
	}
	out.Quo(out, new(big.Rat).SetInt64(by))
	if strings.HasPrefix(name, "stddev") {
		root := new(big.Float).SetPrec(300).SetRat(out)
		out, _ = root.Sqrt(root).Rat(nil)
	}
	return fraction(e.real(out))
}

// chosen picks one row's value: by the order asked for, then by the person's own order of rows.
func (e *Evaluator) chosen(x *plan.Expr, list []*env) Value {
	by := x.Sort
	if x.Name == "arg_min" || x.Name == "arg_max" {
		var known []*env
		for _, r := range list {
			if r.eval(&x.Args[0]).kind != isNull && r.eval(&x.Args[1]).kind != isNull {
				known = append(known, r)
			}
		}
		list, by = known, []plan.SortSpec{{Expr: x.Args[1], Descending: x.Name == "arg_max"}}
	}
	if len(list) == 0 {
		return Value{}
	}
	list = ordered(list, by, true)
	if x.Name == "last" {
		return list[len(list)-1].eval(&x.Args[0])
	}
	return list[0].eval(&x.Args[0])
}

// ordered sorts rows, with the person's total order of rows behind when total is set.
func ordered(list []*env, by []plan.SortSpec, total bool) []*env {
	out := slices.Clone(list)
	sort.SliceStable(out, func(i, j int) bool {
		c := peers(out[i], out[j], by)
		if c == 0 && total {
			c = orderOf(out[i]).compare(orderOf(out[j]))
		}
		return c < 0
	})
	return out
}

// peers compares two rows by ORDER BY items alone.
func peers(a, b *env, by []plan.SortSpec) int {
	for i := range by {
		x, y := a.eval(&by[i].Expr), b.eval(&by[i].Expr)
		if x.kind == isNull || y.kind == isNull {
			if (x.kind == isNull) == (y.kind == isNull) {
				continue
			}
			if (x.kind == isNull) == by[i].NullsFirst {
				return -1
			}
			return 1
		}
		if c := compare(x, y); c != 0 {
			if by[i].Descending {
				return -c
			}
			return c
		}
	}
	return 0
}

type sequence []Value

func (a sequence) compare(b sequence) int {
	for i := range a {
		switch {
		case a[i].kind == isNull && b[i].kind == isNull:
		case a[i].kind == isNull:
			return 1
		case b[i].kind == isNull:
			return -1
		default:
			if c := compare(a[i], b[i]); c != 0 {
				return c
			}
		}
	}
	return 0
}

// orderOf is a joined row's place among the person's: the places of its private rows, then its public rows.
func orderOf(v *env) sequence {
	var private, public sequence
	for i, s := range v.scans {
		if r := v.row[i]; s.public {
			public = append(public, placed(r, len(s.names))...)
		} else {
			private = append(private, placed(r, s.depth())...)
		}
	}
	return append(private, public...)
}

func placed(r *row, n int) sequence {
	if r == nil {
		return make(sequence, n)
	}
	return r.order
}

func (s *rows) depth() int {
	for i := range s.list {
		return len(s.list[i].order)
	}
	return 0
}
