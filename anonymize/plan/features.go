package plan

import (
	"cmp"
	"sort"
	"strconv"

	"carrel/anonymize/dp"
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
	Cuts     []Cut           `json:"cuts,omitempty"`
	Picks    []*Pick         `json:"-"` // for those who hold the lists of sensitive codes
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
	names := [...]string{"invalid", "count", "count-column", "count-persons", "sum", "avg", "count-values", "var-pop", "var-samp", "stddev-pop", "stddev-samp",
		"covar-pop", "covar-samp", "corr", "regr-slope", "regr-intercept", "quantile"}
	if int(k) >= len(names) {
		k = 0
	}
	return names[k]
}

// features lists every column of the schema that the answer depends on, wherever it stands: what shapes rows inside a relation counts
// as a filter, and what a relation's column is made of counts as what that column is used for.
func (b *builder) features() Features {
	f := Features{Dataset: b.schema.Dataset, Tables: b.tablesUsed(), Rows: b.m, Draws: b.drawn(), Cuts: b.cuts(), Picks: noted(b.picks)}
	for i := range b.parts {
		b.openPart(b.parts[i].keys)
		cells, private := b.cells()
		f.Cells, f.Private = max(f.Cells, cells), f.Private || private
	}
	kinds := map[string]bool{}
	for _, w := range b.spec.Wanted {
		kinds[w.Kind.String()] = true
	}
	for _, k := range b.all {
		for _, o := range k.at.col.origin {
			f.Keys = append(f.Keys, KeyFeature{o.table, o.column, k.public})
		}
	}
	for k := range kinds {
		f.Measures = append(f.Measures, k)
	}
	sort.Strings(f.Measures)
	f.Columns = b.columnFeatures()
	for _, c := range f.Columns {
		f.Level = max(f.Level, c.Level)
	}
	return f
}

func (b *builder) columnFeatures() []ColumnFeature {
	var out []ColumnFeature
	for i := range b.schema.Tables {
		t := &b.schema.Tables[i]
		for j := range t.Columns {
			c := &t.Columns[j]
			how := b.uses[source{t.Name, c.Name}]
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
	b.describeScans(add, 1)
	if b.coarse > 0 {
		add(1, "行内实数保留 "+n(int64(realScale-b.coarse))+" 位小数：声明的上下限不容更多", "real numbers inside a row keep "+n(int64(realScale-b.coarse))+" decimals: the declared bounds leave no room for more")
	}
	for _, k := range b.all {
		size := n(k.members())
		if k.public {
			add(1, "分组 "+k.name+"：公共取值 "+size+" 个，全部输出", "key "+k.name+": public domain of "+size+", every member is emitted")
		} else {
			add(1, "分组 "+k.name+"：非公共取值，按带噪行数筛选", "key "+k.name+": not a public domain, groups are selected by noised row count")
		}
	}
	var wants []dp.Want
	for _, p := range b.parts {
		wants = append(wants, p.wants...)
	}
	for _, w := range wants {
		add(1, "度量 "+w.Measure+"：删去一人，全部格子合计至多变化 "+n(w.Sensitivity)+"（存储整数）；"+n(w.Cells)+" 次加噪",
			"measure "+w.Measure+": deleting one person changes all cells together by at most "+n(w.Sensitivity)+" (stored integers); "+n(w.Cells)+" draws")
	}
	return out
}

// describeScans tells the tables, relations and joins of one SELECT.
func (b *builder) describeScans(add func(indent int, zh, en string), indent int) {
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	name := func(s *scan) string {
		if s.rel != nil {
			return "(SELECT)"
		}
		return s.table.Name
	}
	for i := range b.scans {
		s := &b.scans[i]
		switch {
		case s.table.Public:
			add(indent, "表 "+name(s)+"（公共）", "table "+name(s)+" (public)")
		case s.rel != nil:
			add(indent, "子查询：每人至多 "+n(s.m)+" 行，只依赖本人的记录", "subquery: at most "+n(s.m)+" rows of a person, from that person's rows alone")
			s.rel.describe(add, indent+1)
		default:
			add(indent, "表 "+name(s)+"：每人至多 "+n(s.m)+" 行（硬上限 "+n(s.table.MaxRows)+"："+cmp.Or(s.table.MaxRowsReasonZH, s.table.MaxRowsReason)+"）",
				"table "+name(s)+": at most "+n(s.m)+" rows of a person (hard cap "+n(s.table.MaxRows)+": "+s.table.MaxRowsReason+")")
		}
	}
	for _, e := range b.edges {
		t := name(&b.scans[e.scan])
		add(indent, "连接 "+t+"：每人至多 "+n(e.rows)+" 行；"+e.rule.ZH, "join "+t+": at most "+n(e.rows)+" rows of a person; "+e.rule.EN)
	}
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
