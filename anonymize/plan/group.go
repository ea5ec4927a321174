package plan

import (
	"math"
	"strconv"
	"strings"
)

// grouping is the GROUP BY of a relation: one person's rows make groups, so the unit is always among the keys (or, in a scalar
// subquery, all rows are one linked person's). Every aggregate is a function of the group's bag of rows alone: what depends on the
// order of rows gets the person's total order of rows as last sort key, and sums of doubles do not exist.
type grouping struct {
	keys map[string]value // by shape
	rows int64            // rows of a group, at most
	some bool             // a group holds at least one row
}

// aggregate types one aggregate of a group.
func (b *builder) aggregate(e *Expr) value {
	if b.group == nil {
		b.fail("aggregate-in-where", e.Offset)
		return value{}
	}
	if e.IgnoreNulls {
		b.fail("ignore-nulls", e.Offset)
		return value{}
	}
	g := b.group
	b.group = nil // arguments are of rows
	defer func() { b.group = g }()
	args := make([]value, len(e.Args))
	for i := range e.Args {
		args[i] = b.expr(&e.Args[i])
	}
	var filter *cond
	if e.Filter != nil && b.err == nil {
		filter = b.simplify(b.compile(e.Filter, false, 0))
	}
	if b.err != nil {
		return value{}
	}
	b.used(args, filter, "filter")
	a := aggregateCall{name: e.Name, args: args, distinct: e.IsDistinct, filter: filter, rows: g.rows, some: g.some && filter == nil, at: e.Offset}
	if len(e.Sort) > 0 {
		a.order = b.sorts(e.Sort)
	}
	return b.folded(a, "")
}

type aggregateCall struct {
	name     string
	args     []value
	distinct bool
	filter   *cond
	order    []sortTerm
	rows     int64
	some     bool
	at       int
}

// folded writes an aggregate, of a group or over a window (over is then the OVER clause, with its own holes filled by the caller).
func (b *builder) folded(a aggregateCall, over string) value {
	if b.err != nil {
		return value{}
	}
	if a.name == "count_star" || a.name == "count" && len(a.args) == 0 {
		return b.counted("count(*)", a, over)
	}
	if len(a.args) == 0 {
		b.fail("function-arguments", a.at)
		return value{}
	}
	x := b.settled(a.args[0], a.at)
	if b.err != nil {
		return value{}
	}
	a.args[0] = x
	opaque := x.col.Kind == KindUnit || x.col.Kind == KindKey
	switch {
	case a.name == "count":
		return b.counted("count("+distinctly(a)+hole(0)+")", a, over)
	case opaque:
		b.fail("unit-in-expression", a.at)
		return value{}
	case len(a.order) > 0 && a.name != "first" && a.name != "last":
		b.fail("aggregate-order", a.at)
		return value{}
	}
	switch a.name {
	case "min", "max":
		c := *x.col
		c.grid = x.col.grid
		return b.made(a.name+"("+hole(0)+")", c, a, over, true)
	case "bool_and", "bool_or":
		if x.col.Kind != KindInt || !x.col.truth {
			b.fail("not-a-condition", a.at)
			return value{}
		}
		return b.made(map[string]string{"bool_and": "min", "bool_or": "max"}[a.name]+"("+hole(0)+")", *x.col, a, over, true)
	case "mode":
		return b.mostFrequent(a, over)
	case "sum", "avg", "mean", "median", "quantile_cont", "quantile_disc", "var_pop", "var_samp", "stddev_pop", "stddev_samp":
		return b.foldedNumber(a, over)
	case "arg_min", "argmin", "min_by", "arg_max", "argmax", "max_by":
		return b.picked(a, over)
	case "first", "last", "arbitrary", "any_value":
		return b.firstOf(a, over)
	}
	b.fail("function-not-allowed", a.at)
	return value{}
}

func distinctly(a aggregateCall) string {
	if a.distinct {
		return "DISTINCT "
	}
	return ""
}

func (b *builder) counted(format string, a aggregateCall, over string) value {
	c := Column{Kind: KindInt, Hi: a.rows, step: 1}
	if a.some && len(a.args) == 0 {
		c.Lo = 1
	}
	v := b.made(format, c, a, over, false)
	if v.t.uses = []argUse{useKnown}; a.distinct {
		v.t.uses[0] = useAlike
	}
	return v
}

// made finishes an aggregate: FILTER, OVER and the width of its type.
func (b *builder) made(format string, c Column, a aggregateCall, over string, null bool) value {
	t := &term{format: format}
	c.ordinal = false
	c.origin, c.Bounded = nil, c.Bounded || c.Kind != KindCode && !null
	for _, v := range a.args {
		t.args = append(t.args, v.t)
		c.origin = append(c.origin, v.col.origin...)
		null = null && true
	}
	if null {
		c.Nullable = !a.some || b.canBeNull(a.args[0])
	} else {
		c.Nullable = false
	}
	if a.filter != nil {
		t.format += " FILTER (WHERE ?0;)"
		t.conds = []*cond{a.filter}
		b.condLeaves(a.filter, func(r ref) { c.origin = append(c.origin, r.col.origin...) })
	}
	t.format += over
	bits := " AS BIGINT)"
	narrow := (c.Bounded || c.Kind == KindCode) && fits32(&c)
	if narrow {
		bits = " AS INTEGER)"
	}
	t.format = "CAST(" + t.format + bits
	return value{t: t, col: &c, narrow: narrow}
}

func (b *builder) foldedNumber(a aggregateCall, over string) value {
	x := a.args[0]
	if !b.numeric(x, a.at) {
		return value{}
	}
	c := *x.col
	c.Nullable, c.step, c.truth, c.PublicKey = false, 1, false, false
	switch a.name {
	case "sum":
		lo, ok1 := product(x.col.Lo, a.rows)
		hi, ok2 := product(x.col.Hi, a.rows)
		if !ok1 || !ok2 {
			b.fail("expression-too-large", a.at)
			return value{}
		}
		c.Lo, c.Hi = min(lo, x.col.Lo), max(hi, x.col.Hi)
		return b.made("sum("+distinctly(a)+hole(0)+")", c, a, over, true)
	}
	if a.distinct {
		b.fail("distinct-aggregate", a.at)
		return value{}
	}
	if strings.HasPrefix(a.name, "var_") || strings.HasPrefix(a.name, "stddev_") {
		return b.spread(a, over)
	}
	p := "0.5"
	if a.name == "quantile_cont" || a.name == "quantile_disc" {
		f, ok := b.fraction(a)
		if !ok {
			return value{}
		}
		p = strconv.FormatFloat(f, 'f', -1, 64)
		a.args = a.args[:1]
	}
	if len(a.args) != 1 {
		b.fail("function-arguments", a.at)
		return value{}
	}
	if a.name == "quantile_disc" {
		return b.made("quantile_disc("+hole(0)+", "+p+")", c, a, over, true)
	}
	most := max(abs(x.col.Lo), abs(x.col.Hi))
	if mul(most, a.rows) >= maxSensitive {
		b.fail("expression-too-large", a.at)
	}
	scale := b.decimals(float64(most)*math.Pow10(-x.col.Scale), a.at)
	if b.err != nil {
		return value{}
	}
	shift := scale - x.col.Scale
	lo, hi := float64(x.col.Lo)*math.Pow10(shift), float64(x.col.Hi)*math.Pow10(shift)
	c.Kind, c.Scale, c.Lo, c.Hi = KindDecimal, scale, int64(math.Floor(lo))-1, int64(math.Ceil(hi))+1
	if a.name == "avg" || a.name == "mean" { // an integer sum, then one division
		filter := ""
		if a.filter != nil {
			filter = " FILTER (WHERE ?0;)"
		}
		n := "count(" + hole(0) + ")" + filter + over
		v := b.made("sum("+hole(0)+")", c, a, over, true)
		v.t.format = "CAST(round(CAST(sum(" + hole(0) + ")" + filter + over + " AS DOUBLE) / nullif(" + n + ", 0)" + scaling(shift) + ") AS BIGINT)"
		v.narrow = false
		return v
	}
	filter := ""
	if a.filter != nil {
		filter = " FILTER (WHERE ?0;)"
	}
	v := b.made("quantile_cont("+hole(0)+", 0.5)", c, a, over, true)
	v.t.format = "CAST(round(quantile_cont(CAST(" + hole(0) + " AS DOUBLE), " + p + ")" + filter + over + scaling(shift) + ") AS BIGINT)"
	v.narrow = false
	return v
}

func (b *builder) fraction(a aggregateCall) (float64, bool) {
	if len(a.args) == 2 {
		if l, ok := b.literalOf(a.args[1]); ok && l.Kind == LitNumber {
			if r, good := rational(l.Text); good {
				f, _ := r.Float64()
				if f >= 0 && f <= 1 {
					return f, true
				}
			}
		}
	}
	b.fail("constant-expected", a.at)
	return 0, false
}

// picked is arg_min or arg_max: among equal second arguments the person's own order of rows decides. Rows where either is NULL do not
// count.
func (b *builder) picked(a aggregateCall, over string) value {
	if len(a.args) != 2 || a.distinct || over != "" {
		b.fail("function-arguments", a.at)
		return value{}
	}
	y := b.settled(a.args[1], a.at)
	if b.err != nil {
		return value{}
	}
	x := a.args[0]
	known := &cond{op: condAnd, args: []*cond{{op: condSet, at: b.intern(x), set: set{domain(x.col)}}, {op: condSet, at: b.intern(y), set: set{domain(y.col)}}}}
	if a.filter != nil {
		known.args = append(known.args, a.filter)
	}
	known = b.simplify(known)
	down := a.name == "arg_max" || a.name == "argmax" || a.name == "max_by"
	a.args = []value{x}
	if a.order = nil; !y.t.fixed() {
		a.order = []sortTerm{{t: y.t, down: down, origin: y.col.origin}}
	}
	a.order = append(a.order, b.tieBreak()...)
	if known.op != condTrue {
		a.filter = known
	}
	v := b.ordered("first", a)
	if b.err == nil {
		v.col.Nullable = true
		v.col.origin = append(v.col.origin, y.col.origin...)
	}
	return v
}

// firstOf is first or last with an order of its own; without one there is no first row.
func (b *builder) firstOf(a aggregateCall, over string) value {
	if len(a.order) == 0 || len(a.args) != 1 || a.distinct || over != "" || a.name == "any_value" || a.name == "arbitrary" {
		b.fail("order-needed", a.at)
		return value{}
	}
	a.order = append(a.order, b.tieBreak()...)
	return b.ordered(a.name, a)
}

func (b *builder) ordered(fn string, a aggregateCall) value {
	c := *a.args[0].col
	var by []string
	args := a.args
	for i, s := range a.order {
		by = append(by, s.text(i+1))
		args = append(args, value{t: s.t, col: &Column{origin: s.origin}})
	}
	a.args = args
	v := b.made(fn+"("+hole(0)+orderBy(by)+")", c, a, "", true)
	v.t.uses = []argUse{useHandsOn}
	return v
}

// sortTerm is one checked ORDER BY item.
type sortTerm struct {
	t           *term
	down, first bool
	origin      []source
}

func (s sortTerm) text(i int) string {
	t := hole(i)
	if s.down {
		t += " DESC"
	}
	if s.first {
		return t + " NULLS FIRST"
	}
	return t + " NULLS LAST"
}

// sorts types ORDER BY items. The unit is opaque: nothing is in its order.
func (b *builder) sorts(list []SortSpec) []sortTerm {
	var out []sortTerm
	if len(list) > 16 {
		b.fail("query-too-large", list[16].Expr.Offset)
	}
	for i := range list {
		v := b.settled(b.expr(&list[i].Expr), list[i].Expr.Offset)
		if b.err != nil {
			return nil
		}
		if v.col.Kind == KindUnit && !b.canBeNull(v) {
			continue // the rows that are ordered are one person's: it orders nothing
		}
		if v.col.Kind == KindUnit {
			b.fail("unit-in-expression", list[i].Expr.Offset)
			return nil
		}
		if v.t.fixed() {
			continue // a constant sorts nothing, and the engine refuses it or reads it as a column's place
		}
		out = append(out, sortTerm{t: v.t, down: list[i].Descending, first: list[i].NullsFirst, origin: v.col.origin})
	}
	return out
}

// tieBreak is the total order of one person's joined rows, up to rows that are equal everywhere.
func (b *builder) tieBreak() []sortTerm {
	b.tellOrder()
	var out []sortTerm
	for _, r := range b.rowOrder() {
		out = append(out, sortTerm{t: &term{at: r}})
	}
	return out
}
