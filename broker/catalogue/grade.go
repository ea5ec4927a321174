package catalogue

import (
	"time"

	"carrel/anonymize/risk"
	"carrel/policy"
)

// Grade is the de-identification grade of GB/T 42460 that a version or a package was measured to have, with all that a reader needs to judge it.
// Data of grades 1 and 2 are not for use outside; what that stops is for policy to say.
type Grade struct {
	Grade   int           `json:"grade"` // 1 to 4
	Outside bool          `json:"outside"`
	Reasons []policy.Text `json:"reasons"`
	// Threshold is the risk of one person, and Uniques the share of the population standing alone, that were still called acceptable.
	Threshold float64 `json:"threshold"`
	Uniques   float64 `json:"uniques"`
	// Report is the hash of the risk report, sha256:…; `carrel extract risk --threshold … --uniques …` of the same extract makes it again.
	Report string `json:"report"`
}

// NewGrade takes the grade out of a risk report.
func NewGrade(r *risk.Report) (*Grade, error) {
	hash, err := r.Hash()
	if err != nil {
		return nil, err
	}
	g := &Grade{Grade: int(r.Verdict.Grade), Outside: r.Verdict.Outside, Reasons: []policy.Text{}, Threshold: r.Config.Threshold, Uniques: r.Config.Uniques, Report: hash}
	for _, x := range r.Verdict.Reasons {
		g.Reasons = append(g.Reasons, policy.Text{ZH: x.ZH, EN: x.EN})
	}
	return g, nil
}

// Facts are what rules read of a grade; of none they read zeros.
func (g *Grade) Facts() policy.Graded {
	if g == nil {
		return policy.Graded{}
	}
	return policy.Graded{Grade: g.Grade, Threshold: g.Threshold, Uniques: g.Uniques, Report: g.Report}
}

// Confirmation is an office's word that the grade of a version holds. Until it is given the grade is provisional, and is said to be so.
type Confirmation struct {
	By     string      `json:"by"`
	Office string      `json:"office"`
	At     time.Time   `json:"at"`
	Grade  int         `json:"grade"`
	Report string      `json:"report"` // hash of the risk report
	Digest string      `json:"digest"` // of the version that was read
	Text   policy.Text `json:"text"`
}

// GradeFacts are what rules read of the grade of a version.
func (x *Extract) GradeFacts() policy.Graded {
	if x == nil {
		return policy.Graded{}
	}
	f := x.Risk.Grade.Facts()
	f.Confirmed = x.Confirmed != nil && x.Confirmed.Grade == f.Grade && x.Confirmed.Report == f.Report
	return f
}
