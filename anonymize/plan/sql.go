package plan

import (
	"strconv"
	"strings"
)

// The generator. Its output holds keywords, our own identifiers (t0…, k0…, c0…, the schema's names quoted) and integers: no byte
// of the researcher's text. Every cell that comes back is a BIGINT that is not NULL. Sums run over the narrow stored
// integers and only the result is cast; every filter sits beside the scan; there is one subquery when, and only when, joined
// rows are ranked again. No expression can fail on a value: comparisons of integers, integer sums that Build has bounded, and
// subtraction of a key's lower bound.

func (b *builder) sql() string {
	column := func(r ref) string { return "t" + strconv.Itoa(r.scan) + "." + quote(r.col.Name) }
	var s strings.Builder
	if !b.ranked {
		s.WriteString("SELECT " + b.selects(column) + b.fromWhere())
		b.groupBy(&s, column)
		return s.String()
	}
	inner := map[ref]string{}
	var carried []string
	outer := func(r ref) string {
		if inner[r] == "" {
			inner[r] = "c" + strconv.Itoa(len(carried))
			carried = append(carried, column(r)+" AS "+inner[r])
		}
		return "q." + inner[r]
	}
	selects := b.selects(outer)
	rank := "row_number() OVER (PARTITION BY " + column(b.unit(b.root)) + " ORDER BY " + strings.Join(b.rankOrder(), ", ") + ") AS r"
	s.WriteString("SELECT " + selects + " FROM (SELECT " + strings.Join(append(carried, rank), ", ") + b.fromWhere() + ") AS q WHERE q.r <= " + strconv.FormatInt(b.m, 10))
	b.groupBy(&s, outer)
	return s.String()
}

func (b *builder) selects(column func(ref) string) string {
	var out []string
	for i, k := range b.keys {
		e := "CAST(" + column(k.at) + " AS BIGINT)"
		switch {
		case k.dom.lo > 0:
			e += " - " + strconv.FormatInt(k.dom.lo, 10)
		case k.dom.lo < 0:
			e += " + " + strconv.FormatInt(-k.dom.lo, 10)
		}
		out = append(out, "coalesce("+e+", -1) AS k"+strconv.Itoa(i))
	}
	for i, c := range b.columns {
		var e string
		switch c.sql.fn {
		case "count(*)":
			e = "count(*)"
		case "count":
			e = "count(" + column(c.sql.at) + ")"
		case "count distinct":
			e = "count(DISTINCT " + column(c.sql.at) + ")"
		case "sum":
			e = "coalesce(CAST(sum(" + column(c.sql.at) + ") AS BIGINT), 0)"
		}
		out = append(out, e+" AS a"+strconv.Itoa(i))
	}
	return strings.Join(out, ", ")
}

func (b *builder) groupBy(s *strings.Builder, column func(ref) string) {
	for i, k := range b.keys {
		if i == 0 {
			s.WriteString(" GROUP BY ")
		} else {
			s.WriteString(", ")
		}
		s.WriteString(column(k.at))
	}
}

// rankOrder is a total order of one person's joined rows up to equal rows: see finish.
func (b *builder) rankOrder() []string {
	fans := map[int]int64{}
	for _, e := range b.edges {
		fans[e.scan] = e.fan
	}
	var private, public []string
	for i, s := range b.scans {
		t := "t" + strconv.Itoa(i) + "."
		switch {
		case !s.table.Public:
			private = append(private, t+quote(RankColumn))
		case fans[i] > 1 && s.table.RowKey != "":
			public = append(public, t+quote(s.table.RowKey))
		case fans[i] > 1:
			for _, c := range s.table.Columns {
				public = append(public, t+quote(c.Name))
			}
		}
	}
	return append(private, public...)
}

func (b *builder) fromWhere() string {
	var s strings.Builder
	var filters []string
	name := func(i int) string { return quote(b.scans[i].table.Name) + " AS t" + strconv.Itoa(i) }
	s.WriteString(" FROM " + name(b.root))
	filters = append(filters, b.cutBy(b.root)...)
	for _, e := range b.edges {
		verb := " INNER JOIN "
		var on []string
		for _, q := range e.on {
			on = append(on, b.plain(q.left)+" = "+b.plain(q.right))
		}
		if e.kind == JoinLeft {
			verb = " LEFT JOIN "
			on = append(on, b.cutBy(e.scan)...) // before the join, as the cut is on the scan
		} else {
			filters = append(filters, b.cutBy(e.scan)...)
		}
		s.WriteString(verb + name(e.scan) + " ON " + strings.Join(on, " AND "))
	}
	if b.where != nil {
		filters = append(filters, b.condition(b.where, true))
	}
	if len(filters) > 0 {
		s.WriteString(" WHERE " + strings.Join(filters, " AND "))
	}
	return s.String()
}

func (b *builder) plain(r ref) string { return "t" + strconv.Itoa(r.scan) + "." + quote(r.col.Name) }

// cutBy is the row cap of a private scan, needed only below the hard cap: the build already keeps at most MaxRows rows a person.
func (b *builder) cutBy(i int) []string {
	s := b.scans[i]
	if s.table.Public || s.m >= s.table.MaxRows {
		return nil
	}
	return []string{"t" + strconv.Itoa(i) + "." + quote(RankColumn) + " <= " + strconv.FormatInt(s.m, 10)}
}

func (b *builder) condition(c *cond, top bool) string {
	switch c.op {
	case condSet:
		return b.membership(c)
	case condCols:
		return b.plain(c.at) + [...]string{"", " = ", " <> ", " < ", " <= ", " > ", " >= "}[c.cmp] + b.plain(c.other)
	default: // AND and OR below; simplify has removed constants
	}
	parts := make([]string, len(c.args))
	for i, a := range c.args {
		parts[i] = b.condition(a, false)
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
func (b *builder) membership(c *cond) string {
	col, d := b.plain(c.at), domain(c.at.col)
	var parts []string
	if c.null {
		parts = append(parts, col+" IS NULL")
	}
	hole := c.set.without(d)
	switch {
	case len(c.set) == 0:
	case len(hole) == 0:
		parts = append(parts, col+" IS NOT NULL")
	case len(hole) == 1 && hole[0].lo == hole[0].hi && len(c.set) == 2:
		parts = append(parts, col+" <> "+number(hole[0].lo))
	case len(c.set) > 16 && c.set.size() <= maxDictionary:
		parts = append(parts, col+" IN ("+strings.Join(members(c.set), ", ")+")")
	default:
		var single set
		for _, r := range c.set {
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
