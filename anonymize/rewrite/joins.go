package rewrite

import "carrel/anonymize/plan"

// naturalJoin: a NATURAL JOIN b -> a JOIN b USING (person).
func naturalJoin(s *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	for k := max(0, i-3); k <= i+3 && k < len(x.ts); k++ {
		if x.ts[k].text != "natural" {
			continue
		}
		p, ok := x.selectAround(k)
		if !ok {
			return nil
		}
		for _, o := range x.sources(s, p) {
			if o.first > k {
				y := x.sql[:x.ts[o.last].end] + " USING (" + unitOf(s) + ")" + x.sql[x.ts[o.last].end:]
				return []string{y[:x.ts[k].start] + y[x.ts[k+1].start:]}
			}
		}
	}
	return nil
}

// linkJoin brings the person into a join: a comma or CROSS JOIN gets USING, ON and USING get the person.
func linkJoin(s *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	p, ok := x.selectAround(i)
	if !ok {
		return nil
	}
	all, unit := x.sources(s, p), unitOf(s)
	for n, o := range all {
		if n == 0 || o.last < i || o.table != nil && o.table.Public {
			continue
		}
		head, tail := x.sql[:x.ts[o.first].start], x.sql[x.ts[o.last].end:]
		using := x.between(o.first, o.last+1) + " USING (" + unit + ")"
		switch {
		case x.ts[o.first-1].text == ",":
			return []string{x.sql[:x.ts[o.first-1].start] + " JOIN " + using + tail}
		case x.is(o.first-2, "cross", "join"):
			return []string{x.sql[:x.ts[o.first-2].start] + "JOIN " + using + tail}
		case x.is(o.last+1, "using", "("):
			return []string{x.after(o.last+2, unit+", ")}
		case x.is(o.last+1, "on"):
			k := x.endOfOn(p, o.last+2)
			own := all[0].name + "." + unit + " = " + o.name + "." + unit
			return []string{x.swap(o.last+2, k, own+" AND ("+x.between(o.last+2, k)+")"), x.swap(o.last+2, k, own)}
		default:
			return []string{head + using + tail}
		}
	}
	return nil
}

// endOfOn is the token behind a join's condition.
func (x text) endOfOn(p part, i int) int {
	end := p.next(p.from)
	for k := i; k < end; k++ {
		if x.ts[k].depth == x.ts[p.from].depth && (keyword(x.ts[k].text) || x.ts[k].text == ",") {
			return k
		}
	}
	return end
}

func leftJoin(_ *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	return x.joinWord(i, "full", "LEFT")
}

func innerJoin(_ *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	return x.joinWord(i, "left", "INNER")
}

// joinWord puts one kind of join in the place of another, near a token.
func (x text) joinWord(i int, from, to string) []string {
	for k := max(0, i-5); k < len(x.ts); k++ {
		if x.ts[k].text != from {
			continue
		}
		last := k + 1
		if x.is(last, "outer") {
			last++
		}
		if x.is(last, "join") {
			return []string{x.swap(k, last, to)}
		}
	}
	return nil
}

// linkSubquery equates the person of the subquery with the person outside.
func linkSubquery(s *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	sel := -1
	for k := i; k+1 < len(x.ts); k++ {
		if x.is(k, "(", "select") {
			sel = k + 1
			break
		}
	}
	if sel < 2 {
		return nil
	}
	inner := x.selectAt(sel)
	outer, ok := x.selectAround(sel - 1)
	in, out := x.sources(s, inner), x.sources(s, outer)
	if !ok || len(in) == 0 || len(out) == 0 || in[0].table == nil || in[0].table.Public {
		return nil
	}
	unit, name := unitOf(s), in[0].name
	if name != out[0].name {
		return []string{x.condition(inner, name+"."+unit+" = "+out[0].name+"."+unit)}
	}
	y := newText(x.after(in[0].last, " AS own"))
	return []string{y.condition(y.selectAt(sel), "own."+unit+" = "+out[0].name+"."+unit)}
}

// extreme: x > ALL (SELECT y …) -> x > (SELECT max(y) …), and so on.
func extreme(s *plan.Schema, x text, i int, r *plan.Refusal) []string {
	for k := max(1, i-4); k+2 < len(x.ts); k++ {
		all := x.ts[k].text == "all"
		if !all && x.ts[k].text != "any" && x.ts[k].text != "some" || !x.is(k+1, "(", "select") {
			continue
		}
		less := x.ts[k-1].text == "<" || x.is(k-2, "<", "=")
		f := "max"
		if less == all {
			f = "min"
		}
		p := x.selectAt(k + 2)
		if p.from < 0 {
			return nil
		}
		y := x.swap(k, p.from, "(SELECT "+f+"("+x.between(k+3, p.from)+")")
		linked := linkSubquery(s, newText(y), k, r)
		return append(linked, y)
	}
	return nil
}
