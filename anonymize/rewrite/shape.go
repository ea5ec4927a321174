package rewrite

import (
	"strings"

	"carrel/anonymize/plan"
)

// partition puts the person into a window.
func partition(s *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	p, ok := x.selectAround(i)
	if !ok {
		return nil
	}
	open := -1
	for k := i; k+1 < p.end && open < 0; k++ {
		if x.is(k, "over", "(") {
			open = k + 1
		} else if x.ts[k].text == "over" {
			open = x.namedWindow(p, x.ts[k+1].text)
			break
		}
	}
	if open < 0 {
		return nil
	}
	var out []string
	for _, unit := range x.units(s, p) {
		if x.is(open+1, "partition", "by") {
			out = append(out, x.after(open+2, " "+unit+","))
		} else if x.is(open+1, ")") {
			out = append(out, x.after(open, "PARTITION BY "+unit))
		} else {
			out = append(out, x.after(open, "PARTITION BY "+unit+" "))
		}
	}
	return out
}

func (x text) namedWindow(p part, name string) int {
	for k := p.sel; k+2 < p.end; k++ {
		if x.is(k, name, "as", "(") {
			return k + 2
		}
	}
	return -1
}

func fullFrame(_ *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	for k := i; k+1 < len(x.ts); k++ {
		if x.is(k, "over", "(") && x.closing(k+1) > 0 {
			return []string{x.before(x.closing(k+1), " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING")}
		}
	}
	return nil
}

func distinctOn(s *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	p, ok := x.selectAround(i)
	switch {
	case !ok:
		return nil
	case x.is(p.sel+1, "distinct", "on", "("):
		return []string{x.after(p.sel+3, unitOf(s)+", ")}
	case x.is(p.sel+1, "distinct"):
		return []string{x.after(p.sel+1, " "+unitOf(s)+",")}
	}
	return nil
}

func groupByPerson(s *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	p, ok := x.selectAround(i)
	if !ok || p.from < 0 {
		return nil
	}
	var out []string
	for _, unit := range x.units(s, p) {
		if p.group < 0 {
			out = append(out, x.after(max(p.next(p.where), p.next(p.from))-1, " GROUP BY "+unit))
		} else if x.is(p.group+1, "by", "(", ")") {
			out = append(out, x.swap(p.group+2, p.group+4, unit))
		} else {
			out = append(out, x.after(p.group+1, " "+unit+","))
		}
	}
	return out
}

// qualifyLimit: ORDER BY x LIMIT n in a subquery -> the first n rows of each person.
func qualifyLimit(s *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	p, ok := x.selectAround(i)
	if !ok || p.order < 0 || p.limit < p.order || p.qualify >= 0 || p.limit+2 != p.end {
		return nil
	}
	n := x.ts[p.limit+1].text
	return []string{x.swap(p.order, p.end, "QUALIFY row_number() OVER (PARTITION BY "+unitOf(s)+" "+x.between(p.order, p.limit)+") <= "+n)}
}

// ordered gives first, last and any_value the order of a date.
func ordered(s *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	p, ok := x.selectAround(i)
	if !ok {
		return nil
	}
	for k := i; k+1 < p.end; k++ {
		f := x.ts[k].text
		if f != "first" && f != "last" && f != "any_value" && f != "arbitrary" || !x.is(k+1, "(") || x.closing(k+1) < 0 {
			continue
		}
		end := x.closing(k + 1)
		var out []string
		for _, o := range x.sources(s, p) {
			if o.table == nil {
				continue
			}
			for _, c := range o.table.Columns {
				if c.Kind == plan.KindDate {
					if f != "last" {
						f = "first"
					}
					return []string{x.swap(k, end+1, f+"("+x.between(k+2, end)+" ORDER BY "+o.name+"."+c.Name+")")}
				}
			}
		}
		return append(out, x.swap(k, end+1, "min("+x.between(k+2, end)+")"))
	}
	return nil
}

// setOperation: EXCEPT and INTERSECT of persons as NOT IN and IN.
func setOperation(s *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	for k := max(1, i-2); k+1 < len(x.ts); k++ {
		word := map[string]string{"except": " NOT IN (", "intersect": " IN ("}[x.ts[k].text]
		if word == "" || !x.is(k+1, "select") {
			continue
		}
		left, ok := x.selectAround(k - 1)
		right := x.selectAt(k + 1)
		unit := unitOf(s)
		if !ok || left.group >= 0 || !x.is(left.sel+1, unit, "from") || !x.is(right.sel+1, unit, "from") {
			return nil
		}
		y := newText(x.swap(k, right.end, ""))
		return []string{y.condition(y.selectAt(left.sel), unit+word+x.between(right.sel, right.end)+")")}
	}
	return nil
}

// overPersons: a number for each person -> how many persons have each number, or its mean.
func overPersons(s *plan.Schema, x text, _ int, _ *plan.Refusal) []string {
	if !x.is(0, "select") {
		return nil
	}
	p, unit := x.selectAt(0), unitOf(s)
	if p.from < 0 || p.group < 0 || p.order >= 0 || p.limit >= 0 || p.having >= 0 || p.end != len(x.ts) || !x.is(p.group, "group", "by", unit) || p.end != p.group+3 {
		return nil
	}
	items := x.splits(1, p.from)
	if len(items) != 2 || !strings.EqualFold(items[0], unit) {
		return nil
	}
	body := "(SELECT " + unit + ", " + valueOf(items[1]) + " AS n " + x.between(p.from, p.end) + ") t"
	if strings.HasPrefix(strings.ToLower(items[1]), "count(") {
		return []string{"SELECT n, count(*) AS persons FROM " + body + " GROUP BY n"}
	}
	return []string{"SELECT avg(n) FROM " + body}
}

// valueOf is an item of a select list without its alias.
func valueOf(item string) string {
	x := newText(item)
	for i, t := range x.ts {
		if t.depth == 0 && i > 0 && t.word() && x.ts[i-1].text == ")" {
			return x.between(0, i)
		}
	}
	return item
}

func countDistinct(_ *plan.Schema, x text, _ int, _ *plan.Refusal) []string {
	if !x.is(0, "select", "distinct") {
		return nil
	}
	p := x.selectAt(0)
	if p.from < 0 || p.group >= 0 {
		return nil
	}
	list := x.between(2, p.from)
	k := max(p.next(p.where), p.next(p.from))
	return []string{"SELECT " + list + ", count(*) " + x.between(p.from, k) + " GROUP BY " + list + x.sql[x.ts[k-1].end:]}
}

func addCount(_ *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	p, ok := x.selectAround(i)
	switch {
	case !ok || p.from < 0 || x.is(p.sel-2, "exists"): // a count is always there
		return nil
	case p.group >= 0:
		return []string{x.after(p.from-1, ", count(*)")}
	}
	return []string{x.swap(p.sel+1, p.from, "count(*)")}
}

func addKey(_ *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	p, ok := x.selectAround(i)
	if !ok || i > p.from {
		return nil
	}
	k := i + 1
	for x.is(k, ".") {
		k += 2
	}
	key := x.between(i, k)
	if p.group >= 0 {
		return []string{x.after(p.next(p.group)-1, ", "+key)}
	}
	return []string{x.after(max(p.next(p.where), p.next(p.from))-1, " GROUP BY "+key)}
}

// roundKey: an amount as a key is rounded to thousands, hundreds or tens.
func roundKey(_ *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	p, ok := x.selectAround(i)
	if !ok || p.group < 0 {
		return nil
	}
	key := x.ts[i].text
	var out []string
	for _, digits := range []string{"-1", "-2", "-3"} {
		y := x.sql
		for k := p.end - 1; k > p.sel; k-- {
			if x.ts[k].text == key && x.ts[k].depth == x.ts[p.sel].depth && !x.is(k-1, ".") {
				y = y[:x.ts[k].start] + "round(" + key + ", " + digits + ")" + y[x.ts[k].end:]
			}
		}
		out = append(out, y)
	}
	return out
}

func moveToHaving(_ *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	p, ok := x.selectAround(i)
	if !ok || p.where < 0 || p.group < p.where || p.having >= 0 {
		return nil
	}
	for k := p.where; k < p.group; k++ {
		if x.ts[k].text == "and" || x.ts[k].text == "or" {
			return nil
		}
	}
	c := x.between(p.where+1, p.group)
	y := newText(x.after(p.next(p.group)-1, " HAVING "+c))
	return []string{y.sql[:y.ts[p.where].start] + y.sql[y.ts[p.group].start:]}
}

func dropQualifier(_ *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	k := i
	for x.is(k+1, ".") {
		k += 2
	}
	if k == i || k >= len(x.ts) {
		return nil
	}
	return []string{x.swap(i, k+1, x.ts[k].text)}
}

func firstStatement(_ *plan.Schema, x text, _ int, _ *plan.Refusal) []string {
	for k, t := range x.ts {
		if t.text == ";" && k > 0 {
			return []string{x.sql[:t.start]}
		}
	}
	return nil
}

func dropSample(_ *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	for k := max(0, i-1); k < len(x.ts); k++ {
		if !x.is(k, "using", "sample") && x.ts[k].text != "tablesample" {
			continue
		}
		end, depth := k+1, x.ts[k].depth
		for end < len(x.ts) && (x.ts[end].depth > depth || x.ts[end].depth == depth && (end == k+1 || !keyword(x.ts[end].text) && x.ts[end].text != ",")) {
			end++
		}
		return []string{strings.TrimRight(x.sql[:x.ts[k].start], " ") + x.sql[x.ts[end-1].end:]}
	}
	return nil
}
