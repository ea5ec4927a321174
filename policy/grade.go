package policy

// Graded holds the facts of a de-identification grade (GB/T 42460) that rules read. The zero value is what was not graded.
type Graded struct {
	Grade     int     `json:"grade"` // 0 none | 1 direct identifiers | 2 quasi-identifiers above the threshold | 3 acceptable | 4 aggregates
	Threshold float64 `json:"threshold"`
	Uniques   float64 `json:"uniques"`
	Report    string  `json:"report"` // sha256:… of the risk report
	Confirmed bool    `json:"confirmed"`
}

// ObligeGrade names the grade of what leaves, in words: provisional until an office has confirmed it.
const ObligeGrade = "grade"

func (f *form) graded(g Graded) {
	f.natural("a de-identification grade", int64(g.Grade))
	f.finite(g.Threshold)
	f.finite(g.Uniques)
	f.texts(g.Report)
}
