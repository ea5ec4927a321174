package catalogue

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"carrel/anonymize/plan"
)

// Names of datasets, universes, tables and fields. The planner writes table and field names into SQL, so nothing but
// these letters may ever be one.
var identifierForm = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)

// documentForm is how a document is named: by its hash.
var documentForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

var sqlForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

func (p *parser) identifier(n *yaml.Node, path string) string {
	if n == nil {
		return ""
	}
	form, rest := sqlForm, "_"
	if path == "dataset" || path == "universe" {
		form, rest = identifierForm, "_ and -"
	}
	if n.Kind != yaml.ScalarNode || !form.MatchString(n.Value) || strings.HasPrefix(n.Value, "carrel_") {
		p.fail(n, "%s must be lower-case letters, digits, %s, start with a letter and not with carrel_", path, rest)
	}
	return n.Value
}

func (p *parser) level(n *yaml.Node, path string) int {
	l := p.int(n, path)
	if n != nil && (l < 1 || l > 5) {
		p.fail(n, "%s must be 1 to 5 (GB/T 39725)", path)
	}
	return int(l)
}

var roles = []plan.Role{plan.RoleIdentifier, plan.RoleQuasi, plan.RoleSensitive, plan.RoleOther, plan.RoleUnit}

func (p *parser) role(n *yaml.Node, path string) plan.Role {
	r := plan.Role(p.str(n, path+".role"))
	if n != nil && !slices.Contains(roles, r) {
		p.fail(n, "%s.role must be identifier, quasi-identifier, sensitive, other or unit", path)
	}
	return r
}

// check judges what needs more than one field to judge.
func (p *parser) check(d *Dataset) {
	highest, private := 0, 0
	seen := map[string][]Value{}
	for i := range d.Tables {
		t := &d.Tables[i]
		p.checkTable(d, t)
		if !t.Public {
			private++
		}
		for j := range t.Fields {
			f := &t.Fields[j]
			p.checkField(t, f)
			highest = max(highest, f.Level)
			if vs, there := seen[f.Codes]; there && f.Codes != "" && !slices.Equal(vs, f.Values) {
				p.fail(p.at(t, f), "%s.%s: two dictionaries share the name of one", t.Name, f.Name)
			}
			seen[f.Codes] = f.Values
		}
	}
	if private == 0 {
		p.fail(nil, "a dataset needs a private table")
	}
	if highest != d.Level {
		p.fail(p.levelAt, "level is %d and the highest level of its fields %d; a dataset has the highest level of its fields", d.Level, highest)
	}
}

// at finds the place of a field; a field that was added has the place of its table.
func (p *parser) at(t *Table, f *Field) *yaml.Node {
	if n := p.fieldAt[t.Name+"."+f.Name]; n != nil {
		return n
	}
	return p.tableAt[t.Name]
}

func (p *parser) checkTable(d *Dataset, t *Table) {
	at := p.tableAt[t.Name]
	switch {
	case t.Public && t.RowsPerPerson.Max != 0:
		p.fail(at, "%s is public and has no rows a person", t.Name)
	case t.Public && t.RowKey == "":
		p.fail(at, "%s is public and needs a row_key", t.Name)
	case !t.Public && t.RowsPerPerson.Max < 1:
		p.fail(at, "%s is private and needs rows_per_person: {max: …, reason: …} of at least 1", t.Name)
	case !t.Public && t.RowsPerPerson.Max > 1<<16-1:
		p.fail(at, "%s: more than 65535 rows a person cannot be ranked", t.Name)
	}
	if t.RowKey != "" {
		f, there := t.Field(t.RowKey)
		if !there {
			p.fail(at, "%s: the row_key is not among its fields", t.Name)
		} else if t.Public && f.Kind != plan.KindCode && f.Kind != plan.KindInt && f.Kind != plan.KindKey {
			p.fail(p.at(t, f), "%s.%s: the row_key of a public table is a code, an int or a key", t.Name, f.Name)
		} else if !t.Public && f.Kind != plan.KindKey && f.Kind != plan.KindUnit {
			p.fail(p.at(t, f), "%s.%s: the row_key of a private table has type key", t.Name, f.Name)
		} else if t.Public && f.Nullable {
			p.fail(p.at(t, f), "%s.%s: a row_key is never missing", t.Name, f.Name)
		}
	}
	for i := range t.Fields {
		f := &t.Fields[i]
		if isUnit := f.Kind == plan.KindUnit; isUnit && (t.Public || f.Name != d.Unit.Column) {
			p.fail(p.at(t, f), "%s.%s: type unit is for the privacy unit of a private table", t.Name, f.Name)
		} else if !isUnit && f.Name == d.Unit.Column {
			p.fail(p.at(t, f), "%s.%s: the privacy unit has type unit in a private table and no place in a public one", t.Name, f.Name)
		}
	}
}

// maxKeyRange is the widest range of integers that may be emitted whole as a group key.
const maxKeyRange = 1 << 14

func (p *parser) checkField(t *Table, f *Field) {
	at, name := p.at(t, f), t.Name+"."+f.Name
	if (f.Kind == plan.KindUnit) != (f.Role == plan.RoleUnit) {
		p.fail(at, "%s: role unit goes with type unit", name)
	}
	if f.Kind == plan.KindUnit && f.Nullable {
		p.fail(at, "%s: the privacy unit is never missing, rows without it are dropped at the build", name)
	}
	if f.Role == plan.RoleIdentifier {
		p.fail(at, "%s: an identifier never leaves the source, so it is no field of a dataset", name)
	}
	if t.Public && (f.Role != plan.RoleOther || f.Level != 1) {
		p.fail(at, "%s is in a public table: its role is other and its level 1", name)
	}
	if (f.Kind == plan.KindInt || f.Kind == plan.KindDecimal || f.Kind == plan.KindDate) && f.Bounds == nil {
		p.fail(at, "%s is measured and needs bounds: {min: …, max: …, reason: …}; the reason is not the data", name)
	}
	if f.Folds && !slices.ContainsFunc(f.Values, func(v Value) bool { return v.Code == Other }) {
		p.fail(at, "%s: undeclared values fold, so its codes need the member other (or say undeclared: refuse)", name)
	}
	if f.MaxPerValue > 0 && (!t.Public || f.Name == t.RowKey) {
		p.fail(at, "%s: max_per_value is of a public table and not of its row_key, which is unique", name)
	}
	if f.PublicKey {
		p.checkKey(f, at, name)
	}
}

func (p *parser) checkKey(f *Field, at *yaml.Node, name string) {
	switch f.Kind {
	case plan.KindCode:
	case plan.KindInt, plan.KindDate:
		// unsigned, because a range may span all of int64
		if f.Bounds != nil && uint64(f.Bounds.Hi)-uint64(f.Bounds.Lo) >= maxKeyRange {
			p.fail(at, "%s: a public key emits every value, and its range has more than %d", name, maxKeyRange)
		}
	default:
		p.fail(at, "%s: only a code, an int or a date can be a public key", name)
	}
}
