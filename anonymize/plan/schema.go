package plan

// Kind is the logical kind of a column. The zero value is no kind: a schema that holds it is refused.
type Kind uint8

// The kinds of columns. Every stored value is an integer, whatever its kind (PRIVACY: integers end to end).
const (
	_           Kind = iota
	KindUnit         // the privacy unit's number: opaque, equality only
	KindKey          // a row key (encounter_id): opaque, equality only, never a group key
	KindCode         // index into Column.Values
	KindInt          // integer measure or attribute
	KindDecimal      // fixed point: stored integer = value × 10^Scale
	KindDate         // days since 1970-01-01
)

// Role is what a column can reveal about a person; handover needs one on every column.
type Role string

// The roles of columns.
const (
	RoleIdentifier Role = "identifier"       // never leaves the source
	RoleQuasi      Role = "quasi-identifier" // counts towards k
	RoleSensitive  Role = "sensitive"
	RoleOther      Role = "other"
	RoleUnit       Role = "unit" // the person's number, re-keyed when it leaves
)

// Schema is the public metadata of one dataset: all that the planner may know. It never depends on the data.
type Schema struct {
	Dataset string
	// Persons is the size of the register (public: membership in the register is not promised). Overflow bounds use it.
	Persons int64
	Tables  []Table
	Lists   []CodeList
}

// CodeList is a versioned list of codes: codes('ischaemic-stroke@1') in a condition stands for its members.
type CodeList struct {
	Name    string   // with its version: ischaemic-stroke@1
	Members []string // codes; a member that ends in % stands for all codes that start so
	LabelZH string
	LabelEN string
}

// Table describes one table of an extract.
type Table struct {
	Name    string
	Public  bool
	Unit    string // the unit column, "" in a public table
	RowKey  string // private: unique inside a person; public: unique; "" when there is none
	MaxRows int64  // private: the hard cap M of rows a person; 0 in a public table
	// MaxRowsReason says why M is what it is; the reason is never the data.
	MaxRowsReason   string
	MaxRowsReasonZH string // "" is the same
	Columns         []Column

	// Of a relation: sets of columns that are unique inside the person (public: over all rows).
	unique [][]string
}

// Column describes one column. Lo and Hi are in stored integers and hold only when Bounded.
type Column struct {
	Name     string
	Kind     Kind
	Scale    int // KindDecimal only: decimal digits
	Bounded  bool
	Lo, Hi   int64
	Reason   string // why the bounds are what they are; never the data
	Nullable bool
	// Values is the declared dictionary of a KindCode column in code order, sorted by bytes. Two columns compare
	// only when they share Codes.
	Values []string
	Codes  string // name of the dictionary, e.g. "icd10@jinhe-1"
	// PublicKey says that the domain may be emitted whole as a group key (KindCode by Values, bounded KindInt and KindDate by
	// range). A key column without it goes through private selection.
	PublicKey bool
	// MaxPerKey, in a public table, is the verified largest number of rows that share one value; 0 = not verified.
	MaxPerKey int64
	Level     int // data level 1-5, GB/T 39725
	Role      Role
	Unit      string // unit of measure, shown to people
	LabelZH   string
	LabelEN   string

	// Of computed columns and those of relations.
	origin  []source // the columns of the schema that it comes from
	told    *lineage // of a column of a scan: the code that it carries
	stored  bool     // a column of the schema, not computed
	mask    *ref     // counted by this one: NULL in the same rows
	rounded *ref     // what this is with fewer decimals
	ordinal bool     // numbers a person's rows: each number at most once
	truth   bool     // 0 or 1, read as false and true
	step    int64    // values differ by multiples of it; 0 and 1 say nothing
	grid    string   // of a date: always the first day of a year, quarter, month or week
}

// Truth says that the column holds false and true as 0 and 1.
func (c *Column) Truth() bool { return c.truth }

// source is a column of the schema that a value comes from.
type source struct{ table, column string }

// RankColumn is the hidden column of every private table: the row's keyed pseudo-random rank inside its person, from 1.
const RankColumn = "carrel_rank"
