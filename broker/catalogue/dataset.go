package catalogue

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"carrel/anonymize/plan"
	"carrel/policy"
)

// Other is the member of a dictionary to which undeclared source values fold.
const Other = "other"

// Local marks a field that no item of a catalogue stands for.
const Local = "local"

// Dataset is one catalogue entry. Every part of it is public.
type Dataset struct {
	ID          string      `json:"dataset"`
	Title       policy.Text `json:"title"`
	Description policy.Text `json:"description"`
	Region      string      `json:"region"` // GB/T 2260
	Owner       string      `json:"owner"`  // the institution in charge
	Provider    []string    `json:"provider"`
	Operator    string      `json:"operator"`
	Class       string      `json:"class"` // what the records are about
	Level       int         `json:"level"` // 1-5, GB/T 39725: the highest of its fields
	Synthetic   bool        `json:"synthetic"`
	Universe    string      `json:"universe"` // whose budget root is spent
	Uses        Uses        `json:"permitted_uses"`
	LawfulBasis []Basis     `json:"lawful_basis,omitempty"`
	Unit        Unit        `json:"privacy_unit"`
	Steps       Steps       `json:"responsible"`
	// Platform is where a government-affairs resource is shared; "" is every other resource.
	Platform string    `json:"government_platform,omitempty"`
	Facts    []Fact    `json:"facts,omitempty"`
	Tables   []Table   `json:"tables"`
	CodeSets []CodeSet `json:"code_sets,omitempty"`
}

// CodeSet is a versioned set of codes that a question names as codes('name@version'). A member that ends in % stands for every code that
// starts so.
type CodeSet struct {
	Name    string      `json:"name"`
	Label   policy.Text `json:"label"`
	Members []string    `json:"members"`
}

// Uses says what a dataset is open to.
type Uses struct {
	DUO      []string `json:"duo"`      // Data Use Ontology codes, e.g. GRU
	Purposes []string `json:"purposes"` // research, quality-control
}

// Basis is the ground on which a kind of recipient may have the data for a purpose.
type Basis struct {
	Purpose   string `json:"purpose"`
	Recipient string `json:"recipient"`
	Basis     string `json:"basis"` // one of Bases
	Law       string `json:"law"`
	Document  string `json:"document,omitempty"` // sha256:… of the document that proves it
}

// Bases are the words that a Basis can be, after PIPL 13; what each needs is policy's (bases.json), which knows the same.
func Bases() []string {
	return []string{
		"anonymised", "approved-application", "consent", "contract", "public-health-emergency", "public-interest", "published-open-data", "statutory-duty",
	}
}

// Steps names the unit that answers for each step. What an entry leaves out follows from its parties: the first provider gathers and
// sends, the operator stores and serves.
type Steps struct {
	Gathering string `json:"gathering"`
	Sending   string `json:"sending"`
	Storing   string `json:"storing"`
	Serving   string `json:"serving"`
}

// Fact is a number about the dataset that was published elsewhere. It is no number of this service's data.
type Fact struct {
	Label  policy.Text `json:"label"`
	Value  string      `json:"value"`
	Source string      `json:"source"` // where it was published
}

// Unit names the privacy unit.
type Unit struct {
	Column   string `json:"column"`   // in every private table
	Register string `json:"register"` // the file of ids whose size is public
}

// Table is one table of a dataset.
type Table struct {
	Name  string      `json:"name"`
	Label policy.Text `json:"label"`
	// Owner is the institution that gathered the table and answers for it, when it is not the dataset's: a regional dataset joins
	// what several units gathered, and each reviews and agrees for its own (sichuan-18, state47-share).
	Owner         string `json:"owner,omitempty"`
	Public        bool   `json:"public"`
	RowKey        string `json:"row_key,omitempty"`
	RowsPerPerson Cap    `json:"rows_per_person,omitzero"`
	// Marks say what every row is of, so that counting rows tells of it.
	Marks  []string `json:"marks,omitempty"`
	Fields []Field  `json:"fields"`
}

// Why is a reason in both languages. One that is written once, in an entry or a record of before, is the same in both.
type Why policy.Text

// UnmarshalJSON reads a reason.
func (w *Why) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*w = Why{ZH: one, EN: one}
		return nil
	}
	if err := json.Unmarshal(raw, (*policy.Text)(w)); err != nil {
		return fmt.Errorf("catalogue: reason: %w", err)
	}
	return nil
}

// Cap is the hard cap of rows a person in a private table, with the reason for it.
type Cap struct {
	Max    int64 `json:"max"`
	Reason Why   `json:"reason"`
}

// Field is one column of a table.
type Field struct {
	Name      string      `json:"name"`
	Label     policy.Text `json:"label"`
	Kind      plan.Kind   `json:"kind"`
	Scale     int         `json:"scale,omitempty"` // decimal digits of a KindDecimal
	Role      plan.Role   `json:"role"`
	Level     int         `json:"level"`
	Item      string      `json:"item"`           // of the national or local catalogue, "STANDARD / CODE"; or Local; "" is neither
	Unit      string      `json:"unit,omitempty"` // unit of measure
	Codes     string      `json:"codes,omitempty"`
	Values    []Value     `json:"values,omitempty"` // the dictionary of a KindCode, sorted by bytes of Code
	Folds     bool        `json:"folds,omitempty"`  // undeclared values become Other; else they refuse the build
	Bounds    *Bounds     `json:"bounds,omitempty"`
	Nullable  bool        `json:"nullable"`
	PublicKey bool        `json:"public_key"`
	// MaxPerValue, in a public table, is the largest number of rows that share one value; the build verifies it and joins multiply by it.
	MaxPerValue int64 `json:"max_per_value,omitempty"`
	// Derived names what a reader should know about how the field comes to be, e.g. "year of birth_date".
	Derived string `json:"derived,omitempty"`
	// Marks say of what the field tells that some rules ask for, whatever it is called: see Marks.
	Marks []string `json:"marks,omitempty"`
}

// Value is one member of a dictionary.
type Value struct {
	Code  string      `json:"code"`
	Label policy.Text `json:"label"`
}

// Bounds are inclusive and in stored integers: ×10^scale for decimals, days since 1970 for dates.
type Bounds struct {
	Lo     int64 `json:"lo"`
	Hi     int64 `json:"hi"`
	Reason Why   `json:"reason"`
}

// Table returns the table of that name.
func (d *Dataset) Table(name string) (*Table, bool) {
	for i := range d.Tables {
		if d.Tables[i].Name == name {
			return &d.Tables[i], true
		}
	}
	return nil, false
}

// Owners are the institutions whose tables these columns are of, sorted: names as "table.column" or "table.*". Public tables are
// nobody's to refuse, but a wish for them alone is the dataset owner's.
func (d *Dataset) Owners(columns []string) []string {
	var out []string
	for _, c := range columns {
		name, _, _ := strings.Cut(c, ".")
		t, ok := d.Table(name)
		switch {
		case !ok || t.Public:
		case t.Owner != "":
			out = append(out, t.Owner)
		default:
			out = append(out, d.Owner)
		}
	}
	if len(out) == 0 {
		return []string{d.Owner}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Field returns the field of that name.
func (t *Table) Field(name string) (*Field, bool) {
	for i := range t.Fields {
		if t.Fields[i].Name == name {
			return &t.Fields[i], true
		}
	}
	return nil, false
}
