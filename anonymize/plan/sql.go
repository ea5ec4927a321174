package plan

import (
	"strconv"
	"strings"
)

// The generator. Its output holds keywords, our own identifiers (t0…, k0…, c0…, g0…, the schema's names quoted) and integers: no byte
// of the researcher's text. Every cell that comes back is a BIGINT that is not NULL. Sums run over the narrow stored
// integers and only the result is cast; every filter sits beside the scan; there is one subquery when, and only when, joined
// rows are ranked again. No expression can fail on a value: comparisons of integers, integer sums that Build has bounded, and
// subtraction of a key's lower bound.

func (b *builder) sql() string {
	if leaves, ok := b.finer(); ok {
		return b.finerSQL(leaves)
	}
	var s strings.Builder
	if !b.ranked {
		s.WriteString("SELECT " + b.selects(b.plainName) + b.fromWhere(nil))
		b.groupKeys(&s, b.plainName)
		return s.String()
	}
	inner := map[ref]string{}
	var carried []string
	outer := func(r ref) string {
		if inner[r] == "" {
			inner[r] = "c" + strconv.Itoa(len(carried))
			carried = append(carried, b.plainName(r)+" AS "+inner[r])
		}
		return "q." + inner[r]
	}
	selects := b.selects(outer)
	var order []string
	for _, r := range b.rowOrder() {
		order = append(order, b.plainName(r))
	}
	rank := "row_number() OVER (PARTITION BY " + b.plainName(b.unit(b.root)) + orderBy(order) + ") AS r"
	s.WriteString("SELECT " + selects + " FROM (SELECT " + strings.Join(append(carried, rank), ", ") + b.fromWhere(nil) + ") AS q WHERE " + b.atMost("q.r", b.m))
	b.groupKeys(&s, outer)
	return s.String()
}

func (b *builder) selects(name namer) string {
	out := b.keySQL(name)
	for i, c := range b.columns {
		out = append(out, b.exactSQL(c.sql, name)+" AS a"+strconv.Itoa(i))
	}
	return strings.Join(out, ", ")
}

// keySQL writes the keys as indices from 0, -1 for NULL.
func (b *builder) keySQL(name namer) []string {
	var out []string
	for i, k := range b.keys {
		e := "CAST(" + b.writeRef(k.at, name) + " AS BIGINT)"
		switch {
		case k.dom.lo > 0:
			e += " - " + strconv.FormatInt(k.dom.lo, 10)
		case k.dom.lo < 0:
			e += " + " + strconv.FormatInt(-k.dom.lo, 10)
		}
		if k.step > 1 {
			e = "(" + e + ") // " + strconv.FormatInt(k.step, 10)
		}
		out = append(out, "coalesce("+e+", -1) AS k"+strconv.Itoa(i))
	}
	return out
}

func (b *builder) exactSQL(a aggregate, name namer) string {
	var e string
	switch a.fn {
	case "count(*)":
		return "count(*)"
	case "count":
		e = "count(" + b.writeRef(a.at, name) + ")"
	case "count distinct":
		e = "count(DISTINCT " + b.writeRef(a.at, name) + ")"
	case "sum":
		e = "coalesce(CAST(sum(" + b.writeRef(a.at, name) + ") AS BIGINT), 0)"
	}
	return e
}

func (b *builder) groupKeys(s *strings.Builder, name namer) {
	for i, k := range b.keys {
		if i == 0 {
			s.WriteString(" GROUP BY ")
		} else {
			s.WriteString(", ")
		}
		s.WriteString(groupItem(b.writeRef(k.at, name)))
	}
}

// groupItem keeps a constant from being read as the place of a column.
func groupItem(s string) string {
	if strings.Trim(s, "()-0123456789") == "" {
		return "CAST(" + s + " AS BIGINT)"
	}
	return s
}

// fromWhere writes FROM and WHERE. Columns of the SELECTs around are written by outer; nil where there are none.
func (b *builder) fromWhere(outer namer) string {
	var s strings.Builder
	name := b.namer(outer)
	var filters []string
	s.WriteString(" FROM " + b.scanSQL(max(0, b.root)))
	filters = append(filters, b.cutBy(max(0, b.root))...)
	for _, e := range b.edges {
		verb := map[JoinKind]string{JoinInner: " INNER JOIN ", JoinLeft: " LEFT JOIN ", JoinAsof: " ASOF JOIN ", JoinAsofLeft: " ASOF LEFT JOIN "}[e.kind]
		var on []string
		for _, q := range e.on {
			on = append(on, b.writeRef(q.left, name)+" = "+b.writeRef(q.right, name))
		}
		for _, c := range []*cond{e.asof, e.extra} {
			if c != nil {
				on = append(on, b.condition(c, true, name))
			}
		}
		if e.kind == JoinInner {
			filters = append(filters, b.cutBy(e.scan)...)
		} else {
			on = append(on, b.cutBy(e.scan)...) // before the join, as the cut is on the scan
		}
		s.WriteString(verb + b.scanSQL(e.scan) + " ON " + strings.Join(on, " AND "))
	}
	for _, l := range b.links {
		filters = append(filters, b.plainName(l.inner)+" = "+name(l.outer))
	}
	if b.where != nil {
		filters = append(filters, b.condition(b.where, true, name))
	}
	if len(filters) > 0 {
		s.WriteString(" WHERE " + strings.Join(filters, " AND "))
	}
	return s.String()
}

// scanSQL writes a table or the relation in its place.
func (b *builder) scanSQL(i int) string {
	s := &b.scans[i]
	if s.rel != nil {
		return "(" + s.rel.write(s.ordered) + ") AS " + b.alias(i)
	}
	return quote(s.table.Name) + " AS " + b.alias(i)
}

// atMost writes that a number from 1 on is at most n. Beside subqueries it is written so that the engine's rule for the first n rows of a
// window does not take it: there the rule fails ("Attempted to access index 2 within vector of size 2", DuckDB 1.5.5).
func (b *builder) atMost(column string, n int64) string {
	if b.subs {
		return "(" + column + " <= " + number(n) + " AND " + column + " >= 0)"
	}
	return column + " <= " + number(n)
}

// alias names a scan; SELECTs inside others have their depth in it, so that both can be named.
func (b *builder) alias(i int) string {
	if b.depth == 0 {
		return "t" + strconv.Itoa(i)
	}
	return "t" + strconv.Itoa(b.depth) + "_" + strconv.Itoa(i)
}

// plainName writes a column where its scan can be named.
func (b *builder) plainName(r ref) string {
	if b.computed(r) != nil {
		return b.writeRef(r, b.plainName)
	}
	return b.at(r.depth).alias(r.scan) + "." + quote(r.col.Name)
}

// cutBy is the row cap of a stored private scan, needed only below the hard cap: the build already keeps at most MaxRows rows a person.
func (b *builder) cutBy(i int) []string {
	s := b.scans[i]
	if s.table.Public || s.rel != nil || s.m >= s.table.MaxRows {
		return nil
	}
	return []string{b.alias(i) + "." + quote(RankColumn) + " <= " + strconv.FormatInt(s.m, 10)}
}

func (b *builder) condition(c *cond, top bool, name namer) string {
	switch c.op {
	case condTrue:
		return "true"
	case condFalse:
		return "false"
	case condSet:
		return b.membership(c, name)
	case condCols:
		return b.writeRef(c.at, name) + [...]string{"", " = ", " <> ", " < ", " <= ", " > ", " >= "}[c.cmp] + b.writeRef(c.other, name)
	case condSub:
		return c.sub.write(name, c.not)
	default: // AND and OR below
	}
	parts := make([]string, len(c.args))
	for i, a := range c.args {
		parts[i] = b.condition(a, false, name)
	}
	if c.op == condAnd {
		s := strings.Join(parts, " AND ")
		if top {
			return s
		}
		return "(" + s + ")"
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

// membership writes "col in set" the cheapest way. A constant row never comes here: simplify has removed it.
//
// Of a map of codes it asks for the codes whose image is in the set, so that the map is never computed: f(x) is in S exactly when x is in
// the preimage of S, and f(x) is NULL exactly when x is NULL or has no image.
func (b *builder) membership(c *cond, name namer) string {
	d, in := domain(c.at.col), c.set
	t := b.computed(c.at)
	if t == nil {
		return memberSQL(name(c.at), d, in, c.null)
	}
	for t.codes != nil {
		var from set
		for i, n := range t.codes {
			if n == noCode && c.null || n != noCode && in.has(n) {
				from = append(from, rng{int64(i), int64(i)})
			}
		}
		in, d = normal(from), rng{0, int64(len(t.codes)) - 1}
		u := t.args[0]
		if u.format == "" && u.sub == nil {
			if b.computed(u.at) == nil {
				return memberSQL(name(u.at), d, in, c.null)
			}
			u = b.computed(u.at)
		}
		t = u
	}
	return memberSQL(b.write(t, name), d, in, c.null)
}

func memberSQL(col string, d rng, in set, null bool) string {
	var parts []string
	if null {
		parts = append(parts, col+" IS NULL")
	}
	hole := in.without(d)
	switch {
	case len(in) == 0 && null:
	case len(in) == 0:
		return "false"
	case len(hole) == 0:
		parts = append(parts, col+" IS NOT NULL")
	case len(hole) == 1 && hole[0].lo == hole[0].hi && len(in) == 2:
		parts = append(parts, col+" <> "+number(hole[0].lo))
	case len(in) > 16 && in.size() <= maxDictionary:
		parts = append(parts, col+" IN ("+strings.Join(members(in), ", ")+")")
	default:
		var single set
		for _, r := range in {
			if r.hi-r.lo >= 0 && r.hi-r.lo <= 1 {
				single = append(single, r)
				continue
			}
			parts = append(parts, interval(col, r, d))
		}
		if n := members(single); len(n) == 1 {
			parts = append(parts, col+" = "+n[0])
		} else if len(n) > 1 {
			parts = append(parts, col+" IN ("+strings.Join(n, ", ")+")")
		}
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

func interval(col string, r, d rng) string {
	switch {
	case r.lo <= d.lo:
		return col + " <= " + number(r.hi)
	case r.hi >= d.hi:
		return col + " >= " + number(r.lo)
	default:
		return col + " BETWEEN " + number(r.lo) + " AND " + number(r.hi)
	}
}

func members(s set) []string {
	var out []string
	for _, r := range s {
		for v := r.lo; ; v++ {
			out = append(out, number(v))
			if v == r.hi {
				break
			}
		}
	}
	return out
}

func number(v int64) string { return strconv.FormatInt(v, 10) }

// quote writes a name of the schema; checkSchema lets only lower-case letters, digits and underscores through.
func quote(name string) string { return `"` + name + `"` }
