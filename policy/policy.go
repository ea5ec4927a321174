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

// Reason is one cited ground of a decision.
type Reason struct {
	Rule     string `json:"rule"`
	Article  string `json:"article"`
	Source   string `json:"source"`
	Validity string `json:"validity"` // in-force | expired | unverified, on the day of the decision
	Text     Text   `json:"text"`
}

// Change says what would turn a denial into an approval.
type Change struct {
	Text    Text   `json:"text"`
	Command string `json:"command,omitempty"`
}

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
	WouldChange []Change     `json:"would_change,omitempty"`
	Obligations []Obligation `json:"obligations"`
	Bundle      string       `json:"bundle"` // sha256:… of the rules
	Input       string       `json:"input"`  // sha256:… of the question
}

// Subject is who asks.
type Subject struct {
	Account     string   `json:"account"`
	Roles       []string `json:"roles"`
	Institution string   `json:"institution"`
	Region      string   `json:"region,omitempty"`
}

// Decider answers questions. Undefined, an error or a malformed answer is a denial or an error, never an approval.
type Decider interface {
	// Decide answers a typed question (this package's question types).
	Decide(ctx context.Context, q Question) (Decision, error)
	// Scope returns the row filter and columns that a subject's remit allows on a table (partial evaluation).
	Scope(ctx context.Context, q ScopeQuestion) (Scope, error)
	// Data returns a document of policy data (defaults, workflow tables) decoded into v.
	Data(ctx context.Context, path string, v any) error
}

// Question is one of the typed questions; Decision names the rule document, e.g. "carrel.query.decision".
type Question interface{ Decision() string }
