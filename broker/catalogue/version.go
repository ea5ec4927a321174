package catalogue

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"carrel/anonymize/plan"
	"carrel/policy"
)

// Extract is a version of a dataset: the extract that holds it, what was found out about it, and who signed. Nothing of it is in the
// public view: rates and counts depend on the data.
type Extract struct {
	Dir         string      `json:"dir"`
	ManifestID  string      `json:"manifest"`
	Version     int64       `json:"version"` // from 1, only upwards
	Kind        string      `json:"kind,omitempty"`
	Date        policy.Date `json:"date,omitempty"` // the day that the data reach to
	Persons     int64       `json:"persons"`        // size of the register
	Quality     Quality     `json:"quality,omitzero"`
	Risk        Risk        `json:"risk,omitzero"`
	PublishedBy string      `json:"published_by"` // who proposed it
	PublishedAt time.Time   `json:"published_at"`
	Checked     Signature   `json:"checked,omitzero"`
	Approved    Signature   `json:"approved,omitzero"`
	// Confirmed is an office's word on the grade; what was signed stays as it was.
	Confirmed *Confirmation `json:"confirmed,omitempty"`
}

// Signature is a person's word on a version: the digest is of what was read.
type Signature struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Digest string    `json:"digest"`
}

// Where the rates of a quality report were measured.
const (
	MeasuredSource  = "source"  // the values as they came, before undeclared ones were folded
	MeasuredExtract = "extract" // the values as they are stored, all of which were read
)

// Quality is the quality report of a version: what became of the rows, and how each coded column kept to its code system.
type Quality struct {
	Measured string         `json:"measured"`
	Tables   []TableQuality `json:"tables"`
	Codes    []CodeQuality  `json:"codes"`
}

// TableQuality counts rows.
type TableQuality struct {
	Table string `json:"table"`
	Read  int64  `json:"read"`
	Kept  int64  `json:"kept"`
}

// CodeQuality is one coded column against its declared code system.
type CodeQuality struct {
	Column  string  `json:"column"` // table.field
	System  string  `json:"system"`
	Checked int64   `json:"checked"` // values that were there
	Passed  int64   `json:"passed"`  // of them, members of the system
	Rate    float64 `json:"rate"`    // 1 where nothing was there to check
}

// Rated makes the rate of its counts.
func (q CodeQuality) Rated() CodeQuality {
	q.Checked = max(q.Checked, 0)
	q.Passed = min(max(q.Passed, 0), q.Checked)
	q.Rate = 1
	if q.Checked > 0 {
		q.Rate = float64(q.Passed) / float64(q.Checked)
	}
	return q
}

// Risk is the risk report of a version: what an attacker finds in the extract, by the catalogue's own words and as it was measured (Grade). What
// leaves is measured again, package by package.
type Risk struct {
	Kind      string   `json:"kind"`
	DPScope   string   `json:"dp_scope"`
	Level     int      `json:"level"`
	Persons   int64    `json:"persons"`
	Quasi     []string `json:"quasi_identifiers"`
	Sensitive []string `json:"sensitive"`
	// Rows that one person has at most, by private table: how much of a person one row key leads to.
	Rows map[string]int64 `json:"rows_per_person"`
	// Grade is what was measured over all rows of the extract; nil: nobody measured it.
	Grade *Grade `json:"grade,omitempty"`
	// Documents are further reports, by hash.
	Documents []string `json:"documents,omitempty"`
}

// NewRisk makes the risk report of an extract of the dataset.
func (d *Dataset) NewRisk(kind, scope string, persons int64) Risk {
	r := Risk{Kind: kind, DPScope: scope, Level: d.Level, Persons: persons, Quasi: []string{}, Sensitive: []string{}, Rows: map[string]int64{}}
	for i := range d.Tables {
		t := &d.Tables[i]
		if !t.Public {
			r.Rows[t.Name] = t.RowsPerPerson.Max
		}
		for _, f := range t.Fields {
			switch f.Role {
			case plan.RoleQuasi:
				r.Quasi = append(r.Quasi, t.Name+"."+f.Name)
			case plan.RoleSensitive:
				r.Sensitive = append(r.Sensitive, t.Name+"."+f.Name)
			default: // the other roles are not what a risk is told by
			}
		}
	}
	return r
}

// Coded names the fields with a code system, "table.field", with the system.
func (d *Dataset) Coded() []CodeQuality {
	var out []CodeQuality
	for i := range d.Tables {
		for _, f := range d.Tables[i].Fields {
			if f.Codes != "" {
				out = append(out, CodeQuality{Column: d.Tables[i].Name + "." + f.Name, System: f.Codes})
			}
		}
	}
	return out
}

// Identifiers counts the fields that identify by themselves.
func (d *Dataset) Identifiers() int {
	n := 0
	for i := range d.Tables {
		for _, f := range d.Tables[i].Fields {
			if f.Role == plan.RoleIdentifier {
				n++
			}
		}
	}
	return n
}

// Rated counts the coded fields of the dataset that the report has a rate for, under the system that the entry declares now.
func (q Quality) Rated(d *Dataset) int {
	n := 0
	for _, c := range d.Coded() {
		if slices.ContainsFunc(q.Codes, func(x CodeQuality) bool { return x.Column == c.Column && x.System == c.System }) {
			n++
		}
	}
	return n
}

// Digest is what a person signs: the version with its reports, without the signatures.
func (x Extract) Digest(dataset string) (string, error) {
	x.Checked, x.Approved, x.PublishedAt, x.Confirmed = Signature{}, Signature{}, time.Time{}, nil
	return Hash(struct {
		Dataset string  `json:"dataset"`
		Version Extract `json:"version"`
	}{dataset, x})
}

// Hash is the SHA-256 of something's JSON, as rules and logs write it.
func Hash(v any) (string, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("catalogue: encode: %w", err)
	}
	sum := sha256.Sum256(raw)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// The kinds of artefacts that are labelled.
const (
	ArtefactExtract = "extract"
	ArtefactPackage = "package"
	ArtefactAnswer  = "answer"
)

// Label is what an artefact is called: personal, de-identified, or anonymised by the assessment that is named.
type Label struct {
	Name       string      `json:"label"`
	Text       policy.Text `json:"text"`
	Assessment string      `json:"assessment,omitempty"`
}

// Assessment says that a kind of artefact of one version is anonymous, and who signed that.
type Assessment struct {
	ID       string      `json:"id"`
	Kind     string      `json:"kind"`
	Version  int64       `json:"version"`
	Evidence string      `json:"evidence"`
	By       string      `json:"by"`
	At       time.Time   `json:"at"`
	Until    policy.Date `json:"until"`
}

// Assessment returns the newest assessment of a kind of artefact of the current version; the zero value when there is none.
func (e *Entry) Assessment(kind string) Assessment {
	for _, a := range slices.Backward(e.Assessments) {
		if e.Current != nil && a.Kind == kind && a.Version == e.Current.Version {
			return a
		}
	}
	return Assessment{}
}
