package plan

import (
	"sort"
	"strconv"
	"strings"
)

// union is UNION ALL: the rows of a person add up. Columns go by place and take the hull of what the branches hold.
func (b *builder) union(r *Relation) *relation {
	if len(r.Union) > 16 {
		b.fail("query-too-large", r.Offset)
		return nil
	}
	out := &relation{table: &Table{Unit: "u"}, at: map[string]int{}}
	var branches []*relation
	keys := 0
	for i := range r.Union {
		br := b.relation(&r.Union[i])
		if b.err != nil {
			return nil
		}
		if br.table.Public || len(r.Union[i].Columns) != len(r.Union[0].Columns) {
			b.fail("union-columns", r.Union[i].Offset)
			return nil
		}
		branches = append(branches, br)
		out.below = append(out.below, br.below...)
		out.table.MaxRows += br.table.MaxRows
		out.cap = max(out.cap, br.cap)
		keys = max(keys, len(br.order))
	}
	if out.table.MaxRows > maxRowsCap {
		b.fail("too-many-rows", r.Offset)
		return nil
	}
	return b.unionColumns(r, out, branches, keys)
}

func (b *builder) unionColumns(r *Relation, out *relation, branches []*relation, keys int) *relation {
	out.table.Columns = append(make([]Column, 0, len(r.Union[0].Columns)+1), branches[0].table.Columns[0])
	lists := make([][]*term, len(branches))
	for i := range branches {
		lists[i] = []*term{{format: "u"}}
	}
	for j, spec := range r.Union[0].Columns {
		var vs []value
		for i, br := range branches {
			col := &br.table.Columns[br.at[r.Union[i].Columns[j].Name]]
			vs = append(vs, value{t: &term{format: "CAST(" + col.Name + " AS BIGINT)", told: col.told}, col: col})
		}
		if _, twice := out.at[spec.Name]; twice || spec.Name == "" {
			b.fail("duplicate-column", spec.Offset)
			return nil
		}
		if vs[0].col.Kind == KindUnit && !vs[0].col.Nullable {
			out.at[spec.Name] = 0
			for i, v := range vs {
				if v.col.Kind != KindUnit || v.col.Nullable {
					b.fail("union-columns", r.Union[i].Offset)
					return nil
				}
			}
			continue
		}
		typed, col := b.unionColumn(vs, spec.Offset)
		if b.err != nil {
			return nil
		}
		col.Name = "c" + strconv.Itoa(len(out.table.Columns)-1)
		out.at[spec.Name] = len(out.table.Columns)
		out.table.Columns = append(out.table.Columns, *col)
		for i := range typed {
			lists[i] = append(lists[i], typed[i].t)
		}
	}
	if r.Distinct && !out.showsUnit() {
		b.fail("distinct-without-person", r.Offset)
		return nil
	}
	if r.Distinct {
		for i := range out.table.Columns {
			b.usedOrigin(out.table.Columns[i].origin, "filter")
		}
		b.boundDistinct(out)
		keys = len(out.table.Columns) - 1
	} else {
		keys++
	}
	for i := range keys {
		out.order = append(out.order, &Column{Name: "o" + strconv.Itoa(i), Kind: KindInt})
	}
	b.tellUnion(r, out, branches, lists)
	out.write = func(ordered bool) string { return b.writeUnion(r, out, branches, lists, ordered) }
	return out
}

// boundDistinct: different rows are at most as many as the columns' domains have combinations.
func (b *builder) boundDistinct(out *relation) {
	n := int64(1)
	for i := range out.table.Columns[1:] {
		n = mul(n, forms(&out.table.Columns[i+1]))
	}
	out.table.MaxRows = min(out.table.MaxRows, n)
	out.table.unique = append(out.table.unique, out.table.columnNames())
}

// unionColumn gives one column of the branches one kind. Row keys stay comparable only when all are of the same column.
func (b *builder) unionColumn(vs []value, at int) ([]value, *Column) {
	opaque := false
	for _, v := range vs {
		opaque = opaque || v.col.Kind == KindUnit || v.col.Kind == KindKey
	}
	if opaque {
		for _, v := range vs {
			if v.col.Kind != vs[0].col.Kind || !comparable(v.col, vs[0].col) {
				b.fail("mixed-kinds", at)
				return nil, nil
			}
		}
		c := *vs[0].col
		for _, v := range vs {
			c.Nullable = c.Nullable || v.col.Nullable
		}
		return vs, &c
	}
	typed, col := b.unify(vs, at)
	if b.err != nil {
		return nil, nil
	}
	for i := range typed {
		col.Nullable = col.Nullable || typed[i].col.Nullable
		col.origin = append(col.origin, typed[i].col.origin...)
	}
	return typed, col
}

func (b *builder) writeUnion(r *Relation, out *relation, branches []*relation, lists [][]*term, ordered bool) string {
	var parts []string
	for i, br := range branches {
		list := []string{"u"}
		for j, t := range lists[i][1:] {
			list = append(list, "CAST("+b.write(t, b.plainName)+" AS BIGINT) AS c"+strconv.Itoa(j))
		}
		if ordered && !r.Distinct {
			list = append(list, strconv.Itoa(i)+" AS o0")
			for k := 1; k < len(out.order); k++ {
				key := "NULL"
				if k-1 < len(br.order) {
					key = br.order[k-1].Name
				}
				list = append(list, "CAST("+key+" AS BIGINT) AS o"+strconv.Itoa(k))
			}
		}
		parts = append(parts, "SELECT "+strings.Join(list, ", ")+" FROM ("+br.write(ordered && !r.Distinct)+") AS v"+strconv.Itoa(i))
	}
	if !r.Distinct {
		return strings.Join(parts, " UNION ALL ")
	}
	s := strings.Join(parts, " UNION ")
	if !ordered {
		return s
	}
	list := "*"
	for i := range out.order {
		list += ", c" + strconv.Itoa(i) + " AS o" + strconv.Itoa(i)
	}
	return "SELECT " + list + " FROM (" + s + ") AS w"
}

// used notes what a condition or values read, for the features that policy judges.
func (b *builder) used(vs []value, c *cond, how string) {
	for _, v := range vs {
		if v.col != nil {
			b.usedOrigin(v.col.origin, how)
		}
	}
	b.condLeaves(c, func(r ref) { b.usedOrigin(r.col.origin, how) })
}

func (b *builder) usedTerms(parts []*term, order []sortTerm) {
	for _, p := range parts {
		b.termLeaves(p, func(r ref) { b.usedOrigin(r.col.origin, "filter") })
	}
	for _, s := range order {
		b.usedOrigin(s.origin, "filter")
	}
}

func (b *builder) usedOrigin(origin []source, how string) {
	for _, o := range origin {
		if b.uses[o] == nil {
			b.uses[o] = map[string]bool{}
		}
		b.uses[o][how] = true
	}
}

func (b *builder) tablesUsed() []string {
	var out []string
	for t := range b.tables {
		out = append(out, t)
	}
	sort.Strings(out)
	return out
}
