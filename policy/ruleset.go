package policy

// Ruleset holds the facts of proposed rules that decide who may make them decide. What the rules say is no fact here.
type Ruleset struct {
	State      string       `json:"state"`      // "" | proposed | active | former | withdrawn
	Proposer   string       `json:"proposer"`   // account; "" of the rules that are built in
	Posts      List[string] `json:"posts"`      // the proposer's roles when he proposed
	Compared   string       `json:"compared"`   // hash of the rules that recorded decisions were compared with; "" before
	Current    string       `json:"current"`    // hash of the rules that decide now
	Unanswered int          `json:"unanswered"` // recorded decisions that get no answer under the proposal
}

// RulesQuestion asks whether the subject may propose, replay, activate, restore, withdraw or read rules. It is answered by the rules
// that decide now, never by those that are proposed.
type RulesQuestion struct {
	At      Moment  `json:"at"`
	Subject Subject `json:"subject"`
	Act     string  `json:"act"` // see amendments.json
	Ruleset Ruleset `json:"ruleset"`
}

// Decision names the rule document.
func (RulesQuestion) Decision() string { return "carrel.amendment.decision" }

// Valid reports whether the question is well formed.
func (q RulesQuestion) Valid() error {
	var f form
	f.at(q.At)
	f.subject(q.Subject)
	f.need("the act", q.Act)
	r := q.Ruleset
	f.texts(r.State, r.Proposer, r.Compared, r.Current)
	f.lists(r.Posts)
	f.natural("a count of decisions", int64(r.Unanswered))
	return f.err
}
