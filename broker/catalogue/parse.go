package catalogue

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"carrel/anonymize/plan"
	"carrel/policy"
)

// Parse reads a catalogue entry strictly and checks it. File is only for messages. Lists are the code lists that
// fields may name; the entry may declare more of its own under codes. The error is an *Error.
func Parse(file string, src []byte, lists *Lists) (*Dataset, error) {
	p := &parser{reader: reader{file: file}, lists: lists, own: &Lists{}}
	d := p.dataset(p.document(src))
	if p.err == nil {
		p.check(d)
	}
	if p.err != nil {
		return nil, p.err
	}
	return d, nil
}

type parser struct {
	reader
	lists *Lists
	own   *Lists // declared in the entry itself
	unit  string
	// where things stand, for messages about them after the walk
	tableAt map[string]*yaml.Node
	fieldAt map[string]*yaml.Node
	levelAt *yaml.Node
}

func (p *parser) dataset(root *yaml.Node) *Dataset {
	if root == nil {
		return nil
	}
	m := p.mapping(root, "the entry")
	d := &Dataset{
		ID: p.identifier(m.need("dataset"), "dataset"), Title: m.text("title"),
		Region: m.str("region"), Owner: m.str("owner"), Provider: m.strs("provider"), Operator: m.str("operator"),
		Class: m.str("class"), Level: p.level(m.need("level"), "level"), Synthetic: m.bool("synthetic"),
		Universe: p.identifier(m.need("universe"), "universe"),
	}
	p.levelAt = m.vals["level"]
	if v := m.get("description"); v != nil {
		d.Description = p.text(v, "description")
	}
	uses := p.mapping(m.need("permitted_uses"), "permitted_uses")
	d.Uses = Uses{DUO: uses.strs("duo"), Purposes: uses.strs("purposes")}
	uses.done()
	d.LawfulBasis = p.basis(m.get("lawful_basis"))
	unit := p.mapping(m.need("privacy_unit"), "privacy_unit")
	d.Unit = Unit{Column: p.identifier(unit.need("column"), "privacy_unit.column"), Register: unit.str("register")}
	unit.done()
	p.unit = d.Unit.Column
	d.Steps = p.steps(m.get("responsible"), d)
	d.Platform = p.platform(m.get("government_platform"))
	d.Facts = p.facts(m.get("facts"))
	p.ownLists(m.get("codes"))
	d.Tables = p.tables(m.need("tables"), d.ID)
	d.CodeSets = p.codeSets(m.get("code_sets"))
	m.done()
	return d
}

// codeSets reads {name@version: {label: {zh, en}, members: [I63%, …]}}: what codes('name@version') stands for in a condition.
func (p *parser) codeSets(n *yaml.Node) []CodeSet {
	if n == nil {
		return nil
	}
	m := p.mapping(n, "code_sets")
	var out []CodeSet
	for _, k := range m.keys {
		if base, version, ok := strings.Cut(k.Value, "@"); !ok || base == "" || version == "" {
			p.fail(k, "code_sets: a set needs a version in its name, as in ischaemic-stroke@1")
			continue
		}
		one := p.mapping(m.get(k.Value), "code_sets."+clip(k.Value))
		c := CodeSet{Name: k.Value, Label: one.text("label"), Members: one.strs("members")}
		one.done()
		if len(c.Members) == 0 || slices.Contains(c.Members, "%") || slices.Contains(c.Members, "") {
			p.fail(k, "code_sets: %s names no codes, or all", clip(k.Value))
			continue
		}
		out = append(out, c)
	}
	return out
}

func (p *parser) basis(n *yaml.Node) []Basis {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		p.fail(n, "lawful_basis must be a list")
		return nil
	}
	var out []Basis
	for _, c := range n.Content {
		m := p.mapping(c, "lawful_basis")
		b := Basis{Purpose: m.str("purpose"), Recipient: m.str("recipient"), Basis: m.str("basis"), Law: m.str("law"), Document: m.optStr("document")}
		m.done()
		if b.Basis != "" && !slices.Contains(Bases(), b.Basis) {
			p.fail(m.get("basis"), "%s: %q is no lawful basis; it is one of %s", m.at("basis"), clip(b.Basis), strings.Join(Bases(), ", "))
		}
		if b.Document != "" && !documentForm.MatchString(b.Document) {
			p.fail(m.get("document"), "%s must be sha256: and 64 digits of the document's hash", m.at("document"))
		}
		out = append(out, b)
	}
	return out
}

// ownLists reads the code lists that the entry declares itself: {name@version: {code: {zh: …, en: …}, …}}.
func (p *parser) ownLists(n *yaml.Node) {
	if n == nil {
		return
	}
	m := p.mapping(n, "codes")
	for _, k := range m.keys {
		v := m.get(k.Value)
		name := k.Value
		if base, version, ok := strings.Cut(name, "@"); !ok || base == "" || version == "" {
			p.fail(k, "codes: a code list needs a version in its name, as in icd9-group@1")
			continue
		}
		list := &List{Name: name}
		for _, v := range p.values(v, "codes."+clip(name)) {
			list.Codes = append(list.Codes, Code{Code: v.Code, Label: v.Label})
		}
		if _, there := p.lists.Get(name); there {
			p.fail(k, "codes: the list %s exists outside of this entry; a changed list needs a new version", clip(name))
			continue
		}
		if len(list.Codes) == 0 {
			continue // values has said why
		}
		if err := p.own.Add(list); err != nil {
			p.fail(k, "codes: %v", err)
		}
	}
}

func (p *parser) tables(n *yaml.Node, dataset string) []Table {
	m := p.mapping(n, "tables")
	p.tableAt, p.fieldAt = map[string]*yaml.Node{}, map[string]*yaml.Node{}
	var out []Table
	for _, k := range m.keys {
		p.identifier(k, "the name of a table")
		p.tableAt[k.Value] = k
		out = append(out, p.table(k.Value, dataset, m.get(k.Value)))
	}
	return out
}

func (p *parser) table(name, dataset string, n *yaml.Node) Table {
	m := p.mapping(n, "tables."+clip(name))
	t := Table{Name: name, Label: m.text("label"), Owner: m.optStr("owner"), Public: m.bool("public"), RowKey: m.optStr("row_key"), Marks: p.marks(m)}
	if t.Owner != "" && !identifierForm.MatchString(t.Owner) {
		p.fail(m.get("owner"), "%s must be an institution's number, in lower-case letters, digits, _ and -", m.at("owner"))
	}
	items := p.item(m.get("items"), m.at("items"))
	if items != "" && items != Local {
		p.fail(m.get("items"), "%s can only be local: an item of a catalogue stands for one field", m.at("items"))
	}
	if v := m.get("rows_per_person"); v != nil {
		c := p.mapping(v, m.at("rows_per_person"))
		t.RowsPerPerson = Cap{Max: c.int("max"), Reason: c.why("reason")}
		c.done()
	}
	fields := p.mapping(m.need("fields"), m.at("fields"))
	for _, k := range fields.keys {
		p.identifier(k, "the name of a field")
		p.fieldAt[name+"."+k.Value] = k
		f := p.field(k.Value, dataset+"."+name, fields.at(k.Value), fields.get(k.Value))
		if f.Item == "" {
			f.Item = items
		}
		t.Fields = append(t.Fields, f)
	}
	m.done()
	t.addKeys(p.unit)
	return t
}

// addKeys adds the unit and the row key of a private table when the entry leaves them out: both follow from the
// table's head, and what can be derived is not written.
func (t *Table) addKeys(unit string) {
	if t.Public {
		return
	}
	var keys []Field
	if _, there := t.Field(unit); !there {
		keys = append(keys, Field{Name: unit, Kind: plan.KindUnit, Role: plan.RoleUnit, Level: 3, Item: Local,
			Label: policy.Text{ZH: "人员编号", EN: "Person number"}})
	}
	if t.RowKey != "" && t.RowKey != unit {
		if _, there := t.Field(t.RowKey); !there {
			keys = append(keys, Field{Name: t.RowKey, Kind: plan.KindKey, Role: plan.RoleOther, Level: 2, Item: Local,
				Label: policy.Text{ZH: "记录编号", EN: "Row number"}})
		}
	}
	t.Fields = append(keys, t.Fields...)
}

func (p *parser) field(name, owner, path string, n *yaml.Node) Field {
	m := p.mapping(n, path)
	f := Field{
		Name: name, Label: m.text("label"), Role: p.role(m.need("role"), path), Level: p.level(m.need("level"), m.at("level")),
		Unit: m.optStr("unit"), PublicKey: m.bool("public_key"), Derived: m.optStr("derived"), Item: p.item(m.get("item"), m.at("item")), Marks: p.marks(m),
	}
	p.kind(&f, m)
	p.dictionary(&f, owner, m)
	if v := m.get("missing"); v != nil {
		f.Nullable = v.Tag == "!!null"
		if !f.Nullable {
			p.fail(v, "%s can only be null: a missing value is NULL, never a number", m.at("missing"))
		}
	}
	if m.get("max_per_value") != nil {
		if f.MaxPerValue = m.int("max_per_value"); f.MaxPerValue < 1 {
			p.fail(m.get("max_per_value"), "%s is at least 1: the most rows that share one value", m.at("max_per_value"))
		}
	}
	if v := m.get("bounds"); v != nil {
		f.Bounds = p.bounds(&f, v, m.at("bounds"))
	}
	m.done()
	return f
}

// maxScale is the most decimal digits that the planner takes.
const maxScale = 9

// maxStored bounds stored bounds, so that their differences never overflow.
const maxStored = 1 << 61

// kind reads type: unit, key, code, int, decimal(p,s) or date. A domain or code list says code by itself.
func (p *parser) kind(f *Field, m *mapping) {
	v := m.get("type")
	if v == nil {
		f.Kind = plan.KindCode
		if m.vals["domain"] == nil && m.vals["codes"] == nil && m.n != nil {
			p.fail(m.n, "%s needs a type, a domain or codes", m.path)
		}
		return
	}
	name, args, _ := strings.Cut(p.str(v, m.at("type")), "(")
	switch strings.TrimSpace(name) {
	case "unit":
		f.Kind = plan.KindUnit
	case "key":
		f.Kind = plan.KindKey
	case "code":
		f.Kind = plan.KindCode
	case "int":
		f.Kind = plan.KindInt
	case "date":
		f.Kind = plan.KindDate
	case "decimal":
		f.Kind = plan.KindDecimal
		var digits int
		if _, err := fmt.Sscanf(strings.ReplaceAll(args, " ", ""), "%d,%d)", &digits, &f.Scale); err != nil || digits < 1 || digits > 18 || f.Scale < 0 || f.Scale > min(digits, maxScale) {
			p.fail(v, "%s must read decimal(p,s) with 0 <= s <= p <= 18 and s <= %d", m.at("type"), maxScale)
		}
		return
	default:
		p.fail(v, "%s must be unit, key, code, int, decimal(p,s) or date", m.at("type"))
	}
	if args != "" {
		p.fail(v, "%s: only decimal takes numbers", m.at("type"))
	}
}

// dictionary reads domain or codes, and undeclared: what happens to source values that are not declared.
func (p *parser) dictionary(f *Field, owner string, m *mapping) {
	domain, codes, undeclared := m.get("domain"), m.get("codes"), m.get("undeclared")
	f.Folds = f.Kind == plan.KindCode
	if undeclared != nil {
		switch s := p.str(undeclared, m.at("undeclared")); s {
		case Other:
		case "refuse":
			f.Folds = false
		default:
			p.fail(undeclared, "%s must be other (fold into it) or refuse (the build stops)", m.at("undeclared"))
		}
	}
	if f.Kind != plan.KindCode {
		for _, v := range []*yaml.Node{domain, codes, undeclared} {
			if v != nil {
				p.fail(v, "%s: domain, codes and undeclared are for codes only", m.path)
			}
		}
		return
	}
	switch {
	case domain != nil && codes != nil:
		p.fail(codes, "%s has a domain and codes; one of them is enough", m.path)
	case domain != nil:
		f.Codes, f.Values = owner+"."+f.Name, p.values(domain, m.at("domain"))
	case codes != nil:
		f.Codes = p.str(codes, m.at("codes"))
		f.Values = p.list(f.Codes, codes, m.at("codes"))
	case m.n != nil:
		p.fail(m.n, "%s is a code and needs a domain or codes", m.path)
	}
}

func (p *parser) list(ref string, n *yaml.Node, path string) []Value {
	name, part, _ := strings.Cut(ref, "#")
	list, ok := p.own.Get(name)
	if !ok {
		list, ok = p.lists.Get(name)
	}
	if !ok {
		p.fail(n, "%s names the code list %q, which is not known; declare it under codes or import it", path, clip(name))
		return nil
	}
	vs, err := list.values(part)
	if err != nil {
		p.fail(n, "%s: %v", path, err)
	}
	return vs
}

// values reads a dictionary: a list of codes, or a mapping of codes to their labels.
func (p *parser) values(n *yaml.Node, path string) []Value {
	var out []Value
	switch n.Kind {
	case yaml.SequenceNode:
		for _, c := range n.Content {
			s := p.str(c, path)
			out = append(out, Value{Code: s, Label: policy.Text{ZH: s, EN: s}})
		}
	case yaml.MappingNode:
		m := p.mapping(n, path)
		for _, k := range m.keys {
			out = append(out, Value{Code: k.Value, Label: p.text(m.get(k.Value), m.at(clip(k.Value)))})
		}
	default:
		p.fail(n, "%s must be a list of codes, or a mapping of codes to their labels", path)
		return nil
	}
	if len(out) == 0 || len(out) > maxCodes {
		p.fail(n, "%s needs 1 to %d codes", path, maxCodes)
	}
	slices.SortFunc(out, func(a, b Value) int { return strings.Compare(a.Code, b.Code) })
	for i := 1; i < len(out); i++ {
		if out[i].Code == out[i-1].Code {
			p.fail(n, "%s has a code twice", path)
		}
	}
	return out
}

func (p *parser) bounds(f *Field, n *yaml.Node, path string) *Bounds {
	m := p.mapping(n, path)
	b := &Bounds{Lo: p.stored(f, m.need("min"), m.at("min")), Hi: p.stored(f, m.need("max"), m.at("max")), Reason: m.why("reason")}
	m.done()
	if p.err == nil && b.Lo > b.Hi {
		p.fail(n, "%s: min is above max", path)
	}
	if b.Lo < -maxStored || b.Hi > maxStored {
		p.fail(n, "%s: stored bounds lie within 2^61 of zero", path)
	}
	return b
}

// stored turns a bound into the integer that the extract stores.
func (p *parser) stored(f *Field, n *yaml.Node, path string) int64 {
	if n == nil {
		return 0
	}
	switch f.Kind {
	case plan.KindInt:
		return p.int(n, path)
	case plan.KindDecimal:
		i, ok := fixedPoint(n.Value, f.Scale)
		if !ok || n.Kind != yaml.ScalarNode {
			p.fail(n, "%s must be a number with at most %d decimal digits", path, f.Scale)
		}
		return i
	case plan.KindDate:
		t, err := time.Parse(time.DateOnly, n.Value)
		if err != nil || n.Kind != yaml.ScalarNode {
			p.fail(n, "%s must be a date as in 2026-01-31", path)
		}
		return t.Unix() / 86400
	default:
		p.fail(n, "%s: only int, decimal and date have bounds", path)
		return 0
	}
}

// fixedPoint parses a decimal exactly: a bound that went through a float would not be the bound that was written.
func fixedPoint(s string, scale int) (int64, bool) {
	whole, frac, _ := strings.Cut(s, ".")
	if len(frac) > scale || whole == "" || whole == "-" || strings.ContainsAny(frac, "+-") {
		return 0, false
	}
	i, err := strconv.ParseInt(whole+frac+strings.Repeat("0", scale-len(frac)), 10, 64)
	return i, err == nil
}
