package bind

import "carrel/anonymize/plan"

// scope is what names can mean: the scans so far, and for each the columns that USING has merged into an earlier one.
type scope struct {
	names  []string // folded alias or table name of each scan
	tables []*plan.Table
	merged []map[string]bool
}

func (b *binder) from(n map[string]any, depth int) {
	if b.err != nil {
		return
	}
	o := b.object(n, 0)
	if depth > maxDepth {
		b.fail("query-too-large", o.at)
		return
	}
	if !empty(o.raw("sample")) {
		b.failWord("sample", o.at, "tablesample", "using sample")
	}
	switch o.text("type") {
	case "BASE_TABLE":
		b.baseTable(o)
	case "JOIN":
		b.join(o, depth)
	case "EMPTY":
		b.fail("no-table", 0)
	case "SUBQUERY":
		b.fail("subquery", o.at)
	case "SHOW_REF":
		b.fail("select-only", 0)
	case "EXPRESSION_LIST":
		b.fail("no-table", 0)
	case "TABLE_FUNCTION":
		b.fail("table-function", o.at)
	default:
		b.fail("not-supported", o.at)
	}
}

func (b *binder) baseTable(o *object) {
	o.refuseUnlessEmpty("schema_name", "qualified-table")
	o.refuseUnlessEmpty("catalog_name", "qualified-table")
	o.refuseUnlessEmpty("column_name_alias", "column-alias-list")
	o.refuseUnlessEmpty("at_clause", "not-supported")
	name, alias := o.text("table_name"), o.text("alias")
	o.end()
	t := b.table(name)
	if t == nil {
		b.failNear("unknown-table", o.at, nearest(name, tableNames(b.schema)))
		return
	}
	known := fold(alias)
	if known == "" {
		known = fold(t.Name)
	}
	for _, n := range b.scope.names {
		if n == known {
			b.fail("duplicate-alias", o.at)
		}
	}
	b.scope.names = append(b.scope.names, known)
	b.scope.tables = append(b.scope.tables, t)
	b.scope.merged = append(b.scope.merged, map[string]bool{})
	b.spec.Scans = append(b.spec.Scans, plan.Scan{Table: t.Name, Alias: alias, Offset: o.at})
}

func (b *binder) table(name string) *plan.Table {
	for i := range b.schema.Tables {
		if fold(b.schema.Tables[i].Name) == fold(name) {
			return &b.schema.Tables[i]
		}
	}
	return nil
}

func (b *binder) join(o *object, depth int) {
	left, right := o.node("left"), o.node("right")
	kind := b.joinKind(o)
	using := o.list("using_columns")
	condition := o.optional("condition")
	o.noAlias()
	o.end()
	b.from(left, depth+1)
	if t, _ := right["type"].(string); t == "JOIN" {
		b.fail("nested-join", location(right))
	}
	b.from(right, depth+1)
	if b.err != nil {
		return
	}
	j := plan.Join{Kind: kind, Offset: o.at}
	switch {
	case condition != nil && len(using) == 0:
		j.On = b.on(condition, o.at, 0)
	case condition == nil && len(using) > 0:
		j.On = b.using(using, o.at)
	default:
		b.fail("join-without-condition", o.at)
	}
	b.spec.Joins = append(b.spec.Joins, j)
}

func (b *binder) joinKind(o *object) plan.JoinKind {
	switch o.text("ref_type") {
	case "REGULAR":
	case "CROSS":
		b.fail("cross-join", firstOf(location(o.m), location(asMap(o.m["right"]))))
	case "NATURAL":
		b.fail("natural-join", o.at)
	default:
		b.fail("join-kind", o.at)
	}
	switch o.text("join_type") {
	case "INNER":
		return plan.JoinInner
	case "LEFT":
		return plan.JoinLeft
	case "RIGHT":
		b.fail("right-join", o.at)
	case "FULL", "OUTER":
		b.fail("full-join", o.at)
	default:
		b.fail("join-kind", o.at)
	}
	return 0
}

func asMap(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func firstOf(a, b int) int {
	if a >= 0 {
		return a
	}
	return b
}

// on reads a conjunction of column equalities; anything else in ON has no stability bound here.
func (b *binder) on(n map[string]any, at, depth int) []plan.Equality {
	o := b.object(n, at)
	o.noAlias()
	if b.err != nil || depth > maxDepth {
		b.fail("query-too-large", o.at)
		return nil
	}
	switch o.text("type") {
	case "CONJUNCTION_AND":
		o.raw("class")
		var all []plan.Equality
		for _, c := range o.list("children") {
			all = append(all, b.on(asMap(c), o.at, depth+1)...)
		}
		o.end()
		return all
	case "COMPARE_EQUAL":
		o.raw("class")
		l, r := o.node("left"), o.node("right")
		o.end()
		if class(l) != "COLUMN_REF" || class(r) != "COLUMN_REF" {
			b.fail("join-condition", o.at)
			return nil
		}
		return []plan.Equality{{Left: b.column(l), Right: b.column(r), Offset: o.at}}
	default:
		b.fail("join-condition", o.at)
		return nil
	}
}

func (b *binder) using(names []any, at int) []plan.Equality {
	var all []plan.Equality
	right := len(b.scope.tables) - 1
	for _, v := range names {
		name, _ := v.(string)
		rc := columnOf(b.scope.tables[right], name)
		if rc == nil {
			b.failNear("unknown-column", at, nearest(name, columnNames(b.scope.tables[right])))
			return nil
		}
		left, ok := b.unqualified(name, right, at)
		if !ok {
			return nil
		}
		all = append(all, plan.Equality{Left: left, Right: plan.ColRef{Scan: right, Column: rc.Name, Offset: at}, Offset: at})
	}
	for _, e := range all {
		b.scope.merged[right][fold(e.Right.Column)] = true
	}
	return all
}

// column resolves a COLUMN_REF to a column of a scan.
func (b *binder) column(n map[string]any) plan.ColRef {
	o := b.object(n, -1)
	o.raw("class")
	o.raw("type")
	o.raw("alias")
	names := o.list("column_names")
	o.end()
	parts := make([]string, 0, 2)
	for _, v := range names {
		s, ok := v.(string)
		if !ok || len(names) > 2 {
			b.fail("qualified-column", o.at)
			return plan.ColRef{}
		}
		parts = append(parts, s)
	}
	switch len(parts) {
	case 1:
		ref, _ := b.unqualified(parts[0], len(b.scope.tables), o.at)
		return ref
	case 2:
		return b.qualified(parts[0], parts[1], o.at)
	}
	b.fail("not-supported", o.at)
	return plan.ColRef{}
}

func (b *binder) qualified(table, column string, at int) plan.ColRef {
	for i, n := range b.scope.names {
		if n != fold(table) {
			continue
		}
		if c := columnOf(b.scope.tables[i], column); c != nil {
			return plan.ColRef{Scan: i, Column: c.Name, Offset: at}
		}
		b.failNear("unknown-column", at, nearest(column, columnNames(b.scope.tables[i])))
		return plan.ColRef{}
	}
	b.failNear("unknown-table", at, nearest(table, b.scope.names))
	return plan.ColRef{}
}

// unqualified looks a bare name up in the first `among` scans. Two meanings refuse.
func (b *binder) unqualified(name string, among, at int) (plan.ColRef, bool) {
	var found []plan.ColRef
	var all []string
	for i, t := range b.scope.tables[:among] {
		c := columnOf(t, name)
		if c != nil && !b.scope.merged[i][fold(name)] {
			found = append(found, plan.ColRef{Scan: i, Column: c.Name, Offset: at})
		}
		all = append(all, columnNames(t)...)
	}
	switch len(found) {
	case 1:
		return found[0], true
	case 0:
		b.failNear("unknown-column", at, nearest(name, all))
	default:
		b.fail("ambiguous-column", at)
	}
	return plan.ColRef{}, false
}

// known says whether a bare name means a column, without refusing.
func (b *binder) known(name string) bool {
	for _, t := range b.scope.tables {
		if columnOf(t, name) != nil {
			return true
		}
	}
	return false
}

func columnOf(t *plan.Table, name string) *plan.Column {
	for i := range t.Columns {
		if fold(t.Columns[i].Name) == fold(name) {
			return &t.Columns[i]
		}
	}
	return nil
}

func columnNames(t *plan.Table) []string {
	var out []string
	for i := range t.Columns {
		out = append(out, t.Columns[i].Name)
	}
	return out
}

func tableNames(s *plan.Schema) []string {
	var out []string
	for i := range s.Tables {
		out = append(out, s.Tables[i].Name)
	}
	return out
}

// nearest is the name of the schema within edit distance 3 (and under half of its length), or "".
func nearest(name string, names []string) string {
	best, at := "", 4
	if len(name) > 64 {
		return ""
	}
	for _, n := range names {
		if d := distance(fold(name), fold(n)); d < at && 2*d <= len(n) {
			best, at = n, d
		}
	}
	return best
}

func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}

func class(n map[string]any) string {
	s, _ := n["class"].(string)
	return s
}
