package policy

// Terms are what an applicant says of the agreement that he wants.
type Terms struct {
	Kind      string `json:"kind"`      // provision | entrustment | joint; "" is policy's default
	Host      string `json:"host"`      // the hospital that a quality-control centre belongs to
	Processor string `json:"processor"` // the institution that processes by contract
	// Listed says that only the listed questions may be asked, each by the digest of its plan (see explain).
	Listed  bool         `json:"listed"`
	Queries List[string] `json:"queries"`
}

// Agreement holds the facts of an agreement's text that rules read.
type Agreement struct {
	Kind        string         `json:"kind"`
	Application string         `json:"application"` // query | handover
	Purpose     string         `json:"purpose"`
	Institution string         `json:"institution"` // the applicant's
	DataOwners  List[string]   `json:"data_owners"`
	Host        string         `json:"host"`
	Processor   string         `json:"processor"`
	Listed      bool           `json:"listed"`
	Queries     List[string]   `json:"queries"`
	Clauses     map[string]int `json:"clauses"` // characters of each clause, in the language that has fewer
}

// AgreementQuestion asks whether an agreement may be signed as it is worded: it has every clause that its kind and purpose
// need, and names its parties.
type AgreementQuestion struct {
	At        Moment    `json:"at"`
	Subject   Subject   `json:"subject"`
	Agreement Agreement `json:"agreement"`
}

// Decision names the rule document.
func (AgreementQuestion) Decision() string { return "carrel.agreement.decision" }

// Valid reports whether the question is well formed.
func (q AgreementQuestion) Valid() error {
	var f form
	f.at(q.At)
	f.subject(q.Subject)
	a := q.Agreement
	f.texts(a.Kind, a.Application, a.Purpose, a.Institution, a.Host, a.Processor)
	f.lists(a.DataOwners, a.Queries)
	if a.Clauses == nil || len(a.Clauses) > MaxItems {
		f.fail("an agreement names no clauses, or too many")
	}
	for name, n := range a.Clauses {
		f.need("a clause's name", name)
		f.natural("a length", int64(n))
	}
	return f.err
}
