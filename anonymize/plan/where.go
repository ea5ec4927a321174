package plan

// ref is a checked column of a scan, or (scan -1) a computed value of a row.
type ref struct {
	depth int // of the SELECT it belongs to: 0 is the measure step
	scan  int
	col   *Column
}

func (r ref) less(o ref) bool {
	if r.depth != o.depth {
		return r.depth < o.depth
	}
	if r.scan != o.scan {
		return r.scan < o.scan
	}
	return r.col.Name < o.col.Name
}

type condOp uint8

const (
	condTrue condOp = iota + 1
	condFalse
	condAnd
	condOr
	condSet  // col in set, or (null and col IS NULL)
	condCols // col cmp other, both not NULL
	condSub  // EXISTS of a subquery, or not: never NULL
)

// cond is a predicate in two-valued negation normal form.
//
// Argument: SQL keeps the rows whose WHERE is TRUE. Negations are pushed down to the leaves by Kleene's laws (De Morgan, and
// NOT of a comparison is the opposite comparison, NULL staying NULL). What is left is built from leaves by AND and OR alone,
// which are monotone, and is TRUE exactly when the same formula with every NULL leaf replaced by FALSE is TRUE. So a leaf is
// "known to be true", NULL is FALSE, and NOT IN (…, NULL) is FALSE for every row, as in SQL.
type cond struct {
	op    condOp
	args  []*cond
	at    ref
	set   set
	null  bool
	cmp   Cmp
	other ref
	sub   *subquery
	not   bool
}

func always(v bool) *cond {
	if v {
		return &cond{op: condTrue}
	}
	return &cond{op: condFalse}
}

// compile turns a predicate, or its negation, into a cond.
func (b *builder) compile(p *Expr, negate bool, depth int) *cond {
	if b.nodes++; b.nodes > maxNodes || depth > maxDepth {
		b.fail("query-too-large", p.Offset)
	}
	if b.err != nil {
		return always(false)
	}
	switch p.Op {
	case ExprAnd, ExprOr:
		op := condAnd
		if (p.Op == ExprOr) != negate {
			op = condOr
		}
		out := &cond{op: op}
		for i := range p.Args {
			out.args = append(out.args, b.compile(&p.Args[i], negate, depth+1))
		}
		if len(p.Args) == 0 {
			b.fail("not-supported", p.Offset)
		}
		return out
	case ExprExists, ExprInSub:
		return b.compileSub(p, negate)
	default: // below
	}
	if want := operands(p.Op); want > 0 && len(p.Args) != want || want < 0 && len(p.Args) < -want {
		b.fail("not-supported", p.Offset)
		return always(false)
	}
	switch p.Op {
	case ExprNot:
		return b.compile(&p.Args[0], !negate, depth+1)
	case ExprCompare:
		return b.compare(p, negate)
	case ExprDistinct:
		return b.distinct(p, negate)
	case ExprIsNull:
		return b.isNull(p, negate)
	case ExprBetween: // by definition two comparisons, each with its own NULL
		two := Expr{Op: ExprAnd, Offset: p.Offset, Args: []Expr{
			{Op: ExprCompare, Args: []Expr{p.Args[0], p.Args[1]}, Cmp: CmpGe, Offset: p.Offset},
			{Op: ExprCompare, Args: []Expr{p.Args[0], p.Args[2]}, Cmp: CmpLe, Offset: p.Offset}}}
		return b.compile(&two, negate, depth+1)
	case ExprIn:
		return b.in(p, negate)
	case ExprLike, ExprILike:
		return b.like(p, negate)
	default:
		return b.truthOf(p, negate)
	}
}

// operands is how many arguments a predicate has; negative: at least so many.
func operands(op ExprOp) int {
	switch op {
	case ExprNot, ExprIsNull:
		return 1
	case ExprCompare, ExprDistinct, ExprLike, ExprILike:
		return 2
	case ExprBetween:
		return 3
	case ExprIn:
		return -2
	default:
		return 0
	}
}

// truthOf reads a value as a condition: a number is true when it is not 0.
func (b *builder) truthOf(p *Expr, negate bool) *cond {
	switch p.Op { // what is no value would come back here
	case ExprColumn, ExprLiteral, ExprCase, ExprCall, ExprCast, ExprAggregate, ExprWindow, ExprScalar:
	default:
		b.fail("not-supported", p.Offset)
		return always(false)
	}
	v := b.plainValue(p)
	if b.err != nil {
		return always(false)
	}
	if v.lit != nil {
		switch {
		case v.lit.Kind == LitNull:
			return always(false)
		case v.lit.Kind == LitBool && (v.lit.Text == "true" || v.lit.Text == "false"):
			return always((v.lit.Text == "true") != negate)
		}
		b.fail("not-a-condition", p.Offset)
		return always(false)
	}
	if v.col.Kind != KindInt || !v.col.Bounded {
		b.fail("not-a-condition", p.Offset)
		return always(false)
	}
	zero := between(0, 0)
	if negate {
		return b.member(v, zero)
	}
	return b.member(v, zero.without(domain(v.col)))
}

// member is "v in set". Constants are decided here.
func (b *builder) member(v value, s set) *cond {
	if l, ok := b.literalOf(v); ok && l.Kind != LitNull {
		return always(s.has(v.col.Lo))
	}
	return &cond{op: condSet, at: b.intern(v), set: s}
}

func (b *builder) isNull(p *Expr, negate bool) *cond {
	v := b.expr(&p.Args[0]) // of the unit it says only whether a LEFT JOIN matched
	if b.err != nil {
		return always(false)
	}
	if v.lit != nil {
		return always((v.lit.Kind == LitNull) != negate)
	}
	if negate {
		if !b.canBeNull(v) {
			return always(true)
		}
		return &cond{op: condSet, at: b.intern(v), set: set{domain(v.col)}}
	}
	if !b.canBeNull(v) {
		return always(false)
	}
	return &cond{op: condSet, at: b.intern(v), null: true}
}

func (b *builder) compare(p *Expr, negate bool) *cond {
	l, r := b.expr(&p.Args[0]), b.expr(&p.Args[1])
	if b.err != nil {
		return always(false)
	}
	if p.Cmp < CmpEq || p.Cmp > CmpGe {
		b.fail("not-supported", p.Offset)
		return always(false)
	}
	return b.compareValues(l, p.Cmp, r, negate, p.Offset)
}

// compareValues is l cmp r, or its negation.
func (b *builder) compareValues(l value, cmp Cmp, r value, negate bool, at int) *cond {
	if b.err != nil {
		return always(false)
	}
	ll, lc := b.literalOf(l)
	rl, rc := b.literalOf(r)
	switch {
	case lc && rc:
		return b.compareLiterals(ll, cmp, rl, negate, at)
	case rc:
		return b.compareLiteral(l, cmp, rl, negate)
	case lc:
		return b.compareLiteral(r, mirrored(cmp), ll, negate)
	}
	if negate {
		cmp = opposite(cmp)
	}
	l, r, ok := b.commensurable(l, r, cmp, at)
	if !ok {
		return always(false)
	}
	x, y := b.intern(l), b.intern(r)
	if y.less(x) {
		x, y, cmp = y, x, mirrored(cmp)
	}
	if x == y { // x = x is "x is known"
		if cmp == CmpEq || cmp == CmpLe || cmp == CmpGe {
			return &cond{op: condSet, at: x, set: set{domain(x.col)}}
		}
		return always(false)
	}
	return &cond{op: condCols, at: x, cmp: cmp, other: y}
}

// commensurable makes the stored integers of two values mean the same thing. The unit is compared nowhere but in a join; row keys, which
// are numbered inside the person, only for being the same.
func (b *builder) commensurable(l, r value, cmp Cmp, at int) (x, y value, ok bool) {
	switch {
	case l.col.Kind == KindUnit || r.col.Kind == KindUnit:
		b.fail("unit-in-where", at)
	case l.col.Kind == KindKey || r.col.Kind == KindKey:
		if cmp > CmpNe || l.col.Kind != r.col.Kind || !comparable(l.col, r.col) {
			b.fail("row-key-in-where", at)
		}
	case l.col.Kind == KindCode && r.col.Kind == KindCode:
		if l.col.Codes != r.col.Codes {
			vs, _ := b.unifyTexts([]value{l, r})
			if b.err == nil {
				l, r = vs[0], vs[1]
			}
		}
	case l.col.Kind == KindCode || r.col.Kind == KindCode || (l.col.Kind == KindDate) != (r.col.Kind == KindDate):
		b.fail("columns-not-comparable", at)
	case l.col.Scale != r.col.Scale:
		if b.numeric(l, at) && b.numeric(r, at) {
			l, r = b.align(l, r, at)
		}
	}
	return l, r, b.err == nil
}

func (b *builder) compareLiterals(l Literal, cmp Cmp, r Literal, negate bool, at int) *cond {
	if l.Kind == LitNull || r.Kind == LitNull {
		return always(false)
	}
	x, ok1 := rational(l.Text)
	y, ok2 := rational(r.Text)
	if l.Kind != LitNumber || r.Kind != LitNumber || !ok1 || !ok2 {
		b.fail("constant-condition", at)
		return always(false)
	}
	c := x.Cmp(y)
	yes := map[Cmp]bool{CmpEq: c == 0, CmpNe: c != 0, CmpLt: c < 0, CmpLe: c <= 0, CmpGt: c > 0, CmpGe: c >= 0}[cmp]
	return always(yes != negate)
}

// compareLiteral is v cmp literal as a set of stored integers.
func (b *builder) compareLiteral(v value, cmp Cmp, l Literal, negate bool) *cond {
	switch {
	case v.col.Kind == KindUnit:
		b.fail("unit-in-where", l.Offset)
	case v.col.Kind == KindKey:
		b.fail("row-key-in-where", l.Offset)
	case l.Kind == LitNull:
		return always(false)
	}
	if b.err != nil {
		return always(false)
	}
	s, code := compareSet(v.col, cmp, l)
	if code != "" {
		b.fail(code, l.Offset)
		return always(false)
	}
	if negate {
		s = s.without(domain(v.col))
	}
	return b.member(v, s)
}

// distinct is IS DISTINCT FROM, which is never NULL.
func (b *builder) distinct(p *Expr, negate bool) *cond {
	l, r := p.Args[0], p.Args[1]
	null := func(e Expr, yes bool) Expr {
		n := Expr{Op: ExprIsNull, Args: []Expr{e}, Offset: p.Offset}
		if yes {
			return n
		}
		return Expr{Op: ExprNot, Args: []Expr{n}, Offset: p.Offset}
	}
	and := func(x, y Expr) Expr { return Expr{Op: ExprAnd, Args: []Expr{x, y}, Offset: p.Offset} }
	e := Expr{Op: ExprOr, Offset: p.Offset, Args: []Expr{{Op: ExprCompare, Cmp: CmpEq, Args: []Expr{l, r}, Offset: p.Offset}, and(null(l, true), null(r, true))}}
	if !negate {
		e = Expr{Op: ExprOr, Offset: p.Offset, Args: []Expr{{Op: ExprCompare, Cmp: CmpNe, Args: []Expr{l, r}, Offset: p.Offset}, and(null(l, true), null(r, false)), and(null(l, false), null(r, true))}}
	}
	return b.compile(&e, false, 1)
}

// in is v IN (…): literals are one set, everything else an equality each.
func (b *builder) in(p *Expr, negate bool) *cond {
	v := b.expr(&p.Args[0])
	if b.err != nil {
		return always(false)
	}
	if b.nodes += len(p.Args); b.nodes > maxNodes {
		b.fail("query-too-large", p.Offset)
		return always(false)
	}
	out := &cond{op: condOr}
	if negate {
		out.op = condAnd
	}
	var yes set
	for i := range p.Args[1:] {
		item := &p.Args[i+1]
		if item.Op == ExprCall && item.Name == "codes" {
			yes = append(yes, b.codeList(v, item)...)
			continue
		}
		w := b.expr(item)
		if b.err != nil {
			return always(false)
		}
		l, ok := b.literalOf(w)
		if !ok || v.lit != nil {
			out.args = append(out.args, b.compareValues(v, CmpEq, w, negate, p.Offset))
			continue
		}
		switch {
		case l.Kind == LitNull && negate: // NOT (… OR NULL) is false or NULL, never true
			return always(false)
		case l.Kind == LitNull:
			continue
		case v.col.Kind == KindUnit || v.col.Kind == KindKey:
			return b.compareLiteral(v, CmpEq, l, negate) // refuses
		}
		s, code := compareSet(v.col, CmpEq, l)
		if code != "" {
			b.fail(code, max(l.Offset, item.Offset))
			return always(false)
		}
		yes = append(yes, s...)
	}
	if b.err != nil {
		return always(false)
	}
	if v.lit == nil {
		yes = normal(yes)
		if negate {
			yes = yes.without(domain(v.col))
		}
		out.args = append(out.args, b.member(v, yes))
	}
	return out
}

func (b *builder) like(p *Expr, negate bool) *cond {
	v, pattern := b.plainValue(&p.Args[0]), b.expr(&p.Args[1])
	if b.err != nil {
		return always(false)
	}
	v = b.asText(v, p.Offset)
	if b.err != nil {
		return always(false)
	}
	if pattern.lit != nil && pattern.lit.Kind == LitNull || v.lit != nil && v.lit.Kind == LitNull {
		return always(false)
	}
	if pattern.lit == nil || v.lit != nil {
		b.fail("not-a-literal", p.Args[1].Offset)
		return always(false)
	}
	yes, code := likeSet(v.col, *pattern.lit, p.Op == ExprILike)
	if code != "" {
		b.fail(code, pattern.lit.Offset)
		return always(false)
	}
	if negate {
		yes = yes.without(domain(v.col))
	}
	return b.member(v, yes)
}

// comparable says that two columns' stored integers mean the same thing.
func comparable(a, b *Column) bool {
	return a.Kind == b.Kind && a.Scale == b.Scale && a.Codes == b.Codes && (a.Kind != KindCode || len(a.Values) == len(b.Values))
}

func opposite(c Cmp) Cmp {
	return [...]Cmp{0, CmpNe, CmpEq, CmpGe, CmpGt, CmpLe, CmpLt}[c]
}

func mirrored(c Cmp) Cmp {
	return [...]Cmp{0, CmpEq, CmpNe, CmpGt, CmpGe, CmpLt, CmpLe}[c]
}
