package dummy

import (
	"math"
	"slices"

	"carrel/anonymize/plan"
)

// aggregate folds the rows of a group or of a window's frame.
func aggregate(e *plan.Expr, rows []*frame) value {
	var list []*frame
	for _, r := range rows {
		if e.Filter == nil || r.eval(e.Filter).isTrue() {
			list = append(list, r)
		}
	}
	switch e.Name {
	case "count_star":
		return numberOf(float64(len(list)))
	case "first", "any_value", "last", "arg_min", "arg_max", "min_by", "max_by":
		return chosen(e, list)
	}
	if len(e.Args) == 0 {
		return untold()
	}
	var vs []value
	seen := map[string]bool{}
	for _, r := range list {
		v := r.eval(&e.Args[0])
		if v.kind == isUntold {
			return v
		}
		if v.kind == isNull || e.IsDistinct && seen[v.key()] {
			continue
		}
		seen[v.key()] = true
		vs = append(vs, v)
	}
	if e.Name == "count" {
		return numberOf(float64(len(vs)))
	}
	if len(vs) == 0 {
		return value{}
	}
	return folded(e, vs)
}

func folded(e *plan.Expr, vs []value) value {
	slices.SortFunc(vs, func(a, b value) int {
		c, _ := order(a, b)
		return c
	})
	n := float64(len(vs))
	total := 0.0
	for _, v := range vs {
		total += v.f
	}
	switch e.Name {
	case "min", "bool_and":
		return vs[0]
	case "max", "bool_or":
		return vs[len(vs)-1]
	case "sum":
		return numberOf(total)
	case "avg", "mean":
		return numberOf(total / n)
	case "median", "quantile_cont", "quantile_disc", "quantile", "percentile_cont", "percentile_disc":
		q := 0.5
		if len(e.Args) > 1 {
			q = literal(e.Args[1].Lit).f
		}
		at := q * (n - 1)
		lo := vs[int(math.Floor(at))]
		if lo.kind != isNumber || e.Name == "quantile_disc" {
			return lo
		}
		return numberOf(lo.f + (at-math.Floor(at))*(vs[int(math.Ceil(at))].f-lo.f))
	}
	return untold()
}

// chosen picks one row's value.
func chosen(e *plan.Expr, list []*frame) value {
	by := e.Sort
	switch e.Name {
	case "arg_min", "arg_max", "min_by", "max_by":
		if len(e.Args) < 2 {
			return untold()
		}
		list = slices.DeleteFunc(slices.Clone(list), func(r *frame) bool {
			return r.eval(&e.Args[0]).kind == isNull || r.eval(&e.Args[1]).kind == isNull
		})
		by = []plan.SortSpec{{Expr: e.Args[1], Descending: e.Name == "arg_max" || e.Name == "max_by"}}
	}
	if len(list) == 0 {
		return value{}
	}
	list = sorted(list, by)
	if e.Name == "last" {
		return list[len(list)-1].eval(&e.Args[0])
	}
	return list[0].eval(&e.Args[0])
}

func sorted(list []*frame, by []plan.SortSpec) []*frame {
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b *frame) int { return rivalry(a, b, by) })
	return out
}

// rivalry compares two rows by ORDER BY items.
func rivalry(a, b *frame, by []plan.SortSpec) int {
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
		c, ok := order(x, y)
		if !ok || c == 0 {
			continue
		}
		if by[i].Descending {
			c = -c
		}
		return c
	}
	return 0
}

// window is one window function for this row among its peers.
func (f *frame) window(e *plan.Expr) value {
	if e.Over == nil || len(f.peers) == 0 {
		return untold()
	}
	mine := f.names(e.Over.Partition)
	var rows []*frame
	for _, p := range f.peers {
		if p.names(e.Over.Partition) == mine {
			rows = append(rows, p)
		}
	}
	rows = sorted(rows, e.Over.Order)
	at := slices.Index(rows, f)
	equal := func(j int) bool { return rivalry(f, rows[j], e.Over.Order) == 0 }
	arg := func(i, otherwise int) int {
		if i < len(e.Args) {
			return int(f.eval(&e.Args[i]).f)
		}
		return otherwise
	}
	switch e.Name {
	case "row_number":
		return numberOf(float64(at + 1))
	case "rank", "dense_rank":
		return numberOf(ranked(e, rows, at, equal))
	case "ntile":
		n := max(1, arg(0, 1))
		per := (len(rows) + n - 1) / n
		return numberOf(float64(at/max(1, per) + 1))
	case "lag", "lead":
		n := arg(1, 1)
		if e.Name == "lag" {
			n = -n
		}
		if at+n < 0 || at+n >= len(rows) {
			return value{}
		}
		return rows[at+n].eval(&e.Args[0])
	}
	var seen []*frame
	for j := range rows {
		in := len(e.Over.Order) == 0 || j <= at || equal(j)
		if e.Over.Frame.Rows {
			d := int64(j - at)
			in = (e.Over.Frame.Start == plan.FrameUnboundedStart || d >= e.Over.Frame.Start) && (e.Over.Frame.End == plan.FrameUnboundedEnd || d <= e.Over.Frame.End)
		}
		if in {
			seen = append(seen, rows[j])
		}
	}
	n := 0
	switch e.Name {
	case "first_value":
	case "last_value":
		n = len(seen) - 1
	case "nth_value":
		n = arg(1, 1) - 1
	default:
		return aggregate(e, seen)
	}
	if n < 0 || n >= len(seen) {
		return value{}
	}
	return seen[n].eval(&e.Args[0])
}

func ranked(e *plan.Expr, rows []*frame, at int, equal func(int) bool) float64 {
	rank, dense := 1, 1
	for j := 0; j < at && !equal(j); j++ {
		rank++
		if rivalry(rows[j], rows[j+1], e.Over.Order) != 0 {
			dense++
		}
	}
	if e.Name == "rank" {
		return float64(rank)
	}
	return float64(dense)
}

// names tells the groups of a list of expressions apart.
func (f *frame) names(list []plan.Expr) string {
	k := ""
	for i := range list {
		k += f.eval(&list[i]).key() + "|"
	}
	return k
}
