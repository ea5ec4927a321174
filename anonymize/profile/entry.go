package profile

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Entry drafts the catalogue entry of the tables that Recipe writes about: which fields there are, of which type, role and level. Whatever says how
// far values reach (bounds, caps, domains, code lists), what things are called and who answers for them is left empty and marked "fill in": an entry
// is no entry until a person has filled it in. Nothing in it is a value of the data.
func Entry(r *Report, lang string) ([]byte, error) {
	w, err := newWriter(r, lang)
	if err != nil {
		return nil, err
	}
	w.line("# %s", w.say(Text{"由 carrel extract profile 拟定。标有“请填写”的空白由数据管理员填写；取值范围、行数上限和值域须有不来自数据的书面依据。",
		"Drafted by carrel extract profile. What is marked \"fill in\" is the steward's; bounds, caps and domains need a written reason that is not the data."}))
	w.entryHead()
	w.line("tables:")
	for _, t := range w.tables {
		w.entryTable(t)
	}
	return []byte(w.b.String()), nil
}

func (w *writer) hole(zh, en string) string {
	text := w.say(Text{"请填写", "fill in"})
	if more := w.say(Text{zh, en}); more != "" {
		text += w.say(Text{"：", ": "}) + more
	}
	return " # " + text
}

func (w *writer) entryHead() {
	level := 1
	for _, t := range w.tables {
		for i := range t.Columns {
			if c := &t.Columns[i]; c.made != "" {
				level = max(level, w.level(t, c))
			}
		}
	}
	w.line("dataset: %s", w.dataset)
	w.line("title: {zh: \"\", en: \"\"}%s", w.hole("", ""))
	w.line("region: \"\"%s", w.hole("六位行政区划代码", "six digits of GB/T 2260"))
	w.line("owner: \"\"%s", w.hole("所属单位（见 carrel whoami）", "the unit that you are of (carrel whoami)"))
	w.line("provider: []%s", w.hole("", ""))
	w.line("operator: \"\"%s", w.hole("", ""))
	w.line("class: \"\"%s", w.hole("例如 clinical", "clinical, for example"))
	w.line("level: %d # %s", level, w.say(Text{"各字段级别的最高者（GB/T 39725）", "the highest of its fields (GB/T 39725)"}))
	w.line("synthetic: false")
	w.line("universe: %s # %s", w.dataset, w.say(Text{"预算所属的人群；若与其他数据集为同一人群，请改用其名", "whose budget it is: if other datasets are of the same persons, take their name"}))
	w.line("permitted_uses: {duo: [], purposes: []}%s", w.hole("例如 {duo: [GRU], purposes: [research]}", "{duo: [GRU], purposes: [research]}, for example"))
	w.line("lawful_basis: [{purpose: \"\", recipient: \"\", basis: \"\", law: \"\"}]%s", w.hole("例如 basis: consent、statutory-duty、approved-application", "basis: consent, statutory-duty or approved-application, for example"))
	w.line("privacy_unit: {column: %s, register: person-register}", unitColumn)
}

func (w *writer) entryTable(t *Table) {
	w.line("  %s:", t.recipeName())
	w.line("    label: %s", w.label(t.Name))
	w.line("    items: local")
	public := w.public(t)
	key := ""
	for i := range t.Columns {
		if c := &t.Columns[i]; c.What == RowKey && c.keys == t.Name && c.made != "" {
			key = c.made
		}
	}
	switch {
	case public && key == "":
		w.line("    public: true")
		w.line("    row_key: \"\"%s", w.hole("每行各不相同的字段", "the field that differs in every row"))
	case public:
		w.line("    public: true")
		w.line("    row_key: %s", key)
	default:
		if key != "" {
			w.line("    row_key: %s", key)
		}
		w.line("    rows_per_person: {max: , reason: \"\"}%s", w.hole("每人行数的硬上限，依据不得是数据", "a hard cap of rows a person, for a reason that is not the data"))
	}
	fields := "    fields:"
	for i := range t.Columns {
		if c := &t.Columns[i]; c.made != "" && (public || c.made != key) {
			if fields != "" {
				w.line("%s", fields)
				fields = ""
			}
			w.entryField(t, c, public && c.made == key)
		}
	}
	if fields != "" {
		w.line("    fields: {}")
	}
}

// public says that no way leads from the table's rows to a person.
func (w *writer) public(t *Table) bool {
	c, _ := w.through(t)
	return t.Person == "" && c == nil
}

func (w *writer) entryField(t *Table, c *Column, rowKey bool) {
	w.line("      %s:", c.made)
	w.line("        label: %s", w.label(t.path(c.Name)))
	role := c.role()
	if w.public(t) {
		role = "other"
	}
	w.line("        role: %s", role)
	w.line("        level: %d", w.level(t, c))
	w.marks(c)
	if !rowKey {
		w.line("        missing: null # %s", w.say(Text{"若源数据从不缺失，请删去此行", "take this line out where the source never lacks it"}))
	}
	switch c.kind {
	case "code":
		w.line("        domain: []%s", w.hole("取值，或改为 codes: 名称@版本；应含 other，否则加 undeclared: refuse", "the values, or codes: NAME@VERSION in its place; with the member other, or with undeclared: refuse"))
	case "key":
		w.line("        type: key")
	default:
		w.line("        type: %s", strconv.Quote(c.kind))
		w.line("        bounds: {min: , max: , reason: \"\"}%s", w.hole("依据不得是数据", "for a reason that is not the data"))
	}
}

// marks drafts of what the rules on statistics of drugs, equipment and consumables a field tells. It says too much rather than too
// little: who takes a mark out knows what the field holds.
func (w *writer) marks(c *Column) {
	switch c.What {
	case Treatment:
		w.line("        marks: [drug]%s", w.hole("药品；或 equipment（设备）、consumable（耗材）；都不是则删去此行", "drugs; or equipment, consumable; take this line out where it tells of none"))
	case Place:
		w.line("        marks: [department, hospital]%s", w.hole("留下所指的一项；都不是则删去此行", "leave what it names; take this line out where it is neither"))
	case Staff:
		w.line("        marks: [prescriber]%s", w.hole("不是医务人员则删去此行", "take this line out where it names no doctor"))
	default:
	}
}

func (w *writer) level(t *Table, c *Column) int {
	if w.public(t) {
		return 1
	}
	return max(c.Level, 2)
}

// role is the catalogue's: what may be known outside, what tells of a person's health, and the rest.
func (c *Column) role() string {
	switch c.What {
	case BirthDate, BirthYear, DeathDate, EventDate, Age, Sex, Region, Social:
		return "quasi-identifier"
	case Diagnosis, Treatment, Laboratory, Outcome, Money, Measure:
		return "sensitive"
	case RowKey, Reference, Staff, Place:
		return "other"
	default:
		if c.Quasi {
			return "quasi-identifier"
		}
		return "other"
	}
}

// label is the source's own name in the language that it is in.
func (w *writer) label(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		return fmt.Sprintf("{zh: %s, en: \"\"}%s", strconv.Quote(name), w.hole("", ""))
	}
	return fmt.Sprintf("{zh: \"\", en: %s}%s", strconv.Quote(strings.TrimSpace(words(name))), w.hole("", ""))
}
