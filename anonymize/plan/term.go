package plan

import (
	"slices"
	"strconv"
	"strings"
)

// term is SQL of one value of a row: a column, or a format of ours over other terms and conditions. A format holds our own words
// and integers; $0 … $99 stand for args and ?0 … ?99 for conds, each followed by ';'. No byte of the researcher's text is in it.
type term struct {
	at     ref // when format is ""
	format string
	args   []*term
	conds  []*cond
	sub    *subquery // a scalar subquery, when set
	codes  []int64   // of a map of codes: the image of args[0] = 0, 1, …, noCode for NULL
	over   bool      // a window function
	uses   []argUse  // what is done with each of args, as far as it is less than anything
	told   *lineage  // what it carries, of a term whose format reads a relation or a subquery
}

// windowed says that a term holds a window function.
func (b *builder) windowed(t *term) bool {
	if t.sub != nil {
		return false
	}
	if t.format == "" {
		inner := b.computed(t.at)
		return inner != nil && b.windowed(inner)
	}
	found := t.over
	for _, a := range t.args {
		found = found || b.windowed(a)
	}
	for _, c := range t.conds {
		found = found || b.windowedCond(c)
	}
	return found
}

func (b *builder) windowedCond(c *cond) bool {
	found := false
	switch c.op {
	case condSet:
		found = b.windowed(&term{at: c.at})
	case condCols:
		found = b.windowed(&term{at: c.at}) || b.windowed(&term{at: c.other})
	default: // subqueries have windows of their own
	}
	for _, a := range c.args {
		found = found || b.windowedCond(a)
	}
	return found
}

// asks says that a term holds a subquery.
func (b *builder) asks(t *term) bool {
	if t.sub != nil {
		return true
	}
	if t.format == "" {
		inner := b.computed(t.at)
		return inner != nil && b.asks(inner)
	}
	return slices.ContainsFunc(t.args, b.asks) || slices.ContainsFunc(t.conds, b.asksCond)
}

func (b *builder) asksCond(c *cond) bool {
	return c.op == condSub || c.at.col != nil && b.asks(&term{at: c.at}) || c.other.col != nil && b.asks(&term{at: c.other}) || slices.ContainsFunc(c.args, b.asksCond)
}

// fixed says that a term reads no row: it is a constant.
func (t *term) fixed() bool {
	return t.sub == nil && t.format != "" && len(t.args)+len(t.conds) == 0
}

// namer writes a column of a scan; the measure step over re-ranked rows writes what the subquery carries instead.
type namer func(ref) string

// write renders a term.
func (b *builder) write(t *term, name namer) string {
	if t.sub != nil {
		return t.sub.write(name, false)
	}
	if t.format == "" {
		return b.writeRef(t.at, name)
	}
	var s strings.Builder
	for i := 0; i < len(t.format); {
		c := t.format[i]
		if c != '$' && c != '?' {
			s.WriteByte(c)
			i++
			continue
		}
		end := i + strings.IndexByte(t.format[i:], ';')
		n, _ := strconv.Atoi(t.format[i+1 : end])
		if c == '$' {
			s.WriteString(b.write(t.args[n], name))
		} else {
			s.WriteString(b.condition(t.conds[n], false, name))
		}
		i = end + 1
	}
	return s.String()
}

func (b *builder) writeRef(r ref, name namer) string {
	if t := b.computed(r); t != nil {
		return b.write(t, name)
	}
	return name(r)
}

// hole is the placeholder of an argument, and conditional one of a condition.
func hole(i int) string        { return "$" + strconv.Itoa(i) + ";" }
func conditional(i int) string { return "?" + strconv.Itoa(i) + ";" }

// computed is the term behind a ref that is no column of a scan.
func (b *builder) computed(r ref) *term {
	if r.scan >= 0 {
		return nil
	}
	return b.at(r.depth).terms[r.col]
}

// at is the builder of a depth: this one or one around it.
func (b *builder) at(depth int) *builder {
	for b.depth > depth {
		b = b.parent
	}
	return b
}

// leaves calls f for every column of a scan that a ref or term reads.
func (b *builder) leaves(r ref, f func(ref)) {
	if t := b.computed(r); t != nil {
		b.termLeaves(t, f)
		return
	}
	f(r)
}

func (b *builder) termLeaves(t *term, f func(ref)) {
	if t.sub != nil {
		for _, r := range t.sub.outer {
			b.leaves(r, f)
		}
		return
	}
	if t.format == "" {
		b.leaves(t.at, f)
		return
	}
	for _, a := range t.args {
		b.termLeaves(a, f)
	}
	for _, c := range t.conds {
		b.condLeaves(c, f)
	}
}

// condLeaves calls f for every column that a condition reads, those inside its subqueries that belong to this SELECT included.
func (b *builder) condLeaves(c *cond, f func(ref)) {
	if c == nil {
		return
	}
	switch c.op {
	case condSet:
		b.leaves(c.at, f)
	case condCols:
		b.leaves(c.at, f)
		b.leaves(c.other, f)
	case condSub:
		for _, r := range c.sub.outer {
			b.leaves(r, f)
		}
	default: // only leaves read columns
	}
	for _, a := range c.args {
		b.condLeaves(a, f)
	}
}

// intern makes a ref of a value, so that conditions, keys and measures treat it like a column. Equal terms are one ref.
func (b *builder) intern(v value) ref {
	if v.t.format == "" {
		return v.t.at
	}
	key := b.write(v.t, b.plainName)
	switch { // one text computes code 0 of two dictionaries, and x·10 as well as x with one decimal more
	case v.col.Kind == KindCode:
		key += " in " + v.col.Codes
	case v.col.Scale > 0:
		key += " / 1e" + strconv.Itoa(v.col.Scale)
	}
	if r, ok := b.interned[key]; ok {
		return r
	}
	col := *v.col
	col.Name = key
	r := ref{depth: b.depth, scan: -1, col: &col}
	b.terms[&col] = v.t
	b.interned[key] = r
	return r
}
