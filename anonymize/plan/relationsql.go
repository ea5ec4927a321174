package plan

import "strings"

func (b *builder) writeRelation(r *Relation, out *relation, values []value, qualify *cond, p *pick, ordered bool) string {
	var list []string
	for i, v := range values {
		list = append(list, b.write(v.t, b.plainName)+" AS "+out.table.Columns[i].Name)
	}
	if ordered {
		for i, t := range b.orderValues(r, values) {
			list = append(list, b.write(t, b.plainName)+" AS "+out.order[i].Name)
		}
	}
	var s strings.Builder
	s.WriteString("SELECT ")
	if r.Distinct {
		s.WriteString("DISTINCT ")
	}
	s.WriteString(strings.Join(list, ", ") + b.fromWhere(nil))
	if b.group != nil {
		s.WriteString(" GROUP BY " + b.plainName(b.unit(b.root)))
		for _, v := range b.groupBy {
			s.WriteString(", " + groupItem(b.write(v.t, b.plainName)))
		}
	}
	if b.having != nil {
		s.WriteString(" HAVING " + b.condition(b.having, true, b.plainName))
	}
	switch {
	case qualify != nil:
		s.WriteString(" QUALIFY " + b.condition(qualify, true, b.plainName))
	case p != nil:
		s.WriteString(" QUALIFY " + b.first(p))
	}
	return s.String()
}

// first keeps one row of each group of DISTINCT ON.
func (b *builder) first(p *pick) string {
	parts := []string{b.plainName(b.unit(b.root))}
	parts = append(parts, b.texts(p.on)...)
	var by []string
	for _, s := range p.order {
		by = append(by, strings.Replace(s.text(0), hole(0), b.write(s.t, b.plainName), 1))
	}
	return b.atMost("row_number() OVER (PARTITION BY "+strings.Join(parts, ", ")+orderBy(by)+")", 1)
}

// orderBy is empty when nothing sorts: a person has one row then.
func orderBy(by []string) string {
	if len(by) == 0 {
		return ""
	}
	return " ORDER BY " + strings.Join(by, ", ")
}
