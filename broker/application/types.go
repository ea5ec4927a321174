// Package application takes an application for data from its draft to a signed agreement and a grant.
//
// It promises: every step is a transition that policy allowed, taken in one transaction with its log entry; what a step
// leads to and what belongs to it (state, effects, reviews to hold) is read from policy's decision and from nowhere else;
// what people write (purpose, methods, findings, conditions, the agreement) is kept as erasable text, and the log holds only
// salted commitments to it; a grant comes into being in the transaction of the last signature, with its budget; who may not
// see an application learns nothing about whether it exists.
//
// It does not promise that what an applicant declares is true, and a signature here is a recorded act of a logged-in account
// under the agreement's digest, not a certificate-based electronic signature.
package application

import (
	"fmt"
	"slices"
	"time"

	"carrel/broker/abroad"
	"carrel/broker/form"
	"carrel/broker/grant"
	"carrel/broker/store"
	"carrel/policy"
)

// The kinds of documents in the store.
const (
	DocKind     = "application"
	versionKind = "application-version"
)

// The names of the texts that people write.
const (
	TextTitle     = "title"
	TextReason    = "reason"    // what the data are for
	TextMethods   = "methods"   // how they are analysed
	TextFunding   = "funding"   // who pays, in words
	TextConflicts = "conflicts" // conflicts of interest, in words
	TextExemption = "exemption" // why no ethics document is needed
	// TextAnswerable is who answers at a recipient abroad.
	TextAnswerable = "answerable"
	TextSharing    = "sharing" // how income is shared; without it as the agreement's wording says
)

// maxText bounds one text, in bytes.
const maxText = 32 << 10

// Draft is what an applicant writes. Facts are what rules read; the numbers of characters in it are filled in from Texts, and
// Lead, Receiver.Institution and Receiver.Key by the service.
type Draft struct {
	Facts policy.Application `json:"facts"`
	Texts map[string]string  `json:"texts"`
	Form  form.Ref           `json:"form,omitzero"` // by which it was made; nothing is the newest
}

// Application is an application as stored.
type Application struct {
	ID          string                   `json:"id"`
	State       string                   `json:"state"`
	Version     int                      `json:"version"` // submissions so far
	Facts       policy.Application       `json:"facts"`
	Texts       map[string]store.TextRef `json:"texts"`
	Institution string                   `json:"institution"`
	DataOwners  []string                 `json:"data_owners"`
	Universe    string                   `json:"universe"`
	Needed      []string                 `json:"needed"` // kinds of review
	Findings    *Findings                `json:"findings,omitempty"`
	Reviews     []Review                 `json:"reviews"`
	Verdict     *Verdict                 `json:"verdict,omitempty"`
	Retracted   []Review                 `json:"retracted,omitempty"` // votes taken back
	Questions   []Question               `json:"questions,omitempty"` // to the applicant
	Clock       Clock                    `json:"clock,omitzero"`
	File        string                   `json:"file,omitempty"`   // "" is a first application | amendment | renewal
	Of          string                   `json:"of,omitempty"`     // the application that it amends or renews
	Export      int64                    `json:"export,omitempty"` // rows that may go abroad at most
	Way         abroad.Way               `json:"way,omitzero"`     // the condition of the law under which they go
	// Lists are the sensitive lists of codes that it was decided with: declared, or found in what it asks for.
	Lists      []string       `json:"lists,omitempty"`
	Appeals    []Appeal       `json:"appeals,omitempty"`
	Recused    []Recusal      `json:"recused,omitempty"`
	Sitting    policy.Sitting `json:"sitting,omitzero"` // the meeting that it is before
	Agreement  *Agreement     `json:"agreement,omitempty"`
	Signatures []Signature    `json:"signatures"`
	Grant      string         `json:"grant,omitempty"`
	CopyOf     string         `json:"copy_of,omitempty"` // the application that it was begun from
	// cleared is the cross-border file that it names, as it was when the application was read.
	cleared policy.Cleared
	Created time.Time `json:"created"`
	Changed time.Time `json:"changed"`
}

// Findings is what policy said of a version.
type Findings struct {
	Version  int             `json:"version"`
	At       time.Time       `json:"at"`
	Decision policy.Decision `json:"decision"`
}

// Review is one review with the version it was of.
type Review struct {
	Kind     string        `json:"kind"`
	Reviewer string        `json:"reviewer"`
	Verdict  string        `json:"verdict"` // approve | reject | abstain
	Findings store.TextRef `json:"findings"`
	// Institution is the reviewer's: an owner's assessment is of that owner's data.
	Institution string `json:"institution"`
	// For is whose seat a deputy took, Meeting where the vote was cast.
	For     string `json:"for,omitempty"`
	Meeting string `json:"meeting,omitempty"`
	// Sheet is the version of the opinion sheet that was answered, Found what was found by it.
	Sheet string  `json:"sheet"`
	Found []Found `json:"found"`
	// Retracted is when the vote was taken back.
	Retracted   time.Time `json:"retracted,omitzero"`
	Obligations []string  `json:"obligations,omitempty"` // codes of conditions the reviewer asks for
	Version     int       `json:"version"`
	At          time.Time `json:"at"`
}

// Question is one that a reviewer or the authority puts to the applicant.
type Question struct {
	By         string        `json:"by"`
	At         time.Time     `json:"at"`
	Text       store.TextRef `json:"text"`
	Answer     store.TextRef `json:"answer,omitzero"`
	AnsweredBy string        `json:"answered_by,omitempty"`
	Answered   time.Time     `json:"answered,omitzero"`
}

// Clock is by when the present state is left. While the applicant owes an answer, the days left to the reviewers stand still.
type Clock struct {
	Due  policy.Date `json:"due,omitempty"`
	Left int         `json:"left,omitempty"` // working days that were left when the clock stopped
}

// Appeal is an appeal against a denial: what was appealed against, and who took part in it.
type Appeal struct {
	By      string        `json:"by"`
	At      time.Time     `json:"at"`
	Grounds store.TextRef `json:"grounds"`
	Reviews []Review      `json:"reviews"`
	Verdict *Verdict      `json:"verdict"`
}

// retract takes the account's vote back; it stays on file apart from those that count.
func (a *Application) retract(account string, now time.Time) {
	a.Reviews = slices.DeleteFunc(slices.Clone(a.Reviews), func(r Review) bool {
		if r.Reviewer != account {
			return false
		}
		r.Retracted = now.UTC()
		a.Retracted = append(a.Retracted, r)
		return true
	})
}

// former are the accounts that took part in what was appealed against.
func (a *Application) former() []string {
	var out []string
	for _, p := range a.Appeals {
		for _, r := range p.Reviews {
			out = append(out, r.Reviewer)
		}
		if p.Verdict != nil {
			out = append(out, p.Verdict.Decider)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Verdict is the authority's decision.
type Verdict struct {
	Decider    string          `json:"decider"`
	Choice     string          `json:"choice"` // approve | deny | return
	Grounds    store.TextRef   `json:"grounds"`
	Conditions []store.TextRef `json:"conditions"`
	// Obligations are the conditions that have a kind and a date.
	Obligations []grant.Obligation `json:"obligations,omitempty"`
	At          time.Time          `json:"at"`
	Number      *Number            `json:"number,omitempty"` // of the document
	// For is whose seat a deputy took, Meeting where it was decided, Listed that it was one of a list of low risk.
	For     string `json:"for,omitempty"`
	Meeting string `json:"meeting,omitempty"`
	Listed  bool   `json:"listed,omitempty"`
}

// obligations are numbered by the application, so that those of an amendment stand beside the first ones.
func (v *Verdict) obligations(app string) []grant.Obligation {
	out := slices.Clone(v.Obligations)
	for i := range out {
		out[i].ID = fmt.Sprintf("%s-%d", app, i+1)
	}
	return out
}

// Signature is one side's.
type Signature struct {
	Side        string    `json:"side"` // applicant | host | processor | owner
	Account     string    `json:"account"`
	Institution string    `json:"institution"` // for which the account signed
	Digest      string    `json:"digest"`
	At          time.Time `json:"at"`
}

// Case is the application as its workflow sees it.
func (a *Application) Case() policy.Case {
	c := policy.Case{ID: a.ID, Sitting: a.Sitting, Kind: a.Facts.Kind, Purpose: a.Facts.Purpose, State: a.State, Lead: a.Facts.Lead, Team: a.Facts.Team,
		Institution: a.Institution, DataOwners: a.DataOwners, Needed: a.Needed, File: a.File, Former: a.former(), Appeals: len(a.Appeals), Due: a.Clock.Due, Cleared: a.cleared}
	for _, r := range a.Reviews {
		c.Reviews = append(c.Reviews, policy.Review{Kind: r.Kind, Reviewer: r.Reviewer, Verdict: r.Verdict, Institution: r.Institution, For: r.For})
	}
	for _, r := range a.Recused {
		c.Recused = append(c.Recused, r.Account)
	}
	if a.Verdict != nil {
		c.Decider = a.Verdict.Decider
	}
	a.parties(&c)
	for _, s := range a.Signatures {
		c.Signatures = append(c.Signatures, policy.Signature{Side: s.Side, Account: s.Account, Institution: s.Institution})
	}
	return c
}

// Object is the application as an object of access.
func (a *Application) Object() policy.Object {
	return policy.Object{Kind: "application", ID: a.ID, Owner: a.Facts.Lead, Team: a.Facts.Team, Institution: a.Institution, DataOwners: a.DataOwners,
		Reviews: a.Needed, State: a.State, Parties: a.others()}
}

func (a *Application) index() store.Index { return store.Index{Owner: a.Facts.Lead, State: a.State} }
