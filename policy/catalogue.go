package policy

// Entry holds the facts of a dataset's catalogue entry that rules read.
type Entry struct {
	ID        string       `json:"id"`
	Owner     string       `json:"owner"`
	Providers List[string] `json:"providers"`
	Operator  string       `json:"operator"`
	Region    string       `json:"region"` // GB/T 2260
	// The responsible unit of each step.
	Gathering string       `json:"gathering"`
	Sending   string       `json:"sending"`
	Storing   string       `json:"storing"`
	Serving   string       `json:"serving"`
	Fields    int          `json:"fields"`
	Unmapped  int          `json:"unmapped"` // fields that name no catalogue item and are not marked local
	Unnamed   List[string] `json:"unnamed"`  // the first of them, "table.field"
	// Government marks a resource that is shared through the platform of that address, and not here.
	Government bool   `json:"government"`
	Platform   string `json:"platform"`
}

// Edition holds the facts of a version of a dataset on its way to publication.
type Edition struct {
	State   string       `json:"state"`   // "" | proposed | checked | published
	Kind    string       `json:"kind"`    // query | handover
	Date    Date         `json:"date"`    // of the data: the last day they reach to
	Before  Date         `json:"before"`  // date of the version that is current
	Quality string       `json:"quality"` // sha256:… of the quality report
	Risk    string       `json:"risk"`    // sha256:… of the risk report
	Coded   int          `json:"coded"`   // columns with a declared code system
	Rated   int          `json:"rated"`   // those of them with a pass rate
	Digest  string       `json:"digest"`  // of the version as it is on record
	Signed  string       `json:"signed"`  // digest of what the person read and signs now
	Signers List[string] `json:"signers"` // accounts that signed it before
	Graded  Graded       `json:"graded"`  // its de-identification grade
}

// Artefact holds the facts that decide what something made of a dataset may be called.
type Artefact struct {
	Kind        string   `json:"kind"`        // extract | package | answer
	Identifiers int      `json:"identifiers"` // columns that identify by themselves
	Noised      bool     `json:"noised"`
	Maker       string   `json:"maker"` // account that published what it is made of
	Assessment  Assessed `json:"assessment"`
}

// Assessed is a signed assessment that a kind of artefact of a dataset's version is anonymous.
type Assessed struct {
	ID       string `json:"id"`
	Kind     string `json:"kind"`     // the kind of artefact that it speaks of
	Evidence string `json:"evidence"` // sha256:…
	By       string `json:"by"`       // account that signed
	Until    Date   `json:"until"`
}

// Exchange holds the facts of a list that goes from one service to another.
type Exchange struct {
	From       string       `json:"from"` // unit that gives
	To         string       `json:"to"`   // unit that takes
	Peer       string       `json:"peer"` // the other service
	Known      bool         `json:"known"`
	Verified   bool         `json:"verified"`   // its signature holds under the keys on record of the peer
	Newer      bool         `json:"newer"`      // made after what was taken from the peer before
	State      string       `json:"state"`      // of a transfer: "" | offered | received | completed
	Differs    List[string] `json:"differs"`    // sections of the list whose count or hash is not that of what came
	Strangers  List[string] `json:"strangers"`  // other units whose data draw on the same budgets
	Equipment  int          `json:"equipment"`  // characters of the receiver's statement
	Staff      int          `json:"staff"`      // named persons with the skill
	MLPS       int          `json:"mlps"`       // level of classified protection of the receiver's system
	Evidence   string       `json:"evidence"`   // sha256:… of its certificate
	Recipient  bool         `json:"recipient"`  // a key to seal the extracts to is named
	Reasoned   int          `json:"reasoned"`   // characters of the reason
	Collisions List[string] `json:"collisions"` // what the receiver holds already under a number of the list
}

// CatalogueQuestion asks whether the subject may take a step in the catalogue: register a dataset, propose, check and approve a
// version, sign an assessment, label an artefact, exchange lists with another service, transfer what a unit holds. An approval's
// obligations name the state it leads to and the label.
type CatalogueQuestion struct {
	At       Moment   `json:"at"`
	Subject  Subject  `json:"subject"`
	Act      string   `json:"act"` // see holdings.json
	Entry    Entry    `json:"entry"`
	Edition  Edition  `json:"edition"`
	Artefact Artefact `json:"artefact"`
	Exchange Exchange `json:"exchange"`
}

// ObligeLabel names what an artefact is called: personal, de-identified, or anonymised with the assessment that says so.
const ObligeLabel = "label"

// Decision names the rule document.
func (CatalogueQuestion) Decision() string { return "carrel.catalogue.decision" }

// Valid reports whether the question is well formed.
func (q CatalogueQuestion) Valid() error {
	var f form
	f.at(q.At)
	f.subject(q.Subject)
	f.need("the act", q.Act)
	e, v, a, x := q.Entry, q.Edition, q.Artefact, q.Exchange
	f.texts(e.ID, e.Owner, e.Operator, e.Region, e.Gathering, e.Sending, e.Storing, e.Serving, e.Platform)
	f.lists(e.Providers, e.Unnamed)
	f.natural("a count of fields", int64(e.Fields), int64(e.Unmapped))
	f.texts(v.State, v.Kind, v.Quality, v.Risk, v.Digest, v.Signed)
	f.lists(v.Signers)
	f.graded(v.Graded)
	f.dates(v.Date, v.Before)
	f.natural("a count of columns", int64(v.Coded), int64(v.Rated), int64(a.Identifiers))
	f.texts(a.Kind, a.Maker, a.Assessment.ID, a.Assessment.Kind, a.Assessment.Evidence, a.Assessment.By)
	f.dates(a.Assessment.Until)
	f.texts(x.From, x.To, x.Peer, x.State, x.Evidence)
	f.lists(x.Differs, x.Strangers, x.Collisions)
	f.natural("a number of the exchange", int64(x.Equipment), int64(x.Staff), int64(x.MLPS), int64(x.Reasoned))
	return f.err
}
