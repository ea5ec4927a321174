package slow

import "carrel/anonymize/plan"

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
	case "rank", "dense_rank":
		rank, dense := 1, 1
		for j := 0; j < i; j++ {
			if !equal(j) {
				rank++
				if peers(part[j], part[j+1], x.Over.Order) != 0 {
					dense++
				}
			}
		}
		if x.Name == "rank" {
			return number(int64(rank))
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
		if i+n < 0 || i+n >= len(part) {
			return Value{}
		}
		return part[i+n].eval(&x.Args[0])
	}
	frame := e.frame(x, part, i)
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

// frame is the rows that a window function sees.
func (e *Evaluator) frame(x *plan.Expr, part []*env, i int) []*env {
	f := x.Over.Frame
	var out []*env
	for j := range part {
		in := len(x.Over.Order) == 0 || j <= i || peers(part[i], part[j], x.Over.Order) == 0
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
