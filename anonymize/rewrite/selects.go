package rewrite

import (
	"slices"

	"carrel/anonymize/plan"
)

// part is one SELECT of the text: indices of tokens, -1 for a clause that is not there; end is the first token behind it.
type part struct {
	sel, from, where, group, having, qualify, order, limit, end int
}

// selectAround is the innermost SELECT that a token stands in.
func (x text) selectAround(i int) (part, bool) {
	best := part{sel: -1}
	for k, t := range x.ts {
		if k > i || t.text != "select" {
			continue
		}
		if p := x.selectAt(k); p.end > i && k > best.sel {
			best = p
		}
	}
	return best, best.sel >= 0
}

func (x text) selectAt(k int) part {
	p := part{sel: k, from: -1, where: -1, group: -1, having: -1, qualify: -1, order: -1, limit: -1, end: len(x.ts)}
	depth := x.ts[k].depth
	for i := k + 1; i < len(x.ts); i++ {
		t := x.ts[i]
		if t.depth < depth || t.depth == depth && slices.Contains([]string{"union", "except", "intersect", ";"}, t.text) {
			p.end = i
			break
		}
		if t.depth != depth {
			continue
		}
		for word, clause := range map[string]*int{"from": &p.from, "where": &p.where, "group": &p.group, "having": &p.having, "qualify": &p.qualify, "order": &p.order, "limit": &p.limit} {
			if t.text == word && *clause < 0 {
				*clause = i
			}
		}
	}
	return p
}

// next is the first clause behind token i, or the end.
func (p part) next(i int) int {
	out := p.end
	for _, c := range []int{p.from, p.where, p.group, p.having, p.qualify, p.order, p.limit} {
		if c > i && c < out {
			out = c
		}
	}
	return out
}

// source is a table of a FROM with the name that columns of it go by; table is nil for a subquery.
type source struct {
	table *plan.Table
	name  string
	first int // its token
	last  int
}

// sources are the tables of a SELECT's FROM in order.
func (x text) sources(s *plan.Schema, p part) []source {
	var out []source
	if p.from < 0 {
		return nil
	}
	end, depth := p.next(p.from), x.ts[p.from].depth
	for i := p.from + 1; i < end; i++ {
		if x.ts[i].depth != depth || i > p.from+1 && x.ts[i-1].text != "join" && x.ts[i-1].text != "," {
			continue
		}
		out = append(out, x.source(s, i, end))
	}
	return out
}

func (x text) source(s *plan.Schema, i, end int) source {
	one := source{first: i, last: i, name: x.ts[i].text}
	if x.ts[i].text == "(" {
		if one.last = x.closing(i); one.last < 0 {
			one.last = i
		}
	} else {
		one.table = tableOf(s, one.name)
	}
	k := one.last + 1
	if x.is(k, "as") {
		k++
	}
	if k < end && x.ts[k].word() && !keyword(x.ts[k].text) {
		one.name, one.last = x.ts[k].text, k
	}
	return one
}

func keyword(w string) bool {
	return slices.Contains([]string{"on", "using", "join", "inner", "left", "right", "full", "cross", "natural", "asof", "anti", "semi", "positional", "where", "group", "having", "order",
		"limit", "qualify", "union", "except", "intersect", "window", "tablesample", "fetch", "offset"}, w)
}

func tableOf(s *plan.Schema, name string) *plan.Table {
	for i := range s.Tables {
		if s.Tables[i].Name == name {
			return &s.Tables[i]
		}
	}
	return nil
}

func columnOf(t *plan.Table, name string) *plan.Column {
	if t == nil {
		return nil
	}
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

// unitOf is the name of the unit column in a schema.
func unitOf(s *plan.Schema) string {
	for i := range s.Tables {
		if s.Tables[i].Unit != "" {
			return s.Tables[i].Unit
		}
	}
	return ""
}

// units are the ways to write the person in a SELECT: alone where one table has it, else by the first private table.
func (x text) units(s *plan.Schema, p part) []string {
	unit := unitOf(s)
	private := slices.DeleteFunc(x.sources(s, p), func(o source) bool { return o.table != nil && o.table.Public })
	if len(private) < 2 {
		return []string{unit}
	}
	return []string{unit, private[0].name + "." + unit}
}

// condition adds a condition to a SELECT.
func (x text) condition(p part, c string) string {
	if p.where < 0 {
		k := p.next(p.from)
		return x.after(k-1, " WHERE "+c)
	}
	k := p.next(p.where)
	return x.swap(p.where+1, k, "("+x.between(p.where+1, k)+") AND "+c)
}
