package catalogue

import (
	"fmt"

	"carrel/anonymize/plan"
)

// maxPersons keeps person numbers in uint32.
const maxPersons = 1 << 32

// Schema returns what the planner may know of the dataset. Persons is the size of the register, which is public.
func (d *Dataset) Schema(persons int64) (*plan.Schema, error) {
	if persons <= 0 || persons > maxPersons {
		return nil, fmt.Errorf("catalogue: dataset %s: the register holds 1 to 2^32 persons, not %d", d.ID, persons)
	}
	s := &plan.Schema{Dataset: d.ID, Persons: persons}
	for i := range d.Tables {
		s.Tables = append(s.Tables, d.Tables[i].schema(d.Unit.Column))
	}
	for _, c := range d.CodeSets {
		s.Lists = append(s.Lists, plan.CodeList{Name: c.Name, Members: c.Members, LabelZH: c.Label.ZH, LabelEN: c.Label.EN})
	}
	return s, nil
}

func (t *Table) schema(unit string) plan.Table {
	out := plan.Table{Name: t.Name, Public: t.Public, RowKey: t.RowKey}
	if !t.Public {
		out.Unit, out.MaxRows, out.MaxRowsReason, out.MaxRowsReasonZH = unit, t.RowsPerPerson.Max, t.RowsPerPerson.Reason.EN, t.RowsPerPerson.Reason.ZH
	}
	for i := range t.Fields {
		f := &t.Fields[i]
		c := plan.Column{
			Name: f.Name, Kind: f.Kind, Scale: f.Scale, Nullable: f.Nullable, Codes: f.Codes, PublicKey: f.PublicKey,
			Level: f.Level, Role: f.Role, Unit: f.Unit, LabelZH: f.Label.ZH, LabelEN: f.Label.EN,
		}
		if f.Bounds != nil {
			c.Bounded, c.Lo, c.Hi, c.Reason = true, f.Bounds.Lo, f.Bounds.Hi, f.Bounds.Reason.EN
		}
		for _, v := range f.Values {
			c.Values = append(c.Values, v.Code)
		}
		c.MaxPerKey = f.MaxPerValue
		if t.Public && f.Name == t.RowKey {
			c.MaxPerKey = 1 // the key of a public table is unique: the build refuses a duplicate
		}
		out.Columns = append(out.Columns, c)
	}
	return out
}
