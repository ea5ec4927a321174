package deid

// Report tells the steward what a build did, in counts only. It depends on the data and is for stewards alone.
type Report struct {
	Recipe   string   `json:"recipe"`
	Dataset  string   `json:"dataset"`
	Persons  int64    `json:"persons"`  // of the register
	Present  int64    `json:"present"`  // of them, found in the sources
	Unknown  int64    `json:"unknown"`  // persons of the sources that the frozen register lacks
	Excluded int64    `json:"excluded"` // persons left out by objection or age
	IDs      IDReport `json:"ids"`
	// Global are the steps that look at more than one person. A recipe for queries with any of them gives dp_scope extract.
	Global  []GlobalStep  `json:"global,omitempty"`
	Tables  []TableReport `json:"tables"`
	Seconds float64       `json:"seconds"`
}

// GlobalStep is a step whose outcome for one person depends on others.
type GlobalStep struct {
	Table  string `json:"table"`
	Column string `json:"column"` // of the source
	Step   string `json:"step"`
	Line   int    `json:"line"` // of the recipe
}

// IDReport counts the forms of identifiers.
type IDReport struct {
	Resident18 int64 `json:"resident_18"` // well-formed, check digit holds
	Resident15 int64 `json:"resident_15"` // old form, joined with the 18-digit form
	Other      int64 `json:"other"`       // another document, or a check digit that does not hold
	Guardian   int64 `json:"guardian"`    // a guardian's number: person told apart by the source's own number
	Damaged    int64 `json:"damaged"`     // spoiled by a spreadsheet: no person can be told
}

// TableReport counts the rows of one table by fate: Read = Kept + the sum of Dropped.
type TableReport struct {
	Table   string           `json:"table"`
	Read    int64            `json:"read"`
	Kept    int64            `json:"kept"`
	Dropped map[string]int64 `json:"dropped,omitempty"` // by reason, see the Dropped… constants
	Columns []ColumnReport   `json:"columns"`
}

// Reasons for dropping a row.
const (
	DroppedNoUnit       = "no-unit"       // no person is named
	DroppedUnlinked     = "unlinked"      // the person named is in no table of persons, or the row of another table is not there
	DroppedUnregistered = "unregistered"  // the person is not in the frozen register
	DroppedExcluded     = "excluded"      // objection, or under 14 without consent
	DroppedAboveCap     = "above-cap"     // rank above the cap of rows a person
	DroppedListed       = "listed"        // a code in the row is on a list that the recipe leaves out
	DroppedDuplicate    = "duplicate-row" // a second row where one row a person is declared
)

// ColumnReport counts what happened to the values of one column. Rate is the share of values that were present and
// readable and needed no folding or clamping: the steward's pass rate, from 0 to 1.
type ColumnReport struct {
	Column     string  `json:"column"`
	Missing    int64   `json:"missing"`
	Folded     int64   `json:"folded"`
	Clamped    int64   `json:"clamped"`
	Unreadable int64   `json:"unreadable"`
	Suppressed int64   `json:"suppressed,omitempty"` // values that the recipe lists
	Redacted   int64   `json:"redacted,omitempty"`   // texts that identifiers were taken out of, whatever became of the rest
	Dangling   int64   `json:"dangling,omitempty"`   // row keys that refer to no kept row
	Merged     int64   `json:"merged,omitempty"`     // values that took the mean of their class
	Under14    int64   `json:"under_14,omitempty"`   // rows whose person was under 14 at the event
	Rate       float64 `json:"rate"`
}
