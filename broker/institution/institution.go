// Package institution keeps the register of institutions: who they are, in which region and under whom, which department and
// post answer for data, whether one is connected to the municipal platform, and under which commission the operator acts.
//
// It promises: a Decider from Watch tells rules with every question what the register says of the asker's institution, and
// overwrites whatever a caller put there; after a change returns, every decision sees it; when the register could not be read,
// nothing is decided at all; every change is policy's decision, in one transaction with its log entry. An institution that was
// merged into another is that other in every question, whoever wrote its number where and when; one that ended is told to rules
// as such, in its people and in the grants that stand on it.
//
// It does not promise that an institution is what it says: the authority above it enters it, and the first entries are those of
// the file that the operator put beside the accounts. What follows from an entry is policy's (policies/institution.rego).
package institution

import (
	"unicode/utf8"

	"carrel/broker/problem"
	"carrel/policy"
)

// Institution is an entry of the register.
type Institution struct {
	ID         string `json:"id"`
	NameZH     string `json:"name_zh" maxLength:"200"`
	NameEN     string `json:"name_en" maxLength:"200"`
	Level      string `json:"level" maxLength:"20" doc:"province, city or county"`
	Region     string `json:"region" maxLength:"6" doc:"GB/T 2260"`
	Supervisor string `json:"supervisor,omitempty" maxLength:"100" doc:"the institution above it; empty for a province"`
	Kind       string `json:"kind,omitempty" maxLength:"20" doc:"operator, or empty"`
	// Department and Post answer for data. They name an office and never a person.
	Department string      `json:"department,omitempty" maxLength:"200"`
	Post       string      `json:"post,omitempty" maxLength:"200"`
	Connection *Connection `json:"connection,omitempty"`
	Commission *Commission `json:"commission,omitempty"`
	Ended      policy.Date `json:"ended,omitempty" maxLength:"10" doc:"the day since which it is no more"`
	Successor  string      `json:"successor,omitempty" maxLength:"100" doc:"the institution that has its rights, duties and data since; empty where there is none yet"`
	Moving     string      `json:"moving,omitempty" maxLength:"6" doc:"GB/T 2260: where its authority lets it go, until that region's authority enters it there"`
	Revision   int64       `json:"revision,omitempty" doc:"of the entry that this one replaces; 0 is a new one"`
}

// Connection is the record of being connected to a municipal platform.
type Connection struct {
	Platform string      `json:"platform" maxLength:"200"`
	From     policy.Date `json:"from" maxLength:"10"`
	Until    policy.Date `json:"until,omitempty" maxLength:"10" doc:"last day; empty is open"`
}

// Commission is what an operator acts under.
type Commission struct {
	By       string      `json:"by" maxLength:"100" doc:"the institution that gave it"`
	Document string      `json:"document" maxLength:"80" doc:"sha256:… of the document"`
	From     policy.Date `json:"from" maxLength:"10"`
	Until    policy.Date `json:"until" maxLength:"10" doc:"last day"`
}

// Unit is the institution as rules see it.
func (i Institution) Unit() policy.Unit {
	u := policy.Unit{ID: i.ID, State: policy.UnitRegistered, Level: i.Level, Region: i.Region, Supervisor: i.Supervisor, Kind: i.Kind,
		Department: policy.Length(i.Department), Post: policy.Length(i.Post), Ended: i.Ended, Successor: i.Successor, Moving: i.Moving}
	if c := i.Connection; c != nil {
		u.Platform, u.Connected, u.Left = c.Platform, c.From, c.Until
	}
	if c := i.Commission; c != nil {
		u.Principal, u.Document, u.From, u.Until = c.By, c.Document, c.From, c.Until
	}
	return u
}

// names counts the languages in which it has a name.
func (i Institution) names() int {
	n := 0
	for _, s := range []string{i.NameZH, i.NameEN} {
		if s != "" {
			n++
		}
	}
	return n
}

// well refuses a number that could be no part of an address, and texts that are too long or no text.
func (i Institution) well() error {
	ok := i.ID != "" && len(i.ID) <= 80
	for _, r := range i.ID {
		ok = ok && (r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-')
	}
	if !ok {
		return problem.New(problem.Invalid, "机构编号只能用小写字母、数字和连字符。", "The number of an institution is of small letters, digits and hyphens.")
	}
	for _, s := range []string{i.NameZH, i.NameEN, i.Department, i.Post} {
		if len(s) > 600 || !utf8.ValidString(s) {
			return problem.New(problem.TooLarge, "名称过长；请缩短。", "A name is too long; shorten it.")
		}
		for _, r := range s {
			if r < ' ' || r == 0x7f {
				return problem.New(problem.Invalid, "名称含有控制字符；请删去。", "A name holds control characters; take them out.")
			}
		}
	}
	return nil
}
