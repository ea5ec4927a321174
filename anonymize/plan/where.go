package plan

import (
	"fmt"
	"sort"
	"strings"
)

// ref is a checked column of a scan.
type ref struct {
	scan int
	col  *Column
}

func (r ref) less(o ref) bool {
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
}

func always(v bool) *cond {
	if v {
		return &cond{op: condTrue}
	}
	return &cond{op: condFalse}
}

// compile turns a predicate, or its negation, into a cond.
func (b *builder) compile(p *Pred, negate bool, depth int) *cond {
	if b.nodes++; b.nodes > maxNodes || depth > maxDepth {
		b.fail("query-too-large", p.Offset)
	}
	if b.err != nil {
		return always(false)
	}
	switch p.Op {
	case PredAnd, PredOr:
		op := condAnd
		if (p.Op == PredOr) != negate {
			op = condOr
		}
		if len(p.Args) == 0 {
			b.fail("not-supported", p.Offset)
		}
		out := &cond{op: op}
		for i := range p.Args {
			out.args = append(out.args, b.compile(&p.Args[i], negate, depth+1))
		}
		return out
	case PredNot:
		if len(p.Args) != 1 {
			b.fail("not-supported", p.Offset)
			return always(false)
		}
		return b.compile(&p.Args[0], !negate, depth+1)
	case PredConst:
		return b.truth(p, negate)
	case PredColumns:
		return b.compareColumns(p, negate)
	default:
		return b.leaf(p, negate)
	}
}

func (b *builder) truth(p *Pred, negate bool) *cond {
	if len(p.Values) != 1 {
		b.fail("not-supported", p.Offset)
		return always(false)
	}
	switch v := p.Values[0]; {
	case v.Kind == LitNull:
		return always(false)
	case v.Kind == LitBool && (v.Text == "true" || v.Text == "false"):
		return always((v.Text == "true") != negate)
	}
	b.fail("not-supported", p.Offset)
	return always(false)
}

// tested resolves the column of a predicate. The unit and row keys are opaque: a predicate on them would single persons out,
// and which number a person has is not to be seen through any answer.
func (b *builder) tested(c ColRef) (ref, bool) {
	r, ok := b.resolve(c)
	if !ok {
		return r, false
	}
	switch r.col.Kind {
	case KindUnit:
		b.fail("unit-in-where", c.Offset)
	case KindKey:
		b.fail("row-key-in-where", c.Offset)
	default:
		return r, true
	}
	return r, false
}

func (b *builder) compareColumns(p *Pred, negate bool) *cond {
	l, ok1 := b.tested(p.Left)
	r, ok2 := b.tested(p.Right)
	if !ok1 || !ok2 {
		return always(false)
	}
	if !comparable(l.col, r.col) {
		b.fail("columns-not-comparable", p.Offset)
		return always(false)
	}
	cmp := p.Cmp
	if cmp < CmpEq || cmp > CmpGe {
		b.fail("not-supported", p.Offset)
		return always(false)
	}
	if negate {
		cmp = opposite(cmp)
	}
	if r.less(l) {
		l, r, cmp = r, l, mirrored(cmp)
	}
	if l == r { // x = x is "x is known"
		if cmp == CmpEq || cmp == CmpLe || cmp == CmpGe {
			return &cond{op: condSet, at: l, set: set{domain(l.col)}}
		}
		return always(false)
	}
	return &cond{op: condCols, at: l, cmp: cmp, other: r}
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

// leaf compiles a predicate of one column and literals.
func (b *builder) leaf(p *Pred, negate bool) *cond {
	r, ok := b.tested(p.Left)
	if !ok {
		return always(false)
	}
	if p.Op == PredIsNull {
		if negate {
			return &cond{op: condSet, at: r, set: set{domain(r.col)}}
		}
		return &cond{op: condSet, at: r, null: true}
	}
	want := map[PredOp]int{PredCompare: 1, PredBetween: 2, PredLike: 1, PredILike: 1, PredIn: -1}[p.Op]
	if want == 0 || want > 0 && len(p.Values) != want || len(p.Values) == 0 {
		b.fail("not-supported", p.Offset)
		return always(false)
	}
	if b.nodes += len(p.Values); b.nodes > maxNodes {
		b.fail("query-too-large", p.Offset)
		return always(false)
	}
	if p.Op == PredBetween { // by definition two comparisons, each with its own NULL
		two := Pred{Op: PredAnd, Offset: p.Offset, Args: []Pred{
			{Op: PredCompare, Left: p.Left, Cmp: CmpGe, Values: p.Values[:1], Offset: p.Offset},
			{Op: PredCompare, Left: p.Left, Cmp: CmpLe, Values: p.Values[1:], Offset: p.Offset}}}
		return b.compile(&two, negate, maxDepth-1)
	}
	return b.members(p, r, negate)
}

// members compiles =, <, …, IN and LIKE to the set of stored integers for which they are true, or false when negated.
func (b *builder) members(p *Pred, r ref, negate bool) *cond {
	var yes set
	unknown := false
	for _, v := range p.Values {
		if v.Kind == LitNull {
			unknown = true
			continue
		}
		s, code := b.one(p, r.col, v)
		if code != "" {
			b.fail(code, v.Offset)
			return always(false)
		}
		yes = append(yes, s...)
	}
	yes = normal(yes)
	if !negate {
		return &cond{op: condSet, at: r, set: yes}
	}
	if unknown { // NOT (… OR NULL) is false or NULL, never true
		return always(false)
	}
	return &cond{op: condSet, at: r, set: yes.without(domain(r.col))}
}

func (b *builder) one(p *Pred, c *Column, v Literal) (set, string) {
	switch p.Op {
	case PredLike, PredILike:
		return likeSet(c, v, p.Op == PredILike)
	case PredIn:
		return compareSet(c, CmpEq, v)
	default:
	}
	if p.Cmp < CmpEq || p.Cmp > CmpGe {
		return nil, "not-supported"
	}
	return compareSet(c, p.Cmp, v)
}

// simplify flattens, merges the sets of one column, drops constants and sorts: the canonical form.
func (b *builder) simplify(c *cond) *cond {
	switch c.op {
	case condSet:
		return b.simplifySet(c)
	case condAnd, condOr:
	default:
		return c
	}
	var flat []*cond
	sets := map[ref]*cond{}
	neutral, absorbing := condTrue, condFalse
	if c.op == condOr {
		neutral, absorbing = condFalse, condTrue
	}
	var visit func(*cond) bool
	visit = func(x *cond) bool {
		x = b.simplify(x)
		switch {
		case x.op == neutral:
			return true
		case x.op == absorbing:
			return false
		case x.op == c.op:
			for _, a := range x.args {
				if !visit(a) {
					return false
				}
			}
			return true
		case x.op == condSet && sets[x.at] != nil:
			s := sets[x.at]
			if c.op == condAnd {
				s.set, s.null = s.set.intersect(x.set), s.null && x.null
			} else {
				s.set, s.null = s.set.union(x.set), s.null || x.null
			}
			return true
		case x.op == condSet:
			y := *x
			sets[x.at] = &y
			flat = append(flat, &y)
			return true
		}
		flat = append(flat, x)
		return true
	}
	for _, a := range c.args {
		if !visit(a) {
			return &cond{op: absorbing}
		}
	}
	return b.assemble(c.op, flat, neutral, absorbing)
}

func (b *builder) assemble(op condOp, flat []*cond, neutral, absorbing condOp) *cond {
	out := &cond{op: op}
	seen := map[string]bool{}
	keys := map[*cond]string{}
	for _, x := range flat {
		if x.op == condSet {
			x = b.simplifySet(x)
		}
		if x.op == absorbing {
			return x
		}
		if k := x.key(); x.op != neutral && !seen[k] {
			seen[k], keys[x] = true, k
			out.args = append(out.args, x)
		}
	}
	switch len(out.args) {
	case 0:
		return &cond{op: neutral}
	case 1:
		return out.args[0]
	}
	sort.Slice(out.args, func(i, j int) bool { return keys[out.args[i]] < keys[out.args[j]] })
	return out
}

func (b *builder) simplifySet(c *cond) *cond {
	d := domain(c.at.col)
	nullable := b.nullable(c.at)
	s := c.set.intersect(set{d})
	null := c.null && nullable
	switch {
	case len(s) == 0 && !null:
		return always(false)
	case s.full(d) && (null || !nullable):
		return always(true)
	}
	return &cond{op: condSet, at: c.at, set: s, null: null}
}

// key is a text that two conds share exactly when they are the same formula.
func (c *cond) key() string {
	switch c.op {
	case condTrue:
		return "true"
	case condFalse:
		return "false"
	case condSet:
		return fmt.Sprintf("set(%d.%s,%v,%v)", c.at.scan, c.at.col.Name, c.null, c.set)
	case condCols:
		return fmt.Sprintf("cmp(%d.%s,%d,%d.%s)", c.at.scan, c.at.col.Name, c.cmp, c.other.scan, c.other.col.Name)
	default: // AND and OR below
	}
	parts := make([]string, len(c.args))
	for i, a := range c.args {
		parts[i] = a.key()
	}
	return fmt.Sprintf("%d(%s)", c.op, strings.Join(parts, ","))
}

// top is the condition that every kept row meets on one column, nil when there is none.
func (c *cond) top(r ref) *cond {
	if c == nil {
		return nil
	}
	if c.op == condSet && c.at == r {
		return c
	}
	if c.op == condAnd {
		for _, a := range c.args {
			if a.op == condSet && a.at == r {
				return a
			}
		}
	}
	return nil
}
