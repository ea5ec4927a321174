package plan

import (
	"fmt"
	"sort"
	"strings"
)

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
		return fmt.Sprintf("set(%d.%d.%s,%v,%v)", c.at.depth, c.at.scan, c.at.col.Name, c.null, c.set)
	case condCols:
		return fmt.Sprintf("cmp(%d.%d.%s,%d,%d.%d.%s)", c.at.depth, c.at.scan, c.at.col.Name, c.cmp, c.other.depth, c.other.scan, c.other.col.Name)
	case condSub:
		return fmt.Sprintf("sub(%v,%s)", c.not, c.sub.key)
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
