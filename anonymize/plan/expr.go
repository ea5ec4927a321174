package plan

import (
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
)

func scaled(r *big.Rat, scale int) *big.Rat {
	return new(big.Rat).Mul(r, new(big.Rat).SetInt(pow10(scale)))
}

// shape is a text that two expressions share exactly when they are the same wish, wherever they stand.
func (e Expr) shape() string {
	doc, err := json.Marshal(e.bare())
	if err != nil {
		return "" // cannot happen: plain structs
	}
	return string(doc)
}

// bare is the expression without positions.
func (e Expr) bare() Expr {
	e.Offset, e.Col.Offset, e.Lit.Offset = 0, 0, 0
	args := make([]Expr, len(e.Args))
	for i := range e.Args {
		args[i] = e.Args[i].bare()
	}
	e.Args = args
	if e.Filter != nil {
		f := e.Filter.bare()
		e.Filter = &f
	}
	e.Sort = bareSort(e.Sort)
	if e.Over != nil {
		w := *e.Over
		w.Order = bareSort(w.Order)
		w.Partition = make([]Expr, len(e.Over.Partition))
		for i := range w.Partition {
			w.Partition[i] = e.Over.Partition[i].bare()
		}
		e.Over = &w
	}
	return e
}

func bareSort(list []SortSpec) []SortSpec {
	out := make([]SortSpec, len(list))
	for i, s := range list {
		s.Expr = s.Expr.bare()
		out[i] = s
	}
	return out
}

// expr types an expression of a row, or of a group in a grouped relation.
func (b *builder) expr(e *Expr) value {
	if b.nodes++; b.nodes > maxNodes || b.level >= maxDepth {
		b.fail("query-too-large", e.Offset)
	}
	if b.err != nil {
		return value{}
	}
	b.level++
	defer func() { b.level-- }()
	if b.group != nil {
		if v, ok := b.group.keys[e.shape()]; ok {
			return v
		}
	}
	switch e.Op {
	case ExprColumn:
		return b.columnExpr(e)
	case ExprLiteral:
		return b.literalExpr(e)
	case ExprCase:
		return b.caseExpr(e)
	case ExprCall:
		return b.call(e)
	case ExprCast:
		return b.cast(e)
	case ExprAggregate:
		return b.aggregate(e)
	case ExprWindow:
		return b.window(e)
	case ExprScalar:
		return b.scalar(e)
	default:
		return b.truth(e)
	}
}

func (b *builder) columnExpr(e *Expr) value {
	if b.group != nil && e.Col.Up == 0 {
		b.fail("column-not-grouped", e.Offset)
		return value{}
	}
	r, ok := b.resolve(e.Col)
	if !ok {
		return value{}
	}
	return b.column(r)
}

func (b *builder) literalExpr(e *Expr) value {
	l := e.Lit
	if l.Offset == 0 {
		l.Offset = e.Offset
	}
	if l.Kind < LitNull || l.Kind > LitInterval {
		b.fail("not-supported", e.Offset)
		return value{}
	}
	return value{lit: &l}
}

// plainValue refuses the unit and row keys: they are opaque, and nothing is computed from them.
func (b *builder) plainValue(e *Expr) value {
	v := b.expr(e)
	if b.err == nil && v.col != nil {
		switch v.col.Kind {
		case KindUnit:
			b.fail("unit-in-expression", e.Offset)
		case KindKey:
			b.fail("row-key-in-expression", e.Offset)
		default: // everything else is a value
		}
	}
	return v
}

// truth is a condition as a value: 1, 0 or NULL, from the condition and its negation, each in two-valued form.
func (b *builder) truth(e *Expr) value {
	yes := b.simplify(b.compile(e, false, 0))
	no := b.simplify(b.compile(e, true, 0))
	if b.err != nil {
		return value{}
	}
	c := &Column{Kind: KindInt, Bounded: true, Lo: 0, Hi: 1, truth: true, step: 1, PublicKey: true}
	unknown := b.readsNull(yes) || b.readsNull(no) || b.simplify(complement(yes)).key() != no.key()
	b.condLeaves(&cond{op: condAnd, args: []*cond{yes, no}}, func(r ref) { c.origin = append(c.origin, r.col.origin...) })
	c.Nullable = unknown
	switch {
	case yes.op == condTrue, no.op == condTrue:
		n := int64(0)
		if yes.op == condTrue {
			n = 1
		}
		v := constant(n, 0)
		v.col.truth, v.col.step = true, 1
		return v
	case !unknown:
		return value{t: &term{format: "CASE WHEN ?0; THEN 1 ELSE 0 END", conds: []*cond{yes}}, col: c, narrow: true}
	case yes.op == condFalse && no.op == condFalse:
		return nothing(c)
	case yes.op == condFalse:
		return value{t: &term{format: "CASE WHEN ?0; THEN 0 END", conds: []*cond{no}}, col: c, narrow: true}
	case no.op == condFalse:
		return value{t: &term{format: "CASE WHEN ?0; THEN 1 END", conds: []*cond{yes}}, col: c, narrow: true}
	}
	return value{t: &term{format: "CASE WHEN ?0; THEN 1 WHEN ?1; THEN 0 END", conds: []*cond{yes, no}}, col: c, narrow: true}
}

// readsNull says whether a condition compares something that can be NULL: then it can be neither true nor false.
func (b *builder) readsNull(c *cond) bool {
	return c.at.col != nil && b.nullable(c.at) || c.other.col != nil && b.nullable(c.other) || slices.ContainsFunc(c.args, b.readsNull)
}

// complement is a condition that holds where the other one does not, when nothing that it reads is NULL. Where the negation of the text says
// something else (NOT IN over NULLs), the text can be neither true nor false.
func complement(c *cond) *cond {
	out := *c
	switch c.op {
	case condTrue:
		return always(false)
	case condFalse:
		return always(true)
	case condAnd, condOr:
		out.op, out.args = condAnd+condOr-c.op, nil
		for _, a := range c.args {
			out.args = append(out.args, complement(a))
		}
	case condSet:
		out.set, out.null = c.set.without(domain(c.at.col)), !c.null
	case condCols:
		out.cmp = opposite(c.cmp)
	case condSub:
		out.not = !c.not
	}
	return &out
}

// caseExpr: a branch counts when its condition is true and none before it is, as in SQL. The result can be whatever any branch can.
func (b *builder) caseExpr(e *Expr) value {
	if len(e.Args) < 3 || len(e.Args)%2 == 0 || len(e.Args) > 201 {
		b.fail("not-supported", e.Offset)
		return value{}
	}
	var conds []*cond
	var results []value
	for i := 0; i+1 < len(e.Args); i += 2 {
		c := b.simplify(b.compile(&e.Args[i], false, 0))
		v := b.plainValue(&e.Args[i+1])
		if b.err != nil {
			return value{}
		}
		if c.op == condFalse {
			continue
		}
		conds, results = append(conds, c), append(results, v)
	}
	results = append(results, b.plainValue(&e.Args[len(e.Args)-1]))
	return b.choose(conds, results, e.Offset)
}

// choose is CASE over typed parts: results has one more than conds.
func (b *builder) choose(conds []*cond, results []value, at int) value {
	if b.err != nil {
		return value{}
	}
	results, col := b.unify(results, at)
	if b.err != nil {
		return value{}
	}
	t := &term{format: "CASE"}
	for i, c := range conds {
		if c.op == condTrue { // nothing after it counts
			if i == 0 {
				return results[0]
			}
			results = append(results[:i:i], results[i])
			conds = conds[:i]
			break
		}
		t.format += " WHEN " + conditional(i) + " THEN " + hole(i)
		t.conds = append(t.conds, c)
		b.condLeaves(c, func(r ref) { col.origin = append(col.origin, r.col.origin...) })
	}
	if len(conds) == 0 {
		return results[0]
	}
	narrow := fits32(col)
	for _, v := range results {
		col.Nullable = col.Nullable || b.canBeNull(v)
		col.origin = append(col.origin, v.col.origin...)
		if v.t.format == "NULL" {
			t.args = append(t.args, v.t)
		} else if narrow {
			t.args = append(t.args, b.wide(v, 32))
		} else {
			t.args = append(t.args, b.wide(v, 64))
		}
	}
	t.format += " ELSE " + hole(len(conds)) + " END"
	return value{t: t.handsOn(), col: col, narrow: narrow}
}

// unify gives the results of a choice one kind: texts one dictionary, numbers one scale, and the hull of their bounds.
func (b *builder) unify(vs []value, at int) ([]value, *Column) {
	kind := Kind(0)
	for _, v := range vs {
		k := b.kindOf(v)
		switch {
		case k == 0 || k == kind:
		case kind == 0:
			kind = k
		case kind == KindDate && k == KindCode && v.lit != nil, kind == KindCode && k == KindDate: // 'YYYY-MM-DD' beside a date
			kind = KindDate
		case kind == KindInt && k == KindDecimal || kind == KindDecimal && k == KindInt:
			kind = KindDecimal
		default:
			b.fail("mixed-kinds", at)
		}
	}
	if b.err != nil {
		return nil, nil
	}
	if kind == KindCode {
		return b.unifyTexts(vs)
	}
	return b.unifyNumbers(vs, kind, at)
}

func (b *builder) kindOf(v value) Kind {
	if v.lit == nil {
		return v.col.Kind
	}
	switch v.lit.Kind {
	case LitString:
		return KindCode
	case LitDate:
		return KindDate
	case LitNumber, LitBool:
		return KindInt
	case LitInterval:
		b.fail("interval", v.lit.Offset)
	default: // NULL is of every kind
	}
	return 0
}

func (b *builder) unifyNumbers(vs []value, kind Kind, at int) ([]value, *Column) {
	out := make([]value, len(vs))
	scale := 0
	for i, v := range vs {
		if kind == KindDate && v.lit != nil && v.lit.Kind == LitString {
			d := *v.lit
			d.Kind = LitDate
			v.lit = &d
		}
		out[i] = b.settled(v, at)
		if b.err != nil {
			return nil, nil
		}
		scale = max(scale, out[i].col.Scale)
	}
	if kind == 0 {
		kind = KindInt
	}
	c := &Column{Kind: kind, Bounded: true, Scale: scale, Lo: 1, Hi: 0, truth: true, step: 1, PublicKey: true}
	if kind != KindDate {
		c.Kind = kindOf(scale)
	}
	for i := range out {
		if out[i].t.format == "NULL" {
			continue
		}
		if !out[i].col.Bounded {
			b.fail("unbounded-expression", at)
			return nil, nil
		}
		out[i] = b.rescale(out[i], scale, at)
		if b.err != nil {
			return nil, nil
		}
		v := out[i].col
		if c.Lo > c.Hi {
			c.Lo, c.Hi, c.Unit = v.Lo, v.Hi, v.Unit
		}
		c.Lo, c.Hi, c.truth = min(c.Lo, v.Lo), max(c.Hi, v.Hi), c.truth && v.truth
		if c.Unit != v.Unit {
			c.Unit = ""
		}
	}
	if c.Lo > c.Hi {
		c.Lo, c.Hi = 0, 0
	}
	return out, c
}

// literalOf is a constant as a literal, so that comparisons with it become sets.
func (b *builder) literalOf(v value) (Literal, bool) {
	if v.lit != nil {
		return *v.lit, true
	}
	if v.col == nil || len(v.t.args)+len(v.t.conds) > 0 || v.t.format == "" || v.col.Nullable || v.col.Lo != v.col.Hi {
		return Literal{}, false
	}
	if v.col.Kind == KindDate {
		return Literal{Kind: LitDate, Text: dayText(v.col.Lo)}, true
	}
	if v.col.Kind != KindInt && v.col.Kind != KindDecimal {
		return Literal{}, false
	}
	r := new(big.Rat).SetFrac(big.NewInt(v.col.Lo), pow10(v.col.Scale))
	return Literal{Kind: LitNumber, Text: r.FloatString(v.col.Scale)}, true
}

// wholeNumber reads an argument that must be a constant integer.
func (b *builder) wholeNumber(e *Expr) (int64, bool) {
	v := b.expr(e)
	if b.err != nil {
		return 0, false
	}
	l, ok := b.literalOf(v)
	if ok && l.Kind == LitNumber {
		if n, err := strconv.ParseInt(l.Text, 10, 64); err == nil && abs(n) < maxRowsCap {
			return n, true
		}
	}
	b.fail("constant-expected", e.Offset)
	return 0, false
}
