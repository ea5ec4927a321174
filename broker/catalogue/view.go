package catalogue

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"carrel/anonymize/plan"
	"carrel/policy"
)

// View is what a visitor without an account sees of a dataset. It is made from the entry alone: it holds no number
// that depends on the data, no size of the register and nothing of any extract.
type View struct {
	ID          string      `json:"dataset"`
	Title       policy.Text `json:"title"`
	Description policy.Text `json:"description"`
	Region      string      `json:"region"`
	Owner       string      `json:"owner"`
	Provider    []string    `json:"provider"`
	Operator    string      `json:"operator"`
	Class       string      `json:"class"`
	Level       int         `json:"level"`
	Synthetic   bool        `json:"synthetic"`
	Universe    string      `json:"universe"`
	CodeSets    []CodeSet   `json:"code_sets,omitempty"`
	Uses        Uses        `json:"permitted_uses"`
	LawfulBasis []Basis     `json:"lawful_basis,omitempty"`
	Unit        string      `json:"privacy_unit"`
	Steps       Steps       `json:"responsible"`
	Platform    string      `json:"government_platform,omitempty"`
	Facts       []Fact      `json:"facts,omitempty"`
	Tables      []TableView `json:"tables"`
}

// TableView is a table as a visitor sees it.
type TableView struct {
	Name             string      `json:"name"`
	Owner            string      `json:"owner,omitempty"` // when it is not the dataset's
	Label            policy.Text `json:"label"`
	Public           bool        `json:"public"`
	RowKey           string      `json:"row_key,omitempty"`
	MaxRowsPerPerson int64       `json:"max_rows_per_person,omitempty"`
	MaxRowsReason    policy.Text `json:"max_rows_reason,omitzero"`
	Marks            []string    `json:"marks,omitempty"`
	Fields           []FieldView `json:"fields"`
}

// FieldView is a field as a visitor sees it. Bounds are in the unit of measure, as people write them.
type FieldView struct {
	Name      string      `json:"name"`
	Label     policy.Text `json:"label"`
	Type      string      `json:"type"`
	Role      plan.Role   `json:"role"`
	Level     int         `json:"level"`
	Item      string      `json:"item,omitempty"`
	Unit      string      `json:"unit,omitempty"`
	Codes     string      `json:"codes,omitempty"`
	Values    []Value     `json:"values,omitempty"`
	Min       string      `json:"min,omitempty"`
	Max       string      `json:"max,omitempty"`
	Reason    policy.Text `json:"bounds_reason,omitzero"`
	Nullable  bool        `json:"nullable"`
	PublicKey bool        `json:"public_key"`
	// MaxPerValue is the verified largest number of rows of a public table that share one value.
	MaxPerValue int64    `json:"max_per_value,omitempty"`
	Derived     string   `json:"derived,omitempty"`
	Marks       []string `json:"marks,omitempty"`
}

// Brief is one line of a list of datasets.
type Brief struct {
	ID        string      `json:"dataset"`
	Title     policy.Text `json:"title"`
	Owner     string      `json:"owner"`
	Region    string      `json:"region"`
	Level     int         `json:"level"`
	Synthetic bool        `json:"synthetic"`
	Platform  string      `json:"government_platform,omitempty"`
	Purposes  []string    `json:"purposes"`
	Tables    int         `json:"tables"`
	Fields    int         `json:"fields"`
}

// View returns the public view.
func (d *Dataset) View() View {
	v := View{
		ID: d.ID, Title: d.Title, Description: d.Description, CodeSets: d.CodeSets, Region: d.Region, Owner: d.Owner, Provider: d.Provider,
		Operator: d.Operator, Class: d.Class, Level: d.Level, Synthetic: d.Synthetic, Universe: d.Universe,
		Uses: d.Uses, LawfulBasis: d.LawfulBasis, Unit: d.Unit.Column, Steps: d.Steps, Platform: d.Platform, Facts: d.Facts,
	}
	for i := range d.Tables {
		t := &d.Tables[i]
		tv := TableView{
			Name: t.Name, Label: t.Label, Owner: t.Owner, Public: t.Public, RowKey: t.RowKey,
			MaxRowsPerPerson: t.RowsPerPerson.Max, MaxRowsReason: policy.Text(t.RowsPerPerson.Reason), Marks: t.Marks,
		}
		for j := range t.Fields {
			tv.Fields = append(tv.Fields, t.Fields[j].view())
		}
		v.Tables = append(v.Tables, tv)
	}
	return v
}

func (f *Field) view() FieldView {
	v := FieldView{
		Name: f.Name, Label: f.Label, Type: f.Type(), Role: f.Role, Level: f.Level, Item: f.Item, Unit: f.Unit, Codes: f.Codes,
		Values: f.Values, Nullable: f.Nullable, PublicKey: f.PublicKey, MaxPerValue: f.MaxPerValue, Derived: f.Derived, Marks: f.Marks,
	}
	if f.Bounds != nil {
		v.Min, v.Max, v.Reason = f.Format(f.Bounds.Lo), f.Format(f.Bounds.Hi), policy.Text(f.Bounds.Reason)
	}
	return v
}

// Type returns the type as an entry writes it; decimals with their digits after the point.
func (f *Field) Type() string {
	switch f.Kind {
	case plan.KindUnit:
		return "unit"
	case plan.KindKey:
		return "key"
	case plan.KindCode:
		return "code"
	case plan.KindInt:
		return "int"
	case plan.KindDecimal:
		return fmt.Sprintf("decimal(%d)", f.Scale)
	case plan.KindDate:
		return "date"
	default:
		return ""
	}
}

// Format writes a stored integer as people write it: 12.50, 2026-01-31, the code itself.
func (f *Field) Format(stored int64) string {
	switch f.Kind {
	case plan.KindDate:
		return time.Unix(stored*86400, 0).UTC().Format(time.DateOnly)
	case plan.KindDecimal:
		return formatFixed(stored, f.Scale)
	case plan.KindCode:
		if stored >= 0 && stored < int64(len(f.Values)) {
			return f.Values[stored].Code
		}
		return ""
	default:
		return strconv.FormatInt(stored, 10)
	}
}

func formatFixed(v int64, scale int) string {
	s, sign := strconv.FormatInt(v, 10), ""
	if v < 0 {
		s, sign = s[1:], "-"
	}
	if scale == 0 {
		return sign + s
	}
	if pad := scale + 1 - len(s); pad > 0 {
		s = strings.Repeat("0", pad) + s
	}
	return sign + s[:len(s)-scale] + "." + s[len(s)-scale:]
}

// Brief returns the line for a list.
func (d *Dataset) Brief() Brief {
	return Brief{ID: d.ID, Title: d.Title, Owner: d.Owner, Region: d.Region, Level: d.Level, Synthetic: d.Synthetic, Platform: d.Platform,
		Purposes: d.Uses.Purposes, Tables: len(d.Tables), Fields: d.Fields()}
}

// Brief returns the line of a view, such as one of another service.
func (v *View) Brief() Brief {
	b := Brief{ID: v.ID, Title: v.Title, Owner: v.Owner, Region: v.Region, Level: v.Level, Synthetic: v.Synthetic, Platform: v.Platform, Purposes: v.Uses.Purposes, Tables: len(v.Tables)}
	for _, t := range v.Tables {
		b.Fields += len(t.Fields)
	}
	return b
}
