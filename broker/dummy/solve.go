package dummy

import (
	"math"
	"slices"

	"carrel/anonymize/plan"
)

// check is one condition: no penalty when it holds.
type check struct {
	penalty func() float64
	now     float64
	reads   []*cell
}

const rounds = 150 // of the search for values

// solve searches for values that meet all conditions, by mending one violated condition after another (min-conflicts: S. Minton et al.,
// "Minimizing conflicts", Artificial Intelligence 58, 1992).
func (w *world) solve() bool {
	for _, c := range w.checks {
		w.judge(c)
	}
	for range rounds {
		var broken []*check
		for _, c := range w.checks {
			if c.now > 0 {
				broken = append(broken, c)
			}
		}
		if len(broken) == 0 {
			return true
		}
		w.mend(broken[w.rng.IntN(len(broken))])
	}
	return false
}

func (w *world) judge(c *check) {
	w.stamp++
	w.traced = w.traced[:0]
	c.now = c.penalty()
	c.reads = append(c.reads[:0], w.traced...)
}

// mend changes one cell that a condition reads, to whatever leaves the least penalty over all; of equals, the last tried.
func (w *world) mend(c *check) {
	reads := slices.Clone(c.reads)
	w.rng.Shuffle(len(reads), func(i, j int) { reads[i], reads[j] = reads[j], reads[i] })
	if len(reads) > 5 {
		reads = reads[:5]
	}
	var best struct {
		at    *cell
		n     int64
		null  bool
		delta float64
	}
	best.delta = math.Inf(1)
	for _, x := range reads {
		touched := w.touching(x)
		before := 0.0
		for _, k := range touched {
			before += k.now
		}
		n, null := x.n, x.null
		for _, v := range w.candidates(x, c) {
			if v.n == n && v.null == null {
				continue
			}
			x.n, x.null = v.n, v.null
			after := 0.0
			for _, k := range touched {
				if after += k.penalty(); after-before > best.delta {
					break
				}
			}
			if after-before <= best.delta {
				best.at, best.n, best.null, best.delta = x, v.n, v.null, after-before
			}
		}
		x.n, x.null = n, null
	}
	if best.at == nil {
		return
	}
	best.at.n, best.at.null = best.n, best.null
	for _, k := range w.touching(best.at) {
		w.judge(k)
	}
}

func (w *world) touching(x *cell) []*check {
	var out []*check
	for _, c := range w.checks {
		if slices.Contains(c.reads, x) {
			out = append(out, c)
		}
	}
	return out
}

type candidate struct {
	n    int64
	null bool
}

// few is how large a domain may be to be tried whole.
const few = 300

// candidates are values to try: all of a small domain; of a large one some by chance, those near numbers and dates of the text, those
// near the other values of the condition, and those of its dictionary that meet the condition.
func (w *world) candidates(x *cell, c *check) []candidate {
	var out []candidate
	add := func(n int64) {
		if n >= x.lo && n <= x.hi {
			out = append(out, candidate{n: n})
		}
	}
	if x.col != nil && x.col.Nullable {
		out = append(out, candidate{n: x.n, null: true})
	}
	if uint64(x.hi)-uint64(x.lo) < few {
		for n := x.lo; ; n++ {
			add(n)
			if n == x.hi {
				break
			}
		}
		w.rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
		return out
	}
	add(x.lo)
	add(x.hi)
	for _, n := range w.fitting(x, c) {
		add(n)
	}
	for _, o := range c.reads {
		if o != x {
			w.nearby(x, o, add)
		}
	}
	if x.col != nil && (x.col.Kind == plan.KindInt || x.col.Kind == plan.KindDecimal || x.col.Kind == plan.KindDate) {
		w.near(x, add)
	}
	for range 8 {
		add(w.between(x.lo, x.hi))
	}
	return out
}

// near are the literals of the text, in the column's stored integers, and steps of them from the present value.
func (w *world) near(x *cell, add func(int64)) {
	unit := math.Pow10(x.col.Scale)
	if x.col.Kind == plan.KindDate {
		for _, d := range w.g.days {
			for _, k := range []int64{-366, -31, -1, 0, 1, 31, 366} {
				add(d + k)
			}
		}
	}
	add(x.n - 1)
	add(x.n + 1)
	for _, f := range w.g.numbers {
		k := int64(f * unit)
		for _, n := range []int64{k - 1, k, k + 1, x.n + k, x.n - k} {
			add(n)
		}
		if x.col.Kind == plan.KindDate { // a year of the calendar, or so many months or years
			if f > 1800 && f < 2200 {
				add(int64((f-1970)*365.2425) + 1 + w.rng.Int64N(364))
			}
			if math.Abs(f) <= 100 {
				k = int64(f * 30.5)
				for _, n := range []int64{x.n + k, x.n - k, x.n + 12*k, x.n - 12*k} {
					add(n)
				}
			}
		}
	}
}

// nearby are values that stand in a relation to another cell's.
func (w *world) nearby(x, o *cell, add func(int64)) {
	switch {
	case x.col == nil: // the row of a public table whose key is the other's text
		if o.col != nil && o.col.Kind == plan.KindCode && !o.null {
			for _, name := range w.g.names {
				if n, ok := w.g.public[name].at[o.col.Values[o.n]]; ok {
					add(n)
				}
			}
		}
	case x.col.Kind == plan.KindCode:
		text := ""
		switch {
		case o.col == nil:
			for _, name := range w.g.names {
				p := w.g.public[name]
				if o.hi == int64(len(p.rows))-1 {
					if n, ok := slices.BinarySearch(x.col.Values, p.key(o.n)); ok {
						add(int64(n))
					}
				}
			}
			return
		case o.col.Kind == plan.KindCode && !o.null:
			text = o.col.Values[o.n]
		}
		if n, ok := slices.BinarySearch(x.col.Values, text); ok {
			add(int64(n))
		}
	case o.col != nil && !o.null && o.col.Kind != plan.KindCode && o.col.Kind != plan.KindKey:
		scaled := func(n int64) int64 {
			return int64(float64(n) * math.Pow10(x.col.Scale-o.col.Scale))
		}
		base := scaled(o.n)
		for _, k := range []int64{0, -1, 1, -7, 7, -30, 30, -365, 365} {
			add(base + k)
		}
		for _, f := range w.g.numbers {
			k := int64(f * math.Pow10(x.col.Scale))
			add(base + k)
			add(base - k)
		}
	}
}

// sample is how many members of a dictionary that meet a condition are tried.
const sample = 12

// fitting are members of a dictionary, or rows of a public table, that meet a condition which reads nothing else.
func (w *world) fitting(x *cell, c *check) []int64 {
	if len(c.reads) != 1 || uint64(x.hi)-uint64(x.lo) > 1<<16 {
		return nil
	}
	n, null := x.n, x.null
	var fits []int64
	from, size := w.rng.Int64N(x.hi-x.lo+1), x.hi-x.lo+1
	x.null = false
	for i := int64(0); i < size && len(fits) < sample; i++ { // from a random place on, so that not always the first ones are taken
		x.n = x.lo + (from+i*7919)%size
		if c.penalty() == 0 {
			fits = append(fits, x.n)
		}
	}
	x.n, x.null = n, null
	return fits
}

// penalty is how far an expression is from being true, or false.
func (f *frame) penalty(e *plan.Expr, want bool) float64 {
	switch {
	case e.Op == plan.ExprNot:
		return f.penalty(&e.Args[0], !want)
	case e.Op == plan.ExprAnd && want || e.Op == plan.ExprOr && !want:
		total := 0.0
		for i := range e.Args {
			total += f.penalty(&e.Args[i], want)
		}
		return total
	case (e.Op == plan.ExprOr || e.Op == plan.ExprAnd) && len(e.Args) > 0:
		least := math.Inf(1)
		for i := range e.Args {
			least = min(least, f.penalty(&e.Args[i], want))
		}
		return least
	case e.Op == plan.ExprCompare:
		c := e.Cmp
		if !want {
			c = [...]plan.Cmp{0, plan.CmpNe, plan.CmpEq, plan.CmpGe, plan.CmpGt, plan.CmpLe, plan.CmpLt}[c]
		}
		return apart(f.eval(&e.Args[0]), c, f.eval(&e.Args[1]))
	}
	v := f.eval(e)
	if v.kind == isUntold || v.isTrue() && want || v.isFalse() && !want {
		return 0
	}
	return 1
}

// apart is the penalty of a comparison: more than 1, the more the further numbers are apart, so that a sum or a count can be approached.
func apart(a value, c plan.Cmp, b value) float64 {
	switch v := compared(a, c, b); {
	case v.isTrue() || v.kind == isUntold:
		return 0
	case v.kind == isNull:
		return 2
	}
	if a.kind == isText || b.kind == isText || c == plan.CmpNe || a.kind == isOpaque {
		return 1
	}
	return 1 + math.Min(1, math.Log1p(math.Abs(a.f-b.f))/50)
}
