package policy

// Object is the thing that an action is about, as far as relations to it matter. The empty object (no kind) is a
// collection or the act of creating: rules that need a relation then deny.
type Object struct {
	Kind        string       `json:"kind"`        // dataset, application, grant, job, handover, ledger, audit or ""
	ID          string       `json:"id"`          // of an application
	Owner       string       `json:"owner"`       // account that created it, or leads it
	Team        List[string] `json:"team"`        // accounts that share it
	Institution string       `json:"institution"` // of the applicant, or receiver
	DataOwners  List[string] `json:"data_owners"` // institutions whose data it touches
	Reviews     List[string] `json:"reviews"`     // kinds of review that it needs: who reviews may read
	Parties     List[string] `json:"parties"`     // institutions that sign besides applicant and owners
	State       string       `json:"state"`
}

// RouteQuestion asks whether the subject may enter a route at all, before the object is loaded. It is the first of two:
// the use case asks AccessQuestion with the object. A route that no policy names is denied.
type RouteQuestion struct {
	At      Moment  `json:"at"`
	Subject Subject `json:"subject"`
	Route   string  `json:"route"` // method and pattern, e.g. "POST /api/v1/applications/{id}/submit"
}

// Decision names the rule document.
func (RouteQuestion) Decision() string { return "carrel.access.route" }

// AccessQuestion asks whether the subject may do an action on an object, by role and by relation to it. State is not
// judged here (TransitionQuestion does).
type AccessQuestion struct {
	At      Moment  `json:"at"`
	Subject Subject `json:"subject"`
	Action  string  `json:"action"` // e.g. "application.read"
	Object  Object  `json:"object"`
}

// Decision names the rule document.
func (AccessQuestion) Decision() string { return "carrel.access.decision" }

// Application holds the facts of an application that rules read.
type Application struct {
	Kind         string       `json:"kind"`    // query | handover
	Purpose      string       `json:"purpose"` // research | quality-control
	Reason       int          `json:"reason"`  // characters of the purpose's description
	Methods      int          `json:"methods"` // characters of the description of methods
	Lead         string       `json:"lead"`    // account of the applicant
	Team         List[string] `json:"team"`    // accounts, without the lead
	From         Date         `json:"from"`
	To           Date         `json:"to"`        // last day
	Funding      string       `json:"funding"`   // "" undeclared | none | public | institution | industry
	Conflicts    string       `json:"conflicts"` // "" undeclared | none | declared
	Ethics       Ethics       `json:"ethics"`
	CrossBorder  bool         `json:"cross_border"`
	Abroad       Abroad       `json:"abroad"` // who receives there
	Identifiable bool         `json:"identifiable"`
	Authority    Evidence     `json:"authority"`     // written authorisation of the persons, or a statute with its basis
	DeclaredDuty bool         `json:"declared_duty"` // the applicant claims a statutory duty of his own
	Assessment   string       `json:"assessment"`    // number of the privacy-impact assessment in the calendar, when there is one
	Wishes       List[Wish]   `json:"wishes"`        // datasets and fields
	Statistics   List[string] `json:"statistics"`    // restricted statistics asked for by name, e.g. drug-by-department
	Epsilon      float64      `json:"epsilon"`       // ε of the grant; 0 asks for the default
	Agreement    Terms        `json:"agreement"`
	Use          Use          `json:"use"`         // the purpose, coded
	Form         Form         `json:"form"`        // the form that it was made by, and where it does not follow it
	Attachments  List[Paper]  `json:"attachments"` // the files that lie with it
	Receiver     Receiver     `json:"receiver"`    // handover only
	Remit        Remit        `json:"remit"`       // handover only
	File         string       `json:"file"`        // "" is a first application | amendment | renewal
	Former       Former       `json:"former"`      // of an amendment or renewal
	Rules        Rules        `json:"rules"`       // the centre's data-security rules, for its renewal
	Minors       Minors       `json:"minors"`      // whether persons under 14 are to be included
	Codes        List[string] `json:"codes"`       // diagnoses and the like that are asked for by name, as "system:code"
	Clearance    string       `json:"clearance"`   // number of the cross-border file that cleared it
}

// Paper is a file that was taken in: its content was looked at when it was attached (broker/attachment), and its hash is of that content.
type Paper struct {
	Hash string `json:"hash"` // sha256:…
	Type string `json:"type"` // media type
	Size int64  `json:"size"` // bytes
	By   string `json:"by"`   // account
	On   Date   `json:"on"`   // day on which it was attached
}

// Assessment is a line of the assessment calendar that an application names, as it stands. The zero value is none.
type Assessment struct {
	ID    string `json:"id"`
	Sort  string `json:"sort"`  // see matters.json
	State string `json:"state"` // due | passed | failed
	Unit  string `json:"unit"`  // institution that was assessed
	On    Date   `json:"on"`    // day of the result
	// Next is the state of the one that followed it, "" while none does.
	Next string `json:"next"`
}

// Former is what an amendment or renewal changes.
type Former struct {
	Grant   string  `json:"grant"`
	State   string  `json:"state"` // of the grant
	Purpose string  `json:"purpose"`
	Epsilon float64 `json:"epsilon"`
}

// Rules are an institution's own data-security rules on file.
type Rules struct {
	Document string `json:"document"` // sha256:…
	Version  string `json:"version"`
	Date     Date   `json:"date"` // from which they are in force
}

// Minors says whether records of persons under 14 are asked for, and on what ground.
type Minors struct {
	Included bool   `json:"included"`
	Consent  string `json:"consent"` // sha256:… of the form of the guardians' consent
	Law      string `json:"law"`     // the statute, when it is one
}

// Clearance is a cross-border file as it stands: what was assessed, and until when. The zero value is none.
type Clearance struct {
	State     string     `json:"state"`     // see workflow.json
	Owner     string     `json:"owner"`     // institution that filed it, which is responsible for the data
	Applicant string     `json:"applicant"` // institution that applies
	Recipient string     `json:"recipient"` // institution abroad
	Country   string     `json:"country"`
	Until     Date       `json:"until"`
	Wishes    List[Wish] `json:"wishes"`
	Purpose   string     `json:"purpose"`
	Way       Way        `json:"way"`
}

// Cleared is the cross-border file under which data go abroad, as it stands at the moment of the question. The zero value is of data that
// stay in the country; a file that is named and not there has no state.
type Cleared struct {
	File     string `json:"file"`      // its number; "" where nothing goes abroad
	State    string `json:"state"`     // see workflow.json
	Until    Date   `json:"until"`     // last day for which it was assessed
	Way      string `json:"way"`       // kind of what lets the data go
	WayUntil Date   `json:"way_until"` // last day on which that holds
}

// Way is the condition under which the law lets information go abroad, and the paper that shows that it is met. The zero value is none.
type Way struct {
	Kind     string `json:"kind"`     // security-assessment | certification | standard-contract; see workflow.json
	Document string `json:"document"` // sha256:… of the notice of the result, the certificate, or the contract as it was filed
	Number   int    `json:"number"`   // characters of its number
	Until    Date   `json:"until"`    // last day on which it holds
}

// Abroad is the recipient of what goes abroad.
type Abroad struct {
	Institution string `json:"institution"`
	Country     string `json:"country"`
}

// Ethics is the ethics committee's document, or the reason for exemption from it.
type Ethics struct {
	Document  string `json:"document"`  // sha256:… of the document
	Exemption int    `json:"exemption"` // characters of the reason for exemption
}

// Evidence is a document that permits what a rule otherwise refuses.
type Evidence struct {
	Document string `json:"document"` // sha256:…
	Law      string `json:"law"`      // the statute, when it is one
}

// Wish is one dataset of an application and its fields, as names or patterns such as "encounter.*".
type Wish struct {
	Dataset string       `json:"dataset"`
	Columns List[string] `json:"columns" rules:"set"`
}

// Receiver is who takes a handover, as attested.
type Receiver struct {
	Institution string `json:"institution"`
	System      string `json:"system"`   // the named system that will hold the data
	MLPS        int    `json:"mlps"`     // attested level of classified protection
	Evidence    string `json:"evidence"` // sha256:… of the filing certificate
	Expires     Date   `json:"expires"`  // of that certificate
	Officer     bool   `json:"officer"`  // a responsible officer is named
	Key         bool   `json:"key"`      // a public key to encrypt to is on record
}

// Remit is what a handover is limited to.
type Remit struct {
	Hospitals List[string] `json:"hospitals"`
	Kinds     List[string] `json:"kinds"` // stroke, infarction, sepsis
	From      Month        `json:"from"`
	To        Month        `json:"to"` // last month
}

// Dataset holds the facts of the catalogue about a dataset.
type Dataset struct {
	ID       string         `json:"id"`
	Owner    string         `json:"owner"`  // institution in charge
	Region   string         `json:"region"` // GB/T 2260
	Level    int            `json:"level"`  // data level 1-5, highest of the fields
	Purposes List[string]   `json:"purposes"`
	DUO      List[string]   `json:"duo"` // what it may be used for, e.g. GRU, DS:I60-I69, NPU
	Basis    List[Basis]    `json:"basis"`
	Columns  map[string]int `json:"columns"` // level of each column, by "table.column"
	// Listed are the columns whose codes are all of a sensitive list; see levels.json.
	Listed List[Listed] `json:"listed"`
}

// Listed is a column, as "table.column", and a list that holds all of its codes.
type Listed struct {
	Column string `json:"column"`
	List   string `json:"list"`
}

// Basis is a lawful basis on record for a dataset, a purpose and a kind of recipient.
type Basis struct {
	Purpose   string `json:"purpose"`
	Recipient string `json:"recipient"` // researcher | qc-centre
	Basis     string `json:"basis"`     // one of bases.json: statutory-duty | consent | anonymised …
	Law       string `json:"law"`
	Document  string `json:"document"`
}

// SubmissionQuestion asks whether an application is complete and lawful to submit; an approval's obligations name the
// reviews that must be held and the warnings to show. Ask it again with the applicant as subject before the authority's
// approval: catalogue and law may have moved.
type SubmissionQuestion struct {
	At          Moment        `json:"at"`
	Subject     Subject       `json:"subject"`
	Application Application   `json:"application"`
	Datasets    List[Dataset] `json:"datasets"`  // those of the wishes that the catalogue knows
	Clearance   Clearance     `json:"clearance"` // the file that the application names
	// Assessment is the privacy-impact assessment that the application names.
	Assessment Assessment `json:"assessment"`
}

// Decision names the rule document.
func (SubmissionQuestion) Decision() string { return "carrel.application.decision" }

// Case is an application or a grant as its workflow sees it.
type Case struct {
	ID          string          `json:"id"`   // of an application
	Kind        string          `json:"kind"` // query | handover
	Purpose     string          `json:"purpose"`
	State       string          `json:"state"` // see workflow.json
	Lead        string          `json:"lead"`
	Team        List[string]    `json:"team"`
	Institution string          `json:"institution"` // the applicant's
	DataOwners  List[string]    `json:"data_owners"` // institutions that own the data
	Needed      List[string]    `json:"needed"`      // kinds of review asked for at submission
	Reviews     List[Review]    `json:"reviews"`     // reviews on record since the last submission
	Decider     string          `json:"decider"`     // account of who decided, or ""
	Signatures  List[Signature] `json:"signatures"`
	Agreement   string          `json:"agreement"` // its kind: provision | entrustment | joint
	Host        string          `json:"host"`      // party to it: the hospital of a quality-control centre
	Processor   string          `json:"processor"` // party to it
	Sealed      bool            `json:"sealed"`    // a scan of the sealed original is on file
	File        string          `json:"file"`      // "" is a first application | amendment | renewal
	Former      List[string]    `json:"former"`    // accounts that reviewed or decided before an appeal
	Appeals     int             `json:"appeals"`   // so far
	Due         Date            `json:"due"`       // by when the present state is left; "" is nothing
	Pause       Pause           `json:"pause"`     // of a grant
	Recused     List[string]    `json:"recused"`   // accounts that take no part
	Sitting     Sitting         `json:"sitting"`   // the meeting that it is before
	// Conditions are those of a grant; Papers are the files that were attached to it since, or that lie under the hash that a step names.
	Conditions List[CaseCondition] `json:"conditions"`
	Papers     List[Paper]         `json:"papers"`
	// Abroad is the recipient that a cross-border file names, Way what lets the data go there.
	Abroad Abroad `json:"abroad"`
	Way    Way    `json:"way"`
	// Cleared is the cross-border file that an application rests on.
	Cleared Cleared `json:"cleared"`
	// Lies are the regions (GB/T 2260) of the data's owners and of who operates the service, from the register.
	Lies List[string] `json:"lies"`
}

// Pause is why a grant rests, or is to rest.
type Pause struct {
	Office  string `json:"office"`  // who stopped it: applicant (a change of purpose) | owner | authority; "" while it does not rest
	Purpose string `json:"purpose"` // the new one, of a change
	Reason  int    `json:"reason"`  // characters of its description
}

// Review is one review on record.
type Review struct {
	Kind        string `json:"kind"`        // see reviews.json
	Reviewer    string `json:"reviewer"`    // account
	Verdict     string `json:"verdict"`     // approve | reject | abstain
	Institution string `json:"institution"` // the reviewer's: whose data an owner's assessment is of
	For         string `json:"for"`         // whose seat a deputy took
}

// Opinion is what a command brings along: a review's sheet with its answers, or the length of a text.
type Opinion struct {
	Sheet    string       `json:"sheet"` // version
	Answers  List[Answer] `json:"answers"`
	Words    int          `json:"words"`    // characters of the question, answer, or grounds
	Evidence string       `json:"evidence"` // sha256:… of a document
	Meeting  string       `json:"meeting"`  // in which the command is given
	Listed   bool         `json:"listed"`   // decided by the list of renewals of low risk
	Rows     int64        `json:"rows"`     // that were assessed for sending abroad
	// Conditions are what a decision asks for by a day; Condition is the number of the one that a command on a grant is about.
	Conditions List[CaseCondition] `json:"conditions"`
	Condition  string              `json:"condition"`
}

// CaseCondition is a condition of a decision, as an obligation with a date.
type CaseCondition struct {
	ID    string `json:"id,omitempty"`
	Kind  string `json:"kind"`  // see conditions.json
	State string `json:"state"` // open | filed | met; "" of one that is decided now
	Body  string `json:"body"`  // kind of review whose reviewers set it and judge its evidence; "" is the authority
	Due   Date   `json:"due"`
}

// GrantObligation is a condition of a grant.
type GrantObligation struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
	Due  Date   `json:"due"`
	// Filed is the day of the evidence that is on file, "" where none is; Done says that who set the condition accepted it.
	Filed Date `json:"filed"`
	Done  bool `json:"done"`
}

// Answer is one finding of an opinion sheet.
type Answer struct {
	Question string `json:"question"`
	Choice   string `json:"choice"`
}

// Signature is one signature under the agreement.
type Signature struct {
	Side        string `json:"side"` // applicant | host | processor | owner
	Account     string `json:"account"`
	Institution string `json:"institution"`
}

// Move is a command on a case with what it needs.
type Move struct {
	Command string `json:"command"` // submit | review | decide | withdraw | sign | grant; of a grant: revoke | relinquish | suspend | resume | change | decide
	Review  string `json:"review"`  // review: its kind
	Choice  string `json:"choice"`  // review: approve | reject; decide: approve | deny | return
	Side    string `json:"side"`    // sign: applicant | host | processor | owner
}

// TransitionQuestion asks whether the subject may give a command on a case now. An approval's obligations name the next
// state and the effects that belong to it.
type TransitionQuestion struct {
	At      Moment  `json:"at"`
	Subject Subject `json:"subject"`
	Machine string  `json:"machine"` // application | grant | cross-border | sealing
	Move    Move    `json:"move"`
	Case    Case    `json:"case"`
	Opinion Opinion `json:"opinion"`
}

// Decision names the rule document.
func (TransitionQuestion) Decision() string { return "carrel.transition.decision" }

// CommandsQuestion asks for all commands that the subject may give on a case now (Decision.Commands); pages show those
// and repeat no rule. No command at all is a denial with its reason.
type CommandsQuestion struct {
	At      Moment  `json:"at"`
	Subject Subject `json:"subject"`
	Machine string  `json:"machine"`
	Case    Case    `json:"case"`
}

// Decision names the rule document.
func (CommandsQuestion) Decision() string { return "carrel.transition.commands" }

// Grant holds the facts of a grant that rules read.
type Grant struct {
	ID         string       `json:"id"`
	Kind       string       `json:"kind"`  // query | handover
	State      string       `json:"state"` // see workflow.json
	Purpose    string       `json:"purpose"`
	Lead       string       `json:"lead"`
	Team       List[string] `json:"team"`
	Datasets   List[string] `json:"datasets"`
	Columns    List[string] `json:"columns" rules:"set"` // names or patterns such as "encounter.*"
	Statistics List[string] `json:"statistics"`
	Assessment string       `json:"assessment"`
	From       Date         `json:"from"`
	To         Date         `json:"to"` // last day
	DataOwners List[string] `json:"data_owners"`
	Regions    List[string] `json:"regions"` // GB/T 2260, of its datasets: whose rules speak

	// Institution is the applicant's, for a handover the receiver's.
	Institution string                `json:"institution"`
	Agreement   string                `json:"agreement"`   // its kind
	Export      int64                 `json:"export"`      // rows that may go abroad at most; 0 where nothing does
	Obligations List[GrantObligation] `json:"obligations"` // conditions of the decision
	Processor   string                `json:"processor"`   // of entrusted processing
	// Training says that it is one of those that every account has on synthetic data.
	Training bool `json:"training"`
	// Queries are the digests of the plans that alone may be asked; none is no limit.
	Queries List[string] `json:"queries"`
	// Lists are the sensitive lists of codes that the application was reviewed for.
	Lists List[string] `json:"lists"`
	// Cleared is the cross-border file under which its data go abroad.
	Cleared Cleared `json:"cleared"`
	// Ended are its parties that are no more and have no successor, filled in by the Decider that knows the register.
	Ended List[string] `json:"ended"`
}

// PermitQuestion asks whether a permit with these contents may be issued, or is still good.
type PermitQuestion struct {
	At       Moment       `json:"at"`
	Subject  Subject      `json:"subject"`
	Grant    Grant        `json:"grant"`
	TTL      int64        `json:"ttl"` // seconds
	Purpose  string       `json:"purpose"`
	Datasets List[string] `json:"datasets"`
	Columns  List[string] `json:"columns" rules:"set"`
}

// Decision names the rule document.
func (PermitQuestion) Decision() string { return "carrel.grant.permit" }

// Plan holds the features of a query plan: what it touches and what it costs, never what it found.
type Plan struct {
	Datasets List[string] `json:"datasets"`
	Tables   List[string] `json:"tables"`
	Public   List[string] `json:"public"`              // those of the tables that are public: their columns need no grant
	Columns  List[string] `json:"columns" rules:"set"` // all columns that reach a measure, filter, join, CASE or key, as "table.column"
	MaxLevel int          `json:"max_level"`           // highest data level of those columns
	Epsilon  float64      `json:"epsilon"`
	Draws    int64        `json:"draws"`
	// Synthetic says that, by the catalogue, its persons are invented.
	Synthetic bool `json:"synthetic"`
	// Digest is the plan's own: the same for the same question in other words.
	Digest string `json:"digest"`
	// Lists are the sensitive lists of which it tells codes from others, by conditions or keys.
	Lists List[string] `json:"lists"`
	// Marks are what its tables and columns are marked as in the catalogue: drug, equipment, consumable, prescriber, department, hospital, maker.
	Marks List[string] `json:"marks"`
}

// QueryQuestion asks whether a plan may run under a grant.
type QueryQuestion struct {
	At      Moment  `json:"at"`
	Subject Subject `json:"subject"`
	Grant   Grant   `json:"grant"`
	Purpose string  `json:"purpose"`
	Plan    Plan    `json:"plan"`
}

// Decision names the rule document.
func (QueryQuestion) Decision() string { return "carrel.query.decision" }

// HandoverQuestion asks whether a step of a handover may be taken.
type HandoverQuestion struct {
	At       Moment   `json:"at"`
	Subject  Subject  `json:"subject"`
	Step     string   `json:"step"`  // request | release | pull | acknowledge
	State    string   `json:"state"` // of the handover, "" before it exists; see workflow.json
	Grant    Grant    `json:"grant"`
	Receiver Receiver `json:"receiver"`
	// Smallest is the number of persons in the smallest class over the quasi-identifiers of the rows and columns that
	// leave; 0 while not counted. It is asked for from step release on.
	Smallest int64 `json:"smallest"`
	// Version is the grade of the version that is handed over from, Package that of what leaves, measured over its own rows and columns; zero
	// while not measured.
	Version Graded `json:"version"`
	Package Graded `json:"package"`
	// Rows are those of this package and of all before it under the grant; 0 while not counted.
	Rows int64 `json:"rows"`
}

// Decision names the rule document.
func (HandoverQuestion) Decision() string { return "carrel.handover.decision" }

// Column is a column of a table as its recipe declares it.
type Column struct {
	Name  string `json:"name"` // without the table
	Role  string `json:"role"` // identifier | quasi-identifier | sensitive | other | unit | key; "" is undeclared
	Level int    `json:"level"`
}

// ScopeQuestion asks which rows and columns of a table may leave under a handover grant.
type ScopeQuestion struct {
	At      Moment       `json:"at"`
	Subject Subject      `json:"subject"`
	Grant   Grant        `json:"grant"`
	Remit   Remit        `json:"remit"`
	Table   string       `json:"table"`
	Columns List[Column] `json:"columns"`
	View    string       `json:"view,omitempty"` // "" a handover | supervision, whose rows are units and have a region
}

// ViewSupervision asks for what a supervisor may see.
const ViewSupervision = "supervision"

// Decision names the rule document of the columns; the rows are include of the same package.
func (q ScopeQuestion) Decision() string {
	if q.View == ViewSupervision {
		return "carrel.supervision.columns"
	}
	return "carrel.handover.columns"
}
