package policy

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// Bounds on what a question may carry. They keep a decision fast; no honest question comes near.
const (
	MaxItems   = 4096    // members of a list
	MaxColumns = 1 << 14 // of a dataset: a regional catalogue has some 7,000 fields
	MaxText    = 512     // bytes of a text
)

// form collects the first fault of a question.
type form struct{ err error }

func (f *form) fail(what string) {
	if f.err == nil {
		f.err = fmt.Errorf("%w: %s", ErrQuestion, what)
	}
}

func (f *form) take(err error) {
	if f.err == nil {
		f.err = err
	}
}

func (f *form) at(m Moment) { f.take(m.valid()) }

func (f *form) dates(ds ...Date) {
	for _, d := range ds {
		f.take(d.valid())
	}
}

func (f *form) texts(ss ...string) {
	for _, s := range ss {
		if len(s) > MaxText || !utf8.ValidString(s) {
			f.fail("a text is too long or not UTF-8")
		}
	}
}

func (f *form) lists(ls ...List[string]) {
	for _, l := range ls {
		if len(l) > MaxItems {
			f.fail("a list is too long")
			return
		}
		f.texts(l...)
	}
}

func (f *form) need(what, s string) {
	if s == "" {
		f.fail(what + " is missing")
	}
	f.texts(s)
}

func (f *form) natural(what string, ns ...int64) {
	for _, n := range ns {
		if n < 0 {
			f.fail(what + " is negative")
		}
	}
}

func (f *form) finite(x float64) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		f.fail("epsilon is not a number")
	}
}

// subject refuses roles without an account: nobody is anonymous and privileged.
func (f *form) subject(s Subject) {
	f.texts(s.Account, s.Institution, s.Region, s.House, s.Reach)
	f.lists(s.Roles)
	f.conduct(s)
	f.unit(s.Unit)
	f.mandate(s.Mandate)
	if s.Account == "" && (len(s.Roles) > 0 || s.Institution != "") {
		f.fail("an anonymous subject has roles")
	}
}

func (f *form) grant(g Grant) {
	f.texts(g.ID, g.Kind, g.State, g.Purpose, g.Lead, g.Assessment, g.Institution, g.Agreement, g.Processor)
	f.lists(g.Team, g.Datasets, g.Columns, g.Statistics, g.DataOwners, g.Regions, g.Queries, g.Lists, g.Ended)
	f.dates(g.From, g.To)
	f.cleared(g.Cleared)
	if len(g.Obligations) > MaxItems {
		f.fail("a list is too long")
		return
	}
	for _, o := range g.Obligations {
		f.texts(o.ID, o.Kind)
		f.dates(o.Due, o.Filed)
	}
}

func (f *form) receiver(r Receiver) {
	f.texts(r.Institution, r.System, r.Evidence)
	f.dates(r.Expires)
	f.natural("a level", int64(r.MLPS))
}

func (f *form) remit(r Remit) {
	f.lists(r.Hospitals, r.Kinds)
	f.take(r.From.valid())
	f.take(r.To.valid())
}

func (f *form) workflow(machine string, c Case) {
	f.need("the machine", machine)
	f.texts(c.Kind, c.Purpose, c.State, c.Lead, c.Institution, c.Decider, c.Pause.Office, c.Pause.Purpose, c.Agreement, c.Host, c.Processor)
	f.natural("a length", int64(c.Pause.Reason))
	f.lists(c.Team, c.DataOwners, c.Needed, c.Lies)
	if len(c.Reviews) > MaxItems || len(c.Signatures) > MaxItems {
		f.fail("a list is too long")
		return
	}
	f.texts(c.File)
	f.lists(c.Former)
	f.dates(c.Due)
	f.texts(c.Abroad.Institution, c.Abroad.Country)
	f.way(c.Way)
	f.cleared(c.Cleared)
	f.conditions(c.Conditions)
	f.papers(c.Papers)
	f.natural("a number of appeals", int64(c.Appeals))
	for _, r := range c.Reviews {
		f.texts(r.Kind, r.Reviewer, r.Verdict, r.Institution)
	}
	for _, s := range c.Signatures {
		f.texts(s.Side, s.Account, s.Institution)
	}
	f.board(c)
}

// Valid reports whether the question is well formed.
func (q RouteQuestion) Valid() error {
	var f form
	f.at(q.At)
	f.subject(q.Subject)
	f.need("the route", q.Route)
	return f.err
}

// Valid reports whether the question is well formed.
func (q AccessQuestion) Valid() error {
	var f form
	f.at(q.At)
	f.subject(q.Subject)
	f.need("the action", q.Action)
	o := q.Object
	f.texts(o.Kind, o.ID, o.Owner, o.Institution, o.State)
	f.lists(o.Team, o.DataOwners, o.Reviews, o.Parties)
	return f.err
}

// Valid reports whether the question is well formed.
func (q SubmissionQuestion) Valid() error {
	var f form
	f.at(q.At)
	f.subject(q.Subject)
	a := q.Application
	f.texts(a.Kind, a.Purpose, a.Lead, a.Funding, a.Conflicts, a.Ethics.Document, a.Authority.Document, a.Authority.Law, a.Assessment)
	f.texts(a.Agreement.Kind, a.Agreement.Host, a.Agreement.Processor)
	f.lists(a.Agreement.Queries)
	f.lists(a.Team, a.Statistics)
	f.dates(a.From, a.To)
	f.natural("a length", int64(a.Reason), int64(a.Methods), int64(a.Ethics.Exemption))
	f.finite(a.Epsilon)
	f.use(a.Use)
	f.form(a.Form)
	f.papers(a.Attachments)
	f.receiver(a.Receiver)
	f.remit(a.Remit)
	if len(a.Wishes) > MaxItems || len(q.Datasets) > MaxItems {
		f.fail("a list is too long")
		return f.err
	}
	for _, w := range a.Wishes {
		f.texts(w.Dataset)
		f.lists(w.Columns)
	}
	for _, d := range q.Datasets {
		f.dataset(d)
	}
	f.file(a)
	f.clearance(q.Clearance)
	f.texts(a.Abroad.Institution, a.Abroad.Country, q.Clearance.Applicant, q.Clearance.Country)
	f.texts(q.Assessment.ID, q.Assessment.Sort, q.Assessment.State, q.Assessment.Unit, q.Assessment.Next)
	f.dates(q.Assessment.On)
	return f.err
}

func (f *form) papers(all List[Paper]) {
	if len(all) > MaxItems {
		f.fail("a list is too long")
		return
	}
	for _, p := range all {
		f.texts(p.Hash, p.Type, p.By)
		f.dates(p.On)
		f.natural("a size", p.Size)
	}
}

func (f *form) dataset(d Dataset) {
	f.need("the dataset", d.ID)
	f.texts(d.Owner, d.Region)
	f.lists(d.Purposes, d.DUO)
	if d.Columns == nil || len(d.Columns) > MaxColumns {
		f.fail("a dataset names no fields, or too many")
	}
	for name, level := range d.Columns {
		f.texts(name)
		if table, column, ok := strings.Cut(name, "."); !ok || table == "" || column == "" || level < 1 || level > 5 {
			f.fail("a field has no table or no level")
		}
	}
	for _, b := range d.Basis {
		f.texts(b.Purpose, b.Recipient, b.Basis, b.Law, b.Document)
	}
	if len(d.Listed) > MaxColumns {
		f.fail("a list is too long")
		return
	}
	for _, l := range d.Listed {
		f.texts(l.Column, l.List)
	}
}

// Valid reports whether the question is well formed.
func (q TransitionQuestion) Valid() error {
	var f form
	f.at(q.At)
	f.subject(q.Subject)
	f.workflow(q.Machine, q.Case)
	f.need("the command", q.Move.Command)
	f.texts(q.Move.Review, q.Move.Choice, q.Move.Side)
	f.opinion(q.Opinion)
	return f.err
}

// Valid reports whether the question is well formed.
func (q CommandsQuestion) Valid() error {
	var f form
	f.at(q.At)
	f.subject(q.Subject)
	f.workflow(q.Machine, q.Case)
	return f.err
}

// Valid reports whether the question is well formed.
func (q PermitQuestion) Valid() error {
	var f form
	f.at(q.At)
	f.subject(q.Subject)
	f.grant(q.Grant)
	f.texts(q.Purpose)
	f.lists(q.Datasets, q.Columns)
	return f.err
}

// Valid reports whether the question is well formed.
func (q QueryQuestion) Valid() error {
	var f form
	f.at(q.At)
	f.subject(q.Subject)
	f.grant(q.Grant)
	f.texts(q.Purpose, q.Plan.Digest)
	f.lists(q.Plan.Datasets, q.Plan.Tables, q.Plan.Public, q.Plan.Columns, q.Plan.Lists, q.Plan.Marks)
	f.natural("a number of the plan", int64(q.Plan.MaxLevel), q.Plan.Draws)
	f.finite(q.Plan.Epsilon)
	return f.err
}

// Valid reports whether the question is well formed.
func (q HandoverQuestion) Valid() error {
	var f form
	f.at(q.At)
	f.subject(q.Subject)
	f.need("the step", q.Step)
	f.texts(q.State)
	f.grant(q.Grant)
	f.receiver(q.Receiver)
	f.natural("the smallest class", q.Smallest, q.Rows, q.Grant.Export)
	f.graded(q.Version)
	f.graded(q.Package)
	return f.err
}

// Valid reports whether the question is well formed.
func (q ScopeQuestion) Valid() error {
	var f form
	f.at(q.At)
	f.subject(q.Subject)
	f.grant(q.Grant)
	f.remit(q.Remit)
	f.need("the table", q.Table)
	f.texts(q.View)
	if len(q.Columns) > MaxItems {
		f.fail("a list is too long")
		return f.err
	}
	for _, c := range q.Columns {
		f.need("a column's name", c.Name)
		f.texts(c.Role)
		f.natural("a level", int64(c.Level))
	}
	return f.err
}
