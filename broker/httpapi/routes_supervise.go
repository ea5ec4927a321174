package httpapi

import (
	"context"
	"net/http"

	"carrel/broker/auth"
	"carrel/broker/conduct"
	"carrel/broker/institution"
	"carrel/broker/supervise"
	"carrel/policy"
)

// Within is the days that a supervisor looks at.
type Within struct {
	From policy.Date `query:"from" maxLength:"10" doc:"first day; empty is thirty days before the last"`
	To   policy.Date `query:"to" maxLength:"10" doc:"last day; empty is today"`
}

func (w Within) period() supervise.Period { return supervise.Period{From: w.From, To: w.To} }

// institutions registers the register of institutions.
func (s *server) institutions() {
	type entered struct {
		ByID
		Body institution.Institution
	}
	c := s.c.Institutions
	route(s, http.MethodGet, "/institutions", "The register of institutions", func(ctx context.Context, id auth.Identity, _ *none) (*reply[[]institution.Institution], error) {
		list, err := c.List(ctx, id)
		return &reply[[]institution.Institution]{listed(list)}, err
	})
	route(s, http.MethodGet, "/institutions/{id}", "One institution", func(ctx context.Context, id auth.Identity, in *ByID) (*reply[institution.Institution], error) {
		x, err := c.Show(ctx, id, in.ID)
		return &reply[institution.Institution]{x}, err
	})
	route(s, http.MethodPut, "/institutions/{id}", "Enter an institution, or replace its entry", func(ctx context.Context, id auth.Identity, in *entered) (*reply[institution.Institution], error) {
		in.Body.ID = in.ID
		x, err := c.Set(ctx, id, in.Body)
		return &reply[institution.Institution]{x}, err
	})
}

// supervision registers what a supervisor reads; none of it changes anything but the log.
func (s *server) supervision() {
	type unitWithin struct {
		Within
		Unit string `query:"unit" maxLength:"80" doc:"the institution that is inspected"`
	}
	c := s.c.Supervision
	route(s, http.MethodGet, "/supervision", "Use, refusals, budgets, incidents and duties of the units in one's territory", func(ctx context.Context, id auth.Identity, in *Within) (*reply[*supervise.Overview], error) {
		x, err := c.Overview(ctx, id, in.period())
		return &reply[*supervise.Overview]{x}, err
	})
	route(s, http.MethodGet, "/supervision/patrol", "The report of a patrol", func(ctx context.Context, id auth.Identity, in *Within) (*reply[*supervise.Patrol], error) {
		x, err := c.Patrol(ctx, id, in.period())
		return &reply[*supervise.Patrol]{x}, err
	})
	route(s, http.MethodGet, "/supervision/inspection", "The report of an inspection of one unit", func(ctx context.Context, id auth.Identity, in *unitWithin) (*reply[*supervise.Inspection], error) {
		x, err := c.Inspection(ctx, id, in.Unit, in.period())
		return &reply[*supervise.Inspection]{x}, err
	})
}

// reports registers the reports upward (sichuan-35).
func (s *server) reports() {
	c := s.c.Conduct
	route(s, http.MethodGet, "/conduct/reports", "Reports upward, with their clocks", func(ctx context.Context, id auth.Identity, _ *none) (*mattersReply, error) {
		return someMatters(c.Reports(ctx, id))
	})
	route(s, http.MethodPost, "/conduct/reports/{id}/send", "Send a report upward", func(ctx context.Context, id auth.Identity, in *Told) (*matterReply, error) {
		return oneMatter(c.Send(ctx, id, in.ID, in.Body.Text))
	})
	type number struct {
		ByID
		Body struct {
			Number string `json:"number" maxLength:"320" doc:"your number for the report"`
		}
	}
	type receipt struct {
		ByID
		Body conduct.Receipt
	}
	route(s, http.MethodPost, "/conduct/reports/{id}/acknowledge", "Acknowledge a report that is addressed to your institution", func(ctx context.Context, id auth.Identity, in *number) (*matterReply, error) {
		return oneMatter(c.Acknowledge(ctx, id, in.ID, in.Body.Number))
	})
	route(s, http.MethodPost, "/conduct/reports/{id}/receipt", "Put on file the receipt of an addressee without an account", func(ctx context.Context, id auth.Identity, in *receipt) (*matterReply, error) {
		return oneMatter(c.File(ctx, id, in.ID, in.Body))
	})
}

// assessments registers the assessment calendar (sichuan-35).
func (s *server) assessments() {
	type result struct {
		Body struct {
			conduct.Entry
			Assessment string `json:"assessment,omitempty" maxLength:"80" doc:"the one that was scheduled; empty begins one"`
		}
	}
	c := s.c.Conduct
	route(s, http.MethodGet, "/conduct/assessments", "The assessment calendar", func(ctx context.Context, id auth.Identity, _ *none) (*mattersReply, error) {
		return someMatters(c.Assessments(ctx, id))
	})
	route(s, http.MethodPost, "/conduct/assessments", "Put an assessment into the calendar", func(ctx context.Context, id auth.Identity, in *entryBody) (*matterReply, error) {
		return oneMatter(c.Schedule(ctx, id, in.Body))
	})
	route(s, http.MethodPost, "/conduct/assessments/pass", "An assessment was passed", func(ctx context.Context, id auth.Identity, in *result) (*matterReply, error) {
		return oneMatter(c.Pass(ctx, id, in.Body.Assessment, in.Body.Entry))
	})
	route(s, http.MethodPost, "/conduct/assessments/fail", "An assessment was not passed", func(ctx context.Context, id auth.Identity, in *result) (*matterReply, error) {
		return oneMatter(c.Fail(ctx, id, in.Body.Assessment, in.Body.Entry))
	})
}
