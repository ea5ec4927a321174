// Package policy is what the rest of Carrel knows of the rules: typed questions, and decisions of one shape.
//
// It promises: every "may" of the service is one of the question types of this package, answered by a Decider with a
// Decision that cites its grounds (rule, article, source and whether the source is in force that day); the zero
// Decision and the zero Scope deny; a question that is not well formed is an error before any rule sees it.
//
// It does not promise: any rule. The rules are Rego and data under policies/; policy/opa evaluates them. Go asks and
// obeys: code that finds itself comparing a role or a state with a constant belongs into policies/ instead.
//
// Questions carry facts of the register and features of a plan (PRIVACY.md, "The parent checks"): never a row, never an
// exact count of persons, never a text that a person wrote (lengths and hashes of texts instead), never a name.
package policy

import "context"

// Text is a sentence in Chinese and English.
type Text struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// In returns the sentence in the language "zh" or "en".
func (t Text) In(lang string) string {
	if lang == "zh" {
		return t.ZH
	}
	return t.EN
}

// Validity says whether a source of law was in force on the day of a decision.
const (
	InForce    = "in-force"   // the source's dates or status say so
	Expired    = "expired"    // the source ended; it decides only together with its fallback
	NotYet     = "not-yet"    // the source's day has not come; what carries its rules until then is cited in its place, or it decides nothing
	Unverified = "unverified" // the register knows no date for the source
)

// Citation is a source and its validity on the day of the decision.
type Citation struct {
	Source   string `json:"source"`
	Validity string `json:"validity"`
}

// Reason is one cited ground of a decision, for it or against it.
type Reason struct {
	Rule     string `json:"rule"`     // stable id; begins with an id of articles.json, e.g. "sichuan-18/four-eyes"
	Article  string `json:"article"`  // as a reader would look it up
	Source   string `json:"source"`   // id in sources.json
	Validity string `json:"validity"` // in-force | expired | not-yet | unverified, on the day of the decision
	Text     Text   `json:"text"`

	// Fallback carries the rule in place of a source that has expired (sichuan-37). Nil while the source stands.
	Fallback *Citation `json:"fallback,omitempty"`
}

// Change says what would turn a denial into an approval.
type Change struct {
	Text    Text   `json:"text"`
	Command string `json:"command,omitempty"`
}

// Kinds of obligation. Each is an instruction to the caller, not a remark: an approval without its obligations done is
// no approval.
const (
	ObligeReview  = "review"  // Value: the kind of a review that must be held before the decision
	ObligeWarning = "warning" // shown to applicant and reviewers; Value: the rule that warns
	ObligeState   = "state"   // Value: the state that the object moves to
	ObligeEffect  = "effect"  // Value: "open-grant", "clear-reviews" or "close-grant"; done in the same transaction
	ObligeCommand = "command" // Value: a command that the subject may give now (see Decision.Commands)
	ObligeLimit   = "limit"   // Value: "name=number", e.g. "k=5", "ttl=3600"
	ObligeColumn  = "column"  // Value: a column that may leave
)

// RuleStanding is the rule that closes what a suspended or expelled person may not do, whatever it is about.
const RuleStanding = "ndr-31/standing"

// Obligation is something that goes with an approval (a review to hold, a condition, a cap).
type Obligation struct {
	Kind  string `json:"kind"`
	Value string `json:"value,omitempty"`
	Text  Text   `json:"text"`
}

// Decision is the one shape of every answer. A zero Decision denies.
type Decision struct {
	Allow       bool         `json:"allow"`
	Reasons     []Reason     `json:"reasons"`
	WouldChange []Change     `json:"would_change,omitempty"` // on denial only
	Obligations []Obligation `json:"obligations"`
	Bundle      string       `json:"bundle"` // sha256:… of the rules
	Input       string       `json:"input"`  // sha256:… of the question
	// Commitment is a salted commitment to the question, for the audit log; empty where nobody keeps the question. Input is shown to
	// who asked and goes no further: of guessable facts a plain hash tells which they were.
	Commitment string `json:"-"`
}

// Oblige returns the values of the obligations of one kind, in the order of the decision.
func (d Decision) Oblige(kind string) []string {
	var out []string
	for _, o := range d.Obligations {
		if o.Kind == kind {
			out = append(out, o.Value)
		}
	}
	return out
}

// Subject is who asks. The empty account is the anonymous public.
type Subject struct {
	Account     string       `json:"account"`
	Roles       List[string] `json:"roles"`
	Institution string       `json:"institution"`
	Region      string       `json:"region,omitempty"`
	// Credit holds the entries of the credit files of the account and its institution, Duties what they owe by a date. Both are
	// filled in by the Decider that knows the files (broker/conduct), for every question.
	Credit List[Credit] `json:"credit"`
	Duties List[Duty]   `json:"duties"`
	// Unit is what the register says of his institution, filled in by the Decider that knows it (broker/institution).
	Unit Unit `json:"unit"`
	// House is the institution that his account is of where that was merged into another, which Institution then is; Reach is ReachBeyond
	// when a question is about that other one and not about what was his own. Both are filled in by the same Decider.
	House string `json:"house,omitempty"`
	Reach string `json:"reach,omitempty"`
	// Mandate is what he holds for a time, filled in by the directory (broker/auth, broker/board).
	Mandate Mandate `json:"mandate"`
}

// ReachBeyond says that a question is about things that somebody of a merged institution would have nothing to do with but for the merger.
const ReachBeyond = "beyond"

// Decider answers questions. Undefined, an error or a malformed answer is a denial or an error, never an approval.
type Decider interface {
	// Decide answers a typed question (this package's question types).
	Decide(ctx context.Context, q Question) (Decision, error)
	// Scope returns the row filter and columns that a subject's remit allows on a table (partial evaluation).
	Scope(ctx context.Context, q ScopeQuestion) (Scope, error)
	// Data returns a document of policy data (defaults, workflow tables) decoded into v.
	// The path is slash-separated, e.g. "carrel/defaults" or "carrel/workflow/application".
	Data(ctx context.Context, path string, v any) error
}

// Question is one of the typed questions; Decision names the rule document, e.g. "carrel.query.decision".
type Question interface {
	Decision() string
	// Valid reports whether the question is well formed; a Decider refuses the others.
	Valid() error
}
