package bind

import (
	"strconv"
	"strings"

	"carrel/anonymize/plan"
)

// window reads a function OVER a window.
func (b *binder) window(o *object, p place) plan.Expr {
	if p.windows != "" {
		b.fail(p.windows, o.at)
		return plan.Expr{}
	}
	p.windows = "window-here"
	o.raw("type") // the kind repeats the name
	e := plan.Expr{Op: plan.ExprWindow, Name: fold(o.text("function_name")), IsDistinct: o.boolean("distinct"), Offset: o.at}
	if n := aggregateNames()[e.Name]; n != "" {
		e.Name = n
	}
	if s := o.text("schema"); s != "" && s != "main" {
		b.fail("function-not-allowed", o.at)
	}
	o.refuseUnlessEmpty("catalog", "function-not-allowed")
	e.IgnoreNulls = o.boolean("ignore_nulls")
	args := o.list("children")
	for _, more := range []string{"offset_expr", "default_expr"} { // of lag and lead
		if n := o.optional(more); n != nil {
			args = append(args[:len(args):len(args)], n)
		}
	}
	filter := o.optional("filter_expr")
	partition, order, sort := o.list("partitions"), o.list("orders"), o.list("arg_orders")
	frame := b.frame(o, p)
	if b.err != nil {
		return plan.Expr{}
	}
	e.Args = b.exprs(args, p)
	if filter != nil {
		f := b.expr(filter, p)
		e.Filter = &f
	}
	e.Sort = b.sorts(sort, p)
	e.Over = &plan.Window{Partition: b.exprs(partition, p), Order: b.sorts(order, p)}
	if b.err != nil {
		return plan.Expr{}
	}
	e = b.tidy(e)
	e.Over.Frame = frame
	return plainFrame(e)
}

// frame reads ROWS and RANGE between constants, and the frames that SQL has without saying so.
func (b *binder) frame(o *object, p place) plan.Frame {
	start, end := o.text("start"), o.text("end")
	from, to := o.optional("start_expr"), o.optional("end_expr")
	if o.text("exclude_clause") != "NO_OTHER" {
		b.fail("frame", o.at)
	}
	o.end()
	if start == "UNBOUNDED_PRECEDING" && end == "CURRENT_ROW_RANGE" && from == nil && to == nil {
		return plan.Frame{}
	}
	f := plan.Frame{Rows: true}
	if strings.HasSuffix(start, "_RANGE") || strings.HasSuffix(end, "_RANGE") {
		f = plan.Frame{Range: true}
	}
	f.Start, f.End = b.frameEnd(start, from, &f, p.inner(o)), b.frameEnd(end, to, &f, p.inner(o))
	if f.Start > f.End || f.Start == plan.FrameUnboundedEnd || f.End == plan.FrameUnboundedStart {
		b.fail("frame", o.at)
	}
	return f
}

func (b *binder) frameEnd(kind string, n map[string]any, f *plan.Frame, p place) int64 {
	at := p.at
	switch kind {
	case "UNBOUNDED_PRECEDING", "UNBOUNDED_FOLLOWING", "CURRENT_ROW_ROWS", "CURRENT_ROW_RANGE":
		if n != nil {
			b.fail("not-supported", at)
		}
	}
	switch kind {
	case "UNBOUNDED_PRECEDING":
		return plan.FrameUnboundedStart
	case "UNBOUNDED_FOLLOWING":
		return plan.FrameUnboundedEnd
	case "CURRENT_ROW_ROWS", "CURRENT_ROW_RANGE":
		return 0
	case "EXPR_PRECEDING_ROWS":
		return -b.frameRows(n, at)
	case "EXPR_FOLLOWING_ROWS":
		return b.frameRows(n, at)
	case "EXPR_PRECEDING_RANGE":
		return -b.distance(n, f, p)
	case "EXPR_FOLLOWING_RANGE":
		return b.distance(n, f, p)
	}
	b.fail("frame", at)
	return 0
}

// maxFrame bounds the rows that a frame may count on from the current one.
const maxFrame = 1 << 20

func (b *binder) frameRows(n map[string]any, at int) int64 {
	l, ok := b.literal(n, at)
	i, err := strconv.ParseInt(l.Text, 10, 64)
	if !ok || l.Kind != plan.LitNumber || err != nil || i < 0 || i > maxFrame {
		b.fail("frame", located(n, at))
	}
	return i
}

// distance reads how far RANGE reaches: a whole number, or an interval of days. Months have no fixed length.
func (b *binder) distance(n map[string]any, f *plan.Frame, p place) int64 {
	at := located(n, p.at)
	e := b.expr(n, place{fr: p.fr, lo: p.lo, aggregates: "frame", windows: "frame", at: at, depth: p.depth})
	if b.err != nil {
		return 0
	}
	text := e.Lit.Text
	days := e.Op == plan.ExprLiteral && e.Lit.Kind == plan.LitInterval
	if days {
		text = strings.TrimSuffix(text, " day")
	}
	i, err := strconv.ParseInt(text, 10, 64)
	if e.Op != plan.ExprLiteral || !days && (e.Lit.Kind != plan.LitNumber || f.Days) || err != nil || i < 0 || i > maxFrame {
		b.fail("frame", at)
	}
	f.Days = f.Days || days
	return i
}

// plainFrame drops a frame that changes nothing: for functions that take none, and for aggregates over the whole partition, where the
// order changes nothing either.
func plainFrame(e plan.Expr) plan.Expr {
	whole := e.Over.Frame.Rows && e.Over.Frame.Start == plan.FrameUnboundedStart && e.Over.Frame.End == plan.FrameUnboundedEnd
	switch e.Name {
	case "row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead":
		e.Over.Frame = plan.Frame{}
	case "count_star", "count", "sum", "avg", "min", "max", "median", "quantile_cont", "quantile_disc", "bool_and", "bool_or",
		"var_pop", "var_samp", "stddev_pop", "stddev_samp":
		if whole {
			e.Over.Frame, e.Over.Order = plan.Frame{}, nil
		}
	}
	return e
}
