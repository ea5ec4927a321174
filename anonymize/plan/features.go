package plan

import (
	"sort"
	"strconv"
)

// Features is what policy and reviewers may know of a plan: names and sizes from text and schema, nothing from the data.
type Features struct {
	Dataset  string          `json:"dataset"`
	Tables   []string        `json:"tables"`
	Columns  []ColumnFeature `json:"columns"`
	Measures []string        `json:"measures"` // kinds: count, count-column, count-persons, sum, avg
	Keys     []KeyFeature    `json:"keys"`
	Level    int             `json:"level"` // the highest data level of a column used
	Rows     int64           `json:"rows_per_person"`
	Cells    int64           `json:"cells"`
	Draws    int64           `json:"draws"`
	Private  bool            `json:"private_selection"`
}

// ColumnFeature says where a column is used: measure, filter, join, key, in this order.
type ColumnFeature struct {
	Table  string   `json:"table"`
	Column string   `json:"column"`
	Public bool     `json:"public"` // of a public table
	Role   Role     `json:"role"`
	Level  int      `json:"level"`
	Uses   []string `json:"uses"`
}

// KeyFeature names a key and whether its whole domain is emitted.
type KeyFeature struct {
	Table  string `json:"table"`
	Column string `json:"column"`
	Public bool   `json:"public"`
}

func (k MeasureKind) String() string {
	if k < CountRows || k > Avg {
		return "invalid"
	}
	return [...]string{"", "count", "count-column", "count-persons", "sum", "avg"}[k]
}

func (b *builder) features() Features {
	cells, private := b.cells()
	f := Features{Dataset: b.schema.Dataset, Rows: b.m, Cells: cells, Draws: mul(cells, int64(len(b.wants))), Private: private}
	uses := map[[2]string]map[string]bool{}
	use := func(r ref, how string) {
		k := [2]string{b.scans[r.scan].table.Name, r.col.Name}
		if uses[k] == nil {
			uses[k] = map[string]bool{}
		}
		uses[k][how] = true
	}
	kinds := map[string]bool{}
	for _, w := range b.spec.Wanted {
		kinds[w.Kind.String()] = true
		if w.Kind != CountRows {
			if r, ok := b.resolve(w.Col); ok {
				use(r, "measure")
			}
		}
	}
	b.where.visit(func(r ref) { use(r, "filter") })
	for _, j := range b.spec.Joins {
		for _, q := range b.equalities(&j) {
			use(q.left, "join")
			use(q.right, "join")
		}
	}
	for _, k := range b.keys {
		use(k.at, "key")
		f.Keys = append(f.Keys, KeyFeature{b.scans[k.at.scan].table.Name, k.at.col.Name, k.public})
	}
	for k := range kinds {
		f.Measures = append(f.Measures, k)
	}
	sort.Strings(f.Measures)
	f.Columns = b.columnFeatures(uses)
	for _, c := range f.Columns {
		f.Level = max(f.Level, c.Level)
	}
	seen := map[string]bool{}
	for _, s := range b.scans {
		if !seen[s.table.Name] {
			seen[s.table.Name] = true
			f.Tables = append(f.Tables, s.table.Name)
		}
	}
	sort.Strings(f.Tables)
	return f
}

func (b *builder) columnFeatures(uses map[[2]string]map[string]bool) []ColumnFeature {
	var out []ColumnFeature
	for i := range b.schema.Tables {
		t := &b.schema.Tables[i]
		for j := range t.Columns {
			c := &t.Columns[j]
			how := uses[[2]string{t.Name, c.Name}]
			if how == nil {
				continue
			}
			f := ColumnFeature{Table: t.Name, Column: c.Name, Public: t.Public, Role: c.Role, Level: c.Level}
			for _, u := range []string{"measure", "filter", "join", "key"} {
				if how[u] {
					f.Uses = append(f.Uses, u)
				}
			}
			out = append(out, f)
		}
	}
	sort.Slice(out, func(i, j int) bool {
		return out[i].Table+"."+out[i].Column < out[j].Table+"."+out[j].Column
	})
	return out
}

// visit calls f for every column of a condition.
func (c *cond) visit(f func(ref)) {
	if c == nil {
		return
	}
	switch c.op {
	case condSet:
		f(c.at)
	case condCols:
		f(c.at)
		f(c.other)
	default: // only leaves name columns
	}
	for _, a := range c.args {
		a.visit(f)
	}
}

// line is one line of the described plan.
type line struct {
	indent int
	text   Text
}

func (b *builder) describe() []line {
	var out []line
	add := func(indent int, zh, en string) { out = append(out, line{indent, Text{zh, en}}) }
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	add(0, "每人至多 "+n(b.m)+" 行进入统计", "at most "+n(b.m)+" rows of a person reach the measures")
	if b.ranked {
		add(1, "连接结果按人重新编号并截断", "joined rows are numbered again inside the person and cut")
	}
	for _, s := range b.scans {
		if s.table.Public {
			add(1, "表 "+s.table.Name+"（公共）", "table "+s.table.Name+" (public)")
			continue
		}
		add(1, "表 "+s.table.Name+"：每人至多 "+n(s.m)+" 行（硬上限 "+n(s.table.MaxRows)+"："+s.table.MaxRowsReason+"）",
			"table "+s.table.Name+": at most "+n(s.m)+" rows of a person (hard cap "+n(s.table.MaxRows)+": "+s.table.MaxRowsReason+")")
	}
	for _, e := range b.edges {
		t := b.scans[e.scan].table.Name
		add(1, "连接 "+t+"：每人至多 "+n(e.rows)+" 行；"+e.rule.ZH, "join "+t+": at most "+n(e.rows)+" rows of a person; "+e.rule.EN)
	}
	for _, k := range b.keys {
		size := n(k.dom.hi - k.dom.lo + 1)
		if k.public {
			add(1, "分组 "+k.name+"：公共取值 "+size+" 个，全部输出", "key "+k.name+": public domain of "+size+", every member is emitted")
		} else {
			add(1, "分组 "+k.name+"：非公共取值，按带噪行数筛选", "key "+k.name+": not a public domain, groups are selected by noised row count")
		}
	}
	for _, w := range b.wants {
		add(1, "度量 "+w.Measure+"：删去一人，全部格子合计至多变化 "+n(w.Sensitivity)+"（存储整数）；"+n(w.Cells)+" 次加噪",
			"measure "+w.Measure+": deleting one person changes all cells together by at most "+n(w.Sensitivity)+" (stored integers); "+n(w.Cells)+" draws")
	}
	return out
}

// Describe is the plan as an indented text, in "zh" or "en", for explain.
func (p *Plan) Describe(lang string) string {
	s := ""
	for _, l := range p.tree {
		for range l.indent {
			s += "  "
		}
		s += l.text.In(lang) + "\n"
	}
	return s
}
