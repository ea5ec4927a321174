package yardstick

import (
	"fmt"
	"strings"

	"carrel/policy"
)

// The sizes of what is asked: a wide plan, a project of several years, a person with a file.
const (
	wideColumns = 100
	manyTables  = 10
	teamSize    = 12
	credits     = 4
	duties      = 6
	datasets    = 3
	reviews     = 12
)

const at policy.Moment = "2026-11-21T10:00:00+08:00"

// Asked is one question of real size, and what it is called in tables.
type Asked struct {
	Name     string
	Question policy.Question
}

// Questions are one of each kind that people and the service ask all day, of real size: nothing here is short because it is
// only measured. All of them are allowed by the rules that are built in, or denied with everything that a denial says.
func Questions() []Asked {
	return []Asked{
		{"route", policy.RouteQuestion{At: at, Subject: subject(), Route: "POST /api/v1/query"}},
		{"access", policy.AccessQuestion{At: at, Subject: subject(), Action: "query.run", Object: object()}},
		{"query-8", query(8)},
		{"query-100", query(wideColumns)},
		{"query-100-denied", denied()},
		{"permit", policy.PermitQuestion{At: at, Subject: subject(), Grant: grant(), TTL: 3600, Purpose: "research", Datasets: grant().Datasets, Columns: columns(wideColumns)}},
		{"transition", policy.TransitionQuestion{At: at, Subject: subject(), Machine: "application", Move: policy.Move{Command: "withdraw"}, Case: theCase()}},
		{"commands", policy.CommandsQuestion{At: at, Subject: subject(), Machine: "application", Case: theCase()}},
		{"submission", policy.SubmissionQuestion{At: at, Subject: subject(), Application: application(), Datasets: catalogue()}},
		{"conduct", policy.ConductQuestion{At: at, Subject: subject(), Act: "credit.read", Matter: policy.Matter{Noun: "credit", Party: "person/li", Unit: "jinhe-university", Texts: map[string]int{}}}},
	}
}

// subject stands well, with a file that says so.
func subject() policy.Subject {
	s := policy.Subject{Account: "li", Roles: []string{"researcher"}, Institution: "jinhe-university", Region: "510100"}
	for i := range credits {
		s.Credit = append(s.Credit, policy.Credit{ID: fmt.Sprint("cr-", i), Sort: "late-report", State: "lifted", From: "2026-01-05", Until: "2027-01-05"})
	}
	for i := range duties {
		s.Duties = append(s.Duties, policy.Duty{Sort: "training", Until: policy.Date(fmt.Sprintf("2027-%02d-15", i+1))})
	}
	return s
}

func names(prefix string, n int) policy.List[string] {
	out := make(policy.List[string], n)
	for i := range out {
		out[i] = fmt.Sprintf("%s-%d", prefix, i)
	}
	return out
}

// columns are fields of several tables, some of which the grant names one by one.
func columns(n int) policy.List[string] {
	out := make(policy.List[string], n)
	for i := range out {
		out[i] = fmt.Sprintf("table%d.field_of_the_record_%d", i%manyTables, i)
	}
	return out
}

func tables() policy.List[string] {
	out := make(policy.List[string], manyTables)
	for i := range out {
		out[i] = fmt.Sprintf("table%d", i)
	}
	return out
}

// grant names half of the tables whole and the fields of the others one by one.
func grant() policy.Grant {
	g := policy.Grant{
		ID: "g-942b9715014a577f2c7e", Kind: "query", State: "active", Purpose: "research", Lead: "li", Team: names("person", teamSize),
		Datasets: append(names("dataset", datasets-1), "jinhe"), From: "2026-01-01", To: "2027-12-31",
		DataOwners: names("owner", datasets), Institution: "jinhe-university", Assessment: "pia-1",
	}
	for i := range manyTables / 2 {
		g.Columns = append(g.Columns, fmt.Sprintf("table%d.*", i))
	}
	for _, c := range columns(2 * wideColumns) {
		if table, _, _ := strings.Cut(c, "."); table >= fmt.Sprint("table", manyTables/2) {
			g.Columns = append(g.Columns, c)
		}
	}
	return g
}

func query(n int) policy.QueryQuestion {
	return policy.QueryQuestion{At: at, Subject: subject(), Grant: grant(), Purpose: "research", Plan: policy.Plan{
		Datasets: []string{"jinhe"}, Tables: tables(), Public: []string{}, Columns: columns(n), MaxLevel: 3, Epsilon: 0.1, Draws: 100,
	}}
}

// denied asks for what the grant does not name: a denial says what is missing.
func denied() policy.QueryQuestion {
	q := query(wideColumns)
	q.Plan.Columns = append(q.Plan.Columns, "table9.unknown", "table8.unknown")
	q.Plan.Epsilon = 1e6
	return q
}

func object() policy.Object {
	return policy.Object{
		Kind: "grant", Owner: "li", Team: names("person", teamSize), Institution: "jinhe-university", DataOwners: names("owner", datasets), State: "active",
	}
}

func theCase() policy.Case {
	c := policy.Case{
		Kind: "query", Purpose: "research", State: "submitted", Lead: "li", Team: names("person", teamSize), Institution: "jinhe-university",
		DataOwners: names("owner", datasets), Needed: []string{"ethics", "confidentiality", "security-risk", "privacy-impact"},
	}
	for i := range reviews {
		c.Reviews = append(c.Reviews, policy.Review{Kind: c.Needed[i%len(c.Needed)], Reviewer: fmt.Sprint("reviewer-", i), Verdict: "approve"})
	}
	return c
}

func application() policy.Application {
	a := policy.Application{
		Kind: "query", Purpose: "research", Reason: 400, Methods: 900, Lead: "li", Team: names("person", teamSize), From: "2026-12-01", To: "2027-11-30",
		Funding: "public", Conflicts: "none", Ethics: policy.Ethics{Document: hash}, Assessment: "pia-1", Epsilon: 2,
	}
	for _, d := range catalogue() {
		a.Wishes = append(a.Wishes, policy.Wish{Dataset: d.ID, Columns: columns(wideColumns)})
	}
	return a
}

const hash = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func catalogue() policy.List[policy.Dataset] {
	var out policy.List[policy.Dataset]
	for i := range datasets {
		d := policy.Dataset{
			ID: fmt.Sprint("dataset-", i), Owner: fmt.Sprint("owner-", i), Region: "510100", Level: 3, Purposes: []string{"research"}, Columns: map[string]int{},
			Basis: []policy.Basis{{Purpose: "research", Recipient: "researcher", Basis: "anonymised", Law: "PIPL 4", Document: hash}},
		}
		for _, c := range columns(wideColumns) {
			d.Columns[c] = 1 + i
		}
		out = append(out, d)
	}
	return out
}

// Mix is the i-th question of a history in which no two are alike: of four, a route, an action, a command that is not hers and a query.
func Mix(i int) policy.Question {
	who := subject()
	who.Account = fmt.Sprint("person-", i)
	switch i % 4 {
	case 0:
		return policy.RouteQuestion{At: at, Subject: who, Route: "POST /api/v1/query"}
	case 1:
		return policy.AccessQuestion{At: at, Subject: who, Action: "query.run", Object: object()}
	case 2:
		return policy.TransitionQuestion{At: at, Subject: who, Machine: "application", Move: policy.Move{Command: "withdraw"}, Case: theCase()}
	default:
		q := query(8)
		q.Subject, q.Plan.Draws = who, int64(i)
		return q
	}
}
