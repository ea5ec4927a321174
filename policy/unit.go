package policy

// Unit holds the facts of the register of institutions about one of them. Whose unit it is, and what follows, rules say.
type Unit struct {
	ID         string `json:"id,omitempty"`
	State      string `json:"state,omitempty"`      // registered | unknown; "" when no register was asked
	Level      string `json:"level,omitempty"`      // province | city | county
	Region     string `json:"region,omitempty"`     // GB/T 2260
	Supervisor string `json:"supervisor,omitempty"` // institution above it
	Kind       string `json:"kind,omitempty"`       // operator, or ""
	Department int    `json:"department"`           // characters of the name of the department that answers for data
	Post       int    `json:"post"`                 // characters of the name of the post in it

	// How it ended, and where it goes.
	Ended     Date         `json:"ended,omitempty"`     // first day on which it is no more
	Successor string       `json:"successor,omitempty"` // institution that has its rights, duties and data since
	Absorbed  List[string] `json:"absorbed"`            // institutions whose successor it is, filled in by the register
	Moving    string       `json:"moving,omitempty"`    // region that its authority lets it go to, until that one's authority takes it

	// The connection to the municipal platform, while there is one.
	Platform  string `json:"platform,omitempty"`
	Connected Date   `json:"connected,omitempty"`
	Left      Date   `json:"left,omitempty"` // last day; "" is open

	// The commission of an operator.
	Principal string `json:"principal,omitempty"` // institution that gave it
	Document  string `json:"document,omitempty"`  // sha256:… of it
	From      Date   `json:"from,omitempty"`
	Until     Date   `json:"until,omitempty"` // last day
}

// The states of a unit.
const (
	UnitRegistered = "registered"
	UnitUnknown    = "unknown"
)

// InstitutionQuestion asks whether the subject may read or set an entry of the register of institutions.
type InstitutionQuestion struct {
	At      Moment  `json:"at"`
	Subject Subject `json:"subject"`
	Act     string  `json:"act"`     // e.g. "institution.set"; see institutions.json
	Unit    Unit    `json:"unit"`    // as it would be
	Before  Unit    `json:"before"`  // as it is; without state when it is new
	Above   Unit    `json:"above"`   // the unit that is named as its supervisor
	Heir    Unit    `json:"heir"`    // the unit that is named as its successor
	Names   int     `json:"names"`   // in how many languages it has a name
	Renamed bool    `json:"renamed"` // one of its names is another than before
}

// Decision names the rule document.
func (InstitutionQuestion) Decision() string { return "carrel.institution.decision" }

// Valid reports whether the question is well formed.
func (q InstitutionQuestion) Valid() error {
	var f form
	f.at(q.At)
	f.subject(q.Subject)
	f.need("the act", q.Act)
	f.natural("a number of names", int64(q.Names))
	for _, u := range []Unit{q.Unit, q.Before, q.Above, q.Heir} {
		f.unit(u)
	}
	return f.err
}

func (f *form) unit(u Unit) {
	f.texts(u.ID, u.State, u.Level, u.Region, u.Supervisor, u.Kind, u.Platform, u.Principal, u.Document, u.Successor, u.Moving)
	f.lists(u.Absorbed)
	f.natural("a length", int64(u.Department), int64(u.Post))
	for _, d := range []Date{u.Connected, u.Left, u.From, u.Until, u.Ended} {
		if d != "" {
			f.dates(d)
		}
	}
}

// RetentionQuestion asks whether the log may be kept for so long only.
type RetentionQuestion struct {
	At     Moment `json:"at"`
	Months int    `json:"months"`
}

// Decision names the rule document.
func (RetentionQuestion) Decision() string { return "carrel.supervision.retention" }

// Valid reports whether the question is well formed.
func (q RetentionQuestion) Valid() error {
	var f form
	f.at(q.At)
	f.natural("a number of months", int64(q.Months))
	return f.err
}
