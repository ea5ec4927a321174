package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"carrel/broker/application"
	"carrel/broker/problem"
	"carrel/broker/record"
	"carrel/policy"
)

func (s *server) applications(ctx context.Context, c *call) error {
	items, err := s.c.Applications.List(ctx, c.id, application.Search{Words: c.value("q"), State: c.value("state"), After: c.value("after"), Limit: applicationsPage})
	if err != nil {
		return err
	}
	mayCreate, err := s.may(ctx, c, "application.create", policy.Object{})
	if err != nil {
		return err
	}
	d := applicationsData{Items: items, MayCreate: mayCreate, Words: c.value("q"), State: c.value("state")}
	for state := range s.labels["application"] {
		d.States = append(d.States, state)
	}
	slices.Sort(d.States)
	if len(items) == applicationsPage {
		d.Older = "/applications?" + url.Values{"q": {d.Words}, "state": {d.State}, "after": {items[len(items)-1].ID}}.Encode()
	}
	return s.show(ctx, c, "applications", page{Data: d})
}

// applicationsPage is how many applications a page shows.
const applicationsPage = 50

// applicationsData is one page of the applications that match a search.
type applicationsData struct {
	Items        []application.Item
	MayCreate    bool
	Words, State string
	States       []string
	Older        string // address of the next page; "" when this is the last
}

// applicationData is one application with the forms of the commands that policy names.
type applicationData struct {
	*application.View
	Forms   forms
	Changes *application.Changes // since the version before
	MayEdit bool
	papers
	casework
	Risks []record.Assessed // of the datasets asked for, to those who judge
}

// forms are the commands of a person on an application, put together as pages ask for them.
type forms struct {
	Submit, Withdraw, Sign                             bool
	Ask, Answer, Retract, Recuse, Appeal, Amend, Renew bool
	Reviews                                            []choices
	Decide                                             []policy.Command
}

// choices are the verdicts that one kind of review may have.
type choices struct {
	Kind    string
	Options []policy.Command
	Sheet   application.Sheet
	// To is where the sheet is sent, for which application, made from which revision; Form is what was typed before.
	To, Application string
	Revision        int64
	Number          int
	Form            url.Values
}

// sheets fills in what the forms of reviews need.
func (s *server) sheets(ctx context.Context, c *call, reviews []choices, to string, v *application.View) error {
	for i := range reviews {
		r := &reviews[i]
		r.To, r.Application, r.Revision, r.Number, r.Form = to, v.ID, v.Revision, i, c.form
		var err error
		if r.Sheet, err = s.c.Applications.Sheet(ctx, r.Kind); err != nil {
			return err
		}
	}
	return nil
}

func sorted(commands []policy.Command) forms {
	var f forms
	for _, cmd := range commands {
		switch cmd.Command {
		case "submit":
			f.Submit = true
		case "withdraw":
			f.Withdraw = true
		case "sign":
			f.Sign = true
		case "ask":
			f.Ask = true
		case "answer":
			f.Answer = true
		case "retract":
			f.Retract = true
		case "recuse":
			f.Recuse = true
		case "appeal":
			f.Appeal = true
		case "amend":
			f.Amend = true
		case "renew":
			f.Renew = true
		case "decide":
			f.Decide = append(f.Decide, cmd)
		case "review":
			if n := len(f.Reviews); n == 0 || f.Reviews[n-1].Kind != cmd.Review {
				f.Reviews = append(f.Reviews, choices{Kind: cmd.Review})
			}
			last := &f.Reviews[len(f.Reviews)-1]
			last.Options = append(last.Options, cmd)
		}
	}
	return f
}

func (s *server) application(ctx context.Context, c *call) error {
	return s.applicationPage(ctx, c, nil)
}

// applicationPage shows an application; after a step that failed, with the reason above what was typed.
func (s *server) applicationPage(ctx context.Context, c *call, failed error) error {
	return s.applicationOf(ctx, c, c.param("id"), failed)
}

func (s *server) applicationOf(ctx context.Context, c *call, id string, failed error) error {
	status := http.StatusOK
	c.home = "/applications/" + id
	var shown *problemView
	if failed != nil {
		p := problem.From(ctx, s.c.Logger, failed)
		if p.Code == problem.NotFound || p.Code == problem.Failed {
			return p
		}
		shown, status = s.problem(p, ""), p.Status()
	}
	v, err := s.c.Applications.Show(ctx, c.id, id)
	if err != nil {
		return err
	}
	d := applicationData{View: v, Forms: sorted(v.Commands)}
	if err := s.sheets(ctx, c, d.Forms.Reviews, c.home+"/review", v); err != nil {
		return err
	}
	if v.Version > 1 {
		if d.Changes, err = s.c.Applications.Changes(ctx, c.id, id, v.Version-1, v.Version); err != nil {
			return err
		}
	}
	if v.Check != nil { // a draft: there is something to change
		if d.MayEdit, err = s.may(ctx, c, "application.edit", v.Object()); err != nil {
			return err
		}
	}
	if d.casework, err = s.casework(ctx, c, v); err != nil {
		return err
	}
	if err := s.attached(ctx, c, &d); err != nil {
		return err
	}
	if d.Risks, err = s.risks(ctx, c, v); err != nil {
		return err
	}
	return s.render(ctx, c, status, "application", page{Data: d, Problem: shown, Done: done(c)})
}

// step runs one command on an application and shows where that led.
func (s *server) step(ctx context.Context, c *call, name string, fn func(id string, rev int64) (*application.Application, error)) error {
	rev, err := c.revision()
	if err == nil {
		_, err = fn(c.param("id"), rev)
	}
	if err != nil {
		return s.applicationPage(ctx, c, err)
	}
	return c.redirect("/applications/" + c.param("id") + "?done=" + name)
}

// revision is the one that the page was made from: a step on another one is a conflict.
func (c *call) revision() (int64, error) {
	rev, err := strconv.ParseInt(c.value("rev"), 10, 64)
	if err != nil || rev < 1 {
		return 0, malformed(err)
	}
	return rev, nil
}

func (s *server) submit(ctx context.Context, c *call) error {
	return s.step(ctx, c, "submitted", func(id string, rev int64) (*application.Application, error) {
		return s.c.Applications.Submit(ctx, c.id, id, rev)
	})
}

func (s *server) withdraw(ctx context.Context, c *call) error {
	return s.step(ctx, c, "withdrawn", func(id string, rev int64) (*application.Application, error) {
		return s.c.Applications.Withdraw(ctx, c.id, id, rev)
	})
}

func (s *server) review(ctx context.Context, c *call) error {
	return s.step(ctx, c, "reviewed", func(id string, rev int64) (*application.Application, error) {
		return s.c.Applications.Review(ctx, c.id, id, rev, c.opinion())
	})
}

// opinion reads a sheet that was filled in.
func (c *call) opinion() application.ReviewInput {
	return application.ReviewInput{
		Kind: c.value("kind"), Verdict: c.value("verdict"), Findings: c.value("findings"), Obligations: c.lines("obligations"),
		Sheet: c.value("sheet"), Answers: c.answers(),
	}
}

func (s *server) decide(ctx context.Context, c *call) error {
	return s.step(ctx, c, "decided", func(id string, rev int64) (*application.Application, error) {
		epsilon, err := c.decimal("epsilon")
		if err != nil {
			return nil, err
		}
		return s.c.Applications.Decide(ctx, c.id, id, rev, application.DecisionInput{
			Choice: c.value("choice"), Grounds: c.value("grounds"), Conditions: c.lines("conditions"), Epsilon: epsilon,
			From: policy.Date(c.value("from")), To: policy.Date(c.value("to")),
		})
	})
}

// answers are the findings of an opinion sheet; one that was left out has none.
func (c *call) answers() map[string]string {
	out := map[string]string{}
	for name, values := range c.r.PostForm {
		if id, ok := strings.CutPrefix(name, "answer-"); ok && values[0] != "" {
			out[id] = values[0]
		}
	}
	return out
}

// lines are the lines of a text that hold something.
func (c *call) lines(name string) []string {
	var out []string
	for _, l := range strings.Split(c.value(name), "\n") {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

// decimal is a number that may be left out.
func (c *call) decimal(name string) (float64, error) {
	text := c.value(name)
	if text == "" {
		return 0, nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v >= 0) || v > 1e6 { // also no NaN
		return 0, problem.Wrap(err, problem.Invalid, "数字不正确；请填写如 0.5 的数字。", "A number is not usable; write one like 0.5.")
	}
	return v, nil
}

// agreementData is the text that both sides sign, with the form of the side that policy lets this person sign for.
type agreementData struct {
	*application.AgreementView
	Revision int64
	Sides    []policy.Command
	Sealed   *application.Sealed // the scan that is on file
	MaySeal  bool
}

func (s *server) agreement(ctx context.Context, c *call) error { return s.agreementPage(ctx, c, nil) }

func (s *server) agreementPage(ctx context.Context, c *call, failed error) error {
	id := c.param("id")
	c.home = "/applications/" + id + "/agreement"
	a, err := s.c.Applications.Agreement(ctx, c.id, id)
	if err != nil {
		return err
	}
	v, err := s.c.Applications.Show(ctx, c.id, id)
	if err != nil {
		return err
	}
	d := agreementData{AgreementView: a, Revision: v.Revision}
	for _, cmd := range v.Commands {
		if cmd.Command == "sign" {
			d.Sides = append(d.Sides, cmd)
		}
	}
	if d.Sealed = v.Agreement.Sealed; d.Sealed == nil {
		if d.MaySeal, err = s.may(ctx, c, "agreement.seal", v.Object()); err != nil {
			return err
		}
	}
	if failed != nil {
		return s.failed(ctx, c, "agreement", d, failed)
	}
	return s.show(ctx, c, "agreement", page{Data: d})
}

func (s *server) sign(ctx context.Context, c *call) error {
	return s.step(ctx, c, "signed", func(id string, rev int64) (*application.Application, error) {
		return s.c.Applications.Sign(ctx, c.id, id, rev, c.value("side"), c.value("digest"))
	})
}
