package plan

import "carrel/anonymize/dp"

// Version names the planner. Answers from record are bound to it: a new version never returns an old answer.
const Version = "carrel-plan-1"

// Options are the researcher's choices that are not in the text, and the service's limits.
type Options struct {
	// RowsPerPerson caps the rows of a person, by table name or alias; "*" means every table and the joined rows.
	RowsPerPerson map[string]int64
	// MaxDraws caps the noise draws of one answer; 0 means DefaultMaxDraws.
	MaxDraws int64
}

// DefaultMaxDraws is the cap of draws of one answer: noise costs 10-14 µs a draw.
const DefaultMaxDraws = 1 << 14

// Plan is a bounded query. It can only come from Build.
type Plan struct {
	sql    string
	wants  []dp.Want
	tables []string
	hash   string
}

// Build checks a wish against the schema and bounds it; the error is a *Refusal.
func Build(s *Schema, spec Spec, o Options) (*Plan, error) {
	return nil, Refuse("not-supported", spec.SQL, 0)
}

// SQL is the statement for the engine: our own identifiers and integers only.
func (p *Plan) SQL() string { return p.sql }

// Wants is what has to be noised, in the canonical order of measures.
func (p *Plan) Wants() []dp.Want { return append([]dp.Want(nil), p.wants...) }

// Tables are all tables that are scanned, sorted.
func (p *Plan) Tables() []string { return append([]string(nil), p.tables...) }

// Hash is the canonical form's SHA-256.
func (p *Plan) Hash() string { return p.hash }
