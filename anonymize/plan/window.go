package plan

import (
	"strconv"
	"strings"
)

// window types a window function of a relation. Its partition holds the unit, so each partition is rows of one person. Functions whose
// result depends on the order of rows that are equal in ORDER BY get the person's total order as last sort key; those that treat equal
// rows alike (rank, dense_rank, and aggregates over SQL's default frame) are functions of the bag of rows already.
func (b *builder) window(e *Expr) value {
	if !b.windows || b.group != nil || e.Over == nil {
		b.fail("window-here", e.Offset)
		return value{}
	}
	if e.IgnoreNulls && (!positional(e.Name) || e.Name == "row_number" || e.Name == "ntile") {
		b.fail("ignore-nulls", e.Offset)
		return value{}
	}
	b.windows = false // none inside another
	defer func() { b.windows = true }()
	args := make([]value, len(e.Args))
	for i := range e.Args {
		args[i] = b.settled(b.expr(&e.Args[i]), e.Offset)
	}
	var filter *cond
	if e.Filter != nil && b.err == nil {
		filter = b.simplify(b.compile(e.Filter, false, 0))
	}
	parts := b.partition(e)
	order := b.sorts(e.Over.Order)
	if b.err != nil {
		return value{}
	}
	b.used(args, filter, "filter")
	b.usedTerms(parts, order)
	return b.overWindow(e, args, filter, parts, order)
}

// partition types PARTITION BY and demands the unit in it.
func (b *builder) partition(e *Expr) []*term {
	out := []*term{{at: b.unit(b.root)}}
	linked := false
	for i := range e.Over.Partition {
		v := b.settled(b.expr(&e.Over.Partition[i]), e.Offset)
		if b.err != nil {
			return nil
		}
		if v.col.Kind == KindUnit && !b.canBeNull(v) {
			linked = true
			continue // the unit of the row
		}
		out = append(out, v.t)
	}
	if !linked {
		b.fail("window-not-per-person", e.Offset)
	}
	return out
}

// rankLike functions give equal rows equal results.
func rankLike(name string) bool {
	return name == "rank" || name == "dense_rank" || name == "percent_rank" || name == "cume_dist"
}

func positional(name string) bool {
	switch name {
	case "row_number", "lag", "lead", "first_value", "last_value", "nth_value", "ntile":
		return true
	}
	return false
}

func (b *builder) overWindow(e *Expr, args []value, filter *cond, parts []*term, order []sortTerm) value {
	f := e.Over.Frame
	if !f.holds() || (f.Rows || f.Range) && rankLike(e.Name) {
		b.fail("frame", e.Offset)
		return value{}
	}
	scale := 0
	if f.Range {
		if order, scale = b.rangeKey(e, order); b.err != nil {
			return value{}
		}
	}
	if positional(e.Name) || f.Rows {
		order = append(order, b.tieBreak()...)
	}
	n := len(args)
	over := " OVER (PARTITION BY "
	extra := []*term{}
	next := func(t *term) string {
		extra = append(extra, t)
		return hole(n + len(extra) - 1)
	}
	var list []string
	for _, p := range parts {
		list = append(list, next(p))
	}
	over += strings.Join(list, ", ")
	list = nil
	for _, s := range order {
		next(s.t)
		list = append(list, s.text(n+len(extra)-1))
	}
	if len(list) > 0 {
		over += " ORDER BY " + strings.Join(list, ", ")
	}
	if f.Rows {
		over += " ROWS BETWEEN " + frameEnd(f.Start, 0) + " AND " + frameEnd(f.End, 0)
	} else if f.Range {
		over += " RANGE BETWEEN " + frameEnd(f.Start, scale) + " AND " + frameEnd(f.End, scale)
	} else if e.Name == "last_value" || e.Name == "nth_value" {
		if len(e.Over.Order) > 0 { // the default frame ends at the last row that is equal in ORDER BY; the tie-break would cut it short
			b.fail("frame-needed", e.Offset)
			return value{}
		}
		over += " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"
	}
	over += ")"
	v := b.windowCall(e, args, filter, over)
	if b.err != nil {
		return value{}
	}
	v.t.args = append(v.t.args[:n:n], extra...)
	v.t.uses = append(v.t.uses, make([]argUse, n+len(extra)-len(v.t.uses))...)
	for i := range parts {
		v.t.uses[n+i] = useAlike
	}
	v.t.over = true
	v.col.ordinal = e.Name == "row_number" && len(parts) == 1
	return v
}

// holds says that a frame is one: of one kind, and with its start not behind its end.
func (f Frame) holds() bool {
	if !f.Rows && !f.Range {
		return f == Frame{}
	}
	return f.Rows != f.Range && (f.Range || !f.Days) && f.Start <= f.End && f.Start >= FrameUnboundedStart && f.End <= FrameUnboundedEnd
}

// rangeKey types the one ORDER BY item of RANGE with offsets: a number or a date, as a wide integer, so that no offset leaves its type.
// Such a frame is a function of the bag of the person's rows: rows that are equal in ORDER BY are in it or outside of it together. So
// it has no tie-break, and functions that pick a row by its place are refused over it.
func (b *builder) rangeKey(e *Expr, order []sortTerm) (out []sortTerm, scale int) {
	if len(order) != 1 || len(e.Over.Order) != 1 || positional(e.Name) {
		b.fail("frame", e.Offset)
		return nil, 0
	}
	at := e.Over.Order[0].Expr.Offset
	v := b.settled(b.expr(&e.Over.Order[0].Expr), at)
	switch {
	case b.err != nil:
	case v.col.Kind == KindDate:
		v, _ = b.dated(v, at)
	case e.Over.Frame.Days:
		b.fail("frame", e.Offset)
	default:
		b.numeric(v, at)
	}
	if b.err == nil && b.asks(v.t) { // the engine copies the key to the frame's ends, and cannot copy a subquery (DuckDB 1.5.5)
		b.fail("frame", e.Offset)
	}
	if b.err != nil {
		return nil, 0
	}
	s := order[0]
	s.t = &term{format: "CAST($0; AS BIGINT)", args: []*term{v.t}}
	return []sortTerm{s}, v.col.Scale
}

func frameEnd(n int64, scale int) string {
	switch {
	case n <= FrameUnboundedStart:
		return "UNBOUNDED PRECEDING"
	case n >= FrameUnboundedEnd:
		return "UNBOUNDED FOLLOWING"
	case n < 0:
		return number(-n*pow10(scale).Int64()) + " PRECEDING"
	case n > 0:
		return number(n*pow10(scale).Int64()) + " FOLLOWING"
	}
	return "CURRENT ROW"
}

func (b *builder) windowCall(e *Expr, args []value, filter *cond, over string) value {
	rows := b.state.rows
	a := aggregateCall{name: e.Name, args: args, distinct: e.IsDistinct, filter: filter, rows: rows, at: e.Offset}
	index := Column{Kind: KindInt, Lo: 1, Hi: rows, step: 1}
	switch e.Name {
	case "percent_rank", "cume_dist":
		if len(args) == 0 && filter == nil && len(e.Over.Order) > 0 {
			return b.share(a, over)
		}
	case "row_number", "rank", "dense_rank":
		if len(args) == 0 && filter == nil && (e.Name == "row_number" || len(e.Over.Order) > 0) {
			return b.made(e.Name+"()", index, a, over, false)
		}
	case "ntile":
		if n, ok := b.constantArgument(args, 0); ok && len(args) == 1 && n >= 1 && n <= maxRowsCap {
			index.Hi = n
			return b.made("ntile("+number(n)+")", index, a, over, false)
		}
	case "lag", "lead":
		return b.neighbour(e, a, over)
	case "first_value", "last_value", "nth_value":
		return b.framed(e, a, over)
	case "count_star", "count", "sum", "avg", "mean", "min", "max", "bool_and", "bool_or", "var_pop", "var_samp", "stddev_pop", "stddev_samp":
		return b.folded(a, over)
	default:
		b.fail("function-not-allowed", e.Offset)
		return value{}
	}
	b.fail("function-arguments", e.Offset)
	return value{}
}

// share is percent_rank or cume_dist: a quotient of two numbers of rows.
func (b *builder) share(a aggregateCall, over string) value {
	v := b.made(a.name+"()", Column{Kind: KindDecimal, Scale: realScale, Hi: pow10(realScale).Int64(), step: 1}, a, over, false)
	v.t.format, v.narrow = "CAST(round("+a.name+"()"+over+" * "+power(realScale)+") AS BIGINT)", false
	return v
}

func (b *builder) constantArgument(args []value, i int) (int64, bool) {
	if i >= len(args) {
		return 0, false
	}
	l, ok := b.literalOf(args[i])
	if !ok || l.Kind != LitNumber {
		return 0, false
	}
	n, err := strconv.ParseInt(l.Text, 10, 64)
	return n, err == nil
}

// neighbour is lag or lead of one value by a constant number of rows.
func (b *builder) neighbour(e *Expr, a aggregateCall, over string) value {
	n := int64(1)
	if len(a.args) > 1 {
		v, ok := b.constantArgument(a.args, 1)
		if !ok || v < 0 || v > maxRowsCap {
			b.fail("constant-expected", e.Offset)
			return value{}
		}
		n = v
	}
	if len(a.args) < 1 || len(a.args) > 3 || !b.carried(a.args[0], e.Offset) {
		b.fail("function-arguments", e.Offset)
		return value{}
	}
	c, other, null := *a.args[0].col, "", true
	if len(a.args) == 3 { // what stands where there is no such row
		vs, col := b.unify([]value{a.args[0], a.args[2]}, e.Offset)
		if b.err != nil {
			return value{}
		}
		null = b.canBeNull(vs[0]) || b.canBeNull(vs[1])
		a.args[0], a.args[2], c, other = vs[0], vs[1], *col, ", "+hole(2)
	}
	v := b.made(e.Name+"("+hole(0)+", "+number(n)+other+known(e)+")", c, a, over, true)
	v.t.uses = []argUse{useHandsOn, useValue, useHandsOn}[:len(a.args)]
	v.col.Nullable = null
	return v
}

func (b *builder) framed(e *Expr, a aggregateCall, over string) value {
	format := e.Name + "(" + hole(0) + known(e) + ")"
	if e.Name == "nth_value" {
		n, ok := b.constantArgument(a.args, 1)
		if !ok || n < 1 || n > maxRowsCap {
			b.fail("constant-expected", e.Offset)
			return value{}
		}
		format = "nth_value(" + hole(0) + ", " + number(n) + known(e) + ")"
	}
	if len(a.args) < 1 || !b.carried(a.args[0], e.Offset) {
		b.fail("function-arguments", e.Offset)
		return value{}
	}
	c := *a.args[0].col
	v := b.made(format, c, a, over, true)
	v.t.uses = []argUse{useHandsOn}
	v.col.Nullable = true
	return v
}

// known leaves rows without the value out. Which row is the nearest known one follows from the person's total order of rows.
func known(e *Expr) string {
	if e.IgnoreNulls {
		return " IGNORE NULLS"
	}
	return ""
}

// carried says that a value may be brought from one row to another of the same person.
func (b *builder) carried(v value, at int) bool {
	if v.col.Kind == KindUnit || v.col.Kind == KindKey {
		b.fail("unit-in-expression", at)
	}
	return b.err == nil
}
