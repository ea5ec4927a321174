package profile

import (
	"cmp"
	"strconv"
	"strings"

	"carrel/anonymize/identifier"
)

// keyName says that a name is one of a key.
func keyName(name string) bool {
	w := words(name)
	for _, end := range [...]string{"id ", " no ", " nbr ", " number ", " key ", " uid ", " uuid "} {
		if strings.HasSuffix(w, end) {
			return true
		}
	}
	for _, zh := range [...]string{"编号", "序号", "主键", "流水号", "号", "标识"} {
		if strings.HasSuffix(name, zh) {
			return true
		}
	}
	return false
}

// relate finds which tables' rows other tables name, and then proposes steps: what a key becomes depends on whose it is.
func relate(tables []Table, dataset string) {
	owner := map[string]*Table{}
	for i := range tables {
		for _, c := range tables[i].Columns {
			generic := words(c.Name) == " id " || words(c.Name) == " row id "
			if c.What == RowKey && !generic && owner[c.Name] == nil {
				owner[c.Name] = &tables[i]
			}
		}
	}
	used := map[*Table]string{}
	for i := range tables {
		t := &tables[i]
		for j := range t.Columns {
			c := &t.Columns[j]
			o := owner[c.Name]
			if o == nil || o == t || c.Name == t.Person || c.What == Identifier || c.What == Staff || c.What == Empty || !c.refers(o) {
				continue
			}
			c.What, c.keys, c.By, c.Level, c.SafeHarbor, c.Quasi = Reference, o.Name, "both", 3, "R", false
			if used[o] == "" {
				used[o] = c.Name
			}
		}
	}
	for i := range tables {
		tables[i].ownNumber()
	}
	for i := range tables {
		tables[i].references(tables, used)
	}
	for i := range tables {
		ownKey(&tables[i], used[&tables[i]])
	}
	for i := range tables {
		tables[i].steps(owner, dataset)
	}
}

// unitColumn is what drafts call the person's number.
const unitColumn = "person_id"

// steps proposes a step for every column. No two columns of a table get one name in the extract, and none the name of the person's number.
func (t *Table) steps(owner map[string]*Table, dataset string) {
	taken := map[string]bool{unitColumn: true}
	for j := range t.Columns {
		c := &t.Columns[j]
		p := propose(t, c, owner[c.Name], dataset)
		plain := columnName(t.path(c.Name), j)
		if c.Why = p.why; !p.drop {
			c.made, c.kind = cmp.Or(p.as, plain), p.kind(c)
			if _, end, _ := strings.Cut(p.as, "_"); taken[c.made] && p.as != "" { // a second date of death
				c.made = plain + "_" + end
			}
			for n, base := 2, c.made; taken[c.made]; n++ {
				c.made = base + "_" + strconv.Itoa(n)
			}
			if taken[c.made] = true; c.made != plain {
				p.as = c.made
			}
		}
		c.Proposal = p.step(plain, t.path(c.Name))
	}
}

// kind is the catalogue's type of what the step makes.
func (p proposal) kind(c *Column) string {
	switch {
	case strings.HasPrefix(p.parts, "key: "), strings.HasPrefix(p.parts, "pseudonym: "):
		return "key"
	case c.What == EventDate, c.What == DeathDate:
		return "date"
	case c.What == BirthDate, c.What == BirthYear, strings.HasPrefix(p.parts, "top_code: "), p.parts == clamped && c.Type == "integer":
		return "int"
	case p.parts == clamped:
		return "decimal(12,2)"
	default:
		return "code"
	}
}

// ownNumber: a resource of FHIR is known by its id, whatever it holds.
func (t *Table) ownNumber() {
	if c := t.column(t.Name + ".id"); t.Format == "fhir" && c != nil && c.Name != t.Person && c.What != Identifier {
		c.What, c.By, c.Sure, c.Level, c.SafeHarbor, c.Quasi = RowKey, "name", 1, 3, "R", false
	}
}

// references are the columns of FHIR's resources that lead to resources of a table: encounter.reference to Encounter. Others lead out of the extract.
func (t *Table) references(tables []Table, used map[*Table]string) {
	for i := range t.Columns {
		c := &t.Columns[i]
		to, is := strings.CutSuffix(t.path(c.Name), ".reference")
		if t.Format != "fhir" || !is || c.Name == t.Person || c.What == Identifier {
			continue
		}
		c.What, c.By, c.Level, c.SafeHarbor, c.Quasi = Unique, "name", 3, "R", false
		for j := range tables {
			o := &tables[j]
			if key := o.column(o.Name + ".id"); o.Format == "fhir" && strings.EqualFold(o.Name, to) && key != nil && key.What == RowKey {
				c.What, c.keys, used[o] = Reference, o.Name, key.Name
			}
		}
	}
}

// path is a column's name in a recipe: of a resource without its type.
func (t *Table) path(column string) string {
	if t.Format == "fhir" {
		return strings.TrimPrefix(column, t.Name+".")
	}
	return column
}

// refers says that most values of a column are keys of another table, where both are few enough to be known. Two tables may number things under
// one name and mean nothing by it.
func (c *Column) refers(o *Table) bool {
	for i := range o.Columns {
		key := &o.Columns[i]
		if key.Name != c.Name {
			continue
		}
		if c.set == nil || key.set == nil || c.set.exact == nil || key.set.exact == nil || len(c.set.exact) == 0 {
			return true
		}
		in := 0
		for h := range c.set.exact {
			if _, found := key.set.exact[h]; found {
				in++
			}
		}
		return 2*in >= len(c.set.exact)
	}
	return false
}

// ownKey marks the one key that the table's rows are known by: the one that others use, else the first. A table of nobody's rows is a list of codes,
// known by its code rather than by the number of its row.
func ownKey(t *Table, used string) {
	if t.Person == "" && used == "" {
		for i := range t.Columns {
			c := &t.Columns[i]
			if n := words(c.Name); n != " id " && n != " row id " && c.Missing == 0 && c.Exact && c.Distinct == t.Rows && (c.What == RowKey || c.What == Category || c.What == Diagnosis || c.What == Region || c.What == Place) {
				c.What, c.keys = RowKey, t.Name
				return
			}
		}
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.What == RowKey && (used == "" || c.Name == used) {
			c.keys = t.Name
			return
		}
	}
}

// clamped is the step of measures.
const clamped = "clamp: catalogue"

// proposal is a step: parts of a mapping besides "as", or the word drop.
type proposal struct {
	drop  bool
	parts string
	as    string // a name that the step gives, "" = the column's own
	why   Text
}

func (p proposal) step(plain, name string) string {
	if p.drop {
		return "drop"
	}
	as := p.as
	if as == "" && plain != name {
		as = plain
	}
	parts := p.parts
	if as != "" {
		if parts != "" {
			parts += ", "
		}
		parts += "as: " + as
	}
	if parts == "" {
		return "keep"
	}
	return "{" + parts + "}"
}

func dropped(zh, en string) proposal        { return proposal{drop: true, why: Text{zh, en}} }
func stepped(parts, zh, en string) proposal { return proposal{parts: parts, why: Text{zh, en}} }
func named(parts, as, zh, en string) proposal {
	return proposal{parts: parts, as: as, why: Text{zh, en}}
}

// propose is the step for a column. Kept columns need their values or bounds declared in the catalogue, from a reason that is not the data.
func propose(t *Table, c *Column, owner *Table, dataset string) proposal {
	k, _ := identifier.Parse(c.Kind)
	if c.Name == t.Person {
		return dropped("患者标识：提取集另编号", "the person: the extract numbers her anew")
	}
	if c.several && c.What != Identifier {
		return dropped("一条记录有多个值：用 [0] 或 [成员=值] 选定其一，或用 each 逐个成行", "a record may hold several: choose one with [0] or [member=value], or make rows of them with each")
	}
	switch c.What {
	case Identifier:
		return dropped("直接标识符："+k.Text("zh"), "identifies: "+k.Text("en"))
	case Mixed:
		return dropped("部分值是"+k.Text("zh"), "some values are of kind: "+k.Text("en"))
	case Empty:
		return dropped("空列或不可读", "empty, or cannot be read")
	case Unique:
		return dropped("编号，或几乎每行不同，可能是标识符；若确有需要，请用 {pseudonym: …}", "a number of something, or different in nearly every row: it may identify; if it is needed, {pseudonym: …}")
	case FreeText:
		return dropped("自由文本可能含标识符；须保留时先用 {redact: …}", "free text may hold identifiers; if it must stay, {redact: …} first")
	case Staff:
		return staff(c, dataset)
	case RowKey, Reference:
		return keyStep(t, c, owner)
	default:
		return health(c)
	}
}

func staff(c *Column, dataset string) proposal {
	if keyName(c.Name) || c.Type == "integer" || c.Type == "code" && c.Kind == "" {
		return stepped("pseudonym: \"keyring:"+dataset+"-staff\"", "医务人员编号：加密假名", "number of staff: keyed pseudonym")
	}
	return dropped("医务人员姓名", "names of staff")
}

func keyStep(t *Table, c *Column, owner *Table) proposal {
	switch {
	case c.keys == "":
		return dropped("另一个行主键已足够", "another row key is enough")
	case c.What == Reference && owner != nil && owner.Person == "":
		return stepped("", "公共表 "+owner.Name+" 的编码", "code of the public table "+owner.Name)
	case t.Person == "" && c.What == RowKey:
		return stepped("", "公共表的键", "key of a public table")
	default:
		return stepped("key: "+columnName(c.keys, 0), "行的键：提取集另编号", "key of rows: the extract numbers them anew")
	}
}

// health are columns that say something about persons and do not name them.
func health(c *Column) proposal {
	switch c.What {
	case BirthDate:
		return named("coarsen: year, top_code: {age: 90}", "birth_year", "只留出生年份，90 岁以上归并", "only the year, with 90 and more together")
	case BirthYear:
		return named("", "", "出生年份：90 岁以上请归并", "year of birth: hold those of 90 and more together")
	case DeathDate:
		return named("coarsen: month", "death_month", "死亡日期只到月", "to the month")
	case EventDate:
		return stepped("", "查询用提取集保留到日；移交请改用 {shift: 30, key: …}", "queries keep the day; for a handover {shift: 30, key: …}")
	case Age:
		if c.Type == "integer" || c.Type == "decimal" {
			return stepped("top_code: {age: 90}", "90 岁以上归并", "90 and more together")
		}
		return stepped("", "年龄段：在目录中声明取值", "bands of age: declare them in the catalogue")
	case Region:
		if c.Kind == identifier.RegionCode.Key() {
			return stepped("generalise: gbt2260, to: county", "行政区划到县；可再粗到地市或省", "to the county; prefecture or province is safer")
		}
		return stepped("", "地名：在目录中声明取值，小地方归并", "a place: declare the values, fold small ones")
	case PostalCode:
		return dropped("邮编：地区另由行政区划给出", "postcode: regions say enough")
	case Measure, Money, Laboratory:
		if (c.Type == "integer" || c.Type == "decimal") && !keyName(c.Name) { // a number that names something is no measure
			return stepped(clamped, "上下限来自目录，依据不得是数据", "bounds come from the catalogue, for a reason that is not the data")
		}
	default:
	}
	if c.Level == 5 {
		return stepped("", "含 5 级疾病编码：不授权则不得外出，请用 fold 归并或排除", "holds codes of level 5: fold them, or leave them out where the grant does not name them")
	}
	return stepped("", "在目录中声明取值", "declare the values in the catalogue")
}
