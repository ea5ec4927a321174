package extract

import (
	"errors"
	"fmt"
	"slices"

	"carrel/anonymize/plan"
)

// kindNames maps plan's kinds to their names in a manifest.
func kindName(k plan.Kind) string {
	switch k {
	case plan.KindUnit:
		return KindNameUnit
	case plan.KindKey:
		return KindNameKey
	case plan.KindCode:
		return KindNameCode
	case plan.KindInt:
		return KindNameInt
	case plan.KindDecimal:
		return KindNameDecimal
	case plan.KindDate:
		return KindNameDate
	default:
		return ""
	}
}

func kindOf(name string) (plan.Kind, bool) {
	for k := plan.KindUnit; k <= plan.KindDate; k++ {
		if kindName(k) == name {
			return k, true
		}
	}
	return 0, false
}

// Layout turns a table of the schema into the table of an extract: types, and the hidden rank column of a private
// table. Rows, file and hashes are filled in by the Writer.
func Layout(t plan.Table) (Table, error) {
	out := Table{Name: t.Name, Public: t.Public, Unit: t.Unit, RowKey: t.RowKey, MaxRows: t.MaxRows}
	for _, c := range t.Columns {
		typ, err := ArrowType(c)
		if err != nil {
			return Table{}, fmt.Errorf("table %q: %w", t.Name, err)
		}
		out.Columns = append(out.Columns, Column{
			Name: c.Name, Kind: kindName(c.Kind), ArrowType: typ, Scale: c.Scale, Bounded: c.Bounded, Lo: c.Lo, Hi: c.Hi,
			Nullable: c.Nullable, Values: slices.Clone(c.Values), Codes: c.Codes,
		})
		if t.Public && c.Name != t.RowKey {
			out.Columns[len(out.Columns)-1].MaxPerValue = c.MaxPerKey
		}
	}
	if !t.Public {
		typ, err := rankType(t.MaxRows)
		if err != nil {
			return Table{}, fmt.Errorf("table %q: %w", t.Name, err)
		}
		out.Columns = append(out.Columns, Column{
			Name: plan.RankColumn, Kind: KindNameRank, ArrowType: typ, Bounded: true, Lo: 1, Hi: t.MaxRows,
		})
	}
	return out, out.check()
}

// Schema is what the manifest alone says of the dataset: tables, kinds, dictionaries and bounds. Roles, levels, labels
// and reasons stand in the catalogue.
func (m *Manifest) Schema() *plan.Schema {
	s := &plan.Schema{Dataset: m.Dataset, Persons: m.Persons}
	for _, t := range m.Tables {
		pt := plan.Table{Name: t.Name, Public: t.Public, Unit: t.Unit, RowKey: t.RowKey, MaxRows: t.MaxRows}
		for _, c := range t.Columns {
			kind, ok := kindOf(c.Kind)
			if !ok {
				continue // the rank: hidden from the planner's schema
			}
			pt.Columns = append(pt.Columns, plan.Column{
				Name: c.Name, Kind: kind, Scale: c.Scale, Bounded: c.Bounded, Lo: c.Lo, Hi: c.Hi,
				Nullable: c.Nullable, Values: slices.Clone(c.Values), Codes: c.Codes, MaxPerKey: c.MaxPerValue,
			})
		}
		s.Tables = append(s.Tables, pt)
	}
	return s
}

// MatchSchema says whether a plan made for the schema may run over this extract: the same dataset and size of register,
// and every table of the schema stored exactly as Layout would. An extract may hold tables that the schema lacks.
func (m *Manifest) MatchSchema(s *plan.Schema) error {
	if s == nil {
		return errors.New("no schema")
	}
	if s.Dataset != m.Dataset || s.Persons != m.Persons {
		return errors.New("the extract is of another dataset or register than the schema")
	}
	for _, want := range s.Tables {
		got, ok := m.Table(want.Name)
		if !ok {
			return fmt.Errorf("the extract has no table %q", want.Name)
		}
		l, err := Layout(want)
		if err != nil {
			return err
		}
		if l.Public != got.Public || l.Unit != got.Unit || l.RowKey != got.RowKey || l.MaxRows != got.MaxRows {
			return fmt.Errorf("table %q of the extract is not the schema's: unit, row key or rows a person differ", want.Name)
		}
		if !slices.EqualFunc(l.Columns, got.Columns, equalColumn) {
			return fmt.Errorf("table %q of the extract has other columns than the schema", want.Name)
		}
	}
	return nil
}

func equalColumn(a, b Column) bool {
	return a.Name == b.Name && a.Kind == b.Kind && a.ArrowType == b.ArrowType && a.Scale == b.Scale && a.Bounded == b.Bounded &&
		a.Lo == b.Lo && a.Hi == b.Hi && a.Nullable == b.Nullable && a.MaxPerValue == b.MaxPerValue && a.Codes == b.Codes && slices.Equal(a.Values, b.Values)
}

// check refuses a manifest that contradicts itself, before anything relies on it.
func (m *Manifest) check() error {
	switch {
	case m.Format != Format:
		return fmt.Errorf("the extract has format %d, this program reads %d", m.Format, Format)
	case m.ID == "" || m.Dataset == "" || m.Universe == "":
		return errors.New("the manifest lacks id, dataset or universe")
	case m.Kind != KindQuery && m.Kind != KindHandover:
		return errors.New("the manifest has an unknown kind")
	case m.DPScope != ScopeSource && m.DPScope != ScopeExtract:
		return errors.New("the manifest has an unknown dp_scope")
	case m.Persons < 0 || m.Persons > 1<<32:
		return errors.New("the manifest has an impossible number of persons")
	}
	seen := map[string]bool{}
	for i := range m.Tables {
		t := &m.Tables[i]
		if seen[t.Name] || t.File != fileName(t.Name) {
			return errors.New("the manifest names a table twice or a file wrongly")
		}
		seen[t.Name] = true
		if err := t.check(); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table) check() error {
	if !validName(t.Name) {
		return errors.New("a table's name is not lower-case letters, digits and _")
	}
	if t.Rows < 0 || len(t.Columns) == 0 {
		return fmt.Errorf("table %q has no columns or an impossible number of rows", t.Name)
	}
	seen := map[string]bool{}
	for i := range t.Columns {
		c := &t.Columns[i]
		if seen[c.Name] || !validName(c.Name) {
			return fmt.Errorf("table %q has a column twice, or one whose name is not lower-case letters, digits and _", t.Name)
		}
		seen[c.Name] = true
		if err := c.check(); err != nil {
			return fmt.Errorf("table %q: %w", t.Name, err)
		}
	}
	if t.RowKey != "" && !seen[t.RowKey] {
		return fmt.Errorf("table %q lacks its row key", t.Name)
	}
	return t.checkUnit()
}

// checkUnit holds the rules that make a private table private: a unit, a cap, a rank as last column.
func (t *Table) checkUnit() error {
	units, ranks := 0, 0
	for _, c := range t.Columns {
		if c.Kind == KindNameUnit {
			units++
		}
		if c.Kind == KindNameRank || c.Name == plan.RankColumn {
			ranks++
		}
	}
	for _, c := range t.Columns {
		if c.MaxPerValue < 0 || c.MaxPerValue > 0 && (!t.Public || c.Name == t.RowKey) {
			return fmt.Errorf("column %q of table %q has a multiplicity that it cannot have", c.Name, t.Name)
		}
	}
	if t.Public {
		if units+ranks != 0 || t.Unit != "" || t.MaxRows != 0 {
			return fmt.Errorf("table %q is public and must have no unit, rank or cap", t.Name)
		}
		return nil
	}
	u, last := t.Column(t.Unit), t.Columns[len(t.Columns)-1]
	if units != 1 || u < 0 || t.Columns[u].Kind != KindNameUnit || t.Columns[u].Nullable {
		return fmt.Errorf("table %q is private and must have exactly one unit column, never missing", t.Name)
	}
	want, err := rankType(t.MaxRows)
	if err != nil {
		return fmt.Errorf("table %q: %w", t.Name, err)
	}
	if ranks != 1 || last.Kind != KindNameRank || last.Name != plan.RankColumn || last.Nullable || last.ArrowType != want {
		return fmt.Errorf("table %q is private and must end with the rank column", t.Name)
	}
	return nil
}

func (c *Column) check() error {
	lo, hi, ok := typeRange(c.ArrowType)
	if !ok {
		return fmt.Errorf("column %q has no known integer type", c.Name)
	}
	if c.Kind == KindNameRank {
		return nil
	}
	kind, ok := kindOf(c.Kind)
	if !ok {
		return fmt.Errorf("column %q has an unknown kind", c.Name)
	}
	if c.Bounded && (c.Lo > c.Hi || c.Lo < lo || c.Hi > hi) {
		return fmt.Errorf("column %q has bounds that are reversed or do not fit its type", c.Name)
	}
	if kind == plan.KindCode && !ascending(c.Values) {
		return fmt.Errorf("the dictionary of column %q is empty, unsorted or has a value twice", c.Name)
	}
	want, err := ArrowType(plan.Column{Name: c.Name, Kind: kind, Bounded: c.Bounded, Lo: c.Lo, Hi: c.Hi, Values: c.Values})
	if err != nil {
		return err
	}
	if want != c.ArrowType {
		return fmt.Errorf("column %q is stored as %s where its declaration asks for %s", c.Name, c.ArrowType, want)
	}
	return nil
}

func ascending(values []string) bool {
	for i := 1; i < len(values); i++ {
		if values[i-1] >= values[i] {
			return false
		}
	}
	return len(values) > 0
}

// validName keeps names of tables and columns safe as file names, as SQL identifiers and in messages.
func validName(s string) bool {
	for i, r := range s {
		if r != '_' && (r < 'a' || r > 'z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != "" && len(s) <= 63
}

func fileName(table string) string { return table + ".arrow.age" }
