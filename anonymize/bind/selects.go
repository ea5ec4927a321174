package bind

import (
	"encoding/json"
	"strconv"
	"strings"

	"carrel/anonymize/plan"
)

// call is a function node with everything that may hang on it.
type call struct {
	name     string
	operator bool
	distinct bool
	args     []any
}

func (c call) aggregate() bool {
	switch c.name {
	case "count_star", "count", "sum", "avg":
		return true
	}
	return false
}

func (b *binder) function(o *object) call {
	c := call{name: fold(o.text("function_name")), operator: o.boolean("is_operator"), distinct: o.boolean("distinct"), args: o.list("children")}
	o.raw("class")
	if o.text("type") != "FUNCTION" {
		b.fail("not-supported", o.at)
	}
	o.refuseUnlessEmpty("filter", "filter-clause")
	if !noOrder(o.raw("order_bys")) {
		b.fail("aggregate-order", o.at)
	}
	if s := o.text("schema"); s != "" && !strings.HasSuffix(c.name, "like_escape") {
		b.fail("function-not-allowed", o.at)
	}
	o.refuseUnlessEmpty("catalog", "function-not-allowed")
	o.refuseUnlessEmpty("export_state", "not-supported")
	o.raw("alias") // an alias inside an expression is refused by the caller
	o.end()
	return c
}

func (b *binder) selectItems(list []any) {
	for _, v := range list {
		n := asMap(v)
		alias, _ := n["alias"].(string)
		b.items = append(b.items, item{alias: alias, node: n})
	}
	if len(b.items) == 0 || len(b.items) > 256 {
		b.fail("query-too-large", 0)
	}
}

func (b *binder) groupBy(keys, sets []any) {
	if b.err != nil {
		return
	}
	if !plainSet(sets, len(keys)) {
		b.failWord("grouping-sets", keyword(b.sql, 0, []string{"group by"}), "grouping sets", "cube (", "rollup (")
		return
	}
	for _, v := range keys {
		n := asMap(v)
		at := location(n)
		ref := b.key(n)
		if b.err != nil {
			return
		}
		ref.Offset = at
		if b.keyIndex(ref) < 0 {
			b.spec.Keys = append(b.spec.Keys, plan.KeySpec{Col: ref, Offset: at})
		}
	}
}

// plainSet says that there is one grouping set and that it holds every key.
func plainSet(sets []any, keys int) bool {
	if len(sets) == 0 {
		return keys == 0
	}
	if len(sets) != 1 || keys == 0 {
		return false
	}
	one, _ := sets[0].([]any)
	seen := map[string]bool{}
	for _, v := range one {
		n, _ := v.(json.Number)
		i, err := strconv.Atoi(n.String())
		if err != nil || i < 0 || i >= keys {
			return false
		}
		seen[n.String()] = true
	}
	return len(seen) == keys
}

// key resolves one GROUP BY item: a column, an alias of the select list, or a position in it.
func (b *binder) key(n map[string]any) plan.ColRef {
	switch class(n) {
	case "COLUMN_REF":
		if name := b.bareName(n); name != "" && !b.known(name) {
			for _, it := range b.items {
				if it.alias != "" && fold(it.alias) == fold(name) {
					return b.keyItem(it.node, location(n))
				}
			}
		}
		return b.column(n)
	case "CONSTANT":
		if i, ok := b.position(n); ok {
			return b.keyItem(b.items[i].node, location(n))
		}
		b.fail("position", location(n))
	default:
		b.fail(classCode(n, "key-expression"), location(n))
	}
	return plan.ColRef{}
}

// bareName is the name of a COLUMN_REF without qualifier, "" for another one. The node is read strictly.
func (b *binder) bareName(n map[string]any) string {
	o := b.object(n, -1)
	o.raw("class")
	o.raw("type")
	o.noAlias()
	names := o.list("column_names")
	o.end()
	if len(names) != 1 || b.err != nil {
		return ""
	}
	name, _ := names[0].(string)
	return name
}

func (b *binder) keyItem(n map[string]any, at int) plan.ColRef {
	if class(n) != "COLUMN_REF" {
		b.fail(classCode(n, "key-expression"), at)
		return plan.ColRef{}
	}
	return b.column(n)
}

// position reads a constant that is a position in the select list.
func (b *binder) position(n map[string]any) (int, bool) {
	l, ok := b.literal(n)
	if !ok || l.Kind != plan.LitNumber {
		return 0, false
	}
	i, err := strconv.Atoi(l.Text)
	if err != nil || i < 1 || i > len(b.items) {
		return 0, false
	}
	return i - 1, true
}

func (b *binder) keyIndex(ref plan.ColRef) int {
	for i, k := range b.spec.Keys {
		if k.Col.Scan == ref.Scan && k.Col.Column == ref.Column {
			return i
		}
	}
	return -1
}

func (b *binder) outputs() {
	for _, it := range b.items {
		if b.err != nil {
			return
		}
		e := b.output(it.node, 0)
		name := it.alias
		if name == "" && b.err == nil {
			name = b.name(e)
		}
		b.spec.Output = append(b.spec.Output, plan.OutputSpec{Name: name, Expr: e})
	}
}

// output reads an expression over noised measures, keys and numbers.
func (b *binder) output(n map[string]any, depth int) plan.OutExpr {
	at := location(n)
	if depth > maxDepth {
		b.fail("query-too-large", at)
	}
	if b.err != nil {
		return plan.OutExpr{}
	}
	if alias, _ := n["alias"].(string); alias != "" && depth > 0 {
		b.fail("not-supported", at)
	}
	switch class(n) {
	case "COLUMN_REF":
		return b.outputKey(n)
	case "CONSTANT":
		m := make(map[string]any, len(n))
		for k, v := range n {
			m[k] = v
		}
		delete(m, "alias")
		l, ok := b.literal(m)
		if !ok || l.Kind != plan.LitNumber {
			b.fail("output-literal", at)
		}
		return plan.OutExpr{Op: plan.OutNumber, Number: l, Offset: at}
	case "FUNCTION":
		return b.outputCall(n, depth)
	}
	b.fail(classCode(n, "output-expression"), at)
	return plan.OutExpr{}
}

func (b *binder) outputKey(n map[string]any) plan.OutExpr {
	at := location(n)
	ref := b.column(n)
	if b.err != nil {
		return plan.OutExpr{}
	}
	i := b.keyIndex(ref)
	if i < 0 {
		code := "column-not-grouped"
		t := b.scope.tables[ref.Scan]
		if ref.Column == t.Unit || ref.Column == t.RowKey {
			code = "unit-in-output"
		}
		b.fail(code, at)
	}
	return plan.OutExpr{Op: plan.OutKey, Index: i, Offset: at}
}

func (b *binder) outputCall(n map[string]any, depth int) plan.OutExpr {
	o := b.object(n, -1)
	c := b.function(o)
	if b.err != nil {
		return plan.OutExpr{}
	}
	if c.aggregate() {
		return b.measure(c, o.at)
	}
	if c.distinct {
		b.fail("distinct-aggregate", o.at)
		return plan.OutExpr{}
	}
	e := plan.OutExpr{Offset: o.at}
	ops := map[string]plan.OutOp{"+": plan.OutAdd, "-": plan.OutSub, "*": plan.OutMul, "/": plan.OutDiv}
	switch {
	case c.operator && len(c.args) == 2 && ops[c.name] != 0:
		e.Op = ops[c.name]
	case c.operator && len(c.args) == 1 && c.name == "-":
		e.Op = plan.OutNeg
	case c.operator && len(c.args) == 1 && c.name == "+":
		return b.output(asMap(c.args[0]), depth+1)
	case c.name == "round" && !c.operator && (len(c.args) == 1 || len(c.args) == 2):
		e.Op, e.Digits = plan.OutRound, b.digits(c.args)
		c.args = c.args[:1]
	default:
		b.fail("function-not-allowed", o.at)
		return plan.OutExpr{}
	}
	for _, a := range c.args {
		e.Args = append(e.Args, b.output(asMap(a), depth+1))
	}
	return e
}

func (b *binder) digits(args []any) int {
	if len(args) == 1 {
		return 0
	}
	l, ok := b.literal(asMap(args[1]))
	d, err := strconv.Atoi(l.Text)
	if !ok || l.Kind != plan.LitNumber || err != nil || d < 0 || d > 10 {
		b.fail("round-digits", location(asMap(args[1])))
	}
	return d
}

// measure reads an aggregate. Its argument is a column and nothing else: the bounds are the column's.
func (b *binder) measure(c call, at int) plan.OutExpr {
	m := plan.MeasureSpec{Offset: at}
	switch {
	case c.operator:
		b.fail("not-supported", at)
	case c.name == "count_star" && len(c.args) == 0 && !c.distinct:
		m.Kind = plan.CountRows
	case len(c.args) != 1:
		b.fail("aggregate-arguments", at)
	case c.name == "count":
		m.Kind = plan.CountColumn
		b.countArgument(&m, asMap(c.args[0]), c.distinct, at)
	case c.distinct:
		b.fail("distinct-aggregate", at)
	case c.name == "sum" || c.name == "avg":
		if m.Kind = plan.Sum; c.name == "avg" {
			m.Kind = plan.Avg
		}
		m.Col = b.argument(asMap(c.args[0]), at)
	default:
		b.fail("function-not-allowed", at)
	}
	if b.err != nil {
		return plan.OutExpr{}
	}
	return plan.OutExpr{Op: plan.OutMeasure, Index: b.wanted(m), Offset: at}
}

func (b *binder) countArgument(m *plan.MeasureSpec, n map[string]any, distinct bool, at int) {
	if l, ok := b.literal(n); ok && l.Kind != plan.LitNull && !distinct {
		m.Kind = plan.CountRows // COUNT(1)
		return
	}
	m.Col = b.argument(n, at)
	if !distinct || b.err != nil {
		return
	}
	m.Kind = plan.CountPersons
	if b.scope.tables[m.Col.Scan].Unit != m.Col.Column {
		b.fail("count-distinct", at)
	}
}

func (b *binder) argument(n map[string]any, at int) plan.ColRef {
	if class(n) != "COLUMN_REF" {
		b.fail(classCode(n, "measure-expression"), firstOf(location(n), at))
		return plan.ColRef{}
	}
	return b.column(n)
}

// wanted finds or adds a measure.
func (b *binder) wanted(m plan.MeasureSpec) int {
	for i, w := range b.spec.Wanted {
		if w.Kind == m.Kind && w.Col.Scan == m.Col.Scan && w.Col.Column == m.Col.Column {
			return i
		}
	}
	b.spec.Wanted = append(b.spec.Wanted, m)
	return len(b.spec.Wanted) - 1
}

func (b *binder) modifiers(list []any) {
	for _, v := range list {
		if b.err != nil {
			return
		}
		o := b.object(v, -1)
		switch o.text("type") {
		case "ORDER_MODIFIER":
			b.orderBy(o.list("orders"))
			o.end()
		case "LIMIT_MODIFIER":
			b.spec.Limit = b.rows(o.optional("limit"), -1)
			b.spec.Skip = b.rows(o.optional("offset"), 0)
			o.end()
		case "LIMIT_PERCENT_MODIFIER":
			b.fail("limit", location(asMap(o.raw("limit"))))
		case "DISTINCT_MODIFIER":
			b.failWord("select-distinct", 0, "select distinct")
		default:
			b.fail("not-supported", 0)
		}
	}
}

func (b *binder) rows(n map[string]any, otherwise int64) int64 {
	if n == nil {
		return otherwise
	}
	l, ok := b.literal(n)
	i, err := strconv.ParseInt(l.Text, 10, 32)
	if !ok || l.Kind != plan.LitNumber || err != nil || i < 0 {
		b.fail("limit", location(n))
	}
	return i
}

func (b *binder) orderBy(orders []any) {
	if len(orders) > 64 {
		b.fail("query-too-large", 0)
	}
	for _, v := range orders {
		o := b.object(v, -1)
		spec := plan.OrderSpec{}
		switch o.text("type") {
		case "DESCENDING":
			spec.Descending = true
		case "ASCENDING", "ORDER_DEFAULT":
		default:
			b.fail("not-supported", o.at)
		}
		switch o.text("null_order") {
		case "NULLS FIRST":
			spec.NullsFirst = true
		case "NULLS LAST", "ORDER_DEFAULT":
		default:
			b.fail("not-supported", o.at)
		}
		n := o.node("expression")
		o.end()
		if b.err != nil {
			return
		}
		spec.Expr = b.orderItem(n)
		b.spec.Order = append(b.spec.Order, spec)
	}
}

func (b *binder) orderItem(n map[string]any) plan.OutExpr {
	switch class(n) {
	case "CONSTANT":
		i, ok := b.position(n)
		if !ok || i >= len(b.spec.Output) {
			b.fail("position", location(n))
			return plan.OutExpr{}
		}
		return b.spec.Output[i].Expr
	case "COLUMN_REF":
		if name := b.bareName(n); name != "" {
			for i, it := range b.items {
				if it.alias != "" && fold(it.alias) == fold(name) && i < len(b.spec.Output) {
					return b.spec.Output[i].Expr
				}
			}
		}
	}
	return b.output(n, 1)
}

// name is what a column without alias is called.
func (b *binder) name(e plan.OutExpr) string {
	args := make([]string, len(e.Args))
	for i := range e.Args {
		args[i] = b.name(e.Args[i])
	}
	switch e.Op {
	case plan.OutKey:
		return b.spec.Keys[e.Index].Col.Column
	case plan.OutMeasure:
		m := b.spec.Wanted[e.Index]
		switch m.Kind {
		case plan.CountRows:
			return "count(*)"
		case plan.CountPersons:
			return "count(DISTINCT " + m.Col.Column + ")"
		case plan.Sum:
			return "sum(" + m.Col.Column + ")"
		case plan.Avg:
			return "avg(" + m.Col.Column + ")"
		default:
			return "count(" + m.Col.Column + ")"
		}
	case plan.OutNumber:
		return e.Number.Text
	case plan.OutAdd:
		return "(" + args[0] + " + " + args[1] + ")"
	case plan.OutSub:
		return "(" + args[0] + " - " + args[1] + ")"
	case plan.OutMul:
		return "(" + args[0] + " * " + args[1] + ")"
	case plan.OutDiv:
		return "(" + args[0] + " / " + args[1] + ")"
	case plan.OutNeg:
		return "-" + args[0]
	default:
		return "round(" + args[0] + ", " + strconv.Itoa(e.Digits) + ")"
	}
}
