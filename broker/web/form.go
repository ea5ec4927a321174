package web

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"carrel/broker/application"
	"carrel/broker/catalogue"
	"carrel/broker/problem"
	"carrel/policy"
)

// formData is what the application form offers.
type formData struct {
	Target   string // where it is sent
	Cancel   string
	Revision int64
	Purposes []string
	Datasets []catalogue.View
	// Hospitals are the values of the catalogue's fields of that name: what a remit can be limited to.
	Hospitals  []catalogue.Value
	Kinds      []string
	Statistics []string
	Codes      codes
	Epsilon    float64 // ε of a grant that asks for none
}

// The names that remits use for kinds of events; policies/remit.json judges them.
var remitKinds = [...]string{"stroke", "infarction", "sepsis"}

const hospitalField = "hospital_id"

func (s *server) newApplication(ctx context.Context, c *call) error {
	c.form = s.blank(ctx, c)
	return s.formPage(ctx, c, formData{Target: "/applications", Cancel: "/applications"}, nil)
}

// blank is an empty form with the purpose that policy data name for one of the person's roles.
func (s *server) blank(ctx context.Context, c *call) url.Values {
	var purposes map[string]struct {
		Roles []string       `json:"roles"`
		Level map[string]int `json:"level"`
	}
	v := url.Values{"kind": {"query"}}
	if err := s.c.Desk.Policy.Data(ctx, "carrel/purposes", &purposes); err != nil {
		return v // the form works without a proposal
	}
	for name, p := range purposes {
		if slices.ContainsFunc(p.Roles, func(r string) bool { return slices.Contains(c.id.Roles, r) }) {
			v.Set("purpose", name)
			if p.Level["handover"] > 0 {
				v.Set("kind", "handover")
			}
		}
	}
	return v
}

func (s *server) formPage(ctx context.Context, c *call, d formData, failed error) error {
	status := http.StatusOK
	var shown *problemView
	if failed != nil {
		p := problem.From(ctx, s.c.Logger, failed)
		if p.Code == problem.NotFound {
			return p
		}
		shown, status = s.problem(p, ""), p.Status()
	}
	var err error
	if d.Datasets, err = s.wishable(ctx); err != nil {
		return err
	}
	d.Hospitals, d.Kinds, d.Epsilon = hospitals(d.Datasets), remitKinds[:], s.defaults.Grant.Epsilon
	d.Codes = s.codes
	for p := range s.labels["purpose"] {
		d.Purposes = append(d.Purposes, p)
	}
	slices.Sort(d.Purposes)
	slices.Reverse(d.Purposes) // research first
	if d.Statistics, err = s.statistics(ctx); err != nil {
		return err
	}
	return s.render(ctx, c, status, "form", page{Data: d, Problem: shown})
}

// wishable is the catalogue without the tables that need no application.
func (s *server) wishable(ctx context.Context) ([]catalogue.View, error) {
	list, err := s.c.Records.Datasets(ctx)
	if err != nil {
		return nil, err
	}
	var out []catalogue.View
	for _, b := range list {
		v, err := s.c.Records.Dataset(ctx, b.ID)
		if err != nil {
			return nil, err
		}
		v.Tables = slices.DeleteFunc(slices.Clone(v.Tables), func(t catalogue.TableView) bool { return t.Public })
		out = append(out, v)
	}
	return out, nil
}

func hospitals(datasets []catalogue.View) []catalogue.Value {
	var out []catalogue.Value
	for _, d := range datasets {
		for _, t := range d.Tables {
			for _, f := range t.Fields {
				if f.Name != hospitalField {
					continue
				}
				for _, v := range f.Values {
					if !slices.Contains(out, v) {
						out = append(out, v)
					}
				}
			}
		}
	}
	return out
}

// statistics are the restricted statistics that can be asked for by name.
func (s *server) statistics(ctx context.Context) ([]string, error) {
	var goods map[string]map[string]string // what is counted, by whose it is
	if err := s.c.Desk.Policy.Data(ctx, "carrel/fields/statistics", &goods); err != nil {
		return nil, err
	}
	var out []string
	for _, by := range goods {
		out = slices.AppendSeq(out, maps.Values(by))
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func (s *server) createApplication(ctx context.Context, c *call) error {
	c.home = "/applications/new"
	d, err := s.draft(ctx, c, policy.Application{})
	if err == nil {
		var a *application.Application
		if a, err = s.c.Applications.Create(ctx, c.id, d); err == nil {
			return c.redirect("/applications/" + a.ID + "?done=created")
		}
	}
	return s.formPage(ctx, c, formData{Target: "/applications", Cancel: "/applications"}, err)
}

func (s *server) editApplication(ctx context.Context, c *call) error {
	id := c.param("id")
	v, err := s.c.Applications.Show(ctx, c.id, id)
	if err != nil {
		return err
	}
	c.form = filled(v)
	return s.formPage(ctx, c, editForm(id, v.Revision), nil)
}

func editForm(id string, rev int64) formData {
	return formData{Target: "/applications/" + id + "/edit", Cancel: "/applications/" + id, Revision: rev}
}

func (s *server) changeApplication(ctx context.Context, c *call) error {
	id := c.param("id")
	c.home = "/applications/" + id + "/edit"
	rev, err := c.revision()
	if err != nil {
		return err
	}
	was, err := s.c.Applications.Show(ctx, c.id, id)
	if err != nil {
		return err
	}
	d, err := s.draft(ctx, c, was.Facts)
	if err == nil {
		if _, err = s.c.Applications.Edit(ctx, c.id, id, rev, d); err == nil {
			return c.redirect("/applications/" + id + "?done=changed")
		}
	}
	return s.formPage(ctx, c, editForm(id, rev), err)
}

// draft reads the form. What the form does not hold stays as it was: listed questions come by the command.
func (s *server) draft(ctx context.Context, c *call, was policy.Application) (application.Draft, error) {
	d := application.Draft{Texts: map[string]string{}}
	for _, name := range textFields {
		if v := c.value("text-" + name); v != "" {
			d.Texts[name] = v
		}
	}
	epsilon, err := c.decimal("epsilon")
	if err != nil {
		return d, err
	}
	d.Facts = policy.Application{
		Kind: c.value("kind"), Purpose: c.value("purpose"), Team: accounts(c.value("team")), From: policy.Date(c.value("from")), To: policy.Date(c.value("to")),
		Funding: c.value("funding"), Conflicts: c.value("conflicts"), Ethics: policy.Ethics{Document: c.value("ethics_document")},
		CrossBorder: c.value("cross_border") != "", Identifiable: c.value("identifiable") != "", DeclaredDuty: c.value("declared_duty") != "",
		Authority: policy.Evidence{Document: c.value("authority_document"), Law: c.value("authority_law")}, Assessment: c.value("assessment"),
		Statistics: c.form["statistics"], Epsilon: epsilon, Wishes: wishes(c.form["wish"]),
	}
	d.Facts.Agreement.Listed, d.Facts.Agreement.Queries = was.Agreement.Listed, was.Agreement.Queries
	c.coded(&d.Facts)
	if d.Facts.Kind == "handover" {
		return d, s.receiving(ctx, c, &d.Facts)
	}
	return d, nil
}

// receiving reads the part of the form that only a handover has.
func (s *server) receiving(ctx context.Context, c *call, f *policy.Application) error {
	f.Receiver = policy.Receiver{System: c.value("system"), Evidence: c.value("evidence"), Expires: policy.Date(c.value("expires")), Officer: c.value("officer") != ""}
	if text := c.value("mlps"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return malformed(err)
		}
		f.Receiver.MLPS = n
	}
	f.Remit = policy.Remit{Hospitals: c.form["hospital"], Kinds: c.form["event"], From: policy.Month(c.value("remit_from")), To: policy.Month(c.value("remit_to"))}
	if c.value("all_hospitals") == "" {
		return nil
	}
	datasets, err := s.wishable(ctx)
	if err != nil {
		return err
	}
	f.Remit.Hospitals = nil // written out, so that the agreement names each one
	for _, h := range hospitals(datasets) {
		f.Remit.Hospitals = append(f.Remit.Hospitals, h.Code)
	}
	return nil
}

var textFields = [...]string{application.TextTitle, application.TextReason, application.TextMethods, application.TextFunding, application.TextConflicts, application.TextExemption, application.TextAnswerable, application.TextSharing}

// accounts splits a list of account names however they were separated.
func accounts(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,;、，；\n\t", r) })
}

// wishes puts "dataset:table.column" boxes together by dataset. A table's "all" box takes the place of its single ones.
func wishes(boxes []string) policy.List[policy.Wish] {
	var out policy.List[policy.Wish]
	for _, box := range boxes {
		dataset, column, ok := strings.Cut(box, ":")
		if !ok {
			continue
		}
		table, _, _ := strings.Cut(column, ".")
		if !strings.HasSuffix(column, ".*") && slices.Contains(boxes, dataset+":"+table+".*") {
			continue
		}
		i := slices.IndexFunc(out, func(w policy.Wish) bool { return w.Dataset == dataset })
		if i < 0 {
			out, i = append(out, policy.Wish{Dataset: dataset}), len(out)
		}
		out[i].Columns = append(out[i].Columns, column)
	}
	return out
}

// filled is the form of a draft as it stands: what draft reads back is the same draft.
func filled(v *application.View) url.Values {
	f, out := v.Facts, url.Values{}
	set := func(name, value string) {
		if value != "" {
			out.Set(name, value)
		}
	}
	check := func(name string, on bool) {
		if on {
			out.Set(name, "yes")
		}
	}
	for name, text := range v.Texts {
		set("text-"+name, text)
	}
	for _, w := range f.Wishes {
		for _, col := range w.Columns {
			out.Add("wish", w.Dataset+":"+col)
		}
	}
	for name, value := range map[string]string{
		"kind": f.Kind, "purpose": f.Purpose, "team": strings.Join(f.Team, " "), "from": string(f.From), "to": string(f.To), "funding": f.Funding,
		"conflicts": f.Conflicts, "ethics_document": f.Ethics.Document, "authority_document": f.Authority.Document, "authority_law": f.Authority.Law,
		"assessment": f.Assessment, "system": f.Receiver.System, "evidence": f.Receiver.Evidence, "expires": string(f.Receiver.Expires),
		"remit_from": string(f.Remit.From), "remit_to": string(f.Remit.To),
	} {
		set(name, value)
	}
	check("cross_border", f.CrossBorder)
	check("identifiable", f.Identifiable)
	check("declared_duty", f.DeclaredDuty)
	check("officer", f.Receiver.Officer)
	if f.Receiver.MLPS != 0 {
		out.Set("mlps", strconv.Itoa(f.Receiver.MLPS))
	}
	if f.Epsilon != 0 {
		out.Set("epsilon", strconv.FormatFloat(f.Epsilon, 'g', -1, 64))
	}
	fillCoded(out, f)
	out["statistics"], out["hospital"], out["event"] = f.Statistics, f.Remit.Hospitals, f.Remit.Kinds
	return out
}
