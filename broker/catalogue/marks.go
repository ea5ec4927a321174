package catalogue

import (
	"slices"
	"strings"

	"carrel/anonymize/plan"
)

// The marks that a table or a field can bear (chongqing-stat). Which statistics they make together is policy's to say.
const (
	MarkDrug       = "drug"       // a drug's name, code, quantity or cost; of a table: every row is of one
	MarkEquipment  = "equipment"  // the same of equipment
	MarkConsumable = "consumable" // the same of consumables
	MarkPrescriber = "prescriber" // who ordered: a doctor, named or not
	MarkDepartment = "department" // a department, ward or care unit
	MarkHospital   = "hospital"   // a medical institution
	MarkMaker      = "maker"      // who makes, sells or supplies
)

// Marks are all marks, in the order in which messages name them.
func Marks() []string {
	return []string{MarkDrug, MarkEquipment, MarkConsumable, MarkPrescriber, MarkDepartment, MarkHospital, MarkMaker}
}

// marks reads what a table or a field is marked as: a list, each mark once.
func (p *parser) marks(m *mapping) []string {
	n := m.get("marks")
	if n == nil {
		return nil
	}
	out := m.strs("marks")
	for _, s := range out {
		if !slices.Contains(Marks(), s) {
			p.fail(n, "%s: %q is none of %s", m.at("marks"), clip(s), strings.Join(Marks(), ", "))
		}
	}
	slices.Sort(out)
	if len(slices.Compact(slices.Clone(out))) != len(out) {
		p.fail(n, "%s has a mark twice", m.at("marks"))
	}
	return out
}

// Marked are the marks of what a plan reads, sorted: of its tables, and of the columns that it uses. A column that has the codes of a
// marked one bears its marks, in whatever table it stands: who joins on it or asks for its label tells the same.
func (d *Dataset) Marked(f *plan.Features) []string {
	var out []string
	lists := d.markedLists()
	for _, name := range f.Tables {
		if t, ok := d.Table(name); ok {
			out = append(out, t.Marks...)
		}
	}
	for _, c := range f.Columns {
		t, ok := d.Table(c.Table)
		if !ok {
			continue
		}
		if x, ok := t.Field(c.Column); ok {
			out = append(append(out, x.Marks...), lists[listOf(x)]...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// markedLists are the marks that code lists get from the fields that use them.
func (d *Dataset) markedLists() map[string][]string {
	out := map[string][]string{}
	for i := range d.Tables {
		for j := range d.Tables[i].Fields {
			if f := &d.Tables[i].Fields[j]; f.Codes != "" {
				out[listOf(f)] = append(out[listOf(f)], f.Marks...)
			}
		}
	}
	return out
}

// listOf is the code list of a field, whichever part of it the field shows; "" is none.
func listOf(f *Field) string {
	name, _, _ := strings.Cut(f.Codes, "#")
	return name
}
