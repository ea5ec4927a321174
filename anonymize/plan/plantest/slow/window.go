package slow

import (
	"math/big"
	"slices"

	"carrel/anonymize/plan"
)

// window computes one window function for every row, into their env.
func (e *Evaluator) window(x *plan.Expr, list []*env) {
	parts := map[string][]*env{}
	var names []string
	for _, r := range list {
		k := ""
		for i := range x.Over.Partition {
			k += r.eval(&x.Over.Partition[i]).key() + "|"
		}
		if parts[k] == nil {
			names = append(names, k)
		}
		parts[k] = append(parts[k], r)
	}
	for _, k := range names {
		total := x.Over.Frame.Rows
		switch x.Name {
		case "row_number", "lag", "lead", "first_value", "last_value", "nth_value", "ntile":
			total = true
		}
		part := ordered(parts[k], x.Over.Order, total)
		for i, r := range part {
			r.windows[x] = e.windowAt(x, part, i)
		}
	}
}

func (e *Evaluator) windowAt(x *plan.Expr, part []*env, i int) Value {
	equal := func(j int) bool { return peers(part[i], part[j], x.Over.Order) == 0 }
	switch x.Name {
	case "row_number":
		return number(int64(i + 1))
	case "cume_dist":
		last := i
		for last+1 < len(part) && equal(last+1) {
			last++
		}
		return fraction(e.real(big.NewRat(int64(last+1), int64(len(part)))))
	case "rank", "dense_rank", "percent_rank":
		rank, dense := 1, 1
		for j := 0; j < i; j++ {
			if !equal(j) {
				rank++
				if peers(part[j], part[j+1], x.Over.Order) != 0 {
					dense++
				}
			}
		}
		switch {
		case x.Name == "rank":
			return number(int64(rank))
		case x.Name == "percent_rank" && len(part) == 1:
			return number(0)
		case x.Name == "percent_rank":
			return fraction(e.real(big.NewRat(int64(rank-1), int64(len(part)-1))))
		}
		return number(int64(dense))
	case "ntile":
		return number(tile(i, len(part), int(constant(&x.Args[0]))))
	case "lag", "lead":
		n := 1
		if len(x.Args) > 1 {
			n = int(constant(&x.Args[1]))
		}
		if x.Name == "lag" {
			n = -n
		}
		return neighbour(x, part, i, n)
	}
	frame := e.frame(x, part, i)
	if x.IgnoreNulls {
		frame = slices.DeleteFunc(slices.Clone(frame), func(r *env) bool { return r.eval(&x.Args[0]).kind == isNull })
	}
	switch x.Name {
	case "first_value", "last_value", "nth_value":
		n := 0
		if x.Name == "last_value" {
			n = len(frame) - 1
		}
		if x.Name == "nth_value" {
			n = int(constant(&x.Args[1])) - 1
		}
		if n < 0 || n >= len(frame) {
			return Value{}
		}
		return frame[n].eval(&x.Args[0])
	}
	return e.aggregate(x, frame)
}

// neighbour is the value n rows away, or n known values away.
func neighbour(x *plan.Expr, part []*env, i, n int) Value {
	step := 1
	if n < 0 {
		step = -1
	}
	for n != 0 {
		if i += step; i < 0 || i >= len(part) {
			return Value{}
		}
		if !x.IgnoreNulls || part[i].eval(&x.Args[0]).kind != isNull {
			n -= step
		}
	}
	return part[i].eval(&x.Args[0])
}

// near says whether row j is inside RANGE of row i: rows without a value in ORDER BY are near each other, and stand before or behind all
// others, where only an unbounded end reaches them.
func near(x *plan.Expr, part []*env, i, j int) bool {
	f, by := x.Over.Frame, x.Over.Order[0]
	a, b := part[i].eval(&by.Expr), part[j].eval(&by.Expr)
	if a.kind == isNull || b.kind == isNull {
		switch {
		case a.kind == b.kind:
			return true
		case j < i:
			return f.Start == plan.FrameUnboundedStart
		}
		return f.End == plan.FrameUnboundedEnd
	}
	d := plus(b, a, -1).r
	if by.Descending {
		d = new(big.Rat).Neg(d)
	}
	within := func(n int64) int { return d.Cmp(new(big.Rat).SetInt64(n)) }
	return (f.Start == plan.FrameUnboundedStart || within(f.Start) >= 0) && (f.End == plan.FrameUnboundedEnd || within(f.End) <= 0)
}

// frame is the rows that a window function sees.
func (e *Evaluator) frame(x *plan.Expr, part []*env, i int) []*env {
	f := x.Over.Frame
	var out []*env
	for j := range part {
		in := len(x.Over.Order) == 0 || j <= i || peers(part[i], part[j], x.Over.Order) == 0
		if f.Range {
			in = near(x, part, i, j)
		}
		if f.Rows {
			d := int64(j - i)
			in = (f.Start == plan.FrameUnboundedStart || d >= f.Start) && (f.End == plan.FrameUnboundedEnd || d <= f.End)
		}
		if in {
			out = append(out, part[j])
		}
	}
	return out
}

// tile: the first rows%n tiles have one row more.
func tile(i, rows, n int) int64 {
	at := 0
	for t := range n {
		size := rows / n
		if t < rows%n {
			size++
		}
		if at += size; i < at {
			return int64(t + 1)
		}
	}
	return int64(n)
}
