// Package grant keeps the standing right that an approved application and a signed agreement give, and issues the short-lived
// permits that prove it elsewhere.
//
// It promises: a grant comes into being only in the transaction of the agreement's last signature, together with its budget
// and its log entry; it is looked at again inside the transaction of every use (Use), so a revocation works for whatever has
// not been charged before it; a permit is bound to subject, grant, project, datasets, columns, purpose and budget, and is
// worth nothing once its grant does not stand, even before it expires.
//
// It does not promise to take back what was handed over, and it decides nothing: who may do what is policy's.
package grant

import (
	"time"

	"carrel/broker/store"
	"carrel/policy"
)

// DocKind is the kind of a grant's document in the store.
const DocKind = "grant"

// The kinds of grants.
const (
	KindQuery    = "query"
	KindHandover = "handover"
)

// The states of a grant. Which move leads where is policy's workflow.
const (
	StateActive    = "active"
	StateSuspended = "suspended" // rests until its owner, or the authority, decides
	StateRevoked   = "revoked"
	StateEnded     = "ended" // its term is over, or its lead gave it up
)

// Grant is a standing right.
type Grant struct {
	ID          string      `json:"id"`
	Application string      `json:"application"` // the project
	Kind        string      `json:"kind"`
	State       string      `json:"state"`
	Purpose     string      `json:"purpose"`
	Lead        string      `json:"lead"`
	Team        []string    `json:"team"`
	Institution string      `json:"institution"` // the applicant's; for a handover the receiver's
	DataOwners  []string    `json:"data_owners"`
	Datasets    []string    `json:"datasets"`
	Regions     []string    `json:"regions,omitempty"` // of the datasets
	Columns     []string    `json:"columns"`           // table.column or table.*
	Statistics  []string    `json:"statistics"`
	Assessment  string      `json:"assessment"`
	From        policy.Date `json:"from"`
	To          policy.Date `json:"to"` // last day
	// Conditions of the decision, as erasable texts.
	Conditions []store.TextRef `json:"conditions"`
	// Export is how many rows may go abroad at most, by the assessment; 0 where nothing does.
	Export int64 `json:"export,omitempty"`
	// Clearance is the cross-border file under which its data go abroad; "" where they do not.
	Clearance string `json:"clearance,omitempty"`
	// cleared is that file as Load found it.
	cleared policy.Cleared
	// Lists are the sensitive lists of codes that the application was reviewed for.
	Lists []string `json:"lists,omitempty"`
	// Identifiable says that what leaves under it identifies persons: of who authorised alone, unless a law says otherwise.
	Identifiable bool `json:"identifiable,omitempty"`
	// Obligations are conditions with a kind and a date, met by evidence that who set them accepts.
	Obligations []Obligation `json:"obligations,omitempty"`
	// Epsilon of the grant at its universe's conversion δ; 0 for a handover.
	Epsilon  float64 `json:"epsilon"`
	Universe string  `json:"universe"` // ledger account of the person universe
	Account  string  `json:"account"`  // ledger account of the grant; "" for a handover
	// Queries are the digests of the plans that alone may be asked; none is no limit.
	Queries []string `json:"queries,omitempty"`
	// Training marks a grant on synthetic data that every account has without applying.
	Training bool `json:"training,omitempty"`
	// Agreement is the kind of agreement; Processor processes by contract, Host is the hospital of a quality-control centre.
	Agreement string          `json:"agreement,omitempty"`
	Processor string          `json:"processor,omitempty"`
	Host      string          `json:"host,omitempty"`
	Remit     policy.Remit    `json:"remit"`    // handover
	Receiver  policy.Receiver `json:"receiver"` // handover, as attested
	Made      time.Time       `json:"made"`
	Ended     time.Time       `json:"ended,omitzero"`
	// EndedBy is the account that revoked it.
	EndedBy string `json:"ended_by,omitempty"`
	// EndReason is why it was revoked or given up.
	EndReason store.TextRef `json:"end_reason,omitzero"`
	// EndCause is the rule by which it ended with all others of a party. What the party did is in the credit file and not here.
	EndCause *policy.Reason `json:"end_cause,omitempty"`
	// Pause is why it rests; nil while it does not.
	Pause *Pause `json:"pause,omitempty"`
	// Purposes are the descriptions of the amendments that were granted since, oldest first; the last one holds.
	Purposes []store.TextRef `json:"purposes,omitempty"`
}

// Pause is why a grant rests.
type Pause struct {
	Office  string        `json:"office"` // applicant: its purpose changes | owner | authority
	By      string        `json:"by"`
	At      time.Time     `json:"at"`
	Reason  store.TextRef `json:"reason"`            // of a change: the new purpose in words
	Purpose string        `json:"purpose,omitempty"` // of a change: the class of the new purpose
}

// Question is the grant as policy sees it. Of what goes abroad it carries the cross-border file that Load found beside it: a grant that was
// read in another way has none, and is refused.
func (g *Grant) Question() policy.Grant {
	q := policy.Grant{ID: g.ID, Export: g.Export, Cleared: g.cleared, Kind: g.Kind, State: g.State, Purpose: g.Purpose, Lead: g.Lead, Team: g.Team,
		Datasets: g.Datasets, Regions: g.Regions, Columns: g.Columns, Statistics: g.Statistics, Assessment: g.Assessment, From: g.From, To: g.To,
		DataOwners: g.DataOwners, Institution: g.Institution, Agreement: g.Agreement, Processor: g.Processor, Training: g.Training, Queries: g.Queries, Lists: g.Lists}
	for _, o := range g.Obligations {
		q.Obligations = append(q.Obligations, o.question())
	}
	return q
}

// Object is the grant as an object of access.
func (g *Grant) Object() policy.Object {
	kind := "grant"
	if g.Training {
		kind = "training"
	}
	return policy.Object{Kind: kind, Owner: g.Lead, Team: g.Team, Institution: g.Institution, DataOwners: g.DataOwners, State: g.State, Reviews: g.bodies()}
}

// Case is the grant as its workflow sees it.
func (g *Grant) Case() policy.Case {
	c := policy.Case{Kind: g.Kind, Purpose: g.Purpose, State: g.State, Lead: g.Lead, Team: g.Team, Institution: g.Institution,
		DataOwners: g.DataOwners}
	if g.Pause != nil {
		c.Pause = policy.Pause{Office: g.Pause.Office, Purpose: g.Pause.Purpose}
	}
	for _, o := range g.Obligations {
		c.Conditions = append(c.Conditions, policy.CaseCondition{ID: o.ID, Kind: o.Kind, Due: o.Due, State: o.State(), Body: o.Body})
	}
	return c
}

func (g *Grant) index() store.Index {
	return store.Index{Owner: g.Lead, State: g.State, Parent: g.Application}
}

// Researcher is the id of the ledger account of one person over all grants in one universe.
func Researcher(account, universe string) string { return "researcher/" + universe + "/" + account }

// Universe is the id of the ledger account of a person universe.
func Universe(universe string) string { return "universe/" + universe }

// Account is the id of the ledger account of a grant.
func Account(id string) string { return "grant/" + id }
