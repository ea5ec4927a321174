package plan

import (
	"math"
	"strings"
)

// spread is a variance or a standard deviation of a group or a window. The engine's own adds doubles up, row by row, so that it depends on the
// order of rows; here Σx² and Σx are integers, n·Σx² − (Σx)² is one too and never negative, and doubles come in at the end, with one
// division, one root and one rounding, the same on every machine.
func (b *builder) spread(a aggregateCall, over string) value {
	x := a.args[0]
	if len(a.args) != 1 {
		b.fail("function-arguments", a.at)
		return value{}
	}
	most, width := max(abs(x.col.Lo), abs(x.col.Hi)), float64(x.col.Hi-x.col.Lo)
	_, square := product(most, most)
	stored, root := 2*x.col.Scale, strings.HasPrefix(a.name, "stddev_")
	limit := width * width / 2 // n ≥ 2 values of a width w: at most w²/4 · n/(n−1) ≤ w²/2
	if root {
		stored, limit = x.col.Scale, width
	}
	// n²·x² stays inside the engine's 128-bit sums
	if !square || float64(a.rows)*float64(most) >= math.Ldexp(1, 62) {
		b.fail("expression-too-large", a.at)
	}
	scale := b.decimals(limit*math.Pow10(-stored), a.at)
	if b.err != nil {
		return value{}
	}
	shift := scale - stored
	less := " - 1"
	if strings.HasSuffix(a.name, "_pop") {
		less = ""
	}
	tail := over
	if a.filter != nil {
		tail = " FILTER (WHERE ?0;)" + over
	}
	wide := "CAST(" + hole(0) + " AS BIGINT)"
	n, sum, squares := "count("+hole(0)+")"+tail, "sum("+wide+")"+tail, "sum("+wide+" * "+wide+")"+tail
	form := "CAST(" + n + " * " + squares + " - " + sum + " * " + sum + " AS DOUBLE) / nullif(CAST(" + n + " * (" + n + less + ") AS DOUBLE), 0)"
	if root {
		form = "sqrt(" + form + ")"
	}
	c := Column{Kind: KindDecimal, Scale: scale, Hi: int64(math.Ceil(limit*math.Pow10(shift))) + 1, Bounded: true, step: 1}
	if root {
		c.Unit = x.col.Unit
	}
	v := b.made("sum("+hole(0)+")", c, a, over, true)
	v.t.format, v.narrow = "CAST(round("+form+scaling(shift)+") AS BIGINT)", false
	v.col.Nullable = v.col.Nullable || less != "" // of one value
	return v
}

// mostFrequent is mode. Among values that are equally frequent the engine takes the one that it met first; sorted, that is the least one,
// so that the result is a function of the bag of rows.
func (b *builder) mostFrequent(a aggregateCall, over string) value {
	if len(a.args) != 1 || a.distinct || over != "" {
		b.fail("function-arguments", a.at)
		return value{}
	}
	format, varies := "mode("+hole(0)+" ORDER BY "+hole(0)+")", b.asks(a.args[0].t)
	b.termLeaves(a.args[0].t, func(ref) { varies = true })
	if !varies { // the engine would take a constant beside ORDER BY for the fraction of a percentile
		format = "mode(" + hole(0) + ")"
	}
	return b.made(format, *a.args[0].col, a, "", true)
}
