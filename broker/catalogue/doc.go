// Package catalogue holds what is published about a dataset: its tables and fields with Chinese and English labels,
// units, data levels and roles, its declared domains and bounds, and the uses that it is open to.
//
// It promises that an entry which parses is complete enough to plan queries from: every field has a role, a data level
// and both labels, every measured field has bounds, and every private table a hard cap of rows a person, each with a
// written reason; every dictionary is declared, sorted by bytes and, where undeclared values fold, has "other" as a
// member. What a visitor without an account sees (View) comes from the entry alone, so it holds no number that
// depends on the data.
//
// It does not promise that a written reason is true: that bounds and caps were chosen without looking at the data is
// the steward's word. It never reads source tables or extracts.
package catalogue
