package plan

import (
	"strconv"
	"strings"
)

// Finer groups. A key computed from few stored values (a month of a day, a chapter of a code) is computed once for each of them instead of
// once for each row: the rows are counted and summed by the stored values, and those groups are put together by key.
//
// Argument: a key is a function of its stored values alone, NULL included, so every group is a disjoint union of finer ones, and the
// empty group is the empty union. Counts and sums of integers over a disjoint union are the sums of its parts, exactly; a part's sum
// is bounded as the whole is, by rows times the largest magnitude. Distinct counts do not add up, so they are left as they are.

// maxFiner bounds the finer groups, so that they stay in the processor's cache.
const maxFiner = 1 << 13

// finer lists the stored values that the keys are computed from; false when grouping by them does not pay or would not be the same.
func (b *builder) finer() ([]ref, bool) {
	if b.ranked {
		return nil, false
	}
	for _, c := range b.columns {
		if c.sql.fn == "count distinct" {
			return nil, false
		}
	}
	var out []ref
	seen := map[ref]bool{}
	groups, computed := int64(1), false
	for _, k := range b.keys {
		t := b.computed(k.at)
		if t != nil && !b.rowwise(t) {
			return nil, false
		}
		computed = computed || t != nil
		b.leaves(k.at, func(r ref) {
			if seen[r] {
				return
			}
			seen[r], out = true, append(out, r)
			if d := domain(r.col); r.depth != b.depth || r.col.Kind == KindUnit || r.col.Kind == KindKey || d.lo < -maxSensitive || d.hi > maxSensitive {
				groups = maxFiner + 1
			} else {
				groups = mul(groups, d.hi-d.lo+2) // NULL
			}
		})
	}
	return out, computed && len(out) > 0 && groups <= maxFiner
}

// rowwise says that a term is a function of its leaves: no subquery is in it.
func (b *builder) rowwise(t *term) bool {
	if t.sub != nil {
		return false
	}
	if t.format == "" {
		u := b.computed(t.at)
		return u == nil || b.rowwise(u)
	}
	for _, a := range t.args {
		if !b.rowwise(a) {
			return false
		}
	}
	for _, c := range t.conds {
		if !b.rowwiseCond(c) {
			return false
		}
	}
	return true
}

func (b *builder) rowwiseCond(c *cond) bool {
	refs := []ref{}
	switch c.op {
	case condSub:
		return false
	case condSet:
		refs = append(refs, c.at)
	case condCols:
		refs = append(refs, c.at, c.other)
	default: // only leaves read columns
	}
	for _, r := range refs {
		if t := b.computed(r); t != nil && !b.rowwise(t) {
			return false
		}
	}
	for _, a := range c.args {
		if !b.rowwiseCond(a) {
			return false
		}
	}
	return true
}

// finerSQL writes the statement in two levels.
func (b *builder) finerSQL(leaves []ref) string {
	var inner, groups []string
	names := map[ref]string{}
	for i, r := range leaves {
		g := "g" + strconv.Itoa(i)
		names[r] = "q." + g
		inner = append(inner, b.plainName(r)+" AS "+g)
		groups = append(groups, b.plainName(r))
	}
	name := func(r ref) string { return names[r] }
	outer := b.keySQL(name)
	for i, c := range b.columns {
		n := strconv.Itoa(i)
		inner = append(inner, b.exactSQL(c.sql, b.plainName)+" AS b"+n)
		outer = append(outer, "CAST(sum(q.b"+n+") AS BIGINT) AS a"+n)
	}
	var s strings.Builder
	s.WriteString("SELECT " + strings.Join(outer, ", ") + " FROM (SELECT " + strings.Join(inner, ", ") + b.fromWhere(nil) + " GROUP BY " + strings.Join(groups, ", ") + ") AS q")
	b.groupKeys(&s, name)
	return s.String()
}
