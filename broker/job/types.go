package job

import (
	"context"
	"log/slog"
	"time"

	"carrel/anonymize/answer"
	"carrel/anonymize/dp"
	"carrel/anonymize/ledger"
	"carrel/anonymize/plan"
	"carrel/anonymize/result"
	"carrel/broker/audit"
	"carrel/broker/auth"
	"carrel/broker/catalogue"
	"carrel/broker/grant/act"
	"carrel/policy"
	"carrel/sandbox"
)

// Ask is a question as a person puts it.
type Ask struct {
	Grant string `json:"grant"`
	SQL   string `json:"sql"`
	// Epsilon is the ε of this question's list of mechanisms; 0 asks for policy's default.
	Epsilon float64 `json:"epsilon,omitempty"`
	// RowsPerPerson lowers the number of rows one person may bring, by table name or alias; "*" is every table.
	RowsPerPerson map[string]int64 `json:"rows_per_person,omitempty"`
	// Raw shows the recorded numbers as they were drawn, not made to agree with each other. It is no part of what is asked: the same answer is on record
	// for both.
	Raw bool `json:"raw,omitempty"`
	// FindBounds is the share of the charge, from MinShare to MaxShare, that goes into finding bounds for arguments that lack them; 0 finds none.
	FindBounds float64 `json:"find_bounds,omitempty"`
}

// Dataset is what answering needs of a dataset: its public metadata and its current extract.
type Dataset struct {
	ID        string
	Owner     string // the institution in charge
	Unit      string // that answers for serving it
	Version   int64
	Label     catalogue.Label // what an answer is called
	Universe  string          // ledger account of the person universe
	Synthetic bool
	Schema    *plan.Schema
	Entry     *catalogue.Dataset // the catalogue's words on it, for what policy asks and no plan needs
	Source    sandbox.Source
	Rows      map[string]int64 // rows of every table, as the manifest says
	DPScope   string           // "source" or "extract"
	// Exclusions is the version of the list of persons whose rows Source leaves out; it is part of the answer's key.
	Exclusions string
}

// Datasets opens datasets by id, for queries of a purpose, with the list in force of whose rows they leave out.
type Datasets interface {
	Open(ctx context.Context, id, purpose string) (*Dataset, error)
}

// People finds who an account is now.
type People interface {
	Identity(account string) (auth.Identity, bool)
}

// Defaults are the numbers of policy data that answering uses.
type Defaults struct {
	Epsilon     float64 // ε of a question that names none
	SelectDelta float64 // δ of one private selection
	MaxDraws    int64
}

// Config is what a Service is made of. All members are required but Observe and Logger.
type Config struct {
	Desk     act.Desk
	Ledger   *ledger.Ledger
	Gate     *answer.Gate
	Engine   sandbox.Engine
	Datasets Datasets
	People   People
	Clock    Clock
	Defaults Defaults
	Logger   *slog.Logger
	// Training opens the grant that a person trains with; nil where there is none.
	Training func(ctx context.Context, id auth.Identity) (string, error)
	// Observe is told when T3 of a fresh answer has committed, with the time since the question came in less the wait for the
	// slot. For benches and metrics inside the service; it never reaches a client.
	Observe func(id string, elapsed time.Duration)
}

// Answer is what a researcher gets.
type Answer struct {
	ID        string `json:"id"`
	Grant     string `json:"grant"`
	Dataset   string `json:"dataset"`
	DPScope   string `json:"dp_scope"`
	Synthetic bool   `json:"synthetic"`
	// Version of the dataset that was read, and what the answer is called: noise makes nothing anonymous.
	Version    int64           `json:"version,omitempty"`
	Label      catalogue.Label `json:"label"`
	FromRecord bool            `json:"from_record"`
	Epsilon    float64         `json:"epsilon"` // what this question's list costs; 0 when answered from record
	Result     *result.Result  `json:"result"`
	Budget     Budget          `json:"budget"`
	// Audit locates the answer's entry; Proof is its inclusion proof under a signed checkpoint.
	Audit int64           `json:"audit"`
	Proof *audit.Proof    `json:"proof"`
	List  []dp.Mechanism  `json:"mechanisms"`
	Cites []policy.Reason `json:"reasons"`
	// CodeSets are the versioned sets of codes that the question names.
	CodeSets []string `json:"code_sets,omitempty"`
	// Bounds are those that were found, when they were asked for.
	Bounds *Bounds `json:"bounds,omitempty"`
}

// Budget says what is left, in words first.
type Budget struct {
	Words        policy.Text `json:"words"`
	EpsilonSpent float64     `json:"epsilon_spent"`
	EpsilonLeft  float64     `json:"epsilon_left"`
	MoreLikeThis int64       `json:"more_like_this"` // -1 when not computed
}

// Explanation is what a question would cost and give, without touching data or budget.
type Explanation struct {
	Grant     string          `json:"grant"`
	Dataset   string          `json:"dataset"`
	Epsilon   float64         `json:"epsilon"`
	Cost      dp.Cost         `json:"cost"`
	Draws     int64           `json:"draws"`
	Measures  []Expected      `json:"measures"`
	Plan      policy.Text     `json:"plan"`
	SQL       string          `json:"generated_sql"`
	Digest    string          `json:"digest"`    // of the plan: what a list of questions names
	OnRecord  bool            `json:"on_record"` // the same question has an answer: asking again is free
	Budget    Budget          `json:"budget"`
	Allowed   bool            `json:"allowed"`
	Reasons   []policy.Reason `json:"reasons"`
	WouldGive []policy.Change `json:"would_change,omitempty"`
	List      []dp.Mechanism  `json:"mechanisms"`
	Bounds    *Bounds         `json:"bounds,omitempty"` // of the search, when bounds are to be found
	Forecast
}

// Expected is the expected error of one measure: half the width of its 95 % interval, from noise alone.
type Expected struct {
	Step      int     `json:"step,omitempty"` // of several, from 1, as the text has them
	Measure   string  `json:"measure"`
	PlusMinus float64 `json:"plus_minus"`
	// PerRows is the number of rows of a group that the ± is stated for, when it depends on that (AVG); else 0.
	PerRows int64 `json:"per_rows,omitempty"`
	// Rank: the ± counts rows by which the rank of a quantile may be off.
	Rank bool   `json:"rank,omitempty"`
	Unit string `json:"unit,omitempty"`
}
