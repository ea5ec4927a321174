package policy

// The kinds of use of a dataset's rows.
const (
	UseQuery    = "query"
	UseHandover = "handover"
)

// LimitPersons names whose rows an allowed use may touch: "persons=" and one of the two.
const (
	LimitPersons        = "persons"
	PersonsNotObjecting = "not-objecting" // everybody's but of who objected
	PersonsAuthorised   = "authorised"    // of who authorised alone, and did not object
)

// PersonsQuestion asks whose rows a use of a dataset may touch, and whether its extract may still be used. It knows no person: it
// reads the lawful bases on record and the age of the oldest objection that the extract was built before.
type PersonsQuestion struct {
	At        Moment      `json:"at"`
	Subject   Subject     `json:"subject"`
	Use       string      `json:"use"` // query | handover
	Purpose   string      `json:"purpose"`
	Recipient string      `json:"recipient"` // researcher | qc-centre
	Dataset   string      `json:"dataset"`
	Owner     string      `json:"owner"`
	Basis     List[Basis] `json:"basis"`
	// Identifiable says that what leaves identifies persons.
	Identifiable bool   `json:"identifiable"`
	Since        Moment `json:"since"` // "": everybody who objected is out of the extract itself
}

// Decision names the rule document.
func (PersonsQuestion) Decision() string { return "carrel.persons.decision" }

// Valid reports whether the question is well formed.
func (q PersonsQuestion) Valid() error {
	var f form
	f.at(q.At)
	f.subject(q.Subject)
	f.need("the use", q.Use)
	f.need("the dataset", q.Dataset)
	f.texts(q.Purpose, q.Recipient, q.Owner)
	if len(q.Basis) > MaxItems {
		f.fail("a list is too long")
	}
	for _, b := range q.Basis {
		f.texts(b.Purpose, b.Recipient, b.Basis, b.Law, b.Document)
	}
	if q.Since != "" {
		f.at(q.Since)
	}
	return f.err
}
